"""Vault and charter do the same at every level of optimisation: a fault of the optimiser's would be a difference."""

from functools import cache
from pathlib import Path

import pytest

from scripts.build_contracts import CONTRACTS
from tests.contracts.modes.levels import CHARTER, LEVELS, VAULT, creation, level_of
from tests.contracts.modes.session import deployed, recorded
from tests.contracts.modes.tape import Tape
from tests.contracts.mutation.build import copy
from tests.contracts.mutation.campaign import mutants
from tests.contracts.vault.world import charter_source, vault_source

SEED, STEPS = 5, 260
MANY_STEPS, MANY_SEEDS = 1_500, range(1, 5)
DONE = {  # by a session that is worth comparing
    *("mint", "redeem", "claim", "execute", "transfer", "transferFrom", "approve", "set_limits", "set_corridor"),
    *("set_feed", "set_fee", "set_keeper", "pause", "unpause", "permit", "settings", "preview_mint", "limits"),
}
LEAST_REASONS = 20


@cache
def code(level: str) -> tuple[bytes, bytes]:
    """Of vault and charter; as it is shipped where that is the level."""
    sources = {VAULT: vault_source, CHARTER: charter_source}
    found = []
    for target, source in sources.items():
        if level_of((CONTRACTS / target).read_text()) == level:
            found.append(bytes.fromhex(source()["bytecode"].removeprefix("0x")))
        else:
            found.append(creation(CONTRACTS, target, level))
    return found[0], found[1]


def session(seed: int, steps: int) -> Tape:
    """One of the code that is not optimised."""
    vault, charter = code(LEVELS[0])
    return recorded(vault, seed, steps, charter)


def assert_alike(seed: int, steps: int) -> None:
    tape = session(seed, steps)
    for level in LEVELS:  # the first one too: the engines must agree
        assert tape.differences(deployed(*code(level))) == [], level


def test_modes__one_session__is_answered_alike() -> None:
    assert_alike(SEED, STEPS)


@pytest.mark.deep
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_modes__long_sessions__are_answered_alike(seed: int) -> None:
    assert_alike(seed, MANY_STEPS)


def test_session__does_and_refuses_enough_to_compare() -> None:
    tape = session(SEED, STEPS)
    done = tape.done()
    assert set(done) >= DONE, DONE - set(done)
    assert done["execute"] > 20, done
    assert len(tape.reasons()) >= LEAST_REASONS, tape.reasons()


def test_levels__are_different_code() -> None:
    for codes in zip(*(code(level) for level in LEVELS), strict=True):
        assert len(set(codes)) == len(LEVELS)


@pytest.mark.parametrize(
    ("file", "place", "operator", "now"),
    [
        ("Vault.vy", "_cost", "name", ""),  # a wei less to pay
        ("Vault.vy", "claim", "order", "owner=receiver, receiver=msg.sender"),  # an event with two names exchanged
        ("modules/budget.vy", "_part", "number", "nav - 0"),  # a bucket one grain fuller, which only a view shows
        ("Charter.vy", "pool_info", "arithmetic", "twap_window=word << "),  # what only a view shows
    ],
)
def test_differences__one_planted__is_seen(tmp_path: Path, file: str, place: str, operator: str, now: str) -> None:
    planted = next(m for m in mutants([file]) if (m.place, m.operator) == (place, operator) and now in m.now)
    contracts = copy(tmp_path, file, planted.text)
    codes = dict(zip((VAULT, CHARTER), code(LEVELS[0]), strict=True))
    changed = CHARTER if file == CHARTER else VAULT
    codes[changed] = creation(contracts, changed, LEVELS[0])
    assert session(SEED, STEPS).differences(deployed(*codes.values()))
