"""One live turn of the loop: settle, observe, propose, simulate, execute, reconcile, record."""

from bot.core.errors import ChainError, DataError
from bot.core.ports import Executor, Journal, Notifier, Observer
from bot.core.rows import Note, Skip
from bot.core.types import Outcome, Proposal, Snapshot
from bot.execution.reconcile import reconcile
from bot.policy.rules import Policy
from bot.propose import propose


async def run_cycle(
    policy: Policy,
    observer: Observer,
    executor: Executor,
    journal: Journal,
    notifier: Notifier,
    *,
    cycle: int,
    approved: bool = False,
    dry_run: bool = False,
) -> tuple[Proposal, Outcome | None]:
    """Run one turn; what was proposed, and what came of it (None: nothing was tried). `approved`: a person said yes.

    DataError and ChainError are recorded as a skipped cycle and raised again. The plan names the vault's sequence
    number, so it runs at most once, whatever is retried.
    """
    outcome = None
    try:
        if not dry_run and (settled := await executor.settle()) is not None:
            await journal.append(cycle, "outcome", settled)
        snapshot = await observer.observe()
        proposal = propose(policy, await journal.memory(), snapshot)
        await journal.append(cycle, "cycle", (snapshot, proposal))
        if proposal.verdict == "go" or (proposal.verdict == "ask" and approved):
            outcome = await _carry_out(proposal, snapshot, executor, journal, cycle, dry_run)
    except (DataError, ChainError) as error:
        await journal.append(cycle, "skip", Skip(type(error).__name__, str(error)))
        raise
    if proposal.verdict != "idle":
        await notifier.tell(proposal, outcome)
    return proposal, outcome


async def _carry_out(
    proposal: Proposal, snapshot: Snapshot, executor: Executor, journal: Journal, cycle: int, dry_run: bool
) -> Outcome:
    outcome = await executor.simulate(proposal.plan, snapshot)
    await journal.append(cycle, "rehearsal" if dry_run else "simulation", outcome)
    if outcome.ok and not dry_run:
        outcome = await executor.submit(proposal.plan, snapshot)
        await journal.append(cycle, "outcome", outcome)
    await journal.append(cycle, "note", Note(reconcile(proposal.plan, snapshot, outcome).said))
    return outcome
