"""The same optimum found another way: the primal problem itself, by scipy's SLSQP, from reserves and fees."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tests.unit.planning.optimal.build import Market

Array = NDArray[np.float64]
SCALE = 0.01  # of the portfolio: unit of the trades, so that all unknowns are about 1


@dataclass(frozen=True)
class Piece:
    """Part of a pool in one direction: takes up to `most`, as a constant product with these reserves. In money."""

    sell: int
    buy: int
    reserve_in: float
    reserve_out: float
    kept: float
    most: float = np.inf


def pieces_of(market: Market) -> list[Piece]:
    found = []
    for pair in market.pairs:
        money_a, money_b = pair.reserve_a * market.prices[pair.a], pair.reserve_b * market.prices[pair.b]
        kept = 1 - pair.fee / 1e6
        found += [Piece(pair.a, pair.b, money_a, money_b, kept), Piece(pair.b, pair.a, money_b, money_a, kept)]
    return found


def best_value(
    held: list[float],
    weights: list[float],
    pieces: list[Piece],
    tolerance: list[float] | None = None,
    floors: list[float] | None = None,
    turnover: float = np.inf,
) -> float:
    """The greatest final value on aim; everything in money. AssertionError when scipy finds no feasible point."""
    total, count, size = sum(held), len(held), len(pieces)
    start = np.array(held) / total
    off = np.array(tolerance or [0.0] * count)
    low, high = np.maximum(np.array(weights) - off, 0), np.minimum(np.array(weights) + off, 1)
    floor = np.array(floors or [0.0] * count) / total
    sell, buy = (np.array([getattr(each, name) for each in pieces]) for name in ("sell", "buy"))
    reserve_in, reserve_out = (np.array([getattr(p, n) for p in pieces]) / total for n in ("reserve_in", "reserve_out"))
    kept, each = np.array([piece.kept for piece in pieces]), np.arange(size)

    def after(unknown: Array) -> Array:
        given = unknown[:size] * SCALE
        found = start.copy()
        np.add.at(found, sell, -given)
        np.add.at(found, buy, reserve_out * kept * given / (reserve_in + kept * given))
        return found

    def slope(unknown: Array) -> Array:
        given = unknown[:size] * SCALE
        found = np.zeros((count, size + count + 1))
        found[sell, each] -= SCALE
        found[buy, each] += SCALE * reserve_out * kept * reserve_in / (reserve_in + kept * given) ** 2
        return found

    parts = np.hstack([np.zeros((count, size)), np.eye(count), np.zeros((count, 1))])  # of the value, by token
    worth = np.eye(1, size + count + 1, size + count)
    spent = np.hstack([np.full(size, SCALE), np.zeros(count + 1)])[None]
    rows = np.vstack([parts - low[:, None] * worth, high[:, None] * worth - parts])
    constraints = [
        {"type": "ineq", "fun": lambda x: after(x) - parts @ x, "jac": lambda x: slope(x) - parts},
        {"type": "ineq", "fun": lambda x: rows @ x, "jac": lambda x: rows},
        {"type": "ineq", "fun": lambda x: after(x) - floor, "jac": slope},
        {"type": "eq", "fun": lambda x: (parts.sum(0) - worth[0]) @ x, "jac": lambda x: parts.sum(0) - worth[0]},
    ]
    if np.isfinite(turnover):
        constraints.append({"type": "ineq", "fun": lambda x: turnover / total - spent @ x, "jac": lambda x: -spent})
    most = [(0, piece.most / total / SCALE if np.isfinite(piece.most) else None) for piece in pieces]
    found = minimize(
        lambda x: -x[-1],
        np.concatenate([np.zeros(size), 0.9 * np.array(weights), [0.9]]),
        jac=lambda x: -worth[0],
        bounds=[*most, *[(0, None)] * count, (0, 2)],
        constraints=constraints,
        method="SLSQP",
        options={"maxiter": 1_000, "ftol": 1e-14},
    )
    missed = [float(np.min(c["fun"](found.x))) if c["type"] == "ineq" else -abs(c["fun"](found.x)) for c in constraints]
    assert min(missed) > -1e-9, f"scipy found nothing feasible: {missed}"
    return float(found.x[-1]) * total
