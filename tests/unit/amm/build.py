"""Pools for the tests of the pool mathematics: given by their ranges, complete from end to end."""

from bot.amm import v3
from bot.amm.ticks import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from bot.core.types import Token, V2Pool, V3Pool
from bot.core.units import Liquidity, Pips, Raw, SqrtPriceX96, Tick

TOKEN0 = Token("0x0000000000000000000000000000000000000Aa0", "AAA", 18)
TOKEN1 = Token("0x0000000000000000000000000000000000000Bb1", "BBB", 18)
SPACING_TO_FEE = {1: 100, 10: 500, 60: 3_000, 200: 10_000}

Range = tuple[int, int, int]  # lower tick, upper tick, liquidity


def v3_pool(
    *ranges: Range,
    spacing: int = 60,
    sqrt_price_x96: int = 1 << 96,
    seen: tuple[int, int] = (MIN_TICK, MAX_TICK),
    fee: int | None = None,
) -> V3Pool:
    pool = V3Pool(
        address="0x00000000000000000000000000000000000000A3",
        token0=TOKEN0,
        token1=TOKEN1,
        fee=Pips(SPACING_TO_FEE[spacing] if fee is None else fee),
        tick_spacing=spacing,
        sqrt_price_x96=SqrtPriceX96(sqrt_price_x96),
        tick=Tick(tick_at_sqrt_ratio(sqrt_price_x96)),
        liquidity=Liquidity(0),
        ticks=(),
        seen_lower=Tick(seen[0]),
        seen_upper=Tick(seen[1]),
    )
    for lower, upper, liquidity in ranges:
        pool, _, _ = v3.mint(pool, lower, upper, liquidity)
    return pool


def at_tick(tick: int) -> int:
    return sqrt_ratio_at_tick(tick)


def v2_pool(reserve0: int, reserve1: int, supply: int, fee: int = 3_000) -> V2Pool:
    return V2Pool(
        "0x00000000000000000000000000000000000000A2",
        TOKEN0,
        TOKEN1,
        Pips(fee),
        Raw(reserve0),
        Raw(reserve1),
        Liquidity(supply),
    )
