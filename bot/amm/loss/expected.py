"""What to expect of a position over a horizon, when its price moves by geometric Brownian motion.

The value of one unit of liquidity in [a, b] is piecewise a sum of powers of the price S: all token0 below a, 2 sqrt(S)
- S / sqrt(b) - sqrt(a) inside, all token1 above b. So its expectation is a sum of partial moments M_k(x, y) = E[S^k;
x < S < y] of `lognormal`, and closed:

    E[V] = (1/sqrt(a) - 1/sqrt(b)) M_1(0, a) + 2 M_1/2(a, b) - M_1(a, b)/sqrt(b) - sqrt(a) M_0(a, b)
         + (sqrt(b) - sqrt(a)) M_0(b, inf)

Prices and values are in token1, days are the horizon. Without drift the expected loss against holding is the expected
LVR (their portfolios differ by trades at fair prices; Alexander and Fritz, arXiv:2410.00854), and it is the expected
loss in money of any numeraire in which neither token has a drift.
"""

import numpy as np

from bot.amm.loss.checked import Floats, Reals, at_most_0, covariance_of, ends, positive, spread, weights_of
from bot.amm.loss.closed_form import concentrated_loss, range_amounts, range_value
from bot.amm.loss.lognormal import Motion, expectation, over_time, partial_moment


def expected_constant_product_loss(motion: Motion, days: Reals) -> Floats:
    """Give E[V - H] of a full range against holding, as a fraction of its value today; at most 0.

    exp((mu/2 - sigma^2/8) t) - (1 + exp(mu t)) / 2. The result has the shape of `days`. ValueError when they are not
    above 0.
    Source: E[sqrt(S)] of a lognormal; Evans, arXiv:2006.08806, for geometric mean pools.
    """
    time = positive("days", days)
    grown = np.exp((motion.drift / 2 - motion.volatility**2 / 8) * time)
    return at_most_0(grown - (1 + np.exp(motion.drift * time)) / 2)


def expected_weighted_loss(weights: Floats, drifts: Floats, covariance: Floats, days: Reals) -> Floats:
    """Give E[V - H] of a Balancer pool against holding, as a fraction of its value today; at most 0.

    `weights` and `drifts` (per day) have shape (N,), `covariance` S of log returns per day shape (N, N); the prices are
    in one numeraire. E[V] = exp((w'mu - (w'diag(S) - w'Sw) / 2) t), E[H] = sum w exp(mu t). The result has the shape of
    `days`. ValueError when the shapes or weights do not fit, or days are not above 0.
    Source: Evans, arXiv:2006.08806, with constant weights.
    """
    share, time = weights_of(weights), positive("days", days)
    cov = covariance_of(covariance, len(share))
    growth = np.asarray(drifts, dtype=np.float64)
    if growth.shape != share.shape:
        raise ValueError(f"loss: {len(share)} weights need as many drifts, found an array of shape {growth.shape}")
    pool = share @ growth - (share @ np.diag(cov) - share @ cov @ share) / 2
    held = np.exp(np.multiply.outer(time, growth)) @ share
    return at_most_0(np.exp(pool * time) - held)


def expected_range_value(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give E[V] of one unit of liquidity in a range after some days, in token1.

    `price` is today's; [0, inf] is the full range; the arguments broadcast. ValueError when a price or the days are not
    above 0, or the range is none.
    Source: the formula above.
    """
    low, high = ends(lower, upper)
    root_low, root_high = np.sqrt(low), np.sqrt(high)
    with np.errstate(divide="ignore"):
        below = np.where(low > 0, 1 / root_low, 0.0) - np.where(low > 0, 1 / root_high, 0.0)  # no price is below 0
    above = np.where(np.isfinite(high), root_high, 0.0) - np.where(np.isfinite(high), root_low, 0.0)

    def moment(power: float, left: Reals, right: Reals) -> Floats:
        return partial_moment(motion, price, power, left, right, days)

    inside: Floats = 2 * moment(0.5, low, high) - moment(1, low, high) / root_high - root_low * moment(0, low, high)
    outside: Floats = below * moment(1, 0.0, low) + above * moment(0, high, np.inf)
    return inside + outside


def expected_range_loss(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give E[V - H] of a range against holding what it is today, as a fraction of its value today; at most 0.

    The arguments broadcast. Errors and source as `expected_range_value`.
    """
    held0, held1 = range_amounts(price, lower, upper)
    held = held0 * price * np.exp(motion.drift * positive("days", days)) + held1
    lost = expected_range_value(motion, price, lower, upper, days) - held
    return at_most_0(lost / range_value(price, lower, upper))


def mean_relative_loss(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give E[V / H - 1], the mean of the impermanent loss as a fraction of holding; at most 0.

    A ratio of two sums of lognormals, so by quadrature. The arguments broadcast. Errors as `expected_range_value`.
    Source: `closed_form.concentrated_loss`, whose kinks are the range's ends.
    """
    ends(lower, upper)
    return expectation(motion, price, days, lambda end: concentrated_loss(price, end, lower, upper), (lower, upper))


def expected_range_lvr(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give the expected LVR of a range up to a horizon, as a fraction of its value today.

    The integral of sigma^2 / 4 M_1/2(a, b) over time: the moment is closed, the time by quadrature. The arguments
    broadcast. Errors as `expected_range_value`.
    Source: the rate of `rebalancing.range_lvr_rate`, per unit of liquidity.
    """
    low, high = ends(lower, upper)
    rate = motion.volatility**2 / 4
    lost = over_time(spread(days, price, low, high), lambda t: rate * partial_moment(motion, price, 0.5, low, high, t))
    return lost / range_value(price, lower, upper)


def time_in_range(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> Floats:
    """Give the expected share of a horizon that the price spends in a range, in [0, 1].

    The mean over time of the chance M_0(a, b) to be inside. The arguments broadcast. Errors as `expected_range_value`.
    Source: Fubini; the chance is closed, the time by quadrature.
    """
    low, high = ends(lower, upper)
    horizon = spread(days, price, low, high)
    return np.minimum(1.0, over_time(horizon, lambda t: partial_moment(motion, price, 0, low, high, t)) / horizon)
