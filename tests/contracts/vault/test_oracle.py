"""Feeds: any doubt stops the keeper, never a mint or a redemption."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import boa
import pytest

from tests.contracts.market import load
from tests.contracts.vault.world import (
    ANYTHING,
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
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    action,
    deploy_vault,
    published,
    reverts,
    token_setup,
    whole,
    world_of,
    worth,
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


def bundle_with(world: World, token: int) -> tuple[int, int]:
    """One that asks for the token's price, whatever is on record."""
    return world.swap(V3_BTC_ETH if token == BTC else V3_USD_ETH, ETH, whole(ETH, 0.01))


def assert_stopped(world: World, reason: str, token: int = ETH) -> None:
    """The keeper stops; holders come and go."""
    bundle = bundle_with(world, token)
    with reverts(reason):
        world.execute(bundle)
    assert world.mint(world.bob, ONE)[ETH] > 0
    assert world.redeem(world.bob, ONE)[ETH] > 0


@pytest.mark.parametrize("token", [USD, ETH, BTC])
@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_price__not_positive__stops(world: World, token: int, answer: int) -> None:
    world.feeds[token].set_answer(answer, world.now)
    assert_stopped(world, "oracle: answer", token)


@pytest.mark.parametrize("token", [USD, ETH, BTC])
def test_price__too_old__stops_until_the_feed_answers(world: World, token: int) -> None:
    updated = world.now - HOUR_S + LIMITS[-1]
    world.feeds[token].set_answer(MONEY[token] * 10**8, updated)
    world.execute(bundle_with(world, token))  # waits out the cool-down: exactly as old as allowed
    boa.env.time_travel(seconds=1)
    assert_stopped(world, "oracle: stale", token)
    world.refresh()
    world.execute(bundle_with(world, token))


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
    for seconds in (DAY_S, 0):
        world.charter.set_feed(token, feed, HOUR_S, *ANYTHING, sender=world.owner)
        boa.env.time_travel(seconds=seconds)
    world.refresh()


