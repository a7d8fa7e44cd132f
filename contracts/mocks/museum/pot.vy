# pragma version 0.4.3
"""
@title   For the museum only: the honest part of its twins: shares of one token, in kind, rounded for those who stay
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from .. import erc20

initializes: erc20
exports: (
    erc20.balanceOf,
    erc20.totalSupply,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
)

token: public(immutable(address))


@deploy
def __init__(token_: address):
    erc20.__init__("Twin", "TWIN", 18)
    token = token_


@internal
@view
def _held() -> uint256:
    return staticcall IERC20(token).balanceOf(self)


@internal
@view
def _cost(shares: uint256, most: uint256) -> uint256:
    """@notice What so many new shares cost; the first take `most` whole"""
    if erc20.totalSupply == 0:
        return most
    return (self._held() * shares + erc20.totalSupply - 1) // erc20.totalSupply


@internal
@view
def _part(shares: uint256) -> uint256:
    return self._held() * shares // erc20.totalSupply


@internal
def _take(amount: uint256):
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount, default_return_value=True)


@internal
def _pay(to: address, amount: uint256):
    assert extcall IERC20(token).transfer(to, amount, default_return_value=True)


@internal
def _issue(to: address, shares: uint256):
    erc20.totalSupply += shares
    erc20.balanceOf[to] += shares


@internal
def _cancel(shares: uint256):
    erc20._destroy(msg.sender, shares)
