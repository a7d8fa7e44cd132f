"""Asks Uniswap's own published pool for the golden answers: `python -m tests.golden.amm.record` writes them anew."""

import asyncio
import json
from dataclasses import astuple
from pathlib import Path
from random import Random
from typing import Any

from bot.amm.ticks import sqrt_ratio_at_tick
from bot.chain import cheats, grades
from bot.chain.abi import checksum, encode, load
from bot.chain.grades import Chain
from bot.chain.replica import UNISWAP_V3_DEPLOYER
from bot.core.types import PoolSpec, Token
from bot.core.units import Pips
from tests.golden.amm.onchain import GAS, PLENTY, SENDER, PoolCaller, deploy_caller, read_pool, view
from tests.golden.amm.replay import draw_operations, draw_swap

FILE = Path(__file__).parent / "uniswap_v3_pool.json"
SEED = 20_261_101
SWAPS, OPERATIONS = 80, 60
E18 = 10**18

# fee, spacing, price at the start, ranges, largest amount in bits, how far limits and new ranges reach in ticks
WORLDS: tuple[tuple[int, int, int, tuple[tuple[int, int, int], ...], int, int], ...] = (
    (100, 1, sqrt_ratio_at_tick(-19) + 7, ((-25, -12, 9 * E18), (-400, 300, E18), (900, 901, 10**21)), 66, 1_500),
    (
        500,
        10,
        1518368594377544400875949971272464,
        (
            (-887270, 887270, 10**15),
            (190_000, 197_000, 3 * 10**18),
            (197_000, 205_000, 3 * 10**18),  # a neighbour of equal liquidity: a tick of net zero
            (197_200, 197_230, 77 * 10**18),
            (160_000, 160_010, 10**20),
        ),
        80,
        40_000,
    ),
    (3_000, 60, 1 << 96, ((-887220, 887220, 1_234_567), (-60, 60, 89), (-6_000, -3_000, 10**9)), 40, 30_000),
    (10_000, 200, sqrt_ratio_at_tick(88_123), ((60_000, 88_000, 1 << 100), (88_200, 90_000, 1 << 99)), 110, 60_000),
)


async def record(chain: Chain) -> dict[str, Any]:
    """The answers of the pools of `WORLDS`, made on a fresh replica."""
    caller = await deploy_caller(chain)
    await cheats.set_ether(chain.rpc, UNISWAP_V3_DEPLOYER, 10**24)
    await cheats.call_as(
        chain.rpc, UNISWAP_V3_DEPLOYER, chain.market.v3_factory, "enableFeeAmount(uint24,int24)", 100, 1, gas=GAS
    )
    tokens = sorted([await _token(chain, caller, "Alpha", 6), await _token(chain, caller, "Beta", 18)])
    random = Random(SEED)
    return {
        "source": "UniswapV3Pool of npm @uniswap/v3-core 1.0.1, on anvil, by tests/golden/amm/record.py",
        "swap": "zero for one, amount (below 0: exact out), limit, then the answer",
        "answer": "amount0, amount1 (what the pool took; below 0: gave), sqrt price x96, tick, liquidity",
        "pools": [await _record_pool(chain, caller, random, tokens, world) for world in WORLDS],
    }


async def _token(chain: Chain, caller: PoolCaller, name: str, decimals: int) -> Token:
    code = load("Token").bytecode + encode(("string", "string", "uint8"), name, name, decimals)
    receipt = await cheats.send_as(chain.rpc, SENDER, None, code, gas=GAS)
    address = checksum(receipt["contractAddress"])
    await cheats.deal(chain.rpc, address, caller.address, PLENTY)
    return Token(address, name, decimals)


async def _record_pool(
    chain: Chain, caller: PoolCaller, random: Random, tokens: list[Token], world: tuple[Any, ...]
) -> dict[str, Any]:
    fee, spacing, price, ranges, bits, reach = world
    pair = tokens[0].address, tokens[1].address, fee
    factory, rpc = chain.market.v3_factory, chain.rpc
    await cheats.call_as(rpc, SENDER, factory, "createPool(address,address,uint24)", *pair, gas=GAS)
    (found,) = await view(chain, factory, "getPool(address,address,uint24)", *pair, returns=("address",))
    address = checksum(found)
    await cheats.call_as(rpc, SENDER, address, "initialize(uint160)", price, gas=GAS)
    for lower, upper, liquidity in ranges:
        await caller.do_mint(address, lower, upper, liquidity)
    spec = PoolSpec(f"golden-{fee}", "v3", address, tokens[0], tokens[1], Pips(fee), spacing, 0)
    pool = await read_pool(chain, spec)

    swaps = []
    for _ in range(SWAPS):
        order = draw_swap(random, pool, bits, reach)
        answer = await caller.ask_swap(address, *order)
        swaps.append([*order, *astuple(answer)[:5], answer.growth0 + answer.growth1])
    history = []
    for kind, *arguments in draw_operations(random, pool, OPERATIONS, bits, reach):
        answer = await {"swap": caller.do_swap, "mint": caller.do_mint, "burn": caller.do_burn}[kind](
            address, *arguments
        )
        history.append([kind, *arguments, *astuple(answer)[:5]])
    after = await read_pool(chain, spec)
    return {
        "fee": fee,
        "spacing": spacing,
        "sqrt_price_x96": pool.sqrt_price_x96,
        "tick": pool.tick,
        "liquidity": pool.liquidity,
        "ticks": [list(entry) for entry in pool.ticks],
        "swaps": swaps,
        "history": history,
        "ticks_after": [list(entry) for entry in after.ticks],
    }


def as_text(recorded: dict[str, Any]) -> str:
    """JSON with one answer a line."""
    pools = [
        ",\n".join(f'  "{key}": {_lines(value) if isinstance(value, list) else value}' for key, value in pool.items())
        for pool in recorded["pools"]
    ]
    head = "".join(f" {json.dumps(key)}: {json.dumps(recorded[key])},\n" for key in recorded if key != "pools")
    return "{\n" + head + ' "pools": [\n {\n' + "\n },\n {\n".join(pools) + "\n }\n ]\n}\n"


def _lines(rows: list[Any]) -> str:
    return "[\n   " + ",\n   ".join(json.dumps(row) for row in rows) + "\n  ]"


async def main() -> None:
    async with grades.replica(timestamp=1_800_000_000) as chain:
        FILE.write_text(as_text(await record(chain)))


if __name__ == "__main__":
    asyncio.run(main())
