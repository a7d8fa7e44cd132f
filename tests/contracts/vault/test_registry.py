"""Tokens and pools: what the vault takes on, and what it says about them."""

from typing import Any

import boa
import pytest

from tests.contracts.market import load
from tests.contracts.vault.world import (
    BTC,
    DAY_S,
    ETH,
    HOUR_S,
    LIMITS,
    NOBODY,
    UNISWAP,
    USD,
    V2_USD_ETH,
    V3_USD_ETH,
    WINDOW_S,
    World,
    charter_of,
    deploy_charter,
    deploy_vault,
    published,
    reverts,
)
from tests.contracts.vault.world import (
    token_setup as token_setup_of,
)

SETUP = {"max_age": HOUR_S, "least_answer": 0, "most_answer": 2**127, "least": 0, "most": 10_000}


def token_setup(world: World, token: Any = None, feed: Any = None, **changes: int) -> tuple[Any, ...]:
    token, feed = token or world.tokens[ETH], feed or world.feeds[ETH]
    return (token.address, feed.address, *(SETUP | changes).values())


def vault_of(world: World, tokens: list[Any], pools: list[Any] | None = None) -> Any:
    people = (world.owner, world.keeper, world.guardian)
    return deploy_vault("V", "V", *people, DAY_S, tokens, pools or [], LIMITS)


def test_views__say_what_was_registered(world: World) -> None:
    vault = world.charter
    assert vault.vault() == world.vault.address
    assert world.vault.charter() == vault.address
    assert vault.tokens() == [token.address for token in world.tokens]
    assert tuple(vault.token_info(BTC)) == token_setup_of(world.tokens[BTC], world.feeds[BTC])
    assert vault.pools() == [pool.address for pool in world.pools]
    assert tuple(vault.pool_info(V3_USD_ETH)) == (world.pools[V3_USD_ETH].address, 3, 500, WINDOW_S)
    assert tuple(vault.pool_info(V2_USD_ETH)) == (world.pools[V2_USD_ETH].address, 2, 3_000, 0)
    with reverts("registry: no token"):
        vault.token_info(3)
    with reverts("registry: no pool"):
        vault.pool_info(3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"max_age": 0}, "registry: feed age"),
        ({"max_age": 172_801}, "registry: feed age"),
        ({"least": 5_001, "most": 5_000}, "registry: corridor"),
        ({"most": 10_001}, "registry: corridor"),
        ({"least_answer": 5, "most_answer": 5}, "registry: bounds"),
        ({"least_answer": 6, "most_answer": 5}, "registry: bounds"),
        ({"least_answer": 2**41, "most_answer": 2**41 + 1}, "registry: bounds"),  # alike as they are kept
    ],
)
def test_token__bad_setup__is_refused(world: World, changes: dict[str, int], reason: str) -> None:
    with reverts(reason):
        vault_of(world, [token_setup(world, **changes)])


def test_pool__of_nobodys_token__is_refused_though_places_are_free(world: World) -> None:
    halves = "@external\n@view\ndef {}() -> address:\n    return {}\n"
    eth = world.tokens[ETH].address
    pool = boa.loads(halves.format("token0", "empty(address)") + halves.format("token1", eth))
    with reverts("registry: no token"):
        vault_of(world, [token_setup(world)], [(pool.address, 2, 3_000, 0)])


def test_token__at_every_bound__is_taken(world: World) -> None:
    vault_of(world, [token_setup(world, max_age=172_800, least=10_000, most=10_000)])
    vault_of(world, [token_setup(world, max_age=1, least=0, most=0)])


@pytest.mark.parametrize(
    ("token_decimals", "feed_decimals", "taken"),
    [(24, 18, True), (0, 6, True), (25, 8, False), (18, 5, False), (18, 19, False)],
)
def test_token__decimals(world: World, token_decimals: int, feed_decimals: int, taken: bool) -> None:
    setup = token_setup(
        world, load("mocks/Token.vy", "T", "T", token_decimals), load("mocks/Feed.vy", feed_decimals, "T")
    )
    if taken:
        vault_of(world, [setup])
    else:
        with reverts("registry: decimals"):
            vault_of(world, [setup])


def test_token__twice__is_refused(world: World) -> None:
    with reverts("registry: listed"):
        vault_of(world, [token_setup(world), token_setup(world)])


def test_token__without_code_or_feed_without_code__is_refused(world: World) -> None:
    good = token_setup(world)
    for bad, reason in (
        ((NOBODY, *good[1:]), "registry: listed"),  # nobody stands in every free place
        ((world.stranger, *good[1:]), None),
        ((good[0], world.stranger, *good[2:]), None),
    ):
        with reverts(reason):
            vault_of(world, [bad])


