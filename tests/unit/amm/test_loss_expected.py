"""Expectations under geometric Brownian motion: closed forms against independent quadrature, chance and each other."""

from itertools import pairwise
from math import exp, inf, log, nan, sqrt

import numpy as np
import pytest

from bot.amm.loss import (
    Motion,
    concentrated_loss,
    constant_product_loss,
    expected_constant_product_loss,
    expected_range_loss,
    expected_range_lvr,
    expected_range_value,
    expected_weighted_loss,
    mean_relative_loss,
    range_amounts,
    range_lvr_rate,
    range_value,
    realised_range_lvr,
    time_in_range,
)
from bot.amm.loss.lognormal import expectation, over_time, partial_moment

FULL = (0.0, inf)
CASES = [  # drift, volatility, price, lower, upper, days
    (0.0, 0.03, 3_000.0, 2_700.0, 3_300.0, 7.0),
    (0.004, 0.05, 3_000.0, 2_990.0, 3_010.0, 30.0),
    (-0.01, 0.02, 30.0, 25.0, 29.0, 10.0),  # entered above its range
    (0.002, 0.6, 0.05, 0.06, 0.2, 90.0),  # below it, and wild
    (0.0, 0.04, 1.0, 0.0, 1.1, 20.0),
    (0.0, 0.04, 1.0, 0.9, inf, 20.0),
    (0.003, 0.04, 1.0, 0.0, inf, 365.0),
]


@pytest.fixture
def quad():
    """Adaptive quadrature that is not ours: E[f(S)], split at the kinks; and integrals over time."""
    integrate = pytest.importorskip("scipy.integrate", reason="scipy comes with the research extra")

    def mean(motion, price, days, function, kinks):
        spread = motion.volatility * sqrt(days)
        middle = log(price) + (motion.drift - motion.volatility**2 / 2) * days
        cuts = [(log(k) - middle) / spread for k in kinks if 0 < k < inf]
        points = sorted([-12.0, 12.0, *(c for c in cuts if -12 < c < 12)])

        def weighted(z):
            return float(function(exp(middle + spread * z))) * exp(-z * z / 2) / sqrt(2 * np.pi)

        pieces = (integrate.quad(weighted, *ends, epsabs=1e-14, epsrel=1e-12, limit=200) for ends in pairwise(points))
        return sum(piece for piece, _ in pieces)

    return mean, lambda f, end: integrate.quad(f, 0, end, epsabs=1e-13, epsrel=1e-11, limit=2_000)[0]


