"""Every job by our vault: one bundle, mint or redemption with all its bounds."""

from bench.contracts.jobs import (
    FIRST_MINT,
    PART,
    SHARES,
    SOLD,
    Job,
    Plan,
    Tx,
    half_of_pair,
    least,
    more,
    paired,
    receiver,
    run,
    tx,
)
from bench.contracts.scene import HOLDER, IDLE, KEEPER, MOST, NEWCOMER, NO_DEADLINE, POOL, Scene, fund
from bot.chain.abi import encode_call
from bot.chain.mainnet import MAINNET
from bot.chain.multicall import read_together
from bot.venues import words
from bot.venues.observations import hint
from bot.venues.vault import ADD, EXECUTE, REMOVE, SWAP

V3_INDEX, V2_INDEX = 0, 1  # in the vault's registry


async def prepare(scene: Scene, job: Job) -> None:
    """A first mint, and one bundle that opens the ranges."""
    await fund(scene.rpc, HOLDER, scene.vault)
    await fund(scene.rpc, NEWCOMER, scene.vault)
    if job.key == "mint_first":
        return
    mint = _mint(scene, HOLDER, SHARES, FIRST_MINT)
    await run(scene, [mint])
    await fund(scene.rpc, HOLDER)
    actions = [_act(ADD, V3_INDEX, part.word, MOST << 128 | MOST) for part in scene.old[: job.ranges]]
    if job.pair:
        amounts = await paired(scene)
        actions.append(_act(ADD, V2_INDEX, 0, amounts[0] << 128 | amounts[1]))
    hint = await _hint(scene)
    actions = [(head | hint if head >> 240 & 255 == V3_INDEX else head, bounds) for head, bounds in actions]
    await run(scene, [Tx(KEEPER, scene.vault, encode_call(EXECUTE, actions, [], 0, NO_DEADLINE))])


async def plan(scene: Scene, job: Job) -> Plan:
    """One call: a bundle with floors and bounds, or a mint or redemption with its own."""
    if job.key.startswith("mint"):
        return [await _vault_mint(scene, job.key)]
    if job.key.startswith("redeem"):
        redeem = "redeem(uint256,uint256[],address,uint256)"
        to = await receiver(scene, job.key)
        (amounts,) = await scene.call(
            HOLDER, scene.vault, encode_call(redeem, SHARES // 2, [0, 0], to, NO_DEADLINE), "uint256[]"
        )
        bounds = [least(amount) for amount in amounts]
        return [tx(HOLDER, scene.vault, redeem, SHARES // 2, bounds, to, NO_DEADLINE)]
    actions = await _actions(scene, job)
    return [Tx(KEEPER, scene.vault, await _bundle(scene, actions))]


async def _vault_mint(scene: Scene, key: str) -> Tx:
    if key == "mint_first":
        return _mint(scene, HOLDER, SHARES, FIRST_MINT)
    view = encode_call("preview_mint(uint256)", SHARES // PART)
    (amounts,) = await scene.call(HOLDER, scene.vault, view, "uint256[]")
    who = NEWCOMER if key == "mint_newcomer" else HOLDER
    return _mint(scene, who, SHARES // PART, tuple(more(amount) for amount in amounts))


def _mint(scene: Scene, who: str, shares: int, most: tuple[int, ...]) -> Tx:
    return tx(who, scene.vault, "mint(uint256,uint256[],address,uint256)", shares, list(most), who, NO_DEADLINE)


def _act(kind: int, pool: int, word: int, bounds: int) -> tuple[int, int]:
    return kind << 248 | pool << 240 | word, bounds


async def _actions(scene: Scene, job: Job) -> list[tuple[int, int]]:
    """Without bounds, but that V2 is told by its bounds what to give."""
    loose, sold = MOST << 128 | MOST, 1 << 216 | SOLD << 64
    if job.moves:
        removes = [_act(REMOVE, V3_INDEX, part.word, 0) for part in scene.old[: job.ranges]]
        swaps = [_act(SWAP, V3_INDEX, sold, 0)] if job.swaps else []
        return removes + swaps + [_act(ADD, V3_INDEX, part.word, loose) for part in scene.new[: job.ranges]]
    if job.key == "add_v2":
        amounts = await paired(scene)
        return [_act(ADD, V2_INDEX, 0, amounts[0] << 128 | amounts[1])]
    if job.key == "remove_v2":
        return [_act(REMOVE, V2_INDEX, await half_of_pair(scene, scene.vault) << 64, 0)]
    return [_act(SWAP, {"swap_v3": V3_INDEX, "swap_v2": V2_INDEX}[job.key], sold, 0)]


async def _bundle(scene: Scene, actions: list[tuple[int, int]]) -> bytes:
    """Calldata with the bounds that a try of it shows, half a percent wide, and floors at half of what is idle."""
    floors = [idle // 2 for idle in IDLE]
    (held,) = await scene.call(KEEPER, scene.vault, encode_call("setting(uint256)", words.HELD), "uint256")
    sequence = words.sequence(held)
    hint = await _hint(scene)
    actions = [(head | hint if head >> 240 & 255 == V3_INDEX else head, bounds) for head, bounds in actions]
    loose = encode_call(EXECUTE, actions, floors, sequence, NO_DEADLINE)
    (fills,) = await scene.call(KEEPER, scene.vault, loose, "int256[2][]")
    bound = [(head, _bounds(head, bounds, fill)) for (head, bounds), fill in zip(actions, fills, strict=True)]
    return encode_call(EXECUTE, bound, floors, sequence, NO_DEADLINE)


def _bounds(head: int, bounds: int, fill: tuple[int, int]) -> int:
    kind, pool = head >> 248, head >> 240 & 255
    if kind == REMOVE:
        return least(fill[0]) << 128 | least(fill[1])
    if kind == SWAP:
        return least(max(fill))
    return bounds if pool == V2_INDEX else more(-fill[0]) << 128 | more(-fill[1])


async def _hint(scene: Scene) -> int:
    reading = hint(POOL.address, POOL.twap_window_s, MAINNET.multicall3)
    (found,) = await read_together(scene.rpc, MAINNET.multicall3, [reading], "latest")
    return found
