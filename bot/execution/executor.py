"""Carries out bundles through the vault: the intent is on disk before any node hears of it."""

from typing import Final, Protocol

from bot.core.errors import Broken, ChainError, Refused, Reverted
from bot.core.ports import Journal, Rpc, Signer
from bot.core.rows import Attempt, Intent
from bot.core.types import Outcome, Plan, Record, Snapshot
from bot.core.units import Gas, Wei
from bot.execution.access import lightened
from bot.execution.hints import hints
from bot.execution.simulate import simulate
from bot.execution.submit import POLL_S, TIMEOUT_S, Receipt, Transaction, build, deliver, most_fee, sign, succeeded, why
from bot.venues.fills import receipt_fills
from bot.venues.vault import encode_execute

SURE: Final = "finalized"  # the block that no reorganisation can take back


class Book(Journal, Protocol):
    """What the executor asks of the journal beyond writing."""

    async def records(self, kind: str | None = None, last: int | None = None, cycle: int | None = None) -> list[Record]:
        """Rows in order, oldest first."""
        ...

    async def last_cycle(self) -> int:
        """The number of the cycle in hand."""
        ...


class VaultExecutor:
    """Implements `Executor` for a vault's keeper. At most one intent is open at any time.

    It writes intents and attempts; simulations and outcomes are the caller's to record.
    """

    def __init__(
        self,
        rpc: Rpc,
        signer: Signer,
        vault: str,
        journal: Book,
        multicall3: str,
        *,
        timeout_s: float = TIMEOUT_S,
        poll_s: float = POLL_S,
    ) -> None:
        self._rpc, self._signer, self._vault, self._journal = rpc, signer, vault, journal
        self._multicall3 = multicall3
        self._timeout_s, self._poll_s = timeout_s, poll_s

    async def simulate(self, plan: Plan, at: Snapshot) -> Outcome:
        """See `bot.execution.simulate`."""
        return await simulate(self._rpc, self._multicall3, self._signer.address, self._vault, plan, at)

    async def submit(self, plan: Plan, at: Snapshot) -> Outcome:
        """Journal the signed bundle, send it, wait for it; `ok` False with the reason when it failed.

        ChainError when its fate is unknown (the intent stays open for `settle`), or when nothing may be sent now;
        DataError when a pool remembers too little for its mean over time.
        """
        await self._require_quiet()
        try:
            transaction = await self._build(plan, at)
        except Reverted as reverted:  # the world moved after the simulation; nothing was signed
            price = Wei(at.gas.base_fee + at.gas.tip)
            return Outcome(False, None, at.block.number, (), Gas(0), price, reverted.reason)
        if transaction["chainId"] != at.chain_id:
            raise Broken(f"expected chain {at.chain_id}, found a node of chain {transaction['chainId']}; check the URL")
        signed = sign(self._signer, transaction)
        intent = Intent(
            plan, self._signer.address, self._vault, transaction["data"], signed.nonce, signed.raw, signed.tx
        )
        record = await self._journal.append(await self._journal.last_cycle(), "intent", intent)
        return await self._deliver(record, intent, at)

    async def settle(self) -> Outcome | None:
        """What became of the intent that was left open; None when none was. The same bytes are offered again.

        ChainError while nobody can know. It has failed for certain once a finalised block lies beyond the plan's
        deadline and there is no receipt: whoever used the nonce, the vault will not run this plan any more.
        """
        number = (await self._journal.memory()).open_intent
        if number is None:
            return None
        record, intent, snapshot = await self._recall(number)
        # Read before the receipt: a receipt of a block up to this one would then be there.
        block = await self._rpc.call("eth_getBlockByNumber", SURE, False)
        receipt = await self._rpc.call("eth_getTransactionReceipt", intent.tx)
        if receipt is not None:
            return await self._outcome(intent, receipt, snapshot)
        if block is not None and int(block["timestamp"], 16) > intent.plan.deadline:  # a young chain has none yet
            said = "never mined, and its deadline has passed for good"
            return Outcome(False, intent.tx, int(block["number"], 16), (), Gas(0), Wei(0), said)
        return await self._deliver(record, intent, snapshot)

    async def _build(self, plan: Plan, at: Snapshot) -> Transaction:
        # Fees are the snapshot's: the guards have agreed to those, not to what gas may cost by now.
        fees = {"tip": at.gas.tip, "max_fee": most_fee(at.gas.base_fee, at.gas.tip)}
        data = encode_execute(plan, at, await hints(self._rpc, self._multicall3, plan, at))
        transaction = await build(self._rpc, self._signer.address, self._vault, data, **fees)
        return await lightened(self._rpc, self._signer.address, transaction)

    async def _require_quiet(self) -> None:
        number = (await self._journal.memory()).open_intent
        if number is not None:
            raise ChainError(f"the intent of journal row {number} has no known fate; settle it before sending another")
        sender = self._signer.address
        waiting, mined = [
            int(await self._rpc.call("eth_getTransactionCount", sender, block), 16) for block in ("pending", "latest")
        ]
        if waiting != mined:
            raise ChainError(
                f"expected no transaction of keeper {sender} under way, found nonces {mined} to {waiting - 1}; "
                "let them be mined, and use this key nowhere else"
            )

    async def _recall(self, number: int) -> tuple[Record, Intent, Snapshot]:
        for record in await self._journal.records("intent", last=1):
            seen = await self._journal.records("cycle", last=1, cycle=record.cycle)
            if record.seq == number and isinstance(record.body, Intent) and seen and isinstance(seen[0].body, tuple):
                return record, record.body, seen[0].body[0]
        raise Broken(f"journal: expected row {number} to be the last intent, of a recorded cycle; verify the journal")

    async def _deliver(self, record: Record, intent: Intent, at: Snapshot) -> Outcome:
        await self._journal.append(record.cycle, "attempt", Attempt(record.seq, intent.tx))
        receipt = await deliver(self._rpc, intent.raw, intent.tx, self._timeout_s, self._poll_s)
        return await self._outcome(intent, receipt, at)

    async def _outcome(self, intent: Intent, receipt: Receipt, at: Snapshot) -> Outcome:
        ok = succeeded(receipt)
        return Outcome(
            ok,
            intent.tx,
            int(receipt["blockNumber"], 16),
            receipt_fills(intent.plan, at, receipt) if ok else (),
            Gas(int(receipt["gasUsed"], 16)),
            Wei(int(receipt["effectiveGasPrice"], 16)),
            "" if ok else await why(self._rpc, receipt),
        )


class DryRunExecutor:
    """Implements `Executor` without a key: it simulates, and sends nothing."""

    def __init__(self, rpc: Rpc, keeper: str, vault: str, multicall3: str) -> None:
        self._rpc, self._keeper, self._vault, self._multicall3 = rpc, keeper, vault, multicall3

    async def simulate(self, plan: Plan, at: Snapshot) -> Outcome:
        """As the keeper would; no key is needed to ask."""
        return await simulate(self._rpc, self._multicall3, self._keeper, self._vault, plan, at)

    async def submit(self, plan: Plan, at: Snapshot) -> Outcome:
        """Refused, always."""
        raise Refused(f"this is a dry run: it holds no key of keeper {self._keeper} and sends nothing")

    async def settle(self) -> Outcome | None:
        """Nothing: an open intent stays open until an executor with a key settles it."""
        return None
