"""Fees that liquidity earned, bar by bar: exact from the pool's fee growth, and estimated from its volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from bot.amm.loss.checked import Floats, Reals, at_least_0, not_negative
from bot.amm.v3 import fees_due
from bot.core.units import Raw


@dataclass(frozen=True, slots=True)
class FeeBounds:
    """One token's fees of each bar, smallest units. They agree where no bar crosses an end of the range."""

    least: tuple[Raw, ...]
    most: tuple[Raw, ...]

    @property
    def exact(self) -> bool:
        """Whether every bar lies on one side of each end."""
        return self.least == self.most


def fees_by_bar(liquidity: int, growth_inside: Sequence[int]) -> tuple[Raw, ...]:
    """Count one token's fees of each bar, smallest units, from the fee growth inside the range (X128).

    `growth_inside` stands at the T + 1 ends of T bars, as `v3.fee_growth_inside` gives it. What is rounded away in one
    bar counts in a later one, so that the sum is what the pool would pay. ValueError when there are fewer than two.
    Source: Position.update of v3-core.
    """
    if len(growth_inside) < 2:
        raise ValueError(f"loss: fee growth at two or more moments is needed, found {len(growth_inside)}")
    due = [fees_due(liquidity, growth, growth_inside[0], 0) for growth in growth_inside]
    return tuple(Raw(after - before) for before, after in pairwise(due))


def fees_in_range(
    liquidity: int, growth_global: Sequence[int], ticks: Sequence[tuple[int, int]], lower: int, upper: int
) -> FeeBounds:
    """Count one token's fees of each bar where only the whole pool's fee growth (X128) is known.

    `growth_global` stands at the T + 1 ends of T bars; `ticks` are the lowest and the highest of each bar. A bar inside
    [lower, upper) earns its growth, a bar outside nothing; one that crosses an end earns something between, and so the
    result is two bounds. ValueError when the lengths do not fit or the range is none.
    Source: Tick.getFeeGrowthInside of v3-core.
    """
    if len(growth_global) != len(ticks) + 1 or not ticks:
        raise ValueError(f"loss: {len(ticks)} bars need one more fee growth, found {len(growth_global)}")
    if lower >= upper:
        raise ValueError(f"loss: lower tick must be below upper, found [{lower}, {upper})")
    grown = [after - before for before, after in pairwise(growth_global)]
    surely = [g if lower <= low and high < upper else 0 for g, (low, high) in zip(grown, ticks, strict=True)]
    perhaps = [g if low < upper and lower <= high else 0 for g, (low, high) in zip(grown, ticks, strict=True)]
    least, most = (fees_by_bar(liquidity, tuple(accumulate(part, initial=0))) for part in (surely, perhaps))
    return FeeBounds(least, most)


def estimated_fees(volume: Reals, fee: float, liquidity: Reals, active: Reals, inside: Reals = 1.0) -> Floats:
    """Estimate a range's fees of each bar from the pool's volume, in the volume's unit.

    `volume` is what came in of one token, fees included; `fee` a fraction; `active` the pool's liquidity in range, the
    position's own in it (where it is 0 nothing is earned); `inside` the part of the bar in range. The arguments
    broadcast. ValueError when one is below 0 or not finite.
    Source: the fee of a step is shared by active liquidity, Uniswap v3 Core whitepaper (2021), section 6.3; that the
    liquidity of one moment stands for the whole bar is what makes it an estimate.
    """
    earned = not_negative("volume", volume) * fee * not_negative("part in range", inside)
    pool, own = not_negative("active liquidity", active), not_negative("liquidity", liquidity)
    share: Floats = np.zeros(np.broadcast_shapes(pool.shape, own.shape))
    np.divide(own, pool, out=share, where=pool > 0)
    return earned * share


def inside_share(low: Reals, high: Reals, lower: Reals, upper: Reals) -> Floats:
    """Estimate the part of each bar in a range: that of its ticks which lie in [lower, upper), in [0, 1].

    `low` and `high` are the lowest and the highest tick of each bar; the arguments broadcast. ValueError when a low is
    above its high.
    Source: a uniform stay between low and high, for want of anything better.
    """
    bottom, top = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if np.any(bottom > top):
        raise ValueError("loss: the lowest tick of a bar must not be above its highest")
    within = np.minimum(top + 1, upper) - np.maximum(bottom, lower)  # a tick is a stretch of prices, so count both ends
    return at_least_0(within) / (top + 1 - bottom)
