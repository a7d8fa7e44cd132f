"""A node in a few lines: Multicall3 over a table of answers."""

from collections.abc import Mapping
from typing import Any

from bot.chain.abi import decode, encode
from bot.chain.rpc import NodeError

Answer = bytes | None  # None: the call reverts
PER_CALL_GAS = 1_000


class FakeNode:
    """Answers eth_call to Multicall3 from (target, calldata) -> answer, and refuses above `gas`, as nodes do."""

    def __init__(self, answers: Mapping[tuple[str, bytes], Answer], gas: int = 10**9, eip1898: bool = True) -> None:
        self.answers = {(to.lower(), data): answer for (to, data), answer in answers.items()}
        self.gas = gas
        self.eip1898 = eip1898
        self.blocks: list[Any] = []  # of every request
        self.sizes: list[int] = []

    async def call(self, method: str, *params: Any) -> Any:
        assert method == "eth_call"
        transaction, block = params
        self.blocks.append(block)
        if isinstance(block, dict) and not self.eip1898:
            raise NodeError("refused", -32602, "invalid argument 1: hex string expected")
        (calls,) = decode(("(address,bool,bytes)[]",), bytes.fromhex(transaction["data"][10:]))
        self.sizes.append(len(calls))
        if len(calls) * PER_CALL_GAS > self.gas:
            raise NodeError("refused", -32000, "out of gas")
        found = [self.answers.get((to, data), b"") for to, _, data in calls]
        results = [(answer is not None, answer or b"") for answer in found]
        return "0x" + encode(("(bool,bytes)[]",), results).hex()
