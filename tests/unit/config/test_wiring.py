"""From settings to objects: the market, the nodes, the vault's setup, the key."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.chain.mainnet import MAINNET
from bot.config import Config, load
from bot.config.adapters import LogNotifier, Nodes, Seen, WatchOnly
from bot.config.wiring import account, market, signer, vault_setup
from bot.core.errors import ChainError, ConfigError, Reverted
from bot.core.types import Breach, Outcome, Plan
from bot.core.types.world import NO_LEAST, NO_MOST
from bot.core.units import Gas, Wei
from bot.execution.calls import NOBODY
from bot.propose import propose
from tests.factories import NOW, memory, policy, snapshot

CONFIG = Path(__file__).parents[3] / "config"
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def config(*overlays: str, **environ: str) -> Config:
    return load([CONFIG / "mainnet.yaml", *(CONFIG / name for name in overlays)], environ)


class Node:
    """A node that fails as told, and then answers its own name."""

    def __init__(self, name: str, *failures: Exception) -> None:
        self.name, self.failures, self.closed = name, list(failures), False

    async def call(self, method: str, *params: Any) -> Any:
        failure = self.failures.pop(0) if self.failures else None
        await asyncio.sleep(0)  # as a real one, it answers later
        if failure:
            raise failure
        return self.name

    async def close(self) -> None:
        self.closed = True


# ------------------------------------------------------------------ the market


def test_market__of_the_published_file__is_mainnets() -> None:
    found = market(config())
    assert found.tokens == MAINNET.tokens
    assert found.feeds == MAINNET.feeds
    assert set(found.pools) <= set(MAINNET.pools)
    assert len(found.pools) == 5
    assert replace(found, pools=()) == replace(MAINNET, pools=())


def test_market__tokens_of_a_pool_in_any_order__are_sorted_as_on_chain() -> None:
    name = "USDC/WETH-500"
    entry = config().market.pools[name]
    turned = entry.model_copy(update={"tokens": ("WETH", "USDC")})
    assert config().market.pool_name(turned) == name


# ------------------------------------------------------------------ the account, the vault to deploy, the key


def test_account__none__says_how_to_get_one() -> None:
    with pytest.raises(ConfigError, match="evenkeel vault deploy"):
        account(config())


@pytest.mark.parametrize("kind", ["vault", "wallet"])
def test_account__named__is_of_its_kind(kind: str) -> None:
    assert account(config(**{f"EVENKEEL_ACCOUNT__{kind.upper()}": OWNER})) == (kind, OWNER)


def test_vault_setup__without_keeper_and_guardian__is_all_the_owners() -> None:
    setup = vault_setup(config(), OWNER)
    assert (setup.owner, setup.keeper, setup.guardian) == (OWNER, OWNER, OWNER)
    assert [feed.token.symbol for feed in setup.feeds] == ["USDC", "WETH", "WBTC"]
    assert [pool.name for pool in setup.pools] == list(config().market.pools)
    assert setup.corridors == ((1_000, 7_000),) * 3


def test_vault_setup__local__names_anvils_accounts() -> None:
    setup = vault_setup(config("local.yaml"), OWNER)
    assert len({setup.owner, setup.keeper, setup.guardian}) == 3


def test_market__bounds_of_a_price__are_the_feeds_answers_rounded_outwards() -> None:
    bounds = {
        "EVENKEEL_MARKET__TOKENS__USDC__LEAST_PRICE": "0.95",
        "EVENKEEL_MARKET__TOKENS__USDC__MOST_PRICE": "1.050000001",
        "EVENKEEL_MARKET__TOKENS__WETH__MOST_PRICE": "100000",
    }
    usdc, weth, wbtc, *_ = market(config(**bounds)).feeds
    assert (usdc.least, usdc.most) == (95_000_000, 105_000_001)
    assert (weth.least, weth.most) == (NO_LEAST, 100_000 * 10**8)
    assert (wbtc.least, wbtc.most) == (NO_LEAST, NO_MOST)


def test_vault_setup__sequencer__is_nobody_unless_it_is_named() -> None:
    assert vault_setup(config(), OWNER).sequencer == NOBODY
    assert vault_setup(config(EVENKEEL_VAULT__SEQUENCER=OWNER), OWNER).sequencer == OWNER


def test_vault_setup__without_section__is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="vault: expected the section"):
        vault_setup(config().model_copy(update={"vault": None}), OWNER)


def test_signer__no_section__is_none() -> None:
    assert signer(config()) is None


def test_signer__environment__has_the_keys_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENKEEL_PRIVATE_KEY", KEY)
    found = signer(config("local.yaml"))
    assert found is not None
    assert found.address == OWNER


def test_signer__environment_unset__is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENKEEL_PRIVATE_KEY", raising=False)
    with pytest.raises(ConfigError, match="EVENKEEL_PRIVATE_KEY"):
        signer(config("local.yaml"))


def test_signer__keystore_without_its_password_file__is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text("{}", encoding="utf-8")
    named = {
        "EVENKEEL_KEY__KEYSTORE": str(tmp_path / "k.json"),
        "EVENKEEL_KEY__PASSWORD_FILE": str(tmp_path / "none"),
    }
    with pytest.raises(ConfigError, match="password file"):
        signer(config(**named))


# ------------------------------------------------------------------ several nodes as one


async def test_nodes__first_fails__the_call_fails_and_the_next_goes_to_the_second() -> None:
    nodes = Nodes([Node("a", ChainError("down")), Node("b")])  # type: ignore[list-item]
    with pytest.raises(ChainError, match="down"):
        await nodes.call("eth_chainId")
    assert await nodes.call("eth_chainId") == "b"


async def test_nodes__call_reverts__stays_with_the_node() -> None:
    nodes = Nodes([Node("a", Reverted("no")), Node("b")])  # type: ignore[list-item]
    with pytest.raises(Reverted):
        await nodes.call("eth_call")
    assert await nodes.call("eth_chainId") == "a"


async def test_nodes__many_calls_fail_together__move_on_by_one() -> None:
    nodes = Nodes([Node("a", *[ChainError("down")] * 4), Node("b"), Node("c")])  # type: ignore[list-item]
    started = asyncio.Barrier(4)

    async def together() -> None:
        await started.wait()
        await nodes.call("eth_call")

    results = await asyncio.gather(*(together() for _ in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [ChainError] * 4
    assert await nodes.call("eth_chainId") == "b"


async def test_nodes__last_fails__begins_again_with_the_first() -> None:
    nodes = Nodes([Node("a", ChainError("down")), Node("b", ChainError("down"))])  # type: ignore[list-item]
    for _ in range(2):
        with pytest.raises(ChainError):
            await nodes.call("eth_chainId")
    assert await nodes.call("eth_chainId") == "a"


async def test_nodes__close__closes_all() -> None:
    both = [Node("a"), Node("b")]
    await Nodes(both).close()  # type: ignore[arg-type]
    assert all(node.closed for node in both)


# ------------------------------------------------------------------ the small stand-ins


async def test_seen__observed_twice__is_the_same_moment() -> None:
    world = snapshot()
    seen = Seen(world)
    assert await seen.observe() is world
    assert await seen.observe() is world


async def test_watch_only__any_plan__fails_and_nothing_is_open() -> None:
    watcher, plan = WatchOnly(), Plan((), (), 0, NOW, Gas(0))
    for outcome in (await watcher.simulate(plan, snapshot()), await watcher.submit(plan, snapshot())):
        assert not outcome.ok
        assert outcome.tx is None
        assert "deploy a vault" in outcome.revert
    assert await watcher.settle() is None


DRIFTED = snapshot(units=("600000", "100", "1"))


@pytest.mark.parametrize(
    ("change", "outcome", "level"),
    [
        (lambda p: p, None, "info"),
        (lambda p: replace(p, breaches=(Breach("large", "too large", "ask"),)), None, "warning"),
        (lambda p: p, Outcome(False, "0x1", 1, (), Gas(1), Wei(1), "limits: day loss"), "error"),
    ],
)
async def test_log_notifier__proposal__is_as_loud_as_it_matters(
    change: Callable[[Any], Any], outcome: Outcome | None, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    proposal = change(replace(propose(policy(), memory(), DRIFTED), breaches=()))
    await LogNotifier().tell(proposal, outcome)
    said = capsys.readouterr().out
    assert level in said
    assert "WBTC" in said or "USDC" in said
