"""What is said before a person signs, and how a vault is stopped."""

import io
import re
import sys
from decimal import Decimal

import pytest

from bot.chain import cheats
from bot.chain.grades import Chain
from tests.chain.console import (
    CALM,
    KEEPER,
    KEEPER_KEY,
    OWNER,
    OWNER_KEY,
    Evenkeel,
    deposit,
    nonce,
)

pytestmark = pytest.mark.chain


# ------------------------------------------------------------------ what is said before a person signs


async def no(evenkeel: Evenkeel, monkeypatch: pytest.MonkeyPatch, *words: str, key: str = OWNER_KEY) -> str:
    """What a verb says to a person who then says no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    said = await evenkeel("vault", *words, key=key)
    assert said.code == 6
    assert "you said no" in said.err
    return said.err


async def test_redeem__asked__says_shares_part_worth_expected_least_and_receiver(
    evenkeel: Evenkeel, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, CALM)
    said = await no(evenkeel, monkeypatch, "redeem", "99970")
    assert f"redeem 99,970 of the 999,700 shares of {OWNER}, in kind: 10.0000% of {vault}" in said
    assert "expected: 40,000 USDC, 13.33 WETH, 0.222 WBTC; worth 99,970.00 at the feeds' prices" in said
    assert f"at least: 39,920 USDC, 13.30334 WETH, 0.221556 WBTC, to {OWNER}" in said
    assert "redeem 999,700 of the 999,700 shares" in await no(evenkeel, monkeypatch, "redeem", "all")
    said = await no(evenkeel, monkeypatch, "redeem", "10000", "--zap", "USDC")
    assert "in 2 trades through zap" in said
    assert "worth 9,9" in said
    assert "at least: 9,9" in said


async def test_deposit__asked__says_shares_part_cost_and_change(
    evenkeel: Evenkeel, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, CALM)
    said = await no(evenkeel, monkeypatch, "deposit", "--zap", "USDC=50000")
    assert "deposit 50,000 USDC in 2 trades through zap" in said
    assert f"shares of {vault}, then 4.7" in said
    back = Decimal(re.findall(r"expected back as change: .*; worth ([\d,.]+)", said)[0].replace(",", ""))
    cost = Decimal(re.findall(r"expected cost: ([\d,.]+) of 50,000.00", said)[0].replace(",", ""))
    bought = Decimal(re.findall(r"of it, worth ([\d,.]+)", said)[0].replace(",", ""))
    assert 0 < cost < 200
    assert 50 < back < 200  # the cushion's part, which nobody loses
    assert bought + back + cost == pytest.approx(Decimal(50_000), abs=Decimal("0.02"))
    said = await no(evenkeel, monkeypatch, "deposit", "USDC=4000", "WETH=1.4", "WBTC=0.03")
    assert f"of {vault}, then 0.9" in said
    assert "at most: 4,000 USDC, 1.4 WETH, 0.03 WBTC, from" in said
    assert "expected: 3,992 USDC" in said


async def test_deploy__asked__says_limits_corridors_delay_and_what_it_costs(
    evenkeel: Evenkeel, vault: str, replica: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await no(evenkeel, monkeypatch, "deploy")
    assert "a bundle loses at most 30 bps and a day 100 bps" in said
    assert "corridors: USDC 10% to 70%, WETH 10% to 70%, WBTC 10% to 70%" in said
    assert "delay: 3,600 s" in said
    told = int(re.findall(r"cost: about ([\d,]+) gas", said)[0].replace(",", ""))
    before = await nonce(replica, OWNER)
    assert (await evenkeel("vault", "deploy", "--yes", key=OWNER_KEY)).code == 0
    newest = int(await replica.rpc.call("eth_blockNumber"), 16)
    used = 0
    for number in range(newest, newest - 4, -1):
        (tx,) = (await replica.rpc.call("eth_getBlockByNumber", hex(number), False))["transactions"]
        used += int((await replica.rpc.call("eth_getTransactionReceipt", tx))["gasUsed"], 16)
    assert await nonce(replica, OWNER) == before + 4
    assert told == pytest.approx(used, rel=0.03)
    await cheats.set_ether(replica.rpc, OWNER, 10**12)
    said = (await evenkeel("vault", "deploy", "--yes", key=OWNER_KEY)).err
    assert "expected ether for about" in said


# ------------------------------------------------------------------ stopping it

GUARDIAN = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
GUARDIAN_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"  # anvil's test account 2


async def test_pause__guardian__stops_deposits_and_lets_people_leave(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=5_000)  # it asks no feed
    said = await evenkeel("vault", "pause", "--yes", "--json", key=GUARDIAN_KEY)
    assert said.code == 0, said.err
    assert said.json["sent"] is True
    assert (await evenkeel("vault", "info", "--json")).json["paused"] is True
    assert "paused: YES" in (await evenkeel("vault", "info")).out
    again = await evenkeel("vault", "pause", "--yes", key=GUARDIAN_KEY)
    assert (again.code, again.out) == (0, "the vault is paused already; nothing was sent\n")
    assert (await evenkeel("vault", "redeem", "1000", "--yes", key=OWNER_KEY)).code == 0
    other = await evenkeel("vault", "unpause", "--yes", key=GUARDIAN_KEY)
    assert other.code == 3
    assert f"unpause: expected the key of the owner {OWNER}, found that of {GUARDIAN}" in other.err
    assert (await evenkeel("vault", "unpause", "--yes", key=OWNER_KEY)).code == 0
    assert (await evenkeel("vault", "info", "--json")).json["paused"] is False


async def test_pause__without_a_key__shows_the_call_for_another_wallet(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    before = await replica.rpc.call("eth_blockNumber")
    for words, over in ((["pause"], "key: null"), (["pause", "--dry-run"], None)):
        said = await evenkeel("vault", *words, over=over)
        assert said.code == 0, said.err
        assert f"by the owner {OWNER} or the guardian {GUARDIAN}" in said.out
        assert "data 0x8456cb59" in said.out
        assert "nothing was sent" in said.out
    assert await replica.rpc.call("eth_blockNumber") == before


async def test_keeper__owner__names_another_at_once(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    said = await evenkeel("vault", "keeper", GUARDIAN, "--yes", key=KEEPER_KEY)
    assert said.code == 3
    assert f"set_keeper: expected the key of the owner {OWNER}, found that of {KEEPER}" in said.err
    for who, shown in ((GUARDIAN, GUARDIAN), ("none", None)):
        said = await evenkeel("vault", "keeper", who, "--yes", key=OWNER_KEY)
        assert said.code == 0, said.err
        assert (await evenkeel("vault", "info", "--json")).json["keeper"] == shown


async def test_revoke__change_that_waits__is_listed_and_forgotten(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    charter = (await evenkeel("vault", "info", "--json")).json["charter"]
    await cheats.call_as(replica.rpc, OWNER, charter, "set_corridor(uint256,uint256,uint256)", 0, 0, 10_000)
    (change,) = (await evenkeel("vault", "info", "--json")).json["changes"]
    newest = await replica.rpc.call("eth_getBlockByNumber", "latest", False)
    assert change["ready_at"] == int(newest["timestamp"], 16) + 3_600
    assert change["call"] == "set_corridor(0, 0, 10000)"
    assert "set_corridor(0, 0, 10000), can be made from" in (await evenkeel("vault", "info")).out
    said = await evenkeel("vault", "revoke", "0x" + "11" * 32, "--yes", key=GUARDIAN_KEY)
    assert said.code == 6
    assert "expected a change that waits" in said.err
    said = await evenkeel("vault", "revoke", change["id"], "--yes", key=GUARDIAN_KEY)
    assert said.code == 0, said.err
    assert (await evenkeel("vault", "info", "--json")).json["changes"] == []


async def test_vault_info__stale_feed__shows_all_but_the_worth(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=5_000)
    said = await evenkeel("vault", "info")
    assert said.code == 0, said.err
    assert "worth: unknown: feed of WETH" in said.out
    assert f"keeper: {KEEPER}" in said.out
    assert "idle: USDC 400,000, WETH 133.3, WBTC 2.22" in said.out
