# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   What the vault keeps: its charter's words, the list of its positions, and amounts set aside for people
@license Apache-2.0
@notice  A position is pool's index << 48 | lower tick << 24 | upper tick (int24); V2: ticks are 0.
"""

from modules import layout
from modules import refuse

# ------------------------------------------------------------------ storage

POSITION_BITS: constant(uint256) = 56  # four of them a word, but two in the first, after the run
POSITION: constant(uint256) = 2**POSITION_BITS - 1
FIRST: constant(uint256) = layout.RUN_BITS // POSITION_BITS

charter: public(immutable(address))
words: uint256[layout.PLACES]
owed: public(HashMap[uint256, HashMap[address, uint256]])  # token's index -> who -> amount set aside by a redemption
owed_total: public(uint256[layout.MAX_TOKENS])


@deploy
def __init__(charter_: address):
    charter = charter_


# ------------------------------------------------------------------ everybody

@external
@view
def setting(place: uint256) -> uint256:
    """@notice One of the words."""
    return self.words[place]


@external
@view
def settings() -> uint256[layout.PLACES]:
    """@notice All words, the charter's and the vault's own, as `layout` has them; the Lens says what they mean."""
    return self.words


# ------------------------------------------------------------------ for the vault

@internal
def _write(place: uint256, word: uint256):
    """@notice Keep a word of the charter's, of its pause only that bit; a token that was not there is counted"""
    if msg.sender != charter:
        refuse._with(refuse.VAULT_CHARTER)
    held: uint256 = self.words[layout.HELD]
    if place == layout.HELD:
        self.words[layout.HELD] = held & ~layout.PAUSED | word
    else:
        if self.words[place] == 0 and unsafe_sub(place, layout.TOKENS) < layout.MAX_TOKENS:
            self.words[layout.HELD] = held + (1 << layout.TOKEN_COUNT)
        self.words[place] = word


@internal
@view
def _assert_not_paused():
    if self.words[layout.HELD] & layout.PAUSED != 0:
        refuse._with(refuse.VAULT_PAUSED)


@internal
@view
def _token(index: uint256) -> uint256:
    return self.words[unsafe_add(layout.TOKENS, index)]


@internal
@view
def _token_address(index: uint256) -> address:
    return layout._address(self.words[unsafe_add(layout.TOKENS, index)])


@internal
@view
def _feed(index: uint256) -> uint256:
    return self.words[unsafe_add(layout.FEEDS, index)]


@internal
@view
def _pool(index: uint256) -> uint256:
    if index >= layout.MAX_POOLS:
        refuse._with(refuse.REGISTRY_NO_POOL)
    pool: uint256 = self.words[unsafe_add(layout.POOLS, index)]
    if pool == 0:
        refuse._with(refuse.REGISTRY_NO_POOL)
    return pool


# ------------------------------------------------------------------ owed amounts

@internal
@view
def _owes(index: uint256) -> uint256:
    """@notice What is set aside of a token"""
    if self.words[layout.HELD] >> unsafe_add(layout.OWES, index) & 1 != 0:
        return self.owed_total[index]
    return 0


@internal
def _set_owed(index: uint256, who: address, amount: uint256, total: uint256):
    """@notice Set the amount owed to somebody, and the sum owed of that token"""
    self.owed[index][who] = amount
    self.owed_total[index] = total
    flag: uint256 = 1 << layout.OWES << index
    word: uint256 = self.words[layout.HELD] & ~flag
    if total != 0:
        word |= flag
    self.words[layout.HELD] = word


# ------------------------------------------------------------------ positions

@internal
@view
def _position(index: uint256) -> uint256:
    """@notice The position at a place in the list"""
    place: uint256 = unsafe_add(index, FIRST)
    return self.words[unsafe_add(layout.HELD, place >> 2)] >> unsafe_mul(POSITION_BITS, place & 3) & POSITION


@internal
def _put(index: uint256, position: uint256):
    place: uint256 = unsafe_add(index, FIRST)
    bit: uint256 = unsafe_mul(POSITION_BITS, place & 3)
    word: uint256 = unsafe_add(layout.HELD, place >> 2)
    self.words[word] = self.words[word] & ~(POSITION << bit) | position << bit


@internal
@view
def _find(position: uint256) -> uint256:
    """@notice A position's place in the list; the number of positions where it is not in it"""
    count: uint256 = self.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE
    for i: uint256 in range(layout.MAX_POSITIONS):
        if i == count or self._position(i) == position:
            return i
    return count


@internal
def _keep(position: uint256):
    """@notice List a position unless it is listed"""
    count: uint256 = self.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE
    if self._find(position) == count:
        if count >= layout.MAX_POSITIONS:
            refuse._with(refuse.VAULT_POSITIONS_FULL)
        self._put(count, position)
        self.words[layout.HELD] += 1 << layout.POSITION_COUNT


@internal
def _drop(index: uint256):
    """@notice Take a position off the list; the last one takes its place"""
    self._put(index, self._position((self.words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE) - 1))
    self.words[layout.HELD] -= 1 << layout.POSITION_COUNT
