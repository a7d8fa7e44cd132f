"""The nouns. Frozen, comparable, storable as JSON both ways; no I/O and no clocks."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.core.units import (
    ETHER_DECIMALS,
    NEVER,
    ZERO,
    Bps,
    Gas,
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

# ------------------------------------------------------------------ the world


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


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a token's price is published (Chainlink-shaped)."""

    token: Token
    address: str
    decimals: int
    max_age_s: int  # an older answer is stale


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


@dataclass(frozen=True, slots=True)
class VaultState:
    """What only a vault has."""

    shares: int  # total supply
    sequence: int  # a bundle must name it, so it runs at most once
    paused: bool
    last_bundle: Timestamp
    loss_used_bps: float
    turnover_used_bps: float
    limits: Limits
    corridors: tuple[tuple[Bps, Bps], ...]  # (least, most) weight of each token, in the order of `Snapshot.prices`
    tokens: tuple[Token, ...]  # the vault's registry, in its order
    pools: tuple[str, ...]  # the vault's registry, in its order


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known at one block: the only input from the world that a decision may use."""

    chain_id: int
    account: str  # the vault or wallet
    block: Block
    prices: tuple[Price, ...]  # the portfolio's tokens in the policy's order
    balances: tuple[Amount, ...]  # idle; the native coin, where held, comes last
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


# ------------------------------------------------------------------ what we would do, and why


@dataclass(frozen=True, slots=True)
class Reason:
    """The sentence a person reads, and the numbers behind it."""

    rule: str
    said: str
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Trade:
    """A wish, in money: no pool, no route, no calldata."""

    sell: Token
    buy: Token
    money: Money


@dataclass(frozen=True, slots=True)
class Shift:
    """A wish for a range: leave `position` (None: open a new one), hold [lower, upper] with `money` in it."""

    position: str | None
    pool: str
    tick_lower: Tick
    tick_upper: Tick
    money: Money  # zero: leave only


@dataclass(frozen=True, slots=True)
class Decision:
    """Wishes: no pool for a trade, no route."""

    act: bool
    reasons: tuple[Reason, ...]  # why we act, or why not
    weights: tuple[float, ...]  # now, positions looked through, order of `Snapshot.prices`
    targets: tuple[float, ...]  # the policy's
    aims: tuple[float, ...]  # where this action would bring the weights (targets, band edge or part of the way)
    band: float  # allowed absolute drift of a weight
    volatility: float  # of the portfolio, per square-root day
    correcting: bool  # hysteresis: a breach was met and the worst drift is not yet back inside the rest zone
    trades: tuple[Trade, ...]
    shifts: tuple[Shift, ...]
    gain: Money  # expected benefit
    cost: Money  # expected fees, impact and gas


@dataclass(frozen=True, slots=True)
class Swap:
    """Give exactly `give`; expect `expect`; accept no less than `least`."""

    pool: str
    give: Amount
    expect: Amount
    least: Raw
    kind: Literal["swap"] = "swap"


@dataclass(frozen=True, slots=True)
class AddLiquidity:
    """Mint `liquidity`; it is expected to take expect0/1 and may take no more than most0/1."""

    pool: str
    tick_lower: Tick
    tick_upper: Tick
    liquidity: Liquidity
    expect0: Raw
    expect1: Raw
    most0: Raw
    most1: Raw
    kind: Literal["add"] = "add"


@dataclass(frozen=True, slots=True)
class RemoveLiquidity:
    """Burn `liquidity` and collect it with all fees due; expect0/1 include the fees."""

    pool: str
    position: str
    tick_lower: Tick
    tick_upper: Tick
    liquidity: Liquidity  # zero: collect fees only
    expect0: Raw
    expect1: Raw
    least0: Raw
    least1: Raw
    kind: Literal["remove"] = "remove"


Step = Swap | AddLiquidity | RemoveLiquidity


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps of one atomic bundle: removals, then swaps, then additions."""

    steps: tuple[Step, ...]
    floors: tuple[Amount, ...]  # idle balances the vault must hold at the end
    sequence: int  # of the vault state it was made for
    deadline: Timestamp
    gas: Gas  # estimated


@dataclass(frozen=True, slots=True)
class Breach:
    """A guard's objection."""

    rule: str
    said: str
    severity: Literal["warn", "ask", "refuse"]


Verdict = Literal["idle", "go", "ask", "refuse"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What we would do now, and why: the pure result of (policy, memory, snapshot)."""

    policy: str  # version hash
    decision: Decision
    plan: Plan
    breaches: tuple[Breach, ...]

    @property
    def verdict(self) -> Verdict:
        """What happens with it."""
        severities = {b.severity for b in self.breaches}
        if not self.decision.act:
            return "idle"
        if "refuse" in severities:
            return "refuse"
        return "ask" if "ask" in severities else "go"


# ------------------------------------------------------------------ what happened


@dataclass(frozen=True, slots=True)
class Fill:
    """What step number `step` did: amounts that came in to the account are positive, given away negative."""

    step: int
    amount0: int  # of the pool's token0
    amount1: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a plan did, in a simulation or for real."""

    ok: bool
    tx: str | None  # None: a simulation
    block: int
    fills: tuple[Fill, ...]
    gas_used: Gas
    gas_price: Wei
    revert: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a position was entered with, as far as we know it: its first sight or our own addition."""

    position: str
    liquidity: Liquidity  # that the amounts stand for
    amount0: Raw
    amount1: Raw
    at: Timestamp

    def scaled(self, liquidity: Liquidity) -> "Entry":
        """The entry of the part that is left; rounded down."""
        if liquidity == self.liquidity:
            return self
        part0, part1 = (Raw(raw * liquidity // self.liquidity) for raw in (self.amount0, self.amount1))
        return Entry(self.position, liquidity, part0, part1, self.at)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the past leaves behind: a fold over the journal, never edited."""

    seen: Timestamp = NEVER  # chain time of the last snapshot
    last_bundle: Timestamp = NEVER
    correcting: bool = False  # see `Decision.correcting`
    ether: Money = ZERO  # price of the native coin when last seen
    traded: Money = ZERO  # what the last proposal's trades are worth; the next intent is about them
    peak: Money = ZERO  # highest value of one share (a wallet: of everything)
    day: int = 0  # days since 1970 of the two figures below
    traded_today: Money = ZERO
    gas_today: Money = ZERO
    failures: int = 0  # bundles in a row that failed
    open_intent: int | None = None  # sequence number of the intent row whose fate is not yet recorded
    open_plan: Plan | None = None  # what that intent would do
    open_money: Money = ZERO  # what its trades are worth
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the journal."""

    seq: int
    at: Timestamp
    cycle: int
    kind: str
    body: object
    hash: str
