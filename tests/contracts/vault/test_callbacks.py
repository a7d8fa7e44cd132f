"""Callbacks: only the pool being called, only up to what was opened; and one lock on everything else."""

from typing import Any

import boa
import pytest

from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.vault.words import state_of
from tests.contracts.vault.world import (
    DAY_S,
    ETH,
    LIMITS,
    SWAP,
    UNISWAP,
    USD,
    World,
    action,
    charter_of,
    deploy_vault,
    other_vault,
    published,
    reverts,
    sqrt_price,
    token_setup,
    worth,
)

LIAR = """
# pragma version 0.4.3
# A pool that asks for what it was told to ask, as often as it was told, and may call into the vault first.
interface Vault:
    def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]): nonpayable
    def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]): nonpayable
struct Slot0:
    sqrt_price: uint160
    tick: int24
    newest: uint256
    cardinality: uint256
token0: public(address)
token1: public(address)
fee: public(constant(uint256)) = 500
slot0: public(Slot0)
asks: public(DynArray[int256[2], 4])
call: Bytes[1024]
through: address
silent: bool
@deploy
def __init__(token0: address, token1: address, sqrt_price: uint160):
    self.token0 = token0
    self.token1 = token1
    self.slot0 = Slot0(sqrt_price=sqrt_price, tick=0, newest=0, cardinality=1)
@external
def set_asks(asks: DynArray[int256[2], 4]):
    self.asks = asks
@external
def set_call(through: address, data: Bytes[1024]):
    self.through = through
    self.call = data
@external
def set_silent():
    self.silent = True
@external
def swap(recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]) -> (int256, int256):
    if self.through != empty(address):
        raw_call(self.through, self.call)
    if self.silent:
        return self.asks[0][0], self.asks[0][1]
    for ask: int256[2] in self.asks:
        extcall Vault(msg.sender).uniswapV3SwapCallback(ask[0], ask[1], b"")
    return self.asks[0][0], self.asks[0][1]
@external
def mint(recipient: address, lower: int24, upper: int24, liquidity: uint128, data: Bytes[1]) -> (uint256, uint256):
    for ask: int256[2] in self.asks:
        extcall Vault(msg.sender).uniswapV3MintCallback(convert(ask[0], uint256), convert(ask[1], uint256), b"")
    return 0, 0
@external
def act(target: address, data: Bytes[1024]):
    raw_call(target, data)
"""


def liar(world: World) -> tuple[Any, list[Any]]:
    """A vault that lists two lying pools, and they."""
    sides = world.sides[0]
    pools = [boa.loads(LIAR, *(world.tokens[side].address for side in sides), sqrt_price(*sides)) for _ in range(2)]
    vault = other_vault(world, [(pool.address, 3, 0, 0) for pool in pools])
    boa.env.time_travel(seconds=LIMITS[-1])
    return vault, pools


def sell(world: World, vault: Any, pool: int = 0, token: int = USD) -> None:
    token0_in = int(world.sides[0][0] == token)
    bundle = action(SWAP, pool, worth(token, 100), 0, (token0_in, 0))
    sequence = state_of(vault, world.now).sequence
    vault.execute([bundle], [], sequence, world.deadline, sender=world.keeper)


def asks(world: World, *money: tuple[float, float]) -> list[tuple[int, int]]:
    """(USD, ETH) worth so much, in the pools' order."""
    return [tuple(worth(side, (usd, eth)[side]) for side in world.sides[0]) for usd, eth in money]


def test_callback__from_a_stranger__reverts(world: World) -> None:
    for who in (world.stranger, world.keeper, world.owner, world.pools[0].address):
        with reverts("venue: not opened"):
            world.vault.uniswapV3SwapCallback(1, 0, b"", sender=who)
        with reverts("venue: not opened"):
            world.vault.uniswapV3MintCallback(1, 0, b"", sender=who)


def test_callback__listed_pool_asks_out_of_turn__reverts(world: World) -> None:
    """A stranger's swap on a listed pool names the vault as nothing but the recipient."""
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, (100, 0)))
    data = encode_call("uniswapV3SwapCallback(int256,int256,bytes)", 1, 0, b"")
    with reverts("venue: not opened"):
        first.act(vault.address, data)
    sell(world, vault)
    with reverts("venue: not opened"):  # and not afterwards either
        first.act(vault.address, data)


