"""Operations on a V3 pool: drawn at random, and played on the mathematics."""

from random import Random
from typing import Any

from bot.amm import v3
from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, sqrt_ratio_at_tick
from bot.core.types import V3Pool

Swap = tuple[bool, int, int | None]  # zero for one; amount, above 0 exact in, below exact out; price limit
Operation = tuple[str, Any, Any, Any]  # ("swap", *Swap) | ("mint" | "burn", lower, upper, liquidity)
State = tuple[
    int, int, int, int, int
]  # amount0, amount1 (what the pool took, or gave: negative), price, tick, liquidity


def swap(pool: V3Pool, zero_for_one: bool, amount: int, limit: int | None) -> tuple[V3Pool, State, int]:
    """The pool after, its state as a contract would tell it, and the growth of the input token's fees."""
    trade = v3.swap_exact_in if amount > 0 else v3.swap_exact_out
    result = trade(pool, zero_for_one, abs(amount), limit)
    deltas = (int(result.amount_in), -int(result.amount_out))
    return result.pool, _state(result.pool, *(deltas if zero_for_one else deltas[::-1])), result.fee_growth_x128


def play(pool: V3Pool, operation: Operation) -> tuple[V3Pool, State]:
    """One operation of any kind."""
    kind, *arguments = operation
    if kind == "swap":
        return swap(pool, *arguments)[:2]
    if kind == "mint":
        pool, amount0, amount1 = v3.mint(pool, *arguments)
        return pool, _state(pool, amount0, amount1)
    pool, amount0, amount1 = v3.burn(pool, *arguments)
    return pool, _state(pool, -amount0, -amount1)


def draw_swap(random: Random, pool: V3Pool, bits: int, reach: int) -> Swap:
    """Any direction and kind; 1 to 2**bits; every third with a limit up to `reach` ticks away."""
    zero_for_one = random.random() < 0.5
    if not MIN_SQRT_RATIO + 1 < pool.sqrt_price_x96 < MAX_SQRT_RATIO - 1:  # stands at an end of prices
        zero_for_one = pool.tick > 0
    large = max(random.randint(1, bits), random.randint(1, bits))
    amount = random.randint(1, 1 << large) * random.choice([1, -1])
    limit = None
    if random.random() < 1 / 3:
        away = random.randint(1, reach)
        tick = pool.tick - away if zero_for_one else pool.tick + 1 + away
        limit = sqrt_ratio_at_tick(max(MIN_TICK + 1, min(MAX_TICK - 1, tick)))
        if limit >= pool.sqrt_price_x96 if zero_for_one else limit <= pool.sqrt_price_x96:
            limit = None
    return zero_for_one, amount, limit


def draw_operations(random: Random, pool: V3Pool, count: int, bits: int, reach: int) -> list[Operation]:
    """A history of swaps, mints and partial or whole burns of what was minted in it."""
    minted: dict[tuple[int, int], int] = {}
    operations: list[Operation] = []
    for _ in range(count):
        operation = _draw(random, pool, minted, bits, reach)
        pool, _ = play(pool, operation)
        operations.append(operation)
    return operations


def _draw(random: Random, pool: V3Pool, minted: dict[tuple[int, int], int], bits: int, reach: int) -> Operation:
    kind = random.choice(["swap", "mint", "burn"]) if minted else random.choice(["swap", "mint"])
    if kind == "swap":
        return ("swap", *draw_swap(random, pool, bits, reach))
    if kind == "mint":
        spacing = pool.tick_spacing
        far, most = reach // spacing, MAX_TICK // spacing
        middle = max(far - most, min(most - far, pool.tick // spacing))
        lower, upper = sorted(random.sample(range(middle - far, middle + far + 1), 2))
        ends = lower * spacing, upper * spacing
        liquidity = random.randint(1, 1 << bits)
        minted[ends] = minted.get(ends, 0) + liquidity
        return ("mint", *ends, liquidity)
    ends = random.choice(list(minted))
    liquidity = minted[ends] if random.random() < 0.5 else random.randint(0, minted[ends])
    minted[ends] -= liquidity
    if not minted[ends]:
        del minted[ends]
    return ("burn", *ends, liquidity)


def _state(pool: V3Pool, amount0: int, amount1: int) -> State:
    return amount0, amount1, int(pool.sqrt_price_x96), int(pool.tick), int(pool.liquidity)
