"""Hot keys, callers' contracts, callbacks and allowances: who may make the house pay."""

from itertools import product
from typing import Any

import boa
import pytest

from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.museum.purse import fund, thief_at, twin
from tests.contracts.vault import doors, hooked
from tests.contracts.vault.world import ETH, SWAP, USD, World, action, reverts, vault_source, whole, worth_in_money

POT = [whole(USD, 500_000), whole(ETH, 100), 0]
POT_MONEY = worth_in_money(USD, POT[USD]) + worth_in_money(ETH, POT[ETH])
LATER = 2**255


def fill(world: World, house: Any) -> Any:
    for token, amount in zip(world.tokens, POT, strict=True):
        token.mint(house.address, amount)
    return house


def try_every_door(
    house: Any, abi: list[dict[str, Any]], sender: str, addresses: list[str], amounts: list[int], payload: bytes = b""
) -> int:
    """Call every function, with every choice of the addresses and amounts; how many let the caller in."""
    opened = 0
    for entry in doors.functions(abi):
        for chosen in product(addresses, repeat=doors.addresses_in(entry)):
            for amount in amounts:
                data = doors.call(entry, chosen, 3, amount, payload)
                opened += not boa.env.execute_code(house.address, sender=sender, data=data).is_error
    return opened


# ------------------------------------------------------------------ Visor, June 2021: the hot key


def hot_key(world: World, house: Any, abi: list[dict[str, Any]]) -> None:
    """The key that rebalances is stolen. The thief tries all that it may call, with himself in every place."""
    addresses = [world.stranger, *(token.address for token in world.tokens[:2])]
    assert try_every_door(house, abi, world.keeper, addresses, [POT[ETH], POT[USD]]) > 0


def test_hot_key__twin__loses_everything(world: World) -> None:
    house = fill(world, twin("HotKey", world.keeper))
    thief = thief_at(world, house, world.keeper)
    assert thief.gain(lambda: hot_key(world, house, house.abi)) == POT_MONEY


def test_hot_key__vault__pays_nothing(world: World) -> None:
    thief, before = thief_at(world, world.vault, world.keeper), world.balances(world.vault.address)
    assert thief.gain(lambda: hot_key(world, world.vault, vault_source()["abi"])) == 0
    assert world.balances(world.vault.address) == before
    assert world.vault.balanceOf(world.stranger) == world.vault.balanceOf(world.keeper) == 0


# ------------------------------------------------------------------ Visor, December 2021: the caller's contract


def false_payer(world: World, house: Any, burglar: Any) -> None:
    """A contract mints, and when the house asks it for the tokens it just says yes. Then it redeems."""
    shares = 9 * house.totalSupply()
    call = encode_call("mint(uint256,uint256[],address,uint256)", shares, [LATER] * 3, world.stranger, LATER)
    burglar.act(house.address, call)
    house.redeem(shares, [0, 0, 0], world.stranger, LATER, sender=world.stranger)


def test_false_payer__twin__loses_nine_tenths(world: World) -> None:
    house = twin("TrustsPayer", world.tokens[USD].address)
    fund(world, house, world.alice, USD, POT[USD])
    house.mint(10**18, POT, world.alice, LATER, sender=world.alice)
    thief, burglar = thief_at(world, house), twin("Burglar")
    stolen = thief.gain(lambda: false_payer(world, house, burglar))
    assert stolen == worth_in_money(USD, POT[USD]) * 9 // 10


def test_false_payer__vault__token_allowance(world: World) -> None:
    thief, burglar = thief_at(world, world.vault), twin("Burglar")
    with reverts("token: allowance"):
        false_payer(world, world.vault, burglar)
    assert world.vault.balanceOf(thief.address) == world.vault.balanceOf(burglar.address) == 0


# ------------------------------------------------------------------ Dexible, Socket, LiFi: any call


def any_call(world: World, house: Any, abi: list[dict[str, Any]]) -> None:
    """People let the house take their tokens. The thief asks it to call the token: from them, to him."""
    amount = world.tokens[USD].balanceOf(world.alice)
    payload = encode_call("transferFrom(address,address,uint256)", world.alice, world.stranger, amount)
    addresses = [world.alice, world.stranger, world.tokens[USD].address]
    assert try_every_door(house, abi, world.stranger, addresses, [amount], payload) > 0


