"""The local chains carry mainnet's market, and it trades."""

from decimal import Decimal

import pytest

from bot.chain import cheats, grades, seeds
from bot.chain.abi import decode, encode_call
from bot.chain.mainnet import MAINNET
from bot.chain.replica import NFT_DESCRIPTOR, missing_code
from bot.core.errors import ChainError
from bot.core.types import PoolSpec, Token
from bot.core.units import Money

ANYBODY = "0x00000000000000000000000000000000000A11cE"


async def read(rpc, to: str, signature: str, *args, returns: tuple[str, ...]):
    answer = await rpc.call("eth_call", {"to": to, "data": "0x" + encode_call(signature, *args).hex()}, "latest")
    return decode(returns, bytes.fromhex(answer[2:]))


async def balance(rpc, token: Token, holder: str) -> int:
    return (await read(rpc, token.address, "balanceOf(address)", holder, returns=("uint256",)))[0]


async def buy_ether(rpc, raw_usdc: int) -> int:
    """WETH that the router pays ANYBODY for USDC through the 0.05 % pool."""
    usdc, weth = MAINNET.token("USDC"), MAINNET.token("WETH")
    await cheats.set_ether(rpc, ANYBODY, 10**18)
    await cheats.deal(rpc, usdc.address, ANYBODY, raw_usdc)
    await cheats.call_as(rpc, ANYBODY, usdc.address, "approve(address,uint256)", MAINNET.swap_router, raw_usdc)
    swap = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    arguments = (usdc.address, weth.address, 500, ANYBODY, raw_usdc, 0, 0)
    before = await balance(rpc, weth, ANYBODY)
    await cheats.call_as(rpc, ANYBODY, MAINNET.swap_router, swap, arguments)
    return await balance(rpc, weth, ANYBODY) - before


async def check_market(rpc) -> None:
    """Identity of tokens, pools and feeds, as the contracts themselves tell it."""
    assert await missing_code(rpc) == []
    for token in MAINNET.tokens:
        assert await read(rpc, token.address, "decimals()", returns=("uint256",)) == (token.decimals,)
    for pool in MAINNET.pools:
        pair = [(await read(rpc, pool.address, name, returns=("address",)))[0] for name in ("token0()", "token1()")]
        assert pair == [pool.token0.address.lower(), pool.token1.address.lower()]
        if pool.kind == "v3":
            assert await read(rpc, pool.address, "fee()", returns=("uint24",)) == (pool.fee,)
            assert await read(rpc, pool.address, "tickSpacing()", returns=("int24",)) == (pool.tick_spacing,)
    for feed in MAINNET.feeds:
        assert await read(rpc, feed.address, "decimals()", returns=("uint8",)) == (feed.decimals,)


async def spot(rpc, pool: PoolSpec) -> Decimal:
    """Whole token1 for one whole token0."""
    if pool.kind == "v3":
        (root,) = await read(rpc, pool.address, "slot0()", returns=("uint160",))
        raw = Decimal(root) ** 2 / Decimal(2) ** 192
    else:
        reserve0, reserve1 = await read(rpc, pool.address, "getReserves()", returns=("uint112", "uint112"))
        raw = Decimal(reserve1) / Decimal(reserve0)
    return raw.scaleb(pool.token0.decimals - pool.token1.decimals)


async def feed_prices(rpc) -> dict[str, Decimal]:
    types = ("uint80", "int256", "uint256", "uint256", "uint80")
    now = await cheats.latest_timestamp(rpc)
    prices = {}
    for feed in MAINNET.feeds:
        _, answer, _, updated_at, _ = await read(rpc, feed.address, "latestRoundData()", returns=types)
        assert now - 60 <= updated_at <= now
        prices[feed.token.symbol] = Decimal(answer).scaleb(-feed.decimals)
    return prices


async def test_replica__started__is_mainnets_market(replica):
    await check_market(replica.rpc)
    assert int(await replica.rpc.call("eth_chainId"), 16) == 1
    assert await feed_prices(replica.rpc) == {symbol: Decimal(money) for symbol, money in seeds.PRICES.items()}


async def test_replica__every_pool__stands_at_the_feeds_price(replica):
    prices = await feed_prices(replica.rpc)
    for pool in MAINNET.pools:
        fair = prices[pool.token0.symbol] / prices[pool.token1.symbol]
        assert abs(await spot(replica.rpc, pool) / fair - 1) < Decimal("1e-6"), pool.name


async def test_replica__swap_of_a_million_dollars__moves_the_price_little(replica):
    got = await buy_ether(replica.rpc, 1_000_000 * 10**6)
    assert 331 * 10**18 < got < 333_166_667 * 10**12  # 333.33 WETH less the fee of 0.05 % is the most


async def test_replica__quoter__agrees_with_the_swap(replica):
    usdc, weth, give = MAINNET.token("USDC"), MAINNET.token("WETH"), 250_000 * 10**6
    quote = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
    (told,) = await read(
        replica.rpc, MAINNET.quoter_v2, quote, (usdc.address, weth.address, give, 500, 0), returns=("uint256",)
    )
    assert await buy_ether(replica.rpc, give) == told


async def check_twap(rpc) -> None:
    """Every V3 pool can be asked for its whole window, and has not moved in it."""
    for pool in MAINNET.pools:
        if pool.kind == "v3":
            window = [pool.twap_window_s, 0]
            (ticks,) = await read(rpc, pool.address, "observe(uint32[])", window, returns=("int56[]",))
            _, now = await read(rpc, pool.address, "slot0()", returns=("uint160", "int24"))
            assert (ticks[1] - ticks[0]) // pool.twap_window_s == now


