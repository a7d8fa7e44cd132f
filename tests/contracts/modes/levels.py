"""Vault and charter compiled at a level of optimisation, whatever level their sources ask for."""

import re
from dataclasses import replace
from pathlib import Path

from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData

from tests.contracts.mutation.build import quietly

VAULT, CHARTER = "Vault.vy", "Charter.vy"
LEVELS = ("none", "gas", "codesize")
DEFAULT = "gas"  # the compiler's, where a source asks for none
PRAGMA = re.compile(r"(?m)^# pragma optimize (.*)\n")


def level_of(text: str) -> str:
    """The level that a source is shipped at."""
    found = PRAGMA.search(text)
    return found[1] if found else DEFAULT


def creation(contracts: Path, target: str, level: str) -> bytes:
    """Creation code of one of the two."""
    bundle = FilesystemInputBundle([contracts])
    file = bundle.load_file(target)
    version, rest = PRAGMA.sub("", file.contents).split("\n", 1)
    file = replace(file, contents=f"{version}\n# pragma optimize {level}\n{rest}")
    with quietly():
        return bytes(CompilerData(file, bundle, no_bytecode_metadata=True).bytecode)
