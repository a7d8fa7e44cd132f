"""What the outside must offer. Small protocols: a fake of each fits on a screen."""

from typing import Any, Protocol

from bot.core.types import Memory, Outcome, Plan, Price, Proposal, Record, Snapshot, Token


class Rpc(Protocol):
    """One JSON-RPC endpoint (or several behind one face)."""

    async def call(self, method: str, *params: Any) -> Any:
        """The `result` of one request. ChainError when the node fails, Reverted when a call reverts."""
        ...


class Observer(Protocol):
    """Sees the world at one block."""

    async def observe(self) -> Snapshot:
        """DataError when a source is stale or absurd; ChainError when a node fails."""
        ...


class Executor(Protocol):
    """Acts on the chain."""

    async def settle(self) -> Outcome | None:
        """What became of a bundle an earlier turn left open; None when none is. ChainError while nobody can know."""
        ...

    async def simulate(self, plan: Plan, at: Snapshot) -> Outcome:
        """Run the plan on the pending block without sending; `ok` False on revert."""
        ...

    async def submit(self, plan: Plan, at: Snapshot) -> Outcome:
        """Sign, send, wait, reconcile. ChainError when the fate is unknown."""
        ...


class Signer(Protocol):
    """Holds a key, or knows who does."""

    @property
    def address(self) -> str: ...

    def sign(self, transaction: dict[str, Any]) -> bytes:
        """The signed raw transaction."""
        ...


class Journal(Protocol):
    """Append-only truth."""

    async def append(self, cycle: int, kind: str, body: object) -> Record: ...

    async def memory(self) -> Memory: ...


class Notifier(Protocol):
    """Tells people."""

    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None: ...


class PriceSource(Protocol):
    """Prices at a block."""

    async def prices(self, tokens: tuple[Token, ...], block: str) -> tuple[Price, ...]: ...


class Model(Protocol):
    """Target weights, shape (N,), sum 1, in the order of `snapshot.prices`. Pure."""

    def __call__(self, snapshot: Snapshot) -> tuple[float, ...]: ...
