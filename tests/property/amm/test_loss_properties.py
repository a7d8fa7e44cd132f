"""What must hold of every loss: holding is never worse, nor is rebalancing; the integers agree with the formulas."""

from decimal import Decimal
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amm import v3
from bot.amm.loss import (
    Motion,
    concentrated_loss,
    constant_product_loss,
    expected_break_even,
    expected_range_loss,
    expected_range_lvr,
    fees_by_bar,
    fees_in_range,
    impermanent_loss,
    mean_relative_loss,
    range_shortfall,
    range_value,
    realised_range_lvr,
    time_in_range,
    weighted_loss,
    weighted_lvr_rate,
)
from bot.amm.pools import spot
from bot.amm.ticks import sqrt_ratio_at_tick
from bot.core.types import Entry, Position
from bot.core.units import Liquidity, Money, Raw, Tick
from tests.unit.amm.build import v3_pool

PRICE = st.floats(-12, 12).map(np.exp)
WIDTH = st.floats(0.001, 3).map(np.exp)
MOTION = st.builds(Motion, st.floats(-0.02, 0.02), st.floats(-6, -1.5).map(np.exp).map(float))
DAYS = st.floats(-3, 6).map(np.exp)
RANGES = st.tuples(PRICE, WIDTH).map(lambda r: (r[0], r[0] * r[1])) | st.just((0.0, inf))


@st.composite
def weightings(draw) -> np.ndarray:
    parts = np.array(draw(st.lists(st.floats(0.01, 1), min_size=2, max_size=6)))
    return parts / parts.sum()


# ------------------------------------------------------------------ signs


@given(PRICE, PRICE, RANGES)
def test_concentrated_loss__any_prices_and_range__between_all_and_nothing(then, now, ends) -> None:
    assert -1 <= concentrated_loss(then, now, *ends) <= 0


@given(PRICE, PRICE, RANGES)
def test_concentrated_loss__price_turned_round__the_same(then, now, ends) -> None:
    """Which token is the numeraire does not matter, as a fraction of holding."""
    turned = concentrated_loss(
        1 / then, 1 / now, 1 / ends[1] if ends[1] < inf else 0.0, 1 / ends[0] if ends[0] else inf
    )
    assert concentrated_loss(then, now, *ends) == pytest.approx(float(turned), rel=1e-6, abs=1e-9)


@given(PRICE, PRICE, st.tuples(PRICE, WIDTH))
def test_concentrated_loss__wider_range__loses_less_of_it(then, now, place) -> None:
    """Of a range that holds both prices; towards the full range it falls to the constant product's."""
    low, high = min(then, now), max(then, now)
    factor = 1 + place[1]
    narrow = concentrated_loss(then, now, low / factor, high * factor)
    wide = concentrated_loss(then, now, low / factor**2, high * factor**2)
    full = constant_product_loss(now / then)
    assert narrow <= wide + 1e-12
    assert wide <= full + 1e-12
    assert concentrated_loss(then, now, low * 1e-18, high * 1e18) == pytest.approx(float(full), rel=1e-6, abs=1e-12)


@given(weightings(), st.data())
def test_weighted_loss__any_pool__never_a_gain_and_free_of_the_numeraire(weights, data) -> None:
    ratios = np.array(data.draw(st.lists(PRICE, min_size=len(weights), max_size=len(weights))))
    loss = weighted_loss(ratios, weights)
    assert -1 <= loss <= 0
    assert weighted_loss(ratios / ratios[0], weights) == pytest.approx(float(loss), rel=1e-9, abs=1e-12)


@given(weightings(), st.data())
def test_weighted_lvr_rate__any_covariance__never_a_gain(weights, data) -> None:
    size = len(weights)
    root = np.array(data.draw(st.lists(st.floats(-0.1, 0.1), min_size=size**2, max_size=size**2))).reshape(size, size)
    assert weighted_lvr_rate(weights, root @ root.T) >= 0


@given(st.lists(PRICE, min_size=2, max_size=30), RANGES)
def test_realised_lvr__any_path__begins_with_nothing_and_never_falls(path, ends) -> None:
    lost = realised_range_lvr(np.array(path), *ends)
    assert lost[0] == 0
    assert np.all(np.diff(lost) >= 0)


@given(st.lists(PRICE, min_size=2, max_size=30), RANGES)
def test_realised_lvr__there_and_back__holding_loses_nothing_and_lvr_both_ways(path, ends) -> None:
    there = np.array(path)
    loop = np.concatenate([there, there[::-1]])
    assert range_shortfall(loop[0], loop[-1], *ends) == 0  # against holding only the ends of a path count
    assert realised_range_lvr(loop, *ends)[-1] >= realised_range_lvr(there, *ends)[-1]


