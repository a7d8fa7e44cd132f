"""One transaction: built, signed once, offered to the node, and followed until its fate is known."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from bot.chain.gas import gas_price
from bot.chain.rpc import NodeError
from bot.core.errors import ChainError, Reverted
from bot.core.ports import Rpc, Signer

GAS_MARGIN_PERCENT: Final = 120  # the limit over the estimate: the state may move before the transaction is mined
GAS_CAP: Final = 2**24  # the most gas one transaction may ask for, EIP-7825
BASE_FEE_ROOM: Final = 2  # the base fee may double, six full blocks in a row, before the fee no longer covers it
TIMEOUT_S: Final = 120.0
POLL_S: Final = 0.5
REFUSALS: Final = 3  # a node that says no so many times in a row will not take it: do not wait for the timeout
KNOWN: Final = ("already known", "already imported", "alreadyknown")  # geth, anvil, nethermind: it has these bytes

Transaction = dict[str, Any]  # fields of an EIP-1559 transaction, as the signer takes them
Receipt = dict[str, Any]  # as the node answers: quantities in 0x hex


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that could be sent, again and again: always these bytes."""

    nonce: int
    raw: str  # 0x hex
    tx: str  # its hash


async def send(
    rpc: Rpc,
    signer: Signer,
    to: str | None,
    data: bytes,
    value: int = 0,
    gas: int | None = None,
    tip: int | None = None,
    max_fee: int | None = None,
    nonce: int | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Receipt:
    """Send one transaction and return its receipt; `to` None deploys `data`. For people, who see it fail or work.

    Bundles do not come this way: theirs is journaled before it is sent. Reverted with the contract's words when it
    would revert, or did; ChainError when its fate is unknown, naming the hash to look up before trying again.
    """
    transaction = await build(rpc, signer.address, to, data, value, gas, tip, max_fee, nonce)
    signed = sign(signer, transaction)
    receipt = await deliver(rpc, signed.raw, signed.tx, timeout_s)
    if not succeeded(receipt):
        raise Reverted(await why(rpc, receipt))
    return receipt


async def build(
    rpc: Rpc,
    sender: str,
    to: str | None,
    data: bytes,
    value: int = 0,
    gas: int | None = None,
    tip: int | None = None,
    max_fee: int | None = None,
    nonce: int | None = None,
) -> Transaction:
    """The unsigned transaction, by default at the sender's next nonce and today's price of gas.

    Reverted when it would revert.
    """
    call = _call(sender, to, data, value)
    if gas is None:
        gas = gas_limit(int(await rpc.call("eth_estimateGas", call, "pending"), 16))
    if tip is None or max_fee is None:
        price = await gas_price(rpc)
        tip = price.tip if tip is None else tip
        max_fee = most_fee(price.base_fee, tip) if max_fee is None else max_fee
    if nonce is None:
        nonce = await next_nonce(rpc, sender)
    fields: Transaction = {
        "type": 2,
        "chainId": int(await rpc.call("eth_chainId"), 16),
        "nonce": nonce,
        "value": value,
        "data": call["data"],
        "gas": gas,
        "maxPriorityFeePerGas": tip,
        "maxFeePerGas": max_fee,
    }
    return fields if to is None else {**fields, "to": to}


async def next_nonce(rpc: Rpc, sender: str) -> int:
    """The nonce after everything that the node knows the sender to have sent."""
    return int(await rpc.call("eth_getTransactionCount", sender, "pending"), 16)


def gas_limit(estimate: int) -> int:
    """The limit to ask for: the estimate and a margin, rounded up, within what a transaction may ask for."""
    return min(-(-estimate * GAS_MARGIN_PERCENT // 100), GAS_CAP)


def most_fee(base_fee: int, tip: int) -> int:
    """The most to pay for a unit of gas, in wei, so that a rising base fee does not strand the transaction."""
    return BASE_FEE_ROOM * base_fee + tip


def sign(signer: Signer, transaction: Transaction) -> Signed:
    """Sign, and name the bytes by their hash."""
    raw = signer.sign(transaction)
    return Signed(transaction["nonce"], "0x" + raw.hex(), "0x" + keccak(raw).hex())


async def deliver(rpc: Rpc, raw: str, tx: str, timeout_s: float = TIMEOUT_S, poll_s: float = POLL_S) -> Receipt:
    """Offer the signed bytes until a node has them, and wait for the receipt.

    ChainError when the fate is unknown at the end: it may yet be mined, so its nonce must not be given away.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + timeout_s
    accepted, refusals, said = False, 0, "it is waiting to be mined"
    while True:
        if not accepted:
            try:
                await rpc.call("eth_sendRawTransaction", raw)
                accepted = True
            except ChainError as error:
                # Whatever the answer was, the bytes may have arrived: only the receipt tells.
                accepted, said = any(word in str(error).lower() for word in KNOWN), str(error)
                refusals += isinstance(error, NodeError) and not accepted
        receipt = await find_receipt(rpc, tx)
        if receipt is not None:
            return receipt
        if refusals >= REFUSALS or clock() > end:
            raise ChainError(f"expected a receipt of {tx}, found none: {said}; look it up before sending anything else")
        await asyncio.sleep(poll_s)


async def find_receipt(rpc: Rpc, tx: str) -> Receipt | None:
    """The receipt; None when the node has none, or does not answer: neither proves that it was not mined."""
    try:
        found: Receipt | None = await rpc.call("eth_getTransactionReceipt", tx)
    except ChainError:
        return None
    return found


def succeeded(receipt: Receipt) -> bool:
    """Whether the transaction did what it was for."""
    return int(receipt["status"], 16) == 1


async def why(rpc: Rpc, receipt: Receipt) -> str:
    """Why a mined transaction failed: it is called again at the end of its own block, where it changed nothing."""
    try:
        sent = await rpc.call("eth_getTransactionByHash", receipt["transactionHash"])
        if int(receipt["gasUsed"], 16) == int(sent["gas"], 16):
            return f"out of gas: it used all of its {int(sent['gas'], 16)}"
        call = {field: sent[field] for field in ("from", "to", "value", "gas") if sent[field] is not None}
        await rpc.call("eth_call", {**call, "data": sent["input"]}, receipt["blockNumber"])
    except Reverted as reverted:
        return reverted.reason
    except ChainError as error:
        return f"no reason found: {error}"
    return "no reason found: called again at the end of its block, it passes"


def _call(sender: str, to: str | None, data: bytes, value: int) -> dict[str, str]:
    call = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
    return call if to is None else {**call, "to": to}
