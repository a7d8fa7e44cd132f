"""The best plan over many pools: what it costs and how long it takes, beside plainer plans and a general solver.

Loss is what a plan ends with less than the optimum, in bps of what has to move; with gas, less than the best net found.
The plainer plans end beside the aim: what they are off is taken to be traded at the optimum's own marginal prices,
which is kind to them. Where EVENKEEL_DATA names recorded data, also over mainnet's Uniswap V3 pools. cvxpy with
CLARABEL takes part where it is installed.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench.table import per_call, show, wants_json
from bot.planning.optimal.problem import Problem, Solution, exchanges
from bot.planning.optimal.solve import solve
from tests.unit.planning.optimal.build import RECORDED, Market, market, money_of, recorded_pools

MARKETS = 15
RUNS = 5
SIZE = 0.01  # of a pool's depth
GAS = 5.0  # money for each pool touched
CHUNKS = 50


class Result(NamedTuple):
    """Money on aim at the end, or else money in each token; and pools touched."""

    money: float | list[float]
    pools: int


Method = Callable[[Problem], Result]


def ours(problem: Problem) -> Result:
    """The optimum without gas."""
    solution = solve(problem)
    return Result(solution.value, len(solution.flows))


def with_gas(problem: Problem) -> Result:
    """The best choice of pools when each costs gas."""
    charged = [each._replace(gas=GAS) for each in problem.exchanges]
    priced = Problem(problem.prices, problem.holdings, problem.weights, charged)
    solution = solve(priced)
    return Result(solution.value, len(solution.flows))


def chunked(chunks: int, hops: int) -> Method:
    """Orders from what is over to what is under, each cut in chunks that take the best path at that moment."""

    def plan(problem: Problem) -> Result:
        sides = _sides(problem)
        given = [0.0] * len(sides)
        money = [held * price for held, price in zip(problem.holdings, problem.prices, strict=True)]
        touched: set[int] = set()
        orders = _orders(money, problem.weights)
        for _ in range(chunks):
            for sell, buy, size in orders:
                amount = size / chunks
                got, path = max(_paths(sides, given, sell, buy, amount, hops))
                money[sell] -= amount
                money[buy] += got
                for index in path:
                    after = _more(sides[index], given[index], amount)
                    given[index] += amount / sides[index].price_in
                    touched.add(sides[index].pool)
                    amount = after
        return Result(money, len(touched))

    return plan


class Side(NamedTuple):
    """One direction of a pool."""

    pool: int
    sell: int
    buy: int
    out: Callable[[float], float]
    price_in: float
    price_out: float


def _sides(problem: Problem) -> list[Side]:
    found = []
    for pool, (_, token0, token1, sell0, sell1, _) in enumerate(problem.exchanges):
        price0, price1 = problem.prices[token0], problem.prices[token1]
        found += [
            Side(pool, token0, token1, sell0.out, price0, price1),
            Side(pool, token1, token0, sell1.out, price1, price0),
        ]
    return found


def _more(side: Side, given: float, money: float) -> float:
    """Money that giving so much more brings."""
    return (side.out(given + money / side.price_in) - side.out(given)) * side.price_out


def _orders(money: list[float], weights: Any) -> list[tuple[int, int, float]]:
    left = [now - weight * sum(money) for now, weight in zip(money, weights, strict=True)]
    orders = []
    for _ in left:
        sell, buy = left.index(max(left)), left.index(min(left))
        size = min(left[sell], -left[buy])
        if size <= 0:
            break
        left[sell] -= size
        left[buy] += size
        orders.append((sell, buy, size))
    return orders


def _paths(
    sides: list[Side], given: list[float], sell: int, buy: int, money: float, hops: int
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Every path of so many pools at most, with what it brings."""
    for index, side in enumerate(sides):
        if side.sell != sell:
            continue
        got = _more(side, given[index], money)
        if side.buy == buy:
            yield got, (index,)
        elif hops > 1:
            for end, rest in _paths(sides, given, side.buy, buy, got, hops - 1):
                if index not in rest:
                    yield end, (index, *rest)


def clarabel(world: Market) -> tuple[float, float, float]:
    """Final value by cvxpy and CLARABEL, seconds in all, and of the solver alone."""
    import cvxpy as cp

    prices, pairs = np.array(world.prices), world.pairs
    a, b = np.array([pair.a for pair in pairs]), np.array([pair.b for pair in pairs])
    unit = world.notional / len(prices)
    reserve_a = np.array([pair.reserve_a for pair in pairs]) * prices[a] / unit
    reserve_b = np.array([pair.reserve_b for pair in pairs]) * prices[b] / unit
    kept = 1 - np.array([pair.fee for pair in pairs]) / 1e6
    to_a, to_b = (np.eye(len(prices))[each].T for each in (a, b))
    start = time.perf_counter()
    give_a, give_b, get_a, get_b = (cp.Variable(len(pairs), nonneg=True) for _ in range(4))
    worth = cp.Variable()
    after_a = reserve_a + cp.multiply(kept, give_a) - get_a
    after_b = reserve_b + cp.multiply(kept, give_b) - get_b
    held = np.array(world.holdings) * prices / unit + to_a @ (get_a - give_a) + to_b @ (get_b - give_b)
    depth = np.sqrt(reserve_a * reserve_b)
    cones = cp.SOC(after_a + after_b, cp.vstack([after_a - after_b, 2 * depth]), axis=0)
    problem = cp.Problem(cp.Maximize(worth), [held >= worth * np.array(world.weights), cones])
    problem.solve(solver=cp.CLARABEL)
    return float(worth.value) * unit, time.perf_counter() - start, problem.solver_stats.solve_time


