"""Uniswap V3 pools: price, liquidity and ticks around the price, and what positions have earned, to the wei."""

import math
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from bot.amm.ticks import MAX_TICK, MIN_TICK
from bot.amm.v3 import check, fee_growth_inside, fees_due
from bot.chain.multicall import Call, Reading
from bot.core.errors import DataError
from bot.core.types import PoolSpec, Position, V3Pool
from bot.core.units import Liquidity, SqrtPriceX96, Tick

WORD = 256  # tick spacings that one word of the pool's bitmap covers
HALF_PRICE_TICKS = math.ceil(math.log(2) / math.log(1.0001))  # 6932 ticks down halve a price; 4055 up add a half

SLOT0 = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
TICK = ("uint128", "int128", "uint256", "uint256", "int56", "uint160", "uint32", "bool")
POOL_POSITION = ("uint128", "uint256", "uint256", "uint128", "uint128")
POPULATED = ("(int24,int128,uint128)[]",)


@dataclass(frozen=True, slots=True)
class Range:
    """A position as its keeper (a pool, or the position manager) stores it; fees as of its last touch."""

    id: str
    spec: PoolSpec
    lower: int
    upper: int
    liquidity: int
    growth_last0: int  # fee growth inside per unit of liquidity, X128
    growth_last1: int
    owed0: int
    owed1: int


def pool(spec: PoolSpec, tick_lens: str) -> Reading[V3Pool]:
    """Read a pool with every initialised tick at least 50 % of price away on both sides. Two rounds.

    DataError when the pool has no price yet, or when what was read cannot be a pool's state.
    """
    (sqrt_price_x96, tick, *_), (liquidity,) = yield [slot0(spec.address), _liquidity(spec.address)]
    if not sqrt_price_x96:
        raise DataError(f"{spec.name}: expected a pool with a price, found none set; remove it from the market")
    first, last = words_around(tick, spec.tick_spacing)
    words = yield [_populated(tick_lens, spec.address, word) for word in range(first, last + 1)]
    found = V3Pool(
        spec.address,
        spec.token0,
        spec.token1,
        spec.fee,
        spec.tick_spacing,
        SqrtPriceX96(sqrt_price_x96),
        Tick(tick),
        Liquidity(liquidity),
        tuple(sorted((Tick(at), net) for (word,) in words for at, net, _ in word)),
        Tick(max(MIN_TICK, first * WORD * spec.tick_spacing)),
        Tick(min(MAX_TICK, (last + 1) * WORD * spec.tick_spacing - 1)),
    )
    try:
        check(found)
    except ValueError as error:
        raise DataError(f"{spec.name}: expected a pool's state, found {error}") from error
    return found


def words_around(tick: int, spacing: int) -> tuple[int, int]:
    """First and last word of the bitmap to read around a tick: half the price below, and as far above."""
    here = tick // spacing // WORD
    reach = math.ceil(HALF_PRICE_TICKS / (WORD * spacing))
    edge_low, edge_high = MIN_TICK // spacing // WORD, MAX_TICK // spacing // WORD
    return max(here - reach, edge_low), min(here + reach, edge_high)


def own_ranges(ranges: list[tuple[PoolSpec, int, int]], owner: str) -> Reading[tuple[Position, ...]]:
    """Read ranges that `owner` holds in pools directly, with exact fees. One round."""
    stored = [
        Call.of(spec.address, "positions(bytes32)", position_key(owner, lower, upper), returns=POOL_POSITION)
        for spec, lower, upper in ranges
    ]
    places = [growth_calls(spec, lower, upper) for spec, lower, upper in ranges]
    answers = yield [*stored, *(call for place in places for call in place)]
    held = [
        Range(f"{spec.address}:{lower}:{upper}", spec, lower, upper, *found)
        for (spec, lower, upper), found in zip(ranges, answers, strict=False)
    ]
    return with_fees(held, answers[len(stored) :])


def growth_calls(spec: PoolSpec, lower: int, upper: int) -> list[Call]:
    """Ask for all that the fees of a range depend on; `with_fees` reads the answers."""
    return [
        slot0(spec.address),
        Call.of(spec.address, "feeGrowthGlobal0X128()", returns=("uint256",)),
        Call.of(spec.address, "feeGrowthGlobal1X128()", returns=("uint256",)),
        Call.of(spec.address, "ticks(int24)", lower, returns=TICK),
        Call.of(spec.address, "ticks(int24)", upper, returns=TICK),
    ]


def with_fees(ranges: list[Range], growth: list[Any]) -> tuple[Position, ...]:
    """Turn ranges, and the answers to their `growth_calls` in the same order, into positions with exact fees."""
    each = len(growth) // len(ranges) if ranges else 0
    return tuple(_position(held, growth[i * each : (i + 1) * each]) for i, held in enumerate(ranges))


def position_key(owner: str, lower: int, upper: int) -> bytes:
    """The key under which a pool stores a range: keccak of owner and ticks, packed. Source: Position.get."""
    packed = bytes.fromhex(owner[2:]) + b"".join(tick.to_bytes(3, "big", signed=True) for tick in (lower, upper))
    return keccak(packed)


def slot0(address: str) -> Call:
    """Ask for price and tick (and what we do not use)."""
    return Call.of(address, "slot0()", returns=SLOT0)


def _liquidity(address: str) -> Call:
    return Call.of(address, "liquidity()", returns=("uint128",))


def _populated(tick_lens: str, address: str, word: int) -> Call:
    return Call.of(tick_lens, "getPopulatedTicksInWord(address,int16)", address, word, returns=POPULATED)


def _position(held: Range, growth: list[Any]) -> Position:
    (_, tick, *_), (global0,), (global1,), lower, upper = growth
    inside0 = fee_growth_inside(tick, held.lower, held.upper, global0, lower[2], upper[2])
    inside1 = fee_growth_inside(tick, held.lower, held.upper, global1, lower[3], upper[3])
    return Position(
        held.id,
        held.spec.address,
        Tick(held.lower),
        Tick(held.upper),
        Liquidity(held.liquidity),
        fees_due(held.liquidity, inside0, held.growth_last0, held.owed0),
        fees_due(held.liquidity, inside1, held.growth_last1, held.owed1),
    )
