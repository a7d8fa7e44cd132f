"""Small mistakes that a programmer could make, one generator of edits for each kind."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from vyper import ast

from tests.contracts.mutation.source import Edit, Source

Operator = Callable[[Source, Any], Iterator[Edit]]

BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}
NAMES = {
    "_mul_div": "_mul_div_up",
    "_mul_div_up": "_mul_div",
    "unsafe_add": "unsafe_sub",
    "unsafe_sub": "unsafe_add",
    "unsafe_mul": "unsafe_div",
    "unsafe_div": "unsafe_mul",
    "max": "min",
    "min": "max",
}
COMMUTE = {"max", "min", "unsafe_add", "unsafe_mul", "uint256_mulmod", "uint256_addmod", "_mul_div", "_mul_div_up"}
FIXED = {"range", "convert", "empty", "method_id", "max_value", "min_value"}  # whose arguments are types or bounds
FINE = 2**40  # of the factors of a ratio
TOKEN = re.compile(r"//|\*\*|<<|>>|[<>=!]=|[-+*%&|^<>]")


def between(source: Source, left: Any, right: Any, new: str, operator: str) -> Iterator[Edit]:
    """Replace the operator that stands between two operands."""
    start, end = source.span(left)[1], source.span(right)[0]
    for found in TOKEN.finditer(source.text, start, end):
        yield Edit(operator, *found.span(), new)


def swapped(source: Source, first: Any, second: Any, operator: str) -> Iterator[Edit]:
    (start, a), (b, end) = source.span(first), source.span(second)
    if source.of(first) != source.of(second) and not isinstance(first, ast.Int) and not isinstance(second, ast.Int):
        yield Edit(operator, start, end, source.of(second) + source.text[a:b] + source.of(first))


def comparison(source: Source, node: Any) -> Iterator[Edit]:
    if isinstance(node, ast.Compare) and type(node.op) in BOUNDARY:
        yield from between(source, node.left, node.right, BOUNDARY[type(node.op)], "comparison")


def arithmetic(source: Source, node: Any) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and not _is_number(node):
        yield from between(source, node.left, node.right, ARITHMETIC[type(node.op)][1], "arithmetic")
    elif isinstance(node, ast.AugAssign):
        new = ARITHMETIC[type(node.op)][1] + "="
        start, end = source.span(node.target)[1], source.span(node.value)[0]
        at = source.text.index("=", start, end)
        yield Edit("arithmetic", at - len(ARITHMETIC[type(node.op)][0]), at + 1, new)
        yield Edit("arithmetic", at - len(ARITHMETIC[type(node.op)][0]), at + 1, "=")


def unary(source: Source, node: Any) -> Iterator[Edit]:
    if isinstance(node, ast.UnaryOp):
        yield Edit("unary", *source.span(node), source.of(node.operand))


def number(source: Source, node: Any) -> Iterator[Edit]:
    if not _is_number(node) or _is_number(node.get_ancestor()) or _is_fixed(node):
        return
    value = _value(node)
    if node.get_ancestor(ast.List) and value > FINE:
        others = {value + FINE}  # one more would be lost in rounding
    elif node.get_ancestor(ast.FunctionDef) or node.get_ancestor(ast.List):
        others = {value + 1, 1 - value if value < 2 else value + 1}
    else:  # the value of a constant
        others = {0, max(value - 1, 0), value + 1}
    for other in sorted(others - {value}):
        yield Edit("number", *source.span(node), str(other))


def truth(source: Source, node: Any) -> Iterator[Edit]:
    if isinstance(node, ast.NameConstant) and node.value in (True, False):
        yield Edit("truth", *source.span(node), str(not node.value))


def connective(source: Source, node: Any) -> Iterator[Edit]:
    """`a and b` becomes `a or b`, and loses each operand in turn."""
    if not isinstance(node, ast.BoolOp):
        return
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    values = node.values
    start, end = source.span(values[0])[0], source.span(values[-1])[1]
    gaps = [source.text[source.span(a)[1] : source.span(b)[0]] for a, b in pairwise(values)]
    if all(gap.count(word) == 1 for gap in gaps):
        whole = source.of(values[0])
        for gap, value in zip(gaps, values[1:], strict=True):
            whole += gap.replace(word, other) + source.of(value)
        yield Edit("connective", start, end, whole)
    for i, value in enumerate(values):
        begin, stop = source.span(value)
        if i + 1 < len(values):
            yield Edit("operand", begin, source.span(values[i + 1])[0], "")
        else:
            yield Edit("operand", source.span(values[i - 1])[1], stop, "")


def negation(source: Source, node: Any) -> Iterator[Edit]:
    """Of what decides between two ways to go on; a guard the wrong way round refuses everything."""
    if isinstance(node, ast.If) and not _is_guard(node) and not isinstance(node.test, ast.UnaryOp):
        if isinstance(node.test, ast.Compare) and isinstance(node.test.op, ast.Eq | ast.NotEq):
            return
        yield Edit("negation", *source.span(node.test), f"not ({source.of(node.test)})")


def name(source: Source, node: Any) -> Iterator[Edit]:
    """Another function of the same shape; and of `max` and `min`, either operand alone."""
    if not isinstance(node, ast.Call):
        return
    called = _called(node)
    if called in NAMES:
        end = source.span(node.func)[1]
        yield Edit("name", end - len(called), end, NAMES[called])
    if called in ("max", "min"):
        for operand in node.args:
            yield Edit("bound", *source.span(node), source.of(operand))


def order(source: Source, node: Any) -> Iterator[Edit]:
    """Neighbouring arguments, fields and elements change places."""
    if isinstance(node, ast.Call) and _called(node) not in FIXED:
        for i, (first, second) in enumerate(pairwise(node.args)):
            if i > 0 or _called(node) not in COMMUTE:
                yield from swapped(source, first, second, "order")
        for one, two in pairwise(node.keywords):
            yield from swapped(source, one.value, two.value, "order")
    elif isinstance(node, ast.List | ast.Tuple) and not _is_annotation(node):
        for first, second in pairwise(node.elements):
            yield from swapped(source, first, second, "order")


def deletion(source: Source, node: Any) -> Iterator[Edit]:
    """A statement, or a whole condition without an alternative."""
    above = node.get_ancestor()
    match node:
        case ast.If():
            gone = not node.orelse
        case ast.Return():
            gone = not isinstance(above, ast.FunctionDef)
        case ast.Expr() | ast.Log() | ast.Break() | ast.Assert():
            gone = not (isinstance(above, ast.If) and _is_guard(above))
        case ast.Assign() | ast.AugAssign():
            gone = True
        case _:
            gone = False
    if gone:
        yield Edit("deletion", *source.span(node), "pass")


def nothing(source: Source, node: Any) -> Iterator[Edit]:
    """What is returned is empty."""
    if isinstance(node, ast.Return) and node.value is not None:
        kind = node.get_ancestor(ast.FunctionDef).returns
        if not isinstance(kind, ast.Tuple) and not isinstance(node.value, ast.Int | ast.NameConstant):
            yield Edit("nothing", *source.span(node.value), f"empty({source.of(kind)})")


def lock(source: Source) -> Iterator[Edit]:
    """A lock less: the pragma or a decorator is gone. One more: a callback that may not be entered."""
    for found in re.finditer(r"^(# pragma nonreentrancy on|@nonreentrant|@reentrant)\n", source.text, re.MULTILINE):
        yield Edit("lock", *found.span(), "")


OPERATORS: tuple[Operator, ...] = (
    comparison,
    arithmetic,
    unary,
    number,
    truth,
    connective,
    negation,
    name,
    order,
    deletion,
    nothing,
)


def edits(source: Source) -> Iterator[Edit]:
    """Every edit of every operator, in the order of the file."""
    yield from lock(source)
    for node in source.tree.get_descendants():
        if not _is_annotation(node) and not isinstance(node, ast.ImportFrom):
            for operator in OPERATORS:
                yield from operator(source, node)


def _called(node: Any) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def _is_number(node: Any) -> bool:
    """A literal, or a power of two literals, which is one number to the reader."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Int) and isinstance(node.right, ast.Int)
    return isinstance(node, ast.Int)


