"""The whole demo on a chain of its own: what it must always be true of, not what it happens to earn."""

from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.amm.pools import spot
from bot.chain.grades import Chain
from bot.core.types import V3Pool
from bot.core.units import Money, Wei
from bot.demo.arbitrage import sqrt_price
from bot.demo.blocks import Blocks
from bot.demo.market import ARBITRAGEUR, Crowd
from bot.demo.options import DemoOptions, moment
from bot.demo.report import render_html
from bot.demo.result import DemoResult
from bot.demo.run import Progress, run_demo
from bot.observe import ChainObserver
from bot.prices.history import History

pytestmark = pytest.mark.chain

VIOLENT = 45  # this seed falls by 12 % within the day
RECORDED_STATE = "fork_state/mainnet_v3_7pools_2026-01-30.anvil_state.json.gz"
HOURLY = "prices/crypto_1h_2021-04_2022-12.parquet"


class Fetches(HTMLParser):
    """Collects whatever would make a browser fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "base"}:
            self.found.append(tag)
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in {"src", "href", "action"}]


def assert_sound(result: DemoResult, hours: int) -> None:
    """What holds of every run: it acts, as expected to the wei, it ends in its band, and every share is backed."""
    assert result.cycles == hours + 1
    assert len(result.hours) == hours + 2
    assert result.bundles
    assert all(bundle.ok for bundle in result.bundles), [bundle.revert for bundle in result.bundles]
    assert max(bundle.off_wei for bundle in result.bundles) <= 1
    assert result.refusals == ()
    assert all(bundle.drift_after < bundle.drift_before for bundle in result.bundles)
    last = result.hours[-1]
    assert last.drift <= last.band
    assert result.basket == pytest.approx(result.targets, abs=0.002)
    assert max(hour.pools_off for hour in result.hours if hour.at < last.at) < 1e-3
    assert_shares_are_backed(result)
    page = Fetches()
    page.feed(render_html(result))
    assert page.found == []


def assert_shares_are_backed(result: DemoResult) -> None:
    shares = result.shares
    assert [who for who, _ in shares.balances] == ["founder", "second", "zapper", "locked"]
    assert all(count > 0 for _, count in shares.balances)
    assert sum(count for _, count in shares.balances) == shares.supply
    for token in shares.tokens:
        assert 0 <= token.dust <= token.bound, token
        assert token.redeemable <= token.paid <= token.held, token
        assert token.bound < token.held // 10**6, token  # the bound is dust, not an excuse


def assert_gas_was_foreseen(result: DemoResult) -> None:
    """The plan's estimate is enough, and not wildly more than enough."""
    for bundle in result.bundles:
        assert bundle.gas_used <= bundle.gas_expected <= 1.4 * bundle.gas_used, bundle


async def test_demo__a_violent_day_on_the_replica__sound() -> None:
    told: list[Progress] = []
    result = await run_demo(DemoOptions(hours=24, seed=VIOLENT), told.append)
    assert_sound(result, 24)
    assert_gas_was_foreseen(result)
    assert len(result.bundles) >= 2
    assert [progress.hour for progress in told] == list(range(25))
    assert result.made_up
    assert result.withdrawn > 0
    assert result.fees_earned > 0
    assert result.hours[0].vault == pytest.approx(result.deposited, rel=Decimal("0.002"))  # the zap pays for its swaps


async def test_crowd__an_hour_of_trading__leaves_every_pool_at_the_feeds_price(replica: Chain) -> None:
    async with Blocks(replica.rpc, Wei(10**9)) as blocks:
        crowd = Crowd(replica.rpc, blocks, replica.market, seed=1)
        await crowd.set_out()
        first = await crowd.answers()
        prices = {
            token: Money(round(price * (2 if token.symbol == "WETH" else 1), 8)) for token, price in first.items()
        }
        begin = blocks.now + 3_600
        await crowd.follow(begin, prices)
        await crowd.trade(begin + 300, prices)
        assert all(money > 0 for money in crowd.traded.values())
        await crowd.settle(begin + 600, prices)
        assert await crowd.answers() == prices
        history = History(tuple(prices), 3_600, 10)
        seen = await ChainObserver(replica.rpc, replica.market, ARBITRAGEUR, "wallet", history).observe()
    assert seen.block.timestamp == begin + 600
    assert {price.at for price in seen.prices} == {begin}
    for pool, spec in zip(seen.pools, replica.market.pools, strict=True):
        fair = prices[pool.token0] / prices[pool.token1]
        if isinstance(pool, V3Pool):
            assert pool.sqrt_price_x96 == sqrt_price(spec, prices[pool.token0], prices[pool.token1])
        assert spot(pool) == pytest.approx(fair, rel=Decimal("0.000001"))


async def test_demo__same_seed_twice__same_story() -> None:
    one, two = [await run_demo(DemoOptions(hours=3, seed=1)) for _ in range(2)]
    assert [h.prices for h in one.hours] == [h.prices for h in two.hours]
    assert [h.weights for h in one.hours] == [h.weights for h in two.hours]
    assert [h.vault for h in one.hours] == [h.vault for h in two.hours]
    assert [b.traded for b in one.bundles] == [b.traded for b in two.bundles]
    assert one.shares == two.shares


async def test_demo__fork_of_a_running_node__sound_and_the_node_untouched(replica: Chain) -> None:
    before = await replica.rpc.call("eth_getBlockByNumber", "latest", False)
    result = await run_demo(DemoOptions(hours=2, seed=1, fork_url=replica.url))
    assert_sound(result, 2)
    assert result.chain == "fork of a live node"
    assert await replica.rpc.call("eth_getBlockByNumber", "latest", False) == before


async def test_demo__the_worst_day_of_november_2022_on_recorded_state__sound(data_file: Callable[[str], Path]) -> None:
    options = DemoOptions(
        prices=data_file(HOURLY), start=moment("2022-11-08T12:00"), hours=12, state=data_file(RECORDED_STATE)
    )
    result = await run_demo(options)
    assert_sound(result, 12)
    assert not result.made_up
    eth = result.tokens.index("WETH")
    fall = min(hour.prices[eth] for hour in result.hours) / result.hours[0].prices[eth]
    assert fall < 0.9  # the file's fall reached the chain


@pytest.mark.deep
async def test_demo__the_week_of_november_2022_on_recorded_state__sound(data_file: Callable[[str], Path]) -> None:
    options = DemoOptions(
        prices=data_file(HOURLY),
        start=moment("2022-11-05"),
        end=moment("2022-11-12"),
        state=data_file(RECORDED_STATE),
    )
    result = await run_demo(options)
    assert_sound(result, 168)
    assert_gas_was_foreseen(result)
