"""The fee: off unless asked for, streamed in new shares, and never more than its rate."""

from fractions import Fraction
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.vault.model import books, cost, payment
from tests.contracts.vault.test_mint import empty_vault, with_positions
from tests.contracts.vault.world import DAY_S, LOCKED, NOBODY, ONE, World, charter_of, reverts

YEAR_S = 365 * DAY_S
few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def charge(world: World, rate_bps: int, receiver: str | None = None, charter: Any = None) -> None:
    """Ask for a fee twice; it runs from now."""
    charter = charter or world.charter
    for seconds in (DAY_S, 0):
        charter.set_fee(receiver or world.guardian, rate_bps, sender=world.owner)
        boa.env.time_travel(seconds=seconds)
    world.refresh()


def due(supply: int, rate_bps: int, seconds: int) -> int:
    return (supply - LOCKED) * rate_bps * seconds // (10_000 * YEAR_S)


def test_fee__by_default__is_none(world: World) -> None:
    assert tuple(world.charter.fee()) == (NOBODY, 0)
    supply = world.vault.totalSupply()
    boa.env.time_travel(seconds=YEAR_S)
    assert world.vault.fee_due() == 0
    world.redeem(world.alice, ONE)
    assert world.vault.totalSupply() == supply - ONE


def test_fee__of_a_year__is_exactly_its_rate(world: World) -> None:
    charge(world, 150)
    supply, held = world.vault.totalSupply(), world.vault.balanceOf(world.alice)
    boa.env.time_travel(seconds=YEAR_S)
    assert world.vault.fee_due() == (supply - LOCKED) * 150 // 10_000
    world.redeem(world.alice, 1)
    assert world.vault.balanceOf(world.guardian) == (supply - LOCKED) * 150 // 10_000
    assert world.vault.totalSupply() == supply + (supply - LOCKED) * 150 // 10_000 - 1
    assert world.vault.balanceOf(world.alice) == held - 1
    assert world.vault.fee_due() == 0


@few
@given(
    rate=st.integers(1, 200),
    waits=st.lists(st.integers(0, 200 * DAY_S), min_size=1, max_size=6),
    acts=st.lists(st.sampled_from(("mint", "redeem", "set_fee")), min_size=6, max_size=6),
)
def test_fee__counted_at_each_mint_redemption_and_change__is_the_models(
    world: World, rate: int, waits: list[int], acts: list[str]
) -> None:
    with boa.env.anchor():
        charge(world, rate)
        supply, received, diluted, bound = world.vault.totalSupply(), 0, Fraction(1), Fraction(1)
        for seconds, act in zip(waits, acts, strict=False):
            boa.env.time_travel(seconds=seconds)
            new = due(supply, rate, seconds)
            assert world.vault.fee_due() == new
            diluted *= Fraction(supply + new, supply)
            bound *= 1 + Fraction(rate * seconds, 10_000 * YEAR_S)
            if act == "mint":
                world.mint(world.bob, 10 * ONE)
                change = 10 * ONE
            elif act == "redeem":
                world.redeem(world.alice, 1_000 * ONE)
                change = -1_000 * ONE
            else:
                world.charter.set_fee(world.guardian, rate, sender=world.owner)
                change = 0
            supply += new + change
            received += new
            assert world.vault.totalSupply() == supply
            assert world.vault.balanceOf(world.guardian) == received
        assert bound - Fraction(1, 10**15) <= diluted <= bound  # never more than the rate of the time that passed


def test_fee__mint_and_redeem__take_and_pay_by_the_supply_with_the_fee_in_it(world: World) -> None:
    with_positions(world)
    charge(world, 200)
    boa.env.time_travel(seconds=100 * DAY_S)
    supply = world.vault.totalSupply()
    whole = supply + due(supply, 200, 100 * DAY_S)
    found = books(world, whole)
    shares = 12_345 * ONE
    with boa.env.anchor():
        expected = cost(world, found, shares)
        assert list(world.vault.preview_mint(shares)) == expected
        assert world.mint(world.bob, shares, cost=expected) == expected
        assert world.vault.totalSupply() == whole + shares
    expected, _ = payment(world, found, shares)
    assert world.redeem(world.alice, shares) == expected
    assert world.vault.totalSupply() == whole - shares


