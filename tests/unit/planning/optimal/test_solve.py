"""The optimum and its certificate, against another solver, against its own conditions, and where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from bot.core.errors import DataError
from bot.planning.optimal.curves import Pieces, of_pool
from bot.planning.optimal.problem import Exchange, Infeasible, Problem, Solution, exchanges
from bot.planning.optimal.solve import solve
from tests.unit.amm.build import at_tick, v3_pool
from tests.unit.planning.optimal.build import RECORDED, Market, Pair, exchange, market, money_of, recorded_pools
from tests.unit.planning.optimal.reference import Piece, best_value, pieces_of

GAP_BPS = 0.05  # that may be left, of the notional
EVEN = Pair(0, 1, 1e6, 1e6, 3_000)


def given(problem: Problem, solution: Solution) -> list[float]:
    """Money that each touched pool is given."""
    return [flow.amount_in * problem.prices[flow.sell] for flow in solution.flows]


def weights_of(problem: Problem, solution: Solution) -> list[float]:
    money = [held * price for held, price in zip(solution.holdings, problem.prices, strict=True)]
    return [each / sum(money) for each in money]


def money_held(world: Market) -> list[float]:
    return [held * price for held, price in zip(world.holdings, world.prices, strict=True)]


def assert_optimal(problem: Problem, solution: Solution) -> None:
    """Feasible, certified, and every pool's marginal price is that of the dual prices (the KKT conditions)."""
    off = problem.tolerance or [0.0] * len(problem.prices)
    for now, aim, allowed in zip(weights_of(problem, solution), problem.weights, off, strict=True):
        assert abs(now - aim) <= allowed + 1e-8
    assert solution.value <= solution.bound * (1 + 1e-14)
    assert solution.gap_bps < GAP_BPS
    assert_prices_agree(problem, solution)


def assert_prices_agree(problem: Problem, solution: Solution) -> None:
    money = [dual * price for dual, price in zip(solution.prices, problem.prices, strict=True)]
    flows = {(flow.exchange, flow.sell): flow for flow in solution.flows}
    for index, each in enumerate(problem.exchanges):
        for sell, buy, curve in ((each.token0, each.token1, each.sell0), (each.token1, each.token0, each.sell1)):
            flow = flows.get((index, sell))
            if flow is None:
                assert curve.start <= money[sell] / money[buy] * (1 + 1e-9)
                continue
            little = flow.amount_in * 1e-5
            slope = (curve.out(flow.amount_in + little) - curve.out(flow.amount_in - little)) / (2 * little)
            assert slope == pytest.approx(money[sell] / money[buy], rel=1e-5)
            assert flow.amount_out == pytest.approx(curve.out(flow.amount_in), rel=1e-10)


# ------------------------------------------------------------------ the optimum


@pytest.mark.parametrize("size", [1e-4, 1e-3, 1e-2, 1e-1])
@pytest.mark.parametrize("pools", [3, 10])
def test_solve__aims_exact__value_of_an_independent_solver(pools: int, size: float) -> None:
    for seed in range(3):
        world = market(pools, size, seed)
        problem = world.problem()
        solution = solve(problem)
        assert_optimal(problem, solution)
        other = best_value(money_held(world), world.weights, pieces_of(world))
        assert abs(solution.value - other) < world.notional * 1e-6
        assert other <= solution.bound + world.money * 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_solve__tolerances_floors_and_turnover__value_of_an_independent_solver(seed: int) -> None:
    world = market(3 if seed % 2 else 10, 10 ** (-2 - seed / 4), seed)
    rng = np.random.default_rng(seed)
    money = money_held(world)
    drift = np.abs(np.array(money) / world.money - world.weights)
    tolerance = (drift * rng.uniform(0.2, 1.2, len(money)) * (rng.random(len(money)) < 0.7)).tolist()
    free = solve(world.problem(tolerance=tolerance))
    turnover = 1.02 * sum(given(world.problem(tolerance=tolerance), free))
    floors = [held * rng.choice([0, 0.9, 0.9999]) for held in free.holdings]
    problem = world.problem(tolerance=tolerance, floors=floors, turnover=turnover)
    solution = solve(problem)
    other = best_value(
        money,
        world.weights,
        pieces_of(world),
        tolerance,
        [floor * price for floor, price in zip(floors, world.prices, strict=True)],
        turnover,
    )
    assert abs(solution.value - other) < world.notional * 1e-6
    assert other <= solution.bound + world.money * 1e-9
    assert solution.gap_bps < GAP_BPS
    assert all(now >= floor * (1 - 1e-8) for now, floor in zip(solution.holdings, floors, strict=True))


