"""The whole life of a vault on a chain that does not count: ape run simulate_fork --network ethereum:mainnet-fork:foundry.

On ethereum:local:foundry the market is built first, from published bytecode. Afterwards the chain is as before.
"""

import tempfile
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
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
from bot.config import Config
from bot.config.wiring import vault_setup
from bot.core.errors import ConfigError
from bot.core.ports import Rpc
from bot.core.types import Amount
from bot.core.units import ETHER_DECIMALS, to_raw_floor, to_units
from bot.execution import treasury
from bot.execution.treasury import VaultAt
from bot.venues.zap import size_deposit
from scripts._session import SHARE_DECIMALS, ApeSigner, files_option, parts_for, run, settings, shown, tell
from scripts.rebalance import rebalance

MONEY = Decimal(100_000)  # of the first deposit, in the numeraire
ZAPPED = Decimal(10_000)
CUSHION_BPS = 30
ETHER = 100 * 10**ETHER_DECIMALS
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
