"""The journal in a SQL database; one file (SQLite, WAL, every commit on disk) unless the URL says otherwise."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    Row,
    Table,
    Text,
    event,
    func,
    insert,
    make_url,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.core.errors import Broken, ConfigError
from bot.core.types import Memory, Record
from bot.core.units import Timestamp
from bot.journal.codec import decode, encode
from bot.ledger.memory import remember

GENESIS: Final = "0" * 64  # what the first row names as the hash before it
DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
BUSY_S: Final = 30  # how long a writer waits for another process's transaction
BATCH: Final = 64  # rows held in memory at once while folding

METADATA: Final = MetaData()
ROWS: Final = Table(
    "journal",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("cycle", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Index("journal_kind", "kind", "seq"),
    Index("journal_cycle", "cycle"),
)
for changed in ("update", "delete"):
    statement = f"create trigger journal_no_{changed} before {changed} on journal"
    refusal = DDL(f"{statement} begin select raise(abort, 'journal: append only'); end")  # type: ignore[no-untyped-call]
    event.listen(ROWS, "after_create", refusal.execute_if(dialect="sqlite"))


def seal(previous: str, seq: int, at: int, cycle: int, kind: str, body: str) -> str:
    """Hash of a row: SHA-256 over the hash before it and its own content; only `body`, the last, may hold newlines."""
    return sha256(f"{previous}\n{seq}\n{at}\n{cycle}\n{kind}\n{body}".encode()).hexdigest()


class SqlJournal:
    """Append-only rows and the memory folded from them. The first use opens the database; `close` it at the end.

    Several processes may write to one database: rows stay one chain, and `memory` takes in what others wrote.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._url = _driver(url)
        self._clock = clock
        self._engine: AsyncEngine | None = None
        self._turn = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._memory = Memory()
        self._folded = 0
        self._last_hash = GENESIS

    async def append(self, cycle: int, kind: str, body: object) -> Record:
        """Write one row; it is on disk when this returns. Broken when it cannot be written, or not be read back."""
        text = encode(kind, body)
        async with self._turn, self._transaction(writes=True) as connection:
            newest = select(ROWS.c.seq, ROWS.c.hash).order_by(ROWS.c.seq.desc()).limit(1)
            last, previous = (await connection.execute(newest)).one_or_none() or (0, GENESIS)
            seq, at = last + 1, int(self._clock())
            digest = seal(previous, seq, at, cycle, kind, text)
            row = {"seq": seq, "at": at, "cycle": cycle, "kind": kind, "body": text, "hash": digest}
            await connection.execute(insert(ROWS).values(row))
        return Record(seq, Timestamp(at), cycle, kind, body, digest)

    async def memory(self) -> Memory:
        """The fold of every row so far: all of them at the first call, the new ones after. Broken on a broken chain."""
        async with self._turn, aclosing(self._rows(after=self._folded)) as rows:
            async for row in rows:
                self._fold(row)
            return self._memory

    async def records(self, kind: str | None = None, last: int | None = None, cycle: int | None = None) -> list[Record]:
        """Rows in order, oldest first: of one kind, of one cycle, and only the `last` so many, where asked."""
        query = select(ROWS).order_by(ROWS.c.seq.desc()).limit(last)
        if kind is not None:
            query = query.where(ROWS.c.kind == kind)
        if cycle is not None:
            query = query.where(ROWS.c.cycle == cycle)
        async with self._transaction() as connection:
            rows = (await connection.execute(query)).all()
        return [_record(row) for row in reversed(rows)]

    async def last_cycle(self) -> int:
        """The highest cycle number written; 0 when none was."""
        async with self._transaction() as connection:
            return (await connection.execute(select(func.max(ROWS.c.cycle)))).scalar() or 0

    async def verify(self) -> str | None:
        """Which row breaks the chain first, in a sentence; None when every row stands.

        Changed, reordered and missing rows are found; rows cut off the end are not: only a copy of the last hash
        kept elsewhere tells of those.
        """
        last, previous = 0, GENESIS
        async with aclosing(self._rows(after=0)) as rows:
            async for row in rows:
                said = _break(last, previous, row)
                if said is not None:
                    return said
                last, previous = row.seq, row.hash
        return None

    async def close(self) -> None:
        """Close the database; a later use opens it again."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    def _fold(self, row: Row[Any]) -> None:
        said = _break(self._folded, self._last_hash, row)
        if said is not None:
            raise Broken(f"journal: {said}")
        self._memory = remember(self._memory, row.seq, row.kind, decode(row.kind, row.body))
        self._folded, self._last_hash = row.seq, row.hash

    async def _rows(self, after: int) -> AsyncGenerator[Row[Any], None]:
        query = select(ROWS).where(ROWS.c.seq > after).order_by(ROWS.c.seq)
        async with self._transaction() as connection:
            async for row in await connection.stream(query.execution_options(yield_per=BATCH)):
                yield row

    @asynccontextmanager
    async def _transaction(self, writes: bool = False) -> AsyncGenerator[AsyncConnection, None]:
        engine = self._engine or await self._open()
        try:
            async with engine.execution_options(writes=writes).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise Broken(f"journal: {self._url} failed: {error}; check the disk and its permissions") from error

    async def _open(self) -> AsyncEngine:
        async with self._opening:
            if self._engine is None:
                engine = _engine(self._url)
                try:
                    async with engine.execution_options(writes=True).begin() as connection:
                        await connection.run_sync(METADATA.create_all)
                except SQLAlchemyError as error:
                    await engine.dispose()
                    said = f"journal: expected to open {self._url}, found: {error}; check its path and permissions"
                    raise ConfigError(said) from error
                self._engine = engine
            return self._engine


def _driver(url: str) -> URL:
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).parent.is_dir():
        raise ConfigError(f"journal: expected a directory for {parsed.database}, found none; create it")
    return parsed


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S})
    event.listen(engine.sync_engine, "connect", _durable)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _durable(connection: Any, _: object) -> None:
    # The driver would begin transactions by itself, too late for a read that decides what is written: `_begin` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=full")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _break(last: int, previous: str, row: Row[Any]) -> str | None:
    """What is wrong with `row` coming after row `last`, whose hash was `previous`; None when nothing is."""
    advice = f"stop the daemon and restore the journal from a copy that is whole beyond row {last}"
    if row.seq != last + 1:
        return f"row {last + 1} is missing: row {row.seq} stands in its place; {advice}"
    if row.hash != seal(previous, row.seq, row.at, row.cycle, row.kind, row.body):
        return f"row {row.seq} ({row.kind} of cycle {row.cycle}) is not what was written; {advice}"
    return None


def _record(row: Row[Any]) -> Record:
    return Record(row.seq, Timestamp(row.at), row.cycle, row.kind, decode(row.kind, row.body), row.hash)
