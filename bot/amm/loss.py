"""Impermanent loss: a position against holding what it was entered with."""

from dataclasses import dataclass
from decimal import Decimal
from math import inf, sqrt

from bot.amm import pools
from bot.core.types import Entry, Pool, Position
from bot.core.units import Money, Raw, to_units


@dataclass(frozen=True, slots=True)
class ImpermanentLoss:
    """A position against its entry amounts, all at today's prices. Negative figures are losses."""

    held: Money  # what the entry amounts would be worth
    principal: Money  # what the position's liquidity is worth, without fees
    fees: Money  # unclaimed fees

    @property
    def money(self) -> Money:
        """Impermanent loss: principal less held."""
        return Money(self.principal - self.held)

    @property
    def percent(self) -> Decimal:
        """Impermanent loss in per cent of what holding would be worth; 0 when that is nothing."""
        return self.money / self.held * 100 if self.held else Decimal(0)

    @property
    def net(self) -> Money:
        """Gain over holding once the fees are counted."""
        return Money(self.money + self.fees)


def impermanent_loss(pool: Pool, position: Position, entry: Entry, price0: Money, price1: Money) -> ImpermanentLoss:
    """Compare a position with holding its entry amounts.

    `price0` and `price1` are money for one whole token0 and token1, now. Fees already claimed are not in the position
    and so not in the result. ValueError when entry or pool belong to another position, or the entry stands for another
    liquidity.
    """
    if entry.position != position.id or position.pool != pool.address:
        raise ValueError(
            f"loss: position {position.id} of pool {position.pool} was given the entry of {entry.position} "
            f"and pool {pool.address}"
        )

    if entry.liquidity != position.liquidity:
        raise ValueError(
            f"loss: position {position.id} has liquidity {position.liquidity}, its entry stands for {entry.liquidity}; "
            "scale the entry first"
        )

    def value(amount0: Raw, amount1: Raw) -> Money:
        units0, units1 = to_units(amount0, pool.token0.decimals), to_units(amount1, pool.token1.decimals)
        return Money(units0 * price0 + units1 * price1)

    return ImpermanentLoss(
        held=value(entry.amount0, entry.amount1),
        principal=value(*pools.holdings(pool, position)),
        fees=value(position.fees0, position.fees1),
    )


def constant_product_loss(price_ratio: float) -> float:
    """Give the impermanent loss of a full-range position as a fraction of holding: 2 sqrt(r) / (1 + r) - 1, at most 0.

    `price_ratio` is price now over price at entry. ValueError when it is not above 0 and finite.
    Source: Pintail, "Uniswap: A Good Deal for Liquidity Providers?" (2019); Angeris et al., arXiv:1911.03380.
    """
    if not 0 < price_ratio < inf:
        raise ValueError(f"loss: price ratio must be above 0 and finite, found {price_ratio}")
    return min(0.0, 2 * sqrt(price_ratio) / (1 + price_ratio) - 1)


def concentrated_loss(price_then: float, price_now: float, lower: float, upper: float) -> float:
    """Give the impermanent loss of a Uniswap V3 range as a fraction of holding, at most 0.

    All four are prices of token0 in token1, in the same units; the range [0, inf] is the full one. ValueError unless
    the prices are above 0 and finite and 0 <= lower < upper.
    Source: amounts by the Uniswap v3 Core whitepaper (2021), equations 6.29 and 6.30, compared with holding as in
    Loesch et al., "Impermanent Loss in Uniswap v3", arXiv:2111.09192.
    """
    if not (0 < price_then < inf and 0 < price_now < inf and 0 <= lower < upper):
        found = f"{price_then} and {price_now} in [{lower}, {upper}]"
        raise ValueError(f"loss: prices must be above 0 and finite, and 0 <= lower < upper, found {found}")
    then0, then1 = _unit_amounts(price_then, lower, upper)
    now0, now1 = _unit_amounts(price_now, lower, upper)
    return min(0.0, (now0 * price_now + now1) / (then0 * price_now + then1) - 1)


def _unit_amounts(price: float, lower: float, upper: float) -> tuple[float, float]:
    """Give the real reserves of one unit of liquidity."""
    at = min(max(price, lower), upper)
    return 1 / sqrt(at) - 1 / sqrt(upper), sqrt(at) - sqrt(lower)
