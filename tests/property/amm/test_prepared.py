"""Prepared quotes are the loop's, to the unit and to the word of a refusal, in any pool."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.amm import arrays, v2
from bot.amm.arrays import ArrayQuotes, to_ints, to_limbs
from bot.amm.prepared import prepare, prepare_v2
from bot.amm.sqrt_price import compute_swap_step
from bot.amm.ticks import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from tests.property.amm.test_v2_properties import pairs
from tests.property.amm.test_v3_properties import AMOUNT, LIQUIDITY, PRICE, World, worlds
from tests.unit.amm.agree import answer, differences, ends_of

STEPS = 10  # of each pool whose ends are looked at
ANY_AMOUNT = st.integers(1, 256).flatmap(lambda bits: st.integers(-1, 1 << bits))
CASES = st.lists(st.tuples(ANY_AMOUNT, st.booleans()), max_size=6)
FEE = st.sampled_from([0, 1, 100, 500, 3_000, 10_000, 500_001, 999_999])


@st.composite
def limits(draw, tick: int) -> int | None:
    """None, or on, beside or between the ticks near or far, at times on the wrong side or past the end of prices."""
    if draw(st.booleans()):
        return None
    near = st.integers(-600, 600).map(lambda away: min(max(tick + away, MIN_TICK), MAX_TICK))
    return sqrt_ratio_at_tick(draw(near | st.integers(MIN_TICK, MAX_TICK))) + draw(st.integers(-1, 1))


@st.composite
def windows(draw, tick: int) -> tuple[int, int]:
    """Observed ticks: all, or some around a tick, rarely beside it."""
    if draw(st.booleans()):
        return MIN_TICK, MAX_TICK
    away = st.integers(-1, 100) | st.integers(0, 60_000)
    return max(MIN_TICK, tick - draw(away)), min(MAX_TICK, tick + 1 + draw(away))


@given(worlds(), st.booleans(), FEE, st.data())
def test_quotes__any_pool_limit_and_window__equal_the_loop(world: World, zero_for_one: bool, fee: int, data) -> None:
    lower, upper = data.draw(windows(world.pool.tick))
    seen = tuple(entry for entry in world.pool.ticks if lower <= entry[0] <= upper)
    pool = replace(world.pool, fee=fee, ticks=seen, seen_lower=lower, seen_upper=upper)
    limit = data.draw(limits(pool.tick))
    cases = data.draw(CASES) + ends_of(prepare(pool, zero_for_one, limit), STEPS)
    assert differences(prepare(pool, zero_for_one, limit), limit, cases) == []


@given(LIQUIDITY, PRICE, PRICE, FEE, st.integers(-3, 3))
def test_step__remaining_around_what_it_takes__completes_exactly_from_there_on(
    liquidity: int, price: int, target: int, fee: int, off: int
) -> None:
    """Why the sums of what steps take are also the smallest amounts that complete them."""
    whole = compute_swap_step(price, target, liquidity, 1 << 255, fee, exact_in=True)
    takes = whole.amount_in + whole.fee_amount
    if takes + off > 0:
        step = compute_swap_step(price, target, liquidity, takes + off, fee, exact_in=True)
        assert (step == whole) == (step.sqrt_price_x96 == target) == (off >= 0)


@given(worlds(), st.booleans(), st.booleans(), st.lists(AMOUNT, min_size=1, max_size=40))
@settings(max_examples=200)
def test_array_quotes__any_pool_and_amounts__each_as_if_asked_alone(
    world: World, zero_for_one: bool, exact_in: bool, amounts: list[int]
) -> None:
    alone, together = prepare(world.pool, zero_for_one), ArrayQuotes(prepare(world.pool, zero_for_one))
    ends = ends_of(prepare(world.pool, zero_for_one), STEPS)
    amounts = amounts + [amount for amount, each in ends if each == exact_in and 0 < amount < 1 << 120]
    one, many = (alone.amount_out, together.amounts_out) if exact_in else (alone.amount_in, together.amounts_in)
    expected = [one(amount) for amount in amounts]
    if max(expected) < 1 << 128:
        assert to_ints(many(to_limbs(amounts))) == expected
    else:
        assert answer(lambda: many(to_limbs(amounts))) == "arrays: amounts must be in [0, 2**128)"


WHOLE = st.integers(1, 106).flatmap(lambda bits: st.integers(0, (1 << bits) - 1))
FRACTION = st.tuples(st.integers(1, 1 << 290), st.integers(1, 1 << 160))


@given(WHOLE)
def test_pair__whole_number_below_106_bits__is_exact(number: int) -> None:
    high, low = arrays._pair(*to_limbs([number]))
    assert int(high[0]) + int(low[0]) == number
    assert abs(low[0]) <= np.spacing(high[0]) / 2


@given(FRACTION, FRACTION, WHOLE)
def test_pairs__what_a_step_brings__is_known_to_100_bits(scale, offset, number: int) -> None:
    """The analysis that the decision rests on, with a wide margin: v of y u / (x + u)."""
    columns = [tuple(np.array([part]) for part in arrays._pair_of(*each)) for each in (scale, offset)]
    u = arrays._pair(*to_limbs([number]))
    high, low = arrays._quotient(arrays._product(columns[0], u), arrays._sum(columns[1], u))
    exact = Fraction(*scale) * number / (Fraction(*offset) + number)
    assert abs(Fraction(high[0]) + Fraction(low[0]) - exact) <= exact / 2**100


@given(WHOLE, FEE)
@example((1 << 64) - 1, 3_000)
@example((1 << 63) - 1, 500_001)
def test_fees__any_amount__taken_and_added_as_in_whole_numbers(number: int, fee: int) -> None:
    keep = 1_000_000 - fee
    high, low = arrays._after_fee(*to_limbs([number]), np.uint64(keep))
    assert int(high[0]) + int(low[0]) == number * keep // 1_000_000
    gross = np.array(arrays._before_fee(*to_limbs([number]), np.uint64(keep)))
    assert to_ints(gross) == [-(-number * 1_000_000 // keep)]


@given(pairs(), st.booleans(), ANY_AMOUNT)
def test_v2_quotes__any_pair__equal_the_pairs_own(pool, zero_for_one: bool, amount: int) -> None:
    reserves = (pool.reserve0, pool.reserve1) if zero_for_one else (pool.reserve1, pool.reserve0)
    prepared = prepare_v2(pool, zero_for_one)
    for ours, theirs in ((prepared.amount_out, v2.amount_out), (prepared.amount_in, v2.amount_in)):
        assert answer(lambda: ours(amount)) == answer(lambda: theirs(amount, *reserves, pool.fee))  # noqa: B023
