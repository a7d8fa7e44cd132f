"""What the vault's packed words say, read anew in Python: rules, positions, buckets, the record, and the TWAP hint."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isqrt
from typing import Any, NamedTuple

from eth_utils.address import to_checksum_address

RULES, FEE, TOKENS, FEEDS, POOLS, HELD, RECORD = 0, 1, 2, 10, 18, 34, 37  # places
MAX_TOKENS, MAX_POOLS, MAX_POSITIONS = 8, 16, 8
POSITION_BITS = 56
PAUSED = 1 << 248
RECORD_BITS, RECORD_ONE, RECORD_AGE_S = 28, 2**64, 86_400
NAV_ONE = 10**8  # all of NAV, as buckets count it
BPS = 10**4  # of it
DAY_S = 86_400


class State(NamedTuple):
    """Where the bundles stand now."""

    sequence: int
    last_bundle: int
    loss_used: int  # leaked to now, as the turnover is
    turnover_used: int
    paused: bool
    supply: int


class Pool(NamedTuple):
    """A listed pool."""

    address: str
    sides: tuple[int, int]  # the vault's indices of token0 and token1
    kind: int
    fee: int
    window: int


class Position(NamedTuple):
    """A listed position; a V2 holding has ticks 0."""

    pool: int
    ticks: tuple[int, int]


@dataclass(frozen=True)
class Words:
    """A vault's words at one moment."""

    words: tuple[int, ...]

    def field(self, place: int, first: int, bits: int) -> int:
        return self.words[place] >> first & ((1 << bits) - 1)

    @property
    def limits(self) -> tuple[int, ...]:
        """Loss of a bundle, of a day, turnover of a day, deviation (bps), cool-down (s)."""
        return tuple(
            self.field(RULES, 160 + first, bits) for first, bits in ((0, 8), (8, 16), (24, 24), (48, 16), (64, 32))
        )

    @property
    def token_count(self) -> int:
        return self.field(HELD, 224, 8)

    @property
    def owes(self) -> int:
        """Bit i: something is owed of token i."""
        return self.field(HELD, 240, 8)

    @property
    def paused(self) -> bool:
        return bool(self.words[HELD] & PAUSED)

    def token(self, index: int) -> str:
        return address(self.words[TOKENS + index])

    def feed(self, index: int) -> str:
        return address(self.words[FEEDS + index])

    def exponent(self, index: int) -> int:
        """Of 10: what the feed's answer is multiplied by, for the price in 1e-36 of the money's smallest unit."""
        return self.field(TOKENS + index, 184, 8)

    def pool(self, index: int) -> Pool | None:
        place = POOLS + index
        if index >= MAX_POOLS or self.words[place] == 0:
            return None
        sides = self.field(place, 160, 8), self.field(place, 168, 8)
        rest = self.field(place, 176, 8), self.field(place, 184, 24), self.field(place, 208, 48)
        return Pool(address(self.words[place]), sides, *rest)

    def position_words(self) -> list[int]:
        """pool's index << 48 | lower tick << 24 | upper tick."""
        return [
            self.field(HELD + place // 4, POSITION_BITS * (place % 4), POSITION_BITS)
            for place in range(2, 2 + self.field(HELD, 232, 8))
        ]

    def positions(self) -> list[Position]:
        return [
            Position(word >> 48, (signed24(word >> 24 & 0xFFFFFF), signed24(word & 0xFFFFFF)))
            for word in self.position_words()
        ]

    def used(self, now: int) -> list[int]:
        """Loss and turnover used, leaked to now."""
        passed = now - self.field(HELD, 26, 32)
        _, day_loss, day_turnover, *_ = self.limits
        stored = self.field(HELD, 58, 23), self.field(HELD, 81, 31)
        return [
            max(0, used - day_bps * BPS * passed // DAY_S)
            for used, day_bps in zip(stored, (day_loss, day_turnover), strict=True)
        ]

    @property
    def recorded_at(self) -> int:
        return self.field(RECORD, 0, 32)

    def recorded(self, index: int) -> int:
        """A token's value per share, packed."""
        return self.field(RECORD, 32 + RECORD_BITS * index, RECORD_BITS)


def words_of(vault: Any) -> Words:
    return Words(tuple(vault.settings()))


def state_of(vault: Any, now: int) -> State:
    found = words_of(vault)
    run = found.field(HELD, 0, 26), found.field(HELD, 26, 32)
    return State(*run, *found.used(now), found.paused, vault.totalSupply())


def address(word: int) -> str:
    return to_checksum_address((word & (2**160 - 1)).to_bytes(20))


def position_word(pool: int, lower: int, upper: int) -> int:
    return pool << 48 | (lower & 0xFFFFFF) << 24 | upper & 0xFFFFFF


def signed24(word: int) -> int:
    return word - 2**24 if word >= 2**23 else word


# ------------------------------------------------------------------ numbers of few digits


def packed(number: int, bits: int) -> int:
    """Rounded down to `bits` - 8 significant bits << 8 | the place of the last of them."""
    place = max(number.bit_length() - (bits - 8), 0)
    return number >> place << 8 | place


def unpacked(word: int) -> int:
    return word >> 8 << (word & 255)


# ------------------------------------------------------------------ prices


def sqrt_x96(numerator: int, denominator: int) -> int:
    """sqrt(numerator / denominator) * 2**96, with the digits that the vault keeps."""
    if numerator >> 64 < denominator:
        return isqrt(numerator * 2**192 // denominator)
    return isqrt(numerator * 2**64 // denominator) << 64


# ------------------------------------------------------------------ the observation that a mean begins with


def hint(pool: Any, window: int, now: int) -> int:
    """1 + the place of the newest observation that is at least a window old; 0: the pool remembers none."""
    _, _, newest, cardinality, *_ = pool.slot0()
    for back in range(cardinality):
        place = (newest - back) % cardinality
        at, _, _, written = pool.observations(place)
        if written and now - at >= window:
            return place + 1
    return 0


def with_hints(found: Words, actions: Iterable[tuple[int, int]], at: Any, now: int) -> list[tuple[int, int]]:
    """The actions, the first on each V3 pool with a window naming its observation unless it names one already.

    `at(address)` is the pool there.
    """
    hinted, seen = [], set()
    for head, bounds in actions:
        index = head >> 240 & 255
        pool = found.pool(index)
        if index not in seen and pool is not None and pool.window and head & 0xFFFF == 0:
            head |= hint(at(pool.address), pool.window, now)
        seen.add(index)
        hinted.append((head, bounds))
    return hinted
