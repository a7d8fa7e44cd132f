"""Minting: in kind, rounded up, and nobody already in loses a wei."""

from math import ceil
from typing import Any

import boa
import pytest

from tests.contracts.market import load
from tests.contracts.vault.model import books, cost, payment
from tests.contracts.vault.world import (
    BTC,
    DAY_S,
    DECIMALS,
    ETH,
    LIMITS,
    LOCKED,
    NOBODY,
    ONE,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    deploy_vault,
    reverts,
    token_setup,
    whole,
    worth,
)

REFUSING = """
# pragma version 0.4.3
decimals: public(constant(uint256)) = 18
@external
@view
def balanceOf(owner: address) -> uint256:
    return 0
@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    return False
"""


def empty_vault(world: World, *tokens: Any) -> Any:
    """A vault before its first mint, with the world's tokens or others; no pools."""
    listed = tokens or world.tokens
    setups = [token_setup(token, world.feeds[0]) for token in listed]
    return deploy_vault("New", "NEW", world.owner, world.keeper, world.guardian, DAY_S, setups, [], LIMITS)


def with_positions(world: World) -> None:
    """Ranges in two pools and LP tokens; then trades, so that fees are due and spot is off the feeds."""
    world.execute(
        world.add_range(V3_USD_ETH, world.ticks_around(V3_USD_ETH), 2 * 10**15),
        world.add_range(V3_BTC_ETH, world.ticks_around(V3_BTC_ETH), 10**12),
        world.add_pair(60_000),
    )
    for zero_for_one in (True, False, True):
        for pool in (V3_USD_ETH, V3_BTC_ETH):
            world.provider.swap(
                world.pools[pool].address, zero_for_one, worth(world.sides[pool][not zero_for_one], 200_000)
            )


def test_locked_shares__are_there_from_the_start_and_for_ever(world: World) -> None:
    vault = empty_vault(world)
    assert vault.balanceOf(NOBODY) == vault.totalSupply() == LOCKED
    for amount in (1, LOCKED):
        with reverts("shares: balance"):
            vault.redeem(amount, [0, 0, 0], world.bob, world.deadline, sender=world.bob)


def test_first_mint__takes_the_amounts_whole_and_gives_all_the_shares(world: World) -> None:
    vault = empty_vault(world)
    amounts = [7, 8, 9]
    for token, amount in zip(world.tokens, amounts, strict=True):
        token.mint(world.bob, amount)
        token.approve(vault.address, amount, sender=world.bob)
    shares = LOCKED + 5
    assert vault.mint(shares, amounts, world.stranger, world.deadline, sender=world.bob) == amounts
    assert [token.balanceOf(vault.address) for token in world.tokens] == amounts
    assert (vault.totalSupply(), vault.balanceOf(world.stranger)) == (LOCKED + shares, shares)
    assert vault.balanceOf(NOBODY) == LOCKED


