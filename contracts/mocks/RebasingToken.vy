# pragma version 0.4.3
"""
@title   For tests only: a token whose balances all grow or shrink at once, without a transfer, as Ampleforth's do
@license Apache-2.0
@notice  An account owns parts; so many of them are one unit. What is moved arrives to the last unit.
"""

from ethereum.ercs import IERC20
from . import erc20

implements: IERC20
initializes: erc20
exports: (erc20.name, erc20.symbol, erc20.decimals, erc20.allowance, erc20.approve)

PARTS_AT_FIRST: constant(uint256) = 10**18

parts_per_unit: public(uint256)


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)
    self.parts_per_unit = PARTS_AT_FIRST


@external
def rebase(numerator: uint256, denominator: uint256):
    """@notice Multiply every balance."""
    self.parts_per_unit = self.parts_per_unit * denominator // numerator


@external
@view
def balanceOf(owner: address) -> uint256:
    return erc20.balanceOf[owner] // self.parts_per_unit


@external
@view
def totalSupply() -> uint256:
    return erc20.totalSupply // self.parts_per_unit


@external
def mint(to: address, amount: uint256):
    """@notice Create `amount` for anybody; a mock has no owner."""
    parts: uint256 = amount * self.parts_per_unit
    erc20.totalSupply += parts
    erc20.balanceOf[to] += parts


@external
def transfer(to: address, amount: uint256) -> bool:
    erc20._move(msg.sender, to, amount * self.parts_per_unit)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    erc20._spend(owner, amount)
    erc20._move(owner, to, amount * self.parts_per_unit)
    return True
