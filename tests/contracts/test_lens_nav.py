"""What a vault is worth: the number that its own bundles are measured by, and every doubt that it has about a price."""

from collections.abc import Callable
from typing import Any

import boa
import pytest

from tests.contracts.market import HOUR_S, ONE, Market, action, executed, load, load_vault, token_setup
from tests.contracts.test_lens import LIMITS, V2, V3, WBTC_POOL, push, ranges, redeem, start_fee

ODD_FEED = """
# pragma version 0.4.3
decimals: public(constant(uint8)) = 8
answered_in: public(uint256)
started_at: public(uint256)
answer: public(int256)

@external
def say(answer: int256, started_at: uint256, answered_in: uint256):
    self.answer = answer
    self.started_at = started_at
    self.answered_in = answered_in

@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint256):
    return 7, self.answer, self.started_at, block.timestamp, self.answered_in
"""


@pytest.fixture
def lens() -> Any:
    return load("Lens.vy")


def collect(market: Market, lens: Any) -> tuple[int, int, int]:
    """A bundle that takes the fees of every range, and so asks for every price; NAV before and after it, turnover."""
    bundle = [action(1, pool, *ticks, 0, 0) for pool, *ticks in ranges(market, lens)]
    market.vault.execute(bundle, [], market.sequence(), market.deadline(), sender=market.keeper)
    return executed(market.vault)


# ------------------------------------------------------------------ the number


def test_nav__fees_due__is_what_a_bundle_counts_once_it_has_taken_them(market: Market, lens: Any) -> None:
    vault = market.vault
    idle = [token.balanceOf(vault.address) for token in market.listed]
    before = lens.nav(vault.address)
    nav_before, nav_after, _ = collect(market, lens)
    assert nav_before == nav_after == before == lens.nav(vault.address)
    assert all(more > less for more, less in zip(market.balances(vault.address), idle, strict=True))


def test_nav__pools_pushed_and_something_owed__is_what_a_bundle_counts(market: Market, lens: Any) -> None:
    push(market, V3, "WETH", 300_000)
    push(market, WBTC_POOL, "WETH", 200_000)
    redeem(market, 3 * 10**22, skip=0b011)
    market.pools[V2].sync()
    expected = lens.nav(market.vault.address)
    assert collect(market, lens)[0] == expected


def test_nav__pool_pushed_away_from_the_feeds__grows_by_the_fees_alone(market: Market, lens: Any) -> None:
    before = lens.nav(market.vault.address)
    push(market, V3, "WETH", 4_000_000)
    fees = 4_000_000 * ONE * 5 // 10_000
    assert before < lens.nav(market.vault.address) < before + fees


def test_nav__all_that_is_held_at_a_pool_near_its_feeds__is_near_the_exposure(market: Market, lens: Any) -> None:
    total = sum(each.idle_value + each.placed_value for each in lens.exposure(market.vault.address))
    assert lens.nav(market.vault.address) == pytest.approx(total, rel=1e-4)


def test_share_value__shares_out__is_the_value_of_one_with_the_fee_due_counted(market: Market, lens: Any) -> None:
    vault = market.vault
    assert lens.share_value(vault.address) == lens.nav(vault.address) * ONE // vault.totalSupply()
    start_fee(market, 100)
    boa.env.time_travel(seconds=10**7)
    market.answer()
    supply = vault.totalSupply() + vault.fee_due()
    assert supply > vault.totalSupply()
    assert lens.share_value(vault.address) == lens.nav(vault.address) * ONE // supply


def test_share_value__nobody_holds_a_share__is_zero_whatever_lies_there(market: Market, lens: Any) -> None:
    token, owner = market.tokens["USDC"], market.owner
    setups = [token_setup(token, market.feeds["USDC"])]
    vault, _ = load_vault(owner, owner, owner, 86_400, setups, [], LIMITS)
    assert (lens.nav(vault.address), lens.share_value(vault.address)) == (0, 0)
    token.mint(vault.address, 10**6)
    assert (lens.nav(vault.address), lens.share_value(vault.address)) == (ONE, 0)
    (found,) = lens.exposure(vault.address)
    assert (found.idle, found.placed) == (10**6, 0)


# ------------------------------------------------------------------ every doubt


