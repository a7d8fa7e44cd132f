"""Where the contracts' integers overflow or run dry."""

import pytest

from bot.amm.sqrt_price import compute_swap_step, next_sqrt_price_from_input, next_sqrt_price_from_output

Q96 = 1 << 96


@pytest.mark.parametrize(("price", "liquidity"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("move", [next_sqrt_price_from_input, next_sqrt_price_from_output])
def test_next_price__no_price_or_no_liquidity__refused(move, price: int, liquidity: int, zero_for_one: bool) -> None:
    with pytest.raises(ValueError, match="v3: needs a price and liquidity"):
        move(price, liquidity, 10**17, zero_for_one)


def test_next_price__input_past_uint160__refused() -> None:
    with pytest.raises(ValueError, match="v3: price must fit uint160"):
        next_sqrt_price_from_input((1 << 160) - 1, 1024, 1024, zero_for_one=False)


def test_next_price__products_past_256_bits__the_contracts_coarser_form() -> None:
    price, liquidity, amount = (1 << 160) - 1, (1 << 128) - 1, 1 << 100
    numerator = liquidity << 96
    finer = -(-numerator * price // (numerator + amount * price))
    found = next_sqrt_price_from_input(price, liquidity, amount, zero_for_one=True)
    assert found == -(-numerator // (numerator // price + amount))
    assert found > finer


@pytest.mark.parametrize(("amount", "zero_for_one"), [(4, False), (5, False), (262144, True), (262145, True)])
def test_next_price__all_that_the_liquidity_holds_or_more__refused(amount: int, zero_for_one: bool) -> None:
    with pytest.raises(ValueError, match="v3: liquidity 1024 cannot give"):
        next_sqrt_price_from_output(20282409603651670423947251286016, 1024, amount, zero_for_one)


def test_next_price__output_whose_price_passes_uint160__refused() -> None:
    price = 1461446703485210103287273052203988822378723970341
    liquidity = 10**30
    held = (liquidity << 96) // price
    with pytest.raises(ValueError, match="v3: price must fit uint160"):
        next_sqrt_price_from_output(price, liquidity, held, zero_for_one=False)


def test_step__no_liquidity__reaches_the_target_for_nothing() -> None:
    assert compute_swap_step(Q96, Q96 // 2, 0, 10**18, 3000, exact_in=True) == (Q96 // 2, 0, 0, 0)
    assert compute_swap_step(Q96, Q96 * 2, 0, 10**18, 3000, exact_in=False) == (Q96 * 2, 0, 0, 0)


def test_step__input_too_small_to_move_the_price__all_of_it_is_fee() -> None:
    assert compute_swap_step(Q96, Q96 // 2, 10**30, 1, 3000, exact_in=True) == (Q96, 0, 0, 1)
