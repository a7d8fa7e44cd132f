"""Impermanent loss: exact amounts, closed forms, and the two against each other."""

from dataclasses import replace
from decimal import Decimal
from math import inf, nan, sqrt

import numpy as np
import pytest

from bot.amm import v2, v3
from bot.amm.loss import (
    concentrated_loss,
    constant_product_loss,
    held_loss,
    impermanent_loss,
    range_amounts,
    range_shortfall,
    range_value,
    rebalancing_loss,
    weighted_loss,
)
from bot.amm.pools import spot
from bot.core.types import Entry, Pool, Position
from bot.core.units import Liquidity, Money, Raw
from tests.unit.amm.build import v2_pool, v3_pool

E18 = 10**18


def entered(pool: Pool, amounts: tuple[int, int], liquidity: int, lower: int = 0, upper: int = 0):
    position = Position("p", pool.address, lower, upper, liquidity, Raw(0), Raw(0))
    return position, Entry("p", Liquidity(liquidity), Raw(amounts[0]), Raw(amounts[1]), 0)


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [(1, 0), (1.25, -0.6), (1.5, -2.0), (1.75, -3.8), (2, -5.7), (3, -13.4), (4, -20.0), (5, -25.5)],
)
def test_constant_product_loss__the_well_known_table__equal(ratio: float, percent: float) -> None:
    assert constant_product_loss(ratio) * 100 == pytest.approx(percent, abs=0.06)
    assert constant_product_loss(1 / ratio) == pytest.approx(constant_product_loss(ratio))


def test_concentrated_loss__full_range__the_constant_product() -> None:
    for ratio in (0.01, 0.5, 1.0, 2.0, 300.0):
        assert concentrated_loss(7.0, 7.0 * ratio, 0, inf) == pytest.approx(constant_product_loss(ratio), abs=1e-12)


def test_concentrated_loss__price_inside_the_range__amplified_by_the_concentration() -> None:
    """For a range [p/r, p r]: the loss of the full range divided by 1 - 1/sqrt(r). arXiv:2111.09192, section 2."""
    for r in (1.5, 2.0, 4.0):
        ratio = r**0.5
        amplified = constant_product_loss(ratio) / (1 - 1 / r**0.5)
        assert concentrated_loss(1.0, ratio, 1 / r, r) == pytest.approx(amplified, rel=1e-9)


def test_concentrated_loss__price_left_and_entered_outside__holds_one_token() -> None:
    assert concentrated_loss(0.5, 0.9, 1.0, 2.0) == 0  # all token0 then and now
    assert concentrated_loss(1.0, 8.0, 1.0, 2.0) == pytest.approx(2**0.5 / 8 - 1)  # sold at sqrt(1 * 2) on the way


@pytest.mark.parametrize("ratio", [0, -1, inf, nan])
def test_constant_product_loss__no_price__refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="loss: price ratio must be above 0"):
        constant_product_loss(ratio)


@pytest.mark.parametrize("arguments", [(0, 1, 1, 2), (1, -1, 1, 2), (nan, 1, 1, 2), (1, inf, 1, 2)])
def test_concentrated_loss__no_prices__refused(arguments) -> None:
    with pytest.raises(ValueError, match="loss: prices must be above 0 and finite, found"):
        concentrated_loss(*arguments)


@pytest.mark.parametrize("ends", [(2, 2), (2, 1), (-1, 2), (nan, 2), (1, nan)])
def test_concentrated_loss__no_range__refused(ends) -> None:
    with pytest.raises(ValueError, match="loss: a range needs 0 <= lower < upper"):
        concentrated_loss(1, 1, *ends)


def test_concentrated_loss__arrays__one_by_one() -> None:
    prices, lowers = np.array([0.5, 1.0, 1.7, 9.0]), np.array([[0.1], [0.9]])
    table = concentrated_loss(1.2, prices, lowers, 2.0)
    assert table.shape == (2, 4)
    singly = [[concentrated_loss(1.2, float(p), float(low[0]), 2.0) for p in prices] for low in lowers]
    assert table == pytest.approx(np.array(singly), rel=1e-14)


def test_concentrated_loss__width_to_0__a_limit_order() -> None:
    """All is sold at the one price, so of r = now / then the loss tends to -|r - 1| / (r + 1)."""
    for ratio in (0.5, 0.99, 1.01, 3.0):
        tiny = concentrated_loss(5.0, 5.0 * ratio, 5.0 * (1 - 1e-7), 5.0 * (1 + 1e-7))
        assert tiny == pytest.approx(-abs(ratio - 1) / (ratio + 1), rel=2e-5)


def test_concentrated_loss__tiny_moves__keep_their_digits() -> None:
    """A quarter of the move squared, over twice what the range's width leaves: no cancellation of ones."""
    for move in (1e-3, 1e-5, 1e-6):
        expected = -((sqrt(1 + move) - 1) ** 2) / ((1 - sqrt(1 / 1.21)) * (1 + move) + 1 - sqrt(0.81))
        assert concentrated_loss(1.0, 1 + move, 0.81, 1.21) == pytest.approx(expected, rel=1e-8)


