"""Bundles: what the keeper may do, in which order, and what a bundle leaves behind."""

from typing import Any

import boa
import pytest

from bot.amm import v2
from bot.amm.ticks import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.words import NAV_ONE
from tests.contracts.vault.world import (
    ADD,
    BTC,
    ETH,
    LIMITS,
    MOST,
    ONE,
    REMOVE,
    SWAP,
    UNISWAP,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    action,
    both,
    other_vault,
    published,
    reverts,
    sqrt_price,
    whole,
    worth,
    worth_in_money,
)

LIQUIDITY = 2 * 10**15


def open_range(world: World, pool: int = V3_USD_ETH, liquidity: int = LIQUIDITY) -> tuple[int, int]:
    ticks = world.ticks_around(pool)
    world.execute(world.add_range(pool, ticks, liquidity))
    return ticks


def test_execute__burn_collect_swap_and_mint_in_one_transaction(world: World) -> None:
    old = open_range(world)
    for zero_for_one in (True, False):
        world.provider.swap(world.pools[0].address, zero_for_one, worth(world.sides[0][not zero_for_one], 10**5))
    new = world.ticks_around(V3_USD_ETH, 2_000)
    before = world.balances(world.vault.address)
    fills = world.execute(
        action(REMOVE, V3_USD_ETH, LIQUIDITY, both(1, 1), old),
        world.swap(V3_USD_ETH, USD, whole(USD, 5_000)),
        world.swap(V2_USD_ETH, ETH, whole(ETH, 1)),
        world.add_range(V3_USD_ETH, new, LIQUIDITY),
    )
    came = [0, 0, 0]
    for pool, fill in zip((0, 0, 2, 0), fills, strict=True):
        for token, amount in zip(world.sides[pool], fill, strict=True):
            came[token] += amount
    after = world.balances(world.vault.address)
    assert [now - was for now, was in zip(after, before, strict=True)] == came
    assert world.ranges() == [(V3_USD_ETH, new)]
    assert world.held(V3_USD_ETH, old)[0] == 0
    assert world.held(V3_USD_ETH, new)[0] == LIQUIDITY
    assert all(amount > 0 for amount in fills[0])
    assert all(amount < 0 for amount in fills[3])
    assert fills[1][world.sides[0].index(USD)] == -whole(USD, 5_000)
    assert fills[2][world.sides[2].index(ETH)] == -whole(ETH, 1)


