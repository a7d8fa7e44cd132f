# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title   For tests only: a vault as it must not be, with shares priced at the spot of pools
@license Apache-2.0
@notice  The mistake of Harvest (2020) and Gamma (2024): a mint pays with one token of the caller's choice what the
         shares are worth at `slot0`, and a redemption pays a slice of everything. Holds idle tokens, the second of
         which the first pool trades for the first and the second pool for the third. Reads like the real vault.
"""

from interfaces import IPool
from interfaces import IToken
from modules import maths

interface Payer:
    def transferFrom(owner: address, to: address, amount: uint256) -> bool: nonpayable


LOCKED: constant(uint256) = 10**6
Q96: constant(uint256) = 2**96
MIDDLE: constant(uint256) = 1  # the token that all are priced in

tokens: address[3]
spots: address[3]  # per token the pool that prices it
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(tokens_: address[3], first: address, second: address):
    self.tokens = tokens_
    self.spots = [first, empty(address), second]


@external
def mint(shares: uint256, most: DynArray[uint256, 3], receiver: address, deadline: uint256) -> DynArray[uint256, 3]:
    """@notice The first mint takes `most` whole; later ones pay with the first token of which they offer any."""
    amounts: DynArray[uint256, 3] = most
    if self.totalSupply <= LOCKED:
        assert shares > LOCKED, "weak: first shares"
        self.totalSupply = LOCKED
    else:
        worth: uint256 = 0
        for i: uint256 in range(3):
            worth += self._worth(i, self._balance(i))
        due: uint256 = maths._mul_div_up(worth, shares, self.totalSupply)
        amounts = [0, 0, 0]
        for i: uint256 in range(3):
            if most[i] != 0:
                amounts[i] = self._costing(i, due)
                assert amounts[i] <= most[i], "weak: above most"
                break
    self.totalSupply += shares
    self.balanceOf[receiver] += shares
    for i: uint256 in range(3):
        assert extcall Payer(self.tokens[i]).transferFrom(
            msg.sender, self, amounts[i], default_return_value=True
        ), "weak: transfer"
    return amounts


@external
def redeem(
    shares: uint256, least: DynArray[uint256, 3], receiver: address, deadline: uint256, skip: uint256
) -> DynArray[uint256, 3]:
    """@notice A slice of everything, rounded down."""
    amounts: DynArray[uint256, 3] = []
    for i: uint256 in range(3):
        amounts.append(maths._mul_div(self._balance(i), shares, self.totalSupply))
    self.balanceOf[msg.sender] -= shares
    self.totalSupply -= shares
    for i: uint256 in range(3):
        assert extcall IToken(self.tokens[i]).transfer(receiver, amounts[i], default_return_value=True), "weak: transfer"
    return amounts


@external
def transfer(to: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    return True


@external
@view
def positions() -> DynArray[uint256, 8]:
    return []


@external
@view
def owed(token: address, who: address) -> uint256:
    return 0


@internal
@view
def _balance(index: uint256) -> uint256:
    return staticcall IToken(self.tokens[index]).balanceOf(self)


@internal
@view
def _worth(index: uint256, amount: uint256) -> uint256:
    """@notice In the middle token, at spot"""
    if index == MIDDLE:
        return amount
    spot: uint256 = (staticcall IPool(self.spots[index]).slot0()).sqrt_price_x96
    if self._is_first(index):
        return maths._mul_div(maths._mul_div(amount, spot, Q96), spot, Q96)
    return maths._mul_div(maths._mul_div(amount, Q96, spot), Q96, spot)


@internal
@view
def _costing(index: uint256, worth: uint256) -> uint256:
    """@notice So much of a token that it is worth this at spot"""
    if index == MIDDLE:
        return worth
    spot: uint256 = (staticcall IPool(self.spots[index]).slot0()).sqrt_price_x96
    if self._is_first(index):
        return maths._mul_div_up(maths._mul_div_up(worth, Q96, spot), Q96, spot)
    return maths._mul_div_up(maths._mul_div_up(worth, spot, Q96), spot, Q96)


@internal
@view
def _is_first(index: uint256) -> bool:
    return (staticcall IPool(self.spots[index]).token0()) == self.tokens[index]