@given(st.lists(PRICE, min_size=2, max_size=30), RANGES)
def test_realised_lvr__any_path__differs_from_holding_by_trades_at_the_prices(path, ends) -> None:
    """Rebalancing less holding is what the pool's trades gain when made at the path's prices."""
    prices = np.array(path)
    held = v_amounts(prices, ends)
    gained = -np.diff(held) @ prices[1:] + (held[-1] - held[0]) * prices[-1]  # sells on the way, not at the end
    lost = realised_range_lvr(prices, *ends)[-1]
    against_holding = range_shortfall(prices[0], prices[-1], *ends)
    scale = float(range_value(prices, *ends).max() + prices.max() * held.max())
    assert lost - against_holding == pytest.approx(gained, abs=1e-9 * scale)


def v_amounts(prices: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Token0 of one unit of liquidity at each price, written down anew."""
    return 1 / np.sqrt(np.clip(prices, *ends)) - (0.0 if ends[1] == inf else 1 / np.sqrt(ends[1]))


# ------------------------------------------------------------------ expectations


@given(MOTION, PRICE, RANGES, DAYS)
def test_expected__any_motion__signs_and_bounds(motion, price, ends, days) -> None:
    assert expected_range_loss(motion, price, *ends, days) <= 0
    assert -1 <= mean_relative_loss(motion, price, *ends, days) <= 0
    assert 0 <= time_in_range(motion, price, *ends, days) <= 1
    even = expected_break_even(motion, price, *ends, days)
    assert even.holding >= 0
    assert even.rebalancing >= 0


@given(MOTION, PRICE, RANGES, DAYS)
def test_expected_range_loss__no_drift__is_the_expected_lvr(motion, price, ends, days) -> None:
    still = Motion(0.0, motion.volatility)
    lvr = float(expected_range_lvr(still, price, *ends, days))
    assert -expected_range_loss(still, price, *ends, days) == pytest.approx(lvr, rel=1e-6, abs=1e-9)


# ------------------------------------------------------------------ against the chain's integers


@given(
    st.integers(-3_000, 3_000),
    st.integers(-3_000, 3_000),
    st.integers(-3_200, 3_200),
    st.integers(1, 3_000),
    st.integers(60, 110),
)
def test_concentrated_loss__any_range__agrees_with_the_exact_integers(then, now, lower, width, bits) -> None:
    low, high, liquidity = lower * 60, (lower + width) * 60, 1 << bits
    held = v3.amounts(sqrt_ratio_at_tick(then * 60), low, high, liquidity)
    pool = v3_pool(sqrt_price_x96=sqrt_ratio_at_tick(now * 60))
    position = Position("p", pool.address, Tick(low), Tick(high), Liquidity(liquidity), Raw(0), Raw(0))
    price = spot(pool)
    loss = impermanent_loss(pool, position, Entry("p", Liquidity(liquidity), *held, 0), Money(price), Money(Decimal(1)))
    closed = concentrated_loss(1.0001 ** (then * 60), float(price), 1.0001**low, 1.0001**high)
    dust = float((1 + price) / loss.held) / 1e18 * 2 if loss.held else inf  # amounts are rounded down
    assert float(loss.percent) / 100 == pytest.approx(float(closed), rel=1e-7, abs=1e-9 + dust)


@given(
    st.integers(0, 2**128),
    st.lists(st.integers(0, 2**120), min_size=1, max_size=12),
    st.integers(0, 2**256 - 1),
)
def test_fees_by_bar__any_growth__sum_to_what_the_pool_owes_at_the_end(liquidity, grown, start) -> None:
    growth = [start]
    for step in grown:
        growth.append((growth[-1] + step) % 2**256)
    whole = (liquidity * sum(grown)) >> 128
    if whole < 2**128:
        assert sum(fees_by_bar(liquidity, growth)) == whole


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 8), st.integers(0, 2**130)), min_size=1, max_size=12),
    st.integers(-10, 0),
    st.integers(1, 10),
)
def test_fees_in_range__any_bars__bounds_in_order_and_wide_ranges_get_all(bars, lower, upper) -> None:
    growth = [0]
    for _, _, grown in bars:
        growth.append(growth[-1] + grown)
    ticks = [(low, low + height) for low, height, _ in bars]
    found = fees_in_range(10**6, growth, ticks, lower, upper)
    assert sum(found.least) <= sum(found.most) <= 10**6 * growth[-1] >> 128
    assert fees_in_range(10**6, growth, ticks, -30, 30).least == fees_by_bar(10**6, growth)
