"""An access list goes with a transaction only where it makes it cheaper, and never keeps one from being sent."""

from typing import Any

import pytest

from bot.core.errors import ChainError, Reverted
from bot.execution.access import lightened, worth_naming
from tests.factories import USDC, VAULT, WETH
from tests.unit.execution.bundles import KEEPER
from tests.unit.execution.node import Node, lost, refusal

PLAIN = {"type": 2, "to": VAULT, "data": "0xfeed", "value": 0, "gas": 120_000}
SLOT = "0x" + "01" * 32


def entry(address: str, slots: int) -> dict[str, Any]:
    return {"address": address.lower(), "storageKeys": [SLOT] * slots}


async def test_lightened__less_gas__carries_the_list_and_the_lower_limit() -> None:
    node = Node()
    node.access_list, node.listed_gas = [entry(USDC.address, 3), entry(VAULT, 24)], 95_000
    found = await lightened(node, KEEPER, PLAIN)
    assert found == {**PLAIN, "gas": 114_000, "accessList": [entry(USDC.address, 3)]}
    assert PLAIN["gas"] == 120_000


@pytest.mark.parametrize("gas", [100_000, 200_000])
async def test_lightened__no_less_gas__stays_as_it_is(gas: int) -> None:
    node = Node()
    node.access_list, node.listed_gas = [entry(USDC.address, 3)], gas
    assert await lightened(node, KEEPER, PLAIN) == PLAIN


@pytest.mark.parametrize("error", [refusal("method not found"), lost(), Reverted("vault: sequence")])
@pytest.mark.parametrize("method", ["eth_createAccessList", "eth_estimateGas"])
async def test_lightened__node_fails__stays_as_it_is(method: str, error: ChainError) -> None:
    node = Node()
    node.access_list, node.listed_gas = [entry(USDC.address, 3)], 90_000

    def fail() -> None:
        raise error

    node.before[method] = fail
    assert await lightened(node, KEEPER, PLAIN) == PLAIN


@pytest.mark.parametrize("answer", [None, {}, {"accessList": None}, {"accessList": [{}]}, {"accessList": ["0x"]}])
async def test_lightened__strange_answer__stays_as_it_is(answer: Any) -> None:
    class Strange(Node):
        def eth_createAccessList(self, call: dict[str, Any], block: str) -> Any:
            return answer

    assert await lightened(Strange(), KEEPER, PLAIN) == PLAIN


def test_worth_naming__the_called_contract__only_with_slots_enough_to_pay_for_it() -> None:
    other = entry(WETH.address, 0)
    assert worth_naming([entry(VAULT, 24), other], VAULT) == [other]
    assert worth_naming([entry(VAULT, 25), other], VAULT) == [entry(VAULT, 25), other]
