"""A token that cannot move must not hold the others back."""

import boa
import pytest

from tests.contracts.vault.test_mint import empty_vault, with_positions
from tests.contracts.vault.world import (
    BTC,
    ETH,
    GRAIN,
    NOBODY,
    ONE,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    reverts,
    whole,
)

STUBBORN = """
# pragma version 0.4.3
# A token that may answer no to a transfer instead of reverting.
decimals: public(constant(uint256)) = 18
balanceOf: public(HashMap[address, uint256])
refuses: bool
@external
def set_refuses(refuses: bool):
    self.refuses = refuses
@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount
@external
def transfer(to: address, amount: uint256) -> bool:
    if self.refuses:
        return False
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    return True
@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    return True
"""
SKIP_USD = 1 << USD
SHARES = 100_000 * ONE


def freeze(world: World, yes: bool = True) -> None:
    world.tokens[USD].freeze(world.vault.address, yes)


def test_redeem__token_frozen_for_the_vault__reverts_unless_skipped(world: World) -> None:
    with_positions(world)
    said = world.preview_redeem(SHARES)
    freeze(world)
    with reverts("TF"):  # the pool's word for a transfer that failed
        world.redeem(world.alice, SHARES)
    paid = world.redeem(world.alice, SHARES, SKIP_USD, receiver=world.bob)
    balances = world.balances(world.bob)
    assert balances[USD] == 0
    assert balances[ETH] == paid[ETH] > 0
    assert world.vault.owed(USD, world.bob) == paid[USD] > 0
    pair = world.pools[V2_USD_ETH]
    handed = [
        world.tokens[token].balanceOf(pair.address) * pair.balanceOf(world.bob) // pair.totalSupply()
        for token in (USD, ETH)
    ]
    assert paid[USD] + handed[0] == pytest.approx(said[USD], abs=2 * GRAIN[USD])
    assert paid[ETH] + handed[1] == pytest.approx(said[ETH], abs=2 * GRAIN[ETH])


def test_claim__once_the_token_moves_again__pays_what_was_set_aside(world: World) -> None:
    with_positions(world)
    freeze(world)
    owed = world.redeem(world.alice, SHARES, SKIP_USD, receiver=world.bob)[USD]
    usd = world.tokens[USD]
    with reverts("TF"):
        world.vault.claim(USD, world.bob, sender=world.bob)
    freeze(world, False)
    with reverts("vault: nothing owed"):
        world.vault.claim(USD, world.alice, sender=world.alice)
    assert world.vault.claim(USD, world.stranger, sender=world.bob) == owed
    assert usd.balanceOf(world.stranger) == owed
    assert world.vault.owed(USD, world.bob) == 0
    with reverts("vault: nothing owed"):
        world.vault.claim(USD, world.bob, sender=world.bob)


def test_claim__works_while_paused_and_while_another_token_is_frozen(world: World) -> None:
    with_positions(world)
    eth = world.tokens[ETH]
    owed = world.redeem(world.alice, SHARES, 1 << ETH)[ETH]
    side = world.sides[V3_USD_ETH].index(USD)
    world.provider.swap(world.pools[V3_USD_ETH].address, side == 0, whole(USD, 100_000))  # USD fees are due
    freeze(world)
    world.charter.pause(sender=world.guardian)
    before = eth.balanceOf(world.alice)
    assert world.vault.claim(ETH, world.alice, sender=world.alice) == owed
    assert eth.balanceOf(world.alice) - before == owed


@pytest.mark.parametrize("index", [3, 7, 8, 255, 256, 2**256 - 1])
def test_claim__token_that_is_not_listed__reverts(world: World, index: int) -> None:
    world.redeem(world.alice, SHARES, 0b111)
    with reverts("vault: nothing owed"):
        world.vault.claim(index, world.alice, sender=world.alice)


