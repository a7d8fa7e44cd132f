"""The hint found in a pool's ring of observations, held against the vault's own rule for every age of every ring."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chain.abi import decode
from bot.chain.mainnet import MAINNET
from bot.chain.multicall import Call
from bot.core.errors import DataError
from bot.venues.observations import MARGIN_S, hint

POOL = MAINNET.pool("USDC/WETH-500").address
WINDOW_S = 1_800
NOW = 1_800_000_000
UNWRITTEN = (1, 0, 0, False)  # as Uniswap leaves a place it has made room for


class Ring:
    """A pool's observations, as many as `cardinality`, written at `ages` (oldest first), the last at place `newest`."""

    def __init__(self, ages: Sequence[int], cardinality: int = 0, newest: int | None = None) -> None:
        self.cardinality = cardinality or len(ages)
        self.newest = len(ages) - 1 if newest is None else newest
        self.slots: dict[int, tuple[int, int, int, bool]] = {}
        for i, age in enumerate(reversed(ages)):
            self.slots[(self.newest - i) % self.cardinality] = (NOW - age, 0, 0, True)
        self.rounds = 0

    def answer(self, calls: list[Call]) -> list[tuple[object, ...]]:
        return [self._one(call) for call in calls]

    def _one(self, call: Call) -> tuple[object, ...]:
        if call.function == "slot0()":
            return (2**96, 0, self.newest, self.cardinality, self.cardinality, 0, True)
        if call.function == "getCurrentBlockTimestamp()":
            return (NOW,)
        (index,) = decode(("uint256",), call.data[4:])
        return self.slots.get(index, UNWRITTEN)

    def find(self, window_s: int = WINDOW_S) -> int:
        reading = hint(POOL, window_s, MAINNET.multicall3)
        calls = next(reading)
        try:
            while True:
                self.rounds += 1
                calls = reading.send(self.answer(calls))
        except StopIteration as finished:
            return int(finished.value) - 1

    def age(self, index: int, later: int = 0) -> int:
        return NOW + later - self.slots[index][0]

    def accepts(self, index: int, window_s: int = WINDOW_S, later: int = 0) -> bool:
        """The rule of contracts/modules/oracle.vy."""
        at, _, _, written = self.slots.get(index, UNWRITTEN)
        passed = NOW + later - at
        if index != self.newest and passed > 2 * window_s:
            following = self.slots.get((index + 1) % self.cardinality, UNWRITTEN)
            if following[0] + window_s <= NOW + later:
                return False
        return written and passed >= window_s


@pytest.mark.parametrize(
    ("ages", "chosen"),
    [
        ([9_000, 2_000, 1_950, 12], 1_950),  # the newest that is a window and the margin old
        ([9_000, 2_000, 1_900, 12], 2_000),  # 1,900 is less than the margin over a window
        (
            [9_000, 1_900, 12],
            1_900,
        ),  # but 9,000 is more than two windows, and 1,900 old enough: the vault refuses 9,000
        ([3_550, 1_900, 12], 1_900),  # and 3,550 would be too old in a moment
        ([3_480, 1_900, 12], 3_480),
        ([9_000, 12], 9_000),  # the last one before the window began
        ([1_801], 1_801),
        ([90_000], 90_000),
    ],
)
def test_hint__ages_of_a_ring__the_one_that_stays_good(ages: list[int], chosen: int) -> None:
    ring = Ring(ages)
    found = ring.find()
    assert ring.age(found) == chosen
    assert ring.accepts(found)


@pytest.mark.parametrize("ages", [[1_799], [1_799, 12], [0]])
def test_hint__pool_remembers_less_than_a_window__is_a_data_error(ages: list[int]) -> None:
    with pytest.raises(DataError, match=rf"remember 1800 s, found {ages[0]} s .* increaseObservationCardinalityNext"):
        Ring(ages).find()


def test_hint__ring_with_room_not_yet_written__is_passed_over() -> None:
    ring = Ring([4_000, 2_500, 12], cardinality=100)
    assert ring.age(ring.find()) == 2_500
    with pytest.raises(DataError, match="found 600 s in 100 observations"):
        Ring([600, 12], cardinality=100).find()


def test_hint__the_largest_ring__takes_four_rounds() -> None:
    ring = Ring([12 * i for i in range(65_535, 0, -1)], newest=40_000)
    found = ring.find()
    assert ring.age(found) == WINDOW_S + MARGIN_S
    assert ring.rounds == 4
    assert found + 1 <= 65_535  # fits its 16 bits


@given(
    gaps=st.lists(st.integers(1, 4_000), min_size=1, max_size=60),
    youngest=st.integers(0, 5_000),
    newest=st.integers(0, 200),
    room=st.integers(0, 40),
    window_s=st.sampled_from([1, 60, 1_800, 86_400]),
)
def test_hint__any_ring__is_one_that_the_vault_takes_or_there_is_none(
    gaps: list[int], youngest: int, newest: int, room: int, window_s: int
) -> None:
    ages = [youngest + sum(gaps[i:]) for i in range(len(gaps) + 1)]
    full = newest % len(ages) if not room else len(ages) - 1
    ring = Ring(ages, len(ages) + room, full)
    good = [index for index in ring.slots if ring.accepts(index, window_s)]
    if not good:
        with pytest.raises(DataError, match="increaseObservationCardinalityNext"):
            ring.find(window_s)
        return
    found = ring.find(window_s)
    assert found in good
    margin = min(MARGIN_S, window_s // 2)
    if any(window_s + margin <= ring.age(index) <= 2 * window_s - margin for index in ring.slots):
        assert all(ring.accepts(found, window_s, later) for later in (0, margin))
