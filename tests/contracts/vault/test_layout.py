"""The packed words at their limits: as many tokens, pools and positions as there are places, in any order."""

from typing import Any

import boa
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.amm.ticks import MAX_TICK, MIN_TICK
from tests.contracts.market import CONTRACTS, load
from tests.contracts.vault.test_oracle import fair_pair
from tests.contracts.vault.words import (
    BPS,
    MAX_POOLS,
    MAX_POSITIONS,
    MAX_TOKENS,
    Words,
    packed,
    position_word,
    unpacked,
)
from tests.contracts.vault.world import (
    DAY_S,
    LIMITS,
    ONE,
    REMOVE,
    USD,
    V2_USD_ETH,
    V3_USD_ETH,
    World,
    action,
    charter_of,
    deploy_vault,
    reverts,
    token_setup,
    words_of,
)

LARGEST = (200, 500, 200_000, 500, 604_800)  # limits that a charter takes
few = settings(max_examples=25, suppress_health_check=list(HealthCheck))

FACE = """
# pragma version 0.4.3
from modules import layout
from modules import maths
from modules import registry
initializes: registry
@deploy
def __init__():
    registry.__init__(msg.sender)
exports: (registry.settings,)
@external
def keep(position: uint256):
    registry._keep(position)
@external
def drop(index: uint256):
    registry._drop(index)
@external
@view
def find(position: uint256) -> uint256:
    return registry._find(position)
@external
@view
def ticks(position: uint256) -> (int24, int24):
    return layout._lower(position), layout._upper(position)
@external
def set_owed(index: uint256, who: address, amount: uint256, total: uint256):
    registry._set_owed(index, who, amount, total)
@external
@view
def owes(index: uint256) -> uint256:
    return registry._owes(index)
@external
def write(place: uint256, word: uint256):
    registry._write(place, word)
@external
@view
def packed(number: uint256, bits: uint256) -> uint256:
    return maths._packed(number, bits)
@external
@view
def unpacked(word: uint256) -> uint256:
    return maths._unpacked(word)
"""
TICK = st.integers(MIN_TICK, MAX_TICK)
POSITION = st.builds(position_word, st.integers(0, MAX_POOLS - 1), TICK, TICK)


@pytest.fixture(scope="module")
def face() -> Any:
    boa.interpret.set_search_paths([str(CONTRACTS)])
    return boa.loads(FACE)


# ------------------------------------------------------------------ the list of positions


@few
@given(
    steps=st.lists(st.tuples(st.booleans(), POSITION, st.integers(0, MAX_POSITIONS - 1)), max_size=30),
    few_positions=st.booleans(),
    rest=st.integers(0, 2**8 - 1),
)
def test_positions__kept_and_dropped_in_any_order__are_the_models(
    face: Any, steps: list[tuple[bool, int, int]], few_positions: bool, rest: int
) -> None:
    """Over two words, beside the counts, the flags and the pause in the first, which stay as they are."""
    with boa.env.anchor():
        face.write(34, 1 << 248)
        for index in range(8):
            if rest >> index & 1:
                face.write(2 + index, 1)
                face.set_owed(index, face.address, 5, 7)
        listed: list[int] = []
        for keep, position, index in steps:
            position = position_word(index, -index, index) if few_positions else position
            if keep and (position in listed or len(listed) < MAX_POSITIONS):
                face.keep(position)
                listed += [position] * (position not in listed)
            elif keep:
                with reverts("vault: positions full"):
                    face.keep(position)
            elif index < len(listed):
                face.drop(index)
                last = listed.pop()
                if index < len(listed):
                    listed[index] = last
            found = Words(tuple(face.settings()))
            assert found.position_words() == listed
            assert (found.token_count, found.owes, found.paused) == (rest.bit_count(), rest, True)
            assert face.find(position) == (listed.index(position) if position in listed else len(listed))


@few
@given(pool=st.integers(0, MAX_POOLS - 1), lower=TICK, upper=TICK)
def test_position__any_ticks__come_back_with_their_signs(face: Any, pool: int, lower: int, upper: int) -> None:
    assert tuple(face.ticks(position_word(pool, lower, upper))) == (lower, upper)


