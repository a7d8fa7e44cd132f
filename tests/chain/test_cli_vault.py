"""`evenkeel vault` on the replica: money in and out, and what is told of it."""

from decimal import Decimal

import pytest

from bot.chain import cheats
from bot.chain.grades import Chain
from tests.chain.console import (
    CALM,
    DRIFTED,
    KEEPER,
    KEEPER_KEY,
    NOBODY,
    OWNER,
    OWNER_KEY,
    Evenkeel,
    deposit,
    nonce,
)

pytestmark = pytest.mark.chain


# ------------------------------------------------------------------ in and out


async def test_redeem__all_in_kind__pays_everything_but_the_locked_shares(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    minted = (await deposit(evenkeel, CALM)).json["shares_raw"]
    said = await evenkeel("vault", "redeem", "all", "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert said.json["shares_raw"] == -minted
    assert [amount["raw"] > 0 for amount in said.json["amounts"]] == [True] * 3


async def test_redeem__in_kind_with_dead_feeds__works(evenkeel: Evenkeel, vault: str, replica: Chain) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=200_000)
    assert (await evenkeel("status")).code == 4  # stale
    said = await evenkeel("vault", "redeem", "1000", "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert (said.json["shares"], said.json["shares_raw"]) == ("-1000", -1000 * 10**18)


async def test_zap__in_and_out__moves_one_token(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    put = await evenkeel("vault", "deposit", "--zap", "USDC=5000", "--yes", "--json", key=OWNER_KEY)
    assert put.code == 0, put.err
    assert put.json["shares_raw"] > 4_950 * 10**18
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
        (["deposit", "USCD=1"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'USCD'"),
        (["deposit", "DAI=1"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'DAI'"),
        (["deposit", "--zap", "DAI=1"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'DAI'"),
        (["redeem", "1"], 4, f"expected 1 shares of vault 0x5FbDB2315678afecb367f032d93F642f64180aa3 at {OWNER}"),
        (["redeem", "all"], 4, "(EVENKEEL_PRIVATE_KEY), found none; is it the right key?"),
        (["claim", "USCD"], 2, "expected a token of the vault"),
        (["claim", "DAI"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'DAI'"),
        (["redeem", "NaN"], 2, "expected"),
        (["redeem", "-5"], 2, "expected a number above 0"),
        (["keeper", KEEPER.lower()], 2, f"expected the checksummed form {KEEPER}"),
        (["revoke", "0x12"], 2, "expected the id of a change"),
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
    ("words", "code", "said"),
    [
        (["redeem", "1", "--zap", "DAI"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'DAI'"),
        (["redeem", "1", "--set-aside", "FOO"], 2, "expected a token of the vault (USDC, WETH, WBTC), found 'FOO'"),
        (["redeem", "1000000000"], 4, "expected 1000000000 shares of vault"),
        (["deposit", "USDC=1"], 2, "that buys no share"),
        (["deposit", "USDC=200000000", "WETH=66650", "WBTC=1110"], 4, f"USDC at {OWNER}, found 600,000"),
        (["deposit", "--zap", "USDC=700000"], 4, f"expected at least 700,000.000000 USDC at {OWNER}, found 600,000"),
    ],
)
async def test_vault__what_it_cannot_take_or_give__is_one_line_and_nothing_is_sent(
    words: list[str], code: int, said: str, evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    before = await nonce(replica, OWNER)
    found = await evenkeel("vault", *words, "--yes", key=OWNER_KEY)
    assert found.code == code
    assert "Deposit?" not in found.err
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
    assert info["corridors_bps"] == {"USDC": [1000, 7000], "WETH": [1000, 7000], "WBTC": [1000, 7000]}
    assert info["owed"] == {"USDC": "0", "WETH": "0", "WBTC": "0"}  # digits, not a power of ten
    assert info["shares"] == "999700"
    assert (info["changes"], info["price"]) == ([], None)
    assert (info["delay_s"], info["pending_owner"], info["sequencer"]) == (3_600, None, None)
    assert (info["fee_bps"], info["fee_receiver"]) == (0, None)
    assert await replica.rpc.call("eth_getCode", info["charter"], "latest") != "0x"
    assert {Decimal(units) for units in info["owed"].values()} == {0}
    lines = (await evenkeel("vault", "info")).out.splitlines()
    assert "loss of a bundle: at most 30 bps" in lines
    assert "worth: 999,700.00 in all, 1.000000 a share" in lines
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


async def test_zap__of_another_vault_or_none__is_refused_before_anything_is_signed(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    other = await evenkeel("vault", "deploy", "--yes", "--json", key=OWNER_KEY)
    assert other.code == 0, other.err
    wrong = {other.json["zap"]: f"that of vault {other.json['vault']}", NOBODY: "found no contract"}
    before = await nonce(replica, OWNER)
    for zap, found in wrong.items():
        for words in (["deposit", "--zap", "USDC=500"], ["redeem", "500", "--zap", "USDC"]):
            said = await evenkeel("vault", *words, "--yes", key=OWNER_KEY, over=f"account: {{zap: '{zap}'}}")
            assert said.code == 3
            assert f"account.zap: expected the zap of vault {vault}" in said.err
            assert found in said.err
    assert await nonce(replica, OWNER) == before


async def test_deposit__in_kind_with_stale_feeds__works_after_the_first(
    evenkeel: Evenkeel, vault: str, replica: Chain
) -> None:
    await deposit(evenkeel, CALM)
    await cheats.mine(replica.rpc, seconds=5_000)
    said = await evenkeel("vault", "deposit", "USDC=4000", "WETH=1.4", "WBTC=0.03", "--yes", key=OWNER_KEY)
    assert said.code == 0, said.err
    assert "worth unknown: a feed says no good price" in said.err
