"""What is at stake, said before a person signs: shares, their part of the vault, expected and least amounts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.cli.story import amount_words
from bot.cli.words import SHARE_DECIMALS
from bot.core.errors import ConfigError, DataError
from bot.core.types import Amount, Market, Token
from bot.core.units import ZERO, Money, Timestamp, to_units

if TYPE_CHECKING:
    from bot.core.ports import Rpc
    from bot.core.types import Snapshot
    from bot.venues.zap import ZapDeposit, ZapWithdrawal


async def worth_of(rpc: "Rpc", market: Market, amounts: Sequence[Amount]) -> Money | None:
    """Money of the amounts at the feeds' prices; None when a feed says none that is good."""
    from bot.chain.multicall import read_together
    from bot.prices import chainlink

    feeds = tuple(feed for feed in market.feeds if feed.token in {amount.token for amount in amounts if amount.raw})
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    now = Timestamp(int(block["timestamp"], 16))
    try:
        (found,) = await read_together(rpc, market.multicall3, [chainlink.prices(feeds, now)], "latest")
    except (DataError, ConfigError):
        return None
    price = {each.token: each.money for each in found}
    return Money(sum((amount.units * price[amount.token] for amount in amounts if amount.raw), ZERO))


def redemption(
    vault: str,
    holder: str,
    shares: tuple[int, int, int],  # redeemed, held, of the vault
    expect: Sequence[Amount],
    least: Sequence[Amount],
    worth: Money | None,
    set_aside: Sequence[Token] = (),
    way: str = "in kind",
) -> list[str]:
    """What a redemption pays, and to whom."""
    redeemed, held, supply = shares
    notes = {token: f" (set aside: `evenkeel vault claim {token.symbol}` pays it once it moves)" for token in set_aside}
    expected = ", ".join(amount_words(each) + notes.get(each.token, "") for each in expect)
    return [
        f"redeem {units(redeemed)} of the {units(held)} shares of {holder}, {way}: {part(redeemed, supply)} of {vault}",
        f"  expected: {expected}; {worth_words(worth)}",
        f"  at least: {_listed(least)}, to {holder}; where less would come, nothing happens",
    ]


def zap_redemption(
    vault: str, zap: str, holder: str, shares: tuple[int, int, int], sized: "ZapWithdrawal", worth: Money
) -> list[str]:
    """What a redemption for one token pays."""
    least = Amount(sized.expect.token, sized.least)
    way = f"in {_trades(len(sized.trades))} through zap {zap}"
    return redemption(vault, holder, shares, (sized.expect,), (least,), worth, way=way)


def deposit(
    vault: str,
    holder: str,
    shares: tuple[int, int],
    cost: Sequence[Amount],
    most: Sequence[Amount],
    worth: Money | None,
) -> list[str]:
    """What a deposit in kind takes. `shares`: minted, and the vault's before it."""
    minted, supply = shares
    return [
        f"deposit in kind for exactly {units(minted)} shares of {vault}, then {part(minted, supply + minted)} of it",
        f"  expected: {_listed(cost)}; {worth_words(worth)}",
        f"  at most: {_listed(most)}, from {holder}, to whom the shares go; where more would be taken, nothing happens",
    ]


def zap_deposit(
    vault: str, zap: str, holder: str, sized: "ZapDeposit", snapshot: "Snapshot", share_value: Money, cushion_bps: int
) -> list[str]:
    """What a deposit of one token takes, what comes back as change, and what it costs."""
    supply = snapshot.vault.shares if snapshot.vault else 0
    given, back = snapshot.value(sized.give), Money(sum((snapshot.value(each) for each in sized.left), ZERO))
    bought = Money(share_value * to_units(sized.shares, SHARE_DECIMALS))
    minted = part(sized.shares, supply + sized.shares)
    return [
        f"deposit {amount_words(sized.give)} in {_trades(len(sized.trades))} through zap {zap}, from {holder}",
        f"  for exactly {units(sized.shares)} shares of {vault}, then {minted} of it, worth {bought:,.2f}",
        f"  expected back as change: {_listed(sized.left)}; worth {back:,.2f}",
        f"  expected cost: {given - bought - back:,.2f} of {given:,.2f}",
        f"  at least: those shares, no trade more than {cushion_bps} bps below what it pays now; else nothing happens",
    ]


def units(raw: int) -> str:
    """Shares as people read them, to six decimals."""
    return f"{to_units(raw, SHARE_DECIMALS):,.6f}".rstrip("0").rstrip(".")


def part(shares: int, supply: int) -> str:
    """Shares as a part of all."""
    return f"{shares / supply:.4%}" if supply else "all"


def worth_words(worth: Money | None) -> str:
    """Money, or that nobody can say."""
    return "worth unknown: a feed says no good price" if worth is None else f"worth {worth:,.2f} at the feeds' prices"


def _listed(amounts: Sequence[Amount]) -> str:
    return ", ".join(amount_words(each) for each in amounts if each.raw) or "nothing"


def _trades(count: int) -> str:
    return "1 trade" if count == 1 else f"{count} trades"
