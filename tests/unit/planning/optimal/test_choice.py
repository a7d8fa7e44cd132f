"""Which pools are worth their gas: against every choice there is."""

from itertools import combinations, product

import numpy as np
import pytest

from bot.planning.optimal import choice, dual
from bot.planning.optimal.problem import Infeasible, Problem, Solution
from bot.planning.optimal.solve import _book, solve
from tests.unit.planning.optimal.build import Market, Pair, market

EVEN = Pair(0, 1, 1e6, 1e6, 3_000)


def value_with(world: Market, pools: tuple[int, ...]) -> float:
    """Best value with these pools only, each of them free; minus infinity when the aim is out of reach."""
    try:
        return solve(world.problem(only=pools)).value
    except Infeasible:
        return float("-inf")


def brute_force(world: Market, gas: float) -> float:
    every = range(len(world.pairs))
    return max(
        value_with(world, pools) - gas * size
        for size in range(len(world.pairs) + 1)
        for pools in combinations(every, size)
    )


@pytest.mark.parametrize("gas", [0.5, 5.0, 50.0, 500.0])
@pytest.mark.parametrize("size", [1e-3, 1e-2])
def test_solve__three_pools_with_gas__best_of_every_choice(size: float, gas: float) -> None:
    for seed in range(4):
        world = market(3, size, seed)
        solution = solve(world.problem(gas))
        best = brute_force(world, gas)
        assert solution.net == pytest.approx(best, abs=world.notional * 2e-7)
        assert best <= solution.ceiling + world.notional * 1e-6
        assert solution.left < world.notional * 1e-6
        assert solution.gas == gas * len(solution.flows)


@pytest.mark.parametrize("gas", [5.0, 50.0, 200.0])
def test_solve__local_search_alone__finds_the_best_of_three_pools(gas: float) -> None:
    for seed, size in ((0, 3e-3), (0, 1e-2), (1, 1e-3), (2, 1e-3)):
        world = market(3, size, seed)
        assert solve(world.problem(gas), nodes=0).net == pytest.approx(
            brute_force(world, gas), abs=world.notional * 2e-7
        )


@pytest.mark.parametrize("gas", [5.0, 50.0])
def test_solve__ten_pools_with_gas__best_of_every_choice_that_could_be(gas: float) -> None:
    """Every choice is bounded by its best value, which falls with the pools: most need not be solved."""
    for seed, size in ((1, 3e-3), (2, 1e-2)):
        world = market(10, size, seed)
        solution = solve(world.problem(gas), nodes=400)
        allowed = world.money - min(value_with(world, tuple(range(10))), world.money)
        most = int((solution.gas + allowed) / gas) + 1
        found = max(
            value_with(world, pools) - gas * count
            for count in range(4, min(most, 10) + 1)  # five tokens need four pools
            for pools in combinations(range(10), count)
        )
        assert solution.net == pytest.approx(found, abs=world.notional * 1e-6)
        assert found <= solution.ceiling + world.notional * 1e-6


def test_solve__fifty_pools_with_gas__ceiling_holds_and_nodes_bring_it_down() -> None:
    world = market(50, 0.01, 4)
    free = solve(world.problem())
    few, more = (solve(world.problem(5.0), nodes=nodes) for nodes in (0, 40))
    assert len(more.flows) < len(free.flows)
    assert more.net > free.value - 5.0 * len(free.flows)
    assert few.net <= more.net + 1e-6
    assert more.net <= more.ceiling <= few.ceiling <= free.bound
    assert more.left < world.notional * 1e-5


def test_solve__gas_of_each_pool_its_own__the_dear_one_is_left_out() -> None:
    twins = Market([1.0, 1.0], [6e3, 4e3], [0.5, 0.5], [EVEN, EVEN])
    dear, cheap = (twins.problem(gas).exchanges[pool] for pool, gas in ((0, 9.0), (1, 1.0)))
    solution = solve(Problem([1.0, 1.0], [6e3, 4e3], [0.5, 0.5], [dear, cheap]))
    assert [flow.key for flow in solution.flows] == ["1"]
    assert solution.gas == 1.0
    assert len(solve(Problem([1.0, 1.0], [6e5, 4e5], [0.5, 0.5], [dear, cheap])).flows) == 2  # large enough for both


def test_solve__gas_above_what_a_trade_brings__nothing_is_done_where_that_is_allowed() -> None:
    """A pool below the oracle price pays, but not its gas."""
    cheap = Market([1.0, 1.0], [5e3, 5e3], [0.5, 0.5], [Pair(0, 1, 1e6, 1.01e6, 3_000)])
    gain = solve(cheap.problem(tolerance=[0.1, 0.1])).value - 1e4
    assert gain > 1
    assert solve(cheap.problem(gain * 1.01, tolerance=[0.1, 0.1])).flows == ()
    assert len(solve(cheap.problem(gain * 0.99, tolerance=[0.1, 0.1])).flows) == 1


# ------------------------------------------------------------------ never worse than the plain plans


def singles(world: Market, gas: float, constraints: dict) -> list[float]:
    found = []
    for pool in range(len(world.pairs)):
        try:
            found.append(solve(world.problem(gas, only=[pool], **constraints), nodes=0).net)
        except Infeasible:
            continue
    return found


