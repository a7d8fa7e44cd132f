"""The three grades of local chain, with the same market at the same addresses: replica, recorded state, fork."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.chain import cheats, seeds
from bot.chain import replica as contracts
from bot.chain.anvil import CHAIN_ID, Anvil
from bot.chain.mainnet import MAINNET
from bot.chain.rpc import HttpRpc
from bot.core.errors import ChainError
from bot.core.types import Feed, Market
from bot.core.units import Money, to_units

HISTORY_S = 3_600  # a new chain's pools are that old when it is handed over, so that a TWAP has a past to look at
BASE_FEE = 10**9  # wei; of the block at hand-over
TIMEOUT_S = 60  # a fork fetches from its upstream while it answers


@dataclass(frozen=True, slots=True)
class Chain:
    """A running local chain."""

    url: str
    rpc: HttpRpc
    market: Market = MAINNET


@asynccontextmanager
async def replica(*, prices: Mapping[str, Money] = seeds.PRICES, timestamp: int | None = None) -> AsyncIterator[Chain]:
    """Mainnet's addresses, offline: published bytecode, stand-in tokens and feeds, seeded pools.

    `prices`: money for a whole unit by symbol, for every token of the market. `timestamp`: the chain's time when it is
    handed over (default: now); its pools were then created an hour before.
    """
    end = int(time.time()) if timestamp is None else timestamp
    async with Anvil(timestamp=end - HISTORY_S) as node, HttpRpc(node.url, TIMEOUT_S) as rpc:
        await _complete(rpc, prices, end)
        yield Chain(node.url, rpc)


@asynccontextmanager
async def state(file: Path) -> AsyncIterator[Chain]:
    """A recorded mainnet state (`anvil --dump-state`, .gz too), completed by what it lacks.

    Feeds, and pools that have to be added, take the recorded pools' spot prices. The chain's time is now, but at least
    an hour after the recording's.
    """
    async with Anvil(state=file) as node, HttpRpc(node.url, TIMEOUT_S) as rpc:
        earliest = await cheats.latest_timestamp(rpc) + 1
        end = max(int(time.time()), earliest + HISTORY_S)
        await rpc.call("evm_setTime", hex(end - HISTORY_S))  # anvil's clock starts at now, whatever it has loaded
        await _complete(rpc, seeds.PRICES, end)
        yield Chain(node.url, rpc)


@asynccontextmanager
async def fork(url: str, block: int | None = None, *, cheat_feeds: bool = False) -> AsyncIterator[Chain]:
    """A fork of mainnet, or of another local chain here, as it is. ChainError when the market is not all there.

    `cheat_feeds`: the feeds become our own and can be set; they start with the answers they had.
    """
    async with Anvil(fork_url=url, fork_block=block) as node, HttpRpc(node.url, TIMEOUT_S) as rpc:
        found = int(await rpc.call("eth_chainId"), 16)
        if found != CHAIN_ID:
            raise ChainError(f"expected chain {CHAIN_ID}, found a node of chain {found}; fork an Ethereum mainnet node")
        if missing := await contracts.missing_code(rpc):
            raise ChainError(f"expected the whole market, found no code at {', '.join(missing)}; fork a later block")
        if cheat_feeds:
            await _replace_feeds(rpc)
        yield Chain(node.url, rpc)


async def renew_feeds(rpc: HttpRpc) -> None:
    """Let every feed (our own stand-ins) answer what it answers, as of now."""
    prices = {feed.token.symbol: await _answer(rpc, feed) for feed in MAINNET.feeds}
    await cheats.mine(rpc)  # the newest block may be as old as the answers
    await seeds.set_feeds(rpc, prices)


async def _complete(rpc: HttpRpc, wanted: Mapping[str, Money], end: int) -> None:
    await contracts.ensure_contracts(rpc)
    prices = await seeds.market_prices(rpc, wanted)
    await seeds.ensure_pools(rpc, prices)
    await cheats.set_next_timestamp(rpc, max(end, await cheats.latest_timestamp(rpc)))
    await cheats.mine(rpc)
    await seeds.set_feeds(rpc, prices)
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))  # the empty blocks so far have let it fall
    await cheats.mine(rpc)


async def _replace_feeds(rpc: HttpRpc) -> None:
    prices = {feed.token.symbol: await _answer(rpc, feed) for feed in MAINNET.feeds}
    for feed in MAINNET.feeds:
        await contracts.stand_in_feed(rpc, feed)
    await cheats.set_ether(rpc, seeds.WHALE, contracts.ETHER_FOR_ALL)
    await seeds.set_feeds(rpc, prices)


async def _answer(rpc: HttpRpc, feed: Feed) -> Money:
    types = ("uint80", "int256", "uint256", "uint256", "uint80")
    _, answer, *_ = await contracts.read(rpc, feed.address, "latestRoundData()", types)
    return Money(to_units(answer, feed.decimals))
