"""A journal and its chain: bound once, and refused on another."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.config.origin import DEPTH, bind, expect_origin
from bot.core.errors import ConfigError
from bot.core.rows import Origin
from bot.journal import SqlJournal

NEWEST = 100


class Blocks:
    """A node whose blocks carry the name of their chain; of the first ones it may keep none."""

    def __init__(self, name: str, newest: int = NEWEST, kept_from: int = 0) -> None:
        self.name, self.newest, self.kept_from = name, newest, kept_from

    async def call(self, method: str, *params: Any) -> Any:
        if method == "eth_blockNumber":
            return hex(self.newest)
        assert method == "eth_getBlockByNumber"
        number = int(params[0], 16)
        return {"hash": f"{self.name}{number}"} if self.kept_from <= number <= self.newest else None


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'journal.db'}"


@pytest.fixture
async def journal(url: str) -> AsyncIterator[SqlJournal]:
    found = SqlJournal(url)
    yield found
    await found.close()


async def test_origin__new_journal__is_of_no_chain_yet(journal: SqlJournal, url: str) -> None:
    assert await expect_origin(Blocks("a"), journal, url, 1) == "begun on no chain yet"
    assert await journal.records() == []


async def test_bind__again__leaves_the_first_and_counts_no_cycle(journal: SqlJournal) -> None:
    await bind(Blocks("a"), journal, 1)
    await bind(Blocks("b"), journal, 2)
    (record,) = await journal.records()
    assert record.body == Origin(1, NEWEST - DEPTH, f"a{NEWEST - DEPTH}")
    assert await journal.last_cycle() == 0
    assert await journal.verify() is None


async def test_bind__young_chain__takes_its_first_block(journal: SqlJournal) -> None:
    await bind(Blocks("a", newest=1), journal, 1)
    assert (await journal.records())[0].body == Origin(1, 0, "a0")


@pytest.mark.parametrize("newest", [NEWEST - DEPTH, NEWEST + 1_000])
async def test_origin__same_chain__is_well(newest: int, journal: SqlJournal, url: str) -> None:
    await bind(Blocks("a"), journal, 1)
    assert f"block {NEWEST - DEPTH}" in await expect_origin(Blocks("a", newest), journal, url, 1)


async def test_origin__newest_blocks_replaced__is_the_same_chain(journal: SqlJournal, url: str) -> None:
    """What a reorganisation may take back is not what a journal is bound to."""
    await bind(Blocks("a"), journal, 1)

    class Reorganised(Blocks):
        async def call(self, method: str, *params: Any) -> Any:
            block = await super().call(method, *params)
            return {"hash": "other"} if method != "eth_blockNumber" and int(params[0], 16) > NEWEST - DEPTH else block

    await expect_origin(Reorganised("a"), journal, url, 1)


@pytest.mark.parametrize(
    ("node", "chain_id", "found"),
    [
        (Blocks("b"), 1, "found one whose block 97 is b97"),
        (Blocks("a", newest=50), 1, "found one of 50 blocks, or a node that is not synchronised"),
        (Blocks("a"), 5, "found chain 5"),
    ],
    ids=["other blocks", "too few blocks", "other id"],
)
async def test_origin__another_chain__is_refused_with_what_to_do(
    node: Blocks, chain_id: int, found: str, journal: SqlJournal, url: str
) -> None:
    await bind(Blocks("a"), journal, 1)
    with pytest.raises(ConfigError, match=found) as refused:
        await expect_origin(node, journal, url, chain_id)
    assert "journal.db: expected the chain it was begun on" in str(refused.value)
    assert "remove the journal" in str(refused.value)


async def test_origin__node_that_keeps_no_old_blocks__is_believed(journal: SqlJournal, url: str) -> None:
    await bind(Blocks("a"), journal, 1)
    await expect_origin(Blocks("b", kept_from=NEWEST), journal, url, 1)
