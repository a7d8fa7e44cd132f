"""The chain on which gas is measured: one V3 pool with a past, one V2 pair, feeds behind proxies, and three holders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from bot.amm import v3
from bot.chain import cheats, seeds
from bot.chain.abi import checksum, contract_address, decode, encode, encode_call
from bot.chain.grades import replica
from bot.chain.mainnet import DAILY_S, HOURLY_S, MAINNET, USDC, WETH
from bot.core.ports import Rpc
from bot.core.types import Feed, Limits
from bot.core.units import Bps, Money
from bot.execution.treasury import VaultSetup
from scripts.build_contracts import compile_contract

TIMESTAMP = 1_800_000_000  # of the replica: gas counts the bytes of a deadline
ETHER = 3_008  # money; half-way between two usable ticks
BLOCK_S = 12
POOL, PAIR = MAINNET.pool("USDC/WETH-3000"), MAINNET.pool("USDC/WETH-v2")
POOLS = (POOL, PAIR)  # the vault's registry
CARDINALITY = 180  # a window of 1800 s holds 150 blocks
OWNER, KEEPER, GUARDIAN, HOLDER, NEWCOMER = (f"0x{who:02x}{'5c' * 19}" for who in (0xA1, 0xA2, 0xA3, 0xA4, 0xA5))
FEEDS_ANSWER = {USDC: 10**8, WETH: ETHER * 10**8}
IDLE = (300_000 * 10**6, 100 * 10**18)  # of USDC and WETH beside the ranges, for every holder
STAKE = (50_000 * 10**6, 17 * 10**18)  # the most that goes into each range
POKE = 2_000  # money of each trade of others, to and fro
OLD, NEW = (
    ((-1_200, 1_260), (-720, 780)),
    ((-960, 1_500), (-420, 1_080)),
)  # ranges, from the usable tick below the price
SHARED = range(30)  # others' ranges, each a tick spacing wider on both sides
GAS = 5_000_000
MOST = 2**128 - 1
NO_DEADLINE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Range:
    """Ticks and liquidity."""

    lower: int
    upper: int
    liquidity: int

    @property
    def word(self) -> int:
        """As the floor reads it; the vault's head is the same with kind and pool above it."""
        return (self.lower & 0xFFFFFF) << 216 | (self.upper & 0xFFFFFF) << 192 | self.liquidity << 64


