"""A Uniswap V3 pool in integers: swaps, liquidity and fees, equal to UniswapV3Pool to the wei."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from operator import itemgetter

from bot.amm.sqrt_price import (
    INT128_MAX,
    UINT128_MAX,
    UINT256_MAX,
    compute_swap_step,
    range_amounts,
    range_liquidity,
)
from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from bot.core.types import V3Pool
from bot.core.units import Liquidity, Raw, SqrtPriceX96, Tick

_WORD = 256  # spacings that one word of the pool's tick bitmap covers
_INT256_MAX = (1 << 255) - 1
_tick_of = itemgetter(0)


@dataclass(frozen=True, slots=True)
class SwapResult:
    """What a swap does. `amount_in` includes the fee."""

    pool: V3Pool  # after the swap
    amount_in: Raw
    amount_out: Raw
    fee_growth_x128: int  # rise of the input token's feeGrowthGlobal while the protocol fee is off


# ------------------------------------------------------------------ swaps


def swap_exact_in(pool: V3Pool, zero_for_one: bool, amount_in: int, limit: int | None = None) -> SwapResult:
    """Give `amount_in`, take what comes.

    `limit` is the sqrt price at which to stop (None: the end of prices). There the swap is partial, as on chain: the
    result's `amount_in` is less than asked. ValueError where the pool reverts or the swap leaves the observed ticks.
    """
    return _swap(pool, zero_for_one, amount_in, limit, exact_in=True)


def swap_exact_out(pool: V3Pool, zero_for_one: bool, amount_out: int, limit: int | None = None) -> SwapResult:
    """Take `amount_out`, give what it costs.

    Stops at `limit` like `swap_exact_in`: compare the result's `amount_out` with what was asked. ValueError likewise.
    """
    return _swap(pool, zero_for_one, amount_out, limit, exact_in=False)


def _swap(pool: V3Pool, zero_for_one: bool, amount: int, limit: int | None, exact_in: bool) -> SwapResult:
    """Run the loop of UniswapV3Pool.swap: one step for each initialised tick or edge of a bitmap word."""
    if limit is None:
        limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
    check_swap(pool, zero_for_one, amount, limit)
    price, tick, liquidity = int(pool.sqrt_price_x96), int(pool.tick), int(pool.liquidity)
    remaining, amount_in, amount_out, fee_growth = amount, 0, 0, 0
    ends = stops(pool, zero_for_one)
    while remaining and price != limit:
        _check_observed(pool, price)
        before = price
        stop, net = next(ends)
        stop_price = sqrt_ratio_at_tick(stop)
        target = max(stop_price, limit) if zero_for_one else min(stop_price, limit)
        price, step_in, step_out, step_fee = compute_swap_step(price, target, liquidity, remaining, pool.fee, exact_in)
        remaining -= step_in + step_fee if exact_in else step_out
        amount_in += step_in + step_fee
        amount_out += step_out
        if liquidity:
            fee_growth += (step_fee << 128) // liquidity
        if price == stop_price:
            tick = stop - 1 if zero_for_one else stop
            liquidity = _moved(liquidity, -net if zero_for_one else net)
        elif price != before:
            tick = tick_at_sqrt_ratio(price)
    _check_observed(pool, price)
    after = replace(pool, sqrt_price_x96=SqrtPriceX96(price), tick=Tick(tick), liquidity=Liquidity(liquidity))
    return SwapResult(after, Raw(amount_in), Raw(amount_out), fee_growth)


def stops(pool: V3Pool, zero_for_one: bool) -> Iterator[tuple[int, int]]:
    """Yield each tick that ends a step, in the swap's direction without end, with its net liquidity (0: a word's edge).

    The pool looks for the next initialised tick inside one word of its bitmap and steps to the edge of the word when it
    finds none. Every step rounds, so leaving out the edges is wrong by a few wei.
    """
    spacing, width = pool.tick_spacing, _WORD * pool.tick_spacing
    above = bisect_left(pool.ticks, pool.tick + 1, key=_tick_of)
    if zero_for_one:
        forward, indices = -1, range(above - 1, -1, -1)
        edge = pool.tick // width * width
    else:
        forward, indices = 1, range(above, len(pool.ticks))
        edge = (pool.tick // spacing + 1) // _WORD * width + width - spacing
    for index in indices:
        tick, net = pool.ticks[index]
        while (tick - edge) * forward > 0:
            yield edge, 0
            edge += forward * width
        yield tick, net  # when it is itself an edge, that comes again: a step without length
    while True:
        yield min(max(edge, MIN_TICK), MAX_TICK), 0
        edge += forward * width


# ------------------------------------------------------------------ liquidity


def mint(pool: V3Pool, lower: int, upper: int, liquidity: int) -> tuple[V3Pool, Raw, Raw]:
    """Add liquidity to [lower, upper): the pool after, and the amounts it takes, rounded up.

    ValueError where the pool reverts, except that the limit per tick is only checked against net liquidity and the new
    liquidity itself (gross liquidity is not observed).
    """
    if liquidity <= 0:
        raise ValueError(f"v3: liquidity to mint must be above 0, found {liquidity}")
    after = _with_liquidity(pool, lower, upper, liquidity)
    return (after, *_amounts(pool.sqrt_price_x96, lower, upper, liquidity, round_up=True))


def burn(pool: V3Pool, lower: int, upper: int, liquidity: int) -> tuple[V3Pool, Raw, Raw]:
    """Take liquidity out of [lower, upper): the pool after, and the amounts it then owes, rounded down, without fees.

    Zero is allowed and changes nothing (the pool's fee poke). ValueError where the pool reverts, as far as the pool
    alone can tell: whose liquidity it is, is not known here.
    """
    if liquidity < 0:
        raise ValueError(f"v3: liquidity to burn must not be below 0, found {liquidity}")
    after = _with_liquidity(pool, lower, upper, -liquidity)
    return (after, *_amounts(pool.sqrt_price_x96, lower, upper, liquidity, round_up=False))


def amounts(sqrt_price_x96: int, lower: int, upper: int, liquidity: int) -> tuple[Raw, Raw]:
    """Count what burning `liquidity` of [lower, upper) gives at a price: token0 and token1, rounded down."""
    return _amounts(sqrt_price_x96, lower, upper, liquidity, round_up=False)


def liquidity_for(sqrt_price_x96: int, lower: int, upper: int, amount0: int, amount1: int) -> int:
    """Find the most liquidity whose minted amounts fit in the two given. ValueError when one of them is below 0."""
    if amount0 < 0 or amount1 < 0:
        raise ValueError(f"v3: amounts must not be below 0, found {amount0} and {amount1}")
    return range_liquidity(sqrt_price_x96, *_ends(lower, upper), amount0, amount1)


def max_liquidity_per_tick(spacing: int) -> int:
    """Give the gross liquidity that one tick may carry. Source: Tick.tickSpacingToMaxLiquidityPerTick."""
    usable_ticks = 2 * (MAX_TICK // spacing) + 1
    return UINT128_MAX // usable_ticks


def _amounts(sqrt_price_x96: int, lower: int, upper: int, liquidity: int, round_up: bool) -> tuple[Raw, Raw]:
    amount0, amount1 = range_amounts(sqrt_price_x96, *_ends(lower, upper), liquidity, round_up)
    return Raw(amount0), Raw(amount1)


def _ends(lower: int, upper: int) -> tuple[int, int]:
    """Give the sqrt prices of a range's ends."""
    if lower >= upper:
        raise ValueError(f"v3: lower tick must be below upper, found [{lower}, {upper})")
    return sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)


