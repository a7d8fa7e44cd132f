# pragma version 0.4.3
"""
@title   For tests only: a plain ERC-20 with an open mint
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from . import erc20

implements: IERC20
initializes: erc20
exports: erc20.__interface__


@deploy
def __init__(name: String[64], symbol: String[32], decimals: uint8):
    erc20.__init__(name, symbol, decimals)
