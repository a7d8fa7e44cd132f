"""Losses and fees on recorded pools: WBTC/WETH by day over three years, USDC/WETH by minute and from its first mint."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import inf, log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bot.amm import v3
from bot.amm.loss import (
    constant_product_lvr_rate,
    estimated_fees,
    fees_by_bar,
    fees_in_range,
    inside_share,
    range_amounts,
    range_value,
    realised_range_lvr,
)
from bot.core.units import Raw
from tests.unit.amm.build import at_tick, v3_pool

DAILY = "onchain/v3_WBTC_WETH_30bp_daily_2021-05_2024-01.csv.gz"
MINUTES = "onchain/demeter_polygon-0x45dda9cb7c25131df268515131f647d726f50608-2023-08-{}.minute.csv.gz"
MINTS = "onchain/v3_USDC_WETH_30bp_mint_burn_12370624_12500000.parquet"
SETTLED = 30  # days after which the pool's liquidity no longer grows by the hour
WETH_PER_WBTC = 1e-10  # whole over raw: 8 against 18 decimals
OWN = 10**15  # liquidity of the position we imagine; what the pool paid per unit was the same with or without it

DataFile = Callable[[str], Path]


@dataclass(frozen=True)
class Days:
    """The pool at the end of each day, oldest first, and what was traded in it."""

    price: np.ndarray  # WBTC in WETH
    liquidity: np.ndarray
    growth: tuple[list[int], list[int]]  # feeGrowthGlobal X128 of WBTC and WETH
    ticks: list[tuple[int, int]]  # lowest and highest of each day
    volume: np.ndarray  # in WETH; the mean of both legs


@pytest.fixture(scope="module")
def days(data_file: DataFile) -> Days:
    with gzip.open(data_file(DAILY), "rt") as source:
        rows = list(csv.DictReader(source, delimiter=";"))[::-1][SETTLED:]

    def whole(name: str) -> list[int]:
        return [int(row[name].replace(",", "")) for row in rows]

    def number(name: str) -> np.ndarray:
        return np.array([float(row[name].replace(",", "")) for row in rows])

    price = np.array([(root / 2**96) ** 2 for root in whole("Sqrt Price")]) * WETH_PER_WBTC
    turned = number("High"), number("Low")  # of WETH in WBTC
    low, high = (np.floor(np.log(1 / side / WETH_PER_WBTC) / log(1.0001)).astype(int) for side in turned)
    volume = (number("Volume Token 0") * price + number("Volume Token 1")) / 2
    growth = whole("Fee Growth Global 0 X128"), whole("Fee Growth Global 1 X128")
    return Days(price, number("Liquidity"), growth, list(zip(low.tolist(), high.tolist(), strict=True)), volume)


def in_weth(days: Days, fees0: tuple[Raw, ...], fees1: tuple[Raw, ...]) -> np.ndarray:
    """Fees of each day but the first at its closing price."""
    return np.array(fees0) / 1e8 * days.price[1:] + np.array(fees1) / 1e18


def test_fees__full_range_for_three_years__exact_ones_as_the_volume_says(days: Days) -> None:
    """Fee growth against 0.3 % of volume shared by the liquidity at the day's end: two sources that never met."""
    exact = in_weth(days, *(fees_by_bar(OWN, growth) for growth in days.growth))
    estimate = estimated_fees(days.volume[1:], 0.003, OWN, days.liquidity[1:])
    assert estimate.sum() == pytest.approx(exact.sum(), rel=0.01)
    assert np.median(estimate / exact) == pytest.approx(1, abs=0.01)
    assert np.abs(np.log(estimate / exact)).mean() < 0.25  # a single day may well be off by as much


def test_fees__narrow_range_for_three_years__estimate_lies_between_the_exact_bounds(days: Days) -> None:
    lower, upper = 256_000, 259_000
    bounds = [fees_in_range(OWN, growth, days.ticks[1:], lower, upper) for growth in days.growth]
    least = in_weth(days, bounds[0].least, bounds[1].least).sum()
    most = in_weth(days, bounds[0].most, bounds[1].most).sum()
    low, high = (np.array(side, dtype=float) for side in zip(*days.ticks[1:], strict=True))
    part = inside_share(low, high, lower, upper)
    estimate = estimated_fees(days.volume[1:], 0.003, OWN, days.liquidity[1:], part).sum()
    assert 0 < least < estimate < most
    assert most < 1.6 * least  # the bounds say something
    assert most < in_weth(days, *(fees_by_bar(OWN, growth) for growth in days.growth)).sum()


