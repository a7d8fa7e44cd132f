"""Every job by a wallet through Uniswap's position manager and routers: step by step, and in few transactions."""

from bench.contracts.jobs import SOLD, Job, Plan, Tx, half_of_pair, least, pair_out, paired, receiver, run, tx
from bench.contracts.scene import ETHER, GAS, HOLDER, MOST, NO_DEADLINE, PAIR, POOL, Range, Scene, fund
from bot.amm import v3
from bot.chain import cheats
from bot.chain.abi import encode_call
from bot.chain.mainnet import MAINNET, USDC, WETH

MANAGER, ROUTER, V2_ROUTER = MAINNET.position_manager, MAINNET.swap_router, MAINNET.v2_router
ROUTER_ITSELF = "0x" + "00" * 19 + "02"  # SwapRouter02's word for its own address
NFT_AT = "tokenOfOwnerByIndex(address,uint256)"
TOKENS = (USDC.address, WETH.address)


async def prepare(scene: Scene, job: Job) -> None:
    """The ranges as NFTs, LP tokens, and every approval that will be needed."""
    await fund(scene.rpc, HOLDER, MANAGER, ROUTER, V2_ROUTER)
    for token in TOKENS:
        await cheats.call_as(scene.rpc, HOLDER, ROUTER, "approveMax(address)", token, gas=GAS)
    steps = [_open(scene, part) for part in scene.old[: job.ranges]]
    if job.pair:
        steps.append(await _add_pair(scene))
    steps.append(tx(HOLDER, PAIR.address, "approve(address,uint256)", V2_ROUTER, 2**256 - 1))
    await run(scene, steps)


async def separate(scene: Scene, job: Job) -> Plan:
    """Each step a transaction of its own; none where a wallet has no such job."""
    if job.moves:
        swaps = [_swap(HOLDER)] if job.swaps else []
        return [*await _exits(scene, job), *swaps, *_entries(scene, job)]
    if job.key.startswith("redeem"):
        return await _redeem(scene, job)
    return await _single(scene, job.key)


async def at_once(scene: Scene, job: Job) -> tuple[Plan, ...]:
    """The ways to do it in fewer transactions; the empty NFTs stay, or are burned for their refund."""
    if job.key.startswith("redeem"):
        return ([_together(await _redeem(scene, job))],)
    if not job.moves:
        return ()
    keeping, burning = [await _exits(scene, job, burns) for burns in (False, True)]
    entries = _entries(scene, job)
    if not job.swaps:
        return [_together(keeping + entries)], [_together(burning + entries)]
    last = _together(entries) if len(entries) > 1 else entries[0]
    exits = _together(keeping)
    return [exits, _swap(HOLDER), last], [_together(burning), _swap(HOLDER), last], [exits, _swap_and_open(scene, job)]


# ------------------------------------------------------------------ ranges


async def _exits(scene: Scene, job: Job, burns: bool = False) -> Plan:
    steps = []
    for nft, liquidity in await _nfts(scene, job.ranges):
        steps += [await _decrease(scene, nft, liquidity), _collect(nft, HOLDER)]
        if burns:
            steps.append(tx(HOLDER, MANAGER, "burn(uint256)", nft))
    return steps


def _entries(scene: Scene, job: Job) -> Plan:
    return [_open(scene, part) for part in scene.new[: job.ranges]]


