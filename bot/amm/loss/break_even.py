"""How much a position must earn in fees: the rate, as a part of its value per day, at which it is even."""

from dataclasses import dataclass

from bot.amm.loss.checked import Floats, Reals, ends, not_negative, positive, spread
from bot.amm.loss.closed_form import range_value
from bot.amm.loss.expected import expected_range_loss, expected_range_lvr, expected_range_value
from bot.amm.loss.lognormal import Motion, over_time


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Fee income per day, as a fraction of the position's value at the time, that makes up for what it loses."""

    holding: Floats  # against holding today's amounts to the end of the horizon
    rebalancing: Floats  # against the rebalancing portfolio, up to the end of the horizon


def needed_rate(shortfall: Reals, mean_value: Reals, days: Reals) -> Floats:
    """Give the fee income per day, as a fraction of the position's mean value, that makes up for a shortfall.

    `shortfall` (at least 0) and `mean_value` are in one money, over these `days`: impermanent loss, or realised LVR.
    The arguments broadcast. ValueError when a value or the days are not above 0.
    Source: its definition.
    """
    return not_negative("shortfall", shortfall) / (positive("mean value", mean_value) * positive("days", days))


def expected_break_even(motion: Motion, price: Reals, lower: Reals, upper: Reals, days: Reals) -> BreakEven:
    """Give the rates at which a range is expected to be even after some days: E[H - V] and E[LVR] over the integral of
    E[V].

    The rates are means over all days, those out of range too: while it is in range it must earn more by the factor
    1 / `time_in_range`. At a short horizon the second tends to `range_lvr_rate`, and without drift the two are one. The
    arguments broadcast. ValueError when a price or the days are not above 0, or the range is none.
    Source: the formulas of `expected`; a full range without drift needs sigma^2 / 8, arXiv:2208.06046.
    """
    low, high = ends(lower, upper)
    horizon = spread(days, price, low, high)
    worth = over_time(horizon, lambda t: expected_range_value(motion, price, low, high, t))
    today = range_value(price, low, high)
    return BreakEven(
        holding=(0.0 - expected_range_loss(motion, price, low, high, horizon)) * today / worth,
        rebalancing=expected_range_lvr(motion, price, low, high, horizon) * today / worth,
    )
