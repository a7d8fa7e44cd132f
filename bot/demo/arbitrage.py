"""What it takes to move a pool to a price, in integers."""

from decimal import Decimal
from math import isqrt

from bot.amm.v2 import amount_out
from bot.core.types import PoolSpec
from bot.core.units import Raw, SqrtPriceX96

MILLION = 1_000_000  # pips in one


def sqrt_price(pool: PoolSpec, price0: Decimal, price1: Decimal) -> SqrtPriceX96:
    """The square root of the pool's raw price at which its tokens are worth these (money per whole unit); floor."""
    scale = 10**18
    raw0, raw1 = int(price0 * scale) * 10**pool.token1.decimals, int(price1 * scale) * 10**pool.token0.decimals
    return SqrtPriceX96(isqrt((raw0 << 192) // raw1))


def v2_trade(reserve0: int, reserve1: int, fee: int, aim: SqrtPriceX96) -> tuple[bool, Raw]:
    """(token0 goes in?, amount in) after which a V2 pair stands at the price `aim`; an amount of 0: it does already,
    or is nearer than its raw units can say.

    With x in and g = 1 - fee the pair is left with (r_in + x) and r_in r_out / (r_in + g x); their ratio is the price
    when (r_in + x)(r_in + g x) = r_in r_out times the price of the outgoing token in the incoming one.
    """
    zero_for_one = reserve0 * aim * aim < reserve1 << 192 and reserve0 > 0
    if zero_for_one:  # token0 is too dear in the pair: it goes in
        reserve_in, reserve_out, square = reserve0, reserve1, (reserve0 * reserve1 << 192) // (aim * aim)
    else:
        reserve_in, reserve_out, square = reserve1, reserve0, reserve0 * reserve1 * aim * aim >> 192
    g = MILLION - fee
    # g x**2 + (1 + g) r x - (square - r**2) = 0, all over a million
    b, c = (MILLION + g) * reserve_in, MILLION * (square - reserve_in * reserve_in)
    amount = max((isqrt(b * b + 4 * g * c) - b) // (2 * g), 0) if c > 0 else 0
    moves = amount > 0 and amount_out(amount, reserve_in, reserve_out, fee) > 0
    return zero_for_one, Raw(amount if moves else 0)


def v3_depth(sqrt_price_x96: int, liquidity: int) -> tuple[Raw, Raw]:
    """The reserves of the V2 pair that would quote like this V3 pool at its price ("virtual reserves")."""
    return Raw((liquidity << 96) // sqrt_price_x96), Raw(liquidity * sqrt_price_x96 >> 96)