def _is_guard(node: Any) -> bool:
    """Does nothing but refuse."""
    only = node.body[0] if len(node.body) == 1 and not node.orelse else None
    return isinstance(only, ast.Expr | ast.Raise) and (isinstance(only, ast.Raise) or _called(only.value) == "_with")


def _value(node: Any) -> int:
    return int(node.left.value**node.right.value if isinstance(node, ast.BinOp) else node.value)


def _is_fixed(node: Any) -> bool:
    parent = node.get_ancestor()
    if isinstance(parent, ast.keyword):
        return bool(parent.arg == "bound")
    return isinstance(parent, ast.Call) and _called(parent) in FIXED - {"range"}


def _is_annotation(node: Any) -> bool:
    """Part of a type: of a variable, an argument, what is returned, a struct's or an event's field."""
    while (parent := node.get_ancestor()) is not None:
        if isinstance(parent, ast.VariableDecl) and node is not parent.value:
            return True
        if node in (getattr(parent, "annotation", None), getattr(parent, "returns", None)):
            return True
        if isinstance(parent, ast.Call) and _called(parent) in FIXED - {"range", "convert"} and node in parent.args:
            return True
        if isinstance(parent, ast.Call) and _called(parent) == "convert" and node in parent.args[1:]:
            return True
        node = parent
    return False
