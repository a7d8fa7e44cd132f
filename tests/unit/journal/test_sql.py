"""The journal keeps rows, folds them, and notices when someone touched them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.errors import Broken, ConfigError
from bot.core.rows import Approval, Note
from bot.core.types import Memory
from bot.journal import SqlJournal
from bot.ledger.memory import remember
from tests import factories
from tests.unit.execution import bundles

BODIES = (
    ("cycle", (factories.snapshot(), bundles.proposal())),
    ("simulation", bundles.outcome(tx=None)),
    ("intent", bundles.intent()),
    ("outcome", bundles.outcome()),
    ("cycle", (factories.snapshot(), bundles.proposal(act=False))),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqlJournal]:
    opened = SqlJournal(f"sqlite:///{path}", clock=lambda: 1_800_000_000.9)
    yield opened
    await opened.close()


async def fill(journal: SqlJournal) -> None:
    for number, (kind, body) in enumerate(BODIES):
        await journal.append(1 + number // 4, kind, body)


def tamper(path: Path, *statements: str) -> None:
    """Edit the file as someone with the file but without the journal's manners would."""
    with closing(sqlite3.connect(path)) as database, database:
        for name in ("update", "delete"):
            database.execute(f"drop trigger journal_no_{name}")
        for statement in statements:
            database.execute(statement)


def scribble(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


async def test_append__several_rows__are_read_back_in_order(journal: SqlJournal) -> None:
    await fill(journal)
    records = await journal.records()
    assert [(r.seq, r.cycle, r.kind, r.body) for r in records] == [
        (n + 1, 1 + n // 4, kind, body) for n, (kind, body) in enumerate(BODIES)
    ]
    assert {r.at for r in records} == {1_800_000_000}


async def test_append__row__is_returned_as_it_is_stored(journal: SqlJournal) -> None:
    assert [await journal.append(1, "note", Note("hello"))] == await journal.records()


async def test_records__kind_cycle_and_last__narrow_the_answer(journal: SqlJournal) -> None:
    await fill(journal)
    assert [r.seq for r in await journal.records("cycle")] == [1, 5]
    assert [r.seq for r in await journal.records("cycle", last=1)] == [5]
    assert [r.seq for r in await journal.records(last=2)] == [4, 5]
    assert [r.seq for r in await journal.records(cycle=1)] == [1, 2, 3, 4]
    assert [r.seq for r in await journal.records("cycle", cycle=1)] == [1]
    assert await journal.records("approval") == []


async def test_last_cycle__empty_and_filled__is_the_highest(journal: SqlJournal) -> None:
    assert await journal.last_cycle() == 0
    await fill(journal)
    await journal.append(1, "note", Note("late word about an early cycle"))
    assert await journal.last_cycle() == 2


async def test_memory__row_by_row__equals_the_fold_of_a_restart(journal: SqlJournal, path: Path) -> None:
    memory = Memory()
    assert await journal.memory() == memory
    for seq, (kind, body) in enumerate(BODIES, start=1):
        await journal.append(1, kind, body)
        memory = remember(memory, seq, kind, body)
        restarted = SqlJournal(f"sqlite:///{path}")
        assert await journal.memory() == memory == await restarted.memory()
        await restarted.close()
    assert memory != Memory()


async def test_memory__open_intent__names_its_row(journal: SqlJournal) -> None:
    for kind, body in BODIES[:3]:
        await journal.append(1, kind, body)
    assert (await journal.memory()).open_intent == 3
    assert (await journal.memory()).open_plan == bundles.plan()


async def test_append__two_writers_at_once__make_one_chain(journal: SqlJournal, path: Path) -> None:
    other = SqlJournal(f"sqlite:///{path}")
    await asyncio.gather(
        *(journal.append(1, "note", Note(f"daemon {n}")) for n in range(20)),
        *(other.append(1, "approval", Approval(1, "ada", True, str(n))) for n in range(20)),
    )
    assert [r.seq for r in await journal.records()] == list(range(1, 41))
    assert await journal.verify() is None
    await other.close()


async def test_memory__row_of_another_process__is_taken_in(journal: SqlJournal, path: Path) -> None:
    await fill(journal)
    before = await journal.memory()
    other = SqlJournal(f"sqlite:///{path}")
    await other.append(3, "intent", bundles.intent())
    await other.close()
    assert before.open_intent is None
    assert (await journal.memory()).open_intent == 6


@pytest.mark.parametrize("statement", ["update journal set body = '{}'", "delete from journal where seq = 2"])
async def test_database__update_or_delete__is_refused(journal: SqlJournal, path: Path, statement: str) -> None:
    await fill(journal)
    with closing(sqlite3.connect(path)) as database, pytest.raises(sqlite3.IntegrityError, match="append only"):
        database.execute(statement)
    assert await journal.verify() is None


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update journal set body = replace(body, '480000', '480001') where seq = 4", "row 4 (outcome of cycle 1)"),
        ("update journal set cycle = 9 where seq = 2", "row 2 (simulation of cycle 9)"),
        ("update journal set at = at + 1 where seq = 1", "row 1 (cycle of cycle 1)"),
        ("update journal set kind = 'outcome' where seq = 2", "row 2 (outcome of cycle 1)"),
        ("update journal set hash = 'ff' where seq = 3", "row 3 (intent of cycle 1)"),
        ("delete from journal where seq = 3", "row 3 is missing: row 4"),
        ("delete from journal where seq = 1", "row 1 is missing: row 2"),
    ],
)
async def test_verify__row_touched__names_it(journal: SqlJournal, path: Path, statement: str, said: str) -> None:
    await fill(journal)
    assert await journal.verify() is None
    tamper(path, statement)
    assert (await journal.verify() or "").startswith(said)
    restarted = SqlJournal(f"sqlite:///{path}")
    with pytest.raises(Broken, match="journal: row"):
        await restarted.memory()
    await restarted.close()


