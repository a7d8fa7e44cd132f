"""Which pools to touch when each costs gas: local search, then branch and bound, with a bound on what is left.

At prices x a pool with gas G earns a plan at most max(0, arb(x) / m(x) - G), so what is held and these terms bound the
net of every choice of pools (Lagrangian bound). At the prices of a choice the same terms say which change can gain at
all: dropping a pool costs at least its term, adding one brings at most its term.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from bot.planning.optimal.dual import HIGH, LOW, Book, Point, Side, Toll, dot, evaluate, minimise, value

Pools = frozenset[int]
NONE: Pools = frozenset()
_WIDTHS = 1.0, 0.2, 0.04  # of the ramp on which a pool comes in, over the greatest gas: first easy, then tight
_NEARLY = 30  # times a gap that is small enough: one at which numbers, not the problem, end the search
_NEAR = 0.01  # of the portfolio: a token so near to its weight may be taken to be there


class Choice(NamedTuple):
    """Pools that are touched, the point reached with them, what the holdings are worth, and that less the gas."""

    pools: Pools
    point: Point
    worth: float
    net: float


@dataclass(slots=True)
class Search:
    """What a choice is judged by, and the best one so far."""

    book: Book
    gas: Sequence[float]  # money, of each pool; 0 where it is too little to count
    smallest: float  # money given to a pool that is touched
    enough: float  # money: differences below it do not count
    best: Choice | None = None
    roof: float = inf  # on what the holdings are worth after any plan
    ceiling: float = inf  # on the net of any choice
    tried: set[Pools] = field(default_factory=set)

    @property
    def net(self) -> float:
        """Net of the best so far."""
        return self.best.net if self.best else -inf

    @property
    def all(self) -> Pools:
        """Every pool there is."""
        return frozenset(range(len(self.gas)))


def choose(search: Search, nodes: int) -> Choice | None:
    """Find the best choice of pools, or None when the aim is out of reach; sets the search's `roof` and `ceiling`."""
    point = minimise(search.book, sorted(search.all), None, search.enough)
    if point is None or not _reached(search, point):
        return None
    search.roof = search.ceiling = point.bound
    if not any(search.gas) and not search.smallest:
        worth = value(search.book, point)
        return Choice(_touched(point), point, worth, worth)
    _thin(search, point)
    for pools in _simple(search):
        attempt(search, pools, point.prices)
    _improve(search)
    if search.best:
        _branch(search, point.prices, nodes)
    return search.best


def attempt(search: Search, pools: Pools, start: list[float]) -> bool:
    """Trade with these pools, less those given too little. Whether it is the best so far, which it then becomes."""
    while pools not in search.tried:
        search.tried.add(pools)
        cutoff = search.net + sum(search.gas[pool] for pool in pools)
        point = minimise(search.book, sorted(pools), start, search.enough, cutoff)
        if point is None or not _reached(search, point):
            return False
        given = {side.pool: amount_in * side.price_in for side, _, amount_in, _, _ in point.active}
        least = min(given, key=given.__getitem__, default=None)
        if least is not None and given[least] < search.smallest:
            pools -= {least}
            continue
        used, worth = _touched(point), value(search.book, point)
        net = worth - sum(search.gas[pool] for pool in used)
        if net <= search.net + search.enough:
            return False
        search.best = Choice(used, point, worth, net)
        return True
    return False


def _reached(search: Search, point: Point) -> bool:
    """Whether the aim is reached: the gap is closed, or nearly and no price fled to the edge of its box."""
    gap = point.bound - value(search.book, point)
    if gap <= search.enough:
        return True
    return gap <= _NEARLY * search.enough and max(point.prices) < HIGH and min(point.prices[:-1]) > LOW


def _touched(point: Point) -> Pools:
    return frozenset(side.pool for side, *_ in point.active)


def _terms(search: Search, prices: list[float]) -> tuple[float, list[float]]:
    """Give what is held at these prices, and of each pool what it earns less its gas."""
    book = search.book
    point = evaluate(book, [side for pool in book.sides for side in pool], prices)
    held = dot(prices, [*book.holdings, book.turnover or 0.0])
    terms = [-gas for gas in search.gas]
    for side, ratio, amount_in, amount_out, _ in point.active:
        gain = amount_out * side.price_out - ratio * amount_in * side.price_in
        terms[side.pool] += gain * prices[side.buy] / point.support
    return held / point.support, terms


# ------------------------------------------------------------------ local search


def _thin(search: Search, point: Point) -> None:
    """Let all pools go at once that do not earn their gas, and again while that gains."""
    pools, start = _touched(point), point.prices
    while attempt(search, pools, start) and search.best:
        start = search.best.point.prices
        _, terms = _terms(search, start)
        pools = frozenset(pool for pool in search.best.pools if terms[pool] > 0)


def _improve(search: Search) -> None:
    """Drop, add or exchange one pool at a time, the most promising first, while that gains."""
    while search.best:
        start = search.best.point.prices
        if not any(attempt(search, pools, start) for pools in _moves(search, search.best)):
            return