async def test_replica__time_weighted_price__looks_back_half_an_hour(replica):
    await check_twap(replica.rpc)


async def test_replica__observations__raised_to_a_hundred(replica):
    types = ("uint160", "int24", "uint16", "uint16", "uint16")
    for pool in MAINNET.pools:
        if pool.kind == "v3":
            assert (await read(replica.rpc, pool.address, "slot0()", returns=types))[4] == 100


async def test_replica__wrapped_ether__dealt_can_be_unwrapped(replica):
    weth = MAINNET.wrapped
    await cheats.set_ether(replica.rpc, ANYBODY, 10**18)
    await cheats.deal(replica.rpc, weth.address, ANYBODY, 5 * 10**18)
    await cheats.call_as(replica.rpc, ANYBODY, weth.address, "withdraw(uint256)", 5 * 10**18)
    assert int(await replica.rpc.call("eth_getBalance", ANYBODY, "latest"), 16) > 59 * 10**17
    assert await balance(replica.rpc, weth, ANYBODY) == 0


async def test_replica__every_token__can_be_dealt_exactly(replica):
    for token in MAINNET.tokens:
        await cheats.deal(replica.rpc, token.address, ANYBODY, 123_456_789)
        assert await balance(replica.rpc, token, ANYBODY) == 123_456_789


@pytest.mark.chain
async def test_replica__prices_and_time_of_my_own__are_kept():
    wanted = {**seeds.PRICES, "WETH": Money(Decimal(2_000)), "USDT": Money(Decimal("0.5"))}
    async with grades.replica(prices=wanted, timestamp=1_900_000_000) as chain:
        prices = await feed_prices(chain.rpc)
        assert (prices["WETH"], prices["USDT"]) == (Decimal(2_000), Decimal("0.5"))
        assert 0 <= await cheats.latest_timestamp(chain.rpc) - 1_900_000_000 < 30
        assert abs(await spot(chain.rpc, MAINNET.pool("WETH/USDT-3000")) / 4_000 - 1) < Decimal("1e-6")


async def test_recorded__completed__is_mainnets_market(recorded):
    await check_market(recorded.rpc)
    await check_twap(recorded.rpc)
    prices = await feed_prices(recorded.rpc)
    for pool in MAINNET.pools:  # recorded minutes apart, so a little apart from each other
        fair = prices[pool.token0.symbol] / prices[pool.token1.symbol]
        assert abs(await spot(recorded.rpc, pool) / fair - 1) < Decimal("0.02"), pool.name
    assert await buy_ether(recorded.rpc, 10_000 * 10**6) > 3 * 10**18


async def test_recorded__contracts_it_brought__equal_the_replicas(recorded, replica):
    """Two independent ways to the same bytecode, immutables and all (but one: who draws the NFTs' pictures)."""
    ours, theirs = NFT_DESCRIPTOR[2:].lower(), f"{1:040x}"
    for address in (MAINNET.v3_factory, MAINNET.position_manager, *(p.address for p in MAINNET.pools)):
        code = await replica.rpc.call("eth_getCode", address, "latest")
        assert code.replace(ours, theirs) == await recorded.rpc.call("eth_getCode", address, "latest"), address


async def test_fork__of_a_replica__is_the_same_market_and_changes_nothing_there(replica):
    async with grades.fork(replica.url) as fork:
        await check_market(fork.rpc)
        got = await buy_ether(fork.rpc, 3_000 * 10**6)
        assert got > 99 * 10**16
    assert await balance(replica.rpc, MAINNET.token("WETH"), ANYBODY) == 0


async def test_fork__feeds_cheated__start_where_they_were_and_can_move(replica):
    async with grades.fork(replica.url, cheat_feeds=True) as fork:
        before = await feed_prices(fork.rpc)
        assert before == await feed_prices(replica.rpc)
        await seeds.set_feeds(fork.rpc, {**before, "WETH": Money(Decimal(1_234))})
        assert (await feed_prices(fork.rpc))["WETH"] == 1_234


async def test_fork__feeds_cheated__forget_what_the_former_contract_stored(replica):
    """Chainlink's proxies keep other things in the slots where ours keeps its rounds."""
    feed = MAINNET.feeds[0]
    words = (7, 99_000_000, 1_800_000_000, 1_800_000_000, 7)  # answered whatever is called
    store = b"".join(b"\x7f" + word.to_bytes(32) + b"\x60" + bytes([32 * i]) + b"\x52" for i, word in enumerate(words))
    await cheats.set_code(replica.rpc, feed.address, store + bytes.fromhex("60a06000f3"))
    for slot in range(4):
        await cheats.set_storage(replica.rpc, feed.address, slot, 2**256 - 1)
    async with grades.fork(replica.url, cheat_feeds=True) as fork:
        assert (await feed_prices(fork.rpc))[feed.token.symbol] == Decimal("0.99")
        assert await read(fork.rpc, feed.address, "latestRound()", returns=("uint80",)) == (1,)


async def test_fork__pinned_to_a_block__sees_nothing_later(replica):
    pinned = int(await replica.rpc.call("eth_blockNumber"), 16)
    assert await buy_ether(replica.rpc, 3_000 * 10**6) > 0
    async with grades.fork(replica.url, pinned) as fork:
        assert await balance(fork.rpc, MAINNET.token("WETH"), ANYBODY) == 0


@pytest.mark.chain
async def test_fork__chain_without_the_market__says_what_is_missing():
    async with grades.Anvil() as bare:
        with pytest.raises(ChainError, match=f"no code at .*{MAINNET.v3_factory}.*fork a later block"):
            await grades.fork(bare.url).__aenter__()
