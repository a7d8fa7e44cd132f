"""Rules of the Vyper sources that the compiler does not have, read off its own syntax tree."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vyper import ast
from vyper.builtins.functions import DISPATCH_TABLE, STMT_DISPATCH_TABLE

Complaint = tuple[Any, str]  # node, what is wrong with it

VERSION = "# pragma version 0.4.3"
PRAGMAS = {"version", "evm-version cancun", "optimize codesize", "optimize gas", "nonreentrancy on"}
LOCK = "# pragma nonreentrancy on"
BUILTINS = {  # of the compiler's own functions; what is not here has to argue its case
    *("abi_decode", "abi_encode", "abs", "concat", "convert", "empty", "extract32", "isqrt", "keccak256", "len"),
    *("max", "max_value", "method_id", "min", "min_value", "slice", "uint256_addmod", "uint256_mulmod"),
    *("unsafe_add", "unsafe_div", "unsafe_mul", "unsafe_sub"),
}
ONLY_IN = {  # and nowhere else
    "raw_revert": "modules/refuse.vy",
    "ecrecover": "modules/share.vy",  # permits
    "chain.id": "modules/share.vy",
}
ENVIRONMENT = {"msg.sender", "msg.data", "block.timestamp"}
OF_ADDRESSES = {"balance", "code", "codehash", "codesize", "is_contract"}
CALLBACKS = {  # may be entered while the contract is locked: a pool calls back during its own call
    ("modules/venues.vy", "uniswapV3SwapCallback"),
    ("modules/venues.vy", "uniswapV3MintCallback"),
    ("Zap.vy", "uniswapV3SwapCallback"),
}
MOST_ROUNDS = 32  # of one loop
OUTSIDE = {  # what may be called with a change of state, and on what
    *(("IToken", name) for name in ("transfer", "transferFrom")),
    *(("IPool", name) for name in ("burn", "collect", "mint", "swap")),
    *(("IPair", name) for name in ("burn", "mint", "swap")),
    *(("V2Pair", "swap"), ("V3Pool", "swap")),
    *(("IERC20", name) for name in ("approve", "transfer", "transferFrom")),
    *(("IVault", name) for name in ("mint", "redeem", "transferFrom", "write")),
}
WRITE = ("IVault", "write")  # all that a charter may do, and nobody else
LISTED = {"IToken", "IPool", "IPair", "IFeed"}  # what answered the charter when it was listed, so it has code
TOKENS = {"IToken", "IERC20"}  # some answer nothing
ANSWERS = {"transfer", "transferFrom", "approve"}
APPROVES = {"Zap.vy"}  # and takes back
PAYMENTS = {"_give", "_give_both", "_send", "transfer", "transferFrom"}
BOOKS = {  # calls that keep them
    *(("share", name) for name in ("_mint", "_burn")),
    *(("fee", name) for name in ("_accrue", "_count")),
    ("registry", "_set_owed"),
}
IMPORTS = re.compile(r"(interfaces|modules)\.\w+|ethereum\.ercs\.\w+")
UNSAFE = {  # file and function: why no bound can be passed
    "Charter.vy _set_token": "decimals of at most 24 and 18, from 54",
    "Vault.vy _cost": "the less is taken from the more",
    "Vault.vy execute": "counts at most 16 actions",
    "modules/budget.vy _leaked": "bps, seconds and buckets of 24, 40 and 80 bits; the less is taken from the more",
    "modules/budget.vy _part": "a NAV of 0 is refused before",
    "modules/budget.vy _run": "the last bundle is not in the future",
    "modules/bundle.vy _measure": "the less is taken from the more",
    "modules/bundle.vy _outside": "bps that the charter keeps within 10,000; the less is taken from the more",
    "modules/bundle.vy _settle": "8 fields of 28 bits from bit 32; a balance below what is owed is refused before",
    "modules/maths.vy _mul_div": "512-bit arithmetic is meant to wrap",
    "modules/maths.vy _packed": "places of at most 255, and a step of at least 1; fields of 28 and 48 bits",
    "modules/maths.vy _sqrt_ratio": "two ratios of at most 2**128",
    "modules/oracle.vy _assert_near": "a hint of 0 is refused before; cumulatives of 56 bits, over a window above 0",
    "modules/oracle.vy _is_near": "square roots of at most 2**160; ratios are cut off at FAR; bps have 16 bits",
    "modules/portfolio.vy _fees": "fee growth wraps by Uniswap's design",
    "modules/portfolio.vy _idle": "the less is taken from the more",
    "modules/refuse.vy _with": "counts 32 bytes down at most 32 times",
    "modules/registry.vy _feed": "the index of a token: at most 255, and the list checks its own end",
    "modules/registry.vy _owes": "the index of a token: less than 8",
    "modules/registry.vy _pool": "the index is checked before",
    "modules/registry.vy _position": "the index of a position: less than 8",
    "modules/registry.vy _put": "the index of a position: less than 8",
    "modules/registry.vy _token_address": "the index of a token: at most 255, and the list checks its own end",
    "modules/registry.vy _token": "the index of a token: at most 255, and the list checks its own end",
    "modules/registry.vy _write": "places before the tokens wrap to places far beyond them, as is meant",
    "modules/venues.vy _add": "the sign of an amount that converted to int256",
    "modules/venues.vy _swap": "the sign of what a pool answered: at most an int256, and its least stays as it is",
    "modules/venues.vy _swap_pair": "the sign of an amount that converted to int256",
}


@dataclass(frozen=True)
class File:
    """One source, by its path under contracts/."""

    path: str
    text: str

    @cached_property
    def tree(self) -> Any:
        return ast.parse_to_ast(self.text, is_interface=self.path.endswith(".vyi"))

    def all(self, *kinds: type) -> list[Any]:
        return list(self.tree.get_descendants(kinds))

    @cached_property
    def calls(self) -> list[Any]:
        return self.all(ast.Call)

    @cached_property
    def functions(self) -> list[Any]:
        return list(self.tree.get_children(ast.FunctionDef))

    @cached_property
    def external(self) -> list[Any]:
        return [function for function in self.functions if "external" in decorators(function)]

    @cached_property
    def storage(self) -> list[Any]:
        """Variables, transient ones too."""
        return [v for v in self.all(ast.VariableDecl) if not v.is_constant and not v.is_immutable]

    @property
    def is_mock(self) -> bool:
        return self.path.startswith("mocks/")

    @property
    def is_interface(self) -> bool:
        return self.path.endswith(".vyi")

    @property
    def is_deployable(self) -> bool:
        return "/" not in self.path


def decorators(function: Any) -> set[str]:
    return {getattr(node, "id", "") or node.func.id for node in function.decorator_list}


def called(call: Any) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def place(node: Any) -> str:
    """The function that a node stands in."""
    function = node if isinstance(node, ast.FunctionDef) else node.get_ancestor(ast.FunctionDef)
    return function.name if function else ""


def target(file: File, call: Any) -> str:
    """The interface through which a call goes: named there, or the type of the variable. "" where it cannot be seen."""
    of = call.func.value
    if isinstance(of, ast.Call):
        return str(getattr(of.func, "attr", getattr(of.func, "id", "")))
    if not isinstance(of, ast.Name):
        return ""
    for node in file.all(ast.AnnAssign, ast.VariableDecl, ast.arg):
        name = node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", "")
        same = isinstance(node, ast.VariableDecl) or place(node) == place(call)
        if name == of.id and same:
            return str(getattr(node.annotation, "id", ""))
    return ""


def exact_pragmas(file: File) -> Iterator[Complaint]:
    if file.text.split("\n", 1)[0] != VERSION:
        yield file.tree, f"the first line is not `{VERSION}`"
    for pragma in re.findall(r"^#\s*(?:@version|pragma)\s+(.+?)\s*$", file.text, re.MULTILINE)[1:]:
        if pragma not in PRAGMAS:
            yield file.tree, f"pragma {pragma}"
    if file.is_deployable and "# pragma evm-version cancun\n" not in file.text:
        yield file.tree, "no `# pragma evm-version cancun`"


def known_builtins(file: File) -> Iterator[Complaint]:
    for call in file.calls:
        name = getattr(call.func, "id", "")
        if name in {*DISPATCH_TABLE, *STMT_DISPATCH_TABLE} - BUILTINS and ONLY_IN.get(name) != file.path:
            yield call, f"calls {name}"


def known_environment(file: File) -> Iterator[Complaint]:
    for node in file.all(ast.Attribute):
        of = getattr(node.value, "id", "")
        name = f"{of}.{node.attr}"
        if of in ("tx", "block", "msg", "chain") and name not in ENVIRONMENT and ONLY_IN.get(name) != file.path:
            yield node, f"reads {name}"
        elif node.attr in OF_ADDRESSES:
            yield node, f"asks an address for its {node.attr}"


def no_ether(file: File) -> Iterator[Complaint]:
    for function in file.functions:
        if "payable" in decorators(function) or function.name == "__default__":
            yield function, f"{function.name} takes ether"
        if "raw_return" in decorators(function):
            yield function, f"{function.name} answers what it likes"


def locked(file: File) -> Iterator[Complaint]:
    """Everything external, but callbacks, and views where there is nothing stored to see."""
    everything = f"{LOCK}\n" in file.text
    for function in file.external if not file.is_interface else []:
        marks = decorators(function)
        names = {node.id for node in function.get_descendants(ast.Name)}
        sees = file.all(ast.InitializesDecl, ast.UsesDecl) or (file.storage and "self" in names)
        harmless = marks & {"view", "pure"} and not sees
        if (file.path, function.name) in CALLBACKS:
            continue
        if "reentrant" in marks:
            yield function, f"{function.name} may be entered again"
        elif not everything and "nonreentrant" not in marks and not harmless:
            yield function, f"{function.name} holds no lock"
    for variable in file.storage:
        if variable.is_public and (variable.is_reentrant or not everything):
            yield variable, f"the getter of {variable.target.id} holds no lock"


def bounded_loops(file: File) -> Iterator[Complaint]:
    constants = {v.target.id for v in file.all(ast.VariableDecl) if v.is_constant}

    def is_number(node: Any) -> bool:
        if isinstance(node, ast.Int):
            return bool(node.value <= MOST_ROUNDS)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return is_number(node.left) and is_number(node.right)
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        return name.isupper() and (isinstance(node, ast.Attribute) or name in constants)

    for loop in file.all(ast.For):
        if isinstance(loop.iter, ast.Call) and called(loop.iter) == "range":
            bounds = [word.value for word in loop.iter.keywords if word.arg == "bound"]
            if not all(is_number(bound) for bound in bounds or loop.iter.args):
                yield loop, f"a loop of more than {MOST_ROUNDS} rounds, or of a number that is not written down"


def known_calls(file: File) -> Iterator[Complaint]:
    for node in file.all(ast.ExtCall):
        found = (target(file, node.value), called(node.value))
        if found not in OUTSIDE:
            yield node, f"calls {'.'.join(found)} outside"
        elif (found == WRITE) != (file.path == "Charter.vy"):
            yield node, "a charter writes to its vault: nobody else does, and it does nothing else"


def proved_code(file: File) -> Iterator[Complaint]:
    """Only the vault leaves the question open whether there is code, and only of what its charter asked."""
    for node in file.all(ast.ExtCall, ast.StaticCall):
        skips = "skip_contract_check" in {word.arg for word in node.value.keywords}
        ours = file.path == "Vault.vy" or file.path.startswith("modules/")
        if skips and not (ours and target(file, node.value) in LISTED):
            yield node, f"takes for granted that {called(node.value)} is asked of a contract"


def checked_answers(file: File) -> Iterator[Complaint]:
    for node in file.all(ast.ExtCall):
        call, above = node.value, node.get_ancestor()
        if called(call) not in ANSWERS:
            continue
        negated = isinstance(above, ast.UnaryOp) and isinstance(above.get_ancestor(), ast.If)
        if not (isinstance(above, ast.Assert) or negated):
            yield node, f"nobody looks at what {called(call)} answers"
        if target(file, call) in TOKENS and "default_return_value" not in {word.arg for word in call.keywords}:
            yield node, f"{called(call)} of a token that answers nothing would fail"


def no_allowance_left(file: File) -> Iterator[Complaint]:
    """Whoever approves takes it back in the same function, after everything else."""
    calls = [node.value for node in file.all(ast.ExtCall) if called(node.value) == "approve"]
    back = {place(call): call.lineno for call in calls if isinstance(call.args[1], ast.Int) and not call.args[1].value}
    for call in calls:
        if file.path not in APPROVES:
            yield call, "gives an allowance"
        elif call.lineno > back.get(place(call), 0):
            yield call, "gives an allowance and does not take it back"


def debit_before_payment(file: File) -> Iterator[Complaint]:
    """In one function: once it has paid, it only adds to what it owes."""
    for function in file.functions:
        paid = min((call.lineno for call in function.get_descendants(ast.Call) if called(call) in PAYMENTS), default=0)
        for node in function.get_descendants((ast.Assign, ast.AugAssign, ast.Call)):
            if not paid or node.lineno <= paid:
                continue
            if isinstance(node, ast.Call):
                late = (getattr(getattr(node.func, "value", None), "id", ""), called(node)) in BOOKS
            else:
                adds = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)
                late = _is_stored(file, node.target) and not adds
            if late:
                yield node, f"{function.name} pays first and changes its books after"


def _is_stored(file: File, node: Any) -> bool:
    """A variable of this contract or of a module, that does not end with the transaction."""
    while isinstance(node, ast.Subscript):
        node = node.value
    owners = {"self", *(each.alias or each.name for each in file.all(ast.ImportFrom))}
    transient = {variable.target.id for variable in file.storage if variable.is_transient}
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in owners and node.attr not in transient


def reasoned_unsafe(file: File) -> Iterator[Complaint]:
    for call in file.calls:
        if called(call).startswith("unsafe_") and f"{file.path} {place(call)}" not in UNSAFE:
            yield call, f"{called(call)} in {place(call)}, and no reason why it cannot wrap"


def own_imports(file: File) -> Iterator[Complaint]:
    for node in file.all(ast.Import, ast.ImportFrom):
        name = ".".join(filter(None, (getattr(node, "module", None), node.name)))
        if getattr(node, "level", 0) or not IMPORTS.fullmatch(name):
            yield node, f"imports {name}"


def documented(file: File) -> Iterator[Complaint]:
    head = getattr(file.tree, "doc_string", None)
    for tag in ("@title", "@license Apache-2.0"):
        if head is None or tag not in head.value:
            yield file.tree, f"no {tag}"
    for function in file.external if not file.is_interface else []:
        only = function.body[0] if len(function.body) == 1 else None
        getter = isinstance(only, ast.Return) and not isinstance(only.value, ast.Call)
        said = getattr(getattr(function, "doc_string", None), "value", "")
        if not getter and not re.match(r"\s*@(notice|return|dev) ", said):
            yield function, f"{function.name} says nothing of what it does"


Rule = Callable[[File], Iterator[Complaint]]
RULES: tuple[Rule, ...] = (
    *(exact_pragmas, known_builtins, known_environment, no_ether, locked, bounded_loops, known_calls),
    *(proved_code, checked_answers, no_allowance_left, debit_before_payment, reasoned_unsafe, own_imports, documented),
)
OF_MOCKS: tuple[Rule, ...] = (exact_pragmas,)  # among them are attackers


def complaints(file: File, *rules: Rule) -> list[str]:
    """Everything in a file that breaks a rule, as `Vault.vy:12: what (rule)`."""
    chosen = rules or (OF_MOCKS if file.is_mock else RULES)
    found = [(node, what, rule.__name__) for rule in chosen for node, what in rule(file)]
    return [f"{file.path}:{node.lineno}: {what} ({name})" for node, what, name in found]


def sources(contracts: Path) -> list[File]:
    """All files under a directory."""
    return [File(p.relative_to(contracts).as_posix(), p.read_text()) for p in sorted(contracts.rglob("*.vy*"))]
