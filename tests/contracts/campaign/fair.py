"""What the honest holders' shares are a claim to, in money at the true prices.

A position is worth what it pays where its pool stands at the true price. That is the least it can be worth: a pool
that stands elsewhere pays more, at the cost of whoever moved it.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from bot.amm.ticks import sqrt_ratio_at_tick
from tests.contracts.campaign.books import Books, Reader
from tests.contracts.campaign.world import DECIMALS, MONEY, Q96, V2_USD_ETH, World

FINE = 64  # bits of a raw unit's fraction, and of a price's
MONEY_ONE = 10**18 << 2 * FINE


def claim(reader: Reader, money: Sequence[Fraction] = MONEY) -> int:
    """All honest holders' part of all that the vault holds; MONEY_ONE is one unit of money."""
    reader.look_again()
    world, books = reader.world, reader.books()
    held = _held(world, books, money)
    total = sum(amount * weight for amount, weight in zip(held, _weights(money), strict=True))
    return total * sum(map(world.shares, world.honest)) // books.supply


def grain(money: Sequence[Fraction] = MONEY) -> int:
    """The dearest raw unit of a token."""
    return max(_weights(money)) << FINE


def _weights(money: Sequence[Fraction]) -> list[int]:
    """Of one raw unit."""
    return [int((price * 2**FINE) * 10 ** (18 - decimals)) for price, decimals in zip(money, DECIMALS, strict=True)]


def _held(world: World, books: Books, money: Sequence[Fraction]) -> list[int]:
    """Raw amounts with FINE more bits."""
    fair = [world.fair(pool, money) for pool in range(len(world.pools))]
    amounts = [amount << FINE for amount in books.idle]
    found = [
        (pool, _principal(fair[pool], lower, upper, liquidity))
        for (pool, lower, upper), liquidity in zip(books.ranges, books.liquidity, strict=True)
    ]
    root = isqrt(books.reserves[0] * books.reserves[1] << 2 * FINE) * books.lp // books.lp_supply
    found.append((V2_USD_ETH, (root * Q96 // fair[V2_USD_ETH], root * fair[V2_USD_ETH] // Q96)))
    for pool, parts in found:
        for token, part in zip(world.sides[pool], parts, strict=True):
            amounts[token] += part
    return amounts


def _principal(at: int, lower: int, upper: int, liquidity: int) -> tuple[int, int]:
    bottom, top = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    at = max(bottom, min(at, top))
    return (liquidity << 96 + FINE) * (top - at) // (at * top), (liquidity << FINE) * (at - bottom) // Q96
