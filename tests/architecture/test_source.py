"""The source keeps its own rules, and each rule catches what it is there for."""

import shutil
from pathlib import Path

import pytest

from tests.architecture.source_rules import MOST_FUNCTION_LINES, MOST_LINES, PORTS, PURE_ROOMS, complaints

BOT = Path(__file__).parents[2] / "bot"
Package = tuple[Path, list[str]]


def test_source__as_it_is__keeps_every_rule():
    assert complaints(BOT) == []


def test_source__pure_rooms__all_exist():
    assert [room for room in PURE_ROOMS if not (BOT / room).exists()] == []
    assert (BOT / "core" / PORTS).exists()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A copy of the package to plant violations in, and the complaints it had before."""
    copy = tmp_path_factory.mktemp("source") / "bot"
    shutil.copytree(BOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy, complaints(copy)


def planted(package: Package, name: str, text: str) -> list[str]:
    """New complaints when one file of the copy says this."""
    copy, before = package
    path = copy / name
    original = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        return [said for said in complaints(copy) if said not in before]
    finally:
        path.unlink() if original is None else path.write_text(original)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("async def f(): ...", "not pure: async"),
        ("import os", "not pure: imports os"),
        ("import os.path as p", "not pure: imports os.path"),
        ("from datetime import datetime", "not pure: imports datetime"),
        ("from pathlib import Path", "not pure: imports pathlib"),
        ("import numpy as np; np.random.rand(3)", "not pure: takes chance from numpy"),
        ("import numpy as np; np.random", "not pure: takes chance from numpy"),
        ("open('x')", "not pure: calls open"),
        ("print('x')", "not pure: calls print"),
        ("eval('1')", "not pure: calls eval"),
        ("def f(c): return c.now()", "not pure: calls now"),
        ("def f(p): return p.read_text()", "not pure: calls read_text"),
        ("N = 0\ndef f():\n    global N", "not pure: assigns outside its function"),
        ("def f():\n    n = 0\n    def g():\n        nonlocal n\n    return g", "not pure: assigns outside"),
    ],
)
def test_source__impurity_planted_in_a_pure_room__is_caught(package, line, complaint):
    (said,) = planted(package, "decision/planted.py", f'"""Planted."""\n\n{line}\n')
    assert said.startswith("decision/planted.py:")
    assert complaint in said


@pytest.mark.parametrize("room", [room for room in PURE_ROOMS if not room.endswith(".py")])
def test_source__impurity_planted__is_caught_in_every_pure_room(package, room):
    assert planted(package, f"{room}/planted.py", '"""Planted."""\nimport time\n') == [
        f"{room}/planted.py:2: not pure: imports time"
    ]


def test_source__impurity_planted_in_the_seam__is_caught(package):
    text = (BOT / "propose.py").read_text() + "\nprint('x')\n"
    (said,) = planted(package, "propose.py", text)
    assert said.endswith("not pure: calls print")


def test_source__effects_in_an_outer_room__are_allowed(package):
    assert planted(package, "chain/planted.py", '"""Planted."""\nimport os\n\nasync def f(): open("x")\n') == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("X = 1\n", "no docstring"),
        ('"""Long."""\n' + "\n" * MOST_LINES, f"{MOST_LINES + 1} lines"),
        ('"""Long."""\n\ndef f():\n' + "    0\n" * MOST_FUNCTION_LINES, f"f has {MOST_FUNCTION_LINES + 1} lines"),
        ('"""Long."""\n\nasync def f():\n' + "    0\n" * MOST_FUNCTION_LINES, f"f has {MOST_FUNCTION_LINES + 1} lines"),
    ],
)
def test_source__careless_module_planted__is_caught(package, text, complaint):
    (said,) = planted(package, "chain/planted.py", text)
    assert complaint in said


def test_source__module_and_function_at_the_limit__are_allowed(package):
    function = "def f():\n" + "    0\n" * (MOST_FUNCTION_LINES - 1)
    text = '"""At the limit."""\n' + function
    text += "\n" * (MOST_LINES - len(text.splitlines()))
    assert planted(package, "chain/planted.py", text) == []