def test_lvr__full_range_for_three_years__an_eighth_of_the_squared_returns(days: Days) -> None:
    lost = realised_range_lvr(days.price, 0.0, inf)[-1]
    squared = np.diff(np.log(days.price)) ** 2
    value = range_value(days.price[:-1], 0.0, inf)
    assert lost == pytest.approx((squared / 8 * value).sum(), rel=0.005)
    measured = constant_product_lvr_rate(float(np.sqrt(squared.mean())))
    assert lost / value.mean() / len(squared) == pytest.approx(float(measured), rel=0.1)


def test_fees_and_lvr__full_range_for_three_years__fees_made_up_for_four_fifths(days: Days) -> None:
    """A finding, kept so that a change of either side is seen: 0.277 against 0.345 WETH per whole unit of liquidity."""
    fees = in_weth(days, *(fees_by_bar(OWN, growth) for growth in days.growth)).sum() / (OWN / sqrt(10.0 ** (8 + 18)))
    assert fees == pytest.approx(0.277, abs=0.001)
    assert realised_range_lvr(days.price, 0.0, inf)[-1] == pytest.approx(0.345, abs=0.001)


# ------------------------------------------------------------------ by the minute


def test_fees__four_days_of_minutes__estimate_is_what_replayed_swaps_pay(data_file: DataFile) -> None:
    """Each minute's inputs are swapped in a pool of the minute's liquidity, in integers; its fee growth pays us."""
    rows: list[dict[str, str]] = []
    for day in ("13", "14", "15", "16"):
        with gzip.open(data_file(MINUTES.format(day)), "rt") as source:
            rows += csv.DictReader(source)
    lower, upper = 201_050, 201_250
    replayed = [0, 0]
    for row in rows:
        if not lower <= int(row["openTick"]) < upper:
            continue
        pool = v3_pool(
            (-887270, 887270, int(row["currentLiquidity"])), spacing=10, sqrt_price_x96=at_tick(int(row["openTick"]))
        )
        for side in (0, 1):
            if given := int(Decimal(row[f"inAmount{side}"])):
                growth = v3.swap_exact_in(pool, side == 0, given).fee_growth_x128
                replayed[side] += v3.fees_due(10**6 * OWN, growth, 0, 0)

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    inside = inside_share(column("openTick"), column("openTick"), lower, upper)
    for side in (0, 1):
        found = estimated_fees(column(f"inAmount{side}"), 0.0005, 10**6 * OWN, column("currentLiquidity"), inside)
        assert found.sum() == pytest.approx(replayed[side], rel=1e-6)  # the pool rounds each fee up
        whole = inside_share(column("lowestTick"), column("highestTick"), lower, upper)
        spread = estimated_fees(column(f"inAmount{side}"), 0.0005, 10**6 * OWN, column("currentLiquidity"), whole)
        assert spread.sum() == pytest.approx(found.sum(), rel=0.05)
    assert len(rows) == 5_759


# ------------------------------------------------------------------ real positions


def test_range_amounts__every_mint_inside_its_range__as_the_chain_took(data_file: DataFile) -> None:
    """The token1 of a mint tells the price; at that price the closed form must give its token0."""
    table = pd.read_parquet(data_file(MINTS))
    mints = table[table["type"] == "mint"]
    raw = {name: np.array([float(int(x)) for x in mints[name]]) for name in ("liquidity", "amount0", "amount1")}
    lower, upper = (1.0001 ** mints[name].to_numpy(dtype=float) for name in ("tick_lower", "tick_upper"))
    both = (raw["amount0"] > 1e6) & (raw["amount1"] > 1e12)
    price = (np.sqrt(lower[both]) + raw["amount1"][both] / raw["liquidity"][both]) ** 2
    amount0, amount1 = range_amounts(price, lower[both], upper[both])
    assert both.sum() > 1_000
    assert amount1 * raw["liquidity"][both] == pytest.approx(raw["amount1"][both], rel=1e-8)
    off = np.abs(amount0 * raw["liquidity"][both] / raw["amount0"][both] - 1)
    assert np.quantile(off, 0.99) < 1e-6
    assert off.max() < 1e-4  # amounts of a unit's rounding, in thin slices of a range
