"""What we would do, and why: decisions, plans, objections."""

from dataclasses import dataclass
from typing import Literal

from bot.core.types.world import Amount, Token
from bot.core.units import Gas, Liquidity, Money, Raw, Tick, Timestamp


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
    goes_on: bool  # the same once the aims are reached: this is only a part of the way
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
