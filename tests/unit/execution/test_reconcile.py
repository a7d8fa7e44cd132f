"""Expected against got, step by step and token by token."""

from dataclasses import replace

import pytest

from bot.core.types import Fill
from bot.execution.reconcile import Difference, expected, reconcile
from tests.factories import USDC, WETH, snapshot
from tests.unit.execution import bundles


def got(*changed: Fill) -> tuple[Fill, ...]:
    by_step = {fill.step: fill for fill in changed}
    return tuple(by_step.get(fill.step, fill) for fill in bundles.FILLS)


def test_expected__every_kind_of_step__is_signed_as_the_account_sees_it() -> None:
    assert expected(bundles.plan(), snapshot()) == bundles.FILLS


def test_reconcile__as_expected__says_so() -> None:
    found = reconcile(bundles.plan(), snapshot(), bundles.outcome())
    assert (found.worst, found.said) == (0, "all 8 amounts exactly as expected")
    assert len(found.differences) == 8


@pytest.mark.parametrize(
    ("fill", "difference", "said"),
    [
        (Fill(1, -3_000, 997), Difference(1, WETH, 1_000, 997), "step 1 (swap): 3 raw WETH less"),
        (Fill(2, 2_994, -1_000), Difference(2, USDC, 2_990, 2_994), "step 2 (swap): 4 raw USDC more"),
        (Fill(3, -41, -30), Difference(3, USDC, -40, -41), "step 3 (add): 1 raw USDC less"),
        (Fill(0, 50, 61), Difference(0, WETH, 60, 61), "step 0 (remove): 1 raw WETH more"),
    ],
)
def test_reconcile__one_amount_off__names_it(fill: Fill, difference: Difference, said: str) -> None:
    found = reconcile(bundles.plan(), snapshot(), bundles.outcome(fills=got(fill)))
    assert [each for each in found.differences if each.raw] == [difference]
    assert found.worst == abs(difference.raw)
    assert found.said == f"7 of 8 amounts exactly as expected; the worst is {said} than expected"


def test_reconcile__several_amounts_off__the_worst_is_the_largest_in_either_direction() -> None:
    found = reconcile(bundles.plan(), snapshot(), bundles.outcome(fills=got(Fill(0, 52, 60), Fill(1, -3_000, 993))))
    assert found.worst == 7
    assert "step 1 (swap): 7 raw WETH less" in found.said


def test_reconcile__nothing_expected_and_nothing_moved__is_not_counted() -> None:
    fees = replace(bundles.STEPS[0], liquidity=0, expect0=0, expect1=0)
    found = reconcile(bundles.plan(steps=(fees,)), snapshot(), bundles.outcome(fills=(Fill(0, 0, 0),)))
    assert found.said == "all 0 amounts exactly as expected"


def test_reconcile__failed__carries_the_reason() -> None:
    failed = bundles.outcome(ok=False, fills=(), revert="vault: loss")
    found = reconcile(bundles.plan(), snapshot(), failed)
    assert (found.differences, found.worst, found.said) == ((), 0, "nothing moved: vault: loss")


def test_reconcile__fewer_fills_than_steps__is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        reconcile(bundles.plan(), snapshot(), bundles.outcome(fills=bundles.FILLS[:-1]))
