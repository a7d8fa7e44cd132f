"""A node that mines what it is given, and a signer whose bytes it can read; each may be told to misbehave."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eth_utils.crypto import keccak

from bot.chain.abi import encode
from bot.chain.rpc import NodeError
from bot.core.errors import ChainError, Reverted
from bot.core.types import Fill, Plan
from bot.venues.fills import TRANSFER, V2_SWAP
from tests.factories import NOW, USDC, VAULT, v2_pool
from tests.unit.execution import bundles

SWAP = bundles.STEPS[1]
SWAP_FILL = Fill(0, -3_000, 1_000)
FIRST_NONCE = 5


def swap_plan(**changes: object) -> Plan:
    """One swap on the V2 pair, whose receipt `Node` can write."""
    return replace(bundles.plan(steps=(SWAP,)), **changes)  # type: ignore[arg-type]


class ReadableSigner:
    """Signs by writing the transaction down."""

    address = bundles.KEEPER

    def sign(self, transaction: dict[str, Any]) -> bytes:
        return json.dumps(transaction).encode()


def tx_hash(raw: str) -> str:
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


class Node:
    """Knows one account. Mines at once unless `mining` is off; runs a plan only up to its `deadline`.

    `before[method]` is called before a method answers, and may raise; `after[method]` when it has done its work.
    """

    def __init__(self) -> None:
        self.mining = True
        self.reverts = ""  # the vault's reason, for calls and for what is mined
        self.finalized = NOW
        self.raws: list[str] = []  # every broadcast
        self.mined: dict[str, dict[str, Any]] = {}  # receipts by hash
        self.pool: dict[int, str] = {}  # raw bytes by nonce
        self.nonce = FIRST_NONCE
        self.methods: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.gas_limits: dict[str, int] = {}
        self.gas_used = 90_000
        self.access_list: list[dict[str, Any]] | None = None  # None: it does not offer them
        self.listed_gas = 0  # what it estimates with one
        self.replays: list[tuple[dict[str, Any], str]] = []

    async def call(self, method: str, *params: Any) -> Any:
        self.methods.append(method)
        self.before.get(method, lambda: None)()
        answer = getattr(self, method)(*params)
        self.after.get(method, lambda: None)()
        return answer

    def mine(self) -> None:
        """Everything that waits, in the order of the nonces."""
        while self.nonce in self.pool:
            raw = self.pool.pop(self.nonce)
            self.nonce += 1
            self.mined[tx_hash(raw)] = self._receipt(raw)

    def use_nonce(self) -> None:
        """Somebody else with this key sends something."""
        self.nonce += 1

    def eth_chainId(self) -> str:
        return "0x1"

    def eth_getTransactionCount(self, account: str, block: str) -> str:
        waiting = len(self.pool) if block == "pending" else 0
        return hex(self.nonce + waiting)

    def eth_estimateGas(self, call: dict[str, Any], block: str) -> str:
        if self.reverts:
            raise Reverted(self.reverts)
        return hex(self.listed_gas if call.get("accessList") else 100_001)

    def eth_createAccessList(self, call: dict[str, Any], block: str) -> dict[str, Any]:
        if self.access_list is None:
            raise refusal("the method eth_createAccessList does not exist/is not available")
        return {"accessList": self.access_list, "gasUsed": hex(self.listed_gas)}

    def eth_feeHistory(self, blocks: str, newest: str, percentiles: list[float]) -> dict[str, Any]:
        return {"baseFeePerGas": [hex(10**9), hex(2 * 10**9)], "reward": [[hex(3 * 10**8)]], "gasUsedRatio": [0.5]}

    def eth_call(self, call: dict[str, Any], block: str) -> str:
        self.replays.append((call, block))
        if self.reverts:
            raise Reverted(self.reverts)
        moved = [[SWAP_FILL.amount0, SWAP_FILL.amount1]]
        return "0x" + encode(("int256[2][]",), moved).hex()

    def eth_sendRawTransaction(self, raw: str) -> str:
        self.raws.append(raw)
        nonce = json.loads(bytes.fromhex(raw[2:]))["nonce"]
        if nonce < self.nonce:
            raise refusal("nonce too low")
        if raw in self.pool.values():
            raise refusal("already known")
        self.pool[nonce] = raw
        if self.mining:
            self.mine()
        return tx_hash(raw)

    def eth_getTransactionReceipt(self, tx: str) -> dict[str, Any] | None:
        return self.mined.get(tx)

    def eth_getTransactionByHash(self, tx: str) -> dict[str, Any]:
        limit = hex(self.gas_limits.get(tx, 120_002))
        return {"from": bundles.KEEPER, "to": VAULT, "value": "0x0", "gas": limit, "input": "0xfeed"}

    def eth_getBlockByNumber(self, block: str, whole: bool) -> dict[str, Any]:
        assert block == "finalized"
        return {"number": hex(23_999_900), "timestamp": hex(self.finalized)}

    def _receipt(self, raw: str) -> dict[str, Any]:
        return {
            "transactionHash": tx_hash(raw),
            "status": "0x0" if self.reverts else "0x1",
            "blockNumber": hex(24_000_001),
            "gasUsed": hex(self.gas_used),
            "effectiveGasPrice": hex(1_100_000_000),
            "contractAddress": None,
            "logs": [] if self.reverts else swap_logs(),
        }


def swap_logs() -> list[dict[str, Any]]:
    """What a pair and its token leave in a receipt when the vault swaps."""
    vault, pair = ("0x" + address[2:].lower().rjust(64, "0") for address in (VAULT, v2_pool().address))
    gave, came = -SWAP_FILL.amount0, SWAP_FILL.amount1
    return [
        {"address": USDC.address, "topics": [TRANSFER, vault, pair], "data": "0x" + encode(("uint256",), gave).hex()},
        {
            "address": v2_pool().address,
            "topics": [V2_SWAP, vault, vault],
            "data": "0x" + encode(("uint256",) * 4, gave, 0, 0, came).hex(),
        },
    ]


class Flaky:
    """Raises, so many times, and then no more."""

    def __init__(self, error: BaseException, times: int = 1) -> None:
        self.error, self.left = error, times

    def __call__(self) -> None:
        if self.left:
            self.left -= 1
            raise self.error


def lost() -> ChainError:
    return ChainError("no answer within 10 s")


def refusal(said: str) -> NodeError:
    return NodeError(f"the node said {said!r}", -32000, said)
