"""Guards. Each looks at one thing and says nothing, or objects: warn, ask a person, or refuse."""

from collections.abc import Callable
from decimal import Decimal

from bot.amm.pools import spot
from bot.core.types import Breach, Decision, Memory, Plan, RemoveLiquidity, Snapshot, Swap
from bot.core.units import ONE_BPS, ZERO, Money
from bot.decision.standing import stand, unit_value
from bot.policy.rules import Policy

GWEI = 10**9
Guard = Callable[[Policy, Memory, Snapshot, Decision, Plan], Breach | None]


def check(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> tuple[Breach, ...]:
    """Every objection to acting, in the order of `GUARDS`; empty when all is well or nothing is to be done."""
    if not decision.act:
        return ()
    found = (guard(policy, memory, snapshot, decision, plan) for guard in GUARDS.values())
    return tuple(breach for breach in found if breach)


def open_intent(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """One intent at a time: an earlier one whose fate is unknown must be settled first."""
    if memory.open_intent is None:
        return None
    return Breach("open_intent", f"the bundle of journal row {memory.open_intent} has no known fate yet", "refuse")


def paused(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """A paused vault takes no bundle."""
    if snapshot.vault is None or not snapshot.vault.paused:
        return None
    return Breach("paused", "the vault is paused; its owner can unpause it", "refuse")


def off_price(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """Every pool the plan touches must stand near the observed price, for the vault will check the same on chain."""
    limit = policy.guards.deviation_bps
    if snapshot.vault:
        limit = min(limit, snapshot.vault.limits.deviation_bps)
    for address in {step.pool for step in plan.steps if not isinstance(step, RemoveLiquidity)}:
        pool = snapshot.pool(address)
        fair = snapshot.price(pool.token0) / snapshot.price(pool.token1)
        off = abs(spot(pool) / fair - 1) * ONE_BPS
        if off > limit:
            said = f"{pool.name} stands {off:.0f} bps off the observed price, more than {limit}; wait until it is back"
            return Breach("off_price", said, "refuse")
    return None


def loss(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """What the swaps lose at fair prices must fit the policy's limit and the vault's budgets."""
    lost, equity = expected_loss(snapshot, plan), stand(policy, snapshot).equity
    bps = float(lost / equity) * ONE_BPS
    limit, left = float(policy.guards.loss_bps), float("inf")
    if snapshot.vault:
        limit = min(limit, snapshot.vault.limits.bundle_loss_bps)
        left = snapshot.vault.limits.day_loss_bps - snapshot.vault.loss_used_bps
    if bps <= min(limit, left):
        return None
    which = f"the {limit:.0f} allowed for one bundle" if bps > limit else f"the {left:.1f} left of the day's budget"
    return Breach("loss", f"the bundle would lose {lost:.2f}, {bps:.1f} bps of equity, more than {which}", "refuse")


def turnover(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """What is traded in a day must fit the policy's limit and the vault's bucket."""
    equity, money = stand(policy, snapshot).equity, traded(decision)
    today = memory.traded_today if memory.day == snapshot.block.timestamp // 86_400 else ZERO
    limit = Money(equity * policy.guards.day_turnover_bps / ONE_BPS)
    if today + money > limit:
        said = f"{money:.2f} more would make {today + money:.2f} traded today, above the limit of {limit:.2f}"
        return Breach("turnover", said, "refuse")
    if snapshot.vault is None:
        return None
    left = snapshot.vault.limits.day_turnover_bps - snapshot.vault.turnover_used_bps
    bps = float(money / equity) * ONE_BPS
    if bps > left:
        return Breach(
            "turnover", f"the vault has {left:.0f} bps of turnover left today, this needs {bps:.0f}", "refuse"
        )
    return None


def corridor(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """Every weight must end inside the vault's corridor, or nearer to it than it was."""
    if snapshot.vault is None:
        return None
    rows = zip(snapshot.prices, decision.weights, decision.aims, snapshot.vault.corridors, strict=True)
    for price, before, after, (least, most) in rows:
        low, high = least / ONE_BPS, most / ONE_BPS
        if (after > high and after > before) or (after < low and after < before):
            said = (
                f"{price.token.symbol} would go to {after:.2%}, outside the vault's corridor of {low:.0%} to {high:.0%}"
            )
            return Breach("corridor", said, "refuse")
    return None


def gas_price(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """Wait while gas is dear."""
    gwei = Decimal(snapshot.gas.base_fee + snapshot.gas.tip) / GWEI
    if gwei <= policy.guards.gas_price_gwei:
        return None
    said = f"gas costs {gwei:.1f} gwei, above the limit of {policy.guards.gas_price_gwei}; wait for cheaper blocks"
    return Breach("gas_price", said, "refuse")


def large(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """A large trade needs a person."""
    money = traded(decision)
    if money <= policy.guards.ask_above:
        return None
    return Breach("large", f"trades of {money:.2f} exceed {policy.guards.ask_above}: a person must approve", "ask")


def drawdown(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """Far below its peak, a person must look first."""
    value, limit = unit_value(snapshot), memory.peak * (ONE_BPS - policy.guards.drawdown_bps) / ONE_BPS
    if value >= limit:
        return None
    said = f"a share is worth {value:.4g}, below {limit:.4g}: too far under its peak of {memory.peak:.4g}"
    return Breach("drawdown", said, "ask")


def failures(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """After several failed bundles in a row a person must look first."""
    if memory.failures < policy.guards.failures:
        return None
    return Breach("failures", f"the last {memory.failures} bundles failed: find out why, then approve", "ask")


GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (open_intent, paused, off_price, loss, turnover, corridor, gas_price, large, drawdown, failures)
}


def traded(decision: Decision) -> Money:
    """Money that the decision's trades turn over."""
    return Money(sum((t.money for t in decision.trades), ZERO))


def expected_loss(snapshot: Snapshot, plan: Plan) -> Money:
    """Value given less value expected of every swap, at the observed prices; gas apart. May be negative."""
    swaps = [step for step in plan.steps if isinstance(step, Swap)]
    return Money(sum((snapshot.value(s.give) - snapshot.value(s.expect) for s in swaps), ZERO))
