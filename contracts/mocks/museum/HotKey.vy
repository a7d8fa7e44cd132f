# pragma version 0.4.3
"""
@title   Museum: Visor, June 2021. The key that rebalances may also withdraw.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

keeper: public(immutable(address))


@deploy
def __init__(keeper_: address):
    keeper = keeper_


@external
def rescue(token: address, to: address, amount: uint256):
    """@notice Meant for moving funds to a new strategy in an emergency."""
    assert msg.sender == keeper, "twin: keeper"
    extcall IERC20(token).transfer(to, amount)
