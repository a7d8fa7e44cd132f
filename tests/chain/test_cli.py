"""The verbs that look; the chains, the demo and the daemon as processes; every way in which a chain can be wrong."""

import asyncio
import json
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from bot.chain import cheats, seeds
from bot.chain.grades import Chain
from bot.chain.rpc import HttpRpc
from bot.cli.chain import keep_fresh
from bot.config import load
from bot.config.wiring import market
from bot.core.errors import ChainError
from bot.core.types import Feed
from bot.core.units import Money
from bot.venues.market import verify_market
from tests.chain.console import (
    CALM,
    CONFIG,
    DRIFTED,
    KEEPER,
    KEEPER_KEY,
    NOBODY,
    OWNER,
    Evenkeel,
    deposit,
    nonce,
    policy,
)

pytestmark = pytest.mark.chain


# ------------------------------------------------------------------ the published configuration


async def test_mainnet_file__on_the_replica__is_what_stands_there(replica: Chain) -> None:
    await verify_market(replica.rpc, market(load([CONFIG / "mainnet.yaml"], {})))


async def test_mainnet_file__on_recorded_state__is_what_stands_there(recorded: Chain) -> None:
    await verify_market(recorded.rpc, market(load([CONFIG / "mainnet.yaml"], {})))


# ------------------------------------------------------------------ looking


async def test_status__drifted__exits_with_4_and_shows_the_figures(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, DRIFTED)
    said = await evenkeel("status")
    assert said.code == 4
    assert "940,000.00 USD; OUTSIDE the band" in said.out
    now = (await evenkeel("status", "--json")).json
    assert now["account"] == vault
    assert Decimal(now["equity"]) == 940_000
    assert now["in_band"] is False
    assert [round(token["drift"], 4) for token in now["tokens"]] == [0.0255, 0.0787, -0.1043]
    assert Decimal(now["vault"]["share_value"]) == 1


