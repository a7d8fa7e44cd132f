"""The configuration file as types: every key with its unit and bounds. Unknown keys are refused."""

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from eth_utils.address import is_address, is_checksum_address, to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.core.types.world import NO_LEAST, NO_MOST
from bot.core.units import ONE_BPS, to_raw_ceil, to_raw_floor
from bot.policy.rules import Policy

FEE_TO_SPACING = {100: 1, 500: 10, 3_000: 60, 10_000: 200}  # Uniswap V3 factory, feeAmountTickSpacing
MOST_TOKENS, MOST_POOLS = 8, 16  # contracts/modules/layout.vy; bounds of decimals, ages and fees: contracts/Charter.vy


class Section(BaseModel):
    """Checked once, at the edge; frozen after; nothing is converted silently."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def fault(at: str, expected: str, found: object) -> PydanticCustomError:
    """A fault of the key `at` (below the section that raises it), said as every other fault is."""
    return PydanticCustomError(
        "fault", "expected {expected}, found {found}", {"at": at, "expected": expected, "found": found}
    )


def unknown(at: str, name: str, known: Iterable[str], of: str) -> PydanticCustomError:
    """A fault: `name` is none of the names that `of` lists; with a suggestion when one is near."""
    near = get_close_matches(name, known := list(known), n=1)
    return fault(
        at, f"a name of {of} ({', '.join(known)})", repr(name) + (f"; did you mean {near[0]!r}?" if near else "")
    )


def _checksummed(address: str) -> str:
    if not is_address(address):
        raise fault("", "an address (0x and 40 hexadecimal digits)", repr(address))
    if not is_checksum_address(address):
        raise fault("", f"the checksummed form {to_checksum_address(address)}", repr(address))
    return address


def _split(urls: object) -> object:
    if isinstance(urls, str):
        return tuple(url.strip() for url in urls.split(","))
    return tuple(urls) if isinstance(urls, list) else urls


def _numbers_are_not_addresses(address: object) -> object:
    if isinstance(address, int) and not isinstance(address, bool):
        raise fault("", "an address in quotes", f"the number {address}; without quotes YAML reads 0x... as a number")
    return address


Address = Annotated[str, AfterValidator(_checksummed), BeforeValidator(_numbers_are_not_addresses)]
Bps = Annotated[int, Field(ge=0, le=ONE_BPS)]
Price = Annotated[Decimal, Field(strict=False, allow_inf_nan=False)]  # YAML has no decimals, only floats and texts
Corridor = Annotated[tuple[Bps, Bps], Field(description="least and most weight (bps of the vault's value)")]


class Chain(Section):
    """The node."""

    id: int = Field(1, ge=1, description="chain id; the node must answer the same")
    rpc: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        min_length=1, description="JSON-RPC addresses (http or https), in order of preference"
    )
    timeout_s: float = Field(10.0, gt=0, le=120, description="longest wait for one answer (seconds)")
    max_block_age_s: int | None = Field(
        None, ge=15, le=86_400, description="an older newest block: the node lags (seconds); null: not asked"
    )

    @field_validator("rpc")
    @classmethod
    def _http(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for i, url in enumerate(urls):
            if not url.startswith(("http://", "https://")):
                raise fault(str(i), "an address that begins with http:// or https://", f"{url.partition(':')[0]!r}")
        return urls


class TokenEntry(Section):
    """One token and where its price is published."""

    address: Address = Field(description="ERC-20 contract (checksummed)")
    decimals: int = Field(ge=0, le=24, description="decimals of the token (checked against the contract)")
    feed: Address = Field(description="Chainlink-shaped price feed against the policy's numeraire (checksummed)")
    feed_decimals: int = Field(8, ge=6, le=18, description="decimals of the feed's answers (checked against the feed)")
    max_age_s: int = Field(gt=0, le=172_800, description="an older answer of the feed is stale (seconds)")
    least_price: Price | None = Field(
        None, ge=0, description="a price there or below is of a feed at its end, and none (money); null: not asked"
    )
    most_price: Price | None = Field(
        None, gt=0, description="a price there or above is of a feed at its end, and none (money); null: not asked"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        least, most = self.answers()
        if least >= most:
            raise fault("most_price", f"more than least_price ({self.least_price})", self.most_price)
        return self

    def answers(self) -> tuple[int, int]:
        """The feed's raw answers between which a price must lie, as `Feed` has them."""
        least, most = self.least_price, self.most_price
        return (
            NO_LEAST if least is None else to_raw_floor(least, self.feed_decimals),
            NO_MOST if most is None else to_raw_ceil(most, self.feed_decimals),
        )