def test_range_shortfall__price_inside__is_the_same_for_every_range() -> None:
    expected = (sqrt(3.0) - sqrt(2.0)) ** 2 / sqrt(2.0)
    for ends in ((0, inf), (1, 4), (1.9, 3.1)):
        assert range_shortfall(2.0, 3.0, *ends) == pytest.approx(expected, rel=1e-12)


def test_range_value__in_under_and_over_the_range__is_its_amounts() -> None:
    prices = np.array([0.5, 1.0, 2.0, 4.0, 9.0])
    amount0, amount1 = range_amounts(prices, 1.0, 4.0)
    assert range_value(prices, 1.0, 4.0) == pytest.approx(amount0 * prices + amount1)
    assert amount0 == pytest.approx([0.5, 0.5, 1 / sqrt(2) - 0.5, 0, 0])
    assert amount1 == pytest.approx([0, 0, sqrt(2) - 1, 1, 1])


def test_held_loss__amounts_of_the_entry__is_the_concentrated_loss() -> None:
    prices = np.geomspace(0.1, 30, 40)
    assert held_loss(prices, 1.0, 4.0, *range_amounts(2.0, 1.0, 4.0)) == pytest.approx(
        concentrated_loss(2.0, prices, 1.0, 4.0), abs=1e-14
    )


def test_held_loss__entered_in_two_halves__is_the_mean_of_their_losses() -> None:
    (early0, early1), (late0, late1) = range_amounts(1.5, 1.0, 4.0), range_amounts(3.0, 1.0, 4.0)
    both = held_loss(2.0, 1.0, 4.0, (early0 + late0) / 2, (early1 + late1) / 2)
    lost = range_shortfall(1.5, 2.0, 1.0, 4.0) + range_shortfall(3.0, 2.0, 1.0, 4.0)
    assert both == pytest.approx(-lost / (2.0 * (early0 + late0) + early1 + late1))


def test_held_loss__held_nothing_or_less__refused() -> None:
    with pytest.raises(ValueError, match="loss: what was held must be above 0"):
        held_loss(1.0, 0.5, 2.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="loss: held token1 must be at least 0"):
        held_loss(1.0, 0.5, 2.0, 1.0, -0.1)


# ------------------------------------------------------------------ weighted


def test_weighted_loss__two_halves__the_constant_product() -> None:
    ratios = np.array([0.01, 0.5, 1.0, 1.7, 200.0])
    halves = weighted_loss(np.column_stack([ratios, np.ones(5)]), np.array([0.5, 0.5]))
    assert halves == pytest.approx(constant_product_loss(ratios), abs=1e-15)


def test_weighted_loss__eighty_twenty__as_balancer_tells() -> None:
    """prod(r^w) / sum(w r) - 1 at 80 % of what doubled: 2^0.8 / 1.8 - 1."""
    assert weighted_loss(np.array([2.0, 1.0]), np.array([0.8, 0.2])) == pytest.approx(2**0.8 / 1.8 - 1)


def test_weighted_loss__three_assets_traded_to_new_prices__as_their_amounts_say() -> None:
    """The invariant prod(x^w) and the spot prices w_i / x_i give the amounts; no formula of a loss is used."""
    weights, then, now = np.array([0.5, 0.3, 0.2]), np.array([2.0, 5.0, 1.0]), np.array([3.0, 4.0, 1.1])
    entered = weights / then  # worth 1, at spot prices
    shape = weights / now
    left = shape * np.prod(entered**weights) / np.prod(shape**weights)
    assert np.prod(left**weights) == pytest.approx(np.prod(entered**weights))
    assert weighted_loss(now / then, weights) == pytest.approx((left @ now) / (entered @ now) - 1)


def test_weighted_loss__all_prices_alike__nothing() -> None:
    assert weighted_loss(np.full((7, 3), 1.3), np.array([0.5, 0.3, 0.2])) == pytest.approx(np.zeros(7), abs=1e-15)


@pytest.mark.parametrize(
    ("ratios", "weights", "said"),
    [
        ([1.0, 1.0], [0.5, 0.4], "two or more weights must sum to 1"),
        ([1.0, 1.0], [1.0], "two or more weights must sum to 1"),
        ([1.0, 1.0], [1.5, -0.5], "weights must be above 0"),
        ([1.0, 1.0, 1.0], [0.5, 0.5], "2 weights need as many price ratios"),
        ([1.0, 0.0], [0.5, 0.5], "price ratios must be above 0"),
    ],
)
def test_weighted_loss__no_weights_or_ratios__refused(ratios, weights, said) -> None:
    with pytest.raises(ValueError, match=f"loss: {said}"):
        weighted_loss(np.array(ratios), np.array(weights))


