"""Curves in floats against the pools in integers."""

from dataclasses import replace

import pytest

from bot.amm.pools import quote
from bot.amm.ticks import tick_at_sqrt_ratio
from bot.core.types import Pool
from bot.planning.optimal import curves
from bot.planning.optimal.curves import Curve, Pieces, of_pool
from tests.unit.amm.build import at_tick, v2_pool, v3_pool
from tests.unit.planning.optimal.build import RECORDED, recorded_pools

E18 = 10**18
PAIR = v2_pool(5_000 * E18, 9_000 * E18, 7_000 * E18)
RANGES = v3_pool((-887220, 887220, 10**21), (-600, 1200, 10**22), (-60, 60, 10**23), (1200, 6000, 3 * 10**21))
GAP = v3_pool((-600, -120, 10**22), (240, 900, 10**22), spacing=60)  # nothing at the price
PARTS = (1e-6, 0.001, 0.01, 0.03, 0.1)  # by which the marginal price falls


def misses(curve: Curve, pool: Pool, zero_for_one: bool) -> float:
    """How far the curve is from the exact quotes, relative and beyond rounding, over trades of many sizes."""
    token = pool.token0 if zero_for_one else pool.token1
    true, found = of_pool(pool)[not zero_for_one], []
    for part in PARTS:
        given = int(true.at(true.start * (1 - part))[0])
        if given:
            exact = quote(pool, token, given)
            rounding = 100 * (1 + exact / given)  # a unit in and a unit out at each tick
            found.append(max(abs(curve.out(given) - exact) - rounding, 0) / max(exact, 1))
    return max(found)


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("pool", [PAIR, RANGES, GAP], ids=["pair", "ranges", "gap"])
def test_out__either_kind_of_pool__is_the_exact_quote(pool, zero_for_one) -> None:
    assert misses(of_pool(pool)[not zero_for_one], pool, zero_for_one) < 1e-10


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("pool", [PAIR, RANGES, GAP], ids=["pair", "ranges", "gap"])
def test_out__fee_wrong_by_five_bps__is_caught(pool, zero_for_one) -> None:
    wrong = of_pool(replace(pool, fee=pool.fee - 500))[not zero_for_one]
    assert misses(wrong, pool, zero_for_one) > 1e-4


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_out__one_piece_dropped__is_caught(zero_for_one) -> None:
    whole = of_pool(RANGES)[not zero_for_one]
    assert isinstance(whole, Pieces)
    without = Pieces(
        whole.kept,
        *(each[:1] + each[2:] for each in (whole.roots, whole.liquidity, whole.ins, whole.outs)),
    )
    assert misses(without, RANGES, zero_for_one) > 1e-5


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("pool", [PAIR, RANGES], ids=["pair", "ranges"])
def test_at__any_price__is_the_slope_of_out_and_its_response_the_change(pool, direction) -> None:
    curve = of_pool(pool)[direction]
    for part in PARTS:
        price = curve.start * (1 - part)
        given, got, response = curve.at(price)
        assert curve.out(given) == pytest.approx(got, rel=1e-9)
        little = given * 1e-6
        assert (curve.out(given + little) - curve.out(given - little)) / (2 * little) == pytest.approx(price, rel=1e-4)
        higher, lower = curve.at(price * (1 + 1e-7))[1], curve.at(price * (1 - 1e-7))[1]
        assert (lower - higher) / 2e-7 == pytest.approx(response, rel=1e-4)


@pytest.mark.parametrize("pool", [PAIR, RANGES, GAP], ids=["pair", "ranges", "gap"])
def test_start__both_directions__fees_apart_around_the_price(pool) -> None:
    forward, backward = of_pool(pool)
    kept = 1 - pool.fee / 1e6
    assert forward.start * backward.start <= kept**2 * (1 + 1e-12)
    assert forward.at(forward.start)[:2] == pytest.approx((0, 0), abs=1e9)
    if pool is GAP:
        assert forward.start == pytest.approx(kept * (at_tick(-120) / 2**96) ** 2)
        assert backward.start == pytest.approx(kept / (at_tick(240) / 2**96) ** 2)


