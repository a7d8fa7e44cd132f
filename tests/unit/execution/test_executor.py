"""A bundle is on disk before any node hears of it, runs at most once, and a restart finishes what was begun."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.chain.mainnet import MAINNET
from bot.core.errors import Broken, ChainError, Refused
from bot.core.rows import Attempt, Intent
from bot.core.types import Outcome, Record
from bot.core.units import Gas, Wei
from bot.execution.executor import DryRunExecutor, VaultExecutor
from bot.journal import SqlJournal
from tests.factories import USDC, VAULT, snapshot
from tests.unit.execution import bundles
from tests.unit.execution.bundles import KEEPER
from tests.unit.execution.node import (
    FIRST_NONCE,
    SWAP_FILL,
    Flaky,
    Node,
    ReadableSigner,
    lost,
    refusal,
    swap_plan,
    tx_hash,
)

PLAN = swap_plan()
AT = snapshot()


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it."""


class CountedJournal(SqlJournal):
    """Dies before, or right after, its n-th row is on disk."""

    def __init__(self, url: str, dies_at: int = 0, after: bool = False) -> None:
        super().__init__(url)
        self.left, self.after = dies_at, after

    async def append(self, cycle: int, kind: str, body: object) -> Record:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        record = await super().append(cycle, kind, body)
        if self.left == 0:
            raise Killed
        return record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
async def journal(url: str) -> AsyncIterator[SqlJournal]:
    opened = SqlJournal(url)
    await opened.append(1, "cycle", (AT, bundles.proposal()))
    yield opened
    await opened.close()


def executor(node: Node, journal: SqlJournal) -> VaultExecutor:
    return VaultExecutor(node, ReadableSigner(), VAULT, journal, MAINNET.multicall3, timeout_s=0.02, poll_s=0)


async def kinds(journal: SqlJournal) -> list[str]:
    return [record.kind for record in await journal.records()]


async def leave_open(node: Node, journal: SqlJournal) -> None:
    """An intent whose broadcast was lost: never arrived, fate unknown."""
    node.before["eth_sendRawTransaction"] = lambda: (_ for _ in ()).throw(lost())
    with pytest.raises(ChainError, match="look it up"):
        await executor(node, journal).submit(PLAN, AT)
    del node.before["eth_sendRawTransaction"]


async def test_submit__mined__is_reconciled_from_the_receipt(journal: SqlJournal) -> None:
    node = Node()
    done = await executor(node, journal).submit(PLAN, AT)
    tx = tx_hash(node.raws[0])
    assert done == Outcome(True, tx, 24_000_001, (SWAP_FILL,), Gas(90_000), Wei(1_100_000_000))


async def test_submit__at_the_moment_of_broadcast__the_same_bytes_are_on_disk(journal: SqlJournal, url: str) -> None:
    rows: list[Record] = []

    class Looking(Node):
        async def call(self, method: str, *params: Any) -> Any:
            if method == "eth_sendRawTransaction":
                other = SqlJournal(url)
                rows.extend(await other.records())
                await other.close()
            return await super().call(method, *params)

    node = Looking()
    await executor(node, journal).submit(PLAN, AT)
    _, meant, offered = rows
    intent = meant.body
    assert isinstance(intent, Intent)
    assert (intent.raw, intent.tx, intent.nonce) == (node.raws[0], tx_hash(node.raws[0]), FIRST_NONCE)
    assert (intent.plan, intent.sender, intent.to) == (PLAN, KEEPER, VAULT)
    assert offered.body == Attempt(meant.seq, intent.tx)


async def test_submit__fees__are_those_the_guards_agreed_to(journal: SqlJournal) -> None:
    node = Node()
    await executor(node, journal).submit(PLAN, AT)
    written = json.loads(bytes.fromhex(node.raws[0][2:]))
    assert written["maxPriorityFeePerGas"] == AT.gas.tip
    assert written["maxFeePerGas"] == 2 * AT.gas.base_fee + AT.gas.tip
    assert "eth_feeHistory" not in node.methods


async def test_submit__node_offers_access_lists__signs_the_one_that_saves_gas(journal: SqlJournal) -> None:
    node = Node()
    node.access_list = [{"address": USDC.address, "storageKeys": ["0x" + "01" * 32]}]
    node.listed_gas = 90_000
    assert (await executor(node, journal).submit(PLAN, AT)).ok
    written = json.loads(bytes.fromhex(node.raws[0][2:]))
    assert (written["accessList"], written["gas"]) == (node.access_list, 108_000)


