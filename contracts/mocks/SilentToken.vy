# pragma version 0.4.3
"""
@title   For tests only: a token whose calls return nothing, and whose allowance must be cleared before it is changed
@license Apache-2.0
@notice  Shaped like mainnet's USDT at 0xdAC17F958D2ee523a2206206994597C13D831ec7.
"""

from . import erc20

initializes: erc20
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.balanceOf,
    erc20.allowance,
    erc20.totalSupply,
    erc20.mint,
    erc20.burn,
)


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)


@external
def transfer(to: address, amount: uint256):
    erc20._move(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256):
    erc20._spend(owner, amount)
    erc20._move(owner, to, amount)


@external
def approve(spender: address, amount: uint256):
    assert amount == 0 or erc20.allowance[msg.sender][spender] == 0, "token: clear the allowance first"
    erc20._allow(msg.sender, spender, amount)
