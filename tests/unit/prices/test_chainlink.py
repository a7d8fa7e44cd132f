"""An answer of a feed is a price only when it is positive, fresh and scaled as configured."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.chain.mainnet import MAINNET
from bot.core.errors import ConfigError, DataError, StaleData
from bot.core.types import Price
from bot.core.units import Money, Timestamp
from bot.prices.chainlink import price, prices
from tests.unit.venues.reading import read

USDC, WETH = MAINNET.feeds[0], MAINNET.feeds[1]
NOW = Timestamp(1_800_000_000)


def answered(answer: int, age_s: int = 0) -> tuple[int, ...]:
    return 9, answer, NOW - age_s, NOW - age_s, 9


def test_prices__several_feeds__in_their_order_and_exact() -> None:
    found, asked = read(prices((WETH, USDC), NOW), [answered(300_012_345_678, 60), (8,), answered(99_990_000), (8,)])
    assert found == (
        Price(WETH.token, Money(Decimal("3000.12345678")), f"chainlink:{WETH.address}", Timestamp(NOW - 60)),
        Price(USDC.token, Money(Decimal("0.9999")), f"chainlink:{USDC.address}", NOW),
    )
    assert len(asked[0]) == 4


def test_price__other_decimals_than_configured__is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"feed of WETH .*expected 8 decimals as configured, found 18"):
        price(WETH, answered(3_000 * 10**18), 18, NOW)


@pytest.mark.parametrize("answer", [0, -1])
def test_price__not_positive__is_a_data_error(answer: int) -> None:
    with pytest.raises(DataError, match=f"expected a positive price, found {answer}"):
        price(WETH, answered(answer), 8, NOW)


@pytest.mark.parametrize("answer", [95_000_000, 94_999_999, 105_000_000, 105_000_001])
def test_price__at_an_end_of_its_bounds_or_beyond__is_a_data_error(answer: int) -> None:
    bounded = replace(USDC, least=95_000_000, most=105_000_000)
    with pytest.raises(DataError, match=r"expected a price between 0\.95000000 and 1\.05000000, found"):
        price(bounded, answered(answer), 8, NOW)
    assert price(USDC, answered(answer), 8, NOW)


@pytest.mark.parametrize("answer", [95_000_001, 104_999_999])
def test_price__strictly_between_its_bounds__is_taken(answer: int) -> None:
    assert price(replace(USDC, least=95_000_000, most=105_000_000), answered(answer), 8, NOW)


def test_price__at_its_age_limit__is_taken_and_a_second_later_stale() -> None:
    assert price(WETH, answered(1, WETH.max_age_s), 8, NOW).at == NOW - WETH.max_age_s
    with pytest.raises(StaleData, match=f"at most {WETH.max_age_s} s old, found one of {WETH.max_age_s + 1} s"):
        price(WETH, answered(1, WETH.max_age_s + 1), 8, NOW)


def test_price__from_the_future__is_a_data_error() -> None:
    assert price(WETH, answered(1, -15), 8, NOW)
    with pytest.raises(DataError, match="16 s ahead"):
        price(WETH, answered(1, -16), 8, NOW)


def test_price__round_never_finished__is_stale() -> None:
    with pytest.raises(StaleData):
        price(WETH, (9, 5, 0, 0, 9), 8, NOW)
