# pragma version 0.4.3
"""
@title   What the vault holds: idle tokens, and positions looked through to their tokens and unclaimed fees
@license Apache-2.0
@notice  Rounds down; whoever needs a ceiling asks for it by name. No storage of its own and no state is changed.
         Pairs of numbers are token0's and token1's of a pool.
"""

from interfaces import IPair
from interfaces import IPool
from interfaces import IToken
from modules import maths
from modules import oracle
from modules import registry

uses: registry

Q96: constant(uint256) = 2**96
Q128: constant(uint256) = 2**128


@internal
@view
def _balance(index: uint256, owner: address) -> uint256:
    return self._balance_of(registry.token_list[index], owner)


@internal
@view
def _balance_of(token: address, owner: address) -> uint256:
    return staticcall IToken(token).balanceOf(owner)


@internal
@view
def _idle(index: uint256, elsewhere: uint256, spoken_for: uint256) -> uint256:
    """@notice The balance and `elsewhere`, less what is owed and `spoken_for`; never below 0"""
    held: uint256 = self._balance(index, self) + elsewhere
    return unsafe_sub(held, min(held, registry.owed_total[index] + spoken_for))


@internal
@view
def _holdings(
    prices: uint256[registry.MAX_TOKENS], extra: uint256, numerator: uint256, denominator: uint256
) -> DynArray[uint256, registry.MAX_TOKENS]:
    """
    @notice numerator / denominator of every token's idle amount and fees, and of every position's liquidity
    @param  prices Of the feeds: positions stand at the fair price. Empty: they stand at spot.
    @param  extra  Added for each position and token: 1 makes it no less than the exact amount.
    """
    gathered: uint256[registry.MAX_TOKENS] = empty(uint256[registry.MAX_TOKENS])
    principal: uint256[registry.MAX_TOKENS] = empty(uint256[registry.MAX_TOKENS])
    for position: uint256 in registry.position_words:
        pool: uint256 = registry._pool(position >> 48)
        fair: uint256 = 0
        if prices[0] != 0:
            fair = oracle._fair(pool, prices)
        fees: uint256[2] = empty(uint256[2])
        stake: uint256[2] = empty(uint256[2])
        if registry._kind(pool) == registry.V2:
            stake = self._pair(pool, fair, numerator, denominator)
        else:
            held: IPool.Held = self._held(pool, position)
            slot0: IPool.Slot0 = oracle._slot0(pool)
            if fair == 0:
                fair = slot0.sqrt_price_x96
            stake = maths._amounts(
                fair,
                registry._lower(position),
                registry._upper(position),
                maths._mul_div(held.liquidity, numerator, denominator),
            )
            fees = self._fees(pool, position, slot0.tick, held)
        for side: uint256 in range(2):
            token: uint256 = registry._token(pool, side)
            gathered[token] += fees[side]
            principal[token] += stake[side] + extra
    amounts: DynArray[uint256, registry.MAX_TOKENS] = []
    for i: uint256 in range(len(registry.token_list), bound=registry.MAX_TOKENS):
        amounts.append(principal[i] + maths._mul_div(self._idle(i, gathered[i], 0), numerator, denominator))
    return amounts


@internal
@view
def _pair(pool: uint256, fair: uint256, numerator: uint256, denominator: uint256) -> uint256[2]:
    """
    @notice What V2 LP tokens stand for: if the pair's product sat at the fair price, or (`fair` 0) at spot
    @dev    A burn pays from the pair's balances, which a gift raises above its reserves and a flash swap lowers below
            them for a while: at spot the greater counts, so that nobody mints against too little.
    """
    pair: address = registry._address(pool)
    liquidity: uint256 = maths._mul_div(self._balance_of(pair, self), numerator, denominator)
    supply: uint256 = staticcall IPair(pair).totalSupply()
    amounts: uint256[2] = staticcall IPair(pair).getReserves()
    root: uint256 = maths._root(amounts[0] * amounts[1])
    if fair != 0:
        amounts = [maths._mul_div(root, Q96, fair), maths._mul_div(root, fair, Q96)]
    for side: uint256 in range(2):
        amount: uint256 = amounts[side]
        if fair == 0:
            amount = max(amount, self._balance(registry._token(pool, side), pair))
        amounts[side] = maths._mul_div(amount, liquidity, supply)
    return amounts


@internal
@view
def _held(pool: uint256, position: uint256) -> IPool.Held:
    """@notice The pool's own record of a range of the vault"""
    ticks: uint48 = convert(position & (2**48 - 1), uint48)
    key: bytes32 = keccak256(concat(convert(self, bytes20), convert(ticks, bytes6)))
    return staticcall IPool(registry._address(pool)).positions(key)


@internal
@view
def _fees(pool: uint256, position: uint256, tick: int24, held: IPool.Held) -> uint256[2]:
    """@notice Unclaimed fees of a range, exactly as a burn of 0 would credit them"""
    at: IPool = IPool(registry._address(pool))
    lower: int24 = registry._lower(position)
    upper: int24 = registry._upper(position)
    low: uint256[2] = (staticcall at.ticks(lower)).outside
    top: uint256[2] = (staticcall at.ticks(upper)).outside
    growth: uint256[2] = [staticcall at.feeGrowthGlobal0X128(), staticcall at.feeGrowthGlobal1X128()]
    fees: uint256[2] = held.owed
    for side: uint256 in range(2):
        inside: uint256 = unsafe_sub(low[side], top[side])
        if tick >= upper:
            inside = unsafe_sub(0, inside)
        elif tick >= lower:
            inside = unsafe_sub(unsafe_sub(growth[side], low[side]), top[side])
        fees[side] += maths._mul_div(unsafe_sub(inside, held.growth[side]), held.liquidity, Q128)
    return fees
