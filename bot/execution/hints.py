"""The hints that a bundle carries, read freshly for each: where the mean over time of each of its pools begins."""

from bot.chain.multicall import read_together
from bot.core.ports import Rpc
from bot.core.types import Plan, Snapshot
from bot.venues.observations import hint


async def hints(rpc: Rpc, multicall3: str, plan: Plan, at: Snapshot) -> dict[str, int]:
    """By pool, for each of the plan's pools that the vault holds against its mean; asks nobody where there is none.

    DataError when a pool does not remember so much.
    """
    windows = dict(zip(at.vault.pools, at.vault.windows, strict=False)) if at.vault else {}
    pools = [pool for pool in dict.fromkeys(step.pool for step in plan.steps) if windows.get(pool)]
    readings = [hint(pool, windows[pool], multicall3) for pool in pools]
    return dict(zip(pools, await read_together(rpc, multicall3, readings, "pending"), strict=True))
