"""Covariance: against hand figures and numpy's own."""

import math

import numpy as np
import pytest

from bot.policy.estimate import covariance, deviation


def test_covariance__endless_half_life__equals_mean_of_outer_products():
    rng = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (500, 3)), axis=0))
    returns = np.diff(np.log(closes), axis=0)
    found = covariance(tuple(map(tuple, closes)), 3_600, 10**15)
    np.testing.assert_allclose(found, returns.T @ returns / len(returns) * 24, rtol=1e-7)


def test_covariance__one_return__its_square_per_day():
    found = covariance(((1.0, 100.0), (1.0, 110.0)), 43_200, 3_600)
    assert found[1, 1] == pytest.approx(2 * math.log(1.1) ** 2)
    assert found[0, 0] == 0


def test_covariance__short_half_life__recent_returns_count_more():
    calm_then_wild = ((100.0,), (100.1,), (100.0,), (110.0,), (100.0,))
    wild_then_calm = ((100.0,), (110.0,), (100.0,), (100.1,), (100.0,))
    assert covariance(calm_then_wild, 3_600, 3_600)[0, 0] > 10 * covariance(wild_then_calm, 3_600, 3_600)[0, 0] / 4


@pytest.mark.parametrize("rows", [((1.0,),), ((1.0,), (0.0,)), ((1.0,), (-1.0,))])
def test_covariance__too_little_or_impossible__refused(rows):
    with pytest.raises(ValueError, match="price"):
        covariance(rows, 3_600, 3_600)


def test_deviation__two_perfectly_correlated__adds():
    cov = np.array([[0.04, 0.06], [0.06, 0.09]])
    assert deviation(np.array([1.0, 1.0]), cov) == pytest.approx(0.5)
    assert deviation(np.array([3.0, -2.0]), cov) == pytest.approx(0.0, abs=1e-8)
