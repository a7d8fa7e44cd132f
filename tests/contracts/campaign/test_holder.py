"""No stranger takes a wei from honest holders; the same search empties a vault that prices its shares at spot."""

import sys
from functools import partial
from statistics import mean

import pytest

from tests.contracts.campaign.bugs import BUGS, code_with
from tests.contracts.campaign.founding import found
from tests.contracts.campaign.holder import Finding, Tally, campaign
from tests.contracts.campaign.world import World, deploy_vault, deploy_weak_vault

SAMPLE, DEEP, PARTS = 6_000, 1_000_000, 8
KINDS = {"mint", "redeem", "claim", "transfer", "give", "push", "provide", "flash"}


@pytest.fixture(scope="module")
def world() -> World:
    return found()


@pytest.fixture(scope="module")
def weak_world() -> World:
    return found(deploy_weak_vault)


def report(what: str, tally: Tally) -> None:
    sys.stdout.write(
        f"{what}; attackers: {tally.actions:,} actions in {tally.transactions:,} transactions and {tally.episodes} "
        f"episodes, scripted calls {tally.done:,} done and {tally.failed:,} refused; keeper: {tally.bundles} bundles\n"
    )


def assert_busy(tally: Tally) -> None:
    """A campaign in which nothing happens finds nothing."""
    assert set(tally.succeeded) >= KINDS
    assert tally.done > 2 * tally.failed
    assert tally.bundles > tally.episodes


def test_honest_holders__any_strangers__lose_nothing(world: World) -> None:
    tally = campaign(world, "sample", SAMPLE)
    assert_busy(tally)
    report("worst honest loss 0 wei", tally)


def test_honest_holders__of_a_vault_priced_at_spot__lose_more_than_a_tenth(weak_world: World) -> None:
    tally = campaign(weak_world, "weak", SAMPLE, strict=False)
    stolen = 1 - mean(tally.kept)
    assert stolen > 0.1
    report(f"stolen from the weak twin: {stolen:.1%} on average, {1 - min(tally.kept):.1%} at most", tally)


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
def test_honest_holders__a_million_actions__lose_nothing(world: World, part: int) -> None:
    tally = campaign(world, f"deep-{part}", DEEP // PARTS)
    assert_busy(tally)
    report("worst honest loss 0 wei", tally)


@pytest.mark.deep
def test_honest_holders__of_a_vault_priced_at_spot__lose_nearly_all(weak_world: World) -> None:
    tally = campaign(weak_world, "weak", DEEP // PARTS, strict=False)
    stolen = 1 - mean(tally.kept)
    assert stolen > 0.1
    assert min(tally.kept) < 0.1
    report(f"stolen from the weak twin: {stolen:.1%} on average, {1 - min(tally.kept):.1%} at most", tally)


@pytest.mark.deep
@pytest.mark.parametrize("bug", BUGS)
def test_campaign__vault_with_a_bug__finds_it_within_the_sample(bug: str) -> None:
    world = found(partial(deploy_vault, code=code_with(bug)))
    with pytest.raises(Finding) as finding:
        campaign(world, "sample", SAMPLE)
    sys.stdout.write(f"{bug}: {str(finding.value).splitlines()[1]}\n")
