"""Which tests run which lines of the vault, so that a mutant meets only tests that could notice it."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from boa.vm.py_evm import PyEVM
from vyper import ast
from vyper.compiler.phases import CompilerData
from vyper.ir.compile_ir import assembly_to_evm_with_symbol_map

from tests.contracts.mutation.source import Mutant

Line = tuple[str, str, int]  # file, function, number
START = 1_000  # bytes that tell one contract from another; what follows holds metadata or immutables
ALONE = {"modules/maths.vy": "test_maths.py"}  # modules that a file of tests compiles by themselves


@dataclass(frozen=True, slots=True)
class Reached:
    """Of one test: what it runs of the vault, how long it takes, and whether it passes without any mutant."""

    test: str
    lines: frozenset[Line]
    seconds: float
    passes: bool


@dataclass
class Map:
    """Of one contract: lines by place in the code, when it is made and once it is deployed."""

    code: bytes
    creation: dict[int, Line]
    deployed: dict[int, Line]

    @classmethod
    def of(cls, data: CompilerData, root: PurePath) -> "Map":
        return cls(bytes(data.bytecode), _lines(data.assembly, root), _lines(data.assembly_runtime, root))

    def lines(self, code: bytes, creates: bool) -> dict[int, Line] | None:
        """None where the code is another's."""
        if creates:
            return self.creation if code[:START] == self.code[:START] else None
        return self.deployed if code and code[:START] in self.code else None


def _lines(assembly: list[Any], root: PurePath) -> dict[int, Line]:
    _, maps, _ = assembly_to_evm_with_symbol_map(assembly)
    found = {}
    for pc, node in maps["pc_raw_ast_map"].items():
        path = PurePath(node.module_node.resolved_path)
        if path.is_relative_to(root):
            function = node.get_ancestor(ast.FunctionDef) or node
            found[pc] = (path.relative_to(root).as_posix(), getattr(function, "name", ""), node.lineno)
    return found


@dataclass
class Trace:
    """Lines run while it listens."""

    maps: Sequence[Map]
    lines: set[Line] = field(default_factory=set)

    @contextmanager
    def listening(self) -> Iterator[None]:
        calls = {name: getattr(PyEVM, name) for name in ("execute_code", "deploy_code")}

        def heard(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any, **named: Any) -> Any:
                computation = call(*arguments, **named)
                self._walk(computation)
                return computation

            return run

        for name, call in calls.items():
            setattr(PyEVM, name, heard(call))
        try:
            yield
        finally:
            for name, call in calls.items():
                setattr(PyEVM, name, call)

    def _walk(self, computation: Any) -> None:
        places = self._places(computation.msg)
        if places:
            self.lines |= {places[pc] for pc in set(computation.code._trace) & places.keys()}
        for child in computation.children:
            self._walk(child)

    def _places(self, message: Any) -> dict[int, Line]:
        found = (each.lines(bytes(message.code), message.is_create) for each in self.maps)
        return next((lines for lines in found if lines is not None), {})

    def reached(self, test: str, run: Callable[[], bool]) -> Reached:
        """Of this test alone."""
        self.lines = set()
        start = time.monotonic()
        with self.listening():
            passes = run()
        return Reached(test, frozenset(self.lines), time.monotonic() - start, passes)


@dataclass(frozen=True)
class Reach:
    """What all the tests reach; `always` is what every test needs: the world is made with it."""

    tests: tuple[Reached, ...]
    always: frozenset[Line]

    def order(self, mutant: Mutant, texts: dict[str, str]) -> list[str]:
        """The tests that could notice, likely ones first: those that run its lines, its function, and what follows."""
        lines = self._lines_of(mutant, texts)
        places = {line[:2] for line in lines}
        alone = ALONE.get(mutant.file, "-")

        def rank(test: Reached) -> int | None:
            if test.lines & lines or alone in test.test:
                return 0
            if places & {line[:2] for line in test.lines}:
                return 1
            return 2 if not lines or places & {line[:2] for line in self.always} else None

        ranked = [(rank(test), test.seconds, test.test) for test in self.tests if test.passes]
        return [test for _, _, test in sorted(each for each in ranked if each[0] is not None)]

    def _lines_of(self, mutant: Mutant, texts: dict[str, str]) -> set[Line]:
        """The lines that a mutant changes; of a constant, those that name it. None where it could be any."""
        if mutant.place:
            return {(mutant.file, mutant.place, n) for n in range(mutant.lines[0], mutant.lines[1] + 1)}
        constant = re.match(r"([A-Z0-9_]+): constant", mutant.was)
        if not constant:
            return set()
        every = {line for test in self.tests for line in test.lines} | self.always
        module = PurePath(mutant.file).stem
        own, outside = re.compile(rf"(?<!\.)\b{constant[1]}\b"), re.compile(rf"\b{module}\.{constant[1]}\b")
        split = {file: text.splitlines() for file, text in texts.items()}
        return {
            line
            for line in every
            if line[0] in split and (own if line[0] == mutant.file else outside).search(split[line[0]][line[2] - 1])
        }
