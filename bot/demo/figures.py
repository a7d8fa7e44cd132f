"""The figures of a run, folded from its series: each is said once here, and told by table, JSON and report alike."""

from dataclasses import dataclass
from typing import TypedDict

from bot.amm.loss import needed_rate
from bot.core.units import ZERO, Money
from bot.demo.result import DemoResult

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Figures:
    """Money in the numeraire; returns, drifts and shares of time as fractions."""

    vault: Money  # at the end, of the first deposits
    hold: Money
    left: Money
    vault_return: float
    hold_return: float
    left_return: float
    out_of_band: float
    worst_drift: float
    worst_drift_left: float | None  # of the portfolio that was never rebalanced
    last_drift: float
    last_band: float
    pools_off: float
    sent: int
    failed: int
    off_wei: int
    traded: Money
    swap_fees: Money
    gas_used: int
    gas_paid: Money
    liquidity: Money  # in ranges, on average
    in_range: float | None  # part of the time, weighted by money, that ranges held the price; None when there were none
    fee_rate: float  # fees per day, as a part of the money in ranges
    holding_rate: float  # what they would have had to be to be even with holding
    rebalancing_rate: float  # what they would have had to be to be even with trading at the feeds' prices


def figures(result: DemoResult) -> Figures:
    """Sum up a run of at least one hour."""
    last, bundles = result.hours[-1], result.bundles

    def gained(value: Money) -> float:
        return float(value / result.deposited - 1)

    return Figures(
        vault=last.vault,
        hold=last.hold,
        left=last.left,
        vault_return=gained(last.vault),
        hold_return=gained(last.hold),
        left_return=gained(last.left),
        out_of_band=result.out_of_band / result.cycles,
        worst_drift=max(hour.drift for hour in result.hours),
        worst_drift_left=max((h.drift_left for h in result.hours if h.drift_left is not None), default=None),
        last_drift=last.drift,
        last_band=last.band,
        pools_off=max(hour.pools_off for hour in result.hours[:-1]),
        sent=len(bundles),
        failed=sum(not b.ok for b in bundles),
        off_wei=max((b.off_wei for b in bundles), default=0),
        traded=Money(sum((b.traded for b in bundles), ZERO)),
        swap_fees=Money(sum((b.swap_fees for b in bundles), ZERO)),
        gas_used=sum(b.gas_used for b in bundles),
        gas_paid=Money(sum((b.gas_paid for b in bundles), ZERO)),
        **_liquidity(result),
    )


class _Liquidity(TypedDict):
    liquidity: Money
    in_range: float | None
    fee_rate: float
    holding_rate: float
    rebalancing_rate: float


def _liquidity(result: DemoResult) -> _Liquidity:
    """What the ranges earned, and would have had to earn."""
    hours = result.hours
    mean = Money(sum((hour.liquidity for hour in hours), ZERO) / len(hours))
    days = (hours[-1].at - hours[0].at) / DAY_S
    inside = sum(float(hour.liquidity) * hour.in_range for hour in hours if hour.in_range is not None)

    def rate(money: Money) -> float:
        return float(needed_rate(max(0.0, float(money)), float(mean), days)) if mean and days else 0.0

    return _Liquidity(
        liquidity=mean,
        in_range=inside / (float(mean) * len(hours)) if mean else None,
        fee_rate=rate(result.fees_earned),
        holding_rate=rate(Money(-result.impermanent_loss)),
        rebalancing_rate=rate(result.rebalancing_loss),
    )
