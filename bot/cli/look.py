"""`status`, `plan`, `explain`, `history`: looking, without recording or sending anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson, Files, settings

if TYPE_CHECKING:
    from bot.config import Config
    from bot.journal import SqlJournal

OUT_OF_BAND = 4  # exit code of `status`


def status(files: Files = None, as_json: AsJson = False) -> None:
    """Show weights, drift, band, positions with impermanent loss and fees, and gas. Exit code 4: out of band."""
    import asyncio

    inside = asyncio.run(_status(settings(files), as_json))
    if not inside:
        raise typer.Exit(OUT_OF_BAND)


def plan(files: Files = None, as_json: AsJson = False) -> None:
    """Show what would be done now, and why. Nothing is recorded or sent."""
    import asyncio

    asyncio.run(_plan(settings(files), as_json))


def explain(
    cycle: Annotated[int | None, typer.Argument(help="Number of a cycle; by default the last.", min=1)] = None,
    files: Files = None,
    as_json: AsJson = False,
) -> None:
    """Say in sentences why a cycle acted, or why it did not, and what came of it."""
    import asyncio

    asyncio.run(_explain(settings(files), cycle, as_json))


def history(
    files: Files = None,
    last: Annotated[int, typer.Option("--last", "-n", help="So many cycles, the newest last.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the last cycles: what was seen, decided and done."""
    import asyncio

    asyncio.run(_history(settings(files), last, as_json))


async def _status(config: "Config", as_json: bool) -> bool:
    from bot.cli.report import status as standing
    from bot.cli.show import emit, show_status
    from bot.config.wiring import build

    async with build(config) as parts:
        snapshot = await parts.observer.observe()
        now = standing(parts.policy, await parts.journal.memory(), snapshot)
    emit(now, as_json, show_status(now))
    return now.in_band


async def _plan(config: "Config", as_json: bool) -> None:
    from bot.cli.show import emit, lines
    from bot.cli.story import planned
    from bot.config.wiring import build

    async with build(config) as parts:
        snapshot, proposal = await parts.look()
    said = planned(snapshot, proposal)
    emit({"verdict": proposal.verdict, "block": snapshot.block.number, "proposal": proposal}, as_json, lines(*said))


async def _explain(config: "Config", cycle: int | None, as_json: bool) -> None:
    from bot.cli.show import emit, lines
    from bot.cli.story import tell
    from bot.core.errors import DataError

    async with _journal(config) as journal:
        newest = await journal.last_cycle()
        wanted = cycle or newest
        records = await journal.records(cycle=wanted) if newest else []
    if not records:
        raise DataError(
            f"expected cycle {wanted or 1} in the journal, found {newest} cycles; `evenkeel run` makes more"
        )
    said = tell(records)
    emit({"cycle": wanted, "said": said}, as_json, lines(*said))


async def _history(config: "Config", last: int, as_json: bool) -> None:
    from bot.cli.show import emit, grid
    from bot.cli.story import in_short

    async with _journal(config) as journal:
        newest = await journal.last_cycle()
        turns = [await journal.records(cycle=n) for n in range(max(1, newest - last + 1), newest + 1)]
    rows = [in_short(records) for records in turns if records]
    heads = ("cycle", "at", "what happened", "worth", "worst drift", "gas")
    cells = [(str(row.cycle), row.at, row.what, *row.figures) for row in rows]
    emit(rows, as_json, lambda console: console.print(grid(heads, cells, left=3)))


@asynccontextmanager
async def _journal(config: "Config") -> "AsyncIterator[SqlJournal]":
    from bot.journal import SqlJournal

    journal = SqlJournal(config.journal.url)
    try:
        yield journal
    finally:
        await journal.close()


VERBS = (status, plan, explain, history)
