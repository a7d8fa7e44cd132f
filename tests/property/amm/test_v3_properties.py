"""What must hold for every concentrated pool, to the unit."""

from dataclasses import dataclass

from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.amm import v3
from bot.amm.sqrt_price import compute_swap_step, range_amounts, range_liquidity
from bot.amm.ticks import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from bot.core.types import V3Pool
from tests.unit.amm.build import SPACING_TO_FEE, Range, v3_pool

AMOUNT = st.integers(1, 110).flatmap(lambda bits: st.integers(1, 1 << bits))
LIQUIDITY = st.integers(1, 100).flatmap(lambda bits: st.integers(1, 1 << bits))
TICK = st.integers(MIN_TICK + 1, MAX_TICK - 2)


def price_in(tick: int) -> st.SearchStrategy[int]:
    """On the tick or anywhere up to the next."""
    first, after = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    return st.just(first) | st.integers(first, after - 1)


PRICE = TICK.flatmap(price_in)


@st.composite
def prices_of(draw, spacing: int) -> int:
    """Anywhere, and often beside the edge of a bitmap word, where the pool looks into the next one."""
    if draw(st.booleans()):
        return draw(PRICE)
    edge = draw(st.integers(MIN_TICK // spacing // 256 + 1, MAX_TICK // spacing // 256)) * 256 * spacing
    tick = edge + draw(st.sampled_from([-2 * spacing, -spacing, 0, spacing])) + draw(st.sampled_from([-1, 0, 1]))
    return draw(price_in(max(MIN_TICK + 1, min(MAX_TICK - 2, tick))))


@st.composite
def ranges(draw, spacing: int, around: int) -> list[Range]:
    """Up to six ranges, near the price or far; some are neighbours of equal liquidity, so that a tick nets to zero."""
    most = MAX_TICK // spacing
    middle = around // spacing
    near = st.integers(max(-most, middle - 700), min(most, middle + 700))
    word = st.integers(-most // 256 + 1, most // 256).map(lambda word: word * 256)
    end = near | st.integers(-most, most) | word | word.map(lambda first: first - 1)
    pairs = draw(st.lists(st.tuples(end, end, LIQUIDITY).filter(lambda p: p[0] != p[1]), min_size=1, max_size=5))
    found = [(min(a, b) * spacing, max(a, b) * spacing, liquidity) for a, b, liquidity in pairs]
    neighbour = max(pair[1] for pair in found)
    if neighbour < most * spacing and draw(st.booleans()):
        found.append((neighbour, most * spacing, next(r[2] for r in found if r[1] == neighbour)))
    return found


@dataclass(frozen=True)
class World:
    pool: V3Pool
    ranges: list[Range]


@st.composite
def worlds(draw) -> World:
    spacing = draw(st.sampled_from(list(SPACING_TO_FEE)))
    price = draw(prices_of(spacing))
    chosen = draw(ranges(spacing, tick_at_sqrt_ratio(price)))
    return World(v3_pool(*chosen, spacing=spacing, sqrt_price_x96=price), chosen)


# ------------------------------------------------------------------ against the pool's own bitmap, bit by bit


def bitmap_of(pool: V3Pool) -> dict[int, int]:
    words: dict[int, int] = {}
    for tick, _ in pool.ticks:
        word, bit = divmod(tick // pool.tick_spacing, 256)
        words[word] = words.get(word, 0) | 1 << bit
    return words


def next_tick(words: dict[int, int], tick: int, spacing: int, zero_for_one: bool) -> tuple[int, bool]:
    """TickBitmap.nextInitializedTickWithinOneWord, with its masks."""
    compressed = tick // spacing
    if zero_for_one:
        word, bit = divmod(compressed, 256)
        masked = words.get(word, 0) & ((1 << bit) - 1 + (1 << bit))
        step = bit - (masked.bit_length() - 1) if masked else bit
        return (compressed - step) * spacing, bool(masked)
    word, bit = divmod(compressed + 1, 256)
    masked = words.get(word, 0) & ~((1 << bit) - 1)
    step = (masked & -masked).bit_length() - 1 - bit if masked else 255 - bit
    return (compressed + 1 + step) * spacing, bool(masked)


def reference_swap(pool: V3Pool, zero_for_one: bool, amount: int, exact_in: bool) -> tuple[int, int, int, int, int]:
    """UniswapV3Pool.swap over the bitmap: amount in, amount out, price, tick, liquidity."""
    words, nets = bitmap_of(pool), dict(pool.ticks)
    limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
    price, tick, liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
    remaining, amount_in, amount_out = amount, 0, 0
    while remaining and price != limit:
        start = price
        stop, initialised = next_tick(words, tick, pool.tick_spacing, zero_for_one)
        stop = max(MIN_TICK, min(MAX_TICK, stop))
        stop_price = sqrt_ratio_at_tick(stop)
        beyond = stop_price < limit if zero_for_one else stop_price > limit
        step = compute_swap_step(price, limit if beyond else stop_price, liquidity, remaining, pool.fee, exact_in)
        price = step.sqrt_price_x96
        remaining -= step.amount_in + step.fee_amount if exact_in else step.amount_out
        amount_in += step.amount_in + step.fee_amount
        amount_out += step.amount_out
        if price == stop_price:
            if initialised:
                liquidity += -nets[stop] if zero_for_one else nets[stop]
            tick = stop - 1 if zero_for_one else stop
        elif price != start:
            tick = tick_at_sqrt_ratio(price)
    return amount_in, amount_out, price, tick, liquidity


@given(worlds(), st.booleans(), AMOUNT, st.booleans())
def test_swap__any__equals_the_walk_over_the_bitmap(world: World, zero_for_one: bool, amount: int, exact_in) -> None:
    swap = v3.swap_exact_in if exact_in else v3.swap_exact_out
    found = swap(world.pool, zero_for_one, amount)
    after = found.pool
    assert (found.amount_in, found.amount_out, after.sqrt_price_x96, after.tick, after.liquidity) == reference_swap(
        world.pool, zero_for_one, amount, exact_in
    )
    v3.check(after)


# ------------------------------------------------------------------ swaps


@given(LIQUIDITY, PRICE, st.booleans(), AMOUNT, st.booleans())
def test_step__any__k_of_the_virtual_reserves_never_falls(liquidity, price, zero_for_one, amount, exact_in) -> None:
    """(x + in)(y - out) >= L**2 with x = L / sqrt(P), y = L sqrt(P): in exact integers, over Q96, fee left out."""
    target = MIN_SQRT_RATIO if zero_for_one else MAX_SQRT_RATIO
    assume(price != target)
    step = compute_swap_step(price, target, liquidity, amount, 3_000, exact_in)
    delta0, delta1 = (step.amount_in, -step.amount_out) if zero_for_one else (-step.amount_out, step.amount_in)
    x = (liquidity << 96) + delta0 * price
    y = liquidity * price + (delta1 << 96)
    assert x >= 0
    assert y >= 0
    assert x * y >= liquidity**2 * price << 96


@given(worlds(), st.lists(st.tuples(st.booleans(), AMOUNT, st.booleans()), min_size=1, max_size=6))
def test_swaps__any_sequence__the_pool_can_always_pay_everyone_out(world: World, orders) -> None:
    """Rounding favours the pool: tokens taken in cover every position's principal and the fees, whatever happens."""
    pool = world.pool
    held0 = held1 = 0
    for lower, upper, liquidity in world.ranges:
        taken0, taken1 = v3.mint(pool, lower, upper, liquidity)[1:]
        held0, held1 = held0 + taken0, held1 + taken1
    for zero_for_one, amount, exact_in in orders:
        limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
        if pool.sqrt_price_x96 == limit:
            continue
        result = (v3.swap_exact_in if exact_in else v3.swap_exact_out)(pool, zero_for_one, amount)
        delta0, delta1 = result.amount_in, -result.amount_out
        if not zero_for_one:
            delta0, delta1 = delta1, delta0
        held0, held1 = held0 + delta0, held1 + delta1
        pool = result.pool
    for lower, upper, liquidity in world.ranges:
        pool, given0, given1 = v3.burn(pool, lower, upper, liquidity)
        held0, held1 = held0 - given0, held1 - given1
    assert held0 >= 0
    assert held1 >= 0
    assert pool.liquidity == 0
    assert not any(net for _, net in pool.ticks)


@given(worlds(), st.booleans(), AMOUNT)
def test_swap__there_and_back__never_gains(world: World, zero_for_one: bool, amount: int) -> None:
    there = v3.swap_exact_in(world.pool, zero_for_one, amount)
    assume(there.amount_out > 0)
    back = v3.swap_exact_in(there.pool, not zero_for_one, there.amount_out)
    assert back.amount_out <= there.amount_in


@given(worlds(), st.booleans(), AMOUNT, AMOUNT)
def test_swap_exact_in__in_two_parts__never_beats_one(world: World, zero_for_one, first, second) -> None:
    """True to the unit in V3, where fees leave the curve: every split only adds roundings against the trader."""
    whole = v3.swap_exact_in(world.pool, zero_for_one, first + second)
    assume(whole.amount_in == first + second)
    part1 = v3.swap_exact_in(world.pool, zero_for_one, first)
    part2 = v3.swap_exact_in(part1.pool, zero_for_one, second)
    assert part1.amount_out + part2.amount_out <= whole.amount_out


@given(worlds(), st.booleans(), AMOUNT, AMOUNT)
def test_swap_exact_out__in_two_parts__never_costs_less_than_one(world: World, zero_for_one, first, second) -> None:
    whole = v3.swap_exact_out(world.pool, zero_for_one, first + second)
    assume(whole.amount_out == first + second)
    part1 = v3.swap_exact_out(world.pool, zero_for_one, first)
    assume(part1.pool.sqrt_price_x96 not in (MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1))
    part2 = v3.swap_exact_out(part1.pool, zero_for_one, second)
    assert part1.amount_out == first
    assert part1.amount_in + part2.amount_in >= whole.amount_in


@given(worlds(), st.booleans(), AMOUNT)
def test_swap_exact_out__against_exact_in__buys_all_of_it_and_less_than_that_for_no_more(world, zero_for_one, amount):
    """Not "for no more" at equality: where a step's rounded output is just what is wanted, the pool walks the whole
    step and charges for it."""
    there = v3.swap_exact_in(world.pool, zero_for_one, amount)
    assume(there.amount_out > 0)
    inverse = v3.swap_exact_out(world.pool, zero_for_one, there.amount_out)
    assert inverse.amount_out == there.amount_out
    assert v3.swap_exact_in(world.pool, zero_for_one, inverse.amount_in).amount_out >= there.amount_out
    if there.amount_out > 1:
        less = v3.swap_exact_out(world.pool, zero_for_one, there.amount_out - 1)
        assert less.amount_in <= there.amount_in


def test_swap_exact_out__of_just_a_steps_rounded_output__costs_more_than_exact_in_shows() -> None:
    pool = v3_pool((1347, 2557, 140), spacing=1, sqrt_price_x96=87_766_221_508_460_644_832_294_642_648)
    assert v3.swap_exact_in(pool, False, 6).amount_out == 2
    assert v3.swap_exact_out(pool, False, 2).amount_in == 7


@given(worlds(), st.booleans(), AMOUNT, AMOUNT)
def test_swap_exact_in__more_in__never_less_out(world: World, zero_for_one, amount: int, more: int) -> None:
    less = v3.swap_exact_in(world.pool, zero_for_one, amount)
    assert v3.swap_exact_in(world.pool, zero_for_one, amount + more).amount_out >= less.amount_out


# ------------------------------------------------------------------ liquidity


@given(worlds(), LIQUIDITY, st.data())
def test_mint_then_burn__any_range__never_gains_and_loses_a_unit_at_most(world: World, liquidity, data) -> None:
    assume(all(net for _, net in world.pool.ticks))  # a tick of net zero is forgotten on the way back: see v3._with_net
    spacing = world.pool.tick_spacing
    most = MAX_TICK // spacing
    lower = data.draw(st.integers(-most, most - 1))
    upper = data.draw(st.integers(lower + 1, most))
    nets = dict(world.pool.ticks)
    assume(nets.get(lower * spacing, 0) != -liquidity and nets.get(upper * spacing, 0) != liquidity)
    after, taken0, taken1 = v3.mint(world.pool, lower * spacing, upper * spacing, liquidity)
    v3.check(after)
    back, given0, given1 = v3.burn(after, lower * spacing, upper * spacing, liquidity)
    assert 0 <= taken0 - given0 <= 1
    assert 0 <= taken1 - given1 <= 1
    assert back == world.pool


@given(PRICE, PRICE, PRICE, AMOUNT, AMOUNT)
@example(1 << 96, (1 << 96) - 1, (1 << 96) + 1, 1, 1)
def test_liquidity_for__any_amounts__fits_and_one_more_does_not(price, end1, end2, amount0, amount1) -> None:
    assume(end1 != end2)
    prices = price, min(end1, end2), max(end1, end2)
    liquidity = range_liquidity(*prices, amount0, amount1)
    assume(liquidity < (1 << 127) - 1)
    taken0, taken1 = range_amounts(*prices, liquidity, True)
    assert taken0 <= amount0
    assert taken1 <= amount1
    over0, over1 = range_amounts(*prices, liquidity + 1, True)
    assert over0 > amount0 or over1 > amount1


# ------------------------------------------------------------------ fees

WORD = st.integers(0, (1 << 256) - 1)


@given(WORD, st.integers(0, 1 << 200), WORD, WORD, st.integers(-100, 100), st.integers(1, 1 << 127))
def test_fee_growth_inside__wherever_the_counters_stand__only_growth_in_range_counts(
    start: int, growth: int, outside_lower: int, outside_upper: int, tick: int, liquidity: int
) -> None:
    """The pool's counters start anywhere and wrap: differences are what is earned, and only while in range."""

    def inside(growth_global: int) -> int:
        return v3.fee_growth_inside(tick, -60, 60, growth_global % (1 << 256), outside_lower, outside_upper)

    earned = growth if -60 <= tick < 60 else 0
    due = v3.fees_due(liquidity, inside(start + growth), inside(start), owed=0)
    assert due == (earned * liquidity >> 128) % (1 << 128)


# ------------------------------------------------------------------ ticks


@given(st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1) | PRICE)
def test_tick_at_sqrt_ratio__any_price__greatest_tick_not_above(price: int) -> None:
    tick = tick_at_sqrt_ratio(price)
    assert sqrt_ratio_at_tick(tick) <= price < sqrt_ratio_at_tick(tick + 1)
