"""The market of the demo: an arbitrageur, ordinary flow and price feeds, all by real transactions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.chain.abi import encode_call
from bot.chain.multicall import Call, required
from bot.core.errors import Broken, ConfigError
from bot.core.ports import Rpc
from bot.core.types import Market, PoolSpec, Token
from bot.core.units import ZERO, Money, Raw, to_units
from bot.demo.arbitrage import MILLION, sqrt_price, v2_trade, v3_depth
from bot.demo.blocks import Blocks, Transaction

ARBITRAGEUR = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"  # anvil's test accounts 9 and 8
TRADER = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"
ORIGINAL_ROUTER = "0xE592427A0AEce92De3Edee1F18E0157C05861564"  # Uniswap's SwapRouter, before SwapRouter02
FOREVER = 2**256 - 1
PLENTY = 2**120  # raw; more than any pool holds, and far from overflow

TRADES_PER_POOL = 6  # an hour
TRADE_OF_DEPTH = 0.0005  # mean size of a trade: this part of the pool's (virtual) reserves, exponentially distributed
LARGEST_OF_DEPTH = 0.01

ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
ROUTER02_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
ORIGINAL_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"


@dataclass(frozen=True, slots=True)
class Depth:
    """A pool as a trader sees it: (virtual) reserves and, of a V3 pool, the square root of its price."""

    reserve0: Raw
    reserve1: Raw
    sqrt_price_x96: int  # 0 for a V2 pair


class Crowd:
    """Everybody else on the chain. `set_out` first."""

    def __init__(self, rpc: Rpc, blocks: Blocks, market: Market, seed: int) -> None:
        self._rpc = rpc
        self._blocks = blocks
        self._market = market
        self._rng = np.random.default_rng(seed)
        self._v3_router = market.swap_router
        self.traded: dict[str, Money] = {pool.name: ZERO for pool in market.pools}  # ordinary flow, in money

    async def set_out(self) -> None:
        """Find the routers, and give both traders plenty of every token. ConfigError when there is no router."""
        self._v3_router = await self._present("V3 SwapRouter", self._market.swap_router, ORIGINAL_ROUTER)
        kinds = {pool.kind for pool in self._market.pools}
        routers = {self._v3_router} if "v3" in kinds else set()
        if "v2" in kinds:
            routers.add(await self._present("V2 Router02", self._market.v2_router))
        tokens = {token for pool in self._market.pools for token in (pool.token0, pool.token1)}
        allow = []
        for who in (ARBITRAGEUR, TRADER):
            for token in tokens:
                await self._rpc.call("anvil_dealERC20", who, token.address, hex(PLENTY))
                approvals = [encode_call("approve(address,uint256)", router, FOREVER) for router in routers]
                allow += [Transaction(who, token.address, data) for data in approvals]
        await self._blocks.mine(transactions=allow)

    async def answers(self) -> dict[Token, Money]:
        """What the feeds say now."""
        calls = [Call.of(feed.address, "latestRoundData()", returns=ROUND) for feed in self._market.feeds]
        found = await required(self._rpc, self._market.multicall3, calls, "latest")
        return {
            feed.token: Money(to_units(answer, feed.decimals))
            for feed, (_, answer, *_) in zip(self._market.feeds, found, strict=True)
        }

    async def follow(self, at: int, prices: dict[Token, Money]) -> None:
        """One block: feeds answer the new prices, and every pool is moved to them."""
        feeds = [
            self._answer(feed.address, feed.decimals, prices[feed.token], at)
            for feed in self._market.feeds
            if feed.token in prices
        ]
        await self._blocks.mine(at, feeds + self._arbitrage(await self._depths(), prices))

    async def settle(self, at: int, prices: dict[Token, Money]) -> None:
        """One block: every pool is moved back to the prices after ordinary flow."""
        await self._blocks.mine(at, self._arbitrage(await self._depths(), prices))

    async def trade(self, at: int, prices: dict[Token, Money]) -> None:
        """One block of ordinary flow: seeded random swaps both ways in every pool."""
        trades = []
        for pool, depth in zip(self._market.pools, await self._depths(), strict=True):
            sizes = np.minimum(self._rng.exponential(TRADE_OF_DEPTH, TRADES_PER_POOL), LARGEST_OF_DEPTH)
            sides = self._rng.integers(2, size=TRADES_PER_POOL)
            for size, side in zip(sizes.tolist(), sides.tolist(), strict=True):
                amount = Raw((depth.reserve0 if side else depth.reserve1) * int(size * MILLION) // MILLION)
                if amount:
                    token = pool.token0 if side else pool.token1
                    money = Money(to_units(amount, token.decimals) * prices[token])
                    self.traded[pool.name] = Money(self.traded[pool.name] + money)
                    trades.append(self._swap(TRADER, pool, bool(side), amount, 0))
        await self._blocks.mine(at, trades)

    # ------------------------------------------------------------------ reading

    async def _present(self, what: str, *addresses: str) -> str:
        for address in addresses:
            if len(await self._rpc.call("eth_getCode", address, "latest")) > 2:
                return address
        raise ConfigError(f"expected {what} at {' or '.join(addresses)}, found no contract; choose another chain")

    async def _depths(self) -> list[Depth]:
        calls = []
        for pool in self._market.pools:
            if pool.kind == "v3":
                calls.append(Call.of(pool.address, "slot0()", returns=("uint160",)))
                calls.append(Call.of(pool.address, "liquidity()", returns=("uint128",)))
            else:
                calls.append(Call.of(pool.address, "getReserves()", returns=("uint112", "uint112", "uint32")))
        answers = iter(await required(self._rpc, self._market.multicall3, calls, "latest"))
        return [
            _v3(next(answers)[0], next(answers)[0]) if pool.kind == "v3" else _v2(*next(answers)[:2])
            for pool in self._market.pools
        ]

    # ------------------------------------------------------------------ acting

    def _answer(self, feed: str, decimals: int, price: Money, at: int) -> Transaction:
        answer = int(price.scaleb(decimals).to_integral_value())
        return Transaction(ARBITRAGEUR, feed, encode_call("set_answer(int256,uint256)", answer, at))

    def _arbitrage(self, depths: Sequence[Depth], prices: dict[Token, Money]) -> list[Transaction]:
        moves = []
        for pool, depth in zip(self._market.pools, depths, strict=True):
            aim = sqrt_price(pool, prices[pool.token0], prices[pool.token1])
            if pool.kind == "v3":
                if depth.sqrt_price_x96 != aim:
                    moves.append(self._swap(ARBITRAGEUR, pool, aim < depth.sqrt_price_x96, Raw(PLENTY), aim))
            else:
                zero_for_one, amount = v2_trade(depth.reserve0, depth.reserve1, pool.fee, aim)
                if amount:
                    moves.append(self._swap(ARBITRAGEUR, pool, zero_for_one, amount, 0))
        return moves

    def _swap(self, who: str, pool: PoolSpec, zero_for_one: bool, amount: Raw, limit: int) -> Transaction:
        """Exact input; a V3 swap ends where the price reaches `limit` (0: none) and pays only for that much."""
        give, get = (pool.token0, pool.token1) if zero_for_one else (pool.token1, pool.token0)
        if pool.kind == "v2":
            data = encode_call(V2_SWAP, amount, 0, [give.address, get.address], who, FOREVER)
            return Transaction(who, self._market.v2_router, data)
        head, tail = (give.address, get.address, pool.fee, who), (amount, 0, limit)
        if self._v3_router == ORIGINAL_ROUTER:
            return Transaction(who, self._v3_router, encode_call(ORIGINAL_SWAP, (*head, FOREVER, *tail)))
        return Transaction(who, self._v3_router, encode_call(ROUTER02_SWAP, (*head, *tail)))


def _v3(sqrt_price_x96: int, liquidity: int) -> Depth:
    return Depth(*v3_depth(sqrt_price_x96, liquidity), sqrt_price_x96)


def _v2(reserve0: int, reserve1: int) -> Depth:
    if not reserve0 or not reserve1:
        raise Broken("expected a V2 pair with reserves, found it empty; seed it before the demo starts")
    return Depth(Raw(reserve0), Raw(reserve1), 0)
