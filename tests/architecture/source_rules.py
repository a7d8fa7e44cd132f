"""Rules of the source that no linter has: purity, size, an introduction to each module."""

import ast
from collections.abc import Iterator
from pathlib import Path

PURE_ROOMS = ("core", "amm", "policy", "decision", "planning", "risk", "ledger", "propose.py")
PURE_IMPORTS = {  # all that a pure room may import; what is not here has to argue its case
    "__future__",
    "bisect",
    "bot",
    "collections",
    "dataclasses",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "itertools",
    "math",
    "numpy",
    "operator",
    "pydantic",
    "scipy",
    "statistics",
    "types",
    "typing",
}
EFFECTS = {  # called as a function or a method: files, clocks, chance, the console, code from data
    "open",
    "print",
    "input",
    "eval",
    "exec",
    "__import__",
    "now",
    "today",
    "utcnow",
    "read_text",
    "write_text",
    "load",
    "loadtxt",
    "save",
    "savetxt",
    "fromfile",
    "tofile",
    "default_rng",
}
PORTS = "ports.py"  # in core: describes the outside, so it may say `async`
MOST_LINES = 400
MOST_FUNCTION_LINES = 59


def complaints(bot: Path) -> list[str]:
    """Everything in the package that breaks a rule, as `core/units.py:12: what`."""
    found = []
    for path in sorted(bot.rglob("*.py")):
        name, text = path.relative_to(bot).as_posix(), path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        broken = [*_size(tree, text)]
        if name.split("/")[0] in PURE_ROOMS:
            broken += _purity(tree, may_await=path.name == PORTS)
        found += [f"{name}:{line}: {what}" for line, what in broken]
    return found


def _size(tree: ast.Module, text: str) -> Iterator[tuple[int, str]]:
    if not ast.get_docstring(tree):
        yield 1, "no docstring saying what the module is for"
    lines = len(text.splitlines())
    if lines > MOST_LINES:
        yield lines, f"{lines} lines, at most {MOST_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines, at most {MOST_FUNCTION_LINES}"


def _purity(tree: ast.Module, *, may_await: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for what in _impurities(node, may_await):
            yield node.lineno, f"not pure: {what}"


def _impurities(node: ast.AST, may_await: bool) -> Iterator[str]:
    match node:
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith() if not may_await:
            yield "async"
        case ast.Global() | ast.Nonlocal():
            yield "assigns outside its function"
        case ast.Import(names=names):
            yield from (f"imports {n.name}" for n in names if n.name.split(".")[0] not in PURE_IMPORTS)
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] not in PURE_IMPORTS:
            yield f"imports {module}"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in EFFECTS:
            yield f"calls {name}"
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random"):
            yield "takes chance from numpy"
