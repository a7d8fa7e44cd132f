"""What liquidity loses and earns: against holding, against rebalancing, in fees; measured, exact and expected."""

from bot.amm.loss.break_even import BreakEven, expected_break_even, needed_rate
from bot.amm.loss.closed_form import (
    concentrated_loss,
    constant_product_loss,
    held_loss,
    range_amounts,
    range_shortfall,
    range_value,
    weighted_loss,
)
from bot.amm.loss.exact import ImpermanentLoss, impermanent_loss, rebalancing_loss
from bot.amm.loss.expected import (
    expected_constant_product_loss,
    expected_range_loss,
    expected_range_lvr,
    expected_range_value,
    expected_weighted_loss,
    mean_relative_loss,
    time_in_range,
)
from bot.amm.loss.fees import FeeBounds, estimated_fees, fees_by_bar, fees_in_range, inside_share
from bot.amm.loss.lognormal import Motion
from bot.amm.loss.rebalancing import (
    constant_product_lvr_rate,
    lvr_rate,
    range_lvr_rate,
    range_second_derivative,
    realised_lvr,
    realised_range_lvr,
    weighted_lvr_rate,
)

__all__ = [
    "BreakEven",
    "FeeBounds",
    "ImpermanentLoss",
    "Motion",
    "concentrated_loss",
    "constant_product_loss",
    "constant_product_lvr_rate",
    "estimated_fees",
    "expected_break_even",
    "expected_constant_product_loss",
    "expected_range_loss",
    "expected_range_lvr",
    "expected_range_value",
    "expected_weighted_loss",
    "fees_by_bar",
    "fees_in_range",
    "held_loss",
    "impermanent_loss",
    "inside_share",
    "lvr_rate",
    "mean_relative_loss",
    "needed_rate",
    "range_amounts",
    "range_lvr_rate",
    "range_second_derivative",
    "range_shortfall",
    "range_value",
    "realised_lvr",
    "realised_range_lvr",
    "rebalancing_loss",
    "time_in_range",
    "weighted_loss",
    "weighted_lvr_rate",
]