def test_solve__cap_on_turnover_binds__spends_just_it_on_what_gains_most() -> None:
    world = market(10, 0.01, 7)
    money = money_held(world)
    tolerance = [abs(now / world.money - aim) + 0.02 for now, aim in zip(money, world.weights, strict=True)]
    cheap = replace(world, pairs=[*world.pairs, Pair(0, 1, 1.1e6, 1e6 / world.prices[1], 3_000)])  # worth buying from
    free = solve(cheap.problem(tolerance=tolerance))
    cap = sum(given(cheap.problem(), free)) / 3
    solution = solve(cheap.problem(tolerance=tolerance, turnover=cap))
    assert sum(given(cheap.problem(), solution)) == pytest.approx(cap, rel=1e-6)
    assert sum(given(cheap.problem(), solution)) <= cap * (1 + 1e-12)
    other = best_value(money, world.weights, pieces_of(cheap), tolerance, turnover=cap)
    assert abs(solution.value - other) < world.notional * 1e-6
    assert world.money < solution.value < free.value


def test_solve__fifty_pools__certified_and_at_the_dual_prices() -> None:
    for seed in range(5):
        problem = market(50, 0.01, seed).problem()
        assert_optimal(problem, solve(problem))


def test_solve__ranges__value_of_an_independent_solver_piece_by_piece() -> None:
    wide = v3_pool((-887220, 887220, 4 * 10**20), (-600, 600, 10**21), (-120, 60, 10**22), (1200, 2400, 10**22))
    curve0, curve1 = of_pool(wide)
    pairs = [Pair(0, 2, 3e21, 3e21, 3_000), Pair(1, 2, 2e21, 2e21, 3_000)]
    weights = [0.2, 0.5, 0.3]
    for part in (0.001, 0.02, 0.2):
        held = [(0.2 + part) * 1e21, (0.5 - part) * 1e21, 0.3e21]
        world = Market([1.0] * 3, held, weights, pairs)
        problem = Problem([1.0] * 3, held, weights, [Exchange("r", 0, 1, curve0, curve1), *world.problem().exchanges])
        solution = solve(problem)
        assert_optimal(problem, solution)
        other = best_value(held, weights, [*pieces_of(world), *of_curve(curve0, 0, 1), *of_curve(curve1, 1, 0)])
        assert abs(solution.value - other) < world.notional * 1e-6
        assert other <= solution.bound + world.money * 1e-9


def of_curve(curve, sell: int, buy: int) -> list[Piece]:
    """Each piece of constant liquidity as a pool of its own with a cap: a concave curve fills them in order."""
    assert isinstance(curve, Pieces)
    ends = zip(curve.roots, curve.roots[1:], curve.liquidity, strict=False)
    return [
        Piece(sell, buy, depth * first, depth / first, curve.kept, depth * (last - first) / curve.kept)
        for first, last, depth in ends
        if depth and last > first
    ][:6]


def test_solve__recorded_mainnet_pools__certified(data_file) -> None:
    pools = recorded_pools(data_file(RECORDED))
    tokens, prices = money_of(pools)
    rng = np.random.default_rng(1)
    for size in (1e4, 1e6):
        weights = rng.dirichlet(np.full(len(tokens), 5.0))
        off = rng.normal(size=len(tokens))
        money = np.maximum(weights * size * 10 + (off - off.mean()) * size / 2, 0)
        problem = Problem(prices, (money / prices).tolist(), weights.tolist(), exchanges(tokens, pools))
        solution = solve(problem)
        assert solution.gap_bps < GAP_BPS
        assert len(solution.flows) >= len(tokens) - 1


# ------------------------------------------------------------------ what the check is worth: weak twins


def test_solve__fee_wrong_in_one_pool__fails_the_conditions_of_the_true_one() -> None:
    world = market(10, 0.01, 3)
    fees = [replace(world.pairs[0], fee=world.pairs[0].fee - 300), *world.pairs[1:]]
    wrong = solve(replace(world, pairs=fees).problem())
    assert 0 in {flow.exchange for flow in wrong.flows}
    with pytest.raises(AssertionError):
        assert_prices_agree(world.problem(), wrong)
    other = best_value(money_held(world), world.weights, pieces_of(world))
    assert abs(wrong.value - other) > world.notional * 1e-6


