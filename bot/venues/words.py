"""The words that a vault keeps, as contracts/modules/layout.vy packs them, and what they say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.errors import DataError
from bot.core.types import Limits
from bot.core.units import Bps

MAX_TOKENS, MAX_POOLS, MAX_POSITIONS = 8, 16, 8

# Places of the words
RULES, FEE, TOKENS, FEEDS, POOLS, HELD, RECORD, PLACES = 0, 1, 2, 10, 18, 34, 37, 38

# First bits of fields: of HELD, of RULES, of a token, of a pool
SEQUENCE_BITS, LAST, LOSS, TURNOVER, RUN_BITS = 26, 26, 58, 81, 112
TOKEN_COUNT, POSITION_COUNT, OWES, PAUSED = 224, 232, 240, 1 << 248
LIMITS = 160
MAX_AGE, EXPONENT, LEAST, MOST = 160, 184, 192, 208
TOKEN0, TOKEN1, KIND, WINDOW = 160, 168, 176, 208
BYTE = 255
V2, V3 = 2, 3
ANSWER_BITS = 48
POSITION_BITS = 56  # contracts/modules/registry.vy; four of them a word, but two in the first, after the run
FIRST = RUN_BITS // POSITION_BITS

DAY_S = 86_400
ONE = 10**8  # of NAV: 100 %
BPS = ONE // 10_000


@dataclass(frozen=True, slots=True)
class TokenWords:
    """How a token is listed."""

    token: str  # addresses in lower case, as decoded answers have them
    feed: str
    max_age_s: int
    least_answer: int  # of the feed, in its own decimals; answers are strictly between
    most_answer: int
    corridor: tuple[Bps, Bps]  # least and most weight


@dataclass(frozen=True, slots=True)
class PoolWord:
    """How a pool is listed."""

    pool: str
    kind: int  # V2 or V3
    fee: int  # pips
    window_s: int  # of the mean price; 0: none is asked for


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the words say; buckets are of ONE, as of the last bundle."""

    keeper: str
    limits: Limits
    fee_receiver: str
    fee_bps: int  # of the shares, in a year
    tokens: tuple[TokenWords, ...]
    pools: tuple[PoolWord, ...]
    positions: tuple[tuple[int, int, int], ...]  # (pool's index, lower tick, upper tick); ticks of V2 are 0
    paused: bool
    sequence: int
    last_bundle: int
    loss_used: int
    turnover_used: int


def settings(words: Sequence[int]) -> Settings:
    """What the words of a vault's `settings()` say. DataError when they are no vault's."""
    rules, fee, held = words[RULES], words[FEE], words[HELD]
    tokens, positions = _bits(held, TOKEN_COUNT, 8), _bits(held, POSITION_COUNT, 8)
    if tokens > MAX_TOKENS or positions > MAX_POSITIONS:
        raise DataError(f"expected a vault's words, found {tokens} tokens and {positions} positions; is it our vault?")
    return Settings(
        keeper=_address(rules),
        limits=_limits(rules >> LIMITS),
        fee_receiver=_address(fee),
        fee_bps=fee >> 160,
        tokens=tuple(_token(words[TOKENS + i], words[FEEDS + i]) for i in range(tokens)),
        pools=tuple(_pool(word) for word in words[POOLS:HELD] if word),
        positions=tuple(_position(words, i) for i in range(positions)),
        paused=held & PAUSED != 0,
        sequence=sequence(held),
        last_bundle=_bits(held, LAST, LOSS - LAST),
        loss_used=_bits(held, LOSS, TURNOVER - LOSS),
        turnover_used=_bits(held, TURNOVER, RUN_BITS - TURNOVER),
    )


def leaked(used: int, day_bps: int, passed_s: int) -> int:
    """What is left in a bucket that leaks a day's limit a day (contracts/modules/budget.vy)."""
    return max(0, used - day_bps * BPS * passed_s // DAY_S)


def sequence(held: int) -> int:
    """The number that the next bundle must name."""
    return _bits(held, 0, SEQUENCE_BITS)


def keeper(rules: int) -> str:
    """The keeper's address, in lower case."""
    return _address(rules)


def _limits(word: int) -> Limits:
    return Limits(
        bundle_loss_bps=Bps(_bits(word, 0, 8)),
        day_loss_bps=Bps(_bits(word, 8, 16)),
        day_turnover_bps=Bps(_bits(word, 24, 24)),
        deviation_bps=Bps(_bits(word, 48, 16)),
        cooldown_s=word >> 64,
    )


def _token(token: int, feed: int) -> TokenWords:
    return TokenWords(
        token=_address(token),
        feed=_address(feed),
        max_age_s=_bits(token, MAX_AGE, EXPONENT - MAX_AGE),
        least_answer=_unpacked(_bits(feed, 160, ANSWER_BITS)),
        most_answer=_unpacked(feed >> 160 + ANSWER_BITS),
        corridor=(Bps(_bits(token, LEAST, MOST - LEAST)), Bps(token >> MOST)),
    )


def _pool(word: int) -> PoolWord:
    return PoolWord(_address(word), _bits(word, KIND, 8), _bits(word, 184, 24), word >> WINDOW)


def _position(words: Sequence[int], index: int) -> tuple[int, int, int]:
    place = index + FIRST
    word = _bits(words[HELD + place // 4], place % 4 * POSITION_BITS, POSITION_BITS)
    return word >> 48, _signed24(_bits(word, 24, 24)), _signed24(_bits(word, 0, 24))


def _address(word: int) -> str:
    return f"0x{_bits(word, 0, 160):040x}"


def _bits(word: int, first: int, count: int) -> int:
    return word >> first & (1 << count) - 1


def _unpacked(word: int) -> int:
    """A large number kept to its first digits (contracts/modules/maths.vy)."""
    return word >> 8 << (word & BYTE)


def _signed24(bits: int) -> int:
    return bits - (1 << 24) if bits >> 23 else bits
