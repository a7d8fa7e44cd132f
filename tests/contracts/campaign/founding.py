"""Founds the world that campaigns attack: pools with strangers' liquidity and a past, a vault with open positions."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from bot.chain.abi import decode, encode
from bot.chain.toolchain import creation_codes
from tests.contracts.campaign.calldata import calldata
from tests.contracts.campaign.engine import Chain
from tests.contracts.campaign.world import (
    BTC,
    CAPITAL,
    CARDINALITY,
    DECIMALS,
    ETH,
    FEES,
    NOBODY,
    ONE,
    USD,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    WINDOW_S,
    World,
    deploy,
    deploy_vault,
    liquidity_worth,
    mint_data,
    transfer_data,
    worth,
)

DEPTH = 20_000_000  # money of strangers on either side of each pool
REACH = 6_000  # ticks
FIRST = (500_000, 300_000, 200_000)  # money of the first mint, per token
SHARES = 1_000_000 * ONE
STEPS = 2 * WINDOW_S // 12


def found(make_vault: Callable[[World], str] = deploy_vault) -> World:
    """Everything, up to the honest holders' shares: four fifths the first's, one fifth the second's."""
    chain = Chain()
    kinds = ("FreezableToken", "Token", "SilentToken")
    types = ("string", "string", "uint8")
    tokens = tuple(
        deploy(chain, f"mocks/{kind}.vy", types, kind, kind, decimals)
        for kind, decimals in zip(kinds, DECIMALS, strict=True)
    )
    world = World(
        chain,
        vault=NOBODY,
        provider=deploy(chain, "mocks/Provider.vy"),
        tokens=tokens,
        feeds=tuple(deploy(chain, "mocks/Feed.vy", ("uint8", "string"), 8, "USD") for _ in tokens),
        pools=(),
        sides=tuple(
            (first, second) if int(tokens[first], 16) < int(tokens[second], 16) else (second, first)
            for first, second in ((USD, ETH), (BTC, ETH), (USD, ETH))
        ),
        attackers=tuple(deploy(chain, "mocks/Attacker.vy") for _ in range(2)),
        arbitrageur=deploy(chain, "mocks/Attacker.vy"),
    )
    world = _pools(world)
    world.refresh()
    world = replace(world, vault=make_vault(world))
    _people(world)
    return world


def open_positions(world: World, chance: Random | None = None) -> None:
    """As the keeper: a wide, a narrow and a full range, two in another pool, one of them wholly in one token, and a
    holding of the pair; with a `chance`, only some of these."""
    opened = [world.add_pair(80_000)]
    for pool, width, shift, money in (
        (V3_USD_ETH, 1_000, 0, 50_000),
        (V3_USD_ETH, 60, 0, 20_000),
        (V3_USD_ETH, 887_220, 0, 1),
        (V3_BTC_ETH, 1_200, 0, 50_000),
        (V3_BTC_ETH, 300, 900, 10_000),
    ):
        bottom, top = world.ticks_around(pool, world.fair(pool), min(width, 600_000))
        ticks = (-width, width) if width > 600_000 else (bottom + shift, top + shift)
        opened.append(world.add_range(pool, ticks, liquidity_worth(world, pool, ticks, money)))
    world.execute(chance.sample(opened, chance.randint(1, 4)) if chance else opened)


def _pools(world: World) -> World:
    codes = creation_codes()
    chain, provider = world.chain, world.provider
    v3 = chain.deploy(codes["UniswapV3Factory"])
    v2 = chain.deploy(codes["UniswapV2Factory"] + encode(("address",), NOBODY))
    pools = []
    for pool, fee in enumerate(FEES):
        sides = [world.tokens[side] for side in world.sides[pool]]
        pools.append(_made(chain, v3, calldata("createPool(address,address,uint24)", *sides, fee)))
        at = world.fair(pool)
        chain.call(NOBODY, pools[pool], calldata("initialize(uint160)", at))
        chain.call(NOBODY, pools[pool], calldata("increaseObservationCardinalityNext(uint16)", CARDINALITY))
        ticks = world.ticks_around(pool, at, REACH)
        liquidity = liquidity_worth(world, pool, ticks, DEPTH)
        add = calldata("add(address,int24,int24,uint128)", pools[pool], *ticks, liquidity)
        chain.call(NOBODY, provider, add)
    pools.append(
        _made(chain, v2, calldata("createPair(address,address)", *(world.tokens[side] for side in (USD, ETH))))
    )
    for token in (USD, ETH):
        world.give(token, pools[V2_USD_ETH], worth(token, DEPTH / 2))
    chain.call(NOBODY, pools[V2_USD_ETH], calldata("mint(address)", world.owner))
    world = replace(world, pools=tuple(pools))
    for step in range(STEPS):  # trades in every block, so that the pools remember more than the window
        chain.warp(12)
        for pool in (V3_USD_ETH, V3_BTC_ETH):
            amount = worth(world.sides[pool][step % 2], 5_000)
            chain.call(NOBODY, provider, calldata("swap(address,bool,int256)", pools[pool], 1 - step % 2, amount))
    return world


def _made(chain: Chain, factory: str, data: bytes) -> str:
    return str(decode(("address",), chain.call(NOBODY, factory, data))[0])


def _people(world: World) -> None:
    chain, approve = world.chain, calldata("approve(address,uint256)", world.vault, 2**256 - 1)
    first, second = world.honest
    for who in (*world.honest, *world.attackers, world.arbitrageur):
        for token, address in enumerate(world.tokens):
            world.act(who, address, approve)
            world.give(token, who, CAPITAL)
    for attacker in world.attackers:
        chain.call(world.owner, world.pools[V2_USD_ETH], transfer_data(attacker, 10**12))
    world.align()
    most = [worth(token, money) for token, money in enumerate(FIRST)]
    chain.call(first, world.vault, mint_data(SHARES, first, most))
    chain.call(first, world.vault, transfer_data(second, SHARES // 5))