async def test_status__calm__exits_with_0(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    assert (await evenkeel("status")).code == 0


async def test_plan__drifted__says_why_and_sends_nothing(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, DRIFTED)
    before = await replica.rpc.call("eth_blockNumber")
    said = await evenkeel("plan")
    assert said.code == 0
    assert "It would rebalance, because WBTC is 9.57% of the portfolio" in said.out
    assert (await evenkeel("plan", "--json")).json["verdict"] == "go"
    assert await replica.rpc.call("eth_blockNumber") == before
    assert (await evenkeel("history", "--json")).json == []


async def test_doctor__everything_in_place__is_well(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    said = await evenkeel("doctor", key=KEEPER_KEY)
    assert said.code == 0, said.out
    assert "all is well" in said.out


async def test_doctor__before_deployment__looks_at_the_market_and_says_what_comes_next(evenkeel: Evenkeel) -> None:
    said = await evenkeel("doctor", "--json")
    assert said.code == 0
    checks = {check["name"]: check["said"] for check in said.json["checks"]}
    assert "evenkeel vault deploy" in checks["vault"]
    assert "5 pools" in checks["market"]
    assert "WETH 3,000.00" in checks["feeds"]


async def test_doctor__before_deployment_with_stale_feeds__fails(evenkeel: Evenkeel, replica: Chain) -> None:
    await cheats.mine(replica.rpc, seconds=5_000)
    said = await evenkeel("doctor")
    assert said.code == 4
    assert "FAIL feeds: feed of WETH" in said.out


@pytest.mark.parametrize(
    ("over", "name", "what"),
    [
        ("account: {zap: '%s'}", "zap", "found no contract at"),
        ("account: {lens: '%s'}", "lens", "expected a lens that values vault"),
    ],
    ids=["zap", "lens"],
)
async def test_doctor__wrong_zap_or_lens__fails_and_says_what_was_expected(
    over: str, name: str, what: str, evenkeel: Evenkeel, vault: str
) -> None:
    await deposit(evenkeel, CALM)
    said = await evenkeel("doctor", key=KEEPER_KEY, over=over % NOBODY)
    assert said.code == 4
    assert f"FAIL {name}: account.{name}" in said.out
    assert what in said.out


async def test_doctor__target_outside_its_corridor__fails_before_a_bundle_does(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    over = policy("", targets="{USDC: 0.75, WETH: 0.15, WBTC: 0.1}")
    said = await evenkeel("doctor", key=KEEPER_KEY, over=over)
    assert said.code == 4
    assert "found USDC 75.00% outside 10% to 70%" in said.out
    checked = await evenkeel("config", "check", over=over)
    assert "target of USDC, 75.00%, is outside vault.corridors, 10% to 70%" in checked.out


async def test_doctor__policy_with_another_token__names_symbols(evenkeel: Evenkeel, vault: str) -> None:
    over = policy("", targets="{USDC: 0.4, WETH: 0.4, DAI: 0.2}")
    said = await evenkeel("doctor", key=KEEPER_KEY, over=over)
    assert "the vault's tokens (USDC, WETH, WBTC), found that it names USDC, WETH, DAI" in said.out
    assert "do as the message says" not in said.out


async def test_doctor__keeper_without_ether__says_what_to_do(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, CALM)
    await cheats.set_ether(replica.rpc, KEEPER, 10**12)
    said = await evenkeel("doctor", key=KEEPER_KEY)
    assert said.code == 4
    assert "FAIL key: keeper" in said.out
    assert "give it ether" in said.out


# ------------------------------------------------------------------ a chain that is not as configured

WRONG = [
    ("chain: {id: 5}", 3, "expected a node of chain 5, found chain 1"),
    (f"market: {{tokens: {{DAI: {{address: '{NOBODY}'}}}}}}", 3, f"expected a contract at {NOBODY}, found none"),
    (f"market: {{quoter_v2: '{NOBODY}'}}", 3, f"market.quoter_v2: expected a contract at {NOBODY}"),
    ("market: {tokens: {WBTC: {decimals: 18}}}", 3, "market.tokens.WBTC.decimals: expected 18, found 8"),
    ("market: {tokens: {WBTC: {feed_decimals: 18}}}", 3, "market.tokens.WBTC.feed_decimals: expected 18, found 8"),
    (
        "market: {pools: {USDC/WETH-500: {address: '0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35'},"
        " WBTC/USDC-3000: {address: '0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640'}}}",
        3,
        "market.pools.USDC/WETH-500",
    ),
    (f"account: {{vault: '{NOBODY}'}}", 3, f"expected a vault at {NOBODY}, found no contract"),
    (
        "account: {vault: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'}",
        3,
        "account.vault 0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48: expected an Evenkeel vault",
    ),
    ("policy: two.yaml", 3, "let the policy name every token of the vault"),
]


@pytest.mark.parametrize(("over", "code", "said"), WRONG, ids=[row[0][:60] for row in WRONG])
@pytest.mark.parametrize("verb", [["status"], ["rebalance", "--yes"]], ids=["status", "rebalance"])
async def test_chain__not_as_configured__is_one_error_and_nothing_is_sent(
    verb: list[str], over: str, code: int, said: str, evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    policy("", "two.yaml", "{USDC: 0.5, WETH: 0.5}")
    before = await replica.rpc.call("eth_blockNumber")
    found = await evenkeel(*verb, key=KEEPER_KEY, over=over)
    assert found.code == code, found.err
    assert said in found.err
    assert found.err.count("error: ") == 1
    assert found.out == ""
    assert await replica.rpc.call("eth_blockNumber") == before


@pytest.mark.parametrize("verb", [["status"], ["plan"], ["rebalance", "--yes"], ["vault", "info"]], ids=lambda v: v[0])
async def test_node__unreachable__is_one_line_and_5(
    verb: list[str], evenkeel: Evenkeel, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENKEEL_CHAIN__RPC", "http://127.0.0.1:9/v3/APIKEY")
    said = await evenkeel(*verb, key=KEEPER_KEY)
    assert said.code == 5
    assert len(said.err.splitlines()) == 1
    assert "not reachable" in said.err
    assert "APIKEY" not in said.err


async def test_node__first_of_two_unreachable__asks_the_second(
    evenkeel: Evenkeel, vault: str, replica: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, CALM)
    monkeypatch.setenv("EVENKEEL_CHAIN__RPC", f"http://127.0.0.1:9,{replica.url}")
    assert (await evenkeel("status")).code == 0


async def test_feed__stale__is_one_line_and_4(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, DRIFTED)
    await cheats.mine(replica.rpc, seconds=5_000)
    before = await nonce(replica)
    for verb in (["status"], ["plan"], ["rebalance", "--yes"]):
        said = await evenkeel(*verb, key=KEEPER_KEY)
        assert said.code == 4
        assert "feed of WETH" in said.err
        assert len(said.err.splitlines()) == 1
    assert await nonce(replica) == before


async def test_feed__answers_nothing_positive__is_one_line_and_4(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, DRIFTED)
    feed: Feed = replica.market.feeds[1]
    prices = {**seeds.PRICES, feed.token.symbol: Money(Decimal(0))}
    await seeds.set_feeds(replica.rpc, prices)
    said = await evenkeel("rebalance", "--yes", key=KEEPER_KEY)
    assert said.code == 4
    assert "expected a positive price, found 0" in said.err


# ------------------------------------------------------------------ the daemon, as a process


async def test_run__as_a_process__rebalances_and_stops_on_sigterm_within_ten_seconds(
    evenkeel: Evenkeel, vault: str, replica: Chain, tmp_path: Path
) -> None:
    await deposit(evenkeel, DRIFTED)
    files = [CONFIG / "mainnet.yaml", CONFIG / "local.yaml", tmp_path / "test.yaml", tmp_path / "vault.yaml"]
    environment = {**os.environ, "EVENKEEL_PRIVATE_KEY": KEEPER_KEY, "EVENKEEL_CHAIN__RPC": replica.url}
    environment["EVENKEEL_CONFIG"] = os.pathsep.join(map(str, files))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from bot.cli import main; main()", "run", "--log-json",
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            assert process.stderr is not None
            lines = []
            while not any('"tx": "0x' in line for line in lines):
                line = (await process.stderr.readline()).decode()
                assert line, "\n".join(lines)
                lines.append(line)
        process.send_signal(signal.SIGTERM)
        out, rest = await asyncio.wait_for(process.communicate(), 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert out == b""
    log = [json.loads(line) for line in [*lines, *rest.decode().splitlines()]]
    assert log[0]["event"] == "started"
    assert log[-1]["event"] == "stopped"
    assert KEEPER_KEY[2:] not in "".join(lines) + rest.decode()
    assert (await evenkeel("status")).code == 0
    assert (await evenkeel("history", "--json")).json[0]["what"] == "rebalanced"


# ------------------------------------------------------------------ chains and the demo


async def test_chain_replica__as_a_process__says_where_it_is_and_takes_its_node_with_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from bot.cli import main; main()", "chain", "replica",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        first = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        url = first.removeprefix("export EVENKEEL_CHAIN__RPC=")
        async with HttpRpc(url) as rpc:
            assert int(await rpc.call("eth_chainId"), 16) == 1
        process.send_signal(signal.SIGINT)
        out, _ = await asyncio.wait_for(process.communicate(), 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert OWNER in out.decode()
    async with HttpRpc(url, timeout_s=2) as rpc:
        with pytest.raises(ChainError):
            await rpc.call("eth_chainId")


async def test_keep_fresh__stale_feeds__are_renewed_until_it_is_stopped(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=5_000)
    assert (await evenkeel("status")).code == 4
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_fresh(replica, stop, every_s=0.01))
    await asyncio.sleep(1)
    stop.set()
    await asyncio.wait_for(keeping, 10)
    said = await evenkeel("status")
    assert said.code == 0, said.err
    assert "999,700.00 USD" in said.out


async def test_demo__an_hour_or_two__reports_and_writes_its_page(evenkeel: Evenkeel, tmp_path: Path) -> None:
    said = await evenkeel("demo", "--hours", "2", "--report", str(tmp_path / "demo.html"), "--json")
    assert said.code == 0, said.err
    assert said.json["chain"] == "replica of mainnet"
    assert (tmp_path / "demo.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


async def test_demo__no_such_file__is_one_line_and_4(evenkeel: Evenkeel, tmp_path: Path) -> None:
    for option in ("--prices", "--state"):
        said = await evenkeel("demo", option, "none.csv", "--report", str(tmp_path / "demo.html"))
        assert said.code == 4, said.err
        assert "none.csv, found n" in said.err
        assert "correct the path" in said.err


async def test_demo__two_chains_at_once__is_a_usage_error(evenkeel: Evenkeel, tmp_path: Path) -> None:
    said = await evenkeel("demo", "--state", "a.json", "--fork-url", "http://127.0.0.1:9")
    assert said.code == 2
    assert "leave one out" in said.err
