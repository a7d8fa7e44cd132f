"""One ordered bundle, played through exactly on the pools."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.amm import v3
from bot.amm.pools import quote, swap
from bot.core.errors import DataError
from bot.core.types import AddLiquidity, RemoveLiquidity, Shift, Swap
from bot.decision.decide import decide
from bot.planning.desk import Desk
from bot.planning.plan import plan
from bot.planning.route import best_path, path_quote
from tests.factories import NOW, USDC, WBTC, WETH, memory, policy, pools, range_position, snapshot, v3_pool

DRIFTED = ("300000", "166.6667", "2.2222222")
RANGE = [{"pool": "USDC/WETH-500", "share": 0.3}]


def planned(rules, world):
    return plan(rules, decide(rules, memory(), world), world)


def test_plan__idle__no_steps_and_no_gas():
    made = planned(policy(), snapshot())
    assert (made.steps, made.floors, made.gas) == ((), (), 0)


def test_plan__swap__expects_the_exact_quote_and_floors_it():
    made = planned(policy(), snapshot(DRIFTED))
    (step,) = made.steps
    assert isinstance(step, Swap)
    assert step.expect.raw == quote(v3_pool(), WETH, step.give.raw)
    assert step.least == step.expect.raw * 9970 // 10_000
    assert made.sequence == 7
    assert made.deadline == NOW + 600
    assert [f.token for f in made.floors] == [USDC, WETH, WBTC]
    assert made.floors[0].raw == (300_000 * 10**6 + step.expect.raw) * 9970 // 10_000
    assert made.floors[2].raw == 0  # untouched


def test_plan__moved_range_and_drift__one_bundle_in_order():
    pool, paid0, paid1 = v3.mint(v3_pool(), 194_000, 195_000, 10**16)  # below the price: all of it is WETH
    held = range_position(pool, 194_000, 195_000, 10**16, fees=(123, 456))
    base = snapshot(("100000", "150", "2.2222222"), (held,))
    made = planned(policy(ranges=RANGE), replace(base, pools=(pool, *base.pools[1:])))
    assert [type(s) for s in made.steps] == [RemoveLiquidity, Swap, Swap, AddLiquidity]  # WETH for USDC and for WBTC
    remove, trade, _, add = made.steps
    assert paid0 == 0
    assert (remove.expect0, remove.expect1) == (123, paid1 - 1 + 456)  # minting rounds up, burning down
    assert trade.least < trade.expect.raw
    assert add.most0 >= add.expect0 > 0
    assert add.most1 >= add.expect1 > 0


def test_plan__range_after_swap__minted_at_the_moved_price():
    rules = policy(ranges=RANGE)
    made = planned(rules, snapshot(("100000", "233.33", "2.2222222")))
    trade, add = made.steps
    after, _ = swap(next(p for p in pools() if p.address == trade.pool), WETH, trade.give.raw)
    same_pool = trade.pool == add.pool
    target = after if same_pool else v3_pool()
    _, amount0, amount1 = v3.mint(target, add.tick_lower, add.tick_upper, add.liquidity)
    assert (add.expect0, add.expect1) == (amount0, amount1)


def test_plan__never_spends_more_than_it_has():
    made = planned(policy(ranges=[{"pool": "USDC/WETH-500", "share": 1.0}]), snapshot())
    (add,) = made.steps
    assert add.most0 <= 400_000 * 10**6
    assert add.most1 <= 133_3333 * 10**14


def test_route__thin_direct_pool__two_hops_win():
    thin = v3_pool(WBTC, USDC, 3000, 60, 1_000, address="0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35")
    world = tuple(thin if p.address == thin.address else p for p in pools())
    path = best_path(world, WBTC, USDC, 10**8)
    assert [p.name for p in path] == ["WBTC/WETH-3000", "USDC/WETH-500"]
    assert path_quote(path, WBTC, 10**8) > path_quote((thin,), WBTC, 10**8)


def test_plan__two_hops__second_swap_takes_the_first_ones_proceeds():
    base = snapshot(("200000", "133.3333333", "4.4444444"))
    world = replace(base, pools=tuple(p for p in base.pools if p.name != "WBTC/USDC-3000"))
    first, second = planned(policy(), world).steps
    assert second.give == first.expect
    assert second.expect.token == USDC


def test_plan__two_hops_through_a_token_not_held__gives_no_more_than_the_first_swap_must_bring():
    base = snapshot(("200000", "0", "4.4444444"))
    world = replace(base, pools=tuple(p for p in base.pools if p.name != "WBTC/USDC-3000"))
    first, second = planned(policy(targets={"USDC": 0.8, "WETH": 0, "WBTC": 0.2}), world).steps
    assert first.expect.token == second.give.token == WETH
    assert second.give.raw == first.least < first.expect.raw


def test_plan__no_pool_joins_the_tokens__says_which():
    world = replace(snapshot(("200000", "133.3333333", "4.4444444")), pools=(v3_pool(),))
    with pytest.raises(DataError, match="WBTC for USDC"):
        planned(policy(), world)


@pytest.mark.parametrize("width", [300, 5_000])
@pytest.mark.parametrize("bps", [-29, -5, 5, 29])
def test_plan__pool_moves_within_the_slippage__ranges_still_fit_their_bounds(width, bps):
    rules = policy(ranges=[{**RANGE[0], "least_width_bps": width, "most_width_bps": width}])
    world = snapshot()
    made = planned(rules, world)
    (add,) = made.steps
    pool = v3_pool()
    moved = replace(pool, sqrt_price_x96=pool.sqrt_price_x96 * (20_000 + bps) // 20_000)
    _, took0, took1 = v3.mint(moved, add.tick_lower, add.tick_upper, add.liquidity)
    assert took0 <= add.most0
    assert took1 <= add.most1
    left = {each.token: each.raw for each in world.balances}
    assert all(left[f.token] - {USDC: took0, WETH: took1}.get(f.token, 0) >= f.raw for f in made.floors)

    held = range_position(pool, add.tick_lower, add.tick_upper, add.liquidity)
    minted = v3.mint(pool, add.tick_lower, add.tick_upper, add.liquidity)[0]
    remove = Desk(replace(world, pools=(minted, *world.pools[1:])), 30).remove(held)
    got0, got1 = v3.amounts(moved.sqrt_price_x96, add.tick_lower, add.tick_upper, add.liquidity)
    assert remove.least0 <= got0
    assert remove.least1 <= got1


def test_plan__pool_moves_beyond_the_slippage__a_narrow_range_does_not_fit():
    rules = policy(ranges=[{**RANGE[0], "least_width_bps": 300, "most_width_bps": 300}])
    (add,) = planned(rules, snapshot()).steps
    for sign in (-1, 1):
        moved = replace(v3_pool(), sqrt_price_x96=v3_pool().sqrt_price_x96 * (20_000 + sign * 40) // 20_000)
        _, took0, took1 = v3.mint(moved, add.tick_lower, add.tick_upper, add.liquidity)
        assert took0 > add.most0 or took1 > add.most1


def test_desk__more_owed_than_idle__puts_nothing_of_that_token_into_a_range():
    pool = v3_pool()
    balances = tuple(replace(each, raw=-5 * 10**6) if each.token == USDC else each for each in snapshot().balances)
    desk = Desk(replace(snapshot(), balances=balances), 30)
    around = Shift(None, pool.address, (pool.tick // 10 - 50) * 10, (pool.tick // 10 + 50) * 10, Decimal(1_000))
    assert desk.enter(around) is None
    assert desk.idle[USDC] == -5 * 10**6
