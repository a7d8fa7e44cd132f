"""The mathematics against Uniswap's own contracts on a local chain, to the wei."""

from dataclasses import astuple
from random import Random

import pytest
from eth_utils.crypto import keccak

from bot.amm import v2, v3
from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from bot.chain import cheats
from bot.chain.grades import Chain
from bot.chain.mainnet import MAINNET
from bot.core.errors import Reverted
from bot.core.types import PoolSpec, V2Pool
from bot.core.units import Liquidity, Raw
from tests.golden.amm import record
from tests.golden.amm.onchain import GAS, PLENTY, SENDER, PoolCaller, deploy_caller, read_pool, view
from tests.golden.amm.replay import draw_operations, draw_swap, play, swap

V3_POOLS = [pool for pool in MAINNET.pools if pool.kind == "v3"]
[V2_PAIR] = [pool for pool in MAINNET.pools if pool.kind == "v2"]
QUOTE = "((address,address,uint256,uint24,uint160))"


async def equipped(chain: Chain, spec: PoolSpec) -> PoolCaller:
    caller = await deploy_caller(chain)
    for token in (spec.token0, spec.token1):
        await cheats.deal(chain.rpc, token.address, caller.address, PLENTY)
    return caller


def bits_of(spec: PoolSpec) -> int:
    """Amounts up to about a hundred million dollars of the dearer unit, so that most pools are swept through."""
    return {6: 47, 8: 40, 18: 76}[min(spec.token0.decimals, spec.token1.decimals)] + 8


async def compare_swaps(chain: Chain, spec: PoolSpec, count: int) -> int:
    """How many of `count` random swaps crossed ticks; all are equal in amounts, state after and fee growth."""
    caller, pool, random = await equipped(chain, spec), await read_pool(chain, spec), Random(spec.address)
    before = await caller.ask_swap(spec.address, True, 1)
    _, _, growth1 = swap(pool, True, 1, None)
    base0, base1 = before.growth0 - growth1, before.growth1
    crossed = 0
    for _ in range(count):
        order = draw_swap(random, pool, bits_of(spec), 30_000)
        answer = await caller.ask_swap(spec.address, *order)
        after, state, growth = swap(pool, *order)
        assert state == astuple(answer)[:5], order
        assert (growth, 0) == (
            (answer.growth0 - base0, answer.growth1 - base1)
            if order[0]
            else (answer.growth1 - base1, answer.growth0 - base0)
        )
        crossed += after.liquidity != pool.liquidity
    return crossed


@pytest.mark.parametrize("spec", V3_POOLS, ids=lambda spec: spec.name)
async def test_swaps__recorded_mainnet_pools__equal_to_the_wei(recorded: Chain, spec: PoolSpec) -> None:
    v3.check(await read_pool(recorded, spec))
    crossed = await compare_swaps(recorded, spec, 60)
    assert crossed >= 10


@pytest.mark.parametrize("spec", V3_POOLS[:2], ids=lambda spec: spec.name)
async def test_swaps__replicas_pools__equal_to_the_wei(replica: Chain, spec: PoolSpec) -> None:
    await compare_swaps(replica, spec, 30)


@pytest.mark.parametrize("spec", V3_POOLS[:4], ids=lambda spec: spec.name)
async def test_quoter__recorded_mainnet_pools__equal_to_the_wei(recorded: Chain, spec: PoolSpec) -> None:
    pool, random = await read_pool(recorded, spec), Random(7)
    quoter, tokens = recorded.market.quoter_v2, (spec.token0.address, spec.token1.address)
    answer = ("uint256", "uint160", "uint32", "uint256")
    for _ in range(20):
        zero_for_one = random.random() < 0.5
        amount = random.randint(10, 1 << random.randint(4, bits_of(spec) - 8))
        path = tokens if zero_for_one else tokens[::-1]
        asked = (*path, amount, spec.fee, 0)
        exact_in = v3.swap_exact_in(pool, zero_for_one, amount)
        out, price, *_ = await view(recorded, quoter, "quoteExactInputSingle" + QUOTE, asked, returns=answer)
        assert (exact_in.amount_out, exact_in.pool.sqrt_price_x96) == (out, price)
        if not out:
            continue
        exact_out = v3.swap_exact_out(pool, zero_for_one, out)
        asked = (*path, out, spec.fee, 0)
        cost, price, *_ = await view(recorded, quoter, "quoteExactOutputSingle" + QUOTE, asked, returns=answer)
        assert (exact_out.amount_in, exact_out.pool.sqrt_price_x96) == (cost, price)


