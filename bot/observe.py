"""The world at one block, in as few requests as it takes, however many positions there are."""

import time
from collections.abc import Callable
from typing import Any, Literal

from bot.chain.gas import gas_price
from bot.chain.multicall import Reading, read_together, together
from bot.core.errors import ChainError, ConfigError, StaleData
from bot.core.ports import Rpc
from bot.core.types import Block, Feed, Market, Position, Snapshot
from bot.core.units import Timestamp, Wei
from bot.prices import chainlink
from bot.prices.history import History
from bot.venues import erc20, position_manager, uniswap_v2, uniswap_v3, vault

Kind = Literal["vault", "wallet"]


class ChainObserver:
    """Observes a vault, or a plain wallet: an Observer. The portfolio's tokens, and their order, are the history's."""

    def __init__(
        self,
        rpc: Rpc,
        market: Market,
        account: str,
        kind: Kind,
        history: History,
        *,
        tip_percentile: float = 50.0,
        max_block_age_s: int | None = None,  # None: the chain's clock need not be ours (a local chain)
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rpc = rpc
        self.market = market
        self.account = account
        self.kind = kind
        self.history = history
        self.tip_percentile = tip_percentile
        self.max_block_age_s = max_block_age_s
        self.clock = clock
        self._feeds = _feeds(market, history)

    async def observe(self) -> Snapshot:
        """Read everything at the newest block; the history learns its prices. A vault takes 4 requests, a wallet 6.

        ConfigError when the account and the configuration do not agree; DataError (StaleData) when a price or a pool is
        absurd (old); ChainError when the node fails, or dropped the block while we read.
        """
        block = await self._newest()
        prices, balances, own, *found = await read_together(
            self.rpc, self.market.multicall3, self._readings(block), block
        )
        gas = await gas_price(self.rpc, self.tip_percentile, newest=hex(block.number))
        ours, pools = prices[: len(self.history.tokens)], tuple(found)
        if isinstance(own, vault.Vault):
            balances = vault.idle(own, balances)
            # What a vault has not registered it cannot trade on, so it is not part of its world.
            pools = tuple(pool for pool in pools if pool.address in own.state.pools)
        self.history.take(ours, block.timestamp)
        return Snapshot(
            chain_id=self.market.chain_id,
            account=self.account,
            block=block,
            prices=ours,
            balances=balances,
            positions=own.positions if isinstance(own, vault.Vault) else own,
            pools=pools,
            history=self.history.rows,
            history_step_s=self.history.step_s,
            gas=gas,
            ether=next(price.money for price in prices if price.token == self.market.wrapped),
            vault=own.state if isinstance(own, vault.Vault) else None,
        )

    def _readings(self, block: Block) -> list[Reading[Any]]:
        """Prices come first: of several faults, a bad price is the one to tell."""
        market, account, tokens = self.market, self.account, self.history.tokens
        return [
            chainlink.prices(self._feeds, block.timestamp),
            erc20.balances(tokens, account, market.multicall3),
            vault.vault(account, market, tokens, block.timestamp)
            if self.kind == "vault"
            else _positions(market, account),
            *(
                uniswap_v2.pair(spec) if spec.kind == "v2" else uniswap_v3.pool(spec, market.tick_lens)
                for spec in market.pools
            ),
        ]

    async def _newest(self) -> Block:
        found = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        if not found or "baseFeePerGas" not in found:
            raise ChainError(
                "expected the newest block, with a base fee (EIP-1559), found none; is the node synchronised?"
            )
        timestamp, number = Timestamp(int(found["timestamp"], 16)), int(found["number"], 16)
        age_s = int(self.clock()) - timestamp
        if self.max_block_age_s is not None and age_s > self.max_block_age_s:
            raise StaleData(
                f"block {number}: expected one at most {self.max_block_age_s} s old, found one of {age_s} s; "
                "the node lags behind: wait, or use another"
            )
        return Block(number, found["hash"], timestamp, Wei(int(found["baseFeePerGas"], 16)))


def _positions(market: Market, wallet: str) -> Reading[tuple[Position, ...]]:
    pairs = [uniswap_v2.holding(spec, wallet) for spec in market.pools if spec.kind == "v2"]
    found = yield from together([position_manager.nfts(market, wallet), *pairs])
    return tuple(position for each in found for position in each)


def _feeds(market: Market, history: History) -> tuple[Feed, ...]:
    """The portfolio's feeds in its order, and last the native coin's when the portfolio has none."""
    by_token = {feed.token: feed for feed in market.feeds}
    tokens = dict.fromkeys((*history.tokens, market.wrapped))
    missing = [token.symbol for token in tokens if token not in by_token]
    if missing:
        raise ConfigError(f"expected a feed for every token, found none for {', '.join(missing)}; add it to the market")
    return tuple(by_token[token] for token in tokens)
