"""Limits the keeper cannot pass: loss, turnover, corridors, and pools that disagree with the feeds."""

from fractions import Fraction

import boa
import pytest

from tests.contracts.vault.test_hint import remember
from tests.contracts.vault.words import BPS, NAV_ONE
from tests.contracts.vault.world import (
    BTC,
    DAY_S,
    ETH,
    LIMITS,
    ONE,
    REMOVE,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    WINDOW_S,
    World,
    action,
    reverts,
    whole,
    worth,
    worth_in_money,
)

HALF_DAY = DAY_S // 2


def narrow(world: World, **changes: int) -> None:
    """Tighten limits, which acts at once."""
    names = ("bundle_loss", "day_loss", "day_turnover", "deviation", "cooldown")
    limits = tuple(changes.get(name, now) for name, now in zip(names, LIMITS, strict=True))
    world.charter.set_limits(limits, sender=world.owner)


def push(world: World, pool: int, factor: float) -> None:
    """Trade a V3 pool until its price of token0 is `factor` of what it was; the provider trades by amount: bisect."""
    target = int(world.pools[pool].slot0()[0] * factor**0.5)
    zero_for_one = target < world.pools[pool].slot0()[0]
    low, high = 0, worth(world.sides[pool][not zero_for_one], 30_000_000)
    for _ in range(40):
        middle = (low + high) // 2
        with boa.env.anchor():
            world.provider.swap(world.pools[pool].address, zero_for_one, middle)
            beyond = (world.pools[pool].slot0()[0] < target) == zero_for_one
        low, high = (low, middle) if beyond else (middle, high)
    world.provider.swap(world.pools[pool].address, zero_for_one, high)


# ------------------------------------------------------------------ loss


def test_bundle_loss__above_the_limit__reverts(world: World) -> None:
    bundle = world.swap(V3_BTC_ETH, ETH, worth(ETH, 40_000))  # pays 0.3 % of 4 % of NAV: 1.2 bps, and impact
    with boa.env.anchor():
        world.execute(bundle)
        lost = world.state().loss_used
    assert 1 * BPS < lost < 2 * BPS
    narrow(world, bundle_loss=1)
    with reverts("limits: bundle loss"):
        world.execute(bundle)
    with boa.env.anchor():
        world.execute(world.swap(V3_BTC_ETH, ETH, worth(ETH, 20_000)))


def test_bundle_loss__fees_that_were_already_due__hide_none(world: World) -> None:
    """Adding to a range makes its pool credit the fees due: they must have been in the NAV before."""
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 5 * 10**16))
    for zero_for_one in (True, False) * 4:
        world.provider.swap(world.pools[0].address, zero_for_one, worth(world.sides[0][not zero_for_one], 500_000))
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**10))
    found = world.event("Executed")
    fees = sum(worth_in_money(token, due) for token, due in zip(world.sides[0], world.held(0, ticks)[3:], strict=True))
    assert fees > 50 * ONE
    assert abs(found["nav_after"] - found["nav_before"]) < ONE // 1_000


def test_day_loss__leaks_away_evenly(world: World) -> None:
    narrow(world, day_loss=6)
    bundle = world.swap(V3_BTC_ETH, ETH, worth(ETH, 60_000))
    world.execute(bundle)
    first = world.state().loss_used
    assert 18 * BPS // 10 < first < 3 * BPS
    world.execute(bundle)
    loss = world.state().loss_used
    assert 5 * BPS < loss <= 6 * BPS
    with reverts("limits: day loss"):
        world.execute(bundle)
    with boa.env.anchor():
        boa.env.time_travel(seconds=HALF_DAY)
        world.refresh()
        assert world.state().loss_used == loss - 6 * BPS * (HALF_DAY + LIMITS[-1]) // DAY_S
    boa.env.time_travel(seconds=DAY_S)
    world.refresh()
    assert world.state().loss_used == 0
    world.execute(bundle)


def test_day_turnover__counts_what_is_sold_at_the_feeds_prices(world: World) -> None:
    narrow(world, day_turnover=500)
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 24_000))
    world.execute(bundle, world.swap(V3_USD_ETH, ETH, worth(ETH, 1_000)))
    used = world.state().turnover_used
    assert used == pytest.approx(25_000 * ONE * NAV_ONE / world.nav(), rel=1e-3)
    with reverts("limits: day turnover"):
        world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 26_000)))
    boa.env.time_travel(seconds=HALF_DAY)
    world.refresh()
    assert world.state().turnover_used == 0  # half a day leaks half of the limit
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 26_000)))


