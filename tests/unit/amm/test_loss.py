"""Impermanent loss: exact amounts, closed forms, and the two against each other."""

from dataclasses import replace
from decimal import Decimal
from math import inf, nan

import pytest

from bot.amm import v2, v3
from bot.amm.loss import concentrated_loss, constant_product_loss, impermanent_loss
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


@pytest.mark.parametrize(
    "arguments", [(0, 1, 1, 2), (1, -1, 1, 2), (1, 1, 2, 2), (1, 1, -1, 2), (nan, 1, 1, 2), (1, inf, 1, 2)]
)
def test_concentrated_loss__no_prices_or_no_range__refused(arguments) -> None:
    with pytest.raises(ValueError, match="loss: prices must be above 0"):
        concentrated_loss(*arguments)


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
