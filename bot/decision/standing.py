"""Where the portfolio stands: equity, weights with positions looked through, drift, volatility and the band."""

from dataclasses import dataclass, replace
from decimal import Decimal
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from bot.amm.pools import holdings
from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from bot.core.errors import DataError
from bot.core.types import Amount, Pool, Position, Snapshot, Token, V3Pool
from bot.core.units import ONE_BPS, ZERO, Money, Raw, SqrtPriceX96, to_units
from bot.policy.estimate import covariance, deviation
from bot.policy.rules import Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """All arrays are in the order of `Snapshot.prices`, length N."""

    equity: Money
    money: tuple[Money, ...]  # of each token, positions looked through
    idle: tuple[Money, ...]  # of each token, outside positions
    weights: NDArray[np.float64]
    targets: NDArray[np.float64]
    covariance: NDArray[np.float64] | None  # per day, (N, N); None: not enough history
    volatility: float  # of the portfolio, per square-root day
    band: float  # allowed absolute drift of a weight

    @property
    def drift(self) -> NDArray[np.float64]:
        """How far each weight stands above its target."""
        return self.weights - self.targets

    @property
    def worst(self) -> float:
        """The largest absolute drift."""
        return float(np.abs(self.drift).max())


def stand(policy: Policy, snapshot: Snapshot) -> Standing:
    """Measure the portfolio. DataError when it is empty or a target was not observed."""
    if snapshot.vault and snapshot.vault.empty:
        raise DataError(
            f"expected deposits, found that nobody holds shares of the vault {snapshot.account}; deposit first"
        )
    symbols = [p.token.symbol for p in snapshot.prices]
    if missing := [s for s in policy.targets if s not in symbols]:
        raise DataError(f"expected a price for every target, found none for {', '.join(missing)}; add it to the market")
    idle, money = look_through(snapshot)
    equity = Money(sum(money, Decimal(0)))
    if equity <= 0:
        raise DataError(f"expected a portfolio worth something, found none at {snapshot.account}; deposit first")
    weights = np.array([float(m / equity) for m in money])
    targets = np.array([policy.targets.get(s, 0.0) for s in symbols])
    cov = _covariance(policy, snapshot)
    volatility = 0.0 if cov is None else deviation(weights, cov)
    return Standing(equity, money, idle, weights, targets, cov, volatility, band_width(policy, cov, volatility))


def look_through(snapshot: Snapshot) -> tuple[tuple[Money, ...], tuple[Money, ...]]:
    """Money in each token, order of `Snapshot.prices`: idle alone, and with what positions stand for."""
    idle = tuple(_sum(snapshot, p.token, snapshot.balances) for p in snapshot.prices)
    inside = [amount for position in snapshot.positions for amount in position_amounts(snapshot, position)]
    return idle, tuple(Money(i + _sum(snapshot, p.token, inside)) for i, p in zip(idle, snapshot.prices, strict=True))


def unit_value(snapshot: Snapshot) -> Money:
    """Equity per share of a vault, which deposits and withdrawals leave alone; equity of a wallet."""
    equity = Money(sum(look_through(snapshot)[1], Decimal(0)))
    if snapshot.vault is None:
        return equity
    return ZERO if snapshot.vault.empty else Money(equity / to_units(snapshot.vault.shares, 18))


def position_amounts(snapshot: Snapshot, position: Position) -> tuple[Amount, Amount]:
    """Principal, as if the pool stood at the observed prices, and unclaimed fees.

    The vault measures so too (contracts/modules/portfolio.vy): whoever pushes a pool for a block must not move our
    weights, nor what a share seems to be worth.
    """
    pool = _at_fair_price(snapshot, snapshot.pool(position.pool))
    amount0, amount1 = holdings(pool, position)
    return Amount(pool.token0, Raw(amount0 + position.fees0)), Amount(pool.token1, Raw(amount1 + position.fees1))


def _at_fair_price(snapshot: Snapshot, pool: Pool) -> Pool:
    """The pool moved along its own curve to the observed prices; as it is when one of them was not observed."""
    money = {price.token: price.money.as_integer_ratio() for price in snapshot.prices}
    if pool.token0 not in money or pool.token1 not in money:
        return pool
    (top0, under0), (top1, under1) = money[pool.token0], money[pool.token1]
    over, under = top0 * under1 * 10**pool.token1.decimals, top1 * under0 * 10**pool.token0.decimals
    fair = min(max(isqrt((over << 192) // under), MIN_SQRT_RATIO), MAX_SQRT_RATIO - 1)
    if isinstance(pool, V3Pool):
        return replace(pool, sqrt_price_x96=SqrtPriceX96(fair))
    root = isqrt(pool.reserve0 * pool.reserve1)
    return replace(pool, reserve0=Raw((root << 96) // fair), reserve1=Raw(root * fair >> 96))


def band_width(policy: Policy, cov: NDArray[np.float64] | None, volatility: float) -> float:
    """Allowed absolute drift of a weight: wider when the whole portfolio shakes, between a floor and a cap.

    One band for all weights: a stablecoin's own volatility is about zero, so a band of its own would stay narrow
    and fire on the very same drift.
    """
    cap, floor = policy.band.cap_bps / ONE_BPS, policy.band.floor_bps / ONE_BPS
    return cap if cov is None else min(max(policy.band.vols * volatility, floor), cap)


def _covariance(policy: Policy, snapshot: Snapshot) -> NDArray[np.float64] | None:
    if len(snapshot.history) < policy.volatility.least_rows:
        return None
    return covariance(snapshot.history, snapshot.history_step_s, policy.volatility.half_life_s)


def _sum(snapshot: Snapshot, token: Token, amounts: tuple[Amount, ...] | list[Amount]) -> Money:
    return Money(sum((snapshot.value(a) for a in amounts if a.token == token), ZERO))
