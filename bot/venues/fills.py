"""What a mined bundle did, to the wei, from the events its pools left in the receipt."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.chain.abi import decode, event_topic
from bot.core.errors import DataError
from bot.core.types import Fill, Plan, Pool, RemoveLiquidity, Snapshot, Step, Swap

V2_SWAP = event_topic("Swap(address,uint256,uint256,uint256,uint256,address)")
V2_BURN = event_topic("Burn(address,uint256,uint256,address)")
V2_MINT = event_topic("Mint(address,uint256,uint256)")
V3_SWAP = event_topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
V3_COLLECT = event_topic("Collect(address,address,int24,int24,uint128,uint128)")
V3_MINT = event_topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")


TRANSFER = event_topic("Transfer(address,address,uint256)")


@dataclass(frozen=True, slots=True)
class Event:
    """What the account did with a pool, or gave to whomever."""

    emitter: str  # the pool, or the token given; lower case
    topic: str
    ticks: tuple[int, int] | None  # of V3 positions
    to: str  # who was given
    data: bytes


def receipt_fills(plan: Plan, snapshot: Snapshot, receipt: dict[str, Any]) -> tuple[Fill, ...]:
    """Match each step with its pool's next event of that kind, in the order both happened.

    DataError when a step left no event: the receipt is not of this plan, or it reverted.
    """
    events = iter(_events(snapshot.account, receipt["logs"]))
    return tuple(_fill(i, step, snapshot.pool(step.pool), events) for i, step in enumerate(plan.steps))


def _events(account: str, logs: list[dict[str, Any]]) -> Iterator[Event]:
    known = {V2_SWAP, V2_BURN, V2_MINT, V3_SWAP, V3_COLLECT, V3_MINT, TRANSFER}
    for log in logs:
        topic, *indexed = log["topics"] or ("",)
        if topic in known and len(indexed) and _address(indexed[0]) == account.lower():
            ticks = (_tick(indexed[1]), _tick(indexed[2])) if topic in (V3_COLLECT, V3_MINT) else None
            to = _address(indexed[1]) if topic == TRANSFER else ""
            yield Event(log["address"].lower(), topic, ticks, to, bytes.fromhex(log["data"][2:]))


def _fill(i: int, step: Step, pool: Pool, events: Iterator[Event]) -> Fill:
    address, wanted, ticks = pool.address.lower(), *_wanted(step, pool.kind)
    given: Counter[str] = Counter()
    for event in events:
        if (event.topic, event.to) == (TRANSFER, address):
            given[event.emitter] += int.from_bytes(event.data, "big")
        elif (event.emitter, event.topic, event.ticks) == (address, wanted, ticks):
            return Fill(i, *(_v3(event) if pool.kind == "v3" else _v2(event, pool, given)))
    raise DataError(
        f"expected an event of step {i} ({step.kind} on {pool.address}), found none; is it this plan's receipt?"
    )


def _wanted(step: Step, kind: str) -> tuple[str, tuple[int, int] | None]:
    """The event's topic, and the ticks it must name."""
    if isinstance(step, Swap):
        return (V2_SWAP if kind == "v2" else V3_SWAP), None
    v2, v3 = (V2_BURN, V3_COLLECT) if isinstance(step, RemoveLiquidity) else (V2_MINT, V3_MINT)
    return (v2, None) if kind == "v2" else (v3, (step.tick_lower, step.tick_upper))


def _v3(event: Event) -> tuple[int, int]:
    if event.topic == V3_COLLECT:
        _, amount0, amount1 = decode(("address", "uint128", "uint128"), event.data)
        return amount0, amount1
    if event.topic == V3_MINT:
        _, _, amount0, amount1 = decode(("address", "uint128", "uint256", "uint256"), event.data)
        return -amount0, -amount1
    amount0, amount1, *_ = decode(("int256", "int256", "uint160", "uint128", "int24"), event.data)
    return -amount0, -amount1  # the event counts for the pool


def _v2(event: Event, pool: Pool, given: Counter[str]) -> tuple[int, int]:
    """What came in stands in the event; what we gave does not, for a pair counts strangers' gifts with it."""
    came0 = came1 = 0
    if event.topic == V2_BURN:
        came0, came1 = decode(("uint256", "uint256"), event.data)
    elif event.topic == V2_SWAP:
        _, _, came0, came1 = decode(("uint256",) * 4, event.data)
    return came0 - given[pool.token0.address.lower()], came1 - given[pool.token1.address.lower()]


def _address(topic: str) -> str:
    return "0x" + topic[-40:].lower()


def _tick(topic: str) -> int:
    return int.from_bytes(bytes.fromhex(topic[2:]), "big", signed=True)
