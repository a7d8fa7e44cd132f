"""Volatility and covariance from price history."""

import math

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400


def covariance(history: tuple[tuple[float, ...], ...], step_s: int, half_life_s: int) -> NDArray[np.float64]:
    """Exponentially weighted covariance of log returns, per day, shape (N, N).

    `history` holds closes, shape (T, N), oldest first, `step_s` apart; returns have mean zero (RiskMetrics Technical
    Document, 1996, section 5.2). ValueError when there are fewer than two rows or a price is not positive.
    """
    closes = np.asarray(history, dtype=np.float64)
    if closes.ndim != 2 or len(closes) < 2:
        raise ValueError(f"two rows of prices are needed, got an array of shape {closes.shape}")
    if not (closes > 0).all():
        raise ValueError("prices must be positive")
    returns = np.diff(np.log(closes), axis=0)
    age_s = np.arange(len(returns) - 1, -1, -1) * step_s
    weight = 0.5 ** (age_s / half_life_s)
    weight /= weight.sum()
    per_step: NDArray[np.float64] = (returns * weight[:, None]).T @ returns
    return per_step * (DAY_S / step_s)


def deviation(exposure: NDArray[np.float64], cov: NDArray[np.float64]) -> float:
    """Standard deviation sqrt(x' S x) of an exposure x, shape (N,), in the time unit of S."""
    return math.sqrt(max(float(exposure @ cov @ exposure), 0.0))
