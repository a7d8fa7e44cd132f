"""Net trades carried out in integers: in an order that can be paid for, ending where the plan ends."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bot.amm.pools import swap
from bot.core.types import Pool, Token, V2Pool
from bot.core.units import minus_bps_floor
from bot.planning.optimal.problem import Flow, Problem, Solution, exchanges
from bot.planning.optimal.solve import solve
from bot.planning.optimal.swaps import Route, route
from tests.unit.amm.build import v2_pool, v3_pool
from tests.unit.planning.optimal.build import RECORDED, between, money_of, recorded_pools

E18 = 10**18
TOKENS = [Token(f"0x{letter * 40}", letter * 3, 18) for letter in "ABCDE"]


def pair(index: int, sell: int, buy: int, reserve: int = 10**6 * E18) -> V2Pool:
    first, second = sorted((sell, buy))
    return replace(v2_pool(reserve, reserve, reserve), address=f"p{index}", token0=TOKENS[first], token1=TOKENS[second])


def by_address(pools: list[Pool]) -> dict[str, Pool]:
    return {pool.address: pool for pool in pools}


def play(pools: list[Pool], idle: dict[Token, int], found: Route, slippage_bps: int = 0) -> dict[Token, int]:
    """Do the swaps one by one, each bringing the least it may; no balance ever falls below 0."""
    now, at = dict(idle), by_address(pools)
    for order in found.orders:
        at[order.pool], out = swap(at[order.pool], order.sell, order.amount_in)
        assert out == order.amount_out
        now[order.sell] = now.get(order.sell, 0) - order.amount_in
        assert now[order.sell] >= 0
        now[order.buy] = now.get(order.buy, 0) + minus_bps_floor(out, slippage_bps)
    assert at == dict(found.pools)
    return now


def solved(tokens: list[Token], prices: list[float], idle: dict[Token, int], weights: list[float], pools: list[Pool]):
    holdings = [idle.get(token, 0) for token in tokens]
    return solve(Problem(prices, holdings, weights, exchanges(tokens, pools)))


# ------------------------------------------------------------------ ends where the plan ends


def test_route__a_hub_and_relays__ends_within_rounding_of_the_plan() -> None:
    pools: list[Pool] = [pair(k, a, b) for k, (a, b) in enumerate([(0, 1), (0, 1), (0, 2), (1, 2), (0, 3), (3, 4)])]
    pools.append(between(v3_pool((-6000, 6000, 10**25)), TOKENS[0], TOKENS[2], "range"))
    idle = {TOKENS[0]: 3_000 * E18, TOKENS[1]: 9_000 * E18, TOKENS[2]: 1_000 * E18}
    weights = [0.2, 0.2, 0.3, 0.0, 0.3]  # D is only passed through
    solution = solved(TOKENS, [1e-18] * 5, idle, weights, pools)
    found = route(TOKENS, by_address(pools), idle, solution.flows)
    end = play(pools, idle, found)
    assert end == dict(found.idle)
    assert end[TOKENS[3]] == 0
    for token, planned in zip(TOKENS, solution.holdings, strict=True):
        assert end.get(token, 0) == pytest.approx(planned, abs=13_000 * E18 * 1e-11)
    assert len(found.orders) == len(solution.flows)


def test_route__what_one_swap_brings__is_what_the_next_gives() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2), pair(2, 2, 3)]
    idle = {TOKENS[0]: 777 * E18 + 5}
    solution = solved(TOKENS[:4], [1e-18] * 4, idle, [0.0, 0.0, 0.0, 1.0], pools)
    found = route(TOKENS[:4], by_address(pools), idle, solution.flows)
    assert [order.pool for order in found.orders] == ["p0", "p1", "p2"]
    assert found.orders[0].amount_in == 777 * E18 + 5
    assert all(first.amount_out == second.amount_in for first, second in pairwise(found.orders))
    assert {token: raw for token, raw in found.idle.items() if raw} == {TOKENS[3]: found.orders[-1].amount_out}


def test_route__recorded_mainnet_pools__ends_within_rounding_of_the_plan(data_file) -> None:
    pools = recorded_pools(data_file(RECORDED))
    tokens, prices = money_of(pools)
    rng = np.random.default_rng(3)
    for size in (1e4, 1e6):
        weights = rng.dirichlet(np.full(len(tokens), 5.0))
        weights[2] = 0.0
        weights /= weights.sum()
        off = rng.normal(size=len(tokens))
        money = np.maximum(weights * size * 10 + (off - off.mean()) * size / 3, 0)
        idle = {token: int(m / p) for token, m, p in zip(tokens, money, prices, strict=True)}
        solution = solved(tokens, prices, idle, weights.tolist(), pools)
        found = route(tokens, by_address(pools), idle, solution.flows)
        end = play(pools, idle, found)
        assert end[tokens[2]] == 0
        for token, planned, price in zip(tokens, solution.holdings, prices, strict=True):
            units = 200 * max(prices)  # of the token whose unit is worth most, at each of the ticks crossed
            assert abs(end[token] - planned) * price < solution.notional * 1e-9 + units


def test_route__curves_with_a_wrong_fee__ends_far_from_the_plan() -> None:
    """The weak twin of the tests above."""
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2)]
    idle = {TOKENS[0]: 1_000 * E18, TOKENS[1]: 500 * E18, TOKENS[2]: 100 * E18}
    wrong = [replace(pool, fee=2_500) for pool in pools]
    solution = solved(TOKENS[:3], [1e-18] * 3, idle, [0.3, 0.4, 0.3], wrong)
    found = route(TOKENS[:3], by_address(pools), idle, solution.flows)
    end = play(pools, idle, found)
    assert max(abs(end[t] - planned) for t, planned in zip(TOKENS, solution.holdings, strict=False)) > E18 // 10


# ------------------------------------------------------------------ what can be paid for


def flow(index: int, sell: int, buy: int, amount_in: float, amount_out: float | None = None) -> Flow:
    return Flow(index, f"p{index}", sell, buy, amount_in, amount_in * 0.997 if amount_out is None else amount_out)


def test_route__given_in_any_order__sells_a_token_after_it_was_bought() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2), pair(2, 0, 2), pair(3, 2, 3)]
    flows = [flow(3, 2, 3, 150.0e18), flow(1, 1, 2, 99.0e18), flow(2, 0, 2, 60.0e18), flow(0, 0, 1, 100.0e18)]
    idle = {TOKENS[0]: 160 * E18}
    found = route(TOKENS, by_address(pools), idle, flows)
    assert [order.pool for order in found.orders] == ["p2", "p0", "p1", "p3"]
    play(pools, idle, found)


def test_route__circle_that_one_token_can_start__goes_round_from_there() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2), pair(2, 2, 0)]
    flows = [flow(0, 0, 1, 100.0e18), flow(1, 1, 2, 99.0e18), flow(2, 2, 0, 98.0e18)]
    idle = {TOKENS[0]: E18, TOKENS[1]: 150 * E18, TOKENS[2]: 0}
    found = route(TOKENS, by_address(pools), idle, flows)
    assert [order.pool for order in found.orders] == ["p1", "p2", "p0"]
    play(pools, idle, found)


def test_route__circle_that_nobody_can_pay_for_at_once__is_done_in_two() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2), pair(2, 2, 0)]
    flows = [flow(0, 0, 1, 100.0e18), flow(1, 1, 2, 99.0e18), flow(2, 2, 0, 98.0e18)]
    idle = {TOKENS[0]: 60 * E18, TOKENS[1]: 5 * E18}
    found = route(TOKENS, by_address(pools), idle, flows)
    assert [order.pool for order in found.orders] == ["p0", "p1", "p2"] * 2
    for each in flows:
        given = sum(order.amount_in for order in found.orders if order.pool == each.key)
        assert given == pytest.approx(each.amount_in, rel=0.02)
    play(pools, idle, found)


def test_route__circle_of_nothing__is_left_out() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 0, 1), pair(2, 2, 3)]
    flows = [flow(0, 0, 1, 1e18), flow(1, 1, 0, 1e18), flow(2, 2, 3, 1e18)]
    found = route(TOKENS, by_address(pools), {TOKENS[2]: 2 * E18}, flows)
    assert [order.pool for order in found.orders] == ["p2"]


@pytest.mark.parametrize("slippage_bps", [30, 300])
def test_route__slippage__still_paid_for_when_every_swap_brings_its_least(slippage_bps: int) -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2), pair(2, 0, 2), pair(3, 2, 3)]
    flows = [flow(0, 0, 1, 100.0e18), flow(1, 1, 2, 99.0e18), flow(2, 0, 2, 60.0e18), flow(3, 2, 3, 158.523e18)]
    idle = {TOKENS[0]: 160 * E18}
    careful = route(TOKENS, by_address(pools), idle, flows, slippage_bps)
    play(pools, idle, careful, slippage_bps)
    with pytest.raises(AssertionError):
        play(pools, idle, route(TOKENS, by_address(pools), idle, flows), slippage_bps)


def test_route__enough_idle_beside__slippage_changes_no_amount() -> None:
    pools: list[Pool] = [pair(0, 0, 1), pair(1, 1, 2)]
    flows = [flow(0, 0, 1, 100.0e18), flow(1, 1, 2, 50.0e18)]
    idle = {TOKENS[0]: 100 * E18, TOKENS[1]: 40 * E18}
    careful, plain = (route(TOKENS, by_address(pools), idle, flows, bps) for bps in (100, 0))
    assert careful.orders == plain.orders


def test_route__too_little_to_bring_anything__is_left_out() -> None:
    pools: list[Pool] = [pair(0, 0, 1)]
    found = route(TOKENS, by_address(pools), {TOKENS[0]: 10}, [flow(0, 0, 1, 1.0)])
    assert (found.orders, dict(found.idle), dict(found.pools)) == ((), {TOKENS[0]: 10}, by_address(pools))


def test_route__more_than_a_pool_can_take__its_own_error() -> None:
    narrow = between(v3_pool((-60, 60, E18)), TOKENS[0], TOKENS[1], "p0")
    with pytest.raises(ValueError, match="can take only"):
        route(TOKENS, by_address([narrow]), {TOKENS[0]: 10 * E18}, [flow(0, 0, 1, 5.0e18)])


def test_solution__without_flows__is_an_empty_route() -> None:
    solution = Solution((), (), 1.0, 0.0, 1.0, 1.0, 0.0, ())
    assert route(TOKENS, {}, {TOKENS[0]: 1}, solution.flows).orders == ()
