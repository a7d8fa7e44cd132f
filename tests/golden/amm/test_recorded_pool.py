"""The mathematics against answers that Uniswap's own published pool once gave, to the wei; no chain needed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.amm import v3
from bot.core.types import V3Pool
from tests.golden.amm.record import FILE, OPERATIONS, SWAPS, WORLDS
from tests.golden.amm.replay import play, swap
from tests.unit.amm.build import v3_pool

RECORDED = json.loads(FILE.read_text())["pools"]


def pool_of(recorded: dict[str, Any]) -> V3Pool:
    empty = v3_pool(spacing=recorded["spacing"], fee=recorded["fee"], sqrt_price_x96=recorded["sqrt_price_x96"])
    ticks = tuple((tick, net) for tick, net in recorded["ticks"])
    return replace(empty, tick=recorded["tick"], liquidity=recorded["liquidity"], ticks=ticks)


@pytest.fixture(params=RECORDED, ids=lambda recorded: f"fee-{recorded['fee']}")
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def test_minted_ranges__as_recorded__give_the_pools_ticks(recorded: dict[str, Any]) -> None:
    price, ranges = next((world[2], world[3]) for world in WORLDS if world[0] == recorded["fee"])
    pool = v3_pool(*ranges, spacing=recorded["spacing"], fee=recorded["fee"], sqrt_price_x96=price)
    assert pool == pool_of(recorded)
    v3.check(pool)


def test_swaps__as_recorded__equal_to_the_wei(recorded: dict[str, Any]) -> None:
    pool = pool_of(recorded)
    assert len(recorded["swaps"]) == SWAPS
    crossings = 0
    for zero_for_one, amount, limit, *state, growth in recorded["swaps"]:
        after, found, found_growth = swap(pool, zero_for_one, amount, limit)
        assert [*found, found_growth] == [*state, growth], (zero_for_one, amount, limit)
        crossings += after.liquidity != pool.liquidity
    assert crossings >= 10


def test_history__swaps_mints_and_burns_as_recorded__equal_to_the_wei(recorded: dict[str, Any]) -> None:
    pool = pool_of(recorded)
    assert len(recorded["history"]) == OPERATIONS
    for kind, first, second, third, *state in recorded["history"]:
        pool, found = play(pool, (kind, first, second, third))
        assert list(found) == state, (kind, first, second, third)
    assert [list(entry) for entry in pool.ticks] == recorded["ticks_after"]
    v3.check(pool)
