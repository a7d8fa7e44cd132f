"""`evenkeel run` and `evenkeel rebalance`: the verbs that may send bundles."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson, Files, Yes, confirm, logging, settings

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.rows import Approval
    from bot.core.types import Proposal

Approve = Annotated[
    bool, typer.Option("--approve", help="Approve what the policy says a person must; --yes does not answer for that.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Simulate and record; send nothing, even with a key.")]


def run(context: typer.Context, files: Files = None, dry_run: DryRun = False) -> None:
    """Keep the portfolio on an even keel until Ctrl-C or SIGTERM. Without a key it only says what it would do."""
    import asyncio

    logging(context)
    asyncio.run(_run(settings(files), dry_run))


def rebalance(
    context: typer.Context,
    files: Files = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    approve: Approve = False,
    as_json: AsJson = False,
) -> None:
    """Run one cycle now, after asking. What is sent is what was shown. Without a key it is a dry run."""
    import asyncio

    logging(context, quiet=True)
    asyncio.run(_rebalance(settings(files), dry_run, yes, approve, as_json))


async def _run(config: "Config", dry_run: bool) -> None:
    from bot.config.wiring import build
    from bot.daemon import Daemon, crontab, every

    async with build(config, act=not dry_run) as parts:
        when = config.schedule
        trigger = crontab(when.cron) if when.cron else every(when.every_s or 0)
        await Daemon(parts.turn, parts.record, trigger).run()


async def _rebalance(config: "Config", dry_run: bool, yes: bool, approve: bool, as_json: bool) -> None:
    from bot.cli.show import emit, lines, say
    from bot.cli.story import DRY, answered, happened, proposed
    from bot.config.adapters import Silent
    from bot.config.wiring import build
    from bot.core.errors import Refused, Reverted

    async with build(config, act=not dry_run, notifier=Silent()) as parts:  # this verb tells all of it itself
        snapshot, proposal = await parts.look()
        cycle = await parts.journal.last_cycle() + 1
        sends = parts.live and proposal.verdict in ("go", "ask")
        asks = sends and not (yes and (approve or proposal.verdict == "go"))
        shown = proposed(cycle, snapshot, proposal) if asks else []
        for sentence in shown:
            say(sentence)
        answer = _answer(proposal, cycle, yes, approve) if sends else None
        if answer:
            await parts.journal.append(cycle, "approval", answer)
        approved = proposal.verdict == "ask" and (sends or approve)
        done, outcome = await parts.turn(cycle=cycle, seen=snapshot, approved=approved)
        said = proposed(cycle, snapshot, done)
        said = [] if said == shown else said  # what was asked about stands above already
        said += [answered(answer)] if answer else []
        said += [happened(outcome, snapshot, done.plan)] if outcome else []
        said += [DRY] if outcome and not parts.live else []
        result = {"cycle": cycle, "verdict": done.verdict, "sent": bool(outcome and outcome.tx), "outcome": outcome}
        emit({**result, "proposal": done}, as_json, lines(*said))
    if done.verdict == "refuse":
        raise Refused("; ".join(breach.said for breach in done.breaches if breach.severity == "refuse"))
    if outcome and not outcome.ok:
        raise Reverted(outcome.revert)


def _answer(proposal: "Proposal", cycle: int, yes: bool, approve: bool) -> "Approval | None":
    """Ask what has to be asked: a person's approval where the policy wants one. Refused when the answer is no."""
    from getpass import getuser

    from bot.core.rows import Approval

    if proposal.verdict == "ask" and not approve:
        said = "; ".join(breach.said for breach in proposal.breaches if breach.severity == "ask")
        confirm(f"{said}. Do you approve this bundle, and send it?", False, "--approve")
        return Approval(cycle, getuser(), True, "said yes when asked")
    confirm("Send this bundle?", yes)
    return Approval(cycle, getuser(), True, "said --approve") if proposal.verdict == "ask" else None


VERBS = (run, rebalance)
