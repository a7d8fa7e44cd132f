"""What each liquidity position is, has lost and must earn, as plain values. Money and units are decimal strings."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.amm.loss import (
    Motion,
    expected_break_even,
    expected_range_loss,
    range_lvr_rate,
    time_in_range,
)
from bot.cli.report import moment
from bot.core.types import Memory, Position, Snapshot
from bot.core.units import ZERO, Money, share_of_money
from bot.decision.standing import stand
from bot.demo.loss_plot import Panel, panel
from bot.ledger.place import Place, name_of, place
from bot.ledger.profit import PositionResult, entry_of, position_results
from bot.policy.estimate import deviation
from bot.policy.rules import Policy

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Ahead:
    """What to expect at the measured volatility, without a trend; rates are parts of the position's value."""

    volatility_per_day: float  # of the pair's price
    lvr_per_day: float  # now; 0 out of range
    lvr_money_per_day: Money
    break_even_per_day: float  # fee income that makes up for the expected loss, on average over the horizon
    break_even_money_per_day: Money
    expected_loss: float  # at the end of the horizon, against holding what the position holds now; at most 0
    expected_loss_money: Money
    time_in_range: float  # expected share of the horizon


@dataclass(frozen=True, slots=True)
class LpLine:
    """One position. Prices are of `token` in `quote`; losses are negative; a range without an end has None."""

    position: str
    name: str  # what tells it from others of its pool: its ticks, its NFT, or that it is a pair
    pool: str
    token: str
    quote: str
    lower: float | None
    upper: float | None
    price: float
    in_range: bool
    entered_at: str
    entered_known: bool  # False: nothing is remembered of its entry, so it is measured from now
    entered_price: float | None  # None where the entry's amounts do not tell one
    days: float  # since the entry
    value: Money  # of the principal
    held: Money  # what the entry would be worth
    impermanent_loss: Money
    impermanent_loss_percent: Decimal
    fees: Money  # unclaimed
    net: Money  # loss and fees together
    fees_to_even: Money  # still missing to be even with holding
    ahead: Ahead | None  # None: not enough price history


@dataclass(frozen=True, slots=True)
class Lp:
    """All positions of the vault or wallet at one block."""

    account: str
    block: int
    at: str
    numeraire: str
    horizon_days: float
    positions: tuple[LpLine, ...]


def lp(policy: Policy, memory: Memory, snapshot: Snapshot, days: float) -> Lp:
    """Measure every position, and look some days ahead. DataError when the portfolio is empty."""
    covariance = stand(policy, snapshot).covariance
    results = position_results(memory, snapshot)
    return Lp(
        account=snapshot.account,
        block=snapshot.block.number,
        at=moment(snapshot.block.timestamp),
        numeraire=policy.numeraire,
        horizon_days=days,
        positions=tuple(
            _line(memory, snapshot, position, result, covariance, days)
            for position, result in zip(snapshot.positions, results, strict=True)
        ),
    )


def panels(memory: Memory, snapshot: Snapshot) -> tuple[Panel, ...]:
    """What to draw of every position that was entered with anything."""
    found = []
    for position in snapshot.positions:
        entry = entry_of(memory, snapshot, position)
        if entry.amount0 or entry.amount1:
            title = f"{snapshot.pool(position.pool).name}, position {name_of(position)}"
            found.append(panel(title, place(snapshot, position, entry)))
    return tuple(found)


def _line(
    memory: Memory,
    snapshot: Snapshot,
    position: Position,
    result: PositionResult,
    covariance: NDArray[np.float64] | None,
    days: float,
) -> LpLine:
    entry = entry_of(memory, snapshot, position)
    here, loss = place(snapshot, position, entry), result.loss
    return LpLine(
        position=position.id,
        name=name_of(position),
        pool=result.pool,
        token=here.token.symbol,
        quote=here.quote.symbol,
        lower=None if here.full else here.lower,
        upper=None if here.full else here.upper,
        price=here.price,
        in_range=result.in_range,
        entered_at=moment(entry.at),
        entered_known=any(known.position == position.id for known in memory.entries),
        entered_price=here.entered,
        days=(snapshot.block.timestamp - entry.at) / DAY_S,
        value=loss.principal,
        held=loss.held,
        impermanent_loss=loss.money,
        impermanent_loss_percent=loss.percent,
        fees=loss.fees,
        net=loss.net,
        fees_to_even=max(ZERO, Money(-loss.net)),
        ahead=_ahead(here, loss.principal, _volatility(snapshot, here, covariance), days),
    )


def _volatility(snapshot: Snapshot, here: Place, covariance: NDArray[np.float64] | None) -> float:
    """Of the pair's price, per square-root day; 0 when it is not known."""
    if covariance is None:
        return 0.0
    order = [price.token for price in snapshot.prices]
    spread = np.zeros(len(order))
    spread[order.index(here.token)], spread[order.index(here.quote)] = 1.0, -1.0
    return deviation(spread, covariance)


def _ahead(here: Place, value: Money, volatility: float, days: float) -> Ahead | None:
    if volatility <= 0:
        return None
    motion, where = Motion(0.0, volatility), (here.price, here.lower, here.upper)
    lvr = float(range_lvr_rate(*where, volatility))
    even = float(expected_break_even(motion, *where, days).holding)
    lost = float(expected_range_loss(motion, *where, days))
    return Ahead(
        volatility_per_day=volatility,
        lvr_per_day=lvr,
        lvr_money_per_day=share_of_money(value, lvr),
        break_even_per_day=even,
        break_even_money_per_day=share_of_money(value, even),
        expected_loss=lost,
        expected_loss_money=share_of_money(value, lost),
        time_in_range=float(time_in_range(motion, *where, days)),
    )
