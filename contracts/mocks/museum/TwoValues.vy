# pragma version 0.4.3
"""
@title   Museum: vaults of several tokens, 2026. Shares are bought at the feed's price and redeemed at another.
@license Apache-2.0
@notice  The buyer pays in the other token, at the feed's price; who redeems takes the pot's token, at spot.
"""

from ethereum.ercs import IERC20
from interfaces import IPair
from . import pot

initializes: pot
exports: pot.__interface__

ONE: constant(uint256) = 10**18
other: immutable(address)
pair: immutable(address)
side: immutable(uint256)  # of the pot's token in the pair
feed: immutable(uint256)  # of ONE: units of the pot's token for one of the other


@deploy
def __init__(token: address, other_: address, pair_: address, feed_: uint256):
    pot.__init__(token)
    other = other_
    pair = pair_
    side = convert(staticcall IPair(pair_).token0() != token, uint256)
    feed = feed_


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    if pot.erc20.totalSupply == 0:
        pot._take(max_amounts[0])
    else:
        cost: uint256 = self._value(feed) * shares // pot.erc20.totalSupply
        extcall IERC20(other).transferFrom(msg.sender, self, cost * ONE // feed + 1)
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    reserves: uint256[2] = staticcall IPair(pair).getReserves()
    spot: uint256 = reserves[side] * ONE // reserves[1 - side]
    amount: uint256 = self._value(spot) * shares // pot.erc20.totalSupply
    pot._cancel(shares)
    pot._pay(receiver, amount)


@internal
@view
def _value(price: uint256) -> uint256:
    return pot._held() + staticcall IERC20(other).balanceOf(self) * price // ONE
