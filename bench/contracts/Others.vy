# pragma version 0.4.3
"""
@title   For measurements only: the other users of a V3 pool, who pay with what this contract holds
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from interfaces import IPool

LEAST_SQRT_PRICE: constant(uint160) = 4295128740
MOST_SQRT_PRICE: constant(uint160) = 1461446703485210103287273052203988822378723970341


@external
def add(pool: address, lower: int24, upper: int24, liquidity: uint128):
    extcall IPool(pool).mint(self, lower, upper, liquidity, b"")


@external
def swap(pool: address, zero_for_one: bool, amount: int256):
    limit: uint160 = LEAST_SQRT_PRICE if zero_for_one else MOST_SQRT_PRICE
    extcall IPool(pool).swap(self, zero_for_one, amount, limit, b"")


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    self._pay(amount0, amount1)


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    self._pay(convert(max(amount0, 0), uint256), convert(max(amount1, 0), uint256))


@internal
def _pay(amount0: uint256, amount1: uint256):
    extcall IERC20(staticcall IPool(msg.sender).token0()).transfer(msg.sender, amount0)
    extcall IERC20(staticcall IPool(msg.sender).token1()).transfer(msg.sender, amount1)
