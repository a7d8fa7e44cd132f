"""The world at one block, and the addresses that never change."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.core.units import (
    ETHER_DECIMALS,
    Bps,
    Liquidity,
    Money,
    Pips,
    Raw,
    SqrtPriceX96,
    Tick,
    Timestamp,
    Wei,
    to_units,
)


@dataclass(frozen=True, slots=True, order=True)
class Token:
    """One ERC-20 (or the native coin: symbol ETH, address zero)."""

    address: str  # checksummed
    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of one token, in its smallest unit."""

    token: Token
    raw: Raw

    def __add__(self, other: "Amount") -> "Amount":
        """Sum. ValueError when the tokens differ."""
        if self.token != other.token:
            raise ValueError(f"cannot add {other.token.symbol} to {self.token.symbol}")
        return Amount(self.token, Raw(self.raw + other.raw))

    @property
    def units(self) -> Decimal:
        """Whole units."""
        return to_units(self.raw, self.token.decimals)


NO_LEAST, NO_MOST = 0, 2**127  # bounds of a feed's answers that bound nothing


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a token's price is published (Chainlink-shaped)."""

    token: Token
    address: str
    decimals: int
    max_age_s: int  # an older answer is stale
    least: int = NO_LEAST  # raw answers: one there or below, or at `most` or above, is of a feed at its end
    most: int = NO_MOST


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What never changes about a pool we may use."""

    name: str  # "USDC/WETH-500", "USDC/WETH-v2"
    kind: Literal["v2", "v3"]
    address: str
    token0: Token
    token1: Token
    fee: Pips
    tick_spacing: int  # 0 for v2
    twap_window_s: int  # 0: no TWAP cross-check


@dataclass(frozen=True, slots=True)
class Market:
    """Where we trade: the addresses of one chain, checked at start."""

    chain_id: int
    tokens: tuple[Token, ...]
    feeds: tuple[Feed, ...]  # one per token, same order
    pools: tuple[PoolSpec, ...]
    wrapped: Token  # the native coin's ERC-20
    multicall3: str
    tick_lens: str
    v3_factory: str
    position_manager: str
    quoter_v2: str
    swap_router: str
    v2_factory: str
    v2_router: str

    def token(self, symbol: str) -> Token:
        """KeyError when the market does not list the symbol."""
        for token in self.tokens:
            if token.symbol == symbol:
                return token
        raise KeyError(symbol)

    def pool(self, name: str) -> PoolSpec:
        """KeyError when the market does not list the pool."""
        for pool in self.pools:
            if pool.name == name:
                return pool
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Block:
    """The block at which everything in a snapshot was read."""

    number: int
    hash: str
    timestamp: Timestamp
    base_fee: Wei


@dataclass(frozen=True, slots=True)
class Price:
    """Money for one whole unit of a token, from one source."""

    token: Token
    money: Money
    source: str
    at: Timestamp


@dataclass(frozen=True, slots=True)
class V2Pool:
    """A constant-product pair, enough to quote purely."""

    address: str
    token0: Token
    token1: Token
    fee: Pips
    reserve0: Raw
    reserve1: Raw
    supply: Liquidity  # of the LP token
    kind: Literal["v2"] = "v2"

    @property
    def name(self) -> str:
        """What the market and the policy call it."""
        return f"{self.token0.symbol}/{self.token1.symbol}-v2"


@dataclass(frozen=True, slots=True)
class V3Pool:
    """A concentrated-liquidity pool, enough to quote purely between `seen_lower` and `seen_upper`."""

    address: str
    token0: Token
    token1: Token
    fee: Pips
    tick_spacing: int
    sqrt_price_x96: SqrtPriceX96
    tick: Tick
    liquidity: Liquidity
    ticks: tuple[tuple[Tick, int], ...]  # (initialised tick, net liquidity), ascending
    seen_lower: Tick  # ticks are complete in [seen_lower, seen_upper]
    seen_upper: Tick
    kind: Literal["v3"] = "v3"

    @property
    def name(self) -> str:
        """What the market and the policy call it."""
        return f"{self.token0.symbol}/{self.token1.symbol}-{self.fee}"


Pool = V2Pool | V3Pool


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity that the account holds. V2: ticks are 0 and `liquidity` counts LP tokens."""

    id: str  # "<pool>:<lower>:<upper>" for the account's own, "nft:<id>" for a position-manager NFT, "<pool>" for V2
    pool: str
    tick_lower: Tick
    tick_upper: Tick
    liquidity: Liquidity
    fees0: Raw  # unclaimed, exact: owed plus what fee growth adds at this block
    fees1: Raw


@dataclass(frozen=True, slots=True)
class GasPrice:
    """What a unit of gas costs now: EIP-1559 base fee of the next block, and the tip we would pay."""

    base_fee: Wei
    tip: Wei

    def money(self, gas: int, ether: Money) -> Money:
        """Cost of `gas` units when one ether costs `ether`."""
        return Money(to_units(gas * (self.base_fee + self.tip), ETHER_DECIMALS) * ether)


@dataclass(frozen=True, slots=True)
class Limits:
    """The owner's limits as the vault enforces them; bps of NAV unless said otherwise."""

    bundle_loss_bps: Bps  # NAV loss of one bundle
    day_loss_bps: Bps  # leaky bucket over a day
    day_turnover_bps: Bps  # leaky bucket over a day
    deviation_bps: Bps  # spot (and TWAP) against oracle
    cooldown_s: int


LOCKED_SHARES = 10**6  # there from the beginning, and nobody's for ever (contracts/modules/share.vy)


@dataclass(frozen=True, slots=True)
class VaultState:
    """What only a vault has."""

    shares: int  # total supply, with the management fee that is due
    sequence: int  # a bundle must name it, so it runs at most once
    paused: bool
    last_bundle: Timestamp
    loss_used_bps: float
    turnover_used_bps: float
    limits: Limits
    corridors: tuple[tuple[Bps, Bps], ...]  # (least, most) weight of each token, in the order of `Snapshot.prices`
    tokens: tuple[Token, ...]  # the vault's registry, in its order
    pools: tuple[str, ...]  # the vault's registry, in its order
    windows: tuple[int, ...] = ()  # of each pool's mean over time (s); 0: the vault asks for none

    @property
    def empty(self) -> bool:
        """Whether nobody holds a share: what lies there is dust that the last to leave could not be paid."""
        return self.shares <= LOCKED_SHARES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known at one block: the only input from the world that a decision may use."""

    chain_id: int
    account: str  # the vault or wallet
    block: Block
    prices: tuple[Price, ...]  # the portfolio's tokens in the policy's order
    balances: tuple[
        Amount, ...
    ]  # idle and nobody else's (may be below 0, see venues.vault); the native coin comes last
    positions: tuple[Position, ...]
    pools: tuple[Pool, ...]
    history: tuple[tuple[float, ...], ...]  # (T, N) closes, oldest first, columns as `prices`
    history_step_s: int  # seconds between two rows of `history`
    gas: GasPrice
    ether: Money  # price of one native coin
    vault: VaultState | None = None

    def price(self, token: Token) -> Money:
        """Money for one whole unit. KeyError when the token was not observed."""
        for price in self.prices:
            if price.token == token:
                return price.money
        raise KeyError(token.symbol)

    def value(self, amount: Amount) -> Money:
        """Money for an amount. KeyError when its token was not observed."""
        return Money(amount.units * self.price(amount.token))

    def pool(self, address: str) -> Pool:
        """The pool at an address. KeyError when it was not observed."""
        for pool in self.pools:
            if pool.address == address:
                return pool
        raise KeyError(address)