def test_vault__with_every_place_for_a_position_taken__lists_and_drops_as_the_model(world: World) -> None:
    """The same in a vault, where adds and removes do it."""
    low, top = world.ticks_around(V3_USD_ETH)
    ranges = [(low - 60 * i, top) for i in range(7)]
    world.execute(*(world.add_range(V3_USD_ETH, ticks, 10**13) for ticks in ranges[:4]), world.add_pair(1_000))
    world.execute(*(world.add_range(V3_USD_ETH, ticks, 10**13) for ticks in ranges[4:]))
    listed = [position_word(V3_USD_ETH, *ticks) for ticks in ranges]
    listed.insert(4, V2_USD_ETH << 48)
    assert world.positions() == listed
    with boa.env.anchor(), reverts("vault: positions full"):
        world.execute(world.add_range(V3_USD_ETH, (low, top + 60), 10**13))
    for index in (0, 4, 3, 1, 1, 0, 1, 0):
        position = listed[index]
        pool, ticks = world.words().positions()[index]
        amount = 10**13 if pool == V3_USD_ETH else world.pools[pool].balanceOf(world.vault.address)
        world.execute(action(REMOVE, pool, amount, 0, ticks))
        last = listed.pop()
        if last != position:
            listed[index] = last
        assert world.positions() == listed
    assert listed == []


# ------------------------------------------------------------------ what is owed


@few
@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from((0, 1, 2**128))), max_size=20))
def test_owes__any_order__is_the_total_of_that_token_and_its_flag(face: Any, steps: list[tuple[int, int]]) -> None:
    with boa.env.anchor():
        totals = [0] * 8
        for index, total in steps:
            face.set_owed(index, face.address, total, total)
            totals[index] = total
            assert [face.owes(i) for i in range(8)] == totals
            assert Words(tuple(face.settings())).owes == sum((amount > 0) << i for i, amount in enumerate(totals))


# ------------------------------------------------------------------ numbers of few digits


@few
@given(
    number=st.one_of(st.integers(0, 2**256 - 1), st.integers(0, 255).map(lambda bit: 1 << bit)),
    bits=st.sampled_from((28, 48)),
)
def test_packed__any_number__keeps_its_first_digits_rounded_down(face: Any, number: int, bits: int) -> None:
    word = face.packed(number, bits)
    assert word == packed(number, bits) < 2**bits
    back = face.unpacked(word)
    assert back == unpacked(word)
    assert 0 <= number - back <= number >> (bits - 9)
    assert number != back or face.packed(back, bits) == word


@pytest.mark.parametrize("bits", [28, 48])
@pytest.mark.parametrize("number", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 2**40 - 1, 2**40, 2**127, 2**256 - 1])
def test_packed__at_the_edges__is_the_models(face: Any, number: int, bits: int) -> None:
    assert face.packed(number, bits) == packed(number, bits)


# ------------------------------------------------------------------ a full vault


