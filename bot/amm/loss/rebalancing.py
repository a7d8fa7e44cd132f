"""Loss versus rebalancing (LVR): what arbitrage takes from liquidity that follows the price.

A rebalancing portfolio holds what the pool holds and trades at the external price instead of at the pool's. Volatility
is that of the log price, per square-root day; rates are per day. All of it by Milionis, Moallemi, Roughgarden and
Zhang, "Automated Market Making and Loss-Versus-Rebalancing" (2022), arXiv:2208.06046.
"""

import numpy as np

from bot.amm.loss.checked import Floats, Reals, at_least_0, covariance_of, ends, not_negative, positive, weights_of
from bot.amm.loss.closed_form import range_shortfall, range_value


def lvr_rate(price: Reals, second_derivative: Reals, volatility: Reals) -> Floats:
    """Give the instantaneous LVR of any pool, money a day: -(sigma p)^2 / 2 x V''(p).

    `second_derivative` is that of the pool's value V in the price, at most 0; the arguments broadcast. ValueError when
    a price is not above 0 or a volatility is below 0.
    Source: arXiv:2208.06046, theorem 1, where V'' is written as the slope of the pool's holdings of the risky asset.
    """
    moved = not_negative("volatility", volatility) * positive("prices", price)
    return 0.0 - moved**2 / 2 * second_derivative


def constant_product_lvr_rate(volatility: Reals) -> Floats:
    """Give the instantaneous LVR of a full range, as a fraction of its value a day: sigma^2 / 8. Errors and source as
    `lvr_rate`.
    """
    return not_negative("volatility", volatility) ** 2 / 8


def range_second_derivative(price: Reals, lower: Reals, upper: Reals) -> Floats:
    """Give V'' of one unit of liquidity in token1: -p^(-3/2) / 2 inside the range, 0 outside it.

    At an end it counts as inside. ValueError when the price or the range is none.
    Source: `closed_form.range_value`, derived twice.
    """
    at = positive("prices", price)
    low, high = ends(lower, upper)
    return np.where((low <= at) & (at <= high), -0.5 / (at * np.sqrt(at)), 0.0)


def range_lvr_rate(price: Reals, lower: Reals, upper: Reals, volatility: Reals) -> Floats:
    """Give the instantaneous LVR of a range as a fraction of its value a day: sigma^2 sqrt(p) / (4 V) inside it.

    0 outside; the arguments broadcast. Errors and source as `lvr_rate`, whose `second_derivative` is the range's.
    """
    bent = range_second_derivative(price, lower, upper)
    return lvr_rate(price, bent, volatility) / range_value(price, lower, upper)


def weighted_lvr_rate(weights: Floats, covariance: Floats) -> Floats:
    """Give the instantaneous LVR of a Balancer pool as a fraction of its value a day: (sum w_i S_ii - w'Sw) / 2.

    `weights` has shape (N,), `covariance` S of log returns per day shape (N, N), all in one numeraire. With one risky
    asset of weight w it is w (1 - w) sigma^2 / 2. ValueError when the weights do not sum to 1 or S does not fit them.
    Source: arXiv:2208.06046, geometric mean market makers; for n assets the trace of S with the second derivatives of
    V = prod(p^w).
    """
    share = weights_of(weights)
    cov = covariance_of(covariance, len(share))
    return at_least_0((share @ np.diag(cov) - share @ cov @ share) / 2)


def realised_lvr(prices: Floats, holdings: Floats) -> Floats:
    """Give the LVR of any pool up to each point of a path: the rebalancing portfolio's value less the pool's.

    `prices`, shape (T, N), in one numeraire (a column of ones for the numeraire itself), and `holdings` of the pool at
    those prices, shape (T, N). The result has shape (T,), begins with 0 and is in the numeraire. Every step is what
    holding the step's first amounts would be worth at its end, less the pool. ValueError when the shapes differ, there
    are fewer than two points, or a price is not above 0.
    Source: arXiv:2208.06046, the rebalancing strategy, in discrete steps.
    """
    at, held = positive("prices", prices), np.asarray(holdings, dtype=np.float64)
    if at.ndim != 2 or at.shape != held.shape or len(at) < 2:
        raise ValueError(
            f"loss: prices and holdings of one shape (T, N), T at least 2, are needed, found {at.shape}, {held.shape}"
        )
    steps = np.sum((held[:-1] - held[1:]) * at[1:], axis=1)
    return np.concatenate(([0.0], np.cumsum(steps)))


def realised_range_lvr(prices: Floats, lower: float, upper: float) -> Floats:
    """Give the LVR of one unit of liquidity in a range up to each point of a path, in token1; it never falls.

    `prices` of token0 in token1, shape (T,); so is the result, which begins with 0. Each step is the range's shortfall
    against holding over that step. ValueError when there are fewer than two prices, one is not above 0, or the range
    is none.
    Source: arXiv:2208.06046, the rebalancing strategy, in discrete steps.
    """
    at = positive("prices", prices)
    if at.ndim != 1 or len(at) < 2:
        raise ValueError(f"loss: a path of two or more prices is needed, found an array of shape {at.shape}")
    steps = range_shortfall(at[:-1], at[1:], lower, upper)
    return np.concatenate(([0.0], np.cumsum(steps)))
