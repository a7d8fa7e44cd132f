"""Quotes of one pool for arrays of amounts: worked out in pairs of floats where these decide, else one by one.

A partial step of a swap is a constant product: an input u (after the fee) brings v = y u / (x + u), an output u costs
v = x u / (y - u), where x and y are the virtual reserves before the step. A pair of floats, a value as the sum of two,
holds v to 2**-100 of itself. The pool's own roundings (of the price, then of the amount) move v by less than the worth
of one unit of the price. Where v is so far from a whole number that neither can matter, its floor is the pool's answer
to the wei. The few other amounts, and all that may be refused, are asked of the prepared pool one by one.
Source of the arithmetic: Dekker, "A floating-point technique for extending the available precision" (1971).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.amm.prepared import PreparedV3, Row
from bot.amm.sqrt_price import ONE_PIPS, Q96

Limbs = NDArray[np.uint64]  # shape (2, N): the low and the high 64 bits of N amounts
Words = NDArray[np.uint64]  # shape (N,)
Floats = NDArray[np.float64]  # shape (N,)
Pair = tuple[Floats, Floats]  # values as sums of two, the second at most half a unit in the last place of the first

_CHUNK = 4_096  # amounts at a time, so that all that is at hand of them stays in the processor's cache
_ERROR = 2.0**-96  # of v, of itself; bounded by 2**-100 where y - u does not cancel. Past a pair's 106 bits all is open
_ROUNDING = 2.0**-40  # of v's fraction; bounded by 2**-52
_SPLITTER = 2.0**27 + 1
_TWO_32, _TWO_63, _TWO_64 = 2.0**32, 2.0**63, 2.0**64
_SHIFT, _LOW_32, _LOW_11 = np.uint64(32), np.uint64(2**32 - 1), np.uint64(2**11 - 1)
_ONE = np.uint64(ONE_PIPS)
_UNDECIDED = 1.0, 0.0, 1.0, 0.0, 0.5, 0.0  # entries of a step that is never decided


def to_limbs(amounts: Iterable[int]) -> Limbs:
    """Give amounts as limbs. ValueError when one is not in [0, 2**128)."""
    try:
        raw = b"".join([amount.to_bytes(16, "little") for amount in amounts])
    except OverflowError:
        raise ValueError("arrays: amounts must be in [0, 2**128)") from None
    return np.ascontiguousarray(np.frombuffer(raw, dtype="<u8").reshape(-1, 2).T, dtype=np.uint64)


def to_ints(limbs: Limbs) -> list[int]:
    """Give limbs as amounts."""
    low, high = limbs
    if not high.any():
        return [int(each) for each in low.tolist()]
    return [above << 64 | below for below, above in zip(low.tolist(), high.tolist(), strict=True)]


class ArrayQuotes:
    """One direction of a Uniswap V3 pool, for arrays of amounts below 2**128. Pays from 200 amounts on."""

    def __init__(self, prepared: PreparedV3) -> None:
        self._prepared = prepared
        self._tables: dict[bool, _Table] = {}

    def amounts_out(self, amounts_in: Limbs) -> Limbs:
        """Count what each amount brings: `PreparedV3.amount_out` of each.

        ValueError where that refuses an amount, when one brings 2**128 or more, and when they are not limbs.
        """
        return self._quote(amounts_in, exact_in=True)

    def amounts_in(self, amounts_out: Limbs) -> Limbs:
        """Count what each amount costs: `PreparedV3.amount_in` of each. ValueError likewise."""
        return self._quote(amounts_out, exact_in=False)

    def _quote(self, amounts: Limbs, exact_in: bool) -> Limbs:
        if amounts.dtype != np.uint64 or amounts.ndim != 2 or len(amounts) != 2:
            raise ValueError(f"arrays: amounts must be limbs, found {amounts.dtype} {amounts.shape}; use to_limbs")
        quotes = np.empty_like(amounts)
        if not amounts.size:
            return quotes
        table = self._table(_most(amounts), exact_in)
        one_by_one = self._prepared.amount_out if exact_in else self._prepared.amount_in
        for start in range(0, amounts.shape[1], _CHUNK):
            asked, answers = amounts[:, start : start + _CHUNK], quotes[:, start : start + _CHUNK]
            with np.errstate(all="ignore"):  # of amounts that are not decided, whose figures mean nothing
                decided = table.quote(asked, answers)
            open_ones = np.flatnonzero(~decided)
            if open_ones.size:
                answers[:, open_ones] = to_limbs(map(one_by_one, to_ints(asked[:, open_ones])))
        return quotes

    def _table(self, most: int, exact_in: bool) -> "_Table":
        self._prepared.reach(most, exact_in)
        table = self._tables.get(exact_in)
        if table is None or table.steps < len(self._prepared.steps.rows):
            table = self._tables[exact_in] = _tabulate(self._prepared, exact_in)
        return table


def _most(amounts: Limbs) -> int:
    low, high = amounts
    top = high.max()
    return int(top) << 64 | int(low[high == top].max())


# ------------------------------------------------------------------ the steps in columns


@dataclass(frozen=True, slots=True)
class _Table:
    """The steps of one direction for exact inputs (or outputs): a column entry each, and one more for what lies beyond.

    With u below 0 for outputs, v = scale u / (offset + u) in both cases, and its floor is the answer's.
    """

    exact_in: bool
    keep: np.uint64  # pips that the fee leaves
    steps: int
    ends: Floats  # asked amount summed up to the end of each step, rounded
    starts: Floats  # the same for its start
    asked: Limbs  # asked amount summed up to the start of each step
    answered: Limbs  # the other amount likewise
    scale: Pair
    offset: Pair
    middle: Floats  # fractions of v that decide are less than `reach` away from `middle`
    reach: Floats

    def quote(self, amounts: Limbs, answers: Limbs) -> NDArray[np.bool_]:
        """Fill in answers, shape (2, N), and tell which of them are decided."""
        low, high = amounts
        near = _near(low, high)
        row = self.ends.searchsorted(near, side="right")
        # Where equal, as floats, the amount may belong to the step before.
        decided: NDArray[np.bool_] = self.starts.take(row) != near
        rest = _minus(low, high, *self.asked.take(row, axis=1))
        u = _after_fee(*rest, self.keep) if self.exact_in else _negative(_pair(*rest))
        scale, offset = _taken(self.scale, row), _taken(self.offset, row)
        whole, part, fraction = _floor(*_quotient(_product(scale, u), _sum(offset, u)))
        decided &= np.abs(fraction - self.middle.take(row)) < self.reach.take(row)
        found = _words(whole, part) if self.exact_in else _before_fee(*_words(-whole, -part), self.keep)
        answers[0], answers[1] = _plus(*found, *self.answered.take(row, axis=1))
        return decided


def _tabulate(prepared: PreparedV3, exact_in: bool) -> _Table:
    rows, ins, outs, prices = prepared.steps
    fits = sum(max(pair) < 1 << 128 for pair in zip(ins, outs, strict=True))  # sums ascend
    columns = [
        _constants(*step, prepared.zero_for_one, exact_in) for step in zip(rows[:fits], ins, outs, prices, strict=False)
    ]
    scale_high, scale_low, offset_high, offset_low, middle, reach = np.array([*columns, _UNDECIDED]).T.copy()
    spent, got = to_limbs([0, *ins[:fits]]), to_limbs([0, *outs[:fits]])
    ends = _near(*to_limbs((ins if exact_in else outs)[:fits]))
    return _Table(
        exact_in,
        np.uint64(ONE_PIPS - prepared.pool.fee),
        len(rows),
        ends,
        np.concatenate(([-1.0], ends)),
        *((spent, got) if exact_in else (got, spent)),
        (scale_high, scale_low),
        (offset_high, offset_low),
        middle,
        reach,
    )


def _constants(
    row: Row, spent: int, got: int, end: int, zero_for_one: bool, exact_in: bool
) -> tuple[float, float, float, float, float, float]:
    """Give one step's entries from `scale` on."""
    spent_before, got_before, price, liquidity, numerator = row
    taken, given = spent - spent_before, got - got_before
    if not liquidity:
        return _UNDECIDED
    reserve0, reserve1 = _pair_of(numerator, price), _pair_of(liquidity * price, Q96)
    lower, upper = min(price, end), max(price, end)
    # The pool rounds the price by less than a unit, which is worth so much of the token that is rounded last.
    worth = liquidity / Q96 if zero_for_one == exact_in else numerator / lower**2
    error = _ERROR * (upper / lower) * max(taken, given) + _ROUNDING * (1 + worth)
    scale, offset = (reserve1, reserve0) if zero_for_one == exact_in else (reserve0, reserve1)
    return *scale, *offset, (1 + worth) / 2, (1 - worth) / 2 - error


