"""Guards. Each looks at one thing and says nothing, or objects: warn, ask a person, or refuse."""

from collections.abc import Callable
from decimal import Decimal

from bot.amm.pools import spot, swap
from bot.core.types import Amount, Breach, Decision, Memory, Plan, Pool, RemoveLiquidity, Snapshot, Step, Swap
from bot.core.units import ONE_BPS, ZERO, Money
from bot.decision.standing import stand, unit_value
from bot.policy.rules import Policy

GWEI = 10**9
ABOUT_SIZE = {"off_price", "loss", "turnover"}  # guards that a smaller bundle may satisfy
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


def nothing(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """A wish without a step is no bundle: the vault would revert, and count as one that failed."""
    if plan.steps:
        return None
    said = "no step is possible: the tokens needed do not lie idle and no range of the policy holds them"
    return Breach("nothing", f"{said}; see `evenkeel status`", "refuse")


def off_price(policy: Policy, memory: Memory, snapshot: Snapshot, decision: Decision, plan: Plan) -> Breach | None:
    """Every pool the plan touches must stand near the observed price, before and after: the vault checks both."""
    limit = policy.guards.deviation_bps
    if snapshot.vault:
        limit = min(limit, snapshot.vault.limits.deviation_bps)
    before = {step.pool: snapshot.pool(step.pool) for step in plan.steps}
    for when, pools in (("stands", before), ("would end", _swapped(before, plan))):
        for pool in pools.values():
            ratio = spot(pool) * snapshot.price(pool.token1) / snapshot.price(pool.token0)
            off = (max(ratio, 1 / ratio) - 1) * ONE_BPS  # a factor of 1 + deviation either way, as the vault allows
            if off > limit:
                advice = "wait until it is back" if when == "stands" else "trade less at a time, or on deeper pools"
                said = f"{pool.name} {when} {off:.0f} bps off the observed price, more than {limit}; {advice}"
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
    given = sum((_given(snapshot, step) for step in plan.steps), ZERO)
    bps = float(given / equity) * ONE_BPS  # the vault counts every swap, so a trade of two hops twice, and every add
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
    for guard in (
        open_intent,
        paused,
        nothing,
        off_price,
        loss,
        turnover,
        corridor,
        gas_price,
        large,
        drawdown,
        failures,
    )
}


def _given(snapshot: Snapshot, step: Step) -> Money:
    """What a step puts into its pool."""
    if isinstance(step, Swap):
        return snapshot.value(step.give)
    if isinstance(step, RemoveLiquidity):
        return ZERO
    pool = snapshot.pool(step.pool)
    return Money(snapshot.value(Amount(pool.token0, step.expect0)) + snapshot.value(Amount(pool.token1, step.expect1)))


def traded(decision: Decision) -> Money:
    """Money that the decision's trades turn over."""
    return Money(sum((t.money for t in decision.trades), ZERO))


def expected_loss(snapshot: Snapshot, plan: Plan) -> Money:
    """Value given less value expected of every swap, at the observed prices; gas apart. May be negative."""
    swaps = [step for step in plan.steps if isinstance(step, Swap)]
    return Money(sum((snapshot.value(s.give) - snapshot.value(s.expect) for s in swaps), ZERO))


def _swapped(pools: dict[str, Pool], plan: Plan) -> dict[str, Pool]:
    """The pools after the plan's swaps; how deep its removals and additions leave them is left to the simulation."""
    pools = dict(pools)
    for step in plan.steps:
        if isinstance(step, Swap):
            try:
                pools[step.pool], _ = swap(pools[step.pool], step.give.token, step.give.raw)
            except ValueError:  # it counts on what this very plan adds or removes
                continue
    return pools
