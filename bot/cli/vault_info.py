"""All that `evenkeel vault info` shows of a vault, as plain values and as sentences; what no good price can stop."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.chain.abi import checksum, encode_call
from bot.chain.multicall import read_together, required
from bot.cli.report import equity, moment
from bot.cli.words import SHARE_DECIMALS, digits
from bot.core.errors import ChainError, EvenkeelError
from bot.core.ports import Rpc
from bot.core.types import Market, Token
from bot.core.units import Timestamp, to_units
from bot.decision.standing import unit_value
from bot.execution import rule
from bot.execution.calls import NOBODY, read
from bot.execution.treasury import vault_at
from bot.venues import erc20, words
from bot.venues.vault import Vault, idle, settings_of
from bot.venues.vault import vault as reading_of

if TYPE_CHECKING:
    from bot.config import Config


async def read_info(rpc: Rpc, config: "Config", address: str) -> dict[str, Any]:
    """What stands in the vault and its charter; `equity` and `share_value` are None, and `price` says why, where the
    bot itself would not start or see no good price."""
    from bot.config.wiring import market

    place = market(config)
    tokens = (await vault_at(rpc, place, address)).tokens
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    now = Timestamp(int(block["timestamp"], 16))
    readings = [reading_of(address, place, tokens, now), erc20.balances(tokens, address, place.multicall3)]
    found, balances = await read_together(rpc, place.multicall3, readings, "latest")
    state, limits = found.state, found.state.limits
    return {
        "vault": address,
        **await _rules(rpc, place, address),
        "paused": state.paused,
        "sequence": state.sequence,
        "shares": to_units(state.shares, SHARE_DECIMALS),
        **await _money(config),
        "bundle_loss_bps": limits.bundle_loss_bps,
        "day_loss_bps": limits.day_loss_bps,
        "day_loss_used_bps": round(state.loss_used_bps, 4),
        "day_turnover_bps": limits.day_turnover_bps,
        "day_turnover_used_bps": round(state.turnover_used_bps, 4),
        "deviation_bps": limits.deviation_bps,
        "cooldown_s": limits.cooldown_s,
        "corridors_bps": {t.symbol: c for t, c in zip(tokens, state.corridors, strict=True)},
        "idle": {a.token.symbol: a.units for a in idle(found, balances[: len(tokens)])},
        "owed": _owed(found, tokens),
        "pools": [next(spec.name for spec in place.pools if spec.address == each) for each in state.pools],
        "positions": [position.id for position in found.positions],
    }


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """The same for programs: decimals as digits, never as a power of ten."""
    return {key: _digits(value) for key, value in found.items()}


def said(found: dict[str, Any]) -> Iterator[str]:
    """A line for each, with its unit."""
    for role in ("vault", "charter", "owner", "pending_owner", "guardian", "keeper", "sequencer"):
        yield f"{role.replace('_', ' ')}: {found[role] or 'none'}"
    yield f"paused: {'YES: no bundle and no deposit; redemption works' if found['paused'] else 'no'}"
    yield f"delay of what widens: {found['delay_s']:,} s"
    yield from _changes(found)
    price = found["price"]
    money = price or f"{found['equity']:,.2f} in all, {found['share_value']:,.6f} a share"
    yield f"shares: {_number(found['shares'])}"
    yield f"worth: {money}"
    yield f"loss of a bundle: at most {found['bundle_loss_bps']:,} bps"
    yield f"loss of a day: at most {found['day_loss_bps']:,} bps, used {_number(found['day_loss_used_bps'])} bps"
    turnover = f"at most {found['day_turnover_bps']:,} bps, used {_number(found['day_turnover_used_bps'])} bps"
    yield f"turnover of a day: {turnover}"
    yield f"deviation of pools from the feeds: at most {found['deviation_bps']:,} bps"
    yield f"between two bundles: at least {found['cooldown_s']:,} s; the next is number {found['sequence']}"
    corridors = found["corridors_bps"].items()
    yield f"corridors: {', '.join(f'{s} {least / 100:g}% to {most / 100:g}%' for s, (least, most) in corridors)}"
    yield f"fee: {found['fee_bps']} bps of the shares a year, to {found['fee_receiver'] or 'nobody'}"
    for name in ("idle", "owed"):
        yield f"{name}: {', '.join(f'{symbol} {_number(units)}' for symbol, units in found[name].items())}"
    for name in ("pools", "positions"):
        yield f"{name}: {', '.join(found[name]) or 'none'}"


# ------------------------------------------------------------------ parts


async def _rules(rpc: Rpc, place: Market, vault: str) -> dict[str, Any]:
    charter = await rule.charter_at(rpc, place.multicall3, vault)
    (sequencer,) = await read(rpc, vault, encode_call("sequencer()"), "address")
    ((words_of_it,),) = await required(rpc, place.multicall3, [settings_of(vault)], "latest")
    settings = words.settings(words_of_it)
    try:
        changes, unknown = await rule.waiting(rpc, charter), None
    except ChainError as error:  # many nodes search few blocks at a time
        changes, unknown = None, str(error)
    return {
        "charter": charter.address,
        "owner": charter.owner,
        "pending_owner": _somebody(charter.pending_owner),
        "guardian": _somebody(charter.guardian),
        "keeper": _somebody(charter.keeper),
        "delay_s": charter.delay_s,
        "changes": changes,
        "changes_unknown": unknown,
        "sequencer": _somebody(sequencer),
        "fee_bps": settings.fee_bps,
        "fee_receiver": _somebody(settings.fee_receiver),
    }


async def _money(config: "Config") -> dict[str, Any]:
    """What it is worth, as the bot sees it; where it sees nothing, why."""
    from bot.config.wiring import build

    try:
        async with build(config) as parts:
            snapshot = await parts.observer.observe()
    except EvenkeelError as error:
        return {"equity": None, "share_value": None, "price": f"unknown: {error}"}
    return {"equity": equity(snapshot), "share_value": unit_value(snapshot), "price": None}


def _owed(found: Vault, tokens: tuple[Token, ...]) -> dict[str, Decimal]:
    return {token.symbol: to_units(raw, token.decimals) for token, raw in zip(tokens, found.owed, strict=False)}


def _changes(found: dict[str, Any]) -> Iterator[str]:
    if found["changes"] is None:
        yield f"changes that wait: unknown, since the node did not search its logs ({found['changes_unknown']})"
    elif not found["changes"]:
        yield "changes that wait: none"
    for change in found["changes"] or ():
        when = f"can be made from {moment(change.ready_at)} until {moment(change.until)}"
        yield f"change that waits: {change.call or 'asked for through another contract'}, {when}; id {change.id}"


def _somebody(address: str) -> str | None:
    return None if int(address, 16) == int(NOBODY, 16) else checksum(address)


def _digits(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _digits(each) for key, each in value.items()}
    return digits(value) if isinstance(value, Decimal) else value


def _number(value: Decimal | float) -> str:
    """All its digits, thousands apart, no zeros at the end."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
