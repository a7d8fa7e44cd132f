"""Two idle amounts into a range: the swap that leaves nothing over."""

from dataclasses import replace

import pytest

from bot.amm import v3
from bot.amm.pools import swap
from bot.core.types import Pool
from bot.core.units import Raw
from bot.planning.optimal.entry import Entry, enter_ratio
from tests.unit.amm.build import TOKEN0, TOKEN1, at_tick, v2_pool, v3_pool
from tests.unit.planning.optimal.build import RECORDED, recorded_pools

E18 = 10**18
WIDE = v3_pool((-887220, 887220, 10**23), (-600, 1200, 10**24))
PAIR = v2_pool(10**24, 10**24, 10**24)
OTHER = replace(v3_pool((-887220, 887220, 10**24), spacing=10), address="0xother")
RANGES = [(-600, 600), (-60, 6000), (-6000, 60), (600, 1200), (-1200, -600)]


def left_value(entry: Entry) -> float:
    price = (entry.pool.sqrt_price_x96 / 2**96) ** 2
    return entry.left0 * price + entry.left1


def replay(entry: Entry, idle0: int, idle1: int, pool, lower: int, upper: int, by: Pool) -> None:
    """The entry is what it says: its swap and its mint, from what there is."""
    after = by
    if entry.sell is not None:
        after, out = swap(by, entry.sell, entry.amount_in)
        assert out == entry.amount_out > 0
        sign = 1 if entry.sell == pool.token0 else -1
        idle0 += -entry.amount_in if sign > 0 else out
        idle1 += out if sign > 0 else -entry.amount_in
    assert entry.pool == (after if by.address == pool.address else pool)
    if entry.liquidity:
        _, taken0, taken1 = v3.mint(entry.pool, lower, upper, entry.liquidity)
        assert (taken0, taken1) == (entry.amount0, entry.amount1)
    assert (entry.left0, entry.left1) == (idle0 - entry.amount0, idle1 - entry.amount1)
    assert min(entry.left0, entry.left1) >= 0


@pytest.mark.parametrize("through", [None, PAIR, OTHER], ids=["itself", "pair", "other range"])
@pytest.mark.parametrize(("lower", "upper"), RANGES)
@pytest.mark.parametrize("idle", [(1000 * E18, 0), (0, 1000 * E18), (700 * E18 + 3, 300 * E18 + 7)])
def test_enter_ratio__any_side_range_and_pool__leaves_a_few_units(idle, lower: int, upper: int, through) -> None:
    found = enter_ratio(*idle, WIDE, lower, upper, through)
    replay(found, *idle, WIDE, lower, upper, through or WIDE)
    assert left_value(found) < 30


def test_enter_ratio__same_pool__counts_on_the_price_it_moves() -> None:
    """The weak twin takes the price before the swap: what it would leave is a thousand billion times as much."""
    found = enter_ratio(1000 * E18, 0, WIDE, -600, 600)
    assert found.pool.sqrt_price_x96 < WIDE.sqrt_price_x96
    twin = enter_ratio(1000 * E18, 0, WIDE, -600, 600, replace(WIDE, address="0xtwin"))
    idle0, idle1 = 1000 * E18 - twin.amount_in, twin.amount_out
    liquidity = v3.liquidity_for(found.pool.sqrt_price_x96, -600, 600, idle0, idle1)
    _, taken0, taken1 = v3.mint(found.pool, -600, 600, liquidity)
    assert (idle0 - taken0) + (idle1 - taken1) > 10**12 * max(found.left0 + found.left1, 1)


def test_enter_ratio__already_in_ratio__swaps_nothing() -> None:
    _, taken0, taken1 = v3.mint(WIDE, -600, 1200, 10**20)
    found = enter_ratio(taken0, taken1, WIDE, -600, 1200)
    assert (found.sell, found.amount_in, found.amount_out) == (None, 0, 0)
    assert 0 <= found.liquidity - 10**20 < 100
    assert max(found.left0, found.left1) <= 1


def test_enter_ratio__range_beside_the_price__sells_all_of_the_other_token() -> None:
    found = enter_ratio(5 * E18, 7 * E18, WIDE, 6000, 12000, PAIR)
    assert (found.sell, found.amount_in) == (TOKEN1, 7 * E18)
    assert found.left1 == 0
    found = enter_ratio(5 * E18, 7 * E18, WIDE, -12000, -6000, PAIR)
    assert (found.sell, found.amount_in) == (TOKEN0, 5 * E18)


def test_enter_ratio__swap_brings_the_price_into_the_range__fits_there() -> None:
    lower, upper = 60, 1200
    found = enter_ratio(0, 30_000 * E18, WIDE, lower, upper)
    assert WIDE.tick < lower <= found.pool.tick < upper
    replay(found, 0, 30_000 * E18, WIDE, lower, upper, WIDE)
    assert left_value(found) < 30


def test_enter_ratio__decimals_far_apart__leaves_a_unit_of_the_coarser_token() -> None:
    """As USDC and WETH: one unit of token0 is worth 3e8 of token1."""
    price = at_tick(195_180)
    pool = v3_pool((-887220, 887220, 10**19), sqrt_price_x96=price)
    unit = (price / 2**96) ** 2
    for idle in ((10**10, 0), (0, 3 * 10**18), (123_456, 10**15)):
        found = enter_ratio(*idle, pool, 194_400, 196_800)
        replay(found, *idle, pool, 194_400, 196_800, pool)
        assert left_value(found) < 3 * unit


def test_enter_ratio__recorded_mainnet_pools__leaves_what_a_unit_is_worth(data_file) -> None:
    for pool in recorded_pools(data_file(RECORDED)):
        spacing = pool.tick_spacing
        unit = max((pool.sqrt_price_x96 / 2**96) ** 2, 1)
        middle = pool.tick // spacing * spacing
        for idle in ((10**8, 0), (0, int(10**8 * unit)), (10**7, int(10**8 * unit))):
            found = enter_ratio(*idle, pool, middle - 30 * spacing, middle + 50 * spacing)
            replay(found, *idle, pool, middle - 30 * spacing, middle + 50 * spacing, pool)
            assert left_value(found) < 3 * unit


def test_enter_ratio__nothing_or_dust__nothing_to_swap() -> None:
    for idle in ((0, 0), (1, 0), (0, 1)):
        found = enter_ratio(*idle, WIDE, -600, 600, PAIR)
        assert found.sell is None
        assert (found.left0, found.left1) == idle


@pytest.mark.parametrize("idle", [(10**24, 0), (0, 10**24)])
def test_enter_ratio__pool_cannot_take_so_much__its_own_error(idle) -> None:
    narrow = replace(v3_pool((-60, 60, E18)), address="0xnarrow")
    with pytest.raises(ValueError, match=r"v3: pool 0xnarrow can take only"):
        enter_ratio(*idle, WIDE, -600, 600, narrow)


def test_enter_ratio__makes_no_sense__refused() -> None:
    with pytest.raises(ValueError, match="entry: idle amounts must not be below 0, found -1 and 0"):
        enter_ratio(Raw(-1), Raw(0), WIDE, -600, 600)
    with pytest.raises(ValueError, match="lower tick must be below upper"):
        enter_ratio(1, 1, WIDE, 600, 600)
    with pytest.raises(ValueError, match="must trade the tokens of"):
        enter_ratio(1, 1, WIDE, -600, 600, replace(PAIR, token0=TOKEN1, token1=TOKEN0))
