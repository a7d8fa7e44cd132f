# pragma version 0.4.3
"""
@title   What a bundle is held to: values at the feeds' prices, pools near them, floors, corridors and limits
@license Apache-2.0
@notice  No storage of its own. A weight is 1e18 = 100 % of NAV.
"""

from modules import budget
from modules import maths
from modules import oracle
from modules import portfolio
from modules import refuse
from modules import registry
from modules import venues

uses: registry
uses: portfolio
uses: venues
uses: budget

ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
PRICE_ONE: constant(uint256) = 10**36


@internal
def _settle(
    limits: budget.Limits,
    run: budget.Run,
    prices: uint256[registry.MAX_TOKENS],
    before: DynArray[uint256, registry.MAX_TOKENS],
    touched: uint256,
    turnover: uint256,
) -> (uint256, uint256):
    """
    @notice Check all that a bundle leaves behind, and charge it to the buckets
    @param  before   The values of the tokens before the first swap or add.
    @param  touched  Bit i: pool i was named.
    @return the NAV before and after
    """
    for i: uint256 in range(registry.MAX_POOLS):
        if touched >> i & 1 != 0:
            self._assert_near(registry._pool(i), prices, limits.deviation_bps, True)
    after: DynArray[uint256, registry.MAX_TOKENS] = self._values(prices)
    nav_before: uint256 = self._sum(before)
    nav_after: uint256 = self._sum(after)
    if nav_before == 0 or nav_after == 0:
        refuse._with(refuse.VAULT_EMPTY)
    self._assert_corridors(before, nav_before, after, nav_after)
    budget._spend(limits, run, nav_before, nav_after, turnover)
    return nav_before, nav_after


@internal
@pure
def _position(head: uint256, pool: uint256) -> uint256:
    """@notice The position an action names; a V2 holding has no ticks, whatever the action says"""
    if registry._kind(pool) == registry.V2:
        return (head >> 240 & 255) << 48
    return head >> 192 & (2**56 - 1)


@internal
@view
def _values(prices: uint256[registry.MAX_TOKENS]) -> DynArray[uint256, registry.MAX_TOKENS]:
    """@notice The money each token held is worth, positions looked through at the fair price"""
    values: DynArray[uint256, registry.MAX_TOKENS] = portfolio._holdings(prices, 0, 1, 1)
    for i: uint256 in range(len(values), bound=registry.MAX_TOKENS):
        values[i] = maths._mul_div(values[i], prices[i], PRICE_ONE)
    return values


@internal
@pure
def _sum(values: DynArray[uint256, registry.MAX_TOKENS]) -> uint256:
    total: uint256 = 0
    for part: uint256 in values:
        total += part
    return total


@internal
@view
def _assert_near(pool: uint256, prices: uint256[registry.MAX_TOKENS], deviation_bps: uint256, mean: bool):
    """@notice The pool's spot, and if asked for its mean over the window, agree with the feeds"""
    fair: uint256 = oracle._fair(pool, prices)
    if not oracle._is_near(oracle._spot(pool), fair, deviation_bps):
        refuse._with(refuse.ORACLE_SPOT)
    if mean and registry._window(pool) != 0:
        if not oracle._is_near(oracle._mean(pool), fair, deviation_bps):
            refuse._with(refuse.ORACLE_TWAP)


@internal
def _assert_floors(floors: DynArray[uint256, registry.MAX_TOKENS]):
    """@dev What is owed to redeemers is a floor of its own: the keeper cannot spend it."""
    if len(floors) != 0 and len(floors) != len(registry.token_list):
        refuse._with(refuse.VAULT_FLOORS)
    for i: uint256 in range(len(registry.token_list), bound=registry.MAX_TOKENS):
        least: uint256 = registry.owed_total[i]
        if len(floors) != 0:
            least += floors[i]
        if portfolio._balance(i, self) < least:
            venues._unwind(0, 1, 0, self)  # a range may still keep what was set aside for redeemers
            if portfolio._balance(i, self) < least:
                refuse._with(refuse.VAULT_FLOOR)


@internal
@view
def _assert_corridors(
    before: DynArray[uint256, registry.MAX_TOKENS],
    nav_before: uint256,
    after: DynArray[uint256, registry.MAX_TOKENS],
    nav_after: uint256,
):
    """@notice Every token's weight is inside its corridor, or no farther outside than before"""
    for i: uint256 in range(len(after), bound=registry.MAX_TOKENS):
        outside: uint256 = self._outside(i, after[i], nav_after)
        if outside != 0:
            if outside > self._outside(i, before[i], nav_before):
                refuse._with(refuse.VAULT_CORRIDOR)


@internal
@view
def _outside(index: uint256, part: uint256, nav: uint256) -> uint256:
    """@notice How far a weight is outside its corridor (1e18 = 100 %)"""
    word: uint256 = registry.feed_words[index]
    weight: uint256 = maths._mul_div(part, ONE, nav)
    least: uint256 = unsafe_mul(registry._least(word), BPS)
    most: uint256 = unsafe_mul(registry._most(word), BPS)
    if weight < least:
        return unsafe_sub(least, weight)
    return unsafe_sub(weight, min(weight, most))
