"""What holds for every portfolio: proposals are pure, never drift away, and never spend what is not there."""

from decimal import localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.types import AddLiquidity, Swap
from bot.propose import propose
from tests.factories import history, memory, policy, snapshot

UNITS = st.tuples(st.integers(0, 2_000_000).map(str), st.integers(0, 600).map(str), st.integers(0, 20).map(str)).filter(
    lambda u: u != ("0", "0", "0")
)
TARGETS = st.tuples(*[st.integers(1, 100)] * 3).map(
    lambda t: {"USDC": t[0] / sum(t), "WETH": t[1] / sum(t), "WBTC": t[2] / sum(t)}
)
SIZES = st.sampled_from([{"to": "target"}, {"to": "edge"}, {"to": "fraction", "fraction": 0.3}])
RANGES = st.sampled_from([[], [{"pool": "USDC/WETH-500", "share": 0.3}], [{"pool": "WBTC/WETH-3000", "share": 0.9}]])
VOLS = st.sampled_from([0.001, 0.02, 0.1])


@settings(max_examples=150, deadline=None)
@given(UNITS, TARGETS, SIZES, RANGES, VOLS, st.booleans())
def test_propose__any_portfolio__sound(units, targets, size, ranges, daily, correcting):
    rules = policy(targets=targets, size=size, ranges=ranges)
    past, world = memory(correcting=correcting), snapshot(units, rows=history(50, daily))
    proposal = propose(rules, past, world)
    decision = proposal.decision
    with localcontext(prec=9):  # whatever a library has set for the whole process
        assert propose(rules, past, world) == proposal  # pure
    assert abs(sum(decision.weights) - 1) < 1e-9
    now = max(abs(w - t) for w, t in zip(decision.weights, decision.targets, strict=True))
    then = max(abs(a - t) for a, t in zip(decision.aims, decision.targets, strict=True))
    assert then <= now + 1e-12  # drift never grows
    assert rules.band.floor_bps / 1e4 <= decision.band <= rules.band.cap_bps / 1e4
    assert decision.reasons  # it always says why
    spent = {a.token: a.raw for a in world.balances}
    for step in proposal.plan.steps:
        if isinstance(step, Swap):
            spent[step.give.token] -= step.give.raw
            assert spent[step.give.token] >= 0
            spent[step.expect.token] += step.expect.raw
            assert 0 < step.least <= step.expect.raw
        elif isinstance(step, AddLiquidity):
            pool = world.pool(step.pool)
            for token, expect, most in (
                (pool.token0, step.expect0, step.most0),
                (pool.token1, step.expect1, step.most1),
            ):
                assert expect <= most <= spent[token]
                spent[token] -= expect
