# pragma version 0.4.3
"""
@title   For tests only: a pool shaped like Uniswap V3's, its price 1 for ever, that calls somebody from every function
@license Apache-2.0
@notice  A range holds `per_liquidity` of each token, whatever its ticks. There are no fees.
"""

from ethereum.ercs import IERC20
from . import hook

initializes: hook
exports: hook.__interface__

interface Payer:
    def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]): nonpayable
    def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]): nonpayable


struct Held:
    liquidity: uint128
    growth0: uint256
    growth1: uint256
    owed0: uint128
    owed1: uint128


BEFORE_SWAP: constant(uint256) = 1
AFTER_SWAP: constant(uint256) = 2
BEFORE_MINT: constant(uint256) = 4
AFTER_MINT: constant(uint256) = 8
BURN: constant(uint256) = 16
BEFORE_COLLECT: constant(uint256) = 32
AFTER_COLLECT: constant(uint256) = 64
VIEW: constant(uint256) = 128  # each of the views

ONE: constant(uint256) = 10**18
fee: public(constant(uint256)) = 500
token0: public(immutable(address))
token1: public(immutable(address))
per_liquidity: public(immutable(uint256))  # of ONE
held: HashMap[bytes32, Held]


@deploy
def __init__(token0_: address, token1_: address, per_liquidity_: uint256):
    token0 = token0_
    token1 = token1_
    per_liquidity = per_liquidity_


@external
def swap(recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]) -> (int256, int256):
    """@notice One for one."""
    hook._fire(BEFORE_SWAP)
    out: address = token1 if zero_for_one else token0
    extcall IERC20(out).transfer(recipient, convert(amount, uint256))
    amount0: int256 = amount if zero_for_one else -amount
    extcall Payer(msg.sender).uniswapV3SwapCallback(amount0, -amount0, b"")
    hook._fire(AFTER_SWAP)
    return amount0, -amount0


@external
def mint(recipient: address, lower: int24, upper: int24, liquidity: uint128, data: Bytes[1]) -> (uint256, uint256):
    hook._fire(BEFORE_MINT)
    self.held[self._key(recipient, lower, upper)].liquidity += liquidity
    amount: uint256 = self._amount(liquidity) + 1
    extcall Payer(msg.sender).uniswapV3MintCallback(amount, amount, b"")
    hook._fire(AFTER_MINT)
    return amount, amount


@external
def burn(lower: int24, upper: int24, liquidity: uint128) -> (uint256, uint256):
    key: bytes32 = self._key(msg.sender, lower, upper)
    amount: uint256 = self._amount(liquidity)
    self.held[key].liquidity -= liquidity
    self.held[key].owed0 += convert(amount, uint128)
    self.held[key].owed1 += convert(amount, uint128)
    hook._fire(BURN)
    return amount, amount


@external
def collect(recipient: address, lower: int24, upper: int24, most0: uint128, most1: uint128) -> (uint128, uint128):
    key: bytes32 = self._key(msg.sender, lower, upper)
    amount0: uint128 = min(most0, self.held[key].owed0)
    amount1: uint128 = min(most1, self.held[key].owed1)
    hook._fire(BEFORE_COLLECT)
    self.held[key].owed0 -= amount0
    self.held[key].owed1 -= amount1
    extcall IERC20(token0).transfer(recipient, convert(amount0, uint256))
    extcall IERC20(token1).transfer(recipient, convert(amount1, uint256))
    hook._fire(AFTER_COLLECT)
    return amount0, amount1


@external
@view
def slot0() -> (uint160, int24, uint16, uint16, uint16, uint8, bool):
    """@dev The one observation is the newest."""
    hook._peek(VIEW)
    return 2**96, 0, 0, 1, 1, 0, True


@external
@view
def positions(key: bytes32) -> Held:
    hook._peek(VIEW)
    return self.held[key]


@external
@view
def ticks(tick: int24) -> (uint128, int128, uint256, uint256):
    hook._peek(VIEW)
    return 1, 1, 0, 0


@external
@view
def feeGrowthGlobal0X128() -> uint256:
    hook._peek(VIEW)
    return 0


@external
@view
def feeGrowthGlobal1X128() -> uint256:
    hook._peek(VIEW)
    return 0


@external
@view
def observations(index: uint256) -> (uint32, int56, uint160, bool):
    """@dev Long ago; the tick was 0 ever since."""
    hook._peek(VIEW)
    return 1, 0, 0, True


@internal
@view
def _amount(liquidity: uint128) -> uint256:
    return convert(liquidity, uint256) * per_liquidity // ONE


@internal
@pure
def _key(owner: address, lower: int24, upper: int24) -> bytes32:
    return keccak256(concat(convert(owner, bytes20), convert(lower, bytes3), convert(upper, bytes3)))
