"""A price that moves by geometric Brownian motion: its powers, cut to a range, and means over its time.

With Z standard normal, S_t = p exp((mu - sigma^2 / 2) t + sigma sqrt(t) Z). Weighting by S^k moves the mean of log S by
k sigma^2 t (a change of measure), so for any power k

    E[S_t^k; a < S_t < b] = p^k exp(k mu t + k (k - 1) sigma^2 t / 2) (Phi(d(a)) - Phi(d(b))),
    d(x) = (log(p / x) + (mu + (k - 1/2) sigma^2) t) / (sigma sqrt(t)).

k = 0 is the chance to stand between a and b; k = 1/2 and 1 are all that a Uniswap V3 position adds to it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bot.amm.loss.checked import Floats, Reals, at_least_0, positive

_PANELS = 24  # of the square root of time, each half as long as the next, so that any boundary layer is resolved
_NODES = 16  # Gauss-Legendre, in each panel
_FARTHEST = 10.0  # standard deviations; beyond lies 1e-23 of a normal
_PIECES = 8  # between two kinks of a function of the end price
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(_NODES)  # type: ignore[no-untyped-call]
_UNIT_POINTS, _UNIT_WEIGHTS = (_POINTS + 1) / 2, _WEIGHTS / 2  # on [0, 1]
_COMPOSITE = ((np.arange(_PIECES)[:, None] + _UNIT_POINTS) / _PIECES).ravel()  # the same, piece by piece
_COMPOSITE_WEIGHTS = np.tile(_UNIT_WEIGHTS / _PIECES, _PIECES)
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True, slots=True)
class Motion:
    """Geometric Brownian motion dS = mu S dt + sigma S dW. ValueError unless sigma > 0 and both are finite."""

    drift: float  # mu, per day: the expected price grows by exp(mu) a day
    volatility: float  # sigma, of the log price, per square-root day

    def __post_init__(self) -> None:
        positive("volatility", self.volatility)
        if not math.isfinite(self.drift):
            raise ValueError(f"loss: drift must be finite, found {self.drift}")


def partial_moment(motion: Motion, price: Reals, power: float, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give E[S^power; lower < S < upper] of the price after some days.

    `price` is today's, in the unit of the ends, which are at least 0 and may be inf; the arguments broadcast.
    ValueError when price or days are not above 0.
    Source: the formula above; Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions" 1 (1994), ch. 14.
    """
    at, time = positive("prices", price), positive("days", days)
    variance = motion.volatility**2 * time
    whole: Floats = at**power * np.exp(power * motion.drift * time + power * (power - 1) * variance / 2)
    shift = motion.drift * time + (power - 0.5) * variance

    def depth(end: Reals) -> Floats:
        with np.errstate(divide="ignore"):  # an end at 0 or inf lies infinitely far
            far: Floats = (np.log(at) - np.log(np.asarray(end, dtype=np.float64)) + shift) / np.sqrt(variance)
        return far

    return whole * _between(depth(upper), depth(lower))


def expectation(
    motion: Motion, price: Reals, days: Reals, function: Callable[[Floats], Floats], kinks: tuple[Reals, ...] = ()
) -> Floats:
    """Give E[function(S)] of the price after some days, by Gauss-Legendre quadrature between the kinks.

    `function` maps an array of prices elementwise and is smooth but at the `kinks` (prices, at least 0, may be inf);
    `price`, `days` and kinks broadcast. About ten digits. ValueError when price or days are not above 0.
    Source: Davis and Rabinowitz, "Methods of Numerical Integration" (1984), section 2.7.
    """
    at, time = positive("prices", price), positive("days", days)
    deviation = motion.volatility * np.sqrt(time)
    middle = np.log(at) + (motion.drift - motion.volatility**2 / 2) * time
    with np.errstate(divide="ignore"):
        cuts = [(np.log(np.asarray(kink, dtype=np.float64)) - middle) / deviation for kink in kinks]
    inner = [np.clip(cut, -_FARTHEST, _FARTHEST) for cut in cuts]
    *ends, _ = np.broadcast_arrays(-_FARTHEST, *inner, _FARTHEST, middle)
    edges = np.sort(np.stack(ends), axis=0)
    length = np.diff(edges, axis=0)
    z = edges[:-1] + _COMPOSITE.reshape((-1,) + (1,) * edges.ndim) * length
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    values = density * function(np.exp(middle + deviation * z)) * length
    return np.asarray(np.tensordot(_COMPOSITE_WEIGHTS, values, axes=1).sum(axis=0))


def over_time(days: Reals, function: Callable[[Floats], Floats]) -> Floats:
    """Integrate a function of time (days) from 0 to `days`.

    `function` takes times with a leading axis of nodes and keeps it. Nodes crowd towards 0, where the chance to be in a
    range can change as fast as one likes. About ten digits. ValueError when days are not above 0.
    Source: Gauss-Legendre on geometrically graded panels of the square root of time; Davis and Rabinowitz, as above.
    """
    horizon = positive("days", days)
    edges = np.concatenate(([0.0], 0.5 ** np.arange(_PANELS, -1, -1, dtype=np.float64)))
    roots = (edges[:-1, None] + np.diff(edges)[:, None] * _UNIT_POINTS).ravel()
    weights = (np.diff(edges)[:, None] * _UNIT_WEIGHTS).ravel() * 2 * roots  # t = u^2 and so dt = 2 u du
    shape = (-1,) + (1,) * horizon.ndim
    values = function(roots.reshape(shape) ** 2 * horizon)
    return horizon * np.tensordot(weights, values, axes=1)


def _between(left: Floats, right: Floats) -> Floats:
    """Chance of a standard normal between two numbers; from the nearer tail, so that far out nothing is lost."""
    low, high = np.where(left > 0, -right, left), np.where(left > 0, -left, right)
    root = math.sqrt(2)
    return at_least_0((_erfc(-high / root) - _erfc(-low / root)) / 2)