# ------------------------------------------------------------------ exact


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_impermanent_loss__range_after_a_swap__exact_amounts_agree_with_the_closed_form(zero_for_one: bool) -> None:
    lower, upper, liquidity = -6000, 7200, 10**24
    pool, amount0, amount1 = v3.mint(v3_pool((-887220, 887220, 10**24)), lower, upper, liquidity)
    position, entry = entered(pool, (amount0, amount1), liquidity, lower, upper)
    then = spot(pool)
    pool = v3.swap_exact_in(pool, zero_for_one, 10**23).pool
    now = spot(pool)
    loss = impermanent_loss(pool, position, entry, Money(now), Money(Decimal(1)))
    closed = concentrated_loss(float(then), float(now), 1.0001**lower, 1.0001**upper)
    assert float(loss.percent) / 100 == pytest.approx(closed, rel=1e-8)
    assert closed < -0.001
    assert loss.net == loss.money == loss.principal - loss.held


def test_impermanent_loss__pair_without_fees_after_a_swap__agrees_with_the_closed_form() -> None:
    pool = v2_pool(10**24, 3 * 10**24, 10**24, fee=0)
    amounts = v2.amounts(pool, 10**23)
    position, entry = entered(pool, amounts, 10**23)
    then = spot(pool)
    pool, _ = v2.swap(pool, False, 3 * 10**24)
    now = spot(pool)
    loss = impermanent_loss(pool, position, entry, Money(now), Money(Decimal(1)))
    assert now / then == pytest.approx(4, rel=Decimal("1e-20"))
    assert loss.percent == pytest.approx(Decimal(-20), rel=Decimal("1e-20"))


def test_impermanent_loss__fees_earned__apart_and_in_the_net() -> None:
    pool = v2_pool(10 * E18, 10 * E18, 10 * E18)
    position = Position("p", pool.address, 0, 0, E18, Raw(3 * E18), Raw(4 * E18))
    loss = impermanent_loss(
        pool, position, Entry("p", E18, Raw(2 * E18), Raw(E18), 0), Money(Decimal(2)), Money(Decimal(1))
    )
    assert (loss.held, loss.principal, loss.fees) == (5, 3, 10)
    assert (loss.money, loss.percent, loss.net) == (-2, -40, 8)


def test_impermanent_loss__entered_with_nothing__no_per_cent() -> None:
    pool = v2_pool(10 * E18, 10 * E18, 10 * E18)
    position, entry = entered(pool, (0, 0), E18)
    assert impermanent_loss(pool, position, entry, Money(Decimal(1)), Money(Decimal(1))).percent == 0


def test_impermanent_loss__entry_or_pool_of_another_position__refused() -> None:
    pool = v3_pool((-60, 60, E18))
    position, entry = entered(pool, (1, 1), E18, -60, 60)
    price = Money(Decimal(1))
    with pytest.raises(ValueError, match=r"loss: position p of pool .* was given the entry of q"):
        impermanent_loss(pool, position, replace(entry, position="q"), price, price)
    with pytest.raises(ValueError, match="loss: position p of pool"):
        impermanent_loss(v2_pool(1, 1, 1), position, entry, price, price)


def test_impermanent_loss__entry_of_more_liquidity__refused_until_scaled() -> None:
    pool = v2_pool(10 * E18, 10 * E18, 10 * E18)
    position, entry = entered(pool, (E18, E18), E18)
    half, price = replace(position, liquidity=E18 // 2), Money(Decimal(1))
    with pytest.raises(ValueError, match="its entry stands for 1000000000000000000; scale the entry first"):
        impermanent_loss(pool, half, entry, price, price)
    assert impermanent_loss(pool, half, entry.scaled(half.liquidity), price, price).money == 0


# ------------------------------------------------------------------ rebalancing, exact


def test_rebalancing_loss__step_by_step__adds_up_to_what_rebalancing_would_have_made() -> None:
    """The path goes up and comes back: nothing is lost against holding, all of it against rebalancing."""
    lower, upper, liquidity = -6000, 7200, 10**24
    pool, *amounts = v3.mint(v3_pool((-887220, 887220, 10**24)), lower, upper, liquidity)
    position, last = entered(pool, (amounts[0], amounts[1]), liquidity, lower, upper)
    first, one = last, Money(Decimal(1))
    lost, rebalancing = Decimal(0), Decimal(0)
    for limit in (5 * 2**95, 3 * 2**95, 2**96):
        up = limit > pool.sqrt_price_x96
        pool = v3.swap_exact_in(pool, not up, 10**30, limit).pool
        price = spot(pool)
        lost += rebalancing_loss(pool, position, last, Money(price), one)
        now = v3.amounts(pool.sqrt_price_x96, lower, upper, liquidity)
        sold = last.amount0 - now[0]
        rebalancing += sold * price + (last.amount1 - now[1])  # what trading at the price, not in the pool, would bring
        last = Entry("p", Liquidity(liquidity), *now, 0)
    assert float(lost) == pytest.approx(float(rebalancing) / 1e18, rel=1e-12)
    assert lost > 10**4
    back = impermanent_loss(pool, position, first, Money(spot(pool)), one)
    assert abs(back.money) < Decimal("1e-15")
