"""From wishes to one atomic bundle: removals, then swaps, then additions, with floors."""

from bot.amm.pools import other
from bot.core.errors import DataError
from bot.core.types import (
    AddLiquidity,
    Amount,
    Decision,
    Plan,
    RemoveLiquidity,
    Snapshot,
    Step,
    Swap,
    Token,
    Trade,
)
from bot.core.units import Gas, Raw, Timestamp, minus_bps_floor, to_raw_floor
from bot.decision.gas import bundle_gas
from bot.planning.desk import Desk
from bot.planning.route import best_path
from bot.policy.rules import Policy


def plan(policy: Policy, decision: Decision, snapshot: Snapshot) -> Plan:
    """Play the wishes through on exact copies of the pools and write down each step.

    DataError when no observed pool joins the tokens of a trade.
    """
    deadline = Timestamp(snapshot.block.timestamp + policy.cost.deadline_s)
    sequence = snapshot.vault.sequence if snapshot.vault else 0
    if not decision.act:
        return Plan((), (), sequence, deadline, Gas(0))
    desk = Desk(snapshot, policy.cost.slippage_bps)
    left = {shift.position for shift in decision.shifts}
    steps: list[Step] = [desk.remove(p) for p in snapshot.positions if p.id in left]
    for trade in decision.trades:
        steps += _swaps(desk, trade)
    steps += [step for shift in decision.shifts if shift.money and (step := desk.enter(shift))]
    return Plan(tuple(steps), _floors(policy, desk, tuple(steps)), sequence, deadline, bundle_gas(tuple(steps)))


def _swaps(desk: Desk, trade: Trade) -> list[Swap]:
    price = desk.snapshot.price(trade.sell)
    amount = min(to_raw_floor(trade.money / price, trade.sell.decimals), desk.idle[trade.sell])
    if amount <= 0:
        return []
    path = best_path(desk.pools.values(), trade.sell, trade.buy, amount)
    if path is None:
        raise DataError(
            f"expected a pool that takes {trade.money:.2f} of {trade.sell.symbol} for {trade.buy.symbol}, found none; "
            "add one to the market or trade less"
        )
    swaps: list[Swap] = []
    token: Token = trade.sell
    for pool in path:
        spare = desk.idle[other(pool, token)]
        step = desk.swap(pool, token, amount)
        # The next swap gives an exact amount: it must be there even when this one brings no more than it must.
        token, amount = step.expect.token, Raw(min(step.expect.raw, spare + step.least))
        swaps.append(step)
    return swaps


def _floors(policy: Policy, desk: Desk, steps: tuple[Step, ...]) -> tuple[Amount, ...]:
    """What the vault must hold idle at the end: every token a step touches, at its expected balance less slippage.

    Never more than what is left when every step does the worst that its own bounds allow.
    """
    room: dict[Token, int] = {}
    for step in steps:
        for token, worse in _room(desk, step):
            room[token] = room.get(token, 0) + worse
    registry = desk.snapshot.vault.tokens if desk.snapshot.vault else ()
    return tuple(
        Amount(token, _floor(desk.idle[token], room[token], policy.cost.slippage_bps) if token in room else Raw(0))
        for token in registry
    )


def _floor(idle: int, room: int, slippage_bps: int) -> Raw:
    return Raw(max(min(minus_bps_floor(idle, slippage_bps), idle - room), 0))


def _room(desk: Desk, step: Step) -> tuple[tuple[Token, int], tuple[Token, int]]:
    """How much worse than expected a step may leave each token of its pool."""
    token0, token1 = desk.pools[step.pool].token0, desk.pools[step.pool].token1
    match step:
        case Swap(give=give, expect=expect, least=least):
            return (give.token, 0), (expect.token, expect.raw - least)
        case RemoveLiquidity():
            return (token0, step.expect0 - step.least0), (token1, step.expect1 - step.least1)
        case AddLiquidity():
            return (token0, step.most0 - step.expect0), (token1, step.most1 - step.expect1)
