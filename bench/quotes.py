"""Quotes a second: the loop, prepared pools and arrays on one core, beside degenbot on the same cases.

Half of the V3 cases stay before the next initialised tick, half cross one to ten. Set EVENKEEL_DATA for pools recorded
on mainnet; without it the pools are those of the golden tests. degenbot needs other versions than ours of what both
use, so it has an environment of its own, made by uv when it is first missed.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from types import FunctionType
from typing import NamedTuple

from bench.table import show, wants_json
from bot.amm import v2, v3
from bot.amm.arrays import ArrayQuotes, to_ints, to_limbs
from bot.amm.prepared import PreparedV3, prepare, prepare_v2
from bot.amm.ticks import sqrt_ratio_at_tick
from bot.core.types import V2Pool, V3Pool
from tests.factories import v2_pool
from tests.golden.amm import test_recorded_pool as golden
from tests.unit.amm.agree import SNAPSHOTS, recorded_pools

SEED = 20_261_120
CASES = 200  # of each direction and kind of a pool
ARRAY = 100_000  # amounts of one array
CROSSED = 10  # initialised ticks, at most
RUNS = 15
PEER = "degenbot==0.3.0"
PEER_HOME = Path(__file__).parents[1] / ".build" / "peers" / PEER
PEER_SECONDS = 300  # to install it

Case = tuple[int, bool, int, bool]  # number of the pool, zero for one, amount, exact in
Asks = dict[tuple[int, bool], Callable[[int], object]]
Call = tuple[Callable[[int], object], int]


class Set(NamedTuple):
    """Cases of one kind: by the loop, prepared, and as the peer is asked."""

    loop: list[Call]
    ours: list[Call]
    peer: list[Case]


# ------------------------------------------------------------------ pools and cases


def pools() -> tuple[str, list[V3Pool], list[V2Pool]]:
    """Where they are from, and the pools."""
    path = Path(os.environ.get("EVENKEEL_DATA", "")) / SNAPSHOTS
    if not path.is_file():
        return "pools of the golden tests", [golden.pool_of(recorded) for recorded in golden.RECORDED], [v2_pool()]
    with gzip.open(path) as file:
        pairs = [each for each in json.load(file) if each["protocol"] == "uniswap_v2"]
    reserves = [(int(each["reserve0"]), int(each["reserve1"])) for each in pairs]
    model = v2_pool()
    return "pools recorded on mainnet", recorded_pools(path), [_pair(model, *each) for each in reserves]


def _pair(model: V2Pool, reserve0: int, reserve1: int) -> V2Pool:
    return V2Pool(model.address, model.token0, model.token1, model.fee, reserve0, reserve1, model.supply)


def draw(random: Random, prepared: PreparedV3, exact_in: bool, count: int) -> list[int]:
    """Amounts of any size, half of them before the next initialised tick and half past one to ten."""
    pool, down = prepared.pool, prepared.zero_for_one
    ahead = [sqrt_ratio_at_tick(tick) for tick, _ in pool.ticks if (tick <= pool.tick) == down]
    ahead = (ahead[::-1] if down else ahead)[:CROSSED]
    ends = [v3.swap_exact_in(pool, down, 1 << 250, price) for price in ahead if price != pool.sqrt_price_x96]
    sums = sorted({end.amount_in if exact_in else end.amount_out for end in ends} - {0})
    near = (random.randint(1, random.randint(1, sums[0])) for _ in range(count // 2))
    spans = [*pairwise(sums)] or [(1, sums[0])]  # the golden pools have directions with one tick only
    far = (random.randint(low, high) for low, high in random.choices(spans, k=count // 2))
    return [*near, *far]


def v3_set(random: Random, listed: list[V3Pool], exact_in: bool) -> Set:
    """Cases of every pool."""
    cases, loops, ours = [], {}, {}
    for index, pool in enumerate(listed):
        for down in (True, False):
            prepared = prepare(pool, down)
            loops[index, down] = partial(v3.swap_exact_in if exact_in else v3.swap_exact_out, pool, down)
            ours[index, down] = prepared.amount_out if exact_in else prepared.amount_in
            cases += [(index, down, amount, exact_in) for amount in draw(random, prepared, exact_in, CASES)]
    return shuffled(random, cases, loops, ours)


def v2_set(random: Random, listed: list[V2Pool], exact_in: bool, first: int) -> Set:
    """Amounts up to a tenth of the reserve; `first` is the number of the first pair."""
    cases, loops, ours = [], {}, {}
    for index, pair in enumerate(listed, first):
        for down in (True, False):
            reserves = (pair.reserve0, pair.reserve1) if down else (pair.reserve1, pair.reserve0)
            prepared, plain = prepare_v2(pair, down), v2.amount_out if exact_in else v2.amount_in
            loops[index, down] = partial(lambda plain, rest, amount: plain(amount, *rest), plain, (*reserves, pair.fee))
            ours[index, down] = prepared.amount_out if exact_in else prepared.amount_in
            most = reserves[0 if exact_in else 1] // 10
            cases += [(index, down, random.randint(1, most), exact_in) for _ in range(5 * CASES)]
    return shuffled(random, cases, loops, ours)


def shuffled(random: Random, cases: list[Case], loops: Asks, ours: Asks) -> Set:
    """In an order of chance; copied in it, so that they lie in memory as they do for the peer."""
    random.shuffle(cases)
    cases = json.loads(json.dumps(cases))
    calls = ([(asks[index, down], amount) for index, down, amount, _ in cases] for asks in (loops, ours))
    return Set(*calls, cases)


# ------------------------------------------------------------------ the peer


class Peer:
    """degenbot in a process of its own."""

    def __init__(self, states: list[dict], sets: dict[str, Set]) -> None:
        script = Path(__file__).with_name("degenbot_peer.py")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([peer_python(), script], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.ask({"pools": states, "cases": {name: each.peer for name, each in sets.items()}})

    def ask(self, question: object) -> object:
        """One line there and one back. OSError when the peer has ended."""
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise OSError(f"it ended: {' '.join(self.process.stderr.read().split())[-200:]}")
        return json.loads(line)


def peer_python() -> Path:
    """The Python that has the peer. OSError when it cannot be installed."""
    python, ready = PEER_HOME / "bin" / "python", PEER_HOME / ".ready"
    if not ready.exists():
        uv = Path(sys.executable).with_name("uv")
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, PEER_HOME],
            ["pip", "install", "--quiet", "--python", python, PEER],
        ):
            done = subprocess.run([uv, *command], capture_output=True, text=True, timeout=PEER_SECONDS, check=False)
            if done.returncode:
                raise OSError(f"uv could not install {PEER}: {' '.join(done.stderr.split())[-200:]}")
        ready.touch()
    return python


def state_of(pool: V3Pool | V2Pool) -> dict[str, object]:
    """A pool in JSON."""
    if isinstance(pool, V2Pool):
        return {"fee": pool.fee, "reserve0": pool.reserve0, "reserve1": pool.reserve1}
    names = ("fee", "sqrt_price_x96", "tick", "liquidity", "ticks")
    return {"spacing": pool.tick_spacing, **{name: getattr(pool, name) for name in names}}


# ------------------------------------------------------------------ measuring


def clock() -> Callable[[Iterable[Call]], float]:
    """`seconds`, in code of its own: the interpreter fits a call to what it called there before."""
    return FunctionType(seconds.__code__.replace(), globals())


def seconds(calls: Iterable[Call]) -> float:
    """Processor time of one run over all calls."""
    start = time.process_time()
    for ask, amount in calls:
        ask(amount)
    return time.process_time() - start


def took(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(name: str, each: Set, peer: Peer | None) -> dict[str, object]:
    """A row: medians of runs that take turns, so that a busy machine is busy for all."""
    answers = [ask(amount) for ask, amount in each.ours]
    loops, prepareds = clock(), clock()
    times = [
        (loops(each.loop), prepareds(each.ours), peer.ask(["seconds", name]) if peer else None) for _ in range(RUNS)
    ]
    loop, ours = (median(run[column] for run in times) / len(answers) for column in (0, 1))
    row: dict[str, object] = {
        "quotes": name,
        "cases": len(answers),
        "loop /s": f"{1 / loop:,.0f}",
        "prepared /s": f"{1 / ours:,.0f}",
    }
    theirs, ratio, differ = "-", "-", "-"
    if peer:
        theirs = f"{len(answers) / median(run[2] for run in times):,.0f}"
        ratio = f"{median(run[2] / run[1] for run in times):.1f}"
        said = peer.ask(["answers", name])
        differ = str(sum(one != other for one, other in zip(answers, said, strict=True)))
    return row | {"degenbot /s": theirs, "prepared / degenbot": ratio, "degenbot differs in": differ}


def arrays(random: Random, listed: list[V3Pool], exact_in: bool) -> dict[str, object]:
    """A row: arrays of amounts of one pool at once, over all pools and directions."""
    totals = dict.fromkeys(("one by one /s", "arrays /s", "from and to Python ints /s"), 0.0)
    ready = [prepare(pool, down) for pool in listed for down in (True, False)]
    for prepared in ready:
        for name, work in array_works(prepared, draw(random, prepared, exact_in, ARRAY), exact_in).items():
            totals[name] += median(took(work) for _ in range(5))
    count = len(ready) * ARRAY
    rates = {name: f"{count / total:,.0f}" for name, total in totals.items()}
    return {"quotes": f"V3 exact {'in' if exact_in else 'out'}", "amounts": count, **rates}


def array_works(prepared: PreparedV3, amounts: list[int], exact_in: bool) -> dict[str, Callable[[], object]]:
    """The same amounts three ways; they agree."""
    quotes, limbs = ArrayQuotes(prepared), to_limbs(amounts)
    one, many = (prepared.amount_out, quotes.amounts_out) if exact_in else (prepared.amount_in, quotes.amounts_in)
    assert to_ints(many(limbs)) == [one(amount) for amount in amounts]
    return {
        "one by one /s": lambda: [one(amount) for amount in amounts],
        "arrays /s": lambda: many(limbs),
        "from and to Python ints /s": lambda: to_ints(many(to_limbs(amounts))),
    }


def building(pool: V3Pool) -> dict[str, object]:
    """A row: what it takes to make one pool ready, both directions."""

    def first() -> None:
        for down in (True, False):
            prepare(pool, down).amount_out(1)

    def all_steps() -> list[PreparedV3]:
        both = [prepare(pool, down) for down in (True, False)]
        for prepared in both:
            prepared.reach(1 << 255, exact_in=True)
        return both

    steps = sum(len(prepared.steps.rows) for prepared in all_steps())
    near, whole = (median(took(work) for _ in range(5)) for work in (first, all_steps))
    return {
        "pool": pool.name,
        "ticks": len(pool.ticks),
        "to a first quote, us": round(near / 2 * 1e6, 1),
        "steps to the ends of prices": steps,
        "ms": round(whole * 1e3, 2),
    }


def main() -> None:
    """Print the tables."""
    as_json, random = wants_json(), Random(SEED)
    source, listed, pairs = pools()
    sets = {
        "V3 exact in": v3_set(random, listed, True),
        "V3 exact out": v3_set(random, listed, False),
        "V2 exact in": v2_set(random, pairs, True, len(listed)),
        "V2 exact out": v2_set(random, pairs, False, len(listed)),
    }
    peer, missing = None, ""
    try:
        peer = Peer([state_of(pool) for pool in (*listed, *pairs)], sets)
    except (OSError, subprocess.TimeoutExpired) as failed:
        missing = f"; without degenbot: {failed}"
    rows = [compare(name, each, peer) for name, each in sets.items()]
    show(f"Quotes one by one, {source}{missing}", rows, as_json)
    if peer:
        peer.process.communicate()
    show(f"Arrays of {ARRAY:,} amounts, {source}", [arrays(random, listed, each) for each in (True, False)], as_json)
    show(f"To make a pool ready, both directions, {source}", [building(pool) for pool in listed], as_json)


if __name__ == "__main__":
    main()
