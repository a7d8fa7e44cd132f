# pragma version 0.4.3
"""
@title   For tests only: a token that burns a part of every transfer
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

fee_bps: public(uint256)


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)


@external
def set_fee(bps: uint256):
    """@notice Burn `bps` of what is moved from now on; zero at deployment, as in a token that turns."""
    assert bps <= 10_000, "token: fee"
    self.fee_bps = bps


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    erc20._spend(owner, amount)
    self._move(owner, to, amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    fee: uint256 = amount * self.fee_bps // 10_000
    erc20._move(owner, to, amount - fee)
    erc20._destroy(owner, fee)