@dataclass(frozen=True, slots=True)
class Scene:
    """Addresses and ranges; nobody holds a range yet."""

    rpc: Rpc
    others: str
    floor: str
    vault: str
    sqrt_price: int
    old: tuple[Range, ...]
    new: tuple[Range, ...]

    async def send(self, sender: str, to: str, data: bytes, listed: bool = False) -> int:
        """Gas used, as the receipt says."""
        return int((await cheats.send_as(self.rpc, sender, to, data, gas=GAS, listed=listed))["gasUsed"], 16)

    async def call(self, sender: str, to: str, data: bytes, *returns: str) -> tuple:
        """What the call answers on the latest block; anvil's pending one may still hold a transaction just mined."""
        call = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS)}
        return decode(returns, bytes.fromhex((await self.rpc.call("eth_call", call, "latest"))[2:]))

    async def trade(self, times: int) -> None:
        """Others trade to and fro: one observation and some fees each time."""
        for i in range(times):
            amount = (POKE * 10**6, POKE * 10**18 // ETHER)[i % 2]
            data = encode_call("swap(address,bool,int256)", POOL.address, i % 2 == 0, amount)
            await self.send(OWNER, self.others, data)


@asynccontextmanager
async def aside(rpc: Rpc) -> AsyncIterator[None]:
    """Undo whatever happens inside."""
    before = await cheats.snapshot(rpc)
    yield
    await rpc.call("anvil_dropAllTransactions")  # one just mined may still wait there, and would run again
    await cheats.revert(rpc, before)


@asynccontextmanager
async def opened() -> AsyncIterator[Scene]:
    """The scene with ticks of one's own: no range of anybody ends where those of `old` and `new` do."""
    async with replica(prices={**seeds.PRICES, "WETH": Money(Decimal(ETHER))}, timestamp=TIMESTAMP) as chain:
        yield await _build(chain.rpc)


async def _build(rpc: Rpc) -> Scene:
    await rpc.call("anvil_setBlockTimestampInterval", BLOCK_S)
    for who in (OWNER, KEEPER, HOLDER, NEWCOMER):
        await cheats.set_ether(rpc, who, 10**21)
    pair = (USDC.address, WETH.address)
    others = await _deploy(rpc, "../bench/contracts/Others.vy")
    await fund(rpc, others, times=100)
    floor = await _deploy(rpc, "../bench/contracts/Floor.vy", ("address",) * 4, POOL.address, PAIR.address, *pair)
    vault, feeds = await _vault(rpc)
    sqrt_price, tick = (await _slot0(rpc))[:2]
    base = tick // POOL.tick_spacing * POOL.tick_spacing
    ranges = [
        tuple(
            Range(base + low, base + top, v3.liquidity_for(sqrt_price, base + low, base + top, *STAKE))
            for low, top in many
        )
        for many in (OLD, NEW)
    ]
    scene = Scene(rpc, others, floor, vault, sqrt_price, *ranges)
    await cheats.call_as(rpc, OWNER, POOL.address, "increaseObservationCardinalityNext(uint16)", CARDINALITY, gas=GAS)
    await scene.trade(CARDINALITY + 20)
    for token, feed in zip((USDC, WETH), feeds, strict=True):
        now = await cheats.latest_timestamp(rpc)
        await cheats.call_as(rpc, OWNER, feed, "set_answer(int256,uint256)", FEEDS_ANSWER[token], now, gas=GAS)
    await _assert_ticks(scene, shared=False)
    return scene


async def share(scene: Scene) -> None:
    """Let others initialise every tick near the price."""
    slot0 = await _slot0(scene.rpc)
    base = slot0[1] // POOL.tick_spacing * POOL.tick_spacing
    for steps in SHARED:
        ticks = (base - steps * POOL.tick_spacing, base + (steps + 1) * POOL.tick_spacing)
        data = encode_call("add(address,int24,int24,uint128)", POOL.address, *ticks, 10**15)
        await scene.send(OWNER, scene.others, data)
    await _assert_ticks(scene, shared=True)


async def fund(rpc: Rpc, who: str, *spenders: str, times: int = 1) -> None:
    """Idle amounts and stakes for two ranges, or so many times that; the spenders may take them."""
    for token, idle, stake in zip((USDC, WETH), IDLE, STAKE, strict=True):
        await cheats.deal(rpc, token.address, who, times * (idle + 2 * stake))
        for spender in spenders:
            await cheats.call_as(rpc, who, token.address, "approve(address,uint256)", spender, 2**256 - 1, gas=GAS)


async def _vault(rpc: Rpc) -> tuple[str, list[str]]:
    """A vault of two tokens with every limit on, and the aggregators behind its feeds' proxies."""
    feeds, aggregators = [], []
    for token, age in ((USDC, DAILY_S), (WETH, HOURLY_S)):
        name = f"{token.symbol} / USD"
        aggregators.append(await _deploy(rpc, "mocks/Feed.vy", ("uint8", "string"), 8, name))
        proxy = await _deploy(rpc, "../bench/contracts/FeedProxy.vy", ("address",), aggregators[-1])
        feeds.append(Feed(token, proxy, 8, age))
    setup = VaultSetup(
        "Evenkeel",
        "KEEL",
        OWNER,
        KEEPER,
        GUARDIAN,
        86_400,
        tuple(feeds),
        ((Bps(1_000), Bps(9_000)),) * 2,
        POOLS,
        Limits(Bps(100), Bps(200), Bps(10_000), Bps(200), 60),
    )
    nonce = int(await rpc.call("eth_getTransactionCount", OWNER, "latest"), 16)
    charter = contract_address(OWNER, nonce + 1)
    vault = await _create(rpc, "Vault.vy", setup.encoded_vault(charter))
    assert await _create(rpc, "Charter.vy", setup.encoded_charter(vault)) == charter
    return vault, aggregators


async def _deploy(rpc: Rpc, source: str, types: tuple[str, ...] = (), *arguments: object) -> str:
    return await _create(rpc, source, encode(types, *arguments))


async def _create(rpc: Rpc, source: str, arguments: bytes) -> str:
    creation = bytes.fromhex(str(compile_contract(source)["bytecode"])[2:]) + arguments
    return checksum((await cheats.send_as(rpc, OWNER, None, creation, gas=2**24))["contractAddress"])


async def _slot0(rpc: Rpc) -> tuple[int, ...]:
    call = {"to": POOL.address, "data": "0x" + encode_call("slot0()").hex()}
    return decode(("uint160", "int24"), bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:]))


async def _assert_ticks(scene: Scene, shared: bool) -> None:
    """The ticks are everybody's or nobody's, and trades near the price meet none of them."""
    for ticks in scene.old + scene.new:
        for tick in (ticks.lower, ticks.upper):
            call = encode_call("ticks(int24)", tick)
            (gross,) = await scene.call(OWNER, POOL.address, call, "uint128")
            assert (gross != 0) == shared, f"expected tick {tick} {'shared' if shared else 'free'}, found {gross}"
    _, tick = await _slot0(scene.rpc)
    assert 5 < tick % POOL.tick_spacing < POOL.tick_spacing - 5, f"expected room around tick {tick} for trades"
