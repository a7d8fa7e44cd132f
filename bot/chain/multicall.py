"""Many reads in one request, all at one block."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar, cast

from bot.chain.abi import decode, encode_call
from bot.chain.revert import reason
from bot.chain.rpc import INVALID_PARAMS, NodeError
from bot.core.errors import DataError
from bot.core.ports import Rpc
from bot.core.types import Block

AGGREGATE3 = "aggregate3((address,bool,bytes)[])"  # Multicall3: may each fail, then what each answered

OUT_OF_GAS = re.compile("gas|oog", re.IGNORECASE)  # geth: out of gas; Nethermind: OutOfGas; anvil: also MemoryOOG


@dataclass(frozen=True, slots=True)
class Call:
    """One read. `returns`: ABI types of the answer. `optional`: a failure is None, not an error."""

    to: str
    data: bytes
    returns: tuple[str, ...]
    optional: bool = False
    function: str = ""  # for messages

    @classmethod
    def of(cls, to: str, signature: str, *args: Any, returns: tuple[str, ...], optional: bool = False) -> "Call":
        """Encode a call of `signature`, such as `balanceOf(address)`."""
        return cls(to, encode_call(signature, *args), returns, optional, signature)


async def aggregate(
    rpc: Rpc, multicall3: str, calls: Sequence[Call], block: Block | str
) -> list[tuple[Any, ...] | None]:
    """Answers in the order of `calls`, from one eth_call; None where an optional call failed.

    Only what meets the node's gas limit of eth_call (geth's is 50 million) is asked again, in halves.
    `block`: a Block is read by hash, so a reorganisation can never mix two histories; or a number in hex, or a tag.
    DataError names the target and function of a required call that failed.
    """
    results = await _results(rpc, multicall3, list(calls), block)
    return [_read(call, ok, data) for call, (ok, data) in zip(calls, results, strict=True)]


async def required(rpc: Rpc, multicall3: str, calls: Sequence[Call], block: Block | str) -> list[tuple[Any, ...]]:
    """As `aggregate`, for calls of which none is optional."""
    answers = await aggregate(rpc, multicall3, [replace(call, optional=False) for call in calls], block)
    return cast(list[tuple[Any, ...]], answers)


T = TypeVar("T")
Answers = list[Any]  # one tuple per call; None where an optional call failed
Reading = Generator[list[Call], Answers, T]  # yields calls, is sent their answers, returns what it read


async def read_together(rpc: Rpc, multicall3: str, readings: Sequence[Reading[Any]], block: Block | str) -> list[Any]:
    """Run several readings side by side: one request per round, as many rounds as the longest needs.

    Results in the order of `readings`. Errors as `aggregate`, and whatever a reading raises.
    """
    reading, answers = together(readings), None
    while True:
        try:
            calls = next(reading) if answers is None else reading.send(answers)
        except StopIteration as finished:
            return cast(list[Any], finished.value)
        answers = await aggregate(rpc, multicall3, calls, block)


def together(readings: Sequence[Reading[Any]]) -> Reading[list[Any]]:
    """Make one reading of several: in each round it asks what all of them ask. Results in the order of `readings`."""
    results: list[Any] = [None] * len(readings)
    turns: list[tuple[int, Answers | None]] = [(i, None) for i in range(len(readings))]
    while turns:
        waiting = [(i, calls) for i, got in turns if (calls := _advance(readings[i], got, results, i)) is not None]
        if not waiting:
            break
        answers = iter((yield [call for _, calls in waiting for call in calls]))
        turns = [(i, list(islice(answers, len(calls)))) for i, calls in waiting]
    return results


def _advance(reading: Reading[Any], answers: Answers | None, results: list[Any], i: int) -> list[Call] | None:
    """The reading's next calls; None, with its result stored, when it has finished."""
    try:
        return next(reading) if answers is None else reading.send(answers)
    except StopIteration as finished:
        results[i] = finished.value
        return None


def block_parameter(block: Block | str) -> str | dict[str, str]:
    """The block as eth_call takes it: by hash (EIP-1898) for a Block."""
    return {"blockHash": block.hash} if isinstance(block, Block) else block


async def _results(rpc: Rpc, multicall3: str, calls: list[Call], block: Block | str) -> list[tuple[bool, bytes]]:
    if not calls:
        return []
    data = encode_call(AGGREGATE3, [(call.to, True, call.data) for call in calls])
    try:
        answer = await _eth_call(rpc, {"to": multicall3, "data": "0x" + data.hex()}, block)
    except NodeError as error:
        if len(calls) == 1 or not OUT_OF_GAS.search(error.said):
            raise
        return await _halves(rpc, multicall3, calls, block)
    if not answer:
        raise DataError(f"expected Multicall3 at {multicall3}, found no contract; correct the address")
    (results,) = decode(("(bool,bytes)[]",), answer)
    found = list(results)
    # A call that ran out of gas looks like one that reverted without a reason; alone, it has all the gas there is.
    starved = [i for i, (ok, said) in enumerate(found) if not (ok or said or calls[i].optional)]
    if starved and len(calls) > 1:
        again = await _halves(rpc, multicall3, [calls[i] for i in starved], block)
        for i, result in zip(starved, again, strict=True):
            found[i] = result
    return found


async def _halves(rpc: Rpc, multicall3: str, calls: list[Call], block: Block | str) -> list[tuple[bool, bytes]]:
    middle = (len(calls) + 1) // 2
    first = await _results(rpc, multicall3, calls[:middle], block)
    return first + await _results(rpc, multicall3, calls[middle:], block)


async def _eth_call(rpc: Rpc, transaction: dict[str, str], block: Block | str) -> bytes:
    try:
        answer = await rpc.call("eth_call", transaction, block_parameter(block))
    except NodeError as error:
        if error.code != INVALID_PARAMS or not isinstance(block, Block):
            raise
        answer = await rpc.call("eth_call", transaction, hex(block.number))  # a node older than EIP-1898
    return bytes.fromhex(answer[2:])


def _read(call: Call, ok: bool, data: bytes) -> tuple[Any, ...] | None:
    try:
        if not ok:
            raise DataError(f"it reverted: {reason(data)}")
        if not data and call.returns:
            raise DataError("it answered nothing; is a contract deployed there?")
        return decode(call.returns, data)
    except DataError as error:
        if call.optional:
            return None
        what = call.function or f"function 0x{call.data[:4].hex()}"
        raise DataError(f"expected {what} of {call.to} to answer ({','.join(call.returns)}): {error}") from error
