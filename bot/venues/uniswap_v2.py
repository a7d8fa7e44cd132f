"""Uniswap V2 pairs: their reserves, and the LP tokens an account holds."""

from bot.chain.multicall import Call, Reading
from bot.core.errors import DataError
from bot.core.types import PoolSpec, Position, V2Pool
from bot.core.units import Liquidity, Raw, Tick
from bot.venues.erc20 import balance_of


def pair(spec: PoolSpec) -> Reading[V2Pool]:
    """Read a pair. DataError when it is empty: it has no price."""
    (reserve0, reserve1, _), (supply,) = yield [
        Call.of(spec.address, "getReserves()", returns=("uint112", "uint112", "uint32")),
        Call.of(spec.address, "totalSupply()", returns=("uint256",)),
    ]
    if not (reserve0 and reserve1 and supply):
        raise DataError(
            f"{spec.name}: expected a pair with reserves, found {reserve0} and {reserve1}; remove it from the market"
        )
    fixed = (spec.address, spec.token0, spec.token1, spec.fee)
    return V2Pool(*fixed, Raw(reserve0), Raw(reserve1), Liquidity(supply))


def holding(spec: PoolSpec, account: str) -> Reading[tuple[Position, ...]]:
    """Read the account's LP tokens; empty when it holds none. A pair's fees are inside its reserves."""
    ((tokens,),) = yield [balance_of(spec.address, account)]
    if not tokens:
        return ()
    return (Position(spec.address, spec.address, Tick(0), Tick(0), Liquidity(tokens), Raw(0), Raw(0)),)
