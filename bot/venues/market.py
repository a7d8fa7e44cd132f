"""The start-up check: every contract of the market is what the configuration says it is."""

import asyncio
from collections.abc import Iterator
from typing import Any

from bot.chain.abi import checksum
from bot.chain.multicall import Call, aggregate
from bot.core.errors import ConfigError, DataError, Reverted
from bot.core.ports import Rpc
from bot.core.types import Market, PoolSpec
from bot.venues import erc20

Expectation = tuple[str, Call, Any]  # what it is in the configuration, whom to ask, what the answer must be

_CONTRACTS = (
    "multicall3",
    "tick_lens",
    "v3_factory",
    "position_manager",
    "quoter_v2",
    "swap_router",
    "v2_factory",
    "v2_router",
)


async def verify_market(rpc: Rpc, market: Market) -> None:
    """Refuse to start on another chain, or with an address or number that is not what we think.

    ConfigError lists everything that differs, one line each; ChainError when the node fails.
    """
    chain_id = int(await rpc.call("eth_chainId"), 16)
    if chain_id != market.chain_id:
        raise ConfigError(
            f"expected a node of chain {market.chain_id}, found chain {chain_id}; correct chain.rpc or chain.id"
        )
    _refuse(await _without_code(rpc, market))
    expected = list(_expectations(market))
    try:
        answers = await aggregate(rpc, market.multicall3, [call for _, call, _ in expected], "latest")
    except (Reverted, DataError) as error:
        raise ConfigError(f"market.multicall3: expected Multicall3 at {market.multicall3}: {error}") from error
    found = [
        (what, want, answer[0] if answer else None) for (what, _, want), answer in zip(expected, answers, strict=True)
    ]
    _refuse([f"{what}: expected {_shown(want)}, found {_shown(got)}" for what, want, got in found if want != got])


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ConfigError(
            "the market is not as configured; correct these:\n" + "\n".join(f"  {fault}" for fault in faults)
        )


async def _without_code(rpc: Rpc, market: Market) -> list[str]:
    named = {f"market.{name}": getattr(market, name) for name in _CONTRACTS}
    named |= {f"market.tokens.{token.symbol}": token.address for token in (*market.tokens, market.wrapped)}
    named |= {f"market.tokens.{feed.token.symbol}.feed": feed.address for feed in market.feeds}
    named |= {f"market.pools.{spec.name}": spec.address for spec in market.pools}
    codes = await asyncio.gather(*(rpc.call("eth_getCode", address, "latest") for address in named.values()))
    return [
        f"{what}: expected a contract at {address}, found none"
        for (what, address), code in zip(named.items(), codes, strict=True)
        if code in ("0x", None)
    ]


def _expectations(market: Market) -> Iterator[Expectation]:
    for token in market.tokens:
        yield f"market.tokens.{token.symbol}.decimals", erc20.decimals(token.address), token.decimals
    for feed in market.feeds:
        yield f"market.tokens.{feed.token.symbol}.feed_decimals", erc20.decimals(feed.address), feed.decimals
    for spec in market.pools:
        yield from _pool_expectations(spec, market)
    for name in ("position_manager", "quoter_v2", "swap_router"):
        yield f"market.{name}, its factory", _address(getattr(market, name), "factory()"), market.v3_factory.lower()
    yield "market.v2_router, its factory", _address(market.v2_router, "factory()"), market.v2_factory.lower()


def _pool_expectations(spec: PoolSpec, market: Market) -> Iterator[Expectation]:
    name, address, token0, token1 = f"market.pools.{spec.name}", spec.address, spec.token0.address, spec.token1.address
    yield f"{name}, token0", _address(address, "token0()"), token0.lower()
    yield f"{name}, token1", _address(address, "token1()"), token1.lower()
    # Only the factory's own pools are Uniswap's code: anything may answer like one.
    if spec.kind == "v2":
        pair = Call.of(
            market.v2_factory, "getPair(address,address)", token0, token1, returns=("address",), optional=True
        )
        yield f"{name}, address by the factory", pair, address.lower()
        return
    yield f"{name}, fee", Call.of(address, "fee()", returns=("uint24",), optional=True), spec.fee
    spacing = Call.of(address, "tickSpacing()", returns=("int24",), optional=True)
    yield f"{name}, tick spacing", spacing, spec.tick_spacing
    pool = _address(market.v3_factory, "getPool(address,address,uint24)", token0, token1, spec.fee)
    yield f"{name}, address by the factory", pool, address.lower()


def _address(to: str, signature: str, *args: Any) -> Call:
    return Call.of(to, signature, *args, returns=("address",), optional=True)


def _shown(value: Any) -> str:
    if value is None:
        return "no answer"
    return checksum(value) if isinstance(value, str) else str(value)
