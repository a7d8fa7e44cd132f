"""The worked example of the page on liquidity: every figure recomputes, and its picture is the one we draw."""

import re
from math import inf
from pathlib import Path

import numpy as np
import pytest

from bot.amm.loss import (
    Motion,
    concentrated_loss,
    constant_product_loss,
    constant_product_lvr_rate,
    estimated_fees,
    expected_break_even,
    expected_range_loss,
    range_amounts,
    range_lvr_rate,
    range_value,
    realised_range_lvr,
    time_in_range,
)
from bot.demo.loss_plot import loss_picture, panel
from bot.demo.picture import svg_file
from bot.ledger.place import Place
from tests.factories import USDC, WETH

DOCS = Path(__file__).parents[3] / "docs"
LOWER, UPPER, ENTERED, NOW = 2_700.0, 3_300.0, 3_000.0, 2_850.0
ENDS = (LOWER, UPPER)
LIQUIDITY = 100_000 / float(range_value(ENTERED, *ENDS))
VALUE = LIQUIDITY * float(range_value(NOW, *ENDS))
MOTION = Motion(0.0, 0.03)


@pytest.fixture(scope="module")
def example() -> str:
    """The section, on one line."""
    text = (DOCS / "lp.md").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", text.split("## A worked example")[1])


def test_example__amounts_and_loss__recompute(example: str) -> None:
    then, now = (np.array(range_amounts(p, *ENDS)) * LIQUIDITY for p in (ENTERED, NOW))
    held = then[0] * NOW + then[1]
    loss = concentrated_loss(ENTERED, NOW, *ENDS)
    assert f"{then[0]:.3f} WETH and {then[1]:,.0f} USDC. WETH falls to 2,850" in example
    assert f"{now[0]:.3f} WETH and {now[1]:,.0f} USDC, worth {VALUE:,.0f} dollars" in example
    assert (
        f"worth {held:,.0f}. The impermanent loss is {held - VALUE:.0f} dollars or {-loss:.3%}".replace("%", " %")
        in example
    )
    assert f"a full range would have lost {-constant_product_loss(NOW / ENTERED) * 100:.3f} %" in example
    low, high = (-concentrated_loss(ENTERED, end, *ENDS) * 100 for end in ENDS)
    assert f"{low:.2f} % (2,700) and {high:.2f} % (3,300)" in example


def test_example__rebalancing__recomputes(example: str) -> None:
    rate = float(range_lvr_rate(NOW, *ENDS, 0.03))
    _, down, back = realised_range_lvr(np.array([ENTERED, NOW, ENTERED]), *ENDS) * LIQUIDITY
    assert f"0.03² / 8 = {constant_product_lvr_rate(0.03) * 100:.5f} % a day" in example
    assert f"this one {rate * 100:.4f} %, or {rate * VALUE:.0f} dollars" in example
    assert f"the LVR was {down:.0f} dollars on the way down, and after the way up it is {back:,.0f}" in example
    assert range_lvr_rate(NOW, 0.0, inf, 0.03) == pytest.approx(0.03**2 / 8)


def test_example__the_days_ahead__recompute(example: str) -> None:
    stays = float(time_in_range(MOTION, NOW, *ENDS, 7.0))
    lost = -float(expected_range_loss(MOTION, NOW, *ENDS, 7.0))
    even = float(expected_break_even(MOTION, NOW, *ENDS, 7.0).holding)
    assert f"in range {stays * 100:.1f} % of the time" in example
    assert f"to end {lost * VALUE:,.0f} dollars ({lost * 100:.3f} %) below holding" in example
    assert f"{even * 100:.3f} % or {even * VALUE:.0f} dollars a day, that is {even / stays * 100:.3f} %" in example


def test_example__fees__recompute(example: str) -> None:
    earned = estimated_fees(20e6, 0.0005, LIQUIDITY, 2.5e6)
    assert f"its {LIQUIDITY:,.0f} units earn {earned:.0f} dollars a day" in example


def test_example__picture__is_the_one_we_draw() -> None:
    token, quote = range_amounts(ENTERED, *ENDS)
    here = Place(WETH, USDC, LOWER, UPPER, NOW, float(token), float(quote))
    drawn = svg_file(loss_picture([panel("WETH/USDC, 2,700 to 3,300", here)]))
    assert (DOCS / "lp.svg").read_text(encoding="utf-8") == drawn, (
        "draw it anew: write what `svg_file` gives to docs/lp.svg"
    )
