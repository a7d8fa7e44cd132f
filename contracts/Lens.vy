# pragma version 0.4.3
# pragma evm-version cancun
"""
@title   Lens: what a vault is worth and where it is
@license Apache-2.0
@notice  Views for people and for the bot, over any vault. Nothing on chain depends on it.
         `nav` and `share_value` are the vault's own fair value: ranges at the price the feeds imply, and a revert when
         any price is in doubt. `exposure` shows what the vault holds at the pools' present prices, valued at the last
         answers of the feeds however old they are: look at `updated_at`.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from interfaces import IVault
from modules import maths

# Only as many of the returned values as are read.
interface Feed:
    def latestRoundData() -> (uint80, int256, uint256, uint256): view
    def decimals() -> uint8: view


interface V2Pair:
    def token0() -> address: view  # a V3 pool answers these two as well
    def token1() -> address: view
    def getReserves() -> (uint112, uint112): view


interface V3Pool:
    def slot0() -> uint160: view
    def positions(key: bytes32) -> uint128: view


struct Exposure:
    token: address
    idle: uint256  # unclaimed fees of its positions included
    placed: uint256  # principal of its positions
    price: uint256  # money for one whole token; 0 where the feed's answer is not above 0
    updated_at: uint256
    idle_value: uint256  # money
    placed_value: uint256  # money


ONE: constant(uint256) = 10**18  # of money, and of a share
V3: constant(uint256) = 3


@external
@view
def nav(vault: address) -> uint256:
    """@notice The vault's value in the quote; reverts when a price is in doubt."""
    return staticcall IVault(vault).nav()


@external
@view
def share_value(vault: address) -> uint256:
    """@notice One whole share in the quote, rounded down; 0 without shares; reverts when a price is in doubt."""
    supply: uint256 = staticcall IVault(vault).totalSupply()
    if supply == 0:
        return 0
    return staticcall IVault(vault).nav() * ONE // supply


@external
@view
def exposure(vault: address) -> DynArray[Exposure, 8]:
    """@notice What the vault holds of each token, idle and in positions, at the pools' present prices."""
    tokens: DynArray[address, 8] = staticcall IVault(vault).tokens()
    holdings: DynArray[uint256, 8] = staticcall IVault(vault).holdings()
    placed: DynArray[uint256, 8] = self._placed(vault, tokens)
    found: DynArray[Exposure, 8] = []
    for i: uint256 in range(len(tokens), bound=8):
        price: uint256 = 0
        updated_at: uint256 = 0
        price, updated_at = self._price((staticcall IVault(vault).token_info(i)).feed)
        unit: uint256 = 10 ** convert(staticcall IERC20Detailed(tokens[i]).decimals(), uint256)
        idle: uint256 = holdings[i] - min(holdings[i], placed[i])  # less is held than placed only while more is owed
        found.append(
            Exposure(
                token=tokens[i],
                idle=idle,
                placed=placed[i],
                price=price,
                updated_at=updated_at,
                idle_value=idle * price // unit,
                placed_value=placed[i] * price // unit,
            )
        )
    return found


@internal
@view
def _price(feed: address) -> (uint256, uint256):
    _round: uint80 = 0
    answer: int256 = 0
    _started_at: uint256 = 0
    updated_at: uint256 = 0
    _round, answer, _started_at, updated_at = staticcall Feed(feed).latestRoundData()
    decimals: uint256 = convert(staticcall Feed(feed).decimals(), uint256)
    return convert(max(answer, 0), uint256) * ONE // 10**decimals, updated_at


@internal
@view
def _placed(vault: address, tokens: DynArray[address, 8]) -> DynArray[uint256, 8]:
    """@return The principal of all positions by token, as the vault rounds it: down, position by position."""
    placed: DynArray[uint256, 8] = []
    for _: address in tokens:
        placed.append(0)
    for position: uint256 in staticcall IVault(vault).positions():
        info: IVault.PoolSetup = staticcall IVault(vault).pool_info(position >> 48)
        amount0: uint256 = 0
        amount1: uint256 = 0
        if info.kind == V3:
            amount0, amount1 = self._range(vault, info.pool, position)
        else:
            amount0, amount1 = self._pair(vault, info.pool)
        token0: address = staticcall V2Pair(info.pool).token0()  # both kinds answer
        token1: address = staticcall V2Pair(info.pool).token1()
        for i: uint256 in range(len(tokens), bound=8):
            if tokens[i] == token0:
                placed[i] += amount0
            elif tokens[i] == token1:
                placed[i] += amount1
    return placed


@internal
@view
def _range(vault: address, pool: address, position: uint256) -> (uint256, uint256):
    lower: int24 = convert(convert(position, int256) << 208 >> 232, int24)  # bits 24 to 47, with their sign
    upper: int24 = convert(convert(position, int256) << 232 >> 232, int24)  # bits 0 to 23
    ticks: uint48 = convert(position & (2**48 - 1), uint48)
    key: bytes32 = keccak256(concat(convert(vault, bytes20), convert(ticks, bytes6)))
    liquidity: uint256 = convert(staticcall V3Pool(pool).positions(key), uint256)
    sqrt_price: uint256 = convert(staticcall V3Pool(pool).slot0(), uint256)
    amounts: uint256[2] = maths._amounts(sqrt_price, lower, upper, liquidity)
    return amounts[0], amounts[1]


@internal
@view
def _pair(vault: address, pair: address) -> (uint256, uint256):
    held: uint256 = staticcall IERC20(pair).balanceOf(vault)
    supply: uint256 = staticcall IERC20(pair).totalSupply()
    reserve0: uint112 = 0
    reserve1: uint112 = 0
    reserve0, reserve1 = staticcall V2Pair(pair).getReserves()
    return held * convert(reserve0, uint256) // supply, held * convert(reserve1, uint256) // supply
