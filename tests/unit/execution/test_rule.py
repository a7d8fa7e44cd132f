"""Who may stop a vault, and which changes wait: what is asked of a node, however long its chain is."""

from typing import Any

import pytest
from eth_utils.crypto import keccak

from bot.chain.abi import encode, encode_call, selector
from bot.core.errors import Broken, ChainError
from bot.execution import rule
from bot.execution.rule import ASKED, NEAR, OPEN_S, SAMPLE, Change, Charter
from tests.factories import VAULT

OWNER = "0x00000000000000000000000000000000000A11cE"
GUARDIAN = "0x0000000000000000000000000000000000000B0b"
CHARTER = Charter(VAULT, OWNER, OWNER, GUARDIAN, GUARDIAN, False, 86_400)
NOW, BLOCK_S = 1_000_000_000, 12
WIDER = encode_call("set_limits((uint256,uint256,uint256,uint256,uint256))", (1, 2, 3, 4, 5))


def change_of(data: bytes) -> str:
    return "0x" + keccak(data).hex()


class Node:
    """A chain of so many blocks, with changes asked for at its charter."""

    def __init__(self, number: int, ready: dict[str, int], sent: dict[str, bytes]) -> None:
        self.number, self.ready, self.sent = number, ready, sent
        self.searched: dict[str, Any] = {}
        self.refuses_logs = False

    async def call(self, method: str, *params: Any) -> Any:
        return getattr(self, method)(*params)

    def eth_getBlockByNumber(self, block: str, whole: bool) -> dict[str, str]:
        number = self.number if block == "latest" else int(block, 16)
        return {"number": hex(number), "timestamp": hex(NOW - (self.number - number) * BLOCK_S)}

    def eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if self.refuses_logs:
            raise ChainError("block range too large")
        self.searched = query
        return [{"topics": [ASKED, change], "transactionHash": change} for change in self.ready]

    def eth_call(self, call: dict[str, str], block: str) -> str:
        assert call["data"][2:10] == selector("ready_at(bytes32)").hex()
        return "0x" + encode(("uint256",), self.ready["0x" + call["data"][10:]]).hex()

    def eth_getTransactionByHash(self, tx: str) -> dict[str, str] | None:
        return {"input": "0x" + self.sent[tx].hex()} if tx in self.sent else None


async def test_waiting__made_revoked_or_too_old__is_left_out() -> None:
    asked = {change_of(bytes([i])): ready for i, ready in enumerate((0, NOW - OPEN_S - 1, NOW - OPEN_S, NOW + 9))}
    found = await rule.waiting(Node(50, asked, {}), CHARTER)
    assert [change.ready_at for change in found] == [NOW - OPEN_S, NOW + 9]
    assert found[1] == Change(list(asked)[3], NOW + 9, NOW + 9 + OPEN_S, None)


async def test_waiting__asked_directly__is_told_with_its_arguments() -> None:
    change = change_of(WIDER)
    (found,) = await rule.waiting(Node(50, {change: NOW}, {change: WIDER}), CHARTER)
    assert found.call == "set_limits((1, 2, 3, 4, 5))"


async def test_waiting__asked_through_another_contract__hides_its_arguments() -> None:
    change = change_of(WIDER)
    (found,) = await rule.waiting(Node(50, {change: NOW}, {change: b"multisig" + WIDER}), CHARTER)
    assert found.call is None


@pytest.mark.parametrize("number", [0, NEAR])
async def test_waiting__short_chain__is_searched_whole(number: int) -> None:
    node = Node(number, {}, {})
    assert await rule.waiting(node, CHARTER) == []
    assert int(node.searched["fromBlock"], 16) == 0
    assert node.searched["address"] == VAULT


async def test_waiting__long_chain__is_searched_as_far_back_as_a_change_can_wait() -> None:
    node = Node(24_000_000, {}, {})
    await rule.waiting(node, CHARTER)
    back = 24_000_000 - int(node.searched["fromBlock"], 16)
    assert back * BLOCK_S == pytest.approx(1.1 * (CHARTER.delay_s + OPEN_S), rel=1e-4)
    assert back > SAMPLE


async def test_waiting__node_searches_no_logs__is_a_chain_error() -> None:
    node = Node(50, {}, {})
    node.refuses_logs = True
    with pytest.raises(ChainError):
        await rule.waiting(node, CHARTER)


@pytest.mark.parametrize(
    ("act", "signature", "roles"),
    [
        (rule.pause(), "pause()", {"owner", "guardian"}),
        (rule.unpause(), "unpause()", {"owner"}),
        (rule.name_keeper(OWNER), "set_keeper(address)", {"owner"}),
        (rule.revoke("0x" + "11" * 32), "revoke(bytes32)", {"owner", "guardian"}),
    ],
)
def test_act__every_one__is_a_call_of_the_charter_for_its_roles(act: Any, signature: str, roles: set[str]) -> None:
    assert act.data[:4] == selector(signature)
    assert set(act.may(CHARTER)) == roles
    assert act.may(CHARTER)["owner"] == OWNER


async def test_perform__nothing_logged__is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sent(*_: object) -> dict[str, Any]:
        return {"transactionHash": "0x1", "logs": [{"address": OWNER}]}

    monkeypatch.setattr(rule, "send", sent)
    with pytest.raises(Broken, match="found no trace of it"):
        await rule.perform(Node(1, {}, {}), OWNER, CHARTER, rule.pause())
