"""The concentrated pool: what its loop, its tick table and its fees do at the edges."""

from dataclasses import replace

import pytest

from bot.amm import v3
from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from bot.core.types import V3Pool
from tests.unit.amm.build import at_tick, v3_pool

E18 = 10**18
WIDE = (-887220, 887220, 10 * E18)


# ------------------------------------------------------------------ swaps


@pytest.mark.parametrize("amount", [0, -1, 1 << 255])
@pytest.mark.parametrize("swap", [v3.swap_exact_in, v3.swap_exact_out])
def test_swap__amount_outside_int256__refused(swap, amount: int) -> None:
    with pytest.raises(ValueError, match=r"v3: amount must be in \(0, 2\*\*255\)"):
        swap(v3_pool(WIDE), True, amount)


@pytest.mark.parametrize(
    ("zero_for_one", "limit"), [(True, 1 << 96), (True, at_tick(1)), (False, 1 << 96), (False, at_tick(-1))]
)
def test_swap__limit_on_the_wrong_side__refused(zero_for_one: bool, limit: int) -> None:
    with pytest.raises(ValueError, match="v3: price limit already passed"):
        v3.swap_exact_in(v3_pool(WIDE), zero_for_one, E18, limit)


@pytest.mark.parametrize(("zero_for_one", "limit"), [(True, MIN_SQRT_RATIO), (False, MAX_SQRT_RATIO)])
def test_swap__limit_at_the_end_of_prices__refused(zero_for_one: bool, limit: int) -> None:
    with pytest.raises(ValueError, match="v3: price limit must be in"):
        v3.swap_exact_in(v3_pool(WIDE), zero_for_one, E18, limit)


@pytest.mark.parametrize(("zero_for_one", "limit"), [(True, at_tick(-777)), (False, at_tick(777))])
def test_swap__limit_reached__partial_and_exactly_there(zero_for_one: bool, limit: int) -> None:
    whole = v3.swap_exact_in(v3_pool(WIDE), zero_for_one, 100 * E18)
    for swap in (v3.swap_exact_in, v3.swap_exact_out):
        result = swap(v3_pool(WIDE), zero_for_one, 9 * E18, limit)
        assert result.pool.sqrt_price_x96 == limit
        assert result.pool.tick == (-777 if zero_for_one else 777)
        assert 0 < result.amount_in < whole.amount_in
        assert 0 < result.amount_out < 9 * E18


def test_swap__more_out_than_the_pool_holds__takes_all_and_ends_at_the_end_of_prices() -> None:
    result = v3.swap_exact_out(v3_pool((-60, 60, E18)), True, E18)
    assert result.amount_out == v3.amounts(1 << 96, -60, 60, E18)[1]
    assert result.pool.sqrt_price_x96 == MIN_SQRT_RATIO + 1
    assert result.pool.liquidity == 0


def test_swap__across_a_gap_without_liquidity__costs_nothing_in_the_gap() -> None:
    pool = v3_pool((-120, 60, E18), (-60_000, -30_000, E18))
    near, far = v3.amounts(1 << 96, -120, 60, E18)[1], 10**15
    result = v3.swap_exact_out(pool, True, near + far)
    assert result.amount_out == near + far
    assert -60_000 < result.pool.tick < -30_000
    assert result.pool.liquidity == E18
    alone = v3_pool((-60_000, -30_000, E18), sqrt_price_x96=at_tick(-30_000))
    assert result.amount_in == (
        v3.swap_exact_out(pool, True, near).amount_in + v3.swap_exact_out(alone, True, far).amount_in
    )


def test_swap__ends_on_an_initialised_tick__downwards_crosses_it_upwards_too() -> None:
    pool = v3_pool(WIDE, (-60, 60, E18))
    down = v3.swap_exact_in(pool, True, E18, at_tick(-60)).pool
    assert (down.sqrt_price_x96, down.tick, down.liquidity) == (at_tick(-60), -61, 10 * E18)
    up = v3.swap_exact_in(pool, False, E18, at_tick(60)).pool
    assert (up.sqrt_price_x96, up.tick, up.liquidity) == (at_tick(60), 60, 10 * E18)
    back = v3.swap_exact_in(down, False, 10**15).pool
    assert back.liquidity == 11 * E18
    v3.check(down)
    v3.check(up)


def test_swap__dust_that_moves_no_price__is_kept_as_fee() -> None:
    pool = v3_pool((-60, 60, 10**30), sqrt_price_x96=(1 << 96) + 1)
    result = v3.swap_exact_in(pool, True, 1)
    assert (result.pool, result.amount_in, result.amount_out) == (pool, 1, 0)
    assert result.fee_growth_x128 == (1 << 128) // 10**30


