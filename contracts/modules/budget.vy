# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   The owner's limits on the keeper, their ceilings in code, and the two leaky buckets
@license Apache-2.0
@notice  Shares of NAV are 1e18 = 100 %. A bucket leaks its whole day's limit in a day, evenly.
"""

from modules import maths
from modules import refuse
from modules import roles

uses: roles

struct Limits:
    bundle_loss_bps: uint256
    day_loss_bps: uint256
    day_turnover_bps: uint256
    deviation_bps: uint256
    cooldown_s: uint256


struct Run:
    sequence: uint256  # the one a bundle must name
    last_bundle: uint256
    loss_used: uint256
    turnover_used: uint256


event LimitsSet:
    limits: Limits


# ------------------------------------------------------------------ storage

ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
DAY_S: constant(uint256) = 86_400

MOST_BUNDLE_LOSS_BPS: constant(uint256) = 200
MOST_DAY_LOSS_BPS: constant(uint256) = 500
MOST_DAY_TURNOVER_BPS: constant(uint256) = 200_000
MOST_DEVIATION_BPS: constant(uint256) = 500
MOST_COOLDOWN_S: constant(uint256) = 604_800

limits_word: uint256  # bundle loss | day loss << 32 | day turnover << 64 | deviation << 96 | cool-down << 128
run_word: uint256  # sequence | last bundle << 64 | loss used << 104 (72 bits) | turnover used << 176 (80 bits)


@deploy
def __init__(limits_: Limits):
    self._set(limits_)


# ------------------------------------------------------------------ owner

@external
def set_limits(limits: Limits):
    """@notice Replace the limits; at once where no limit widens, else asked twice."""
    roles._only_owner()
    now: Limits = self._limits()
    if (
        limits.bundle_loss_bps > now.bundle_loss_bps
        or limits.day_loss_bps > now.day_loss_bps
        or limits.day_turnover_bps > now.day_turnover_bps
        or limits.deviation_bps > now.deviation_bps
        or limits.cooldown_s < now.cooldown_s
    ):
        if roles._waits(keccak256(slice(msg.data, 0, 164))):
            return
    self._set(limits)


@internal
def _set(limits: Limits):
    if (
        limits.bundle_loss_bps > MOST_BUNDLE_LOSS_BPS
        or limits.day_loss_bps > MOST_DAY_LOSS_BPS
        or limits.day_turnover_bps > MOST_DAY_TURNOVER_BPS
        or limits.deviation_bps > MOST_DEVIATION_BPS
        or limits.cooldown_s > MOST_COOLDOWN_S
    ):
        refuse._with(refuse.LIMITS_CEILING)
    self.limits_word = (
        limits.bundle_loss_bps
        | limits.day_loss_bps << 32
        | limits.day_turnover_bps << 64
        | limits.deviation_bps << 96
        | limits.cooldown_s << 128
    )
    log LimitsSet(limits=limits)


# ------------------------------------------------------------------ everybody

@external
@view
def limits() -> Limits:
    """@notice The limits in force."""
    return self._limits()


# ------------------------------------------------------------------ for the vault

@internal
@view
def _limits() -> Limits:
    word: uint256 = self.limits_word
    mask: uint256 = 2**32 - 1
    return Limits(
        bundle_loss_bps=word & mask,
        day_loss_bps=word >> 32 & mask,
        day_turnover_bps=word >> 64 & mask,
        deviation_bps=word >> 96 & mask,
        cooldown_s=word >> 128,
    )


@internal
@view
def _run(limits: Limits) -> Run:
    """@notice Where the bundles stand, with the buckets leaked to now"""
    word: uint256 = self.run_word
    last: uint256 = word >> 64 & (2**40 - 1)
    passed: uint256 = unsafe_sub(block.timestamp, last)
    return Run(
        sequence=word & (2**64 - 1),
        last_bundle=last,
        loss_used=self._leaked(word >> 104 & (2**72 - 1), limits.day_loss_bps, passed),
        turnover_used=self._leaked(word >> 176, limits.day_turnover_bps, passed),
    )


@internal
@pure
def _leaked(used: uint256, day_bps: uint256, passed: uint256) -> uint256:
    return unsafe_sub(used, min(used, unsafe_div(unsafe_mul(unsafe_mul(day_bps, BPS), passed), DAY_S)))


@internal
def _spend(limits: Limits, before: Run, nav_before: uint256, nav_after: uint256, turnover: uint256):
    """@notice Charge a bundle to the limits, rounding against the keeper, and step to the next sequence number"""
    lost: uint256 = 0
    if nav_after < nav_before:
        lost = maths._mul_div_up(nav_before - nav_after, ONE, nav_before)
    if lost > limits.bundle_loss_bps * BPS:
        refuse._with(refuse.LIMITS_BUNDLE_LOSS)
    loss_used: uint256 = before.loss_used + lost
    if loss_used > limits.day_loss_bps * BPS:
        refuse._with(refuse.LIMITS_DAY_LOSS)
    turnover_used: uint256 = before.turnover_used + maths._mul_div_up(turnover, ONE, nav_before)
    if turnover_used > limits.day_turnover_bps * BPS:
        refuse._with(refuse.LIMITS_DAY_TURNOVER)
    self.run_word = before.sequence + 1 | block.timestamp << 64 | loss_used << 104 | turnover_used << 176
