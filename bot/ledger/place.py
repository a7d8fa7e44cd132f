"""Where a position lies among prices: its range, the price now and its entry, in whole units as people quote them."""

import math
from dataclasses import dataclass

from bot.amm.pools import spot
from bot.core.types import Entry, Pool, Position, Snapshot, Token
from bot.core.units import to_units

SAME_PRICE = 1e-6  # the two amounts of an entry tell one price when they agree this well


@dataclass(frozen=True, slots=True)
class Place:
    """Prices are of the dearer token in the cheaper one; amounts are for one unit of liquidity."""

    token: Token
    quote: Token
    lower: float  # 0 to inf: the full range
    upper: float
    price: float
    held_token: float  # at the entry
    held_quote: float

    @property
    def full(self) -> bool:
        """Whether the range has no ends."""
        return self.lower == 0 and self.upper == math.inf

    @property
    def entered(self) -> float | None:
        """The price at which the entry's amounts are the position's; None when no one price is.

        So it is of what was entered in parts, at different prices, or on one side of its range.
        """
        if not self.held_token or not self.held_quote:
            return None
        if self.full:  # a pair's liquidity grows with its fees, both amounts alike
            return self.held_quote / self.held_token
        root = math.sqrt(self.lower) + self.held_quote
        other = 1 / (self.held_token + 1 / math.sqrt(self.upper))
        return root**2 if abs(root / other - 1) < SAME_PRICE else None


def place(snapshot: Snapshot, position: Position, entry: Entry) -> Place:
    """Find where a position lies. KeyError when one of its tokens has no price, ValueError when its pool is empty."""
    pool = snapshot.pool(position.pool)
    price, lower, upper = float(spot(pool)), 0.0, math.inf
    if pool.kind == "v3":
        scale = 10.0 ** (pool.token0.decimals - pool.token1.decimals)
        lower, upper = (1.0001**tick * scale for tick in (position.tick_lower, position.tick_upper))
    liquidity = _liquidity(pool, position)
    held0 = float(to_units(entry.amount0, pool.token0.decimals)) / liquidity
    held1 = float(to_units(entry.amount1, pool.token1.decimals)) / liquidity
    if snapshot.price(pool.token0) >= snapshot.price(pool.token1):
        return Place(pool.token0, pool.token1, lower, upper, price, held0, held1)
    turned = 1 / lower if lower else math.inf
    return Place(pool.token1, pool.token0, 1 / upper, turned, 1 / price, held1, held0)


def name_of(position: Position) -> str:
    """What tells a position from others of its pool: its ticks, its NFT, or that it is a pair's."""
    return position.id.removeprefix(position.pool).lstrip(":") or "pair"


def _liquidity(pool: Pool, position: Position) -> float:
    """Liquidity in whole units; of a pair, the root of its share of both reserves."""
    raw = float(position.liquidity)
    if pool.kind == "v2":
        raw *= math.sqrt(float(pool.reserve0) * float(pool.reserve1)) / float(pool.supply)
    return raw / math.sqrt(10.0 ** (pool.token0.decimals + pool.token1.decimals))
