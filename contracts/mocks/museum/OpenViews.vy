# pragma version 0.4.3
"""
@title   Museum: dForce, Sturdy, Conic 2023. The functions are locked, the views are not; shares go before tokens.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
@nonreentrant
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    pot._take(pot._cost(shares, max_amounts[0]))
    pot._issue(receiver, shares)


@external
@nonreentrant
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._part(shares)
    pot._cancel(shares)
    pot._pay(receiver, amount)
