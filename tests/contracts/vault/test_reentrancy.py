"""From inside every call of the vault, every token, feed and pool tries every function: the lock refuses them all."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boa
import pytest

from bot.chain.abi import encode_call
from scripts import build_contracts
from tests.contracts.vault import hooked, small_vault
from tests.contracts.vault.hooked import BOTH_SIDES, EVERYWHERE, OPERATIONS, VIEWS, Scene, Tried
from tests.contracts.vault.world import SWAP, World, action, reverts, vault_source

Story = tuple[list[Tried], Counter[tuple[str, str]]]
CONSTANTS = {"decimals", "name", "symbol", "charter", "sequencer"}  # in the code itself: never half-changed
OWN = {  # the charter's own: they neither read nor write the vault, and no call of the vault changes what they say
    "vault",
    "delay_s",
    "owner",
    "pending_owner",
    "guardian",
    "ready_at",
    "transfer_ownership",
    "accept_ownership",
    "set_guardian",
    "revoke",
}
HARVEST = {"pool.burn", "pool.collect", "pool.positions", "pair.balanceOf", "token.transfer"}
LOOK = {"pair.getReserves", "pair.totalSupply", "token.balanceOf"}
VALUE = LOOK | {"pool.slot0", "pool.ticks", "pool.feeGrowthGlobal0X128", "pool.feeGrowthGlobal1X128"}
ENOUGH = {"vault": hooked.GAS_EACH, "charter": 200_000}  # gas; what writes in a view burns all that it has
QUICK = {"claim"}
OF_THE_CHARTER = [pytest.param(each, marks=() if each in QUICK else (pytest.mark.deep,)) for each in OPERATIONS]
REACHED = {  # the functions of the mocks that each operation comes to
    "mint": VALUE | {"pool.positions", "pair.balanceOf", "token.transferFrom"},
    "redeem": HARVEST | LOOK | {"pair.burn", "pair.transfer"},
    "redeem_with_skip": HARVEST | LOOK | {"pair.transfer"},
    "claim": HARVEST | {"token.balanceOf"},
    "execute": HARVEST
    | LOOK
    | {"pool.slot0", "pool.swap", "pool.mint", "pair.swap", "pair.mint", "pair.burn", "pair.transfer"}
    | {"pool.observations", "feed.latestRoundData"},
}


@cache
def without_lock() -> dict[str, Any]:
    """The vault as it would be had nobody asked for a lock."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        copy = Path(folder) / "contracts"
        shutil.copytree(build_contracts.CONTRACTS, copy)
        for path in (copy / "Vault.vy", *(copy / "modules").glob("*.vy")):
            open_ = path.read_text().replace("# pragma nonreentrancy on\n", "").replace("@reentrant\n", "")
            path.write_text(open_)
        patch.setattr(build_contracts, "CONTRACTS", copy)
        return build_contracts.compile_contract("Vault.vy")


@pytest.fixture(scope="module")
def _scene(_world: World) -> Iterator[Scene]:
    with boa.env.anchor():
        yield hooked.build(_world, vault_source)


@pytest.fixture
def scene(_scene: Scene) -> Iterator[Scene]:
    with boa.env.anchor():
        yield _scene


@pytest.fixture(scope="module")
def _twin(_world: World) -> Iterator[Scene]:
    with boa.env.anchor():
        yield hooked.build(_world, without_lock)


@pytest.fixture
def twin(_twin: Scene) -> Iterator[Scene]:
    with boa.env.anchor():
        yield _twin


@pytest.fixture(scope="module")
def story(_scene: Scene) -> Callable[[str, str], Story]:
    """Of an operation, with every hook of every mock trying every function of the vault or of its charter: what was
    tried, what was visited."""

    @cache
    def told(house: str, operation: str) -> Story:
        with boa.env.anchor():
            for mock in _scene.mocks:
                _scene.program(mock, EVERYWHERE, ENOUGH[house], house=house)
            OPERATIONS[operation](_scene)
            return _scene.tried(), _scene.visits()

    return told


@pytest.mark.parametrize("operation", OPERATIONS)
def test_lock__every_function_from_every_hook_of_an_operation__is_refused(
    story: Callable[[str, str], Story], operation: str
) -> None:
    tried, _ = story("vault", operation)
    let_in = {each for each in tried if each.outcome != "" and each.name not in CONSTANTS}
    callbacks = {each for each in let_in if each.name.startswith("uniswapV3")}
    assert let_in == callbacks
    said = {(each.mock, each.at, each.outcome) for each in callbacks}
    beyond = {("pool", at, "venue: beyond opened") for at in ("swap", "mint") if operation == "execute"}
    assert {each for each in said if each[2] != "venue: not opened"} == beyond


@pytest.mark.parametrize("operation", OF_THE_CHARTER)
def test_lock__every_function_of_the_charter_from_every_hook__is_refused_though_its_owner_calls(
    story: Callable[[str, str], Story], operation: str
) -> None:
    """It reads and writes the vault's words, which are locked."""
    tried, _ = story("charter", operation)
    assert {each.name for each in tried if each.outcome != ""} == OWN


