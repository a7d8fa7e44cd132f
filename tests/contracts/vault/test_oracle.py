"""Feeds: any doubt stops the keeper and `nav`, never a mint or a redemption."""

from fractions import Fraction
from typing import Any

import boa
import pytest

from tests.contracts.market import load
from tests.contracts.vault.world import (
    BTC,
    DAY_S,
    ETH,
    HOUR_S,
    LIMITS,
    MONEY,
    NOBODY,
    ONE,
    SWAP,
    UNISWAP,
    USD,
    V3_USD_ETH,
    World,
    action,
    deploy_vault,
    published,
    reverts,
    whole,
)

ODD_FEED = """
# pragma version 0.4.3
decimals: public(constant(uint8)) = 8
answered_in: uint80
@external
def set_answered_in(answered_in: uint80):
    self.answered_in = answered_in
@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return 7, 3_000 * 10**8, block.timestamp, block.timestamp, self.answered_in
"""


def assert_stopped(world: World, reason: str) -> None:
    """The keeper and `nav` stop; holders come and go."""
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    with reverts(reason):
        world.execute(bundle)
    with reverts(reason):
        world.vault.nav()
    assert world.mint(world.bob, ONE)[ETH] > 0
    assert world.redeem(world.bob, ONE)[ETH] > 0


@pytest.mark.parametrize("token", [USD, ETH, BTC])
@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_price__not_positive__stops(world: World, token: int, answer: int) -> None:
    world.feeds[token].set_answer(answer, world.now)
    assert_stopped(world, "oracle: answer")


@pytest.mark.parametrize("token", [USD, ETH, BTC])
def test_price__too_old__stops_until_the_feed_answers(world: World, token: int) -> None:
    updated = world.now - HOUR_S + LIMITS[-1]
    world.feeds[token].set_answer(MONEY[token] * 10**8, updated)
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10)))  # waits out the cool-down: exactly as old as allowed
    boa.env.time_travel(seconds=1)
    assert_stopped(world, "oracle: stale")
    world.refresh()
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10)))


@pytest.mark.parametrize("ahead", [None, 10_000])
def test_price__without_a_time_or_from_the_future__stops(world: World, ahead: int | None) -> None:
    world.feeds[ETH].set_answer(3_000 * 10**8, 0 if ahead is None else world.now + ahead)
    assert_stopped(world, "oracle: time")


def test_price__answered_in_an_earlier_round__stops(world: World) -> None:
    feed = boa.loads(ODD_FEED)
    _replace_feed(world, ETH, feed.address)
    feed.set_answered_in(6)
    assert_stopped(world, "oracle: round")
    feed.set_answered_in(7)
    world.refresh()
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10)))


def _replace_feed(world: World, token: int, feed: str) -> None:
    world.vault.set_feed(token, feed, HOUR_S, sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    world.vault.set_feed(token, feed, HOUR_S, sender=world.owner)
    world.refresh()


@pytest.mark.parametrize("feed_decimals", [6, 8, 18])
@pytest.mark.parametrize("token_decimals", [0, 6, 8, 18, 24])
def test_nav__any_decimals__is_amount_times_price(world: World, token_decimals: int, feed_decimals: int) -> None:
    token = load("mocks/Token.vy", "T", "T", token_decimals)
    feed = load("mocks/Feed.vy", feed_decimals, "T")
    feed.set_answer(12_345 * 10**feed_decimals // 100, world.now)
    setup = (token.address, feed.address, HOUR_S, 0, 10_000)
    vault = deploy_vault("N", "N", world.owner, world.keeper, world.guardian, DAY_S, [setup], [], LIMITS)
    token.mint(vault.address, 7 * 10**token_decimals)
    assert vault.nav() == 7 * 12_345 * ONE // 100


@pytest.mark.parametrize(
    ("decimals", "prices"),
    [
        ((0, 24), (1, 1)),
        ((24, 0), (1, 1)),
        ((6, 18), (1, 1)),
        ((24, 24), (1, 1)),
        ((0, 0), (1, 1)),
        ((18, 8), (10**6, 10**-6)),
        ((18, 8), (10**-6, 10**6)),
        ((24, 6), (10**-2, 10**2)),
        ((18, 18), (10**9, 10**-9)),
    ],
)
def test_spot__extreme_decimals_and_prices__the_pair_is_near_the_feeds_or_not(
    world: World, decimals: tuple[int, int], prices: tuple[float, float]
) -> None:
    """A V2 pair holding equal values must pass, and one 3 % off must not, whatever the scale."""
    tokens = sorted((load("mocks/Token.vy", "T", "T", d) for d in decimals), key=lambda token: int(token.address, 16))
    feeds = [load("mocks/Feed.vy", 18, "T") for _ in tokens]
    money = [Fraction(str(price)) for price in prices]
    for feed, price in zip(feeds, money, strict=True):
        feed.set_answer(int(price * ONE), world.now)
    units = [10 ** token.decimals() / price for token, price in zip(tokens, money, strict=True)]
    reserves = [int(max(10**8 / min(units), 1_000) * unit) for unit in units]
    vault = _vault_of(world, tokens, feeds, _pair(tokens, reserves))
    sale = action(SWAP, 0, reserves[0] // 1_000, 1, (1, 0))
    boa.env.time_travel(seconds=LIMITS[-1])
    vault.execute([sale], [], 0, world.deadline, sender=world.keeper)
    boa.env.time_travel(seconds=LIMITS[-1])
    for feed, price, factor in zip(feeds, money, (103, 100), strict=True):
        feed.set_answer(int(price * ONE * factor / 100), world.now)
    with reverts("oracle: spot"):
        vault.execute([sale], [], 1, world.deadline, sender=world.keeper)


def _pair(tokens: list[Any], reserves: list[int]) -> Any:
    factory = published("UniswapV2Factory", NOBODY)
    pair = UNISWAP.at(factory.createPair(*(token.address for token in tokens)))
    for token, reserve in zip(tokens, reserves, strict=True):
        token.mint(pair.address, reserve)
    pair.mint("0x" + "01" * 20)
    return pair


def _vault_of(world: World, tokens: list[Any], feeds: list[Any], pair: Any) -> Any:
    setups = [(token.address, feed.address, HOUR_S, 0, 10_000) for token, feed in zip(tokens, feeds, strict=True)]
    vault = deploy_vault(
        "X", "X", world.owner, world.keeper, world.guardian, DAY_S, setups, [(pair.address, 2, 3_000, 0)], LIMITS
    )
    for token in tokens:
        token.mint(vault.address, token.balanceOf(pair.address) // 10)
    return vault


def test_nav__lp_tokens__stand_at_the_fair_reserves(world: World) -> None:
    world.execute(world.add_pair(60_000))
    world.refresh(lambda token: Fraction(4) if token == ETH else Fraction(1))
    idle = sum(
        world.tokens[token].balanceOf(world.vault.address)
        * MONEY[token]
        * (4 if token == ETH else 1)
        * ONE
        // 10**decimals
        for token, decimals in ((USD, 6), (ETH, 18), (BTC, 8))
    )
    # At a ratio four times the pool's, the same product is worth 2 * sqrt(4) = 4 of one side: 30,000 * 4.
    assert world.vault.nav() - idle == pytest.approx(120_000 * ONE, rel=1e-5)
