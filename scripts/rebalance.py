"""One cycle, now: ape run rebalance --network NETWORK --account KEEPER -c FILE... [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.cli.story import happened, proposed
from bot.config import Config
from bot.core.errors import Refused, Reverted
from scripts._session import files_option, parts_for, run, send_option, settings, tell_dry


@click.command(cls=ConnectedProviderCommand)
@account_option(prompt=False)
@files_option
@send_option
def cli(provider: ProviderAPI, account: AccountAPI | None, files: tuple[Path, ...], send: bool) -> None:
    """Decide what to do about the vault and, with --send, do it as its keeper. Every step goes into the journal.

    A bundle that needs a person's approval is approved by --send, once it was shown.
    """
    if send and account is None:
        raise click.UsageError("--send needs --account: the vault's keeper")
    run(rebalance(settings(files, provider), account if send else None))


async def rebalance(config: Config, keeper: AccountAPI | None) -> None:
    """Run one cycle and tell it. Without `keeper` it is a dry run."""
    async with parts_for(config, keeper) as parts:
        snapshot, proposal = await parts.look()
        cycle = await parts.journal.last_cycle() + 1
        for sentence in proposed(cycle, snapshot, proposal):
            click.echo(sentence)
        done, outcome = await parts.turn(seen=snapshot, approved=keeper is not None)
        if outcome:
            click.echo(happened(outcome, snapshot, done.plan))
    if keeper is None:
        tell_dry()
    if done.verdict == "refuse":
        raise Refused("; ".join(breach.said for breach in done.breaches if breach.severity == "refuse"))
    if outcome and not outcome.ok:
        raise Reverted(outcome.revert)
