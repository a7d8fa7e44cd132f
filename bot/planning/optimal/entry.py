"""The swap after which two idle amounts fit a range whole, at the price that the swap leaves."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.amm import v3
from bot.amm.pools import quote, swap
from bot.amm.sqrt_price import Q96
from bot.amm.ticks import sqrt_ratio_at_tick
from bot.core.types import Pool, Token, V2Pool, V3Pool
from bot.core.units import Liquidity, Raw


@dataclass(frozen=True, slots=True)
class Entry:
    """A swap, and the mint after it. `sell` is None where the amounts fit as they are, or no swap brings a unit."""

    sell: Token | None
    amount_in: Raw
    amount_out: Raw
    liquidity: Liquidity
    amount0: Raw  # that the mint takes
    amount1: Raw
    left0: Raw  # that it does not
    left1: Raw
    pool: V3Pool  # of the range, after the swap, before the mint


def enter_ratio(idle0: int, idle1: int, pool: V3Pool, lower: int, upper: int, through: Pool | None = None) -> Entry:
    """Find the swap after which both amounts fit the range [lower, upper) of `pool`.

    It is done in `through`, which trades the same tokens; None: in `pool` itself, whose price it moves. What is left is
    less than one more unit given, or taken, would change: a unit or so of the coarser token, or of liquidity.
    ValueError when an amount is below 0, the ticks are no range, the pools trade other tokens, or `through` cannot take
    as much as is needed.
    """
    by: Pool = pool if through is None else through
    if min(idle0, idle1) < 0:
        raise ValueError(f"entry: idle amounts must not be below 0, found {idle0} and {idle1}")
    if (by.token0, by.token1) != (pool.token0, pool.token1):
        raise ValueError(f"entry: pool {by.address} must trade the tokens of {pool.address}; name another")
    v3.liquidity_for(pool.sqrt_price_x96, lower, upper, 0, 0)  # refuses what is no range
    excess = _excess(pool, idle0, idle1, lower, upper)
    none = _entry(pool, None, 0, 0, idle0, idle1, lower, upper)
    sell, idle = (pool.token0, idle0) if excess > 0 else (pool.token1, idle1)

    def after(amount: int) -> tuple[V3Pool, int, int, int]:
        moved, out = _swapped(by, sell, amount)
        at = moved if by.address == pool.address and isinstance(moved, V3Pool) else pool
        return (at, out, idle0 - amount, idle1 + out) if excess > 0 else (at, out, idle0 + out, idle1 - amount)

    def fits(amount: int) -> bool:
        at, _, amount0, amount1 = after(amount)
        found = _excess(at, amount0, amount1, lower, upper)
        return found >= 0 if excess > 0 else found <= 0

    last = _greatest(fits, idle) if excess else 0
    found = [none]
    for amount in range(max(last, 1), min(last + 1, idle) + 1):
        at, out, amount0, amount1 = after(amount)
        if out:
            found.append(_entry(at, sell, amount, out, amount0, amount1, lower, upper))
    return min(found, key=_left)


def _left(entry: Entry) -> int:
    """Give what is not minted, in token1 at the pool's price, times 2**192."""
    return entry.left0 * entry.pool.sqrt_price_x96**2 + entry.left1 * Q96**2


def _excess(pool: V3Pool, amount0: int, amount1: int, lower: int, upper: int) -> int:
    """Give a number above 0 where there is too much token0 for the token1, below 0 where too little, 0 where both fit.

    Liquidity L takes L (u - p) / (p u) of token0 and L (p - l) of token1, in square-root prices: this is the cross
    product of what it takes with what there is. Selling token0 never raises it: amount0 falls, amount1 does not fall,
    and the price p, held in [l, u], does not rise, so that (p - l) p does not rise and u - p does not fall. Selling
    token1 never lowers it, likewise. So a bisection over the amount sold finds where it changes its sign.
    """
    low, high = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    price = min(max(low, pool.sqrt_price_x96), high)
    return amount0 * (price - low) * price * high - amount1 * (high - price) * Q96 * Q96


def _swapped(by: Pool, sell: Token, amount: int) -> tuple[Pool, int]:
    """Swap; what is too little for a pair to bring anything is given for nothing, which keeps the order of amounts."""
    if isinstance(by, V2Pool) and not quote(by, sell, amount):
        return by, 0
    return swap(by, sell, amount)


def _greatest(fits: Callable[[int], bool], most: int) -> int:
    """Find the greatest amount up to `most` that fits, where every smaller one does; 0 does.

    ValueError, the pool's own, when it is the pool that ends there.
    """
    if most and _allowed(fits, most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _allowed(fits, middle) else (low, middle)
    if high:
        fits(high)
    return low


def _allowed(fits: Callable[[int], bool], amount: int) -> bool:
    try:
        return fits(amount)
    except ValueError:  # more than the pool can take
        return False


def _entry(
    pool: V3Pool, sell: Token | None, amount_in: int, amount_out: int, idle0: int, idle1: int, lower: int, upper: int
) -> Entry:
    liquidity = v3.liquidity_for(pool.sqrt_price_x96, lower, upper, idle0, idle1)
    amount0 = amount1 = Raw(0)
    if liquidity:
        _, amount0, amount1 = v3.mint(pool, lower, upper, liquidity)
    return Entry(
        sell,
        Raw(amount_in),
        Raw(amount_out),
        Liquidity(liquidity),
        amount0,
        amount1,
        Raw(idle0 - amount0),
        Raw(idle1 - amount1),
        pool,
    )
