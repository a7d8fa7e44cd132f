"""The one seam: daemon, scripts, simulation, replay and console all call `propose`."""

from bot.core.types import Memory, Proposal, Snapshot
from bot.decision.decide import decide
from bot.planning.plan import plan
from bot.policy.rules import Policy
from bot.risk.guards import check


def propose(policy: Policy, memory: Memory, snapshot: Snapshot) -> Proposal:
    """Decide, plan and judge. Same inputs, same proposal, on any machine, for ever.

    DataError when the snapshot cannot carry a decision.
    """
    decision = decide(policy, memory, snapshot)
    steps = plan(policy, decision, snapshot)
    return Proposal(policy.version, decision, steps, check(policy, memory, snapshot, decision, steps))
