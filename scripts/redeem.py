"""Redeem: ape run redeem 100 --network NETWORK --account ALIAS -c FILE... [--token USDC] [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.chain.rpc import HttpRpc
from bot.cli.words import SHARE_DECIMALS, shares_of, token_of, vault_address, zap_address
from bot.config import Config
from bot.config.wiring import market
from bot.core.units import to_units
from bot.execution import treasury
from bot.venues.zap import size_withdrawal
from scripts._session import (
    ApeSigner,
    cushion_option,
    files_option,
    parts_for,
    run,
    send_option,
    settings,
    shown,
    tell,
    tell_dry,
)


@click.command(cls=ConnectedProviderCommand)
@click.argument("shares")
@account_option()
@files_option
@click.option("--token", help="Receive this one token, through the zap, instead of a slice of all.")
@cushion_option
@send_option
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    shares: str,
    files: tuple[Path, ...],
    token: str | None,
    cushion_bps: int,
    send: bool,
) -> None:
    """Redeem so many SHARES, or `all`. In kind needs no price and no other contract."""
    run(_redeem(settings(files, provider), ApeSigner(account), shares, token, cushion_bps, send))


async def _redeem(
    config: Config, holder: ApeSigner, words: str, symbol: str | None, cushion_bps: int, send: bool
) -> None:
    address, place = vault_address(config), market(config)
    async with HttpRpc(config.chain.rpc[0], config.chain.timeout_s) as rpc:
        vault = await treasury.vault_at(rpc, place, address)
        shares = shares_of(words, await treasury.shares_of(rpc, vault, holder.address))
        if symbol is None:
            expect = await treasury.preview_redeem(rpc, vault, shares, holder.address)
            click.echo(f"{to_units(shares, SHARE_DECIMALS):,f} shares for {shown(expect)}")
            if not send:
                return tell_dry()
            return tell(await treasury.redeem(rpc, holder, vault, shares, treasury.cushioned(expect, cushion_bps)))
    async with parts_for(config) as parts:
        sized = size_withdrawal(await parts.observer.observe(), shares, token_of(place, symbol), cushion_bps)
        click.echo(f"{to_units(shares, SHARE_DECIMALS):,f} shares for {shown((sized.expect,))}")
        if not send:
            return tell_dry()
        tell(await treasury.redeem_zap(parts.rpc, holder, vault, zap_address(config), sized))
