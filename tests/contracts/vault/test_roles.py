"""Owner, keeper, guardian, and changes that must be asked for twice."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from eth_utils import keccak

from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.vault.test_mint import empty_vault
from tests.contracts.vault.world import (
    ANYTHING,
    BTC,
    DAY_S,
    ETH,
    HOUR_S,
    LIMITS,
    LOCKED,
    NOBODY,
    ONE,
    UNISWAP,
    USD,
    V3_USD_ETH,
    World,
    charter_of,
    deploy_vault,
    published,
    reverts,
    token_setup,
    whole,
    world_of,
)

OPEN_S = 14 * DAY_S
WIDER = (101, *LIMITS[1:])


def change_id(signature: str, *arguments: object) -> bytes:
    """How a change is known: the hash of the call."""
    return keccak(encode_call(signature, *arguments))


# ------------------------------------------------------------------ who may do what

OWNERS: dict[str, Callable[[Any, str], object]] = {
    "transfer_ownership": lambda charter, who: charter.transfer_ownership(who, sender=who),
    "set_keeper": lambda charter, who: charter.set_keeper(who, sender=who),
    "set_guardian": lambda charter, who: charter.set_guardian(who, sender=who),
    "unpause": lambda charter, who: charter.unpause(sender=who),
    "set_limits, narrower": lambda charter, who: charter.set_limits((0, 0, 0, 0, 60), sender=who),
    "set_limits, wider": lambda charter, who: charter.set_limits(WIDER, sender=who),
    "set_corridor, narrower": lambda charter, who: charter.set_corridor(0, 1, 9_999, sender=who),
    "set_feed, younger": lambda charter, who: charter.set_feed(0, charter.token_info(0)[1], 1, *ANYTHING, sender=who),
    "add_token": lambda charter, who: charter.add_token((who, who, 1, 0, 2, 0, 0), sender=who),
    "set_fee, higher": lambda charter, who: charter.set_fee(who, 1, sender=who),
    "set_fee, as it is": lambda charter, who: charter.set_fee(who, 0, sender=who),
    "add_pool": lambda charter, who: charter.add_pool((who, 3, 0, 0), sender=who),
}


@pytest.mark.parametrize("act", OWNERS)
def test_owner_call__from_anybody_else__reverts(world: World, act: str) -> None:
    for who in (world.keeper, world.guardian, world.alice, world.stranger):
        with reverts("roles: owner"):
            OWNERS[act](world.charter, who)
    OWNERS[act](world.charter, world.owner)


def test_owner__has_no_call_that_moves_funds(world: World) -> None:
    """Every call of the owner's, one after the other, leaves all balances as they were."""
    before = world.balances(world.vault.address)
    for act in OWNERS.values():
        act(world.charter, world.owner)
    assert world.balances(world.vault.address) == before


def test_ownership__changes_hands_in_two_steps(world: World) -> None:
    charter = world.charter
    charter.transfer_ownership(world.bob, sender=world.owner)
    assert (charter.owner(), charter.pending_owner()) == (world.owner, world.bob)
    for who in (world.owner, world.stranger):
        with reverts("roles: pending owner"):
            charter.accept_ownership(sender=who)
    charter.accept_ownership(sender=world.bob)
    assert (charter.owner(), charter.pending_owner()) == (world.bob, NOBODY)
    with reverts("roles: owner"):
        charter.set_keeper(world.owner, sender=world.owner)
    with reverts("roles: pending owner"):
        charter.accept_ownership(sender=world.bob)


def test_ownership__offer_is_taken_back(world: World) -> None:
    world.charter.transfer_ownership(world.bob, sender=world.owner)
    world.charter.transfer_ownership(NOBODY, sender=world.owner)
    with reverts("roles: pending owner"):
        world.charter.accept_ownership(sender=world.bob)


def test_set_keeper__acts_at_once_and_keeps_the_pause(world: World) -> None:
    bundle = world.swap(V3_USD_ETH, USD, whole(USD, 10))
    world.charter.pause(sender=world.guardian)
    world.charter.set_keeper(world.bob, sender=world.owner)
    assert world.charter.keeper() == world.bob
    with reverts("vault: paused"):
        world.execute(bundle, sender=world.bob)
    world.charter.unpause(sender=world.owner)
    with reverts("roles: keeper"):
        world.execute(bundle)
    world.execute(bundle, sender=world.bob)


def test_pause__by_guardian_or_owner_and_nobody_else(world: World) -> None:
    for who in (world.keeper, world.alice, world.stranger):
        with reverts("roles: guardian"):
            world.charter.pause(sender=who)
    for who in (world.guardian, world.owner):
        world.charter.pause(sender=who)
        assert world.charter.paused()
        with reverts("roles: owner"):
            world.charter.unpause(sender=world.guardian)
        world.charter.unpause(sender=world.owner)
        assert not world.charter.paused()


