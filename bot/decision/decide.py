"""From a snapshot to wishes: whether to act, how far to go, and why or why not."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.core.types import Decision, Memory, Reason, Shift, Snapshot, Trade
from bot.core.units import ONE_BPS, ZERO, Money, share_of_money
from bot.decision.benefit import cost, gain, gas_cost
from bot.decision.ranges import due, holding
from bot.decision.size import aims, pair
from bot.decision.standing import Standing, stand
from bot.policy.rules import Policy

ROUNDING = 1e-9  # of weights


@dataclass(frozen=True, slots=True)
class Wish:
    """What the triggers ask for, before asking whether it is worth it."""

    aim: NDArray[np.float64]  # weights afterwards, (N,)
    trades: tuple[Trade, ...]
    shifts: tuple[Shift, ...]
    reasons: tuple[Reason, ...]
    moves: bool = False  # a range is due: that alone is worth acting; ranges that are freed to be sold are not


def decide(policy: Policy, memory: Memory, snapshot: Snapshot, part: float = 1.0) -> Decision:
    """Act when the worst drift leaves the band or a range has lost the price, and when that is worth its cost.

    `part`: so much of the correction that the policy asks for is made now.
    DataError when the portfolio is empty or the policy names what was not observed.
    """
    standing = stand(policy, snapshot)
    goes_on = memory.correcting and standing.worst > policy.band.rest * standing.band
    correcting = standing.worst > standing.band or goes_on
    wish = _wish(policy, snapshot, standing, correcting, part)
    benefit, price = gain(policy, standing, wish.aim), cost(snapshot, wish.trades, wish.shifts)
    objection = (
        _waiting(policy, memory, snapshot, wish)
        or _too_small(wish, correcting)
        or _not_worth_it(policy, standing, wish, benefit, price)
    )
    act = bool(wish.trades or wish.shifts) and objection is None
    return Decision(
        act=act,
        reasons=wish.reasons if objection is None else (*wish.reasons, objection),
        weights=tuple(standing.weights.tolist()),
        targets=tuple(standing.targets.tolist()),
        aims=tuple((wish.aim if act else standing.weights).tolist()),
        band=standing.band,
        volatility=standing.volatility,
        correcting=correcting,
        goes_on=correcting and _worst(wish.aim - standing.targets) > policy.band.rest * standing.band + ROUNDING,
        trades=wish.trades if act else (),
        shifts=wish.shifts if act else (),
        gain=benefit,
        cost=price,
    )


def _worst(drift: NDArray[np.float64]) -> float:
    return float(np.abs(drift).max())


# ------------------------------------------------------------------ what the triggers ask for


def _wish(policy: Policy, snapshot: Snapshot, standing: Standing, correcting: bool, part: float) -> Wish:
    moves, reasons = _moves(policy, snapshot, standing)
    if not correcting and not moves:
        return Wish(standing.weights, (), (), (_inside(snapshot, standing), *reasons))
    aim = standing.weights + part * (aims(policy, standing) - standing.weights)
    trades = pair(policy, snapshot, standing, aim)
    if correcting:
        reasons = (_breach(snapshot, standing), *reasons)
    elif gain(policy, standing, aim) <= cost(snapshot, trades, ()):
        trades, aim = (), standing.weights  # the bundle is for the range; this drift alone is not worth a swap
    sold = _locked(snapshot, standing, trades)
    moved = {shift.position for shift in moves}
    freed = tuple(s for s in holding(policy, snapshot, standing, sold) if s.position not in moved)
    return Wish(aim, trades, (*moves, *freed), reasons, bool(moves))


def _moves(policy: Policy, snapshot: Snapshot, standing: Standing) -> tuple[tuple[Shift, ...], tuple[Reason, ...]]:
    """Moves of ranges whose gas is a small enough part of the range, and a sentence for each that is due."""
    rules = {rule.pool: rule for rule in policy.ranges}
    shifts, reasons = [], []
    for shift, reason in due(policy, snapshot, standing):
        rule = rules[snapshot.pool(shift.pool).name]
        gas, limit = gas_cost(snapshot, (), (shift,)), rule.most_cost_bps
        money = share_of_money(standing.equity, rule.share)
        if gas * ONE_BPS <= money * limit:
            shifts.append(shift)
            reasons.append(reason)
        else:
            said = f"{reason.said}; but that costs {gas:.2f} in gas, more than {limit} bps of its {money:.2f}"
            reasons.append(Reason("range cost", said, (("gas", float(gas)), ("money", float(money)))))
    return tuple(shifts), tuple(reasons)


def _locked(snapshot: Snapshot, standing: Standing, trades: tuple[Trade, ...]) -> set[str]:
    """Addresses of the tokens of which more is sold than lies idle."""
    tokens = [p.token for p in snapshot.prices]
    sold = [sum((t.money for t in trades if t.sell == token), Decimal(0)) for token in tokens]
    return {token.address for token, s, idle in zip(tokens, sold, standing.idle, strict=True) if s > idle}


# ------------------------------------------------------------------ why not


def _waiting(policy: Policy, memory: Memory, snapshot: Snapshot, wish: Wish) -> Reason | None:
    if not wish.trades and not wish.shifts:
        return None
    on_chain, least = (snapshot.vault.last_bundle, snapshot.vault.limits.cooldown_s) if snapshot.vault else (0, 0)
    last, cooldown = max(memory.last_bundle, on_chain), max(policy.cost.cooldown_s, least)
    waited = snapshot.block.timestamp - last
    if waited >= cooldown:
        return None
    said = f"the last bundle was {waited} s ago and the next may come after {cooldown} s"
    return Reason("cool-down", said, (("waited_s", float(waited)), ("cooldown_s", float(cooldown))))


def _too_small(wish: Wish, correcting: bool) -> Reason | None:
    if wish.trades or wish.shifts or not correcting:
        return None
    return Reason("too small", "every trade would be smaller than the smallest worth making")


def _not_worth_it(policy: Policy, standing: Standing, wish: Wish, benefit: Money, price: Money) -> Reason | None:
    """A range's move has paid for itself already; without history the cost is held against the trades instead."""
    if wish.moves or not wish.trades:
        return None
    if standing.covariance is None:
        traded = sum((t.money for t in wish.trades), ZERO)
        worth, what = Money(traded * policy.cost.slippage_bps / ONE_BPS), "without price history it may cost"
    else:
        worth, what = benefit, "correcting the drift is worth"
    least = share_of_money(price, policy.cost.least_benefit)
    if worth >= least:
        return None
    said = f"{what} {worth:.2f} and it costs {price:.2f}, so the drift is left alone"
    return Reason("cost", said, (("worth", float(worth)), ("cost", float(price))))


