"""The vault's gas by operation, held to the figures last agreed on."""

import json

import pytest

from bench import gas


def test_changed__figures_within_and_beyond_one_percent__names_those_beyond() -> None:
    known = {"gone": 1, "less": 1_000, "more": 1_000, "same": 1_000}
    found = {"less": 989, "more": 1_011, "new": 1, "same": 1_010}
    assert [said.split(":")[0] for said in gas.changed(known, found)] == ["gone", "less", "more", "new"]


@pytest.mark.chain
async def test_gas__of_every_operation__is_as_recorded() -> None:
    changed = gas.changed(json.loads(gas.FIGURES.read_text()), await gas.figures())
    assert not changed, f"gas changed by more than 1 %; if that is meant, run `python -m bench.gas --update`: {changed}"
