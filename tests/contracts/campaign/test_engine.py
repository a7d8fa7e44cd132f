"""The fast engine is a chain where campaigns rely on it, and books read from storage are what contracts say."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from eth_utils.crypto import keccak

from bot.chain.abi import selector
from tests.contracts.campaign.books import Books
from tests.contracts.campaign.calldata import calldata, word, words
from tests.contracts.campaign.engine import GENESIS_S, MOST_OPEN, Chain, Reverted
from tests.contracts.campaign.founding import found, open_positions
from tests.contracts.campaign.holder import Episode, Tally
from tests.contracts.campaign.world import NOBODY, USD, V2_USD_ETH, V3_USD_ETH, World, redeem_data

SOMEBODY = "0x" + "5e" * 20
COUNTER = bytes.fromhex(  # adds 1 to transient slot 0 and to slot 0, and answers both
    "601f600c600039601f6000f3" + "60005c6001018060005d600052" + "6000546001018060005560205260406000f3"
)

DIVER = bytes.fromhex(  # calls itself as deep as it is told
    "6026600c60003960266000f3" + "60003580156024576001900360005260006000602060006000305af1602457" + "60006000fd5b00"
)


@pytest.fixture(scope="module")
def _founded() -> World:
    return found()


@pytest.fixture
def world(_founded: World) -> Iterator[World]:
    with _founded.chain.undone():
        yield _founded


def test_call__many_in_a_block__keeps_storage_and_forgets_transient_storage() -> None:
    chain = Chain()
    counter = chain.deploy(COUNTER)
    assert [words(chain.call(SOMEBODY, counter, b"")) for _ in range(3)] == [[1, 1], [1, 2], [1, 3]]


def test_view__that_writes__is_refused() -> None:
    chain = Chain()
    counter = chain.deploy(COUNTER)
    with pytest.raises(Reverted, match="StateChangeDuringStaticCall"):
        chain.view(counter, b"")


def test_revert__to_a_snapshot__brings_back_state_and_time_and_uses_up_all_later_ones() -> None:
    chain = Chain()
    counter = chain.deploy(COUNTER)
    first = chain.snapshot()
    chain.call(SOMEBODY, counter, b"")
    chain.warp(100)
    second = chain.snapshot()
    assert (chain.time, chain.storage(counter, 0)) == (GENESIS_S + 100, 1)
    chain.revert(first)
    assert (chain.time, chain.storage(counter, 0)) == (GENESIS_S, 0)
    for used in (first, second):
        with pytest.raises(ValueError, match="used up"):
            chain.revert(used)
    assert words(chain.call(SOMEBODY, counter, b"")) == [1, 1]


def test_snapshots__left_open__cost_no_depth_once_an_earlier_one_is_reverted_to() -> None:
    chain = Chain()
    diver = chain.deploy(DIVER)
    for _ in range(3):
        first = chain.snapshot()
        for _ in range(MOST_OPEN - 1):
            chain.snapshot()
        with pytest.raises(ValueError, match="at most 900 snapshots"):
            chain.snapshot()
        chain.call(SOMEBODY, diver, word(100))
        chain.revert(first)


def test_call__refused__says_the_contracts_own_words(world: World) -> None:
    with pytest.raises(Reverted, match=r"^token: balance$"):
        world.chain.call(SOMEBODY, world.tokens[0], calldata("transfer(address,uint256)", world.owner, 1))


def test_books__after_a_campaign__are_what_the_contracts_answer(world: World) -> None:
    episode = Episode(world, "books", Tally())
    for _ in range(60):
        episode.attack()
    episode.life.align()
    books = episode.watch.reader.books()
    assert len(books.ranges) >= 3
    assert any(books.liquidity)
    assert books.supply == sum(map(world.shares, (*world.attackers, *world.honest, world.vault, *world.pools, NOBODY)))
    pair = world.pools[V2_USD_ETH]
    assert list(books.reserves) == words(world.chain.view(pair, calldata("getReserves()")))[:2]
    assert list(books.balances) == [_balance(world, world.tokens[side], pair) for side in world.sides[V2_USD_ETH]]
    assert (books.lp, books.lp_supply) == (_balance(world, pair, world.vault), _supply(world, pair))
    assert list(books.spots) == [world.spot(pool) for pool in range(2)]
    assert list(books.idle) == _idle(world, books)


def test_slots__of_the_vault__hold_what_its_views_answer(world: World) -> None:
    open_positions(world)
    who = world.honest[0]
    world.act(who, world.vault, redeem_data(world.shares(who) // 3, who, skip=0b101))
    assert list(world.settings().words) == words(world.chain.view(world.vault, calldata("settings()")))
    assert (world.sequence(), len(world.positions())) == (1, 6)
    owed = [
        words(world.chain.view(world.vault, calldata("owed(uint256,address)", token, who)))[0] for token in range(3)
    ]
    assert [world.owed(token, who) for token in range(3)] == owed
    assert [amount > 0 for amount in owed] == [True, False, True]


def test_hint__older_than_it_should_be__is_refused_beyond_two_windows_and_younger_than_one(world: World) -> None:
    sold = world.sell(V3_USD_ETH, USD, 10**6)[0]
    for later, refused in ((1, True), (0, False), (-45, False), (-55, True)):
        with world.chain.undone(), pytest.raises(Reverted, match="oracle: hint") if refused else nullcontext():
            world.execute([(sold | world.hint(V3_USD_ETH, later), 0)])


def _idle(world: World, books: Books) -> list[int]:
    """By the contracts' own answers; a gift of one unit of liquidity makes a pool credit a range's fees."""
    idle = [_balance(world, token, world.vault) for token in world.tokens]
    for token in range(len(idle)):
        idle[token] -= sum(
            world.owed(token, who) for who in (*world.attackers, *world.honest, world.vault, *world.pools)
        )
    for pool, lower, upper in books.ranges:
        gift = calldata("mint(address,int24,int24,uint128,bytes)", world.vault, lower, upper, 1, bytes(32))
        world.act(world.arbitrageur, world.pools[pool], gift)
        key = keccak(bytes.fromhex(world.vault[2:]) + lower.to_bytes(3, signed=True) + upper.to_bytes(3, signed=True))
        held = words(world.chain.view(world.pools[pool], selector("positions(bytes32)") + key))
        for token, due in zip(world.sides[pool], held[3:], strict=True):
            idle[token] += due
    return idle


def _balance(world: World, token: str, who: str) -> int:
    return words(world.chain.view(token, calldata("balanceOf(address)", who)))[0]


def _supply(world: World, token: str) -> int:
    return words(world.chain.view(token, calldata("totalSupply()")))[0]
