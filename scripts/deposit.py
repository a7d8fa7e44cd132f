"""Deposit: ape run deposit USDC=1000 WETH=0.3 --network NETWORK --account ALIAS -c FILE... [--zap] [--send]."""

from decimal import Decimal
from pathlib import Path

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option

from bot.cli.words import SHARE_DECIMALS, amount_of, vault_address, zap_address
from bot.config import Config
from bot.core.errors import ConfigError
from bot.core.types import Amount
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Raw, minus_bps_floor, to_raw_floor, to_units
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
    shown,
    tell,
    tell_dry,
)


@click.command(cls=ConnectedProviderCommand)
@click.argument("amounts", nargs=-1, required=True)
@account_option()
@files_option
@click.option("--zap", is_flag=True, help="One amount buys a slice of everything, through the zap.")
@cushion_option
@send_option
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    amounts: tuple[str, ...],
    files: tuple[Path, ...],
    zap: bool,
    cushion_bps: int,
    send: bool,
) -> None:
    """Deposit AMOUNTS (SYMBOL=UNITS, the most of each token) for shares."""
    config, holder = settings(files, provider), ApeSigner(account)
    run((_in_one_token if zap else _in_kind)(config, holder, amounts, cushion_bps, send))


async def _in_kind(config: Config, holder: ApeSigner, words: tuple[str, ...], cushion_bps: int, send: bool) -> None:
    async with parts_for(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        given = {amount.token: amount for amount in (amount_of(parts.market, word) for word in words)}
        if strange := [token.symbol for token in given if token not in vault.tokens]:
            raise ConfigError(f"expected tokens of the vault, found {', '.join(strange)}")
        most = tuple(given.get(token, Amount(token, Raw(0))) for token in vault.tokens)
        snapshot = await parts.observer.observe()
        if snapshot.vault and not snapshot.vault.empty:
            shares = minus_bps_floor(await treasury.shares_for(parts.rpc, vault, most), cushion_bps)
        else:  # the first: with the locked ones, a share is then worth one unit of the numeraire
            money = sum((snapshot.value(amount) for amount in most), Decimal(0))
            shares = Raw(to_raw_floor(money, SHARE_DECIMALS) - LOCKED_SHARES)
        click.echo(f"at most {shown(most)} for {to_units(shares, SHARE_DECIMALS):,f} shares")
        if not send:
            return tell_dry()
        tell(await treasury.deposit_in_kind(parts.rpc, holder, vault, shares, most))


async def _in_one_token(
    config: Config, holder: ApeSigner, words: tuple[str, ...], cushion_bps: int, send: bool
) -> None:
    if len(words) != 1:
        raise ConfigError(f"expected one amount with --zap, found {len(words)}")
    async with parts_for(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        sized = size_deposit(await parts.observer.observe(), amount_of(parts.market, words[0]), cushion_bps)
        shares = to_units(sized.shares, SHARE_DECIMALS)
        click.echo(
            f"{shown((sized.give,))} in {len(sized.trades)} trades for {shares:,f} shares; back: {shown(sized.left)}"
        )
        if not send:
            return tell_dry()
        tell(await treasury.deposit_zap(parts.rpc, holder, vault, zap_address(config), sized))
