"""Money into a vault and out of it: what is at stake is said first, then a person is asked, then it is done."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from bot.cli.options import confirm
from bot.cli.session import key_name, node, signer_of, tell
from bot.cli.words import SHARE_DECIMALS, amount_of, shares_of, token_of, vault_address, zap_address
from bot.core.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.ports import Rpc, Signer
    from bot.core.types import Amount, Market, Token
    from bot.execution.treasury import Moved, VaultAt


def _ask(said: list[str], question: str, yes: bool) -> None:
    from bot.cli.show import say

    for sentence in said:
        say(sentence)
    confirm(question, yes)


# ------------------------------------------------------------------ in


async def deposit_in_kind(config: "Config", words: list[str], cushion_bps: int, yes: bool, as_json: bool) -> None:
    """Mint shares for at most the amounts typed. Asks no feed, but for the first deposit of a vault."""
    from bot.execution import treasury

    holder = signer_of(config)
    async with node(config) as rpc:
        offer = await offer_in_kind(config, rpc, holder.address, words, cushion_bps)
        _ask(offer.said, "Deposit?", yes)
        moved = await treasury.deposit_in_kind(rpc, holder, offer.vault, offer.shares, offer.most)
    tell(moved, as_json)


class InKind(NamedTuple):
    """A deposit in kind before it is signed: for how many shares, at most what, and what to say of it."""

    vault: "VaultAt"
    shares: int
    most: tuple["Amount", ...]
    said: list[str]


async def offer_in_kind(config: "Config", rpc: "Rpc", holder: str, words: Sequence[str], cushion_bps: int) -> InKind:
    """Work out a deposit of the amounts typed. UsageError when it buys no share; DataError when the holder has less."""
    from bot.cli import stake
    from bot.config.wiring import market
    from bot.core.types import Amount
    from bot.core.units import Raw
    from bot.execution import treasury

    place = market(config)
    vault = await treasury.vault_at(rpc, place, vault_address(config))
    given = {amount.token: amount for amount in (amount_of(vault.tokens, word) for word in words)}
    most = tuple(given.get(token, Amount(token, Raw(0))) for token in vault.tokens)
    supply = await treasury.supply_of(rpc, vault)
    shares, cost = await _shares_in_kind(config, rpc, vault, most, supply, cushion_bps)
    await treasury.expect_balance(rpc, holder, cost)
    worth = await stake.worth_of(rpc, place, cost)
    return InKind(vault, shares, most, stake.deposit(vault.address, holder, (shares, supply), cost, most, worth))


async def _shares_in_kind(
    config: "Config", rpc: "Rpc", vault: "VaultAt", most: tuple["Amount", ...], supply: int, cushion_bps: int
) -> tuple[int, tuple["Amount", ...]]:
    """How many shares to ask for, and what they will take. The first take all: a share is then worth one unit of money.

    UsageError when the amounts buy no share.
    """
    from bot.cli.story import amount_words
    from bot.config.wiring import build
    from bot.core.types.world import LOCKED_SHARES
    from bot.core.units import minus_bps_floor, to_raw_floor
    from bot.execution import treasury

    first = supply <= LOCKED_SHARES
    if first:
        async with build(config) as parts:
            snapshot = await parts.observer.observe()
        money = Decimal(sum(snapshot.value(amount) for amount in most))
        shares = to_raw_floor(money, SHARE_DECIMALS) - LOCKED_SHARES
    else:
        shares = minus_bps_floor(await treasury.shares_for(rpc, vault, most), cushion_bps)
    if shares <= 0:
        said = ", ".join(map(amount_words, most))
        raise UsageError(f"expected some of every token that the vault holds, found {said}: that buys no share")
    return shares, most if first else await treasury.cost_of(rpc, vault, shares)


async def deposit_zap(config: "Config", word: str, cushion_bps: int, yes: bool, as_json: bool) -> None:
    """Mint shares for one token, through the vault's own zap."""
    from bot.cli import stake
    from bot.config.wiring import build
    from bot.decision.standing import unit_value
    from bot.execution import treasury
    from bot.venues.zap import size_deposit

    holder, zap = signer_of(config), zap_address(config)
    async with build(config) as parts:
        vault = await treasury.vault_at(parts.rpc, parts.market, vault_address(config))
        await treasury.expect_zap(parts.rpc, vault, zap)
        give = amount_of(vault.tokens, word)
        snapshot = await parts.observer.observe()
        sized = size_deposit(snapshot, give, cushion_bps)
        await treasury.expect_balance(parts.rpc, holder.address, (give,))
        worth = unit_value(snapshot)
        said = stake.zap_deposit(vault.address, zap, holder.address, sized, snapshot, worth, cushion_bps)
        _ask(said, "Deposit?", yes)
        moved = await treasury.deposit_zap(parts.rpc, holder, vault, zap, sized)
    tell(moved, as_json, change=True)


