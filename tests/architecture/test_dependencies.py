"""What we install: everything locked by hash, from nowhere in particular; and the daemon without the workshop."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = re.findall(
    r"^([a-z0-9-]+)==\S+(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", LOCK, re.M
)
WORKSHOP = {"eth-ape", "ape-foundry", "ape-vyper", "vyper", "titanoboa", "pytest", "hypothesis", "mypy", "ruff"}


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def closure(roots: set[str]) -> set[str]:
    """Everything that these need, without their extras."""
    found, waiting = set(), set(roots)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for line in metadata.requires(name) or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting |= {canonicalize_name(wanted.name)} - found
    return found


def test_lock__every_line__is_a_pin_with_its_hashes():
    rest = LOCK
    for name, hashes in LOCKED:
        start = re.search(rf"^{re.escape(name)}==.*\n", rest, re.M)
        assert start is not None
        rest = rest.replace(start.group() + hashes, "", 1)
    assert [line for line in rest.splitlines() if line and not line.startswith("#")] == []


def test_lock__sources__are_not_named():
    assert re.findall(r"https?:|file:|--index|--extra-index|--find-links|--trusted-host| @ ", LOCK) == []


def test_lock__everything_we_ask_for__is_in_it():
    asked = names(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        asked |= names(extra)
    assert asked - {name for name, _ in LOCKED} - {"evenkeel"} == set()


def test_runtime_dependencies__and_all_they_need__are_free_of_the_workshop():
    needed = closure(names(PROJECT["dependencies"]))
    assert "web3" in needed
    assert needed & WORKSHOP == set()
