"""Liquidity ranges: where they should stand, and when one is moved."""

import math
from dataclasses import replace

import numpy as np

from bot.core.errors import DataError
from bot.core.types import Position, Reason, Shift, Snapshot, V3Pool
from bot.core.units import ONE_BPS, ZERO, Tick, share_of_money
from bot.decision.standing import Standing
from bot.policy.estimate import deviation
from bot.policy.rules import Policy, Range

TICK_LOG = math.log(1.0001)
MAX_TICK = 887_272


def due(policy: Policy, snapshot: Snapshot, standing: Standing) -> tuple[tuple[Shift, Reason], ...]:
    """Ranges that must be opened, or recentred because the price has left them."""
    found = []
    for rule in policy.ranges:
        pool = pool_of(rule, snapshot)
        held = [p for p in snapshot.positions if p.pool == pool.address and p.tick_lower < p.tick_upper]
        if not held:
            said = f"no range in {pool.name} yet: open one with {rule.share:.0%} of equity"
            found.append((recentre(rule, snapshot, standing, None), Reason("range", said)))
        left = [p for p in held if not p.tick_lower <= pool.tick < p.tick_upper]
        if left:
            found += [(shift, _left(pool, left[0])) for shift in _gathered(rule, snapshot, standing, held)]
    return tuple(found)


def holding(policy: Policy, snapshot: Snapshot, standing: Standing, sold: set[str]) -> tuple[Shift, ...]:
    """Shifts of every range that holds one of the tokens (addresses) that idle balances cannot pay."""
    found: list[Shift] = []
    for rule in policy.ranges:
        pool = pool_of(rule, snapshot)
        held = [p for p in snapshot.positions if p.pool == pool.address and p.tick_lower < p.tick_upper]
        if sold & {pool.token0.address, pool.token1.address}:
            found += _gathered(rule, snapshot, standing, held)
    return tuple(found)


def _gathered(rule: Range, snapshot: Snapshot, standing: Standing, held: list[Position]) -> list[Shift]:
    """All positions of one rule into one new range: the rule's share is put in once, however many there were."""
    shifts = [recentre(rule, snapshot, standing, position) for position in held]
    return [replace(shift, money=ZERO) if i else shift for i, shift in enumerate(shifts)]


def recentre(rule: Range, snapshot: Snapshot, standing: Standing, position: Position | None) -> Shift:
    """A range around today's price, as wide as the pair's volatility asks."""
    pool = pool_of(rule, snapshot)
    width = half_width(rule, pool, snapshot, standing)
    ticks, spacing = round(math.log1p(width) / TICK_LOG), pool.tick_spacing
    lower = max(pool.tick - ticks, -MAX_TICK) // spacing * spacing
    upper = -(-min(pool.tick + ticks, MAX_TICK) // spacing) * spacing
    lower = lower + spacing if lower < -MAX_TICK else lower
    upper = upper - spacing if upper > MAX_TICK else upper
    money = share_of_money(standing.equity, rule.share)
    return Shift(position.id if position else None, pool.address, Tick(lower), Tick(upper), money)


def half_width(rule: Range, pool: V3Pool, snapshot: Snapshot, standing: Standing) -> float:
    """Relative half-width: `width_vols` deviations of log(price) over the horizon, within its bounds."""
    least, most = rule.least_width_bps / ONE_BPS, rule.most_width_bps / ONE_BPS
    if standing.covariance is None:
        return most
    order = [p.token for p in snapshot.prices]
    spread = np.zeros(len(order))
    spread[order.index(pool.token0)], spread[order.index(pool.token1)] = 1.0, -1.0
    vol = deviation(spread, standing.covariance) * math.sqrt(rule.horizon_days)
    return min(max(math.expm1(rule.width_vols * vol), least), most)


def pool_of(rule: Range, snapshot: Snapshot) -> V3Pool:
    """The observed pool that a rule names. DataError when there is none."""
    for pool in snapshot.pools:
        if isinstance(pool, V3Pool) and pool.name == rule.pool:
            return pool
    names = ", ".join(p.name for p in snapshot.pools)
    raise DataError(f"expected the V3 pool {rule.pool} of the policy, found {names}; add it to the market")


def _left(pool: V3Pool, position: Position) -> Reason:
    side = "below" if pool.tick < position.tick_lower else "above"
    said = (
        f"the price of {pool.name} (tick {pool.tick}) is {side} our range "
        f"[{position.tick_lower}, {position.tick_upper}], which earns nothing there"
    )
    numbers = (("tick", float(pool.tick)), ("lower", float(position.tick_lower)), ("upper", float(position.tick_upper)))
    return Reason("range", said, numbers)
