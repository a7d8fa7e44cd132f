"""The policy file as a type: everything an owner may tune, with its unit and bounds."""

from decimal import Decimal
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.core.units import ONE_BPS, Bps, Money, Seconds


class Rule(BaseModel):
    """Checked once, at the edge; frozen after; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Band(Rule):
    """How far a weight may drift before anything happens."""

    vols: float = Field(
        1.0, ge=0, le=10, description="half-width of the band, in portfolio standard deviations over one day"
    )
    floor_bps: Bps = Field(Bps(150), gt=0, le=ONE_BPS, description="narrowest half-width (bps of equity)")
    cap_bps: Bps = Field(Bps(1_000), gt=0, le=ONE_BPS, description="widest half-width (bps of equity)")
    rest: float = Field(
        0.5, gt=0, lt=1, description="a correction goes on until the worst drift is inside this part of the band"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Band":
        if self.floor_bps > self.cap_bps:
            raise ValueError(f"floor_bps must not exceed cap_bps, was {self.floor_bps} > {self.cap_bps}")
        return self


class Volatility(Rule):
    """How volatility is estimated from the price history."""

    half_life_s: Seconds = Field(Seconds(259_200), gt=0, description="age at which a return counts half (seconds)")
    least_rows: int = Field(24, ge=3, description="fewer prices than this: the band stands at its cap")


class Size(Rule):
    """How much of the drift is traded away."""

    to: Literal["target", "edge", "fraction"] = Field(
        "target", description="target: all of it; edge: back to the rest zone; fraction: that part of it each time"
    )
    fraction: float = Field(0.5, gt=0, le=1, description="part of the drift traded when `to` is fraction")
    smallest: Money = Field(Money(Decimal(50)), ge=0, description="a trade below this is not made (money)")
    dead_bps: Bps = Field(Bps(20), ge=0, le=1_000, description="a trade below this part of equity is not made (bps)")


class Cost(Rule):
    """What a rebalance must be worth."""

    risk_aversion: float = Field(
        4.0, ge=0, description="price of variance: drift costs half of this times its variance, a day, of equity"
    )
    horizon_days: float = Field(30.0, gt=0, description="how long a correction is expected to last (days)")
    least_benefit: float = Field(1.0, ge=0, description="act only when gain is at least this times the cost")
    slippage_bps: Bps = Field(Bps(30), ge=0, le=500, description="worst fill accepted against the exact quote (bps)")
    cooldown_s: Seconds = Field(Seconds(3_000), ge=0, description="least time between two bundles (seconds)")
    deadline_s: Seconds = Field(Seconds(600), gt=0, le=86_400, description="a bundle not mined by then never runs")


class Range(Rule):
    """One concentrated-liquidity range to keep."""

    pool: str = Field(description="name of a V3 pool in the market")
    share: float = Field(gt=0, le=1, description="part of equity held in the range")
    width_vols: float = Field(
        2.0, gt=0, description="half-width, in standard deviations of the pair over `horizon_days`"
    )
    horizon_days: float = Field(7.0, gt=0, description="how long a range should hold the price (days)")
    least_width_bps: Bps = Field(Bps(300), gt=0, description="narrowest half-width (bps of price)")
    most_width_bps: Bps = Field(Bps(5_000), gt=0, lt=ONE_BPS, description="widest half-width (bps of price)")
    most_cost_bps: Bps = Field(
        Bps(50), gt=0, description="recentre only when it costs less than this part of the range"
    )


class Guards(Rule):
    """What must not happen, whatever the decision says."""

    ask_above: Money = Field(Money(Decimal(1_000_000)), gt=0, description="a person must approve larger trades (money)")
    day_turnover_bps: Bps = Field(Bps(10_000), gt=0, description="most traded in a day (bps of equity)")
    drawdown_bps: Bps = Field(Bps(5_000), gt=0, le=ONE_BPS, description="further below its peak, a person must approve")
    deviation_bps: Bps = Field(Bps(100), gt=0, le=500, description="most a touched pool may stand off the price (bps)")
    loss_bps: Bps = Field(Bps(50), gt=0, le=200, description="most a bundle may lose at fair prices (bps of equity)")
    gas_price_gwei: Money = Field(Money(Decimal(200)), gt=0, description="wait while gas costs more (gwei)")
    failures: int = Field(3, ge=1, description="after so many failed bundles in a row, a person must approve")


class Policy(Rule):
    """What the owner wants."""

    name: str = Field("balanced", min_length=1, description="what people call it")
    numeraire: str = Field("USD", description="unit of all money in this file and of the feeds")
    targets: dict[str, float] = Field(description="weight of each token, by symbol; sums to 1")
    band: Band = Band()
    volatility: Volatility = Volatility()
    size: Size = Size()
    cost: Cost = Cost()
    ranges: tuple[Range, ...] = ()
    guards: Guards = Guards()

    @field_validator("targets")
    @classmethod
    def _whole(cls, targets: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= weight <= 1 for weight in targets.values()):
            raise ValueError(f"every weight must lie between 0 and 1 (40 % is 0.40), was {targets}")
        if abs(sum(targets.values()) - 1) > 1e-9:
            raise ValueError(f"weights must sum to 1, they sum to {sum(targets.values()):.6g}")
        return targets

    @model_validator(mode="after")
    def _ranges_fit(self) -> "Policy":
        pools = [r.pool for r in self.ranges]
        if len(set(pools)) < len(pools):
            raise ValueError(f"one range per pool, was {pools}")
        if sum(r.share for r in self.ranges) > 1 + 1e-9:
            raise ValueError("the shares of all ranges together must not exceed 1")
        return self

    @property
    def version(self) -> str:
        """First 12 hex digits of the hash of the rules; stored with every decision."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:12]
