"""The convex part: best net trades with given pools, by Newton's method on the prices of the dual problem.

All amounts are in money at oracle prices. With y the holdings after the trades and C the weights in tolerance,

    primal   max s         over trades with s w <= y for some w in C
    dual     min g(x) / m(x) over prices x > 0,  g = x.holdings + the arbitrage of each pool at x,  m = min of x.w in C

and any x bounds any s (weak duality). A token whose weight ends inside its tolerance is worth just its oracle price,
so m is 1 + sum of c (x - 1) with c the least weight where x > 1 and the greatest where x < 1: kinks, but one for each
token and at a known place. A cap on turnover is one more price: it is paid on top of each unit given to a pool.
Prices are kept in a box; one that ends at the box's edge means that the token cannot reach its weight.
Sources: Angeris, Evans, Chitra, Boyd, arXiv:2204.05238; Diamandis, Resnick, Chitra, Angeris, arXiv:2302.04938.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from operator import mul, truediv
from typing import NamedTuple

from bot.planning.optimal.curves import Trade

LOW, HIGH = 0.01, 100.0  # box of prices: nothing is worth selling at a hundredth of what it is worth
_STEPS = 120
_CUTS = 25  # of one step, by the secant of its slope
_LONGEST = 0.5  # change of a price in one step, in proportion (of turnover: to its price and 1)
_LITTLE = 1e-3  # of what is enough: what is left to balance, or with a toll to gain, that is not worth a step
_ENOUGH = 1e-4  # of the decrease that a step promises
_RIDGE = 1e-11  # of a token's stiffness, so that the matrix has an inverse


class Side(NamedTuple):
    """One direction of a pool, between tokens by index."""

    pool: int
    sell: int
    buy: int
    start: float  # dual price of what is sold over that of what is bought, below which it pays
    at: Callable[[float], Trade]
    out: Callable[[float], float]
    scale: float  # from such a ratio to the curve's price in raw units
    price_in: float
    price_out: float


# A side that trades at the prices of a point: itself, ratio of the prices, raw in, raw out, response in money.
Active = tuple[Side, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Book:
    """A problem in money. `least` and `most` are weights, equal where there is no tolerance."""

    holdings: list[float]
    least: list[float]
    most: list[float]
    sides: list[tuple[Side, ...]]  # of each pool: its directions
    stiffness: list[float]  # of each token: how its pools respond to its price where they begin to trade
    order: list[int]  # tokens, those with few pools first: eliminated so, the matrix hardly fills
    turnover: float | None


class Toll(NamedTuple):
    """What touching a pool costs: it comes in as it earns from `width` less than its gas to `width` more.

    The ramp keeps the bound smooth, and a bound: it is never below max(0, what the pool earns less its gas).
    """

    gas: Sequence[float]  # money, of each pool
    width: float  # money


class Point(NamedTuple):
    """Prices, and what everybody does at them."""

    prices: list[float]  # of the tokens, then of turnover
    holdings: list[float]  # after all trades, then what is left of the turnover
    active: list[Active]
    support: float  # m
    bound: float  # g / m
    rate: float  # money that comes in for a unit of m; the bound, unless there is a toll


def dot(left: Iterable[float], right: Iterable[float]) -> float:
    """Sum of products; the shorter one says how many."""
    return float(sum(map(mul, left, right)))


def evaluate(book: Book, sides: Sequence[Side], prices: list[float], toll: Toll | None = None) -> Point:
    """Let every side trade until its marginal price is that of the prices."""
    tax = prices[-1]
    support = 1.0
    for price, least, most in zip(prices, book.least, book.most, strict=False):
        support += (least if price > 1.0 else most) * (price - 1.0)
    holdings = [*book.holdings, book.turnover or 0.0]
    active: list[Active] = []
    earned = tolls = 0.0
    for side in sides:
        pool, sell, buy, start, at, _, scale, price_in, price_out = side
        ratio = (prices[sell] + tax) / prices[buy]
        if ratio < start:
            amount_in, amount_out, response = at(ratio * scale)
            given, got, response = amount_in * price_in, amount_out * price_out, response * price_out
            if toll:
                gas, width = toll.gas[pool], toll.width
                gain = (got - ratio * given) * prices[buy]
                part = min((gain / support - gas + width) / (2 * width), 1.0) if gas else 1.0
                if part <= 0:
                    continue
                if part < 1:
                    response = part * response + got * got * prices[buy] / (2 * width * support)
                    earned += part * part * width * support - part * gain
                    tolls += part * (gas - width * (1 - part))
                    given, got = part * given, part * got
                else:
                    earned -= gas * support
                    tolls += gas
            holdings[sell] -= given
            holdings[-1] -= given
            holdings[buy] += got
            active.append((side, ratio, amount_in, amount_out, response))
    bound = (dot(prices, holdings) + earned) / support
    return Point(prices, holdings, active, support, bound, bound + tolls)


def value(book: Book, point: Point) -> float:
    """Give the primal value of a point.

    Where its trades exceed the turnover they are cut in proportion, and count as if what they bring were cut likewise:
    curves are concave, so they bring no less.
    """
    holdings = point.holdings[:-1]
    if book.turnover is not None and point.holdings[-1] < 0:
        part = book.turnover / (book.turnover - point.holdings[-1])
        holdings = [held + part * (now - held) for held, now in zip(book.holdings, holdings, strict=True)]
    return fits(book, holdings)


def fits(book: Book, holdings: Sequence[float]) -> float:
    """Give the largest s for which weights in tolerance, times s, fit into the holdings.

    What is short of nothing, by rounding, counts as bought at the dearest price there is.
    """
    short = sum(now for now in holdings if now < 0)
    if short:
        return fits(book, [max(now, 0.0) for now in holdings]) + HIGH * short
    worth = min([sum(holdings), *(now / least for now, least in zip(holdings, book.least, strict=True) if least)])
    while book.least != book.most:  # each round finds one more token of which only `most` counts
        over = [i for i, now in enumerate(holdings) if now > book.most[i] * worth]
        rest = 1.0 - sum(book.most[i] for i in over)
        if rest <= 0:
            return worth
        less = sum(now for i, now in enumerate(holdings) if i not in over) / rest
        if less >= worth * (1 - 1e-15):
            return worth
        worth = less
    return worth


def minimise(
    book: Book,
    pools: Sequence[int],
    start: list[float] | None,
    enough: float,
    cutoff: float = -inf,
    toll: Toll | None = None,
) -> Point | None:
    """Find the prices of least bound, trading with these pools only; None as soon as the bound falls to `cutoff`.

    Ends when bound and value are `enough` money apart, or no step helps: `value` then says how good the point is. At
    its kink or the edge of its box a price moves only where that helps; the others take Newton's step, of a matrix with
    part of each token's stiffness added while that does not yet go well.
    """
    sides = [side for pool in pools for side in book.sides[pool]]
    point = evaluate(book, sides, start or [*([1.0] * len(book.holdings)), 0.0], toll)
    damping = 1.0
    for _ in range(_STEPS):
        if point.bound <= cutoff:
            return None
        if not toll and point.bound - value(book, point) <= enough:
            break
        pull = _pull(book, point)
        step = _direction(book, point, pull, damping)
        sizes = [*point.prices[:-1], 1.0 + point.prices[-1]]
        if _LITTLE * enough * point.support >= (dot(step, pull) if toll else dot(map(abs, pull), sizes)):
            break
        longest = max(map(abs, map(truediv, step, sizes)))
        if longest > _LONGEST:
            step = [each * (_LONGEST / longest) for each in step]
        after, part = _search(book, sides, point, pull, step, toll)
        if after is None:
            break
        if part == 1.0 and longest <= _LONGEST:
            damping *= 0.03
        elif part < 0.3:
            damping = min(1.0, damping * 4)
        point = after
    return point


def _pull(book: Book, point: Point) -> list[float]:
    """Give minus the derivative of g - rate * m by each price, 0 where the price cannot move that way or rests."""
    rate, pull = point.rate, []
    for price, held, least, most in zip(point.prices, point.holdings, book.least, book.most, strict=False):
        if price > 1.0 or (price == 1.0 and held < rate * least):
            force = rate * least - held
        elif price < 1.0 or held > rate * most:
            force = rate * most - held
        else:
            force = 0.0
        pull.append(0.0 if (price <= LOW and force < 0) or (price >= HIGH and force > 0) else force)
    tax, unused = point.prices[-1], point.holdings[-1]
    rests = book.turnover is None or (tax <= 0 and unused > 0) or (tax >= HIGH and unused < 0)
    return [*pull, 0.0 if rests else -unused]


def _direction(book: Book, point: Point, pull: list[float], damping: float) -> list[float]:
    """Give the damped Newton step of the prices that are pulled; one at its kink never goes against its pull."""
    free = [i for i in book.order if pull[i] or not _at_kink(book, i, point.prices[i])]
    while True:
        step = _solve(_matrix(book, point, damping), pull, free)
        wrong = [i for i in free if step[i] * pull[i] < 0 and _at_kink(book, i, point.prices[i])]
        if not wrong:
            return step
        free = [i for i in free if i not in wrong]


def _at_kink(book: Book, i: int, price: float) -> bool:
    if i == len(book.least):
        return price <= 0 or price >= HIGH
    return (price == 1.0 and book.least[i] < book.most[i]) or price <= LOW or price >= HIGH


def _matrix(book: Book, point: Point, damping: float) -> list[list[float]]:
    """Give the second derivatives of g, with part of each token's stiffness on the diagonal."""
    size = len(point.prices)
    matrix = [[0.0] * size for _ in range(size)]
    for (_, sell, buy, *_), ratio, _, _, response in point.active:
        own = response / point.prices[buy]
        cross = own / ratio
        square = cross / ratio
        matrix[buy][buy] += own
        matrix[sell][sell] += square
        matrix[sell][buy] -= cross
        matrix[buy][sell] -= cross
        if book.turnover is not None:
            matrix[-1][-1] += square
            matrix[sell][-1] += square
            matrix[-1][sell] += square
            matrix[buy][-1] -= cross
            matrix[-1][buy] -= cross
    for i, stiffness in enumerate(book.stiffness):
        matrix[i][i] += (damping + _RIDGE) * stiffness
    return matrix


