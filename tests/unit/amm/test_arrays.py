"""Quotes for arrays of amounts: each as if asked alone, whatever makes it hard to decide."""

import numpy as np
import pytest

from bot.amm.arrays import ArrayQuotes, to_ints, to_limbs
from bot.amm.prepared import prepare
from bot.core.types import V3Pool
from tests.unit.amm.agree import ends_of
from tests.unit.amm.build import at_tick, v3_pool

E18 = 10**18
WIDE = (-887220, 887220, 10 * E18)
BOTH = pytest.mark.parametrize("zero_for_one", [True, False])


def check(pool: V3Pool, zero_for_one: bool, amounts: list[int], exact_in: bool) -> None:
    alone, arrays = prepare(pool, zero_for_one), ArrayQuotes(prepare(pool, zero_for_one))
    one, many = (alone.amount_out, arrays.amounts_out) if exact_in else (alone.amount_in, arrays.amounts_in)
    assert to_ints(many(to_limbs(amounts))) == [one(amount) for amount in amounts]


def decided(pool: V3Pool, zero_for_one: bool, amounts: list[int], exact_in: bool) -> float:
    """The share of the amounts that needs not be asked one by one."""
    arrays = ArrayQuotes(prepare(pool, zero_for_one))
    limbs = to_limbs(amounts)
    return float(np.mean(arrays._table(max(amounts), exact_in).quote(limbs, np.empty_like(limbs))))


@pytest.mark.parametrize("amounts", [[], [0], [1, 2**64 - 1, 2**64, 2**128 - 1], [7, 0, 2**63]])
def test_limbs__there_and_back__the_same_amounts(amounts: list[int]) -> None:
    limbs = to_limbs(amounts)
    assert limbs.shape == (2, len(amounts))
    assert limbs.dtype == np.uint64
    assert to_ints(limbs) == amounts


@pytest.mark.parametrize("amount", [-1, 2**128])
def test_limbs__amount_that_does_not_fit__refused(amount: int) -> None:
    with pytest.raises(ValueError, match=r"arrays: amounts must be in \[0, 2\*\*128\)"):
        to_limbs([1, amount])


@BOTH
@pytest.mark.parametrize("exact_in", [True, False])
def test_quotes__amounts_of_one_and_of_two_words__each_as_if_asked_alone(zero_for_one: bool, exact_in: bool) -> None:
    pool = v3_pool(WIDE, (-600, 600, 300 * E18), (-6_000, 6_000, E18), sqrt_price_x96=at_tick(3) + 99)
    small = [amount * 10**15 + 7 for amount in range(1, 9_000)]  # more than one chunk
    assert decided(pool, zero_for_one, small, exact_in) == 1
    check(pool, zero_for_one, small, exact_in)
    check(pool, zero_for_one, [amount << 60 for amount in range(1, 300)], exact_in)


@BOTH
@pytest.mark.parametrize("exact_in", [True, False])
def test_quotes__around_the_ends_of_steps__each_as_if_asked_alone(zero_for_one: bool, exact_in: bool) -> None:
    pool = v3_pool((-887270, 887270, 123_456_789_123), (-600, 600, 10**20), spacing=10)
    amounts = [amount for amount, each in ends_of(prepare(pool, zero_for_one), 12) if each == exact_in and amount > 0]
    check(pool, zero_for_one, amounts, exact_in)
    check(pool, zero_for_one, amounts[::-1], exact_in)


@BOTH
@pytest.mark.parametrize("exact_in", [True, False])
def test_quotes__liquidity_of_which_a_unit_moves_no_price__asked_one_by_one(zero_for_one: bool, exact_in: bool) -> None:
    pool = v3_pool((-600, 600, 1 << 100))
    amounts = [E18 * each + 5 for each in range(1, 50)]
    assert decided(pool, zero_for_one, amounts, exact_in) == 0
    check(pool, zero_for_one, amounts, exact_in)


