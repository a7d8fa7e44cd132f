"""A burn of LP tokens that hands control to their receiver: nobody is told what the pair is worth in its middle."""

from typing import Any

import boa
import pytest

from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.vault.test_oracle import fair_pair
from tests.contracts.vault.world import ADD, DAY_S, LIMITS, ONE, World, action, both, deploy_vault, token_setup

EXECUTE = "execute((uint256,uint256)[],uint256[],uint256,uint256)"
AFTER_TRANSFER = 2  # place of the hook token
GAS = 5_000_000
LIQUIDITY = "0x" + "01" * 20  # holds the pair's LP tokens


@pytest.fixture
def house(world: World) -> tuple[Any, Any, Any]:
    """A vault with half of its money in a pair, the pair, and its token that calls back, which is also the keeper."""
    token, hook = load("mocks/Token.vy", "T", "T", 18), load("mocks/HookToken.vy", "H", "H", 18)
    ordered = sorted((token, hook), key=lambda each: int(each.address, 16))
    feeds = [load("mocks/Feed.vy", 8, "T") for _ in ordered]
    for feed in feeds:
        feed.set_answer(10**8, world.now)
    pair = fair_pair(ordered, [10**24] * 2)
    setups = [token_setup(each, feed) for each, feed in zip(ordered, feeds, strict=True)]
    people = (world.owner, hook.address, world.guardian)
    vault = deploy_vault("B", "B", *people, DAY_S, setups, [(pair.address, 2, 3_000, 0)], LIMITS)
    for each in ordered:
        each.mint(world.bob, 10**22)
        each.approve(vault.address, 10**22, sender=world.bob)
    vault.mint(10**22, [10**22] * 2, world.bob, world.deadline, sender=world.bob)
    boa.env.time_travel(seconds=DAY_S)
    for feed in feeds:
        feed.set_answer(10**8, world.now)
    hook.act(vault.address, bundle(world, vault, 10**20))
    boa.env.time_travel(seconds=LIMITS[-1])
    return vault, pair, hook


def bundle(world: World, vault: Any, amount: int) -> bytes:
    actions = [action(ADD, 0, 1, both(amount, amount))]
    return encode_call(EXECUTE, actions, [], vault.setting(34) % 2**26, world.deadline)


def burn_with(pair: Any, hook: Any, target: Any, data: bytes) -> str:
    """What came of a call from the middle of a burn of nine tenths of all LP tokens: "" or why it failed."""
    pair.transfer(pair.address, pair.totalSupply() * 9 // 10, sender=LIQUIDITY)
    hook.program(target.address, [data], AFTER_TRANSFER, GAS)
    pair.burn(LIQUIDITY, sender=LIQUIDITY)
    return "" if hook.succeeded() else hook.reason()[68:].rstrip(b"\0").decode()


def test_execute__from_the_middle_of_a_burn__is_refused(world: World, house: tuple[Any, Any, Any]) -> None:
    vault, pair, hook = house
    with boa.env.anchor():
        hook.act(vault.address, bundle(world, vault, 10**18))  # the same outside
    assert burn_with(pair, hook, vault, bundle(world, vault, 10**18)) == "oracle: pair"


@pytest.mark.parametrize("view", ["share_value", "nav"])
def test_lens__from_the_middle_of_a_burn__says_nothing(world: World, house: tuple[Any, Any, Any], view: str) -> None:
    vault, pair, hook = house
    lens = load("Lens.vy")
    data = encode_call(f"{view}(address)", vault.address)
    before = getattr(lens, view)(vault.address)
    with boa.env.anchor():
        assert burn_with(pair, hook, lens, data) == "oracle: pair"
    assert burn_with(pair, hook, lens, encode_call("positions(address)", vault.address)) == ""
    assert getattr(lens, view)(vault.address) == pytest.approx(before, rel=1e-3)


def test_redeem__from_the_middle_of_a_burn__pays_no_more_than_outside(
    world: World, house: tuple[Any, Any, Any]
) -> None:
    """In kind: what the pair is worth is nobody's question; the pair's own lock keeps its part out of reach."""
    vault, pair, hook = house
    vault.transfer(hook.address, ONE, sender=world.bob)
    data = encode_call("redeem(uint256,uint256[],address,uint256)", ONE, [0, 0], world.alice, world.deadline)
    assert burn_with(pair, hook, vault, data) == "UniswapV2: LOCKED"