@pytest.mark.parametrize(
    ("house", "operation"),
    [
        *(("vault", operation) for operation in OPERATIONS),
        *(pytest.param("charter", *each.values, marks=each.marks) for each in OF_THE_CHARTER),
    ],
)
def test_lock__hooks_of_an_operation__are_all_reached_and_try_every_function(
    scene: Scene, story: Callable[[str, str], Story], house: str, operation: str
) -> None:
    """So that nothing above holds because nothing was tried."""
    tried, visits = story(house, operation)
    assert {f"{mock}.{at}" for mock, at in visits} == REACHED[operation]
    times = Counter(((each.mock, each.at), each.name) for each in tried)
    for name, overloads in Counter(entry["name"] for entry in scene.doors[house]).items():
        for place, calls in visits.items():
            assert times[place, name] == calls * overloads * (2 if place in BOTH_SIDES else 1), (place, name)


def test_lock__same_calls_from_outside__are_let_in(scene: Scene) -> None:
    """They succeed, or are refused for a reason of their own: inside, nothing but the lock stands in their way."""
    for mock, house in product(scene.mocks, scene.doors):
        for entry, data in zip(scene.doors[house], scene.calls[house], strict=True):
            assert scene.outside(mock, data, house) != "", (mock, entry["name"])


def test_callback__pool_that_takes_what_was_opened_before_its_turn__cannot_take_it_again(scene: Scene) -> None:
    amount = 10**20
    early = encode_call("uniswapV3SwapCallback(int256,int256,bytes)", amount, -amount, b"")
    (pool,) = scene.mocks["pool"]
    swap = action(SWAP, hooked.POOL, amount, 0, (1, 0))
    pool.program(scene.vault.address, [early], 1, hooked.GAS_EACH)  # before the swap
    with reverts("venue: not opened"):
        small_vault.execute(scene.vault, scene.keeper, swap)
    pool.program(scene.vault.address, [early], 2, hooked.GAS_EACH)  # after it
    small_vault.execute(scene.vault, scene.keeper, swap)
    assert pool.succeeded() == 0


def test_lock__views_called_from_outside__cannot_be_used_to_change_anything(scene: Scene) -> None:
    """A view takes no lock: what its tokens and pools try is held by the EVM's static call, and its answer stands."""
    sorts: dict[bool, list[bytes]] = {True: [], False: []}
    for entry, data in zip(scene.doors["vault"], scene.calls["vault"], strict=True):
        sorts[entry["stateMutability"] == "view"].append(data)
    plain = [boa.env.execute_code(scene.vault.address, data=data).output for data in sorts[True]]
    for mock, place in VIEWS.items():
        scene.program(mock, place, gas_each=40_000, calls=sorts[False])
    tried = 0
    for data, answer in zip(sorts[True], plain, strict=True):
        scene.vault._computation = boa.env.execute_code(scene.vault.address, data=data)
        assert scene.vault._computation.output == answer
        for each in scene.tried():
            assert each.in_view
            assert each.outcome is not None, each
            tried += 1
    assert tried > len(sorts[False])


@pytest.mark.parametrize(
    ("operation", "mock", "place"),
    [
        ("mint", "token", 8),  # after a transferFrom
        ("claim", "token", 2),  # after a transfer
        ("execute", "pool", 1),  # before a swap
        ("redeem", "pool", 16),  # a burn
        ("redeem_with_skip", "pair", 8),  # a transfer
        ("execute", "pair", 2),  # a mint
    ],
)
@pytest.mark.parametrize("house", ["vault", "charter"])
def test_twin__without_the_lock__is_entered_by_every_function(
    twin: Scene, operation: str, mock: str, place: int, house: str
) -> None:
    twin.program(mock, place, gas_each=1_000_000, house=house)
    try_anyhow(twin, operation)
    assert entered(twin) == {entry["name"] for entry in twin.doors[house]}


@pytest.mark.parametrize("house", ["vault", "charter"])
@pytest.mark.parametrize(("operation", "mock"), [("mint", "token"), ("execute", "feed"), ("execute", "pool")])
def test_twin__without_the_lock__is_entered_by_every_view_from_a_view(
    twin: Scene, operation: str, mock: str, house: str
) -> None:
    twin.program(mock, VIEWS[mock], gas_each=300_000, house=house)
    try_anyhow(twin, operation)
    views = {entry["name"] for entry in twin.doors[house] if entry["stateMutability"] == "view"}
    assert views <= {tried.name for tried in twin.tried() if tried.in_view and tried.outcome is None}


def entered(twin: Scene) -> set[str]:
    return {tried.name for tried in twin.tried() if tried.outcome != ""}


def try_anyhow(twin: Scene, operation: str) -> None:
    """Where nothing keeps them out, what they do may well break what they came into."""
    try:
        OPERATIONS[operation](twin)
    except boa.BoaError:
        assert twin.tried()