def test_events__tell_of_every_change_of_role(world: World) -> None:
    charter, bob = world.charter, world.bob
    charter.set_keeper(bob, sender=world.owner)
    assert world.event("KeeperSet") == {"keeper": bob.lower()}
    charter.transfer_ownership(bob, sender=world.owner)
    assert world.event("OwnershipOffered") == {"owner": world.owner.lower(), "pending_owner": bob.lower()}
    charter.accept_ownership(sender=bob)
    assert world.event("OwnershipTaken") == {"owner": bob.lower()}
    charter.pause(sender=world.guardian)
    assert world.event("Paused") == {"by": world.guardian.lower()}
    charter.unpause(sender=bob)
    assert world.event("Unpaused") == {"by": bob.lower()}


# ------------------------------------------------------------------ asked twice


def widenings(world: World) -> dict[str, tuple[str, tuple[Any, ...], Callable[[], Any]]]:
    """Signature, arguments, and what shows that it was applied; as of now it must not be."""
    charter = world.charter
    token = load("mocks/Token.vy", "T", "T", 18)
    feed = load("mocks/Feed.vy", 8, "T")
    limits = "set_limits((uint256,uint256,uint256,uint256,uint256))"
    wider = [tuple(now + (1 if k != 4 else -1) * (k == index) for k, now in enumerate(LIMITS)) for index in range(5)]
    return {
        **{f"limit {k}": (limits, (wider[k],), lambda k=k: tuple(charter.limits()) == wider[k]) for k in range(5)},
        "guardian": ("set_guardian(address)", (world.bob,), lambda: charter.guardian() == world.bob),
        "corridor down": (
            "set_corridor(uint256,uint256,uint256)",
            (USD, 999, 9_000),
            lambda: list(charter.token_info(USD)[5:]) == [999, 9_000],
        ),
        "corridor up": (
            "set_corridor(uint256,uint256,uint256)",
            (USD, 1_000, 9_001),
            lambda: list(charter.token_info(USD)[5:]) == [1_000, 9_001],
        ),
        "feed": (
            "set_feed(uint256,address,uint256,uint256,uint256)",
            (ETH, feed.address, HOUR_S, *ANYTHING),
            lambda: charter.token_info(ETH)[1] == feed.address,
        ),
        "older feed": (
            "set_feed(uint256,address,uint256,uint256,uint256)",
            (ETH, world.feeds[ETH].address, HOUR_S + 1, *ANYTHING),
            lambda: charter.token_info(ETH)[2] == HOUR_S + 1,
        ),
        "feed's least answer": (
            "set_feed(uint256,address,uint256,uint256,uint256)",
            (ETH, world.feeds[ETH].address, HOUR_S, 999, 2**100),
            lambda: list(charter.token_info(ETH)[3:5]) == [999, 2**100],
        ),
        "feed's most answer": (
            "set_feed(uint256,address,uint256,uint256,uint256)",
            (ETH, world.feeds[ETH].address, HOUR_S, 1_000, 2**101),
            lambda: list(charter.token_info(ETH)[3:5]) == [1_000, 2**101],
        ),
        "fee": ("set_fee(address,uint256)", (world.bob, 1), lambda: tuple(charter.fee()) == (world.bob, 1)),
        "token": (
            "add_token((address,address,uint256,uint256,uint256,uint256,uint256))",
            (token_setup(token, feed),),
            lambda: token.address in charter.tokens(),
        ),
        "pool": (
            "add_pool((address,uint256,uint256,uint256))",
            ((_fresh_pair(world), 2, 3_000, 0),),
            lambda: len(charter.pools()) == 4,
        ),
    }


def _fresh_pair(world: World) -> str:
    factory = published("UniswapV2Factory", NOBODY)
    return str(UNISWAP.at(factory.createPair(world.tokens[USD].address, world.tokens[BTC].address)).address)


NAMES = [f"limit {k}" for k in range(5)] + [
    "guardian",
    "corridor down",
    "corridor up",
    "feed",
    "older feed",
    "feed's least answer",
    "feed's most answer",
    "fee",
    "token",
    "pool",
]


@pytest.fixture
def asked(world: World, request: pytest.FixtureRequest) -> tuple[Callable[[], object], Callable[[], Any], bytes]:
    world.charter.set_corridor(USD, 1_000, 9_000, sender=world.owner)
    if "answer" in request.param:
        world.charter.set_feed(ETH, world.feeds[ETH].address, HOUR_S, 1_000, 2**100, sender=world.owner)
    signature, arguments, applied = widenings(world)[request.param]
    call = getattr(world.charter, signature.partition("(")[0])
    return lambda: call(*arguments, sender=world.owner), applied, change_id(signature, *arguments)


@pytest.mark.parametrize("asked", NAMES, indirect=True)
def test_widening__waits_out_the_delay(world: World, asked: Any) -> None:
    call, applied, change = asked
    call()
    assert world.event("Asked") == {"change": change, "ready_at": world.now + DAY_S}
    assert not applied()
    boa.env.time_travel(seconds=DAY_S - 1)
    with reverts("roles: wait"):
        call()
    boa.env.time_travel(seconds=1)
    call()
    assert applied()
    assert world.charter.ready_at(change) == 0


