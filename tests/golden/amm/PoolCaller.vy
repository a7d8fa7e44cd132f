# pragma version 0.4.3
"""
@title   For tests only: trades with Uniswap V3 pools directly and pays whatever they ask
@license Apache-2.0
"""

from ethereum.ercs import IERC20


interface Pool:
    def swap(recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]) -> (int256, int256): nonpayable
    def mint(recipient: address, lower: int24, upper: int24, liquidity: uint128, data: Bytes[1]) -> (uint256, uint256): nonpayable
    def burn(lower: int24, upper: int24, liquidity: uint128) -> (uint256, uint256): nonpayable
    def slot0() -> (uint160, int24, uint16, uint16, uint16, uint8, bool): view
    def liquidity() -> uint128: view
    def token0() -> address: view
    def token1() -> address: view
    def feeGrowthGlobal0X128() -> uint256: view
    def feeGrowthGlobal1X128() -> uint256: view


struct Result:
    amount0: int256
    amount1: int256
    sqrt_price_x96: uint160
    tick: int24
    liquidity: uint128
    growth0: uint256
    growth1: uint256


@external
def swap(pool: address, zero_for_one: bool, amount: int256, limit: uint160) -> Result:
    """
    @notice The two deltas from the pool's side, and the pool's state afterwards
    """
    amount0: int256 = 0
    amount1: int256 = 0
    amount0, amount1 = extcall Pool(pool).swap(self, zero_for_one, amount, limit, b"")
    return self._result(pool, amount0, amount1)


@external
def mint(pool: address, lower: int24, upper: int24, liquidity: uint128) -> Result:
    amount0: uint256 = 0
    amount1: uint256 = 0
    amount0, amount1 = extcall Pool(pool).mint(self, lower, upper, liquidity, b"")
    return self._result(pool, convert(amount0, int256), convert(amount1, int256))


@external
def burn(pool: address, lower: int24, upper: int24, liquidity: uint128) -> Result:
    amount0: uint256 = 0
    amount1: uint256 = 0
    amount0, amount1 = extcall Pool(pool).burn(lower, upper, liquidity)
    return self._result(pool, -convert(amount0, int256), -convert(amount1, int256))


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    if amount0 > 0:
        self._pay(staticcall Pool(msg.sender).token0(), convert(amount0, uint256))
    if amount1 > 0:
        self._pay(staticcall Pool(msg.sender).token1(), convert(amount1, uint256))


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    self._pay(staticcall Pool(msg.sender).token0(), amount0)
    self._pay(staticcall Pool(msg.sender).token1(), amount1)


@internal
def _pay(token: address, amount: uint256):
    if amount > 0:
        extcall IERC20(token).transfer(msg.sender, amount, default_return_value=True)


@view
@internal
def _result(pool: address, amount0: int256, amount1: int256) -> Result:
    sqrt_price_x96: uint160 = 0
    tick: int24 = 0
    a: uint16 = 0
    b: uint16 = 0
    c: uint16 = 0
    d: uint8 = 0
    e: bool = False
    sqrt_price_x96, tick, a, b, c, d, e = staticcall Pool(pool).slot0()
    return Result(
        amount0=amount0,
        amount1=amount1,
        sqrt_price_x96=sqrt_price_x96,
        tick=tick,
        liquidity=staticcall Pool(pool).liquidity(),
        growth0=staticcall Pool(pool).feeGrowthGlobal0X128(),
        growth1=staticcall Pool(pool).feeGrowthGlobal1X128(),
    )
