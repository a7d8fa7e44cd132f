"""The verbs on the replica: a vault from deployment to redemption, and every way in which the chain can be wrong."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.chain import cheats, seeds
from bot.chain.grades import Chain
from bot.chain.rpc import HttpRpc
from bot.cli import run
from bot.config import load
from bot.config.wiring import market
from bot.core.errors import ChainError
from bot.core.types import Feed
from bot.core.units import Money, to_raw_floor
from bot.venues.market import verify_market

pytestmark = pytest.mark.chain

CONFIG = Path(__file__).parents[2] / "config"
OWNER, KEEPER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OWNER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # anvil's test account 0
KEEPER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"  # and 1
UNITS = {"USDC": Decimal(1_000_000), "WETH": Decimal(300), "WBTC": Decimal(10)}
DRIFTED = ["USDC=400000", "WETH=150", "WBTC=1"]  # 43 / 48 / 10 per cent at the replica's prices, for 40 / 40 / 20
COOLDOWN_S = 3_000
CALM = ["USDC=400000", "WETH=133.3", "WBTC=2.22"]


@dataclass(frozen=True)
class Said:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Evenkeel = Callable[..., Awaitable[Said]]


@pytest.fixture
def evenkeel(
    replica: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Evenkeel:
    """Run one command line with a home of its own: mainnet's file, local's over it, and what the test writes."""
    local = tmp_path / "test.yaml"
    local.write_text("journal: {url: 'sqlite+aiosqlite:///test.db'}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_CHAIN__RPC", replica.url)
    monkeypatch.delenv("EVENKEEL_PRIVATE_KEY", raising=False)

    async def command(*words: str, key: str | None = None, over: str | None = None) -> Said:
        files = [CONFIG / "mainnet.yaml", CONFIG / "local.yaml", local, tmp_path / "vault.yaml"]
        if over is not None:
            (tmp_path / "over.yaml").write_text(over, encoding="utf-8")
            files.append(tmp_path / "over.yaml")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EVENKEEL_CONFIG", os.pathsep.join(str(file) for file in files if file.exists()))
            if key:
                patch.setenv("EVENKEEL_PRIVATE_KEY", key)
            capsys.readouterr()
            code = await asyncio.to_thread(run, list(words))
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert OWNER_KEY[2:] not in shown.out + shown.err
        assert KEEPER_KEY[2:] not in shown.out + shown.err
        return Said(code, shown.out, shown.err)

    return command


@pytest.fixture
async def vault(evenkeel: Evenkeel, replica: Chain) -> str:
    """A vault without shares, and an owner with tokens."""
    for symbol, units in UNITS.items():
        token = replica.market.token(symbol)
        await cheats.deal(replica.rpc, token.address, OWNER, to_raw_floor(units, token.decimals))
    said = await evenkeel("vault", "deploy", "--yes", "--json", "--write", "vault.yaml", key=OWNER_KEY)
    assert said.code == 0, said.err
    return str(said.json["vault"])


async def deposit(evenkeel: Evenkeel, amounts: list[str]) -> Said:
    said = await evenkeel("vault", "deposit", *amounts, "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    return said


def policy(more: str, name: str = "policy.yaml", targets: str = "{USDC: 0.4, WETH: 0.4, WBTC: 0.2}") -> str:
    """Write a policy into the test's home; the overlay that names it."""
    Path(name).write_text(f"targets: {targets}\n{more}\n", encoding="utf-8")
    return f"policy: {name}"


async def nonce(replica: Chain, who: str = KEEPER) -> int:
    return int(await replica.rpc.call("eth_getTransactionCount", who, "latest"), 16)


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
    assert "It wanted to rebalance, because WBTC is 9.57% of the portfolio" in said.out
    assert (await evenkeel("plan", "--json")).json["verdict"] == "go"
    assert await replica.rpc.call("eth_blockNumber") == before
    assert (await evenkeel("history", "--json")).json == []


