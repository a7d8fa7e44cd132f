"""Where the vault's gas goes: every step of a transaction, put down to the function and the call that it belongs to."""

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from eth_utils.address import to_checksum_address
from vyper.ast.nodes import Module
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData
from vyper.ir.compile_ir import assembly_to_evm_with_symbol_map
from vyper.warnings import ContractSizeLimit

from bench.contracts.jobs import Tx
from bench.contracts.scene import GAS, Scene
from bot.chain.abi import selector
from scripts.build_contracts import CONTRACTS

MOST_REFUND = 5  # one part in so many of the gas comes back at most, EIP-3529
STORAGE = {"SLOAD", "SSTORE", "TLOAD", "TSTORE"}
VIEWS = (
    "latestRoundData()",
    "slot0()",
    "positions(bytes32)",
    "ticks(int24)",
    "feeGrowthGlobal0X128()",
    "feeGrowthGlobal1X128()",
    "observations(uint256)",
    "balanceOf(address)",
    "getReserves()",
    "totalSupply()",
)
MOVES = (
    "burn(int24,int24,uint128)",
    "collect(address,int24,int24,uint128,uint128)",
    "mint(address,int24,int24,uint128,bytes)",
    "swap(address,bool,int256,uint160,bytes)",
    "transfer(address,uint256)",
    "transferFrom(address,address,uint256)",
    "mint(address)",
    "burn(address)",
    "swap(uint256,uint256,address,bytes)",
)
NAMES = {int.from_bytes(selector(each)): each.split("(")[0] for each in VIEWS + MOVES}
POOL_CALLS = frozenset(each.split("(")[0] for each in MOVES)


@dataclass(frozen=True, slots=True)
class Item:
    """A sum of steps: the functions of ours that lead to it, and the call they make, or `code`, `storage`, `event`."""

    path: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The gas of one transaction; `items` are before the refund."""

    total: int
    intrinsic: int
    items: Counter[Item]

    @property
    def refund(self) -> int:
        """What the EVM gave back for storage cleared."""
        return self.intrinsic + sum(self.items.values()) - self.total


@dataclass(slots=True)
class _Frame:
    """One call: who runs, and what its steps are put down to."""

    ours: bool
    path: list[str] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)  # where each function of the path comes back to
    before: int = -1  # the last step's place
    call: str = ""  # of a frame that is not ours: the function called by us


async def spent(scene: Scene, tx: Tx, ours: str, total: int) -> Spent:
    """Trace a transaction on the latest state; `total` is what its receipt says. ValueError when the trace differs."""
    request = {"from": tx.sender, "to": tx.to, "data": "0x" + tx.data.hex(), "gas": hex(GAS)}
    trace = await scene.rpc.call("debug_traceCall", request, "latest", {"disableStorage": True})
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in tx.data)
    items = _items(trace["structLogs"], to_checksum_address(ours), ours == scene.vault)
    found = Spent(total, intrinsic, items)
    if not 0 <= found.refund <= (total + found.refund) // MOST_REFUND:
        raise ValueError(f"expected a trace of {total} gas and a refund, found {total + found.refund} before it")
    return found


def _items(steps: list[dict[str, Any]], ours: str, has_source: bool) -> Counter[Item]:
    entries = _functions() if has_source else {}
    found: Counter[Item] = Counter()
    frames = [_Frame(True)]
    for step, gas, inner in _costs(steps):
        del frames[step["depth"] :]
        frame = frames[-1]
        if frame.ours:
            _follow(frame, step["pc"], entries)
        what = frame.call or _kind(step["op"])
        if inner is not None:
            target = to_checksum_address(f"0x{int(step['stack'][-2], 16) & (2**160 - 1):040x}")
            child = _Frame(target == ours, call="" if target == ours else frame.call or _called(inner))
            child.path = [] if child.ours else list(frame.path)
            what = child.call or frame.call
            frames.append(child)
        found[Item(tuple(frame.path), what)] += gas
    return found


def _costs(steps: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int, list[dict[str, Any]] | None]]:
    """Each step with its own gas, calls without what happens inside, and the first steps inside where it calls."""
    after: dict[int, int] = {}  # depth -> gas at the next step of the same frame
    own: list[int] = []
    spent_inside: dict[int, int] = {}
    for step in reversed(steps):
        depth, gas = step["depth"], step["gas"]
        inside = spent_inside.pop(depth + 1, 0)
        after.pop(depth + 1, None)
        cost = (gas - after[depth] if depth in after else step["gasCost"]) - inside
        own.append(cost)
        after[depth] = gas
        spent_inside[depth] = spent_inside.get(depth, 0) + cost + inside
    for index, (step, cost) in enumerate(zip(steps, reversed(own), strict=True)):
        enters = index + 1 < len(steps) and steps[index + 1]["depth"] > step["depth"]
        yield step, cost, steps[index + 1 : index + 60] if enters else None


def _called(inner: list[dict[str, Any]]) -> str:
    """The function called: what its dispatcher shifts out of the calldata."""
    for step, following in pairwise(inner):
        if step["op"] in ("SHR", "DIV"):  # DIV: WETH is older than SHR
            return NAMES.get(int(following["stack"][-1], 16), "another call")
    return "another call"


def _kind(op: str) -> str:
    return "storage" if op in STORAGE else "event" if op.startswith("LOG") else "code"


def _follow(frame: _Frame, pc: int, entries: dict[int, str]) -> None:
    """Keep the stack of internal functions: each comes back to the place after the jump that led to it."""
    if pc in entries:
        frame.path.append(entries[pc])
        frame.returns.append(frame.before + 1)
    elif frame.returns and pc == frame.returns[-1]:
        frame.path.pop()
        frame.returns.pop()
    frame.before = pc


@cache
def _functions() -> dict[int, str]:
    """The vault's internal functions by where they begin."""
    bundle = FilesystemInputBundle([CONTRACTS])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ContractSizeLimit)
        assembly = CompilerData(bundle.load_file("Vault.vy"), bundle).assembly_runtime
    _, maps, symbols = assembly_to_evm_with_symbol_map(assembly)
    nodes = maps["pc_raw_ast_map"]
    entries = {}
    for label, pc in symbols.items():
        found = re.search(r"internal \d+ (\w+)\(.*\)_runtime$", str(label))
        if found:
            node = next(nodes[at] for at in range(pc, pc + 500) if at in nodes)
            module = node.get_ancestor(Module).path.rsplit("/", 1)[-1].removesuffix(".vy")
            entries[pc] = f"{module}.{found[1]}"
    return entries
