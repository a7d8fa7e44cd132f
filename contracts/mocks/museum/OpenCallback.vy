# pragma version 0.4.3
"""
@title   Museum: Sorbet (G-UNI), December 2021. A callback that pays whoever calls it.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

tokens: immutable(address[2])


@deploy
def __init__(token0: address, token1: address):
    tokens = [token0, token1]


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    self._pay(amount0, amount1)


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    self._pay(convert(max(amount0, 0), uint256), convert(max(amount1, 0), uint256))


@internal
def _pay(amount0: uint256, amount1: uint256):
    extcall IERC20(tokens[0]).transfer(msg.sender, amount0)
    extcall IERC20(tokens[1]).transfer(msg.sender, amount1)