def test_fee__diluted_holders__can_take_out_what_the_receiver_cannot(world: World) -> None:
    """Everybody's slice together is the whole; the receiver's is the rate's part of it."""
    charge(world, 200)
    boa.env.time_travel(seconds=YEAR_S // 2)
    held = world.holdings()
    first = world.redeem(world.alice, world.vault.balanceOf(world.alice))
    second = world.redeem(world.guardian, world.vault.balanceOf(world.guardian))
    for token in range(3):
        assert first[token] == pytest.approx(held[token] / 1.01, rel=1e-9, abs=1)
        assert second[token] == pytest.approx(held[token] * 0.01 / 1.01, rel=1e-9, abs=1)


# ------------------------------------------------------------------ who sets it, and how


def test_set_fee__raised__is_asked_for_twice_and_runs_from_then(world: World) -> None:
    world.charter.set_fee(world.guardian, 100, sender=world.owner)
    assert tuple(world.charter.fee()) == (NOBODY, 0)
    boa.env.time_travel(seconds=DAY_S - 1)
    with reverts("roles: wait"):
        world.charter.set_fee(world.guardian, 100, sender=world.owner)
    boa.env.time_travel(seconds=1)
    world.charter.set_fee(world.guardian, 100, sender=world.owner)
    event = world.event("FeeSet")
    assert event == {"receiver": world.guardian.lower(), "rate_bps": 100}
    assert tuple(world.charter.fee()) == (world.guardian, 100)
    assert world.vault.fee_due() == 0  # nothing for the time before
    boa.env.time_travel(seconds=DAY_S)
    assert world.vault.fee_due() == due(world.vault.totalSupply(), 100, DAY_S)


def test_set_fee__lowered__acts_at_once_and_counts_the_time_before_at_the_old_rate(world: World) -> None:
    charge(world, 200)
    supply = world.vault.totalSupply()
    boa.env.time_travel(seconds=DAY_S)
    world.charter.set_fee(world.guardian, 50, sender=world.owner)
    first = due(supply, 200, DAY_S)
    assert world.vault.balanceOf(world.guardian) == first
    boa.env.time_travel(seconds=DAY_S)
    assert world.vault.fee_due() == due(supply + first, 50, DAY_S)
    world.charter.set_fee(world.guardian, 0, sender=world.owner)
    received = world.vault.balanceOf(world.guardian)
    assert received == first + due(supply + first, 50, DAY_S)
    boa.env.time_travel(seconds=YEAR_S)
    world.redeem(world.alice, ONE)
    assert world.vault.balanceOf(world.guardian) == received


def test_set_fee__off_for_a_while__charges_nothing_for_that_while(world: World) -> None:
    charge(world, 200)
    world.charter.set_fee(world.guardian, 0, sender=world.owner)
    boa.env.time_travel(seconds=YEAR_S)
    charge(world, 200)
    assert world.vault.fee_due() == 0
    assert world.vault.balanceOf(world.guardian) == due(world.vault.totalSupply(), 200, 0)


def test_set_fee__another_receiver__acts_at_once_and_leaves_the_old_one_what_was_his(world: World) -> None:
    charge(world, 200)
    supply = world.vault.totalSupply()
    boa.env.time_travel(seconds=DAY_S)
    world.charter.set_fee(world.stranger, 200, sender=world.owner)
    assert world.vault.balanceOf(world.guardian) == due(supply, 200, DAY_S)
    boa.env.time_travel(seconds=DAY_S)
    world.redeem(world.alice, ONE)
    assert world.vault.balanceOf(world.guardian) == due(supply, 200, DAY_S)
    assert world.vault.balanceOf(world.stranger) == due(supply + due(supply, 200, DAY_S), 200, DAY_S)


def test_set_fee__above_the_ceiling__is_refused_even_when_asked_twice(world: World) -> None:
    world.charter.set_fee(world.guardian, 201, sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    with reverts("limits: ceiling"):
        world.charter.set_fee(world.guardian, 201, sender=world.owner)
    charge(world, 200)


def test_set_fee__to_nobody__is_refused(world: World) -> None:
    with reverts("vault: receiver"):
        world.charter.set_fee(NOBODY, 0, sender=world.owner)
    world.charter.set_fee(world.bob, 0, sender=world.owner)


def test_set_fee__while_paused__counts_and_keeps_the_pause(world: World) -> None:
    charge(world, 200)
    boa.env.time_travel(seconds=DAY_S)
    world.charter.pause(sender=world.guardian)
    world.charter.set_fee(world.guardian, 100, sender=world.owner)
    assert world.vault.balanceOf(world.guardian) == due(1_000_000 * ONE + LOCKED, 200, DAY_S)
    assert world.charter.paused()


# ------------------------------------------------------------------ ends


def test_fee__at_the_most_shares__gives_no_more_than_fit(world: World) -> None:
    charge(world, 200)
    room = 10**20
    world.mint(world.bob, 2**128 - 1 - room - world.vault.totalSupply())
    boa.env.time_travel(seconds=YEAR_S)
    assert world.vault.fee_due() == room  # far more is due
    with reverts("vault: too many shares"):
        world.mint(world.bob, 1, cost=[1, 1, 1])
    world.redeem(world.alice, ONE)
    assert world.vault.totalSupply() == 2**128 - 1 - ONE
    assert world.vault.balanceOf(world.guardian) == room
    boa.env.time_travel(seconds=YEAR_S)
    world.redeem(world.alice, ONE)
    assert world.vault.totalSupply() == 2**128 - 1 - ONE
    world.redeem(world.bob, world.vault.balanceOf(world.bob))


@pytest.mark.parametrize("after", ["deployment", "everybody left"])
def test_fee__nobody_there_but_the_locked_shares__is_none_and_the_next_mint_is_a_first(
    world: World, after: str
) -> None:
    vault = empty_vault(world)
    charter = charter_of(vault)
    amounts = [10**6, 10**15, 10**5]
    for token in world.tokens:
        token.mint(world.bob, 10**19)
        token.approve(vault.address, 10**19, sender=world.bob)
    charge(world, 200, charter=charter)
    if after != "deployment":
        vault.mint(ONE, amounts, world.bob, world.deadline, sender=world.bob)
        vault.redeem(ONE, [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    boa.env.time_travel(seconds=YEAR_S)
    assert (vault.fee_due(), vault.totalSupply()) == (0, LOCKED)
    assert vault.mint(ONE, amounts, world.bob, world.deadline, sender=world.bob) == amounts
    assert vault.fee_due() == 0  # the newcomer owes nothing for the time before
    boa.env.time_travel(seconds=DAY_S)
    assert vault.fee_due() == due(ONE + LOCKED, 200, DAY_S)


def test_fee__too_small_to_be_a_share__is_not_collected_later(world: World) -> None:
    """Counting moves the clock on, so that nobody is charged twice for a moment."""
    vault = empty_vault(world)
    for token in world.tokens:
        token.mint(world.bob, 10**19)
        token.approve(vault.address, 10**19, sender=world.bob)
    charge(world, 200, charter=charter_of(vault))
    vault.mint(LOCKED + 100, [10**6] * 3, world.bob, world.deadline, sender=world.bob)
    for _ in range(3):
        boa.env.time_travel(seconds=60)
        vault.redeem(1, [0] * 3, world.bob, world.deadline, sender=world.bob)
    boa.env.time_travel(seconds=DAY_S)
    assert vault.fee_due() == due(vault.totalSupply(), 200, DAY_S)
    assert vault.balanceOf(world.guardian) == 0
