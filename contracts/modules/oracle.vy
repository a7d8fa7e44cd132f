# pragma version 0.4.3
"""
@title   Prices from feeds, and pools held against them
@license Apache-2.0
@notice  A price is the money (18 decimals) that one smallest unit of a token is worth, times 1e36. On any doubt it
         reverts: that stops the keeper and `nav`, and never a mint or a redemption, which ask for no price.
"""

from interfaces import IFeed
from interfaces import IPair
from interfaces import IPool
from modules import maths
from modules import refuse
from modules import registry

uses: registry

ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
FAR: constant(uint256) = 10**27  # beyond any deviation allowed, and its square fits


@internal
@view
def _prices() -> uint256[registry.MAX_TOKENS]:
    prices: uint256[registry.MAX_TOKENS] = empty(uint256[registry.MAX_TOKENS])
    for i: uint256 in range(len(registry.token_list), bound=registry.MAX_TOKENS):
        prices[i] = self._price(registry.feed_words[i])
    return prices


@internal
@view
def _price(feed: uint256) -> uint256:
    found: IFeed.Round = staticcall IFeed(registry._address(feed)).latestRoundData()
    if found.answer <= 0:
        refuse._with(refuse.ORACLE_ANSWER)
    if found.answered_in < found.round:
        refuse._with(refuse.ORACLE_ROUND)
    if found.updated_at == 0 or found.updated_at > block.timestamp:
        refuse._with(refuse.ORACLE_TIME)
    if block.timestamp - found.updated_at > feed >> 160 & (2**24 - 1):
        refuse._with(refuse.ORACLE_STALE)
    return convert(found.answer, uint256) * 10 ** (feed >> 184 & 255)


@internal
@view
def _fair(pool: uint256, prices: uint256[registry.MAX_TOKENS]) -> uint256:
    """@notice The square-root price (X96) at which the pool would agree with the feeds"""
    return maths._sqrt_x96(prices[registry._token(pool, 0)], prices[registry._token(pool, 1)])


@internal
@view
def _spot(pool: uint256) -> uint256:
    """@notice The square-root price (X96) at which the pool stands"""
    if registry._kind(pool) == registry.V2:
        reserves: uint256[2] = staticcall IPair(registry._address(pool)).getReserves()
        return maths._sqrt_x96(reserves[1], reserves[0])
    return (self._slot0(pool)).sqrt_price_x96


@internal
@view
def _slot0(pool: uint256) -> IPool.Slot0:
    return staticcall IPool(registry._address(pool)).slot0()


@internal
@view
def _mean(pool: uint256) -> uint256:
    """@notice The square-root price (X96) of the pool's mean tick over its window; reverts if it remembers less"""
    window: uint256 = registry._window(pool)
    seen: IPool.Observed = staticcall IPool(registry._address(pool)).observe([convert(window, uint32), 0])
    return maths._sqrt_ratio(unsafe_div(unsafe_sub(seen.now, seen.then), convert(window, int256)))


@internal
@pure
def _is_near(found: uint256, fair: uint256, deviation_bps: uint256) -> bool:
    """@notice Whether two square-root prices differ, squared, by no more than a factor of 1 + deviation either way"""
    ratio: uint256 = min(unsafe_mul(found, ONE) // fair, FAR)
    price: uint256 = unsafe_mul(ratio, ratio)  # of ONE * ONE, at most FAR * FAR
    most: uint256 = unsafe_add(ONE, unsafe_mul(deviation_bps, BPS))
    return price <= unsafe_mul(most, ONE) and unsafe_mul(unsafe_div(price, ONE), most) >= ONE * ONE