def test_any_call__twin__loses_every_allowance(world: World) -> None:
    house = twin("AnyCall")
    fund(world, house, world.alice, USD, POT[USD])
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: any_call(world, house, house.abi))
    assert stolen == worth_in_money(USD, POT[USD])
    assert world.tokens[USD].balanceOf(world.alice) == 0


def test_any_call__vault__spends_no_allowance(world: World) -> None:
    fund(world, world.vault, world.alice, USD, POT[USD])
    assert world.tokens[USD].allowance(world.alice, world.vault.address) > POT[USD]
    thief = thief_at(world, world.vault)
    assert thief.gain(lambda: any_call(world, world.vault, vault_source()["abi"])) <= 0  # he could mint
    assert world.tokens[USD].balanceOf(world.alice) == POT[USD]


# ------------------------------------------------------------------ Sorbet, December 2021: a spoofed callback


def mint_callback(house: Any, thief: str, amounts: tuple[int, int]) -> None:
    """The thief calls what only a pool should call."""
    house.uniswapV3MintCallback(*amounts, b"", sender=thief)


def swap_callback(house: Any, thief: str, amounts: tuple[int, int]) -> None:
    house.uniswapV3SwapCallback(*amounts, b"", sender=thief)


@pytest.mark.parametrize("callback", [mint_callback, swap_callback])
def test_spoofed_callback__twin__loses_everything(world: World, callback: Any) -> None:
    house = fill(world, twin("OpenCallback", world.tokens[USD].address, world.tokens[ETH].address))
    thief = thief_at(world, house)
    assert thief.gain(lambda: callback(house, thief.address, tuple(POT[:2]))) == POT_MONEY


@pytest.mark.parametrize("callback", [mint_callback, swap_callback])
def test_spoofed_callback__vault__venue_not_opened(world: World, callback: Any) -> None:
    thief = thief_at(world, world.vault)
    with reverts("venue: not opened"):
        callback(world.vault, thief.address, tuple(POT[:2]))


# ------------------------------------------------------------------ Sushi, April 2023: a pool nobody registered


def own_pool(house: Any, fake: Any, amounts: tuple[int, int], route: Any) -> None:
    """The thief brings a pool of his own. When the house comes to trade there, it asks for everything."""
    fake.set_ask(*amounts, 1)
    route(house, fake)


def test_own_pool__twin__loses_everything(world: World) -> None:
    tokens = world.tokens[USD].address, world.tokens[ETH].address
    house, fake = fill(world, twin("AnyPool", *tokens)), load("mocks/GreedyPool.vy", *tokens)
    thief = thief_at(world, house, fake.address)
    amounts = (POT[USD], POT[ETH])
    assert thief.gain(lambda: own_pool(house, fake, amounts, lambda house, fake: house.swap(fake.address))) == POT_MONEY


@pytest.mark.parametrize("pool", [3, 255])
def test_own_pool__vault__registry_no_pool(world: World, pool: int) -> None:
    """Even with the keeper's key: a pool is named by its place in the register, and there is no place for his."""
    fake = load("mocks/GreedyPool.vy", world.tokens[USD].address, world.tokens[ETH].address)
    with reverts("registry: no pool"):
        own_pool(world.vault, fake, (1, 1), lambda *_: world.execute(action(SWAP, pool, 1, 0, (1, 0))))
    with reverts("venue: not opened"):
        own_pool(world.vault, fake, (1, 1), lambda house, fake: fake.ask_out_of_turn(house.address))


def test_own_pool__vault_in_the_middle_of_a_swap__venue_not_opened(world: World) -> None:
    """And while a registered pool may ask: a token of that swap lets the thief's pool ask in its place."""
    scene = hooked.build(world, vault_source)
    token = scene.mocks["token"][0]
    fake = load("mocks/GreedyPool.vy", *(contract.address for contract in scene.mocks["token"]))
    ask = encode_call("ask_out_of_turn(address)", scene.vault.address)
    token.program(fake.address, [ask], 1, hooked.GAS_EACH)
    own_pool(scene.vault, fake, (1, 1), lambda *_: hooked.execute(scene))
    assert token.reason().endswith(b"venue: not opened".ljust(32, b"\0"))
    assert token.succeeded() == 0
    assert [contract.balanceOf(fake.address) for contract in scene.mocks["token"]] == [0, 0]
