"""The adversarial keeper: a search for the plot that costs the honest holders most, held against the published budget.

The budget, and why it holds. D and U are the day's limits of loss and of turnover, as shares of NAV, and the true price
of any token in any other is off the feeds' by a factor of at most 1 + e. A bundle that sells A (at the feeds' prices)
and is charged m takes tokens worth N <= A out of the holdings and brings N - m in, whichever tokens these are. At the
true prices what goes out is worth at most N q and what comes in at least (N - m) q / (1 + e), where q is the largest
ratio of a true price to its feed's. So the loss is at most (N e + m) q / (1 + e), and what it is a share of is at least
NAV q / (1 + e): the bundle loses at most (m + e A) / NAV. The leaky buckets bound both sums, so in any stretch of T
days, however many bundles it has, honest holders lose at most

    (D + e U) (1 + T)

of their claim, beside what is rounded away (raw units). One bundle loses at most its own limit of loss + e U.
Removing liquidity only gains: a position pays least where its pool stands at the true price, and that is how it counts.
Adding is a sale of what is put in and counts as one: a range is a standing offer at prices that may be wrong, and is
worth at the true prices no less than its deposit at the worse of both.
All limits are shares of NAV, which a bundle may state with a record of the tokens it does not touch, a day old at most:
where those fell by a fraction m of NAV since, everything above is wider by 1 / (1 - m), and no more.
Minting, redeeming, gifts and trades on the pools take nothing from a share. A thief who is a holder too, were it for
one bundle, bears his shares' part of the loss himself; limits that are shares of NAV give him no more of the others'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from tests.contracts.campaign.fair import grain
from tests.contracts.campaign.plots import Draw, Plot
from tests.contracts.campaign.thief import Step, Thief
from tests.contracts.campaign.world import DAY_S, LIMITS
from tests.contracts.vault.words import NAV_ONE

BPS = 10_000
LEVEL = 2**200  # of the claim at the start: the market's own moves are left out by chaining each round's change
DRAWN, PATIENCE = 6, 25  # plots drawn before a climb; changes in a row that did not help before it ends
MEASURES = ("lost", "once", "used", "hidden")


@dataclass(frozen=True)
class Verdict:
    """Of an episode."""

    lost: Fraction  # of the claim
    once: Fraction  # of what one bundle may lose, by the worst one
    used: Fraction  # of the published budget, over the worst stretch
    hidden: Fraction  # raw units of the dearest token: most lost by a round beyond what it was charged


@dataclass
class Worst:
    """The highest of each measure that a search came upon, and its plot."""

    found: dict[str, tuple[Fraction, Plot]]

    def take(self, verdict: Verdict, plot: Plot) -> None:
        for name in MEASURES:
            value = getattr(verdict, name)
            if name not in self.found or value > self.found[name][0]:
                self.found[name] = value, plot

    def __getitem__(self, name: str) -> float:
        return float(self.found[name][0])


def judge(steps: Sequence[Step], error: Fraction) -> Verdict:
    """Hold an episode against the budget, where each feed is at most such a part of the price off."""
    between = (1 + error) ** 2 - 1  # of one token's price in another
    beside = between * LIMITS[2]
    levels, once, hidden = [LEVEL], Fraction(0), Fraction(0)
    for step in steps:
        levels.append(levels[-1] * step.after // step.before)
        lost = step.before - step.after
        once = max(once, Fraction(lost, step.before) * BPS / (LIMITS[0] + beside) / step.wide)
        charged = step.before * step.wide * (step.lost + step.error * step.sold) / NAV_ONE
        hidden = max(hidden, (lost - charged) / grain(step.prices))
    used = _used(levels, steps, (LIMITS[1] + beside) / BPS)
    return Verdict(1 - Fraction(levels[-1], LEVEL), once, used, hidden)


def _used(levels: list[int], steps: Sequence[Step], day: Fraction) -> Fraction:
    """The largest part of the budget that any stretch of rounds lost."""
    most = Fraction(0)
    for first, start in enumerate(steps):
        wide = Fraction(1)
        for last in range(first, len(steps)):
            wide = max(wide, steps[last].wide)
            if levels[last + 1] < levels[first]:
                lost = Fraction(levels[first] - levels[last + 1], levels[first])
                most = max(most, lost / (day * wide * (1 + Fraction(steps[last].time - start.time, DAY_S))))
    return most


def search(thief: Thief, draw: Draw, calls: int, known: Sequence[Plot] = ()) -> Worst:
    """Try known plots, then climb from the worst ones and from drawn ones in turn, until so many calls were sent."""
    worst, last = Worst({}), thief.key.calls + calls

    def score(plot: Plot, name: str) -> Fraction:
        verdict = judge(thief.play(plot), thief.error)
        worst.take(verdict, plot)
        return Fraction(getattr(verdict, name))

    for plot in known:
        score(plot, MEASURES[0])
    turn = 0
    while thief.key.calls < last:
        name = MEASURES[turn % len(MEASURES)]
        if turn // len(MEASURES) % 2 == 0 and worst.found:
            best, start = worst.found[name]
        else:
            best, start = max(((score(plot, name), plot) for plot in draw.plots(DRAWN)), key=lambda pair: pair[0])
        _climb(draw, start, best, partial(score, name=name), lambda: thief.key.calls < last)
        turn += 1
    return worst


def _climb(
    draw: Draw, plot: Plot, best: Fraction, score: Callable[[Plot], Fraction], time_is_left: Callable[[], bool]
) -> None:
    idle = 0
    while idle < PATIENCE and time_is_left():
        other = draw.changed(plot)
        value = score(other)
        idle = 0 if value > best else idle + 1
        if value >= best:
            plot, best = other, value
