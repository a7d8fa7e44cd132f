"""A stolen keeper's key takes no more than the published budget; without the vault's guards it takes everything."""

import sys
from fractions import Fraction
from random import Random

import pytest

from tests.contracts.campaign.fair import claim, grain
from tests.contracts.campaign.hand import Stage
from tests.contracts.campaign.keeper import LEVEL, Worst, judge, search
from tests.contracts.campaign.plots import Draw, Plot
from tests.contracts.campaign.schemes import LAGGING, LAGGING_OFFERS, STEADY
from tests.contracts.campaign.thief import Step, Thief
from tests.contracts.campaign.twins import EVERY, LOSS, NEARNESS, attacked
from tests.contracts.campaign.world import DAY_S, DECIMALS, LIMITS, MONEY, World, paid, redeem_data
from tests.contracts.vault.words import BPS

SAMPLE, PART, PARTS, TWIN = 2_500, 60_000, 6, 10_000  # calls of `execute`
ERROR = Fraction(2, 100)  # how far feeds lag: as far as spot may be off them
ROUNDED = 24  # raw units that a round may lose by rounding: of both tokens of eight positions, and of those before
ALMOST_ONE = 1 + 1e-6  # these units, as a part of the budget
TWINS = {  # guards taken out: do the feeds lag, the measure that shows it, and the least that this must be
    ("bundle loss",): (False, "once", 1.5),
    ("day loss",): (False, "used", 1.05),  # the limits of turnover and deviation stand behind it
    ("turnover",): (True, "used", 2),
    ("turnover of adds",): (True, "hidden", 10**6),
    ("fair value", "turnover"): (False, "used", 3),
    tuple(sorted(LOSS)): (False, "used", 1.05),
    tuple(sorted(LOSS | NEARNESS)): (False, "lost", 0.5),
    tuple(sorted(EVERY)): (False, "lost", 0.9),
}


@pytest.fixture(scope="module")
def world() -> World:
    return attacked()


def campaign(world: World, calls: int, seed: int, lagging: bool = False) -> Worst:
    """Search with all that is allowed."""
    thief = Thief(world, ERROR if lagging else Fraction(0))
    draw = Draw(Random(seed), lagging)
    worst = search(thief, draw, calls, (*LAGGING, *LAGGING_OFFERS) if lagging else STEADY)
    sys.stdout.write(
        f"{thief.key.calls:,} keeper calls, {thief.key.bundles:,} bundles{' while feeds lag' * lagging}: lost "
        f"{worst['lost']:.2%}, {worst['once']:.3f} of what a bundle may, {worst['used']:.3f} of the budget, "
        f"{worst['hidden']:.1f} raw units beyond what was charged\n"
    )
    return worst


def assert_within_budget(worst: Worst) -> None:
    assert worst["hidden"] <= ROUNDED
    assert worst["once"] <= ALMOST_ONE
    assert worst["used"] <= ALMOST_ONE


# ------------------------------------------------------------------ the real vault


def test_stolen_key__any_plot__takes_no_more_than_the_budget(world: World) -> None:
    worst = campaign(world, SAMPLE, seed=1)
    assert_within_budget(worst)
    assert min(worst["once"], worst["used"]) > 0.9, "the search is blind"


