"""What the lens says is held, against the vault's own truth: what it charges, pays and logs."""

from decimal import Decimal
from random import Random
from typing import Any

import boa
import pytest
from eth_utils.crypto import keccak

from bot.amm import v3
from tests.contracts.market import (
    DECIMALS,
    HOUR_S,
    ONE,
    PRICES,
    UNISWAP,
    Market,
    action,
    executed,
    load,
    load_vault,
    token_setup,
)
from tests.contracts.vault.words import BPS, NAV_ONE

UINT24 = 2**24
NOBODY = "0x" + "00" * 20
V3, WBTC_POOL, V2 = range(3)  # the vault's pools
LIMITS = (100, 500, 50_000, 500, 0)  # the market's; loss and turnover of a day are the second and the third


@pytest.fixture
def lens() -> Any:
    return load("Lens.vy")


def signed(tick: int) -> int:
    return tick - UINT24 if tick >= UINT24 // 2 else tick


def ranges(market: Market, lens: Any) -> list[tuple[int, int, int]]:
    """Pool and ticks of every range."""
    words = [word for word in lens.positions(market.vault.address) if word >> 48 != V2]
    return [(word >> 48, signed(word >> 24 & 0xFFFFFF), signed(word & 0xFFFFFF)) for word in words]


def push(market: Market, pool: int, symbol: str, money: int) -> None:
    """Somebody sells so much of a token to a V3 pool."""
    amount = int(Decimal(money) / PRICES[symbol] * 10 ** DECIMALS[symbol])
    market.provider.swap(market.pools[pool].address, market.token0_is(pool, symbol), amount)


def redeem(market: Market, shares: int, skip: int = 0) -> list[int]:
    return list(market.vault.redeem(shares, [0, 0, 0], market.rich, market.deadline(), skip, sender=market.rich))


def start_fee(market: Market, bps: int) -> None:
    """The owner asks twice for a yearly fee."""
    for seconds in (86_400, 0):
        market.charter.set_fee(market.owner, bps, sender=market.owner)
        boa.env.time_travel(seconds=seconds)


# ------------------------------------------------------------------ positions and state


def test_positions__of_the_market__are_those_that_the_keeper_opened(market: Market, lens: Any) -> None:
    found = lens.positions(market.vault.address)
    assert [word >> 48 for word in found] == [V3, WBTC_POOL, V2]
    assert found[2] == V2 << 48
    for pool, lower, upper in ranges(market, lens):
        assert lower < 0 < upper or lower * upper > 0
        assert range_held(market, market.pools[pool], lower, upper)[0] > 0


def test_positions__more_than_one_word_of_them__are_all_there(market: Market, lens: Any) -> None:
    tick = market.pools[V3].slot0()[1] // 10 * 10
    added = [(tick - 10 * i, tick + 10 * i) for i in range(1, 6)]
    bundle = [action(3, V3, *ticks, 10**9, 2**256 - 1) for ticks in added]
    market.vault.execute(bundle, [], market.sequence(), market.deadline(), sender=market.keeper)
    assert len(lens.positions(market.vault.address)) == 8
    assert [found[1:] for found in ranges(market, lens)][2:] == added


