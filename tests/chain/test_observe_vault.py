"""A vault as observed, and its bundles as encoded and read back, against the contract itself."""

from typing import Any

import pytest

from bot.amm.pools import holdings, swap
from bot.amm.v2 import add
from bot.amm.v3 import liquidity_for, mint
from bot.chain import cheats, seeds
from bot.chain.grades import Chain
from bot.chain.mainnet import MAINNET
from bot.chain.rpc import CountingRpc
from bot.core.errors import ConfigError
from bot.core.ports import Rpc
from bot.core.types import AddLiquidity, Amount, Limits, Plan, RemoveLiquidity, Snapshot, Step, Swap, V2Pool, V3Pool
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Bps, Gas, Raw, Timestamp
from bot.execution.hints import hints
from bot.execution.treasury import VaultSetup, deploy_lens, deploy_vault
from bot.observe import ChainObserver
from bot.prices.history import History
from bot.venues.fills import receipt_fills
from bot.venues.vault import decode_fills, encode_execute
from tests.chain.test_observe import UINT128_MAX, ask, trade, trades

OWNER = "0x0000000000000000000000000000000000B0B002"
REGISTRY = tuple(MAINNET.token(symbol) for symbol in ("WBTC", "USDC", "WETH"))  # the vault's order
PORTFOLIO = tuple(MAINNET.token(symbol) for symbol in ("USDC", "WETH", "WBTC"))  # the policy's
WBTC, USDC, WETH = REGISTRY
POOLS = tuple(MAINNET.pool(name) for name in ("USDC/WETH-v2", "USDC/WETH-500", "WBTC/USDC-3000"))
PAIR, SPEC, _ = POOLS
LIMITS = Limits(Bps(50), Bps(200), Bps(50_000), Bps(100), 0)
FIRST = (2 * 10**8, 400_000 * 10**6, 130 * 10**18)  # WBTC, USDC, WETH


@pytest.fixture
async def vault(replica: Chain) -> str:
    rpc = replica.rpc
    await cheats.set_ether(rpc, OWNER, 10**21)
    await rpc.call("anvil_impersonateAccount", OWNER)
    feeds = tuple(next(feed for feed in MAINNET.feeds if feed.token == token) for token in REGISTRY)
    corridors = ((Bps(1_000), Bps(5_000)), (Bps(500), Bps(9_000)), (Bps(0), Bps(8_000)))
    setup = VaultSetup("Keel", "KEEL", OWNER, OWNER, OWNER, 86_400, feeds, corridors, POOLS, LIMITS)
    address = await deploy_vault(rpc, OWNER, setup)
    for token, raw in zip(REGISTRY, FIRST, strict=True):
        await cheats.deal(rpc, token.address, OWNER, raw)
        await cheats.call_as(rpc, OWNER, token.address, "approve(address,uint256)", address, raw)
    mint_shares = "mint(uint256,uint256[],address,uint256)"
    await cheats.call_as(rpc, OWNER, address, mint_shares, 10**24, FIRST, OWNER, seeds.NO_DEADLINE)
    return address


async def observe(rpc: Rpc, vault: str) -> Snapshot:
    return await ChainObserver(rpc, MAINNET, vault, "vault", History(PORTFOLIO, 3_600, 100)).observe()


