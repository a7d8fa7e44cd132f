# pragma version 0.4.3
# pragma evm-version cancun
"""
@title   For tests only: a stranger's contract that makes many calls in one transaction, inside Uniswap's callbacks too
@license Apache-2.0
@notice  A script is a row of calls: a word `times << 240 | length << 224 | target`, then `length` bytes of calldata. A
         call that fails is left out. In a callback the data is a word of two amounts and a script, which runs before
         the pool is paid what it asks for and the two amounts beside.
"""

from interfaces import IPair
from interfaces import IPool
from interfaces import IToken

interface Swappable:
    def swap(to: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[6_000]): nonpayable


MOST: constant(uint256) = 6_000  # bytes of a script; a call of one may carry another
Q96: constant(uint256) = 2**96
MASK128: constant(uint256) = 2**128 - 1

done: public(uint256)  # calls of scripts that succeeded
failed: public(uint256)


@external
def run(script: Bytes[MOST]):
    """@notice Make the calls of a script."""
    self._run(script, 0)


@external
def act(target: address, data: Bytes[MOST]) -> Bytes[1_024]:
    """@notice Make one call, and fail with it."""
    return raw_call(target, data, max_outsize=1_024)


@external
def push_pool(pool: address, sqrt_price: uint256, most: uint256, data: Bytes[MOST]):
    """@notice Trade on a V3 pool towards a square-root price (X96), with at most so much of either token."""
    extcall Swappable(pool).swap(
        self,
        (staticcall IPool(pool).slot0()).sqrt_price_x96 > sqrt_price,
        convert(most, int256),
        convert(sqrt_price, uint160),
        data,
    )


@external
def push_pair(pair: address, sqrt_price: uint256, most: uint256):
    """@notice Trade on a V2 pair towards a square-root price (X96), with at most so much of either token."""
    reserves: uint256[2] = staticcall IPair(pair).getReserves()
    root: uint256 = isqrt(reserves[0] * reserves[1])
    target: uint256 = unsafe_div(root * Q96, sqrt_price)
    side: uint256 = 0
    if target <= reserves[0]:
        side = 1
        target = unsafe_div(root, 2**32) * unsafe_div(sqrt_price, 2**32) >> 32
    amount: uint256 = min(unsafe_sub(max(target, reserves[side]), reserves[side]), most)
    counted: uint256 = amount * 997
    out: uint256[2] = empty(uint256[2])
    out[side ^ 1] = counted * reserves[side ^ 1] // (reserves[side] * 1_000 + counted)
    if out[side ^ 1] != 0:
        self._pay(pair, side, amount)
        extcall IPair(pair).swap(out[0], out[1], self, b"")


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[MOST]):
    self._answer([convert(max(amount0, 0), uint256), convert(max(amount1, 0), uint256)], data)


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[MOST]):
    self._answer([amount0, amount1], data)


@external
def uniswapV3FlashCallback(fee0: uint256, fee1: uint256, data: Bytes[MOST]):
    self._answer([fee0, fee1], data)


@external
def uniswapV2Call(sender: address, amount0: uint256, amount1: uint256, data: Bytes[MOST]):
    self._answer([0, 0], data)


@internal
def _answer(asked: uint256[2], data: Bytes[MOST]):
    self._run(data, 32)
    beside: uint256 = convert(extract32(data, 0), uint256)
    self._pay(msg.sender, 0, asked[0] + (beside >> 128))
    self._pay(msg.sender, 1, asked[1] + (beside & MASK128))


@internal
def _pay(pool: address, side: uint256, amount: uint256):
    if amount != 0:
        token: address = staticcall IPair(pool).token0()
        if side == 1:
            token = staticcall IPair(pool).token1()
        assert extcall IToken(token).transfer(pool, amount, default_return_value=True)


@internal
def _run(script: Bytes[MOST], start: uint256):
    at: uint256 = start
    for part: uint256 in range(64):
        if at >= len(script):
            break
        head: uint256 = convert(extract32(script, at), uint256)
        size: uint256 = head >> 224 & 65_535
        data: Bytes[MOST] = slice(script, at + 32, size)
        for again: uint256 in range(head >> 240, bound=65_535):
            if raw_call(convert(head & (2**160 - 1), address), data, revert_on_failure=False):
                self.done += 1
            else:
                self.failed += 1
        at += 32 + size
