"""Real Uniswap pools on a local chain, to be traded with directly and compared with the mathematics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vyper

from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from bot.chain import cheats
from bot.chain.abi import checksum, decode, encode_call
from bot.chain.grades import Chain
from bot.chain.multicall import Call, required
from bot.core.types import PoolSpec, V3Pool
from bot.core.units import Liquidity, SqrtPriceX96, Tick

SENDER = "0x00000000000000000000000000000000000ca11E"
GAS = 30_000_000  # of a transaction
ASK_GAS = 1_000_000_000  # of a call: sweeping a pool to the end of prices takes more than a block
PLENTY = 1 << 200  # of each token, for the caller
SLOT0 = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
RESULT = ("int256", "int256", "uint160", "int24", "uint128", "uint256", "uint256")


@dataclass(frozen=True)
class Result:
    """What the pool took (+) or gave (-), and where it stands afterwards."""

    amount0: int
    amount1: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    growth0: int
    growth1: int


@dataclass(frozen=True)
class PoolCaller:
    """`ask_*` answers without changing the chain, `do_*` does it and answers the same."""

    chain: Chain
    address: str

    async def ask_swap(self, pool: str, zero_for_one: bool, amount: int, limit: int | None = None) -> Result:
        """`amount` above 0: exact in; below: exact out. Reverted as the pool reverts."""
        return await self._ask(
            "swap(address,bool,int256,uint160)", pool, zero_for_one, amount, _limit(zero_for_one, limit)
        )

    async def do_swap(self, pool: str, zero_for_one: bool, amount: int, limit: int | None = None) -> Result:
        return await self._do(
            "swap(address,bool,int256,uint160)", pool, zero_for_one, amount, _limit(zero_for_one, limit)
        )

    async def do_mint(self, pool: str, lower: int, upper: int, liquidity: int) -> Result:
        return await self._do("mint(address,int24,int24,uint128)", pool, lower, upper, liquidity)

    async def do_burn(self, pool: str, lower: int, upper: int, liquidity: int) -> Result:
        return await self._do("burn(address,int24,int24,uint128)", pool, lower, upper, liquidity)

    async def _ask(self, signature: str, *args: Any) -> Result:
        call = {
            "from": SENDER,
            "to": self.address,
            "data": "0x" + encode_call(signature, *args).hex(),
            "gas": hex(ASK_GAS),
        }
        answer = await self.chain.rpc.call("eth_call", call, "latest")
        return Result(*decode(RESULT, bytes.fromhex(answer[2:])))

    async def _do(self, signature: str, *args: Any) -> Result:
        foreseen = await self._ask(signature, *args)
        await cheats.call_as(self.chain.rpc, SENDER, self.address, signature, *args, gas=GAS)
        return foreseen


async def deploy_caller(chain: Chain) -> PoolCaller:
    """Put the caller on the chain, without tokens."""
    source = (Path(__file__).parent / "PoolCaller.vy").read_text()
    code = vyper.compile_code(source, output_formats=["bytecode"])["bytecode"]
    await cheats.set_ether(chain.rpc, SENDER, 10**24)
    receipt = await cheats.send_as(chain.rpc, SENDER, None, bytes.fromhex(code[2:]), gas=GAS)
    return PoolCaller(chain, checksum(receipt["contractAddress"]))


async def read_pool(chain: Chain, spec: PoolSpec) -> V3Pool:
    """The whole pool as the contract holds it: every word of its bitmap, every initialised tick."""
    spacing = spec.tick_spacing
    words = range(MIN_TICK // spacing // 256, MAX_TICK // spacing // 256 + 1)
    calls = [
        Call.of(spec.address, "slot0()", returns=SLOT0),
        Call.of(spec.address, "liquidity()", returns=("uint128",)),
        *(Call.of(spec.address, "tickBitmap(int16)", word, returns=("uint256",)) for word in words),
    ]
    slot0, (liquidity,), *bitmap = await _read(chain, calls)
    ticks = [
        (word * 256 + bit) * spacing
        for word, (bits,) in zip(words, bitmap, strict=True)
        for bit in range(256)
        if bits >> bit & 1
    ]
    asked = [Call.of(spec.address, "ticks(int24)", tick, returns=("uint128", "int128")) for tick in ticks]
    nets = await _read(chain, asked)
    return V3Pool(
        spec.address,
        spec.token0,
        spec.token1,
        spec.fee,
        spacing,
        SqrtPriceX96(slot0[0]),
        Tick(slot0[1]),
        Liquidity(liquidity),
        tuple((Tick(tick), net) for tick, (_, net) in zip(ticks, nets, strict=True)),
        Tick(MIN_TICK),
        Tick(MAX_TICK),
    )


async def _read(chain: Chain, calls: list[Call]) -> list[tuple[Any, ...]]:
    answers: list[tuple[Any, ...]] = []
    for start in range(0, len(calls), 1_000):  # anvil refuses requests of some megabytes
        answers += await required(chain.rpc, chain.market.multicall3, calls[start : start + 1_000], "latest")
    return answers


async def view(chain: Chain, to: str, signature: str, *args: Any, returns: tuple[str, ...]) -> tuple[Any, ...]:
    """One view call."""
    [answer] = await _read(chain, [Call.of(to, signature, *args, returns=returns)])
    return answer


def _limit(zero_for_one: bool, limit: int | None) -> int:
    if limit is not None:
        return limit
    return MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
