"""A seeded sweep of prepared quotes and array quotes over recorded pools, against the loop, to the unit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from bot.amm.arrays import ArrayQuotes, to_ints, to_limbs
from bot.amm.prepared import PreparedV3, prepare
from bot.core.types import V3Pool
from tests.golden.amm import test_recorded_pool as golden
from tests.unit.amm.agree import AROUND, SNAPSHOTS, Case, by_loop, differences, recorded_pools, without_word_edges

SEED = 20_261_120
SAMPLE, PART, PARTS = 3_000, 20_000, 5  # cases
BATCH = 50  # cases of one direction of one pool
STEPS = 30  # of a swap that the amounts reach


@pytest.fixture(scope="module")
def mainnet(data_file: Callable[[str], Path]) -> list[V3Pool]:
    return recorded_pools(data_file(SNAPSHOTS))


@pytest.fixture(scope="module")
def published() -> list[V3Pool]:
    """Pools of Uniswap's own code, whose answers the loop is held against."""
    return [golden.pool_of(recorded) for recorded in golden.RECORDED]


def batches(pools: list[V3Pool], count: int, seed: str) -> Iterator[tuple[V3Pool, bool, list[Case]]]:
    random = Random(seed)
    for _ in range(count // BATCH):
        pool, zero_for_one = random.choice(pools), random.random() < 0.5
        sums = _sums(pool, zero_for_one)
        yield pool, zero_for_one, [_draw(random, *random.choice(sums)) for _ in range(BATCH)]


def _sums(pool: V3Pool, zero_for_one: bool) -> list[tuple[list[int], bool]]:
    prepared = prepare(pool, zero_for_one)
    ins, outs = prepared.steps.ins, prepared.steps.outs
    while len(ins) < STEPS and prepared.reach(ins[-1] + 1 if ins else 1, exact_in=True):
        pass
    return [([each for each in found if each], exact_in) for found, exact_in in ((ins, True), (outs, False))]


def _draw(random: Random, sums: list[int], exact_in: bool) -> Case:
    """Around the end of a step, inside the first step, or of any size up to past the last."""
    kind = random.random()
    if kind < 0.4:
        return max(1, random.choice(sums) + random.choice(AROUND)), exact_in
    most = sums[0] if kind < 0.6 else sums[-1] * 2
    return random.randint(1, random.randint(1, most)), exact_in


def wrong(pools: list[V3Pool], count: int, seed: str, make: Callable[[V3Pool, bool], PreparedV3]) -> int:
    """How many cases are not as the loop says."""
    return sum(len(differences(make(pool, down), None, cases)) for pool, down, cases in batches(pools, count, seed))


def wrong_arrays(pools: list[V3Pool], count: int, seed: str) -> int:
    """The same of array quotes."""
    found = 0
    for pool, zero_for_one, cases in batches(pools, count, seed):
        quotes = ArrayQuotes(prepare(pool, zero_for_one))
        for exact_in, many in ((True, quotes.amounts_out), (False, quotes.amounts_in)):
            asked = [case for case in cases if case[1] == exact_in]
            loop = {case[0]: by_loop(pool, zero_for_one, None, case)[1 if exact_in else 0] for case in asked}
            fits = [amount for amount, out in loop.items() if out < 1 << 128]
            answers = to_ints(many(to_limbs(fits)))
            found += sum(ours != loop[amount] for ours, amount in zip(answers, fits, strict=True))
    return found


def test_quotes__recorded_pools__equal_the_loop(mainnet: list[V3Pool]) -> None:
    assert wrong(mainnet, SAMPLE, f"{SEED}", prepare) == 0


def test_quotes__published_pools__equal_the_loop(published: list[V3Pool]) -> None:
    assert wrong(published, SAMPLE, f"{SEED}", prepare) == 0


def test_array_quotes__recorded_pools__equal_the_loop(mainnet: list[V3Pool]) -> None:
    assert wrong_arrays(mainnet, SAMPLE, f"{SEED}") == 0


def test_array_quotes__published_pools__equal_the_loop(published: list[V3Pool]) -> None:
    assert wrong_arrays(published, SAMPLE, f"{SEED}") == 0


def test_quotes__recorded_pools_without_word_edges__the_twin_is_caught(mainnet: list[V3Pool]) -> None:
    """There most steps end at ticks, so few cases tell."""
    assert wrong(mainnet, SAMPLE, f"{SEED}", without_word_edges) > SAMPLE / 100


def test_quotes__published_pools_without_word_edges__the_twin_is_caught(published: list[V3Pool]) -> None:
    assert wrong(published, SAMPLE, f"{SEED}", without_word_edges) > SAMPLE / 3


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
def test_quotes__hundred_thousand_cases__equal_the_loop(part: int, mainnet: list[V3Pool]) -> None:
    assert wrong(mainnet, PART, f"{SEED}-{part}", prepare) == 0
    assert wrong_arrays(mainnet, PART, f"{SEED}-{part}") == 0