def test_token__ninth__is_refused(world: World) -> None:
    setups = [token_setup(world, load("mocks/Token.vy", "T", "T", 18)) for _ in range(9)]
    vault = vault_of(world, setups[:8])
    vault = charter_of(vault)
    vault.add_token(setups[8], sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    with reverts("registry: full"):
        vault.add_token(setups[8], sender=world.owner)
    assert len(vault.tokens()) == 8


def test_token__added_later__counts(world: World) -> None:
    token = load("mocks/Token.vy", "T", "T", 6)
    token.mint(world.vault.address, 5_000_000)
    before = world.nav()
    for _ in range(2):
        world.charter.add_token(token_setup(world, token, world.feeds[USD]), sender=world.owner)
        boa.env.time_travel(seconds=DAY_S)
        world.refresh()
    world.execute(world.swap(V3_USD_ETH, USD, 10**6))
    assert world.event("Executed")["nav_before"] == before + 5 * 10**18
    assert len(world.vault.preview_mint(10**18)) == 4


# ------------------------------------------------------------------ pools


def both_tokens(world: World) -> list[Any]:
    return [token_setup(world, world.tokens[index], world.feeds[index]) for index in (USD, ETH)]


@pytest.mark.parametrize(
    ("index", "kind", "fee", "window", "reason"),
    [
        (V2_USD_ETH, 2, 100_001, 0, "registry: fee"),
        (V2_USD_ETH, 2, 3_000, 1, "registry: window"),
        (V3_USD_ETH, 3, 0, 86_401, "registry: window"),
        (V3_USD_ETH, 1, 0, 0, "registry: kind"),
        (V3_USD_ETH, 4, 0, 0, "registry: kind"),
    ],
)
def test_pool__bad_setup__is_refused(world: World, index: int, kind: int, fee: int, window: int, reason: str) -> None:
    with reverts(reason):
        vault_of(world, both_tokens(world), [(world.pools[index].address, kind, fee, window)])


def test_pool__order_of_tokens_and_v3_fee_are_read_from_the_pool(world: World) -> None:
    pools = [(world.pools[V3_USD_ETH].address, 3, 77, 86_400), (world.pools[V2_USD_ETH].address, 2, 100_000, 0)]
    for tokens in (both_tokens(world), both_tokens(world)[::-1]):
        vault = charter_of(vault_of(world, tokens, pools))
        assert vault.pool_info(0)[2] == 500  # not what the caller said
        assert vault.pool_info(1)[2] == 100_000


def test_pool__of_a_token_that_is_not_listed__is_refused(world: World) -> None:
    for tokens in (both_tokens(world)[:1], both_tokens(world)[1:]):
        with reverts("registry: no token"):
            vault_of(world, tokens, [(world.pools[V3_USD_ETH].address, 3, 0, 0)])


def test_pool__twice_or_listed_as_a_token__is_refused(world: World) -> None:
    """A pair that were also a token would count its LP tokens twice."""
    pair = (world.pools[V2_USD_ETH].address, 2, 3_000, 0)
    with reverts("registry: listed"):
        vault_of(world, both_tokens(world), [pair, pair])
    as_token = token_setup_of(world.pools[V2_USD_ETH], world.feeds[USD])
    world.charter.add_token(as_token, sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    with reverts("registry: listed"):
        world.charter.add_token(as_token, sender=world.owner)


def test_pool__seventeenth__is_refused(world: World) -> None:
    pools = []
    for _ in range(17):
        factory = published("UniswapV2Factory", NOBODY)
        pair = UNISWAP.at(factory.createPair(world.tokens[USD].address, world.tokens[ETH].address))
        pools.append((pair.address, 2, 3_000, 0))
    vault = vault_of(world, both_tokens(world), pools[:16])
    vault = charter_of(vault)
    vault.add_pool(pools[16], sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    with reverts("registry: full"):
        vault.add_pool(pools[16], sender=world.owner)
    assert len(vault.pools()) == 16


# ------------------------------------------------------------------ a vault and its charter


def test_vault__is_bound_to_the_charter_it_was_told__and_no_other_can_write(world: World) -> None:
    """A charter at another address is refused by the vault, whoever deploys it."""
    arguments = (world.owner, world.keeper, world.guardian, DAY_S, [], [], LIMITS)
    with reverts("vault: charter"):
        deploy_charter(world.vault, *arguments)
    with reverts(None):  # nor is there a vault where none was deployed
        deploy_charter(type("At", (), {"address": world.stranger}), *arguments)


@pytest.mark.parametrize("place", [*range(38), 38, 2**256 - 1])
def test_write__from_anybody_but_the_charter__reverts(world: World, place: int) -> None:
    before = world.words()
    for who in (world.owner, world.keeper, world.guardian, world.stranger, world.vault.address):
        with reverts("vault: charter"):
            world.vault.write(place, 1, sender=who)
    assert world.words() == before


def test_write__beyond_the_places__reverts_for_the_charter_too(world: World) -> None:
    for place in (38, 2**256 - 1):
        with reverts(None):
            world.vault.write(place, 1, sender=world.charter.address)


@pytest.mark.parametrize("place", range(38))
def test_setting__is_the_word_at_its_place(world: World, place: int) -> None:
    assert world.vault.setting(place) == world.words().words[place]


def test_setting__beyond_the_places__reverts(world: World) -> None:
    with reverts(None):
        world.vault.setting(38)
