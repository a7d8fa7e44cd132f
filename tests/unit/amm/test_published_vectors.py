"""Every number that Uniswap's own test suites expect of the mathematics."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bot.amm import v2, v3
from bot.amm.sqrt_price import (
    amount0_delta,
    amount1_delta,
    compute_swap_step,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
    range_amounts,
    range_liquidity,
)
from bot.amm.ticks import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from bot.core.types import V3Pool
from tests.unit.amm.build import v3_pool

INT256_MAX = (1 << 255) - 1


def integers(node: Any) -> Any:
    """The vectors with their long integers, which are strings in JSON, as numbers."""
    if isinstance(node, dict):
        return {key: integers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [integers(value) for value in node]
    if isinstance(node, str) and node.removeprefix("-").isdigit():
        return int(node)
    return node


@pytest.fixture(scope="module")
def maths(data_dir: Path) -> dict[str, Any]:
    return integers(json.loads((data_dir / "vectors" / "uniswap_math_vectors.json").read_text()))


@pytest.fixture(scope="module")
def swaps(data_dir: Path) -> dict[str, Any]:
    return integers(json.loads((data_dir / "vectors" / "uniswap_v3_pool_swaps.json").read_text()))


def test_tick_math__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["TickMath_getSqrtRatioAtTick"]
    assert len(vectors) == 32
    for tick, ratio in vectors:
        assert sqrt_ratio_at_tick(tick) == ratio
        if tick < 887272:
            assert tick_at_sqrt_ratio(ratio) == tick


def test_sqrt_price_math__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["SqrtPriceMath"]
    assert len(vectors) == 18
    moves = {
        "getNextSqrtPriceFromInput": next_sqrt_price_from_input,
        "getNextSqrtPriceFromOutput": next_sqrt_price_from_output,
    }
    deltas = {"getAmount0Delta": amount0_delta, "getAmount1Delta": amount1_delta}
    for vector in vectors:
        if vector["fn"] in moves:
            found = moves[vector["fn"]](vector["sqrtPX96"], vector["liquidity"], vector["amount"], vector["zeroForOne"])
        else:
            found = deltas[vector["fn"]](vector["sqrtA"], vector["sqrtB"], vector["liquidity"], vector["roundUp"])
        assert found == vector["expected"], vector


def test_swap_step__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["SwapMath_computeSwapStep"]
    assert len(vectors) == 9
    for vector in vectors:
        remaining, expected = vector["amountRemaining"], vector["expected"]
        step = compute_swap_step(
            vector["sqrtP"], vector["sqrtTarget"], vector["liquidity"], abs(remaining), vector["feePips"], remaining > 0
        )
        assert (step.amount_in, step.amount_out, step.fee_amount) == (
            expected["amountIn"],
            expected["amountOut"],
            expected["feeAmount"],
        )
        if expected["sqrtQ"] is not None:
            assert step.sqrt_price_x96 == expected["sqrtQ"]


def test_swaps__published_pool_snapshot__every_delta_equal(swaps: dict[str, Any]) -> None:
    pools = {pool["description"]: pool_of(pool) for pool in swaps["pools"]}
    assert len(pools) == 5
    assert len(swaps["cases"]) == 80
    for case in swaps["cases"]:
        check_case(pools[case["pool"]], case)


def pool_of(vector: dict[str, Any]) -> V3Pool:
    ranges = ((p["tickLower"], p["tickUpper"], p["liquidity"]) for p in vector["positions"])
    return v3_pool(
        *ranges, spacing=vector["tickSpacing"], sqrt_price_x96=vector["startingSqrtPriceX96"], fee=vector["fee"]
    )


def check_case(pool: V3Pool, case: dict[str, Any]) -> None:
    order, expected = case["swap"], case["expected"]
    zero_for_one, limit = order["zeroForOne"], order["sqrtPriceLimitX96"]
    swap = v3.swap_exact_out if order["exactOut"] else v3.swap_exact_in
    amount = INT256_MAX if order["amount"] is None else order["amount"]
    assert pool.tick == expected["tickBefore"]
    if "swapError" in expected:
        assert expected["swapError"].endswith("SPL")
        with pytest.raises(ValueError, match="v3: price limit already passed"):
            swap(pool, zero_for_one, amount, limit)
        return
    result = swap(pool, zero_for_one, amount, limit)
    deltas = (result.amount_in, -result.amount_out)
    growths = (result.fee_growth_x128, 0)
    if not zero_for_one:
        deltas, growths = deltas[::-1], growths[::-1]
    assert deltas == (expected["amount0Delta"], expected["amount1Delta"])
    assert growths == (expected["feeGrowthGlobal0X128Delta"], expected["feeGrowthGlobal1X128Delta"])
    assert result.pool.tick == expected["tickAfter"]
    price = Fraction(int(result.pool.sqrt_price_x96) ** 2, 1 << 192)
    assert float(price) == pytest.approx(float(expected["poolPriceAfter"]), rel=1e-4)


def test_liquidity_amounts__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["LiquidityAmounts"]
    assert len(vectors) == 10
    for vector in vectors:
        prices = vector["sqrtP"], vector["sqrtA"], vector["sqrtB"]
        if vector["fn"] == "getLiquidityForAmounts":
            assert range_liquidity(*prices, vector["amount0"], vector["amount1"]) == vector["expected"], vector
        else:
            assert list(range_amounts(*prices, vector["liquidity"], False)) == vector["expected"], vector


def test_position_amounts__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["v3sdk_position"]
    assert len(vectors) == 3
    for vector in vectors:
        lower, upper, liquidity = vector["tickLower"], vector["tickUpper"], vector["liquidity"]
        empty = v3_pool(spacing=10, sqrt_price_x96=vector["sqrtP"])
        assert empty.tick == vector["tick"]
        pool, taken0, taken1 = v3.mint(empty, lower, upper, liquidity)
        assert [taken0, taken1] == vector["mintAmounts_roundUp"]
        pool, given0, given1 = v3.burn(pool, lower, upper, liquidity)
        assert [given0, given1] == vector["burnAmounts_roundDown"]
        assert pool == empty


def test_v2_amount_out__published_vectors__equal(maths: dict[str, Any]) -> None:
    vectors = maths["UniswapV2_getAmountOut_1e18"]
    assert len(vectors) == 7
    ether = 10**18
    for vector in vectors:
        reserves = vector["reserveIn"] * ether, vector["reserveOut"] * ether
        assert v2.amount_out(vector["amountIn"] * ether, *reserves, 3_000) == vector["expectedWei"]
