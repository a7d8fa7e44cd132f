"""Uniswap V3 positions that a wallet holds as NFTs of the NonfungiblePositionManager."""

from bot.chain.multicall import Call, Reading
from bot.core.types import Market, PoolSpec, Position
from bot.venues.erc20 import balance_of
from bot.venues.uniswap_v3 import Range, growth_calls, with_fees

NFT = (
    "uint96",
    "address",
    "address",
    "address",
    "uint24",
    "int24",
    "int24",
    "uint128",
    "uint256",
    "uint256",
    "uint128",
    "uint128",
)


def nfts(market: Market, wallet: str) -> Reading[tuple[Position, ...]]:
    """Read a wallet's positions in pools of the market, with exact fees. Four rounds, however many it holds.

    NFTs of other pools are left out, since we cannot value them; so are emptied ones.
    """
    manager = market.position_manager
    ((count,),) = yield [balance_of(manager, wallet)]
    ids = yield [
        Call.of(manager, "tokenOfOwnerByIndex(address,uint256)", wallet, i, returns=("uint256",)) for i in range(count)
    ]
    details = yield [Call.of(manager, "positions(uint256)", nft, returns=NFT) for (nft,) in ids]
    known = {_key(spec): spec for spec in market.pools if spec.kind == "v3"}
    held = []
    for (nft,), (_, _, token0, token1, fee, lower, upper, liquidity, *rest) in zip(ids, details, strict=True):
        spec = known.get((token0, token1, fee))
        owed = rest[-2:]
        if spec and (liquidity or any(owed)):
            held.append(Range(f"nft:{nft}", spec, lower, upper, liquidity, *rest))
    growth = yield [call for each in held for call in growth_calls(each.spec, each.lower, each.upper)]
    return with_fees(held, growth)


def _key(spec: PoolSpec) -> tuple[str, str, int]:
    return spec.token0.address.lower(), spec.token1.address.lower(), spec.fee
