# pragma version 0.4.3
"""
@title   Museum: Balancer, November 2025. A swap of one unit is priced rounded down, and there may be many in a batch.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

ONE: constant(uint256) = 10**18
token_in: immutable(address)
token_out: immutable(address)
rate: immutable(uint256)  # of ONE: what one unit out costs


@deploy
def __init__(token_in_: address, token_out_: address, rate_: uint256):
    token_in = token_in_
    token_out = token_out_
    rate = rate_


@external
def swap_exact_out(amount: uint256):
    extcall IERC20(token_in).transferFrom(msg.sender, self, amount * rate // ONE)
    extcall IERC20(token_out).transfer(msg.sender, amount)
