"""Where a V3 pool's mean over time begins: the hint that the vault wants with the first action on a pool."""

from dataclasses import dataclass

from bot.chain.multicall import Call, Reading
from bot.core.errors import DataError
from bot.venues.uniswap_v3 import slot0

OBSERVATION = ("uint32", "int56", "uint160", "bool")
WAYS = 41  # parts in which each round of reads divides what is left: three rounds for a pool's most, 65,535
MARGIN_S = 120  # so long the hint should stay good, for a node or a block behind as for the blocks to come


@dataclass(frozen=True, slots=True)
class Observation:
    """One that the pool remembers, or a place for one."""

    index: int
    age_s: int
    written: bool


def hint(pool: str, window_s: int, multicall3: str) -> Reading[int]:
    """Find the observation from which the vault is to take the pool's mean; its index + 1. At most four rounds.

    The vault takes one that is between one and two windows old, or the newest that is at least a window old
    (contracts/modules/oracle.vy). DataError when the pool does not remember a window.
    """
    (_, _, newest, cardinality, *_), (now,) = yield [
        slot0(pool),
        Call.of(multicall3, "getCurrentBlockTimestamp()", returns=("uint256",)),
    ]
    margin_s = min(MARGIN_S, window_s // 2)
    seen: dict[int, Observation] = {}  # by place: the oldest is at 0, or what is not yet written
    older, newer = -1, cardinality  # what is old enough ends with `older`, what is not begins with `newer`
    while newer - older > 1:
        step = -(-(newer - older) // WAYS)
        asked = range(older + step, newer, step)
        indices = [(newest + 1 + place) % cardinality for place in asked]
        answers = yield [Call.of(pool, "observations(uint256)", index, returns=OBSERVATION) for index in indices]
        for place, index, (at, _, _, written) in zip(asked, indices, answers, strict=True):
            seen[place] = Observation(index, now - at, written)
            if seen[place].age_s >= window_s + margin_s:
                older = place
            else:
                newer = min(newer, place)
    around = [seen[place] for place in (older, newer) if place in seen and seen[place].written]
    return _chosen(pool, around, window_s, margin_s, cardinality).index + 1


def _chosen(pool: str, around: list[Observation], window_s: int, margin_s: int, cardinality: int) -> Observation:
    """Of two neighbours the one that stays good for longer, the older first."""
    good = [each for each in around if each.age_s >= window_s]
    if not good:
        found = f"{around[0].age_s} s" if around else "nothing"
        raise DataError(
            f"pool {pool}: expected it to remember {window_s} s, found {found} in {cardinality} observations; "
            f"call its increaseObservationCardinalityNext with more than {cardinality}, and wait until they are written"
        )
    return good[-1] if good[0].age_s + margin_s > 2 * window_s else good[0]
