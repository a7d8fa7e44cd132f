"""What must hold of every plan: certified, feasible, never better with less, never worse than the plain plans."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amm import v3
from bot.amm.pools import swap
from bot.amm.ticks import sqrt_ratio_at_tick
from bot.core.types import Token, V3Pool
from bot.planning.optimal.curves import of_pool
from bot.planning.optimal.entry import enter_ratio
from bot.planning.optimal.problem import Infeasible, Problem, Solution, exchanges
from bot.planning.optimal.solve import solve
from bot.planning.optimal.swaps import route
from tests.unit.amm.build import v2_pool, v3_pool
from tests.unit.planning.optimal.build import Market, Pair

E18 = 10**18
FEE = st.sampled_from([0, 100, 500, 3_000, 10_000])
SIZE = st.floats(-2, 0).map(lambda power: 10**power)


@st.composite
def markets(draw: Any) -> Market:
    """Two to five tokens, each joined with one before it, and more pools; prices off by up to half the fee."""
    tokens = draw(st.integers(2, 5))
    prices = [10 ** draw(st.floats(-3, 3)) for _ in range(tokens)]
    ends = [(draw(st.integers(0, token - 1)), token) for token in range(1, tokens)]
    ends += draw(st.lists(st.tuples(st.integers(0, tokens - 2), st.integers(0, tokens - 2)), max_size=5))
    pairs = []
    for a, b in ends:
        low, high = min(a, b), max(a, b) + (a == b)
        money, fee = 10 ** draw(st.floats(6, 8)), draw(FEE)
        off = 1 + draw(st.floats(-0.5, 0.5)) * fee / 1e6
        pairs.append(Pair(low, high, money / prices[low] * off, money / prices[high], fee))
    parts = [draw(st.floats(0.05, 1)) for _ in range(tokens)]
    weights = [part / sum(parts) for part in parts]
    size = 1e4 * draw(SIZE)
    drift = [draw(st.floats(-0.9, 0.9)) for _ in range(tokens)]
    money = [10 * size * weight * (1 + off) for weight, off in zip(weights, drift, strict=True)]
    return Market(prices, [each / price for each, price in zip(money, prices, strict=True)], weights, pairs)


def tolerance_of(world: Market, part: float) -> list[float]:
    return [part * weight for weight in world.weights]


def scale(world: Market) -> float:
    """Money that the solver's own end may cost."""
    depth = sum(pair.reserve_a * world.prices[pair.a] for pair in world.pairs)
    return 2 * max(world.notional * 1e-7, world.money * 1e-13, depth * 1e-13)


def tried(problem: Problem) -> Solution | None:
    try:
        return solve(problem, nodes=0)
    except Infeasible:
        return None


# ------------------------------------------------------------------ certified and feasible


@given(markets(), st.sampled_from([0.0, 0.01, 0.2]))
def test_solve__any_market__certified_feasible_and_on_the_curves(world: Market, part: float) -> None:
    problem = world.problem(tolerance=tolerance_of(world, part))
    solution = solve(problem)
    assert solution.gap <= scale(world)
    assert solution.value <= solution.bound + world.money * 1e-13
    money = [held * price for held, price in zip(solution.holdings, world.prices, strict=True)]
    for now, aim in zip(money, world.weights, strict=True):
        assert abs(now / sum(money) - aim) <= part * aim + 1e-6
    change = [0.0] * len(money)
    for flow in solution.flows:
        each = problem.exchanges[flow.exchange]
        curve = each.sell0 if flow.sell == each.token0 else each.sell1
        assert {flow.sell, flow.buy} == {each.token0, each.token1}
        assert abs(curve.out(flow.amount_in) - flow.amount_out) <= 1e-9 * flow.amount_out
        change[flow.sell] -= flow.amount_in
        change[flow.buy] += flow.amount_out
    for held, moved, end in zip(world.holdings, change, solution.holdings, strict=True):
        assert abs(held + moved - end) <= 1e-9 * (held + abs(moved) + end)
    assert len({flow.exchange for flow in solution.flows}) == len(solution.flows)  # no pool both ways


