"""The record: what a bundle takes as the value of tokens whose prices it does not ask for."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import boa
import pytest

from tests.contracts.market import load
from tests.contracts.vault.test_fee import charge
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.test_oracle import fair_pair
from tests.contracts.vault.words import BPS, NAV_ONE, RECORD_AGE_S, RECORD_BITS, RECORD_ONE, packed, unpacked
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
    World,
    action,
    deploy_vault,
    reverts,
    token_setup,
    whole,
    world_of,
    worth,
)

EVERY = 0b111
DIGITS = Fraction(1, 2 ** (RECORD_BITS - 8 - 1))  # how far below the value the record of it may be


def recorded(world: World) -> tuple[int, list[int]]:
    """When all was priced, and each token's value in money now."""
    found, supply = world.words(), world.vault.totalSupply()
    return found.recorded_at, [unpacked(found.recorded(token)) * supply // RECORD_ONE for token in range(3)]


def small_sale(world: World, pool: int = V3_USD_ETH) -> tuple[int, int]:
    return world.swap(pool, ETH, whole(ETH, 0.01))


def kill(world: World, token: int = BTC) -> None:
    world.feeds[token].set_answer(-1, world.now)


def test_record__before_the_first_bundle__all_prices_are_asked_for(world: World) -> None:
    assert recorded(world) == (0, [0, 0, 0])
    with boa.env.anchor():
        kill(world)
        with reverts("oracle: answer"):
            world.execute(small_sale(world))
    world.execute(small_sale(world))
    at, values = recorded(world)
    assert at == world.now
    assert all(0 <= true - value <= true * DIGITS for value, true in zip(values, parts(world), strict=True))


def parts(world: World) -> list[int]:
    """Money in each token, all positions at the fair price."""
    return world.money(map(sum, zip(world.idle(), world.placed(), strict=True)))


def test_record__values_are_packed_per_share__to_the_last_bit(world: World) -> None:
    with_positions(world)
    world.execute(small_sale(world), world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.01)))
    found, supply = world.words(), world.vault.totalSupply()
    for token, value in enumerate(parts(world)):
        if token == BTC:  # on no pair, whose product the sale on it would have raised
            assert found.recorded(token) == packed(value * RECORD_ONE // supply, RECORD_BITS)
        assert found.recorded(token) < 2**RECORD_BITS


# ------------------------------------------------------------------ which prices are asked for


def test_dead_feed__of_a_token_not_touched__does_not_stop_a_bundle_while_the_record_is_fresh(world: World) -> None:
    world.execute(small_sale(world))
    at, (_, _, btc) = recorded(world)
    kill(world)
    boa.env.time_travel(seconds=RECORD_AGE_S - LIMITS[-1])
    for token in (USD, ETH):
        world.feeds[token].set_answer((1, 3_000)[token] * 10**8, world.now)
    world.execute(small_sale(world))  # a day old to the second
    found = world.event("Executed")
    assert recorded(world) == (at, recorded(world)[1])  # the time is that of the last bundle that priced all
    held = world.money(map(sum, zip(world.idle(), world.placed(), strict=True)))
    assert found["nav_after"] == held[USD] + held[ETH] + btc
    with reverts("oracle: answer"):
        world.execute(small_sale(world, V3_BTC_ETH))
    with reverts("oracle: answer"):  # half a minute later the record is too old
        world.execute(small_sale(world))
    assert world.mint(world.bob, ONE)[BTC] > 0
    assert world.redeem(world.bob, ONE)[BTC] > 0


def test_stale_record__asks_for_all_prices_and_is_renewed(world: World) -> None:
    world.execute(small_sale(world))
    boa.env.time_travel(seconds=RECORD_AGE_S)
    world.refresh()
    with boa.env.anchor():
        kill(world)
        with reverts("oracle: answer"):
            world.execute(small_sale(world))
    world.refresh(lambda token: Fraction(1 + (token == BTC)))
    world.execute(small_sale(world))
    at, values = recorded(world)
    assert at == world.now
    assert values[BTC] == pytest.approx(400_000 * ONE, rel=1e-5)  # BTC has doubled


def test_position__that_joins_a_touched_token_to_another__asks_for_all_prices(world: World) -> None:
    world.execute(small_sale(world))
    ticks = world.ticks_around(V3_BTC_ETH)
    world.execute(world.add_range(V3_BTC_ETH, ticks, 10**12))
    with boa.env.anchor():
        kill(world)
        with reverts("oracle: answer"):
            world.execute(small_sale(world))
    world.execute(action(REMOVE, V3_BTC_ETH, 10**12, 0, ticks))
    kill(world)
    world.execute(small_sale(world))


def test_position__among_touched_tokens_or_among_others_only__asks_for_no_more(world: World) -> None:
    """Four tokens in two pairs: each bundle prices its own pair, and the other's position stands in the record."""
    found, feeds = _two_pairs(world)
    for index in (0, 1):
        _add(found, index)
    for index in (0, 1):
        with boa.env.anchor():
            for feed in feeds[2 - 2 * index : 4 - 2 * index]:
                feed.set_answer(0, world.now)
            _add(found, index)
            with reverts("oracle: answer"):
                _add(found, 1 - index)


def test_nav__of_four_tokens_in_two_pairs__holds_the_recorded_half(world: World) -> None:
    found, feeds = _two_pairs(world)
    for index in (0, 1, 0):
        _add(found, index)
    whole_nav = found.event("Executed")["nav_after"]
    _add(found, 0)
    assert found.event("Executed")["nav_before"] == pytest.approx(whole_nav, rel=1e-9)
    for feed in feeds[2:]:  # tokens 2 and 3 double, and this bundle does not know
        feed.set_answer(2 * 10**8, world.now)
    _add(found, 0)
    assert found.event("Executed")["nav_before"] == pytest.approx(whole_nav, rel=1e-9)
    _add(found, 1)
    assert found.event("Executed")["nav_after"] == pytest.approx(whole_nav * 3 / 2, rel=1e-5)


def _two_pairs(world: World) -> tuple[World, list[Any]]:
    """A vault of four tokens, each a unit of money, a million of each and shares; pairs of 0 with 1 and 2 with 3."""
    tokens = sorted((load("mocks/Token.vy", "T", "T", 18) for _ in range(4)), key=lambda token: int(token.address, 16))
    feeds = [load("mocks/Feed.vy", 8, "T") for _ in tokens]
    pairs = [fair_pair(tokens[:2], [10**24] * 2), fair_pair(tokens[2:], [10**24] * 2)]
    setups = [token_setup(token, feed) for token, feed in zip(tokens, feeds, strict=True)]
    people = (world.owner, world.keeper, world.guardian)
    pools = [(pair.address, 2, 3_000, 0) for pair in pairs]
    vault = deploy_vault("Four", "FOUR", *people, DAY_S, setups, pools, LIMITS)
    for token, feed in zip(tokens, feeds, strict=True):
        feed.set_answer(10**8, world.now)
        token.mint(world.bob, 10**24)
        token.approve(vault.address, 10**24, sender=world.bob)
    vault.mint(10**24, [10**24] * 4, world.bob, world.deadline, sender=world.bob)
    found = world_of(world, vault, pairs)
    return replace(found, tokens=tuple(tokens), feeds=tuple(feeds)), feeds


def _add(world: World, index: int) -> None:
    world.execute(action(3, index, 1, 10**20 << 128 | 10**20))


# ------------------------------------------------------------------ what it is worth


@pytest.mark.parametrize("shares", [ONE, 10**24, 10**28])
def test_record__kept_across_mint_and_redemption__grows_and_shrinks_with_the_supply(world: World, shares: int) -> None:
    world.execute(small_sale(world))
    packed_before = world.words().words[37]
    with boa.env.anchor():
        world.mint(world.bob, shares)
        _assert_honest(world, packed_before)
    world.redeem(world.alice, min(shares, 900_000 * ONE))
    _assert_honest(world, packed_before)


def _assert_honest(world: World, word: int) -> None:
    assert world.words().words[37] == word
    true = parts(world)[BTC]
    world.execute(small_sale(world))
    nav = world.event("Executed")["nav_before"]
    held = parts(world)
    found = nav - held[USD] - held[ETH]
    assert abs(found - true) <= true * DIGITS + ONE  # what the sale has lost since


def test_record__first_mint_again__is_forgotten(world: World) -> None:
    """The newcomer says how many shares his amounts are: values per share of those before him say nothing."""
    world.execute(small_sale(world))
    world.redeem(world.alice, world.vault.balanceOf(world.alice))
    cost = [worth(USD, 5_000), worth(ETH, 5_000), 0]
    world.mint(world.bob, 10**30, cost=cost)
    true = world.nav()
    world.execute(world.swap(V3_USD_ETH, ETH, whole(ETH, 0.001)))
    assert world.event("Executed")["nav_before"] == pytest.approx(true, rel=1e-3)


def test_record__token_of_nothing__is_nothing(world: World) -> None:
    world.tokens[BTC].burn(world.vault.address, world.tokens[BTC].balanceOf(world.vault.address))
    for _ in range(2):
        world.execute(small_sale(world))
        after = world.event("Executed")["nav_after"]
        assert world.words().recorded(BTC) == 0
    assert after == sum(parts(world))


@pytest.mark.parametrize("out", [False, True])
def test_corridor__of_a_touched_token__is_honest_against_the_recorded_rest(world: World, out: bool) -> None:
    """The most USD that the corridor takes with BTC on record is what it takes with BTC priced, but for the digits."""
    world.execute(small_sale(world))
    world.charter.set_corridor(USD, 0, 5_100, sender=world.owner)
    low, high = worth(ETH, 9_000), worth(ETH, 11_000)  # sold into 51 %, and beyond
    for _ in range(30):
        middle = (low + high) // 2
        with boa.env.anchor():
            if out:
                kill(world)
            try:
                bundle = world.swap(V2_USD_ETH, ETH, middle)
                world.execute(bundle)
                low = middle
            except boa.BoaError:
                high = middle
    world.execute(world.swap(V2_USD_ETH, ETH, low))
    held = parts(world)
    weight = Fraction(held[USD], sum(held))
    assert abs(weight - Fraction(51, 100)) <= DIGITS / 2 + Fraction(1, 10**8)


def test_corridor__of_a_token_not_touched__does_not_stop_a_bundle(world: World) -> None:
    world.execute(small_sale(world))
    world.charter.set_corridor(BTC, 0, 1_000, sender=world.owner)  # it has 20 %
    world.execute(small_sale(world))  # a small loss makes its weight grow
    with reverts("vault: corridor"):
        world.execute(small_sale(world, V3_BTC_ETH))


def test_record__fee_due_since_the_last_mint__is_in_the_shares_it_is_kept_for(world: World) -> None:
    """Else the next mint would count the fee, and the record would stand for more shares than it was kept for."""
    charge(world, 200)
    boa.env.time_travel(seconds=365 * DAY_S)
    world.refresh()
    world.execute(small_sale(world), world.swap(V3_BTC_ETH, ETH, whole(ETH, 0.01)))
    nav = world.event("Executed")["nav_after"]
    world.redeem(world.alice, 1)
    assert world.vault.fee_due() == 0
    world.execute(small_sale(world))
    assert world.event("Executed")["nav_before"] == pytest.approx(nav, rel=1e-6)
    assert world.words().recorded_at != world.now, "BTC was taken by the record"


def test_losses__are_measured_against_the_whole__the_recorded_rest_included(world: World) -> None:
    world.execute(small_sale(world))
    before = world.state().turnover_used
    with boa.env.anchor():
        kill(world)
        world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 9_000)))
        found = world.event("Executed")
    assert found["nav_before"] == pytest.approx(1_000_000 * ONE, rel=1e-4)
    used = -(-found["turnover"] * NAV_ONE // found["nav_before"])
    world.execute(world.swap(V3_USD_ETH, USD, whole(USD, 9_000)))
    assert world.state().turnover_used <= before + used
    assert world.state().turnover_used == pytest.approx(before + used, abs=10 * BPS)


def test_small_vault__of_two_tokens__keeps_no_record(world: World) -> None:
    setups = [token_setup(world.tokens[token], world.feeds[token]) for token in (USD, ETH)]
    people = (world.owner, world.keeper, world.guardian)
    pools = [(world.pools[V2_USD_ETH].address, 2, 3_000, 0)]
    vault = deploy_vault("Two", "TWO", *people, DAY_S, setups, pools, LIMITS)
    world.tokens[USD].mint(vault.address, whole(USD, 1_000))
    world.tokens[ETH].mint(vault.address, whole(ETH, 1))
    found = replace(world_of(world, vault), tokens=world.tokens[:2], feeds=world.feeds[:2])
    found.execute(found.swap(0, USD, whole(USD, 1)))
    assert found.event("Executed")["nav_before"] == 4_000 * ONE
    assert found.words().words[37] == 0
