"""The share accounting at the end: what all holders could redeem against what the vault holds."""

from collections.abc import Sequence

from bot.amm import v2, v3
from bot.chain import cheats
from bot.chain.abi import decode, encode_call
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
    holding = [shares for _, shares in balances if shares]
    previews = [await treasury.preview_redeem(rpc, vault, shares) for shares in holding]
    held = decode(("uint256[]",), await _call(rpc, vault.address, encode_call("holdings()")))[0]
    paid = await _all_redeem(rpc, vault, everybody)
    bounds = _bounds(seen, vault.tokens, len(holding))
    tokens = tuple(
        TokenAccount(token.symbol, held[i], sum(p[i].raw for p in previews), paid[i], bounds[token])
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
