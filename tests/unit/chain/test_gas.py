"""The price of gas from a fee history."""

from typing import Any

import pytest

from bot.chain.gas import gas_price, tip
from bot.core.errors import ChainError
from bot.core.types import GasPrice
from bot.core.units import Wei


class FeeNode:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: tuple[Any, ...] = ()

    async def call(self, method: str, *params: Any) -> Any:
        self.asked = (method, *params)
        return self.answer


def fee_history(rewards: list[int], used: list[float], fees: list[int]) -> dict[str, Any]:
    return {
        "oldestBlock": "0x1",
        "baseFeePerGas": [hex(fee) for fee in fees],
        "gasUsedRatio": used,
        "reward": [[hex(reward)] for reward in rewards],
    }


async def test_gas_price__recent_blocks__takes_the_next_base_fee_and_the_median_tip() -> None:
    node = FeeNode(fee_history([5 * 10**9, 2 * 10**9, 3 * 10**9], [0.5, 0.2, 1.0], [7, 8, 9, 10]))
    assert await gas_price(node, 40.0, blocks=3, newest="0x64") == GasPrice(Wei(10), Wei(3 * 10**9))
    assert node.asked == ("eth_feeHistory", "0x3", "0x64", [40.0])


@pytest.mark.parametrize("answer", [{}, fee_history([], [], [0]), fee_history([1], [1.0], [5, 0])])
async def test_gas_price__node_gives_no_base_fees__is_a_chain_error(answer: dict[str, Any]) -> None:
    with pytest.raises(ChainError, match="EIP-1559"):
        await gas_price(FeeNode(answer))


@pytest.mark.parametrize(
    ("rewards", "used", "expected"),
    [
        ([0, 9, 0], [0.0, 0.5, 0.0], 9),  # empty blocks say nothing about tips
        ([1, 2, 90], [0.5, 0.5, 0.5], 5),  # never below the least
        ([10, 20, 900], [0.5, 0.5, 0.5], 20),  # one bidding war does not count
        ([], [], 5),
    ],
)
def test_tip__blocks_of_many_kinds__is_the_median_of_those_used(
    rewards: list[int], used: list[float], expected: int
) -> None:
    assert tip(rewards, used, Wei(5)) == expected
