"""A Vyper file as text and tree, and one small change to it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from vyper import ast

OPENING, CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Edit:
    """Text from `start` to `end` replaced by `new`."""

    operator: str
    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change that some test should notice. Known by what it does to which line, so that it survives other edits."""

    file: str  # under contracts/
    place: str  # the function; "" outside of all
    operator: str
    was: str  # the lines touched, in one
    now: str
    nth: int  # among those that are alike in all of the above
    lines: tuple[int, int]  # first and last touched
    text: str  # the whole file as changed

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        return self.file, self.place, self.was, self.now, self.nth

    def __str__(self) -> str:
        return f"{self.file}:{self.lines[0]} {self.place or 'module'} [{self.operator}] {self.was}  =>  {self.now}"


class Source:
    """One file. Positions are offsets into its text."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.tree: Any = ast.parse_to_ast(text)
        self._starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    @classmethod
    def read(cls, contracts: Path, file: str) -> "Source":
        return cls(file, (contracts / file).read_text())

    def span(self, node: Any) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def of(self, node: Any) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def line(self, position: int) -> int:
        """The number of the line, from 1."""
        return self.text.count("\n", 0, position) + 1

    @cached_property
    def _functions(self) -> list[tuple[int, int, str]]:
        found = self.tree.get_children(ast.FunctionDef)
        return [(min(n.lineno for n in (f, *f.decorator_list)), f.end_lineno, f.name) for f in found]

    def place(self, line: int) -> str:
        """The function that the line stands in."""
        return next((name for first, last, name in self._functions if first <= line <= last), "")

    def mutants(self, edits: Iterable[Edit]) -> Iterator[Mutant]:
        """One for each edit that changes the text."""
        seen: set[str] = set()
        alike: Counter[tuple[str, ...]] = Counter()
        for edit in edits:
            text = self.text[: edit.start] + edit.new + self.text[edit.end :]
            if text in seen or text == self.text:
                continue
            seen.add(text)
            first, last = self.line(edit.start), self.line(edit.end)
            ends = self._starts[first - 1], self._starts[last]
            was = self.text[ends[0] : ends[1]]
            now = text[ends[0] : ends[1] + len(text) - len(self.text)]
            found = Mutant(
                self.file, self.place(first), edit.operator, _one_line(was), _one_line(now), 0, (first, last), text
            )
            alike[found.key[:4]] += 1
            yield replace(found, nth=alike[found.key[:4]] - 1)


def _one_line(text: str) -> str:
    """Without comments, and any white space as one blank."""
    return " ".join(re.sub(r"\s#.*$", "", text, flags=re.MULTILINE).split())