def test_claim__says_who_was_paid_what(world: World) -> None:
    owed = world.redeem(world.alice, SHARES, SKIP_USD)[USD]
    world.vault.claim(USD, world.bob, sender=world.alice)
    found = world.event("Claimed")
    assert found == {"index": USD, "owner": world.alice.lower(), "receiver": world.bob.lower(), "amount": owed}


def test_claim__to_nobody__reverts(world: World) -> None:
    world.redeem(world.alice, SHARES, SKIP_USD)
    with reverts("vault: receiver"):
        world.vault.claim(USD, NOBODY, sender=world.alice)


def test_owed__is_nobody_elses__in_mint_redeem_and_nav(world: World) -> None:
    with_positions(world)
    world.settle()
    before, supply = world.exact(), world.vault.totalSupply()
    with boa.env.anchor():
        world.redeem(world.alice, SHARES)
        fair, value = world.preview_redeem(ONE), sum(world.money(world.holdings()))
    owed = world.redeem(world.alice, SHARES, SKIP_USD)[USD]
    after = world.exact()
    assert (after[USD] - owed) * supply >= before[USD] * (supply - SHARES)
    assert world.preview_redeem(ONE)[USD] == pytest.approx(fair[USD], abs=GRAIN[USD])
    assert sum(world.money(world.holdings())) == pytest.approx(value, rel=1e-9)
    assert world.nav() <= value  # a bundle leaves out what ranges keep of it
    cost = list(world.vault.preview_mint(ONE))
    assert cost[USD] == pytest.approx(fair[USD], abs=3 * GRAIN[USD])


def test_owed__claimed_later__leaves_the_others_what_they_had(world: World) -> None:
    with_positions(world)
    world.redeem(world.alice, SHARES, SKIP_USD)
    before = world.holdings()
    world.vault.claim(USD, world.alice, sender=world.alice)
    assert world.holdings() == before


def test_owed__cannot_be_spent_by_the_keeper(world: World) -> None:
    owed = world.redeem(world.alice, 900_000 * ONE, SKIP_USD)[USD]
    left = world.tokens[USD].balanceOf(world.vault.address) - owed
    with reverts("vault: floor"):
        world.execute(world.swap(V3_USD_ETH, USD, left + 1))
    world.execute(world.swap(V3_USD_ETH, USD, left // 2))


def test_owed__resting_in_a_range__does_not_stop_the_keeper(world: World) -> None:
    """Anybody may redeem with `skip`, frozen or not: what a range still keeps is fetched when it is needed."""
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**17))
    owed = world.redeem(world.alice, 900_000 * ONE, SKIP_USD)[USD]
    assert world.tokens[USD].balanceOf(world.vault.address) < owed  # a part of what is owed rests in the range
    with boa.env.anchor():
        freeze(world)
        with reverts("TF"):
            world.execute(world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.1)))
    world.execute(world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.1)))
    assert world.tokens[USD].balanceOf(world.vault.address) >= owed


def test_owed__resting_in_a_range__takes_nothing_off_what_a_bundle_counts(world: World) -> None:
    """What a range keeps of a token set aside stands against what is owed: weights and NAV are the true ones."""
    ticks = world.ticks_around(V3_USD_ETH)
    world.execute(world.add_range(V3_USD_ETH, ticks, 10**17))
    with boa.env.anchor():
        world.execute(world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.01)))
        plain = world.event("Executed")
    supply = world.vault.totalSupply()
    world.mint(world.stranger, 100 * supply)
    world.redeem(world.stranger, 100 * supply, SKIP_USD)
    assert world.held(V3_USD_ETH, ticks)[3:] != (0, 0)
    world.execute(world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.01)))
    assert world.event("Executed")["nav_before"] == pytest.approx(plain["nav_before"], rel=1e-6)
    assert world.words().owes == SKIP_USD


def test_redeem__everything_skipped__is_all_owed(world: World) -> None:
    with_positions(world)
    before = world.balances(world.alice)
    owed = world.redeem(world.alice, SHARES, 0b111)
    assert world.balances(world.alice) == before
    for token, amount in enumerate(owed):
        assert world.vault.owed(token, world.alice) == amount > 0
        world.vault.claim(token, world.bob, sender=world.alice)
    assert world.balances(world.bob) == owed


