"""A call to every function of a contract, read off its ABI: a new function is tried without being named anywhere."""

from collections.abc import Iterable, Iterator
from typing import Any

from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple

from bot.chain.abi import encode_call

LATER = 2**255  # a deadline
HUGE = 2**100  # more than was ever opened for a callback
MOST = 2**128 - 1


def functions(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in abi if entry["type"] == "function"]


def signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(collapse_if_tuple(part) for part in entry['inputs'])})"


def selector(entry: dict[str, Any]) -> bytes:
    return bytes(keccak(text=signature(entry))[:4])


def is_callback(entry: dict[str, Any]) -> bool:
    return str(entry["name"]).startswith("uniswapV3")


def call(
    entry: dict[str, Any], addresses: Iterable[str], tokens: int, number: int | None = None, payload: bytes = b""
) -> bytes:
    """Arguments that decode, so that only the lock or a rule of the function's own can refuse them.

    Addresses are taken in turn; lists of amounts are `tokens` long; `number` stands for every other number.
    """
    chosen = number if number is not None else HUGE if is_callback(entry) else 1
    turn = iter(addresses)
    return encode_call(signature(entry), *(_argument(part, turn, tokens, chosen, payload) for part in entry["inputs"]))


def addresses_in(entry: dict[str, Any]) -> int:
    """How many addresses a call needs."""
    return signature(entry).count("address")


def _argument(part: dict[str, Any], turn: Iterator[str], tokens: int, number: int, payload: bytes) -> Any:
    kind = part["type"]
    if kind.endswith("[]"):
        return [] if kind.startswith("tuple") else [MOST] * tokens
    if kind == "tuple":
        return tuple(_argument(inner, turn, tokens, number, payload) for inner in part["components"])
    if kind == "address":
        return next(turn)
    if kind == "bool":
        return True
    if kind == "bytes":
        return payload
    if kind.startswith("bytes"):
        return bytes(int(kind.removeprefix("bytes")))
    return LATER if part["name"] == "deadline" else number & 255 if kind == "uint8" else number