def test_stolen_key__feeds_lag__takes_no_more_than_the_budget(world: World) -> None:
    worst = campaign(world, SAMPLE // 2, seed=1, lagging=True)
    assert_within_budget(worst)
    assert worst["used"] > 0.8, "the search is blind"


@pytest.mark.parametrize("plot", LAGGING_OFFERS[:2])
def test_stolen_key__feeds_lag_and_liquidity_is_offered__takes_no_more_than_the_budget(
    world: World, plot: Plot
) -> None:
    verdict = judge(Thief(world, ERROR).play(plot), ERROR)
    assert verdict.used <= ALMOST_ONE
    assert verdict.hidden <= ROUNDED


@pytest.mark.deep
@pytest.mark.parametrize("lagging", [False, True])
@pytest.mark.parametrize("part", range(PARTS // 2))
def test_stolen_key__hundreds_of_thousands_of_calls__take_no_more_than_the_budget(
    world: World, part: int, lagging: bool
) -> None:
    worst = campaign(world, PART, seed=100 + part, lagging=lagging)
    assert_within_budget(worst)
    assert worst["used"] > 0.9, "the search is blind"


# ------------------------------------------------------------------ twins


def test_stolen_key__vault_without_guards__takes_nearly_all() -> None:
    worst = campaign(attacked(*EVERY), SAMPLE // 2, seed=1)
    assert worst["lost"] > 0.9


@pytest.mark.deep
@pytest.mark.parametrize("without", TWINS, ids=", ".join)
def test_stolen_key__vault_without_a_guard__takes_more(without: tuple[str, ...]) -> None:
    lagging, measure, least = TWINS[without]
    sys.stdout.write(f"without {', '.join(without)}: ")
    assert campaign(attacked(*without), TWIN, seed=1, lagging=lagging)[measure] > least


@pytest.mark.deep
def test_stolen_key__vault_that_looks_at_no_spot_price__still_keeps_to_its_budget() -> None:
    """Losses are measured at the feeds' prices: nearness is the second line, which `TWINS` shows at work."""
    assert_within_budget(campaign(attacked(*NEARNESS), TWIN, seed=1))


# ------------------------------------------------------------------ the measure


def test_claim__is_what_redemption_pays_at_the_true_prices(world: World) -> None:
    before = claim(Stage(world).reader)
    with world.chain.undone():
        parts = [paid(world.act(who, world.vault, redeem_data(world.shares(who), who))) for who in world.honest]
    worth = [price * 2**128 * 10 ** (18 - decimals) for price, decimals in zip(MONEY, DECIMALS, strict=True)]
    got = sum(amount * unit for part in parts for amount, unit in zip(part, worth, strict=True))
    assert abs(before - got) < ROUNDED * grain()


def test_judge__loss_beyond_the_limits__is_seen() -> None:
    def steps(*losses: int, wait_s: int = 0) -> list[Step]:
        found, left = [], LEVEL
        for number, bps in enumerate(losses):
            after = left * (10_000 - bps) // 10_000
            found.append(Step(number * wait_s, MONEY, Fraction(0), left, after, bps * BPS, 0))
            left = after
        return found

    bundle, day = LIMITS[:2]
    assert float(judge(steps(bundle), Fraction(0)).once) == pytest.approx(1)
    assert float(judge(steps(bundle + 1), Fraction(0)).once) > 1
    assert float(judge(steps(day), Fraction(0)).used) == pytest.approx(1)
    assert float(judge(steps(day, 1), Fraction(0)).used) > 1
    assert float(judge(steps(day, day // 2, wait_s=DAY_S // 2), Fraction(0)).used) == pytest.approx(1)
    assert float(judge(steps(day, day // 2 + 5, wait_s=DAY_S // 2), Fraction(0)).used) > 1
    assert float(judge(steps(-500, day + 1), Fraction(0)).used) > 1, "a gain before makes up for nothing"
    assert judge([Step(0, MONEY, Fraction(0), 10**60, 10**60 - 10**58, 10**6, 0)], Fraction(0)).hidden == 0
    assert judge([Step(0, MONEY, Fraction(0), 10**60, 10**60 - 10**58, 10**6 - 1, 0)], Fraction(0)).hidden > 0
    wide = Step(0, MONEY, Fraction(0), 10**60, 10**60 - 10**58, 10**6 * 4 // 5, 0, Fraction(5, 4))
    assert judge([wide], Fraction(0)).hidden == 0, "a fifth of NAV went since the record"
    assert float(judge([wide], Fraction(0)).once) == pytest.approx(0.8)
    assert float(judge([wide], Fraction(0)).used) == pytest.approx(0.4)
