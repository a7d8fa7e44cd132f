"""`evenkeel doctor`: everything the bot depends on, checked, and how to mend what is wrong."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bot.cli.options import AsJson, Files, settings
from bot.core.errors import ChainError, ConfigError, DataError, EvenkeelError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.config.wiring import Parts
    from bot.core.ports import Rpc

CHECK_FAILED = 4  # exit code
BUNDLES = 20  # the keeper's ether should pay for so many
BUNDLE_GAS = 800_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the bot depends on; `mend` says what to do when it is not ok."""

    name: str
    ok: bool
    said: str
    mend: str = ""


def doctor(files: Files = None, as_json: AsJson = False) -> None:
    """Check everything the bot depends on, and say how to mend what is wrong. Exit code 4 when a check fails."""
    import asyncio

    from bot.cli.show import emit, lines

    checks = asyncio.run(examine(settings(files)))
    well = all(check.ok for check in checks)
    said = [
        f"{'ok  ' if c.ok else 'FAIL'} {c.name}: {c.said}" + (f"\n     mend: {c.mend}" if c.mend else "")
        for c in checks
    ]
    emit({"ok": well, "checks": checks}, as_json, lines(*said, "all is well" if well else "see the lines marked FAIL"))
    if not well:
        raise typer.Exit(CHECK_FAILED)


async def examine(config: "Config") -> list[Check]:
    """All checks, in the order in which they build on each other."""
    from bot.chain.rpc import HttpRpc, without_credentials

    checks = [await check("policy", "correct the policy file", _policy(config))]
    for url in config.chain.rpc:
        async with HttpRpc(url, config.chain.timeout_s) as rpc:
            mend = "start the node, or correct chain.rpc, chain.id or chain.max_block_age_s"
            checks.append(await check(f"node {without_credentials(url)}", mend, _node(config, rpc)))
    checks.append(await check("journal", "restore it from a copy, or correct journal.url", _journal(config)))
    checks.append(await check("price history", "correct history.file, or leave it out", _history(config)))
    if all(c.ok for c in checks):
        checks += await _built(config)
    else:
        checks.append(Check("account", False, "not looked at, since something before it failed", "mend that first"))
    return checks


async def check(name: str, mend: str, looking: Awaitable[str]) -> Check:
    """The sentence of one look, or its error and what to do."""
    try:
        return Check(name, True, await looking)
    except EvenkeelError as error:
        return Check(name, False, str(error), mend)


async def _policy(config: "Config") -> str:
    from bot.config import load_policy

    policy = load_policy(config)
    return f"{policy.name!r}, version {policy.version}"


async def _node(config: "Config", rpc: "Rpc") -> str:
    import time

    found = int(await rpc.call("eth_chainId"), 16)
    if found != config.chain.id:
        raise ConfigError(f"expected chain {config.chain.id}, found chain {found}")
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    if not block:
        raise ChainError("expected a newest block, found none")
    age_s = int(time.time()) - int(block["timestamp"], 16)
    most_s = config.chain.max_block_age_s
    if most_s is not None and age_s > most_s:
        raise DataError(f"expected a newest block of at most {most_s} s, found one of {age_s} s: the node lags")
    return f"chain {found}, block {int(block['number'], 16)}"


async def _journal(config: "Config") -> str:
    from bot.journal import SqlJournal

    journal = SqlJournal(config.journal.url)
    try:
        broken = await journal.verify()
        if broken is not None:
            raise DataError(broken)
        return f"whole, {await journal.last_cycle()} cycles"
    finally:
        await journal.close()


async def _history(config: "Config") -> str:
    from bot.config import load_policy
    from bot.config.wiring import market
    from bot.prices.history import read_closes

    if config.history.file is None:
        return "none: the band stands at its cap until enough has been observed"
    place = market(config)
    tokens = tuple(place.token(symbol) for symbol in load_policy(config).targets)
    closes = read_closes(config.history.file, tokens, config.history.step_s, config.history.rows)
    return f"{len(closes.rows)} rows of {closes.step_s} s"


async def _built(config: "Config") -> list[Check]:
    """What needs the whole: market, account, feeds, key."""
    from bot.config.wiring import build

    try:
        async with build(config) as parts:
            return [
                Check(
                    "market",
                    True,
                    f"{len(parts.market.tokens)} tokens and {len(parts.market.pools)} pools as configured",
                ),
                await check("account and feeds", "do as the message says", _account(parts)),
                await check("key", "name the keeper's key in the section key, and give it ether", _key(parts)),
            ]
    except EvenkeelError as error:
        return [Check("market and account", False, str(error), "do as the message says")]


async def _account(parts: "Parts") -> str:
    snapshot = await parts.observer.observe()
    if snapshot.vault and snapshot.vault.paused:
        raise DataError(f"vault {snapshot.account} is paused; its owner can unpause it")
    kind = "vault" if snapshot.vault else "wallet"
    return f"{kind} {snapshot.account} seen at block {snapshot.block.number}, every price fresh"


async def _key(parts: "Parts") -> str:
    from bot.config.wiring import signer
    from bot.core.units import to_units
    from bot.execution.treasury import keeper_of

    key, vault = signer(parts.config), parts.config.account.vault
    if key is None or vault is None:
        return "none: every run is a dry run"
    keeper = await keeper_of(parts.rpc, vault)
    if key.address != keeper:
        raise ConfigError(f"expected the key of the vault's keeper {keeper}, found that of {key.address}")
    wei = int(await parts.rpc.call("eth_getBalance", key.address, "latest"), 16)
    price = int(await parts.rpc.call("eth_gasPrice"), 16)
    needed = BUNDLES * BUNDLE_GAS * price
    if wei < needed:
        ether, least = to_units(wei, 18), to_units(needed, 18)
        raise DataError(f"keeper {keeper}: expected {least:.4f} ether, for {BUNDLES} bundles, found {ether:.4f}")
    return f"keeper {keeper}, {to_units(wei, 18):.4f} ether"


VERBS = (doctor,)
