# pragma version 0.4.3
"""
@title   Museum: Bunni, September 2025. Each withdrawal rounds a little for the one who leaves, and there may be many.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    pot._take(pot._cost(shares, max_amounts[0]))
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._cost(shares, 0)
    pot._cancel(shares)
    pot._pay(receiver, amount)
