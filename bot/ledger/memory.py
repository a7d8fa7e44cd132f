"""The fold: what the past leaves behind, one journal row at a time."""

from dataclasses import replace
from decimal import localcontext

from bot.core.rows import Intent
from bot.core.types import AddLiquidity, Entry, Memory, Outcome, Plan, Proposal, Snapshot
from bot.core.units import MONEY, ZERO, Liquidity, Money, Raw, Timestamp
from bot.decision.standing import unit_value
from bot.ledger.profit import entry_of

DAY_S = 86_400


def remember(memory: Memory, seq: int, kind: str, body: object) -> Memory:
    """The memory after one journal row; rows that change nothing leave it as it is."""
    with localcontext(MONEY):
        return _remember(memory, seq, kind, body)


def _remember(memory: Memory, seq: int, kind: str, body: object) -> Memory:
    match kind, body:
        case "cycle", (Snapshot() as snapshot, Proposal() as proposal):
            return saw(memory, snapshot, proposal)
        case "intent", Intent(plan=plan):
            return meant(memory, seq, plan)
        case "simulation", Outcome(ok=False):
            return replace(memory, failures=memory.failures + 1)
        case "outcome", Outcome() as outcome:
            return settled(memory, outcome)
        case _:
            return memory


def saw(memory: Memory, snapshot: Snapshot, proposal: Proposal) -> Memory:
    """After a cycle: peak, hysteresis, and the entries of positions that came, shrank or went."""
    return replace(
        memory,
        seen=snapshot.block.timestamp,
        peak=max(memory.peak, unit_value(snapshot)),
        correcting=proposal.decision.correcting,
        goes_on=proposal.decision.goes_on,
        traded=Money(sum((t.money for t in proposal.decision.trades), ZERO)),
        ether=snapshot.ether,
        entries=tuple(entry_of(memory, snapshot, position) for position in snapshot.positions),
    )


def meant(memory: Memory, seq: int, plan: Plan) -> Memory:
    """After an intent: it is open until an outcome settles it."""
    return replace(memory, open_intent=seq, open_plan=plan, open_money=memory.traded)


def settled(memory: Memory, outcome: Outcome) -> Memory:
    """After the outcome of the open intent: counters, the last bundle, and entries of what was added."""
    at = memory.seen
    day = at // DAY_S
    today = memory if memory.day == day else replace(memory, day=day, traded_today=ZERO, gas_today=ZERO)
    gas = Money(outcome.gas_used * outcome.gas_price * memory.ether / 10**18)
    closed = replace(today, gas_today=Money(today.gas_today + gas), open_intent=None, open_plan=None, open_money=ZERO)
    if not outcome.ok:
        return replace(closed, failures=memory.failures + 1)
    return replace(
        closed,
        failures=0,
        correcting=memory.goes_on,
        last_bundle=at,
        traded_today=Money(today.traded_today + memory.open_money),
        entries=_with_added(memory, outcome, at),
    )


def _with_added(memory: Memory, outcome: Outcome, at: Timestamp) -> tuple[Entry, ...]:
    """Entries as remembered plus exactly what each addition took."""
    entries = {e.position: e for e in memory.entries}
    steps = memory.open_plan.steps if memory.open_plan else ()
    for fill in outcome.fills:
        step = steps[fill.step]
        if not isinstance(step, AddLiquidity):
            continue
        key = f"{step.pool}:{step.tick_lower}:{step.tick_upper}"
        old = entries.get(key, Entry(key, Liquidity(0), Raw(0), Raw(0), at))
        entries[key] = Entry(
            key,
            Liquidity(old.liquidity + step.liquidity),
            Raw(old.amount0 - fill.amount0),
            Raw(old.amount1 - fill.amount1),
            old.at,
        )
    return tuple(entries.values())
