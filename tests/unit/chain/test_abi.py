"""Calldata, answers and revert reasons."""

import json
from pathlib import Path

import pytest

from bot.chain import abi
from bot.chain.revert import reason
from bot.core.errors import ConfigError, DataError

HOLDER = "0x00000000000000000000000000000000000000AA"


def test_encode_call__erc20_transfer__is_the_known_calldata() -> None:
    assert abi.encode_call("transfer(address,uint256)", HOLDER, 5).hex() == "a9059cbb" + f"{0xAA:064x}" + f"{5:064x}"


def test_encode_call__no_arguments__is_the_selector() -> None:
    assert abi.encode_call("slot0()").hex() == "3850c7bd"


def test_arguments__nested_structs__are_kept_whole() -> None:
    assert abi.arguments("execute((uint256,uint256)[],uint256[],uint256,uint256)") == (
        "(uint256,uint256)[]",
        "uint256[]",
        "uint256",
        "uint256",
    )


@pytest.mark.parametrize("signature", ["transfer", "f(uint256)[]"])
def test_arguments__malformed__is_refused(signature: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - eth_abi's own words
        abi.arguments(signature)


def test_event_topic__erc20_transfer__is_the_known_hash() -> None:
    known = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert abi.event_topic("Transfer(address,address,uint256)") == known


def test_decode__what_was_encoded__comes_back() -> None:
    values = ((1, 2), [3, -4], "said")
    types = ("(uint256,uint256)", "int256[2]", "string")
    assert abi.decode(types, abi.encode(types, *values)) == ((1, 2), (3, -4), "said")


@pytest.mark.parametrize(
    ("types", "data"),
    [(("uint256",), b""), (("uint256",), b"\1" * 31), (("bool",), b"\2" * 32), (("uint256[]",), b"\xff" * 64)],
)
def test_decode__bytes_of_something_else__is_a_data_error(types: tuple[str, ...], data: bytes) -> None:
    with pytest.raises(DataError, match="that do not decode"):
        abi.decode(types, data)


def test_load__multicall3__has_code_and_abi() -> None:
    artifact = abi.load("Multicall3")
    assert abi.selector("aggregate3((address,bool,bytes)[])") in artifact.runtime
    assert artifact.abi


def test_load__unknown_name__tells_the_owner_to_compile() -> None:
    with pytest.raises(ConfigError, match="no compiled contract Nothing"):
        abi.load("Nothing")


@pytest.mark.parametrize("found", ["no json", json.dumps({"abi": [], "bytecode": "0x"}), '{"abi":1,"bytecode":"0xq"}'])
def test_load__incomplete_file__is_a_config_error(found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "Half.json").write_text(found)
    monkeypatch.setattr(abi.resources, "files", lambda _: tmp_path)
    abi.load.cache_clear()
    with pytest.raises(ConfigError, match="expected abi, bytecode and runtime"):
        abi.load("Half")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no reason given"),
        (bytes.fromhex("08c379a0") + abi.encode(("string",), "vault: paused"), "vault: paused"),
        (bytes.fromhex("08c379a0") + abi.encode(("string",), ""), "no reason given"),
        (bytes.fromhex("4e487b71") + abi.encode(("uint256",), 0x11), "panic 0x11: arithmetic overflow or underflow"),
        (bytes.fromhex("4e487b71") + abi.encode(("uint256",), 0x99), "panic 0x99: unknown"),
        (bytes.fromhex("08c379a0ff"), "custom error 0x08c379a0ff"),
        (bytes.fromhex("12345678") + b"\1", "custom error 0x1234567801"),
    ],
)
def test_reason__every_shape__is_said(data: bytes, said: str) -> None:
    assert reason(data) == said


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, "0x5FbDB2315678afecb367f032d93F642f64180aa3"),
        (1, "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"),
        (127, "0x5fc748f1FEb28d7b76fa1c6B07D8ba2d5535177c"),
        (128, "0xB82008565FdC7e44609fA118A4a681E92581e680"),
        (256, "0x3C1Cb427D20F15563aDa8C249E71db76d7183B6c"),
    ],
)
def test_contract_address__nonces_of_every_length__are_where_chains_create(nonce: int, address: str) -> None:
    assert abi.contract_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", nonce) == address