@pytest.mark.parametrize(
    "money",
    [
        [(100.000001, 0)],  # one more than was sold
        [(0, 1)],  # the token that should come in
        [(100, 0.01)],  # both
    ],
)
def test_callback__beyond_what_was_opened__reverts(world: World, money: list[tuple[float, float]]) -> None:
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, *money))
    with reverts("venue: beyond opened"):
        sell(world, vault)
    first.set_asks(asks(world, (100, 0)))
    sell(world, vault)


def test_callback__twice_in_one_swap__reverts(world: World) -> None:
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, (50, 0), (50, 0)))
    with reverts("venue: not opened"):
        sell(world, vault)


def test_callback__of_a_mint__is_held_to_most(world: World) -> None:
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, (10, 10)))
    for most in ((10, 9.99), (9.99, 10)):
        ((most0, most1),) = asks(world, most)
        with reverts("venue: beyond opened"):
            vault.execute([action(3, 0, 1, most0 << 128 | most1, (0, 60))], [], 0, world.deadline, sender=world.keeper)


def test_callback__another_listed_pool_while_one_is_called__reverts(world: World) -> None:
    vault, (first, second) = liar(world)
    first.set_asks(asks(world, (100, 0)))
    first.set_silent()  # else its own request would be the second, and refused for that
    data = encode_call("uniswapV3SwapCallback(int256,int256,bytes)", *asks(world, (1, 0))[0], b"")
    first.set_call(second.address, encode_call("act(address,bytes)", vault.address, data))
    with reverts("venue: not opened"):
        sell(world, vault)


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("mint(uint256,uint256[],address,uint256)", [1, [0, 0, 0], "RECEIVER", 2**255]),
        ("redeem(uint256,uint256[],address,uint256)", [1, [0, 0, 0], "RECEIVER", 2**255]),
        ("claim(uint256,address)", [0, "RECEIVER"]),
        ("execute((uint256,uint256)[],uint256[],uint256,uint256)", [[], [], 0, 2**255]),
        ("transfer(address,uint256)", ["RECEIVER", 0]),
        ("approve(address,uint256)", ["RECEIVER", 0]),
        ("transferFrom(address,address,uint256)", ["RECEIVER", "RECEIVER", 0]),
        ("balanceOf(address)", ["RECEIVER"]),
        ("totalSupply()", []),
        ("preview_mint(uint256)", [1]),
        ("settings()", []),
        ("setting(uint256)", [0]),
        ("owed(uint256,address)", [0, "RECEIVER"]),
        ("owed_total(uint256)", [0]),
        ("write(uint256,uint256)", [0, 0]),
        ("allowance(address,address)", ["RECEIVER", "RECEIVER"]),
        ("nonces(address)", ["RECEIVER"]),
        ("DOMAIN_SEPARATOR()", []),
        (
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
            ["RECEIVER", "RECEIVER", 1, 2**255, 27, b"", b""],
        ),
    ],
)
def test_lock__call_from_inside_a_swap__reverts(world: World, signature: str, arguments: list[Any]) -> None:
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, (100, 0)))
    data = encode_call(signature, *(world.stranger if item == "RECEIVER" else item for item in arguments))
    first.set_call(vault.address, data)
    with reverts(None):
        sell(world, vault)
    first.set_call(world.tokens[USD].address, encode_call("balanceOf(address)", vault.address))
    sell(world, vault)


def test_lock__guardian_pauses_from_inside_a_swap__reverts(world: World) -> None:
    """The charter writes into the vault, and the vault's lock holds that up too."""
    sides = world.sides[0]
    pool = boa.loads(LIAR, *(world.tokens[side].address for side in sides), sqrt_price(*sides))
    vault = other_vault(world, [(pool.address, 3, 0, 0)], guardian=pool.address)
    boa.env.time_travel(seconds=LIMITS[-1])
    pool.set_asks(asks(world, (100, 0)))
    pause = encode_call("pause()")
    pool.set_call(vault.charter(), pause)
    with reverts(None):
        sell(world, vault)
    assert not charter_of(vault).paused()
    pool.act(vault.charter(), pause)
    assert charter_of(vault).paused()


