"""The committed artifacts are what the sources compile to, and the build says so when they are not."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boa
import pytest
from eth_utils.abi import collapse_if_tuple
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData

from bot.chain.abi import encode, load
from scripts import build_contracts


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources and artifacts that a test may spoil."""
    for name in ("CONTRACTS", "ARTIFACTS"):
        shutil.copytree(getattr(build_contracts, name), tmp_path / name.lower())
        monkeypatch.setattr(build_contracts, name, tmp_path / name.lower())
    monkeypatch.setattr(build_contracts, "ROOT", tmp_path)
    return tmp_path


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert build_contracts.main(list(arguments)) == 1
    return capsys.readouterr().err


def test_committed_artifacts__against_the_sources__are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_contracts.main(["--check"]) == 0, capsys.readouterr().err


def test_check__changed_source__names_the_stale_artifact(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = copy / "contracts" / "mocks" / "Feed.vy"
    source.write_text(source.read_text().replace("No data present", "No data"))
    before = (copy / "artifacts" / "Feed.json").read_text()
    said = complaint(capsys, "--check", "Token", "Feed")
    assert said == "Feed: artifacts/Feed.json is stale; run python scripts/build_contracts.py and commit the result\n"
    assert (copy / "artifacts" / "Feed.json").read_text() == before


def test_check__changed_import__is_stale_too(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = copy / "contracts" / "mocks" / "erc20.vy"
    module.write_text(module.read_text() + "\n# a comment\n")
    assert "Token.json is stale" in complaint(capsys, "--check", "Token")


def test_check__edited_or_missing_artifact__is_stale(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "artifacts" / "Feed.json"
    artifact = json.loads(path.read_text())
    artifact["bytecode"] = artifact["bytecode"][:-2] + "00"
    path.write_text(build_contracts.artifact_text(artifact))
    assert "Feed.json is stale" in complaint(capsys, "--check", "Feed")
    path.unlink()
    assert "Feed.json is stale" in complaint(capsys, "--check", "Feed")


def test_build__stale_artifact__is_made_current(copy: Path) -> None:
    (copy / "artifacts" / "Feed.json").write_text("{}")
    assert build_contracts.main(["Feed"]) == 0
    assert build_contracts.main(["--check", "Feed"]) == 0


def test_build__broken_source__builds_the_others_and_keeps_its_artifact(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "contracts" / "mocks" / "Token.vy").write_text("# pragma version 0.4.3\nnonsense\n")
    before = (copy / "artifacts" / "Token.json").read_text()
    (copy / "artifacts" / "Feed.json").unlink()
    said = complaint(capsys, "Token", "Feed")
    assert said.startswith("Token: contracts/mocks/Token.vy does not compile, its artifact stays as it is: ")
    assert (copy / "artifacts" / "Token.json").read_text() == before
    assert (copy / "artifacts" / "Feed.json").exists()


def test_check__code_beyond_the_limit__says_how_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_contracts, "CODE_LIMIT", 100)
    found = len(load("Feed").runtime)
    expected = f"Feed: expected at most 100 bytes of runtime code, found {found}; make it smaller\n"
    assert complaint(capsys, "--check", "Feed") == expected


def test_compile__from_another_directory__gives_the_same_bytes(copy: Path) -> None:
    text = build_contracts.artifact_text(build_contracts.compile_contract("mocks/Feed.vy"))
    assert text == (copy / "artifacts" / "Feed.json").read_text()


def test_interface__of_the_vault__is_part_of_what_the_vault_is() -> None:
    bundle = FilesystemInputBundle([build_contracts.CONTRACTS])
    source = CompilerData(bundle.load_file("interfaces/IVault.vyi"), bundle)
    stated = signatures(source.annotated_vyper_module._metadata["type"].interface.to_toplevel_abi_dict())
    found = signatures(load("Vault").abi)
    assert stated == {name: found[name] for name in stated}
    assert len(stated) > 15


def signatures(abi: Iterable[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    """What each function takes, gives and may do; of one with a default, the whole of it."""
    parts = [entry for entry in abi if entry["type"] == "function"]
    parts.sort(key=lambda entry: len(entry["inputs"]))
    return {
        entry["name"]: (kinds(entry["inputs"]), kinds(entry["outputs"]), entry["stateMutability"]) for entry in parts
    }


def kinds(values: list[dict[str, Any]]) -> list[str]:
    return [collapse_if_tuple(value) for value in values]


@pytest.mark.parametrize(
    ("name", "types", "arguments", "asked"),
    [
        ("Token", ("string", "string", "uint8"), ("USD Coin", "USDC", 6), ("symbol", "USDC")),
        ("Feed", ("uint8", "string"), (8, "ETH / USD"), ("description", "ETH / USD")),
    ],
)
def test_mock__code_copied_to_another_address__keeps_what_its_constructor_was_given(
    name: str, types: tuple[str, ...], arguments: tuple[Any, ...], asked: tuple[str, str]
) -> None:
    artifact = load(name)
    with boa.env.anchor():
        _, code = boa.env.deploy_code(bytecode=artifact.bytecode + encode(types, *arguments))
        assert code.startswith(artifact.runtime)
        elsewhere = boa.env.generate_address("elsewhere")
        boa.env.set_code(elsewhere, code)
        copied = boa.loads_abi(json.dumps(artifact.abi), name=name).at(elsewhere)
        question, answer = asked
        assert getattr(copied, question)() == answer
        assert copied.decimals() == next(each for each in arguments if isinstance(each, int))
