"""The bridges between the number worlds keep every digit, however many there are."""

from decimal import Decimal

import pytest

from bot.core.units import to_raw_ceil, to_raw_floor, to_units

HUGE = 10**33 + 1  # a quadrillion of a token with 18 decimals, and its smallest unit: more digits than Decimal keeps


@pytest.mark.parametrize("decimals", [0, 6, 18, 24])
@pytest.mark.parametrize("raw", [0, 1, 10**18 + 1, HUGE, 2**256 - 1])
def test_to_units__any_amount__exact_and_back(raw: int, decimals: int) -> None:
    units = to_units(raw, decimals)
    assert units.as_integer_ratio() == Decimal(f"{raw}e-{decimals}").as_integer_ratio()
    assert to_raw_floor(units, decimals) == to_raw_ceil(units, decimals) == raw


def test_to_raw__between_two_units__floor_below_and_ceil_above() -> None:
    units = Decimal(f"{HUGE}.5e-18")
    assert (to_raw_floor(units, 18), to_raw_ceil(units, 18)) == (HUGE, HUGE + 1)
