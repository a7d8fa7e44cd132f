"""The rooms import downwards only, keys and compilers stay where they belong; and import-linter sees every breach."""

import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS, PURE, KEYS, TOOLS, _ = CONTRACTS
# Upper rooms by their lower ones: "chain" may not import "venues". Rooms of one layer may not import each other.
STOREYS = [[room for room in layer.split(" | ") if not room.startswith("(")] for layer in LAYERS["layers"]]
UPWARDS = [(lower, upper[0]) for upper, layer in pairwise(STOREYS) for lower in layer]
SIDEWAYS = [(room, layer[0]) for layer in STOREYS for room in layer[1:]]


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and words of import-linter on the package in that folder."""
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def copy_into(folder: Path) -> Path:
    """The package and the contracts, to break."""
    shutil.copytree(ROOT / "bot", folder / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_into(tmp_path)


def plant(folder: Path, module: str, line: str) -> None:
    """Add a line to a module: of a room that is a package, to a new module `planted` in it."""
    path = folder / module.replace(".", "/")
    file = path / "planted.py" if path.is_dir() else path.with_suffix(".py")
    with file.open("a") as source:
        source.write(f"\n{line}\n")


def planted_name(folder: Path, module: str) -> str:
    return f"{module}.planted" if (folder / module.replace(".", "/")).is_dir() else module


def test_layers__as_they_are__hold():
    code, said = lint(ROOT)
    assert code == 0, said
    assert "0 broken" in said


def test_layers__import_upwards_or_sideways_planted_in_each_room__all_are_caught(copy):
    for room, forbidden in UPWARDS + SIDEWAYS:
        plant(copy, f"bot.{room}", f"import bot.{forbidden}")
    code, said = lint(copy)
    assert code == 1
    names = [(planted_name(copy, f"bot.{room}"), f"bot.{forbidden}") for room, forbidden in UPWARDS + SIDEWAYS]
    assert [pair for pair in names if f"{pair[0]} -> {pair[1]} (l." not in said] == []


def test_layers__room_nobody_placed__is_caught(copy):
    (copy / "bot" / "attic.py").write_text('"""A room that no layer lists."""\n')
    code, said = lint(copy)
    assert code == 1
    assert "attic" in said


FORBIDDEN = [(PURE, PURE["source_modules"]), (KEYS, ["bot.cli", "bot.execution", "bot.chain"]), (TOOLS, ["bot.chain"])]


@pytest.fixture(scope="module")
def forbidden_imports_planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy with every forbidden import in every room that may not have it, and what import-linter says to it."""
    folder = copy_into(tmp_path_factory.mktemp("forbidden"))
    for contract, rooms in FORBIDDEN:
        for room in rooms:
            plant(folder, room, "\n".join(f"import {module}" for module in contract["forbidden_modules"]))
    code, said = lint(folder)
    assert code == 1
    return folder, said


@pytest.mark.parametrize(("contract", "rooms"), FORBIDDEN, ids=["pure", "keys", "tools"])
def test_layers__every_forbidden_import_planted__all_are_caught(forbidden_imports_planted, contract, rooms):
    folder, said = forbidden_imports_planted
    assert f"{contract['name']} BROKEN" in said
    missed = [
        (room, module)
        for room in rooms
        for module in contract["forbidden_modules"]
        if f"{planted_name(folder, room)} -> {module} (l." not in said
    ]
    assert missed == []


def test_layers__cycle_planted_inside_a_room__is_caught(copy):
    for one, other in (("hen", "egg"), ("egg", "hen")):
        (copy / "bot" / "chain" / f"{one}.py").write_text(f'"""Planted."""\nimport bot.chain.{other}\n')
    code, said = lint(copy)
    assert code == 1
    assert "No cycles anywhere BROKEN" in said
    assert "hen" in said