@pytest.mark.parametrize("spec", V3_POOLS[:3], ids=lambda spec: spec.name)
async def test_history__burns_swaps_and_mints__equal_to_the_wei_with_every_tick(
    recorded: Chain, spec: PoolSpec
) -> None:
    caller, pool = await equipped(recorded, spec), await read_pool(recorded, spec)
    does = {"swap": caller.do_swap, "mint": caller.do_mint, "burn": caller.do_burn}
    for operation in draw_operations(Random(11), pool, 40, bits_of(spec) - 8, 3_000):
        kind, *arguments = operation
        answer = await does[kind](spec.address, *arguments)
        pool, state = play(pool, operation)
        assert state == astuple(answer)[:5], operation
    assert pool == await read_pool(recorded, spec)


async def test_reverts__limits_and_amounts__where_the_pool_reverts(replica: Chain) -> None:
    spec = V3_POOLS[0]
    caller, pool = await equipped(replica, spec), await read_pool(replica, spec)
    price = int(pool.sqrt_price_x96)
    for zero_for_one, amount, limit, reason in (
        (True, 10, price, "SPL"),
        (False, 10, price, "SPL"),
        (True, 10, MIN_SQRT_RATIO, "SPL"),
        (False, 10, MAX_SQRT_RATIO, "SPL"),
        (True, 0, None, "AS"),
    ):
        with pytest.raises(Reverted, match=reason):
            await caller.ask_swap(spec.address, zero_for_one, amount, limit)
        with pytest.raises(ValueError, match="v3: "):
            swap(pool, zero_for_one, amount, limit)
    most = v3.max_liquidity_per_tick(spec.tick_spacing)
    for lower, upper, liquidity in ((0, 5, 1), (10, 0, 1), (-887280, 0, 1), (0, 10, 0), (0, 10, most + 1)):
        with pytest.raises(Reverted):
            await caller.do_mint(spec.address, lower, upper, liquidity)
        with pytest.raises(ValueError, match="v3: "):
            v3.mint(pool, lower, upper, liquidity)


async def test_fees_due__after_trading_in_and_out_of_range__what_the_pool_then_owes(recorded: Chain) -> None:
    spec = V3_POOLS[0]
    caller, pool = await equipped(recorded, spec), await read_pool(recorded, spec)
    middle = pool.tick // 10 * 10
    ranges = {(middle - width, middle + width + 10): 10**16 + width for width in (10, 200, 5_000)}
    ranges[middle + 100, middle + 300] = 10**17
    for (lower, upper), liquidity in ranges.items():
        await caller.do_mint(spec.address, lower, upper, liquidity)
    random = Random(3)
    for _ in range(30):
        zero_for_one = random.random() < 0.5
        await caller.do_swap(spec.address, zero_for_one, 10**12 if zero_for_one else 10**21)
    tick = (await read_pool(recorded, spec)).tick
    earned = 0
    for (lower, upper), liquidity in ranges.items():
        due = [fee async for fee in fees_now(recorded, spec, caller, lower, upper, liquidity, tick)]
        await caller.do_burn(spec.address, lower, upper, 0)
        owed = await position_of(recorded, spec, caller, lower, upper)
        assert due == list(owed[3:5])
        earned += sum(due)
    assert earned > 0


async def fees_now(chain: Chain, spec: PoolSpec, caller: PoolCaller, lower: int, upper: int, liquidity: int, tick: int):
    """Of token0, then token1."""
    ticks = ("uint128", "int128", "uint256", "uint256")
    outside_lower = (await view(chain, spec.address, "ticks(int24)", lower, returns=ticks))[2:]
    outside_upper = (await view(chain, spec.address, "ticks(int24)", upper, returns=ticks))[2:]
    position = await position_of(chain, spec, caller, lower, upper)
    assert position[0] == liquidity
    for side in (0, 1):
        (growth,) = await view(chain, spec.address, f"feeGrowthGlobal{side}X128()", returns=("uint256",))
        inside = v3.fee_growth_inside(tick, lower, upper, growth, outside_lower[side], outside_upper[side])
        yield v3.fees_due(liquidity, inside, position[1 + side], position[3 + side])


async def position_of(chain: Chain, spec: PoolSpec, caller: PoolCaller, lower: int, upper: int) -> tuple[int, ...]:
    """Liquidity, last growth inside of both tokens, owed of both."""
    packed = bytes.fromhex(caller.address[2:]) + b"".join(t.to_bytes(3, "big", signed=True) for t in (lower, upper))
    returns = ("uint128", "uint256", "uint256", "uint128", "uint128")
    return await view(chain, spec.address, "positions(bytes32)", keccak(packed), returns=returns)


async def test_golden_answers__asked_again__are_the_recorded_ones(replica: Chain) -> None:
    assert record.as_text(await record.record(replica)) == record.FILE.read_text()


# ------------------------------------------------------------------ the constant-product pair


