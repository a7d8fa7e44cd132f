"""One call or transaction of a person's account: read, allow exactly, send; and what the receipt says came and went."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from bot.chain.abi import checksum, decode, encode_call, event_topic
from bot.core.errors import ChainError, Reverted
from bot.core.ports import Rpc, Signer
from bot.execution import submit
from bot.execution.submit import Receipt

Sender = Signer | str  # a signer, or the address of an account that the node itself signs for
NOBODY = "0x" + "00" * 20
DEADLINE_S = 600  # from the latest block
WAIT_S = 120  # for a transaction that the node signed
TRANSFER = event_topic("Transfer(address,address,uint256)")


def address_of(sender: Sender) -> str:
    """The account's address."""
    return sender if isinstance(sender, str) else sender.address


async def read(rpc: Rpc, to: str, data: bytes, *returns: str, sender: str = NOBODY) -> tuple[Any, ...]:
    """What a call answers at the latest block. Reverted in the contract's words; DataError when it does not decode."""
    answer = await rpc.call("eth_call", {"from": sender, "to": to, "data": "0x" + data.hex()}, "latest")
    return decode(returns, bytes.fromhex(answer[2:]))


async def deadline(rpc: Rpc) -> int:
    """Until when a transaction of now may run."""
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    return int(block["timestamp"], 16) + DEADLINE_S


async def send(rpc: Rpc, sender: Sender, to: str | None, data: bytes, nonce: int | None = None) -> Receipt:
    """Send, wait, and return the receipt. Reverted with the contract's words when it fails."""
    if not isinstance(sender, str):
        return await submit.send(rpc, sender, to, data, nonce=nonce)
    transaction = {"from": sender, "data": "0x" + data.hex()} | ({"to": to} if to else {})
    if nonce is not None:
        transaction["nonce"] = hex(nonce)
    transaction["gas"] = hex(submit.gas_limit(int(await rpc.call("eth_estimateGas", transaction), 16)))
    tx = await rpc.call("eth_sendTransaction", transaction)
    for _ in range(WAIT_S * 10):
        found = await submit.find_receipt(rpc, tx)
        if found is not None:
            break
        await asyncio.sleep(0.1)
    else:
        raise ChainError(f"expected {tx} to be mined within {WAIT_S} s, found it waiting; look it up before retrying")
    if not submit.succeeded(found):
        raise Reverted(await submit.why(rpc, found))
    return found


@asynccontextmanager
async def allowed(
    rpc: Rpc, sender: Sender, spender: str, asked: tuple[tuple[str, int], ...]
) -> AsyncIterator[list[Receipt]]:
    """Allow exactly what is asked (token, raw), and nothing afterwards, even when the call between fails."""
    receipts: list[Receipt] = []
    try:
        for token, raw in asked:
            receipts += await _allow(rpc, sender, token, spender, raw)
        yield receipts
    finally:
        for token, _ in asked:
            receipts += await _allow(rpc, sender, token, spender, 0)


async def _allow(rpc: Rpc, sender: Sender, token: str, spender: str, raw: int) -> list[Receipt]:
    """Make the allowance exactly `raw`; by way of 0, which is the only way that USDT accepts."""
    owner = address_of(sender)
    (now,) = await read(rpc, token, encode_call("allowance(address,address)", owner, spender), "uint256")
    steps = [] if now == raw else [raw] if 0 in (now, raw) else [0, raw]
    return [await send(rpc, sender, token, encode_call("approve(address,uint256)", spender, step)) for step in steps]


def gained(receipt: Receipt, ours: set[str]) -> dict[str, int]:
    """Net amounts by token that came to our addresses, from the receipt's Transfer events."""
    found: dict[str, int] = {}
    for token, source, target, raw in _transfers(receipt):
        found[token] = found.get(token, 0) + raw * ((target in ours) - (source in ours))
    return found


def came(receipt: Receipt, token: str, ours: set[str], raw: int) -> bool:
    """Whether one transfer of exactly `raw` came to us; below 0: went from us. Whatever else came on the way."""
    return any(
        each == token and moved == abs(raw) and (target if raw > 0 else source) in ours
        for each, source, target, moved in _transfers(receipt)
    )


def _transfers(receipt: Receipt) -> Iterator[tuple[str, str, str, int]]:
    """Token, source, target and raw amount of every ERC-20 Transfer."""
    for log in receipt["logs"]:
        if len(log["topics"]) == 3 and log["topics"][0] == TRANSFER:
            source, target = (checksum("0x" + topic[-40:]) for topic in log["topics"][1:])
            yield checksum(log["address"]), source, target, int(log["data"], 16)
