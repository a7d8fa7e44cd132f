"""Gas of a bundle before it is simulated: what receipts of the demo's three-token vault say, rounded up.

tests/chain/test_demo.py holds every bundle against this estimate.
"""

from bot.core.types import Step
from bot.core.units import Gas

BUNDLE = 170_000  # transaction, limits, prices of the tokens touched (of all three about once a day)
SWAP = 101_000
ADD = 190_000
REMOVE = 140_000

STEP = {"swap": SWAP, "add": ADD, "remove": REMOVE}


def bundle_gas(steps: tuple[Step, ...]) -> Gas:
    """Estimated gas of an ordered list of steps."""
    return Gas(BUNDLE + sum(STEP[s.kind] for s in steps)) if steps else Gas(0)


def wish_gas(trades: int, leaves: int, enters: int) -> Gas:
    """Estimated gas of wishes that have no route yet."""
    return Gas(BUNDLE + trades * SWAP + leaves * REMOVE + enters * ADD)
