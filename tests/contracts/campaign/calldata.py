"""Calldata by hand, a few microseconds a call: the type of an argument is that of the Python value."""

from collections.abc import Sequence

from bot.chain.abi import selector

Value = int | str | bytes | Sequence[int] | Sequence[str] | Sequence[tuple[int, int]]
UINT256 = 2**256


def word(value: int | str) -> bytes:
    """An integer (negative: two's complement) or an address."""
    if isinstance(value, str):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    return (value % UINT256).to_bytes(32)


def calldata(signature: str, *values: Value) -> bytes:
    """Selector and arguments: int, address, bytes, and lists of integers, addresses or pairs of integers."""
    heads, tails, at = [selector(signature)], [], 32 * len(values)
    for value in values:
        if isinstance(value, (int, str)):
            heads.append(word(value))
        else:
            tail = _tail(value)
            heads.append(word(at))
            tails.append(tail)
            at += len(tail)
    return b"".join(heads + tails)


def words(answer: bytes) -> list[int]:
    """An answer's words."""
    return [int.from_bytes(answer[at : at + 32]) for at in range(0, len(answer), 32)]


def listed(answer: bytes) -> list[int]:
    """The words of an answer that is one list."""
    return words(answer[64:])


def _tail(value: bytes | Sequence[int] | Sequence[str] | Sequence[tuple[int, int]]) -> bytes:
    size = word(len(value))
    if isinstance(value, bytes):
        return size + value + bytes(-len(value) % 32)
    return size + b"".join(word(part) for item in value for part in (item if isinstance(item, tuple) else (item,)))
