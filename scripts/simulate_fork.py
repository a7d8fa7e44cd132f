"""The whole life of a vault, on a fork: ape run simulate_fork --network ethereum:mainnet-fork:foundry.

On ethereum:local:foundry the market is built first, from published bytecode. Afterwards the chain is as before.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click
from ape import accounts
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI
from ape.cli import ConnectedProviderCommand

from bot.chain import cheats, replica, seeds
from bot.chain.rpc import HttpRpc
from bot.cli.words import SHARE_DECIMALS
from bot.config import Config
from bot.config.wiring import vault_setup
from bot.core.ports import Rpc
from bot.core.types import Amount, Snapshot
from bot.core.units import ETHER_DECIMALS, to_raw_floor, to_units
from bot.execution import treasury
from bot.execution.treasury import VaultAt
from bot.venues.zap import size_deposit
from scripts._session import ApeSigner, files_option, one_cycle, parts_for, run, settings, shown, tell

MONEY = Decimal(100_000)  # of the first deposit, in the numeraire
ZAPPED = Decimal(10_000)
CUSHION_BPS = 30
ETHER = 100 * 10**ETHER_DECIMALS
HOUR_S = 3_600
BASE_FEE = 10**9  # wei
TIMEOUT_S = 60  # a fork fetches from its upstream while it answers


@click.command(cls=ConnectedProviderCommand)
@files_option
def cli(provider: ProviderAPI, files: tuple[Path, ...]) -> None:
    """Deploy, deposit, zap in, rebalance, redeem; with ape's first test account in every role."""
    if not (provider.network.is_local or provider.network.is_fork):
        raise click.UsageError(f"expected a local network or a fork, found {provider.network_choice}")
    with tempfile.TemporaryDirectory() as folder:
        extra = {
            "EVENKEEL_CHAIN__ID": str(provider.chain_id),
            "EVENKEEL_CHAIN__MAX_BLOCK_AGE_S": "null",
            "EVENKEEL_JOURNAL__URL": f"sqlite+aiosqlite:///{folder}/journal.db",
        }
        run(_simulate(settings(files, provider, extra), accounts.test_accounts[0]))


async def _simulate(config: Config, account: AccountAPI) -> None:
    owner = ApeSigner(account)
    async with HttpRpc(config.chain.rpc[0], TIMEOUT_S) as rpc, _undone(rpc):
        await _ensure_market(rpc)
        await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))  # ape starts its chains with none
        await cheats.mine(rpc)
        await cheats.set_ether(rpc, owner.address, ETHER)
        setup = replace(vault_setup(config, owner.address), keeper=owner.address, guardian=owner.address)
        vault = VaultAt(await treasury.deploy_vault(rpc, owner, setup), tuple(feed.token for feed in setup.feeds))
        zap = await treasury.deploy_zap(rpc, owner, vault.address)
        click.echo(f"vault {vault.address}, zap {zap}")
        ours = config.account.model_copy(update={"vault": vault.address, "zap": zap, "wallet": None})
        config = config.model_copy(update={"account": ours})
        async with parts_for(config) as parts:
            await _deposit(rpc, owner, vault, await parts.observer.observe())
            await _zap(rpc, owner, vault, zap, await parts.observer.observe())
        click.echo("\n-- rebalance")
        await one_cycle(config, account, approve=True)
        click.echo("\n-- redeem")
        await _redeem(rpc, owner, vault)


async def _deposit(rpc: Rpc, holder: ApeSigner, vault: VaultAt, seen: Snapshot) -> None:
    """The same money of every token, so that there is something to rebalance."""
    part = MONEY / len(vault.tokens)
    most = tuple(Amount(token, to_raw_floor(part / seen.price(token), token.decimals)) for token in vault.tokens)
    for amount in most:
        await cheats.deal(rpc, amount.token.address, holder.address, amount.raw)
    click.echo(f"\n-- deposit {shown(most)}")
    tell(await treasury.deposit_in_kind(rpc, holder, vault, int(MONEY) * 10**SHARE_DECIMALS, most))


async def _zap(rpc: Rpc, holder: ApeSigner, vault: VaultAt, zap: str, seen: Snapshot) -> None:
    token = vault.tokens[0]
    give = Amount(token, to_raw_floor(ZAPPED / seen.price(token), token.decimals))
    await cheats.deal(rpc, token.address, holder.address, give.raw)
    click.echo(f"\n-- deposit {shown((give,))} through the zap")
    tell(await treasury.deposit_zap(rpc, holder, vault, zap, size_deposit(seen, give, CUSHION_BPS)))


async def _redeem(rpc: Rpc, holder: ApeSigner, vault: VaultAt) -> None:
    shares = await treasury.shares_of(rpc, vault, holder.address)
    expect = await treasury.preview_redeem(rpc, vault, shares, holder.address)
    click.echo(f"{to_units(shares, SHARE_DECIMALS):,f} shares for {shown(expect)}")
    tell(await treasury.redeem(rpc, holder, vault, shares, treasury.cushioned(expect, CUSHION_BPS)))


@asynccontextmanager
async def _undone(rpc: Rpc) -> AsyncIterator[None]:
    """Whatever happens inside, the chain is as before afterwards."""
    before = await cheats.snapshot(rpc)
    try:
        yield
    finally:
        await cheats.revert(rpc, before)


async def _ensure_market(rpc: Rpc) -> None:
    """Build the market where there is none, an hour old, so that a time-weighted price has a past."""
    if not await replica.missing_code(rpc):
        return
    click.echo("no market here: building it from published bytecode")
    await replica.ensure_contracts(rpc)
    prices = await seeds.market_prices(rpc, seeds.PRICES)
    await seeds.ensure_pools(rpc, prices)
    await cheats.mine(rpc, seconds=HOUR_S)
    await seeds.set_feeds(rpc, prices)
