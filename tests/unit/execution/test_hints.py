"""Which pools of a plan need a hint, and that nobody is asked where none does."""

from dataclasses import replace
from typing import Any

from bot.chain.abi import decode, encode
from bot.chain.mainnet import MAINNET
from bot.core.types import Plan, Snapshot
from bot.core.units import Gas, Timestamp
from bot.execution.hints import hints
from tests.factories import snapshot, v2_pool, v3_pool, vault_state
from tests.unit.execution import bundles

NOW, NEWEST = 1_800_000_000, 3


class Pools:
    """A node on which every pool wrote its last observation an hour ago."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def call(self, method: str, *params: Any) -> Any:
        call, block = params
        self.asked.append((method, block))
        (calls,) = decode(("(address,bool,bytes)[]",), bytes.fromhex(call["data"][10:]))
        return "0x" + encode(("(bool,bytes)[]",), [(True, self._one(data)) for *_, data in calls]).hex()

    def _one(self, data: bytes) -> bytes:
        if data[:4].hex() == "3850c7bd":  # slot0()
            types = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
            return encode(types, 2**96, 0, NEWEST, NEWEST + 1, NEWEST + 1, 0, True)
        if data[:4].hex() == "0f28c97d":  # getCurrentBlockTimestamp()
            return encode(("uint256",), NOW)
        (index,) = decode(("uint256",), data[4:])
        return encode(("uint32", "int56", "uint160", "bool"), NOW - 3_600 - 4_000 * (NEWEST - index), 0, 0, True)


def world(window_s: int) -> Snapshot:
    pools = (v2_pool().address, v3_pool().address)
    return snapshot(vault=vault_state(pools=pools, windows=(0, window_s)))


def plan(*steps: Any) -> Plan:
    return Plan(steps, (), 7, Timestamp(NOW), Gas(0))


async def test_hints__pools_with_a_window__once_each_at_the_pending_block() -> None:
    node = Pools()
    found = await hints(node, MAINNET.multicall3, plan(*bundles.STEPS), world(1_800))
    assert found == {v3_pool().address: NEWEST + 1}
    assert node.asked == [("eth_call", "pending")] * 2


async def test_hints__no_window_or_no_such_pool_or_no_vault__asks_nobody() -> None:
    node = Pools()
    assert await hints(node, MAINNET.multicall3, plan(*bundles.STEPS), world(0)) == {}
    assert await hints(node, MAINNET.multicall3, plan(bundles.STEPS[1]), world(1_800)) == {}
    assert await hints(node, MAINNET.multicall3, plan(*bundles.STEPS), replace(world(1_800), vault=None)) == {}
    assert node.asked == []