@pytest.mark.parametrize("feed_decimals", [6, 8, 18])
@pytest.mark.parametrize("token_decimals", [0, 6, 8, 18, 24])
def test_nav__any_decimals__is_amount_times_price(world: World, token_decimals: int, feed_decimals: int) -> None:
    """As a bundle says it, which sells the least on a pair of the two tokens."""
    tokens = [load("mocks/Token.vy", "T", "T", decimals) for decimals in (token_decimals, 18)]
    feeds = [load("mocks/Feed.vy", decimals, "T") for decimals in (feed_decimals, 8)]
    boa.env.time_travel(seconds=LIMITS[-1])
    feeds[0].set_answer(12_345 * 10**feed_decimals // 100, world.now)
    feeds[1].set_answer(10**8, world.now)
    order = sorted((0, 1), key=lambda index: int(tokens[index].address, 16))
    reserves = [10**8 * 10**token_decimals, 10**8 * 12_345 * 10**16]
    pair = fair_pair([tokens[index] for index in order], [reserves[index] for index in order])
    vault = _vault_of(world, tokens, feeds, pair)
    for token in tokens:
        token.burn(vault.address, token.balanceOf(vault.address))
    tokens[0].mint(vault.address, 7 * 10**token_decimals)
    tokens[1].mint(vault.address, 3 * ONE)
    boa.env.time_travel(seconds=LIMITS[-1])
    sale = action(SWAP, 0, -(-(10**token_decimals) // 10), 0, (int(order[0] == 0), 0))
    vault.execute([sale], [], 0, world.deadline, sender=world.keeper)
    assert replace(world, vault=vault).event("Executed")["nav_before"] == 7 * 12_345 * ONE // 100 + 3 * ONE


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
    vault = _vault_of(world, tokens, feeds, fair_pair(tokens, reserves))
    sale = action(SWAP, 0, reserves[0] // 1_000, 1, (1, 0))
    boa.env.time_travel(seconds=LIMITS[-1])
    vault.execute([sale], [], 0, world.deadline, sender=world.keeper)
    boa.env.time_travel(seconds=LIMITS[-1])
    for feed, price, factor in zip(feeds, money, (103, 100), strict=True):
        feed.set_answer(int(price * ONE * factor / 100), world.now)
    with reverts("oracle: spot"):
        vault.execute([sale], [], 1, world.deadline, sender=world.keeper)


def fair_pair(tokens: list[Any], reserves: list[int]) -> Any:
    factory = published("UniswapV2Factory", NOBODY)
    pair = UNISWAP.at(factory.createPair(*(token.address for token in tokens)))
    for token, reserve in zip(tokens, reserves, strict=True):
        token.mint(pair.address, reserve)
    pair.mint("0x" + "01" * 20)
    return pair


def _vault_of(world: World, tokens: list[Any], feeds: list[Any], pair: Any) -> Any:
    setups = [token_setup(token, feed) for token, feed in zip(tokens, feeds, strict=True)]
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
    assert world.nav() - idle == pytest.approx(120_000 * ONE, rel=1e-5)


# ------------------------------------------------------------------ the ends of a feed


@pytest.mark.parametrize(
    ("answers", "answer", "good"),
    [
        ((2_000, 4_000), 2_000, False),
        ((2_000, 4_000), 2_001, True),
        ((2_000, 4_000), 3_999, True),
        ((2_000, 4_000), 4_000, False),
        ((0, 2**127), 1, True),
        ((3_000, 3_002), 3_001, True),
        ((2**40 - 1, 2**40), 2**40 - 1, False),  # nothing lies between
        ((2**41 + 1, 2**42), 2**41 + 1, True),  # an odd last digit is not kept: down, for the least
        ((2**41 + 1, 2**42), 2**41, False),
        ((0, 2**41 + 1), 2**41, False),  # and down for the most
        ((0, 2**41 + 1), 2**41 - 1, True),
        ((0, 2**255), 2**60, True),
    ],
)
def test_price__at_the_end_of_what_its_feed_can_answer__stops(
    world: World, answers: tuple[int, int], answer: int, good: bool
) -> None:
    feed = load("mocks/Feed.vy", 18, "T")
    tokens = [load("mocks/Token.vy", "T", "T", 18) for _ in range(2)]
    setups = [token_setup(tokens[0], feed, answers=answers), token_setup(tokens[1], feed)]
    pair = fair_pair(sorted(tokens, key=lambda token: int(token.address, 16)), [10**24] * 2)
    people = (world.owner, world.keeper, world.guardian)
    vault = deploy_vault("B", "B", *people, DAY_S, setups, [(pair.address, 2, 3_000, 0)], LIMITS)
    for token in tokens:
        token.mint(vault.address, 10**24)
    boa.env.time_travel(seconds=LIMITS[-1])
    feed.set_answer(answer, world.now)
    bundle = action(SWAP, 0, 10**20, 1, (1, 0))
    if good:
        vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)
    else:
        with reverts("oracle: bounds"):
            vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)


def test_bounds__set_for_a_token__stop_the_keeper_only(world: World) -> None:
    world.charter.set_feed(ETH, world.feeds[ETH].address, HOUR_S, 0, 3_000 * 10**8, sender=world.owner)  # at once
    assert_stopped(world, "oracle: bounds")
    world.refresh(lambda token: 1 - Fraction(token == ETH, 10**9))
    world.execute(bundle_with(world, ETH))


# ------------------------------------------------------------------ the sequencer of an L2

SEQUENCER = """
# pragma version 0.4.3
answer: int256
started_at: uint256
@external
def set(answer: int256, started_at: uint256):
    self.answer = answer
    self.started_at = started_at
@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return 1, self.answer, self.started_at, block.timestamp, 1
"""


@pytest.mark.parametrize(
    ("answer", "up_for", "good"),
    [
        (0, 3_600, True),
        (0, 10**6, True),
        (0, 3_599, False),
        (0, 0, False),
        (0, -1, False),  # from the future
        (0, None, False),  # a round that never began
        (1, 10**6, False),  # down
        (-1, 10**6, False),
    ],
)
def test_sequencer__down_or_only_just_back__stops_the_keeper_and_nobody_else(
    world: World, answer: int, up_for: int | None, good: bool
) -> None:
    feed = boa.loads(SEQUENCER)
    setups = [token_setup(token, item) for token, item in zip(world.tokens, world.feeds, strict=True)]
    people = (world.owner, world.keeper, world.guardian)
    pools = [(world.pools[V3_USD_ETH].address, 3, 0, 0)]
    vault = deploy_vault("L2", "L2", *people, DAY_S, setups, pools, LIMITS, sequencer=feed.address)
    assert vault.sequencer() == feed.address
    l2 = world_of(world, vault)
    first = [worth(USD, 5_000), worth(ETH, 5_000), 0]
    l2.mint(world.alice, 10_000 * ONE, cost=first)
    boa.env.time_travel(seconds=LIMITS[-1])
    world.refresh()
    feed.set(answer, 0 if up_for is None else world.now - up_for)
    bundle = l2.swap(0, USD, whole(USD, 10))
    if good:
        l2.execute(bundle, wait=False)
    else:
        with reverts("oracle: sequencer"):
            l2.execute(bundle, wait=False)
    assert l2.mint(world.bob, ONE)[ETH] > 0
    assert l2.redeem(world.alice, ONE)[ETH] > 0


def test_sequencer__none__is_not_asked(world: World) -> None:
    assert world.vault.sequencer() == NOBODY
    world.execute(bundle_with(world, ETH))