def test_solve__piece_dropped_from_a_range__fails_the_independent_value() -> None:
    pool = v3_pool((-887220, 887220, 4 * 10**20), (-600, 600, 10**21), (-120, 60, 10**22))
    curve, back = of_pool(pool)
    assert isinstance(curve, Pieces)
    dropped = curve._replace(
        **{name: getattr(curve, name)[:1] + getattr(curve, name)[2:] for name in ("roots", "liquidity", "ins", "outs")}
    )
    held, weights = [0.3e21, 0.7e21], [0.2, 0.8]
    problem = Problem([1.0, 1.0], held, weights, [Exchange("r", 0, 1, curve, back)])
    other = best_value(held, weights, of_curve(curve, 0, 1))
    assert abs(solve(problem).value - other) < 1e20 * 1e-6
    twin = solve(replace(problem, exchanges=[Exchange("r", 0, 1, dropped, back)]))
    assert abs(twin.value - other) > 1e20 * 1e-6


# ------------------------------------------------------------------ what must not matter


@pytest.mark.parametrize("scale", [1e-18, 1e-6, 1e12])
def test_solve__other_units__the_same_plan(scale: float) -> None:
    world = market(10, 0.003, 5)
    units = [scale if i % 2 else 1.0 for i in range(len(world.prices))]
    pairs = [
        replace(pair, reserve_a=pair.reserve_a / units[pair.a], reserve_b=pair.reserve_b / units[pair.b])
        for pair in world.pairs
    ]
    prices = [price * unit for price, unit in zip(world.prices, units, strict=True)]
    holdings = [held / unit for held, unit in zip(world.holdings, units, strict=True)]
    plain, scaled = solve(world.problem()), solve(Market(prices, holdings, world.weights, pairs).problem())
    assert scaled.value == pytest.approx(plain.value, rel=1e-9)
    assert [flow.key for flow in scaled.flows] == [flow.key for flow in plain.flows]
    for one, two in zip(plain.flows, scaled.flows, strict=True):
        assert two.amount_in * units[two.sell] == pytest.approx(one.amount_in, rel=1e-3)


# ------------------------------------------------------------------ small and degenerate


def test_solve__at_the_aim_or_within_tolerance__nothing_to_do() -> None:
    for holdings, tolerance in (([5.0, 5.0], ()), ([5.1, 4.9], [0.02, 0.02]), ([9.0, 1.0], [1.0, 1.0])):
        solution = solve(Market([1.0, 1.0], holdings, [0.5, 0.5], [EVEN]).problem(tolerance=tolerance))
        assert solution.flows == ()
        assert solution.net == solution.bound == solution.ceiling == 10
        assert (solution.gap_bps, solution.left, solution.notional) == (0, 0, 0)


def test_solve__outside_its_tolerance__goes_to_the_edge_and_no_further() -> None:
    problem = Market([1.0, 1.0, 1.0], [60.0, 20.0, 20.0], [0.4, 0.3, 0.3], [EVEN, Pair(1, 2, 1e6, 1e6, 3_000)]).problem(
        tolerance=[0.1, 0.2, 0.2]
    )
    solution = solve(problem)
    assert [flow.key for flow in solution.flows] == ["0"]
    assert weights_of(problem, solution)[0] == pytest.approx(0.5, abs=1e-7)
    assert solution.prices[1:] == (1, 1)  # a token inside its tolerance is worth its oracle price
    assert_optimal(problem, solution)


def test_solve__token_that_is_only_passed_through__keeps_none_of_it() -> None:
    pairs = [Pair(0, 2, 1e4, 1e4, 3_000), Pair(2, 1, 1e4, 1e4, 3_000)]
    problem = Market([1.0] * 3, [50.0, 0.0, 0.0], [0.5, 0.5, 0.0], pairs).problem()
    solution = solve(problem)
    first, second = solution.flows
    assert first.amount_out == pytest.approx(second.amount_in, rel=1e-6)
    assert abs(solution.holdings[2]) < 1e-6
    assert_optimal(problem, solution)


def test_solve__one_token__nothing_to_do() -> None:
    assert solve(Problem([2.0], [3.0], [1.0], [])).value == 6


def test_solve__pools_that_disagree_in_a_circle__no_trade_that_what_is_held_cannot_start() -> None:
    """Between two pools at different prices thousands could go round; only what is held can start the circle."""
    apart = [EVEN, Pair(0, 1, 1.1e6, 1e6, 3_000)]
    rich = solve(Market([1.0, 1.0], [1e5, 1e5], [0.5, 0.5], apart).problem())
    assert len(rich.flows) == 2
    assert rich.value > 2e5 + 1e3
    poor = solve(Market([1.0, 1.0], [6.0, 4.0], [0.5, 0.5], apart).problem())
    assert len(poor.flows) == 1
    assert poor.flows[0].amount_in < 1.1
    held = solve(Market([1.0, 1.0], [1e5, 1e5], [0.5, 0.5], apart).problem(floors=[99_990.0, 99_990.0]))
    assert len(held.flows) < 2


