"""What the bot did and why, in sentences, from the rows of one cycle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.cli.report import equity, moment, verdict_line
from bot.core.rows import Approval, Attempt, Intent, Note, Skip
from bot.core.types import (
    AddLiquidity,
    Amount,
    Outcome,
    Plan,
    Pool,
    Proposal,
    Record,
    RemoveLiquidity,
    Snapshot,
    Step,
    Swap,
)
from bot.core.units import Money, Raw, to_units

DRY = "This was a dry run: nothing was sent."
HELD_BACK = ("cool-down", "too small", "cost")  # rules that say why not, after those that say why


@dataclass(frozen=True, slots=True)
class Tense:
    """How a proposal is told."""

    worth: str
    idle: str
    held_back: str
    acts: str
    expected: str
    warned: str
    refused: str


PAST = Tense(
    worth="was",
    idle="It did nothing",
    held_back="But for that it would have acted",
    acts="It wanted to rebalance",
    expected="That was expected to",
    warned="It was warned",
    refused="A limit refused it",
)
NOW = Tense(
    worth="is",
    idle="It would do nothing",
    held_back="But for that it would act",
    acts="It would rebalance",
    expected="That is expected to",
    warned="It would be warned",
    refused="A limit would refuse it",
)


def tell(records: Sequence[Record]) -> list[str]:
    """One sentence or more for every row, in order."""
    seen: Snapshot | None = None
    said: list[str] = []
    for record in _asked_before_answered(records):
        match record.body:
            case (Snapshot() as seen, Proposal() as proposal):
                said += proposed(record.cycle, seen, proposal)
            case Skip(error=error, said=why):
                said.append(f"At {moment(record.at)} cycle {record.cycle} could not be finished ({error}): {why}.")
            case Intent(plan=plan, nonce=nonce):
                said.append(
                    f"It signed a bundle of {_steps(plan)} for the vault's sequence {plan.sequence}, nonce {nonce}."
                )
            case Attempt(tx=tx):
                said.append(f"It sent transaction {tx}.")
            case Outcome() as outcome:
                said.append(happened(outcome, seen, _plan_of(records)))
            case Approval() as answer:
                said.append(answered(answer))
            case Note(said=note):
                said.append(f"{note[:1].upper()}{note[1:].rstrip('.')}.")
    return [*said, DRY] if any(record.kind == "rehearsal" for record in records) else said


def _asked_before_answered(records: Sequence[Record]) -> list[Record]:
    """In order, but that an answer stands after what it answers: it is written down before the cycle is."""
    asked = next((i for i, record in enumerate(records) if record.kind == "cycle"), 0)
    early = [record for record in records[:asked] if isinstance(record.body, Approval)]
    return [*(r for r in records[:asked] if r not in early), *records[asked : asked + 1], *early, *records[asked + 1 :]]


def proposed(cycle: int, snapshot: Snapshot, proposal: Proposal) -> list[str]:
    """What was seen, what was decided and why."""
    return _proposal(f"Cycle {cycle} looked at block", PAST, snapshot, proposal)


def planned(snapshot: Snapshot, proposal: Proposal) -> list[str]:
    """What is seen, what would be decided and why."""
    return _proposal("At block", NOW, snapshot, proposal)


def answered(answer: Approval) -> str:
    """What a person answered, and how."""
    return f"{answer.by} {'approved' if answer.granted else 'declined'} it{': ' if answer.said else ''}{answer.said}."


def _proposal(start: str, tense: Tense, snapshot: Snapshot, proposal: Proposal) -> list[str]:
    decision, block = proposal.decision, snapshot.block
    said = [
        f"{start} {block.number} ({moment(block.timestamp)}): "
        f"the portfolio {tense.worth} worth {equity(snapshot):,.2f}."
    ]
    *reasons, last = (reason.said for reason in decision.reasons) if decision.reasons else ("nothing was asked for",)
    why = "; ".join([*reasons, last])
    if proposal.verdict == "idle":
        if not reasons or decision.reasons[-1].rule not in HELD_BACK:
            return [*said, f"{tense.idle}, because {why}."]
        return [*said, f"{tense.idle}, because {last}.", f"{tense.held_back}: {'; '.join(reasons)}."]
    said.append(f"{tense.acts}, because {why}.")
    if decision.volatility:
        said.append(f"{tense.expected} be worth {decision.gain:,.2f} and to cost {decision.cost:,.2f}.")
    else:
        said.append(f"{tense.expected} cost {decision.cost:,.2f}; without price history its worth is unknown.")
    said += [f"{_step(step, snapshot)}." for step in proposal.plan.steps]
    objections = {"warn": tense.warned, "ask": "A person must approve it", "refuse": tense.refused}
    return said + [
        f"{objections[breach.severity]}: {breach.said} (rule {breach.rule})." for breach in proposal.breaches
    ]


def happened(outcome: Outcome, snapshot: Snapshot | None, plan: Plan | None) -> str:
    """How a simulation or a transaction ended."""
    what = f"Transaction {outcome.tx} in block {outcome.block}" if outcome.tx else "The simulation"
    if not outcome.ok:
        return f"{what} failed: {outcome.revert or 'no reason was given'}."
    gas = f"used {outcome.gas_used:,} gas at {to_units(outcome.gas_price, 9):.3f} gwei"
    if snapshot is not None and outcome.tx:
        gas += f", {to_units(outcome.gas_used * outcome.gas_price, 18) * snapshot.ether:,.2f} at its price"
    if snapshot is None or plan is None:
        return f"{what} succeeded and {gas}."
    moved = (_moved(snapshot.pool(plan.steps[fill.step].pool), fill.amount0, fill.amount1) for fill in outcome.fills)
    return f"{what} succeeded and {gas}: {'; '.join(moved) or 'nothing moved'}."


def _plan_of(records: Iterable[Record]) -> Plan | None:
    return next(
        (r.body[1].plan for r in records if isinstance(r.body, tuple) and isinstance(r.body[1], Proposal)), None
    )


def _steps(plan: Plan) -> str:
    return f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}"


def _step(step: Step, snapshot: Snapshot) -> str:
    pool = snapshot.pool(step.pool)
    match step:
        case Swap(give=give, expect=expect, least=least):
            least_got = amount_words(Amount(expect.token, least))
            return f"Swap {amount_words(give)} for {amount_words(expect)} (at least {least_got}) on {pool.name}"
        case AddLiquidity(tick_lower=lower, tick_upper=upper, expect0=raw0, expect1=raw1):
            return f"Add {_pair(pool, raw0, raw1)} to {pool.name}{_range(lower, upper)}"
        case RemoveLiquidity(tick_lower=lower, tick_upper=upper, expect0=raw0, expect1=raw1):
            return f"Take {_pair(pool, raw0, raw1)} out of {pool.name}{_range(lower, upper)}"


def _moved(pool: Pool, amount0: int, amount1: int) -> str:
    parts = ((pool.token0, amount0), (pool.token1, amount1))
    came = [amount_words(Amount(token, Raw(raw))) for token, raw in parts if raw > 0]
    went = [amount_words(Amount(token, Raw(-raw))) for token, raw in parts if raw < 0]
    told = [f"gave {' and '.join(went)}"] * bool(went) + [f"got {' and '.join(came)}"] * bool(came)
    return f"on {pool.name} it {' and '.join(told) or 'moved nothing'}"


def _pair(pool: Pool, raw0: int, raw1: int) -> str:
    return f"{amount_words(Amount(pool.token0, Raw(raw0)))} and {amount_words(Amount(pool.token1, Raw(raw1)))}"


def amount_words(amount: Amount) -> str:
    """Whole units to at most six decimals, and the symbol."""
    return f"{amount.units:,.6f}".rstrip("0").rstrip(".") + f" {amount.token.symbol}"


def _range(lower: int, upper: int) -> str:
    return f" between ticks {lower} and {upper}" if lower < upper else ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One cycle in short. `equity` and `drift` are None when the cycle saw nothing."""

    cycle: int
    at: str
    what: str
    equity: Money | None
    drift: float | None  # of the weight farthest from its target
    gas: int
    tx: str | None

    @property
    def figures(self) -> tuple[str, str, str]:
        """Worth, drift and gas as people read them."""
        worth = "-" if self.equity is None else f"{self.equity:,.2f}"
        return worth, "-" if self.drift is None else f"{self.drift:.2%}", f"{self.gas:,}" if self.gas else "-"


def in_short(records: Sequence[Record]) -> Turn:
    """One line about a cycle."""
    first = records[0]
    what, gas = "not finished", 0
    worth: Money | None = None
    drift: float | None = None
    tx: str | None = None
    for record in records:
        match record.body:
            case (Snapshot() as snapshot, Proposal() as proposal):
                decision = proposal.decision
                what, worth = verdict_line(proposal), equity(snapshot)
                drift = max(abs(w - t) for w, t in zip(decision.weights, decision.targets, strict=True))
            case Skip(error=error):
                what = f"skipped: {error}"
            case Outcome(ok=ok) if record.kind in ("simulation", "rehearsal"):
                what = "simulated" if ok else "simulation failed"
            case Outcome(ok=ok, tx=tx, gas_used=gas):
                what = "rebalanced" if ok else "bundle failed"
    return Turn(first.cycle, moment(first.at), what, worth, drift, gas, tx)
