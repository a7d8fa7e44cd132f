# pragma version 0.4.3
"""
@title   Prices from feeds, and pools held against them
@license Apache-2.0
@notice  A price is the money (18 decimals) that one smallest unit of a token is worth, times 1e36. On any doubt it
         reverts: that stops the keeper and `nav`, and never a mint or a redemption, which ask for no price.
"""

from interfaces import IFeed
from interfaces import IPool
from modules import layout
from modules import maths
from modules import pools
from modules import refuse


ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
FAR: constant(uint256) = 10**27  # beyond any deviation allowed, and its square fits
GRACE_S: constant(uint256) = 3_600  # after an L2's sequencer came back, for feeds to catch up

sequencer: public(immutable(address))  # a feed that answers 0 while an L2's sequencer is up; zero: no such check


@deploy
def __init__(sequencer_: address):
    sequencer = sequencer_


@internal
@view
def _assert_sequencer():
    """@notice An L2's sequencer is up, and has been for a while"""
    if sequencer != empty(address):
        found: IFeed.Round = staticcall IFeed(sequencer).latestRoundData(skip_contract_check=True)
        if found.answer != 0 or found.started_at == 0 or block.timestamp < found.started_at + GRACE_S:
            refuse._with(refuse.ORACLE_SEQUENCER)


@internal
@view
def _price(token: uint256, feed: uint256) -> uint256:
    """@notice The price of a token"""
    found: IFeed.Round = staticcall IFeed(layout._address(feed)).latestRoundData(skip_contract_check=True)
    if found.answer <= 0:
        refuse._with(refuse.ORACLE_ANSWER)
    answer: uint256 = convert(found.answer, uint256)
    if answer <= layout._least_answer(feed) or answer >= layout._most_answer(feed):
        refuse._with(refuse.ORACLE_BOUNDS)
    if found.answered_in < found.round:
        refuse._with(refuse.ORACLE_ROUND)
    if found.updated_at == 0 or found.updated_at > block.timestamp:
        refuse._with(refuse.ORACLE_TIME)
    if block.timestamp - found.updated_at > layout._max_age(token):
        refuse._with(refuse.ORACLE_STALE)
    return answer * 10 ** (token >> layout.EXPONENT & layout.BYTE)


@internal
@view
def _fair(pool: uint256, prices: uint256[layout.MAX_TOKENS]) -> uint256:
    """@notice The square-root price (X96) at which the pool would agree with the feeds"""
    return maths._sqrt_x96(prices[pool >> layout.TOKEN0 & layout.BYTE], prices[pool >> layout.TOKEN1 & layout.BYTE])


@internal
@view
def _assert_near(pool: uint256, fair: uint256, deviation_bps: uint256, over_time: bool, hint: uint256):
    """
    @notice The pool's spot is near the fair price, and where asked for near its own mean over a window
    @param  hint The place + 1 of the observation that the mean begins with. It is between one and two windows old, or
            the last one that is at least a window old: whoever names it cannot choose an older one.
    """
    if pool >> layout.KIND & layout.BYTE == layout.V2:
        reserves: uint256[2] = pools._reserves(pool)
        if not self._is_near(maths._sqrt_x96(reserves[1], reserves[0]), fair, deviation_bps):
            refuse._with(refuse.ORACLE_SPOT)
        return
    slot0: IPool.Slot0 = pools._slot0(pool)
    if not self._is_near(slot0.sqrt_price_x96, fair, deviation_bps):
        refuse._with(refuse.ORACLE_SPOT)
    window: uint256 = pool >> layout.WINDOW
    if not over_time or window == 0:
        return
    if hint == 0:
        refuse._with(refuse.ORACLE_HINT)
    begin: uint256 = unsafe_sub(hint, 1)
    then: IPool.Observation = pools._observation(pool, begin)
    last: IPool.Observation = then
    passed: uint256 = block.timestamp - then.at
    if begin != slot0.newest:
        last = pools._observation(pool, slot0.newest)
        if passed > 2 * window:
            following: IPool.Observation = pools._observation(pool, hint % slot0.cardinality)
            if following.at + window <= block.timestamp:
                refuse._with(refuse.ORACLE_HINT)
    if not then.written or passed < window:
        refuse._with(refuse.ORACLE_HINT)
    since: int256 = convert(block.timestamp - last.at, int256)
    summed: int256 = last.cumulative + convert(slot0.tick, int256) * since - then.cumulative
    mean: int256 = unsafe_div(summed, convert(passed, int256))
    if convert(abs(mean - convert(slot0.tick, int256)), uint256) > deviation_bps:  # a tick is a basis point
        refuse._with(refuse.ORACLE_TWAP)


@internal
@pure
def _is_near(found: uint256, fair: uint256, deviation_bps: uint256) -> bool:
    """@notice Whether two square-root prices differ, squared, by no more than a factor of 1 + deviation either way"""
    ratio: uint256 = min(unsafe_mul(found, ONE) // fair, FAR)
    price: uint256 = unsafe_mul(ratio, ratio)  # of ONE * ONE, at most FAR * FAR
    most: uint256 = unsafe_add(ONE, unsafe_mul(deviation_bps, BPS))
    return price <= unsafe_mul(most, ONE) and unsafe_mul(unsafe_div(price, ONE), most) >= ONE * ONE