def test_day_turnover__adding_liquidity_counts_as_a_sale_and_removing_does_not(world: World) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    adds = [world.add_range(V3_USD_ETH, ticks, 10**15), world.add_pair(10_000)]
    (range_fill, pair_fill) = world.execute(*adds)
    turnover = world.event("Executed")["turnover"]
    given = [
        -amount * price // 10**36
        for fill, sides in ((range_fill, world.sides[0]), (pair_fill, world.sides[2]))
        for amount, price in zip(fill, (world.prices()[token] for token in sides), strict=True)
    ]
    assert turnover == sum(given)
    assert sum(given[2:]) == pytest.approx(10_000 * ONE, rel=1e-3)
    world.execute(action(REMOVE, V3_USD_ETH, 10**15 // 2, 0, ticks))
    assert world.event("Executed")["turnover"] == 0


def test_day_limits__lowered_below_what_is_used__let_a_remove_go_on(world: World) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**15))
    narrow(world, day_turnover=0, day_loss=0)
    assert world.state().turnover_used > 0
    world.execute(action(REMOVE, V3_USD_ETH, 10**15, 0, ticks))


def test_day_turnover__none_allowed__no_add_and_no_swap(world: World) -> None:
    narrow(world, day_turnover=0)
    ticks = world.ticks_around(V3_USD_ETH)
    for bundle in (world.add_range(V3_USD_ETH, ticks, 10**10), world.add_pair(1), world.swap(V3_USD_ETH, USD, 10**6)):
        with reverts("limits: day turnover"):
            world.execute(bundle)


def test_day_loss__many_bundles_with_a_stolen_key__lose_no_more_than_the_bucket(world: World) -> None:
    narrow(world, day_loss=10, bundle_loss=5)
    start, nav, steps = world.now, world.nav(), 0
    while steps < 40:
        steps += 1
        with boa.env.anchor():
            world.refresh()
            token = (ETH, BTC)[steps % 2]
            try:
                world.execute(world.swap(V3_BTC_ETH, token, worth(token, 80_000)))
            except boa.BoaError:
                break
        world.refresh()
        world.execute(world.swap(V3_BTC_ETH, token, worth(token, 80_000)))
    assert 2 < steps < 40
    passed = world.now - start
    assert 0 < nav - world.nav() <= nav * 10 * (DAY_S + passed) // DAY_S // 10_000


# ------------------------------------------------------------------ corridors


def test_corridor__weight_leaves_it__reverts(world: World) -> None:
    world.charter.set_corridor(USD, 4_900, 5_100, sender=world.owner)
    with reverts("vault: corridor"):
        world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 12_000)))
    with reverts("vault: corridor"):
        world.execute(world.swap(V3_USD_ETH, ETH, worth(ETH, 12_000)))
    with boa.env.anchor():
        world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 9_000)))
    world.execute(world.swap(V3_USD_ETH, ETH, worth(ETH, 9_000)))


def test_corridor__weight_outside__may_only_come_nearer(world: World) -> None:
    world.charter.set_corridor(USD, 0, 4_500, sender=world.owner)
    with reverts("vault: corridor"):
        world.execute(world.swap(V3_USD_ETH, ETH, worth(ETH, 10)))
    with reverts("vault: corridor"):  # another trade loses a little, so this weight grows
        world.execute(world.swap(V3_BTC_ETH, ETH, worth(ETH, 10_000)))
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10_000)))  # 49 %: outside, but nearer
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 45_000)))
    assert 0.44 < world.holdings()[USD] / 10**6 / (world.nav() / ONE) < 0.45