def test_vault__with_eight_tokens_and_sixteen_pools__serves_the_last_of_each(world: World) -> None:
    """Every field at the end of its word: the last token, the last pool, and bounds and corridors of their own."""
    tokens = [load("mocks/Token.vy", "T", "T", 18) for _ in range(MAX_TOKENS)]
    feeds = [load("mocks/Feed.vy", 8, "T") for _ in tokens]
    setups = [
        token_setup(token, feed, 172_800 - i, (10**5 * i, 10**9 + i), (0, 10_000 - i))
        for i, (token, feed) in enumerate(zip(tokens, feeds, strict=True))
    ]
    pairs = []
    for i in range(MAX_POOLS):
        sides = tokens[i % 8], tokens[(i + 1 + i // 8) % 8]
        pairs.append(fair_pair(sorted(sides, key=lambda token: int(token.address, 16)), [10**24] * 2))
    pools = [(pair.address, 2, 3_000, 0) for pair in pairs]
    people = (world.owner, world.keeper, world.guardian)
    vault = deploy_vault("Full", "FULL", *people, DAY_S, setups, pools, LIMITS)
    charter, found = charter_of(vault), words_of(vault)
    assert found.token_count == MAX_TOKENS
    assert [tuple(charter.token_info(i)) for i in range(MAX_TOKENS)] == setups
    assert charter.pools() == [pair.address for pair in pairs]
    for i, pair in enumerate(pairs):
        assert [tokens[side].address for side in found.pool(i).sides] == [pair.token0(), pair.token1()]
    for token, feed in zip(tokens, feeds, strict=True):
        feed.set_answer(10**8, world.now)
        token.mint(world.bob, 10**24)
        token.approve(vault.address, 10**24, sender=world.bob)
    vault.mint(10**24, [10**24] * 8, world.bob, world.deadline, sender=world.bob)
    boa.env.time_travel(seconds=LIMITS[-1])
    swaps = [action(2, len(pools) - 1, 10**18, 1, (1, 0)), action(3, 0, 1, 10**20 << 128 | 10**20)]
    vault.execute(swaps, [0] * 8, 0, world.deadline, sender=world.keeper)
    paid = vault.redeem(ONE, [0] * 8, world.bob, world.deadline, 0b10000001, sender=world.bob)
    assert words_of(vault).owes == 0b10000001
    for index in (7, 0):
        assert vault.claim(index, world.bob, sender=world.bob) == paid[index] > 0
    assert words_of(vault).owes == 0


RUN = """
# pragma version 0.4.3
from modules import budget
from modules import layout
from modules import registry
initializes: registry
initializes: budget[registry := registry]
@deploy
def __init__():
    registry.__init__(msg.sender)
@external
def spend(word: uint256, limits: layout.Limits, before: uint256, after: uint256, turnover: uint256) -> uint256:
    registry.words[layout.HELD] = word
    budget._spend(limits, budget._run(word, limits), before, after, turnover)
    return registry.words[layout.HELD]
@external
@view
def run(word: uint256, limits: layout.Limits) -> budget.Run:
    return budget._run(word, limits)
"""


def test_run__buckets_full_and_the_last_number_of_all__leave_their_neighbours_alone() -> None:
    """The ceilings of the charter fit the fields; a limit lowered since keeps what was used; the number begins anew."""
    boa.interpret.set_search_paths([str(CONTRACTS)])
    budget = boa.loads(RUN)
    now, above = boa.env.timestamp, (2**144 - 1) << 112
    full = 2**26 - 1 | now << 26 | 500 * BPS << 58 | 200_000 * BPS << 81 | above
    assert budget.run(full, LARGEST) == (2**26 - 1, now, 500 * BPS, 200_000 * BPS)
    idle = budget.spend(full, (0, 0, 0, 0, 0), ONE, ONE, 0)
    assert idle == 0 | now << 26 | 500 * BPS << 58 | 200_000 * BPS << 81 | above
    almost = 5 | now << 26 | 499 * BPS << 58 | 199_999 * BPS << 81 | above
    spent = budget.spend(almost, LARGEST, 10**24, 10**24 - 10**20, 10**20)
    assert spent == 6 | now << 26 | 500 * BPS << 58 | 200_000 * BPS << 81 | above
    for lost, sold, reason in ((10**20 + 1, 0, "limits: day loss"), (0, 10**20 + 1, "limits: day turnover")):
        with reverts(reason):
            budget.spend(almost, LARGEST, 10**24, 10**24 - lost, sold)


def test_rules__largest_limits_and_any_keeper__stay_apart_in_their_word(world: World) -> None:
    keeper = to_checksum_address("0x" + "ff" * 20)
    people = (world.owner, keeper, world.guardian)
    charter = charter_of(deploy_vault("V", "V", *people, DAY_S, [], [], LARGEST))
    assert (tuple(charter.limits()), charter.keeper()) == (LARGEST, keeper)
    charter.set_keeper(world.bob, sender=world.owner)
    assert (tuple(charter.limits()), charter.keeper()) == (LARGEST, world.bob)
    charter.set_limits((0, 0, 0, 0, 604_800), sender=world.owner)
    assert (tuple(charter.limits()), charter.keeper()) == ((0, 0, 0, 0, 604_800), world.bob)


def test_pause__is_one_bit_beside_positions_counts_and_flags(world: World) -> None:
    world.execute(world.add_pair(1_000))
    world.redeem(world.alice, ONE, 1 << USD)
    before = world.words()
    for _ in range(2):  # twice over changes nothing more
        world.charter.pause(sender=world.guardian)
        paused = world.words()
        assert paused.words[34] == before.words[34] | 1 << 248
        assert (paused.position_words(), paused.owes, paused.token_count) == (
            before.position_words(),
            1 << USD,
            3,
        )
    for _ in range(2):
        world.charter.unpause(sender=world.owner)
        assert world.words() == before