# ------------------------------------------------------------------ no solution


@pytest.mark.parametrize(
    ("holdings", "weights", "pairs", "constraints", "named"),
    [
        ([5.0, 4.0], [0.5, 0.5], [], {}, "pools"),
        ([5.0, 4.0, 1.0], [0.5, 0.3, 0.2], [EVEN], {}, "pools"),
        ([5e6, 0.0], [0.0, 1.0], [EVEN, Pair(0, 1, 10, 10, 0)], {"turnover": 1e3}, "turnover"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"turnover": 0.4}, "turnover"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"turnover": 0.4, "tolerance": [0.005, 0.005]}, "turnover"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"floors": [4.6, 0.0]}, "floors"),
        ([5.0, 4.0], [0.4, 0.6], [EVEN], {"floors": [4.6, 0.0], "tolerance": [0.1, 0.1]}, "floors"),
        ([5.0, 4.0], [0.4, 0.6], [EVEN], {"floors": [4.6, 4.6], "tolerance": [0.2, 0.2]}, "floors"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"smallest": 1.0}, "smallest"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"smallest": 1.0, "turnover": 5.0, "floors": [1.0, 1.0]}, "smallest"),
        ([5.0, 4.0], [0.5, 0.5], [EVEN], {"smallest": 0.1, "turnover": 0.1, "floors": [1.0, 1.0]}, "turnover"),
        ([9e9, 0.0], [0.01, 0.99], [EVEN], {}, "depth"),
    ],
)
def test_solve__aim_out_of_reach__names_the_constraint(holdings, weights, pairs, constraints, named) -> None:
    problem = Market([1.0] * len(holdings), holdings, weights, pairs).problem(**constraints)
    with pytest.raises(Infeasible, match=f"optimal: {named}: ") as found:
        solve(problem)
    assert found.value.constraint == named
    assert isinstance(found.value, DataError)


def test_solve__observed_ticks_end_before_the_aim__is_a_lack_of_depth() -> None:
    pool = v3_pool((-887220, 887220, 10**21), seen=(-60, 60))
    forward, back = of_pool(pool)
    problem = Problem([1.0, 1.0], [1e21, 0.0], [0.5, 0.5], [Exchange("r", 0, 1, forward, back)])
    with pytest.raises(Infeasible, match="optimal: depth: "):
        solve(problem)
    enough = replace(problem, holdings=[1e21, 1e21 - 1e18])
    assert solve(enough).gap_bps < GAP_BPS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": [0.5, 0.4]}, "weights must sum to 1, found 0.9"),
        ({"weights": [1.5, -0.5]}, "weights must be at least 0"),
        ({"holdings": [1.0]}, "expected 2 holdings, one for each price, found 1"),
        ({"holdings": [0.0, 0.0]}, "nothing is held"),
        ({"holdings": [float("nan"), 1.0]}, "holdings must be at least 0 and finite"),
        ({"prices": [0.0, 1.0]}, "prices must be above 0"),
        ({"prices": [float("inf"), 1.0]}, "prices must be above 0 and finite"),
        ({"tolerance": [0.1]}, "expected 2 tolerance, one for each price, found 1"),
        ({"floors": [-1.0, 0.0]}, "floors must be at least 0"),
    ],
)
def test_problem__makes_no_sense__refused(changes, said) -> None:
    fine = Problem([1.0, 1.0], [1.0, 1.0], [0.5, 0.5], [exchange(EVEN)])
    with pytest.raises(ValueError, match=f"optimal: {said}"):
        replace(fine, **changes)


def test_exchanges__pools_of_other_tokens_or_without_a_price__are_left_out() -> None:
    pool = v3_pool((-60, 60, 10**18))
    tokens = [pool.token1, pool.token0]
    (only,) = exchanges(tokens, [pool, replace(pool, sqrt_price_x96=0)], gas=2.0)
    assert (only.key, only.token0, only.token1, only.gas) == (pool.address, 1, 0, 2.0)
    assert exchanges(tokens[:1], [pool]) == ()
    assert at_tick(0) == pool.sqrt_price_x96
