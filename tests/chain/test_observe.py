"""The world as observed equals the chain: fees to the wei, quotes to the wei, a fixed number of requests."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.amm.pools import quote
from bot.chain import cheats, seeds
from bot.chain.abi import checksum, decode, encode_call
from bot.chain.grades import Chain
from bot.chain.mainnet import MAINNET
from bot.chain.multicall import aggregate, read_together
from bot.chain.rpc import CountingRpc
from bot.core.errors import ChainError, ConfigError, DataError, StaleData
from bot.core.ports import Rpc
from bot.core.types import Market, Position, Snapshot, V3Pool
from bot.observe import ChainObserver
from bot.prices.history import History
from bot.venues import erc20
from bot.venues.market import verify_market
from bot.venues.uniswap_v3 import own_ranges

TRADER = "0x00000000000000000000000000000000000A11cE"
WALLET = "0x0000000000000000000000000000000000B0B001"
SPEC = MAINNET.pool("USDC/WETH-500")
USDC, WETH = SPEC.token0, SPEC.token1
UINT128_MAX = 2**128 - 1
PORTFOLIO = tuple(MAINNET.token(symbol) for symbol in ("WETH", "USDC", "WBTC"))  # not the market's order


def observer(rpc: Rpc, account: str = seeds.WHALE, market: Market = MAINNET, **options: Any) -> ChainObserver:
    return ChainObserver(rpc, market, account, "wallet", History(PORTFOLIO, 3_600, 100), **options)


async def ask(rpc: Rpc, to: str, signature: str, *args: Any, returns: tuple[str, ...], sender: str = TRADER) -> Any:
    call = {"from": sender, "to": to, "data": "0x" + encode_call(signature, *args).hex()}
    return decode(returns, bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:]))


async def trade(rpc: Rpc, sell: Any, buy: Any, raw: int, limit: int = 0) -> None:
    """Swap on the 0.05 % pool, at most to the square-root price `limit` (X96)."""
    await cheats.set_ether(rpc, TRADER, 10**20)
    await cheats.deal(rpc, sell.address, TRADER, raw)
    await cheats.call_as(rpc, TRADER, sell.address, "approve(address,uint256)", MAINNET.swap_router, raw)
    order = (sell.address, buy.address, 500, TRADER, raw, 0, limit)
    swap = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    await cheats.call_as(rpc, TRADER, MAINNET.swap_router, swap, order, gas=25_000_000)


async def trades(rpc: Rpc) -> None:
    """Both ways, through ticks and back, so that fees of both tokens accrue inside and outside of ranges."""
    await trade(rpc, USDC, WETH, 7_000_003 * 10**6)
    await trade(rpc, WETH, USDC, 4_321 * 10**18 + 17)
    await trade(rpc, USDC, WETH, 999_999_999)


async def open_positions(rpc: Rpc, count: int) -> None:
    """Give WALLET so many NFTs of different ranges around the price."""
    await cheats.set_ether(rpc, WALLET, 10**20)
    for token in (USDC, WETH):
        await cheats.deal(rpc, token.address, WALLET, 10**30)
        await cheats.call_as(
            rpc, WALLET, token.address, "approve(address,uint256)", MAINNET.position_manager, 2**256 - 1
        )
    mint = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    for i in range(count):
        ticks = (196_250 - 10 * (i % 90 + 1), 196_250 + 10 * (i % 70 + 1))
        amounts = (1_000_000_000 + i, 10**18 + i, 0, 0)
        order = (USDC.address, WETH.address, 500, *ticks, *amounts, WALLET, seeds.NO_DEADLINE)
        await cheats.call_as(rpc, WALLET, MAINNET.position_manager, mint, order, gas=1_000_000)


async def collectable(rpc: Rpc, position: Position, owner: str) -> tuple[int, int]:
    """What the position manager itself would pay out now: a static call of its collect."""
    nft = int(position.id.removeprefix("nft:"))
    order = (nft, owner, UINT128_MAX, UINT128_MAX)
    signature = "collect((uint256,address,uint128,uint128))"
    found: tuple[int, int] = await ask(
        rpc, MAINNET.position_manager, signature, order, returns=("uint256", "uint256"), sender=owner
    )
    return found


# ------------------------------------------------------------------ fees


async def test_observe__nfts_after_trades__fees_equal_the_managers_own_collect(replica: Chain) -> None:
    await trades(replica.rpc)
    world = await observer(replica.rpc).observe()
    positions = [each for each in world.positions if each.id.startswith("nft:")]
    assert len(positions) == 28  # four of each seeded V3 pool
    paid = [await collectable(replica.rpc, each, seeds.WHALE) for each in positions]
    assert [(each.fees0, each.fees1) for each in positions] == paid
    assert sum(1 for fees0, fees1 in paid if fees0 and fees1) == 4


async def test_observe__liquidity_partly_withdrawn__fees_include_what_is_owed(replica: Chain) -> None:
    await trades(replica.rpc)
    before = (await observer(replica.rpc).observe()).positions[2]
    nft, half = int(before.id.removeprefix("nft:")), before.liquidity // 2
    decrease = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
    order = (nft, half, 0, 0, seeds.NO_DEADLINE)
    await cheats.call_as(replica.rpc, seeds.WHALE, MAINNET.position_manager, decrease, order)
    await trades(replica.rpc)
    after = (await observer(replica.rpc).observe()).positions[2]
    assert after.liquidity == before.liquidity - half
    assert after.fees0 > before.fees0  # principal withdrawn and not collected is owed like a fee
    assert (after.fees0, after.fees1) == await collectable(replica.rpc, after, seeds.WHALE)


async def test_own_ranges__pool_positions_after_trades__equal_collect_after_a_burn_of_zero(replica: Chain) -> None:
    """The position manager is the one who holds ranges directly in the pools."""
    rpc, manager = replica.rpc, MAINNET.position_manager
    await trades(rpc)
    held = (await observer(rpc).observe()).positions[:4]
    ranges = [(SPEC, each.tick_lower, each.tick_upper) for each in held]
    (found,) = await read_together(rpc, MAINNET.multicall3, [own_ranges(ranges, manager)], "latest")
    assert [each.liquidity for each in found] == [each.liquidity for each in held]
    await cheats.set_ether(rpc, manager, 10**20)
    for position in found:
        ticks = (position.tick_lower, position.tick_upper)
        await cheats.call_as(rpc, manager, SPEC.address, "burn(int24,int24,uint128)", *ticks, 0)
        collect = "collect(address,int24,int24,uint128,uint128)"
        order = (manager, *ticks, UINT128_MAX, UINT128_MAX)
        paid = await ask(rpc, SPEC.address, collect, *order, returns=("uint128", "uint128"), sender=manager)
        assert (position.fees0, position.fees1) == paid
        assert min(paid) > 0


# ------------------------------------------------------------------ requests


@pytest.mark.parametrize("count", [1, 10, 100])
async def test_observe__any_number_of_nfts__takes_six_requests(count: int, replica: Chain) -> None:
    await open_positions(replica.rpc, count)
    await trades(replica.rpc)
    rpc = CountingRpc(replica.rpc)
    world = await observer(rpc, WALLET).observe()
    assert len(world.positions) == count
    assert rpc.counts == {"eth_getBlockByNumber": 1, "eth_call": 4, "eth_feeHistory": 1}
    last = world.positions[-1]
    assert (last.fees0, last.fees1) == await collectable(replica.rpc, last, WALLET)


async def test_observe__a_node_with_little_gas_for_calls__sees_the_same(replica: Chain) -> None:
    class Capped:
        async def call(self, method: str, *params: Any) -> Any:
            if method == "eth_call":
                params = ({**params[0], "gas": hex(2_000_000)}, *params[1:])
            return await replica.rpc.call(method, *params)

    await open_positions(replica.rpc, 100)
    rpc = CountingRpc(Capped())
    assert await observer(rpc, WALLET).observe() == await observer(replica.rpc, WALLET).observe()
    assert rpc.counts["eth_call"] > 4


# ------------------------------------------------------------------ pools


async def quoted(rpc: Rpc, pool: V3Pool, zero_for_one: bool, raw: int) -> int:
    tokens = (pool.token0, pool.token1) if zero_for_one else (pool.token1, pool.token0)
    order = (tokens[0].address, tokens[1].address, raw, pool.fee, 0)
    signature = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
    returns = ("uint256", "uint160", "uint32", "uint256")
    return int((await ask(rpc, MAINNET.quoter_v2, signature, order, returns=returns))[0])


async def check_quotes(chain: Chain, shares: tuple[float, ...]) -> None:
    """Every V3 pool quotes as Uniswap's QuoterV2, for these shares of what the pool holds, both ways."""
    world = await observer(chain.rpc).observe()
    pools = [pool for pool in world.pools if isinstance(pool, V3Pool)]
    assert [pool.address for pool in world.pools] == [spec.address for spec in MAINNET.pools]
    for pool in pools:
        for token, zero_for_one in ((pool.token0, True), (pool.token1, False)):
            (depth,) = await ask(chain.rpc, token.address, "balanceOf(address)", pool.address, returns=("uint256",))
            for share in shares:
                raw = max(int(depth * share), 1)
                assert quote(pool, token, raw) == await quoted(chain.rpc, pool, zero_for_one, raw)