def test_execute__event_and_sequence(world: World) -> None:
    nav = world.nav()
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 3_000)))
    found = world.event("Executed")
    sequence, last, loss, turnover, paused, shares = world.state()
    assert (found["sequence"], found["nav_before"], found["turnover"]) == (0, nav, 3_000 * ONE)
    assert found["nav_after"] == world.nav() < nav
    assert (sequence, last, paused, shares) == (1, world.now, False, world.vault.totalSupply())
    assert loss == -(-(nav - found["nav_after"]) * NAV_ONE // nav)
    assert turnover == -(-3_000 * ONE * NAV_ONE // nav)


def test_execute__same_bundle_twice__runs_once(world: World) -> None:
    bundle, sequence = world.swap(V3_USD_ETH, USD, whole(USD, 10)), world.state().sequence
    world.execute(bundle, sequence=sequence)
    for wrong in (sequence, sequence + 2):
        with reverts("vault: sequence"):
            world.execute(bundle, sequence=wrong)
    world.execute(bundle, sequence=sequence + 1)


def test_execute__before_the_cooldown_is_over__reverts(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    world.execute(bundle)
    boa.env.time_travel(seconds=LIMITS[-1] - 1)
    with reverts("vault: cooldown"):
        world.execute(bundle, wait=False)
    boa.env.time_travel(seconds=1)
    world.execute(bundle, wait=False)


@pytest.mark.parametrize("who", ["owner", "guardian", "alice", "stranger"])
def test_execute__anybody_but_the_keeper__reverts(world: World, who: str) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    with reverts("roles: keeper"):
        world.execute(bundle, sender=getattr(world, who))
    world.execute(bundle)


def test_execute__paused__reverts(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    world.charter.pause(sender=world.guardian)
    with reverts("vault: paused"):
        world.execute(bundle)
    world.charter.unpause(sender=world.owner)
    world.execute(bundle)


def test_execute__after_the_deadline__reverts(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    boa.env.time_travel(seconds=LIMITS[-1])
    with reverts("vault: deadline"):
        world.execute(bundle, deadline=world.now - 1, wait=False)
    world.execute(bundle, deadline=world.now, wait=False)


def test_execute__nothing_to_do__reverts(world: World) -> None:
    with reverts("vault: no actions"):
        world.execute()


@pytest.mark.parametrize("kind", [0, 4, 255])
def test_execute__unknown_kind__reverts(world: World, kind: int) -> None:
    with reverts("vault: kind"):
        world.execute(action(kind, V3_USD_ETH, 1, 0, (0, 0)))


@pytest.mark.parametrize("pool", [3, 15, 16, 255])  # a free place, the last, and beyond
@pytest.mark.parametrize("kind", [REMOVE, SWAP, ADD])
def test_execute__pool_that_is_not_listed__reverts(world: World, kind: int, pool: int) -> None:
    with reverts("registry: no pool"):
        world.execute(action(kind, pool, 1, 0, (0, 0)))


@pytest.mark.parametrize("first", ["swap", "add"])
def test_execute__remove_after_something_else__reverts(world: World, first: str) -> None:
    ticks = open_range(world)
    other = {
        "swap": world.swap(V3_BTC_ETH, ETH, whole(ETH, 1)),
        "add": world.add_range(V3_BTC_ETH, world.ticks_around(V3_BTC_ETH), 10**10),
    }[first]
    remove = action(REMOVE, V3_USD_ETH, LIQUIDITY, 0, ticks)
    with reverts("vault: removes first"):
        world.execute(other, remove)
    world.execute(remove, other)


# ------------------------------------------------------------------ removes


def test_remove__part_of_a_range__keeps_it_listed_and_takes_all_fees(world: World) -> None:
    ticks = open_range(world)
    for zero_for_one in (True, False):
        world.provider.swap(world.pools[0].address, zero_for_one, worth(world.sides[0][not zero_for_one], 10**5))
    world.settle()
    fees = world.held(V3_USD_ETH, ticks)[3:]
    assert all(fee > 0 for fee in fees)
    ((got0, got1),) = world.execute(action(REMOVE, V3_USD_ETH, LIQUIDITY // 4, 0, ticks))
    assert got0 > fees[0]
    assert got1 > fees[1]
    assert world.ranges() == [(V3_USD_ETH, ticks)]
    assert world.held(V3_USD_ETH, ticks)[0] == LIQUIDITY - LIQUIDITY // 4
    assert world.held(V3_USD_ETH, ticks)[3:] == (0, 0)


def test_remove__nothing_but_the_fees(world: World) -> None:
    ticks = open_range(world)
    for zero_for_one in (True, False):
        world.provider.swap(world.pools[0].address, zero_for_one, worth(world.sides[0][not zero_for_one], 10**5))
    world.settle()
    fees = tuple(world.held(V3_USD_ETH, ticks)[3:])
    assert world.execute(action(REMOVE, V3_USD_ETH, 0, both(*fees), ticks)) == [list(fees)]
    assert world.held(V3_USD_ETH, ticks)[0] == LIQUIDITY


@pytest.mark.parametrize("side", [0, 1])
def test_remove__below_least__reverts(world: World, side: int) -> None:
    ticks = open_range(world)
    with boa.env.anchor():
        (got,) = world.execute(action(REMOVE, V3_USD_ETH, LIQUIDITY, 0, ticks))
    asked = [amount + (index == side) for index, amount in enumerate(got)]
    with reverts("venue: least"):
        world.execute(action(REMOVE, V3_USD_ETH, LIQUIDITY, both(*asked), ticks))
    world.execute(action(REMOVE, V3_USD_ETH, LIQUIDITY, both(*got), ticks))


def test_remove__position_that_is_not_listed__reverts(world: World) -> None:
    lower, upper = open_range(world)
    with reverts("venue: no position"):
        world.execute(action(REMOVE, V3_USD_ETH, 0, 0, (lower, upper + 60)))
    with reverts("venue: no position"):
        world.execute(action(REMOVE, V2_USD_ETH, 1))


def test_remove__more_than_there_is__takes_all(world: World) -> None:
    """Whoever redeems a little just before, or gives a little, does not hinder a removal."""
    ticks = open_range(world)
    world.execute(world.add_pair(60_000))
    world.redeem(world.alice, ONE)
    pair = world.pools[V2_USD_ETH]
    lp = pair.balanceOf(world.vault.address)
    with boa.env.anchor():
        world.execute(action(REMOVE, V3_USD_ETH, LIQUIDITY, 0, ticks), action(REMOVE, V2_USD_ETH, lp + 1))
        assert world.positions() == []
    world.execute(action(REMOVE, V3_USD_ETH, 2**128 - 1, 0, ticks), action(REMOVE, V2_USD_ETH, 2**128 - 1))
    assert (world.positions(), world.held(V3_USD_ETH, ticks)[0], pair.balanceOf(world.vault.address)) == ([], 0, 0)


def test_remove__one_of_three__the_last_takes_its_place(world: World) -> None:
    lower, upper = world.ticks_around(V3_USD_ETH)
    ranges = [(lower - 60 * i, upper) for i in range(3)]
    world.execute(*(world.add_range(V3_USD_ETH, ticks, 10**13) for ticks in ranges))
    world.execute(action(REMOVE, V3_USD_ETH, 10**13, 0, ranges[0]))
    assert [ticks for _, ticks in world.ranges()] == [ranges[2], ranges[1]]
    world.execute(*(action(REMOVE, V3_USD_ETH, 10**13, 0, ticks) for ticks in ranges[1:]))
    assert world.positions() == []


# ------------------------------------------------------------------ swaps


@pytest.mark.parametrize("pool", [V3_USD_ETH, V2_USD_ETH])
@pytest.mark.parametrize("token", [USD, ETH])
def test_swap__gives_exactly_the_amount_and_no_less_than_least_comes_back(world: World, pool: int, token: int) -> None:
    amount = worth(token, 5_000)
    with boa.env.anchor():
        (fill,) = world.execute(world.swap(pool, token, amount))
    side = world.sides[pool].index(token)
    assert fill[side] == -amount
    assert 0.99 < fill[1 - side] / worth(ETH + USD - token, 5_000) < 1
    with reverts("venue: least"):
        world.execute(world.swap(pool, token, amount, fill[1 - side] + 1))
    assert world.execute(world.swap(pool, token, amount, fill[1 - side])) == [fill]


@pytest.mark.parametrize("token", [USD, ETH])
def test_swap__on_a_pair__takes_all_that_the_pair_would_give(world: World, token: int) -> None:
    amount, side = worth(token, 5_000), world.sides[V2_USD_ETH].index(token)
    reserves = world.pools[V2_USD_ETH].getReserves()[:2]
    (fill,) = world.execute(world.swap(V2_USD_ETH, token, amount))
    assert fill[1 - side] == v2.amount_out(amount, reserves[side], reserves[1 - side], 3_000)


def test_swap__token_that_returns_nothing__works_both_ways(world: World) -> None:
    world.execute(world.swap(V3_BTC_ETH, BTC, whole(BTC, 0.01)))
    world.execute(world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.3)))


def test_swap__more_than_the_vault_has__reverts(world: World) -> None:
    for pool in (V3_USD_ETH, V2_USD_ETH):
        with reverts("token: balance"):
            world.execute(world.swap(pool, USD, whole(USD, 500_001)))


def test_swap__leaves_no_allowance(world: World) -> None:
    with_positions(world)
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10)), world.swap(V2_USD_ETH, USD, whole(USD, 10)))
    for token in world.tokens:
        for pool in world.pools:
            assert token.allowance(world.vault.address, pool.address) == 0


# ------------------------------------------------------------------ adds


def test_add__same_range_twice__is_one_position(world: World) -> None:
    ticks = open_range(world)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**13))
    assert world.ranges() == [(V3_USD_ETH, ticks)]
    assert world.held(V3_USD_ETH, ticks)[0] == LIQUIDITY + 10**13