def _with_liquidity(pool: V3Pool, lower: int, upper: int, delta: int) -> V3Pool:
    if abs(delta) > INT128_MAX:
        raise ValueError(f"v3: liquidity must fit int128, found {abs(delta)}")
    if lower % pool.tick_spacing or upper % pool.tick_spacing:
        raise ValueError(f"v3: ticks must be multiples of {pool.tick_spacing}, found [{lower}, {upper})")
    _ends(lower, upper)  # refuses what is no range
    if not delta:
        return pool
    inside = lower <= pool.tick < upper
    return replace(
        pool,
        liquidity=Liquidity(_moved(pool.liquidity, delta)) if inside else pool.liquidity,
        ticks=_with_net(pool, _with_net(pool, pool.ticks, lower, delta, delta > 0), upper, -delta, delta > 0),
    )


def _with_net(
    pool: V3Pool, ticks: tuple[tuple[Tick, int], ...], tick: int, change: int, minted: bool
) -> tuple[tuple[Tick, int], ...]:
    """Move one tick's net liquidity, adding or removing its entry as the pool flips its bit.

    An entry matters even with a net of zero: an initialised tick ends a step, and each step rounds. Whether a tick
    stays initialised depends on its gross liquidity, which is not observed:
      - a minted tick is initialised whatever its net, so its entry stays, even at zero;
      - a burnt tick whose net is left at zero is taken to be empty. It is not only when the liquidity still starting
        there equals to the unit what still ends there; then a later quote across it may be a few wei off. The nets
        stay right: such a tick may be burnt again, and so burning from a tick without an entry is no error.
    Outside the observed ticks nothing is recorded: no swap may go there.
    """
    if not pool.seen_lower <= tick <= pool.seen_upper:
        return ticks
    index = bisect_left(ticks, tick, key=_tick_of)
    known = index < len(ticks) and ticks[index][0] == tick
    net = (ticks[index][1] if known else 0) + change
    most = max_liquidity_per_tick(pool.tick_spacing)
    if max(abs(net), abs(change)) > most:
        raise ValueError(f"v3: a tick carries at most {most} liquidity, found {max(abs(net), abs(change))} at {tick}")
    entry = ((Tick(tick), net),) if net or minted else ()
    return ticks[:index] + entry + ticks[index + known :]