# ------------------------------------------------------------------ against quadrature


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("power", [0, 0.5, 1, 2, -1])
def test_partial_moment__any_power__as_quadrature(case, power, quad) -> None:
    drift, volatility, price, lower, upper, days = case
    motion = Motion(drift, min(volatility, 0.1))  # the square of a wild price has its mass beyond any quadrature
    within = quad[0](motion, price, days, lambda s: s**power * (lower < s < upper), (lower, upper))
    assert partial_moment(motion, price, power, lower, upper, days) == pytest.approx(within, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_expected_range_value__any_range__as_quadrature(case, quad) -> None:
    drift, volatility, price, lower, upper, days = case
    motion = Motion(drift, volatility)
    value = quad[0](motion, price, days, lambda s: range_value(s, lower, upper), (lower, upper))
    assert expected_range_value(motion, price, lower, upper, days) == pytest.approx(value, rel=1e-10)
    held0, held1 = range_amounts(price, lower, upper)
    lost = (value - held0 * price * exp(drift * days) - held1) / range_value(price, lower, upper)
    assert expected_range_loss(motion, price, lower, upper, days) == pytest.approx(lost, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_mean_relative_loss__any_range__as_quadrature(case, quad) -> None:
    drift, volatility, price, lower, upper, days = case
    motion = Motion(drift, volatility)
    mean = quad[0](motion, price, days, lambda s: concentrated_loss(price, s, lower, upper), (lower, upper))
    assert mean_relative_loss(motion, price, lower, upper, days) == pytest.approx(mean, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_time_in_range__any_range__as_quadrature(case, quad) -> None:
    drift, volatility, price, lower, upper, days = case
    motion = Motion(drift, volatility)

    def chance(root: float) -> float:
        return 2 * root * float(partial_moment(motion, price, 0, lower, upper, root**2)) if root else 0.0

    share = quad[1](chance, sqrt(days)) / days
    assert time_in_range(motion, price, lower, upper, days) == pytest.approx(share, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_expected_range_lvr__any_range__as_quadrature(case, quad) -> None:
    drift, volatility, price, lower, upper, days = case
    motion = Motion(drift, volatility)

    def rate(root: float) -> float:
        bent = partial_moment(motion, price, 0.5, lower, upper, root**2) if root else 0.0
        return 2 * root * volatility**2 / 4 * float(bent)

    lost = quad[1](rate, sqrt(days)) / float(range_value(price, lower, upper))
    assert expected_range_lvr(motion, price, lower, upper, days) == pytest.approx(lost, rel=1e-8, abs=1e-12)


# ------------------------------------------------------------------ against chance


@pytest.fixture(scope="module")
def paths() -> np.ndarray:
    """20,000 seeded paths of 400 steps from 3,000: 4 % a day, drift 0.2 % a day, over 20 days; shape (401, 20000)."""
    steps, count, dt = 400, 20_000, 20 / 400
    normal = np.random.default_rng(20).standard_normal((steps, count // 2))
    normal = np.concatenate([normal, -normal], axis=1)  # each path with its mirror image
    logs = np.cumsum((0.002 - 0.04**2 / 2) * dt + 0.04 * sqrt(dt) * normal, axis=0)
    return 3_000 * np.exp(np.concatenate([np.zeros((1, count)), logs]))


MOTION = Motion(0.002, 0.04)
RANGE = (2_700.0, 3_400.0)


def close(sample: np.ndarray, expected: float, bias: float = 0.0) -> None:
    """Within four standard errors, mirror images taken together, and what the steps leave out."""
    pairs = (sample[: len(sample) // 2] + sample[len(sample) // 2 :]) / 2
    error = pairs.std() / sqrt(len(pairs))
    assert abs(pairs.mean() - expected) < 4 * error + bias
    assert error < 0.02 * abs(expected)  # the test can fail


def test_expected_range_loss__against_many_paths__agrees(paths) -> None:
    held0, held1 = range_amounts(3_000.0, *RANGE)
    today = range_value(3_000.0, *RANGE)
    lost = (range_value(paths[-1], *RANGE) - held0 * paths[-1] - held1) / today
    close(lost, float(expected_range_loss(MOTION, 3_000.0, *RANGE, 20.0)))
    close(concentrated_loss(3_000.0, paths[-1], *RANGE), float(mean_relative_loss(MOTION, 3_000.0, *RANGE, 20.0)))


def test_time_in_range__against_many_paths__agrees(paths) -> None:
    inside = ((RANGE[0] < paths) & (paths < RANGE[1])).astype(float)
    share = (inside[:-1] + inside[1:]).mean(axis=0) / 2
    close(share, float(time_in_range(MOTION, 3_000.0, *RANGE, 20.0)), bias=1e-4)


def test_expected_range_lvr__against_losses_realised_on_many_paths__agrees(paths) -> None:
    lost = np.array([realised_range_lvr(path, *RANGE)[-1] for path in paths.T[:4_000]]) / range_value(3_000.0, *RANGE)
    assert lost.mean() == pytest.approx(float(expected_range_lvr(MOTION, 3_000.0, *RANGE, 20.0)), rel=0.03)


# ------------------------------------------------------------------ against each other


@pytest.mark.parametrize("case", CASES)
def test_expected_range_loss__no_drift__is_the_expected_lvr(case) -> None:
    _, volatility, price, lower, upper, days = case
    still = Motion(0.0, volatility)
    lvr = expected_range_lvr(still, price, lower, upper, days)
    assert -expected_range_loss(still, price, lower, upper, days) == pytest.approx(float(lvr), rel=1e-9, abs=1e-14)


def test_expected_range_loss__full_range__the_constant_product() -> None:
    days = np.array([0.1, 7.0, 400.0])
    for motion in (Motion(0.0, 0.04), Motion(0.003, 0.02), Motion(-0.003, 0.1)):
        expected = expected_constant_product_loss(motion, days)
        assert expected_range_loss(motion, 11.0, *FULL, days) == pytest.approx(expected, rel=1e-10)
        wide = expected_range_loss(motion, 11.0, 11e-9, 11e9, days)
        assert wide == pytest.approx(expected, rel=1e-3)


def test_expected_constant_product_loss__no_drift__half_a_variance_over_eight() -> None:
    """exp(-s^2 t / 8) - 1, so to first order the LVR of the horizon."""
    assert expected_constant_product_loss(Motion(0.0, 0.04), 7.0) == pytest.approx(exp(-(0.04**2) / 8 * 7) - 1)


def test_expected_weighted_loss__two_halves_one_still__the_constant_product() -> None:
    days = np.array([1.0, 30.0, 365.0])
    weights, covariance = np.array([0.5, 0.5]), np.diag([0.04**2, 0.0])
    found = expected_weighted_loss(weights, np.array([0.003, 0.0]), covariance, days)
    assert found == pytest.approx(expected_constant_product_loss(Motion(0.003, 0.04), days), rel=1e-12)


def test_expected_weighted_loss__three_correlated_assets__as_many_draws_say() -> None:
    weights, drifts, days = np.array([0.5, 0.3, 0.2]), np.array([0.002, -0.001, 0.0]), 30.0
    root = np.array([[0.05, 0.0, 0.0], [0.03, 0.03, 0.0], [0.0, 0.0, 0.01]])
    covariance = root @ root.T
    normal = np.random.default_rng(5).standard_normal((200_000, 3))
    normal = np.concatenate([normal, -normal])
    ratios = np.exp((drifts - np.diag(covariance) / 2) * days + sqrt(days) * normal @ root.T)
    lost = np.exp(np.log(ratios) @ weights) - ratios @ weights
    close(lost, float(expected_weighted_loss(weights, drifts, covariance, days)))


def test_mean_relative_loss__little_volatility__tends_to_the_expected_loss() -> None:
    still = Motion(0.0, 1e-3)
    assert mean_relative_loss(still, 3.0, 2.0, 4.0, 1.0) == pytest.approx(
        float(expected_range_loss(still, 3.0, 2.0, 4.0, 1.0)), rel=1e-4
    )


def test_expected_range_lvr__short_horizon__is_the_rate_now() -> None:
    lost = expected_range_lvr(Motion(0.0, 0.04), 3.0, 2.0, 4.0, 1e-3)
    assert lost / 1e-3 == pytest.approx(float(range_lvr_rate(3.0, 2.0, 4.0, 0.04)), rel=1e-4)


def test_time_in_range__the_limits__all_half_and_nothing() -> None:
    motion = Motion(0.0, 0.03)
    assert time_in_range(motion, 1.0, *FULL, 30.0) == pytest.approx(1, abs=1e-12)
    assert time_in_range(motion, 1.0, 0.5, 1.5, 1e-3) == pytest.approx(1, abs=1e-12)
    assert time_in_range(Motion(0.03**2 / 2, 0.03), 1.0, 1.0, inf, 30.0) == pytest.approx(
        0.5, abs=1e-9
    )  # log driftless
    assert time_in_range(motion, 1.0, 5.0, 6.0, 1.0) == pytest.approx(0, abs=1e-12)


def test_time_in_range__two_ranges_side_by_side__add_up() -> None:
    motion = Motion(0.001, 0.03)
    low, high, both = (time_in_range(motion, 1.0, *ends, 30.0) for ends in ((0.9, 1.0), (1.0, 1.2), (0.9, 1.2)))
    assert low + high == pytest.approx(float(both), rel=1e-9)


def test_expected__arrays__one_by_one() -> None:
    motion, prices, days = Motion(0.001, 0.03), np.array([2.0, 3.0, 5.0]), np.array([[1.0], [30.0]])
    for function in (expected_range_value, expected_range_loss, mean_relative_loss, expected_range_lvr, time_in_range):
        table = function(motion, prices, 2.5, 4.0, days)
        singly = [[function(motion, float(p), 2.5, 4.0, float(d[0])) for p in prices] for d in days]
        assert table.shape == (2, 3)
        assert table == pytest.approx(np.array(singly, dtype=float), rel=1e-12, abs=1e-300)


def test_expectation__a_kinked_function__is_split_there() -> None:
    motion = Motion(0.0, 0.3)
    call = expectation(motion, 1.0, 1.0, lambda s: np.maximum(0.0, s - 1.1), (1.1,))
    exact = partial_moment(motion, 1.0, 1, 1.1, inf, 1.0) - 1.1 * partial_moment(motion, 1.0, 0, 1.1, inf, 1.0)
    assert call == pytest.approx(float(exact), rel=1e-12)


def test_over_time__powers__integrate_exactly() -> None:
    assert over_time(3.0, lambda t: t**2) == pytest.approx(9)
    assert over_time(np.array([1.0, 4.0]), np.sqrt) == pytest.approx([2 / 3, 16 / 3])


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize("arguments", [(0.0, 0.0), (0.0, -1.0), (0.0, inf), (nan, 0.1), (inf, 0.1)])
def test_motion__no_motion__refused(arguments) -> None:
    with pytest.raises(ValueError, match=r"loss: (volatility must be above 0|drift must be) "):
        Motion(*arguments)


@pytest.mark.parametrize(
    "function", [expected_range_value, expected_range_loss, mean_relative_loss, expected_range_lvr, time_in_range]
)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0.0, 1.0, 2.0, 7.0), "prices must be above 0"),
        ((1.0, 2.0, 1.0, 7.0), "a range needs 0 <= lower < upper"),
        ((1.0, 0.5, 2.0, 0.0), "days must be above 0"),
    ],
)
def test_expected__no_price_range_or_days__refused(function, arguments, said) -> None:
    with pytest.raises(ValueError, match=f"loss: {said}"):
        function(Motion(0.0, 0.03), *arguments)


def test_expected_weighted_loss__drifts_that_do_not_fit__refused() -> None:
    with pytest.raises(ValueError, match="loss: 2 weights need as many drifts"):
        expected_weighted_loss(np.array([0.5, 0.5]), np.zeros(3), np.eye(2), 1.0)


def test_mean_relative_loss__constant_product__is_no_more_than_the_worst_and_less_than_none() -> None:
    mean = mean_relative_loss(Motion(0.0, 0.05), 1.0, *FULL, 30.0)
    spread = 0.05 * sqrt(30)
    assert constant_product_loss(exp(3 * spread)) < mean < 0
