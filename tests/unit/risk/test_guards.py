"""Every guard objects to what it is for, and is silent on its neighbour."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.core.types import GasPrice, Limits
from bot.core.units import Bps, Money, Wei
from bot.propose import propose
from tests.factories import NOW, USDC, WBTC, WETH, memory, policy, pools, snapshot, vault_state

DRIFTED = ("300000", "166.6667", "2.2222222")


def breaches(rules=None, past=None, **world):
    proposal = propose(rules or policy(), past or memory(), snapshot(DRIFTED, **world))
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
