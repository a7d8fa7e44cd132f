"""A vault whose every token, feed and pool calls back, and what came of each call made from inside one of its own."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import boa
from eth.exceptions import Revert
from eth_utils import keccak

from bot.amm import v3
from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.vault import doors, small_vault
from tests.contracts.vault.world import (
    ADD,
    DAY_S,
    ONE,
    Q96,
    REMOVE,
    SWAP,
    World,
    action,
    both,
    charter_of,
    charter_source,
    decode_reason,
)

POOL, PAIR = 0, 1  # the vault's pools
RANGE = (-600, 600)
LIQUIDITY = 10**22
MONEY = 10**24  # raw, of each token
WINDOW_S = 60
GAS_EACH = 3_000_000
EVERYWHERE = 2**256 - 1  # every place of a mock
VIEWS = {"token": 16, "pool": 128, "pair": 16, "feed": 1}  # of each mock, the place inside its views
BOTH_SIDES = {
    ("token", "transfer"),
    ("token", "transferFrom"),
    *(("pool", name) for name in ("swap", "mint", "collect")),
}


@dataclass(frozen=True)
class Tried:
    """A call to the vault or its charter from inside one of the vault's own."""

    mock: str
    at: str  # the mock's function that made it
    house: str  # vault, charter
    name: str  # of its function
    in_view: bool
    outcome: str | None  # None: it succeeded; "": it reverted without a reason; else the reason, or the EVM's error


@dataclass(frozen=True)
class Scene:
    """Made once for a vault; rolled back after each test."""

    vault: Any
    owner: Any  # of its charter; whoever calls the charter does so through him
    doors: dict[str, tuple[dict[str, Any], ...]]  # the functions of the vault and of the charter
    mocks: dict[str, tuple[Any, ...]]
    holder: str
    keeper: str

    @cached_property
    def plain_calls(self) -> dict[str, list[bytes]]:
        """One to every function."""
        anybody = repeat(self.mocks["token"][0].address)
        return {
            house: [doors.call(entry, anybody, len(self.mocks["token"])) for entry in entries]
            for house, entries in self.doors.items()
        }

    @cached_property
    def calls(self) -> dict[str, list[bytes]]:
        """The same as they are made: to the charter by its owner."""
        charter, plain = self.vault.charter(), self.plain_calls
        return plain | {"charter": [encode_call("act(address,bytes)", charter, data) for data in plain["charter"]]}

    @cached_property
    def targets(self) -> dict[str, Any]:
        return {"vault": self.vault, "charter": self.owner}

    def program(
        self, mock: str, places: int, gas_each: int = GAS_EACH, calls: list[bytes] | None = None, house: str = "vault"
    ) -> None:
        """Let all mocks of a kind make these calls (none said: try every function), from these places."""
        for contract in self.mocks[mock]:
            made = self.calls[house] if calls is None else calls
            contract.program(self.targets[house].address, made, places, gas_each)

    def tried(self) -> list[Tried]:
        """All that the mocks tried during the vault's last call, in order; what a pool had to ask is not among it."""
        names = {
            (self.targets[house].address.canonical_address, data): (house, entry["name"])
            for house, entries in self.doors.items()
            for data, entry in zip(self.calls[house], entries, strict=True)
        }
        found = []
        for call, parent in frames(self.vault._computation):
            if (named := names.get((call.msg.to, bytes(call.msg.data)))) and (place := self.place(parent)):
                found.append(Tried(*place, *named, call.msg.is_static, outcome(call)))
        return found

    def visits(self) -> Counter[tuple[str, str]]:
        """How often the vault's last call came to each function of the mocks."""
        return Counter(place for call, _ in frames(self.vault._computation) if (place := self.place(call)))

    def place(self, call: Any) -> tuple[str, str] | None:
        """The mock and its function that this call runs; None elsewhere."""
        mock = self._mock_at.get(call.msg.to)
        return mock and (mock, self._names[bytes(call.msg.data[:4])])

    @cached_property
    def _mock_at(self) -> dict[bytes, str]:
        return {contract.address.canonical_address: mock for mock, group in self.mocks.items() for contract in group}

    @cached_property
    def _names(self) -> dict[bytes, str]:
        theirs = [entry for group in self.mocks.values() for entry in doors.functions(group[0].abi)]
        return {doors.selector(entry): entry["name"] for entry in theirs}

    def outside(self, mock: str, data: bytes, house: str = "vault") -> str | None:
        """What comes of such a call by a mock while no call of the vault's is open."""
        with boa.env.anchor():
            sender = self.mocks[mock][0].address
            return outcome(boa.env.execute_code(self.targets[house].address, sender=sender, data=data))


