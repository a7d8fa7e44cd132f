"""What is asked of the optimiser, what it answers, and what it says when no answer exists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from bot.core.errors import DataError
from bot.core.types import Pool, Token
from bot.planning.optimal.curves import Curve, of_pool

_WEIGHTS_OFF = 1e-9  # of their sum, which is what rounding may do


class Infeasible(DataError):
    """No trades bring the holdings to the aim. `constraint` is what has to give way:

    "smallest", "turnover" or "floors", without which there are such trades (a later one: without those before as well);
    "pools": none joins what is over its weight with what is under it; "depth": those that do cannot trade so much.
    """

    def __init__(self, constraint: str, said: str) -> None:
        super().__init__(f"optimal: {constraint}: {said}")
        self.constraint = constraint


class Exchange(NamedTuple):
    """A pool between two tokens, given by their indices, with a curve for each direction."""

    key: str
    token0: int
    token1: int
    sell0: Curve
    sell1: Curve
    gas: float = 0.0  # money for touching it with one swap


@dataclass(frozen=True, slots=True)
class Problem:
    """Bring holdings to weights at the least cost. Sequences run over tokens; money is in floats here.

    ValueError when lengths differ, a price is not above 0, or the weights do not sum to 1.
    """

    prices: Sequence[float]  # money for one raw unit, by the oracle
    holdings: Sequence[float]  # raw, everything that counts for the weights
    weights: Sequence[float]  # aims, sum 1
    exchanges: Sequence[Exchange]
    tolerance: Sequence[float] = ()  # a final weight may be so far from its aim; empty: exactly there
    floors: Sequence[float] = ()  # raw, least final holdings (what must not be sold); empty: none
    turnover: float | None = None  # most money that may be given to pools, at oracle prices
    smallest: float = 0.0  # money; a pool is given at least so much, or nothing

    def __post_init__(self) -> None:
        count = len(self.prices)
        for name in ("holdings", "weights", "tolerance", "floors"):
            found = len(getattr(self, name))
            if found != count and (found or name in ("holdings", "weights")):
                raise ValueError(f"optimal: expected {count} {name}, one for each price, found {found}")
        for name, least in (("holdings", 0), ("weights", 0), ("tolerance", 0), ("floors", 0)):
            if not all(isfinite(each) and each >= least for each in getattr(self, name)):
                raise ValueError(f"optimal: {name} must be at least 0 and finite, found {list(getattr(self, name))}")
        if not all(0 < price < float("inf") for price in self.prices):
            raise ValueError(f"optimal: prices must be above 0 and finite, found {list(self.prices)}")
        if abs(sum(self.weights) - 1) > _WEIGHTS_OFF:
            raise ValueError(f"optimal: weights must sum to 1, found {sum(self.weights)}")
        if not any(self.holdings):
            raise ValueError("optimal: nothing is held; there is nothing to bring to the weights")


def exchanges(tokens: Sequence[Token], pools: Iterable[Pool], gas: float = 0.0) -> tuple[Exchange, ...]:
    """Give the pools that join two of these tokens and have a price; each swap costs `gas` money."""
    index = {token: i for i, token in enumerate(tokens)}
    found = []
    for pool in pools:
        if pool.token0 in index and pool.token1 in index and _priced(pool):
            found.append(Exchange(pool.address, index[pool.token0], index[pool.token1], *of_pool(pool), gas))
    return tuple(found)


def _priced(pool: Pool) -> bool:
    return bool(pool.sqrt_price_x96) if pool.kind == "v3" else min(pool.reserve0, pool.reserve1) > 0


class Flow(NamedTuple):
    """The net trade with one pool: `exchange` is its index in the problem."""

    exchange: int
    key: str
    sell: int
    buy: int
    amount_in: float  # raw
    amount_out: float  # raw, what the curve gives


@dataclass(frozen=True, slots=True)
class Solution:
    """Net trades, and what certifies them. Everything but raw amounts is in money.

    No plan over the same pools is worth more than `bound`, and no plan at all nets more than `ceiling`: both follow
    from weak duality at `prices`, whatever the solver did.
    """

    flows: tuple[Flow, ...]
    holdings: tuple[float, ...]  # raw, final
    value: float  # of the final holdings that are on aim, at oracle prices
    gas: float
    bound: float  # on `value`, for these pools
    ceiling: float  # on `net`, for any choice of pools
    notional: float  # half of what changes hands
    prices: tuple[float, ...]  # dual prices over oracle prices: what one unit of money of a token is worth here

    @property
    def net(self) -> float:
        """Final value less gas."""
        return self.value - self.gas

    @property
    def gap(self) -> float:
        """What a better solver could still gain over the same pools."""
        return max(self.bound - self.value, 0.0)

    @property
    def gap_bps(self) -> float:
        """Gap in bps of the traded notional; 0 when nothing is traded."""
        return self.gap / self.notional * 1e4 if self.notional else 0.0

    @property
    def gap_portfolio_bps(self) -> float:
        """Gap in bps of the final value."""
        return self.gap / self.value * 1e4

    @property
    def left(self) -> float:
        """What any other choice of pools could at most still gain, gas paid."""
        return max(self.ceiling - self.net, 0.0)
