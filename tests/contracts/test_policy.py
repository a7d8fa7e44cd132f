"""The sources keep the rules of policy.py, and each rule catches what it is for."""

import pytest
from vyper import ast

from tests.contracts.market import CONTRACTS
from tests.contracts.policy import (
    APPROVES,
    CALLBACKS,
    LISTED,
    ONLY_IN,
    OUTSIDE,
    RULES,
    UNSAFE,
    File,
    called,
    complaints,
    place,
    sources,
    target,
)

HEAD = """\
# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
\"\"\"
@title   A contract
@license Apache-2.0
\"\"\"
"""


def inside(*lines: str, name: str = "f", arguments: str = "") -> str:
    """A function with these lines."""
    return "\n".join([f"def {name}({arguments}):", *(f"    {line}" for line in lines)]) + "\n"


def outside(*lines: str, name: str = "f", marks: tuple[str, ...] = ()) -> str:
    """An external one."""
    return "".join(f"@{mark}\n" for mark in ("external", *marks)) + inside(*lines, name=name)


def loop(over: str) -> str:
    return inside(f"for i: uint256 in {over}:", "    pass", arguments="n: uint256")


BAD_CALLS = (
    *('raw_call(a, b"")', 'raw_call(a, b"", is_delegate_call=True)', 'raw_create(b"")', 'raw_revert(b"")'),
    *("create_minimal_proxy_to(a)", "create_copy_of(a)", "create_from_blueprint(a)", "selfdestruct(a)", "send(a, 1)"),
    *('raw_log([], b"")', "x: address = ecrecover(h, 1, 2, 3)", "x: bytes32 = blockhash(1)", "print(1)"),
)
BAD_WORDS = (
    "chain.id",
    "tx.origin",
    "block.prevrandao",
    "block.coinbase",
    "block.number",
    "msg.value",
    "a.codehash",
    "a.balance",
)
MINT = "uniswapV3MintCallback"
APPROVE, TAKE_BACK = (f"assert extcall IERC20(a).approve(b, {amount})" for amount in (1, 0))
GIVE, SEND = "venues._give(0, a, 1)", "venues._send(t, a, 1)"
OWE = "registry._set_owed(0, a, 0, 0)"
WRITE, BURN = "extcall IVault(a).write(1, 2)", "extcall IPool(a).burn(1, 2, 3)"
REGISTRY = "from modules import registry\n"

