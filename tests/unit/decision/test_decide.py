"""When it acts, how far it goes, and what it says when it does not."""

from dataclasses import replace

import pytest

from bot.core.types import GasPrice
from bot.core.units import Wei
from bot.decision.decide import decide
from tests.factories import (
    NOW,
    USDC,
    WETH,
    at_price,
    history,
    memory,
    policy,
    range_position,
    snapshot,
    v3_pool,
    vault_state,
)

DRIFTED = ("300000", "166.6667", "2.2222222")  # WETH at 50 %, USDC at 30 %
SLIGHTLY = ("380000", "140", "2.2222222")  # WETH at 42 %
RANGE = [{"pool": "USDC/WETH-500", "share": 0.3}]


def rules(decision):
    return [reason.rule for reason in decision.reasons]


def test_decide__inside_band__idle_and_says_how_far():
    decision = decide(policy(), memory(), snapshot())
    assert not decision.act
    assert rules(decision) == ["inside"]
    assert "volatility" in decision.reasons[0].said
    assert decision.trades == ()
    assert decision.aims == decision.weights


def test_decide__outside_band__trades_back_to_target():
    decision = decide(policy(), memory(), snapshot(DRIFTED))
    assert decision.act
    assert rules(decision) == ["band"]
    assert decision.aims == decision.targets
    (trade,) = decision.trades
    assert (trade.sell, trade.buy) == (WETH, USDC)
    assert float(trade.money) == pytest.approx(100_000, rel=1e-4)


def test_decide__same_drift_in_a_wild_market__band_is_wider_and_it_waits():
    wild = snapshot(SLIGHTLY, rows=history(daily=0.08))
    calm = snapshot(SLIGHTLY, rows=history(daily=0.02))
    assert decide(policy(), memory(), calm).band < 0.02 < decide(policy(), memory(), wild).band
    assert not decide(policy(), memory(), wild).correcting
    assert decide(policy(), memory(), calm).correcting


@pytest.mark.parametrize(
    ("size", "left"), [({"to": "target"}, 0.0), ({"to": "fraction", "fraction": 0.25}, 0.075), ({"to": "edge"}, None)]
)
def test_decide__sizes__leave_the_drift_they_promise(size, left):
    decision = decide(policy(size=size), memory(), snapshot(DRIFTED))
    expected = 0.5 * decision.band if left is None else left
    worst = max(abs(a - t) for a, t in zip(decision.aims, decision.targets, strict=True))
    assert worst == pytest.approx(expected, abs=1e-6)


def test_decide__hysteresis__a_correction_goes_on_until_the_rest_zone():
    drift_between = snapshot(("386000", "138", "2.2222222"))  # 1.4 %: inside the band, outside its half
    assert not decide(policy(), memory(), drift_between).correcting
    going_on = decide(policy(), memory(correcting=True), drift_between)
    assert going_on.correcting
    assert "on the way back" in going_on.reasons[0].said
    assert not decide(policy(), memory(correcting=True), snapshot()).correcting


def test_decide__gain_below_cost__left_alone_with_both_figures():
    dear = snapshot(DRIFTED, gas=GasPrice(Wei(3_000 * 10**9), Wei(10**9)))
    decision = decide(policy(), memory(), dear)
    assert not decision.act
    assert rules(decision) == ["band", "cost"]
    assert decision.gain < decision.cost
    assert f"{decision.gain:.2f}" in decision.reasons[-1].said


def test_decide__no_history__cost_held_against_the_trade():
    far = snapshot(("100000", "233.33", "2.2222222"), rows=())
    assert decide(policy(cost={"slippage_bps": 200}), memory(), far).act
    assert rules(decide(policy(cost={"slippage_bps": 1}), memory(), far)) == ["band", "cost"]


@pytest.mark.parametrize("who", ["memory", "vault"])
def test_decide__cool_down__waits(who):
    last = NOW - 100
    past = memory(last_bundle=last) if who == "memory" else memory()
    vault = vault_state(last_bundle=last) if who == "vault" else vault_state()
    decision = decide(policy(), past, snapshot(DRIFTED, vault=vault))
    assert not decision.act
    assert rules(decision) == ["band", "cool-down"]
    assert "100 s ago" in decision.reasons[-1].said


def test_decide__dust_trades__too_small():
    decision = decide(policy(size={"smallest": "200000"}), memory(), snapshot(DRIFTED))
    assert not decision.act
    assert rules(decision) == ["band", "too small"]


def test_decide__missing_range__opens_one_around_the_price():
    decision = decide(policy(ranges=RANGE), memory(), snapshot())
    (shift,) = decision.shifts
    pool = v3_pool()
    assert decision.act
    assert shift.position is None
    assert shift.tick_lower < pool.tick < shift.tick_upper
    assert shift.tick_lower % 10 == shift.tick_upper % 10 == 0
    assert float(shift.money) == pytest.approx(300_000, rel=1e-3)
    assert decision.trades == ()


def test_decide__range_width__follows_the_pairs_volatility():
    def width(daily):
        shift = decide(policy(ranges=RANGE), memory(), snapshot(rows=history(daily=daily))).shifts[0]
        return shift.tick_upper - shift.tick_lower

    assert width(0.001) < width(0.03) < width(0.06) < width(1.0)
    assert width(1.0) == pytest.approx(2 * 4055, abs=30)  # capped at 50 %: ln 1.5 / ln 1.0001


def test_decide__price_left_the_range__recentres_it():
    pool = v3_pool()
    held = range_position(pool, 100_000, 100_100, 10**16)
    decision = decide(policy(ranges=RANGE), memory(), snapshot(positions=(held,)))
    assert decision.act
    assert decision.shifts[0].position == held.id
    assert "above our range" in decision.reasons[-1].said


def test_decide__moving_a_range_costs_too_much__left_with_the_reason():
    decision = decide(policy(ranges=RANGE), memory(), snapshot(gas=GasPrice(Wei(3_000 * 10**9), Wei(0))))
    assert not decision.act
    assert rules(decision) == ["inside", "range cost"]


def test_decide__sells_more_than_lies_idle__frees_the_range_too():
    pool = v3_pool()
    lower = pool.tick // 10 * 10 - 2000
    held = range_position(pool, lower, lower + 4000, 100_000_000_000_000_000)
    base = snapshot(("0", "10", "2.2222"), (held,))
    moved = replace(base, pools=(at_price(pool.tick, pool), *base.pools[1:]))
    targets = {"USDC": 0.6, "WETH": 0.2, "WBTC": 0.2}
    decision = decide(policy(targets=targets, ranges=RANGE, cost={"risk_aversion": 6}), memory(), moved)
    assert decision.act
    assert [s.position for s in decision.shifts] == [held.id]
    poor = decide(policy(targets=targets, ranges=RANGE), memory(), moved)
    assert poor.gain < poor.cost
    assert not poor.act  # freeing a range does not excuse a correction from being worth its cost
    assert rules(poor) == ["band", "cost"]


def test_decide__two_positions_under_one_rule__its_share_goes_in_once():
    pool = v3_pool()
    below, inside = (range_position(pool, low, high, 10**15) for low, high in ((100_000, 100_100), (190_000, 200_000)))
    for held in ((below, replace(below, id="other", tick_upper=100_200)), (inside, below)):
        shifts = decide(policy(ranges=RANGE), memory(), snapshot(positions=held)).shifts
        assert {shift.position for shift in shifts} == {position.id for position in held}
        assert sum(shift.money > 0 for shift in shifts) == 1
