"""A pool made ready for many quotes: the steps of a swap summed up once, then a bisection and one partial step."""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from math import gcd
from typing import NamedTuple

from bot.amm import v2, v3
from bot.amm.sqrt_price import ONE_PIPS, UINT128_MAX, UINT256_MAX, compute_swap_step
from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from bot.core.types import V2Pool, V3Pool
from bot.core.units import Liquidity, Raw, SqrtPriceX96, Tick

_MORE_THAN_ANY = 1 << 255  # so much remaining completes every step
Row = tuple[int, int, int, int, int]  # before a step: summed input and output, sqrt price, liquidity, liquidity << 96


class Quote(NamedTuple):
    """What a swap does. `amount_in` includes the fee."""

    amount_in: Raw
    amount_out: Raw
    sqrt_price_x96: SqrtPriceX96  # after the swap


class Steps(NamedTuple):
    """The steps of one direction, as far as they are summed up. The lists grow; do not change them."""

    rows: list[Row]
    ins: list[int]  # input with the fee, summed up to the end of each step
    outs: list[int]
    prices: list[int]  # sqrt price at the end of each step


def prepare(pool: V3Pool, zero_for_one: bool, limit: int | None = None) -> "PreparedV3":
    """Make one direction of a pool ready. Costs nothing: steps are summed up as far as quotes reach.

    Quotes equal `v3.swap_exact_in` and `v3.swap_exact_out` with the same `limit`, to the wei and in what they refuse.
    """
    return PreparedV3(pool, zero_for_one, limit)


