# pragma version 0.4.3
"""
@title   Museum: Curve's pools, July 2023. Each function got a lock of its own, and tokens went before shares.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__

minting: transient(bool)
redeeming: transient(bool)


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    assert not self.minting, "twin: locked"
    self.minting = True
    pot._take(pot._cost(shares, max_amounts[0]))
    pot._issue(receiver, shares)
    self.minting = False


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    assert not self.redeeming, "twin: locked"
    self.redeeming = True
    pot._pay(receiver, pot._part(shares))
    pot._cancel(shares)
    self.redeeming = False