@given(markets(), st.floats(0.2, 1.2))
def test_solve__cap_on_turnover__kept_or_named(world: Market, part: float) -> None:
    def given_to_pools(solution: Solution) -> float:
        return sum(flow.amount_in * world.prices[flow.sell] for flow in solution.flows)

    tolerance = tolerance_of(world, 0.2)
    free = solve(world.problem(tolerance=tolerance))
    cap = part * given_to_pools(free)
    problem = world.problem(tolerance=tolerance, turnover=cap)
    capped = tried(problem)
    if capped is None:
        assert part < 1 + 1e-6
        with pytest.raises(Infeasible, match="optimal: turnover: "):
            solve(problem)
        return
    assert given_to_pools(capped) <= cap * (1 + 1e-12)
    assert capped.gap <= scale(world)
    assert capped.value <= free.bound + scale(world)


# ------------------------------------------------------------------ never better with less


@given(markets(), st.data())
def test_solve__more_freedom__never_worth_less(world: Market, data: Any) -> None:
    """Another pool, a deeper one, a lower fee or a wider tolerance."""
    base = solve(world.problem())
    index = data.draw(st.integers(0, len(world.pairs) - 1))
    pair = world.pairs[index]
    deeper = replace(pair, reserve_a=2 * pair.reserve_a, reserve_b=2 * pair.reserve_b)
    cheaper = replace(pair, fee=pair.fee // 2)
    rest = world.pairs[:index] + world.pairs[index + 1 :]
    freer = [replace(world, pairs=[*rest, each]).problem() for each in (deeper, cheaper)]
    freer.append(replace(world, pairs=[*world.pairs, pair]).problem())
    freer.append(world.problem(tolerance=tolerance_of(world, 0.05)))
    for problem in freer:
        found = solve(problem)
        if len({flow.sell for flow in found.flows} & {flow.buy for flow in found.flows}) == 0 or found.gap == 0:
            assert found.bound >= base.value - scale(world)
        assert found.value >= base.value - 2 * scale(world)


@given(markets(), st.floats(0, 300))
def test_solve__gas__never_below_one_pool_or_nothing_and_under_its_ceiling(world: Market, gas: float) -> None:
    for part in (0.0, 0.5):
        tolerance = tolerance_of(world, part)
        found = tried(world.problem(gas, tolerance=tolerance))
        assert found is not None
        plain = [
            tried(world.problem(gas, only=only, tolerance=tolerance)) for only in ([], *([k] for k in _each(world)))
        ]
        best = max((each.net for each in plain if each and _wasted(world, each) < scale(world)), default=found.net)
        assert found.net >= best - 2 * scale(world)
        assert found.net <= found.ceiling + scale(world)
        assert best <= found.ceiling + 2 * scale(world)


def _wasted(world: Market, solution: Solution) -> float:
    """Money that is not on aim: so little may be left by any solution that a certificate at its limit allows it."""
    return sum(held * price for held, price in zip(solution.holdings, world.prices, strict=True)) - solution.value


def _each(world: Market) -> range:
    return range(len(world.pairs))


# ------------------------------------------------------------------ in integers


@dataclass(frozen=True)
class Exact:
    tokens: list[Token]
    pools: list[Any]
    idle: dict[Token, int]
    weights: list[float]


@st.composite
def exact_markets(draw: Any) -> Exact:
    """Three or four tokens of 18 decimals worth the same, in pairs and ranges that agree."""
    count = draw(st.integers(3, 4))
    tokens = [Token(f"0x{index}", f"T{index}", 18) for index in range(count)]
    pools: list[Any] = []
    for index in range(draw(st.integers(count - 1, 6))):
        low = index if index < count - 1 else draw(st.integers(0, count - 2))
        depth = draw(st.integers(10**22, 10**25))
        if draw(st.booleans()):
            pool: Any = v2_pool(depth, depth, depth, fee=draw(FEE))
        else:
            width = draw(st.integers(10, 100)) * 60
            pool = v3_pool((-887220, 887220, depth // 10), (-width, width, depth), fee=draw(FEE))
        pools.append(replace(pool, token0=tokens[low], token1=tokens[low + 1], address=f"pool{index}"))
    parts = [draw(st.sampled_from([0.0, 0.3, 1.0])) for _ in range(count - 1)] + [1.0]
    weights = [part / sum(parts) for part in parts]
    idle = {token: draw(st.sampled_from([0, 1]) | st.integers(10**18, 10**21)) for token in tokens}
    idle[tokens[draw(st.integers(0, count - 1))]] = draw(st.integers(10**18, 10**21))
    return Exact(tokens, pools, idle, weights)


@given(exact_markets())
def test_route__any_plan__can_be_paid_for_and_ends_within_rounding(world: Exact) -> None:
    holdings = [world.idle[token] for token in world.tokens]
    solution = solve(Problem([1e-18] * len(holdings), holdings, world.weights, exchanges(world.tokens, world.pools)))
    found = route(world.tokens, {pool.address: pool for pool in world.pools}, world.idle, solution.flows)
    now, at = dict(world.idle), {pool.address: pool for pool in world.pools}
    for order in found.orders:
        at[order.pool], out = swap(at[order.pool], order.sell, order.amount_in)
        now[order.sell] -= order.amount_in
        assert now[order.sell] >= 0
        now[order.buy] += out
    assert now == found.idle
    allowed = 1e-6 * sum(holdings) + 100  # where a token that is nearly sold out is sold whole
    for token, planned, weight in zip(world.tokens, solution.holdings, world.weights, strict=True):
        assert abs(now[token] - planned) <= allowed
        if not weight:
            assert now[token] <= allowed


# ------------------------------------------------------------------ entering a range


@st.composite
def entries(draw: Any) -> tuple[V3Pool, int, int]:
    tick = draw(st.integers(-3_000, 3_000))
    width = draw(st.integers(1, 100))
    pool = v3_pool(
        (-887220, 887220, draw(st.integers(10**4, 10**12))),
        (-width * 60, width * 60, draw(st.integers(1, 10**12))),
        sqrt_price_x96=sqrt_ratio_at_tick(tick),
    )
    lower = draw(st.integers(-100, 99)) * 60
    return pool, lower, lower + 60 * draw(st.integers(1, 100))


@given(entries(), st.integers(0, 300), st.integers(0, 300), st.booleans())
def test_enter_ratio__small_amounts__no_other_swap_leaves_less(world, idle0: int, idle1: int, itself: bool) -> None:
    pool, lower, upper = world
    by = pool if itself else v2_pool(10**6, 10**6, 10**6)
    found = enter_ratio(idle0, idle1, pool, lower, upper, by)
    best = min(_left_after(pool, lower, upper, idle0, idle1, by))
    price = (found.pool.sqrt_price_x96 / 2**96) ** 2
    unit = 2 * (1 + price) + _unit_of_liquidity(found.pool, lower, upper)
    assert found.left0 * price + found.left1 <= best + unit


def _unit_of_liquidity(pool: V3Pool, lower: int, upper: int) -> float:
    price = pool.sqrt_price_x96 / 2**96
    low, high = 1.0001 ** (lower / 2), 1.0001 ** (upper / 2)
    at = min(max(price, low), high)
    return (1 / at - 1 / high) * price**2 + at - low


def _left_after(pool: V3Pool, lower: int, upper: int, idle0: int, idle1: int, by: Any) -> list[float]:
    """What each swap that there is leaves."""
    found = []
    for token, most in ((pool.token0, idle0), (pool.token1, idle1)):
        for amount in range(most + 1):
            after, out = (by, 0)
            if amount:
                try:
                    after, out = swap(by, token, amount)
                except ValueError:
                    continue
            at = after if by is pool else pool
            first = token == pool.token0
            amount0, amount1 = (idle0 - amount, idle1 + out) if first else (idle0 + out, idle1 - amount)
            liquidity = v3.liquidity_for(at.sqrt_price_x96, lower, upper, amount0, amount1)
            taken = v3.mint(at, lower, upper, liquidity)[1:] if liquidity else (0, 0)
            price = (at.sqrt_price_x96 / 2**96) ** 2
            found.append((amount0 - taken[0]) * price + amount1 - taken[1])
    return found


@given(entries(), st.booleans(), st.integers(1, 10**9), st.integers(1, 10**9))
def test_curves__more_given__more_comes_out_at_a_falling_price(world, direction: bool, amount: int, more: int) -> None:
    curve = of_pool(world[0])[direction]
    first, second, third = (curve.out(given) for given in (amount, amount + more, amount + 2 * more))
    assert first <= second <= third
    assert (second - first) - (third - second) >= -1e-9 * (1 + third)
    assert first <= curve.start * amount * (1 + 1e-12)
