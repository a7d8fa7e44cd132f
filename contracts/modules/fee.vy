# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   The management fee: new shares for its receiver, streamed evenly over time, off unless the owner asks for it
@license Apache-2.0
@notice  It takes no token and asks no price. It is counted whenever shares are minted or redeemed.
"""

from modules import layout
from modules import registry
from modules import share

uses: registry
uses: share

YEAR_S: constant(uint256) = 31_536_000

# Above the supply, in share.supply_word: up to when the fee is counted; 0: there is none.


@external
@view
def fee_due() -> uint256:
    """@notice The shares that the fee's receiver gets with the next mint or redemption."""
    return self._due()


@internal
@view
def _due() -> uint256:
    """@notice The shares that the receiver is due since the fee was last counted"""
    counted: uint256 = share.supply_word >> 128
    if counted == 0:
        return 0
    supply: uint256 = share._supply()
    rate: uint256 = registry.words[layout.FEE] >> 160
    due: uint256 = (supply - share.LOCKED) * rate * (block.timestamp - counted) // (10_000 * YEAR_S)
    return min(due, share.MOST - supply)


@internal
def _accrue() -> uint256:
    """@notice Count the fee; the supply with it"""
    due: uint256 = self._due()
    if share.supply_word >> 128 != 0:
        self._count(block.timestamp)
    if due != 0:
        share._mint(layout._address(registry.words[layout.FEE]), due)
    return share._supply()


@internal
def _count(counted: uint256):
    share.supply_word = share._supply() | counted << 128