async def test_observe__seeded_pools__quote_as_the_chain_does(replica: Chain) -> None:
    await check_quotes(replica, (0, 1e-9, 1e-4, 0.01, 0.2))


async def test_observe__pools_of_mainnet__quote_as_the_chain_does(recorded: Chain) -> None:
    await check_quotes(recorded, (0, 1e-6, 0.003, 0.1))
    world = await observer(recorded.rpc).observe()
    assert sum(len(pool.ticks) for pool in world.pools if isinstance(pool, V3Pool)) > 3_000


async def test_observe__lp_tokens__are_a_position_of_the_pair(replica: Chain) -> None:
    pair = MAINNET.pool("USDC/WETH-v2")
    world = await observer(replica.rpc).observe()
    (held,) = await ask(replica.rpc, pair.address, "balanceOf(address)", seeds.WHALE, returns=("uint256",))
    assert held > 0
    assert world.positions[-1] == Position(pair.address, pair.address, 0, 0, held, 0, 0)  # type: ignore[arg-type]


# ------------------------------------------------------------------ everything else


async def test_observe__a_wallet__prices_balances_gas_and_block_are_the_chains(replica: Chain) -> None:
    rpc = replica.rpc
    await cheats.set_ether(rpc, WALLET, 5)
    await cheats.deal(rpc, USDC.address, WALLET, 77)
    world = await observer(rpc, WALLET).observe()
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert [(price.token, price.money) for price in world.prices] == [
        (token, seeds.PRICES[token.symbol]) for token in PORTFOLIO
    ]
    assert [(each.token.symbol, each.raw) for each in world.balances] == [
        ("WETH", 0),
        ("USDC", 77),
        ("WBTC", 0),
        ("ETH", 5),
    ]
    assert (world.block.hash, world.block.number) == (block["hash"], int(block["number"], 16))
    assert world.ether == Decimal(3_000)
    assert world.history == ((3_000.0, 1.0, 90_000.0),)
    assert (world.chain_id, world.account, world.vault) == (1, WALLET, None)
    await cheats.mine(rpc)
    mined = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert world.gas.base_fee == int(mined["baseFeePerGas"], 16)  # as foretold


