"""What must hold for every constant-product pair, to the unit."""

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.amm import v2
from bot.core.types import V2Pool
from tests.unit.amm.build import v2_pool

RESERVE = st.integers(1, 110).flatmap(lambda bits: st.integers(1, 1 << bits))
FEE = st.sampled_from([0, 1, 500, 2_500, 3_000, 10_000, 999_999])
AMOUNT = st.integers(1, 110).flatmap(lambda bits: st.integers(1, 1 << bits))
SHARE = st.floats(0, 1)


@st.composite
def pairs(draw) -> V2Pool:
    supply = draw(st.integers(v2.MINIMUM_LIQUIDITY + 1, 1 << 110))
    return v2_pool(draw(RESERVE), draw(RESERVE), supply, draw(FEE))


def k(pool: V2Pool) -> int:
    return pool.reserve0 * pool.reserve1


def swapped(pool: V2Pool, zero_for_one: bool, amount: int) -> tuple[V2Pool, int]:
    reserves = (pool.reserve0, pool.reserve1) if zero_for_one else (pool.reserve1, pool.reserve0)
    assume(v2.amount_out(amount, *reserves, pool.fee) > 0)
    return v2.swap(pool, zero_for_one, amount)


@given(pairs(), st.booleans(), AMOUNT)
def test_swap__any__k_never_falls_even_without_the_fee(pool: V2Pool, zero_for_one: bool, amount: int) -> None:
    after, _ = swapped(pool, zero_for_one, amount)
    assert k(after) >= k(pool)
    reserve_in, reserve_out = (after.reserve0, after.reserve1) if zero_for_one else (after.reserve1, after.reserve0)
    # The pair's own test, which reverts with "UniswapV2: K" when it fails; one unit more out would fail it.
    kept = reserve_in * 1_000_000 - amount * pool.fee
    assert kept * reserve_out >= k(pool) * 1_000_000
    assert kept * (reserve_out - 1) < k(pool) * 1_000_000


@given(pairs(), st.booleans(), AMOUNT)
def test_swap__there_and_back__never_gains(pool: V2Pool, zero_for_one: bool, amount: int) -> None:
    after, out = swapped(pool, zero_for_one, amount)
    after, back = swapped(after, not zero_for_one, out)
    assert back <= amount


@given(pairs(), st.booleans(), AMOUNT, AMOUNT)
def test_swap__in_two_parts__never_beats_one(pool: V2Pool, zero_for_one: bool, first: int, second: int) -> None:
    """The fee stays in the input reserve, where it makes the second part dearer."""
    middle, out1 = swapped(pool, zero_for_one, first)
    _, out2 = swapped(middle, zero_for_one, second)
    _, whole = swapped(pool, zero_for_one, first + second)
    assert out1 + out2 <= whole


@given(RESERVE, RESERVE, FEE, AMOUNT)
def test_amount_in__of_any_output__buys_it_and_no_more_than_one_unit_over(r_in: int, r_out: int, fee, wanted) -> None:
    assume(wanted < r_out)
    cost = v2.amount_in(wanted, r_in, r_out, fee)
    assert v2.amount_out(cost, r_in, r_out, fee) >= wanted
    if cost > 2:
        assert v2.amount_out(cost - 2, r_in, r_out, fee) < wanted


@given(RESERVE, RESERVE, AMOUNT)
def test_amounts__fee_of_3000_pips__the_pairs_997_of_1000(reserve_in: int, reserve_out: int, amount: int) -> None:
    with_fee = amount * 997
    assert v2.amount_out(amount, reserve_in, reserve_out, 3_000) == (
        with_fee * reserve_out // (reserve_in * 1_000 + with_fee)
    )
    if amount < reserve_out:
        router = reserve_in * amount * 1_000 // ((reserve_out - amount) * 997) + 1
        assert v2.amount_in(amount, reserve_in, reserve_out, 3_000) == router


@given(pairs(), AMOUNT, AMOUNT)
def test_add_then_remove__any_amounts__never_gains(pool: V2Pool, amount0: int, amount1: int) -> None:
    minted = min(amount0 * pool.supply // pool.reserve0, amount1 * pool.supply // pool.reserve1)
    assume(minted > 0 and max(pool.reserve0 + amount0, pool.reserve1 + amount1) < 1 << 112)
    after, liquidity = v2.add(pool, amount0, amount1)
    assume(min(v2.amounts(after, liquidity)) > 0)
    end, back0, back1 = v2.remove(after, liquidity)
    assert back0 <= amount0
    assert back1 <= amount1
    assert end.supply == pool.supply
    assert end.reserve0 >= pool.reserve0
    assert end.reserve1 >= pool.reserve1


@given(pairs(), SHARE)
def test_remove__any_share__what_an_lp_token_is_worth_never_falls(pool: V2Pool, share: float) -> None:
    liquidity = int((pool.supply - v2.MINIMUM_LIQUIDITY) * share)
    assume(0 < liquidity <= pool.supply - v2.MINIMUM_LIQUIDITY and min(v2.amounts(pool, liquidity)) > 0)
    after, amount0, amount1 = v2.remove(pool, liquidity)
    assert after.reserve0 * pool.supply >= pool.reserve0 * after.supply
    assert after.reserve1 * pool.supply >= pool.reserve1 * after.supply
    assert amount0 + after.reserve0 == pool.reserve0
    assert amount1 + after.reserve1 == pool.reserve1