@pytest.mark.parametrize("gas", [0.0, 1.0, 20.0, 200.0])
def test_solve__many_pools_of_one_pair__never_below_the_best_single_one_or_nothing(gas: float) -> None:
    for seed, pools in product(range(3), (2, 5, 12)):
        drawn = market(50, 0.01, seed).pairs[:pools]
        pairs = [Pair(0, 1, pair.reserve_a, pair.reserve_a, pair.fee) for pair in drawn]
        for part, off in ((0.001, 0.0), (0.001, 0.0005), (0.001, 0.01)):
            reserve = pairs[0].reserve_a
            world = Market([1.0, 1.0], [reserve * (0.5 + part), reserve * (0.5 - part)], [0.5, 0.5], pairs)
            tolerance = {"tolerance": [off, off]} if off else {}
            solution = solve(world.problem(gas, **tolerance), nodes=0)
            best = singles(world, gas, tolerance) + ([world.money] if off > part else [])
            assert solution.net >= max(best) - world.notional * 2e-7


# ------------------------------------------------------------------ smallest trades


def test_solve__smallest_trade__no_pool_is_given_less() -> None:
    for seed in range(4):
        world = market(10, 0.003, seed)
        free = solve(world.problem())
        sizes = sorted(flow.amount_in * world.prices[flow.sell] for flow in free.flows)
        smallest = (sizes[0] + sizes[1]) / 2
        solution = solve(world.problem(smallest=smallest))
        kept = [flow.amount_in * world.prices[flow.sell] for flow in solution.flows]
        assert min(kept) >= smallest
        assert len(kept) <= len(sizes) - 1
        assert free.value - world.notional * 1e-3 < solution.value <= free.bound
        assert solution.value <= solution.ceiling


# ------------------------------------------------------------------ the bound itself


def searched(world: Market, gas: float) -> choice.Search:
    book = _book(world.problem(), float("inf"), frozenset())
    assert book is not None
    return choice.Search(book, [gas] * len(world.pairs), 0.0, 1e-6)


def test_lagrangian__any_prices__bounds_every_choice() -> None:
    """Weak duality: whatever prices, no choice of pools nets more; at those of the best one it may be just that."""
    world = market(3, 3e-3, 2)
    search = searched(world, 20.0)
    nets = {
        pools: value_with(world, pools) - 20.0 * size for size in range(4) for pools in combinations(range(3), size)
    }
    tight = [[*solve(world.problem(only=pools)).prices, 0.0] for pools, net in nets.items() if net > float("-inf")]
    for prices in [*tight, *([*grid, 0.0] for grid in product((0.98, 1.0, 1.003, 1.02), repeat=3))]:
        bound = choice._lagrangian(search, choice.NONE, choice.NONE, prices)
        assert max(nets.values()) <= bound + 1e-6
        for inside, outside in product(({0}, {1}, {2}, {0, 2}, set()), ({0}, {1}, {2}, {0, 2}, set())):
            if inside & outside:
                continue
            part = choice._lagrangian(search, frozenset(inside), frozenset(outside), prices)
            fits = [net for pools, net in nets.items() if inside <= set(pools) and not outside & set(pools)]
            assert max(fits) <= part + 1e-6


def test_lagrangian__at_the_prices_of_a_choice_that_pays__is_its_net() -> None:
    world = Market([1.0, 1.0], [6e5, 4e5], [0.5, 0.5], [EVEN, EVEN, Pair(0, 1, 1e3, 1e3, 10_000)])
    solution = solve(world.problem(20.0))
    assert len(solution.flows) == 2
    bound = choice._lagrangian(searched(world, 20.0), choice.NONE, choice.NONE, [*solution.prices, 0.0])
    assert bound == pytest.approx(solution.net, abs=1e-3)


@pytest.mark.parametrize("width", [20.0, 4.0, 0.8])
def test_toll__any_prices__smooth_just_above_the_lagrangian_and_pulled_downhill(width: float) -> None:
    world = market(10, 3e-3, 3)
    search = searched(world, 20.0)
    best = np.array(solve(world.problem(20.0)).prices)
    sides = [side for pool in search.book.sides for side in pool]
    toll = dual.Toll(search.gas, width)
    rng = np.random.default_rng(5)
    for _ in range(20):
        prices = [*(best * rng.normal(1.0, 1e-4, 5)).tolist(), 0.0]  # where some pools are on their ramp
        point = dual.evaluate(search.book, sides, prices, toll)
        exact = choice._lagrangian(search, choice.NONE, choice.NONE, prices)
        assert exact - 1e-6 <= point.bound <= exact + width / 4 * len(world.pairs)
        pull = dual._pull(search.book, point)
        for i in range(5):
            up, down = (
                dual.evaluate(search.book, sides, [*prices[:i], prices[i] + step, *prices[i + 1 :]], toll).bound
                for step in (1e-8, -1e-8)
            )
            assert (down - up) / 2e-8 * point.support == pytest.approx(pull[i], rel=1e-4, abs=2)


def test_simple__plans_without_a_search__nothing_each_pool_that_could_do_and_a_path_for_each_order() -> None:
    """Nothing; the pools of both tokens that are off; A is sold for B directly or by C, whichever nets more."""
    pairs = [Pair(0, 1, 1e5, 1e5, 3_000), Pair(0, 2, 1e7, 1e7, 100), Pair(1, 2, 1e7, 1e7, 100), Pair(0, 1, 1e4, 1e4, 0)]
    world = Market([1.0] * 3, [6e4, 4e4, 5e4], [1 / 3, 1 / 3, 1 / 3], pairs)
    for gas, path in ((1.0, {1, 2}), (2_000.0, {0})):
        assert set(choice._simple(searched(world, gas))) == {
            choice.NONE,
            frozenset({0}),
            frozenset({3}),
            frozenset(path),
        }


def test_solution__figures_of_the_certificate__in_bps() -> None:
    solution = Solution((), (), 1e4, 2.0, 1e4 + 1, 1e4, 100.0, ())
    assert (solution.net, solution.gap, solution.left) == (9998, 1, 2)
    assert (solution.gap_bps, solution.gap_portfolio_bps) == (100, 1)