async def test_observe__the_chain_moves_on_meanwhile__everything_is_of_the_first_block(replica: Chain) -> None:
    rpc = replica.rpc

    class Racing:
        """Someone trades between our requests."""

        async def call(self, method: str, *params: Any) -> Any:
            answer = await rpc.call(method, *params)
            await trade(rpc, USDC, WETH, 1_000_000 * 10**6)
            return answer

    still = await observer(rpc).observe()
    racing = await observer(Racing()).observe()
    assert replace(racing, gas=still.gas) == still


async def test_observe__the_block_is_dropped_meanwhile__is_a_chain_error(replica: Chain) -> None:
    rpc = replica.rpc

    class Reorganising:
        """Names a block that the node no longer has."""

        async def call(self, method: str, *params: Any) -> Any:
            answer = await rpc.call(method, *params)
            return {**answer, "hash": "0x" + "11" * 32} if method == "eth_getBlockByNumber" else answer

    with pytest.raises(ChainError, match="eth_call"):
        await observer(Reorganising()).observe()


async def test_observe__a_stale_feed__is_told_and_the_history_learns_nothing(replica: Chain) -> None:
    await cheats.mine(replica.rpc, seconds=4_000)
    history = History(PORTFOLIO, 3_600, 100)
    with pytest.raises(StaleData, match=r"feed of WETH .* at most 3900 s old"):
        await ChainObserver(replica.rpc, MAINNET, TRADER, "wallet", history).observe()
    assert history.rows == ()


