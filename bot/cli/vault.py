"""`evenkeel vault`: deploy one, look at it, put money in and take it out."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson, Files, Yes, confirm, settings
from bot.cli.words import SHARE_DECIMALS, amount_of, shares_of, token_of, vault_address, zap_address
from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.ports import Rpc, Signer
    from bot.core.types import Token
    from bot.execution.treasury import Moved, VaultAt

Cushion = Annotated[
    int,
    typer.Option("--cushion-bps", help="How much worse than seen now is still accepted (bps).", min=0, max=500),
]

SetAside = Annotated[
    list[str] | None,
    typer.Option(
        "--set-aside", help="Symbol of a token that cannot move now: its part is kept for you to claim. Again for more."
    ),
]

app = typer.Typer(help="The vault: deploy, look, deposit, redeem, claim.", no_args_is_help=True)


@app.command()
def deploy(
    files: Files = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write the addresses there, as an overlay.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Deploy a vault, its charter, a zap and a lens as the section `vault` says. The key in `key` pays and is owner."""
    import asyncio

    from bot.cli.show import emit, lines

    if write is not None and write.exists():
        raise ConfigError(f"expected no file at {write}, found one; name another, nothing was deployed")
    account = asyncio.run(_deploy(settings(files), yes))
    overlay = "account:\n" + "".join(f'  {name}: "{address}"\n' for name, address in account.items())
    if write is not None:
        write.write_text(overlay, encoding="utf-8")
    said = f"wrote {write}; add it with --config" if write else "put this into the configuration:\n" + overlay
    emit(account, as_json, lines(said))


@app.command()
def info(files: Files = None, as_json: AsJson = False) -> None:
    """Show the vault: charter, roles, limits and what is used of them, corridors, fee, holdings, owed, shares."""
    import asyncio

    asyncio.run(_info(settings(files), as_json))


