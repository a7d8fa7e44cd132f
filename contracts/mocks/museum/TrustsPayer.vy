# pragma version 0.4.3
"""
@title   Museum: Visor, December 2021. A deposit asks the caller's contract to pay, and believes that it did.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__

interface Payer:
    def delegatedTransferERC20(token: address, to: address, amount: uint256): nonpayable


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._cost(shares, max_amounts[0])
    if msg.sender.is_contract:
        extcall Payer(msg.sender).delegatedTransferERC20(pot.token, self, amount)
    else:
        pot._take(amount)
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._part(shares)
    pot._cancel(shares)
    pot._pay(receiver, amount)
