"""Loss versus rebalancing: rates against derivatives, paths against rates, exact amounts against both."""

from math import inf, nan

import numpy as np
import pytest

from bot.amm.loss import (
    constant_product_lvr_rate,
    lvr_rate,
    range_amounts,
    range_lvr_rate,
    range_second_derivative,
    range_shortfall,
    range_value,
    realised_lvr,
    realised_range_lvr,
    weighted_loss,
    weighted_lvr_rate,
)

FULL = (0.0, inf)


def walk(steps: int, days: float, volatility: float, seed: int = 7) -> np.ndarray:
    """A seeded price path from 100, without drift."""
    logs = np.random.default_rng(seed).normal(size=steps) * volatility * np.sqrt(days / steps)
    return 100 * np.exp(np.concatenate(([0.0], np.cumsum(logs - volatility**2 * days / steps / 2))))


# ------------------------------------------------------------------ rates


def test_range_second_derivative__against_differences_of_the_value__equal() -> None:
    prices = np.array([1.3, 2.0, 3.7])
    for ends in (FULL, (1.0, 4.0)):
        h = 1e-4 * prices
        bent = (range_value(prices + h, *ends) - 2 * range_value(prices, *ends) + range_value(prices - h, *ends)) / h**2
        assert range_second_derivative(prices, *ends) == pytest.approx(bent, rel=1e-5)


def test_range_second_derivative__outside_the_range__nothing_is_bent() -> None:
    assert range_second_derivative(np.array([0.9, 4.1]), 1.0, 4.0).tolist() == [0, 0]
    assert range_lvr_rate(np.array([0.9, 4.1]), 1.0, 4.0, 0.05).tolist() == [0, 0]


def test_range_lvr_rate__full_range__an_eighth_of_variance_at_any_price() -> None:
    prices, volatility = np.array([0.01, 1.0, 5_000.0]), np.array([[0.01], [0.05]])
    assert range_lvr_rate(prices, *FULL, volatility) == pytest.approx(np.broadcast_to(volatility**2 / 8, (2, 3)))
    assert constant_product_lvr_rate(0.05) == pytest.approx(0.0003125)  # 3.125 bps a day, arXiv:2208.06046's example


def test_range_lvr_rate__range_around_the_price__amplified_by_the_concentration() -> None:
    """V of [p/r, p r] is that of the full range times 1 - 1/sqrt(r); V'' is the same."""
    for r in (1.1, 2.0, 16.0):
        assert range_lvr_rate(7.0, 7 / r, 7 * r, 0.04) == pytest.approx(0.04**2 / 8 / (1 - r**-0.5))


def test_range_lvr_rate__price_turned_round__the_same() -> None:
    assert range_lvr_rate(3.0, 2.0, 5.0, 0.04) == pytest.approx(range_lvr_rate(1 / 3.0, 1 / 5.0, 1 / 2.0, 0.04))


def test_lvr_rate__any_pool__half_of_the_squared_move_times_the_bend() -> None:
    assert lvr_rate(10.0, -0.02, 0.03) == pytest.approx(0.5 * (0.03 * 10) ** 2 * 0.02)


def test_weighted_lvr_rate__one_risky_asset__weights_times_variance_halved() -> None:
    for weight in (0.2, 0.5, 0.9):
        rate = weighted_lvr_rate(np.array([weight, 1 - weight]), np.diag([0.0009, 0.0]))
        assert rate == pytest.approx(weight * (1 - weight) * 0.0009 / 2)


def test_weighted_lvr_rate__three_correlated_assets__is_the_loss_of_a_small_step() -> None:
    """By the two-point distribution along each eigenvector: the mean one-step loss is the rate, to second order."""
    weights = np.array([0.5, 0.3, 0.2])
    root = np.array([[0.04, 0.0, 0.0], [0.03, 0.02, 0.0], [0.0, 0.0, 0.001]])
    small = 1e-2
    steps = np.exp(small * np.vstack([root.T, -root.T]) * np.sqrt(3))
    mean = weighted_loss(steps, weights).mean() / small**2
    assert weighted_lvr_rate(weights, root @ root.T) == pytest.approx(-mean, rel=1e-3)


