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
from modules import layout
from modules import maths
from modules import oracle
from modules import pools
from modules import refuse
from modules import registry

uses: registry

Q96: constant(uint256) = 2**96
Q128: constant(uint256) = 2**128


struct Book:  # of all positions, by token
    placed: uint256[layout.MAX_TOKENS]  # principal
    due: uint256[layout.MAX_TOKENS]  # unclaimed fees


@internal
@view
def _balance(index: uint256, owner: address) -> uint256:
    return self._balance_of(registry._token_address(index), owner)


@internal
@view
def _balance_of(token: address, owner: address) -> uint256:
    return staticcall IToken(token).balanceOf(owner, skip_contract_check=True)


@internal
@view
def _idle(index: uint256, elsewhere: uint256, spoken_for: uint256) -> uint256:
    """@notice The balance and `elsewhere`, less what is owed and `spoken_for`; never below 0"""
    held: uint256 = self._balance_of(registry._token_address(index), self) + elsewhere
    return unsafe_sub(held, min(held, registry._owes(index) + spoken_for))


@internal
@view
def _book(prices: uint256[layout.MAX_TOKENS], at_spot: bool) -> Book:
    """
    @notice What all positions hold
    @param  at_spot They stand at spot, with fees, and each with 1 more of its tokens, for no less than the exact amount.
            Else they stand at the fair price, with what their pools owe but no fees not yet credited, and without those in
            tokens that have no price here.
    """
    book: Book = empty(Book)
    for i: uint256 in range(registry.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE, bound=layout.MAX_POSITIONS):
        position: uint256 = registry._position(i)
        pool: uint256 = registry._pool(position >> 48)
        fair: uint256 = 0
        if not at_spot:
            if prices[pool >> layout.TOKEN0 & layout.BYTE] == 0:
                continue
            fair = oracle._fair(pool, prices)
        stake: uint256[2] = empty(uint256[2])
        fees: uint256[2] = empty(uint256[2])
        if pool >> layout.KIND & layout.BYTE == layout.V2:
            stake = self._pair(pool, fair, self._balance_of(layout._address(pool), self))
        else:
            held: IPool.Held = pools._held(pool, position, self)
            fees = held.owed
            if at_spot:
                slot0: IPool.Slot0 = pools._slot0(pool)
                fair = slot0.sqrt_price_x96
                fees = self._fees(pool, position, slot0.tick, held)
            stake = self._range(position, fair, held.liquidity)
        for side: uint256 in range(2):
            token: uint256 = layout._token(pool, side)
            if at_spot:
                book.placed[token] += stake[side] + 1
                book.due[token] += fees[side]
            else:
                book.placed[token] += stake[side] + fees[side]
    return book


@internal
@view
def _range(position: uint256, sqrt_price: uint256, liquidity: uint256) -> uint256[2]:
    return maths._amounts(sqrt_price, layout._lower(position), layout._upper(position), liquidity)


@internal
@view
def _pair(pool: uint256, fair: uint256, liquidity: uint256) -> uint256[2]:
    """
    @notice What V2 LP tokens stand for: if the pair's product sat at the fair price, or (`fair` 0) at spot
    @dev    A burn pays from the pair's balances, which a gift raises above its reserves and a flash swap lowers below
            them for a while: at spot the greater counts, so that nobody mints against too little. In the middle of a
            burn the supply is lower already and the reserves are not yet: nobody is told a fair value then.
    """
    pair: address = layout._address(pool)
    supply: uint256 = staticcall IPair(pair).totalSupply(skip_contract_check=True)
    reserves: uint256[2] = pools._reserves(pool)
    amounts: uint256[2] = reserves
    root: uint256 = maths._root(reserves[0] * reserves[1])
    if fair != 0:
        amounts = [maths._mul_div(root, Q96, fair), maths._mul_div(root, fair, Q96)]
    for side: uint256 in range(2):
        balance: uint256 = self._balance(layout._token(pool, side), pair)
        if fair == 0:
            amounts[side] = max(balance, reserves[side])
        elif balance < reserves[side]:
            refuse._with(refuse.ORACLE_PAIR)
        amounts[side] = maths._mul_div(amounts[side], liquidity, supply)
    return amounts


@internal
@view
def _fees(pool: uint256, position: uint256, tick: int24, held: IPool.Held) -> uint256[2]:
    """@notice Unclaimed fees of a range, exactly as a burn of 0 would credit them"""
    at: IPool = IPool(layout._address(pool))
    lower: int24 = layout._lower(position)
    upper: int24 = layout._upper(position)
    low: uint256[2] = pools._outside(pool, lower)
    top: uint256[2] = pools._outside(pool, upper)
    growth: uint256[2] = [
        staticcall at.feeGrowthGlobal0X128(skip_contract_check=True),
        staticcall at.feeGrowthGlobal1X128(skip_contract_check=True),
    ]
    fees: uint256[2] = held.owed
    for side: uint256 in range(2):
        inside: uint256 = unsafe_sub(low[side], top[side])
        if tick >= upper:
            inside = unsafe_sub(0, inside)
        elif tick >= lower:
            inside = unsafe_sub(unsafe_sub(growth[side], low[side]), top[side])
        fees[side] += maths._mul_div(unsafe_sub(inside, held.growth[side]), held.liquidity, Q128)
    return fees
