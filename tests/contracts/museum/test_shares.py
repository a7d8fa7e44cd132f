"""Whose fees, and how dear a share: what belongs to the shares of a house."""

from collections.abc import Callable
from typing import Any

import boa

from tests.contracts.museum.purse import Thief, fund, thief_at, twin
from tests.contracts.vault import small_vault
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.world import ETH, LOCKED, USD, World, reverts, whole, worth, worth_in_money

LATER = 2**255
ANY = [10**30] * 3
POT = worth(USD, 500_000)
FEES = worth(USD, 50_000)


# ------------------------------------------------------------------ Popsicle, August 2021: fees of transferred shares


def passed_on(thief: Thief, house: Any, mules: list[str]) -> None:
    """Buy shares, hand them from one fresh account to the next, and let each claim the fees of all time."""
    shares = house.totalSupply()
    house.mint(shares, ANY, thief.address, LATER, sender=thief.address)
    holder = thief.address
    for mule in mules:
        house.transfer(mule, shares, sender=holder)
        house.claim(USD, mule, sender=mule)
        holder = mule
    house.redeem(shares, [0, 0, 0], holder, LATER, sender=holder)


def mules() -> list[str]:
    return [str(boa.env.generate_address(f"mule {number}")) for number in range(3)]


def test_passed_on__twin__loses_the_fees_of_everybody(world: World) -> None:
    house = twin("FeesOfTransferred", world.tokens[USD].address)
    fund(world, house, world.alice, USD, POT + FEES)
    house.mint(10**24, [POT], world.alice, LATER, sender=world.alice)
    house.earn(FEES, sender=world.alice)
    first, *rest = mules()
    thief = thief_at(world, house, first, *rest)
    assert thief.gain(lambda: passed_on(thief, house, [first])) == worth_in_money(USD, FEES - 1)  # 1: rounding


def test_passed_on__vault__nothing_owed(world: World) -> None:
    """There is nothing to claim but what a redemption set aside, and a mint pays for fees not yet collected."""
    with_positions(world)
    thief = thief_at(world, world.vault, *mules())
    with reverts("vault: nothing owed"):
        passed_on(thief, world.vault, mules())


def test_passed_on__vault_without_the_claims__leaves_the_thief_no_richer_in_any_token(world: World) -> None:
    with_positions(world)
    vault, shares, chain = world.vault, world.vault.totalSupply(), mules()
    thief = thief_at(world, vault, *chain)
    before = world.balances(thief.address)
    vault.mint(shares, ANY, thief.address, LATER, sender=thief.address)
    for giver, taker in zip([thief.address, *chain], chain, strict=False):
        vault.transfer(taker, shares, sender=giver)
    vault.redeem(shares, [0, 0, 0], thief.address, LATER, sender=chain[-1])
    assert all(now <= was for now, was in zip(world.balances(thief.address), before, strict=True))


# ------------------------------------------------------------------ Hundred 2023, Sonne 2024: first, then a gift

GIFT = worth(USD, 10_000)
VICTIM = 2 * GIFT - 1  # buys one share and a hair less than the second


def enter_twin(house: Any, who: str, amount: int) -> None:
    house.deposit(amount, sender=who)


def enter_vault(house: Any, who: str, amount: int) -> None:
    """For as many shares as that amount buys; the first ones there take it whole."""
    supply = house.totalSupply()
    shares = amount * supply // small_vault.holdings(house)[0] if supply > LOCKED else LOCKED + amount
    house.mint(shares, [amount], who, LATER, sender=who)


def dear_share(thief: Thief, house: Any, enter: Callable[[Any, str, int], None]) -> None:
    """Be first with one unit, then give: a share is now so dear that the next deposit rounds to one."""
    world = thief.world
    enter(house, thief.address, 1)
    world.tokens[USD].transfer(house.address, GIFT, sender=thief.address)
    enter(house, world.alice, VICTIM)
    shares = house.balanceOf(thief.address)
    house.redeem(shares, [0], thief.address, LATER, sender=thief.address)


def test_dear_share__twin__takes_a_quarter_of_the_victims_deposit(world: World) -> None:
    house = twin("AssetsToShares", world.tokens[USD].address)
    fund(world, house, world.alice, USD, VICTIM)
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: dear_share(thief, house, enter_twin))
    assert stolen == worth_in_money(USD, (1 + GIFT + VICTIM) // 2 - 1 - GIFT)
    assert stolen > worth_in_money(USD, VICTIM) * 24 // 100


def small(world: World) -> Any:
    return small_vault.deploy(world, world.tokens[:1], world.feeds[:1])


def test_dear_share__vault__costs_the_thief_his_gift_and_the_victim_nothing(world: World) -> None:
    house = small(world)
    fund(world, house, world.alice, USD, VICTIM)
    thief = thief_at(world, house)
    lost = -thief.gain(lambda: dear_share(thief, house, enter_vault))
    assert lost >= worth_in_money(USD, GIFT) * 49 // 100  # to the locked shares: at first nobody has fewer than they
    shares = house.balanceOf(world.alice)
    back = house.redeem(shares, [0], world.alice, LATER, sender=world.alice)[0]
    assert world.tokens[USD].balanceOf(world.alice) >= VICTIM - 2
    assert back >= VICTIM * 99 // 100


# ------------------------------------------------------------------ Resupply, June 2025: debts that weigh nothing

SMALL_GIFT = whole(ETH, 4)
LENT = whole(ETH, 3_000)


def weightless_debt(thief: Thief, house: Any, lender: Any, enter: Callable[[Any, str, int], None]) -> None:
    """Make the one share of an empty house dearer than the lender can count, and borrow everything against it."""
    enter(house, thief.address, 1)
    thief.world.tokens[ETH].transfer(house.address, SMALL_GIFT, sender=thief.address)
    house.approve(lender.address, 1, sender=thief.address)
    lender.borrow(house.address, 1, LENT, sender=thief.address)


def lender_of(world: World) -> Any:
    lender = twin("LendsByRate", world.tokens[ETH].address)
    world.tokens[ETH].mint(lender.address, LENT)
    return lender


def test_weightless_debt__twin__everything_lent_for_one_share(world: World) -> None:
    house, lender = twin("AssetsToShares", world.tokens[ETH].address), lender_of(world)
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: weightless_debt(thief, house, lender, enter_twin))
    assert stolen == worth_in_money(ETH, LENT - SMALL_GIFT - 1)


def test_weightless_debt__vault__lender_solvent(world: World) -> None:
    """The locked shares make a share a million times as hard to make dear: the same lender counts the debt."""
    house, lender = small_vault.deploy(world, [world.tokens[ETH]], [world.feeds[ETH]]), lender_of(world)
    thief = thief_at(world, house)
    with reverts("lender: solvent"):
        weightless_debt(thief, house, lender, enter_vault)
    assert world.tokens[ETH].balanceOf(lender.address) == LENT