@pytest.mark.parametrize("side", [0, 1])
def test_add__range_takes_more_than_most__reverts(world: World, side: int) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    with boa.env.anchor():
        (fill,) = world.execute(world.add_range(V3_USD_ETH, ticks, LIQUIDITY))
    most = [-amount - (index == side) for index, amount in enumerate(fill)]
    with reverts("venue: beyond opened"):
        world.execute(action(ADD, V3_USD_ETH, LIQUIDITY, both(*most), ticks))
    world.execute(action(ADD, V3_USD_ETH, LIQUIDITY, both(*(-amount for amount in fill)), ticks))


def test_add__ninth_position__reverts(world: World) -> None:
    lower, upper = world.ticks_around(V3_USD_ETH)
    adds = [world.add_range(V3_USD_ETH, (lower - 60 * i, upper), 10**12) for i in range(9)]
    world.execute(*adds[:8])
    with reverts("vault: positions full"):
        world.execute(adds[8])
    world.execute(adds[7])  # one that is there already still grows


def test_add__pair__gives_no_more_than_fits_the_ratio(world: World) -> None:
    pair, sides = world.pools[V2_USD_ETH], world.sides[V2_USD_ETH]
    for skew in ((1, 3), (3, 1)):
        most = [worth(token, 10_000) * part for token, part in zip(sides, skew, strict=True)]
        reserves = pair.getReserves()[:2]
        lp = pair.balanceOf(world.vault.address)
        (fill,) = world.execute(action(ADD, V2_USD_ETH, 1, both(*most)))
        gained = pair.balanceOf(world.vault.address) - lp
        assert all(0 < -given <= limit for given, limit in zip(fill, most, strict=True))
        for given, reserve in zip(fill, reserves, strict=True):
            assert gained == pytest.approx(-given * pair.totalSupply() / (reserve - given), rel=1e-9)
    assert world.positions() == [V2_USD_ETH << 48]


