# pragma version 0.4.3
"""
@title   For tests only: a token that calls somebody around every move, as ERC-777 does, and when asked a balance
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from . import erc20
from . import hook

implements: IERC20
initializes: erc20
initializes: hook
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.allowance,
    erc20.totalSupply,
    erc20.approve,
    erc20.mint,
    erc20.burn,
)
exports: hook.__interface__

BEFORE_TRANSFER: constant(uint256) = 1
AFTER_TRANSFER: constant(uint256) = 2
BEFORE_TRANSFER_FROM: constant(uint256) = 4
AFTER_TRANSFER_FROM: constant(uint256) = 8
BALANCE_OF: constant(uint256) = 16  # a view


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)


@external
@view
def balanceOf(owner: address) -> uint256:
    hook._peek(BALANCE_OF)
    return erc20.balanceOf[owner]


@external
def transfer(to: address, amount: uint256) -> bool:
    hook._fire(BEFORE_TRANSFER)
    erc20._move(msg.sender, to, amount)
    hook._fire(AFTER_TRANSFER)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    hook._fire(BEFORE_TRANSFER_FROM)
    erc20._spend(owner, amount)
    erc20._move(owner, to, amount)
    hook._fire(AFTER_TRANSFER_FROM)
    return True
