"""The mean over time: which observation a bundle may name, and what the mean is held against."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import boa
import pytest

from tests.contracts.vault.words import hint
from tests.contracts.vault.world import (
    ETH,
    LIMITS,
    REMOVE,
    SWAP,
    UNISWAP,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    WINDOW_S,
    World,
    action,
    other_vault,
    published,
    reverts,
    sqrt_price,
    whole,
    world_of,
    worth,
)

RING = 4  # observations that the small pool remembers


def remember(world: World, pool: int, seconds: int = 0) -> None:
    """After so many seconds, make a V3 pool write an observation, as any change of its liquidity in range does."""
    boa.env.time_travel(seconds=seconds)
    tick = world.pools[pool].slot0()[1] // 60 * 60
    world.provider.add(world.pools[pool].address, tick - 600, tick + 600, 1)


@pytest.fixture
def small(world: World) -> World:
    """A vault whose one pool remembers RING observations, all of them written, the last one just now; no cool-down."""
    sides = world.sides[V3_USD_ETH]
    pool = UNISWAP.at(published("UniswapV3Factory").createPool(*(world.tokens[side].address for side in sides), 3_000))
    pool.initialize(sqrt_price(*sides))
    vault = other_vault(world, [(pool.address, 3, 0, WINDOW_S)])
    pool.increaseObservationCardinalityNext(RING)
    tick = pool.slot0()[1] // 60 * 60
    world.provider.add(pool.address, tick - 6_000, tick + 6_000, 10**19)
    found = world_of(world, vault, [pool])
    for _ in range(RING):
        remember(found, 0, 10_000)
    world.refresh()
    return found


def written(world: World, seconds_ago: Sequence[int], first: int = 0) -> None:
    """Fill the ring so that its newest observations are that old; the newest stands at place `first`."""
    assert list(seconds_ago) == sorted(seconds_ago, reverse=True)
    while (world.pools[0].slot0()[2] + len(seconds_ago)) % RING != first:
        remember(world, 0, 10_000)
    boa.env.time_travel(seconds=100_000)
    start = world.now
    last = seconds_ago[0]
    for ago in seconds_ago:
        remember(world, 0, last - ago)
        last = ago
    boa.env.time_travel(seconds=last)
    assert world.now == start + seconds_ago[0]
    assert [world.now - world.pools[0].observations((first - k) % RING)[0] for k in range(len(seconds_ago))] == list(
        reversed(seconds_ago)
    )
    world.refresh()


def sell(world: World, place: int | None) -> Any:
    """A small sale that names the observation at a place (None: none)."""
    side = world.sides[0].index(USD)
    bundle = action(SWAP, 0, whole(USD, 10), 0, (1 - side, 0), 0 if place is None else place + 1)
    with boa.env.anchor():
        return world.vault.execute([bundle], [], world.state().sequence, world.deadline, sender=world.keeper)


# ------------------------------------------------------------------ which observation


def test_hint__none__reverts_on_a_pool_with_a_window_only(world: World) -> None:
    boa.env.time_travel(seconds=LIMITS[-1])
    for pool, needed in ((V3_USD_ETH, True), (V3_BTC_ETH, False), (V2_USD_ETH, False)):
        bundle = world.swap(pool, ETH, whole(ETH, 0.01))
        with boa.env.anchor():
            if needed:
                with reverts("oracle: hint"):
                    world.vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)
                (bundle,) = world.hinted([bundle])
            world.vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)


def test_hint__needed_for_a_remove_and_on_the_first_action_of_a_pool_only(world: World) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**14))
    boa.env.time_travel(seconds=LIMITS[-1])
    remove, add = action(REMOVE, V3_USD_ETH, 10**13, 0, ticks), world.add_range(V3_USD_ETH, ticks, 10**13)
    with reverts("oracle: hint"):
        world.vault.execute([remove], [], 1, world.deadline, sender=world.keeper)
    first, second = world.hinted([remove, add])
    assert second == add
    with reverts("oracle: hint"):  # on the second action it says nothing
        world.vault.execute([remove, (add[0] | first[0] & 0xFFFF, add[1])], [], 1, world.deadline, sender=world.keeper)
    world.vault.execute([first, second], [], 1, world.deadline, sender=world.keeper)


@pytest.mark.parametrize("newest", range(RING))  # wherever in the ring that is
@pytest.mark.parametrize(
    ("ages", "taken"),  # of the newest observations, the oldest first; which of them may be named
    [
        ((1_300, 900, 700, 100), (False, True, True, False)),
        ((1_201, 1_200, 600, 599), (False, True, True, False)),
        ((1_201, 600, 599, 1), (False, True, False, False)),  # too old, with a younger one that is old enough
        ((1_201, 599, 598, 1), (True, False, False, False)),  # too old, but the last that is old enough
        ((90_000, 5_000, 599, 1), (False, True, False, False)),
        ((90_000, 80_000, 5_000, 599), (False, False, True, False)),
        ((90_000, 80_000, 70_000, 5_000), (False, False, False, True)),  # the newest, however old
        ((90_000, 80_000, 70_000, 600), (False, False, False, True)),
        ((599, 400, 200, 0), (False, False, False, False)),  # the pool remembers too little
        ((1_200, 400, 200, 0), (True, False, False, False)),
    ],
)
def test_hint__observation__is_between_one_and_two_windows_old_or_the_last_that_is_old_enough(
    small: World, ages: tuple[int, ...], taken: tuple[bool, ...], newest: int
) -> None:
    written(small, ages, newest)
    for back, good in enumerate(reversed(taken)):
        place = (newest - back) % RING
        if good:
            sell(small, place)
        else:
            with reverts("oracle: hint"):
                sell(small, place)
    best = hint(small.pools[0], WINDOW_S, small.now)
    assert (best > 0) == any(taken)
    if best:
        sell(small, best - 1)  # what the bot would name is always good


@pytest.mark.parametrize("place", [RING, RING + 1, 100, 65_534])
def test_hint__place_that_was_never_written__reverts(small: World, place: int) -> None:
    """Grown but not yet written (Uniswap marks it with second 1), or beyond the ring."""
    written(small, (1_300, 900, 700, 100))
    small.pools[0].increaseObservationCardinalityNext(RING + 2)
    with reverts("oracle: hint"):
        sell(small, place)
    sell(small, 2)


def test_hint__place_never_written_while_nothing_younger_is_old_enough__reverts(small: World) -> None:
    """Then age alone would let it through: the follower of the last place of the ring is the oldest."""
    written(small, (599, 400, 200, 0), RING - 1)
    small.pools[0].increaseObservationCardinalityNext(RING + 2)
    for place in (RING, RING + 1, 2 * RING - 1):
        with reverts("oracle: hint"):
            sell(small, place)


# ------------------------------------------------------------------ what the mean says


@pytest.mark.parametrize("sign", [1, -1])
def test_mean__against_the_pools_own_tick__within_the_deviation(world: World, sign: int) -> None:
    """Off by t ticks for a part of the time: the mean is compared to the tick, in ticks, inclusive."""
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    pool = world.pools[V3_USD_ETH]
    remember(world, V3_USD_ETH)
    start, before = world.now, pool.slot0()[1]
    boa.env.time_travel(seconds=WINDOW_S)
    amount = worth(world.sides[0][sign > 0], 600_000)
    world.provider.swap(pool.address, sign < 0, amount)  # at once, and it stays
    off = pool.slot0()[1] - before
    assert 100 < off * sign < 200
    boa.env.time_travel(seconds=LIMITS[-1])
    world.refresh()
    apart = abs(_truncated(before * WINDOW_S + (before + off) * LIMITS[-1], world.now - start) - (before + off))
    assert apart > 90
    for deviation, good in ((apart, True), (apart - 1, False)):
        with boa.env.anchor():
            world.charter.set_limits((*LIMITS[:3], deviation, LIMITS[-1]), sender=world.owner)
            world.refresh(lambda token: _follow(world, token))
            if good:
                world.execute(bundle, wait=False)
            else:
                with reverts("oracle: twap"):
                    world.execute(bundle, wait=False)


def _truncated(summed: int, seconds: int) -> int:
    return summed // seconds if summed >= 0 else -(-summed // seconds)


def _follow(world: World, token: int) -> Fraction:
    """ETH's feed follows the pool, so that spot is near it."""
    if token != ETH:
        return Fraction(1)
    price = Fraction(world.pools[V3_USD_ETH].slot0()[0] ** 2, 2**192)
    fair = Fraction(sqrt_price(*world.sides[V3_USD_ETH]) ** 2, 2**192)
    return price / fair if world.sides[V3_USD_ETH][0] == ETH else fair / price