def _pair_of(numerator: int, denominator: int) -> tuple[float, float]:
    """Give a fraction as a pair."""
    high = numerator / denominator
    high_numerator, high_denominator = high.as_integer_ratio()
    rest = numerator * high_denominator - high_numerator * denominator
    return high, rest / (denominator * high_denominator)


# ------------------------------------------------------------------ whole numbers in words of 64 bits, modulo 2**128


def _near(low: Words, high: Words) -> Floats:
    """Give the amounts as floats: never descending where the amounts ascend."""
    return high.astype(np.float64) * _TWO_64 + low.astype(np.float64)


def _plus(low: Words, high: Words, more_low: Words, more_high: Words) -> tuple[Words, Words]:
    total = low + more_low
    return total, high + more_high + (total < low)


def _minus(low: Words, high: Words, less_low: Words, less_high: Words) -> tuple[Words, Words]:
    return low - less_low, high - less_high - (low < less_low)


def _divided(low: Words, high: Words, divisor: np.uint64) -> tuple[Words, Words, Words, Words]:
    """Divide by less than 2**32: the quotient's digits, of 64, 32 and 32 bits from the highest, and the remainder."""
    top = high // divisor
    rest = (high - top * divisor) << _SHIFT | low >> _SHIFT
    middle = rest // divisor
    rest = (rest - middle * divisor) << _SHIFT | low & _LOW_32
    bottom = rest // divisor
    return top, middle, bottom, rest - bottom * divisor


