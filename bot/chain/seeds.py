"""Fills a local chain's market: prices, pools with liquidity as it is spread in real ones, and feeds that agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isqrt

from bot.chain import cheats
from bot.chain.mainnet import MAINNET
from bot.chain.replica import ETHER_FOR_ALL, has_code, read
from bot.core.errors import Broken
from bot.core.ports import Rpc
from bot.core.types import PoolSpec, Token
from bot.core.units import Money, Raw, to_raw_floor, to_units

WHALE = "0x57757E3D981446D585Af0D9Ae4d7DF6D64647806"  # nobody's: provides the liquidity, keeps the position NFTs
NO_DEADLINE = 2**64
CARDINALITY = 100  # observations a pool may keep, for its time-weighted price
Q96 = 2**96
MAX_TICK = 887_272

# Ticks below and above the price; a tick is a factor of 1.0001.
RANGES = (
    (2 * MAX_TICK, 2 * MAX_TICK),  # everywhere
    (6_932, 4_055),  # -50 % .. +50 %
    (1_625, 1_398),  # -15 % .. +15 %
    (513, 488),  # -5 % .. +5 %
)
PRICES: Mapping[str, Money] = {
    "USDC": Money(Decimal(1)),
    "WETH": Money(Decimal(3_000)),
    "WBTC": Money(Decimal(90_000)),
    "DAI": Money(Decimal(1)),
    "LINK": Money(Decimal(15)),
    "USDT": Money(Decimal(1)),
}
# Money offered on each side of each range (of the whole pair for V2); a range takes less of the side it needs less of.
DEPTH: Mapping[str, Money] = {
    "USDC/WETH-500": Money(Decimal(10_000_000)),
    "USDC/WETH-3000": Money(Decimal(5_000_000)),
    "WBTC/USDC-3000": Money(Decimal(5_000_000)),
    "WBTC/WETH-3000": Money(Decimal(5_000_000)),
    "LINK/WETH-3000": Money(Decimal(2_000_000)),
    "DAI/WETH-3000": Money(Decimal(2_000_000)),
    "WETH/USDT-3000": Money(Decimal(5_000_000)),
    "USDC/WETH-v2": Money(Decimal(20_000_000)),
}
# Where a token's price is read when the pool is there already; in this order.
PRICED_IN = (
    ("WETH", "USDC/WETH-500"),
    ("WBTC", "WBTC/USDC-3000"),
    ("DAI", "DAI/WETH-3000"),
    ("LINK", "LINK/WETH-3000"),
    ("USDT", "WETH/USDT-3000"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One token of a pool to be seeded."""

    token: Token
    price: Money

    def worth(self, money: Money) -> Raw:
        """So much of the token as that money buys, rounded down."""
        return to_raw_floor(money / self.price, self.token.decimals)


async def market_prices(rpc: Rpc, wanted: Mapping[str, Money]) -> dict[str, Money]:
    """Money for a whole unit by symbol: the spot of the pools that exist, `wanted` for all others; USDC is 1."""
    prices = dict(wanted)
    for symbol, name in PRICED_IN:
        pool = MAINNET.pool(name)
        if await has_code(rpc, pool.address):
            sqrt_price, _ = await _slot0(rpc, pool)
            ratio = to_units(sqrt_price**2, 0) / Q96**2 * Decimal(10) ** (pool.token0.decimals - pool.token1.decimals)
            base, quote = pool.token0.symbol, pool.token1.symbol
            prices[symbol] = Money(prices[quote] * ratio if symbol == base else prices[base] / ratio)
    return prices


async def ensure_pools(rpc: Rpc, prices: Mapping[str, Money]) -> None:
    """Create and fill the pools that are missing, at these prices; let every V3 pool remember its past."""
    missing = [pool for pool in MAINNET.pools if not await has_code(rpc, pool.address)]
    if missing:
        await _equip_whale(rpc)
    for pool in missing:
        side0, side1 = (Side(token, prices[token.symbol]) for token in (pool.token0, pool.token1))
        if pool.kind == "v3":
            await _create_v3(rpc, pool, side0, side1)
        else:
            await _create_v2(rpc, pool, side0, side1)
    for pool in MAINNET.pools:
        if pool.kind == "v3":
            await cheats.call_as(
                rpc, WHALE, pool.address, "increaseObservationCardinalityNext(uint16)", CARDINALITY, gas=4_000_000
            )


async def set_feeds(rpc: Rpc, prices: Mapping[str, Money]) -> None:
    """Let every feed (our own stand-ins) answer these prices, as of the last block."""
    now = await cheats.latest_timestamp(rpc)
    for feed in MAINNET.feeds:
        answer = to_raw_floor(prices[feed.token.symbol], feed.decimals)
        await cheats.call_as(rpc, WHALE, feed.address, "set_answer(int256,uint256)", answer, now, gas=200_000)


async def _slot0(rpc: Rpc, pool: PoolSpec) -> tuple[int, int]:
    """Square root of the raw price times 2**96, and tick, of a V3 pool."""
    sqrt_price, tick = await read(rpc, pool.address, "slot0()", ("uint160", "int24"))
    return sqrt_price, tick


async def _equip_whale(rpc: Rpc) -> None:
    await cheats.set_ether(rpc, WHALE, ETHER_FOR_ALL)
    for token in MAINNET.tokens:
        await cheats.deal(rpc, token.address, WHALE, to_raw_floor(Decimal(10**10), token.decimals))
        for spender in (MAINNET.position_manager, MAINNET.v2_router):
            await cheats.call_as(
                rpc, WHALE, token.address, "approve(address,uint256)", spender, 2**256 - 1, gas=100_000
            )


async def _create_v3(rpc: Rpc, pool: PoolSpec, side0: Side, side1: Side) -> None:
    manager, pair = MAINNET.position_manager, (pool.token0.address, pool.token1.address, pool.fee)
    unit = Money(Decimal(10**9))  # of money: enough digits on both sides
    sqrt_price = isqrt((side1.worth(unit) << 192) // side0.worth(unit))
    create = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    await cheats.call_as(rpc, WHALE, manager, create, *pair, sqrt_price, gas=6_000_000)
    await _expect_pool(rpc, pool)
    _, tick = await _slot0(rpc, pool)
    mint = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    for below, above in RANGES:
        amounts = (side0.worth(DEPTH[pool.name]), side1.worth(DEPTH[pool.name]))
        ticks = (_usable(tick - below, pool.tick_spacing), _usable(tick + above, pool.tick_spacing))
        await cheats.call_as(
            rpc, WHALE, manager, mint, (*pair, *ticks, *amounts, 0, 0, WHALE, NO_DEADLINE), gas=1_000_000
        )


async def _create_v2(rpc: Rpc, pool: PoolSpec, side0: Side, side1: Side) -> None:
    half = Money(DEPTH[pool.name] / 2)
    add = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
    amounts = (side0.worth(half), side1.worth(half), 0, 0)
    pair = (pool.token0.address, pool.token1.address)
    await cheats.call_as(rpc, WHALE, MAINNET.v2_router, add, *pair, *amounts, WHALE, NO_DEADLINE, gas=5_000_000)
    await _expect_pool(rpc, pool)


async def _expect_pool(rpc: Rpc, pool: PoolSpec) -> None:
    if not await has_code(rpc, pool.address):
        raise Broken(f"expected the factory to create {pool.name} at {pool.address}, found no code there")


def _usable(tick: int, spacing: int) -> int:
    """The nearest tick below that a position of this spacing may use, inside Uniswap's limits."""
    most = MAX_TICK // spacing * spacing
    return max(-most, min(most, tick // spacing * spacing))
