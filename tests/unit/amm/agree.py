"""Prepared quotes beside those of the loop, with what either refuses; and the pools recorded on mainnet."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path

from bot.amm import v3
from bot.amm.prepared import PreparedV3, Quote, prepare
from bot.amm.ticks import MAX_TICK, MIN_TICK
from bot.core.types import Token, V3Pool
from bot.core.units import Liquidity, Pips, SqrtPriceX96, Tick

SNAPSHOTS = "pools/mainnet_pool_snapshots.json.gz"
AROUND = range(-3, 4)  # units around an amount that ends a step

Case = tuple[int, bool]  # amount, exact in


def answer(ask: Callable[[], object]) -> object:
    """What comes back, or the words it is refused with."""
    try:
        return ask()
    except ValueError as refused:
        return str(refused)


def by_loop(pool: V3Pool, zero_for_one: bool, limit: int | None, case: Case) -> object:
    amount, exact_in = case

    def ask() -> Quote:
        swap = (v3.swap_exact_in if exact_in else v3.swap_exact_out)(pool, zero_for_one, amount, limit)
        return Quote(swap.amount_in, swap.amount_out, swap.pool.sqrt_price_x96)

    return answer(ask)


def differences(prepared: PreparedV3, limit: int | None, cases: Iterable[Case]) -> list[tuple[Case, object, object]]:
    """Cases on which any prepared quote is not the loop's: the case, the loop's answer, ours."""
    found = []
    for amount, exact_in in cases:
        expected = by_loop(prepared.pool, prepared.zero_for_one, limit, (amount, exact_in))
        plain, whole = prepared.amount_out, prepared.quote_in
        if not exact_in:
            plain, whole = prepared.amount_in, prepared.quote_out
        wanted = expected if isinstance(expected, str) else expected[1 if exact_in else 0]
        answers = answer(lambda: plain(amount)), answer(lambda: whole(amount)), answer(lambda: plain(amount))  # noqa: B023
        if answers != (wanted, expected, wanted):
            found.append(((amount, exact_in), expected, answers))
    return found


def ends_of(prepared: PreparedV3, steps: int) -> list[Case]:
    """Amounts around the ends of the first steps that take something, up to so many."""
    ins, outs = prepared.steps.ins, prepared.steps.outs
    while len(set(ins)) < steps and prepared.reach(ins[-1] + 1 if ins else 1, exact_in=True):
        pass
    sums = [(each, exact_in) for found, exact_in in ((ins, True), (outs, False)) for each in sorted(set(found))[:steps]]
    return [(each + off, exact_in) for each, exact_in in sums for off in AROUND]


def without_word_edges(pool: V3Pool, zero_for_one: bool) -> PreparedV3:
    """The weak twin: its steps end at initialised ticks only."""
    twin = prepare(pool, zero_for_one)
    twin._stops = initialised_stops(pool, zero_for_one)
    return twin


def initialised_stops(pool: V3Pool, zero_for_one: bool) -> Iterator[tuple[int, int]]:
    ahead = [(int(tick), net) for tick, net in pool.ticks if (tick <= pool.tick) == zero_for_one]
    return chain(ahead[::-1] if zero_for_one else ahead, repeat((MIN_TICK if zero_for_one else MAX_TICK, 0)))


def recorded_pools(path: Path) -> list[V3Pool]:
    """The V3 pools of the snapshots, whole."""
    with gzip.open(path) as file:
        return [_pool(each) for each in json.load(file) if each["protocol"] == "uniswap_v3"]


def _pool(recorded: dict) -> V3Pool:
    token0, token1 = (Token(**recorded[name]) for name in ("token0", "token1"))
    return V3Pool(
        recorded["address"],
        token0,
        token1,
        Pips(recorded["fee"]),
        recorded["tickSpacing"],
        SqrtPriceX96(int(recorded["sqrtPriceX96"])),
        Tick(recorded["tick"]),
        Liquidity(int(recorded["liquidity"])),
        tuple((Tick(tick), int(net)) for tick, _, net in recorded["ticks"]),
        Tick(MIN_TICK),
        Tick(MAX_TICK),
    )