# ------------------------------------------------------------------ why


def _breach(snapshot: Snapshot, standing: Standing) -> Reason:
    index = int(np.abs(standing.drift).argmax())
    symbol, drift = snapshot.prices[index].token.symbol, float(standing.drift[index])
    where = "outside" if standing.worst > standing.band else "still on the way back from outside"
    said = (
        f"{symbol} is {standing.weights[index]:.2%} of the portfolio, {drift:+.2%} from its target of "
        f"{standing.targets[index]:.2%}: {where} the band of ±{standing.band:.2%} {_why_so_wide(standing)}"
    )
    return Reason("band", said, (("drift", drift), ("band", standing.band), ("volatility", standing.volatility)))


def _inside(snapshot: Snapshot, standing: Standing) -> Reason:
    index = int(np.abs(standing.drift).argmax())
    symbol, drift = snapshot.prices[index].token.symbol, float(standing.drift[index])
    said = (
        f"every weight is inside the band of ±{standing.band:.2%} {_why_so_wide(standing)}; "
        f"the farthest is {symbol} at {drift:+.2%} from its target"
    )
    return Reason("inside", said, (("drift", drift), ("band", standing.band), ("volatility", standing.volatility)))


def _why_so_wide(standing: Standing) -> str:
    if standing.covariance is None:
        return "(at its cap: too little price history to know the volatility)"
    return f"(portfolio volatility {standing.volatility:.2%} a day)"
