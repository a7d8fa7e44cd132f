"""Gas of every operation on the published Uniswap: the bare pool calls, our vault, a wallet with Uniswap's routers.

python -m bench.gas [--json | --profile | --update]
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from bench.contracts import floor, vault, wallet
from bench.contracts.jobs import JOBS, TRADES, Job, Plan, run
from bench.contracts.profile import profiles
from bench.contracts.scene import Scene, aside, opened, share
from bench.table import show

FIGURES = Path(__file__).parents[1] / "tests" / "contracts" / "gas.json"
TITLE = "Gas as receipts say it, with calldata and the first 21,000; our bundles with an access list; ticks: "
STATES = {  # of the ticks
    "own": "nobody else uses them",
    "shared": "others have initialised all of them",
    "held": "shared, and the holder comes back to ranges it had before",
}
CHANGE = 0.01  # of a figure, more than which nobody may miss
Prepare = Callable[[Scene, Job], Awaitable[None]]
Ways = Callable[[Scene, Job], Awaitable[tuple[Plan, ...]]]


async def of_vault(scene: Scene, state: str) -> dict[str, int]:
    """Our vault's gas by operation, on the scene as it is; jobs that begin alike share a beginning."""
    found = {}
    jobs = _jobs(state)
    for begin in dict.fromkeys((job.ranges, job.pair) for job in jobs):
        alike = [job for job in jobs if (job.ranges, job.pair) == begin]
        async with aside(scene.rpc):
            begun = await _begin(scene, alike[0], state, vault.prepare, _one(vault.plan))
            for job in alike:
                async with aside(scene.rpc):
                    found[job.key] = await run(begun, await vault.plan(begun, job))
    return found


async def figures() -> dict[str, int]:
    """Our vault's gas by operation and state, as tests/contracts/gas.json keeps it."""
    found = {}
    async with opened() as scene:
        for state in STATES:
            if state == "shared":
                await share(scene)
            found |= {f"{key}.{state}": gas for key, gas in (await of_vault(scene, state)).items()}
    return found


def _jobs(state: str) -> list[Job]:
    """What there is to measure: only moves come back."""
    return [job for job in JOBS if job.moves or state != "held"]


async def _begin(scene: Scene, job: Job, state: str, prepare: Prepare, ways: Ways) -> Scene:
    """Prepare, and let others trade; to come back, move there first. The scene as the job finds it."""
    await prepare(scene, job)
    await scene.trade(TRADES)
    if state != "held":
        return scene
    there, *_ = await ways(scene, replace(job, swaps=False))
    await run(scene, there)
    await scene.trade(TRADES)
    return replace(scene, old=scene.new, new=scene.old)


def changed(known: dict[str, int], found: dict[str, int]) -> list[str]:
    """What a figure was and is, for each that moved by more than CHANGE or is on one side only."""
    return [
        f"{key}: was {known.get(key)}, is {found.get(key)}"
        for key in sorted(known | found)
        if key not in known or key not in found or abs(found[key] - known[key]) > CHANGE * known[key]
    ]


async def compare(scene: Scene, state: str) -> list[dict[str, object]]:
    """Everybody's gas by operation; "-" where a wallet has no such job or no better way."""
    rows: list[dict[str, object]] = []
    for job in _jobs(state):
        (bare,) = await _cheapest(scene, job, state, floor.prepare, _one(floor.plan))
        (ours,) = await _cheapest(scene, job, state, vault.prepare, _one(vault.plan), job.bundle)
        (unlisted,) = await _cheapest(scene, job, state, vault.prepare, _one(vault.plan))
        separate = await _cheapest(scene, job, state, wallet.prepare, _one(wallet.separate))
        at_once = await _cheapest(scene, job, state, wallet.prepare, wallet.at_once)
        target = job.target[state != "own"] if job.target else bare * 102 // 100
        rows.append(
            {
                "operation": job.title,
                "floor": bare,
                "vault": ours,
                "above floor": ours - bare,
                "target": target,
                "above target": ours - target,
                "unlisted": unlisted,
                "wallet: separate": separate[0] if separate else "-",
                "at once": at_once[0] if at_once else "-",
            }
        )
    return rows


async def _cheapest(
    scene: Scene, job: Job, state: str, prepare: Prepare, ways: Ways, listed: bool = False
) -> tuple[int, ...]:
    """The least gas among the ways to do a job, each from the same state; empty where there is none."""
    found = []
    async with aside(scene.rpc):
        begun = await _begin(scene, job, state, prepare, ways)
        for plan in await ways(begun, job):
            async with aside(scene.rpc):
                found.append(await run(begun, plan, listed))
    return (min(found),) if found else ()


def _one(plan: Callable[[Scene, Job], Awaitable[Plan]]) -> Ways:
    async def ways(scene: Scene, job: Job) -> tuple[Plan, ...]:
        found = await plan(scene, job)
        return (found,) if found else ()

    return ways


async def main() -> None:
    """Print the comparison, or where the vault's gas goes, or write the figures that the test holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--profile", action="store_true", help="where the vault's gas goes")
    parser.add_argument("--update", action="store_true", help=f"write {FIGURES.name}, which the tests compare with")
    options = parser.parse_args()
    if options.update:
        FIGURES.write_text(json.dumps(await figures(), indent=1, sort_keys=True) + "\n")
        return
    async with opened() as scene:
        if options.profile:
            for title, rows in await profiles(scene):
                show(title, rows, options.json)
            return
        for state, title in STATES.items():
            if state == "shared":
                await share(scene)
            show(TITLE + title, await compare(scene, state), options.json)


if __name__ == "__main__":
    asyncio.run(main())
