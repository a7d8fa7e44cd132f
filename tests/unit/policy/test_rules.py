"""The policy file: what it refuses, and its version."""

import pytest
from pydantic import ValidationError

from bot.policy.rules import Policy
from tests.factories import policy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"targets": {"USDC": 0.5, "WETH": 0.6}}, "sum to 1.1"),
        ({"targets": {"USDC": 1.5, "WETH": -0.5}}, "between 0 and 1"),
        ({"band": {"floor_bps": 500, "cap_bps": 100}}, "must not exceed"),
        ({"band": {"widht": 1}}, "Extra inputs"),
        ({"ranges": [{"pool": "A", "share": 0.2}, {"pool": "A", "share": 0.2}]}, "one range per pool"),
        ({"ranges": [{"pool": "A", "share": 0.6}, {"pool": "B", "share": 0.6}]}, "must not exceed 1"),
        ({"size": {"to": "half"}}, "'target', 'edge' or 'fraction'"),
    ],
)
def test_policy__wrong_value__refused_with_the_rule(changes, said):
    with pytest.raises(ValidationError, match=said):
        policy(**changes)


def test_version__any_change__changes_it():
    assert policy().version == policy().version
    assert policy().version != policy(band={"vols": 1.1}).version


def test_policy__json_round_trip__same_version():
    rules = policy(ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])
    assert Policy.model_validate_json(rules.model_dump_json()).version == rules.version
