"""Fees bar by bar: from fee growth exactly, between two bounds, and estimated; and what a position must earn."""

from itertools import accumulate
from math import inf, nan

import numpy as np
import pytest

from bot.amm import v3
from bot.amm.loss import (
    FeeBounds,
    Motion,
    estimated_fees,
    expected_break_even,
    fees_by_bar,
    fees_in_range,
    inside_share,
    needed_rate,
    range_lvr_rate,
    time_in_range,
)
from tests.unit.amm.build import at_tick, v3_pool

E18 = 10**18
ONE = 1 << 128  # a fee growth of one unit for each unit of liquidity


# ------------------------------------------------------------------ exact


def test_fees_by_bar__growth_that_rounds__loses_nothing_on_the_way() -> None:
    growth = [0, ONE // 3, 2 * ONE // 3, ONE]
    assert fees_by_bar(10, growth) == (3, 3, 4)


def test_fees_by_bar__growth_that_wraps__goes_on() -> None:
    assert fees_by_bar(2, [2**256 - ONE, 0, ONE]) == (2, 2)


def test_fees_by_bar__one_moment__refused() -> None:
    with pytest.raises(ValueError, match="loss: fee growth at two or more moments is needed, found 1"):
        fees_by_bar(1, [0])


def test_fees_in_range__swaps_through_the_range__bound_what_the_pool_owes() -> None:
    """A pool with 3/4 of its liquidity ours; of the bar that leaves the range at -600, the part before is ours."""
    pool = v3_pool((-600, 600, 3 * E18), (-887220, 887220, E18))
    grown = []
    for tick in (-300, -599, -600, -900):
        done = v3.swap_exact_in(pool, True, 10**30, at_tick(tick))
        pool, grown = done.pool, [*grown, done.fee_growth_x128]
    inside = list(accumulate(grown[:3], initial=0))
    whole = list(accumulate([grown[0], grown[1], grown[2] + grown[3]], initial=0))
    found = fees_in_range(3 * E18, whole, [(-300, 0), (-599, -300), (-900, -599)], -600, 600)
    owed = fees_by_bar(3 * E18, inside)
    assert found.least == (*owed[:2], 0)
    assert 0 < owed[2] < found.most[2]


def test_fees_in_range__a_bar_inside_one_across_and_one_outside__all_some_and_nothing() -> None:
    bars = [(-5, 9), (5, 10), (10, 12), (-20, -11), (-11, -10)]
    growth = list(accumulate([ONE] * 5, initial=7))
    assert fees_in_range(3, growth, bars, -10, 10) == FeeBounds((3, 0, 0, 0, 0), (3, 3, 0, 0, 3))


def test_fees_in_range__growth_that_wraps__goes_on() -> None:
    found = fees_in_range(2, [2**256 - ONE, 0, ONE, 2 * ONE], [(0, 1), (20, 21), (0, 1)], 0, 10)
    assert found == FeeBounds((2, 0, 2), (2, 0, 2))


def test_fees_in_range__no_bar_crosses__exact() -> None:
    assert fees_in_range(3, [0, ONE, 2 * ONE], [(0, 1), (9, 9)], 0, 10).exact
    assert not fees_in_range(3, [0, ONE, 2 * ONE], [(0, 1), (9, 10)], 0, 10).exact


@pytest.mark.parametrize(
    ("growth", "bars", "ends", "said"),
    [
        ([0, 1], [(0, 0), (0, 0)], (0, 10), "2 bars need one more fee growth, found 2"),
        ([0], [], (0, 10), "0 bars need"),
        ([0, 1], [(0, 0)], (10, 10), "lower tick must be below upper"),
    ],
)
def test_fees_in_range__what_does_not_fit__refused(growth, bars, ends, said) -> None:
    with pytest.raises(ValueError, match=f"loss: {said}"):
        fees_in_range(1, growth, bars, *ends)


# ------------------------------------------------------------------ estimated


def test_estimated_fees__share_of_liquidity__of_the_fee() -> None:
    found = estimated_fees(
        np.array([1_000.0, 1_000.0, 0.0]), 0.003, 25.0, np.array([100.0, 50.0, 0.0]), np.array([1, 0.5, 1])
    )
    assert found == pytest.approx([0.75, 0.75, 0])


def test_estimated_fees__one_swap_inside_one_range__what_the_pool_pays() -> None:
    pool = v3_pool((-887220, 887220, 4 * E18))
    done = v3.swap_exact_in(pool, True, E18 // 10)
    (exact,) = fees_by_bar(E18, [0, done.fee_growth_x128])
    assert estimated_fees(E18 / 10, 0.003, E18, 4 * E18) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    "arguments", [(-1, 0.003, 1, 1), (1, 0.003, -1, 1), (1, 0.003, 1, nan), (1, 0.003, 1, 1, -0.1)]
)
def test_estimated_fees__below_0_or_not_finite__refused(arguments) -> None:
    with pytest.raises(ValueError, match="must be at least 0 and finite"):
        estimated_fees(*arguments)


@pytest.mark.parametrize(
    ("bar", "share"),
    [
        ((0, 9), 1.0),
        ((-10, 9), 0.5),
        ((0, 19), 0.5),
        ((5, 5), 1.0),
        ((10, 10), 0.0),
        ((-1, -1), 0.0),
        ((-10, 19), 1 / 3),
    ],
)
def test_inside_share__bars_of_ticks__the_part_in_the_range(bar, share) -> None:
    assert inside_share(*bar, 0, 10) == pytest.approx(share)


def test_inside_share__low_above_high__refused() -> None:
    with pytest.raises(ValueError, match="loss: the lowest tick of a bar must not be above its highest"):
        inside_share(1, 0, 0, 10)


# ------------------------------------------------------------------ breaking even


def test_needed_rate__earned_on_the_mean_value__makes_up_for_the_shortfall() -> None:
    rate = needed_rate(120.0, 40_000.0, 6.0)
    assert rate * 40_000 * 6 == pytest.approx(120)


@pytest.mark.parametrize("arguments", [(-1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_needed_rate__no_value_or_time__refused(arguments) -> None:
    with pytest.raises(ValueError, match=r"loss: .* must be"):
        needed_rate(*arguments)


def test_expected_break_even__full_range_without_drift__an_eighth_of_variance_at_any_horizon() -> None:
    for days in (0.01, 7.0, 365.0):
        even = expected_break_even(Motion(0.0, 0.04), 3_000.0, 0.0, inf, days)
        assert even.holding == pytest.approx(0.04**2 / 8, rel=1e-9)
        assert even.rebalancing == pytest.approx(0.04**2 / 8, rel=1e-9)


def test_expected_break_even__short_horizon__is_the_rate_of_lvr_now() -> None:
    even = expected_break_even(Motion(0.0, 0.04), 3_000.0, 2_700.0, 3_300.0, 1e-3)
    assert even.rebalancing == pytest.approx(range_lvr_rate(3_000.0, 2_700.0, 3_300.0, 0.04), rel=1e-4)


def test_expected_break_even__drift__tells_holding_from_rebalancing() -> None:
    even = expected_break_even(Motion(0.01, 0.03), 3_000.0, 2_700.0, 3_300.0, 30.0)
    assert even.holding > 1.5 * even.rebalancing


def test_expected_break_even__longer_horizon__less_time_in_range_and_less_to_make_up_for() -> None:
    days = np.array([1.0, 10.0, 100.0])
    even = expected_break_even(Motion(0.0, 0.04), 3_000.0, 2_700.0, 3_300.0, days)
    stays = time_in_range(Motion(0.0, 0.04), 3_000.0, 2_700.0, 3_300.0, days)
    assert np.all(np.diff(even.rebalancing) < 0)
    assert even.holding == pytest.approx(even.rebalancing, rel=1e-9)
    assert np.all(np.diff(even.rebalancing / stays) > 0)  # while in range it must earn more, as V shrinks outside
