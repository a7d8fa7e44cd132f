"""The constant-product pair, with the numbers and reverts of v2-core."""

import pytest

from bot.amm import v2
from tests.unit.amm.build import v2_pool

E18 = 10**18


def test_swap__either_direction__reserves_move_by_what_is_traded() -> None:
    pool = v2_pool(5 * E18, 10 * E18, 7 * E18)
    after, out = v2.swap(pool, True, E18)
    assert out == 1662497915624478906  # v2-core's test
    assert (after.reserve0, after.reserve1, after.supply) == (6 * E18, 10 * E18 - out, 7 * E18)
    after, out = v2.swap(pool, False, E18)
    assert out == 453305446940074565
    assert (after.reserve0, after.reserve1) == (5 * E18 - out, 11 * E18)


def test_swap__dust_that_brings_nothing__refused_though_its_quote_is_zero() -> None:
    assert v2.amount_out(1, E18, 1000, 3000) == 0
    with pytest.raises(ValueError, match="v2: amount out must be above 0, found 0"):
        v2.swap(v2_pool(E18, 1000, E18), True, 1)


def test_swap__reserve_past_uint112__refused() -> None:
    with pytest.raises(ValueError, match="v2: reserves must fit uint112"):
        v2.swap(v2_pool((1 << 112) - 10, (1 << 112) - 1, E18), True, 10)


@pytest.mark.parametrize("amount", [0, -1])
def test_quotes__amount_not_above_zero__refused(amount: int) -> None:
    with pytest.raises(ValueError, match="v2: amount in must be above 0"):
        v2.amount_out(amount, 1000, 1000, 3000)
    with pytest.raises(ValueError, match="v2: amount out must be above 0"):
        v2.amount_in(amount, 1000, 1000, 3000)


def test_quotes__empty_pair__refused() -> None:
    with pytest.raises(ValueError, match="v2: reserves must be above 0"):
        v2.amount_out(1, 0, 1000, 3000)
    with pytest.raises(ValueError, match="v2: reserves must be above 0"):
        v2.amount_in(1, 1000, 0, 3000)


def test_amount_in__the_whole_reserve__refused() -> None:
    with pytest.raises(ValueError, match="v2: amount out must be below the reserve 1000"):
        v2.amount_in(1000, 1000, 1000, 3000)


def test_add__first_mint__locks_the_minimum() -> None:
    pool, minted = v2.add(v2_pool(0, 0, 0), E18, 4 * E18)
    assert minted == 2 * E18 - 1000  # v2-core's test
    assert (pool.reserve0, pool.reserve1, pool.supply) == (E18, 4 * E18, 2 * E18)


def test_add__first_mint_not_above_the_minimum__refused() -> None:
    with pytest.raises(ValueError, match="v2: liquidity minted must be above 0"):
        v2.add(v2_pool(0, 0, 0), 1000, 1000)


def test_add__lopsided_amounts__the_lesser_counts_and_the_rest_is_given_away() -> None:
    pool, minted = v2.add(v2_pool(1000, 4000, 2000), 100, 4000)
    assert minted == 200
    assert (pool.reserve0, pool.reserve1, pool.supply) == (1100, 8000, 2200)


def test_add__too_little_for_one_lp_token__refused() -> None:
    with pytest.raises(ValueError, match="v2: liquidity minted must be above 0"):
        v2.add(v2_pool(10**6, 10**6, 10**3), 1, 1)


def test_remove__all_but_the_locked__leaves_the_locked_share() -> None:
    pool, amount0, amount1 = v2.remove(v2_pool(3 * E18, 3 * E18, 3 * E18), 3 * E18 - 1000)
    assert (amount0, amount1) == (3 * E18 - 1000, 3 * E18 - 1000)  # v2-core's test
    assert (pool.reserve0, pool.reserve1, pool.supply) == (1000, 1000, 1000)


@pytest.mark.parametrize("liquidity", [3 * E18 - 999, 0, -1])
def test_remove__nothing_or_the_locked_tokens__refused(liquidity: int) -> None:
    with pytest.raises(ValueError, match="v2: "):
        v2.remove(v2_pool(3 * E18, 3 * E18, 3 * E18), liquidity)


def test_remove__so_little_that_one_side_is_zero__refused() -> None:
    with pytest.raises(ValueError, match="v2: amounts must be above 0"):
        v2.remove(v2_pool(10, 10**9, 10**6), 100)
