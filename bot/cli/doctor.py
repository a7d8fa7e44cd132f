"""`evenkeel doctor`: everything the bot depends on, checked, and how to mend what is wrong."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bot.cli.options import AsJson, Files, settings
from bot.core.errors import ChainError, ConfigError, DataError, EvenkeelError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.config.wiring import Parts
    from bot.core.ports import Rpc
    from bot.core.types import Market
    from bot.journal import SqlJournal

CHECK_FAILED = 4  # exit code
BUNDLES = 20  # the keeper's ether should pay for so many
BUNDLE_GAS = 800_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the bot depends on; `mend` says what to do when it is not ok and `said` does not."""

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
            if checks[-1].ok:
                checks.append(await check("chain of the journal", "", _origin(config, rpc)))
    checks.append(await check("journal", "restore it from a copy, or correct journal.url", _journal(config)))
    checks.append(await check("price history", "correct history.file, or leave it out", _history(config)))
    if not all(c.ok for c in checks):
        return [*checks, Check("market and account", False, "not looked at, since something before it failed")]
    if config.account.vault is None and config.account.wallet is None:
        return [*checks, *await _before_deployment(config)]
    return [*checks, *await _built(config)]


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
    async with _opened(config) as journal:
        broken = await journal.verify()
        if broken is not None:
            raise DataError(broken)
        return f"whole, {await journal.last_cycle()} cycles"


async def _origin(config: "Config", rpc: "Rpc") -> str:
    from bot.config.origin import expect_origin

    async with _opened(config) as journal:
        return await expect_origin(rpc, journal, config.journal.url, config.chain.id)


@asynccontextmanager
async def _opened(config: "Config") -> "AsyncIterator[SqlJournal]":
    from bot.journal import SqlJournal

    journal = SqlJournal(config.journal.url)
    try:
        yield journal
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


async def _before_deployment(config: "Config") -> list[Check]:
    """What can be known without a vault: the market and its feeds."""
    from bot.cli.session import node
    from bot.venues.market import verify_market

    async with node(config) as rpc:
        place = market_of(config)
        checks = [await check("market", "", _say(verify_market(rpc, place), _counted(place)))]
        if checks[0].ok:
            checks.append(await check("feeds", "", _feeds(config, rpc, place)))
    note = "none yet: `evenkeel vault deploy` makes one, and prints what the section account needs"
    return [*checks, Check("vault", True, note)]


async def _built(config: "Config") -> list[Check]:
    """What needs the whole: market, account, feeds, zap and lens, key."""
    from bot.config.wiring import build

    try:
        async with build(config) as parts:
            return [
                Check("market", True, _counted(parts.market)),
                await check("account and feeds", "", _account(parts)),
                await check("policy against vault", "", _within_corridors(parts)),
                await check("zap", "", _zap(parts)),
                await check("lens", "", _lens(parts)),
                await check("key", "", _key(parts)),
            ]
    except EvenkeelError as error:
        return [Check("market and account", False, str(error))]


def market_of(config: "Config") -> "Market":
    """The market section as the rooms know it."""
    from bot.config.wiring import market

    return market(config)


def _counted(place: "Market") -> str:
    return f"{len(place.tokens)} tokens and {len(place.pools)} pools as configured"


async def _say(looking: Awaitable[None], said: str) -> str:
    await looking
    return said


async def _feeds(config: "Config", rpc: "Rpc", place: "Market") -> str:
    from bot.chain.multicall import read_together
    from bot.config import load_policy
    from bot.core.units import Timestamp
    from bot.prices import chainlink

    feeds = tuple(feed for feed in place.feeds if feed.token.symbol in load_policy(config).targets)
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    now = Timestamp(int(block["timestamp"], 16))
    (found,) = await read_together(rpc, place.multicall3, [chainlink.prices(feeds, now)], "latest")
    return ", ".join(f"{price.token.symbol} {price.money:,.2f}" for price in found)


async def _account(parts: "Parts") -> str:
    snapshot = await parts.observer.observe()
    if snapshot.vault and snapshot.vault.paused:
        raise DataError(
            f"expected vault {snapshot.account} at work, found it paused; see why, then its owner can unpause it: "
            "`evenkeel vault unpause`"
        )
    kind = "vault" if snapshot.vault else "wallet"
    return f"{kind} {snapshot.account} seen at block {snapshot.block.number}, every price fresh"


async def _within_corridors(parts: "Parts") -> str:
    """A target outside its corridor: the vault would refuse the bundle that goes there."""
    from bot.core.units import ONE_BPS

    snapshot, targets = await parts.observer.observe(), parts.policy.targets
    if snapshot.vault is None:
        return "a wallet has no corridors"
    symbols = [price.token.symbol for price in snapshot.prices]
    strange = [
        f"{symbol} {targets[symbol]:.2%} outside {least / 100:g}% to {most / 100:g}%"
        for symbol, (least, most) in zip(symbols, snapshot.vault.corridors, strict=True)
        if not least <= targets[symbol] * ONE_BPS <= most
    ]
    if strange:
        said = f"expected every target inside its corridor, found {', '.join(strange)}"
        raise ConfigError(f"{said}; change the policy's targets, or let the owner widen the corridor")
    return "every target is inside its corridor"


async def _zap(parts: "Parts") -> str:
    from bot.execution import treasury

    vault, zap = parts.config.account.vault, parts.config.account.zap
    if vault is None or zap is None:
        return "none: deposits and redemptions go in kind"
    await treasury.expect_zap(parts.rpc, await treasury.vault_at(parts.rpc, parts.market, vault), zap)
    return f"{zap}, of this vault"


async def _lens(parts: "Parts") -> str:
    """Nothing of ours asks it; people and their programs do."""
    from bot.chain.abi import encode_call
    from bot.core.errors import Reverted
    from bot.execution.calls import read

    vault, lens = parts.config.account.vault, parts.config.account.lens
    if vault is None or lens is None:
        return "none: nothing of ours asks it"
    try:
        (raw,) = await read(parts.rpc, lens, encode_call("share_value(address)", vault), "uint256")
    except (Reverted, DataError) as error:
        raise ConfigError(
            f"account.lens: expected a lens that values vault {vault}, found none at {lens} ({error}); correct the "
            "address, or leave it out"
        ) from None
    return f"{lens} values a share at {raw / 10**18:,.4f}"


async def _key(parts: "Parts") -> str:
    from bot.config.wiring import signer
    from bot.core.units import to_units
    from bot.execution.treasury import keeper_of

    key, vault = signer(parts.config), parts.config.account.vault
    if key is None or vault is None:
        return "none: every run is a dry run"
    keeper = await keeper_of(parts.rpc, vault)
    if key.address != keeper:
        raise ConfigError(
            f"expected the key of the vault's keeper {keeper}, found that of {key.address}; name the keeper's in the "
            "section key, or let the owner name this one: `evenkeel vault keeper`"
        )
    wei = int(await parts.rpc.call("eth_getBalance", key.address, "latest"), 16)
    price = int(await parts.rpc.call("eth_gasPrice"), 16)
    needed = BUNDLES * BUNDLE_GAS * price
    if wei < needed:
        ether, least = to_units(wei, 18), to_units(needed, 18)
        wanted = f"expected {least:.4f} ether, for {BUNDLES} bundles, found {ether:.4f}"
        raise DataError(f"keeper {keeper}: {wanted}; give it ether")
    return f"keeper {keeper}, {to_units(wei, 18):.4f} ether"


VERBS = (doctor,)
