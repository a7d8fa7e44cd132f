"""How far to go, and the trades that go there."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.core.types import Snapshot, Trade
from bot.core.units import ONE_BPS, ZERO, Money, share_of_money
from bot.decision.standing import Standing
from bot.policy.rules import Policy


def aims(policy: Policy, standing: Standing) -> NDArray[np.float64]:
    """Weights to bring about, shape (N,): the targets, the rest zone's edge, or part of the way."""
    if standing.worst == 0:
        return standing.targets
    match policy.size.to:
        case "target":
            keep = 0.0
        case "edge":
            keep = min(policy.band.rest * standing.band / standing.worst, 1.0)
        case "fraction":
            keep = 1.0 - policy.size.fraction
    return standing.targets + keep * standing.drift


def pair(policy: Policy, snapshot: Snapshot, standing: Standing, aim: NDArray[np.float64]) -> tuple[Trade, ...]:
    """Match what is over its aim against what is under it, largest first; small trades are dropped."""
    left = {
        price.token: Money(money - share_of_money(standing.equity, weight))
        for price, money, weight in zip(snapshot.prices, standing.money, aim, strict=True)
    }
    smallest = max(policy.size.smallest, Money(standing.equity * Decimal(policy.size.dead_bps) / ONE_BPS))
    trades = []
    for _ in range(len(left) - 1):  # each match settles at least one token
        sell, buy = max(left, key=left.__getitem__), min(left, key=left.__getitem__)
        money = Money(min(left[sell], -left[buy]))
        if money <= ZERO:
            break
        left[sell] = Money(left[sell] - money)
        left[buy] = Money(left[buy] + money)
        if money >= smallest:
            trades.append(Trade(sell, buy, money))
    return tuple(trades)
