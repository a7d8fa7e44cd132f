"""What a contract said when it reverted."""

from bot.chain.abi import decode
from bot.core.errors import DataError

ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)

# Solidity documentation, "Panic via assert and Error via require".
PANICS = {
    0x00: "compiler panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division or modulo by zero",
    0x21: "value outside its enum",
    0x22: "corrupt storage byte array",
    0x31: "pop of an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory allocated",
    0x51: "call of an uninitialised function",
}


def reason(data: bytes) -> str:
    """Say the contract's own words; a custom error, or anything that does not decode, as its hex."""
    if not data:
        return "no reason given"
    selector, body = data[:4], data[4:]
    try:
        if selector == ERROR_STRING:
            return str(decode(("string",), body)[0]) or "no reason given"
        if selector == PANIC:
            code = int(decode(("uint256",), body)[0])
            return f"panic 0x{code:02x}: {PANICS.get(code, 'unknown')}"
    except DataError:
        pass
    return f"custom error 0x{data.hex()}"
