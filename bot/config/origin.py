"""Which chain a journal is of: what happened on one says nothing about another, even one with the same id."""

from typing import Final

from sqlalchemy import make_url

from bot.core.errors import ConfigError
from bot.core.ports import Rpc
from bot.core.rows import Origin
from bot.journal import SqlJournal

DEPTH: Final = 3  # blocks below the newest: no reorganisation goes so deep, and a vault takes more to be deployed


async def expect_origin(rpc: Rpc, journal: SqlJournal, url: str, chain_id: int) -> str:
    """Where the journal was begun, in words. ConfigError when the node's chain is another one.

    A node that no longer keeps the block cannot tell, and is believed.
    """
    origin = await _origin(journal)
    if origin is None:
        return "begun on no chain yet"
    wanted = f"chain {origin.chain_id} with block {origin.number} {_short(origin.hash)}"
    if origin.chain_id != chain_id:
        raise _another(url, wanted, f"chain {chain_id}")
    block = await rpc.call("eth_getBlockByNumber", hex(origin.number), False)
    if block is not None and block["hash"] != origin.hash:
        raise _another(url, wanted, f"one whose block {origin.number} is {_short(block['hash'])}")
    if block is None and (newest := int(await rpc.call("eth_blockNumber"), 16)) < origin.number:
        raise _another(url, wanted, f"one of {newest} blocks, or a node that is not synchronised")
    return f"begun on {wanted}"


async def bind(rpc: Rpc, journal: SqlJournal, chain_id: int) -> None:
    """Write down, once, on which chain the journal is begun. ChainError when the node fails."""
    if await _origin(journal) is None:
        newest = int(await rpc.call("eth_blockNumber"), 16)
        number = max(0, newest - DEPTH)
        block = await rpc.call("eth_getBlockByNumber", hex(number), False)
        await journal.append(0, "chain", Origin(chain_id, number, block["hash"]))


async def _origin(journal: SqlJournal) -> Origin | None:
    for record in await journal.records("chain", last=1):
        if isinstance(record.body, Origin):
            return record.body
    return None


def _another(url: str, wanted: str, found: str) -> ConfigError:
    parsed = make_url(url)
    name = parsed.database if parsed.get_backend_name() == "sqlite" else parsed.render_as_string(hide_password=True)
    return ConfigError(
        f"journal {name}: expected the chain it was begun on, {wanted}, found {found}; "
        "after a local chain was started anew, remove the journal; else correct chain.rpc, or name another journal.url"
    )


def _short(digest: str) -> str:
    return f"{digest[:10]}.."
