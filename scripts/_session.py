"""What the ape scripts share: ape's network as the bot's node, ape's accounts as its signers."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from getpass import getuser
from pathlib import Path
from typing import Any, TypeVar

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI

from bot.cli.story import answered, happened, proposed
from bot.cli.words import SHARE_DECIMALS, vault_address
from bot.config import Config, load
from bot.config.wiring import Parts, build
from bot.core.errors import ConfigError, EvenkeelError, Refused, Reverted
from bot.core.rows import Approval
from bot.core.types import Amount
from bot.core.units import to_units
from bot.execution import treasury
from bot.execution.executor import VaultExecutor
from bot.execution.treasury import Moved

MAINNET = Path(__file__).parents[1] / "config" / "mainnet.yaml"

files_option = click.option(
    "--config",
    "-c",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=(MAINNET,),
    show_default="config/mainnet.yaml",
    help="Configuration file; again for one that overlays it. The node is ape's.",
)
send_option = click.option("--send", is_flag=True, help="Really send. Without it nothing leaves this machine.")
cushion_option = click.option(
    "--cushion-bps",
    type=click.IntRange(0, 500),
    default=20,
    show_default=True,
    help="How much worse than seen now is still accepted (bps).",
)


class ApeSigner:
    """An account of ape's as a Signer; ape asks for the passphrase where the account has one."""

    def __init__(self, account: AccountAPI) -> None:
        self._account = account

    @property
    def address(self) -> str:
        """Checksummed."""
        return str(self._account.address)

    def sign(self, transaction: dict[str, Any]) -> bytes:
        """The signed raw transaction. Refused when the person at the keyboard declines."""
        made = self._account.provider.network.ecosystem.create_transaction(**transaction)
        signed = self._account.sign_transaction(made)
        if signed is None:
            raise Refused("the account did not sign; nothing was sent")
        return bytes(signed.serialize_transaction())


T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; errors raised on purpose are told in their own words, without a traceback."""
    try:
        return asyncio.run(work)
    except EvenkeelError as error:
        raise click.ClickException(str(error)) from None


def settings(files: tuple[Path, ...], provider: ProviderAPI, extra: Mapping[str, str] | None = None) -> Config:
    """The configuration with ape's node in place of its own. ConfigError when that has no HTTP address."""
    if provider.http_uri is None:
        raise ConfigError(f"expected a network with an HTTP address, found {provider.network_choice}; name another")
    return load(files, {**os.environ, "EVENKEEL_CHAIN__RPC": provider.http_uri, **(extra or {})})


@asynccontextmanager
async def parts_for(config: Config, keeper: AccountAPI | None = None) -> AsyncIterator[Parts]:
    """The bot put together; with `keeper`, an account of ape's, it may send."""
    async with build(config) as parts:
        if keeper is None:
            yield parts
            return
        address = vault_address(config)
        signer = ApeSigner(keeper)
        named = await treasury.keeper_of(parts.rpc, address)
        if named != signer.address:
            raise ConfigError(f"--account: expected the vault's keeper {named}, found {signer.address}")
        executor = VaultExecutor(parts.rpc, signer, address, parts.journal, parts.market.multicall3)
        yield replace(parts, executor=executor, live=True)


def shown(amounts: tuple[Amount, ...], write: Callable[[Decimal], str] = "{:,f}".format) -> str:
    """Amounts for people: `1,000.000000 USDC, 0.300000000000000000 WETH`."""
    return ", ".join(f"{write(amount.units)} {amount.token.symbol}" for amount in amounts if amount.raw) or "nothing"


def tell(moved: Moved) -> None:
    """What a deposit or withdrawal did."""
    shares, ether = to_units(moved.shares, SHARE_DECIMALS), to_units(moved.fee, 18)
    click.echo(f"block {moved.block}, transaction {moved.tx}")
    click.echo(f"{shares:+,f} shares; {shown(moved.amounts, '{:+,f}'.format)}")
    click.echo(f"{moved.gas_used:,} gas, {ether:f} ether")


def tell_dry() -> None:
    """The last line of every run that was not asked to send."""
    click.echo("Dry run: nothing was sent. Add --send to do it.")


async def one_cycle(config: Config, keeper: AccountAPI | None, approve: bool) -> None:
    """Run one cycle and tell it. Without `keeper` it is a dry run. Refused when a person must approve and none does."""
    async with parts_for(config, keeper) as parts:
        snapshot, proposal = await parts.look()
        cycle = await parts.journal.last_cycle() + 1
        for sentence in proposed(cycle, snapshot, proposal):
            click.echo(sentence)
        asked = proposal.verdict == "ask"
        if asked and keeper is not None:
            if not approve:
                raise Refused("the policy asks for a person's approval; say --approve to give it; nothing was sent")
            answer = Approval(cycle, getuser(), True, "said --approve")
            await parts.journal.append(cycle, "approval", answer)
            click.echo(answered(answer))
        done, outcome = await parts.turn(cycle=cycle, seen=snapshot, approved=asked and approve)
        if outcome:
            click.echo(happened(outcome, snapshot, done.plan))
    if keeper is None:
        tell_dry()
    if done.verdict == "refuse":
        raise Refused("; ".join(breach.said for breach in done.breaches if breach.severity == "refuse"))
    if outcome and not outcome.ok:
        raise Reverted(outcome.revert)