async def test_doctor__everything_in_place__is_well(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    said = await evenkeel("doctor", key=KEEPER_KEY)
    assert said.code == 0, said.out
    assert "all is well" in said.out


async def test_doctor__before_deployment__says_what_to_do(evenkeel: Evenkeel) -> None:
    said = await evenkeel("doctor", "--json")
    assert said.code == 4
    assert any("evenkeel vault deploy" in check["said"] for check in said.json["checks"] if not check["ok"])


async def test_doctor__keeper_without_ether__says_what_to_do(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, CALM)
    await cheats.set_ether(replica.rpc, KEEPER, 10**12)
    said = await evenkeel("doctor", key=KEEPER_KEY)
    assert said.code == 4
    assert "FAIL key: keeper" in said.out
    assert "give it ether" in said.out


# ------------------------------------------------------------------ acting


async def test_rebalance__with_the_keepers_key__ends_inside_the_band_and_explains_itself(
    evenkeel: Evenkeel, vault: str
) -> None:
    await deposit(evenkeel, DRIFTED)
    done = await evenkeel("rebalance", "--yes", "--json", key=KEEPER_KEY)
    assert done.code == 0, done.err
    assert done.json["sent"] is True
    assert done.json["outcome"]["ok"] is True
    assert (await evenkeel("status")).code == 0
    told = (await evenkeel("explain")).out
    for words in ("It wanted to rebalance, because", "The simulation succeeded", "It sent transaction", "in block"):
        assert words in told
    (row,) = (await evenkeel("history", "--json")).json
    assert row["what"] == "rebalanced"
    assert row["tx"] == done.json["outcome"]["tx"]


async def test_rebalance__calm__does_nothing_and_explains_why_not(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    over = policy("")  # without a range there is nothing to do
    before = await nonce(replica)
    said = await evenkeel("rebalance", "--yes", key=KEEPER_KEY, over=over)
    assert said.code == 0
    assert "It did nothing, because every weight is inside the band" in said.out
    assert "It did nothing, because every weight is inside the band" in (await evenkeel("explain", "1", over=over)).out
    assert await nonce(replica) == before


@pytest.mark.parametrize(
    ("words", "key", "over"),
    [(["--dry-run"], None, None), (["--dry-run"], KEEPER_KEY, None), ([], KEEPER_KEY, "key: null")],
    ids=["asked for, no key at hand", "asked for, with a key", "no key named"],
)
async def test_rebalance__dry__simulates_and_sends_nothing(
    words: list[str], key: str | None, over: str | None, evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, DRIFTED)
    before = await replica.rpc.call("eth_blockNumber")
    said = await evenkeel("rebalance", *words, key=key, over=over)
    assert said.code == 0, said.err
    assert "The simulation succeeded" in said.out
    assert "nothing was sent" in said.out
    assert await replica.rpc.call("eth_blockNumber") == before


async def test_rebalance__nobody_answers__is_refused_and_sends_nothing(
    evenkeel: Evenkeel, vault: str, replica: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, DRIFTED)
    before = await nonce(replica)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = await evenkeel("rebalance", key=KEEPER_KEY)
    assert said.code == 6
    assert "--yes" in said.err
    assert await nonce(replica) == before


async def test_rebalance__large__asks_a_person_and_records_the_answer(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, DRIFTED)
    over = policy("cost: {slippage_bps: 50}\nguards: {ask_above: 1000}")
    said = await evenkeel("rebalance", "--yes", key=KEEPER_KEY, over=over)
    assert said.code == 0, said.err
    assert "It asked a person first" in said.out
    assert "approved it" in (await evenkeel("explain", over=over)).out


async def test_rebalance__gas_above_the_limit__is_refused(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, DRIFTED)
    said = await evenkeel(
        "rebalance", "--yes", key=KEEPER_KEY, over=policy("cost: {slippage_bps: 50}\nguards: {gas_price_gwei: 0.01}")
    )
    assert said.code == 6
    assert "above the limit of 0.01" in said.err
    assert "A limit refused it" in (await evenkeel("explain")).out
    assert await nonce(replica) == 0


async def test_rebalance__key_of_another__is_a_config_error(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, DRIFTED)
    before = await nonce(replica, OWNER)
    said = await evenkeel("rebalance", "--yes", key=OWNER_KEY)
    assert said.code == 3
    assert f"the vault's keeper {KEEPER}" in said.err
    assert await nonce(replica, OWNER) == before


async def test_rebalance__wallet__is_watched_only(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    over = f"account: {{vault: null, zap: null, lens: null, wallet: '{OWNER}'}}"
    before = await nonce(replica, OWNER)
    said = await evenkeel("rebalance", "--yes", key=OWNER_KEY, over=over)
    assert said.code == 5
    assert "a wallet is only watched; deploy a vault to act" in said.err
    assert await nonce(replica, OWNER) == before


# ------------------------------------------------------------------ in and out


async def test_redeem__all_in_kind__pays_everything_but_the_locked_shares(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    minted = (await deposit(evenkeel, CALM)).json["shares"]
    said = await evenkeel("vault", "redeem", "all", "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert said.json["shares"] == -minted
    assert [amount["raw"] > 0 for amount in said.json["amounts"]] == [True] * 3


async def test_redeem__in_kind_with_dead_feeds__works(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=200_000)
    assert (await evenkeel("status")).code == 4  # stale
    said = await evenkeel("vault", "redeem", "1000", "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert said.json["shares"] == -1000 * 10**18


async def test_zap__in_and_out__moves_one_token(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    put = await evenkeel("vault", "deposit", "--zap", "USDC=5000", "--yes", "--json", key=OWNER_KEY)
    assert put.code == 0, put.err
    assert put.json["shares"] > 4_950 * 10**18
    got = await evenkeel("vault", "redeem", "1000", "--zap", "USDC", "--yes", "--json", key=OWNER_KEY)
    assert got.code == 0, got.err
    assert got.json["amounts"][0]["raw"] > 990 * 10**6


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deposit", "USDC"], 2, "expected SYMBOL=UNITS"),
        (["deposit", "USDC=many"], 2, "expected a number such as 0.25"),
        (["deposit", "USDC=-1"], 2, "expected a number above 0"),
        (["deposit", "USDC=0.0000001"], 2, "at most 6 decimals"),
        (["deposit", "USCD=1"], 2, "expected a symbol of market.tokens"),
        (["deposit", "DAI=1"], 3, "expected tokens of the vault (USDC, WETH, WBTC), found DAI"),
        (["deposit", "--zap", "DAI=1"], 3, "expected tokens of the vault (USDC, WETH, WBTC), found DAI"),
        (["redeem", "1"], 2, "expected above 0 and at most the 0"),
        (["claim", "USCD"], 2, "expected a symbol of market.tokens"),
        (["claim", "DAI"], 3, "expected tokens of the vault (USDC, WETH, WBTC), found DAI"),
        (["redeem", "NaN"], 2, "expected"),
    ],
)
async def test_vault__wrong_amount__is_one_line_and_nothing_is_sent(
    words: list[str], code: int, said: str, evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    before = await nonce(replica, OWNER)
    found = await evenkeel("vault", *words, "--yes", key=OWNER_KEY)
    assert found.code == code
    assert said in found.err
    assert found.err.count("error: ") == 1
    assert await nonce(replica, OWNER) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["redeem", "1", "--zap", "DAI"], "expected tokens of the vault (USDC, WETH, WBTC), found DAI"),
        (["deposit", "USDC=1"], "that buys no share"),
    ],
)
async def test_vault__what_it_cannot_take_or_give__is_one_line_and_nothing_is_sent(
    words: list[str], said: str, evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    before = await nonce(replica, OWNER)
    found = await evenkeel("vault", *words, "--yes", key=OWNER_KEY)
    assert found.code == 3
    assert said in found.err
    assert await nonce(replica, OWNER) == before


async def test_rebalance__yes__tells_the_story_once(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, DRIFTED)
    said = await evenkeel("rebalance", "--yes", key=KEEPER_KEY)
    assert (said.out + said.err).count("It wanted to rebalance") == 1


async def test_vault_info__shows_charter_roles_limits_and_what_is_owed(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    info = (await evenkeel("vault", "info", "--json")).json
    assert (info["vault"], info["owner"], info["keeper"]) == (vault, OWNER, KEEPER)
    assert info["bundle_loss_bps"] == 30
    assert info["corridors"] == {"USDC": [1000, 7000], "WETH": [1000, 7000], "WBTC": [1000, 7000]}
    assert (info["delay_s"], info["pending_owner"], info["sequencer"]) == (3_600, None, None)
    assert (info["fee_bps"], info["fee_receiver"]) == (0, None)
    assert await replica.rpc.call("eth_getCode", info["charter"], "latest") != "0x"
    assert {Decimal(units) for units in info["owed"].values()} == {0}
    lines = (await evenkeel("vault", "info")).out.splitlines()
    assert {"sequencer: none", "owed: USDC 0, WETH 0, WBTC 0", f"charter: {info['charter']}"} <= set(lines)


async def test_redeem__setting_a_token_aside__is_shown_and_claimed(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    said = await evenkeel("vault", "redeem", "1000", "--set-aside", "USDC", "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert "USDC (set aside: `evenkeel vault claim USDC` pays it once it moves)" in said.err
    assert [amount["raw"] > 0 for amount in said.json["amounts"]] == [False, True, True]
    owed = (await evenkeel("vault", "info", "--json")).json["owed"]
    assert (Decimal(owed["USDC"]) > 0, Decimal(owed["WETH"])) == (True, 0)
    claimed = await evenkeel("vault", "claim", "USDC", "--yes", "--json", key=OWNER_KEY)
    assert claimed.code == 0, claimed.err
    assert Decimal(claimed.json["amounts"][0]["raw"]) == Decimal(owed["USDC"]) * 10**6
    again = await evenkeel("vault", "claim", "USDC", "--yes", key=OWNER_KEY)
    assert (again.code, "nothing of USDC is set aside" in again.err) == (6, True)


# ------------------------------------------------------------------ a chain that is not as configured

NOBODY = "0x000000000000000000000000000000000000dEaD"
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


async def test_demo__an_hour_or_two__reports_and_writes_its_page(evenkeel: Evenkeel, tmp_path: Path) -> None:
    said = await evenkeel("demo", "--hours", "2", "--report", str(tmp_path / "demo.html"), "--json")
    assert said.code == 0, said.err
    assert said.json["chain"] == "replica of mainnet"
    assert (tmp_path / "demo.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


async def test_demo__two_chains_at_once__is_a_usage_error(evenkeel: Evenkeel, tmp_path: Path) -> None:
    said = await evenkeel("demo", "--state", "a.json", "--fork-url", "http://127.0.0.1:9")
    assert said.code == 2
    assert "leave one out" in said.err
