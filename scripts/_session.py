"""What the ape scripts share: ape's network as the bot's node, ape's accounts as its signers."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click
from ape.api.accounts import AccountAPI
from ape.api.providers import ProviderAPI

from bot.chain.abi import checksum, decode, encode_call
from bot.cli.story import happened, proposed
from bot.config import Config, load
from bot.config.wiring import Parts, build
from bot.core.errors import ConfigError, EvenkeelError, Refused, Reverted
from bot.core.ports import Rpc
from bot.core.types import Amount, Market, Token
from bot.core.units import Raw, to_units
from bot.execution.executor import VaultExecutor
from bot.execution.treasury import Moved, VaultAt

SHARE_DECIMALS = 18
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
        (named,) = decode(("address",), await eth_call(parts.rpc, address, "keeper()"))
        if checksum(named) != signer.address:
            raise ConfigError(f"--account: expected the vault's keeper {checksum(named)}, found {signer.address}")
        executor = VaultExecutor(parts.rpc, signer, address, parts.journal)
        yield replace(parts, executor=executor, live=True)


def vault_address(config: Config) -> str:
    """The vault's address. ConfigError when there is none."""
    if config.account.vault is None:
        raise ConfigError("account.vault: expected the vault, found none; `ape run deploy --write FILE` makes one")
    return config.account.vault


def zap_address(config: Config) -> str:
    """The zap's address. ConfigError when there is none."""
    if config.account.zap is None:
        raise ConfigError("account.zap: expected the zap of the vault, found none; go in kind instead")
    return config.account.zap


async def vault_at(rpc: Rpc, market: Market, address: str) -> VaultAt:
    """The vault with its tokens as the market knows them. ConfigError when it lists another."""
    known = {token.address: token for token in market.tokens}
    (listed,) = decode(("address[]",), await eth_call(rpc, address, "tokens()"))
    if strange := [token for token in map(checksum, listed) if token not in known]:
        raise ConfigError(f"vault {address}: found token {', '.join(strange)}, not among market.tokens; list it there")
    return VaultAt(address, tuple(known[checksum(token)] for token in listed))


async def eth_call(rpc: Rpc, to: str, signature: str, *arguments: Any) -> bytes:
    """The answer of a view at the latest block."""
    call = {"to": to, "data": "0x" + encode_call(signature, *arguments).hex()}
    return bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:])


def token_of(market: Market, symbol: str) -> Token:
    """A token by symbol. ConfigError when the market does not list it."""
    try:
        return market.token(symbol)
    except KeyError:
        known = ", ".join(token.symbol for token in market.tokens)
        raise ConfigError(f"expected a symbol of market.tokens ({known}), found {symbol!r}") from None


def raw_of(units: str, decimals: int) -> int:
    """Whole units as a person writes them, in the smallest unit; exact, above 0. ConfigError otherwise."""
    try:
        raw = Decimal(units).scaleb(decimals)
    except InvalidOperation:
        raise ConfigError(f"expected a number such as 0.25, found {units!r}") from None
    if not raw.is_finite() or raw <= 0 or raw != raw.to_integral_value():
        raise ConfigError(f"expected a number above 0 with at most {decimals} decimals, found {units!r}")
    return int(raw)


def amount_of(market: Market, word: str) -> Amount:
    """`USDC=1000` as an amount. ConfigError when it is none."""
    symbol, _, units = word.partition("=")
    token = token_of(market, symbol)
    return Amount(token, Raw(raw_of(units, token.decimals)))


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


async def one_cycle(config: Config, keeper: AccountAPI | None) -> None:
    """Run one cycle and tell it. Without `keeper` it is a dry run."""
    async with parts_for(config, keeper) as parts:
        snapshot, proposal = await parts.look()
        cycle = await parts.journal.last_cycle() + 1
        for sentence in proposed(cycle, snapshot, proposal):
            click.echo(sentence)
        done, outcome = await parts.turn(seen=snapshot, approved=keeper is not None)
        if outcome:
            click.echo(happened(outcome, snapshot, done.plan))
    if keeper is None:
        tell_dry()
    if done.verdict == "refuse":
        raise Refused("; ".join(breach.said for breach in done.breaches if breach.severity == "refuse"))
    if outcome and not outcome.ok:
        raise Reverted(outcome.revert)
