"""Bodies of rows to JSON text and back, exactly: Decimal and bytes as strings, integers of any size as digits."""

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from bot.core.errors import Broken
from bot.core.rows import Approval, Attempt, Intent, Note, Origin, Skip
from bot.core.types import Outcome, Proposal, Snapshot

BODIES: Final[dict[str, TypeAdapter[Any]]] = {
    "chain": TypeAdapter(Origin),
    "cycle": TypeAdapter(tuple[Snapshot, Proposal]),
    "skip": TypeAdapter(Skip),
    "simulation": TypeAdapter(Outcome),
    "rehearsal": TypeAdapter(Outcome),  # a simulation of a dry run: nothing is remembered of it
    "intent": TypeAdapter(Intent),
    "attempt": TypeAdapter(Attempt),
    "outcome": TypeAdapter(Outcome),
    "approval": TypeAdapter(Approval),
    "note": TypeAdapter(Note),
}


def encode(kind: str, body: object) -> str:
    """The JSON text of a body. Broken when it could not be read back: a row that cannot be read is never written."""
    try:
        text = to_json(body, inf_nan_mode="strings").decode()
    except PydanticSerializationError as error:
        raise Broken(f"journal: expected a {kind!r} body of plain values, found {body!r}: {error}") from error
    decode(kind, text)
    return text


def decode(kind: str, text: str) -> Any:
    """The body behind a JSON text. Broken when the kind is unknown or the text is not of that kind."""
    if kind not in BODIES:
        raise Broken(
            f"journal: expected a kind of {sorted(BODIES)}, found {kind!r}; was it written by a newer version?"
        )
    try:
        return BODIES[kind].validate_json(text)
    except ValidationError as error:
        raise Broken(f"journal: expected the body of {kind!r}, found {text[:200]!r}: {error}") from error
