"""`evenkeel rebalance` on the replica: what is sent, who approved it, and of which chain the journal is."""

import io
import sys
from pathlib import Path

import pytest

from bot.chain.grades import Chain
from bot.core.rows import Origin
from bot.journal import SqlJournal
from tests.chain.console import (
    CALM,
    DRIFTED,
    KEEPER,
    KEEPER_KEY,
    OWNER,
    OWNER_KEY,
    Evenkeel,
    deposit,
    nonce,
    policy,
)

pytestmark = pytest.mark.chain


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


LARGE = "cost: {slippage_bps: 50}\nguards: {ask_above: 1000}"


async def test_rebalance__large__yes_is_no_approval(
    evenkeel: Evenkeel, vault: str, replica: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, DRIFTED)
    over, before = policy(LARGE), await nonce(replica)
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # as from cron
    said = await evenkeel("rebalance", "--yes", key=KEEPER_KEY, over=over)
    assert said.code == 6
    assert "--approve" in said.err
    assert "A person must approve it" in said.err
    assert await nonce(replica) == before


@pytest.mark.parametrize(
    ("words", "typed", "how"),
    [
        (["--yes", "--approve"], "", "approved it: said --approve"),
        (["--yes"], "y\n", "approved it: said yes when asked"),
        ([], "y\n", "approved it: said yes when asked"),
    ],
    ids=["by option", "asked, with --yes", "asked"],
)
async def test_rebalance__large_and_approved__is_sent_and_says_who_and_how(
    words: list[str], typed: str, how: str, evenkeel: Evenkeel, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deposit(evenkeel, DRIFTED)
    over = policy(LARGE)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    said = await evenkeel("rebalance", *words, key=KEEPER_KEY, over=over)
    assert said.code == 0, said.err
    assert "asked a person first" not in said.out + said.err
    assert how in said.out
    told = (await evenkeel("explain", over=over)).out
    assert told.index("A person must approve it") < told.index(how) < told.index("It sent transaction")


async def test_rebalance__gas_above_the_limit__is_refused(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, DRIFTED)
    said = await evenkeel(
        "rebalance", "--yes", key=KEEPER_KEY, over=policy("cost: {slippage_bps: 50}\nguards: {gas_price_gwei: 0.01}")
    )
    assert said.code == 6
    assert "above the limit of 0.01" in said.err
    assert (said.out + said.err).count("It wanted to rebalance") == 1
    assert said.err.startswith("error: ")  # no log line tells the same once more
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


async def test_journal__of_another_chain__is_refused_and_doctor_says_so(
    evenkeel: Evenkeel, vault: str, replica: Chain, tmp_path: Path
) -> None:
    await deposit(evenkeel, DRIFTED)
    journal = SqlJournal(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    await journal.append(0, "chain", Origin(1, 3, "0x" + "5a" * 32))
    await journal.close()
    before = await nonce(replica)
    for words in (["plan"], ["status"], ["rebalance", "--yes"], ["vault", "deposit", "--zap", "USDC=1", "-y"]):
        said = await evenkeel(*words, key=KEEPER_KEY)
        assert said.code == 3
        assert "test.db: expected the chain it was begun on" in said.err
        assert "remove the journal" in said.err
    assert await nonce(replica) == before
    said = await evenkeel("doctor", key=KEEPER_KEY)
    assert said.code == 4
    assert "FAIL chain of the journal: " in said.out
    out = await evenkeel("vault", "redeem", "1", "--yes", key=OWNER_KEY)  # leaving asks no journal
    assert out.code == 0, out.err


async def test_rebalance__first__binds_the_journal_to_its_chain(
    evenkeel: Evenkeel, vault: str, replica: Chain, tmp_path: Path
) -> None:
    await deposit(evenkeel, DRIFTED)
    assert (await evenkeel("rebalance", "--dry-run")).code == 0
    journal = SqlJournal(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    (record,) = await journal.records("chain")
    await journal.close()
    block = await replica.rpc.call("eth_getBlockByNumber", hex(record.body.number), False)
    assert record.body == Origin(1, record.body.number, block["hash"])
    assert (await evenkeel("plan")).code == 0
