"""The fold: each row's effect, and that the restart path is the normal path."""

from decimal import Decimal

import pytest

from bot.core.rows import Intent, Note
from bot.core.types import AddLiquidity, Fill, Outcome, Plan
from bot.core.units import Gas, Wei
from bot.decision.standing import unit_value
from bot.ledger.memory import remember
from bot.ledger.profit import position_results
from bot.propose import propose
from tests.factories import NOW, PRICES, USDC, WBTC, WETH, memory, policy, range_position, snapshot, v3_pool

RULES = policy(ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])


def intent(plan: Plan) -> Intent:
    return Intent(plan, "0xkeeper", "0xvault", "0x", 0, "0x", "0xhash")


def outcome(ok: bool, fills: tuple[Fill, ...] = ()) -> Outcome:
    return Outcome(ok, "0xhash", 1, fills, Gas(500_000), Wei(10**9), "" if ok else "vault: bundle loss")


def test_remember__cycle_intent_outcome__counts_what_was_done():
    drifted = snapshot(("300000", "166.6667", "2.2222222"))
    proposal = propose(policy(), memory(), drifted)
    seen = remember(memory(), 1, "cycle", (drifted, proposal))
    assert (seen.correcting, seen.seen) == (True, NOW)
    assert seen.peak == unit_value(drifted)
    meant = remember(seen, 2, "intent", intent(proposal.plan))
    assert meant.open_intent == 2
    done = remember(meant, 3, "outcome", outcome(True))
    assert (done.open_intent, done.open_plan, done.last_bundle, done.failures) == (None, None, NOW, 0)
    assert done.traded_today == proposal.decision.trades[0].money
    assert done.gas_today == Decimal("1.5")  # 500k gas at 1 gwei, ether at 3000


@pytest.mark.parametrize(
    ("size", "goes_on"),
    [({"to": "target"}, False), ({"to": "edge"}, False), ({"to": "fraction", "fraction": 0.1}, True)],
)
def test_remember__bundle_ran__the_correction_ends_where_its_aim_is_at_rest(size, goes_on):
    drifted, rules = snapshot(("300000", "166.6667", "2.2222222")), policy(size=size)
    proposal = propose(rules, memory(), drifted)
    meant = remember(remember(memory(), 1, "cycle", (drifted, proposal)), 2, "intent", intent(proposal.plan))
    assert meant.correcting
    assert remember(meant, 3, "outcome", outcome(True)).correcting is goes_on
    assert remember(meant, 3, "outcome", outcome(False)).correcting


def test_remember__failures__counted_until_a_success():
    state = remember(memory(failures=2), 1, "outcome", outcome(False))
    assert (state.failures, state.last_bundle) == (3, 0)
    assert remember(state, 2, "outcome", outcome(True)).failures == 0


def test_remember__simulation__only_a_failed_one_counts():
    assert remember(memory(), 1, "simulation", outcome(False)).failures == 1
    assert remember(memory(failures=2), 1, "simulation", outcome(True)) == memory(failures=2)


def test_remember__other_rows__leave_it_alone():
    assert remember(memory(failures=2), 9, "note", Note("hello")) == memory(failures=2)


def test_entries__what_was_added__is_the_entry_exactly():
    world = snapshot()
    proposal = propose(RULES, memory(), world)
    (add,) = proposal.plan.steps
    assert isinstance(add, AddLiquidity)
    past = remember(remember(memory(), 1, "cycle", (world, proposal)), 2, "intent", intent(proposal.plan))
    past = remember(past, 3, "outcome", outcome(True, (Fill(0, -add.expect0, -add.expect1),)))
    (entry,) = past.entries
    assert (entry.amount0, entry.amount1, entry.liquidity) == (add.expect0, add.expect1, add.liquidity)
    assert entry.position == f"{add.pool}:{add.tick_lower}:{add.tick_upper}"


def test_entries__half_redeemed__scaled_and_gone__forgotten():
    pool = v3_pool()
    low = pool.tick // 10 * 10 - 500
    whole = snapshot(positions=(range_position(pool, low, low + 1000, 10**16),))
    half = snapshot(positions=(range_position(pool, low, low + 1000, 5 * 10**15),))
    first = remember(memory(), 1, "cycle", (whole, propose(policy(), memory(), whole)))
    second = remember(first, 2, "cycle", (half, propose(policy(), first, half)))
    assert second.entries[0].amount0 == first.entries[0].amount0 // 2
    third = remember(second, 3, "cycle", (snapshot(), propose(policy(), second, snapshot())))
    assert third.entries == ()


def test_position_results__price_moved__loss_against_holding_fees_apart():
    pool = v3_pool()
    low = pool.tick // 10 * 10 - 2000
    position = range_position(pool, low, low + 4000, 10**16, fees=(5 * 10**6, 0))
    before = snapshot(positions=(position,))
    past = remember(memory(), 1, "cycle", (before, propose(policy(), memory(), before)))
    (same,) = position_results(past, before)
    assert same.loss.money == 0
    assert same.loss.fees == 5

    up = {USDC: PRICES[USDC], WETH: Decimal(3_300), WBTC: PRICES[WBTC]}
    (moved,) = position_results(past, snapshot(positions=(position,), prices=up))
    assert moved.loss.money < 0
    assert moved.in_range
