# pragma version 0.4.3
"""
@title   For tests only: adds liquidity to Uniswap V3 pools and trades there, paying with mock tokens it mints
@license Apache-2.0
"""

from interfaces import IPool

MIN_SQRT_RATIO: constant(uint160) = 4295128739  # Uniswap's TickMath
MAX_SQRT_RATIO: constant(uint160) = 1461446703485210103287273052203988822378723970342

interface Mintable:
    def mint(to: address, amount: uint256): nonpayable


@external
def add(pool: address, lower: int24, upper: int24, liquidity: uint128):
    """@notice Open or grow a range of this contract."""
    extcall IPool(pool).mint(self, lower, upper, liquidity, b"")


@external
def swap(pool: address, zero_for_one: bool, amount: int256):
    """@notice Trade exactly `amount` in (negative: out)."""
    limit: uint160 = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
    extcall IPool(pool).swap(self, zero_for_one, amount, limit, b"")


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    self._pay(amount0, amount1)


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    self._pay(convert(max(amount0, 0), uint256), convert(max(amount1, 0), uint256))


@internal
def _pay(amount0: uint256, amount1: uint256):
    if amount0 > 0:
        extcall Mintable(staticcall IPool(msg.sender).token0()).mint(msg.sender, amount0)
    if amount1 > 0:
        extcall Mintable(staticcall IPool(msg.sender).token1()).mint(msg.sender, amount1)