# rule -> path, what must be refused, and the nearest thing that must not be
PLANTED: dict[str, list[tuple[str, str, str]]] = {
    "known_builtins": [("Vault.vy", inside(bad), inside("x: uint256 = max(1, 2)")) for bad in BAD_CALLS],
    "known_environment": [
        ("modules/venues.vy", inside(f"x: uint256 = {bad}"), inside("x: uint256 = block.timestamp"))
        for bad in BAD_WORDS
    ],
    "no_ether": [
        ("Vault.vy", outside("pass", marks=("payable",)), outside("pass")),
        ("Vault.vy", outside("pass", name="__default__"), outside("pass", name="default")),
        ("Vault.vy", outside("pass", marks=("raw_return",)), outside("pass")),
    ],
    "locked": [
        ("modules/venues.vy", outside("pass", marks=("reentrant",)), outside("pass", name=MINT, marks=("reentrant",))),
        ("modules/share.vy", outside("return self.a", marks=("reentrant", "view")), outside("pass")),
        ("modules/share.vy", "a: public(reentrant(uint256))", "a: public(uint256)"),
    ],
    "bounded_loops": [
        ("Vault.vy", loop("range(n, bound=1_000)"), loop("range(n, bound=registry.MAX_TOKENS)")),
        ("Vault.vy", loop("range(n, bound=N)"), "N: constant(uint256) = 8\n" + loop("range(n, bound=N)")),
        ("Vault.vy", loop("range(33)"), loop("range(32)")),
        ("Vault.vy", loop("range(n, n + 4)"), loop("self.tokens")),
        ("Vault.vy", loop("range(n + 1)"), "N: constant(uint256) = 8\n" + loop("range(N + 1)")),
    ],
    "known_calls": [
        ("Vault.vy", inside(f"extcall {bad}"), inside("extcall IPool(a).burn(1, 2, 3)"))
        for bad in ("IPool(a).flash(a, 1, 2)", "IAnything(a).transfer(a, 1)", "a.burn()", "self.pool.burn()")
    ]
    + [("Vault.vy", inside(WRITE), inside(BURN)), ("Charter.vy", inside(BURN), inside(WRITE))],
    "proved_code": [
        (path, inside(f"x: uint256 = staticcall {bad}.ask(skip_contract_check=True)"), inside(f"x: uint256 = {good}"))
        for path, bad, good in (
            ("Vault.vy", "IVault(a)", "staticcall IToken(a).ask(skip_contract_check=True)"),
            ("modules/oracle.vy", "a", "staticcall IFeed(a).ask(skip_contract_check=True)"),
            ("Charter.vy", "IToken(a)", "staticcall IToken(a).ask()"),
            ("Zap.vy", "IPool(a)", "staticcall IPool(a).ask()"),
        )
    ],
    "checked_answers": [
        ("Vault.vy", inside(f"{bad}extcall IToken(a).transfer(a, 1, default_return_value=True)"), good)
        for bad in ("", "ok: bool = ")
        for good in (
            inside("assert extcall IToken(a).transfer(a, 1, default_return_value=True)"),
            inside("if not extcall IToken(a).transfer(a, 1, default_return_value=True):", "    pass"),
        )
    ]
    + [
        (
            "Vault.vy",
            inside("assert extcall token.transferFrom(a, b, 1)", arguments="token: IToken"),
            inside("assert extcall vault.transferFrom(a, b, 1)", arguments="vault: IVault"),
        )
    ],
    "no_allowance_left": [
        ("Vault.vy", inside(APPROVE, TAKE_BACK), inside("pass")),
        ("Zap.vy", inside(TAKE_BACK, APPROVE), inside(APPROVE, TAKE_BACK)),
        ("Zap.vy", inside(APPROVE) + inside(TAKE_BACK, name="g"), inside(APPROVE, TAKE_BACK)),
    ],
    "debit_before_payment": [
        ("Vault.vy", inside(GIVE, "share._burn(a, 1)"), inside("share._burn(a, 1)", GIVE)),
        ("Vault.vy", inside(SEND, OWE), inside(OWE, SEND)),
        ("Vault.vy", inside(SEND, "fee._accrue()"), inside("fee._accrue()", SEND)),
        ("Vault.vy", inside(SEND, "self.owed[t][a] -= 1"), inside(SEND, "self.owed[t][a] += 1")),
        ("Vault.vy", REGISTRY + inside(SEND, "registry.owed[t][a] = 0"), inside(SEND, "local.owed = 0")),
        (
            "Vault.vy",
            "a: uint256\n" + inside("extcall IToken(t).transfer(b, 1)", "self.a = 0"),
            "a: transient(uint256)\n" + inside("extcall IToken(t).transfer(b, 1)", "self.a = 0"),
        ),
    ],
    "reasoned_unsafe": [
        ("modules/portfolio.vy", inside("x: uint256 = unsafe_sub(a, 1)"), inside("x: uint256 = a - 1")),
    ],
    "own_imports": [
        ("Vault.vy", bad, "from modules import share\nfrom interfaces import IPool\nfrom ethereum.ercs import IERC20")
        for bad in (
            "from mocks import erc20",
            "import snekmate",
            "from snekmate.utils import math",
            "from . import Zap",
        )
    ],
    "documented": [
        ("Vault.vy", outside("self.a = 1"), outside('"""@notice What."""', "self.a = 1")),
        ("Vault.vy", outside('"""What."""', "self.a = 1"), outside("return A", marks=("view",))),
    ],
}
PRAGMAS = [
    HEAD.replace("0.4.3", "^0.4.3"),
    HEAD.replace("# pragma version 0.4.3\n", ""),
    HEAD.replace("# pragma version", "# @version"),
    HEAD.replace("# pragma evm-version cancun\n", ""),
    HEAD.replace("cancun", "paris"),
    HEAD.replace("# pragma evm", "# pragma experimental-codegen\n# pragma evm"),
]
RULE = {rule.__name__: rule for rule in RULES}
CASES = [pytest.param(name, *case, id=f"{name}-{i}") for name, cases in PLANTED.items() for i, case in enumerate(cases)]