class PoolEntry(Section):
    """One pool that may be used."""

    kind: Literal["v2", "v3"] = Field(description="Uniswap v2 pair or v3 pool")
    address: Address = Field(description="the pool's contract (checksummed)")
    tokens: tuple[str, str] = Field(description="symbols of its two tokens, in any order")
    fee: int = Field(gt=0, le=100_000, description="swap fee (pips, 1/1,000,000)")
    tick_spacing: int | None = Field(None, ge=1, le=16_384, description="v3 only (ticks); by default that of the fee")
    twap_window_s: int = Field(
        0, ge=0, le=86_400, description="v3 only: time average compared with the feed (seconds); 0: none"
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.tokens[0] == self.tokens[1]:
            raise fault("tokens", "two different symbols", f"{self.tokens[0]} twice")
        if self.kind == "v3" and self.tick_spacing is None and self.fee not in FEE_TO_SPACING:
            raise fault("tick_spacing", f"a number, since the fee is none of {list(FEE_TO_SPACING)}", "nothing")
        for key in ("tick_spacing", "twap_window_s"):
            if self.kind == "v2" and getattr(self, key):
                raise fault(key, "nothing (a v2 pair has none)", getattr(self, key))
        return self

    @property
    def spacing(self) -> int:
        """Tick spacing; 0 for a v2 pair."""
        return 0 if self.kind == "v2" else self.tick_spacing or FEE_TO_SPACING[self.fee]


class MarketSection(Section):
    """Where we trade: contracts of one chain, all checked against it at start."""

    multicall3: Address = Field(description="Multicall3 (checksummed)")
    tick_lens: Address = Field(description="Uniswap V3 TickLens (checksummed)")
    v3_factory: Address = Field(description="Uniswap V3 factory (checksummed)")
    position_manager: Address = Field(description="Uniswap V3 NonfungiblePositionManager (checksummed)")
    quoter_v2: Address = Field(description="Uniswap V3 QuoterV2 (checksummed)")
    swap_router: Address = Field(description="Uniswap SwapRouter02 (checksummed)")
    v2_factory: Address = Field(description="Uniswap V2 factory (checksummed)")
    v2_router: Address = Field(description="Uniswap V2 Router02 (checksummed)")
    wrapped: str = Field(description="symbol of the native coin's ERC-20")
    tokens: dict[str, TokenEntry] = Field(min_length=1, description="tokens by symbol")
    pools: dict[str, PoolEntry] = Field(default_factory=dict, description="pools by name")

    @model_validator(mode="after")
    def _refers_to_its_own(self) -> Self:
        if self.wrapped not in self.tokens:
            raise unknown("wrapped", self.wrapped, self.tokens, "market.tokens")
        for name, pool in self.pools.items():
            for i, symbol in enumerate(pool.tokens):
                if symbol not in self.tokens:
                    raise unknown(f"pools.{name}.tokens.{i}", symbol, self.tokens, "market.tokens")
            if name != (right := self.pool_name(pool)):
                raise fault(f"pools.{name}", f"the name {right!r} (token0/token1-fee, as on chain)", repr(name))
        _unique("tokens", self.tokens)
        _unique("pools", self.pools)
        return self

    def sorted_tokens(self, pool: PoolEntry) -> tuple[str, str]:
        """Symbols of token0 and token1: a Uniswap pool orders its tokens by address."""
        first, second = sorted(pool.tokens, key=lambda symbol: int(self.tokens[symbol].address, 16))
        return first, second

    def pool_name(self, pool: PoolEntry) -> str:
        """What policy, journal and console call the pool."""
        return f"{'/'.join(self.sorted_tokens(pool))}-{pool.fee if pool.kind == 'v3' else 'v2'}"


def _unique(section: str, entries: dict[str, TokenEntry] | dict[str, PoolEntry]) -> None:
    first: dict[str, str] = {}
    for name, entry in entries.items():
        if entry.address in first:
            raise fault(f"{section}.{name}.address", "an address of its own", f"that of {first[entry.address]}")
        first[entry.address] = name


class Account(Section):
    """What the bot looks after: a vault, or (to look only) a wallet. Neither before deployment."""

    vault: Address | None = Field(None, description="the vault (checksummed)")
    wallet: Address | None = Field(None, description="a wallet to watch; the bot trades through a vault only")
    zap: Address | None = Field(
        None, description="Zap of this vault (checksummed): in and out in one token; checked before each use"
    )
    lens: Address | None = Field(
        None, description="Lens (checksummed): shows the vault to people and programs; of ours only doctor asks it"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.vault and self.wallet:
            raise fault("wallet", "a vault or a wallet, not both", "both")
        return self


class JournalSection(Section):
    """The append-only truth."""

    url: str = Field(
        "sqlite+aiosqlite:///evenkeel.db",
        pattern=r"^(sqlite\+aiosqlite|postgresql\+psycopg)://",
        description="SQLAlchemy address; a relative SQLite path starts at the directory of the file that says it",
    )


class History(Section):
    """Past prices for the volatility estimate."""

    file: Path | None = Field(None, description="CSV or Parquet of past closes; none: only what the journal remembers")
    step_s: int = Field(3_600, ge=1, le=604_800, description="time between two rows (seconds)")
    rows: int = Field(336, ge=3, le=100_000, description="rows used, newest last (count)")


class Execution(Section):
    """How transactions are sent. What may be paid for gas is the policy's (guards.gas_price_gwei)."""

    tip_percentile: float = Field(
        50.0, ge=0, le=100, description="priority fee: this percentile of recent ones (per cent)"
    )
    timeout_s: float = Field(120.0, ge=5, le=3_600, description="longest wait for a receipt (seconds)")
    poll_s: float = Field(0.5, ge=0.05, le=60, description="wait between two looks for a receipt (seconds)")


class Schedule(Section):
    """When a cycle runs."""

    every_s: int | None = Field(None, ge=1, le=604_800, description="time between two starts (seconds)")
    cron: str | None = Field(None, description="five-field crontab line, in UTC, instead of every_s")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.every_s is None) == (self.cron is None):
            raise fault("", "either every_s or cron (null unsets one)", "both" if self.cron else "neither")
        return self

    @field_validator("cron")
    @classmethod
    def _crontab(cls, line: str | None) -> str | None:
        if line is not None:
            from bot.daemon import crontab  # imports the scheduler: slow, and rarely needed

            try:
                crontab(line)
            except ValueError as e:
                raise fault("", 'a crontab line such as "*/10 * * * *"', f"{line!r} ({e})") from None
        return line


class Key(Section):
    """Where the signing key is; never the key itself. Without this section nothing is ever sent."""

    keystore: Path | None = Field(None, description="encrypted JSON keystore file")
    password_file: Path | None = Field(None, description="file with the keystore's password on its first line")
    environment: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="NAME of the environment variable that holds the key"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.keystore is None) == (self.environment is None):
            raise fault("", "either keystore or environment (null unsets one)", "both" if self.keystore else "neither")
        if (self.keystore is None) != (self.password_file is None):
            raise fault("password_file", "keystore and password_file together", "one without the other")
        return self


