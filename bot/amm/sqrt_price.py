"""Amounts between two prices, the price after an amount, and one step of a Uniswap V3 swap.

Sources: SqrtPriceMath and SwapMath of v3-core, with every rounding as there. All prices are Q64.96 square roots.
"""

from typing import NamedTuple

ONE_PIPS = 1_000_000
Q96 = 1 << 96
INT128_MAX = (1 << 127) - 1
UINT128_MAX = (1 << 128) - 1
UINT160_MAX = (1 << 160) - 1
UINT256_MAX = (1 << 256) - 1


class Step(NamedTuple):
    """What one step did; the input is `amount_in + fee_amount`."""

    sqrt_price_x96: int
    amount_in: int
    amount_out: int
    fee_amount: int


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide, rounding up."""
    return -(-numerator // denominator)


def amount0_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, round_up: bool) -> int:
    """Count the token0 that `liquidity` holds between two prices, in either order."""
    lower, upper = sorted((sqrt_a_x96, sqrt_b_x96))
    numerator = (liquidity << 96) * (upper - lower)
    return ceil_div(numerator, lower * upper) if round_up else numerator // (lower * upper)


def amount1_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, round_up: bool) -> int:
    """Count the token1 that `liquidity` holds between two prices, in either order."""
    product = liquidity * abs(sqrt_b_x96 - sqrt_a_x96)
    return -(-product >> 96) if round_up else product >> 96


def next_sqrt_price_from_input(sqrt_price_x96: int, liquidity: int, amount_in: int, zero_for_one: bool) -> int:
    """Move the price by an input after fees, rounded against the mover.

    ValueError when there is no price or no liquidity, or the price would pass uint160.
    """
    _check(sqrt_price_x96, liquidity)
    if not zero_for_one:
        after = sqrt_price_x96 + (amount_in << 96) // liquidity
        if after > UINT160_MAX:
            raise ValueError(f"v3: price must fit uint160, found {after}: the input is too large")
        return after
    numerator = liquidity << 96
    denominator = numerator + amount_in * sqrt_price_x96
    if denominator <= UINT256_MAX:
        return ceil_div(numerator * sqrt_price_x96, denominator)
    # Past 256 bits the contract takes a less precise form of the same fraction; so do we.
    return ceil_div(numerator, numerator // sqrt_price_x96 + amount_in)


def next_sqrt_price_from_output(sqrt_price_x96: int, liquidity: int, amount_out: int, zero_for_one: bool) -> int:
    """Move the price by an output, rounded against the mover.

    ValueError when there is no price or no liquidity, or the liquidity cannot give so much.
    """
    _check(sqrt_price_x96, liquidity)
    if zero_for_one:
        after = sqrt_price_x96 - ceil_div(amount_out << 96, liquidity)
        if after <= 0:
            raise ValueError(f"v3: liquidity {liquidity} cannot give {amount_out} of token1")
        return after
    numerator, product = liquidity << 96, amount_out * sqrt_price_x96
    if product > UINT256_MAX or product >= numerator:
        raise ValueError(f"v3: liquidity {liquidity} cannot give {amount_out} of token0")
    after = ceil_div(numerator * sqrt_price_x96, numerator - product)
    if after > UINT160_MAX:
        raise ValueError(f"v3: price must fit uint160, found {after}: the output is too large")
    return after


def compute_swap_step(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, remaining: int, fee: int, exact_in: bool
) -> Step:
    """Swap `remaining` (of the input, or of the output) towards a target price, and stop there at the latest."""
    zero_for_one = sqrt_price_x96 >= sqrt_target_x96
    in_delta, out_delta = (amount0_delta, amount1_delta) if zero_for_one else (amount1_delta, amount0_delta)
    if exact_in:
        usable = remaining * (ONE_PIPS - fee) // ONE_PIPS
        if usable >= in_delta(sqrt_price_x96, sqrt_target_x96, liquidity, True):
            after = sqrt_target_x96
        else:
            after = next_sqrt_price_from_input(sqrt_price_x96, liquidity, usable, zero_for_one)
    elif remaining >= out_delta(sqrt_price_x96, sqrt_target_x96, liquidity, False):
        after = sqrt_target_x96
    else:
        after = next_sqrt_price_from_output(sqrt_price_x96, liquidity, remaining, zero_for_one)

    amount_in = in_delta(sqrt_price_x96, after, liquidity, True)
    amount_out = out_delta(sqrt_price_x96, after, liquidity, False)
    if not exact_in:
        amount_out = min(amount_out, remaining)
    if exact_in and after != sqrt_target_x96:
        fee_amount = remaining - amount_in  # the dust that moved no price is fee too
    else:
        fee_amount = ceil_div(amount_in * fee, ONE_PIPS - fee)
    return Step(after, amount_in, amount_out, fee_amount)


def range_amounts(
    sqrt_price_x96: int, sqrt_lower_x96: int, sqrt_upper_x96: int, liquidity: int, round_up: bool
) -> tuple[int, int]:
    """Count token0 and token1 of `liquidity` in a range of prices at a price in or beside it."""
    at = min(max(sqrt_lower_x96, sqrt_price_x96), sqrt_upper_x96)
    return (
        amount0_delta(at, sqrt_upper_x96, liquidity, round_up),
        amount1_delta(sqrt_lower_x96, at, liquidity, round_up),
    )


def range_liquidity(sqrt_price_x96: int, sqrt_lower_x96: int, sqrt_upper_x96: int, amount0: int, amount1: int) -> int:
    """Find the most liquidity whose `range_amounts`, rounded up, fit in the two given; at most int128's, as mint takes.

    Exact, so at times a little more than LiquidityAmounts.getLiquidityForAmounts of v3-periphery, which rounds twice.
    """
    at = min(max(sqrt_lower_x96, sqrt_price_x96), sqrt_upper_x96)
    most = INT128_MAX
    if at < sqrt_upper_x96:
        most = min(most, amount0 * at * sqrt_upper_x96 // (Q96 * (sqrt_upper_x96 - at)))
    if at > sqrt_lower_x96:
        most = min(most, amount1 * Q96 // (at - sqrt_lower_x96))
    return most


def _check(sqrt_price_x96: int, liquidity: int) -> None:
    if sqrt_price_x96 <= 0 or liquidity <= 0:
        raise ValueError(f"v3: needs a price and liquidity, found price {sqrt_price_x96} and liquidity {liquidity}")
