"""Redeem: ape run redeem 100 --network NETWORK --account ALIAS -c FILE... [--zap USDC] [--send]."""

from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.cli import stake
from bot.cli.session import node
from bot.cli.words import shares_of, token_of, vault_address, zap_address
from bot.config import Config
from bot.config.wiring import market
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
    tell,
    tell_dry,
)


@click.command(cls=ConnectedProviderCommand)
@click.argument("shares")
@account_option()
@files_option
@click.option("--zap", "symbol", help="Receive this one token, through the zap, instead of a slice of all.")
@click.option("--set-aside", multiple=True, help="A token that cannot move now: its part is kept. Again for more.")
@cushion_option
@send_option
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    shares: str,
    files: tuple[Path, ...],
    symbol: str | None,
    set_aside: tuple[str, ...],
    cushion_bps: int,
    send: bool,
) -> None:
    """Redeem so many SHARES, or `all`. In kind needs no price and no other contract."""
    config, holder = settings(files, provider), ApeSigner(account)
    if symbol is None:
        run(_in_kind(config, holder, shares, set_aside, cushion_bps, send))
    elif set_aside:
        raise click.UsageError("give either --zap or --set-aside: what is set aside cannot be traded")
    else:
        run(_for_one_token(config, holder, shares, symbol, cushion_bps, send))


async def _in_kind(
    config: Config, holder: ApeSigner, words: str, set_aside: tuple[str, ...], cushion_bps: int, send: bool
) -> None:
    place = market(config)
    async with node(config) as rpc:
        vault = await treasury.vault_at(rpc, place, vault_address(config))
        held = await treasury.shares_of(rpc, vault, holder.address)
        shares = shares_of(words, held, holder.address, vault.address)
        kept = [token_of(vault.tokens, each) for each in set_aside]
        skip = sum(1 << vault.tokens.index(token) for token in set(kept))
        expect = await treasury.preview_redeem(rpc, vault, shares, holder.address, skip)
        least, worth = treasury.cushioned(expect, cushion_bps), await stake.worth_of(rpc, place, expect)
        stakes = shares, held, await treasury.supply_of(rpc, vault)
        for sentence in stake.redemption(vault.address, holder.address, stakes, expect, least, worth, kept):
            click.echo(sentence)
        if not send:
            return tell_dry()
        tell(await treasury.redeem(rpc, holder, vault, shares, least, skip=skip))


async def _for_one_token(
    config: Config, holder: ApeSigner, words: str, symbol: str, cushion_bps: int, send: bool
) -> None:
    zap = zap_address(config)
    async with parts_for(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        await treasury.expect_zap(parts.rpc, vault, zap)
        held = await treasury.shares_of(parts.rpc, vault, holder.address)
        shares = shares_of(words, held, holder.address, vault.address)
        snapshot = await parts.observer.observe()
        sized = size_withdrawal(snapshot, shares, token_of(vault.tokens, symbol), cushion_bps)
        stakes, worth = (shares, held, await treasury.supply_of(parts.rpc, vault)), snapshot.value(sized.expect)
        for sentence in stake.zap_redemption(vault.address, zap, holder.address, stakes, sized, worth):
            click.echo(sentence)
        if not send:
            return tell_dry()
        tell(await treasury.redeem_zap(parts.rpc, holder, vault, zap, sized))
