"""The portfolio that is never rebalanced: what the vault held after its first bundle, held by a plain account."""

from dataclasses import dataclass, replace

from bot.amm import v3
from bot.chain import cheats
from bot.chain.abi import encode_call
from bot.chain.multicall import read_together
from bot.core.errors import Broken
from bot.core.ports import Rpc
from bot.core.types import Market, Position, Snapshot, Token, V3Pool
from bot.demo.blocks import Blocks, Transaction
from bot.venues import erc20, position_manager

TWIN = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"  # anvil's test account 7
MINT_DEADLINE_S = 600
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"


@dataclass(frozen=True, slots=True)
class Twin:
    """A plain account with the vault's first portfolio."""

    rpc: Rpc
    market: Market
    shares: int  # of the vault, that it stands for

    async def seen(self, vault: Snapshot) -> Snapshot:
        """The twin in the world that the vault's snapshot shows: at its block, prices and pools."""
        tokens = tuple(price.token for price in vault.prices)
        readings = [erc20.balances(tokens, TWIN, self.market.multicall3), position_manager.nfts(self.market, TWIN)]
        balances, positions = await read_together(self.rpc, self.market.multicall3, readings, vault.block)
        idle = tuple(amount for amount in balances if amount.token in tokens)  # not the ether that pays its gas
        return replace(vault, account=TWIN, balances=idle, positions=positions, vault=None)


async def copy(rpc: Rpc, blocks: Blocks, market: Market, seen: Snapshot) -> Twin:
    """Give the twin exactly what `seen` shows, and put the same liquidity into the same ranges.

    The position manager works the liquidity out from the amounts, which can lose a part in a billion; what it leaves
    stays idle. Broken when the vault holds a V2 position, which no policy opens.
    """
    if seen.vault is None:
        raise Broken("expected a vault to copy, found a wallet")
    held: dict[Token, int] = {amount.token: int(amount.raw) for amount in seen.balances}
    acts = []
    for position in seen.positions:
        pool = seen.pool(position.pool)
        if not isinstance(pool, V3Pool):
            raise Broken(f"expected only V3 ranges to copy, found a position in {position.pool}")
        _, *used = v3.mint(pool, position.tick_lower, position.tick_upper, position.liquidity)
        for token, raw, fees in zip((pool.token0, pool.token1), used, (position.fees0, position.fees1), strict=True):
            held[token] = held.get(token, 0) + raw + fees
            allow = encode_call("approve(address,uint256)", market.position_manager, 2**256 - 1)
            acts.append(Transaction(TWIN, token.address, allow))
        acts.append(_mint(market, pool, position, (used[0], used[1]), seen.block.timestamp + MINT_DEADLINE_S))
    for token, total in held.items():
        await cheats.deal(rpc, token.address, TWIN, total)
    await blocks.mine(transactions=acts)
    return Twin(rpc, market, seen.vault.shares)


def _mint(market: Market, pool: V3Pool, position: Position, used: tuple[int, int], deadline: int) -> Transaction:
    ends = (position.tick_lower, position.tick_upper)
    tokens = (pool.token0.address, pool.token1.address, pool.fee)
    data = encode_call(MINT, (*tokens, *ends, *used, 0, 0, TWIN, deadline))
    return Transaction(TWIN, market.position_manager, data)
