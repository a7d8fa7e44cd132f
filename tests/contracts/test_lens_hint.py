"""The hint: of all observations that a pool remembers, one that the vault takes, now and while the margin lasts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Any

import boa
import pytest

from tests.contracts.market import CONTRACTS, FULL, ONE, Market, action, load, load_vault, token_setup
from tests.contracts.test_lens import LIMITS, V3

WINDOW_S, MARGIN_S = 600, 60
REMEMBERED = 8  # observations
POOLS = 18  # place of the vault's word of its first pool
RULE = """
# pragma version 0.4.3
from modules import oracle

@external
@view
def takes(pool: uint256, fair: uint256, hint: uint256):
    oracle._assert_near(pool, fair, 500, True, hint)
"""


@dataclass(frozen=True)
class Ring:
    """A vault with a window on one pool, and what that pool remembers."""

    market: Market
    vault: Any
    pool: Any
    lens: Any
    rule: Any  # the vault's own, without a bundle around it

    def observe(self, *gaps: int) -> None:
        """Observations, each so many seconds after the one before: a pool writes one when somebody adds to it."""
        for gap in gaps:
            boa.env.time_travel(seconds=gap)
            self.market.provider.add(self.pool.address, -FULL, FULL, 1)
            assert self.pool.observations(self.pool.slot0()[2])[0] == boa.env.timestamp

    def hint(self, margin: int = MARGIN_S) -> int:
        return int(self.lens.hint(self.pool.address, WINDOW_S, margin))

    def age(self, hint: int) -> int:
        return int(boa.env.timestamp - self.pool.observations(hint - 1)[0])

    def takes(self, hint: int, later: int = 0) -> bool:
        """Whether a bundle may name it, so many seconds from now."""
        swap = action(2, 0, int(self.market.token0_is(V3, "USDC")), 0, 10**6, 0, hint)
        with boa.env.anchor():
            boa.env.time_travel(seconds=later)
            self.market.answer()
            bundle = [swap], [], 0, self.market.deadline()
            return _passes(partial(self.vault.execute, *bundle, sender=self.market.keeper))

    def taken(self, later: int = 0) -> set[int]:
        """All hints that the vault takes, so many seconds from now."""
        word, (price, _, _, cardinality, *_) = self.vault.setting(POOLS), self.pool.slot0()
        with boa.env.anchor():
            boa.env.time_travel(seconds=later)
            return {hint for hint in range(1, cardinality + 1) if _passes(partial(self.rule.takes, word, price, hint))}


def _passes(call: Callable[[], Any]) -> bool:
    """Whether nobody objects to a hint in it."""
    try:
        call()
    except boa.BoaError as error:
        said = error.call_trace.output
    else:
        return True
    assert b"oracle: hint" in said
    return False


@cache
def _rule() -> Any:
    boa.interpret.set_search_paths([str(CONTRACTS)])
    return boa.loads_partial(RULE)


@pytest.fixture
def ring(market: Market) -> Ring:
    setups = [token_setup(market.tokens[symbol], market.feeds[symbol]) for symbol in ("USDC", "WETH")]
    listed = [(market.pools[V3].address, 3, 0, WINDOW_S)]
    vault, _ = load_vault(market.owner, market.keeper, market.owner, 86_400, setups, listed, LIMITS)
    for symbol, raw in (("USDC", 10**10), ("WETH", ONE)):
        market.tokens[symbol].mint(vault.address, raw)
    ring = Ring(market, vault, market.pools[V3], load("Lens.vy"), _rule().deploy())
    ring.observe(1)  # by now all that was before is one observation
    return ring


def grow(ring: Ring, remembered: int = REMEMBERED) -> None:
    ring.pool.increaseObservationCardinalityNext(remembered)


# ------------------------------------------------------------------ any ring


def assert_right(ring: Ring, margin: int) -> None:
    """It names one that the vault takes wherever there is one, and goes on to where any goes on."""
    found, now = ring.hint(margin), ring.taken()
    assert (found in now) if now else found == 0
    if lasting := ring.taken(margin) & now:
        assert found in lasting


def wander(ring: Ring, seed: int, steps: int) -> None:
    chance = Random(seed)
    grow(ring, chance.randrange(2, 12))
    for _ in range(steps):
        ring.observe(*(chance.choice((1, 12, 250, 590, 700, 2_000)) for _ in range(chance.randrange(1, 6))))
        if chance.randrange(8) == 0:
            grow(ring, chance.randrange(8, 14))  # from the end of the ring on
        boa.env.time_travel(seconds=chance.choice((0, 1, 300, 545, 599, 600, 1_200, 1_201)))
        assert_right(ring, chance.choice((0, 12, 60, 120, 300)))


@pytest.mark.parametrize("seed", range(4))
def test_hint__of_any_ring__is_one_that_the_vault_takes_if_there_is_one(ring: Ring, seed: int) -> None:
    wander(ring, seed, 8)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(100, 120))
def test_hint__of_many_rings__is_one_that_the_vault_takes_if_there_is_one(ring: Ring, seed: int) -> None:
    wander(ring, seed, 20)


# ------------------------------------------------------------------ to the second


@pytest.mark.parametrize(("passed", "expected"), [(WINDOW_S - 1, 0), (WINDOW_S, 1), (10 * WINDOW_S, 1)])
def test_hint__the_only_observation__is_named_once_it_is_a_window_old(ring: Ring, passed: int, expected: int) -> None:
    boa.env.time_travel(seconds=passed)
    assert ring.pool.slot0()[3] == 1
    assert ring.hint() == ring.hint(0) == expected
    assert ring.takes(1) == bool(expected)


def test_hint__two_old_enough__is_the_newest_that_has_the_margin_too(ring: Ring) -> None:
    grow(ring)
    ring.observe(10, 30, 30)  # and then these are 720, 690 and 660 old, and another is 659
    ring.observe(1)
    boa.env.time_travel(seconds=WINDOW_S + MARGIN_S - 1)
    ages = [ring.age(hint) for hint in range(1, ring.pool.slot0()[3] + 1) if ring.pool.observations(hint - 1)[3]]
    assert WINDOW_S + MARGIN_S - 1 in ages
    assert ring.age(ring.hint()) == WINDOW_S + MARGIN_S
    assert ring.age(ring.hint(MARGIN_S - 1)) == WINDOW_S + MARGIN_S - 1
    assert ring.age(ring.hint(0)) == WINDOW_S + MARGIN_S - 1


def test_hint__the_one_with_the_margin_is_too_old_for_the_vault__is_the_next(ring: Ring) -> None:
    """Older than two windows is good only while no newer one is a window old."""
    grow(ring)
    ring.observe(2 * WINDOW_S)
    boa.env.time_travel(seconds=WINDOW_S)
    old = ring.hint(0)
    assert ring.age(old) == WINDOW_S
    assert ring.hint() == old
    before = old - 1 or ring.pool.slot0()[3]
    assert ring.age(before) == 3 * WINDOW_S
    assert not ring.takes(before)
    assert ring.takes(old)


def test_hint__one_that_will_be_too_old_when_the_margin_is_over__is_passed_over(ring: Ring) -> None:
    grow(ring)
    ring.observe(2 * WINDOW_S - MARGIN_S - WINDOW_S)
    boa.env.time_travel(seconds=WINDOW_S)  # the last is a window old, the one before two windows less the margin
    named = ring.hint()
    assert ring.age(named) == 2 * WINDOW_S - MARGIN_S
    assert ring.takes(named, MARGIN_S)
    assert not ring.takes(named, MARGIN_S + 1)
    boa.env.time_travel(seconds=1)
    assert ring.age(ring.hint()) == WINDOW_S + 1
    assert ring.takes(ring.hint(), MARGIN_S)


def test_hint__one_place_off__is_refused(ring: Ring) -> None:
    grow(ring)
    ring.observe(*[3 * WINDOW_S // 2] * 2)
    boa.env.time_travel(seconds=WINDOW_S)
    named = ring.hint()
    assert ring.takes(named)
    assert ring.taken() == {named}
    assert not ring.takes(0)


def test_hint__places_not_yet_written__are_none(ring: Ring) -> None:
    grow(ring)
    ring.observe(10, 10)
    assert ring.pool.slot0()[3] == REMEMBERED
    assert ring.hint() == ring.hint(0) == 0
    assert ring.taken() == set()


def test_hint__ring_written_over__forgets_what_was_before(ring: Ring) -> None:
    grow(ring, 4)
    boa.env.time_travel(seconds=WINDOW_S + MARGIN_S)
    assert ring.hint() != 0
    ring.observe(*[1] * 4)
    assert ring.hint() == 0
    assert ring.taken() == set()


def test_hint__a_large_ring__is_found_in_few_reads(ring: Ring) -> None:
    grow(ring, 100)
    ring.observe(*[12] * 120)
    assert ring.age(ring.hint()) == WINDOW_S + MARGIN_S
    assert ring.takes(ring.hint(), MARGIN_S)
    ring.lens.hint(ring.pool.address, WINDOW_S, MARGIN_S)
    assert ring.lens._computation.get_gas_used() < 150_000