@pytest.mark.parametrize("corridor", [(5_500, 5_500), (5_200, 5_300)])
def test_corridor__weight_on_one_side__may_not_come_out_on_the_other(world: World, corridor: tuple[int, int]) -> None:
    """USD is 50 %: 1 % above the corridor is nearer than it is below it, and is refused all the same."""
    world.charter.set_corridor(USD, *corridor, sender=world.owner)
    over = corridor[1] * 100 - 500_000 + 10_000
    with reverts("vault: corridor"):
        world.execute(world.swap(V3_USD_ETH, ETH, worth(ETH, over)))
    world.execute(world.swap(V3_USD_ETH, ETH, worth(ETH, over - 20_000)))


def test_corridor__weight_outside__does_not_stop_a_remove(world: World) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**15))
    world.charter.set_corridor(USD, 0, 4_000, sender=world.owner)
    world.execute(action(REMOVE, V3_USD_ETH, 10**15, 0, ticks))


def test_corridor__positions_are_looked_through(world: World) -> None:
    world.charter.set_corridor(USD, 4_900, 5_100, sender=world.owner)
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 5 * 10**16), world.add_pair(100_000))
    assert world.balances(world.vault.address)[USD] < whole(USD, 400_000)


# ------------------------------------------------------------------ pools that disagree with the feeds


@pytest.mark.parametrize("factor", [Fraction(103, 100), Fraction(97, 100)])
def test_deviation__pool_off_the_feeds__no_swap_no_add_no_remove(world: World, factor: Fraction) -> None:
    ticks = world.ticks_around(V3_BTC_ETH)
    world.execute(world.add_range(V3_BTC_ETH, ticks, 10**12))
    bundles = {
        "swap": world.swap(V3_BTC_ETH, ETH, worth(ETH, 10)),
        "add": world.add_range(V3_BTC_ETH, ticks, 10**6),
        "remove": action(REMOVE, V3_BTC_ETH, 10**6, 0, ticks),
    }
    with boa.env.anchor():
        push(world, V3_BTC_ETH, float(factor))
        for bundle in bundles.values():
            with reverts("oracle: spot"):
                world.execute(bundle)
        world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 10)))  # a pool that is not touched is not asked
    push(world, V3_BTC_ETH, float((factor + 1) / 2))
    for bundle in bundles.values():
        world.execute(bundle)


@pytest.mark.parametrize("factor", [Fraction(103, 100), Fraction(97, 100)])
@pytest.mark.parametrize("pool", [V3_USD_ETH, V2_USD_ETH])
def test_deviation__feed_off_the_pool__reverts(world: World, factor: Fraction, pool: int) -> None:
    bundle = world.swap(pool, USD, whole(USD, 10))
    world.refresh(lambda token: factor if token == ETH else Fraction(1))
    with reverts("oracle: spot"):
        world.execute(bundle)
    world.refresh(lambda token: (factor + 1) / 2 if token == ETH else Fraction(1))
    world.execute(bundle)


def test_deviation__own_trade_pushes_the_pool_off__reverts(world: World) -> None:
    narrow(world, deviation=20)
    for pool, much in ((V3_USD_ETH, 200_000), (V2_USD_ETH, 60_000)):
        with reverts("oracle: spot"):
            world.execute(world.swap(pool, USD, whole(USD, much)))
        with boa.env.anchor():
            world.execute(world.swap(pool, USD, whole(USD, much // 20)))


def test_deviation__pool_off_before_a_trade_that_brings_it_back__reverts(world: World) -> None:
    bundle = world.swap(V2_USD_ETH, USD, whole(USD, 60_000))  # moves the pair by 1.2 %
    world.refresh(lambda token: Fraction(1_026, 1_000) if token == ETH else Fraction(1))
    with reverts("oracle: spot"):
        world.execute(bundle)
    world.refresh(lambda token: Fraction(1_018, 1_000) if token == ETH else Fraction(1))
    world.execute(bundle)


def test_twap__moved_for_a_while__reverts_though_spot_is_back(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    remember(world, V3_USD_ETH)
    boa.env.time_travel(seconds=WINDOW_S // 2)
    push(world, V3_USD_ETH, 1.08)
    boa.env.time_travel(seconds=WINDOW_S // 2)
    push(world, V3_USD_ETH, 1 / 1.08)
    with reverts("oracle: twap"):
        world.execute(bundle)
    world.execute(world.swap(V2_USD_ETH, USD, whole(USD, 10)))  # a pool without a window
    boa.env.time_travel(seconds=WINDOW_S)
    world.execute(bundle)