async def test_verify__two_rows_swapped_with_their_hashes__names_the_first(journal: SqlJournal, path: Path) -> None:
    await fill(journal)
    steps = ((2, -2), (4, 2), (-2, 4))
    tamper(path, *(f"update journal set seq = {to} where seq = {origin}" for origin, to in steps))
    assert (await journal.verify() or "").startswith("row 2 (outcome")


async def test_append__body_that_cannot_be_read_back__leaves_no_row(journal: SqlJournal) -> None:
    with pytest.raises(Broken):
        await journal.append(1, "outcome", Note("not an outcome"))
    assert await journal.records() == []


async def test_append__disk_will_not_take_it__is_broken_and_leaves_no_row(journal: SqlJournal, path: Path) -> None:
    await journal.append(1, "note", Note("first"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("create trigger full before insert on journal begin select raise(abort, 'disk full'); end")
    with pytest.raises(Broken, match="disk full"):
        await journal.append(1, "note", Note("second"))
    assert [r.body for r in await journal.records()] == [Note("first")]


async def test_database__opened__is_synchronous_and_write_ahead(journal: SqlJournal, path: Path) -> None:
    async with journal._transaction() as connection:
        assert (await connection.exec_driver_sql("pragma journal_mode")).scalar() == "wal"
        assert (await connection.exec_driver_sql("pragma synchronous")).scalar() == 2  # FULL


async def test_url__directory_absent__is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a directory"):
        SqlJournal(f"sqlite:///{tmp_path}/absent/journal.db")


async def test_url__not_a_database__is_a_configuration_error(path: Path) -> None:
    scribble(path)
    journal = SqlJournal(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="not a database"):
        await journal.memory()
    await journal.close()


async def test_close__used_again__opens_again(journal: SqlJournal) -> None:
    await journal.append(1, "note", Note("before"))
    await journal.close()
    assert [r.body for r in await journal.records()] == [Note("before")]