def _after_fee(low: Words, high: Words, keep: np.uint64) -> Pair:
    """Give floor(amount * keep / 1e6)."""
    if not high.any():
        millions = low // _ONE
        return _pair(millions * keep + (low - millions * _ONE) * keep // _ONE, high)
    top, middle, bottom, rest = _divided(low, high, _ONE)
    lowest = (bottom * keep + rest * keep // _ONE).astype(np.float64)
    return _sum_of_three(
        (top * keep).astype(np.float64) * _TWO_64, (middle * keep).astype(np.float64) * _TWO_32, lowest
    )


def _before_fee(low: Words, high: Words, keep: np.uint64) -> tuple[Words, Words]:
    """Give ceil(amount * 1e6 / keep)."""
    if not high.any() and low.max() < np.uint64(_TWO_63 / ONE_PIPS) * keep:
        keeps = low // keep
        return keeps * _ONE + ((low - keeps * keep) * _ONE + (keep - np.uint64(1))) // keep, high
    top, middle, bottom, rest = _divided(low, high, keep)
    lowest = bottom * _ONE + (rest * _ONE + (keep - np.uint64(1))) // keep
    middle = middle * _ONE
    return _plus(lowest, top * _ONE, middle << _SHIFT, middle >> _SHIFT)


# ------------------------------------------------------------------ pairs of floats


def _pair(low: Words, high: Words) -> Pair:
    """Give amounts below 2**106 exactly."""
    coarse, fine = (low & ~_LOW_11).astype(np.float64), (low & _LOW_11).astype(np.float64)  # 53 and 11 bits
    if not high.any():
        return _quick_sum(coarse, fine)
    return _sum_of_three(high.astype(np.float64) * _TWO_64, coarse, fine)


def _words(whole: Floats, part: NDArray[np.int64]) -> tuple[Words, Words]:
    """Give whole + part, the first not below 0 and itself a whole number."""
    if whole.max() < _TWO_63:
        return (whole.astype(np.int64) + part).view(np.uint64), np.zeros(len(whole), dtype=np.uint64)
    high = np.floor(whole / _TWO_64)
    low = (whole - high * _TWO_64).astype(np.uint64)
    return _plus(low, high.astype(np.uint64), part.view(np.uint64), (part >> 63).view(np.uint64))


def _quick_sum(large: Floats, small: Floats) -> Pair:
    """Add two floats exactly; the first is the larger, or 0."""
    total = large + small
    return total, small - (total - large)


def _sum_of_three(large: Floats, small: Floats, least: Floats) -> Pair:
    """Add three floats, each larger than the next or 0; exact where a pair can hold the sum."""
    total, rest = _quick_sum(large, small)
    total, more = _quick_sum(total, least)
    return _quick_sum(total, rest + more)


def _negative(value: Pair) -> Pair:
    return -value[0], -value[1]


def _taken(column: Pair, row: NDArray[np.intp]) -> Pair:
    return column[0].take(row), column[1].take(row)


def _sum(one: Pair, other: Pair) -> Pair:
    total = one[0] + other[0]
    rest = total - one[0]
    return total, (one[0] - (total - rest)) + (other[0] - rest) + (one[1] + other[1])


def _exact_product(one: Floats, other: Floats) -> Pair:
    """Multiply two floats exactly, by halves of their digits."""
    product = one * other
    one_high, one_low = _halves(one)
    other_high, other_low = _halves(other)
    rest = one_high * other_high - product + one_high * other_low + one_low * other_high
    return product, rest + one_low * other_low


def _halves(value: Floats) -> Pair:
    scaled = _SPLITTER * value
    high = scaled - (scaled - value)
    return high, value - high


def _product(one: Pair, other: Pair) -> Pair:
    product, rest = _exact_product(one[0], other[0])
    return product, rest + (one[0] * other[1] + one[1] * other[0])


def _quotient(one: Pair, other: Pair) -> Pair:
    quotient = one[0] / other[0]
    product, rest = _exact_product(quotient, other[0])
    return quotient, (one[0] - product - rest + one[1] - quotient * other[1]) / other[0]


def _floor(high: Floats, low: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Split a pair into a whole number (the sum of the first two) and a fraction in [0, 1)."""
    whole = np.floor(high)
    rest = high - whole + low
    part = np.floor(rest)
    return whole, part.astype(np.int64), rest - part
