"""Compile the contracts into the committed artifacts of bot/chain/artifacts, or check that those are current.

python scripts/build_contracts.py [--check] [NAME ...]
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.exceptions import VyperException
from vyper.warnings import ContractSizeLimit

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "bot" / "chain" / "artifacts"
SOURCES = {
    "Token": "mocks/Token.vy",
    "Feed": "mocks/Feed.vy",
    "Vault": "Vault.vy",
    "Charter": "Charter.vy",
    "Zap": "Zap.vy",
    "Lens": "Lens.vy",
}
CODE_LIMIT = 24_576  # bytes of runtime code, EIP-170


def compile_contract(source: str) -> dict[str, object]:
    """Compile one file under contracts/ with the settings of its own pragmas; the result depends on sources only.

    `runtime` lacks the immutables, which the constructor appends. `source_sha256` is Vyper's integrity sum: over the
    file and everything it imports. VyperException when it does not compile; OSError when it is not there.
    """
    bundle = FilesystemInputBundle([CONTRACTS])
    formats = ("abi", "bytecode", "bytecode_runtime", "integrity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ContractSizeLimit)  # `build` says it better
        output = compile_from_file_input(bundle.load_file(source), bundle, output_formats=formats)
    return {
        "abi": output["abi"],
        "bytecode": output["bytecode"],
        "runtime": output["bytecode_runtime"],
        "source_sha256": output["integrity"],
    }


def artifact_text(artifact: dict[str, object]) -> str:
    """The artifact as the committed file spells it."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def code_size(artifact: dict[str, object]) -> int:
    """Bytes of runtime code before immutables."""
    return len(str(artifact["runtime"])) // 2 - 1


def build(name: str, check: bool) -> str | None:
    """Compile one contract and write its artifact (`check`: compare instead); the complaint, or None."""
    try:
        artifact = compile_contract(SOURCES[name])
    except (VyperException, OSError) as error:
        return f"{name}: contracts/{SOURCES[name]} does not compile, its artifact stays as it is: {error}"
    path, text, size = ARTIFACTS / f"{name}.json", artifact_text(artifact), code_size(artifact)
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{name}: {size} bytes of {CODE_LIMIT}\n")
    elif not path.exists() or path.read_text() != text:
        return f"{name}: {path.relative_to(ROOT)} is stale; run python scripts/build_contracts.py and commit the result"
    if size > CODE_LIMIT:
        return f"{name}: expected at most {CODE_LIMIT} bytes of runtime code, found {size}; make it smaller"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Build or check; 1 when anything is wrong, after doing all that can be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOURCES)}; all when none is given")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when an artifact is stale")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(SOURCES)):
        parser.error(f"unknown contract {', '.join(unknown)}; known are {', '.join(SOURCES)}")
    complaints = [said for name in options.names or SOURCES if (said := build(name, options.check))]
    for said in complaints:
        sys.stderr.write(said + "\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
