"""What only a local chain allows: give, impersonate, rewrite, travel in time. Never called on a chain that counts."""

import asyncio
from typing import Any

from bot.chain.abi import encode_call
from bot.core.errors import ChainError, Reverted
from bot.core.ports import Rpc
from bot.core.units import Timestamp

POLL_S = 0.002
MINED_WITHIN_S = 10


async def deal(rpc: Rpc, token: str, holder: str, raw: int) -> None:
    """Set (not add) a holder's balance of an ERC-20, in its smallest unit; the total supply stays as it was."""
    await rpc.call("anvil_dealERC20", holder, token, hex(raw))


async def set_ether(rpc: Rpc, holder: str, wei: int) -> None:
    """Set a balance of the native coin."""
    await rpc.call("anvil_setBalance", holder, hex(wei))


async def set_code(rpc: Rpc, address: str, code: bytes) -> None:
    """Replace the code at an address; its storage stays."""
    await rpc.call("anvil_setCode", address, "0x" + code.hex())


async def set_storage(rpc: Rpc, address: str, slot: int, word: int) -> None:
    """Replace one 32-byte word of storage."""
    await rpc.call("anvil_setStorageAt", address, hex(slot), f"0x{word:064x}")


async def set_nonce(rpc: Rpc, address: str, nonce: int) -> None:
    """Set the number of the address's next transaction; backwards too. ChainError while one of its own waits.

    anvil forgets a mined transaction a moment after its receipt, and until then counts on from that one: the next one
    would be refused, or wait for ever.
    """
    await rpc.call("anvil_setNonce", address, hex(nonce))
    for _ in range(int(MINED_WITHIN_S / POLL_S)):
        if int(await rpc.call("eth_getTransactionCount", address, "pending"), 16) == nonce:
            return
        await asyncio.sleep(POLL_S)
    raise ChainError(f"expected {address} to have sent everything, found transactions waiting; drop or mine them first")


async def send_as(
    rpc: Rpc,
    sender: str,
    to: str | None,
    data: bytes = b"",
    *,
    value: int = 0,
    gas: int | None = None,
    listed: bool = False,
) -> dict[str, Any]:
    """Send from any address without its key, and mine; the receipt. `to` None deploys `data`.

    `listed`: with the access list that the node makes for it (EIP-2930).

    Automatic mining must be on. Reverted with the reason when it fails; without `gas` it is estimated, which is slower.
    """
    await rpc.call("anvil_impersonateAccount", sender)
    transaction = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
    if to is not None:
        transaction["to"] = to
    # An estimate is of this block; fees and observations that grow by the next may cost a little more.
    transaction["gas"] = hex(gas or int(await rpc.call("eth_estimateGas", transaction), 16) * 5 // 4)
    if listed:
        transaction["accessList"] = (await rpc.call("eth_createAccessList", transaction, "latest"))["accessList"]
    receipt = await _receipt(rpc, await rpc.call("eth_sendTransaction", transaction))
    if int(receipt["status"], 16) != 1:
        await rpc.call("eth_call", transaction, hex(int(receipt["blockNumber"], 16) - 1))  # says why
        raise Reverted(f"no reason given; it may need more gas than {gas}")
    return receipt


async def _receipt(rpc: Rpc, tx: str) -> dict[str, Any]:
    """Ask until it is mined, which anvil does a moment after it took the transaction."""
    for _ in range(int(MINED_WITHIN_S / POLL_S)):
        found: dict[str, Any] | None = await rpc.call("eth_getTransactionReceipt", tx)
        if found is not None:
            return found
        await asyncio.sleep(POLL_S)
    raise ChainError(f"expected {tx} to be mined within {MINED_WITHIN_S} s, it waits; is automatic mining on?")


async def call_as(rpc: Rpc, sender: str, to: str, signature: str, *args: Any, gas: int | None = None) -> dict[str, Any]:
    """`send_as` of a function such as `approve(address,uint256)` with its arguments."""
    return await send_as(rpc, sender, to, encode_call(signature, *args), gas=gas)


async def latest_timestamp(rpc: Rpc) -> Timestamp:
    """Time of the last block."""
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    return Timestamp(int(block["timestamp"], 16))


async def set_next_timestamp(rpc: Rpc, at: int) -> None:
    """Time of the next block, from which the clock then goes on. ChainError when it lies before the last block."""
    await rpc.call("evm_setNextBlockTimestamp", hex(at))


async def mine(rpc: Rpc, blocks: int = 1, *, seconds: int | None = None) -> None:
    """Mine; `seconds`: the first new block is that much later than the last one."""
    if seconds is not None:
        await set_next_timestamp(rpc, await latest_timestamp(rpc) + seconds)
    await rpc.call("anvil_mine", hex(blocks))


async def snapshot(rpc: Rpc) -> str:
    """Remember the whole chain; the id to go back to, once."""
    return str(await rpc.call("evm_snapshot"))


async def revert(rpc: Rpc, snapshot_id: str) -> None:
    """Go back to a snapshot. ChainError when there is none of that id."""
    if not await rpc.call("evm_revert", snapshot_id):
        raise ChainError(f"expected a snapshot {snapshot_id}, found none; each can be used once")
