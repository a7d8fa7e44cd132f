# pragma version 0.4.3
"""
@title   Museum: Popsicle, August 2021. A transfer of shares does not settle fees: a new owner claims those of all time.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__

ONE: constant(uint256) = 10**18
fees: uint256  # in the pot, not part of what shares are worth
fees_per_share: uint256  # of ONE
settled: HashMap[address, uint256]  # the fees_per_share up to which an account was paid


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def earn(amount: uint256):
    """@notice Fees come in for those who hold shares now."""
    pot._take(amount)
    self.fees += amount
    self.fees_per_share += amount * ONE // pot.erc20.totalSupply


@external
def claim(index: uint256, receiver: address):
    self._settle(receiver)


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    self._settle(receiver)
    amount: uint256 = max_amounts[0]
    if pot.erc20.totalSupply != 0:
        amount = (pot._held() - self.fees) * shares // pot.erc20.totalSupply + 1
    pot._take(amount)
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    self._settle(msg.sender)
    amount: uint256 = (pot._held() - self.fees) * shares // pot.erc20.totalSupply
    pot._cancel(shares)
    pot._pay(receiver, amount)


@internal
def _settle(who: address):
    due: uint256 = (self.fees_per_share - self.settled[who]) * pot.erc20.balanceOf[who] // ONE
    self.settled[who] = self.fees_per_share
    self.fees -= due
    pot._pay(who, due)