# ------------------------------------------------------------------ fees


def fee_growth_inside(
    tick: int, lower: int, upper: int, growth_global: int, outside_lower: int, outside_upper: int
) -> int:
    """Give one token's fee growth inside [lower, upper), X128, as the pool computes it: modulo 2**256.

    `outside_*` is that token's feeGrowthOutside of the two ticks. Only differences of the result mean anything.
    Source: Tick.getFeeGrowthInside.
    """
    below = outside_lower if tick >= lower else growth_global - outside_lower
    above = outside_upper if tick < upper else growth_global - outside_upper
    return (growth_global - below - above) & UINT256_MAX


def fees_due(liquidity: int, growth_inside: int, growth_inside_last: int, owed: int) -> Raw:
    """Give one token's unclaimed fees of a position: what it was owed at its last touch and what grew since.

    Rounded down; wraps at uint128 as the pool's tokensOwed does. Source: Position.update.
    """
    grown = ((growth_inside - growth_inside_last) & UINT256_MAX) * liquidity >> 128
    return Raw((owed + grown) & UINT128_MAX)


# ------------------------------------------------------------------ what must hold


def check(pool: V3Pool) -> None:
    """Refuse a state that no pool can be in, so that a bad observation never becomes a quote.

    ValueError when the ticks are out of order, off the spacing or outside what was seen; when price and tick disagree;
    and, where every tick was seen, when liquidity is not the sum of the nets below the price or is negative somewhere.
    """
    ticks = [tick for tick, _ in pool.ticks]
    if any(left >= right for left, right in pairwise(ticks)):
        raise ValueError("v3: ticks must ascend without repeats; sort what was observed")
    off = [tick for tick in ticks if tick % pool.tick_spacing or not pool.seen_lower <= tick <= pool.seen_upper]
    if off:
        seen = f"[{pool.seen_lower}, {pool.seen_upper}]"
        raise ValueError(f"v3: ticks must be multiples of {pool.tick_spacing} in {seen}, found {off[0]}")
    # A swap that ends exactly on a tick it crossed downwards leaves the pool one tick below its price.
    at_price = tick_at_sqrt_ratio(pool.sqrt_price_x96)
    crossed = pool.tick == at_price - 1 and sqrt_ratio_at_tick(at_price) == pool.sqrt_price_x96
    if pool.tick != at_price and not crossed:
        raise ValueError(
            f"v3: tick {pool.tick} does not belong to sqrt price {pool.sqrt_price_x96}, whose is {at_price}"
        )
    if (pool.seen_lower, pool.seen_upper) == (MIN_TICK, MAX_TICK):
        active = sum(net for tick, net in pool.ticks if tick <= pool.tick)
        if active != pool.liquidity:
            raise ValueError(f"v3: liquidity {pool.liquidity} is not the {active} of the ticks; read them at one block")
        if min(accumulate((net for _, net in pool.ticks), initial=0)) < 0:
            raise ValueError("v3: liquidity must not be negative anywhere; read all ticks at one block")


def check_swap(pool: V3Pool, zero_for_one: bool, amount: int, limit: int) -> None:
    """ValueError where UniswapV3Pool.swap refuses its arguments."""
    if not 0 < amount <= _INT256_MAX:
        raise ValueError(f"v3: amount must be in (0, 2**255), found {amount}")
    if not MIN_SQRT_RATIO < limit < MAX_SQRT_RATIO:
        raise ValueError(f"v3: price limit must be in ({MIN_SQRT_RATIO}, {MAX_SQRT_RATIO}), found {limit}")
    price = pool.sqrt_price_x96
    if limit >= price if zero_for_one else limit <= price:
        raise ValueError(f"v3: price limit already passed: limit {limit}, price {price}")


def _check_observed(pool: V3Pool, price: int) -> None:
    if not sqrt_ratio_at_tick(pool.seen_lower) <= price <= sqrt_ratio_at_tick(pool.seen_upper):
        raise ValueError(f"v3: swap leaves the observed ticks [{pool.seen_lower}, {pool.seen_upper}]")


def _moved(liquidity: int, delta: int) -> int:
    """Add a signed change. ValueError outside uint128, as LiquidityMath.addDelta."""
    if not 0 <= liquidity + delta <= UINT128_MAX:
        raise ValueError(f"v3: liquidity must fit uint128, found {liquidity} + {delta}")
    return liquidity + delta