async def read_pair(chain: Chain) -> V2Pool:
    reserves = await view(chain, V2_PAIR.address, "getReserves()", returns=("uint112", "uint112", "uint32"))
    (supply,) = await view(chain, V2_PAIR.address, "totalSupply()", returns=("uint256",))
    return V2Pool(
        V2_PAIR.address,
        V2_PAIR.token0,
        V2_PAIR.token1,
        V2_PAIR.fee,
        Raw(reserves[0]),
        Raw(reserves[1]),
        Liquidity(supply),
    )


async def pay_pair(chain: Chain, token: str, amount: int) -> None:
    await cheats.call_as(chain.rpc, SENDER, token, "transfer(address,uint256)", V2_PAIR.address, amount, gas=GAS)


async def do_swap_v2(chain: Chain, zero_for_one: bool, amount: int, out: int) -> None:
    token = V2_PAIR.token0 if zero_for_one else V2_PAIR.token1
    await pay_pair(chain, token.address, amount)
    outs = (0, out) if zero_for_one else (out, 0)
    signature = "swap(uint256,uint256,address,bytes)"
    await cheats.call_as(chain.rpc, SENDER, V2_PAIR.address, signature, *outs, SENDER, b"", gas=GAS)


async def equip_sender(chain: Chain) -> None:
    await cheats.set_ether(chain.rpc, SENDER, 10**24)
    for token in (V2_PAIR.token0, V2_PAIR.token1):
        await cheats.deal(chain.rpc, token.address, SENDER, PLENTY)


async def test_pair__random_swaps_adds_and_removes__equal_to_the_unit(replica: Chain) -> None:
    await equip_sender(replica)
    pair, random, lp = await read_pair(replica), Random(5), 0
    for _ in range(60):
        kind = random.choice(["swap", "swap", "add", "remove"])
        if kind == "swap":
            zero_for_one = random.random() < 0.5
            amount = 1 + int((pair.reserve0 if zero_for_one else pair.reserve1) * random.random() ** 4)
            pair, out = v2.swap(pair, zero_for_one, amount)
            await do_swap_v2(replica, zero_for_one, amount, out)
        elif kind == "add":
            amounts = [1 + int(reserve * random.random()) for reserve in (pair.reserve0, pair.reserve1)]
            pair, minted = v2.add(pair, *amounts)
            lp += minted
            for token, amount in zip((V2_PAIR.token0, V2_PAIR.token1), amounts, strict=True):
                await pay_pair(replica, token.address, amount)
            await cheats.call_as(replica.rpc, SENDER, V2_PAIR.address, "mint(address)", SENDER, gas=GAS)
        elif lp:
            burnt = random.randint(lp // 2, lp)
            lp -= burnt
            pair, _, _ = v2.remove(pair, burnt)
            await pay_pair(replica, V2_PAIR.address, burnt)
            await cheats.call_as(replica.rpc, SENDER, V2_PAIR.address, "burn(address)", SENDER, gas=GAS)
        assert pair == await read_pair(replica)
        assert (await view(replica, V2_PAIR.address, "balanceOf(address)", SENDER, returns=("uint256",))) == (lp,)


@pytest.mark.parametrize("zero_for_one", [True, False])
async def test_pair__one_unit_more_out__breaks_the_pairs_own_k(replica: Chain, zero_for_one: bool) -> None:
    await equip_sender(replica)
    pair = await read_pair(replica)
    amount = (pair.reserve0 if zero_for_one else pair.reserve1) // 97
    _, out = v2.swap(pair, zero_for_one, amount)
    with pytest.raises(Reverted, match="UniswapV2: K"):
        await do_swap_v2(replica, zero_for_one, amount, out + 1)


async def test_router__random_quotes__equal_to_the_unit(replica: Chain) -> None:
    pair, random, router = await read_pair(replica), Random(6), replica.market.v2_router
    tokens = [V2_PAIR.token0.address, V2_PAIR.token1.address]
    for _ in range(40):
        zero_for_one = random.random() < 0.5
        path = tokens if zero_for_one else tokens[::-1]
        reserves = (pair.reserve0, pair.reserve1) if zero_for_one else (pair.reserve1, pair.reserve0)
        amount = 1 + int(reserves[1] * random.random() ** 4)
        amount = min(amount, reserves[1] - 1)
        signature = "{}(uint256,address[])"
        (out,) = await view(replica, router, signature.format("getAmountsOut"), amount, path, returns=("uint256[]",))
        assert v2.amount_out(amount, *reserves, pair.fee) == out[1]
        (cost,) = await view(replica, router, signature.format("getAmountsIn"), amount, path, returns=("uint256[]",))
        assert v2.amount_in(amount, *reserves, pair.fee) == cost[0]