def test_weighted_lvr_rate__assets_that_move_as_one__nothing() -> None:
    assert weighted_lvr_rate(np.array([0.5, 0.3, 0.2]), np.full((3, 3), 0.0016)) == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize(
    "covariance", [np.eye(3), np.ones(2), np.array([[1.0, 0.2], [0.3, 1.0]]), np.full((2, 2), nan)]
)
def test_weighted_lvr_rate__covariance_that_does_not_fit__refused(covariance) -> None:
    with pytest.raises(ValueError, match=r"loss: a symmetric covariance of shape \(2, 2\) is needed"):
        weighted_lvr_rate(np.array([0.5, 0.5]), covariance)


@pytest.mark.parametrize(("price", "volatility"), [(0.0, 0.1), (1.0, -0.1), (1.0, nan), (inf, 0.1)])
def test_lvr_rate__no_price_or_volatility__refused(price, volatility) -> None:
    with pytest.raises(ValueError, match=r"loss: (prices must be above|volatility must be at least) 0"):
        range_lvr_rate(price, 0.5, 2.0, volatility)


# ------------------------------------------------------------------ paths


def test_realised_range_lvr__one_step__the_loss_against_holding() -> None:
    assert realised_range_lvr(np.array([2.0, 3.0]), 1.0, 2.5) == pytest.approx([0, range_shortfall(2.0, 3.0, 1.0, 2.5)])


def test_realised_range_lvr__there_and_back__is_not_forgotten() -> None:
    path = np.array([2.0, 3.0, 2.0])
    assert range_shortfall(path[0], path[-1], 1.0, 4.0) == 0
    assert realised_range_lvr(path, 1.0, 4.0)[-1] == pytest.approx(
        2 * 0.5 * (3**0.5 - 2**0.5) ** 2 * (2**-0.5 + 3**-0.5)
    )


def test_realised_lvr__holdings_of_a_range__equals_its_closed_form() -> None:
    path = walk(500, 30, 0.05)
    held = np.column_stack(range_amounts(path, 90.0, 110.0))
    prices = np.column_stack([path, np.ones_like(path)])
    assert realised_lvr(prices, held) == pytest.approx(realised_range_lvr(path, 90.0, 110.0), abs=1e-12)


def test_realised_lvr__three_weighted_assets__is_rebalancing_less_pool() -> None:
    """The rebalancing portfolio is followed trade by trade, at the path's prices."""
    weights = np.array([0.5, 0.3, 0.2])
    prices = np.exp(np.random.default_rng(3).normal(size=(200, 3)).cumsum(axis=0) * 0.02)
    value = np.exp(np.log(prices) @ weights)
    held = weights * value[:, None] / prices
    cash = 0.0
    for t in range(1, len(prices)):
        cash += (held[t - 1] - held[t]) @ prices[t]
    rebalancing = held[-1] @ prices[-1] + cash
    assert realised_lvr(prices, held)[-1] == pytest.approx(rebalancing - value[-1])


@pytest.mark.parametrize("ends", [FULL, (80.0, 120.0), (99.0, 101.0)])
def test_realised_range_lvr__fine_steps__tends_to_the_rate_over_time(ends) -> None:
    path = walk(200_000, 30, 0.05)
    rate = range_lvr_rate(path, *ends, 0.05) * range_value(path, *ends)
    assert realised_range_lvr(path, *ends)[-1] == pytest.approx(rate[:-1].sum() * 30 / 200_000, rel=0.02)


@pytest.mark.parametrize("path", [[1.0], [[1.0, 2.0]], [1.0, 0.0]])
def test_realised_range_lvr__no_path__refused(path) -> None:
    with pytest.raises(ValueError, match=r"loss: (a path of two or more prices is needed|prices must be above 0)"):
        realised_range_lvr(np.array(path), 0.5, 2.0)


@pytest.mark.parametrize(("prices", "held"), [((3, 2), (2, 2)), ((1, 2), (1, 2)), ((3,), (3,))])
def test_realised_lvr__shapes_that_do_not_fit__refused(prices, held) -> None:
    with pytest.raises(ValueError, match="loss: prices and holdings of one shape"):
        realised_lvr(np.ones(prices), np.ones(held))
