"""Calldata and answers: selectors, encoding, decoding, and the artifacts of our own contracts."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from bot.core.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract of ours."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes  # creation code, without constructor arguments
    runtime: bytes  # deployed code, before immutables are filled in


@cache
def load(name: str) -> Artifact:
    """Read `artifacts/NAME.json`, committed beside this file. ConfigError when absent or incomplete."""
    source = resources.files("bot.chain").joinpath("artifacts", f"{name}.json")
    try:
        found = json.loads(source.read_text(encoding="utf-8"))
        code = {part: bytes.fromhex(found[part].removeprefix("0x")) for part in ("bytecode", "runtime")}
        return Artifact(name, tuple(found["abi"]), code["bytecode"], code["runtime"])
    except FileNotFoundError:
        raise ConfigError(f"no compiled contract {name}: expected {source}; compile the contracts again") from None
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{source}: expected abi, bytecode and runtime, found {error!r}; compile again") from error


def contract_address(deployer: str, nonce: int) -> str:
    """Where the deployer's transaction of that nonce creates a contract: keccak of the two, as RLP writes a list."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if not 0 < nonce < 0x80:
        number = bytes([0x80 + len(number)]) + number
    body = bytes([0x80 + 20]) + bytes.fromhex(deployer[2:]) + number
    return checksum("0x" + keccak(bytes([0xC0 + len(body)]) + body)[12:].hex())


@cache
def arguments(signature: str) -> tuple[str, ...]:
    """Split `name(type,...)` into the ABI types of its arguments. ValueError when it does not parse."""
    types = signature[signature.index("(") :]
    if types == "()":
        return ()
    parsed = parse(types)
    if not isinstance(parsed, TupleType) or parsed.arrlist:
        raise ValueError(f"expected a signature such as transfer(address,uint256), found {signature}")
    return tuple(part.to_type_str() for part in parsed.components)


@cache
def selector(signature: str) -> bytes:
    """First four bytes of the signature's keccak."""
    return keccak(text=signature)[:4]


@cache
def event_topic(signature: str) -> str:
    """The 0x-hex topic0 of an event such as `Transfer(address,address,uint256)`."""
    return "0x" + keccak(text=signature).hex()


def encode_call(signature: str, *args: Any) -> bytes:
    """Selector and arguments; structs are tuples: `f((uint256,uint256)[])`."""
    return selector(signature) + encode(arguments(signature), *args)


def encode(types: tuple[str, ...], *args: Any) -> bytes:
    """Arguments alone, as a constructor takes them after its bytecode."""
    return abi_encode(types, args) if types else b""


def decode(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Values of an answer; addresses in lower case. DataError when the bytes do not hold these types."""
    if not types:
        return ()
    try:
        return tuple(abi_decode(types, data))
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise DataError(f"expected ({','.join(types)}), found {len(data)} bytes that do not decode: {error}") from error


@cache
def checksum(address: str) -> str:
    """The EIP-55 form, in which every address of ours is kept."""
    return str(to_checksum_address(address))
