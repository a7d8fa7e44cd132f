"""The mutants are small mistakes, each is caught, and the harness knows one that is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.build_contracts import CONTRACTS
from tests.contracts.mutation import build
from tests.contracts.mutation.campaign import equivalent, mutants
from tests.contracts.mutation.operators import edits
from tests.contracts.mutation.reach import Map
from tests.contracts.mutation.source import Source

ROOT = Path(__file__).parents[3]
HOURS = 6


def changes(text: str, operator: str) -> set[str]:
    """What an operator makes of the last line."""
    source = Source("A.vy", text)
    return {mutant.now for mutant in source.mutants(edits(source)) if mutant.operator == operator}


@pytest.mark.parametrize(
    ("line", "operator", "expected"),
    [
        ("assert a < b", "comparison", {"assert a <= b"}),
        ("assert (a + b) >= c", "comparison", {"assert (a + b) > c"}),
        ("assert a == b", "comparison", {"assert a != b"}),
        ("x = a - b * c", "arithmetic", {"x = a + b * c", "x = a - b // c"}),
        ("x = a >> 8 | b", "arithmetic", {"x = a << 8 | b", "x = a >> 8 & b"}),
        ("self.x += a", "arithmetic", {"self.x -= a", "self.x = a"}),
        ("x = ~a", "unary", {"x = a"}),
        ("x = a + 7", "number", {"x = a + 8"}),
        ("x = a * 10**18", "number", {f"x = a * {10**18 + 1}"}),
        ("x = a[1]", "number", {"x = a[0]", "x = a[2]"}),
        ("x = f(a, flag=True)", "truth", {"x = f(a, flag=False)"}),
        ("assert a or b", "connective", {"assert a and b"}),
        ("assert a and b", "operand", {"assert a", "assert b"}),
        ("x = min(a, b)", "bound", {"x = a", "x = b"}),
        ("x = min(a, b)", "name", {"x = max(a, b)"}),
        ("x = maths._mul_div_up(a, b, c)", "name", {"x = maths._mul_div(a, b, c)"}),
        ("x = maths._mul_div(a, b, c)", "order", {"x = maths._mul_div(a, c, b)"}),
        ("x = f(a, b)", "order", {"x = f(b, a)"}),
        ("log E(one=a, two=b)", "order", {"log E(one=b, two=a)"}),
        ("return [a, b]", "order", {"return [b, a]"}),
        ("self.x = a", "deletion", {"pass"}),
        ("log E(one=a)", "deletion", {"pass"}),
        ("return a", "nothing", {"return empty(uint256)"}),
        ("x: uint256[4] = empty(uint256[4])", "number", set()),
    ],
)
def test_operator__one_line__becomes(line: str, operator: str, expected: set[str]) -> None:
    assert changes(f"@internal\ndef f() -> uint256:\n    {line}\n", operator) == expected


def test_operator__guard__is_deleted_whole_and_its_refusal_is_not_deleted_again() -> None:
    text = "@internal\ndef f():\n    if a > b:\n        refuse._with(refuse.A)\n"
    assert changes(text, "deletion") == {"pass"}
    assert changes(text, "negation") == set()
    assert changes(text.replace("refuse._with(refuse.A)", "self.x = 1"), "negation") == {"if not (a > b):"}


def test_operator__lock__is_taken_away() -> None:
    text = "# pragma nonreentrancy on\n@external\n@reentrant\ndef f():\n    pass\n"
    assert changes(text, "lock") == {"@external", "def f():"}


def test_mutants__known_to_be_equivalent__are_mutants_still_and_have_a_reason() -> None:
    known = equivalent()
    assert set(known) <= {mutant.key for mutant in mutants()}
    assert all(known.values())


def test_mutants__each_has_a_key_of_its_own() -> None:
    found = mutants()
    assert len({mutant.key for mutant in found}) == len(found) > 1_000


@pytest.mark.parametrize("target", build.TARGETS)
def test_reach__every_line_of_the_code__stands_in_the_function_it_is_said_to(target: str) -> None:
    """A line beside the right one would send a mutant to the wrong tests."""
    with build.quietly():
        places = Map.of(build.compiled(CONTRACTS, target, build.QUICK), CONTRACTS)
    sources = {file: Source.read(CONTRACTS, file) for file in build.made_of(target)}

    def stands(file: str, function: str, number: int) -> bool:
        made = f"{function}: public(" in sources[file].text.splitlines()[number - 1]  # a getter, by the compiler
        return made or sources[file].place(number) == function

    lines = {*places.creation.values(), *places.deployed.values()}
    assert len(lines) > 200
    assert [line for line in lines if line[1] and not stands(*line)] == []


def ran(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.contracts.mutation", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


def test_vault__few_mutants__are_killed_by_the_tests_that_should() -> None:
    done = ran("--named", "--jobs", "1", seconds=600)
    assert done.returncode == 0, done.stdout + done.stderr[-2_000:]


@pytest.mark.deep
def test_vault__every_mutant__is_killed_or_known_to_be_equivalent() -> None:
    done = ran(seconds=HOURS * 3_600)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-2_000:]
