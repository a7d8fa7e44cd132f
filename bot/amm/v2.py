"""A constant-product pair in integers: Uniswap V2's arithmetic, with the fee in pips.

At 3000 pips it equals the pair's 997/1000 to the unit. The protocol's share of the fees (the factory's feeTo) is
ignored: where it is on, the pair mints it LP tokens first, so `add` and `remove` are off by that dilution.
"""

from dataclasses import replace
from math import isqrt

from bot.core.types import V2Pool
from bot.core.units import Liquidity, Raw

MINIMUM_LIQUIDITY = 1000  # LP tokens that the first mint locks for ever
_ONE_PIPS = 1_000_000
_UINT112_MAX = (1 << 112) - 1


def amount_out(amount_in: int, reserve_in: int, reserve_out: int, fee: int) -> int:
    """Quote an exact input, rounded down (0 for dust). ValueError when the input or a reserve is not above 0."""
    _check_positive("amount in", amount_in)
    _check_positive("reserves", min(reserve_in, reserve_out))
    after_fee = amount_in * (_ONE_PIPS - fee)
    return after_fee * reserve_out // (reserve_in * _ONE_PIPS + after_fee)


def amount_in(amount_out: int, reserve_in: int, reserve_out: int, fee: int) -> int:
    """Quote an exact output, rounded up as the router's getAmountIn. ValueError when the pair does not hold so much."""
    _check_positive("amount out", amount_out)
    _check_positive("reserves", min(reserve_in, reserve_out))
    if amount_out >= reserve_out:
        raise ValueError(f"v2: amount out must be below the reserve {reserve_out}, found {amount_out}")
    return reserve_in * amount_out * _ONE_PIPS // ((reserve_out - amount_out) * (_ONE_PIPS - fee)) + 1


def swap(pool: V2Pool, zero_for_one: bool, amount_in: int) -> tuple[V2Pool, Raw]:
    """Give exactly `amount_in`: the pair after, and what comes out. ValueError where the pair reverts."""
    reserve_in, reserve_out = (pool.reserve0, pool.reserve1) if zero_for_one else (pool.reserve1, pool.reserve0)
    out = amount_out(amount_in, reserve_in, reserve_out, pool.fee)
    _check_positive("amount out", out)
    if zero_for_one:
        return _moved(pool, amount_in, -out, 0), Raw(out)
    return _moved(pool, -out, amount_in, 0), Raw(out)


def add(pool: V2Pool, amount0: int, amount1: int) -> tuple[V2Pool, Liquidity]:
    """Give both amounts whole: the pair after, and the LP tokens minted, rounded down.

    What is over the pair's ratio is a gift to all holders, as on chain. ValueError where the pair reverts.
    """
    _check_positive("amounts", min(amount0, amount1))
    if pool.supply:
        minted = min(amount0 * pool.supply // pool.reserve0, amount1 * pool.supply // pool.reserve1)
        _check_positive("liquidity minted", minted)
        return _moved(pool, amount0, amount1, minted), Liquidity(minted)
    minted = isqrt(amount0 * amount1) - MINIMUM_LIQUIDITY
    _check_positive("liquidity minted", minted)
    return _moved(pool, amount0, amount1, minted + MINIMUM_LIQUIDITY), Liquidity(minted)


def remove(pool: V2Pool, liquidity: int) -> tuple[V2Pool, Raw, Raw]:
    """Burn LP tokens: the pair after, and the two amounts, rounded down. ValueError where the pair reverts."""
    _check_positive("liquidity", liquidity)
    if liquidity > pool.supply - MINIMUM_LIQUIDITY:
        raise ValueError(f"v2: {pool.supply} LP tokens exist and {MINIMUM_LIQUIDITY} are locked, found {liquidity}")
    amount0, amount1 = amounts(pool, liquidity)
    _check_positive("amounts", min(amount0, amount1))
    return _moved(pool, -amount0, -amount1, -liquidity), amount0, amount1


def amounts(pool: V2Pool, liquidity: int) -> tuple[Raw, Raw]:
    """Count what LP tokens are worth in token0 and token1, rounded down. ValueError when the pair has no supply."""
    _check_positive("supply", pool.supply)
    return Raw(liquidity * pool.reserve0 // pool.supply), Raw(liquidity * pool.reserve1 // pool.supply)


def _moved(pool: V2Pool, delta0: int, delta1: int, minted: int) -> V2Pool:
    reserve0, reserve1 = pool.reserve0 + delta0, pool.reserve1 + delta1
    if max(reserve0, reserve1) > _UINT112_MAX:
        raise ValueError(f"v2: reserves must fit uint112, found {reserve0} and {reserve1}")
    return replace(pool, reserve0=Raw(reserve0), reserve1=Raw(reserve1), supply=Liquidity(pool.supply + minted))


def _check_positive(what: str, number: int) -> None:
    if number <= 0:
        raise ValueError(f"v2: {what} must be above 0, found {number}")
