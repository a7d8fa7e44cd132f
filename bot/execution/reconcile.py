"""What a bundle did against what was expected of it. Pure."""

from dataclasses import dataclass

from bot.core.types import Fill, Outcome, Plan, RemoveLiquidity, Snapshot, Step, Swap, Token


@dataclass(frozen=True, slots=True)
class Difference:
    """One amount of one step, signed as in `Fill`: what came in is positive."""

    step: int
    token: Token
    expect: int  # raw
    got: int  # raw

    @property
    def raw(self) -> int:
        """Positive: better than expected (more came in, or less went out)."""
        return self.got - self.expect


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every amount of a bundle, expected and got."""

    differences: tuple[Difference, ...]  # two for each step; the zero ones too
    said: str

    @property
    def worst(self) -> int:
        """The largest difference in either direction, in the smallest unit of whichever token it is."""
        return max((abs(each.raw) for each in self.differences), default=0)


def expected(plan: Plan, snapshot: Snapshot) -> tuple[Fill, ...]:
    """What each step is expected to move. KeyError when the snapshot lacks a pool of the plan."""
    return tuple(Fill(i, *_amounts(step, snapshot)) for i, step in enumerate(plan.steps))


def reconcile(plan: Plan, snapshot: Snapshot, outcome: Outcome) -> Reconciliation:
    """Compare step by step. ValueError when a successful outcome does not answer every step."""
    if not outcome.ok:
        return Reconciliation((), f"nothing moved: {outcome.revert or 'it failed and gave no reason'}")
    differences = tuple(
        Difference(want.step, token, expect, got)
        for want, fill, step in zip(expected(plan, snapshot), outcome.fills, plan.steps, strict=True)
        for token, expect, got in _pairs(want, fill, step, snapshot)
    )
    return Reconciliation(differences, _said(differences, plan))


def _amounts(step: Step, snapshot: Snapshot) -> tuple[int, int]:
    if isinstance(step, Swap):
        give, expect = -step.give.raw, int(step.expect.raw)
        return (give, expect) if step.give.token == snapshot.pool(step.pool).token0 else (expect, give)
    if isinstance(step, RemoveLiquidity):
        return step.expect0, step.expect1
    return -step.expect0, -step.expect1


def _pairs(want: Fill, got: Fill, step: Step, snapshot: Snapshot) -> tuple[tuple[Token, int, int], ...]:
    pool = snapshot.pool(step.pool)
    return (pool.token0, want.amount0, got.amount0), (pool.token1, want.amount1, got.amount1)


def _said(differences: tuple[Difference, ...], plan: Plan) -> str:
    moved = [each for each in differences if each.expect or each.got]
    off = sorted((each for each in moved if each.raw), key=lambda each: -abs(each.raw))
    if not off:
        return f"all {len(moved)} amounts exactly as expected"
    worst = off[0]
    sense = "more" if worst.raw > 0 else "less"
    return (
        f"{len(moved) - len(off)} of {len(moved)} amounts exactly as expected; the worst is step {worst.step} "
        f"({plan.steps[worst.step].kind}): {abs(worst.raw)} raw {worst.token.symbol} {sense} than expected"
    )