class VaultLimits(Section):
    """What the vault enforces against its keeper, on chain; the upper bounds here are those in its code."""

    bundle_loss_bps: int = Field(ge=0, le=200, description="most one bundle may lose (bps of the vault's value)")
    day_loss_bps: int = Field(ge=0, le=500, description="most lost in a day, leaky bucket (bps of the vault's value)")
    day_turnover_bps: int = Field(
        ge=0,
        le=200_000,
        description="most sold or put into positions in a day, leaky bucket (bps of the vault's value)",
    )
    deviation_bps: int = Field(
        ge=0, le=500, description="most a pool's spot may stand off the feeds, and off its own time average (bps)"
    )
    cooldown_s: int = Field(ge=0, le=604_800, description="least time between two bundles (seconds)")


class VaultSection(Section):
    """How a new vault is set up by `evenkeel vault deploy`."""

    name: str = Field(min_length=1, max_length=32, description="name of the share token")
    symbol: str = Field(min_length=1, max_length=32, description="symbol of the share token")
    tokens: tuple[str, ...] = Field(min_length=1, max_length=MOST_TOKENS, description="symbols, in the vault's order")
    pools: tuple[str, ...] = Field(max_length=MOST_POOLS, description="pool names, in the vault's order")
    keeper: Address | None = Field(None, description="may execute bundles; by default the deployer")
    guardian: Address | None = Field(None, description="may pause; by default the deployer")
    sequencer: Address | None = Field(
        None, description="feed that says whether an L2's sequencer is up (checksummed); null: not asked"
    )
    delay_s: int = Field(86_400, ge=3_600, le=2_592_000, description="wait before a widening change applies (seconds)")
    limits: VaultLimits = Field(description="limits the keeper cannot pass")
    corridors: dict[str, Corridor] = Field(description="least and most weight of each token (bps)")

    @model_validator(mode="after")
    def _corridors_fit(self) -> Self:
        if set(self.corridors) != set(self.tokens):
            raise fault("corridors", f"one corridor for each of {list(self.tokens)}", list(self.corridors))
        for symbol, (least, most) in self.corridors.items():
            if least >= most:
                raise fault(f"corridors.{symbol}", "[least, most] with least below most", [least, most])
        lows, highs = (sum(c[i] for c in self.corridors.values()) for i in (0, 1))
        if not lows <= ONE_BPS <= highs:
            raise fault(
                "corridors", f"least weights to sum to at most {ONE_BPS} and most weights to at least", [lows, highs]
            )
        return self