def test_quotes__answers_that_are_whole_before_rounding__each_as_if_asked_alone() -> None:
    """At the price 1 without a fee an input u brings L u / (L + u): here whole, of a product past a pair's bits."""
    for odd in range((1 << 58) + 1, (1 << 58) + 101, 2):
        pool = v3_pool((-887220, 887220, odd * (2**20 - 2**17)), fee=0)
        assert prepare(pool, True).amount_out(odd << 17) == odd * 7 << 14
        check(pool, True, [odd << 17], exact_in=True)


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_quotes__price_that_falls_far_in_one_step__its_rounding_weighs_as_at_the_end(zero_for_one: bool) -> None:
    """Over a word of spacing 200 the root of the price changes thirteenfold, what its unit is worth by the square."""
    start = -205_000 if zero_for_one else -255_900  # the word has [-256_000, -204_800]
    pool = v3_pool((-887200, 887200, (1 << 57) + 12_345), spacing=200, sqrt_price_x96=at_tick(start))
    end = prepare(pool, zero_for_one)
    end.reach(1, exact_in=True)
    amounts = [end.steps.outs[-1] * each // 4_000 for each in range(1, 4_000)]
    check(pool, zero_for_one, amounts, exact_in=False)
    check(pool, zero_for_one, [end.steps.ins[-1] * each // 4_000 for each in range(1, 4_000)], exact_in=True)


@BOTH
@pytest.mark.parametrize("fee", [0, 1, 999_999])
def test_quotes__fees_at_their_ends__each_as_if_asked_alone(zero_for_one: bool, fee: int) -> None:
    pool = v3_pool((-887220, 887220, 10**24), fee=fee)
    for amounts in ([10**12 + each for each in range(50)], [(1 << 66) + each for each in range(50)]):
        check(pool, zero_for_one, amounts, exact_in=True)
        check(pool, zero_for_one, amounts, exact_in=False)


@BOTH
def test_quotes__more_than_the_pool_takes_or_holds__partial_as_if_asked_alone(zero_for_one: bool) -> None:
    for exact_in in (True, False):
        check(v3_pool((-60, 60, E18)), zero_for_one, [10**14, 10 * E18, (1 << 128) - 1], exact_in)


@BOTH
def test_quotes__second_batch_that_goes_further__is_decided_too(zero_for_one: bool) -> None:
    pool = v3_pool(WIDE, (-600, 600, E18))
    alone, arrays = prepare(pool, zero_for_one), ArrayQuotes(prepare(pool, zero_for_one))
    for size in (10**10, E18, 10**12, 30 * E18):
        amounts = [size + each for each in range(20)]
        assert to_ints(arrays.amounts_out(to_limbs(amounts))) == [alone.amount_out(amount) for amount in amounts]
        table = arrays._table(1, exact_in=True)
        assert table.quote(to_limbs(amounts), to_limbs(amounts)).all()


def test_quotes__no_amounts__no_quotes() -> None:
    arrays = ArrayQuotes(prepare(v3_pool(WIDE), True))
    assert arrays.amounts_out(to_limbs([])).shape == arrays.amounts_in(to_limbs([])).shape == (2, 0)


def test_quotes__amount_that_is_refused_alone__refused_in_the_same_words() -> None:
    arrays = ArrayQuotes(prepare(v3_pool(WIDE, seen=(-1200, 1200)), True))
    for ask in (arrays.amounts_out, arrays.amounts_in):
        with pytest.raises(ValueError, match=r"v3: amount must be in \(0, 2\*\*255\), found 0"):
            ask(to_limbs([5, 0, 5]))
        with pytest.raises(ValueError, match="v3: swap leaves the observed ticks"):
            ask(to_limbs([5, 100 * E18, 5]))


@pytest.mark.parametrize("amounts", [np.arange(1, 9), np.ones((2, 3)), np.ones((3, 2), dtype=np.uint64)])
def test_quotes__array_that_is_no_limbs__refused(amounts: np.ndarray) -> None:
    arrays = ArrayQuotes(prepare(v3_pool(WIDE), True))
    for ask in (arrays.amounts_out, arrays.amounts_in):
        with pytest.raises(ValueError, match=r"arrays: amounts must be limbs, found .*; use to_limbs"):
            ask(amounts)


def test_quotes__pool_at_the_end_of_prices__refused() -> None:
    arrays = ArrayQuotes(prepare(v3_pool(WIDE), True, limit=at_tick(1)))
    with pytest.raises(ValueError, match="v3: price limit already passed"):
        arrays.amounts_out(to_limbs([5]))


def test_quotes__answer_past_128_bits__refused() -> None:
    pool = v3_pool((-887220, 887220, 1 << 110), sqrt_price_x96=at_tick(-400_000))
    most = prepare(pool, True).quote_out((1 << 128) - 1).amount_out
    assert prepare(pool, True).amount_in(most) >= 1 << 128
    with pytest.raises(ValueError, match="arrays: amounts must be in"):
        ArrayQuotes(prepare(pool, True)).amounts_in(to_limbs([1, most]))
    alone = prepare(pool, True)
    fits = alone.amount_out((1 << 128) - 1)
    alone.reach(fits, exact_in=False)
    assert alone.steps.ins[-1] >= 1 << 128 > alone.amount_in(fits)
    check(pool, True, [1, fits], exact_in=False)