def _moves(search: Search, choice: Choice) -> list[Pools]:
    """List the changes that could gain at all, by what they could gain at most."""
    _, terms = _terms(search, choice.point.prices)
    drops = [(-terms[pool], frozenset({pool}), NONE) for pool in choice.pools]
    adds = [(terms[pool], NONE, frozenset({pool})) for pool in search.all - choice.pools]
    swaps = [(drop + add, out, new) for drop, out, _ in drops for add, _, new in adds]
    moves = sorted(drops + adds + swaps, key=lambda move: -move[0])
    return [choice.pools - out | new for most, out, new in moves if most > search.enough]


def _simple(search: Search) -> Iterator[Pools]:
    """Yield the plain plans that no answer may be worse than: nothing, one pool, one path for each order."""
    book = search.book
    total = sum(book.holdings)
    over = [max(0.0, held - most * total) for held, most in zip(book.holdings, book.most, strict=True)]
    under = [max(0.0, least * total - held) for held, least in zip(book.holdings, book.least, strict=True)]
    off = {i for i, (more, less) in enumerate(zip(over, under, strict=True)) if more + less > _NEAR * total}
    yield NONE
    for pool, sides in enumerate(book.sides):
        if any(off <= {side.sell, side.buy} for side in sides):
            yield frozenset({pool})
    yield _paths(search, over, under)


def _paths(search: Search, over: list[float], under: list[float]) -> Pools:
    """Match what is over with what is under, largest first, and give each order the path that nets most."""
    pools: set[int] = set()
    for _ in range(len(over) + len(under)):
        sell, buy = (max(range(len(each)), key=each.__getitem__) for each in (over, under))
        size = min(over[sell], under[buy])
        if size <= 0:
            break
        over[sell] -= size
        under[buy] -= size
        pools.update(max(_routes(search, sell, buy, size), default=(0.0, ()))[1])
    return frozenset(pools)


def _routes(search: Search, sell: int, buy: int, size: float) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yield each direct pool and each pair of pools, with what it nets for the order."""
    sides = [side for pool in search.book.sides for side in pool]
    for first in sides:
        if first.sell != sell:
            continue
        got = _given_out(first, size)
        if first.buy == buy:
            yield got - search.gas[first.pool], (first.pool,)
            continue
        for second in sides:
            if (second.sell, second.buy) == (first.buy, buy):
                pair = first.pool, second.pool
                yield _given_out(second, got) - sum(search.gas[pool] for pool in pair), pair


def _given_out(side: Side, money: float) -> float:
    return side.out(money / side.price_in) * side.price_out


# ------------------------------------------------------------------ branch and bound


class _Node(NamedTuple):
    """Choices that have some pools in and some out."""

    bound: float
    inside: Pools
    outside: Pools
    prices: list[float]  # that give the bound


def _branch(search: Search, start: list[float], nodes: int) -> None:
    """Look where a better choice may still hide, the greatest bound first."""
    hidden = [_bound(search, NONE, NONE, start)]
    for _ in range(nodes):
        hidden = [node for node in hidden if node.bound > search.net + search.enough]
        if not hidden:
            break
        node = max(hidden, key=lambda each: each.bound)
        hidden.remove(node)
        _, terms = _terms(search, node.prices)
        unsure = search.all - node.inside - node.outside
        attempt(search, node.inside | {pool for pool in unsure if terms[pool] > 0}, node.prices)
        if unsure:  # else it is decided, and was tried
            pool = min(unsure, key=lambda each: abs(terms[each]))
            hidden.append(_bound(search, node.inside | {pool}, node.outside, node.prices))
            hidden.append(_bound(search, node.inside, node.outside | {pool}, node.prices))
    most = max((node.bound for node in hidden), default=-inf)
    search.ceiling = min(search.ceiling, max(most, search.net + search.enough))


def _bound(search: Search, inside: Pools, outside: Pools, prices: list[float]) -> _Node:
    """Bound the net of every choice with these pools in and those out, by the prices that do it best."""
    allowed = sorted(search.all - outside)
    gas = [0.0 if pool in inside else each for pool, each in enumerate(search.gas)]
    cutoff = search.net + sum(search.gas[pool] for pool in inside)
    node = _Node(_lagrangian(search, inside, outside, prices), inside, outside, prices)
    for width in _WIDTHS:
        toll = Toll(gas, width * max(search.gas))
        point = minimise(search.book, allowed, node.prices, search.enough, cutoff, toll)
        if point is None:
            return node._replace(bound=-inf)
        bound = _lagrangian(search, inside, outside, point.prices)
        if bound < node.bound:
            node = node._replace(bound=bound, prices=point.prices)
    return node


def _lagrangian(search: Search, inside: Pools, outside: Pools, prices: list[float]) -> float:
    held, terms = _terms(search, prices)
    return held + sum(
        term if pool in inside else max(term, 0.0) for pool, term in enumerate(terms) if pool not in outside
    )
