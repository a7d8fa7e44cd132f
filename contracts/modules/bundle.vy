# pragma version 0.4.3
"""
@title   What a bundle is held to: values at the feeds' prices, floors, corridors and limits
@license Apache-2.0
@notice  A weight is 1e18 = 100 % of NAV. Prices are asked for the tokens that a bundle touches, and for all tokens where a
         position joins one of those to another, or where the record of the others is older than RECORD_AGE_S.
"""

from modules import budget
from modules import fee
from modules import layout
from modules import maths
from modules import oracle
from modules import portfolio
from modules import refuse
from modules import registry
from modules import share
from modules import venues

uses: registry
uses: portfolio
uses: venues
uses: budget
uses: share
uses: fee
uses: oracle

ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
PRICE_ONE: constant(uint256) = 10**36
RECORD_AGE_S: constant(uint256) = 86_400
RECORD_BITS: constant(uint256) = 28  # of a token's value per share
RECORD_ONE: constant(uint256) = 2**64  # the values per share are scaled by it
TIME: constant(uint256) = 2**32 - 1


struct Tally:  # of a bundle; lists are by token
    tokens: uint256[layout.MAX_TOKENS]  # their words; 0: the bundle does without
    prices: uint256[layout.MAX_TOKENS]  # 0 likewise
    idle: uint256[layout.MAX_TOKENS]  # before the first swap or add
    placed: uint256[layout.MAX_TOKENS]  # in positions then, at the fair price
    added: uint256[layout.MAX_TOKENS]  # to positions since, at the fair price
    turnover: uint256


@internal
@view
def _open(touched: uint256) -> Tally:
    """
    @notice A tally with the prices that a bundle needs
    @param  touched Bit i: token i is one of a pool's that the bundle names.
    """
    oracle._assert_sequencer()
    wanted: uint256 = touched
    count: uint256 = registry.words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE
    if wanted < (1 << count) - 1:
        if (registry.words[layout.RECORD] & TIME) + RECORD_AGE_S < block.timestamp:
            wanted = max_value(uint256)
        for i: uint256 in range(registry.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE, bound=layout.MAX_POSITIONS):
            pool: uint256 = registry._pool(registry._position(i) >> 48)
            if wanted >> (pool >> layout.TOKEN0 & layout.BYTE) & 1 != wanted >> (pool >> layout.TOKEN1 & layout.BYTE) & 1:
                wanted = max_value(uint256)
    tally: Tally = empty(Tally)
    for i: uint256 in range(count, bound=layout.MAX_TOKENS):
        if wanted >> i & 1 != 0:
            token: uint256 = registry._token(i)
            tally.tokens[i] = token
            tally.prices[i] = oracle._price(token, registry._feed(i))
    return tally


@internal
@pure
def _position(head: uint256, pool: uint256) -> uint256:
    """@notice The position an action names; a V2 holding has no ticks, whatever the action says"""
    if pool >> layout.KIND & layout.BYTE == layout.V2:
        return (head >> 240 & 255) << 48
    return head >> 192 & (2**56 - 1)


@internal
def _measure(tally: Tally) -> Tally:
    """@notice The tally with what is held now; a range that still keeps what was set aside pays it first"""
    measured: Tally = tally
    count: uint256 = registry.words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE
    for _: uint256 in range(2):
        short: bool = False
        for i: uint256 in range(count, bound=layout.MAX_TOKENS):
            if tally.tokens[i] != 0:
                balance: uint256 = portfolio._balance_of(layout._address(tally.tokens[i]), self)
                owes: uint256 = registry._owes(i)
                short = short or balance < owes
                measured.idle[i] = unsafe_sub(balance, min(balance, owes))
        if not short:
            break
        venues._unwind(0, 1, 0, self)
    measured.placed = (portfolio._book(tally.prices, False)).placed
    return measured


@internal
def _settle(
    limits: layout.Limits, run: budget.Run, tally: Tally, floors: DynArray[uint256, layout.MAX_TOKENS]
) -> (uint256, uint256):
    """
    @notice Check all that a bundle leaves behind, charge it to the buckets, and keep the record
    @return the NAV before and after
    """
    count: uint256 = registry.words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE
    if len(floors) != 0 and len(floors) != count:
        refuse._with(refuse.VAULT_FLOORS)
    supply: uint256 = 0
    record: uint256 = 0
    kept: uint256 = block.timestamp
    if count > 2:
        supply = share._supply() + fee._due()  # as the next mint or redemption counts it
        record = registry.words[layout.RECORD]
    before: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    after: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    nav_before: uint256 = 0
    nav_after: uint256 = 0
    for i: uint256 in range(count, bound=layout.MAX_TOKENS):
        place: uint256 = unsafe_add(32, unsafe_mul(i, RECORD_BITS))
        part: uint256 = record >> place & (2**RECORD_BITS - 1)
        token: uint256 = tally.tokens[i]
        least: uint256 = 0
        if len(floors) != 0:
            least = floors[i]
        balance: uint256 = 0
        if token | least != 0:
            balance = portfolio._balance(i, self)
            owes: uint256 = registry._owes(i)  # a floor of its own: the keeper cannot spend it
            if balance < least + owes:
                refuse._with(refuse.VAULT_FLOOR)
            balance = unsafe_sub(balance, owes)
        if token == 0:
            before[i] = maths._unpacked(part) * supply // RECORD_ONE
            after[i] = before[i]
            kept = kept & ~TIME | record & TIME
        else:
            held: uint256 = tally.placed[i] + tally.idle[i]
            before[i] = held * tally.prices[i] // PRICE_ONE
            held = tally.placed[i] + tally.added[i] + balance
            after[i] = held * tally.prices[i] // PRICE_ONE
            if supply != 0:
                part = maths._packed(after[i] * RECORD_ONE // supply, RECORD_BITS)
        kept |= part << place
        nav_before += before[i]
        nav_after += after[i]
    if count > 2:
        registry.words[layout.RECORD] = kept
    if nav_before == 0 or nav_after == 0:
        refuse._with(refuse.VAULT_EMPTY)
    for i: uint256 in range(count, bound=layout.MAX_TOKENS):
        token: uint256 = tally.tokens[i]
        if token != 0:
            outside: uint256[2] = self._outside(token, after[i], nav_after)
            if outside[0] | outside[1] != 0:
                was: uint256[2] = self._outside(token, before[i], nav_before)
                if outside[0] > was[0] or outside[1] > was[1]:
                    refuse._with(refuse.VAULT_CORRIDOR)
    budget._spend(limits, run, nav_before, nav_after, tally.turnover)
    return nav_before, nav_after


@internal
@pure
def _outside(token: uint256, part: uint256, nav: uint256) -> uint256[2]:
    """@notice How far a weight is below its corridor, and how far above (1e18 = 100 %)"""
    weight: uint256 = part * ONE // nav
    least: uint256 = unsafe_mul(token >> layout.LEAST & 65_535, BPS)
    most: uint256 = unsafe_mul(token >> layout.MOST, BPS)
    return [unsafe_sub(max(weight, least), weight), unsafe_sub(max(weight, most), most)]
