"""How a pool's answers become a pool, and which ticks are asked for."""

import math
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from bot.amm.ticks import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from bot.chain.mainnet import MAINNET
from bot.core.errors import DataError
from bot.core.types import Position
from bot.venues import uniswap_v3
from tests.unit.venues.reading import read

SPEC = MAINNET.pool("USDC/WETH-500")
OWNER = "0x00000000000000000000000000000000000000aA"
Q128 = 2**128


def slot0(tick: int) -> tuple[object, ...]:
    return sqrt_ratio_at_tick(tick), tick, 0, 1, 1, 0, True


def words(found: dict[int, tuple[tuple[int, int, int], ...]], count: int = 7) -> list[tuple[object]]:
    return [(found.get(i, ()),) for i in range(count)]


def test_pool__ticks_out_of_order__are_sorted_between_the_edges_of_what_was_asked() -> None:
    found, asked = read(
        uniswap_v3.pool(SPEC, MAINNET.tick_lens),
        [slot0(196_256), (5_000,)],
        words({2: ((194_570, 1_000, 1_000),), 3: ((197_120, -700, 800), (196_000, 4_000, 4_000))}),
    )
    assert found.ticks == ((194_570, 1_000), (196_000, 4_000), (197_120, -700))
    assert (found.seen_lower, found.seen_upper) == (73 * 2_560, 80 * 2_560 - 1)
    assert (found.tick, found.liquidity, found.fee, found.tick_spacing) == (196_256, 5_000, 500, 10)
    assert len(asked[1]) == 7


@pytest.mark.parametrize(
    ("state", "ticks", "says"),
    [
        ((0, 0, 0, 0, 0, 0, False), {}, "expected a pool with a price"),
        ((sqrt_ratio_at_tick(5), 196_256, 0, 1, 1, 0, True), {}, "does not belong to sqrt price"),
        (slot0(196_256), {3: ((196_001, 1, 1),)}, "multiples of 10"),
        (slot0(196_256), {0: ((196_000, 1, 1),), 1: ((196_000, 1, 1),)}, "without repeats"),
    ],
)
def test_pool__impossible_state__is_a_data_error(
    state: tuple[object, ...], ticks: dict[int, object], says: str
) -> None:
    with pytest.raises(DataError, match=f"USDC/WETH-500: .*{says}"):
        read(uniswap_v3.pool(SPEC, MAINNET.tick_lens), [state, (0,)], words(ticks))  # type: ignore[arg-type]


@given(tick=st.integers(MIN_TICK, MAX_TICK - 1), spacing=st.sampled_from([1, 10, 60, 200]))
def test_words_around__any_tick__cover_half_the_price_on_both_sides_or_its_end(tick: int, spacing: int) -> None:
    first, last = uniswap_v3.words_around(tick, spacing)
    seen = range(first * 256 * spacing, (last + 1) * 256 * spacing)
    half, half_more = (math.log(factor) / math.log(1.0001) for factor in (0.5, 1.5))
    assert seen[0] <= max(tick + half, MIN_TICK)
    assert seen[-1] >= min(tick + half_more, MAX_TICK)
    assert -(2**15) <= first <= last < 2**15  # an int16 on chain
    assert (last - first + 1) <= 2 * math.ceil(6_932 / (256 * spacing)) + 1


def test_words_around__spacing_ten__is_seven_words() -> None:
    first, last = uniswap_v3.words_around(-5, 10)
    assert (first, last) == (-4, 2)


def test_position_key__negative_tick__is_packed_as_int24() -> None:
    key = uniswap_v3.position_key(MAINNET.position_manager, -887_270, 887_270)
    packed = MAINNET.position_manager[2:].lower() + "f2761a" + "0d89e6"
    assert key == keccak(hexstr=packed)


def growth(tick: int, g0: int, g1: int, low: tuple[int, int], high: tuple[int, int]) -> list[tuple[object, ...]]:
    tick_answers = [(0, 0, *outside, 0, 0, 0, True) for outside in (low, high)]
    return [slot0(tick), (g0,), (g1,), *tick_answers]


def test_own_ranges__fee_growth_since_the_last_touch__is_added_to_what_was_owed() -> None:
    stored = (10**6, 3 * Q128, 1 * Q128, 40, 50)
    answers = [stored, *growth(0, 10 * Q128, 7 * Q128, (1 * Q128, 2 * Q128), (2 * Q128, 1 * Q128))]
    (found,), asked = read(uniswap_v3.own_ranges([(SPEC, -10, 10)], OWNER), answers)
    # inside = global - both outsides: 7 and 4; less the last: 4 and 3
    assert found == Position(
        f"{SPEC.address}:-10:10",
        SPEC.address,
        -10,
        10,
        10**6,
        40 + 4 * 10**6,
        50 + 3 * 10**6,  # type: ignore[arg-type]
    )
    assert len(asked) == 1


def test_own_ranges__two_ranges__each_gets_its_own_growth() -> None:
    stored = [(1, 0, 0, 0, 0), (1, 0, 0, 0, 0)]
    first, second = (growth(0, of * Q128, 0, (0, 0), (0, 0)) for of in (5, 9))
    found, _ = read(uniswap_v3.own_ranges([(SPEC, -10, 10), (SPEC, -20, 20)], OWNER), [*stored, *first, *second])
    assert [(each.tick_lower, each.fees0) for each in found] == [(-10, 5), (-20, 9)]


def test_own_ranges__none__asks_nothing() -> None:
    found, asked = read(uniswap_v3.own_ranges([], OWNER), [])
    assert found == ()
    assert asked == [[]]


def test_pool__tick_lens_answer_for_a_pool_of_wide_spacing__asks_three_words() -> None:
    spec = replace(SPEC, tick_spacing=60)
    _, asked = read(uniswap_v3.pool(spec, MAINNET.tick_lens), [slot0(196_256), (0,)], words({}, 3))
    assert len(asked[1]) == 3