def test_add__pair_mints_less_than_least__reverts(world: World) -> None:
    with boa.env.anchor():
        world.execute(world.add_pair(10_000))
        lp = world.pools[V2_USD_ETH].balanceOf(world.vault.address)
    with reverts("venue: least"):
        world.execute(world.add_pair(10_000, lp + 1))
    world.execute(world.add_pair(10_000, lp))


def test_add__pair_with_ticks_named__is_still_one_position(world: World) -> None:
    most = both(*(worth(token, 5_000) for token in world.sides[V2_USD_ETH]))
    for ticks in ((0, 0), (-60, 60)):
        world.execute(action(ADD, V2_USD_ETH, 1, most, ticks))
    assert world.positions() == [V2_USD_ETH << 48]


def test_remove__pair__takes_its_part_and_drops_the_position_at_the_end(world: World) -> None:
    world.execute(world.add_pair(60_000))
    pair = world.pools[V2_USD_ETH]
    lp = pair.balanceOf(world.vault.address)
    with boa.env.anchor():
        (got,) = world.execute(action(REMOVE, V2_USD_ETH, lp // 2))
        assert world.positions() == [V2_USD_ETH << 48]
    with reverts("venue: least"):
        world.execute(action(REMOVE, V2_USD_ETH, lp // 2, both(got[0] + 1, 0)))
    (got,) = world.execute(action(REMOVE, V2_USD_ETH, lp))
    assert got == [pytest.approx(worth(token, 30_000), rel=1e-6) for token in world.sides[V2_USD_ETH]]
    assert (world.positions(), pair.balanceOf(world.vault.address)) == ([], 0)


# ------------------------------------------------------------------ floors


def test_floors__above_what_is_left__reverts(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 1_000))
    with boa.env.anchor():
        world.execute(bundle)
        left = world.balances(world.vault.address)
    for token in range(3):
        with reverts("vault: floor"):
            world.execute(bundle, floors=[amount + (index == token) for index, amount in enumerate(left)])
    world.execute(bundle, floors=left)


@pytest.mark.parametrize("floors", [[0], [0, 0], [0, 0, 0, 0]])
def test_floors__for_another_number_of_tokens__reverts(world: World, floors: list[int]) -> None:
    with reverts("vault: floors"):
        world.execute(world.swap(V3_USD_ETH, USD, 10), floors=floors)


# ------------------------------------------------------------------ what is seen afterwards


def test_preview_mint__of_the_whole_supply__is_what_unwinding_everything_would_give(world: World) -> None:
    with_positions(world)
    world.settle()
    found, exact = world.vault.preview_mint(world.vault.totalSupply()), world.exact()
    assert all(0 < said - amount < 4 for said, amount in zip(found, exact, strict=True))


def assert_fees_are_exact(world: World, vault: Any, ranges: list[tuple[Any, tuple[int, int]]]) -> None:
    """Settling the fees, as a burn of nothing does, changes nothing that is counted."""
    everything = vault.totalSupply()
    found = vault.preview_mint(everything)
    with boa.env.anchor():
        for pool, ticks in ranges:
            pool.burn(*ticks, 0, sender=vault.address)
        assert vault.preview_mint(everything) == found


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_preview_mint__counts_fees_before_anybody_settles_them(world: World, zero_for_one: bool) -> None:
    with_positions(world)
    ranges = [(world.pools[pool], ticks) for pool, ticks in world.ranges()]
    assert_fees_are_exact(world, world.vault, ranges)
    for pool in (V3_USD_ETH, V3_BTC_ETH):  # spot leaves the ranges on either side: fees are still exact
        amount = worth(world.sides[pool][not zero_for_one], 15_000_000)
        world.provider.swap(world.pools[pool].address, zero_for_one, amount)
    for pool, (lower, upper) in ranges:
        assert pool.slot0()[1] < lower if zero_for_one else pool.slot0()[1] > upper
    assert_fees_are_exact(world, world.vault, ranges)


def test_preview_mint__counts_fees_with_spot_on_the_edge_of_a_range(world: World) -> None:
    sides, fee = world.sides[V3_USD_ETH], 3_000
    factory = published("UniswapV3Factory")
    pool = UNISWAP.at(factory.createPool(*(world.tokens[side].address for side in sides), fee))
    edge = tick_at_sqrt_ratio(sqrt_price(*sides)) // 60 * 60
    pool.initialize(sqrt_ratio_at_tick(edge))
    world.provider.add(pool.address, edge - 6_000, edge + 6_000, 10**16)
    vault = other_vault(world, [(pool.address, 3, 0, 0)])
    boa.env.time_travel(seconds=LIMITS[-1])
    ranges = [(edge, edge + 600), (edge - 600, edge)]
    adds = [action(ADD, 0, 10**14, both(MOST, MOST), ticks) for ticks in ranges]
    vault.execute(adds, [], 0, world.deadline, sender=world.keeper)
    for zero_for_one in (False, True):
        world.provider.swap(pool.address, zero_for_one, worth(sides[not zero_for_one], 5_000))
        world.provider.swap(pool.address, not zero_for_one, worth(sides[zero_for_one], 5_000))
    while (tick := pool.slot0()[1]) != edge:  # a tick is worth some 30 of money here
        world.provider.swap(pool.address, tick > edge, worth(sides[tick < edge], 8))
    assert_fees_are_exact(world, vault, [(pool, ticks) for ticks in ranges])


def test_nav__does_not_follow_spot(world: World) -> None:
    with_positions(world)
    nav, at_spot = world.nav(), spot_value(world)
    for pool in (0, 1):
        world.provider.swap(world.pools[pool].address, True, worth(world.sides[pool][0], 15_000_000))
    reserves = world.pools[V2_USD_ETH].getReserves()[:2]
    world.tokens[world.sides[2][0]].mint(world.pools[V2_USD_ETH].address, 9 * reserves[0])
    world.pools[V2_USD_ETH].swap(0, reserves[1] * 89 // 100, world.stranger, b"")
    moved, moved_at_spot = world.nav() - nav, spot_value(world) - at_spot
    assert 0 <= moved < nav // 100  # no more than the fees that came in
    assert abs(moved_at_spot) > 5 * moved


def spot_value(world: World) -> int:
    """What the vault's tokens would be worth if positions were counted as they stand in their pools."""
    return sum(worth_in_money(token, amount) for token, amount in enumerate(world.holdings()))


def test_execute__gift_of_lp_tokens_before_the_first_add__counts_once_listed(world: World) -> None:
    pair: Any = world.pools[V2_USD_ETH]
    pair.transfer(world.vault.address, pair.balanceOf(world.provider.address) // 1_000, sender=world.provider.address)
    nav = world.nav()
    world.execute(world.add_pair(1_000))
    assert world.nav() == pytest.approx(nav + 20_000 * ONE, rel=1e-4)
