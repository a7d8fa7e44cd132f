# pragma version 0.4.3
"""
@title   For tests only: a pair shaped like Uniswap V2's that calls somebody from every function
@license Apache-2.0
@notice  It takes no fee and checks no product. It is its own LP token.
"""

from ethereum.ercs import IERC20
from . import erc20
from . import hook

initializes: erc20
initializes: hook
exports: hook.__interface__

SWAP: constant(uint256) = 1
MINT: constant(uint256) = 2
BURN: constant(uint256) = 4
TRANSFER: constant(uint256) = 8
VIEW: constant(uint256) = 16  # each of the views

token0: public(immutable(address))
token1: public(immutable(address))
reserves: uint256[2]


@deploy
def __init__(token0_: address, token1_: address):
    erc20.__init__("LP", "LP", 18)
    token0 = token0_
    token1 = token1_


@external
def mint(to: address) -> uint256:
    """@notice LP tokens, as many as came of token0."""
    hook._fire(MINT)
    amount: uint256 = staticcall IERC20(token0).balanceOf(self) - self.reserves[0]
    erc20.totalSupply += amount
    erc20.balanceOf[to] += amount
    self._sync()
    return amount


@external
def burn(to: address) -> (uint256, uint256):
    hook._fire(BURN)
    liquidity: uint256 = erc20.balanceOf[self]
    amount0: uint256 = self.reserves[0] * liquidity // erc20.totalSupply
    amount1: uint256 = self.reserves[1] * liquidity // erc20.totalSupply
    erc20._destroy(self, liquidity)
    extcall IERC20(token0).transfer(to, amount0)
    extcall IERC20(token1).transfer(to, amount1)
    self._sync()
    return amount0, amount1


@external
def swap(amount0_out: uint256, amount1_out: uint256, to: address, data: Bytes[1]):
    hook._fire(SWAP)
    if amount0_out != 0:
        extcall IERC20(token0).transfer(to, amount0_out)
    if amount1_out != 0:
        extcall IERC20(token1).transfer(to, amount1_out)
    self._sync()


@external
def transfer(to: address, amount: uint256) -> bool:
    hook._fire(TRANSFER)
    erc20._move(msg.sender, to, amount)
    return True


@external
@view
def getReserves() -> (uint112, uint112, uint32):
    hook._peek(VIEW)
    return convert(self.reserves[0], uint112), convert(self.reserves[1], uint112), 0


@external
@view
def totalSupply() -> uint256:
    hook._peek(VIEW)
    return erc20.totalSupply


@external
@view
def balanceOf(owner: address) -> uint256:
    hook._peek(VIEW)
    return erc20.balanceOf[owner]


@internal
def _sync():
    self.reserves = [staticcall IERC20(token0).balanceOf(self), staticcall IERC20(token1).balanceOf(self)]
