"""Profit and loss of the account's positions: what each was entered with, and what it has become."""

from dataclasses import dataclass

from bot.amm.loss import ImpermanentLoss, impermanent_loss
from bot.amm.pools import holdings
from bot.core.types import Entry, Memory, Position, Snapshot


@dataclass(frozen=True, slots=True)
class PositionResult:
    """One position against holding its entry amounts."""

    position: str
    pool: str  # name
    loss: ImpermanentLoss
    in_range: bool


def position_results(memory: Memory, snapshot: Snapshot) -> tuple[PositionResult, ...]:
    """One result per position; a position without a remembered entry is measured from now."""
    return tuple(_result(memory, snapshot, position) for position in snapshot.positions)


def entry_of(memory: Memory, snapshot: Snapshot, position: Position) -> Entry:
    """What we know of a position's entry: as remembered, scaled when part of it has left; else its first sight."""
    known = next((e for e in memory.entries if e.position == position.id), None)
    if known is None or position.liquidity > known.liquidity:
        amounts = holdings(snapshot.pool(position.pool), position)
        return Entry(position.id, position.liquidity, *amounts, snapshot.block.timestamp)
    return known.scaled(position.liquidity)


def _result(memory: Memory, snapshot: Snapshot, position: Position) -> PositionResult:
    pool = snapshot.pool(position.pool)
    entry = entry_of(memory, snapshot, position)
    loss = impermanent_loss(pool, position, entry, snapshot.price(pool.token0), snapshot.price(pool.token1))
    in_range = pool.kind == "v2" or position.tick_lower <= pool.tick < position.tick_upper
    return PositionResult(position.id, pool.name, loss, in_range)
