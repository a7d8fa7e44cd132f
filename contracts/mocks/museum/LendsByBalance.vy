# pragma version 0.4.3
"""
@title   Museum: dForce, Sturdy and Conic 2023. An honest lender asks a house what its shares are worth, at any moment.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

token: immutable(address)
house: immutable(address)
collateral: public(HashMap[address, uint256])


@deploy
def __init__(token_: address, house_: address):
    token = token_
    house = house_


@external
def post(shares: uint256):
    extcall IERC20(house).transferFrom(msg.sender, self, shares)
    self.collateral[msg.sender] += shares


@external
def borrow(owner: address):
    """@notice Lend an owner four fifths of what his shares are worth now; he may leave them here."""
    shares: uint256 = self.collateral[owner]
    self.collateral[owner] = 0
    worth: uint256 = staticcall IERC20(token).balanceOf(house) * shares // staticcall IERC20(house).totalSupply()
    extcall IERC20(token).transfer(owner, worth * 4 // 5)
