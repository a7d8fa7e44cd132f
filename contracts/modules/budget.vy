# pragma version 0.4.3
"""
@title   The two leaky buckets, and the count of bundles
@license Apache-2.0
@notice  Shares of NAV are 1e8 = 100 %, and rounded up. A bucket leaks its whole day's limit in a day, evenly.
"""

from modules import layout
from modules import refuse
from modules import registry

uses: registry

struct Run:
    sequence: uint256  # the one a bundle must name
    last_bundle: uint256
    loss_used: uint256
    turnover_used: uint256


# ------------------------------------------------------------------ storage

ONE: constant(uint256) = 10**8
BPS: constant(uint256) = 10**4  # of ONE
DAY_S: constant(uint256) = 86_400


@internal
@view
def _run(held: uint256, limits: layout.Limits) -> Run:
    """@notice Where the bundles stand, from the word that says it, with the buckets leaked to now"""
    last: uint256 = held >> layout.LAST & (2**32 - 1)
    passed: uint256 = unsafe_sub(block.timestamp, last)
    return Run(
        sequence=held & layout.SEQUENCE,
        last_bundle=last,
        loss_used=self._leaked(held >> layout.LOSS & (2**23 - 1), limits.day_loss_bps, passed),
        turnover_used=self._leaked(held >> layout.TURNOVER & (2**31 - 1), limits.day_turnover_bps, passed),
    )


@internal
@pure
def _leaked(used: uint256, day_bps: uint256, passed: uint256) -> uint256:
    return unsafe_sub(used, min(used, unsafe_div(unsafe_mul(unsafe_mul(day_bps, BPS), passed), DAY_S)))


@internal
@pure
def _part(money: uint256, nav: uint256) -> uint256:
    """@notice Which share of NAV it is, rounded up"""
    return unsafe_div(money * ONE + nav - 1, nav)


@internal
def _spend(limits: layout.Limits, before: Run, nav_before: uint256, nav_after: uint256, turnover: uint256):
    """@notice Charge a bundle to the limits, rounding against the keeper, and step to the next sequence number"""
    lost: uint256 = 0
    if nav_after < nav_before:
        lost = self._part(nav_before - nav_after, nav_before)
    if lost > limits.bundle_loss_bps * BPS:
        refuse._with(refuse.LIMITS_BUNDLE_LOSS)
    loss_used: uint256 = before.loss_used + lost
    if lost != 0 and loss_used > limits.day_loss_bps * BPS:  # what loses nothing goes on, however low a limit was set
        refuse._with(refuse.LIMITS_DAY_LOSS)
    turnover_used: uint256 = before.turnover_used + self._part(turnover, nav_before)
    if turnover != 0 and turnover_used > limits.day_turnover_bps * BPS:
        refuse._with(refuse.LIMITS_DAY_TURNOVER)
    sequence: uint256 = before.sequence + 1 & layout.SEQUENCE  # a plan's deadline is over long before a number comes again
    registry.words[layout.HELD] = (
        registry.words[layout.HELD] >> layout.RUN_BITS << layout.RUN_BITS
        | sequence
        | block.timestamp << layout.LAST
        | loss_used << layout.LOSS
        | turnover_used << layout.TURNOVER
    )
