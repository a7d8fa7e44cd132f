"""The vault's arithmetic against Python's integers and Uniswap's own numbers."""

from math import isqrt
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.amm import v3
from bot.amm.ticks import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from tests.contracts.market import CONTRACTS
from tests.contracts.vault.world import reverts

FACE = """
# pragma version 0.4.3
from modules import maths
@external
@view
def mul_div(a: uint256, b: uint256, d: uint256) -> (uint256, uint256):
    return maths._mul_div(a, b, d), maths._mul_div_up(a, b, d)
@external
@view
def sqrt_x96(n: uint256, d: uint256) -> uint256:
    return maths._sqrt_x96(n, d)
@external
@view
def sqrt_ratio(tick: int256) -> uint256:
    return maths._sqrt_ratio(tick)
@external
@view
def amounts(at: uint256, lower: int24, upper: int24, liquidity: uint256) -> uint256[2]:
    return maths._amounts(at, lower, upper, liquidity)
"""
WORD = st.integers(0, 2**256 - 1)
TICK = st.integers(MIN_TICK, MAX_TICK)
few = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def maths() -> Any:
    boa.interpret.set_search_paths([str(CONTRACTS)])
    return boa.loads(FACE)


@few
@given(a=WORD, b=WORD, d=st.integers(1, 2**256 - 1))
def test_mul_div__any_words__is_exact_or_refused(maths: Any, a: int, b: int, d: int) -> None:
    if a * b // d >= 2**256:
        with reverts("maths: overflow"):
            maths.mul_div(a, b, d)
    elif -(-a * b // d) < 2**256:
        assert maths.mul_div(a, b, d) == (a * b // d, -(-a * b // d))


@few
@given(a=WORD, b=WORD, bits=st.integers(0, 255), odd=st.integers(0, 2**60))
def test_mul_div__divisor_with_many_twos__is_exact(maths: Any, a: int, b: int, bits: int, odd: int) -> None:
    d = min((2 * odd + 1) << bits, 2**255)
    a %= d  # so that the quotient fits
    assert maths.mul_div(a, b, d)[0] == a * b // d


def test_mul_div__by_zero__reverts(maths: Any) -> None:
    with reverts(None):
        maths.mul_div(1, 1, 0)
    with reverts("maths: overflow"):
        maths.mul_div(2**255, 2, 0)


@few
@given(n=st.integers(1, 2**200), d=st.integers(1, 2**200))
def test_sqrt_x96__is_the_root_to_a_part_in_two_to_the_sixty_fourth(maths: Any, n: int, d: int) -> None:
    if n >= d << 190 or d >= n << 120:
        return
    exact = isqrt((n << 192) // d)
    assert abs(maths.sqrt_x96(n, d) - exact) <= max(exact >> 63, 1)


@few
@given(tick=TICK)
def test_sqrt_ratio__is_uniswaps(maths: Any, tick: int) -> None:
    assert maths.sqrt_ratio(tick) == sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("tick", [MIN_TICK, -1, 0, 1, MAX_TICK, *(sign << i for i in range(19) for sign in (1, -1))])
def test_sqrt_ratio__at_every_bit_and_the_ends__is_uniswaps(maths: Any, tick: int) -> None:
    assert maths.sqrt_ratio(tick) == sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_sqrt_ratio__beyond_the_ends__reverts(maths: Any, tick: int) -> None:
    with reverts("maths: tick"):
        maths.sqrt_ratio(tick)


@few
@given(ends=st.tuples(TICK, TICK).filter(lambda t: t[0] != t[1]), tick=TICK, liquidity=st.integers(0, 2**128 - 1))
def test_amounts__are_what_the_pool_would_pay(maths: Any, ends: tuple[int, int], tick: int, liquidity: int) -> None:
    lower, upper = sorted(ends)
    at = sqrt_ratio_at_tick(tick)
    assert tuple(maths.amounts(at, lower, upper, liquidity)) == v3.amounts(at, lower, upper, liquidity)