async def test_submit__node_refuses_access_lists__signs_without(journal: SqlJournal) -> None:
    node = Node()
    assert (await executor(node, journal).submit(PLAN, AT)).ok
    written = json.loads(bytes.fromhex(node.raws[0][2:]))
    assert ("accessList" in written, written["gas"]) == (False, 120_002)
    assert node.methods.count("eth_createAccessList") == 1


async def test_submit__reverts_when_mined__tells_why_and_what_it_cost(journal: SqlJournal) -> None:
    node = Node()
    node.before["eth_sendRawTransaction"] = lambda: setattr(node, "reverts", "vault: sequence")
    done = await executor(node, journal).submit(PLAN, AT)
    assert (done.ok, done.fills, done.revert, done.gas_used) == (False, (), "vault: sequence", 90_000)


async def test_submit__would_revert_by_now__signs_nothing(journal: SqlJournal) -> None:
    node = Node()
    node.reverts = "vault: deviation"
    done = await executor(node, journal).submit(PLAN, AT)
    assert (done.ok, done.tx, done.revert) == (False, None, "vault: deviation")
    assert (await kinds(journal), node.raws) == (["cycle"], [])


async def test_submit__another_transaction_of_the_key_under_way__sends_nothing(journal: SqlJournal) -> None:
    node = Node()
    node.pool[FIRST_NONCE] = "0x00"
    with pytest.raises(ChainError, match=f"nonces {FIRST_NONCE} to {FIRST_NONCE}; .* use this key nowhere else"):
        await executor(node, journal).submit(PLAN, AT)
    assert (await kinds(journal), node.raws) == (["cycle"], [])


async def test_submit__node_of_another_chain__is_broken_and_sends_nothing(journal: SqlJournal) -> None:
    node = Node()
    with pytest.raises(Broken, match="expected chain 10, found a node of chain 1"):
        await executor(node, journal).submit(PLAN, snapshot(chain_id=10))
    assert (await kinds(journal), node.raws) == (["cycle"], [])


async def test_submit__journal_cannot_be_written__sends_nothing(journal: SqlJournal) -> None:
    async with journal._transaction(writes=True) as connection:
        await connection.exec_driver_sql(
            "create trigger full before insert on journal begin select raise(abort, 'disk full'); end"
        )
    node = Node()
    with pytest.raises(Broken, match="disk full"):
        await executor(node, journal).submit(PLAN, AT)
    assert node.raws == []


async def test_submit__fate_unknown__stays_open_and_nothing_else_is_sent(journal: SqlJournal) -> None:
    node = Node()
    await leave_open(node, journal)
    assert (await journal.memory()).open_intent == 2
    with pytest.raises(ChainError, match="journal row 2 has no known fate; settle it"):
        await executor(node, journal).submit(PLAN, AT)
    assert await kinds(journal) == ["cycle", "intent", "attempt"]


async def test_settle__nothing_open__is_none_and_asks_nobody(journal: SqlJournal) -> None:
    node = Node()
    assert await executor(node, journal).settle() is None
    assert node.methods == []


async def test_settle__bytes_never_arrived__offers_the_same_again(journal: SqlJournal) -> None:
    node = Node()
    await leave_open(node, journal)
    done = await executor(node, journal).settle()
    (meant,) = await journal.records("intent")
    assert done is not None
    assert (done.ok, done.fills) == (True, (SWAP_FILL,))
    assert node.raws == [meant.body.raw]  # type: ignore[attr-defined]
    assert await kinds(journal) == ["cycle", "intent", "attempt", "attempt"]


async def test_settle__mined_while_away__reads_the_receipt_and_sends_nothing(journal: SqlJournal) -> None:
    node = Node()
    node.before["eth_getTransactionReceipt"] = Flaky(lost(), times=10**9)
    with pytest.raises(ChainError):
        await executor(node, journal).submit(PLAN, AT)
    del node.before["eth_getTransactionReceipt"]
    node.finalized = PLAN.deadline + 1  # even then: a receipt is a receipt
    done = await executor(node, journal).settle()
    assert done is not None
    assert (done.ok, len(node.raws)) == (True, 1)


