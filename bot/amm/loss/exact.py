"""Losses of one position from the chain's own integers, in money."""

from dataclasses import dataclass
from decimal import Decimal

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


def rebalancing_loss(pool: Pool, position: Position, last: Entry, price0: Money, price1: Money) -> Money:
    """Measure what a position lost to a portfolio that held its amounts of the `last` look until now: one step of LVR.

    Add the steps up over a path of looks, with `last` renewed at each. Positive is a loss; a step is below 0 only where
    the pool stands away from the two prices. ValueError as `impermanent_loss`.
    Source: Milionis, Moallemi, Roughgarden and Zhang (2022), arXiv:2208.06046: the rebalancing strategy, in discrete
    steps at the external price.
    """
    return Money(-impermanent_loss(pool, position, last, price0, price1).money)
