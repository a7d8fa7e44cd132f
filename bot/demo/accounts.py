"""The share accounting at the end: what all holders could redeem against what the vault holds."""

from collections import Counter
from collections.abc import Sequence

from bot.amm import v2, v3
from bot.amm.pools import holdings
from bot.chain import cheats
from bot.chain.abi import encode_call
from bot.core.ports import Rpc
from bot.core.types import Amount, Snapshot, Token, V2Pool
from bot.core.units import ETHER_DECIMALS, Raw
from bot.demo.result import ShareAccount, TokenAccount
from bot.execution import treasury
from bot.execution.treasury import VaultAt

RECEIVER = "0x00000000000000000000000000000000000000eE"  # nobody's, with no balance of its own
ETHER = 10 * 10**ETHER_DECIMALS  # pays for one redemption
LOCKED = "0x0000000000000000000000000000000000000000"  # holds the shares that the first mint locks for ever


async def account(rpc: Rpc, vault: VaultAt, holders: Sequence[tuple[str, str]], seen: Snapshot) -> ShareAccount:
    """Ask the vault about every (name, address), locked shares included, then let all redeem on a copy of the chain.

    `seen`: the vault at the latest block. The chain is afterwards as it was before.
    """
    everybody = [*holders, ("locked", LOCKED)]
    balances = [(name, await treasury.shares_of(rpc, vault, address)) for name, address in everybody]
    holding = [(holder, shares) for (_, holder), (_, shares) in zip(everybody, balances, strict=True) if shares]
    previews = [
        await treasury.preview_redeem(rpc, vault, shares, holder, receiver=RECEIVER) for holder, shares in holding
    ]
    held = _held(seen)
    paid = await _all_redeem(rpc, vault, everybody)
    bounds = _bounds(seen, vault.tokens, len(holding))
    tokens = tuple(
        TokenAccount(token.symbol, held[token], sum(p[i].raw for p in previews), paid[i], bounds[token])
        for i, token in enumerate(vault.tokens)
    )
    supply = int.from_bytes(await _call(rpc, vault.address, encode_call("totalSupply()")), "big")
    return ShareAccount(supply, tuple(balances), tokens)


async def _all_redeem(rpc: Rpc, vault: VaultAt, everybody: Sequence[tuple[str, str]]) -> list[int]:
    """What all holders got together, redeeming one after the other; then the chain is put back."""
    before = await cheats.snapshot(rpc)
    paid = [0] * len(vault.tokens)
    nothing = tuple(Amount(token, Raw(0)) for token in vault.tokens)
    await cheats.set_ether(rpc, LOCKED, ETHER)
    for _, holder in everybody:
        shares = await treasury.shares_of(rpc, vault, holder)
        if shares:
            moved = await treasury.redeem(rpc, holder, vault, shares, nothing, RECEIVER)
            paid = [had + amount.raw for had, amount in zip(paid, moved.amounts, strict=True)]
    await cheats.revert(rpc, before)
    return paid


def _held(seen: Snapshot) -> Counter[Token]:
    """All that the vault holds, in the smallest unit: idle, in positions at the pools' prices, and their fees."""
    held = Counter({amount.token: int(amount.raw) for amount in seen.balances})
    for position in seen.positions:
        pool = seen.pool(position.pool)
        amount0, amount1 = holdings(pool, position)
        held[pool.token0] += amount0 + position.fees0
        held[pool.token1] += amount1 + position.fees1
    return held


def _bounds(seen: Snapshot, tokens: tuple[Token, ...], holders: int) -> dict[Token, int]:
    """The most that rounding down leaves: for each holder one unit of the idle part and, in each position, one unit of
    its liquidity and one of each of its amounts."""
    bounds = dict.fromkeys(tokens, holders)
    for position in seen.positions:
        pool = seen.pool(position.pool)
        if isinstance(pool, V2Pool):
            units = v2.amounts(pool, holders)
        else:
            units = v3.amounts(pool.sqrt_price_x96, position.tick_lower, position.tick_upper, holders)
        for token, unit in zip((pool.token0, pool.token1), units, strict=True):
            bounds[token] += unit + 1 + holders
    return bounds


async def _call(rpc: Rpc, to: str, data: bytes) -> bytes:
    return bytes.fromhex((await rpc.call("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest"))[2:])