@pytest.mark.parametrize("asked", ["limit 0", "guardian", "pool"], indirect=True)
def test_widening__is_open_for_a_fortnight_then_must_be_asked_again(world: World, asked: Any) -> None:
    call, applied, change = asked
    call()
    boa.env.time_travel(seconds=DAY_S + OPEN_S)
    with boa.env.anchor():
        call()
        assert applied()
    boa.env.time_travel(seconds=1)
    call()
    assert not applied()
    assert world.charter.ready_at(change) == world.now + DAY_S


@pytest.mark.parametrize("who", ["guardian", "owner"])
@pytest.mark.parametrize("asked", ["limit 0", "guardian", "token"], indirect=True)
def test_revoke__forgets_a_change(world: World, asked: Any, who: str) -> None:
    call, applied, change = asked
    call()
    for other in (world.keeper, world.stranger):
        with reverts("roles: guardian"):
            world.charter.revoke(change, sender=other)
    boa.env.time_travel(seconds=DAY_S)
    world.charter.revoke(change, sender=getattr(world, who))
    assert world.event("Revoked") == {"change": change}
    call()  # asks anew
    assert not applied()
    with reverts("roles: wait"):
        call()


def test_revoke__nothing_asked__reverts(world: World) -> None:
    with reverts("roles: not asked"):
        world.charter.revoke(b"\x01" * 32, sender=world.guardian)


def test_widening__each_time_is_asked_for_anew(world: World) -> None:
    world.charter.set_limits(WIDER, sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    world.charter.set_limits(WIDER, sender=world.owner)
    world.charter.set_limits(LIMITS, sender=world.owner)  # narrower again, at once
    world.charter.set_limits(WIDER, sender=world.owner)
    assert tuple(world.charter.limits()) == LIMITS


def test_widening__other_arguments_are_another_change(world: World) -> None:
    world.charter.set_limits(WIDER, sender=world.owner)
    boa.env.time_travel(seconds=DAY_S)
    world.charter.set_limits((102, *LIMITS[1:]), sender=world.owner)
    assert tuple(world.charter.limits()) == LIMITS


def test_narrowing__acts_at_once(world: World) -> None:
    charter, feed = world.charter, world.feeds[USD].address
    narrower = (99, 199, 9_999, 199, 61)
    charter.set_limits(narrower, sender=world.owner)
    charter.set_corridor(USD, 100, 9_900, sender=world.owner)
    charter.set_feed(USD, feed, HOUR_S - 1, 1_000, 2**100, sender=world.owner)
    assert tuple(charter.limits()) == narrower
    assert tuple(charter.token_info(USD)) == (world.tokens[USD].address, feed, HOUR_S - 1, 1_000, 2**100, 100, 9_900)


# ------------------------------------------------------------------ ceilings and floors in code


@pytest.mark.parametrize(("index", "ceiling"), [(0, 200), (1, 500), (2, 200_000), (3, 500), (4, 604_800)])
def test_limits__above_the_ceiling_in_code__are_refused_even_when_asked_twice(
    world: World, index: int, ceiling: int
) -> None:
    at, above = (
        tuple(value if k == index else now for k, now in enumerate(LIMITS)) for value in (ceiling, ceiling + 1)
    )
    for limits, refused in ((above, True), (at, False)):
        if index != 4:  # a longer cool-down narrows
            world.charter.set_limits(limits, sender=world.owner)
            boa.env.time_travel(seconds=DAY_S)
        if refused:
            with reverts("limits: ceiling"):
                world.charter.set_limits(limits, sender=world.owner)
        else:
            world.charter.set_limits(limits, sender=world.owner)
    assert tuple(world.charter.limits()) == at


@pytest.mark.parametrize("delay_s", [0, 3_599, 2_592_001])
def test_delay__outside_its_bounds__no_vault(world: World, delay_s: int) -> None:
    arguments = ("V", "V", world.owner, world.keeper, world.guardian)
    with reverts("roles: delay"):
        deploy_vault(*arguments, delay_s, [], [], LIMITS)
    nearest = min(max(delay_s, 3_600), 2_592_000)
    assert charter_of(deploy_vault(*arguments, nearest, [], [], LIMITS)).delay_s() == nearest


def test_owner__nobody__no_vault(world: World) -> None:
    with reverts("roles: owner"):
        deploy_vault("V", "V", NOBODY, world.keeper, world.guardian, DAY_S, [], [], LIMITS)


def test_limits__above_a_ceiling__no_vault(world: World) -> None:
    with reverts("limits: ceiling"):
        deploy_vault("V", "V", world.owner, world.keeper, world.guardian, DAY_S, [], [], (201, *LIMITS[1:]))


def test_pause__does_not_hold_redeemers(world: World) -> None:
    world.charter.pause(sender=world.guardian)
    assert world.redeem(world.alice, ONE)[USD] > 0


def test_empty_vault__says_zero(world: World) -> None:
    vault = empty_vault(world)
    world.refresh()
    empty = world_of(world, vault)
    assert (empty.holdings(), empty.nav(), vault.totalSupply()) == ([0, 0, 0], 0, LOCKED)
    assert vault.preview_mint(1) == [0, 0, 0]