async def test_settle__nonce_used_by_another__waits_for_the_deadline_to_be_final(journal: SqlJournal) -> None:
    node = Node()
    await leave_open(node, journal)
    node.use_nonce()
    node.finalized = PLAN.deadline
    with pytest.raises(ChainError, match="nonce too low"):
        await executor(node, journal).settle()
    assert (await journal.memory()).open_intent == 2
    node.finalized = PLAN.deadline + 1
    done = await executor(node, journal).settle()
    assert done is not None
    assert (done.ok, done.gas_used, done.revert) == (False, 0, "never mined, and its deadline has passed for good")
    assert node.mined == {}


async def test_settle__receipt_cannot_be_asked_for__is_unknown_even_past_the_deadline(journal: SqlJournal) -> None:
    node = Node()
    await leave_open(node, journal)
    node.finalized = PLAN.deadline + 1
    node.before["eth_getTransactionReceipt"] = Flaky(lost())
    with pytest.raises(ChainError, match="no answer"):
        await executor(node, journal).settle()
    assert (await journal.memory()).open_intent == 2


async def test_settle__cycle_of_the_intent_not_recorded__is_broken(url: str) -> None:
    journal = SqlJournal(url)
    await journal.append(1, "intent", bundles.intent())
    with pytest.raises(Broken, match="expected row 1 to be the last intent, of a recorded cycle"):
        await executor(Node(), journal).settle()
    await journal.close()


async def finish(node: Node, url: str) -> Outcome:
    """What a new process does: settle what is open, else carry the same plan out."""
    journal = SqlJournal(url)
    try:
        keeper = executor(node, journal)
        done = await keeper.settle()
        if done is None and not node.mined:
            done = await keeper.submit(PLAN, AT)
        assert done is not None
        await journal.append(1, "outcome", done)
        assert (await journal.memory()).open_intent is None
        assert await journal.verify() is None
        return done
    finally:
        await journal.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("row", [1, 2])
async def test_crash__around_every_row__the_bundle_runs_exactly_once(
    journal: SqlJournal, url: str, row: int, after: bool
) -> None:
    node, dying = Node(), CountedJournal(url, row, after)
    with pytest.raises(Killed):
        await executor(node, dying).submit(PLAN, AT)
    await dying.close()
    done = await finish(node, url)
    assert (done.ok, len(node.mined), set(map(tx_hash, node.raws))) == (True, 1, {done.tx})


REQUESTS = (
    "eth_getTransactionCount",
    "eth_estimateGas",
    "eth_chainId",
    "eth_createAccessList",
    "eth_sendRawTransaction",
)


@pytest.mark.parametrize("mining", [True, False])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("method", [*REQUESTS, "eth_getTransactionReceipt"])
async def test_crash__around_every_request__the_bundle_runs_exactly_once(
    journal: SqlJournal, url: str, method: str, moment: str, mining: bool
) -> None:
    node = Node()
    node.mining = mining
    node.access_list, node.listed_gas = [], 90_000
    getattr(node, moment)[method] = Flaky(Killed())
    with pytest.raises(Killed):
        await executor(node, journal).submit(PLAN, AT)
    node.mining = True
    node.mine()
    done = await finish(node, url)
    assert (done.ok, len(node.mined), set(map(tx_hash, node.raws))) == (True, 1, {done.tx})


@pytest.mark.parametrize("error", [lost(), refusal("header not found"), refusal("nonce too low")])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_broadcast__any_wrong_answer__ends_in_exactly_one_bundle(
    journal: SqlJournal, url: str, error: ChainError, moment: str
) -> None:
    node = Node()
    getattr(node, moment)["eth_sendRawTransaction"] = Flaky(error, times=2)
    done = await executor(node, journal).submit(PLAN, AT)
    assert (done.ok, len(node.mined), set(map(tx_hash, node.raws))) == (True, 1, {done.tx})


async def test_dry_run__simulates__and_refuses_to_send() -> None:
    node, at = Node(), snapshot()
    dry = DryRunExecutor(node, KEEPER, VAULT, MAINNET.multicall3)
    assert (await dry.simulate(PLAN, at)).fills == (SWAP_FILL,)
    with pytest.raises(Refused, match="dry run: it holds no key"):
        await dry.submit(PLAN, at)
    assert await dry.settle() is None
    assert node.raws == []
