"""One face over every curve, so that planning does not ask what kind a pool is."""

from decimal import Context, Decimal

from bot.amm import v2, v3
from bot.core.types import Pool, Position, Token, V2Pool, V3Pool
from bot.core.units import Raw

_EXACT = Context(prec=50)  # far past the 28 digits of later arithmetic


def quote(pool: Pool, token_in: Token, amount_in: int) -> Raw:
    """Count what giving exactly `amount_in` brings, rounded as the pool does.

    Dust may bring 0. ValueError as `swap`.
    """
    zero_for_one = _is_token0(pool, token_in)
    if isinstance(pool, V2Pool):
        reserves = (pool.reserve0, pool.reserve1) if zero_for_one else (pool.reserve1, pool.reserve0)
        return Raw(v2.amount_out(amount_in, *reserves, pool.fee))
    return _swap_v3_whole(pool, zero_for_one, amount_in).amount_out


def swap(pool: Pool, token_in: Token, amount_in: int) -> tuple[Pool, Raw]:
    """Give exactly `amount_in`: the pool after, and what comes out.

    ValueError where the pool reverts, cannot take the whole input, or would leave what was observed of it.
    """
    zero_for_one = _is_token0(pool, token_in)
    if isinstance(pool, V2Pool):
        return v2.swap(pool, zero_for_one, amount_in)
    result = _swap_v3_whole(pool, zero_for_one, amount_in)
    return result.pool, result.amount_out


def holdings(pool: Pool, position: Position) -> tuple[Raw, Raw]:
    """Count a position's principal in token0 and token1, rounded down, without fees."""
    if isinstance(pool, V2Pool):
        return v2.amounts(pool, position.liquidity)
    return v3.amounts(pool.sqrt_price_x96, position.tick_lower, position.tick_upper, position.liquidity)


def spot(pool: Pool) -> Decimal:
    """Give the marginal price, before fees, of one whole token0 in whole token1, to 50 digits.

    ValueError when the pool is empty.
    """
    if isinstance(pool, V2Pool):
        numerator, denominator = int(pool.reserve1), int(pool.reserve0)
    else:
        numerator, denominator = pool.sqrt_price_x96**2, 1 << 192
    if not numerator or not denominator:
        raise ValueError(f"{pool.kind}: pool {pool.address} has no price yet; add liquidity first")
    raw = _EXACT.divide(Decimal(numerator), Decimal(denominator))
    return _EXACT.scaleb(raw, pool.token0.decimals - pool.token1.decimals)


def other(pool: Pool, token: Token) -> Token:
    """Give the pool's token that is not this one. ValueError when the pool does not trade it."""
    return pool.token1 if _is_token0(pool, token) else pool.token0


def _is_token0(pool: Pool, token: Token) -> bool:
    if token not in (pool.token0, pool.token1):
        pair = f"{pool.token0.symbol} and {pool.token1.symbol}"
        raise ValueError(f"{pool.kind}: pool {pool.address} trades {pair}, found {token.symbol} {token.address}")
    return token == pool.token0


def _swap_v3_whole(pool: V3Pool, zero_for_one: bool, amount_in: int) -> v3.SwapResult:
    result = v3.swap_exact_in(pool, zero_for_one, amount_in)
    if result.amount_in != amount_in:
        raise ValueError(f"v3: pool {pool.address} can take only {result.amount_in} of {amount_in}; give less")
    return result