def test_at__across_a_gap__the_same_trade_at_every_price_of_it() -> None:
    pool = v3_pool((-60, 60, 10**22), (600, 1200, 10**22))
    curve = of_pool(pool)[1]
    ends = [curve.at(curve.kept / (at_tick(tick) / 2**96) ** 2) for tick in (61, 300, 599)]  # type: ignore[attr-defined]
    assert ends[0][:2] == ends[1][:2] == ends[2][:2]
    assert [response for _, _, response in ends] == [0, 0, 0]


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_at__beyond_the_observed_ticks__gives_no_more(zero_for_one) -> None:
    whole = v3_pool((-887220, 887220, 10**21))
    seen = v3_pool((-887220, 887220, 10**21), seen=(-1200, 1200))
    direction = not zero_for_one
    edge = of_pool(whole)[direction].at(of_pool(whole)[direction].start / (at_tick(1200) / 2**96) ** 2)
    for fall in (1.2, 2, 1e6):
        found = of_pool(seen)[direction].at(of_pool(seen)[direction].start / fall)
        assert found[:2] == pytest.approx(edge[:2])
        assert found[2] == 0


def test_concentrated__price_on_a_tick_crossed_downwards__goes_on_below_it() -> None:
    pool = v3_pool((-600, 600, 10**22), (0, 60, 10**23), sqrt_price_x96=at_tick(30))
    down = replace(pool, sqrt_price_x96=at_tick(0), tick=-1, liquidity=10**22)
    for zero_for_one in (True, False):
        assert misses(of_pool(down)[not zero_for_one], down, zero_for_one) < 1e-10


def test_concentrated__price_on_an_initialised_tick__pieces_ascend() -> None:
    """The float of a tick's price may round to the wrong side of the pool's."""
    for tick in range(-3_000, 3_000, 60):
        pool = v3_pool((-6000, 6000, 10**22), (tick, tick + 60, 10**22), sqrt_price_x96=at_tick(tick))
        for at in (pool, replace(pool, tick=tick - 1, liquidity=10**22)):
            for curve in of_pool(at):
                assert isinstance(curve, Pieces)
                for column in (curve.roots, curve.ins, curve.outs):
                    assert list(column) == sorted(column)


def test_of_pool__recorded_mainnet_pools__every_exact_quote(data_file) -> None:
    pools = recorded_pools(data_file(RECORDED))
    assert len(pools) == 8
    for pool in pools:
        assert tick_at_sqrt_ratio(pool.sqrt_price_x96) == pool.tick
        for zero_for_one in (True, False):
            assert misses(of_pool(pool)[not zero_for_one], pool, zero_for_one) < 1e-10


@pytest.mark.parametrize("pool", [v2_pool(0, 5, 1), v2_pool(5, 0, 1), replace(RANGES, sqrt_price_x96=0)])
def test_of_pool__no_price_yet__refused(pool) -> None:
    with pytest.raises(ValueError, match="curve: "):
        of_pool(pool)


def test_weighted_pool__said_in_three_words__is_a_curve() -> None:
    """The interface bears other pools: a Balancer pool of weights 80 and 20 in its three methods."""

    class Weighted:
        kept, power = 0.997, 4.0  # weight of what comes in over weight of what goes out

        def __init__(self, reserve_in: float, reserve_out: float) -> None:
            self.reserve_in, self.reserve_out = reserve_in, reserve_out

        @property
        def start(self) -> float:
            return self.kept * self.power * self.reserve_out / self.reserve_in

        def out(self, amount_in: float) -> float:
            return self.reserve_out * (1 - (1 + self.kept * amount_in / self.reserve_in) ** -self.power)

        def at(self, price: float) -> curves.Trade:
            grown = (self.start / price) ** (1 / (self.power + 1))
            given = self.reserve_in * (grown - 1) / self.kept
            return given, self.out(given), self.reserve_out * grown**-self.power * self.power / (self.power + 1)

    curve: Curve = Weighted(100.0, 400.0)
    given, got, response = curve.at(curve.start / 2)
    assert (curve.out(given * 1.0001) - got) / (given * 1e-4) == pytest.approx(curve.start / 2, rel=1e-3)
    assert (curve.at(curve.start / 2 * 0.9999)[1] - got) * 1e4 == pytest.approx(response, rel=1e-3)
