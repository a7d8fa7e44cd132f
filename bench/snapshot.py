"""One snapshot of a wallet with many V3 positions: requests and time, beside reading each position call by call."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench.table import show, wants_json
from bot.chain.abi import decode, encode_call
from bot.chain.grades import Chain, replica
from bot.chain.mainnet import MAINNET
from bot.chain.rpc import CountingRpc
from bot.core.ports import Rpc
from bot.observe import ChainObserver
from bot.prices.history import History
from tests.chain.test_observe import PORTFOLIO, SPEC, WALLET, open_positions

COUNTS = (1, 10, 100)
RUNS = 5


async def one_by_one(rpc: Rpc) -> None:
    """The plain way: id, position, pool and both ticks of each NFT, one request after another."""
    (count,) = await ask(rpc, MAINNET.position_manager, ("uint256",), "balanceOf(address)", WALLET)
    for index in range(count):
        where = MAINNET.position_manager
        (nft,) = await ask(rpc, where, ("uint256",), "tokenOfOwnerByIndex(address,uint256)", WALLET, index)
        held = ("uint96", "address", "address", "address", "uint24", "int24", "int24", "uint128")
        lower, upper = (await ask(rpc, where, held, "positions(uint256)", nft))[5:7]
        await ask(rpc, SPEC.address, ("uint160", "int24"), "slot0()")
        for growth in ("feeGrowthGlobal0X128()", "feeGrowthGlobal1X128()"):
            await ask(rpc, SPEC.address, ("uint256",), growth)
        for tick in (lower, upper):
            await ask(rpc, SPEC.address, ("uint128", "int128", "uint256", "uint256"), "ticks(int24)", tick)


async def ask(rpc: Rpc, to: str, returns: tuple[str, ...], signature: str, *args: object) -> tuple[int, ...]:
    """One eth_call; only the leading values are decoded."""
    call = {"to": to, "data": "0x" + encode_call(signature, *args).hex()}
    answer: tuple[int, ...] = decode(returns, bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:]))
    return answer


async def measure(rpc: Rpc, work: Callable[[Rpc], Awaitable[object]]) -> tuple[int, float]:
    """Requests of one run, and the median seconds of several."""
    counting, times = CountingRpc(rpc), []
    await work(counting)
    for _ in range(RUNS):
        start = time.perf_counter()
        await work(rpc)
        times.append(time.perf_counter() - start)
    return sum(counting.counts.values()), sorted(times)[RUNS // 2]


async def compare(chain: Chain) -> list[dict[str, object]]:
    """Both ways at each number of positions; the positions are opened as it goes."""
    rows, opened = [], 0

    async def observe(rpc: Rpc) -> object:
        return await ChainObserver(rpc, MAINNET, WALLET, "wallet", History(PORTFOLIO, 3_600, 100)).observe()

    for count in COUNTS:
        await open_positions(chain.rpc, count - opened)
        opened = count
        requests, ours = await measure(chain.rpc, observe)
        calls, theirs = await measure(chain.rpc, one_by_one)
        rows.append(
            {
                "positions": count,
                "snapshot: requests": requests,
                "ms": round(ours * 1e3, 1),
                "one by one: requests": calls,
                "ms ": round(theirs * 1e3, 1),
                "ratio": round(theirs / ours, 1),
            }
        )
    return rows


async def main() -> None:
    """Print the table. The snapshot also reads every pool's ticks, all feeds, balances and gas."""
    as_json = wants_json()
    async with replica() as chain:
        show("A snapshot of a wallet's positions", await compare(chain), as_json)


if __name__ == "__main__":
    asyncio.run(main())
