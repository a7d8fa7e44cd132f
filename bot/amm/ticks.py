"""Between ticks and square-root prices, bit for bit as Uniswap V3's TickMath."""

import math
from functools import lru_cache

MIN_TICK = -887272
MAX_TICK = 887272
MIN_SQRT_RATIO = 4295128739  # sqrt_ratio_at_tick(MIN_TICK)
MAX_SQRT_RATIO = 1461446703485210103287273052203988822378723970342  # sqrt_ratio_at_tick(MAX_TICK)

_UINT256_MAX = (1 << 256) - 1
_FACTORS_X128 = (  # 1.0001**(-(2**i) / 2) * 2**128, from TickMath.getSqrtRatioAtTick
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
_LOG_SQRT_BASE = math.log(1.0001) / 2
_LOG_Q96 = 96 * math.log(2)


@lru_cache(maxsize=1 << 16)
def sqrt_ratio_at_tick(tick: int) -> int:
    """Give the square-root price of a tick.

    Q64.96, rounded up. ValueError when the tick is outside [MIN_TICK, MAX_TICK]. Source: TickMath.getSqrtRatioAtTick.
    """
    if not MIN_TICK <= tick <= MAX_TICK:
        raise ValueError(f"v3: tick must be in [{MIN_TICK}, {MAX_TICK}], found {tick}")
    ratio = 1 << 128
    for bit, factor in enumerate(_FACTORS_X128):
        if abs(tick) >> bit & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = _UINT256_MAX // ratio
    return -(-ratio >> 32)


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """Find the greatest tick whose square-root price is not above the given one.

    ValueError when the price is outside [MIN_SQRT_RATIO, MAX_SQRT_RATIO). Agrees with TickMath.getTickAtSqrtRatio.
    """
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise ValueError(f"v3: sqrt price must be in [{MIN_SQRT_RATIO}, {MAX_SQRT_RATIO}), found {sqrt_price_x96}")
    # The float is right to 1e-9 of a tick, so one above its floor is never below the answer; the integers decide.
    tick = math.floor((math.log(sqrt_price_x96) - _LOG_Q96) / _LOG_SQRT_BASE) + 1
    tick = min(tick, MAX_TICK)
    while sqrt_ratio_at_tick(tick) > sqrt_price_x96:
        tick -= 1
    return tick
