# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   What the vault does on its pools, directly and without an allowance
@license Apache-2.0
@notice  A V3 pool takes its tokens in a callback, which pays only the pool being called and only up to what was opened.
         Pairs of numbers are token0's and token1's of a pool.
"""

from interfaces import IPair
from interfaces import IPool
from interfaces import IToken
from modules import layout
from modules import maths
from modules import pools
from modules import portfolio
from modules import refuse
from modules import registry

uses: registry
uses: portfolio

# ------------------------------------------------------------------ storage

LEAST_SQRT_PRICE: constant(uint160) = 4295128740
MOST_SQRT_PRICE: constant(uint160) = 1461446703485210103287273052203988822378723970341
PIPS: constant(uint256) = 10**6
HALF: constant(uint256) = 2**128 - 1

open_pool: transient(uint256)  # word of the pool that may call back; 0: none
open_most: transient(uint256[2])  # what it may take


# ------------------------------------------------------------------ callbacks

@external
@reentrant
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """@notice Pay what the pool being called asks for, up to what was opened for it."""
    self._pay([convert(max(amount0, 0), uint256), convert(max(amount1, 0), uint256)])


@external
@reentrant
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    """@notice Pay what the pool being called asks for, up to what was opened for it."""
    self._pay([amount0, amount1])


@internal
def _pay(amounts: uint256[2]):
    pool: uint256 = self.open_pool
    if pool == 0 or msg.sender != layout._address(pool):
        refuse._with(refuse.VENUE_NOT_OPENED)
    most: uint256[2] = self.open_most
    if amounts[0] > most[0] or amounts[1] > most[1]:
        refuse._with(refuse.VENUE_BEYOND_OPENED)
    self.open_pool = 0
    self._give_both(pool, amounts)


@internal
def _give_both(pool: uint256, amounts: uint256[2]):
    for side: uint256 in range(2):
        self._give(layout._token(pool, side), layout._address(pool), amounts[side])


@internal
def _give(index: uint256, to: address, amount: uint256):
    """@dev Some tokens refuse to move nothing."""
    if amount != 0:
        self._send(registry._token_address(index), to, amount)


@internal
def _send(token: address, to: address, amount: uint256):
    if not extcall IToken(token).transfer(to, amount, default_return_value=True, skip_contract_check=True):
        refuse._with(refuse.VAULT_TRANSFER)


# ------------------------------------------------------------------ a holder's part

@internal
def _unwind(
    numerator: uint256, denominator: uint256, skip: uint256, receiver: address
) -> (uint256[layout.MAX_TOKENS], uint256[layout.MAX_TOKENS]):
    """
    @notice Harvest every range, and take numerator / denominator, rounded down, of every position's liquidity
    @param  skip Bit i: token i cannot move. A range keeps its part of it, owed to the vault; LP tokens of a pair with
                 it go to the receiver as they are, as do LP tokens too few for the pair to burn.
    @return the principal taken per token; what ranges keep of the tokens skipped
    """
    taken: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    kept: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    for i: uint256 in range(registry.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE, bound=layout.MAX_POSITIONS):
        position: uint256 = registry._position(i)
        pool: uint256 = registry._pool(position >> 48)
        tokens: uint256[2] = [pool >> layout.TOKEN0 & layout.BYTE, pool >> layout.TOKEN1 & layout.BYTE]
        moves: bool[2] = [skip >> tokens[0] & 1 == 0, skip >> tokens[1] & 1 == 0]
        amounts: uint256[2] = empty(uint256[2])
        if pool >> layout.KIND & layout.BYTE == layout.V2:
            amounts = self._unwind_pair(pool, numerator, denominator, moves[0] and moves[1], receiver)
        else:
            liquidity: uint256 = (pools._held(pool, position, self)).liquidity
            amounts = self._burn(pool, position, maths._mul_div(liquidity, numerator, denominator))
            self._collect(pool, position, moves)
            if not (moves[0] and moves[1]):
                left: uint256[2] = (pools._held(pool, position, self)).owed
                kept[tokens[0]] += left[0]
                kept[tokens[1]] += left[1]
        taken[tokens[0]] += amounts[0]
        taken[tokens[1]] += amounts[1]
    return taken, kept


@internal
def _unwind_pair(
    pool: uint256, numerator: uint256, denominator: uint256, moves: bool, receiver: address
) -> uint256[2]:
    pair: address = layout._address(pool)
    liquidity: uint256 = maths._mul_div(portfolio._balance_of(pair, self), numerator, denominator)
    if liquidity == 0:
        return [0, 0]
    amounts: uint256[2] = portfolio._pair(pool, 0, liquidity)
    if moves and amounts[0] > 1 and amounts[1] > 1:  # one less may come where the pair pays a protocol fee
        return self._burn_pair(pair, liquidity)
    self._send(pair, receiver, liquidity)
    return [0, 0]


# ------------------------------------------------------------------ the keeper's actions

@internal
def _remove(position: uint256, pool: uint256, amount: uint256, least: uint256) -> int256[2]:
    """
    @notice Take liquidity out with all fees due, no less than `least` (two halves); an empty position is dropped
    @param  amount All there is where it is less: nobody can hinder a removal by redeeming a little before it.
    """
    index: uint256 = registry._find(position)
    if index == registry.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE:
        refuse._with(refuse.VENUE_NO_POSITION)
    got: uint256[2] = empty(uint256[2])
    held: uint256 = 0
    if pool >> layout.KIND & layout.BYTE == layout.V2:
        held = portfolio._balance_of(layout._address(pool), self)
        got = self._burn_pair(layout._address(pool), min(amount, held))
    else:
        held = (pools._held(pool, position, self)).liquidity
        self._burn(pool, position, min(amount, held))
        got = self._collect(pool, position, [True, True])
    if amount >= held:
        registry._drop(index)
    if got[0] < least >> 128 or got[1] < least & HALF:
        refuse._with(refuse.VENUE_LEAST)
    return [convert(got[0], int256), convert(got[1], int256)]


@internal
def _swap(pool: uint256, side: uint256, amount: uint256, least: uint256) -> int256[2]:
    """@notice Sell exactly `amount` of the token on `side` for at least `least` of the other"""
    fill: int256[2] = empty(int256[2])
    if pool >> layout.KIND & layout.BYTE == layout.V2:
        fill = self._swap_pair(pool, side, amount)
    else:
        self.open_pool = pool
        self.open_most = empty(uint256[2])
        self.open_most[side] = amount
        limit: uint160 = LEAST_SQRT_PRICE
        if side == 1:
            limit = MOST_SQRT_PRICE
        got: int256[2] = extcall IPool(layout._address(pool)).swap(
            self, side == 0, convert(amount, int256), limit, b"", skip_contract_check=True
        )
        self.open_pool = 0
        fill = [unsafe_sub(0, got[0]), unsafe_sub(0, got[1])]
    if fill[side ^ 1] < convert(least, int256):
        refuse._with(refuse.VENUE_LEAST)
    return fill


@internal
def _swap_pair(pool: uint256, side: uint256, amount: uint256) -> int256[2]:
    pair: IPair = IPair(layout._address(pool))
    reserves: uint256[2] = pools._reserves(pool)
    counted: uint256 = amount * (PIPS - layout._fee(pool))
    other: uint256 = side ^ 1
    out: uint256[2] = empty(uint256[2])
    out[other] = counted * reserves[other] // (reserves[side] * PIPS + counted)
    self._give(layout._token(pool, side), pair.address, amount)
    extcall pair.swap(out[0], out[1], self, b"")
    got: int256[2] = [convert(out[0], int256), convert(out[1], int256)]
    got[side] = unsafe_sub(0, convert(amount, int256))
    return got


@internal
def _add(position: uint256, pool: uint256, amount: uint256, bounds: uint256, fair: uint256) -> (int256[2], uint256[2]):
    """
    @notice Put liquidity in and list the position
    @param  amount V3: the liquidity to mint. V2: the fewest LP tokens to accept; the pair gets no more than fits its
                   ratio, so that nothing is given away.
    @return What came in (-), and what it stands for at the fair price.
    """
    registry._keep(position)
    most: uint256[2] = [bounds >> 128, bounds & HALF]
    given: uint256[2] = most
    stake: uint256[2] = empty(uint256[2])
    if pool >> layout.KIND & layout.BYTE == layout.V2:
        pair: IPair = IPair(layout._address(pool))
        reserves: uint256[2] = pools._reserves(pool)
        given[1] = most[0] * reserves[1] // reserves[0]
        if given[1] > most[1]:
            given = [most[1] * reserves[0] // reserves[1], most[1]]
        self._give_both(pool, given)
        minted: uint256 = extcall pair.mint(self, skip_contract_check=True)
        if minted < amount:
            refuse._with(refuse.VENUE_LEAST)
        stake = portfolio._pair(pool, fair, minted)
    else:
        self.open_pool = pool
        self.open_most = most
        given = extcall IPool(layout._address(pool)).mint(
            self, layout._lower(position), layout._upper(position), convert(amount, uint128), b""
        )
        self.open_pool = 0
        stake = portfolio._range(position, fair, amount)
    return [unsafe_sub(0, convert(given[0], int256)), unsafe_sub(0, convert(given[1], int256))], stake


# ------------------------------------------------------------------ calls

@internal
def _burn(pool: uint256, position: uint256, liquidity: uint256) -> uint256[2]:
    return extcall IPool(layout._address(pool)).burn(
        layout._lower(position), layout._upper(position), convert(liquidity, uint128)
    )


@internal
def _collect(pool: uint256, position: uint256, moves: bool[2]) -> uint256[2]:
    """@notice Take all that a range owes of the tokens that move"""
    return extcall IPool(layout._address(pool)).collect(
        self,
        layout._lower(position),
        layout._upper(position),
        convert(moves[0], uint128) * max_value(uint128),
        convert(moves[1], uint128) * max_value(uint128),
    )


@internal
def _burn_pair(pair: address, liquidity: uint256) -> uint256[2]:
    self._send(pair, pair, liquidity)
    return extcall IPair(pair).burn(self)
