# pragma version 0.4.3
"""
@title   For tests only: a token that can be frozen for one account or for all, as USDC and USDT can
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from . import erc20

implements: IERC20
initializes: erc20
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.balanceOf,
    erc20.allowance,
    erc20.totalSupply,
    erc20.approve,
    erc20.mint,
    erc20.burn,
)

frozen: public(HashMap[address, bool])
all_frozen: public(bool)


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)


@external
def freeze(who: address, yes: bool):
    self.frozen[who] = yes


@external
def freeze_all(yes: bool):
    self.all_frozen = yes


@external
def transfer(to: address, amount: uint256) -> bool:
    self._check(msg.sender, to)
    erc20._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._check(owner, to)
    erc20._spend(owner, amount)
    erc20._move(owner, to, amount)
    return True


@internal
@view
def _check(owner: address, to: address):
    assert not self.all_frozen, "token: frozen"
    assert not self.frozen[owner] and not self.frozen[to], "token: frozen"
