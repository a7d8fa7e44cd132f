"""From a problem to its solution: scaling to money, floors, and a name for what cannot be done."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from bot.planning.optimal.choice import Choice, Search, choose
from bot.planning.optimal.dual import Book, Side, evaluate, fits
from bot.planning.optimal.problem import Exchange, Flow, Infeasible, Problem, Solution

ENOUGH = 1e-7  # of the money that has to move: where a certified gap counts as closed
_TOLD = 1e-13  # of the portfolio, and of the depth of a token's pools: what floats can tell apart
_ROUNDS = 8  # of floors, each closer by the share of the value that trading costs
_MISSED = 1e-9  # of a floor, that rounding may miss
_DUST = 1e-13  # of the portfolio: a trade below it is rounding
Direction = tuple[int, int]  # exchange, and the token it would be given


def solve(problem: Problem, nodes: int = 16) -> Solution:
    """Find the net trades that are worth most once their gas is paid, and what certifies them.

    Without gas and a smallest trade that is the optimum. With them pools are chosen by a local search and by at most
    `nodes` branchings, which end early when the optimum is proven; else `Solution.left` bounds what was missed. Where
    pools disagree so far that it would pay to trade round in a circle, and what is held cannot start it, the smallest
    trade of the circle is left out, and the certificate is for what remains. `Infeasible`, with the constraint's name,
    when no trades reach the aim.
    """
    left_out: frozenset[Direction] = frozenset()
    while True:
        found = _attempt(problem, nodes, left_out)
        if found is None:
            raise _named(problem)
        stuck = _stuck(problem, found.flows)
        if stuck is None:
            return found
        left_out |= {(stuck.exchange, stuck.sell)}


def _attempt(problem: Problem, nodes: int, left_out: frozenset[Direction] = frozenset()) -> Solution | None:
    """Solve; and again while a floor is missed, as a floor is a weight only once the final value is known."""
    worth = roof = inf
    for _ in range(_ROUNDS):
        book = _book(problem, worth, left_out)
        if book is None:
            return None
        enough = _enough(book)
        gas = [each.gas if each.gas > enough else 0.0 for each in problem.exchanges]
        search = Search(book, gas, problem.smallest, enough)
        choice = choose(search, nodes)
        if choice is None:
            return None
        if worth >= roof:  # floors as part of what no plan is worth exclude no plan
            widest = search
        solution = _solution(problem, widest, book, choice)
        floors = problem.floors or [-inf] * len(problem.prices)
        if all(now >= floor * (1 - _MISSED) for now, floor in zip(solution.holdings, floors, strict=True)):
            return solution
        worth, roof = (search.roof, search.roof) if roof == inf else (choice.worth, roof)
    return None


def _book(problem: Problem, worth: float, left_out: frozenset[Direction]) -> Book | None:
    """Scale to money; None when the weights, with the floors as part of `worth`, leave nothing to choose from."""
    prices = [float(price) for price in problem.prices]
    none = [0.0] * len(prices)
    whole = sum(problem.weights)
    least, most = [], []
    for price, weight, off, floor in zip(
        prices, problem.weights, problem.tolerance or none, problem.floors or none, strict=True
    ):
        aim = weight / whole
        low, high = (max(aim - off, floor * price / worth), min(aim + off, 1.0)) if off or floor else (aim, aim)
        if low > high * (1 + _MISSED):
            return None
        least.append(min(max(low, 0.0), high))
        most.append(high)
    if sum(least) > 1 + _MISSED:
        return None
    holdings = [held * price for held, price in zip(problem.holdings, prices, strict=True)]
    stiffness = [*none, 0.0]
    degree = [0] * (len(prices) + 1)
    sides: list[tuple[Side, ...]] = []
    for pool, each in enumerate(problem.exchanges):
        both = _sides(pool, each, prices)
        sides.append(tuple(side for side in both if (pool, side.sell) not in left_out) if left_out else both)
        first, _ = both
        response = first.at(first.start * first.scale)[2] * first.price_out
        for token in (each.token0, each.token1):
            stiffness[token] += response
            degree[token] += 1
    total = sum(holdings)
    stiffness[-1] = sum(stiffness)
    order = sorted(range(len(prices) + (problem.turnover is not None)), key=degree.__getitem__)
    return Book(holdings, least, most, sides, [each or total for each in stiffness], order, problem.turnover)


def _sides(pool: int, each: Exchange, prices: list[float]) -> tuple[Side, Side]:
    _, token0, token1, sell0, sell1, _ = each
    price0, price1 = prices[token0], prices[token1]
    ratio = price0 / price1
    return (
        Side(pool, token0, token1, sell0.start / ratio, sell0.at, sell0.out, ratio, price0, price1),
        Side(pool, token1, token0, sell1.start * ratio, sell1.at, sell1.out, 1 / ratio, price1, price0),
    )


def _enough(book: Book) -> float:
    """Give the gap that counts as closed: by what has to move, but no less than what floats can tell."""
    total = sum(book.holdings)
    moves = [
        max(held - most * total, least * total - held, 0.0)
        for held, least, most in zip(book.holdings, book.least, book.most, strict=True)
    ]
    return max(ENOUGH * sum(moves) / 2, _TOLD * total, _TOLD * max(book.stiffness[:-1]))


def _solution(problem: Problem, widest: Search, book: Book, choice: Choice) -> Solution:
    """Make trades of the chosen point, cut to the turnover, and certify what they lead to."""
    prices = choice.point.prices
    part = 1.0
    if book.turnover is not None and choice.point.holdings[-1] < 0:
        part = book.turnover / (book.turnover - choice.point.holdings[-1])
    money, flows = book.holdings[:], []
    dust = _DUST * sum(money)
    for side, _, amount_in, amount_out, _ in choice.point.active:
        if amount_in * side.price_in <= dust:
            continue
        given, got = (amount_in, amount_out) if part == 1.0 else (amount_in * part, side.out(amount_in * part))
        money[side.sell] -= given * side.price_in
        money[side.buy] += got * side.price_out
        key = problem.exchanges[side.pool].key
        flows.append(Flow(side.pool, key, side.sell, side.buy, given, got))
    bound = choice.point.bound
    if book is not widest.book:
        chosen = [side for pool in sorted(choice.pools) for side in widest.book.sides[pool]]
        bound = evaluate(widest.book, chosen, prices).bound
    return Solution(
        flows=tuple(flows),
        holdings=tuple(held / price for held, price in zip(money, problem.prices, strict=True)),
        value=fits(book, money),
        gas=sum(problem.exchanges[flow.exchange].gas for flow in flows),
        bound=bound,
        ceiling=widest.ceiling,
        notional=sum(abs(now - held) for now, held in zip(money, book.holdings, strict=True)) / 2,
        prices=tuple(prices[:-1]),
    )


def _stuck(problem: Problem, flows: Sequence[Flow]) -> Flow | None:
    """Find the smallest of trades that wait for each other in a circle; None when all can be done in some order."""
    idle = [
        held - kept for held, kept in zip(problem.holdings, problem.floors or [0.0] * len(problem.prices), strict=True)
    ]
    while flows:
        waiting = {flow.buy for flow in flows}
        ready = {flow.sell for flow in flows} - waiting or _covered(idle, flows)
        if not ready:
            return _smallest_of_circle(problem, flows)
        for flow in flows:
            if flow.sell in ready:
                idle[flow.sell] -= flow.amount_in
                idle[flow.buy] += flow.amount_out
        flows = [flow for flow in flows if flow.sell not in ready]
    return None


def _covered(idle: Sequence[float], flows: Sequence[Flow]) -> set[int]:
    """Give the tokens of which there is enough for everything they are sold for."""
    wanted: dict[int, float] = {}
    for flow in flows:
        wanted[flow.sell] = wanted.get(flow.sell, 0.0) + flow.amount_in
    return {token for token, raw in wanted.items() if idle[token] >= raw}


def _smallest_of_circle(problem: Problem, flows: Sequence[Flow]) -> Flow:
    """Walk back from a trade to one that brings what it sells, until the walk closes."""
    path = [flows[0]]
    while True:
        path.append(next(flow for flow in flows if flow.buy == path[-1].sell))
        closed = next((i for i, flow in enumerate(path[:-1]) if flow.sell == path[-1].sell), None)
        if closed is not None:
            return min(path[closed + 1 :], key=lambda flow: flow.amount_in * problem.prices[flow.sell])


def _named(problem: Problem) -> Infeasible:
    """Find the constraint without which the aim is reached, taking one after the other away."""
    for name, freed, said in _relaxed(problem):
        if _attempt(freed, 0) is not None:
            return Infeasible(name, said)
    lone = _unjoined(problem)
    if lone:
        return Infeasible("pools", f"no pool joins tokens {lone} with those they must be traded for; add one")
    return Infeasible("depth", "the pools cannot take or give as much as the aim needs; trade less")


def _relaxed(problem: Problem) -> Iterator[tuple[str, Problem, str]]:
    """Yield the problem with one constraint less each time, its name, and what to say when that helps."""
    freed = replace(problem, exchanges=[each._replace(gas=0.0) for each in problem.exchanges])
    if problem.smallest:
        freed = replace(freed, smallest=0.0)
        yield "smallest", freed, f"the aim needs trades below {problem.smallest:.2f}; lower it or widen the tolerance"
    if problem.turnover is not None:
        freed = replace(freed, turnover=None)
        yield "turnover", freed, f"the aim needs more than {problem.turnover:.2f} to be traded; go part of the way"
    if any(problem.floors):
        freed = replace(freed, floors=())
        yield "floors", freed, "the aim needs tokens sold that must stay; free them or aim at more of them"


def _unjoined(problem: Problem) -> list[int]:
    """Find the tokens of a group of joined tokens whose weights add up to something else than it holds."""
    group = list(range(len(problem.prices)))
    for each in problem.exchanges:
        old, new = group[each.token0], group[each.token1]
        group = [new if one == old else one for one in group]
    money = [held * price for held, price in zip(problem.holdings, problem.prices, strict=True)]
    off = problem.tolerance or [0.0] * len(money)
    for name in sorted(set(group)):
        members = [i for i, one in enumerate(group) if one == name]
        share = sum(money[i] for i in members) / sum(money)
        aim, slack = sum(problem.weights[i] for i in members), sum(off[i] for i in members)
        if len(members) < len(group) and abs(share - aim) > slack + _MISSED:
            return members
    return []
