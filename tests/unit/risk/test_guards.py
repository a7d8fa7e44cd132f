"""Every guard objects to what it is for, and is silent on its neighbour."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.core.types import GasPrice, Limits, Proposal
from bot.core.units import Bps, Money, Wei
from bot.decision.decide import decide
from bot.planning.plan import plan
from bot.propose import propose
from bot.risk.guards import check, off_price
from tests.factories import (
    NOW,
    USDC,
    WBTC,
    WETH,
    at_price,
    memory,
    policy,
    pools,
    range_position,
    snapshot,
    v3_pool,
    vault_state,
)

DRIFTED = ("300000", "166.6667", "2.2222222")


def whole(rules, past, world):
    """The whole correction, before `propose` tries parts of it."""
    decision = decide(rules, past, world)
    made = plan(rules, decision, world)
    return Proposal(rules.version, decision, made, check(rules, past, world, decision, made))


def breaches(rules=None, past=None, **world):
    proposal = whole(rules or policy(), past or memory(), snapshot(DRIFTED, **world))
    return {b.rule: b.severity for b in proposal.breaches}, proposal.verdict


def test_guards__nothing_wrong__go():
    assert breaches() == ({}, "go")


def test_guards__idle_proposal__no_objections_even_when_paused():
    proposal = propose(policy(), memory(), snapshot(vault=vault_state(paused=True)))
    assert (proposal.breaches, proposal.verdict) == ((), "idle")


LIMITS = Limits(Bps(50), Bps(200), Bps(50_000), Bps(100), 60)


@pytest.mark.parametrize(
    ("rule", "severity", "case"),
    [
        ("open_intent", "refuse", {"past": memory(open_intent=3)}),
        ("paused", "refuse", {"vault": vault_state(paused=True)}),
        ("loss", "refuse", {"vault": vault_state(limits=replace(LIMITS, bundle_loss_bps=Bps(3)))}),
        ("loss", "refuse", {"vault": vault_state(loss_used_bps=197.0)}),
        ("loss", "refuse", {"rules": policy(guards={"loss_bps": 3})}),
        ("turnover", "refuse", {"rules": policy(guards={"day_turnover_bps": 900})}),
        ("turnover", "refuse", {"past": memory(day=NOW // 86_400, traded_today=Money(Decimal(950_000)))}),
        ("turnover", "refuse", {"vault": vault_state(turnover_used_bps=49_500.0)}),
        ("corridor", "refuse", {"vault": vault_state(corridors=((0, 10_000), (4_500, 10_000), (0, 10_000)))}),
        (
            "gas_price",
            "refuse",
            {"gas": GasPrice(Wei(200 * 10**9), Wei(1)), "rules": policy(cost={"risk_aversion": 50})},
        ),
        ("large", "ask", {"rules": policy(guards={"ask_above": "99000"})}),
        ("drawdown", "ask", {"past": memory(peak=Money(Decimal("2.1")))}),
        ("failures", "ask", {"past": memory(failures=3)}),
    ],
)
def test_guard__its_case__objects(rule, severity, case):
    found, verdict = breaches(**case)
    assert found == {rule: severity}
    assert verdict == severity


def test_off_price__pool_far_from_feed__refused():
    moved = pools({USDC: Decimal(1), WETH: Decimal(3_100), WBTC: Decimal(90_000)})
    found, _ = breaches(pools=moved)
    assert found["off_price"] == "refuse"


def test_turnover__yesterdays_trades__forgotten():
    assert breaches(past=memory(day=NOW // 86_400 - 1, traded_today=Money(Decimal(950_000)))) == ({}, "go")


def test_corridor__outside_but_nearer__allowed():
    corridors = ((0, 10_000), (0, 3_000), (0, 10_000))  # WETH must be under 30 %: 50 % -> 40 % is nearer
    assert breaches(vault=vault_state(corridors=corridors)) == ({}, "go")


def test_nothing__no_step_is_possible__refused_before_the_vault_is_asked():
    rules = policy(targets={"USDC": 0.01, "WETH": 0.69, "WBTC": 0.3}, ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])
    proposal = propose(rules, memory(), snapshot(("0", "233", "3.33")))  # a range is due, and no USDC to open it with
    assert proposal.decision.act
    assert proposal.plan.steps == ()
    assert ([b.rule for b in proposal.breaches], proposal.verdict) == (["nothing"], "refuse")


def test_turnover__two_hops__counted_twice_as_the_vault_does():
    vault = vault_state(turnover_used_bps=50_000 - 2_500.0, limits=replace(LIMITS, deviation_bps=Bps(500)))
    base = snapshot(("200000", "133.3333333", "4.4444444"), vault=vault)
    world = replace(base, pools=tuple(p for p in base.pools if p.name != "WBTC/USDC-3000"))
    proposal = whole(policy(guards={"deviation_bps": 500}), memory(), world)
    assert len(proposal.plan.steps) == 2  # 20 % of equity by way of WETH
    assert [b.rule for b in proposal.breaches] == ["turnover"]


def test_turnover__what_is_put_into_a_range__counts_as_the_vault_does():
    rules = policy(ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])

    def rule_of(left_bps):
        world = snapshot(vault=vault_state(turnover_used_bps=50_000.0 - left_bps))
        proposal = whole(rules, memory(), world)
        assert [step.kind for step in proposal.plan.steps] == ["add"]
        return [breach.rule for breach in proposal.breaches]

    assert rule_of(2_900.0) == ["turnover"]
    assert rule_of(3_100.0) == []


def test_off_price__pool_only_left__refused_as_the_vault_would():
    pool = v3_pool()
    held = range_position(pool, 100_000, 100_100, 10**15)
    world = snapshot(positions=(held,))
    rules = policy(ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])
    made = propose(rules, memory(), world)
    leaving = replace(made.plan, steps=made.plan.steps[:1])
    for ticks, refused in ((98, False), (-98, False), (101, True), (-101, True)):  # the limit is 100 bps: 99.5 ticks
        pushed = replace(world, pools=(at_price(pool.tick + ticks, pool), *world.pools[1:]))
        assert bool(off_price(rules, memory(), pushed, made.decision, leaving)) is refused


def test_off_price__own_swap_would_push_the_pool_too_far__refused_as_the_vault_would():
    shallow = (v3_pool(money=5_000_000), *pools()[1:3])
    worth_it = policy(cost={"risk_aversion": 50})
    found, verdict = breaches(worth_it, pools=shallow)  # 100,000 into 5 million: some 8 %, yet few bps of equity lost
    assert (found, verdict) == ({"off_price": "refuse"}, "refuse")


@pytest.mark.parametrize(
    "rules",
    [policy(guards={"loss_bps": 3}), policy(guards={"day_turnover_bps": 900}), policy(guards={"deviation_bps": 20})],
)
def test_propose__correction_too_large_for_a_limit__goes_part_of_the_way(rules):
    proposal = propose(rules, memory(), snapshot(DRIFTED))
    assert proposal.verdict == "go"
    worst = max(abs(a - t) for a, t in zip(proposal.decision.aims, proposal.decision.targets, strict=True))
    assert 0.02 < worst < 0.099
    assert proposal.decision.correcting


def test_propose__no_part_fits__the_whole_is_refused():
    proposal = propose(policy(guards={"day_turnover_bps": 1}), memory(), snapshot(DRIFTED))
    assert [b.rule for b in proposal.breaches] == ["turnover"]
    assert sum(t.money for t in proposal.decision.trades) > 99_000
