"""Spot, feeds and minimums: at whose price the house buys and sells."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import boa
import pytest

from tests.contracts.museum.purse import Thief, fund, thief_at, twin
from tests.contracts.vault import small_vault
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.world import ETH, LIMITS, ONE, USD, V2_USD_ETH, World, reverts, worth

LATER = 2**255
FAIR = worth(USD, 3_000)  # raw USD for a whole ETH: of ONE, for the smallest unit
ANY = [10**30] * 3
POT_MONEY = 10**6 * ONE


def reserve(world: World, token: int) -> int:
    return int(world.tokens[token].balanceOf(world.pools[V2_USD_ETH].address))


# ------------------------------------------------------------------ Harvest 2020, Gamma 2024: shares at spot


def sandwich_of_shares(thief: Thief, house: Any, push: Fraction) -> None:
    """Push the pool down, buy nine times all shares while they look cheap, let the pool come back, and redeem."""
    shares = 9 * house.totalSupply()
    amount = int(reserve(thief.world, ETH) * push)
    came = thief.sell(ETH, amount)
    house.mint(shares, ANY, thief.address, LATER, sender=thief.address)
    thief.sell(USD, came)
    house.redeem(shares, [0, 0, 0], thief.address, LATER, sender=thief.address)


def spot_priced(world: World, threshold_bps: int) -> Any:
    """A million in ETH and a little USD, priced at the pair's spot."""
    tokens = [world.tokens[token].address for token in (USD, ETH)]
    house = twin("SpotPriced", *tokens, world.pools[V2_USD_ETH].address, FAIR, threshold_bps)
    fund(world, house, world.alice, USD, worth(USD, 1))
    house.mint(10**24, [worth(USD, 1), 0, 0], world.alice, LATER, sender=world.alice)
    world.tokens[ETH].mint(house.address, worth(ETH, 10**6))
    return house


NO_THRESHOLD, WIDE_BPS = 10**9, 10_000
HARD = Fraction(9, 10)  # of the pair's ETH
WITHIN = Fraction(41, 100)  # as far as the wide threshold lets it


def test_sandwich_of_shares__twin__loses_three_fifths(world: World) -> None:
    house = spot_priced(world, NO_THRESHOLD)
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: sandwich_of_shares(thief, house, HARD))
    assert POT_MONEY * 62 // 100 <= stolen <= POT_MONEY * 63 // 100


@pytest.mark.parametrize("push", [HARD, Fraction(1, 100)])
def test_sandwich_of_shares__vault__leaves_the_thief_poorer(world: World, push: Fraction) -> None:
    with_positions(world)
    thief = thief_at(world, world.vault)
    assert thief.gain(lambda: sandwich_of_shares(thief, world.vault, push)) < 0


def test_wide_threshold__twin__loses_two_fifths_within_it(world: World) -> None:
    house = spot_priced(world, WIDE_BPS)
    thief = thief_at(world, house)
    with boa.env.anchor(), reverts("twin: spot"):
        sandwich_of_shares(thief, house, HARD)
    stolen = thief.gain(lambda: sandwich_of_shares(thief, house, WITHIN))
    assert POT_MONEY * 42 // 100 <= stolen <= POT_MONEY * 43 // 100


def test_wide_threshold__twin_with_a_narrow_one__refuses(world: World) -> None:
    """So that the guard which was too wide is seen to be one."""
    house = spot_priced(world, 500)
    with reverts("twin: spot"):
        sandwich_of_shares(thief_at(world, house), house, WITHIN)


def test_wide_threshold__vault__leaves_the_thief_poorer(world: World) -> None:
    with_positions(world)
    thief = thief_at(world, world.vault)
    assert thief.gain(lambda: sandwich_of_shares(thief, world.vault, WITHIN)) < 0


def test_wide_threshold__vault_asked_for_one__limits_ceiling(world: World) -> None:
    """No owner can make Gamma's mistake with the keeper's limits either: the widest deviation is in the code."""
    wide = (*LIMITS[:3], WIDE_BPS, LIMITS[4])
    world.charter.set_limits(wide, sender=world.owner)
    boa.env.time_travel(seconds=world.charter.delay_s())
    with reverts("limits: ceiling"):
        world.charter.set_limits(wide, sender=world.owner)


