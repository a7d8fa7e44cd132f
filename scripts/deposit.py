"""Deposit: ape run deposit USDC=1000 WETH=0.3, or --zap USDC=1000, with --network, --account, -c FILE... and --send."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.cli import stake
from bot.cli.money import offer_in_kind
from bot.cli.session import node
from bot.cli.words import amount_of, vault_address, zap_address
from bot.config import Config
from bot.decision.standing import unit_value
from bot.execution import treasury
from bot.venues.zap import size_deposit
from scripts._session import (
    ApeSigner,
    cushion_option,
    files_option,
    parts_for,
    run,
    send_option,
    settings,
    tell,
    tell_dry,
)


@click.command(cls=ConnectedProviderCommand)
@click.argument("amounts", nargs=-1)
@account_option()
@files_option
@click.option("--zap", help="In one token instead: SYMBOL=UNITS, through the zap.")
@cushion_option
@send_option
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    amounts: tuple[str, ...],
    files: tuple[Path, ...],
    zap: str | None,
    cushion_bps: int,
    send: bool,
) -> None:
    """Deposit AMOUNTS (SYMBOL=UNITS, the most of each token) for shares."""
    if bool(amounts) == bool(zap):
        raise click.UsageError("give either amounts in kind (USDC=1000 WETH=0.3) or --zap USDC=1000")
    config, holder = settings(files, provider), ApeSigner(account)
    if zap:
        run(_in_one_token(config, holder, zap, cushion_bps, send))
    else:
        run(_in_kind(config, holder, amounts, cushion_bps, send))


async def _in_kind(config: Config, holder: ApeSigner, words: tuple[str, ...], cushion_bps: int, send: bool) -> None:
    async with node(config) as rpc:
        offer = await offer_in_kind(config, rpc, holder.address, words, cushion_bps)
        for sentence in offer.said:
            click.echo(sentence)
        if not send:
            return tell_dry()
        tell(await treasury.deposit_in_kind(rpc, holder, offer.vault, offer.shares, offer.most))


async def _in_one_token(config: Config, holder: ApeSigner, word: str, cushion_bps: int, send: bool) -> None:
    zap = zap_address(config)
    async with parts_for(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        await treasury.expect_zap(parts.rpc, vault, zap)
        give, snapshot = amount_of(vault.tokens, word), await parts.observer.observe()
        sized = size_deposit(snapshot, give, cushion_bps)
        await treasury.expect_balance(parts.rpc, holder.address, (give,))
        worth = unit_value(snapshot)
        for sentence in stake.zap_deposit(vault.address, zap, holder.address, sized, snapshot, worth, cushion_bps):
            click.echo(sentence)
        if not send:
            return tell_dry()
        tell(await treasury.deposit_zap(parts.rpc, holder, vault, zap, sized))
