"""What a verb of the vault's works with: a node of the right chain, a key; and what it says when money has moved."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.cli.words import SHARE_DECIMALS, digits
from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.ports import Rpc, Signer
    from bot.execution.treasury import Moved

NO_KEY = (
    "key: expected the section that names the key to sign with, found none; add key: {environment: NAME}, or a keystore"
)


@asynccontextmanager
async def node(config: "Config") -> "AsyncIterator[Rpc]":
    """A node alone, for what must work whatever feeds, policy and journal say. ConfigError: of another chain."""
    from bot.config.wiring import connect

    async with AsyncExitStack() as stack:
        rpc = await connect(config, stack)
        found = int(await rpc.call("eth_chainId"), 16)
        if found != config.chain.id:
            mend = "chain.rpc (through ape: give --network)"
            raise ConfigError(f"expected a node of chain {config.chain.id}, found chain {found}; correct {mend}")
        yield rpc


def signer_of(config: "Config") -> "Signer":
    """The key to sign with. ConfigError when none is named, or it cannot be had."""
    from bot.config.wiring import signer

    key = signer(config)
    if key is None:
        raise ConfigError(NO_KEY)
    return key


def key_name(config: "Config") -> str:
    """Where the key comes from, as the configuration says it."""
    key = config.key
    return "no key" if key is None else key.environment or str(key.keystore)


def tell(moved: "Moved", as_json: bool, change: bool = False) -> None:
    """What a deposit or withdrawal did. `change`: what came is what was left of one token's deposit."""
    from bot.cli.show import emit, lines
    from bot.core.units import to_units

    shares = to_units(moved.shares, SHARE_DECIMALS)
    came = _list(moved, 1), "got back" if change else "got"
    went = _list(moved, -1), "gave"
    amounts = "; ".join(f"{verb} {said}" for said, verb in (went, came) if said)
    said = [f"{shares:+,.6f} shares"] * bool(shares) + [amounts] * bool(amounts)
    paid = f"{moved.gas_used:,} gas, {to_units(moved.fee, 18):.6f} ether"
    emit(_plain(moved), as_json, lines(f"block {moved.block}, transaction {moved.tx}", "; ".join([*said, paid])))


def _list(moved: "Moved", sign: int) -> str:
    from dataclasses import replace

    from bot.cli.story import amount_words
    from bot.core.units import Raw

    found = (replace(a, raw=Raw(a.raw * sign)) for a in moved.amounts if a.raw * sign > 0)
    return ", ".join(map(amount_words, found))


def _plain(moved: "Moved") -> dict[str, Any]:
    """For programs: whole units as decimal strings, smallest units as numbers."""
    from bot.core.units import to_units

    return {
        "tx": moved.tx,
        "block": moved.block,
        "shares": digits(to_units(moved.shares, SHARE_DECIMALS)),
        "shares_raw": moved.shares,
        "amounts": [{"symbol": a.token.symbol, "units": digits(a.units), "raw": a.raw} for a in moved.amounts],
        "gas_used": moved.gas_used,
        "ether": digits(to_units(moved.fee, 18)),
    }
