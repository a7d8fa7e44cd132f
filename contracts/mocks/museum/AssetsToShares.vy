# pragma version 0.4.3
"""
@title   Museum: Hundred 2023, Sonne 2024, Resupply 2025. A deposit names tokens and gets shares, rounded down, of a pot
@license Apache-2.0
@notice  that the first depositor and a gift have made as dear as they like.
"""

from . import pot

initializes: pot
exports: pot.__interface__


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def deposit(amount: uint256):
    shares: uint256 = amount
    if pot.erc20.totalSupply != 0:
        shares = amount * pot.erc20.totalSupply // pot._held()
    pot._take(amount)
    pot._issue(msg.sender, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._part(shares)
    pot._cancel(shares)
    pot._pay(receiver, amount)
