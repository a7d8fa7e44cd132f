# pragma version 0.4.3
"""
@title   Museum: KyberSwap, November 2023. A trade rounded up to end on a boundary does not count as crossing it.
@license Apache-2.0
@notice  One range of liquidity below `TOP`, none above. On the way back from the boundary its liquidity is added again.
"""

from ethereum.ercs import IERC20

UNIT: constant(uint256) = 10**6  # of the square-root price
TOP: constant(uint256) = 2 * UNIT
tokens: immutable(address[2])
liquidity: public(uint256)  # in force at the price
price: public(uint256)  # its square root; token1 for token0
full: uint256


@deploy
def __init__(token0: address, token1: address, liquidity_: uint256):
    tokens = [token0, token1]
    self.liquidity = liquidity_
    self.full = liquidity_
    self.price = UNIT


@external
def buy(amount: uint256) -> uint256:
    """@notice Give exactly `amount` of token1; the price rises."""
    needed: uint256 = self.liquidity * (TOP - self.price) // UNIT
    at: uint256 = TOP
    if amount < needed:
        at = self.price + (amount * UNIT + self.liquidity - 1) // self.liquidity  # may be TOP all the same
    assert amount <= needed, "pool: beyond"
    out: uint256 = self.liquidity * UNIT // self.price - self.liquidity * UNIT // at
    if amount == needed:
        self.liquidity = 0
    self.price = at
    extcall IERC20(tokens[1]).transferFrom(msg.sender, self, amount)
    extcall IERC20(tokens[0]).transfer(msg.sender, out)
    return out


@external
def sell(amount: uint256) -> uint256:
    """@notice Give exactly `amount` of token0; the price falls."""
    if self.price == TOP:
        self.liquidity += self.full
    at: uint256 = self.liquidity * UNIT // (self.liquidity * UNIT // self.price + amount) + 1
    out: uint256 = self.liquidity * (self.price - at) // UNIT
    self.price = at
    extcall IERC20(tokens[0]).transferFrom(msg.sender, self, amount)
    extcall IERC20(tokens[1]).transfer(msg.sender, out)
    return out
