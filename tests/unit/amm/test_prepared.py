"""Prepared pools: the published answers of the contracts, and where the steps end, the prices end, the ticks end."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.amm import v2, v3
from bot.amm.prepared import PreparedV2, prepare, prepare_v2
from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from bot.core.types import V3Pool
from tests.golden.amm import test_recorded_pool as golden
from tests.unit.amm import test_published_vectors as published
from tests.unit.amm.agree import answer, differences, ends_of, without_word_edges
from tests.unit.amm.build import at_tick, v2_pool, v3_pool

E18 = 10**18
WIDE = (-887220, 887220, 10 * E18)
INT256_MAX = (1 << 255) - 1
BOTH = pytest.mark.parametrize("zero_for_one", [True, False])


def everything(pool: V3Pool, zero_for_one: bool, limit: int | None = None, steps: int = 8) -> list[Any]:
    """Differences at no amounts, small and large ones, and around the ends of the first steps, asked in two orders."""
    cases = [(amount, exact_in) for amount in (-1, 0, 1, E18, INT256_MAX, 1 << 255, 1 << 300) for exact_in in (0, 1)]
    cases = [(amount, bool(exact_in)) for amount, exact_in in cases]
    cases += ends_of(prepare(pool, zero_for_one, limit), steps)
    prepared = prepare(pool, zero_for_one, limit)
    return differences(prepared, limit, cases) + differences(prepare(pool, zero_for_one, limit), limit, cases[::-1])


# ------------------------------------------------------------------ the contracts' own answers


def test_quotes__published_pool_snapshot__every_amount_equal(data_dir: Path) -> None:
    vectors = published.integers(json.loads((data_dir / "vectors/uniswap_v3_pool_swaps.json").read_text()))
    pools = {pool["description"]: published.pool_of(pool) for pool in vectors["pools"]}
    assert len(vectors["cases"]) == 80
    for case in vectors["cases"]:
        check_published(pools[case["pool"]], case["swap"], case["expected"])


def check_published(pool: V3Pool, order: dict[str, Any], expected: dict[str, Any]) -> None:
    prepared = prepare(pool, order["zeroForOne"], order["sqrtPriceLimitX96"])
    ask, plain = prepared.quote_in, prepared.amount_out
    if order["exactOut"]:
        ask, plain = prepared.quote_out, prepared.amount_in
    amount = INT256_MAX if order["amount"] is None else order["amount"]
    if "swapError" in expected:
        for refuse in (ask, plain):
            with pytest.raises(ValueError, match="v3: price limit already passed"):
                refuse(amount)
        return
    deltas = expected["amount0Delta"], expected["amount1Delta"]
    taken, given = deltas if order["zeroForOne"] else deltas[::-1]
    assert ask(amount)[:2] == (taken, -given)
    assert plain(amount) == (taken if order["exactOut"] else -given)
    assert plain(amount) == (taken if order["exactOut"] else -given)  # from the steps summed up


@pytest.mark.parametrize("recorded", golden.RECORDED, ids=lambda recorded: f"fee-{recorded['fee']}")
def test_quotes__recorded_pool__every_amount_and_price_equal(recorded: dict[str, Any]) -> None:
    pool = golden.pool_of(recorded)
    for zero_for_one, amount, limit, amount0, amount1, price, *_ in recorded["swaps"]:
        prepared = prepare(pool, zero_for_one, limit)
        taken, given = (amount0, -amount1) if zero_for_one else (amount1, -amount0)
        quote = prepared.quote_in(amount) if amount > 0 else prepared.quote_out(-amount)
        plain = prepared.amount_out(amount) if amount > 0 else prepared.amount_in(-amount)
        assert quote == (taken, given, price)
        assert plain == (given if amount > 0 else taken)


# ------------------------------------------------------------------ where steps end


@BOTH
@pytest.mark.parametrize("spacing", [1, 10, 60, 200])
def test_quotes__around_word_edges_and_ticks__equal_the_loop(spacing: int, zero_for_one: bool) -> None:
    near, far = 300 * spacing, 887272 // spacing * spacing
    pool = v3_pool((-far, far, 123_456_789_123), (-near, near, 10**15), (-spacing, spacing, 7), spacing=spacing)
    assert everything(pool, zero_for_one, steps=12) == []


@BOTH
def test_quotes__without_word_edges__the_twin_is_caught(zero_for_one: bool) -> None:
    pool = v3_pool((-887270, 887270, 123_456_789_123), spacing=10)
    cases = ends_of(prepare(pool, zero_for_one), 8)
    assert differences(prepare(pool, zero_for_one), None, cases) == []
    assert len(differences(without_word_edges(pool, zero_for_one), None, cases)) > len(cases) / 2


@BOTH
def test_quotes__gap_without_liquidity__price_stays_before_the_gap_until_more_is_asked(zero_for_one: bool) -> None:
    pool = v3_pool((-120, 120, E18), (-60_000, -30_000, E18), (30_000, 60_000, E18))
    assert everything(pool, zero_for_one, steps=30) == []
    prepared = prepare(pool, zero_for_one)
    near = v3.amounts(1 << 96, -120, 120, E18)[zero_for_one]
    edge, beyond = prepared.quote_out(near), prepared.quote_out(near + 1)
    assert edge.sqrt_price_x96 == at_tick(-120 if zero_for_one else 120)
    assert (beyond.sqrt_price_x96 < at_tick(-30_000)) if zero_for_one else (beyond.sqrt_price_x96 > at_tick(30_000))


@BOTH
def test_quotes__price_without_liquidity__equal_the_loop(zero_for_one: bool) -> None:
    pool = v3_pool((-60_000, -30_000, E18), (30_000, 60_000, E18))
    assert everything(pool, zero_for_one, steps=30) == []


@BOTH
def test_quotes__liquidity_so_thin_that_steps_give_nothing__cost_what_the_loop_says(zero_for_one: bool) -> None:
    pool = v3_pool((-600, 600, 30), (-6_000, 6_000, 2), (-60_000, 60_000, 1), spacing=10)
    steps = prepare(pool, zero_for_one)
    ends_of(steps, 20)
    assert len(set(steps.steps.outs)) < len(set(steps.steps.ins))  # some steps cost and give nothing
    assert everything(pool, zero_for_one, steps=20) == []


@BOTH
def test_quotes__all_of_a_range_with_dust_beyond_it__costs_nothing_of_the_dust(zero_for_one: bool) -> None:
    pool = v3_pool((-60, 60, E18), (-60_000, 60_000, 1), (-60_000, -42_000, E18), (42_000, 60_000, E18))
    prepared = prepare(pool, zero_for_one)
    whole = v3.swap_exact_out(pool, zero_for_one, E18, at_tick(-60 if zero_for_one else 60))
    assert prepared.reach(2 * whole.amount_out, exact_in=False)
    assert prepared.steps.outs.count(whole.amount_out) > 1
    assert prepared.amount_in(whole.amount_out) == whole.amount_in
    assert everything(pool, zero_for_one, steps=20) == []


@BOTH
def test_quotes__liquidity_of_which_a_unit_moves_no_price__equal_the_loop(zero_for_one: bool) -> None:
    pool = v3_pool((-60, 60, 1 << 112), (-120, 120, 1 << 110), sqrt_price_x96=at_tick(-7) + 12_345)
    assert everything(pool, zero_for_one) == []


@BOTH
@pytest.mark.parametrize("fee", [0, 1, 999_999])
def test_quotes__fees_at_their_ends__equal_the_loop(fee: int, zero_for_one: bool) -> None:
    assert everything(v3_pool(WIDE, (-600, 600, 3 * E18), fee=fee), zero_for_one) == []


@BOTH
def test_quotes__spacing_so_wide_that_products_pass_256_bits__equal_the_loop(zero_for_one: bool) -> None:
    """There the contract takes a coarser fraction, and so such a step is not summed up."""
    spacing = 16_000
    pool = v3_pool((-880_000, 880_000, 1 << 115), spacing=spacing, sqrt_price_x96=at_tick(800_000), fee=10_000)
    huge = [(1 << bits, exact_in) for bits in (*range(100, 120), 190) for exact_in in (True, False)]
    assert differences(prepare(pool, zero_for_one), None, huge) == []
    assert everything(pool, zero_for_one) == []


@BOTH
def test_prepare__before_any_quote__sums_nothing_up_and_then_as_far_as_asked(zero_for_one: bool) -> None:
    prepared = prepare(v3_pool(WIDE, (-600, 600, E18), sqrt_price_x96=at_tick(5)), zero_for_one)
    assert prepared.steps.rows == []
    prepared.amount_out(1000)
    assert len(prepared.steps.rows) == 1
    prepared.amount_in(E18)
    assert 1 < len(prepared.steps.rows) < 10


# ------------------------------------------------------------------ where prices and observed ticks end


@BOTH
def test_quotes__more_than_the_pool_takes_or_holds__partial_as_the_loop(zero_for_one: bool) -> None:
    pool = v3_pool((-60, 60, E18))
    assert everything(pool, zero_for_one, steps=10_000) == []
    quote = prepare(pool, zero_for_one).quote_in(10 * E18)
    assert quote.amount_in < 10 * E18
    assert quote.sqrt_price_x96 == (MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1)
    assert prepare(pool, zero_for_one).quote_out(10 * E18) == quote


@BOTH
@pytest.mark.parametrize("away", [1, 59, 60, 777, 15_360, 20_000])
def test_quotes__price_limit__equal_the_loop(away: int, zero_for_one: bool) -> None:
    pool = v3_pool(WIDE, (-60, 60, E18), (-1_200, 1_200, E18))
    for off in (-1, 0, 1):
        limit = at_tick(-away if zero_for_one else away) + off
        assert everything(pool, zero_for_one, limit) == []


@BOTH
@pytest.mark.parametrize(
    "limit", [0, MIN_SQRT_RATIO, MIN_SQRT_RATIO + 1, at_tick(0), MAX_SQRT_RATIO - 1, MAX_SQRT_RATIO, 1 << 200]
)
def test_quotes__limit_that_no_swap_may_have__refused_as_the_loop(limit: int, zero_for_one: bool) -> None:
    assert everything(v3_pool(WIDE), zero_for_one, limit, steps=2) == []
    if limit in (0, MIN_SQRT_RATIO, MAX_SQRT_RATIO, 1 << 200):
        assert not prepare(v3_pool(WIDE), zero_for_one, limit).reach(1, exact_in=True)


@BOTH
def test_quotes__pool_at_an_end_of_prices__refused_as_the_loop(zero_for_one: bool) -> None:
    end = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
    pool = v3_pool(WIDE, sqrt_price_x96=end)
    assert everything(pool, zero_for_one) == []
    with pytest.raises(ValueError, match="v3: price limit already passed"):
        prepare(pool, zero_for_one).amount_out(1)


@BOTH
@pytest.mark.parametrize("seen", [(-1200, 1200), (-15_360, 15_300), (-15_360, 15_359), (-601, 601), (0, 0), (0, 1)])
def test_quotes__leave_the_observed_ticks__refused_as_the_loop(seen: tuple[int, int], zero_for_one: bool) -> None:
    whole = v3_pool(WIDE, (-600, 600, E18), sqrt_price_x96=at_tick(0) + 5)
    pool = replace(whole, seen_lower=seen[0], seen_upper=seen[1])
    end = at_tick(seen[0] if zero_for_one else seen[1])
    last = v3.swap_exact_in(whole, zero_for_one, 10 * E18, end) if end != at_tick(0) else v3.SwapResult(whole, 9, 9, 0)
    cases = [(last.amount_in + off, True) for off in range(-9, 9)]
    cases += [(last.amount_out + off, False) for off in range(-9, 9)]
    assert differences(prepare(pool, zero_for_one), None, cases) == []
    assert everything(pool, zero_for_one) == []
    with pytest.raises(ValueError, match="v3: swap leaves the observed ticks"):
        prepare(pool, zero_for_one).amount_out(100 * E18)


@BOTH
def test_quotes__price_outside_the_observed_ticks__refused_as_the_loop(zero_for_one: bool) -> None:
    pool = replace(v3_pool(WIDE, sqrt_price_x96=at_tick(1300)), seen_lower=-1200, seen_upper=1200)
    assert everything(pool, zero_for_one) == []


@BOTH
def test_quotes__liquidity_that_no_tick_may_leave__refused_as_the_loop(zero_for_one: bool) -> None:
    for net in ((1 << 128) - 1, -((1 << 128) - 1)):
        pool = replace(v3_pool(WIDE), ticks=((-60, net), (60, -net)))
        assert everything(pool, zero_for_one) == []
    with pytest.raises(ValueError, match="v3: liquidity must fit uint128"):
        prepare(pool, zero_for_one).amount_out(E18)


@BOTH
def test_quotes__no_ticks_at_all__the_pool_takes_nothing(zero_for_one: bool) -> None:
    empty = v3_pool()
    assert everything(empty, zero_for_one, steps=10_000) == []
    assert prepare(empty, zero_for_one).quote_in(E18)[:2] == (0, 0)
    assert (empty.seen_lower, empty.seen_upper) == (MIN_TICK, MAX_TICK)


# ------------------------------------------------------------------ pairs


RESERVES = [(5 * E18, 10 * E18), (1, 1), (1, 2), (1000, 3), ((1 << 112) - 1, 7), (0, 5), (5, 0), (0, 0), (-1, 5)]


@pytest.mark.parametrize("reserves", RESERVES)
@pytest.mark.parametrize("fee", [0, 1, 500, 2_500, 3_000, 999_999])
def test_v2_quotes__any_amount__equal_the_pairs_and_refuse_what_they_do(reserves: tuple[int, int], fee: int) -> None:
    prepared = PreparedV2(*reserves, fee)
    for amount in (-1, 0, 1, 2, 3, 333, 10**17, *(each + off for each in reserves for off in (-2, -1, 0, 1)), 1 << 130):
        for ours, theirs in ((prepared.amount_out, v2.amount_out), (prepared.amount_in, v2.amount_in)):
            found, expected = answer(lambda: ours(amount)), answer(lambda: theirs(amount, *reserves, fee))  # noqa: B023
            assert found == expected, amount


def test_prepare_v2__each_direction__takes_the_reserves_in_its_order() -> None:
    pool = v2_pool(5 * E18, 10 * E18, E18)
    assert prepare_v2(pool, True).amount_out(E18) == v2.swap(pool, True, E18)[1] == 1662497915624478906
    assert prepare_v2(pool, False).amount_out(E18) == v2.swap(pool, False, E18)[1] == 453305446940074565
