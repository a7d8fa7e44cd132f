"""What the vault should do with the books it has, in exact integers; no line of this is the vault's own."""

from dataclasses import dataclass
from fractions import Fraction

import boa

from bot.amm import v3
from tests.contracts.vault.words import (
    RECORD_AGE_S,
    RECORD_BITS,
    RECORD_ONE,
    Position,
    packed,
    signed24,
    sqrt_x96,
    unpacked,
)
from tests.contracts.vault.world import ADD, MOST, REMOVE, V2_USD_ETH, World


@dataclass(frozen=True)
class Books:
    """What the vault holds, read from its pools and tokens with all fees settled."""

    supply: int
    idle: tuple[int, ...]  # fees due included, what is owed left out
    ranges: tuple[tuple[int, int, int, int, int], ...]  # pool, square-root price, lower, upper, liquidity
    pair: tuple[int, int, tuple[int, int]] | None  # LP tokens held, of how many, the pair's balances
    exact: tuple[Fraction, ...]  # of each token, what is owed left out


def books(world: World, supply: int | None = None, owed: tuple[int, ...] = (0, 0, 0)) -> Books:
    """`supply`: what is due to the fee's receiver included; the vault's total where it is not given."""
    with boa.env.anchor():
        world.settle()
        idle = [balance - owed[token] for token, balance in enumerate(world.balances(world.vault.address))]
        ranges = []
        for pool, ticks in world.ranges():
            liquidity, _, _, *due = world.held(pool, ticks)
            ranges.append((pool, world.pools[pool].slot0()[0], *ticks, liquidity))
            for token, amount in zip(world.sides[pool], due, strict=True):
                idle[token] += amount
        exact = [amount - owed[token] for token, amount in enumerate(world.exact())]
        pair = None
        if V2_USD_ETH << 48 in world.positions():
            lp = world.pools[V2_USD_ETH]
            held = tuple(world.tokens[token].balanceOf(lp.address) for token in world.sides[V2_USD_ETH])
            pair = (lp.balanceOf(world.vault.address), lp.totalSupply(), held)
    return Books(supply or world.vault.totalSupply(), tuple(idle), tuple(ranges), pair, tuple(exact))


def cost(world: World, found: Books, shares: int) -> list[int]:
    """What minting takes."""
    held = list(found.idle)
    for pool, price, lower, upper, liquidity in found.ranges:
        for token, amount in zip(world.sides[pool], v3.amounts(price, lower, upper, liquidity), strict=True):
            held[token] += amount + 1
    if found.pair:
        lp, supply, balances = found.pair
        for token, balance in zip(world.sides[V2_USD_ETH], balances, strict=True):
            held[token] += lp * balance // supply + 1
    return [-(-amount * shares // found.supply) for amount in held]


def payment(world: World, found: Books, shares: int, skip: int = 0) -> tuple[list[int], int]:
    """Amounts that a redemption pays or sets aside, and LP tokens handed over as they are."""
    paid = [amount * shares // found.supply for amount in found.idle]
    for pool, price, lower, upper, liquidity in found.ranges:
        part = v3.amounts(price, lower, upper, liquidity * shares // found.supply)
        for token, amount in zip(world.sides[pool], part, strict=True):
            paid[token] += amount
    if found.pair is None:
        return paid, 0
    lp, supply, balances = found.pair
    part = lp * shares // found.supply
    burned = [part * balance // supply for balance in balances]
    sides = world.sides[V2_USD_ETH]
    if min(burned) < 2 or any(skip >> token & 1 for token in sides):
        return paid, part
    for token, amount in zip(sides, burned, strict=True):
        paid[token] += amount
    return paid, 0


# ------------------------------------------------------------------ a bundle


@dataclass(frozen=True)
class Bundle:
    """What a bundle is measured by: amounts of each token."""

    before: tuple[int, ...]  # held when its removes have run
    placed: tuple[int, ...]  # of that, in positions, at the fair price


def opened(world: World, actions: list[tuple[int, int]]) -> Bundle:
    """What is held when the removes of the bundle have run; the removes, undone."""
    removes = [action for action in actions if action[0] >> 248 == REMOVE]
    with boa.env.anchor():
        if removes:
            world.execute(*removes, wait=False)
        placed = world.placed()
        held = tuple(idle + part for idle, part in zip(world.idle(), placed, strict=True))
    return Bundle(held, tuple(placed))


def left(world: World, bundle: Bundle, actions: list[tuple[int, int]]) -> list[int]:
    """What is held when the bundle has run, as it counts it: ranges added stand at the fair price. No adds on pairs."""
    found, prices = world.words(), world.prices()
    held = [idle + part for idle, part in zip(world.idle(), bundle.placed, strict=True)]
    for head, _ in actions:
        if head >> 248 != ADD:
            continue
        position = Position(head >> 240 & 255, (signed24(head >> 216 & 0xFFFFFF), signed24(head >> 192 & 0xFFFFFF)))
        sides = found.pool(position.pool).sides
        fair = sqrt_x96(*(prices[token] for token in sides))
        stake = v3.amounts(fair, *position.ticks, head >> 64 & MOST)
        for token, amount in zip(sides, stake, strict=True):
            held[token] += amount
    return held


def turnover(world: World, actions: list[tuple[int, int]], fills: list[tuple[int, int]]) -> int:
    """Money that swaps sell and adds put in."""
    prices = world.prices()
    return sum(
        -amount * prices[token] // 10**36
        for (head, _), fill in zip(actions, fills, strict=True)
        if head >> 248 != REMOVE
        for token, amount in zip(world.sides[head >> 240 & 255], fill, strict=True)
        if amount < 0
    )


@dataclass(frozen=True)
class Record:
    """What the vault remembers of each token: when all was priced, and values per share of few digits."""

    at: int = 0
    parts: tuple[int, ...] = (0, 0, 0)  # packed

    def priced(self, world: World, touched: set[int]) -> set[int]:
        """The tokens whose prices a bundle that touches some must ask for."""
        everything = set(range(len(world.tokens)))
        if self.at + RECORD_AGE_S < world.now:
            return everything
        found = world.words()
        sides = [set(found.pool(position.pool).sides) for position in found.positions()]
        return everything if any(len(both & touched) == 1 for both in sides) else touched

    def value(self, token: int, supply: int) -> int:
        return unpacked(self.parts[token]) * supply // RECORD_ONE

    def renewed(self, now: int, priced: set[int], after: list[int], supply: int) -> "Record":
        """With the values that a bundle left of the tokens priced."""
        parts = [
            packed(after[token] * RECORD_ONE // supply, RECORD_BITS) if token in priced else part
            for token, part in enumerate(self.parts)
        ]
        return Record(now if len(priced) == len(self.parts) else self.at, tuple(parts))
