"""One direction of a pool in floats: the trade that brings its marginal price down to a given one."""

from bisect import bisect_right
from itertools import accumulate
from math import log, sqrt
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.core.types import Pool, V2Pool, V3Pool

Trade = tuple[float, float, float]  # raw in, with the fee; raw out; response: -d out / d log(marginal price)

_ONE_PIPS = 1_000_000
_HALF_LOG_BASE = log(1.0001) / 2  # of the square-root price that one tick is
_tick_of = itemgetter(0)


class Curve(Protocol):
    """What comes out of one direction of a pool for what goes in: strictly concave and smooth, in raw units.

    Whatever can say these three things may be planned with (a weighted or a StableSwap pool too). Both directions of a
    pool must not pay at the same prices, which holds wherever the fee is 0 or more.
    """

    @property
    def start(self) -> float:
        """Marginal price of the first unit: out per in, after the fee."""

    def at(self, price: float) -> Trade:
        """Give the trade after which the marginal price is `price` (at most `start`), or all there is."""

    def out(self, amount_in: float) -> float:
        """Give what `amount_in` brings."""


class Product(NamedTuple):
    """A constant product: one piece of liquidity without end. With s the root of the price before the fee, liquidity L
    takes L (1/s - 1/s0) after the fee and gives L (s0 - s).
    """

    kept: float  # 1 - fee
    root: float  # 1/s0
    liquidity: float

    @property
    def start(self) -> float:
        """Marginal price of the first unit."""
        return self.kept / (self.root * self.root)

    def at(self, price: float) -> Trade:
        """Give the trade after which the marginal price is `price`."""
        kept, first, liquidity = self
        root = sqrt(kept / price)
        taken = liquidity * (root - first)
        return taken / kept, taken / (root * first), liquidity / (2 * root)

    def out(self, amount_in: float) -> float:
        """Give what `amount_in` brings."""
        taken = amount_in * self.kept
        return taken / (self.root * (self.root + taken / self.liquidity))


class Pieces(NamedTuple):
    """Pieces of constant liquidity, as between the ticks of Uniswap V3; each is a `Product` that ends.

    Sums over whole pieces are kept, so a trade of any size is one bisection and part of one piece.
    Source: Uniswap v3 Core whitepaper (2021), section 6.2; Diamandis et al., arXiv:2302.04938, section 4.
    """

    kept: float  # 1 - fee
    roots: tuple[float, ...]  # 1/s where a piece begins, ascending
    liquidity: tuple[float, ...]  # of each piece; 0 in a gap and after the last
    ins: tuple[float, ...]  # after the fee, of the pieces before
    outs: tuple[float, ...]

    @property
    def start(self) -> float:
        """Marginal price of the first unit; where the pool has no liquidity at its price, of the first it has."""
        return self.kept / self.roots[bisect_right(self.ins, 0.0) - 1] ** 2

    def at(self, price: float) -> Trade:
        """Give the trade after which the marginal price is `price`."""
        kept, roots, _, ins, outs = self
        root = sqrt(kept / price)
        piece = max(bisect_right(roots, root) - 1, 0)
        first, liquidity = roots[piece], self.liquidity[piece]
        taken = liquidity * (root - first)
        return (ins[piece] + taken) / kept, outs[piece] + taken / (root * first), liquidity / (2 * root)

    def out(self, amount_in: float) -> float:
        """Give what `amount_in` brings."""
        taken = amount_in * self.kept
        piece = bisect_right(self.ins, taken) - 1
        first, liquidity = self.roots[piece], self.liquidity[piece]
        if not liquidity:
            return self.outs[piece]
        taken -= self.ins[piece]
        return self.outs[piece] + taken / (first * (first + taken / liquidity))


def of_pool(pool: Pool) -> tuple[Curve, Curve]:
    """Give a pool's two directions: token0 in, token1 in. ValueError when it has no price yet."""
    if isinstance(pool, V2Pool):
        reserve0, reserve1 = pool.reserve0, pool.reserve1
        return constant_product(reserve0, reserve1, pool.fee), constant_product(reserve1, reserve0, pool.fee)
    return concentrated(pool, True), concentrated(pool, False)


def constant_product(reserve_in: float, reserve_out: float, fee: int) -> Product:
    """Give one direction of a Uniswap V2 pair; `fee` in pips. ValueError when a reserve is not above 0."""
    if min(reserve_in, reserve_out) <= 0:
        raise ValueError(f"curve: reserves must be above 0, found {reserve_in} and {reserve_out}")
    return Product(1 - fee / _ONE_PIPS, sqrt(reserve_in / reserve_out), sqrt(reserve_in) * sqrt(reserve_out))


def concentrated(pool: V3Pool, zero_for_one: bool) -> Pieces:
    """Give one direction of a Uniswap V3 pool, up to the end of its observed ticks. ValueError without a price."""
    if not pool.sqrt_price_x96:
        raise ValueError(f"curve: pool {pool.address} has no price yet; add liquidity first")
    root = pool.sqrt_price_x96 / 2**96
    above = bisect_right(pool.ticks, pool.tick, key=_tick_of)
    crossed = pool.ticks[:above][::-1] if zero_for_one else pool.ticks[above:]
    sign = -1 if zero_for_one else 1
    liquidity = [*accumulate((sign * net for _, net in crossed), initial=pool.liquidity), 0]
    ends = [tick for tick, _ in crossed]
    ends.append(pool.seen_lower if zero_for_one else pool.seen_upper)
    roots = np.exp(sign * _HALF_LOG_BASE * np.array(ends, dtype=np.float64))
    return _pieces(pool.fee, 1 / root if zero_for_one else root, roots, np.array(liquidity, dtype=np.float64))


def _pieces(fee: int, root: float, ends: NDArray[np.float64], liquidity: NDArray[np.float64]) -> Pieces:
    """Sum the pieces up. Ends are clamped to the price: a tick at it may round to the wrong side."""
    roots = np.concatenate(([root], np.maximum(ends, root)))
    ins = liquidity[:-1] * np.diff(roots)
    outs = ins / (roots[1:] * roots[:-1])
    sums = ((0.0, *np.cumsum(each).tolist()) for each in (ins, outs))
    return Pieces(1 - fee / _ONE_PIPS, tuple(roots.tolist()), tuple(liquidity.tolist()), *sums)
