"""What a rebalance is worth, and what it costs, in money."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.amm.pools import other, quote
from bot.core.types import Amount, Pool, Shift, Snapshot, Trade
from bot.core.units import ZERO, Gas, Money, share_of_money, to_raw_floor
from bot.decision.gas import wish_gas
from bot.decision.standing import Standing
from bot.policy.rules import Policy


def gain(policy: Policy, standing: Standing, aim: NDArray[np.float64]) -> Money:
    """Certainty equivalent of the variance removed: equity * A/2 * (d' S d - d1' S d1) * horizon.

    d is the drift now and d1 the drift after, both shape (N,); S the covariance per day, A the risk aversion of
    mean-variance utility (Markowitz 1959; Leland 1999 uses it against trading cost). Zero without history.
    """
    if standing.covariance is None:
        return ZERO
    before, after = standing.drift, aim - standing.targets
    removed = float(before @ standing.covariance @ before - after @ standing.covariance @ after)
    return share_of_money(standing.equity, 0.5 * policy.cost.risk_aversion * removed * policy.cost.horizon_days)


def cost(snapshot: Snapshot, trades: tuple[Trade, ...], shifts: tuple[Shift, ...]) -> Money:
    """Fees and price impact of the trades at today's pools, and gas. Zero when there is nothing to do."""
    if not trades and not shifts:
        return ZERO
    lost = sum((_lost(snapshot, trade) for trade in trades), ZERO)
    return Money(lost + gas_cost(snapshot, trades, shifts))


def gas_cost(snapshot: Snapshot, trades: tuple[Trade, ...], shifts: tuple[Shift, ...]) -> Money:
    """Gas of the wishes at today's gas price."""
    gas: Gas = wish_gas(len(trades), sum(s.position is not None for s in shifts), sum(s.money > 0 for s in shifts))
    return snapshot.gas.money(gas, snapshot.ether)


def _lost(snapshot: Snapshot, trade: Trade) -> Money:
    """What the trade loses at oracle prices through the best direct pool; the whole fee tier is assumed without one."""
    give = Amount(trade.sell, to_raw_floor(trade.money / snapshot.price(trade.sell), trade.sell.decimals))
    got = [q for pool in snapshot.pools if (q := _value_out(snapshot, pool, give, trade)) is not None]
    return Money(trade.money - max(got)) if got else Money(trade.money * Decimal("0.006"))


def _value_out(snapshot: Snapshot, pool: Pool, give: Amount, trade: Trade) -> Money | None:
    if {pool.token0, pool.token1} != {trade.sell, trade.buy} or give.raw == 0:
        return None
    try:
        return snapshot.value(Amount(other(pool, trade.sell), quote(pool, trade.sell, give.raw)))
    except ValueError:  # too thin for this size
        return None
