# pragma version 0.4.3
"""
@title   Museum: Resupply, June 2025. A lender divides by a share's price: dear enough, and no debt weighs anything.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

ONE: constant(uint256) = 10**18
MOST_LTV: constant(uint256) = 95 * 10**16  # of ONE
token: immutable(address)


@deploy
def __init__(token_: address):
    token = token_


@external
def borrow(house: address, shares: uint256, amount: uint256):
    """@notice Lend `amount` against the caller's shares of a house."""
    extcall IERC20(house).transferFrom(msg.sender, self, shares)
    price: uint256 = staticcall IERC20(token).balanceOf(house) * ONE // staticcall IERC20(house).totalSupply()
    rate: uint256 = ONE * ONE // price  # shares for one of the token
    assert amount * rate // shares <= MOST_LTV, "lender: solvent"
    extcall IERC20(token).transfer(msg.sender, amount)