class PreparedV3:
    """One direction of a Uniswap V3 pool.

    A step over needed input n takes ceil(n * 1e6 / (1e6 - fee)) with its fee, and the loop completes it exactly when
    so much remains: floor(r * (1e6 - fee) / 1e6) >= n says the same of an integer r. So the sums of what steps take
    are also the smallest amounts that complete them, and an amount falls into the step after the last sum it reaches.

    Only steps that nothing can refuse are summed up. What goes further is walked by the loop from where they end.
    """

    __slots__ = (
        *("_ended", "_here", "_ins", "_keep", "_limit", "_outs", "_prices", "_rows", "_seen", "_stops"),
        *("pool", "steps", "zero_for_one"),
    )

    def __init__(self, pool: V3Pool, zero_for_one: bool, limit: int | None) -> None:
        price = int(pool.sqrt_price_x96)
        if limit is None:
            limit = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
        self.pool, self.zero_for_one, self._limit, self._keep = pool, zero_for_one, limit, ONE_PIPS - pool.fee
        self._seen = sqrt_ratio_at_tick(pool.seen_lower), sqrt_ratio_at_tick(pool.seen_upper)
        self._stops = v3.stops(pool, zero_for_one)
        self._rows, self._ins, self._outs, self._prices = self.steps = Steps([], [], [], [])
        self._here = 0, 0, price, int(pool.tick), int(pool.liquidity)  # where the steps end
        self._ended = not (MIN_SQRT_RATIO < limit < price if zero_for_one else price < limit < MAX_SQRT_RATIO)

    # The formulas are SqrtPriceMath's for one partial step, told by how far the price moves: // rounds down, so what is
    # to be rounded up is carried below 0. What they do not cover is left to `_quote`: no amount at all, one beyond the
    # steps, and one that ends on a stop (there a step of an exact output may cost and give nothing).

    def amount_out(self, amount_in: int) -> int:
        """Count what `amount_in` brings; where prices end, what all that the pool can take brings (see `quote_in`).

        ValueError as `v3.swap_exact_in`.
        """
        try:
            spent, got, price, liquidity, numerator = self._rows[bisect_right(self._ins, amount_in)]
        except IndexError:
            return self.quote_in(amount_in).amount_out
        if amount_in <= spent:
            return self.quote_in(amount_in).amount_out
        if self.zero_for_one:
            product = (amount_in - spent) * self._keep // ONE_PIPS * price
            return got + (liquidity * (product * price // (numerator + product)) >> 96)
        rise = ((amount_in - spent) * self._keep // ONE_PIPS << 96) // liquidity
        return got + numerator * rise // (price * (price + rise))

    def amount_in(self, amount_out: int) -> int:
        """Count what `amount_out` costs with the fee; where prices end, what all that is there costs (see `quote_out`).

        ValueError as `v3.swap_exact_out`.
        """
        try:
            spent, got, price, liquidity, numerator = self._rows[bisect_right(self._outs, amount_out)]
        except IndexError:
            return self.quote_out(amount_out).amount_in
        if amount_out <= got:
            return self.quote_out(amount_out).amount_in
        if self.zero_for_one:
            fall = (got - amount_out << 96) // liquidity
            return spent - numerator * fall // (price * (price + fall)) * ONE_PIPS // self._keep
        product = (got - amount_out) * price
        return spent - (liquidity * (product * price // (numerator + product)) >> 96) * ONE_PIPS // self._keep

    def quote_in(self, amount_in: int) -> Quote:
        """Quote an exact input with the price after it; its `amount_in` is less than asked where prices end."""
        return self._quote(amount_in, exact_in=True)

    def quote_out(self, amount_out: int) -> Quote:
        """Quote an exact output with the price after it; its `amount_out` is less than asked where prices end."""
        return self._quote(amount_out, exact_in=False)

    def reach(self, amount: int, exact_in: bool) -> bool:
        """Sum steps up until they reach an amount. False when it is past all that can be summed up."""
        sums = self._ins if exact_in else self._outs
        while not sums or sums[-1] < amount:
            if not self._add_step():
                return False
        return True

    def _quote(self, amount: int, exact_in: bool) -> Quote:
        """Take the first step that reaches the amount, as the loop does: after it nothing remains."""
        v3.check_swap(self.pool, self.zero_for_one, amount, self._limit)
        if not self.reach(amount, exact_in):
            return self._walk(amount, exact_in)
        index = bisect_left(self._ins if exact_in else self._outs, amount)
        spent, got, price, liquidity, _ = self._rows[index]
        remaining = amount - (spent if exact_in else got)
        step = compute_swap_step(price, self._prices[index], liquidity, remaining, self.pool.fee, exact_in)
        taken = remaining if exact_in else step.amount_in + step.fee_amount
        return Quote(Raw(spent + taken), Raw(got + step.amount_out), SqrtPriceX96(step.sqrt_price_x96))

    def _add_step(self) -> bool:
        """Sum one more step up. False at the end of prices and before a step that may be refused."""
        spent, got, price, tick, liquidity = self._here
        if self._ended or price == self._limit:
            return False
        stop, net = next(self._stops)
        stop_price = sqrt_ratio_at_tick(stop)
        down, numerator = self.zero_for_one, liquidity << 96
        target = max(stop_price, self._limit) if down else min(stop_price, self._limit)
        step = compute_swap_step(price, target, liquidity, _MORE_THAN_ANY, self.pool.fee, exact_in=True)
        after = liquidity
        if target == stop_price:
            tick, after = (stop - 1, liquidity - net) if down else (stop, liquidity + net)
        lower, upper = self._seen
        coarse = down and numerator + step.amount_in * price > UINT256_MAX  # see next_sqrt_price_from_input
        if coarse or not 0 <= after <= UINT128_MAX or min(price, target) < lower or max(price, target) > upper:
            self._ended = True
            return False
        self._rows.append((spent, got, price, liquidity, numerator))
        spent, got = spent + step.amount_in + step.fee_amount, got + step.amount_out
        self._ins.append(spent)
        self._outs.append(got)
        self._prices.append(target)
        self._here = spent, got, target, tick, after
        return True

    def _walk(self, amount: int, exact_in: bool) -> Quote:
        """Run the loop from where the sums end."""
        spent, got, price, tick, liquidity = self._here
        if price == self._limit:
            return Quote(Raw(spent), Raw(got), SqrtPriceX96(price))
        swap = v3.swap_exact_in if exact_in else v3.swap_exact_out
        here = replace(self.pool, sqrt_price_x96=SqrtPriceX96(price), tick=Tick(tick), liquidity=Liquidity(liquidity))
        rest = swap(here, self.zero_for_one, amount - (spent if exact_in else got), self._limit)
        return Quote(Raw(spent + rest.amount_in), Raw(got + rest.amount_out), rest.pool.sqrt_price_x96)


# ------------------------------------------------------------------ pairs


def prepare_v2(pool: V2Pool, zero_for_one: bool) -> "PreparedV2":
    """Make one direction of a pair ready. Quotes equal `v2.amount_out` and `v2.amount_in`, and refuse what they do."""
    reserves = (pool.reserve0, pool.reserve1) if zero_for_one else (pool.reserve1, pool.reserve0)
    return PreparedV2(*reserves, pool.fee)


class PreparedV2:
    """One direction of a Uniswap V2 pair: out of i and o, an input u after the fee brings o - o i / (i + u)."""

    __slots__ = ("_fee", "_keep", "_less", "_most", "_product", "_reserve_in", "_reserve_out", "_scaled")

    def __init__(self, reserve_in: int, reserve_out: int, fee: int) -> None:
        divisor = gcd(ONE_PIPS, fee)
        self._reserve_in, self._reserve_out, self._fee = reserve_in, reserve_out, fee
        self._keep = (ONE_PIPS - fee) // divisor  # of one unit, ONE_PIPS // divisor
        self._scaled = reserve_in * (ONE_PIPS // divisor)
        self._product = self._scaled * reserve_out
        self._less = self._product - 1  # (k - 1) // n + 1 is k / n rounded up
        self._most = reserve_out - 1 if min(reserve_in, reserve_out) > 0 else 0

    def amount_out(self, amount_in: int) -> int:
        """Count what `amount_in` brings. ValueError as `v2.amount_out`."""
        if amount_in <= 0 or not self._most:
            return v2.amount_out(amount_in, self._reserve_in, self._reserve_out, self._fee)
        return self._most - self._less // (self._scaled + amount_in * self._keep)

    def amount_in(self, amount_out: int) -> int:
        """Count what `amount_out` costs, with the fee. ValueError as `v2.amount_in`."""
        if not 0 < amount_out <= self._most:
            return v2.amount_in(amount_out, self._reserve_in, self._reserve_out, self._fee)
        return (self._product // (self._reserve_out - amount_out) - self._scaled) // self._keep + 1
