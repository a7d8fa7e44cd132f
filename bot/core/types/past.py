"""What happened, and what is remembered of it."""

from dataclasses import dataclass

from bot.core.types.wishes import Plan
from bot.core.units import NEVER, ZERO, Gas, Liquidity, Money, Raw, Timestamp, Wei


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
    goes_on: bool = False  # see `Decision.goes_on`; what `correcting` becomes when the bundle has run
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