def additions(world: Snapshot) -> tuple[Step, ...]:
    """Sell some ether on the pair, then fill the pair and a range, each with exactly what the pure pools expect."""
    pair, pool = world.pool(PAIR.address), world.pool(SPEC.address)
    assert isinstance(pool, V3Pool)
    raw, fits = Raw(3 * 10**18 + 1), (30_000 * 10**6, 10 * 10**18)
    after, out = swap(pair, WETH, raw)
    assert isinstance(after, V2Pool)
    gives = (fits[1] * after.reserve0 // after.reserve1, fits[1])
    _, lp_tokens = add(after, *gives)
    ticks = (pool.tick // 10 * 10 - 500, pool.tick // 10 * 10 + 490)
    liquidity = liquidity_for(pool.sqrt_price_x96, *ticks, *fits)
    _, in0, in1 = mint(pool, *ticks, liquidity)
    return (
        Swap(pair.address, Amount(WETH, raw), Amount(USDC, out), out),
        # one USDC more than fits, so that the ether decides
        AddLiquidity(pair.address, 0, 0, lp_tokens - 1_000, *gives, gives[0] + 10**6, gives[1]),  # type: ignore[arg-type]
        AddLiquidity(pool.address, *ticks, liquidity, in0, in1, in0, in1),  # type: ignore[arg-type]
    )


def planned(world: Snapshot, *steps: Step, floors: tuple[Amount, ...] = ()) -> Plan:
    assert world.vault
    return Plan(steps, floors, world.vault.sequence, Timestamp(world.block.timestamp + 600), Gas(3_000_000))


async def run(rpc: Rpc, world: Snapshot, plan: Plan) -> tuple[Any, Any]:
    """Fills by the simulation's answer, and by the transaction's events."""
    data = encode_execute(plan, world, await hints(rpc, MAINNET.multicall3, plan, world))
    returned = await rpc.call("eth_call", {"from": OWNER, "to": world.account, "data": "0x" + data.hex()}, "pending")
    receipt = await cheats.send_as(rpc, OWNER, world.account, data)
    return decode_fills(plan, world, bytes.fromhex(returned[2:])), receipt_fills(plan, world, receipt)


def accounted(world: Snapshot) -> list[int]:
    """Idle, principal and fees of each token, in the vault's order."""
    held = {each.token: int(each.raw) for each in world.balances}
    for position in world.positions:
        pool = world.pool(position.pool)
        amount0, amount1 = holdings(pool, position)
        held[pool.token0] += amount0 + position.fees0
        held[pool.token1] += amount1 + position.fees1
    return [held[token] for token in REGISTRY]


async def holdings_of(rpc: Rpc, vault: str) -> list[int]:
    """By the Lens, which counts as the vault does when shares are redeemed."""
    lens = await deploy_lens(rpc, OWNER)
    ((*whole,),) = await ask(rpc, lens, "holdings(address)", vault, returns=("uint256[]",))
    return whole


async def test_observe__a_new_vault__is_as_it_was_set_up_in_the_portfolios_order(replica: Chain, vault: str) -> None:
    rpc = CountingRpc(replica.rpc)
    world = await observe(rpc, vault)
    assert rpc.counts == {"eth_getBlockByNumber": 1, "eth_call": 2, "eth_feeHistory": 1}
    state = world.vault
    assert state is not None
    assert [(each.token, each.raw) for each in world.balances] == [(USDC, FIRST[1]), (WETH, FIRST[2]), (WBTC, FIRST[0])]
    assert state.corridors == ((500, 9_000), (0, 8_000), (1_000, 5_000))
    assert (state.tokens, state.pools) == (REGISTRY, tuple(spec.address for spec in POOLS))
    assert (state.shares, state.paused, state.limits) == (10**24 + LOCKED_SHARES, False, LIMITS)
    assert state.windows == tuple(spec.twap_window_s for spec in POOLS)
    assert (state.loss_used_bps, state.turnover_used_bps) == (0, 0)
    assert state.last_bundle == 0
    assert {pool.address for pool in world.pools} == set(state.pools)  # others it cannot trade on
    assert world.positions == ()


async def test_execute__a_bundle_on_both_kinds_of_pool__does_what_was_expected_to_the_wei(
    replica: Chain, vault: str
) -> None:
    rpc = replica.rpc
    before = await observe(rpc, vault)
    await cheats.deal(
        rpc, USDC.address, PAIR.address, (await balance(rpc, USDC, PAIR.address)) + 5
    )  # a stranger's gift
    plan = planned(before, *additions(before), floors=(Amount(WBTC, Raw(FIRST[0])),))
    simulated, mined = await run(rpc, before, plan)
    assert simulated == mined
    sold, pair, ranged = mined
    _, pair_step, range_step = plan.steps
    assert isinstance(pair_step, AddLiquidity)
    assert isinstance(range_step, AddLiquidity)
    assert (pair.amount0, pair.amount1) == (-pair_step.expect0, -pair_step.expect1)
    assert (ranged.amount0, ranged.amount1) == (-range_step.expect0, -range_step.expect1)
    after = await observe(rpc, vault)
    moved = [sum(fill.amount0 for fill in mined), sum(fill.amount1 for fill in mined), 0]
    assert [b.raw - a.raw for a, b in zip(before.balances, after.balances, strict=True)] == moved
    assert sold.amount1 == -(3 * 10**18 + 1)
    assert after.vault
    assert after.vault.sequence != plan.sequence
    assert after.vault.turnover_used_bps > 0
    assert [(each.id, each.tick_lower, each.tick_upper, each.liquidity) for each in after.positions] == [
        (
            f"{SPEC.address}:{range_step.tick_lower}:{range_step.tick_upper}",
            range_step.tick_lower,
            range_step.tick_upper,
            range_step.liquidity,
        ),
        (PAIR.address, 0, 0, await balance(rpc, PAIR, vault)),
    ]


async def test_observe__positions_after_trades__sum_to_the_vaults_holdings_and_pay_as_collected(
    replica: Chain, vault: str
) -> None:
    rpc = replica.rpc
    world = await observe(rpc, vault)
    fair = world.pool(SPEC.address).sqrt_price_x96  # type: ignore[union-attr]
    await run(rpc, world, planned(world, *additions(world)))
    await trades(rpc)
    await trade_back(rpc, fair)
    counting = CountingRpc(rpc)
    world = await observe(counting, vault)
    assert counting.counts["eth_call"] == 2
    assert accounted(world) == await holdings_of(rpc, vault)
    position = world.positions[0]
    assert min(position.fees0, position.fees1) > 0
    ticks = (position.tick_lower, position.tick_upper)
    pool = world.pool(position.pool)
    expect0, expect1 = (a + b for a, b in zip(holdings(pool, position), (position.fees0, position.fees1), strict=True))
    leave = RemoveLiquidity(
        position.pool,
        position.id,
        *ticks,
        position.liquidity,
        expect0,
        expect1,
        expect0,
        expect1,  # type: ignore[arg-type]
    )
    simulated, mined = await run(rpc, world, planned(world, leave))
    assert simulated == mined
    assert (mined[0].amount0, mined[0].amount1) == (expect0, expect1)
    assert [each.id for each in (await observe(rpc, vault)).positions] == [PAIR.address]


async def test_observe__fees_of_a_range__equal_a_collect_after_a_burn_of_zero(replica: Chain, vault: str) -> None:
    rpc = replica.rpc
    world = await observe(rpc, vault)
    await run(rpc, world, planned(world, *additions(world)))
    await trades(rpc)
    position = (await observe(rpc, vault)).positions[0]
    ticks = (position.tick_lower, position.tick_upper)
    await cheats.set_ether(rpc, vault, 10**18)
    await cheats.call_as(rpc, vault, SPEC.address, "burn(int24,int24,uint128)", *ticks, 0)
    order = (vault, *ticks, UINT128_MAX, UINT128_MAX)
    collect = "collect(address,int24,int24,uint128,uint128)"
    paid = await ask(rpc, SPEC.address, collect, *order, returns=("uint128", "uint128"), sender=vault)
    assert (position.fees0, position.fees1) == paid
    assert min(paid) > 0


async def redeem_setting_aside(rpc: Rpc, vault: str, shares: int) -> int:
    """Redeem with the USDC set aside; how much that is."""
    redeem = "redeem(uint256,uint256[],address,uint256,uint256)"
    await cheats.call_as(rpc, OWNER, vault, redeem, shares, (0, 0, 0), OWNER, seeds.NO_DEADLINE, 0b010)
    (owed,) = await ask(rpc, vault, "owed(uint256,address)", REGISTRY.index(USDC), OWNER, returns=("uint256",))
    return int(owed)


async def test_observe__amounts_set_aside_for_a_redeemer__are_not_idle(replica: Chain, vault: str) -> None:
    rpc = replica.rpc
    world = await observe(rpc, vault)
    await run(rpc, world, planned(world, *additions(world)))
    await trades(rpc)
    owed = await redeem_setting_aside(rpc, vault, 10**23)
    world = await observe(rpc, vault)
    assert 0 < world.balances[0].raw == await balance(rpc, USDC, vault) - owed
    assert accounted(world) == await holdings_of(rpc, vault)


async def test_observe__more_set_aside_than_lies_idle__is_made_up_for_by_what_the_range_keeps(
    replica: Chain, vault: str
) -> None:
    rpc = replica.rpc
    world = await observe(rpc, vault)
    await run(rpc, world, planned(world, *additions(world)))
    owed = await redeem_setting_aside(rpc, vault, 95 * 10**22)
    world = await observe(rpc, vault)
    assert world.balances[0].raw == await balance(rpc, USDC, vault) - owed < 0
    assert world.positions[0].fees0 > 0  # the redeemer's part of the range, not collected
    assert accounted(world) == await holdings_of(rpc, vault)
    assert min(accounted(world)) > 0


async def test_observe__lp_tokens_given_to_the_vault__do_not_count_until_it_lists_them(
    replica: Chain, vault: str
) -> None:
    await cheats.call_as(replica.rpc, seeds.WHALE, PAIR.address, "transfer(address,uint256)", vault, 10**12)
    world = await observe(replica.rpc, vault)
    assert world.positions == ()
    assert accounted(world) == await holdings_of(replica.rpc, vault)


async def test_observe__a_portfolio_without_one_of_the_vaults_tokens__is_a_config_error(
    replica: Chain, vault: str
) -> None:
    history = History((USDC, WETH), 3_600, 100)
    with pytest.raises(ConfigError, match="found that it names USDC, WETH"):
        await ChainObserver(replica.rpc, MAINNET, vault, "vault", history).observe()


async def balance(rpc: Rpc, token: Any, holder: str) -> int:
    (found,) = await ask(rpc, token.address, "balanceOf(address)", holder, returns=("uint256",))
    return int(found)


async def trade_back(rpc: Rpc, sqrt_price: int) -> None:
    """Bring the pool back to a price, or the vault refuses to touch it."""
    now, *_ = await ask(rpc, SPEC.address, "slot0()", returns=("uint160",))
    sell, buy = (USDC, WETH) if now > sqrt_price else (WETH, USDC)
    await trade(rpc, sell, buy, 10**24, limit=sqrt_price)
