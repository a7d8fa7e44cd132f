"""Numbers that a formula may rely on: above 0 and finite, a range, weights."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reals = float | Floats

SUM_SLACK = 1e-9  # weights may miss 1 by so much


def positive(what: str, values: Reals) -> Floats:
    """The values as an array. ValueError unless each is above 0 and finite."""
    found = np.asarray(values, dtype=np.float64)
    good = (found > 0) & np.isfinite(found)
    if not np.all(good):
        raise ValueError(f"loss: {what} must be above 0 and finite, found {found[~good].flat[0]}")
    return found


def not_negative(what: str, values: Reals) -> Floats:
    """The values as an array. ValueError unless each is at least 0 and finite."""
    found = np.asarray(values, dtype=np.float64)
    good = (found >= 0) & np.isfinite(found)
    if not np.all(good):
        raise ValueError(f"loss: {what} must be at least 0 and finite, found {found[~good].flat[0]}")
    return found


def ends(lower: Reals, upper: Reals) -> tuple[Floats, Floats]:
    """The ends of a range of prices; [0, inf] is the full one. ValueError unless 0 <= lower < upper."""
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if not np.all((low >= 0) & (low < high)):
        raise ValueError(f"loss: a range needs 0 <= lower < upper, found [{lower}, {upper}]")
    return low, high


def weights_of(weights: Floats) -> Floats:
    """Weights of a pool, shape (N,). ValueError unless there are two or more, each above 0, that sum to 1."""
    found = positive("weights", weights)
    if found.ndim != 1 or len(found) < 2 or abs(float(found.sum()) - 1) > SUM_SLACK:
        raise ValueError(f"loss: two or more weights must sum to 1, found {weights}")
    return found


def covariance_of(covariance: Floats, size: int) -> Floats:
    """A covariance, shape (size, size). ValueError when it has another shape or is not symmetric and finite."""
    found = np.asarray(covariance, dtype=np.float64)
    if found.shape != (size, size) or not np.all(np.isfinite(found)) or not np.allclose(found, found.T):
        raise ValueError(f"loss: a symmetric covariance of shape ({size}, {size}) is needed, found {covariance}")
    return found


def at_least_0(values: Floats) -> Floats:
    """The values, without what rounding left below 0."""
    return np.asarray(np.maximum(0.0, values))


def at_most_0(values: Floats) -> Floats:
    """The values, without what rounding left above 0."""
    return np.asarray(np.minimum(0.0, values))


def spread(values: Reals, *others: Reals) -> Floats:
    """The values in the shape to which all broadcast."""
    shape = np.broadcast_shapes(*(np.shape(each) for each in (values, *others)))
    return np.broadcast_to(np.asarray(values, dtype=np.float64), shape)