# ------------------------------------------------------------------ vaults of several tokens, 2026: two valuations


def in_at_one_price_out_at_another(thief: Thief, house: Any, most: list[int]) -> None:
    """A feed lags the market by 5 %. Pay with the token it overrates; take the other."""
    shares = house.totalSupply()
    house.mint(shares, most, thief.address, LATER, sender=thief.address)
    house.redeem(shares, [0, 0, 0], thief.address, LATER, sender=thief.address)


def test_two_valuations__twin__loses_a_fortieth_of_what_passes(world: World) -> None:
    tokens = [world.tokens[token].address for token in (USD, ETH)]
    house = twin("TwoValues", *tokens, world.pools[V2_USD_ETH].address, FAIR * 105 // 100)
    fund(world, house, world.alice, USD, worth(USD, 10**6))
    house.mint(10**24, [worth(USD, 10**6), 0, 0], world.alice, LATER, sender=world.alice)
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: in_at_one_price_out_at_another(thief, house, [0, ANY[0], 0]))
    assert stolen == pytest.approx(POT_MONEY * 5 // 105 // 2, rel=1e-6)


def test_two_valuations__vault__above_most_and_in_kind_both_ways(world: World) -> None:
    with_positions(world)
    world.refresh(lambda token: Fraction(105, 100) if token == ETH else Fraction(1))
    thief = thief_at(world, world.vault)
    for token in range(3):
        with reverts("vault: above most"):
            in_at_one_price_out_at_another(thief, world.vault, [ANY[0] if each == token else 0 for each in range(3)])
    before = world.balances(thief.address)
    in_at_one_price_out_at_another(thief, world.vault, ANY)
    assert all(now <= was for now, was in zip(world.balances(thief.address), before, strict=True))


# ------------------------------------------------------------------ yDAI 2021, DRLVault 2025: no minimum

SOLD = 100_000  # money


def sandwich_of_a_swap(thief: Thief, push: Fraction, keepers_swap: Callable[[], object]) -> None:
    """The keeper is about to buy ETH and names no minimum. Buy before him, sell after him."""
    came = thief.sell(USD, int(reserve(thief.world, USD) * push))
    keepers_swap()
    thief.sell(ETH, came)


def test_no_minimum__twin__loses_four_ninths_of_what_it_sells(world: World) -> None:
    house = twin("NoMinimum", world.tokens[USD].address, world.pools[V2_USD_ETH].address)
    world.tokens[USD].mint(house.address, worth(USD, SOLD))
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: sandwich_of_a_swap(thief, Fraction(1), lambda: house.rebalance(worth(USD, SOLD))))
    assert stolen >= SOLD * ONE * 4 // 9


def test_no_minimum__vault__oracle_spot(world: World) -> None:
    thief = thief_at(world, world.vault)
    swap = world.swap(V2_USD_ETH, USD, worth(USD, SOLD), least=0)
    with reverts("oracle: spot"):
        sandwich_of_a_swap(thief, Fraction(1), lambda: world.execute(swap))


def test_no_minimum__vault_within_the_deviation__loses_no_more_than_the_bundles_limit(world: World) -> None:
    """What spot may stray, a keeper who names no minimum may still lose, and the limit is the end of that."""
    thief, nav = thief_at(world, world.vault), small_vault.nav(world.vault)
    swap = world.swap(V2_USD_ETH, USD, worth(USD, SOLD // 2), least=0)
    stolen = thief.gain(lambda: sandwich_of_a_swap(thief, Fraction(4, 1000), lambda: world.execute(swap)))
    lost = nav - small_vault.nav(world.vault)
    assert 0 < stolen < lost < nav * LIMITS[0] // 10_000
    assert stolen < nav * 2 // 10_000


def test_no_minimum__vault_with_the_keepers_own_minimum__venue_least(world: World) -> None:
    thief = thief_at(world, world.vault)
    with boa.env.anchor():
        ((*_, fill),) = [sorted(fill) for fill in world.execute(world.swap(V2_USD_ETH, USD, worth(USD, SOLD // 2)))]
    swap = world.swap(V2_USD_ETH, USD, worth(USD, SOLD // 2), least=fill)
    with reverts("venue: least"):
        sandwich_of_a_swap(thief, Fraction(4, 1000), lambda: world.execute(swap))