@app.command()
def deposit(
    amounts: Annotated[list[str] | None, typer.Argument(help="In kind: SYMBOL=UNITS, the most of each token.")] = None,
    zap: Annotated[str | None, typer.Option("--zap", help="In one token instead: SYMBOL=UNITS.")] = None,
    cushion_bps: Cushion = 20,
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Deposit in kind, or in one token through the zap, for shares of the vault."""
    import asyncio

    if bool(amounts) == bool(zap):
        raise typer.BadParameter("give either amounts in kind (USDC=1000 WETH=0.3) or --zap USDC=1000")
    config = settings(files)
    if zap:
        asyncio.run(_deposit_zap(config, zap, cushion_bps, yes, as_json))
    else:
        asyncio.run(_deposit_in_kind(config, amounts or [], cushion_bps, yes, as_json))


@app.command()
def redeem(
    shares: Annotated[str, typer.Argument(help="How many shares, or `all`.")],
    zap: Annotated[str | None, typer.Option("--zap", help="Receive this one token instead of a slice of all.")] = None,
    set_aside: SetAside = None,
    cushion_bps: Cushion = 20,
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Redeem shares for a slice of everything, or for one token through the zap. In kind needs no price at all."""
    import asyncio

    if zap and set_aside:
        raise typer.BadParameter("give either --zap or --set-aside: what is set aside cannot be traded")
    asyncio.run(_redeem(settings(files), shares, zap, set_aside or [], cushion_bps, yes, as_json))


@app.command()
def claim(
    symbol: Annotated[str, typer.Argument(help="Symbol of a token of which a redemption set something aside for you.")],
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Claim what redemptions set aside of a token that could not move."""
    import asyncio

    asyncio.run(_claim(settings(files), symbol, yes, as_json))


# ------------------------------------------------------------------ deploy and info


async def _deploy(config: "Config", yes: bool) -> dict[str, str]:
    from bot.cli.show import say
    from bot.config.wiring import connect, market, vault_setup
    from bot.execution import treasury
    from bot.venues.market import verify_market

    owner = _signer(config)
    setup = vault_setup(config, owner.address)
    async with AsyncExitStack() as stack:
        rpc = await connect(config, stack)
        await verify_market(rpc, market(config))
        tokens = ", ".join(feed.token.symbol for feed in setup.feeds)
        say(f"vault {setup.name!r} of {tokens} with {len(setup.pools)} pools on chain {config.chain.id}")
        say(f"owner {setup.owner}, keeper {setup.keeper}, guardian {setup.guardian}, delay {setup.delay_s} s")
        confirm("Deploy it, with a zap and a lens?", yes)
        vault = await treasury.deploy_vault(rpc, owner, setup)
        say(f"vault {vault}, charter {await treasury.charter_of(rpc, vault)}")
        zap = await treasury.deploy_zap(rpc, owner, vault)
        lens = await treasury.deploy_lens(rpc, owner)
    return {"vault": vault, "zap": zap, "lens": lens}


async def _info(config: "Config", as_json: bool) -> None:
    from bot.cli.show import emit, lines
    from bot.cli.vault_info import read_info, said
    from bot.config.wiring import build

    async with build(config) as parts:
        vault_address(config)
        found = await read_info(parts.rpc, parts.market, await parts.observer.observe())
    emit(found, as_json, lines(*said(found)))


# ------------------------------------------------------------------ in


async def _deposit_in_kind(config: "Config", words: list[str], cushion_bps: int, yes: bool, as_json: bool) -> None:
    from bot.cli.show import say
    from bot.cli.story import amount_words
    from bot.config.wiring import build
    from bot.core.types import Amount
    from bot.core.types.world import LOCKED_SHARES
    from bot.core.units import Raw, minus_bps_floor, to_raw_floor, to_units
    from bot.execution import treasury

    holder = _signer(config)
    async with build(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        given = {amount.token: amount for amount in (amount_of(parts.market, word) for word in words)}
        _expect_of_vault(vault, given)
        most = tuple(given.get(token, Amount(token, Raw(0))) for token in vault.tokens)
        snapshot = await parts.observer.observe()
        if snapshot.vault and not snapshot.vault.empty:
            shares = minus_bps_floor(await treasury.shares_for(parts.rpc, vault, most), cushion_bps)
        else:  # the first: with the locked ones, a share is then worth one unit of the numeraire
            money = Decimal(sum(snapshot.value(amount) for amount in most))
            shares = Raw(to_raw_floor(money, SHARE_DECIMALS) - LOCKED_SHARES)
        said = ", ".join(map(amount_words, most))
        if shares <= 0:
            raise ConfigError(f"expected some of every token that the vault holds, found {said}: that buys no share")
        say(f"at most {said} for {to_units(shares, SHARE_DECIMALS):,.6f} shares")
        confirm("Deposit?", yes)
        moved = await treasury.deposit_in_kind(parts.rpc, holder, vault, shares, most)
    _tell(moved, as_json)


async def _deposit_zap(config: "Config", word: str, cushion_bps: int, yes: bool, as_json: bool) -> None:
    from bot.cli.show import say
    from bot.cli.story import amount_words
    from bot.config.wiring import build
    from bot.core.units import to_units
    from bot.execution import treasury
    from bot.venues.zap import size_deposit

    holder, zap = _signer(config), zap_address(config)
    async with build(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        give = amount_of(parts.market, word)
        _expect_of_vault(vault, (give.token,))
        sized = size_deposit(await parts.observer.observe(), give, cushion_bps)
        shares = to_units(sized.shares, SHARE_DECIMALS)
        say(f"{amount_words(sized.give)} in {len(sized.trades)} trades for {shares:,.6f} shares")
        confirm("Deposit?", yes)
        moved = await treasury.deposit_zap(parts.rpc, holder, vault, zap, sized)
    _tell(moved, as_json)


# ------------------------------------------------------------------ out


async def _redeem(
    config: "Config",
    words: str,
    symbol: str | None,
    set_aside: list[str],
    cushion_bps: int,
    yes: bool,
    as_json: bool,
) -> None:
    from bot.config.wiring import market
    from bot.execution import treasury

    holder, place = _signer(config), market(config)
    async with _node(config) as rpc:  # not `build`: redeeming in kind must work whatever the feeds say
        vault = await treasury.vault_at(rpc, place, vault_address(config))
        shares = shares_of(words, await treasury.shares_of(rpc, vault, holder.address))
        if symbol is None:
            kept = [token_of(place, each) for each in set_aside]
            _expect_of_vault(vault, kept)
            moved = await _redeem_in_kind(rpc, holder, vault, shares, kept, cushion_bps, yes)
        else:
            token = token_of(place, symbol)
            _expect_of_vault(vault, (token,))
            moved = await _redeem_zap(config, holder, vault, shares, token, cushion_bps, yes)
    _tell(moved, as_json)


async def _redeem_in_kind(
    rpc: "Rpc", holder: "Signer", vault: "VaultAt", shares: int, kept: "list[Token]", cushion_bps: int, yes: bool
) -> "Moved":
    from bot.cli.show import say
    from bot.cli.story import amount_words
    from bot.execution import treasury

    skip = sum(1 << vault.tokens.index(token) for token in set(kept))
    expect = await treasury.preview_redeem(rpc, vault, shares, holder.address, skip)
    least = treasury.cushioned(expect, cushion_bps)
    notes = {token: f" (set aside: `evenkeel vault claim {token.symbol}` pays it once it moves)" for token in kept}
    say("for " + ", ".join(amount_words(amount) + notes.get(amount.token, "") for amount in expect))
    confirm("Redeem?", yes)
    return await treasury.redeem(rpc, holder, vault, shares, least, skip=skip)


async def _claim(config: "Config", symbol: str, yes: bool, as_json: bool) -> None:
    from bot.cli.show import say
    from bot.cli.story import amount_words
    from bot.config.wiring import market
    from bot.core.errors import Refused
    from bot.execution import treasury

    holder, place = _signer(config), market(config)
    token = token_of(place, symbol)
    async with _node(config) as rpc:
        vault = await treasury.vault_at(rpc, place, vault_address(config))
        _expect_of_vault(vault, (token,))
        owed = (await treasury.owed_to(rpc, vault, holder.address))[vault.tokens.index(token)]
        if not owed.raw:
            raise Refused(f"nothing of {symbol} is set aside for {holder.address}; nothing was sent")
        say(f"set aside for {holder.address}: {amount_words(owed)}")
        confirm("Claim it?", yes)
        moved = await treasury.claim(rpc, holder, vault, token)
    _tell(moved, as_json)


async def _redeem_zap(
    config: "Config", holder: "Signer", vault: "VaultAt", shares: int, token: "Token", cushion_bps: int, yes: bool
) -> "Moved":
    from bot.cli.show import say
    from bot.cli.story import amount_words
    from bot.config.wiring import build
    from bot.execution import treasury
    from bot.venues.zap import size_withdrawal

    async with build(config) as parts:
        sized = size_withdrawal(await parts.observer.observe(), shares, token, cushion_bps)
        say(f"for {amount_words(sized.expect)}")
        confirm("Redeem?", yes)
        return await treasury.redeem_zap(parts.rpc, holder, vault, zap_address(config), sized)


# ------------------------------------------------------------------ parts


def _tell(moved: "Moved", as_json: bool) -> None:
    from dataclasses import replace

    from bot.cli.show import emit, lines
    from bot.cli.story import amount_words
    from bot.core.units import Raw, to_units

    shares = to_units(moved.shares, SHARE_DECIMALS)
    moves = ((amount, "got" if amount.raw > 0 else "gave") for amount in moved.amounts if amount.raw)
    amounts = ", ".join(f"{verb} {amount_words(replace(amount, raw=Raw(abs(amount.raw))))}" for amount, verb in moves)
    said = f"{shares:+,.6f} shares, {amounts}; {moved.gas_used:,} gas, {to_units(moved.fee, 18):.6f} ether"
    emit(moved, as_json, lines(f"block {moved.block}, transaction {moved.tx}", said))


def _expect_of_vault(vault: "VaultAt", tokens: "Iterable[Token]") -> None:
    """ConfigError when the vault has not registered one of the tokens."""
    if strange := [token.symbol for token in tokens if token not in vault.tokens]:
        known = ", ".join(token.symbol for token in vault.tokens)
        raise ConfigError(f"expected tokens of the vault ({known}), found {', '.join(strange)}")


@asynccontextmanager
async def _node(config: "Config") -> "AsyncIterator[Rpc]":
    from bot.config.wiring import connect

    async with AsyncExitStack() as stack:
        rpc = await connect(config, stack)
        found = int(await rpc.call("eth_chainId"), 16)
        if found != config.chain.id:
            raise ConfigError(f"expected a node of chain {config.chain.id}, found chain {found}; correct chain.rpc")
        yield rpc


def _signer(config: "Config") -> "Signer":
    from bot.config.wiring import signer

    key = signer(config)
    if key is None:
        raise ConfigError("key: expected the section that names the key to sign with, found none; add it")
    return key