async def _redeem(scene: Scene, job: Job) -> Plan:
    to, ((nft, liquidity),) = await receiver(scene, job.key), await _nfts(scene, 1)
    return [await _decrease(scene, nft, liquidity // 2), _collect(nft, to)]


async def _nfts(scene: Scene, count: int) -> list[tuple[int, int]]:
    """Ids of the last NFTs, and the liquidity in them."""
    (owned,) = await scene.call(HOLDER, MANAGER, encode_call("balanceOf(address)", HOLDER), "uint256")
    found = []
    for i in range(owned - count, owned):
        (nft,) = await scene.call(HOLDER, MANAGER, encode_call(NFT_AT, HOLDER, i), "uint256")
        words = await scene.call(
            HOLDER, MANAGER, encode_call("positions(uint256)", nft), *("uint256",) * 5, *("int256",) * 2, "uint128"
        )
        found.append((nft, words[-1]))
    return found


async def _decrease(scene: Scene, nft: int, liquidity: int) -> Tx:
    decrease = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
    loose = encode_call(decrease, (nft, liquidity, 0, 0, NO_DEADLINE))
    amounts = await scene.call(HOLDER, MANAGER, loose, "uint256", "uint256")
    return tx(HOLDER, MANAGER, decrease, (nft, liquidity, *map(least, amounts), NO_DEADLINE))


def _collect(nft: int, to: str) -> Tx:
    return tx(HOLDER, MANAGER, "collect((uint256,address,uint128,uint128))", (nft, to, MOST, MOST))


def _open(scene: Scene, part: Range) -> Tx:
    mint = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    amounts = _needed(scene, part)
    range_ = (*TOKENS, POOL.fee, part.lower, part.upper)
    return tx(HOLDER, MANAGER, mint, (*range_, *amounts, *map(least, amounts), HOLDER, NO_DEADLINE))


def _needed(scene: Scene, part: Range) -> tuple[int, ...]:
    return tuple(amount + 1 for amount in v3.amounts(scene.sqrt_price, part.lower, part.upper, part.liquidity))


def _together(steps: Plan) -> Tx:
    return tx(HOLDER, MANAGER, "multicall(bytes[])", [step.data for step in steps])


# ------------------------------------------------------------------ routers


def _swap(to: str) -> Tx:
    swap = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    return tx(HOLDER, ROUTER, swap, (*TOKENS, POOL.fee, to, SOLD, _weth_for(SOLD), 0))


def _weth_for(usdc: int) -> int:
    """The least to accept."""
    return least(least(usdc * 10**12 // ETHER))


def _swap_and_open(scene: Scene, job: Job) -> Tx:
    """SwapRouter02 keeps what the swap brings, pulls the rest, opens the ranges and returns what is left."""
    mint = "mint((address,address,uint24,int24,int24,uint256,uint256,address))"
    calls = [_swap(ROUTER_ITSELF).data]
    for part in scene.new[: job.ranges]:
        amounts = _needed(scene, part)
        pulls = zip(TOKENS, amounts, strict=True)
        calls += [encode_call("pull(address,uint256)", token, amount) for token, amount in pulls]
        calls.append(encode_call(mint, (*TOKENS, POOL.fee, part.lower, part.upper, *map(least, amounts), HOLDER)))
    calls += [encode_call("sweepToken(address,uint256)", token, 0) for token in TOKENS]
    return tx(HOLDER, ROUTER, "multicall(uint256,bytes[])", NO_DEADLINE, calls)


async def _single(scene: Scene, key: str) -> Plan:
    if key == "swap_v3":
        return [_swap(HOLDER)]
    if key == "swap_v2":
        out = least(await pair_out(scene))
        return [
            tx(HOLDER, ROUTER, "swapExactTokensForTokens(uint256,uint256,address[],address)", SOLD, out, TOKENS, HOLDER)
        ]
    if key == "add_v2":
        return [await _add_pair(scene)]
    if key == "remove_v2":
        remove = "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)"
        bounds = tuple(least(amount // 2) for amount in await paired(scene))
        part = await half_of_pair(scene, HOLDER)
        return [tx(HOLDER, V2_ROUTER, remove, *TOKENS, part, *bounds, HOLDER, NO_DEADLINE)]
    return []


async def _add_pair(scene: Scene) -> Tx:
    add = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
    amounts = await paired(scene)
    return tx(HOLDER, V2_ROUTER, add, *TOKENS, *amounts, *map(least, amounts), HOLDER, NO_DEADLINE)
