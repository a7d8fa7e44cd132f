"""The charter as owner and guardian see it: who may do what, how it is called, and which changes are waiting."""

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from bot.chain.abi import checksum, decode, encode_call, event_topic, load, selector
from bot.chain.multicall import Call, required
from bot.core.errors import Broken, Refused, Reverted
from bot.core.ports import Rpc
from bot.execution.calls import Sender, read, send
from bot.execution.submit import Receipt
from bot.execution.treasury import charter_of

OPEN_S: Final = 1_209_600  # contracts/modules/roles.vy: so long may a change that is ready be made
ASKED: Final = event_topic("Asked(bytes32,uint256)")
NEAR: Final = 100_000  # blocks: a chain so short is searched whole
SAMPLE: Final = 10_000  # blocks whose time says how far back to search


@dataclass(frozen=True, slots=True)
class Charter:
    """Who rules a vault, and what stands now; addresses checksummed."""

    address: str
    owner: str
    pending_owner: str
    guardian: str
    keeper: str
    paused: bool
    delay_s: int


@dataclass(frozen=True, slots=True)
class Act:
    """One call that takes effect at once."""

    name: str
    data: bytes
    roles: tuple[str, ...]  # fields of `Charter`: who may

    def may(self, charter: Charter) -> dict[str, str]:
        """Addresses by role."""
        return {role: getattr(charter, role) for role in self.roles}


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was asked for and not yet made."""

    id: str  # as `revoke` takes it
    ready_at: int  # s since 1970: from then on the owner can make it
    until: int  # and no longer than then
    call: str | None  # function and arguments; None: asked through another contract, which hides them


def pause() -> Act:
    """Stop the keeper and minting."""
    return Act("pause", encode_call("pause()"), ("owner", "guardian"))


def unpause() -> Act:
    """Let them go on."""
    return Act("unpause", encode_call("unpause()"), ("owner",))


def name_keeper(keeper: str) -> Act:
    """Another keeper; the zero address: none."""
    return Act("set_keeper", encode_call("set_keeper(address)", keeper), ("owner",))


def revoke(change: str) -> Act:
    """Forget a change that was asked for."""
    return Act("revoke", encode_call("revoke(bytes32)", bytes.fromhex(change[2:])), ("owner", "guardian"))


async def charter_at(rpc: Rpc, multicall3: str, vault: str) -> Charter:
    """The charter of a vault. DataError when it does not answer as one."""
    address = await charter_of(rpc, vault)
    people = ("owner", "pending_owner", "guardian", "keeper")
    asked = [Call.of(address, f"{name}()", returns=("address",)) for name in people]
    asked += [Call.of(address, "paused()", returns=("bool",)), Call.of(address, "delay_s()", returns=("uint256",))]
    *found, (paused,), (delay_s,) = await required(rpc, multicall3, asked, "latest")
    owner, pending_owner, guardian, keeper = (checksum(who) for (who,) in found)
    return Charter(address, owner, pending_owner, guardian, keeper, paused, delay_s)


async def rehearse(rpc: Rpc, charter: Charter, act: Act, sender: str) -> None:
    """Call it without sending. Refused with the charter's own words."""
    try:
        await read(rpc, charter.address, act.data, sender=sender)
    except Reverted as error:
        raise Refused(f"the charter {charter.address} would refuse {act.name} of {sender}: {error.reason}") from None


async def perform(rpc: Rpc, sender: Sender, charter: Charter, act: Act) -> Receipt:
    """Send it, and return the receipt. Reverted with the charter's words; Broken when it logged nothing."""
    receipt = await send(rpc, sender, charter.address, act.data)
    if not any(checksum(log["address"]) == charter.address for log in receipt["logs"]):
        raise Broken(f"expected {act.name} at {charter.address} in {receipt['transactionHash']}, found no trace of it")
    return receipt


async def ready_at(rpc: Rpc, charter: str, change: str) -> int:
    """From when a change can be made, seconds since 1970; 0: none waits under that id."""
    (found,) = await read(rpc, charter, encode_call("ready_at(bytes32)", bytes.fromhex(change[2:])), "uint256")
    return int(found)


async def waiting(rpc: Rpc, charter: Charter) -> list[Change]:
    """Changes that were asked for and can still be made. One search of logs; ChainError where a node grants none."""
    newest = await rpc.call("eth_getBlockByNumber", "latest", False)
    now = int(newest["timestamp"], 16)
    first = await _first_block(rpc, newest, charter.delay_s + OPEN_S)
    query = {"address": charter.address, "topics": [ASKED], "fromBlock": hex(first), "toBlock": "latest"}
    asked = {log["topics"][1]: log["transactionHash"] for log in await rpc.call("eth_getLogs", query)}
    found = []
    for change, tx in asked.items():
        ready = await ready_at(rpc, charter.address, change)
        if ready and now <= ready + OPEN_S:
            found.append(Change(change, ready, ready + OPEN_S, await _call_of(rpc, charter.address, change, tx)))
    return found


async def _first_block(rpc: Rpc, newest: dict[str, Any], window_s: int) -> int:
    """From where to search: as many blocks back as the window had at today's pace, and a tenth more."""
    number = int(newest["number"], 16)
    if number <= NEAR:
        return 0
    earlier = await rpc.call("eth_getBlockByNumber", hex(number - SAMPLE), False)
    took_s = max(1, int(newest["timestamp"], 16) - int(earlier["timestamp"], 16))
    return max(0, number - window_s * SAMPLE * 11 // (took_s * 10))


async def _call_of(rpc: Rpc, charter: str, change: str, tx: str) -> str | None:
    """The call that asked for a change; its id is the hash of the calldata."""
    sent = await rpc.call("eth_getTransactionByHash", tx)
    data = bytes.fromhex(sent["input"][2:]) if sent else b""
    if not sent or "0x" + keccak(data).hex() != change:
        return None
    for name, types in _functions():
        if data[:4] == selector(f"{name}({','.join(types)})"):
            return f"{name}({', '.join(map(str, decode(types, data[4:])))})"
    return None


def _functions() -> list[tuple[str, tuple[str, ...]]]:
    entries = (entry for entry in load("Charter").abi if entry["type"] == "function")
    return [(entry["name"], tuple(map(_type, entry["inputs"]))) for entry in entries]


def _type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    parts = ",".join(map(_type, entry.get("components", ())))
    return kind.replace("tuple", f"({parts})", 1)
