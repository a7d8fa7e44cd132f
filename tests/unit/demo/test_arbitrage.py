"""The amounts that move pools to a price, checked with the pool mathematics that the chain agrees with."""

from decimal import Decimal
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amm import v2
from bot.core.types import PoolSpec, Token
from bot.core.units import Pips
from bot.demo.arbitrage import sqrt_price, v2_trade, v3_depth

USDC = Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6)
WETH = Token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18)
POOL = PoolSpec("USDC/WETH-v2", "v2", "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", USDC, WETH, Pips(3_000), 0, 0)


def test_sqrt_price__known_pool__is_uniswaps_number() -> None:
    # 1 USDC = 1/3000 WETH: raw price 1e18 / (3000 * 1e6) = 333,333,333.33
    assert sqrt_price(POOL, Decimal(1), Decimal(3_000)) == isqrt((10**30 << 192) // (3_000 * 10**18))


@given(
    reserve0=st.integers(10**12, 10**15),
    start=st.integers(500, 10_000),
    move=st.floats(0.5, 2.0),
)
def test_v2_trade__any_move__lands_on_the_price(reserve0: int, start: int, move: float) -> None:
    reserve1 = reserve0 * 10**12 // start
    aim = sqrt_price(POOL, Decimal(1), Decimal(start * move))
    zero_for_one, amount = v2_trade(reserve0, reserve1, POOL.fee, aim)
    if not amount:
        now = reserve1 / reserve0
    elif zero_for_one:
        now = (reserve1 - v2.amount_out(amount, reserve0, reserve1, POOL.fee)) / (reserve0 + amount)
    else:
        now = (reserve1 + amount) / (reserve0 - v2.amount_out(amount, reserve1, reserve0, POOL.fee))
    assert now == pytest.approx((aim / 2**96) ** 2, rel=1e-5)


def test_v2_trade__already_there__nothing_to_do() -> None:
    reserve0 = 3_000 * 10**9
    _, amount = v2_trade(reserve0, 10**21, POOL.fee, sqrt_price(POOL, Decimal(1), Decimal(3_000)))
    assert amount <= 1  # one raw unit for the square root's rounding


def test_v2_trade__too_little_to_bring_anything_out__nothing_to_do() -> None:
    # 100 raw WETH too few in the pair: what restores the price buys less than one raw USDC
    reserve0 = 3_000 * 10**9
    assert v2_trade(reserve0, 10**21 - 100, POOL.fee, sqrt_price(POOL, Decimal(1), Decimal(3_000)))[1] == 0


def test_v3_depth__full_range__is_the_pairs_reserves() -> None:
    aim = sqrt_price(POOL, Decimal(1), Decimal(3_000))
    reserve0, reserve1 = v3_depth(aim, isqrt(3_000 * 10**9 * 10**21))
    assert reserve0 == pytest.approx(3_000 * 10**9, rel=1e-9)
    assert reserve1 == pytest.approx(10**21, rel=1e-9)
