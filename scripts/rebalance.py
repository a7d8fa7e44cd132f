"""One cycle, now: ape run rebalance --network NETWORK --account KEEPER -c FILE... [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from scripts._session import files_option, one_cycle, run, send_option, settings


@click.command(cls=ConnectedProviderCommand)
@account_option(prompt=False)
@files_option
@click.option("--approve", is_flag=True, help="Approve what the policy says a person must.")
@send_option
def cli(provider: ProviderAPI, account: AccountAPI | None, files: tuple[Path, ...], approve: bool, send: bool) -> None:
    """Decide what to do about the vault and, with --send, do it as its keeper. Every step goes into the journal."""
    if send and account is None:
        raise click.UsageError("--send needs --account: the vault's keeper")
    run(one_cycle(settings(files, provider), account if send else None, approve))
