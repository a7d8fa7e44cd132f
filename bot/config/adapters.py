"""Small stand-ins that wiring puts between the rooms: several nodes as one, a moment seen, a wallet, the log."""

from collections.abc import Sequence
from typing import Any

import structlog

from bot.chain.rpc import HttpRpc
from bot.core.errors import ChainError, Reverted
from bot.core.types import Outcome, Plan, Proposal, Snapshot
from bot.core.units import Gas, Wei

log = structlog.get_logger("evenkeel")


class Nodes:
    """Several nodes behind one face. A call that fails, fails; what is asked after it goes to the next node.

    So no turn mixes two nodes' views of the chain: the turn whose call failed is over, and its retry starts afresh.
    """

    def __init__(self, nodes: Sequence[HttpRpc]) -> None:
        self._nodes = nodes
        self._at = 0

    async def call(self, method: str, *params: Any) -> Any:
        """See `Rpc`."""
        at = self._at
        try:
            return await self._nodes[at].call(method, *params)
        except Reverted:
            raise
        except ChainError:
            if self._at == at:  # of many calls that fail together, one moves on
                self._at = (at + 1) % len(self._nodes)
            raise

    async def close(self) -> None:
        """Close every connection."""
        for node in self._nodes:
            await node.close()


class Seen:
    """An Observer of one moment: the snapshot that a person has seen and agreed to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def observe(self) -> Snapshot:
        """The same, always."""
        return self._snapshot


class WatchOnly:
    """The executor of a wallet: its plans are shown and recorded, and never run."""

    async def simulate(self, plan: Plan, at: Snapshot) -> Outcome:
        """Fails: bundles run through a vault."""
        said = "a wallet is only watched; deploy a vault to act"
        return Outcome(False, None, at.block.number, (), Gas(0), Wei(0), said)

    async def submit(self, plan: Plan, at: Snapshot) -> Outcome:
        """As `simulate`."""
        return await self.simulate(plan, at)

    async def settle(self) -> Outcome | None:
        """Nothing is ever open."""
        return None


class Silent:
    """Tells nobody: of a verb that tells it all itself."""

    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None:
        """Nothing."""


class LogNotifier:
    """Tells through the log."""

    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None:
        """One line, as loud as it matters."""
        why = "; ".join(reason.said for reason in proposal.decision.reasons)
        objections = "; ".join(breach.said for breach in proposal.breaches)
        failed = outcome is not None and not outcome.ok
        tell = log.error if failed else log.warning if objections else log.info
        tell(
            "proposal",
            verdict=proposal.verdict,
            why=why,
            **({"objections": objections} if objections else {}),
            **({"ok": outcome.ok, "tx": outcome.tx, "said": outcome.revert} if outcome else {}),
        )