def test_swap__pool_gives_less_than_it_says__the_floor_of_the_bundle_holds(world: World) -> None:
    vault, (first, _) = liar(world)
    given = asks(world, (100, 0))[0]
    first.set_asks([given])
    side = world.sides[0].index(USD)
    bundle = action(SWAP, 0, worth(USD, 100), 1, (1 - side, 0))
    with reverts("venue: least"):  # nothing came, and it says so
        vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)


def test_swap__of_a_whole_vault_into_a_lying_pool__is_stopped_by_the_loss_limit(world: World) -> None:
    vault, (first, _) = liar(world)
    first.set_asks(asks(world, (30_000, 0)))
    bundle = action(SWAP, 0, worth(USD, 30_000), 0, (1 - world.sides[0].index(USD), 0))
    with reverts("limits: bundle loss"):
        vault.execute([bundle], [], 0, world.deadline, sender=world.keeper)


HOOKED = """
# pragma version 0.4.3
# A token that calls somebody before every move, as ERC-777 does.
decimals: public(constant(uint256)) = 18
balanceOf: public(HashMap[address, uint256])
call: Bytes[1024]
target: address
succeeded: public(bool)
@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount
@external
def set_call(target: address, data: Bytes[1024]):
    self.target = target
    self.call = data
@internal
def _move(owner: address, to: address, amount: uint256):
    if self.target != empty(address):
        self.succeeded = raw_call(self.target, self.call, revert_on_failure=False)
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True
@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._move(owner, to, amount)
    return True
"""


def test_lock__token_that_calls_back_from_a_redemption__cannot_enter(world: World) -> None:
    token = boa.loads(HOOKED)
    feed = load("mocks/Feed.vy", 8, "H")
    setup = token_setup(token, feed)
    vault = deploy_vault("H", "H", world.owner, world.keeper, world.guardian, DAY_S, [setup], [], LIMITS)
    token.mint(world.bob, 10**20)
    vault.mint(10**18, [10**18], world.bob, world.deadline, sender=world.bob)
    for call in ("preview_mint(uint256)", "totalSupply()"):
        token.set_call(vault.address, encode_call(call, *([1] if "uint256" in call else [])))
        vault.redeem(10**12, [0], world.bob, world.deadline, sender=world.bob)
        assert not token.succeeded()
    token.set_call(token.address, encode_call("decimals()"))
    vault.redeem(10**12, [0], world.bob, world.deadline, sender=world.bob)
    assert token.succeeded()


def test_callback__pool_that_did_not_ask_in_its_turn__cannot_ask_later_in_the_bundle(world: World) -> None:
    token, feed = boa.loads(HOOKED), load("mocks/Feed.vy", 8, "H")
    eth = world.tokens[ETH]
    first = boa.loads(LIAR, token.address, eth.address, 2**96)
    factory = published("UniswapV2Factory", world.owner)
    pair = UNISWAP.at(factory.createPair(token.address, eth.address))
    people = (world.owner, world.keeper, world.guardian)
    tokens = [token_setup(item, feed) for item in (token, eth)]
    pools = [(first.address, 3, 0, 0), (pair.address, 2, 3_000, 0)]
    vault = deploy_vault("H", "H", *people, DAY_S, tokens, pools, LIMITS)
    for who in (vault.address, pair.address):
        for item in (token, eth):
            item.mint(who, 10**24)
    pair.mint(world.bob)
    boa.env.time_travel(seconds=LIMITS[-1])
    feed.set_answer(10**8, world.now)
    first.set_asks([(10**18, 0)])
    first.set_silent()
    ask = encode_call("uniswapV3SwapCallback(int256,int256,bytes)", 10**18, 0, b"")
    token.set_call(first.address, encode_call("act(address,bytes)", vault.address, ask))
    sell_on_pair = action(SWAP, 1, 10**18, 1, (int(pair.token0() == token.address), 0))
    vault.execute([action(SWAP, 0, 10**18, 0, (1, 0)), sell_on_pair], [], 0, world.deadline, sender=world.keeper)
    assert not token.succeeded()
    assert token.balanceOf(first.address) == 0


def test_execute__vault_that_holds_nothing__reverts(world: World) -> None:
    vault, (first, _) = liar(world)
    for token in world.tokens:
        token.burn(vault.address, token.balanceOf(vault.address))
    first.set_asks([(0, 0)])
    with reverts("vault: empty"):
        sell(world, vault)
