"""Gas of a bundle before it is simulated. Measured on the vault; rounded up."""

from bot.core.types import Step
from bot.core.units import Gas

BUNDLE = 330_000  # transaction, limits, prices of three tokens
SWAP = 130_000
ADD = 330_000
REMOVE = 200_000

STEP = {"swap": SWAP, "add": ADD, "remove": REMOVE}


def bundle_gas(steps: tuple[Step, ...]) -> Gas:
    """Estimated gas of an ordered list of steps."""
    return Gas(BUNDLE + sum(STEP[s.kind] for s in steps)) if steps else Gas(0)


def wish_gas(trades: int, leaves: int, enters: int) -> Gas:
    """Estimated gas of wishes that have no route yet."""
    return Gas(BUNDLE + trades * SWAP + leaves * REMOVE + enters * ADD)