# ------------------------------------------------------------------ tables


def compare(problems: list[Problem], notionals: list[float], methods: dict[str, Method]) -> list[dict[str, object]]:
    """One row for each method: medians over the problems."""
    optima = [solve(problem) for problem in problems]
    ends = {
        name: [(_on_aim(*each, method(each[0])), method(each[0]).pools) for each in zip(problems, optima, strict=True)]
        for name, method in methods.items()
    }
    best = [max(money - GAS * pools for money, pools in column) for column in zip(*ends.values(), strict=True)]
    rows: list[dict[str, object]] = []
    for name, method in methods.items():
        losses = [
            1e4 * (optimum.bound - money) / notional
            for optimum, (money, _), notional in zip(optima, ends[name], notionals, strict=True)
        ]
        nets = [
            1e4 * (most - money + GAS * pools) / notional
            for most, (money, pools), notional in zip(best, ends[name], notionals, strict=True)
        ]
        seconds = [median(_timed(method, problem) for _ in range(RUNS)) for problem in problems]
        rows.append(_row(name, losses, nets, median(pools for _, pools in ends[name]), seconds))
    return rows


def _on_aim(problem: Problem, optimum: Solution, result: Result) -> float:
    """Money on aim, where what is off is traded at the optimum's marginal prices: by duality no more than its bound."""
    if not isinstance(result.money, list):
        return result.money
    return float(np.dot(optimum.prices, result.money) / np.dot(optimum.prices, problem.weights))


def _row(name: str, losses: list[float], net: list[float], pools: object, seconds: list[float]) -> dict[str, object]:
    return {
        "plan": name,
        "loss bps": f"{median(losses):.4f}",
        "worst": f"{max(losses):.4f}",
        "with gas": f"{median(net):.4f}" if net else "-",
        "pools": pools,
        "ms": f"{median(seconds) * 1e3:.3f}",
    }


def _timed(method: Method, problem: Problem) -> float:
    start = time.perf_counter()
    method(problem)
    return time.perf_counter() - start


def peer(worlds: list[Market]) -> list[dict[str, object]]:
    """The general solver's rows, where it is installed."""
    if not importlib.util.find_spec("cvxpy"):
        return []
    clarabel(worlds[0])
    bounds = [solve(world.problem()).bound for world in worlds]
    found = [clarabel(world) for world in worlds]
    losses = [1e4 * (b - f[0]) / world.notional for b, f, world in zip(bounds, found, worlds, strict=True)]
    return [
        _row("cvxpy, CLARABEL", losses, [], "-", [each[1] for each in found]),
        _row("  its solver alone", losses, [], "-", [each[2] for each in found]),
    ]


def recorded(path: Path, size: float) -> tuple[list[Problem], list[float]]:
    """Portfolios ten times `size` in the tokens of the recorded pools, off by about that."""
    pools = recorded_pools(path)
    tokens, prices = money_of(pools)
    joined = exchanges(tokens, pools)
    rng = np.random.default_rng(0)
    problems, notionals = [], []
    for _ in range(MARKETS):
        weights = rng.dirichlet(np.full(len(tokens), 5.0))
        off = rng.normal(size=len(tokens))
        off -= off.mean()
        money = np.maximum(weights * size * 10 + off / np.abs(off).sum() * 2 * size, 0.0)
        problems.append(Problem(prices, (money / prices).tolist(), weights.tolist(), joined))
        notionals.append(float(np.abs(money - weights * money.sum()).sum() / 2))
    return problems, notionals


def main() -> None:
    """Print a table for 3, 10 and 50 constant products, and for mainnet's ranges where they are at hand."""
    as_json = wants_json()
    own: dict[str, Method] = {"ours": ours, f"ours, gas of {GAS:g} a pool": with_gas}
    for pools in (3, 10, 50):
        worlds = [market(pools, SIZE, seed) for seed in range(MARKETS)]
        rows = compare([world.problem() for world in worlds], [world.notional for world in worlds], plain(2) | own)
        show(f"{pools} constant products, trades of {SIZE:.0%} of depth", rows + peer(worlds), as_json)
    path = Path(os.environ.get("EVENKEEL_DATA", "")) / RECORDED
    if path.is_file():
        for size in (1e4, 1e6):
            rows = [*compare(*recorded(path, size), plain(3) | own), curves_alone(path)]
            show(f"8 recorded Uniswap V3 pools, {size:,.0f} to move", rows, as_json)


def curves_alone(path: Path) -> dict[str, object]:
    """What it takes to make the tables of the recorded pools, once for each block."""
    pools = recorded_pools(path)
    tokens, _ = money_of(pools)
    seconds = per_call(lambda: exchanges(tokens, pools))
    return {"plan": "making the curves", "loss bps": "-", "worst": "-", "with gas": "-", "pools": 8} | {
        "ms": f"{seconds * 1e3:.3f}"
    }


def plain(hops: int) -> dict[str, Method]:
    """What one does without a solver."""
    return {"best single path an order": chunked(1, hops), f"the same in {CHUNKS} chunks": chunked(CHUNKS, hops)}


if __name__ == "__main__":
    main()