def frames(call: Any) -> Iterator[tuple[Any, Any]]:
    """Every call below this one, with the call it was made from."""
    for child in call.children:
        yield child, call
        yield from frames(child)


def outcome(call: Any) -> str | None:
    if not call.is_error:
        return None
    if not isinstance(call.error, Revert):
        return type(call.error).__name__
    return decode_reason(call.output[4:]) if call.output else ""


def build(world: World, source: Callable[[], dict[str, Any]]) -> Scene:
    """Two tokens at a price of 1, a pool and a pair of them, and a vault with a range, LP tokens and something owed."""
    tokens = tuple(load("mocks/HookToken.vy", name, name, 18) for name in "AB")
    ordered = sorted((token.address for token in tokens), key=lambda address: int(address, 16))
    feeds = tuple(load("mocks/HookFeed.vy") for _ in tokens)
    pool = load("mocks/HookPool.vy", *ordered, v3.amounts(Q96, *RANGE, 10**18)[0])
    pair = load("mocks/HookPair.vy", *ordered)
    listed = [(pool.address, 3, 0, WINDOW_S), (pair.address, 2, 3_000, 0)]
    owner = load("mocks/HookOwner.vy")
    vault = small_vault.deploy(world, tokens, feeds, listed, source=source, owner=owner.address)
    for token in tokens:
        for holder in (pool, pair):
            token.mint(holder.address, MONEY)
    pair.mint(world.stranger)
    scene = Scene(
        vault,
        owner,
        {
            "vault": tuple(doors.functions(source()["abi"])),
            "charter": tuple(doors.functions(charter_source()["abi"])),
        },
        {"token": tokens, "feed": feeds, "pool": (pool,), "pair": (pair,)},
        world.alice,
        world.keeper,
    )
    small_vault.mint(vault, tokens, scene.holder, 10**6 * ONE, [MONEY, MONEY])
    wait(scene)
    small_vault.execute(vault, scene.keeper, *adding())
    small_vault.redeem(vault, scene.holder, ONE, skip=1)
    ask(scene)
    wait(scene)
    return scene


def ask(scene: Scene) -> None:
    """Whatever the charter asks twice for is asked for, and its time has come: the next call acts."""
    charter = charter_of(scene.vault)
    for data in scene.plain_calls["charter"]:
        with boa.env.anchor():
            boa.env.execute_code(charter.address, sender=scene.owner.address, data=data)
            waits = charter.ready_at(keccak(data)) != 0
        if waits:
            scene.owner.act(charter.address, data)
    boa.env.time_travel(seconds=DAY_S)


def wait(scene: Scene) -> None:
    """Until the next bundle may run, with fresh prices."""
    boa.env.time_travel(seconds=WINDOW_S)
    for feed in scene.mocks["feed"]:
        feed.set_answer(10**8, boa.env.timestamp)


def adding() -> tuple[tuple[int, int], ...]:
    return (
        action(ADD, POOL, LIQUIDITY, both(MONEY, MONEY), RANGE),
        action(ADD, PAIR, 0, both(10**22, 10**22)),
    )


def execute(scene: Scene) -> None:
    """Every kind of action, on both kinds of pool."""
    swaps = [action(SWAP, pool, 10**20, 0, (side, 0)) for pool in (POOL, PAIR) for side in (0, 1)]
    removes = (action(REMOVE, POOL, LIQUIDITY // 3, 0, RANGE), action(REMOVE, PAIR, 10**21))
    small_vault.execute(scene.vault, scene.keeper, *removes, *swaps, *adding())


def mint(scene: Scene) -> None:
    small_vault.mint(scene.vault, scene.mocks["token"], scene.holder, ONE, [10**21, 10**21])


def redeem(scene: Scene) -> None:
    small_vault.redeem(scene.vault, scene.holder, ONE)


def redeem_with_skip(scene: Scene) -> None:
    small_vault.redeem(scene.vault, scene.holder, ONE, skip=2)


def claim(scene: Scene) -> None:
    scene.vault.claim(0, scene.holder, sender=scene.holder)


OPERATIONS = {step.__name__: step for step in (mint, redeem, redeem_with_skip, claim, execute)}
