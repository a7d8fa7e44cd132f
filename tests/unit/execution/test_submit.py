"""A transaction is signed once, offered until it has arrived, and never doubted twice."""

import json
from typing import Any

import pytest

from bot.core.errors import ChainError, Reverted
from bot.execution.submit import GAS_CAP, Receipt, build, deliver, gas_limit, send, sign, why
from tests.factories import VAULT
from tests.unit.execution.bundles import KEEPER
from tests.unit.execution.node import FIRST_NONCE, Flaky, Node, ReadableSigner, lost, refusal, tx_hash

DATA = bytes.fromhex("feed")


async def sent(node: Node, **changes: Any) -> Receipt:
    return await send(node, ReadableSigner(), VAULT, DATA, **changes)


async def delivered(node: Node, timeout_s: float = 1) -> Receipt:
    signed = sign(ReadableSigner(), await build(node, KEEPER, VAULT, DATA))
    return await deliver(node, signed.raw, signed.tx, timeout_s, poll_s=0)


def written(node: Node) -> dict[str, Any]:
    (raw,) = set(node.raws)
    return dict(json.loads(bytes.fromhex(raw[2:])))


async def test_send__node_takes_it__returns_the_receipt_of_one_broadcast() -> None:
    node = Node()
    receipt = await sent(node)
    assert receipt["transactionHash"] == tx_hash(node.raws[0])
    assert len(node.raws) == 1


async def test_build__nothing_said__takes_nonce_fees_and_gas_from_the_node() -> None:
    assert await build(Node(), KEEPER, VAULT, DATA, value=7) == {
        "type": 2,
        "chainId": 1,
        "nonce": FIRST_NONCE,
        "to": VAULT,
        "value": 7,
        "data": "0xfeed",
        "gas": 120_002,  # 100,001 and a fifth, rounded up
        "maxPriorityFeePerGas": 3 * 10**8,
        "maxFeePerGas": 2 * 2 * 10**9 + 3 * 10**8,
    }


async def test_build__gas_and_fees_given__asks_for_neither() -> None:
    node = Node()
    built = await build(node, KEEPER, VAULT, DATA, gas=50_000, tip=1, max_fee=9)
    assert (built["gas"], built["maxPriorityFeePerGas"], built["maxFeePerGas"]) == (50_000, 1, 9)
    assert not {"eth_estimateGas", "eth_feeHistory"} & set(node.methods)


async def test_build__deployment__names_no_receiver() -> None:
    assert "to" not in await build(Node(), KEEPER, None, DATA)


def test_gas_limit__large_estimate__stays_within_what_a_transaction_may_ask_for() -> None:
    assert gas_limit(10) == 12
    assert gas_limit(11) == 14
    assert gas_limit(GAS_CAP) == GAS_CAP


async def test_send__would_revert__says_why_and_sends_nothing() -> None:
    node = Node()
    node.reverts = "vault: below floor"
    with pytest.raises(Reverted, match="vault: below floor"):
        await sent(node)
    assert node.raws == []


async def test_send__reverts_when_mined__says_why() -> None:
    node = Node()
    node.after["eth_sendRawTransaction"] = lambda: None
    node.before["eth_sendRawTransaction"] = lambda: setattr(node, "reverts", "vault: deadline")
    with pytest.raises(Reverted, match="vault: deadline"):
        await sent(node)
    call, block = node.replays[-1]
    assert block == hex(24_000_001)  # in its own block: its time decides about a deadline
    assert (call["from"], call["to"], call["data"]) == (KEEPER, VAULT, "0xfeed")


async def test_why__all_gas_used__is_out_of_gas() -> None:
    node = Node()
    node.gas_used = 120_002
    assert await why(node, await sent(node)) == "out of gas: it used all of its 120002"


async def test_why__passes_when_called_again__says_that_it_does_not_know() -> None:
    node = Node()
    assert "no reason found" in await why(node, await sent(node))


async def test_why__node_fails__says_that_it_does_not_know() -> None:
    node = Node()
    receipt = await sent(node)
    node.before["eth_call"] = Flaky(lost())
    assert await why(node, receipt) == "no reason found: no answer within 10 s"


async def test_deliver__answer_lost_but_bytes_arrived__is_found_without_another_broadcast() -> None:
    node = Node()
    node.after["eth_sendRawTransaction"] = Flaky(lost())
    assert await delivered(node)
    assert len(node.raws) == 1


async def test_deliver__request_lost_three_times__offers_the_same_bytes_again() -> None:
    node = Node()
    node.before["eth_sendRawTransaction"] = Flaky(lost(), times=3)
    assert await delivered(node)
    assert node.methods.count("eth_sendRawTransaction") == 4
    assert written(node)["nonce"] == FIRST_NONCE


async def test_deliver__node_has_it_already__waits_for_it() -> None:
    node = Node()
    node.mining = False
    node.after["eth_sendRawTransaction"] = Flaky(lost())
    polls = iter(range(100))
    node.before["eth_getTransactionReceipt"] = lambda: node.mine() if next(polls) == 5 else None
    assert await delivered(node)
    assert len(node.raws) == 2  # the one whose answer was lost, the one already known; then it is accepted


async def test_deliver__refused_again_and_again__says_what_the_node_said_before_the_timeout() -> None:
    node = Node()
    node.before["eth_sendRawTransaction"] = Flaky(refusal("insufficient funds for gas"), times=99)
    with pytest.raises(ChainError, match=r"expected a receipt of 0x.*insufficient funds for gas"):
        await delivered(node, timeout_s=60)
    assert node.methods.count("eth_sendRawTransaction") == 3


async def test_deliver__never_mined__is_unknown_and_names_the_hash() -> None:
    node = Node()
    node.mining = False
    with pytest.raises(ChainError, match="waiting to be mined; look it up") as caught:
        await delivered(node, timeout_s=0.05)
    assert tx_hash(node.raws[0]) in str(caught.value)
    assert len(node.raws) == 1


async def test_deliver__receipts_fail_for_a_while__is_found_after() -> None:
    node = Node()
    node.before["eth_getTransactionReceipt"] = Flaky(lost(), times=4)
    assert await delivered(node)
    assert len(node.raws) == 1


async def test_sign__transaction__is_named_by_the_hash_of_its_bytes() -> None:
    signed = sign(ReadableSigner(), await build(Node(), KEEPER, VAULT, DATA))
    assert signed.tx == tx_hash(signed.raw)
    assert signed.nonce == FIRST_NONCE