def test_owes_flags__say_of_which_tokens_something_is_owed(world: World) -> None:
    """Through claims in an order of their own, by two people, with positions and a pause in the same word."""
    with_positions(world)
    world.vault.transfer(world.bob, SHARES, sender=world.alice)
    positions, fees = world.positions(), world.words().token_count

    def flags() -> int:
        assert (world.positions(), world.words().token_count) == (positions, fees)
        return world.words().owes

    world.redeem(world.alice, SHARES // 2, 0b101)
    assert flags() == 0b101
    world.redeem(world.bob, SHARES // 2, 0b110)
    assert flags() == 0b111
    world.charter.pause(sender=world.guardian)
    for who, index, expected in (
        (world.alice, BTC, 0b111),  # bob is owed BTC too
        (world.bob, ETH, 0b101),
        (world.bob, BTC, 0b001),
        (world.alice, USD, 0b000),
    ):
        assert world.vault.claim(index, who, sender=who) > 0
        assert flags() == expected
        assert world.words().paused


def test_owed__redeemed_twice__adds_up_and_is_paid_at_once(world: World) -> None:
    first, second = (world.redeem(world.alice, SHARES, SKIP_USD, receiver=who)[USD] for who in (world.bob, world.bob))
    third = world.redeem(world.alice, SHARES, SKIP_USD)[USD]
    assert world.vault.owed(USD, world.bob) == first + second
    assert world.vault.owed_total(USD) == first + second + third
    assert world.vault.claim(USD, world.bob, sender=world.bob) == first + second
    assert world.vault.owed_total(USD) == third


def test_claim__token_has_shrunk_below_what_is_owed__pays_everybody_the_same_part(world: World) -> None:
    usd = world.tokens[USD]
    owed = [
        world.redeem(world.alice, 100_000 * ONE * part, SKIP_USD, receiver=who)[USD]
        for part, who in ((1, world.bob), (2, world.stranger), (3, world.owner))
    ]
    total = sum(owed)
    usd.burn(world.vault.address, usd.balanceOf(world.vault.address) - total * 2 // 5)
    paid = [world.vault.claim(USD, who, sender=who) for who in (world.bob, world.stranger, world.owner)]
    assert paid == [pytest.approx(amount * 2 // 5, abs=1) for amount in owed]
    assert world.vault.owed_total(USD) == world.words().owes == 0
    assert usd.balanceOf(world.vault.address) <= 2


def test_claim__just_what_is_owed_is_left__pays_it_whole(world: World) -> None:
    usd = world.tokens[USD]
    owed = world.redeem(world.alice, SHARES, SKIP_USD)[USD]
    usd.burn(world.vault.address, usd.balanceOf(world.vault.address) - owed)
    with boa.env.anchor():
        assert world.vault.claim(USD, world.alice, sender=world.alice) == owed
    usd.burn(world.vault.address, 1)
    assert world.vault.claim(USD, world.alice, sender=world.alice) == owed - 1


def test_redeem_and_claim__token_answers_no__revert_until_it_moves(world: World) -> None:
    token = boa.loads(STUBBORN)
    vault = empty_vault(world, token)
    token.mint(world.bob, ONE)
    vault.mint(ONE, [ONE], world.bob, world.deadline, sender=world.bob)
    token.set_refuses(True)
    with reverts("vault: transfer"):
        vault.redeem(10**12, [0], world.bob, world.deadline, sender=world.bob)
    (owed,) = vault.redeem(10**12, [0], world.bob, world.deadline, 1, sender=world.bob)
    with reverts("vault: transfer"):
        vault.claim(0, world.bob, sender=world.bob)
    token.set_refuses(False)
    assert vault.claim(0, world.bob, sender=world.bob) == owed == token.balanceOf(world.bob) > 0