def test_swap__price_on_a_tick_crossed_downwards_and_unmoved__stays_below_the_tick() -> None:
    pool = v3_pool((-600, 600, 10**30), (-60, 60, E18))
    down = v3.swap_exact_in(pool, True, 10**30, at_tick(-60)).pool
    assert down.tick == -61
    assert v3.swap_exact_in(down, True, 1).pool == down


def test_swap__liquidity_net_that_passes_uint128__refused() -> None:
    pool = replace(v3_pool(WIDE), ticks=((-60, (1 << 128) - 1), (60, -((1 << 128) - 1))))
    for zero_for_one in (True, False):
        with pytest.raises(ValueError, match="v3: liquidity must fit uint128"):
            v3.swap_exact_in(pool, zero_for_one, E18)


def test_swap__empty_words_between__each_edge_ends_a_step_and_rounds() -> None:
    """Over 256 spacings in one range: stepping at word edges differs from one leap by a few wei. From the pool."""
    pool = v3_pool((-887270, 887270, 123_456_789_123), spacing=10)
    result = v3.swap_exact_in(pool, True, 10**12)
    usable = 10**12 * (1_000_000 - 500) // 1_000_000
    numerator = 123_456_789_123 << 96
    leap = -(-numerator * (1 << 96) // (numerator + usable * (1 << 96)))
    assert result.pool.tick < -5 * 2_560
    assert result.pool.sqrt_price_x96 != leap
    assert abs(result.amount_out - (123_456_789_123 * ((1 << 96) - leap) >> 96)) < 20


def test_swap__from_the_last_slot_of_a_word_upwards__looks_into_the_next_word() -> None:
    """Ticks 255 * 60 to 256 * 60 - 1 are the last slot: no initialised tick above them is in their own word."""
    pool = v3_pool(WIDE, sqrt_price_x96=at_tick(255 * 60 + 30))
    result = v3.swap_exact_in(pool, False, 10**15)
    assert result.pool.tick == pool.tick == 255 * 60 + 30
    usable = 10**15 * 997 // 1000
    assert result.pool.sqrt_price_x96 == pool.sqrt_price_x96 + (usable << 96) // pool.liquidity


# ------------------------------------------------------------------ the observed window


def seen_pool() -> V3Pool:
    return v3_pool(WIDE, (-600, 600, E18), seen=(-1200, 1200))


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("swap", [v3.swap_exact_in, v3.swap_exact_out])
def test_swap__leaves_the_observed_ticks__refused(swap, zero_for_one: bool) -> None:
    with pytest.raises(ValueError, match=r"v3: swap leaves the observed ticks \[-1200, 1200\]"):
        swap(seen_pool(), zero_for_one, E18)


@pytest.mark.parametrize(("zero_for_one", "edge"), [(True, -1200), (False, 1200)])
def test_swap__up_to_the_last_observed_tick__equal_to_the_whole_pool(zero_for_one: bool, edge: int) -> None:
    whole = v3_pool(WIDE, (-600, 600, E18))
    expected = v3.swap_exact_in(whole, zero_for_one, E18, at_tick(edge))
    found = v3.swap_exact_in(seen_pool(), zero_for_one, E18, at_tick(edge))
    assert found.pool.tick == edge
    assert found.amount_out == expected.amount_out
    assert found.amount_in == expected.amount_in < E18
    with pytest.raises(ValueError, match="leaves the observed ticks"):
        v3.swap_exact_in(seen_pool(), zero_for_one, E18, at_tick(edge) + (-1 if zero_for_one else 1))


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("amount", [10, E18])  # stays outside, ends inside
def test_swap__starts_outside_the_observed_ticks__refused(zero_for_one: bool, amount: int) -> None:
    outside = at_tick(1300 if zero_for_one else -1300)
    pool = v3_pool(WIDE, sqrt_price_x96=outside, seen=(-1200, 1200))
    assert -1200 < v3.swap_exact_in(v3_pool(WIDE, sqrt_price_x96=outside), zero_for_one, E18).pool.tick < 1200
    with pytest.raises(ValueError, match="leaves the observed ticks"):
        v3.swap_exact_in(pool, zero_for_one, amount)


def test_mint_and_burn__range_past_the_observed_ticks__only_seen_ends_are_recorded() -> None:
    pool = v3_pool(seen=(-1200, 1200))
    after, taken0, taken1 = v3.mint(pool, -6000, 60, E18)
    assert after.ticks == ((60, -E18),)
    assert after.liquidity == E18
    assert taken1 == v3.mint(v3_pool(), -6000, 60, E18)[2]
    assert v3.burn(after, -6000, 60, E18) == (pool, taken0 - 1, taken1 - 1)


# ------------------------------------------------------------------ mint and burn


@pytest.mark.parametrize(
    ("lower", "upper", "liquidity", "said"),
    [
        (60, -60, 1, r"lower tick must be below upper, found \[60, -60\)"),
        (60, 60, 1, "lower tick must be below upper"),
        (-61, 60, 1, "ticks must be multiples of 60"),
        (-60, 61, 1, "ticks must be multiples of 60"),
        (-887280, 60, 1, "tick must be in"),
        (-60, 887280, 1, "tick must be in"),
        (-60, 60, 1 << 127, "liquidity must fit int128"),
        (-60, 60, v3.max_liquidity_per_tick(60) + 1, "a tick carries at most"),
    ],
)
@pytest.mark.parametrize("change", [v3.mint, v3.burn])
def test_mint_and_burn__what_the_pool_reverts__refused(change, lower, upper, liquidity, said) -> None:
    pool = replace(v3_pool(), liquidity=(1 << 127) if change is v3.burn else 0)
    with pytest.raises(ValueError, match=f"v3: .*{said}"):
        change(pool, lower, upper, liquidity)


def test_mint__second_position_that_overfills_a_tick__refused() -> None:
    most = v3.max_liquidity_per_tick(60)
    pool = v3_pool((-60, 60, most))
    with pytest.raises(ValueError, match="v3: a tick carries at most"):
        v3.mint(pool, -60, 120, 1)


@pytest.mark.parametrize(
    ("spacing", "published"),
    [
        (10, 1917569901783203986719870431555990),
        (60, 11505743598341114571880798222544994),
        (200, 38350317471085141830651933667504588),
    ],
)
def test_max_liquidity_per_tick__each_spacing__v3_cores_own_numbers(spacing: int, published: int) -> None:
    assert v3.max_liquidity_per_tick(spacing) == published


@pytest.mark.parametrize("liquidity", [0, -1])
def test_mint__nothing__refused(liquidity: int) -> None:
    with pytest.raises(ValueError, match="v3: liquidity to mint must be above 0"):
        v3.mint(v3_pool(), -60, 60, liquidity)


def test_burn__nothing__is_the_pools_fee_poke_and_changes_nothing() -> None:
    pool = v3_pool((-60, 60, E18))
    assert v3.burn(pool, -60, 60, 0) == (pool, 0, 0)
    with pytest.raises(ValueError, match="v3: liquidity to burn must not be below 0"):
        v3.burn(pool, -60, 60, -1)


def test_burn__more_than_is_in_range__refused() -> None:
    with pytest.raises(ValueError, match="v3: liquidity must fit uint128"):
        v3.burn(v3_pool((-60, 60, E18)), -60, 60, E18 + 1)


def test_burn__tick_forgotten_at_net_zero__nets_stay_right() -> None:
    """Two positions end where another starts: burning one leaves a net of zero, burning the others is no error."""
    pool = v3_pool((-60, 60, E18), (-60, 60, E18), (60, 120, E18))
    pool, _, _ = v3.burn(pool, -60, 60, E18)
    assert pool.ticks == ((-60, E18), (120, -E18))
    pool, _, _ = v3.burn(pool, -60, 60, E18)
    assert pool.ticks == ((60, E18), (120, -E18))
    assert v3.burn(pool, 60, 120, E18)[0] == v3_pool()


def test_check__after_burning_what_was_not_there__refused() -> None:
    pool, _, _ = v3.burn(v3_pool((-60, 60, E18)), -60, 120, E18)
    with pytest.raises(ValueError, match="v3: liquidity must not be negative anywhere"):
        v3.check(pool)


@pytest.mark.parametrize(
    ("lower", "upper", "inside"), [(-60, 60, True), (0, 60, True), (-60, 0, False), (60, 120, False)]
)
def test_mint__range_around_or_beside_the_price__liquidity_changes_only_inside(lower, upper, inside) -> None:
    pool, taken0, taken1 = v3.mint(v3_pool(), lower, upper, E18)
    assert pool.liquidity == (E18 if inside else 0)
    assert pool.ticks == ((lower, E18), (upper, -E18))
    assert (taken0 > 0, taken1 > 0) == (upper > 0, lower < 0)


def test_mint__price_on_a_tick_crossed_downwards__the_range_below_is_the_live_one() -> None:
    pool = v3.swap_exact_in(v3_pool(WIDE, (0, 60, E18)), True, 1, at_tick(0) - 1).pool
    pool = replace(pool, sqrt_price_x96=at_tick(0), tick=-1)
    assert v3.mint(pool, -60, 0, E18)[0].liquidity == pool.liquidity + E18
    assert v3.mint(pool, 0, 60, E18)[0].liquidity == pool.liquidity


def test_mint__neighbours_of_equal_liquidity__the_shared_tick_stays_at_net_zero() -> None:
    pool = v3_pool((-60, 0, E18), (0, 60, E18))
    assert pool.ticks == ((-60, E18), (0, 0), (60, -E18))
    pool, _, _ = v3.burn(pool, 0, 60, E18)
    assert pool.ticks == ((-60, E18), (0, -E18))


def test_burn__last_liquidity_of_a_tick__the_tick_is_forgotten() -> None:
    pool = v3_pool(WIDE, (-60, 60, E18))
    pool, _, _ = v3.burn(pool, -60, 60, E18 // 2)
    assert [tick for tick, _ in pool.ticks] == [-887220, -60, 60, 887220]
    pool, _, _ = v3.burn(pool, -60, 60, E18 // 2)
    assert pool == v3_pool(WIDE)


def test_zero_net_tick__crossed__ends_a_step_and_rounds() -> None:
    """An initialised tick of net zero is not the same as none: that is why its entry stays."""
    with_tick = v3_pool((-600, -60, 987_654_321), (-60, 600, 987_654_321))
    without = v3_pool((-600, 600, 987_654_321))
    differ = [
        amount
        for amount in range(4_000_000, 4_000_200)
        if v3.swap_exact_in(with_tick, True, amount).amount_out != v3.swap_exact_in(without, True, amount).amount_out
    ]
    assert differ


# ------------------------------------------------------------------ liquidity of amounts


def test_liquidity_for__a_side_the_range_does_not_need__is_ignored() -> None:
    assert v3.liquidity_for(1 << 96, 60, 120, 10**9, 0) > 0
    assert v3.liquidity_for(1 << 96, -120, -60, 0, 10**9) > 0
    assert v3.liquidity_for(1 << 96, -60, 60, 10**9, 0) == 0


def test_liquidity_for__negative_amount__refused() -> None:
    with pytest.raises(ValueError, match="v3: amounts must not be below 0"):
        v3.liquidity_for(1 << 96, -60, 60, -1, 1)


# ------------------------------------------------------------------ fees


@pytest.mark.parametrize(
    ("tick", "inside"), [(-61, 100 - 30), (-60, 1000 - 100 - 30), (59, 1000 - 100 - 30), (60, 30 - 100)]
)
def test_fee_growth_inside__below_in_and_above_the_range__as_the_pool(tick: int, inside: int) -> None:
    assert v3.fee_growth_inside(tick, -60, 60, 1000, 100, 30) == inside % (1 << 256)


def test_fees_due__growth_that_wrapped__counts_the_small_difference() -> None:
    last = (1 << 256) - (3 << 128)
    assert v3.fees_due(5, 2 << 128, last, 7) == 7 + 5 * 5


def test_fees_due__fraction_of_a_unit__rounded_down() -> None:
    assert v3.fees_due(1, (1 << 128) - 1, 0, 0) == 0
    assert v3.fees_due(2, (1 << 128) - 1, 0, 0) == 1


def test_fees_due__past_uint128__wraps_as_the_pools_ledger() -> None:
    assert v3.fees_due(1, 1 << 128, 0, (1 << 128) - 1) == 0


# ------------------------------------------------------------------ what a pool can be


def test_check__states_a_pool_can_be_in__accepted() -> None:
    v3.check(v3_pool(WIDE, (-60, 60, E18)))
    v3.check(seen_pool())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ticks": ((60, 1), (-60, -1))}, "ticks must ascend"),
        ({"ticks": ((60, 1), (60, -1))}, "ticks must ascend"),
        ({"ticks": ((-59, 1), (60, -1))}, "ticks must be multiples of 60"),
        ({"ticks": ((-1260, 1), (60, -1)), "seen_lower": -1200}, r"in \[-1200, 887272\], found -1260"),
        ({"tick": 1}, "tick 1 does not belong to sqrt price"),
        ({"tick": -2}, "tick -2 does not belong"),
        ({"sqrt_price_x96": (1 << 96) + 1, "tick": -1}, "tick -1 does not belong"),
        ({"liquidity": 5}, r"liquidity 5 is not the 10\d* of the ticks"),
        ({"sqrt_price_x96": 0}, "sqrt price must be in"),
    ],
)
def test_check__state_no_pool_can_be_in__refused(change: dict, said: str) -> None:
    with pytest.raises(ValueError, match=f"v3: .*{said}"):
        v3.check(replace(v3_pool(WIDE), **change))
