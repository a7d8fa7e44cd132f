"""The figures of a run, folded from its series: each is said once here, and told by table, JSON and report alike."""

from dataclasses import dataclass

from bot.core.units import ZERO, Money
from bot.demo.result import DemoResult


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
    )
