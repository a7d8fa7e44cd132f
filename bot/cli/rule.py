"""`evenkeel vault pause`, `unpause`, `keeper` and `revoke`: what owner and guardian can do at once. Asks no feed."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import AsJson, DryRun, Files, Yes, confirm, settings
from bot.cli.session import node
from bot.cli.words import vault_address
from bot.core.errors import ConfigError, Refused, UsageError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.ports import Rpc, Signer
    from bot.execution.rule import Act, Charter

NONE = "none"
Needless = Callable[["Rpc", "Charter"], Awaitable[str]]  # why there is nothing to do; empty: there is


def pause(files: Files = None, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Stop the keeper and deposits at once; redemption goes on. For the owner or the guardian."""
    from bot.execution import rule

    _run(files, rule.pause(), "stops the keeper and deposits", _paused(True), dry_run, yes, as_json)


def unpause(files: Files = None, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Let the keeper and deposits go on. For the owner."""
    from bot.execution import rule

    _run(files, rule.unpause(), "lets the keeper and deposits go on", _paused(False), dry_run, yes, as_json)


def keeper(
    address: Annotated[str, typer.Argument(help=f"The new keeper, checksummed, or `{NONE}`.")],
    files: Files = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Name another keeper at once, as when a key was stolen. For the owner."""
    from bot.execution import rule
    from bot.execution.calls import NOBODY

    wanted = NOBODY if address == NONE else _address(address)

    async def needless(_: "Rpc", charter: "Charter") -> str:
        return f"the keeper is {charter.keeper} already" if charter.keeper == wanted else ""

    said = f"makes {address} the keeper; whoever is it now can do nothing any more"
    _run(files, rule.name_keeper(wanted), said, needless, dry_run, yes, as_json)


def revoke(
    change: Annotated[str, typer.Argument(help="Id of a change, as `evenkeel vault info` lists it.")],
    files: Files = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Forget a change that was asked for and not yet made. For the owner or the guardian."""
    from bot.execution import rule

    if not _is_word(change):
        raise UsageError(f"expected the id of a change, 0x and 64 hexadecimal digits, found {change!r}")

    async def needless(rpc: "Rpc", charter: "Charter") -> str:
        if not await rule.ready_at(rpc, charter.address, change):
            raise Refused(f"expected a change that waits, found none under {change}; see `evenkeel vault info`")
        return ""

    _run(files, rule.revoke(change), f"forgets the change {change}", needless, dry_run, yes, as_json)


def _paused(wanted: bool) -> Needless:
    async def needless(_: "Rpc", charter: "Charter") -> str:
        state = "is paused already" if wanted else "is not paused"
        return f"the vault {state}" if charter.paused == wanted else ""

    return needless


def _run(files: Files, act: "Act", effect: str, needless: Needless, dry_run: bool, yes: bool, as_json: bool) -> None:
    import asyncio

    from bot.cli.show import emit, lines

    result, said = asyncio.run(_do(settings(files), act, effect, needless, dry_run, yes))
    emit(result, as_json, lines(*said))


async def _do(
    config: "Config", act: "Act", effect: str, needless: Needless, dry_run: bool, yes: bool
) -> tuple[dict[str, Any], list[str]]:
    """What was done, as values and in sentences. ConfigError, naming who may, when the key is none of theirs."""
    from bot.cli.show import say
    from bot.config.wiring import market, signer
    from bot.execution import rule

    key = None if dry_run else signer(config)
    async with node(config) as rpc:
        vault = vault_address(config)
        charter = await rule.charter_at(rpc, market(config).multicall3, vault)
        may = " or ".join(f"the {role} {who}" for role, who in act.may(charter).items())
        call = {"to": charter.address, "data": "0x" + act.data.hex()}
        result = {"vault": vault, "call": call, "may": act.may(charter), "sent": False, "tx": None, "block": None}
        if reason := await needless(rpc, charter):
            return result, [f"{reason}; nothing was sent"]
        said = [f"{act.name} {effect}, at the charter {charter.address} of vault {vault}", f"  by {may}"]
        said += [f"  to   {call['to']}", f"  data {call['data']}"]
        if key is None:
            await rule.rehearse(rpc, charter, act, act.may(charter)[act.roles[0]])
            return result, [*said, "Dry run: nothing was sent. The call would succeed; it can be sent from any wallet."]
        _expect(key, act, charter, may)
        await rule.rehearse(rpc, charter, act, key.address)
        for sentence in said:
            say(sentence)
        confirm(f"Send {act.name}?", yes)
        receipt = await rule.perform(rpc, key, charter, act)
    block, tx = int(receipt["blockNumber"], 16), receipt["transactionHash"]
    return {**result, "sent": True, "tx": tx, "block": block}, [
        f"block {block}, transaction {tx}",
        f"done: it {effect}",
    ]


def _expect(key: "Signer", act: "Act", charter: "Charter", may: str) -> None:
    if key.address not in act.may(charter).values():
        raise ConfigError(f"{act.name}: expected the key of {may}, found that of {key.address}; nothing was sent")


def _address(text: str) -> str:
    from eth_utils.address import is_address, is_checksum_address, to_checksum_address

    if not is_address(text):
        raise UsageError(f"expected an address (0x and 40 hexadecimal digits) or `{NONE}`, found {text!r}")
    if not is_checksum_address(text):
        raise UsageError(f"expected the checksummed form {to_checksum_address(text)}, found {text!r}")
    return text


def _is_word(text: str) -> bool:
    digits = text.removeprefix("0x")
    return text.startswith("0x") and len(digits) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in digits)


VERBS = (pause, unpause, keeper, revoke)