# ------------------------------------------------------------------ out


async def redeem(
    config: "Config",
    words: str,
    symbol: str | None,
    set_aside: list[str],
    cushion_bps: int,
    yes: bool,
    as_json: bool,
) -> None:
    """Burn shares for a slice of everything, or for one token."""
    from bot.config.wiring import market
    from bot.execution import treasury

    holder, place = signer_of(config), market(config)
    async with node(config) as rpc:  # not `build`: redeeming in kind must work whatever the feeds say
        vault = await treasury.vault_at(rpc, place, vault_address(config))
        held = await treasury.shares_of(rpc, vault, holder.address)
        shares = shares_of(words, held, f"{holder.address} ({key_name(config)})", vault.address)
        stakes = shares, held, await treasury.supply_of(rpc, vault)
        if symbol is None:
            kept = [token_of(vault.tokens, each) for each in set_aside]
            moved = await _redeem_in_kind(rpc, place, holder, vault, stakes, kept, cushion_bps, yes)
        else:
            token = token_of(vault.tokens, symbol)
            moved = await _redeem_zap(config, holder, vault, stakes, token, cushion_bps, yes)
    tell(moved, as_json)


async def _redeem_in_kind(
    rpc: "Rpc",
    place: "Market",
    holder: "Signer",
    vault: "VaultAt",
    stakes: tuple[int, int, int],
    kept: "list[Token]",
    cushion_bps: int,
    yes: bool,
) -> "Moved":
    from bot.cli import stake
    from bot.execution import treasury

    skip = sum(1 << vault.tokens.index(token) for token in set(kept))
    expect = await treasury.preview_redeem(rpc, vault, stakes[0], holder.address, skip)
    least, worth = treasury.cushioned(expect, cushion_bps), await stake.worth_of(rpc, place, expect)
    _ask(stake.redemption(vault.address, holder.address, stakes, expect, least, worth, kept), "Redeem?", yes)
    return await treasury.redeem(rpc, holder, vault, stakes[0], least, skip=skip)


async def _redeem_zap(
    config: "Config",
    holder: "Signer",
    vault: "VaultAt",
    stakes: tuple[int, int, int],
    token: "Token",
    cushion_bps: int,
    yes: bool,
) -> "Moved":
    from bot.cli import stake
    from bot.config.wiring import build
    from bot.execution import treasury
    from bot.venues.zap import size_withdrawal

    zap = zap_address(config)
    async with build(config) as parts:
        await treasury.expect_zap(parts.rpc, vault, zap)
        snapshot = await parts.observer.observe()
        sized = size_withdrawal(snapshot, stakes[0], token, cushion_bps)
        worth = snapshot.value(sized.expect)
        _ask(stake.zap_redemption(vault.address, zap, holder.address, stakes, sized, worth), "Redeem?", yes)
        return await treasury.redeem_zap(parts.rpc, holder, vault, zap, sized)


async def claim(config: "Config", symbol: str, yes: bool, as_json: bool) -> None:
    """Take what redemptions set aside of one token."""
    from bot.cli.story import amount_words
    from bot.config.wiring import market
    from bot.core.errors import Refused
    from bot.execution import treasury

    holder, place = signer_of(config), market(config)
    async with node(config) as rpc:
        vault = await treasury.vault_at(rpc, place, vault_address(config))
        token = token_of(vault.tokens, symbol)
        owed = (await treasury.owed_to(rpc, vault, holder.address))[vault.tokens.index(token)]
        if not owed.raw:
            raise Refused(f"nothing of {symbol} is set aside for {holder.address}; nothing was sent")
        said = f"set aside for {holder.address} in {vault.address}: {amount_words(owed)}; it goes to that account"
        _ask([said], "Claim it?", yes)
        moved = await treasury.claim(rpc, holder, vault, token)
    tell(moved, as_json)
