"""The lens against a computation by hand, from the pools' own numbers."""

from decimal import Decimal
from typing import Any

import boa
import pytest
from eth_utils.crypto import keccak

from bot.amm import v3
from tests.contracts.market import DECIMALS, ONE, PRICES, Market, load, load_vault

UINT24 = 2**24


@pytest.fixture
def lens() -> Any:
    return load("Lens.vy")


def signed(tick: int) -> int:
    return tick - UINT24 if tick >= UINT24 // 2 else tick


def by_hand(market: Market) -> dict[str, tuple[int, int]]:
    """(idle with fees, placed) of each token's address."""
    idle = {token.address: token.balanceOf(market.vault.address) for token in market.listed}
    placed = dict.fromkeys(idle, 0)
    for position in market.vault.positions():
        pool = market.pools[position >> 48]
        if position & (2**48 - 1) == 0:
            held, supply = pool.balanceOf(market.vault.address), pool.totalSupply()
            amounts = tuple(reserve * held // supply for reserve in pool.getReserves()[:2])
            fees = (0, 0)
        else:
            amounts, fees = range_by_hand(market, pool, signed(position >> 24 & 0xFFFFFF), signed(position & 0xFFFFFF))
        for token, amount, fee in zip((pool.token0(), pool.token1()), amounts, fees, strict=True):
            placed[token] += amount
            idle[token] += fee
    return {token: (idle[token], placed[token]) for token in idle}


def range_by_hand(market: Market, pool: Any, lower: int, upper: int) -> tuple[tuple[int, int], tuple[int, int]]:
    key = keccak(bytes.fromhex(market.vault.address[2:]) + (lower % UINT24).to_bytes(3) + (upper % UINT24).to_bytes(3))
    liquidity, last0, last1, owed0, owed1 = pool.positions(key)
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


def assert_as_by_hand(market: Market, lens: Any) -> None:
    expected = by_hand(market)
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
    pool = market.pools[0]
    assert any(fee > 0 for fee in range_by_hand(market, pool, *ticks(market))[1])
    assert_as_by_hand(market, lens)


def ticks(market: Market) -> tuple[int, int]:
    position = market.vault.positions()[0]
    return signed(position >> 24 & 0xFFFFFF), signed(position & 0xFFFFFF)


@pytest.mark.parametrize("beyond", ["below", "above"])
def test_exposure__price_outside_the_range__equals_the_computation_by_hand(
    market: Market, lens: Any, beyond: str
) -> None:
    pool, (lower, upper) = market.pools[0], ticks(market)
    symbol = ("WETH", "USDC")[market.token0_is(0, "USDC") == (beyond == "below")]
    amount = int(Decimal(4_000_000) / PRICES[symbol] * 10 ** DECIMALS[symbol])
    market.provider.swap(pool.address, beyond == "below", amount)
    tick = pool.slot0()[1]
    assert tick < lower if beyond == "below" else tick > upper
    assert_as_by_hand(market, lens)


def test_nav__pools_at_the_feeds_prices__is_the_sum_of_the_exposures(market: Market, lens: Any) -> None:
    found = lens.exposure(market.vault.address)
    total = sum(each.idle_value + each.placed_value for each in found)
    assert lens.nav(market.vault.address) == market.vault.nav()
    assert lens.nav(market.vault.address) == pytest.approx(total, rel=1e-4)  # the pools are not exactly at the feeds


def test_nav__pool_pushed_away_from_the_feeds__hardly_moves(market: Market, lens: Any) -> None:
    before = lens.nav(market.vault.address)
    amount = int(Decimal(4_000_000) / PRICES["WETH"] * 10**18)
    market.provider.swap(market.pools[0].address, market.token0_is(0, "WETH"), amount)
    assert lens.nav(market.vault.address) == pytest.approx(before, rel=1e-3)  # the fees of the push


def test_share_value__shares_out__is_the_value_of_one_rounded_down(market: Market, lens: Any) -> None:
    vault = market.vault
    assert lens.share_value(vault.address) == vault.nav() * ONE // vault.totalSupply()


def test_share_value__no_shares_yet__is_zero(market: Market, lens: Any) -> None:
    token, feed = market.tokens["USDC"], market.feeds["USDC"]
    setups = [(token.address, feed.address, 3_600, 0, 10_000)]
    owner = market.owner
    vault = load_vault("V", "V", owner, owner, owner, 86_400, setups, [], (100, 500, 50_000, 500, 0))
    assert lens.share_value(vault.address) == 0
    (found,) = lens.exposure(vault.address)
    assert (found.idle, found.placed, found.idle_value, found.placed_value) == (0, 0, 0, 0)


def test_stale_feed__exposure_still_shows_the_last_price__and_nav_reverts(market: Market, lens: Any) -> None:
    boa.env.time_travel(seconds=2 * 3_600)
    with boa.reverts():
        lens.nav(market.vault.address)
    with boa.reverts():
        lens.share_value(market.vault.address)
    assert_as_by_hand(market, lens)


def test_exposure__answer_below_zero__values_the_token_at_nothing(market: Market, lens: Any) -> None:
    market.feeds["WETH"].set_answer(-1, boa.env.timestamp)
    _, weth, _ = lens.exposure(market.vault.address)
    assert weth.idle > 0
    assert (weth.price, weth.idle_value, weth.placed_value) == (0, 0, 0)


def test_exposure__feed_with_eighteen_decimals__is_scaled(market: Market, lens: Any) -> None:
    feed = load("mocks/Feed.vy", 18, "fine")
    feed.set_answer(3 * ONE, boa.env.timestamp)
    token = market.tokens["WBTC"]
    owner = market.owner
    setups = [(token.address, feed.address, 3_600, 0, 10_000)]
    vault = load_vault("V", "V", owner, owner, owner, 86_400, setups, [], (100, 500, 50_000, 500, 0))
    token.mint(vault.address, 250_000_000)
    (found,) = lens.exposure(vault.address)
    assert (found.price, found.idle_value) == (3 * ONE, 75 * 10**17)
    assert lens.nav(vault.address) == 75 * 10**17


def test_exposure__amount_owed_to_a_redeemer__is_not_counted(market: Market, lens: Any) -> None:
    vault, usdc = market.vault, market.tokens["USDC"]
    shares = vault.totalSupply() // 2
    amounts = vault.redeem(shares, [0, 0, 0], market.rich, market.deadline(), 1, sender=market.rich)
    assert vault.owed(usdc.address, market.rich) == amounts[0] > 0
    idle, placed = by_hand(market)[usdc.address]
    found = lens.exposure(vault.address)[0]
    assert (found.idle, found.placed) == (idle - amounts[0], placed)
