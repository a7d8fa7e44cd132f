# pragma version 0.4.3
"""
@title   The words that a charter writes and its vault reads: their places and their fields
@license Apache-2.0
@notice  One slot a word, packed so that a bundle reads few. Numbers that may be large are kept to their first digits.
"""

from modules import maths

MAX_TOKENS: constant(uint256) = 8
MAX_POOLS: constant(uint256) = 16
MAX_POSITIONS: constant(uint256) = 8

# Places
RULES: constant(uint256) = 0  # keeper | limits << 160
FEE: constant(uint256) = 1  # receiver | yearly rate in bps << 160
TOKENS: constant(uint256) = 2  # token | max age << 160 | exponent << 184 | least bps << 192 | most bps << 208
FEEDS: constant(uint256) = 10  # feed | least answer << 160 | most answer << 208, both packed
POOLS: constant(uint256) = 18  # pool | its tokens << 160, << 168 | kind << 176 | fee << 184 | window << 208; 0: none
HELD: constant(uint256) = 34  # three words of the vault's own: what every bundle changes, in the first, and positions
SEQUENCE: constant(uint256) = 2**26 - 1
LAST: constant(uint256) = 26  # when the last bundle was
LOSS: constant(uint256) = 58  # used of a day's
TURNOVER: constant(uint256) = 81
RUN_BITS: constant(uint256) = 112  # all of these
TOKEN_COUNT: constant(uint256) = 224
POSITION_COUNT: constant(uint256) = 232
OWES: constant(uint256) = 240  # bit i: something is owed of token i
PAUSED: constant(uint256) = 1 << 248
RECORD: constant(uint256) = 37  # when all was priced | each token's value per share << 32, << 60 and so on, packed
PLACES: constant(uint256) = 38

# Limits, as they stand in RULES: bundle loss | day loss << 8 | day turnover << 24 | deviation << 48 | cool-down << 64
LIMITS: constant(uint256) = 160

# The first bits of fields
MAX_AGE: constant(uint256) = 160
EXPONENT: constant(uint256) = 184  # of 10: what an answer is multiplied by
LEAST: constant(uint256) = 192
MOST: constant(uint256) = 208
TOKEN0: constant(uint256) = 160
TOKEN1: constant(uint256) = 168
KIND: constant(uint256) = 176
WINDOW: constant(uint256) = 208
BYTE: constant(uint256) = 255

V2: constant(uint256) = 2
V3: constant(uint256) = 3
ANSWER_BITS: constant(uint256) = 48

struct Limits:
    bundle_loss_bps: uint256
    day_loss_bps: uint256
    day_turnover_bps: uint256
    deviation_bps: uint256
    cooldown_s: uint256


@internal
@pure
def _address(word: uint256) -> address:
    return convert(word & (2**160 - 1), address)


# ------------------------------------------------------------------ rules

@internal
@pure
def _keeper(rules: uint256) -> address:
    return self._address(rules)


@internal
@pure
def _limits(rules: uint256) -> Limits:
    word: uint256 = rules >> LIMITS
    return Limits(
        bundle_loss_bps=word & 255,
        day_loss_bps=word >> 8 & 65_535,
        day_turnover_bps=word >> 24 & (2**24 - 1),
        deviation_bps=word >> 48 & 65_535,
        cooldown_s=word >> 64,
    )


@internal
@pure
def _limits_word(limits: Limits) -> uint256:
    return (
        limits.bundle_loss_bps
        | limits.day_loss_bps << 8
        | limits.day_turnover_bps << 24
        | limits.deviation_bps << 48
        | limits.cooldown_s << 64
    )


# ------------------------------------------------------------------ a token and its feed

@internal
@pure
def _max_age(token: uint256) -> uint256:
    return token >> MAX_AGE & (2**24 - 1)


@internal
@pure
def _least_answer(feed: uint256) -> uint256:
    return maths._unpacked(feed >> 160 & (2**ANSWER_BITS - 1))


@internal
@pure
def _most_answer(feed: uint256) -> uint256:
    return maths._unpacked(feed >> 208)


# ------------------------------------------------------------------ a pool

@internal
@pure
def _token(pool: uint256, side: uint256) -> uint256:
    """@notice The index of the pool's token0 (side 0) or token1 (side 1)"""
    return pool >> (160 | side << 3) & 255


@internal
@pure
def _fee(pool: uint256) -> uint256:
    return pool >> 184 & (2**24 - 1)


# ------------------------------------------------------------------ a position: pool << 48 | lower << 24 | upper

@internal
@pure
def _lower(position: uint256) -> int24:
    return convert(convert(position, int256) << 208 >> 232, int24)


@internal
@pure
def _upper(position: uint256) -> int24:
    return convert(convert(position, int256) << 232 >> 232, int24)
