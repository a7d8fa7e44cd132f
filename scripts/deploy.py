"""Deploy a vault, its zap and a lens: ape run deploy --network NETWORK --account ALIAS [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.chain.rpc import HttpRpc
from bot.cli.deploy import cost_words, described
from bot.config import Config
from bot.config.wiring import market, vault_setup
from bot.execution import treasury
from bot.venues.market import verify_market
from scripts._session import ApeSigner, files_option, run, send_option, settings, tell_dry


@click.command(cls=ConnectedProviderCommand)
@account_option()
@files_option
@click.option("--write", type=click.Path(path_type=Path), help="Write the addresses there, as an overlay.")
@send_option
def cli(provider: ProviderAPI, account: AccountAPI, files: tuple[Path, ...], write: Path | None, send: bool) -> None:
    """Deploy what the section `vault` says. The account pays and becomes owner."""
    if write is not None and write.exists():
        raise click.UsageError(f"expected no file at {write}, found one; name another, nothing was deployed")
    account_section = run(_deploy(settings(files, provider), ApeSigner(account), send))
    if account_section and write is not None:
        write.write_text(account_section, encoding="utf-8")
        click.echo(f"wrote {write}; add it with --config")


async def _deploy(config: Config, owner: ApeSigner, send: bool) -> str:
    """Deploy; the section `account` that names what was deployed, empty after a dry run."""
    setup = vault_setup(config, owner.address)
    async with HttpRpc(config.chain.rpc[0], config.chain.timeout_s) as rpc:
        await verify_market(rpc, market(config))
        for sentence in [*described(setup, config.chain.id), await cost_words(rpc, setup)]:
            click.echo(sentence)
        if not send:
            tell_dry()
            return ""
        vault = await treasury.deploy_vault(rpc, owner, setup)
        zap = await treasury.deploy_zap(rpc, owner, vault)
        lens = await treasury.deploy_lens(rpc, owner)
    section = f'account:\n  vault: "{vault}"\n  zap: "{zap}"\n  lens: "{lens}"\n'
    click.echo(section, nl=False)
    return section
