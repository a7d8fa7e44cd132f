"""What can be read off the source and the bytecode: reasons, locks, size, and what must never appear."""

import re
from pathlib import Path
from typing import Any

import pytest
from vyper import ast
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData

from tests.contracts.market import CONTRACTS
from tests.contracts.vault.world import charter_source, vault_source

MODULES = sorted((CONTRACTS / "modules").glob("*.vy"))
FILES = [CONTRACTS / "Vault.vy", CONTRACTS / "Charter.vy", *MODULES]
CODE_LIMIT = 24_576  # EIP-170: runtime code and immutables
INIT_LIMIT = 49_152  # EIP-3860
IMMUTABLES = {  # name and symbol of 32 bytes each with their lengths, charter and sequencer; vault and delay
    "Vault": 192,
    "Charter": 64,
}
MAY_BE_REENTERED = {"uniswapV3SwapCallback", "uniswapV3MintCallback"}


def parsed(path: Path) -> Any:
    return ast.parse_to_ast(path.read_text(), module_path=str(path), resolved_path=str(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_source__has_no_raw_call_delegatecall_loop_without_bound_or_allowance(path: Path) -> None:
    for call in parsed(path).get_descendants(ast.Call):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        assert name not in {"raw_call", "raw_create", "create_from_blueprint", "send", "selfdestruct", "approve"}, name
    assert "delegate" not in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_source__every_external_function_is_locked_but_the_callbacks(path: Path) -> None:
    tree = parsed(path)
    external, open_ = set(), set()
    for function in tree.get_children(ast.FunctionDef):
        decorators = {node.id for node in function.decorator_list}
        if "external" in decorators:
            external.add(function.name)
        if "reentrant" in decorators:
            open_.add(function.name)
    assert open_ == (MAY_BE_REENTERED if path.name == "venues.vy" else set())
    if external or re.search(r"public\((?!immutable|constant)", path.read_text()):
        assert "# pragma nonreentrancy on\n" in path.read_text()


@pytest.mark.parametrize("name", ["Vault", "Charter"])
def test_bytecode__every_function_but_the_callbacks_holds_the_lock(name: str) -> None:
    """Asked of the compiler, so that a pragma that stopped working would show."""
    bundle = FilesystemInputBundle([CONTRACTS])
    compiled = CompilerData(bundle.load_file(f"{name}.vy"), bundle)
    functions = compiled.annotated_vyper_module._metadata["type"].exposed_functions
    without = {f.name for f in functions if not f.nonreentrant}
    constants = {"decimals", "name", "symbol", "charter", "sequencer", "vault", "delay_s"}  # they touch no storage
    assert without - constants == (MAY_BE_REENTERED if name == "Vault" else set())


def test_reasons__are_the_text_beside_them() -> None:
    source = (CONTRACTS / "modules" / "refuse.vy").read_text()
    reasons = re.findall(r"^([A-Z0-9_]+): constant\(bytes32\) = (0x[0-9a-f]{64})  # (.+)$", source, re.MULTILINE)
    assert len(reasons) == source.count("constant(bytes32)") > 50
    for name, word, text in reasons:
        assert bytes.fromhex(word[2:]).lstrip(b"\0").decode() == text == text.lower()
        assert name == text.upper().replace(": ", "_").replace(" ", "_")
        assert re.search(rf"refuse\.{name}\b", "".join(path.read_text() for path in FILES)), f"{name} is never given"
        assert any(f'"{text}"' in path.read_text() for path in Path(__file__).parent.glob("test_*.py")), (
            f"{text}: untested"
        )
    assert [name for name, *_ in reasons] == sorted(name for name, *_ in reasons)


@pytest.mark.parametrize("name", ["Vault", "Charter"])
def test_code__fits_with_its_immutables(name: str) -> None:
    source = {"Vault": vault_source, "Charter": charter_source}[name]()
    assert (len(source["runtime"]) - 2) // 2 + IMMUTABLES[name] <= CODE_LIMIT
    assert (len(source["bytecode"]) - 2) // 2 <= INIT_LIMIT * 9 // 10  # the constructor's arguments count too


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_source__functions_fit_a_screen_and_files_five_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 500
    for function in parsed(path).get_children(ast.FunctionDef):
        assert function.end_lineno - function.lineno < 80, function.name


def constants() -> dict[str, int]:
    """Every integer constant of the vault, its charter and their modules: "module.NAME"."""
    found = {}
    for path in FILES:
        for name, value in re.findall(
            r"^([A-Z0-9_]+): constant\(uint256\) = ([0-9_*]+)\b", path.read_text(), re.MULTILINE
        ):
            base, _, power = value.replace("_", "").partition("**")
            found[f"{path.stem}.{name}"] = int(base) ** int(power or 1)
    return found


def test_documentation__table_of_limits_has_the_numbers_of_the_code() -> None:
    page = (CONTRACTS.parent / "docs" / "vault.md").read_text()
    rows = re.findall(r"^\| .+? \| ([0-9,]+)[^|]* \| `([A-Za-z]+\.[A-Z0-9_]+)` \|$", page, re.MULTILINE)
    stated = {name: int(number.replace(",", "")) for number, name in rows}
    code = constants()
    assert stated == {name: code[name] for name in stated}
    bounds = {name for name in code if re.search(r"\.((MOST|LEAST|MAX|OPEN)_|LOCKED$|RECORD_AGE|GRACE)", name)}
    assert bounds - set(stated) == {"maths.MAX_TICK", "layout.MAX_AGE"}  # a tick, and where a field begins


def test_documentation__names_every_external_function() -> None:
    page = (CONTRACTS.parent / "docs" / "vault.md").read_text()
    getters = {
        "DOMAIN_SEPARATOR",
        "allowance",
        "approve",
        "balanceOf",
        "decimals",
        "name",
        "nonces",
        "symbol",
        "totalSupply",
        "transfer",
        "transferFrom",
    }
    callbacks = MAY_BE_REENTERED
    for entry in vault_source()["abi"] + charter_source()["abi"]:
        if entry["type"] == "function" and entry["name"] not in getters | callbacks:
            assert re.search(rf"\b{entry['name']}\b", page), f"docs/vault.md does not say what {entry['name']} does"
