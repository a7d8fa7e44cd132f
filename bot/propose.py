"""The one seam: daemon, scripts, simulation, replay and console all call `propose`."""

from decimal import localcontext

from bot.core.types import Memory, Proposal, Snapshot
from bot.core.units import MONEY
from bot.decision.decide import decide
from bot.planning.plan import plan
from bot.policy.rules import Policy
from bot.risk.guards import ABOUT_SIZE, check

PARTS = (1 / 2, 1 / 4, 1 / 8, 1 / 16)  # of the correction


def propose(policy: Policy, memory: Memory, snapshot: Snapshot) -> Proposal:
    """Decide, plan and judge. Same inputs, same proposal, on any machine, for ever.

    A correction too large for the limits is proposed in part; the next cycles go on with it. Where no part fits, the
    whole is proposed with its objections. DataError when the snapshot cannot carry a decision.
    """
    with localcontext(MONEY):
        whole = _propose(policy, memory, snapshot, 1.0)
        if not _too_large(whole):
            return whole
        smaller = (_propose(policy, memory, snapshot, part) for part in PARTS)
        return next((proposal for proposal in smaller if not _too_large(proposal)), whole)


def _propose(policy: Policy, memory: Memory, snapshot: Snapshot, part: float) -> Proposal:
    decision = decide(policy, memory, snapshot, part)
    steps = plan(policy, decision, snapshot)
    return Proposal(policy.version, decision, steps, check(policy, memory, snapshot, decision, steps))


def _too_large(proposal: Proposal) -> bool:
    return any(breach.rule in ABOUT_SIZE for breach in proposal.breaches)
