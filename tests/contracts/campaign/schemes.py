"""Plots that a thief would think of first: where the searches begin."""

from dataclasses import replace
from math import log10

from tests.contracts.campaign.plots import (
    ADD,
    COOLDOWN_S,
    DAY_S,
    PLACE,
    PULL,
    PUSH,
    REMOVE,
    SELL,
    Deed,
    Move,
    Plot,
    Round,
)

EDGE, FAR = 0.98, 400.0  # the edge leaves room for what the bundle itself moves
V3_USD_ETH, V3_BTC_ETH, V2_USD_ETH = POOLS = range(3)
MUCH = 7.5  # log10 of money


def push(pool: int, where: float) -> Move:
    return Move(PUSH, pool, where, 0.0)


def place(pool: int, where: float, money: float = MUCH) -> Move:
    return Move(PLACE, pool, where, money)


def sell(pool: int, side: int, share: float = 1.0) -> Deed:
    return Deed(SELL, pool, side, share, 0.0, 0, 0)


def add(pool: int, where: float, width: int = 0, share: float = 1.0) -> Deed:
    return Deed(ADD, pool, 0, share, where, width, 0)


def remove(which: int) -> Deed:
    return Deed(REMOVE, 0, which, 1.0, 0.0, 0, 0)


def round_(
    *deeds: Deed,
    before: tuple[Move, ...] = (),
    after: tuple[Move, ...] = (),
    wait_s: int = COOLDOWN_S,
    times: int = 1,
    drift: tuple[float, float] = (1.0, 1.0),
    lags: tuple[float, float] = (0.0, 0.0),
    stake: float = 0.0,
    keep: bool = False,
    inside: str = "",
) -> Round:
    return Round(wait_s, times, drift, lags, stake, keep, 0, before, deeds, after, inside)


def sandwich(pool: int, side: int, where: float, money: float = MUCH) -> Round:
    """Sell all at a price that is as bad as it may be, to the thief; token0 is sold worst below the fair price."""
    at = where if side else -where
    return round_(
        sell(pool, side),
        before=(place(pool, at, money), push(pool, at)),
        after=(push(pool, 0.0), Move(PULL, pool, 0.0, 1.0)),
    )


EMPTIED = round_(*(remove(which) for which in range(6)))  # every position's worth made idle
GIVEAWAY = Plot(0.0, (EMPTIED, *(sandwich(pool, side, FAR) for pool in POOLS for side in (0, 1))))
BACK_AND_FORTH = {
    (pool, side): tuple(replace(sandwich(pool, one, EDGE), times=5) for one in (side, 1 - side))
    for pool in POOLS
    for side in (0, 1)
}
SANDWICHES = tuple(Plot(0.0, (EMPTIED, *rounds)) for rounds in BACK_AND_FORTH.values())


def _bid(pool: int, edge: float) -> tuple[Round, Round]:
    """Offer all between the fair price and the edge that the pool was pushed to; it is taken on the way back."""
    return (
        round_(add(pool, 0.65 * edge), before=(push(pool, edge),), after=(push(pool, 0.0),)),
        round_(remove(0)),
    )


def _at_once(first: int, second: int) -> Round:
    """Sell on two pools at their edges in one bundle."""
    one, other = sandwich(V3_USD_ETH, first, EDGE), sandwich(V3_BTC_ETH, second, EDGE)
    return replace(one, before=one.before + other.before, deeds=one.deeds + other.deeds, after=one.after + other.after)


def _flashed(pool: int, side: int, stake: float) -> Round:
    return replace(sandwich(pool, side, EDGE, MUCH + log10(1 + stake)), stake=stake)


def _turns(first: float) -> list[float]:
    return [first * (-1) ** turn for turn in range(12)]


BIDS = tuple(
    Plot(0.0, (EMPTIED, *(part for edge in _turns(first) for part in _bid(pool, edge))))
    for pool in (V3_USD_ETH, V3_BTC_ETH)
    for first in (EDGE, -EDGE)
)
AT_ONCE = tuple(Plot(0.0, (EMPTIED, _at_once(first, second))) for first in (0, 1) for second in (0, 1))
PAIRED = Plot(0.0, (EMPTIED, round_(add(V2_USD_ETH, 0), before=(push(V2_USD_ETH, EDGE),)), EMPTIED))
WASH = Plot(
    0.0,
    (EMPTIED, round_(*[sell(pool, side, 0.3) for _ in range(3) for pool in POOLS for side in (0, 1)][:16], times=12)),
)
DRIP = Plot(0.0, tuple(replace(sandwich(V3_USD_ETH, turn % 2, EDGE), wait_s=DAY_S // 3, times=1) for turn in range(6)))
FLASH = tuple(  # the thief is a holder too, just for a bundle or all along
    Plot(0.0, (EMPTIED, *(replace(_flashed(pool, side, stake), keep=keep) for side in (0, 1))))
    for pool in (V3_USD_ETH, V3_BTC_ETH)
    for stake in (1.0, 10_000.0)
    for keep in (False, True)
)
TOUCHED = round_(sell(V3_BTC_ETH, 0, 1e-6), sell(V3_BTC_ETH, 1, 1e-6))  # the vault has looked at BTC just now
CRASH = tuple(
    Plot(0.0, (EMPTIED, TOUCHED, replace(EMPTIED, drift=(1.0, by)), *BACK_AND_FORTH[V3_USD_ETH, side]))
    for by in (0.3, 3.0)
    for side in (0, 1)
)
FOUNDED = tuple(Plot(8.0, (replace(TOUCHED, wait_s=COOLDOWN_S), *BACK_AND_FORTH[V3_USD_ETH, side])) for side in (0, 1))
STEADY = (GIVEAWAY, WASH, DRIP, PAIRED, *SANDWICHES, *BIDS, *AT_ONCE, *FLASH, *CRASH, *FOUNDED)


def _offer(where: float, ahead: float) -> tuple[Round, Round]:
    """Offer all a little beyond the feeds' price, take it up at the true one, and keep what it fetched."""
    lags = (ahead, 0.0)
    taken = push(V3_USD_ETH, EDGE if where > 0 else -EDGE)
    return (
        round_(add(V3_USD_ETH, where), before=(push(V3_USD_ETH, 0.0),), after=(taken,), lags=lags),
        round_(remove(0), lags=lags),
    )


LAGGING = tuple(
    Plot(
        0.0,
        (
            EMPTIED,
            *(
                replace(sandwich(pool, turn % 2, where), lags=(ahead, -ahead))
                for turn, ahead in enumerate(_turns(first))
            ),
        ),
    )
    for pool in POOLS
    for first in (1.0, -1.0)
    for where in (0.0, EDGE)
)
LAGGING_OFFERS = tuple(
    Plot(0.0, (EMPTIED, *(part for ahead in _turns(first) for part in _offer(where * ahead, ahead))))
    for where in (0.35, -0.35)
    for first in (1.0, -1.0)
)
