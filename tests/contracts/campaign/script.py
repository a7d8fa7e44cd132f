"""A script: a row of calls of the attacker's contract, run in one transaction; one that fails is left out.

The contract is `contracts/mocks/Attacker.vy`.
"""

from dataclasses import dataclass

from tests.contracts.campaign.calldata import word


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script, so many times."""

    name: str
    target: str
    data: bytes
    times: int = 1
    vault: bool = False  # of the vault, or a gift to it: it moves no pool
    inside: int = 0  # calls that its callback makes
    owing: frozenset[tuple[int, str]] = frozenset()  # (token, who) of whom it may set something aside

    @property
    def actions(self) -> int:
        return self.times * (1 + self.inside)


Script = list[Call]


def packed(script: Script) -> bytes:
    """As the attacker's contract reads it."""
    return b"".join(
        word(call.times << 240 | len(call.data) << 224 | int(call.target, 16)) + call.data for call in script
    )


def told(script: Script) -> str:
    """In words."""
    return "; ".join(f"{call.times} x {call.name}" if call.times > 1 else call.name for call in script)


def beside(script: Script | None) -> str:
    """What goes on in a callback, in words."""
    return f" [{told(script)}]" if script else ""


def count(script: Script | None) -> int:
    """Actions in a script."""
    return sum(call.actions for call in script or [])


def owing(script: Script | None) -> frozenset[tuple[int, str]]:
    """Of whom a script may set something aside."""
    return frozenset().union(*(call.owing for call in script or []))
