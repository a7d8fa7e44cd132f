"""Claim what was set aside: ape run claim USDC --network NETWORK --account ALIAS -c FILE... [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.cli.session import node
from bot.cli.words import token_of, vault_address
from bot.config import Config
from bot.config.wiring import market
from bot.core.errors import Refused
from bot.execution import treasury
from scripts._session import ApeSigner, files_option, run, send_option, settings, shown, tell, tell_dry


@click.command(cls=ConnectedProviderCommand)
@click.argument("symbol")
@account_option()
@files_option
@send_option
def cli(provider: ProviderAPI, account: AccountAPI, symbol: str, files: tuple[Path, ...], send: bool) -> None:
    """Claim what redemptions set aside of the token SYMBOL."""
    run(_claim(settings(files, provider), ApeSigner(account), symbol, send))


async def _claim(config: Config, holder: ApeSigner, symbol: str, send: bool) -> None:
    async with node(config) as rpc:
        vault = await treasury.vault_at(rpc, market(config), vault_address(config))
        token = token_of(vault.tokens, symbol)
        owed = (await treasury.owed_to(rpc, vault, holder.address))[vault.tokens.index(token)]
        if not owed.raw:
            raise Refused(f"nothing of {symbol} is set aside for {holder.address}; nothing was sent")
        click.echo(f"set aside for {holder.address} in {vault.address}: {shown((owed,))}; it goes to that account")
        if not send:
            return tell_dry()
        tell(await treasury.claim(rpc, holder, vault, token))