@pytest.mark.parametrize("file", sources(CONTRACTS), ids=lambda file: file.path)
def test_sources__keep_every_rule(file: File) -> None:
    assert complaints(file) == []


def test_sources__are_all_there() -> None:
    found = {file.path for file in sources(CONTRACTS)}
    assert {
        "Vault.vy",
        "Charter.vy",
        "Zap.vy",
        "Lens.vy",
        "modules/venues.vy",
        "interfaces/IToken.vyi",
        "mocks/Token.vy",
    } <= found


@pytest.mark.parametrize(("rule", "path", "bad", "good"), CASES)
def test_rule__planted_violation__is_refused_and_its_neighbour_is_not(
    rule: str, path: str, bad: str, good: str
) -> None:
    assert complaints(File(path, HEAD + bad), RULE[rule])
    assert complaints(File(path, HEAD + good), RULE[rule]) == []


@pytest.mark.parametrize("text", PRAGMAS)
def test_rule__pragma_that_floats_or_is_missing_or_strange__is_refused(text: str) -> None:
    assert complaints(File("Vault.vy", text), RULE["exact_pragmas"])
    assert complaints(File("Vault.vy", HEAD), RULE["exact_pragmas"]) == []


@pytest.mark.parametrize(
    "text",
    [
        outside("pass"),
        "a: public(uint256)",
        "a: uint256\n" + outside("return self.a", marks=("view",)),
        "initializes: share\n" + outside("return share.totalSupply", marks=("view",)),
    ],
)
def test_rule__lock__file_without_the_pragma__is_refused(text: str) -> None:
    without = HEAD.replace("# pragma nonreentrancy on\n", "")
    assert complaints(File("Vault.vy", without + text), RULE["locked"])
    assert complaints(File("Vault.vy", HEAD + text), RULE["locked"]) == []


def test_rules__each_has_its_planted_violations() -> None:
    assert {*PLANTED, "exact_pragmas"} == set(RULE)


def test_listing__asks_the_charter_s_question_of_every_contract_that_the_vault_takes_for_granted() -> None:
    (charter,) = (file for file in sources(CONTRACTS) if file.path == "Charter.vy")
    asked = {(place(node), target(charter, node.value), called(node.value)) for node in charter.all(ast.StaticCall)}
    assert asked >= {("_set_token", name, "decimals") for name in ("IToken", "IFeed")}
    assert asked >= {("_add_pool", "IPair", "token0"), ("_add_pool", "IPool", "fee")}
    assert {interface for _, interface, _ in asked} == LISTED | {"IVault"}


def test_exceptions__are_all_needed() -> None:
    """One that is needed no more would excuse the next mistake."""
    ours = [file for file in sources(CONTRACTS) if not file.is_mock]
    unsafe = {f"{f.path} {place(c)}" for f in ours for c in f.calls if called(c).startswith("unsafe_")}
    assert unsafe == set(UNSAFE)
    outside = {(target(f, node.value), called(node.value)) for f in ours for node in f.all(ast.ExtCall)}
    assert outside == OUTSIDE
    assert {(file.path, function.name) for file in ours for function in file.external} >= CALLBACKS
    assert {file.path for file in ours if any(called(call) == "approve" for call in file.calls)} == APPROVES
    names = {(called(call), file.path) for file in ours for call in file.calls}
    names |= {(f"{getattr(n.value, 'id', '')}.{n.attr}", file.path) for file in ours for n in file.all(ast.Attribute)}
    assert {(name, path) for name, path in names if name in ONLY_IN} == set(ONLY_IN.items())
