"""Every job by the floor: the pool calls and nothing else."""

from bench.contracts.jobs import (
    FIRST_MINT,
    PART,
    SHARES,
    SOLD,
    Job,
    Plan,
    Tx,
    half_of_pair,
    pair_out,
    paired,
    receiver,
    run,
    tx,
)
from bench.contracts.scene import HOLDER, IDLE, KEEPER, NEWCOMER, STAKE, Range, Scene, fund


async def prepare(scene: Scene, job: Job) -> None:
    """Idle amounts, ranges, LP tokens and a holder as the job wants them."""
    await fund(scene.rpc, HOLDER, scene.floor)
    await fund(scene.rpc, NEWCOMER, scene.floor)
    if job.key == "mint_first":
        return
    await fund(scene.rpc, scene.floor)
    steps = [tx(KEEPER, scene.floor, "add(uint256)", part.word) for part in scene.old[: job.ranges]]
    if job.pair:
        steps.append(tx(KEEPER, scene.floor, "add_pair(uint256,uint256)", *await paired(scene)))
    steps.append(tx(HOLDER, scene.floor, "mint(uint256,uint256,uint256)", SHARES, *STAKE))
    await run(scene, steps)


async def plan(scene: Scene, job: Job) -> Plan:
    """One call of the job's own function."""
    old, new = ([part.word for part in parts[: job.ranges]] for parts in (scene.old, scene.new))
    if job.moves:
        words = "uint256" if job.ranges == 1 else "uint256[2]"
        sides = (old[0], new[0]) if job.ranges == 1 else (old, new)
        name = ("move", "move_two")[job.ranges - 1]
        if job.swaps:
            return [tx(KEEPER, scene.floor, f"{name}_and_swap({words},uint256,{words})", sides[0], SOLD, sides[1])]
        return [tx(KEEPER, scene.floor, f"{name}({words},{words})", *sides)]
    return [await _floor_single(scene, job.key)]


async def _floor_single(scene: Scene, key: str) -> Tx:
    if key == "swap_v3":
        return tx(KEEPER, scene.floor, "swap(uint256)", SOLD)
    if key == "swap_v2":
        return tx(KEEPER, scene.floor, "swap_pair(uint256,uint256)", SOLD, await pair_out(scene))
    if key == "add_v2":
        return tx(KEEPER, scene.floor, "add_pair(uint256,uint256)", *await paired(scene))
    if key == "remove_v2":
        return tx(KEEPER, scene.floor, "remove_pair(uint256)", await half_of_pair(scene, scene.floor))
    if key.startswith("mint"):
        who = NEWCOMER if key == "mint_newcomer" else HOLDER
        amounts = FIRST_MINT if key == "mint_first" else tuple(whole // PART for whole in FIRST_MINT)
        return tx(who, scene.floor, "mint(uint256,uint256,uint256)", SHARES // PART, *amounts)
    half = Range(scene.old[0].lower, scene.old[0].upper, scene.old[0].liquidity // 2)
    amounts = tuple(whole // 2 for whole in IDLE)
    to = await receiver(scene, key)
    redeem = "redeem(uint256,uint256,uint256,uint256,address)"
    return tx(HOLDER, scene.floor, redeem, SHARES // 2, half.word, *amounts, to)
