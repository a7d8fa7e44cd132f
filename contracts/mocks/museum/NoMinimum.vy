# pragma version 0.4.3
"""
@title   Museum: yDAI 2021, DRLVault 2025. The keeper's swap takes whatever the pool gives.
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from interfaces import IPair

token: immutable(address)
pair: immutable(address)
side: immutable(uint256)


@deploy
def __init__(token_: address, pair_: address):
    token = token_
    pair = pair_
    side = convert(staticcall IPair(pair_).token0() != token_, uint256)


@external
def rebalance(amount: uint256):
    """@notice Sell so much of the token on the pair."""
    reserves: uint256[2] = staticcall IPair(pair).getReserves()
    counted: uint256 = amount * 997
    out: uint256[2] = empty(uint256[2])
    out[1 - side] = counted * reserves[1 - side] // (reserves[side] * 1000 + counted)
    extcall IERC20(token).transfer(pair, amount)
    extcall IPair(pair).swap(out[0], out[1], self, b"")