def _solve(matrix: list[list[float]], right: Sequence[float], order: Sequence[int]) -> list[float]:
    """Solve a symmetric positive definite system for the unknowns in `order`, the others being 0.

    Sparse elimination: at a dozen tokens it takes less time than handing the numbers to a library.
    """
    rows = {i: {j: matrix[i][j] for j in order if matrix[i][j]} for i in order}
    left = list(right)
    pivots = []
    for i in order:
        row = rows[i]
        pivot = row.pop(i)
        for j, each in row.items():
            factor, other = each / pivot, rows[j]
            del other[i]
            for k, value in row.items():
                other[k] = other.get(k, 0.0) - factor * value
            left[j] -= factor * left[i]
        pivots.append((i, pivot, row))
    found = [0.0] * len(left)
    for i, pivot, row in reversed(pivots):
        found[i] = (left[i] - sum(value * found[j] for j, value in row.items())) / pivot
    return found


def _search(
    book: Book, sides: Sequence[Side], point: Point, pull: list[float], step: list[float], toll: Toll | None
) -> tuple[Point | None, float]:
    """Go along the step, stopping at kinks, until the bound falls enough; the point, and the part of the step."""
    part = 1.0
    for _ in range(_CUTS):
        prices = [
            _moved(book, i, old, part * move) for i, (old, move) in enumerate(zip(point.prices, step, strict=True))
        ]
        went = [new - old for new, old in zip(prices, point.prices, strict=True)]
        after = evaluate(book, sides, prices, toll)
        promised = dot(went, pull)
        # The bound is quasi-convex: where it still falls at the end of the step, it fell all the way.
        slope = dot(went, _slope(book, after))
        if promised > 0 and (slope >= 0 or after.bound <= point.bound - _ENOUGH * promised / after.support):
            return after, part
        part *= max(0.1, min(0.9, promised / (promised - slope))) if promised > 0 else 0.5
    return None, part


def _slope(book: Book, point: Point) -> list[float]:
    """Give one subgradient of bound * m - g by each price."""
    slope = [
        point.rate * (least if price > 1.0 else most) - held
        for price, held, least, most in zip(point.prices, point.holdings, book.least, book.most, strict=False)
    ]
    return [*slope, -point.holdings[-1] if book.turnover is not None else 0.0]


def _moved(book: Book, i: int, price: float, move: float) -> float:
    """Give the price after a move that ends at a kink or at the box."""
    after = price + move
    if i == len(book.least):
        return min(max(after, 0.0), HIGH)
    if book.least[i] < book.most[i] and (price - 1.0) * (after - 1.0) < 0:
        return 1.0
    return min(max(after, LOW), HIGH)
