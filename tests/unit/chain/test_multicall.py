"""Many reads in one request: order, failures, blocks, a node's gas limit, readings side by side."""

import pytest

from bot.chain.abi import encode, encode_call
from bot.chain.multicall import Call, Reading, aggregate, read_together
from bot.core.errors import DataError
from bot.core.types import Block
from bot.core.units import Timestamp, Wei
from tests.unit.chain.node import PER_CALL_GAS, Answer, FakeNode

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
TARGET = "0x00000000000000000000000000000000000000bb"
BLOCK = Block(7, "0x" + "ab" * 32, Timestamp(0), Wei(0))


def ask(i: int, optional: bool = False) -> Call:
    return Call.of(TARGET, "get(uint256)", i, returns=("uint256",), optional=optional)


def table(values: dict[int, int | None]) -> dict[tuple[str, bytes], Answer]:
    return {
        (TARGET, encode_call("get(uint256)", i)): None if value is None else encode(("uint256",), value)
        for i, value in values.items()
    }


async def test_aggregate__several_calls__answers_in_order_from_one_request() -> None:
    node = FakeNode(table({1: 10, 2: 20}))
    assert await aggregate(node, MULTICALL3, [ask(2), ask(1), ask(2)], BLOCK) == [(20,), (10,), (20,)]
    assert node.sizes == [3]


async def test_aggregate__no_calls__asks_nothing() -> None:
    node = FakeNode({})
    assert await aggregate(node, MULTICALL3, [], BLOCK) == []
    assert node.sizes == []


async def test_aggregate__a_block__is_pinned_by_its_hash() -> None:
    node = FakeNode(table({1: 10}))
    await aggregate(node, MULTICALL3, [ask(1)], BLOCK)
    assert node.blocks == [{"blockHash": BLOCK.hash}]


async def test_aggregate__node_older_than_eip_1898__is_asked_by_number() -> None:
    node = FakeNode(table({1: 10}), eip1898=False)
    assert await aggregate(node, MULTICALL3, [ask(1)], BLOCK) == [(10,)]
    assert node.blocks[-1] == "0x7"


async def test_aggregate__optional_call_fails__is_none_beside_the_others() -> None:
    node = FakeNode(table({1: 10, 2: None}))
    assert await aggregate(node, MULTICALL3, [ask(1), ask(2, optional=True)], BLOCK) == [(10,), None]


@pytest.mark.parametrize(("value", "why"), [({2: None}, "it reverted: no reason given"), ({}, "it answered nothing")])
async def test_aggregate__required_call_fails__names_target_and_function(value: dict[int, None], why: str) -> None:
    node = FakeNode(table({1: 10, **value}))
    with pytest.raises(DataError, match=rf"get\(uint256\) of {TARGET}.*{why}"):
        await aggregate(node, MULTICALL3, [ask(1), ask(2), ask(1)], BLOCK)


async def test_aggregate__no_multicall_contract__says_so() -> None:
    class Empty:
        async def call(self, method: str, *params: object) -> str:
            return "0x"

    with pytest.raises(DataError, match=f"expected Multicall3 at {MULTICALL3}, found no contract"):
        await aggregate(Empty(), MULTICALL3, [ask(1)], BLOCK)


@pytest.mark.parametrize("room", [1, 3, 10, 11])
async def test_aggregate__more_than_the_nodes_gas__asks_in_parts(room: int) -> None:
    node = FakeNode(table({i: i * i for i in range(11)}), gas=room * PER_CALL_GAS)
    answers = await aggregate(node, MULTICALL3, [ask(i) for i in range(11)], BLOCK)
    assert answers == [(i * i,) for i in range(11)]
    assert (len(node.sizes) == 1) == (room >= 11)


async def test_aggregate__required_calls_starved_inside__are_asked_again_alone() -> None:
    """geth lets the last calls of a batch run out of gas without failing the whole."""

    class Starving(FakeNode):
        async def call(self, method: str, *params: object) -> object:
            first = not self.sizes
            fed = self.answers
            if first:
                self.answers = {key: None if key[1] == encode_call("get(uint256)", 2) else fed[key] for key in fed}
            answer = await super().call(method, *params)
            self.answers = fed
            return answer

    node = Starving(table({1: 10, 2: 20}))
    assert await aggregate(node, MULTICALL3, [ask(1), ask(2)], BLOCK) == [(10,), (20,)]
    assert node.sizes == [2, 1]


def chained(start: int, rounds: int) -> Reading[int]:
    """Ask, then ask for what was answered, and so on."""
    for _ in range(rounds):
        ((start,),) = yield [ask(start)]
    return start


async def test_read_together__readings_of_different_length__share_each_round() -> None:
    node = FakeNode(table({i: i + 1 for i in range(10)}))
    readings = [chained(0, 3), chained(5, 1), chained(9, 0), chained(3, 2)]
    assert await read_together(node, MULTICALL3, readings, BLOCK) == [3, 6, 9, 5]
    assert node.sizes == [3, 2, 1]