def assert_doubted(market: Market, lens: Any, reason: str) -> None:
    """For the reason for which the vault's own bundle stops; what asks no price to be good still answers."""
    with boa.reverts(reason):
        collect(market, lens)
    for view in (lens.nav, lens.share_value):
        with boa.reverts(reason):
            view(market.vault.address)
    for view in (lens.state, lens.positions, lens.holdings, lens.exposure):
        view(market.vault.address)
    assert lens.preview_redeem(market.vault.address, ONE)[0] > 0


@pytest.mark.parametrize("symbol", ["USDC", "WETH", "WBTC"])
@pytest.mark.parametrize(
    ("answer", "updated", "reason"),
    [
        (0, lambda now: now, "oracle: answer"),
        (-1, lambda now: now, "oracle: answer"),
        (10**8, lambda _: 0, "oracle: time"),
        (10**8, lambda now: now + 1, "oracle: time"),
        (10**8, lambda now: now - HOUR_S - 1, "oracle: stale"),
    ],
)
def test_nav__doubtful_answer__reverts_with_the_vaults_reason(
    market: Market, lens: Any, symbol: str, answer: int, updated: Callable[[int], int], reason: str
) -> None:
    market.feeds[symbol].set_answer(answer, updated(boa.env.timestamp))
    assert_doubted(market, lens, reason)


def test_nav__answer_as_old_as_is_allowed__is_good(market: Market, lens: Any) -> None:
    before = lens.nav(market.vault.address)
    for symbol, feed in market.feeds.items():
        feed.set_answer(market.feeds[symbol].latestAnswer(), boa.env.timestamp - HOUR_S)
    assert lens.nav(market.vault.address) == before


@pytest.mark.parametrize(("least", "most"), [(3_000, 4_000), (2_000, 3_000)])
def test_nav__answer_at_a_bound__reverts_and_inside_is_good(market: Market, lens: Any, least: int, most: int) -> None:
    feed = market.feeds["WETH"]
    market.charter.set_feed(1, feed.address, HOUR_S, least * 10**8, most * 10**8, sender=market.owner)
    assert_doubted(market, lens, "oracle: bounds")
    feed.set_answer(3_000 * 10**8 + (1 if least == 3_000 else -1), boa.env.timestamp)
    assert lens.nav(market.vault.address) > 0


def test_nav__answer_carried_over_from_an_earlier_round__reverts(market: Market, lens: Any) -> None:
    feed = boa.loads(ODD_FEED)
    for seconds in (86_400, 0):
        market.charter.set_feed(1, feed.address, HOUR_S, 0, 2**127, sender=market.owner)
        boa.env.time_travel(seconds=seconds)
    market.answer()
    feed.say(3_000 * 10**8, boa.env.timestamp, 6)
    assert_doubted(market, lens, "oracle: round")
    feed.say(3_000 * 10**8, boa.env.timestamp, 7)
    assert lens.nav(market.vault.address) > 0


@pytest.mark.parametrize(
    ("answer", "up_for", "good"),
    [(0, HOUR_S, True), (0, HOUR_S - 1, False), (1, 10 * HOUR_S, False), (-1, 10 * HOUR_S, False), (0, None, False)],
)
def test_nav__sequencer_down_or_just_back__reverts(
    market: Market, lens: Any, answer: int, up_for: int | None, good: bool
) -> None:
    sequencer, token, owner = boa.loads(ODD_FEED), market.tokens["USDC"], market.owner
    setups = [token_setup(token, market.feeds["USDC"])]
    vault, _ = load_vault(owner, owner, owner, 86_400, setups, [], LIMITS, sequencer=sequencer.address)
    token.mint(vault.address, 10**6)
    token.mint(owner, 10**6)
    token.approve(vault.address, 10**6, sender=owner)
    vault.mint(ONE, [10**6], owner, market.deadline(), sender=owner)
    sequencer.say(answer, 0 if up_for is None else boa.env.timestamp - up_for, 7)
    if good:
        assert lens.nav(vault.address) == 2 * ONE
        assert lens.share_value(vault.address) > 0
        return
    for view in (lens.nav, lens.share_value):
        with boa.reverts("oracle: sequencer"):
            view(vault.address)
    assert lens.holdings(vault.address) == [2 * 10**6]
