"""One turn: what is recorded, in which order, and what is never sent."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.errors import ChainError, DataError, Refused
from bot.core.rows import Intent, Note, Skip
from bot.core.types import Memory, Outcome, Plan, Proposal, Snapshot
from bot.core.units import Gas, Wei
from bot.cycle import run_cycle
from bot.execution.reconcile import expected
from bot.journal import SqlJournal
from bot.policy.rules import Policy
from bot.propose import propose
from tests import factories
from tests.factories import VAULT

QUIET = factories.snapshot()
DRIFTED = factories.snapshot(("500000", "100", "2.2222"))
PAUSED = replace(DRIFTED, vault=factories.vault_state(paused=True))
STRICT = {"guards": {"ask_above": "1000"}}


class World:
    """Observer, executor and notifier in one, writing down what they were asked."""

    def __init__(self, journal: SqlJournal, seen: Snapshot | Exception) -> None:
        self.journal, self.seen = journal, seen
        self.simulates = self.submits = True
        self.open: Outcome | Exception | None = None
        self.asked: list[str] = []
        self.told: list[tuple[Proposal, Outcome | None]] = []

    async def settle(self) -> Outcome | None:
        self.asked.append("settle")
        if isinstance(self.open, Exception):
            raise self.open
        return self.open

    async def observe(self) -> Snapshot:
        self.asked.append("observe")
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen

    async def simulate(self, plan: Plan, at: Snapshot) -> Outcome:
        self.asked.append("simulate")
        return done(plan, at, None) if self.simulates else failed(None, "vault: loss")

    async def submit(self, plan: Plan, at: Snapshot) -> Outcome:
        self.asked.append("submit")
        await self.journal.append(1, "intent", Intent(plan, VAULT, VAULT, "0x", 1, "0x", "0xaa"))
        return done(plan, at, "0xaa") if self.submits else failed("0xaa", "vault: sequence")

    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None:
        self.told.append((proposal, outcome))

    async def turn(
        self, policy: Policy | None = None, cycle: int = 1, approved: bool = False, dry_run: bool = False
    ) -> tuple[Proposal, Outcome | None]:
        rules = policy or factories.policy()
        return await run_cycle(rules, self, self, self.journal, self, cycle=cycle, approved=approved, dry_run=dry_run)

    async def rows(self) -> list[str]:
        return [record.kind for record in await self.journal.records()]


def done(plan: Plan, at: Snapshot, tx: str | None) -> Outcome:
    return Outcome(True, tx, at.block.number + 1, expected(plan, at), Gas(400_000), Wei(10**9))


def failed(tx: str | None, why: str) -> Outcome:
    return Outcome(False, tx, 24_000_001, (), Gas(90_000), Wei(10**9), why)


@pytest.fixture
async def journal() -> AsyncIterator[SqlJournal]:
    opened = SqlJournal("sqlite://")
    yield opened
    await opened.close()


async def test_cycle__nothing_to_do__is_recorded_with_its_reasons_and_nobody_is_told(journal: SqlJournal) -> None:
    world = World(journal, QUIET)
    proposal, outcome = await world.turn()
    (row,) = await journal.records()
    assert (proposal.verdict, outcome, row.kind) == ("idle", None, "cycle")
    assert row.body == (QUIET, proposal)
    assert proposal.decision.reasons
    assert (world.asked, world.told) == (["settle", "observe"], [])


async def test_cycle__drifted__is_simulated_sent_reconciled_and_told(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    proposal, outcome = await world.turn()
    assert proposal == propose(factories.policy(), Memory(), DRIFTED)
    assert outcome == done(proposal.plan, DRIFTED, "0xaa")
    assert await world.rows() == ["cycle", "simulation", "intent", "outcome", "note"]
    bodies = [record.body for record in await journal.records()]
    assert bodies[1] == done(proposal.plan, DRIFTED, None)
    assert bodies[3:] == [outcome, Note("all 2 amounts exactly as expected")]
    assert world.asked == ["settle", "observe", "simulate", "submit"]
    assert world.told == [(proposal, outcome)]
    memory = await journal.memory()
    assert (memory.last_bundle, memory.open_intent) == (DRIFTED.block.timestamp, None)


async def test_cycle__plan__is_made_for_the_sequence_that_was_seen(journal: SqlJournal) -> None:
    assert DRIFTED.vault is not None
    proposal, _ = await World(journal, DRIFTED).turn()
    assert proposal.plan.sequence == DRIFTED.vault.sequence


async def test_cycle__refused__is_recorded_and_told_but_not_tried(journal: SqlJournal) -> None:
    world = World(journal, PAUSED)
    proposal, outcome = await world.turn(approved=True)
    assert (proposal.verdict, outcome) == ("refuse", None)
    assert (await world.rows(), world.told) == (["cycle"], [(proposal, None)])
    assert world.asked == ["settle", "observe"]


async def test_cycle__needs_a_person__waits_for_the_approval(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    proposal, outcome = await world.turn(factories.policy(**STRICT))
    assert (proposal.verdict, outcome, await world.rows()) == ("ask", None, ["cycle"])
    assert world.told == [(proposal, None)]
    proposal, outcome = await world.turn(factories.policy(**STRICT), cycle=2, approved=True)
    assert outcome is not None
    assert (proposal.verdict, outcome.ok) == ("ask", True)
    assert await world.rows() == ["cycle", "cycle", "simulation", "intent", "outcome", "note"]


async def test_cycle__dry_run__simulates_and_sends_and_settles_nothing(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    proposal, outcome = await world.turn(dry_run=True)
    assert outcome == done(proposal.plan, DRIFTED, None)
    assert world.asked == ["observe", "simulate"]
    assert await world.rows() == ["cycle", "rehearsal", "note"]


async def test_cycle__simulation_fails__is_not_sent(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    world.simulates = False
    proposal, outcome = await world.turn()
    assert outcome == failed(None, "vault: loss")
    assert world.asked == ["settle", "observe", "simulate"]
    assert [record.body for record in await journal.records()][1:] == [outcome, Note("nothing moved: vault: loss")]
    assert world.told == [(proposal, outcome)]


async def test_cycle__bundle_fails__is_remembered_as_a_failure(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    world.submits = False
    await world.turn()
    memory = await journal.memory()
    assert (memory.failures, memory.open_intent) == (1, None)


@pytest.mark.parametrize("error", [DataError("feed of WETH is 2 h old"), ChainError("no answer within 10 s")])
async def test_cycle__world_cannot_be_seen__is_a_skip_row_and_raised(journal: SqlJournal, error: Exception) -> None:
    world = World(journal, error)
    with pytest.raises(type(error), match=str(error)):
        await world.turn(cycle=4)
    (row,) = await journal.records()
    assert (row.kind, row.cycle, row.body) == ("skip", 4, Skip(type(error).__name__, str(error)))
    assert world.told == []


async def test_cycle__earlier_bundle_settled__is_recorded_before_anything_is_decided(journal: SqlJournal) -> None:
    first = World(journal, DRIFTED)
    first.submit = lost_after_intent(journal)  # type: ignore[method-assign]
    with pytest.raises(ChainError):
        await first.turn()
    assert (await journal.memory()).open_intent == 3
    second = World(journal, QUIET)
    plan = (await journal.records("intent"))[0].body.plan  # type: ignore[attr-defined]
    second.open = done(plan, DRIFTED, "0xaa")
    await second.turn(cycle=2)
    assert await second.rows() == ["cycle", "simulation", "intent", "skip", "outcome", "cycle"]
    memory = await journal.memory()
    assert (memory.open_intent, memory.last_bundle) == (None, DRIFTED.block.timestamp)


async def test_cycle__earlier_bundle_still_unknown__observes_and_sends_nothing(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    world.open = ChainError("expected a receipt of 0xaa, found none")
    with pytest.raises(ChainError, match="found none"):
        await world.turn()
    assert (world.asked, await world.rows()) == (["settle"], ["skip"])


async def test_cycle__dry_run_over_an_open_bundle__is_refused_by_the_guard(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)
    proposal = propose(factories.policy(), Memory(), DRIFTED)
    await journal.append(1, "cycle", (DRIFTED, proposal))
    await journal.append(1, "intent", Intent(proposal.plan, VAULT, VAULT, "0x", 1, "0x", "0xaa"))
    proposal, outcome = await world.turn(cycle=2, dry_run=True)
    assert (proposal.verdict, outcome) == ("refuse", None)


async def test_cycle__refusal_by_the_executor__is_raised(journal: SqlJournal) -> None:
    world = World(journal, DRIFTED)

    async def refuse(plan: Plan, at: Snapshot) -> Outcome:
        raise Refused("this is a dry run")

    world.submit = refuse  # type: ignore[method-assign]
    with pytest.raises(Refused):
        await world.turn()
    assert await world.rows() == ["cycle", "simulation"]


def lost_after_intent(journal: SqlJournal):  # type: ignore[no-untyped-def]
    async def submit(plan: Plan, at: Snapshot) -> Outcome:
        await journal.append(1, "intent", Intent(plan, VAULT, VAULT, "0x", 1, "0x", "0xaa"))
        raise ChainError("expected a receipt of 0xaa, found none")

    return submit
