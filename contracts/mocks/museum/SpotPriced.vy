# pragma version 0.4.3
"""
@title   Museum: Harvest 2020, Gamma 2024. Shares are priced at a pool's spot; Gamma's could stray up to a threshold.
@license Apache-2.0
@notice  Holds the pot's token and another; sells shares for the first, and redeems in kind.
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
fair: immutable(uint256)  # of ONE: units of the pot's token for one of the other
threshold_bps: immutable(uint256)


@deploy
def __init__(token: address, other_: address, pair_: address, fair_: uint256, threshold_bps_: uint256):
    pot.__init__(token)
    other = other_
    pair = pair_
    side = convert(staticcall IPair(pair_).token0() != token, uint256)
    fair = fair_
    threshold_bps = threshold_bps_


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    reserves: uint256[2] = staticcall IPair(pair).getReserves()
    spot: uint256 = reserves[side] * ONE // reserves[1 - side]
    assert spot * 10_000 <= fair * (10_000 + threshold_bps), "twin: spot"
    assert fair * 10_000 <= spot * (10_000 + threshold_bps), "twin: spot"
    total: uint256 = pot._held() + staticcall IERC20(other).balanceOf(self) * spot // ONE
    amount: uint256 = max_amounts[0]
    if pot.erc20.totalSupply != 0:
        amount = total * shares // pot.erc20.totalSupply + 1
    pot._take(amount)
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._part(shares)
    others: uint256 = staticcall IERC20(other).balanceOf(self) * shares // pot.erc20.totalSupply
    pot._cancel(shares)
    pot._pay(receiver, amount)
    extcall IERC20(other).transfer(receiver, others)
