"""Compile a copy of the contracts with one file changed, fast, and let the tests of this process stand on it."""

import gc
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import boa
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.output import build_abi_output
from vyper.compiler.phases import CompilerData
from vyper.compiler.settings import OptimizationLevel, Settings
from vyper.warnings import VyperWarning

from scripts import build_contracts
from tests.contracts import market
from tests.contracts.modes.session import CODE_LIMIT
from tests.contracts.vault import world

Codes = dict[str, bytes]  # creation code by target

CONTRACTS = build_contracts.CONTRACTS
TARGETS = ("Vault.vy", "Charter.vy")  # what mutants are of; with the modules
QUICK = "none"  # not optimised: a third of the time. What the tests see is the same, and test_modes.py holds that.
PRAGMA = re.compile(r"(?m)^# pragma optimize .*$")


def compiled(contracts: Path, target: str, optimize: str | None = None) -> CompilerData:
    """One contract; `optimize` in place of the level that its source asks for. VyperException when it does not fit."""
    bundle = FilesystemInputBundle([contracts])
    file, settings = bundle.load_file(target), None
    if optimize:
        file = replace(file, contents=PRAGMA.sub("#", file.contents))  # every line stays where it is
        settings = Settings(optimize=OptimizationLevel.from_string(optimize))
    return CompilerData(file, bundle, settings, no_bytecode_metadata=True)  # metadata would differ with any comment


def creation(contracts: Path, optimize: str | None = None, targets: tuple[str, ...] = TARGETS) -> Codes:
    """Creation code of these."""
    with quietly():
        return {target: bytes(compiled(contracts, target, optimize).bytecode) for target in targets}


@contextmanager
def quietly() -> Iterator[None]:
    """No warnings, and no garbage collection: it would look through millions of live nodes."""
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VyperWarning)
            yield
    finally:
        gc.enable()


def copy(directory: Path, file: str, text: str) -> Path:
    """All contracts, with this text in one file."""
    found = Path(shutil.copytree(CONTRACTS, directory / "contracts"))
    (found / file).write_text(text)
    return found


@cache
def made_of(target: str) -> frozenset[str]:
    """The file and all modules that it stands on."""
    found, waiting = set(), [target]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            names = re.findall(r"(?m)^from modules import (\w+)", (CONTRACTS / file).read_text())
            waiting += [f"modules/{name}.vy" for name in names]
    return frozenset(found)


def targets_of(file: str) -> tuple[str, ...]:
    """Those that a change of a file may change."""
    return tuple(target for target in TARGETS if file in made_of(target))


@cache
def original() -> dict[str, dict[str, Any]]:
    """The targets as they are, not optimised; their ABIs are every mutant's too."""
    found = {}
    for target in TARGETS:
        with quietly():
            data = compiled(CONTRACTS, target, QUICK)
            found[target] = {"abi": build_abi_output(data), "bytecode": "0x" + data.bytecode.hex()}
    return found


def install(contracts: Path, codes: Codes) -> None:
    """From here on the tests of this process deploy this code, and read contracts there."""
    sources = {target: original()[target] | {"bytecode": "0x" + code.hex()} for target, code in codes.items()}
    compile_any, mocks = build_contracts.compile_contract, market._compiled

    def compile_contract(source: str) -> dict[str, object]:
        ours = source in sources and contracts == build_contracts.CONTRACTS  # a test may have put others in their place
        return sources[source] if ours else compile_any(source)

    @cache
    def load(source: str) -> Any:
        if source.startswith("mocks/"):
            return mocks(source)
        boa.interpret.set_search_paths([str(contracts)])
        return boa.load_partial(str(contracts / source))

    changes = {id(compile_any): compile_contract, id(mocks): load}
    for module in _modules():
        for name, value in list(vars(module).items()):
            if name == "CONTRACTS":
                module.CONTRACTS = contracts
            elif id(value) in changes:
                setattr(module, name, changes[id(value)])
    for source in (world.vault_source, world.charter_source):
        source.cache_clear()
    boa.env.evm.patch.code_size_limit = CODE_LIMIT


def _modules() -> list[Any]:
    """All that reads contracts, but these rooms."""
    rooms, ours = ("tests.contracts.", "scripts."), __name__.rpartition(".")[0]
    return [m for name, m in sys.modules.items() if name.startswith(rooms) and not name.startswith(ours)]


def warm() -> Codes:
    """Do once, before forking, what every mutant needs and none changes; the code of the targets as they are."""
    codes = {target: bytes.fromhex(source["bytecode"][2:]) for target, source in original().items()}
    install(CONTRACTS, codes)
    with boa.env.anchor():
        world.build()
    gc.collect()
    gc.freeze()
    return codes
