"""What a share is a claim to, in exact integers, and whether a transaction made it less.

Two measures, both as numerator / denominator with nothing rounded on the way (one exception, below):

- **Value at test prices** (`Scale.value`). At any prices t of the tokens, a share is worth V(t) / supply, where V
  counts idle tokens and fees due (to the unit, as a burn of 0 would credit them), every range's liquidity with its
  pool standing at t, and LP tokens with their pair's product standing at t. Nobody's trade lowers V(t): fees and
  products only grow, and liquidity is left alone. So V(t) / supply must not fall through any transaction but the
  keeper's, whatever it does to spot prices on the way. The square root of a pair's product is kept to 128 bits after
  the point, and rounded against a finding.
- **Amounts at spot** (`amounts`). While no pool moves, each token by itself: idle, fees and the exact real principal
  of every range and of LP tokens at the pools' present prices, per share, must not fall through a call of the vault.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt, lcm, prod

from bot.amm.ticks import sqrt_ratio_at_tick
from tests.contracts.campaign.books import Books
from tests.contracts.campaign.world import BTC, ETH, Q96, USD, V2_USD_ETH, V3_BTC_ETH, V3_USD_ETH

Ratio = tuple[int, int]  # numerator, denominator
Ranges = tuple[tuple[int, int, int], ...]
Sides = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Scale:
    """Integer weights that add a vault's holdings up to their value at test prices, in a unit of its own."""

    idle: tuple[int, ...]  # per token
    ranges: tuple[int, ...]
    lp: int  # of LP tokens times the root of the pair's product

    def value(self, books: Books, up: bool) -> Ratio:
        """Of one share; `up` rounds the root of the pair's product up."""
        sure = sum(map(int.__mul__, self.idle, books.idle)) + sum(map(int.__mul__, self.ranges, books.liquidity))
        root = isqrt(books.reserves[0] * books.reserves[1] << 256) + up
        return sure * books.lp_supply + self.lp * books.lp * root, books.supply * books.lp_supply

    def money(self, ratio: Ratio, token: int) -> Fraction:
        """A value in raw units of a token."""
        return Fraction(*ratio) / self.idle[token]


@lru_cache(maxsize=1 << 12)
def scale(prices: tuple[int, int], ranges: Ranges, sides: Sides) -> Scale:
    """Weights at these square-root prices (X96) of the two V3 pools."""
    tokens = [Fraction(0)] * 3
    tokens[ETH] = Fraction(1)
    for pool, token in ((V3_USD_ETH, USD), (V3_BTC_ETH, BTC)):
        price = Fraction(prices[pool] ** 2, Q96**2)  # of token0, in token1
        tokens[token] = price if sides[pool][0] == token else 1 / price
    units = []
    for pool, lower, upper in ranges:
        parts = _parts(prices[pool], lower, upper)
        units.append(sum(Fraction(*part) * tokens[side] for part, side in zip(parts, sides[pool], strict=True)))
    lp = 2 * tokens[sides[V2_USD_ETH][1]] * Fraction(prices[V3_USD_ETH], Q96)  # twice the root of both prices' product
    weights = [Fraction(weight) for weight in (*tokens, *units)]
    whole = lcm(*(weight.denominator for weight in (*weights, lp))) << 128
    scaled = [weight.numerator * (whole // weight.denominator) for weight in weights]
    return Scale(tuple(scaled[:3]), tuple(scaled[3:]), lp.numerator * (whole // lp.denominator) >> 128)


def amounts(books: Books, sides: Sides) -> list[Ratio]:
    """Of each token, all that is held at the pools' present prices."""
    weights, wholes = _spot_weights(books.spots, books.ranges, sides)
    found = []
    for token, whole in enumerate(wholes):
        sure = books.idle[token] * whole + sum(map(int.__mul__, weights[token], books.liquidity))
        pair = books.balances[sides[V2_USD_ETH].index(token)] if token in sides[V2_USD_ETH] else 0
        found.append((sure * books.lp_supply + books.lp * pair * whole, whole * books.lp_supply))
    return found


def fell(before: Ratio, after: Ratio) -> bool:
    """Whether a ratio is less than it was."""
    return after[0] * before[1] < before[0] * after[1]


def per_share(amount: Ratio, books: Books) -> Ratio:
    return amount[0], amount[1] * books.supply


def owned(books: Books, shares: int, sides: Sides, skip: int = 0) -> tuple[list[int], int]:
    """The least that a redemption must give: amounts per token, and LP tokens handed over as they are.

    Floors of idle tokens, of each range's fees, liquidity and principal, and of LP tokens and what the pair pays.
    """
    supply = books.supply
    least = [amount * shares // supply for amount in books.idle]
    for (pool, lower, upper), liquidity in zip(books.ranges, books.liquidity, strict=True):
        part = liquidity * shares // supply
        for (unit, whole), token in zip(_parts(books.spots[pool], lower, upper), sides[pool], strict=True):
            least[token] += part * unit // whole - 1  # the fees, if paid by themselves, are rounded down once more
    lp = books.lp * shares // supply
    burned = [lp * balance // books.lp_supply for balance in books.balances]
    both = zip(books.reserves, books.balances, strict=True)
    few = any(lp * max(reserve, balance) // books.lp_supply <= 1 for reserve, balance in both)
    if few or any(skip >> token & 1 for token in sides[V2_USD_ETH]):
        return least, lp
    for amount, token in zip(burned, sides[V2_USD_ETH], strict=True):
        least[token] += amount
    return least, 0


def cost(books: Books, shares: int, sides: Sides) -> list[int]:
    """The most that a mint may take: each position's amounts rounded down plus 1, and the slice of all rounded up."""
    held = list(books.idle)
    for (pool, lower, upper), liquidity in zip(books.ranges, books.liquidity, strict=True):
        for (unit, whole), token in zip(_parts(books.spots[pool], lower, upper), sides[pool], strict=True):
            held[token] += liquidity * unit // whole + 1
    for side, token in enumerate(sides[V2_USD_ETH]):
        held[token] += books.lp * max(books.reserves[side], books.balances[side]) // books.lp_supply + 1
    return [-(-amount * shares // books.supply) for amount in held]


@lru_cache(maxsize=1 << 12)
def _spot_weights(
    spots: tuple[int, ...], ranges: Ranges, sides: Sides
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Per token the integer weight of each range's liquidity, and what all of them are to be divided by."""
    weights, wholes = [], []
    for token in range(len((USD, ETH, BTC))):
        parts: list[Ratio] = []
        for pool, lower, upper in ranges:
            both = dict(zip(sides[pool], _parts(spots[pool], lower, upper), strict=True))
            parts.append(both.get(token, (0, 1)))
        whole = prod(part[1] for part in parts)
        weights.append(tuple(unit * (whole // by) for unit, by in parts))
        wholes.append(whole)
    return tuple(weights), tuple(wholes)


@lru_cache(maxsize=1 << 14)
def _parts(at: int, lower: int, upper: int) -> tuple[Ratio, Ratio]:
    """Token0 and token1 in a unit of a range's liquidity, at a square-root price."""
    bottom, top = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    inner = max(bottom, min(at, top))
    return (Q96 * (top - inner), inner * top), (inner - bottom, Q96)
