"""A token that cannot move must not hold the others back."""

import boa
import pytest

from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.world import (
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

SKIP_USD = 1 << USD
SHARES = 100_000 * ONE


def freeze(world: World, yes: bool = True) -> None:
    world.tokens[USD].freeze(world.vault.address, yes)


def test_redeem__token_frozen_for_the_vault__reverts_unless_skipped(world: World) -> None:
    with_positions(world)
    said = list(world.vault.preview_redeem(SHARES))
    freeze(world)
    with reverts("TF"):  # the pool's word for a transfer that failed
        world.redeem(world.alice, SHARES)
    paid = world.redeem(world.alice, SHARES, SKIP_USD, receiver=world.bob)
    balances = world.balances(world.bob)
    assert balances[USD] == 0
    assert balances[ETH] == paid[ETH] > 0
    assert world.vault.owed(world.tokens[USD].address, world.bob) == paid[USD] > 0
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
        world.vault.claim(usd.address, world.bob, sender=world.bob)
    freeze(world, False)
    with reverts("vault: nothing owed"):
        world.vault.claim(usd.address, world.alice, sender=world.alice)
    assert world.vault.claim(usd.address, world.stranger, sender=world.bob) == owed
    assert usd.balanceOf(world.stranger) == owed
    assert world.vault.owed(usd.address, world.bob) == 0
    with reverts("vault: nothing owed"):
        world.vault.claim(usd.address, world.bob, sender=world.bob)


def test_claim__works_while_paused_and_while_another_token_is_frozen(world: World) -> None:
    with_positions(world)
    eth = world.tokens[ETH]
    owed = world.redeem(world.alice, SHARES, 1 << ETH)[ETH]
    side = world.sides[V3_USD_ETH].index(USD)
    world.provider.swap(world.pools[V3_USD_ETH].address, side == 0, whole(USD, 100_000))  # USD fees are due
    freeze(world)
    world.vault.pause(sender=world.guardian)
    before = eth.balanceOf(world.alice)
    assert world.vault.claim(eth.address, world.alice, sender=world.alice) == owed
    assert eth.balanceOf(world.alice) - before == owed


def test_claim__token_that_is_not_listed__reverts(world: World) -> None:
    with reverts("registry: no token"):
        world.vault.claim(world.stranger, world.alice, sender=world.alice)


def test_claim__to_nobody__reverts(world: World) -> None:
    world.redeem(world.alice, SHARES, SKIP_USD)
    with reverts("vault: receiver"):
        world.vault.claim(world.tokens[USD].address, NOBODY, sender=world.alice)


def test_owed__is_nobody_elses__in_mint_redeem_and_nav(world: World) -> None:
    with_positions(world)
    world.settle()
    before, supply = world.exact(), world.vault.totalSupply()
    with boa.env.anchor():
        world.redeem(world.alice, SHARES)
        fair, nav = list(world.vault.preview_redeem(ONE)), world.vault.nav()
    owed = world.redeem(world.alice, SHARES, SKIP_USD)[USD]
    after = world.exact()
    assert (after[USD] - owed) * supply >= before[USD] * (supply - SHARES)
    assert world.vault.preview_redeem(ONE)[USD] == pytest.approx(fair[USD], abs=GRAIN[USD])
    assert world.vault.nav() == pytest.approx(nav, rel=1e-9)
    cost = list(world.vault.preview_mint(ONE))
    assert cost[USD] == pytest.approx(fair[USD], abs=3 * GRAIN[USD])


def test_owed__claimed_later__leaves_the_others_what_they_had(world: World) -> None:
    with_positions(world)
    world.redeem(world.alice, SHARES, SKIP_USD)
    before = world.vault.holdings()
    world.vault.claim(world.tokens[USD].address, world.alice, sender=world.alice)
    assert world.vault.holdings() == before


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


def test_redeem__everything_skipped__is_all_owed(world: World) -> None:
    with_positions(world)
    before = world.balances(world.alice)
    owed = world.redeem(world.alice, SHARES, 0b111)
    assert world.balances(world.alice) == before
    for token, amount in zip(world.tokens, owed, strict=True):
        assert world.vault.owed(token.address, world.alice) == amount > 0
        world.vault.claim(token.address, world.bob, sender=world.alice)
    assert world.balances(world.bob) == owed
