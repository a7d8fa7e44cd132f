"""All that `evenkeel vault info` shows of a vault, as plain values and as sentences."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bot.chain.abi import checksum
from bot.chain.multicall import Call, required
from bot.cli.report import equity
from bot.cli.words import SHARE_DECIMALS
from bot.core.ports import Rpc
from bot.core.types import Market, Snapshot, Token
from bot.core.units import to_units
from bot.decision.standing import unit_value
from bot.execution.treasury import NOBODY
from bot.venues import words
from bot.venues.vault import owed_totals, settings_of

ADDRESS = ("address",)


async def read_info(rpc: Rpc, market: Market, snapshot: Snapshot) -> dict[str, Any]:
    """What was seen of the vault, and what stands in no snapshot: who rules, who is paid, what is set aside."""
    state = snapshot.vault
    assert state is not None  # the account is a vault
    limits = state.limits
    return {
        "vault": snapshot.account,
        **await _rules(rpc, market, snapshot.account, state.tokens),
        "paused": state.paused,
        "sequence": state.sequence,
        "shares": to_units(state.shares, SHARE_DECIMALS),
        "equity": equity(snapshot),
        "share_value": unit_value(snapshot),
        "bundle_loss_bps": limits.bundle_loss_bps,
        "day_loss_bps": limits.day_loss_bps,
        "day_loss_used_bps": state.loss_used_bps,
        "day_turnover_bps": limits.day_turnover_bps,
        "day_turnover_used_bps": state.turnover_used_bps,
        "deviation_bps": limits.deviation_bps,
        "cooldown_s": limits.cooldown_s,
        "corridors": {p.token.symbol: c for p, c in zip(snapshot.prices, state.corridors, strict=True)},
        "idle": {amount.token.symbol: amount.units for amount in snapshot.balances},
        "pools": [snapshot.pool(address).name for address in state.pools],
        "positions": [position.id for position in snapshot.positions],
    }


def said(found: dict[str, Any]) -> Iterator[str]:
    """A line for each of them."""
    corridors = {symbol: f"{least / 100:g}% to {most / 100:g}%" for symbol, (least, most) in found["corridors"].items()}
    for name, value in {**found, "corridors": corridors}.items():
        yield f"{name}: {_plain(value)}"


async def _rules(rpc: Rpc, market: Market, vault: str, tokens: tuple[Token, ...]) -> dict[str, Any]:
    asked = [Call.of(vault, f"{name}()", returns=ADDRESS) for name in ("charter", "sequencer")]
    asked += [settings_of(vault), *owed_totals(vault)]
    (charter,), (sequencer,), (words_of_it,), *owed = await required(rpc, market.multicall3, asked, "latest")
    roles = ("owner", "pending_owner", "guardian")
    asked = [Call.of(charter, f"{role}()", returns=ADDRESS) for role in roles]
    asked += [Call.of(charter, "delay_s()", returns=("uint256",))]
    *who, (delay_s,) = await required(rpc, market.multicall3, asked, "latest")
    found = words.settings(words_of_it)
    return {
        "charter": checksum(charter),
        **{role: _somebody(address) for role, (address,) in zip(roles, who, strict=True)},
        "keeper": _somebody(found.keeper),
        "delay_s": delay_s,
        "sequencer": _somebody(sequencer),
        "fee_bps": found.fee_bps,
        "fee_receiver": _somebody(found.fee_receiver),
        "owed": {token.symbol: to_units(raw, token.decimals) for token, (raw,) in zip(tokens, owed, strict=False)},
    }


def _somebody(address: str) -> str | None:
    return None if address == NOBODY else checksum(address)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value) or "none"
    if value is None:
        return "none"
    if isinstance(value, Decimal | float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return str(value)
