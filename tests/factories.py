"""Small worlds for tests: tokens, pools, snapshots. Every argument has a sensible default."""

import math
from dataclasses import replace
from decimal import Decimal

from bot.amm.ticks import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from bot.core.types import (
    Amount,
    Block,
    GasPrice,
    Limits,
    Memory,
    Pool,
    Position,
    Price,
    Snapshot,
    Token,
    V2Pool,
    V3Pool,
    VaultState,
)
from bot.core.units import Bps, Liquidity, Money, Pips, Raw, SqrtPriceX96, Tick, Timestamp, Wei, to_raw_floor
from bot.policy.rules import Policy

USDC = Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6)
WETH = Token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18)
WBTC = Token("0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", "WBTC", 8)
PRICES = {USDC: Decimal(1), WETH: Decimal(3_000), WBTC: Decimal(90_000)}
VAULT = "0x00000000000000000000000000000000000000AA"
NOW = Timestamp(1_800_000_000)
FULL = 887_220  # a full range on spacings 10 and 60


def v3_pool(
    token0: Token = USDC,
    token1: Token = WETH,
    fee: int = 500,
    spacing: int = 10,
    money: int = 50_000_000,
    prices: dict[Token, Decimal] = PRICES,
    address: str = "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
) -> V3Pool:
    """A pool at the fair price holding `money` over the full range."""
    raw_price = prices[token0] / prices[token1] * Decimal(10) ** (token1.decimals - token0.decimals)
    sqrt_price = int(raw_price.sqrt() * 2**96)
    tick = tick_at_sqrt_ratio(sqrt_price)
    amount1 = to_raw_floor(Decimal(money) / 2 / prices[token1], token1.decimals)
    liquidity = (amount1 << 96) // sqrt_price
    edge = FULL // spacing * spacing
    return V3Pool(
        address,
        token0,
        token1,
        Pips(fee),
        spacing,
        SqrtPriceX96(sqrt_price),
        Tick(tick),
        Liquidity(liquidity),
        ((Tick(-edge), liquidity), (Tick(edge), -liquidity)),
        Tick(-edge),
        Tick(edge),
    )


def v2_pool(money: int = 20_000_000, prices: dict[Token, Decimal] = PRICES) -> V2Pool:
    """USDC/WETH at the fair price."""
    reserve0 = to_raw_floor(Decimal(money) / 2 / prices[USDC], 6)
    reserve1 = to_raw_floor(Decimal(money) / 2 / prices[WETH], 18)
    supply = Liquidity(math.isqrt(reserve0 * reserve1))
    return V2Pool("0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", USDC, WETH, Pips(3000), reserve0, reserve1, supply)


def pools(prices: dict[Token, Decimal] = PRICES) -> tuple[Pool, ...]:
    return (
        v3_pool(prices=prices),
        v3_pool(WBTC, USDC, 3000, 60, 30_000_000, prices, "0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35"),
        v3_pool(WBTC, WETH, 3000, 60, 60_000_000, prices, "0xCBCdF9626bC03E24f779434178A73a0B4bad62eD"),
        v2_pool(prices=prices),
    )


def history(rows: int = 200, daily: float = 0.03) -> tuple[tuple[float, ...], ...]:
    """Hourly closes of (USDC, WETH, WBTC): alternating steps whose daily volatility is `daily`; both coins together."""
    step = daily / math.sqrt(24)
    return tuple((1.0, 3_000 * math.exp(step * (i % 2)), 90_000 * math.exp(step * (i % 2))) for i in range(rows))


def vault_state(**changes: object) -> VaultState:
    state = VaultState(
        shares=10**24,
        sequence=7,
        paused=False,
        last_bundle=Timestamp(0),
        loss_used_bps=0.0,
        turnover_used_bps=0.0,
        limits=Limits(Bps(50), Bps(200), Bps(50_000), Bps(100), 60),
        corridors=((Bps(0), Bps(10_000)),) * 3,
        tokens=(USDC, WETH, WBTC),
        pools=tuple(p.address for p in pools()),
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def snapshot(
    units: tuple[str, str, str] = ("400000", "133.3333", "2.2222"),
    positions: tuple[Position, ...] = (),
    prices: dict[Token, Decimal] = PRICES,
    rows: tuple[tuple[float, ...], ...] | None = None,
    vault: VaultState | None = None,
    **changes: object,
) -> Snapshot:
    """A million dollars at 40 / 40 / 20 unless said otherwise; `units` are whole USDC, WETH, WBTC lying idle."""
    tokens = (USDC, WETH, WBTC)
    world = Snapshot(
        chain_id=1,
        account=VAULT,
        block=Block(24_000_000, "0x" + "ab" * 32, NOW, Wei(10**9)),
        prices=tuple(Price(t, Money(prices[t]), "test", NOW) for t in tokens),
        balances=tuple(Amount(t, to_raw_floor(Decimal(u), t.decimals)) for t, u in zip(tokens, units, strict=True)),
        positions=positions,
        pools=pools(prices),
        history=history() if rows is None else rows,
        history_step_s=3_600,
        gas=GasPrice(Wei(10**9), Wei(10**8)),
        ether=Money(prices[WETH]),
        vault=vault or vault_state(),
    )
    return replace(world, **changes)  # type: ignore[arg-type]


def range_position(pool: V3Pool, lower: int, upper: int, liquidity: int, fees: tuple[int, int] = (0, 0)) -> Position:
    return Position(
        f"{pool.address}:{lower}:{upper}",
        pool.address,
        Tick(lower),
        Tick(upper),
        Liquidity(liquidity),
        Raw(fees[0]),
        Raw(fees[1]),
    )


def policy(**changes: object) -> Policy:
    """40 / 40 / 20 without ranges."""
    return Policy.model_validate({"targets": {"USDC": 0.4, "WETH": 0.4, "WBTC": 0.2}, **changes})


def memory(**changes: object) -> Memory:
    return replace(Memory(), **changes)  # type: ignore[arg-type]


def at_price(tick: int, pool: V3Pool) -> V3Pool:
    """The same pool standing at another tick (no position crosses: full-range liquidity only)."""
    return replace(pool, sqrt_price_x96=SqrtPriceX96(sqrt_ratio_at_tick(tick)), tick=Tick(tick))
