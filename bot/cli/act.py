"""`evenkeel run` and `evenkeel rebalance`: the verbs that may send bundles."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson, Files, Yes, confirm, logging, settings

if TYPE_CHECKING:
    from bot.config import Config

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
    as_json: AsJson = False,
) -> None:
    """Run one cycle now, after asking. What is sent is what was shown. Without a key it is a dry run."""
    import asyncio

    logging(context, quiet=True)
    asyncio.run(_rebalance(settings(files), dry_run, yes, as_json))


async def _run(config: "Config", dry_run: bool) -> None:
    from bot.config.wiring import build
    from bot.daemon import Daemon, crontab, every

    async with build(config, act=not dry_run) as parts:
        when = config.schedule
        trigger = crontab(when.cron) if when.cron else every(when.every_s or 0)
        await Daemon(parts.turn, parts.record, trigger).run()


async def _rebalance(config: "Config", dry_run: bool, yes: bool, as_json: bool) -> None:
    from getpass import getuser

    from bot.cli.show import emit, lines, say
    from bot.cli.story import happened, proposed
    from bot.config.wiring import build
    from bot.core.errors import Refused, Reverted
    from bot.core.rows import Approval

    async with build(config, act=not dry_run) as parts:
        snapshot, proposal = await parts.look()
        cycle = await parts.journal.last_cycle() + 1
        sends = parts.live and proposal.verdict in ("go", "ask")
        shown = proposed(cycle, snapshot, proposal) if sends and not yes else []
        for sentence in shown:
            say(sentence)
        if sends:
            confirm("Send this bundle?", yes)
            if proposal.verdict == "ask":
                await parts.journal.append(cycle, "approval", Approval(cycle, getuser(), True, "evenkeel rebalance"))
        done, outcome = await parts.turn(cycle=cycle, seen=snapshot, approved=sends and proposal.verdict == "ask")
        said = proposed(cycle, snapshot, done)
        said = [] if said == shown else said  # what was asked about stands above already
        said += [happened(outcome, snapshot, done.plan)] if outcome else []
        if not parts.live and outcome:
            said.append("This was a dry run: nothing was sent.")
        result = {"cycle": cycle, "verdict": done.verdict, "sent": bool(outcome and outcome.tx), "outcome": outcome}
        emit({**result, "proposal": done}, as_json, lines(*said))
    if done.verdict == "refuse":
        raise Refused("; ".join(breach.said for breach in done.breaches if breach.severity == "refuse"))
    if outcome and not outcome.ok:
        raise Reverted(outcome.revert)


VERBS = (run, rebalance)
