"""degenbot 0.3.0 on the cases of `bench.quotes`: run by a Python that has it, one line of JSON in and out at a time.

First line in: the pools and the cases. Then the name of a set of cases: the seconds that one run of it took, and with
"answers" before the name what it answered. Its pools read a node when they are made; here they are given their state.
"""

import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from types import FunctionType

from degenbot.exceptions import DegenbotError
from degenbot.uniswap.types import (
    UniswapV2PoolState,
    UniswapV3BitmapAtWord,
    UniswapV3LiquidityAtTick,
    UniswapV3PoolState,
)
from degenbot.uniswap.v2_liquidity_pool import UniswapV2Pool
from degenbot.uniswap.v3_functions import get_tick_word_and_bit_position
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool

ADDRESS = "0x0000000000000000000000000000000000000000"
Case = tuple[Callable[..., int], object, object]  # with its two arguments


class V3(UniswapV3Pool):
    """A pool given whole."""

    def __init__(self, state: dict) -> None:
        self._subscribers = set()
        self.token0, self.token1 = "token0", "token1"
        self.fee, self.tick_spacing = state["fee"], state["spacing"]
        self.sparse_liquidity_map = False  # all ticks are given, which is the faster way
        ticks = {tick: UniswapV3LiquidityAtTick(net, abs(net)) for tick, net in state["ticks"]}
        words: dict[int, int] = {}
        for tick in ticks:
            word, bit = get_tick_word_and_bit_position(tick, self.tick_spacing)
            words[word] = words.get(word, 0) | 1 << bit
        bitmap = {word: UniswapV3BitmapAtWord(bits) for word, bits in words.items()}
        self._state = UniswapV3PoolState(
            pool=ADDRESS,
            liquidity=state["liquidity"],
            sqrt_price_x96=state["sqrt_price_x96"],
            tick=state["tick"],
            tick_bitmap=bitmap,
            tick_data=ticks,
        )


class V2(UniswapV2Pool):
    """A pair given whole."""

    def __init__(self, state: dict) -> None:
        self._subscribers = set()
        self.token0, self.token1 = "token0", "token1"
        self.fee_token0 = self.fee_token1 = Fraction(state["fee"], 1_000_000)
        self._state = UniswapV2PoolState(
            pool=ADDRESS, reserves_token0=state["reserve0"], reserves_token1=state["reserve1"]
        )


def case(pool: V2 | V3, zero_for_one: bool, amount: int, exact_in: bool) -> Case:
    """What to call."""
    token_in, token_out = ("token0", "token1") if zero_for_one else ("token1", "token0")
    if exact_in:
        return pool.calculate_tokens_out_from_tokens_in, token_in, amount
    ask = pool.calculate_tokens_in_from_tokens_out
    return (ask, amount, token_out) if isinstance(pool, V2) else (ask, token_out, amount)


def seconds(cases: list[Case]) -> float:
    """Processor time of one run."""
    start = time.process_time()
    for ask, first, second in cases:
        ask(first, second)
    return time.process_time() - start


def answers(cases: list[Case]) -> list[int | None]:
    """What each case is answered; None where it is refused."""
    found: list[int | None] = []
    for ask, first, second in cases:
        try:
            found.append(ask(first, second))
        except DegenbotError:
            found.append(None)
    return found


def main() -> None:
    """Answer line by line until there are no more."""
    given = json.loads(sys.stdin.readline())
    pools = [V3(state) if "ticks" in state else V2(state) for state in given["pools"]]
    sets = {
        name: [case(pools[index], zero_for_one, amount, exact_in) for index, zero_for_one, amount, exact_in in cases]
        for name, cases in given["cases"].items()
    }
    print(json.dumps("ready"), flush=True)
    clocks = {name: FunctionType(seconds.__code__.replace(), globals()) for name in sets}  # as `bench.quotes.clock`
    for line in sys.stdin:
        kind, name = json.loads(line)
        print(json.dumps(clocks[name](sets[name]) if kind == "seconds" else answers(sets[name])), flush=True)


if __name__ == "__main__":
    main()