async def test_observe__a_feed_without_answer__is_a_data_error(replica: Chain) -> None:
    await cheats.set_storage(replica.rpc, MAINNET.feeds[1].address, 0, 0)
    await cheats.set_storage(replica.rpc, MAINNET.feeds[1].address, 1, 0)
    with pytest.raises(DataError, match=f"latestRoundData.* of {MAINNET.feeds[1].address}"):
        await observer(replica.rpc).observe()


async def test_observe__a_node_that_lags__is_stale_where_a_limit_is_set(replica: Chain) -> None:
    now = await cheats.latest_timestamp(replica.rpc)
    assert await observer(replica.rpc, max_block_age_s=60, clock=lambda: now + 60).observe()
    with pytest.raises(StaleData, match=r"at most 60 s old, found one of 61 s"):
        await observer(replica.rpc, max_block_age_s=60, clock=lambda: now + 61).observe()


async def test_aggregate__an_older_block__gives_what_was_then(replica: Chain) -> None:
    rpc = replica.rpc
    before: Snapshot = await observer(rpc).observe()
    await cheats.mine(rpc)
    await cheats.deal(rpc, USDC.address, WALLET, 77)
    call = [erc20.balance_of(USDC.address, WALLET)]
    assert await aggregate(rpc, MAINNET.multicall3, call, before.block) == [(0,)]
    assert await aggregate(rpc, MAINNET.multicall3, call, "latest") == [(77,)]


# ------------------------------------------------------------------ the start-up check


async def test_verify_market__the_market_as_it_is__passes(replica: Chain) -> None:
    await verify_market(replica.rpc, MAINNET)


def first(items: tuple[Any, ...], **changes: object) -> tuple[Any, ...]:
    return replace(items[0], **changes), *items[1:]


def wrong_spec(**changes: object) -> Callable[[Market], Market]:
    return lambda market: replace(market, pools=first(market.pools, **changes))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: replace(m, chain_id=10), "expected a node of chain 10, found chain 1"),
        (lambda m: replace(m, tick_lens=WALLET), f"market.tick_lens: expected a contract at {WALLET}, found none"),
        (lambda m: replace(m, feeds=first(m.feeds, address=WALLET)), "market.tokens.USDC.feed: expected a contract"),
        (lambda m: replace(m, feeds=first(m.feeds, decimals=18)), "USDC.feed_decimals: expected 18, found 8"),
        (lambda m: replace(m, tokens=first(m.tokens, decimals=18)), "tokens.USDC.decimals: expected 18, found 6"),
        (wrong_spec(fee=3_000), "pools.USDC/WETH-500, fee: expected 3000, found 500"),
        (wrong_spec(tick_spacing=60), "pools.USDC/WETH-500, tick spacing: expected 60, found 10"),
        (
            wrong_spec(token0=MAINNET.token("DAI")),
            f"token0: expected {MAINNET.token('DAI').address}, found {USDC.address}",
        ),
        (wrong_spec(address=MAINNET.token("DAI").address), "USDC/WETH-500, token0: expected .* found no answer"),
        (wrong_spec(kind="v2"), "address by the factory: expected 0x88e6.*, found 0xB4e1"),
        (lambda m: replace(m, quoter_v2=m.v2_router), f"market.quoter_v2, its factory: .* found {MAINNET.v2_factory}"),
        (lambda m: replace(m, v2_router=m.multicall3), r"market.v2_router, its factory: .* found no answer"),
        (
            lambda m: replace(m, multicall3=m.v2_router),
            f"market.multicall3: expected Multicall3 at {MAINNET.v2_router}",
        ),
    ],
)
async def test_verify_market__one_thing_wrong__is_one_clear_error(
    change: Callable[[Market], Market], says: str, replica: Chain
) -> None:
    with pytest.raises(ConfigError, match=says):
        await verify_market(replica.rpc, change(MAINNET))


async def test_verify_market__several_things_wrong__lists_them_all(replica: Chain) -> None:
    wrong = replace(MAINNET, tokens=first(MAINNET.tokens, decimals=7), feeds=first(MAINNET.feeds, decimals=9))
    with pytest.raises(ConfigError) as caught:
        await verify_market(replica.rpc, wrong)
    assert len(str(caught.value).splitlines()) == 3


def test_addresses__all_of_the_market__are_checksummed() -> None:
    """Snapshots compare addresses as text."""
    addresses = [t.address for t in MAINNET.tokens] + [p.address for p in MAINNET.pools]
    assert addresses == [checksum(address) for address in addresses]
