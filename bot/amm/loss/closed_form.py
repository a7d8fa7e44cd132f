"""Impermanent loss in closed form: a full range, a concentrated one, and a pool of weighted assets.

Prices are of token0 in token1, in any unit as long as it is one; values are in token1 for one unit of liquidity. Every
argument may be a float or an array; results have the shape to which the arguments broadcast.
"""

import numpy as np

from bot.amm.loss.checked import Floats, Reals, at_least_0, at_most_0, ends, not_negative, positive, weights_of


def constant_product_loss(price_ratio: Reals) -> Floats:
    """Give the impermanent loss of a full-range position as a fraction of holding: 2 sqrt(r) / (1 + r) - 1, at most 0.

    `price_ratio` is price now over price at entry. ValueError when it is not above 0 and finite.
    Source: Pintail, "Uniswap: A Good Deal for Liquidity Providers?" (2019); Angeris et al., arXiv:1911.03380.
    """
    ratio = positive("price ratio", price_ratio)
    return -((1 - np.sqrt(ratio)) ** 2) / (1 + ratio)


def concentrated_loss(price_then: Reals, price_now: Reals, lower: Reals, upper: Reals) -> Floats:
    """Give the impermanent loss of a Uniswap V3 range as a fraction of holding, at most 0.

    The range [0, inf] is the full one. ValueError unless the prices are above 0 and finite and 0 <= lower < upper.
    Source: amounts by the Uniswap v3 Core whitepaper (2021), equations 6.29 and 6.30, compared with holding as in
    Loesch et al., "Impermanent Loss in Uniswap v3", arXiv:2111.09192.
    """
    then0, then1 = range_amounts(price_then, lower, upper)
    return -range_shortfall(price_then, price_now, lower, upper) / (then0 * price_now + then1)


def weighted_loss(price_ratios: Floats, weights: Floats) -> Floats:
    """Give the impermanent loss of a Balancer pool as a fraction of holding: prod(r^w) / sum(w r) - 1, at most 0.

    `price_ratios`, shape (..., N): each asset's price now over its price at entry, in one numeraire; `weights`, shape
    (N,). The result has shape (...). ValueError when a ratio is not above 0 and finite, or the weights do not sum to 1.
    Source: Martinelli and Mushegian, Balancer whitepaper (2019); Evans, arXiv:2006.08806.
    """
    share = weights_of(weights)
    ratios = positive("price ratios", price_ratios)
    if ratios.ndim < 1 or ratios.shape[-1] != len(share):
        raise ValueError(f"loss: {len(share)} weights need as many price ratios, found an array of {ratios.shape}")
    logs = np.log(ratios)
    excess = np.expm1(logs - (logs @ share)[..., None]) @ share  # of holding over the pool, as a fraction of the pool
    return at_most_0(-excess / (1 + excess))


def held_loss(price: Reals, lower: Reals, upper: Reals, held0: Reals, held1: Reals) -> Floats:
    """Give the loss of a range against holding any amounts, as a fraction of holding.

    `held0` and `held1` are token0 and token1 for one unit of liquidity: of an entry, however it was made. ValueError
    when a price or range is none, or when nothing was held.
    Source: as `concentrated_loss`.
    """
    held = not_negative("held token0", held0) * price + not_negative("held token1", held1)
    return range_value(price, lower, upper) / positive("what was held", held) - 1


def range_amounts(price: Reals, lower: Reals, upper: Reals) -> tuple[Floats, Floats]:
    """Give token0 and token1 of one unit of liquidity in a range. ValueError when the price or the range is none.

    Source: Uniswap v3 Core whitepaper (2021), equations 6.29 and 6.30.
    """
    at, low, high = _inside(price, lower, upper)
    return 1 / np.sqrt(at) - 1 / np.sqrt(high), np.sqrt(at) - np.sqrt(low)


def range_value(price: Reals, lower: Reals, upper: Reals) -> Floats:
    """Give the value of one unit of liquidity: 2 sqrt(p) - p / sqrt(b) - sqrt(a) inside [a, b]. Errors and source as
    `range_amounts`.
    """
    amount0, amount1 = range_amounts(price, lower, upper)
    return amount0 * price + amount1


def range_shortfall(price_then: Reals, price_now: Reals, lower: Reals, upper: Reals) -> Floats:
    """Give what one unit of liquidity is worth less than the amounts it held at `price_then`; at least 0.

    With s and t the square roots of the prices then and now, moved into the range: (s - t)(s t - p) / (s t), where p is
    the price now; so (s - t)^2 / s while the price stays inside, whatever the range. Errors and source as
    `concentrated_loss`.
    """
    then, now = (np.sqrt(_inside(price, lower, upper)[0]) for price in (price_then, price_now))
    return at_least_0((then - now) * (1 - price_now / (then * now)))


def _inside(price: Reals, lower: Reals, upper: Reals) -> tuple[Floats, Floats, Floats]:
    """The price moved into the range, and the range's ends."""
    low, high = ends(lower, upper)
    return np.clip(positive("prices", price), low, high), low, high
