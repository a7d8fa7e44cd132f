"""The demo's clock and miner: no block comes unless asked for, and none goes back in time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.errors import Broken, ChainError
from bot.core.ports import Rpc
from bot.core.units import Timestamp, Wei

TX_GAS = 16_000_000  # below the cap of EIP-7825 (2**24); a swap through hundreds of ticks needs millions
BLOCK_GAS = 1_000_000_000  # an hour of everybody's trades fits in one block
FULL = "0x" + "f" * 30  # wei; nobody in the demo runs out of ether


@dataclass(frozen=True, slots=True)
class Transaction:
    """One call by an account that the chain lets us speak for."""

    sender: str
    to: str
    data: bytes


class Blocks:
    """Mines on demand, at times and base fees that the demo sets. Use as an async context; one per chain."""

    def __init__(self, rpc: Rpc, base_fee: Wei) -> None:
        self._rpc = rpc
        self._base_fee = base_fee
        self._nonces: dict[str, int] = {}
        self.now = Timestamp(0)

    async def __aenter__(self) -> "Blocks":
        await self._rpc.call("evm_setAutomine", False)
        await self._rpc.call("evm_setBlockGasLimit", hex(BLOCK_GAS))
        await self._rpc.call("anvil_autoImpersonateAccount", True)
        latest = await self._rpc.call("eth_getBlockByNumber", "latest", False)
        self.now = Timestamp(int(latest["timestamp"], 16))
        await self._hold_base_fee()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._rpc.call("evm_setAutomine", True)

    async def mine(self, at: int | None = None, transactions: Sequence[Transaction] = ()) -> None:
        """One block with these transactions at that time, by default a second after the last.

        Broken when the time would not advance; ChainError names the first transaction that failed and why.
        """
        when = self.now + 1 if at is None else at
        if when <= self.now:
            raise Broken(f"expected a block after {self.now}, was asked for one at {when}")
        hashes = await asyncio.gather(*[self._send(t, await self._nonce(t.sender)) for t in transactions])
        await self._rpc.call("evm_setNextBlockTimestamp", hex(when))
        await self._rpc.call("evm_mine")
        self.now = Timestamp(when)
        await self._hold_base_fee()
        if transactions:
            await self._check(transactions, hashes)

    async def _hold_base_fee(self) -> None:
        """For the next block, at once: whoever asks what gas costs before it comes is told what it will cost."""
        await self._rpc.call("anvil_setNextBlockBaseFeePerGas", hex(self._base_fee))

    async def _nonce(self, sender: str) -> int:
        if sender not in self._nonces:
            await self._rpc.call("anvil_setBalance", sender, FULL)
            self._nonces[sender] = int(await self._rpc.call("eth_getTransactionCount", sender, "pending"), 16)
        self._nonces[sender] += 1
        return self._nonces[sender] - 1

    async def _send(self, transaction: Transaction, nonce: int) -> str:
        fields = {
            "from": transaction.sender,
            "to": transaction.to,
            "data": "0x" + transaction.data.hex(),
            "gas": hex(TX_GAS),
            "gasPrice": hex(2 * self._base_fee),
            "nonce": hex(nonce),
        }
        return str(await self._rpc.call("eth_sendTransaction", fields))

    async def _check(self, transactions: Sequence[Transaction], hashes: Sequence[str]) -> None:
        receipts = await self._rpc.call("eth_getBlockReceipts", "latest")
        good = {receipt["transactionHash"] for receipt in receipts if receipt["status"] == "0x1"}
        for transaction, sent in zip(transactions, hashes, strict=True):
            if sent not in good:
                await self._blame(transaction, sent)

    async def _blame(self, transaction: Transaction, sent: str) -> None:
        call = {"from": transaction.sender, "to": transaction.to, "data": "0x" + transaction.data.hex()}
        await self._rpc.call("eth_call", call, "latest")  # Reverted says why
        raise ChainError(f"expected {sent} to {transaction.to} to succeed, found it failed or left out of its block")


class MiningRpc:
    """Puts what is sent into a block at once, as if a miner had been waiting for it."""

    def __init__(self, inner: Rpc, blocks: Blocks) -> None:
        self._inner = inner
        self._blocks = blocks

    async def call(self, method: str, *params: Any) -> Any:
        answer = await self._inner.call(method, *params)
        if method in ("eth_sendRawTransaction", "eth_sendTransaction"):
            await self._blocks.mine()
        return answer