class Config(Section):
    """Everything one bot needs to know."""

    chain: Chain = Field(description="the node")
    market: MarketSection = Field(description="tokens, feeds, pools and Uniswap's contracts")
    account: Account = Field(default_factory=Account, description="what is looked after")
    policy: Path = Field(description="the policy file; relative to the file that says it")
    journal: JournalSection = Field(default_factory=JournalSection, description="where every step is recorded")
    history: History = Field(default_factory=History, description="past prices")
    execution: Execution = Field(default_factory=Execution, description="how transactions are sent")
    schedule: Schedule = Field(default_factory=lambda: Schedule(every_s=300), description="when a cycle runs")
    key: Key | None = Field(None, description="where the signing key is; without it every run is a dry run")
    vault: VaultSection | None = Field(None, description="how a new vault is set up")

    @model_validator(mode="after")
    def _vault_is_in_the_market(self) -> Self:
        tokens, pools = self.market.tokens, self.market.pools
        for i, symbol in enumerate(self.vault.tokens if self.vault else ()):
            if symbol not in tokens:
                raise unknown(f"vault.tokens.{i}", symbol, tokens, "market.tokens")
        for i, name in enumerate(self.vault.pools if self.vault else ()):
            if name not in pools:
                raise unknown(f"vault.pools.{i}", name, pools, "market.pools")
            if self.vault and not set(pools[name].tokens) <= set(self.vault.tokens):
                raise fault(f"vault.pools.{i}", f"a pool between tokens of the vault {list(self.vault.tokens)}", name)
        return self


def json_schema() -> dict[str, Any]:
    """JSON Schema of the configuration file, for editors; kept in config/config.schema.json."""
    return Config.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def policy_schema() -> dict[str, Any]:
    """JSON Schema of the policy file, for editors; kept in config/policy.schema.json."""
    return Policy.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