def test_state__after_a_bundle__is_what_its_event_says_and_leaks_over_a_day(market: Market, lens: Any) -> None:
    boa.env.time_travel(seconds=86_400)
    market.answer()
    before = lens.state(market.vault.address)
    assert (before.sequence, before.loss_used, before.turnover_used) == (market.sequence(), 0, 0)
    amount = 10**4 * 10**6
    swap = action(2, V3, int(market.token0_is(V3, "USDC")), 0, amount, 0)
    market.vault.execute([swap], [], before.sequence, market.deadline(), sender=market.keeper)
    nav_before, nav_after, turnover = executed(market.vault)
    done = boa.env.timestamp
    assert turnover == 10**4 * ONE
    assert nav_after < nav_before
    used = [-(-part * NAV_ONE // nav_before) for part in (nav_before - nav_after, turnover)]
    for passed in (0, 1, 60):
        boa.env.time_travel(seconds=done + passed - boa.env.timestamp)
        found = lens.state(market.vault.address)
        leaked = [day * BPS * passed // 86_400 for day in LIMITS[1:3]]
        assert (found.sequence, found.last_bundle) == (before.sequence + 1, done)
        assert [found.loss_used, found.turnover_used] == [
            max(0, part - out) for part, out in zip(used, leaked, strict=True)
        ]
    assert found.turnover_used > 0
    boa.env.time_travel(seconds=86_400)
    assert lens.state(market.vault.address)[2:4] == (0, 0)


def test_state__paused_by_the_guardian__says_so(market: Market, lens: Any) -> None:
    market.charter.pause(sender=market.owner)
    assert lens.state(market.vault.address).paused
    market.charter.unpause(sender=market.owner)
    assert not lens.state(market.vault.address).paused


def test_state__fee_due__is_in_the_supply_before_it_is_minted(market: Market, lens: Any) -> None:
    vault = market.vault
    assert lens.state(vault.address).supply == vault.totalSupply()
    start_fee(market, 200)
    boa.env.time_travel(seconds=90 * 86_400)
    found, minted = lens.state(vault.address).supply, vault.totalSupply()
    assert found > minted
    redeem(market, ONE)
    assert vault.totalSupply() == found - ONE


# ------------------------------------------------------------------ holdings


def by_hand(market: Market, lens: Any) -> dict[str, tuple[int, int]]:
    """(idle with fees, placed) of each token's address, from the pools' own numbers."""
    idle = {token.address: token.balanceOf(market.vault.address) for token in market.listed}
    placed = dict.fromkeys(idle, 0)
    pair = market.pools[V2]
    held, supply = pair.balanceOf(market.vault.address), pair.totalSupply()
    parts = [(pair, tuple(reserve * held // supply for reserve in pair.getReserves()[:2]), (0, 0))]
    for index, lower, upper in ranges(market, lens):
        parts.append((market.pools[index], *range_by_hand(market, market.pools[index], lower, upper)))
    for pool, amounts, fees in parts:
        for token, amount, fee in zip((pool.token0(), pool.token1()), amounts, fees, strict=True):
            placed[token] += amount
            idle[token] += fee
    return {token: (idle[token], placed[token]) for token in idle}


def range_held(market: Market, pool: Any, lower: int, upper: int) -> Any:
    key = keccak(bytes.fromhex(market.vault.address[2:]) + (lower % UINT24).to_bytes(3) + (upper % UINT24).to_bytes(3))
    return pool.positions(key)


def range_by_hand(market: Market, pool: Any, lower: int, upper: int) -> tuple[tuple[int, int], tuple[int, int]]:
    liquidity, last0, last1, owed0, owed1 = range_held(market, pool, lower, upper)
    price, tick, *_ = pool.slot0()
    low, top = pool.ticks(lower), pool.ticks(upper)
    fees = tuple(
        v3.fees_due(liquidity, v3.fee_growth_inside(tick, lower, upper, growth, low[i], top[i]), last, owed)
        for growth, i, last, owed in (
            (pool.feeGrowthGlobal0X128(), 2, last0, owed0),
            (pool.feeGrowthGlobal1X128(), 3, last1, owed1),
        )
    )
    return v3.amounts(price, lower, upper, liquidity), (int(fees[0]), int(fees[1]))


def sides(market: Market, lens: Any) -> list[int]:
    """How many positions have each token: a mint counts each with 1 more of it."""
    found = [symbol for word in lens.positions(market.vault.address) for symbol in market.symbols(word >> 48)]
    return [found.count(symbol) for symbol in market.tokens]


def test_holdings__mint_of_as_many_shares_as_there_are__costs_them_and_one_for_each_position(
    market: Market, lens: Any
) -> None:
    vault = market.vault
    cost = vault.preview_mint(vault.totalSupply())
    expected = [held + more for held, more in zip(lens.holdings(vault.address), sides(market, lens), strict=True)]
    assert cost == expected
    assert min(sides(market, lens)) > 0


def test_holdings__computed_by_hand__are_idle_fees_and_principal(market: Market, lens: Any) -> None:
    found = by_hand(market, lens)
    assert lens.holdings(market.vault.address) == [sum(found[token.address]) for token in market.listed]
    pool, *ticks = ranges(market, lens)[0]
    assert max(range_by_hand(market, market.pools[pool], *ticks)[1]) > 0


def test_holdings__amount_set_aside__is_left_out_until_and_after_it_is_claimed(market: Market, lens: Any) -> None:
    vault = market.vault
    owed = redeem(market, vault.totalSupply() // 2, skip=0b001)[0]
    assert vault.owed_total(0) == owed > 0
    usdc = market.listed[0].address
    assert lens.holdings(vault.address)[0] == sum(by_hand(market, lens)[usdc]) - owed
    held = lens.holdings(vault.address)
    vault.claim(0, market.rich, sender=market.rich)
    assert lens.holdings(vault.address) == held


def test_holdings__less_there_than_is_owed__count_no_more_than_the_principal(market: Market, lens: Any) -> None:
    vault, usdc = market.vault, market.tokens["USDC"]
    redeem(market, vault.totalSupply() // 2, skip=0b001)
    usdc.burn(vault.address, usdc.balanceOf(vault.address))
    idle, placed = by_hand(market, lens)[usdc.address]
    assert idle < vault.owed_total(0)
    assert lens.holdings(vault.address)[0] == placed
    found = lens.exposure(vault.address)[0]
    assert (found.idle, found.placed) == (0, placed)


# ------------------------------------------------------------------ what a redemption pays


@pytest.mark.parametrize("shares", [10**14, ONE, 12_345 * ONE + 7, 10**24 - 1])
@pytest.mark.parametrize("beyond", [None, "WETH", "USDC"])
def test_preview_redeem__of_any_part_at_any_price__is_what_is_paid(
    market: Market, lens: Any, shares: int, beyond: str | None
) -> None:
    if beyond:
        push(market, V3, beyond, 4_000_000)
        _, lower, upper = ranges(market, lens)[0]
        assert not lower <= market.pools[V3].slot0()[1] < upper
    expected = lens.preview_redeem(market.vault.address, shares)
    assert redeem(market, shares) == expected


def test_preview_redeem__after_gifts_trades_fees_and_redemptions__is_what_is_paid(market: Market, lens: Any) -> None:
    """Of any size, with amounts set aside, with gifts to the vault and to its pools, with fees of all sorts running."""
    chance = Random(7)
    pair = market.pools[V2]
    UNISWAP.at(pair.factory()).setFeeTo(market.alice, sender=market.owner)
    start_fee(market, 200)

    def stir() -> None:
        symbol = chance.choice(("USDC", "WETH"))
        match chance.randrange(6):
            case 0:
                push(market, V3, symbol, chance.randrange(1, 3_000_000))
            case 1:
                push(market, WBTC_POOL, "WETH", chance.randrange(1, 3_000_000))
            case 2:
                market.tokens[symbol].mint(pair.address, chance.randrange(10 ** DECIMALS[symbol] * 1_000))
                if chance.randrange(2):
                    pair.sync()  # the pair's product grows, as its fees make it grow
            case 3:
                pair.transfer(chance.choice((pair.address, market.vault.address)), 10**10, sender=market.rich)
            case 4:
                redeem(market, chance.randrange(1, 10**21), skip=chance.randrange(8))
            case 5:
                market.tokens[symbol].mint(market.vault.address, chance.randrange(10**6))
        boa.env.time_travel(seconds=chance.randrange(10**6))

    for _ in range(40):
        stir()
        shares = chance.randrange(10**15, 10 ** chance.randrange(16, 23))
        expected = lens.preview_redeem(market.vault.address, shares)
        assert redeem(market, shares) == expected
    assert market.vault.balanceOf(market.owner) > 0
    assert pair.balanceOf(market.alice) > 0  # both fees were taken


def test_preview_redeem__lp_tokens_too_few_to_burn__counts_what_they_stand_for(market: Market, lens: Any) -> None:
    few, pair = 10**10, market.pools[V2]
    expected = lens.preview_redeem(market.vault.address, few)
    before = pair.balanceOf(market.rich)
    paid = redeem(market, few)
    lp = pair.balanceOf(market.rich) - before
    assert lp > 0
    by_token = dict(zip((pair.token0(), pair.token1()), pair.getReserves(), strict=False))
    stands = [by_token.get(token.address, 0) * lp // pair.totalSupply() for token in market.listed]
    assert max(stands) > 0
    assert expected == [amount + more for amount, more in zip(paid, stands, strict=True)]


# ------------------------------------------------------------------ exposure


def assert_as_by_hand(market: Market, lens: Any) -> None:
    expected = by_hand(market, lens)
    for found, (symbol, token) in zip(lens.exposure(market.vault.address), market.tokens.items(), strict=True):
        idle, placed = expected[token.address]
        price = int(PRICES[symbol] * ONE)
        unit = 10 ** DECIMALS[symbol]
        assert found.token == token.address
        assert (found.idle, found.placed) == (idle, placed)
        assert (found.price, found.updated_at) == (price, market.feeds[symbol].latestRoundData()[3])
        assert (found.idle_value, found.placed_value) == (idle * price // unit, placed * price // unit)


def test_exposure__idle_ranges_with_fees_and_lp_tokens__equals_the_computation_by_hand(
    market: Market, lens: Any
) -> None:
    usdc, weth, wbtc = lens.exposure(market.vault.address)
    assert min(usdc.placed, weth.placed, wbtc.placed) > 0
    assert min(usdc.idle, weth.idle, wbtc.idle) > 0
    assert_as_by_hand(market, lens)


@pytest.mark.parametrize("beyond", ["below", "above"])
def test_exposure__price_outside_the_range__equals_the_computation_by_hand(
    market: Market, lens: Any, beyond: str
) -> None:
    _, lower, upper = ranges(market, lens)[0]
    push(market, V3, ("WETH", "USDC")[market.token0_is(V3, "USDC") == (beyond == "below")], 4_000_000)
    tick = market.pools[V3].slot0()[1]
    assert tick < lower if beyond == "below" else tick > upper
    assert_as_by_hand(market, lens)


def test_exposure__stale_feeds__still_shows_their_last_prices(market: Market, lens: Any) -> None:
    boa.env.time_travel(seconds=2 * HOUR_S)
    assert_as_by_hand(market, lens)


def test_exposure__answer_below_zero__values_the_token_at_nothing(market: Market, lens: Any) -> None:
    market.feeds["WETH"].set_answer(-1, boa.env.timestamp)
    _, weth, _ = lens.exposure(market.vault.address)
    assert weth.idle > 0
    assert (weth.price, weth.idle_value, weth.placed_value) == (0, 0, 0)


def test_exposure__feed_with_eighteen_decimals__is_scaled(market: Market, lens: Any) -> None:
    feed = load("mocks/Feed.vy", 18, "fine")
    feed.set_answer(3 * ONE, boa.env.timestamp)
    token, owner = market.tokens["WBTC"], market.owner
    vault, _ = load_vault(owner, owner, owner, 86_400, [token_setup(token, feed)], [], LIMITS)
    token.mint(vault.address, 250_000_000)
    (found,) = lens.exposure(vault.address)
    assert (found.price, found.idle_value) == (3 * ONE, 75 * 10**17)
    assert lens.nav(vault.address) == 75 * 10**17