def test_first_mint__after_everybody_left__takes_the_amounts_whole_again(world: World) -> None:
    """What lies there then is dust of the locked shares: it must not set the proportions for whoever comes next."""
    vault = empty_vault(world)
    amounts = [7 * 10**6, 8 * 10**17, 9 * 10**6]
    for token in world.tokens:
        token.mint(world.bob, 10**19)
        token.approve(vault.address, 10**19, sender=world.bob)
    shares = 10**18
    vault.mint(shares, amounts, world.bob, world.deadline, sender=world.bob)
    vault.redeem(vault.balanceOf(world.bob), [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    assert vault.totalSupply() == LOCKED
    again = [amounts[2], amounts[1], 0]  # quite other proportions
    assert vault.mint(shares, again, world.bob, world.deadline, sender=world.bob) == again
    assert (vault.totalSupply(), vault.balanceOf(world.bob)) == (LOCKED + shares, shares)
    paid = vault.redeem(shares, [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    assert all(given * (1 - 10**-9) <= got <= given + 10**6 for given, got in zip(again, paid, strict=True))


def test_first_mint__no_more_than_the_locked_shares__reverts(world: World) -> None:
    vault = empty_vault(world)
    with reverts("vault: first shares"):
        vault.mint(LOCKED, [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    vault.mint(LOCKED + 1, [0, 0, 0], world.bob, world.deadline, sender=world.bob)


def test_mint__costs_the_ceiling_of_everything_held_fees_included(world: World) -> None:
    with_positions(world)
    supply, shares, due = world.vault.totalSupply(), 10**25 + 1, world.due()  # ten times over: a missing wei shows
    idle = world.balances(world.vault.address)
    with boa.env.anchor():
        world.settle()
        least = [ceil(amount * shares / supply) for amount in world.exact()]
    pieces = [sum(token in sides for sides in world.sides) for token in range(3)]
    taken = world.mint(world.bob, shares)
    for token in (USD, ETH, BTC):
        assert least[token] <= taken[token] <= least[token] + pieces[token] * shares // supply + 1
    assert world.balances(world.vault.address) == [a + b for a, b in zip(idle, taken, strict=True)]
    assert world.due() == due  # nothing was harvested
    assert world.vault.balanceOf(world.bob) == shares
    assert world.vault.totalSupply() == supply + shares


def test_mint__right_after_fees_grew__gives_nobodys_fees_away(world: World) -> None:
    """What is owed since the last touch is in no record yet: the model has the pool credit it, the vault counts it."""
    with_positions(world)
    before = books(world)
    with boa.env.anchor():
        world.settle()
        fees = [fee for due in world.due() for fee in due]
    assert min(fees) > 0
    assert not any(fee for due in world.due() for fee in due)
    shares = 3 * before.supply + 1
    assert world.mint(world.bob, shares) == cost(world, before, shares)
    after = books(world)
    for token in range(3):
        assert after.exact[token] * before.supply >= before.exact[token] * after.supply
    expected, _ = payment(world, after, shares)  # the fees' part too: three quarters are the newcomer's
    assert world.redeem(world.bob, shares) == expected


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("far", [False, True])
def test_mint__spot_inside_or_beyond_a_range__counts_what_settling_would_credit(
    world: World, zero_for_one: bool, far: bool
) -> None:
    with_positions(world)
    for pool in (V3_USD_ETH, V3_BTC_ETH):
        amount = worth(world.sides[pool][not zero_for_one], 15_000_000 if far else 300_000)
        world.provider.swap(world.pools[pool].address, zero_for_one, amount)
        lower, upper = next(ticks for index, ticks in world.ranges() if index == pool)
        assert (lower <= world.pools[pool].slot0()[1] < upper) != far
    supply = world.vault.totalSupply()
    expected = cost(world, books(world), supply)
    assert list(world.vault.preview_mint(supply)) == expected
    world.settle()
    assert list(world.vault.preview_mint(supply)) == expected


def test_preview_mint__is_what_minting_takes(world: World) -> None:
    with_positions(world)
    said = list(world.vault.preview_mint(777 * ONE))
    assert world.mint(world.bob, 777 * ONE) == said


def test_mint__above_most__reverts(world: World) -> None:
    asked = list(world.vault.preview_mint(ONE))
    for token in range(3):
        most = [amount - (index == token) for index, amount in enumerate(asked)]
        with reverts("vault: above most"):
            world.mint(world.bob, ONE, most=most)
    assert world.mint(world.bob, ONE, most=asked) == asked


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deadline": 1}, "vault: deadline"),
        ({"receiver": NOBODY}, "vault: receiver"),
        ({"most": [10**30] * 2}, "vault: amounts"),
        ({"most": [10**30] * 4}, "vault: amounts"),
    ],
)
def test_mint__bad_argument__reverts(world: World, changes: dict[str, Any], reason: str) -> None:
    with reverts(reason):
        world.mint(world.bob, ONE, **changes)


def test_mint__at_the_deadline__succeeds_and_a_second_later_reverts(world: World) -> None:
    last = world.now
    world.mint(world.bob, ONE, deadline=last)
    boa.env.time_travel(seconds=1)
    with reverts("vault: deadline"):
        world.mint(world.bob, ONE, deadline=last)


def test_mint__no_shares__reverts(world: World) -> None:
    with reverts("vault: no shares"):
        world.mint(world.bob, 0, cost=[1, 1, 1])


def test_mint__beyond_the_most_shares__reverts(world: World) -> None:
    left = 2**128 - 1 - world.vault.totalSupply()
    with reverts("vault: too many shares"):
        world.mint(world.bob, left + 1)
    world.mint(world.bob, left)
    assert world.redeem(world.bob, left)[ETH] > 0  # and so great a holding can leave


def test_mint__paused__reverts_until_unpaused(world: World) -> None:
    world.charter.pause(sender=world.guardian)
    with reverts("vault: paused"):
        world.mint(world.bob, ONE)
    world.charter.unpause(sender=world.owner)
    world.mint(world.bob, ONE)


def test_mint__feeds_dead__still_mints(world: World) -> None:
    for feed in world.feeds:
        feed.set_answer(-1, 0)
    assert world.mint(world.bob, ONE)[ETH] > 0


def test_mint__token_takes_a_fee_on_transfer__reverts(world: World) -> None:
    token = load("mocks/FeeToken.vy", "F", "F", 18)
    vault = empty_vault(world, token)
    token.mint(world.bob, 10**20)
    token.approve(vault.address, 10**20, sender=world.bob)
    vault.mint(10**18, [10**18], world.bob, world.deadline, sender=world.bob)
    token.set_fee(1)
    with reverts("vault: fee on transfer"):
        vault.mint(10**18, [10**18], world.bob, world.deadline, sender=world.bob)


def test_mint__token_answers_false__reverts(world: World) -> None:
    vault = empty_vault(world, boa.loads(REFUSING))
    with reverts("vault: transfer"):
        vault.mint(10**18, [1], world.bob, world.deadline, sender=world.bob)


def test_mint__without_allowance__reverts(world: World) -> None:
    asked = list(world.vault.preview_mint(ONE))
    with reverts("token: allowance"):
        world.vault.mint(ONE, asked, world.bob, world.deadline, sender=world.stranger)


def test_mint__says_that_shares_came_from_nobody_to_the_receiver(world: World) -> None:
    world.mint(world.bob, ONE, receiver=world.stranger)
    assert world.event("Transfer") == {"sender": NOBODY, "receiver": world.stranger.lower(), "value": ONE}


def test_mint__gift_of_a_token__raises_the_cost_and_hurts_nobody(world: World) -> None:
    fair = list(world.preview_redeem(world.vault.balanceOf(world.alice)))
    world.tokens[USD].mint(world.vault.address, whole(USD, 1_000_000))
    paid = world.mint(world.bob, 1_000 * ONE)
    back = world.redeem(world.bob, 1_000 * ONE)
    assert all(got <= given for got, given in zip(back, paid, strict=True))
    assert world.preview_redeem(world.vault.balanceOf(world.alice))[USD] > fair[USD] + whole(USD, 999_999)


def test_mint__gift_before_a_small_mint__cannot_round_a_victim_to_nothing(world: World) -> None:
    vault = empty_vault(world)
    for who, amount in ((world.alice, 1), (world.bob, 10**30)):
        world.tokens[ETH].mint(who, amount)
        world.tokens[ETH].approve(vault.address, amount, sender=who)
    vault.mint(LOCKED + 1, [0, 1, 0], world.alice, world.deadline, sender=world.alice)
    world.tokens[ETH].mint(vault.address, 10**24)
    shares = 10**7
    paid = vault.mint(shares, [0, 10**30, 0], world.bob, world.deadline, sender=world.bob)
    back = vault.redeem(shares, [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    assert paid[ETH] - 1 <= back[ETH] <= paid[ETH]


def test_mint__gift_to_a_pair_before_its_reserves_know__is_paid_for(world: World) -> None:
    with_positions(world)
    pair = world.pools[V2_USD_ETH]
    world.tokens[USD].mint(pair.address, whole(USD, 1_000_000))
    world.settle()
    before, supply = world.exact(), world.vault.totalSupply()
    world.mint(world.bob, 1_000 * ONE)
    after = world.exact()
    assert all(a * supply >= b * (supply + 1_000 * ONE) for a, b in zip(after, before, strict=True))


def test_decimals_of_the_world__are_six_eighteen_and_eight(world: World) -> None:
    assert tuple(token.decimals() for token in world.tokens) == DECIMALS
