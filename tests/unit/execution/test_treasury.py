"""What the treasury tells of a receipt, and what it does when things go wrong, with a node made of answers."""

from typing import Any

import pytest

from bot.chain.abi import contract_address, decode, encode, selector
from bot.core.errors import Broken, ChainError, ConfigError, Reverted
from bot.core.types import Amount, Feed, Limits
from bot.core.units import Bps, Raw
from bot.execution import calls, treasury
from bot.execution.calls import NOBODY, TRANSFER
from bot.execution.treasury import CHARTER_TYPES, VAULT_TYPES, VaultAt, VaultSetup
from bot.venues.zap import ZapDeposit, ZapWithdrawal
from tests.factories import USDC, VAULT, WETH

ALICE = "0x00000000000000000000000000000000000A11cE"
BOB = "0x0000000000000000000000000000000000000B0b"
PAIR = VaultAt(VAULT, (USDC, WETH))
MOST = (Amount(USDC, Raw(500)), Amount(WETH, Raw(0)))
FEED = Feed(USDC, "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", 8, 90_000, 95_000_000, 105_000_000)
LIMITS = Limits(Bps(50), Bps(200), Bps(50_000), Bps(100), 0)
SETUP = VaultSetup("Keel", "KEEL", ALICE, BOB, BOB, 86_400, (FEED,), ((Bps(100), Bps(9_000)),), (), LIMITS)
APPROVE = selector("approve(address,uint256)").hex()
MINT = selector("mint(uint256,uint256[],address,uint256)").hex()


def word(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")


def transfer(token: str, source: str, target: str, raw: int) -> dict[str, Any]:
    return {"address": token, "topics": [TRANSFER, word(source), word(target)], "data": hex(raw)}


MINTED = transfer(VAULT, NOBODY, ALICE, 11)


class Answers:
    """A node that signs for its accounts, keeps allowances, and mines at once."""

    def __init__(self, logs: list[dict[str, Any]], refuse: str = "") -> None:
        self.logs, self.refuse = logs, refuse
        self.sent: list[str] = []  # calldata
        self.allowances: dict[str, int] = {}
        self.silent = False
        self.code = "0x60"
        self.vault_of_zap: str | None = VAULT  # None: it has no such function
        self.nonce = 0

    async def call(self, method: str, *params: Any) -> Any:
        return getattr(self, method)(*params)

    def eth_getBlockByNumber(self, block: str, whole: bool) -> dict[str, Any]:
        return {"timestamp": hex(1_000)}

    def eth_call(self, call: dict[str, str], block: str) -> str:
        if call["data"] == "0x" + selector("vault()").hex():
            if self.vault_of_zap is None:
                raise Reverted("no reason given")
            return word(self.vault_of_zap)
        return "0x" + encode(("uint256",), self.allowances.get(call["to"], 0)).hex()

    def eth_estimateGas(self, transaction: dict[str, str]) -> str:
        return hex(100_000)

    def eth_sendTransaction(self, transaction: dict[str, str]) -> str:
        assert int(transaction["gas"], 16) == 120_000  # a bare estimate leaves no room for the block to come
        data = transaction["data"][2:]
        if self.refuse and data.startswith(MINT):
            raise Reverted(self.refuse)
        if data.startswith(APPROVE):
            self.allowances[transaction["to"]] = int(data[-64:], 16)
        self.sent.append(data)
        return f"0x{len(self.sent):064x}"

    def eth_getTransactionReceipt(self, tx: str) -> dict[str, Any] | None:
        if self.silent:
            return None
        mint = not self.sent[int(tx, 16) - 1].startswith(APPROVE)
        return {
            "transactionHash": tx,
            "status": "0x1",
            "blockNumber": "0x7",
            "gasUsed": hex(1_000 if mint else 10),
            "effectiveGasPrice": "0x3",
            "contractAddress": VAULT.lower(),
            "logs": self.logs if mint else [],
        }

    def eth_getTransactionCount(self, account: str, block: str) -> str:
        assert block == "pending"
        return hex(self.nonce)

    def eth_getCode(self, address: str, block: str) -> str:
        return self.code


async def test_moved__every_kind_of_transfer__counts_ours_and_no_other() -> None:
    nft = {"address": USDC.address, "topics": [TRANSFER, word(ALICE), word(VAULT), word(BOB)], "data": "0x"}
    logs = [
        transfer(USDC.address, ALICE, VAULT, 400),
        transfer(USDC.address.lower(), VAULT, ALICE, 50),
        transfer(USDC.address, ALICE, ALICE, 7),
        transfer(USDC.address, ALICE, BOB, 9),  # both ours: the receiver is one of us
        transfer(WETH.address, VAULT, "0x" + "77" * 20, 1),
        transfer(VAULT, "0x" + "00" * 20, BOB, 11),
        nft,
        {"address": USDC.address, "topics": [word(VAULT)] * 3, "data": "0x05"},
    ]
    node = Answers(logs)
    moved = await treasury.deposit_in_kind(node, ALICE, PAIR, 11, MOST, BOB)
    assert moved.amounts == (Amount(USDC, Raw(-350)), Amount(WETH, Raw(0)))
    assert moved.shares == 11
    assert moved.block == 7
    assert [data[:8] for data in node.sent] == [APPROVE, MINT, APPROVE]  # nothing is asked of a token not given
    assert moved.gas_used == 1_020
    assert moved.fee == 3_060
    assert node.allowances == {USDC.address: 0}


async def test_deposit__refused_by_the_vault__clears_the_allowance_all_the_same() -> None:
    node = Answers([], refuse="vault: above most")
    with pytest.raises(Reverted, match="vault: above most"):
        await treasury.deposit_in_kind(node, ALICE, PAIR, 11, MOST)
    assert [data[:8] for data in node.sent] == [APPROVE, APPROVE]
    assert node.allowances == {USDC.address: 0}


async def test_deposit__exact_allowance_already_there__is_not_asked_again() -> None:
    node = Answers([MINTED])
    node.allowances[USDC.address] = 500
    await treasury.deposit_in_kind(node, ALICE, PAIR, 11, MOST)
    assert [data[:8] for data in node.sent] == [MINT, APPROVE]


# ------------------------------------------------------------------ what did not happen is not told as done


@pytest.mark.parametrize("logs", [[], [transfer(VAULT, NOBODY, ALICE, 10)], [transfer(BOB, NOBODY, ALICE, 11)]])
async def test_deposit__shares_that_never_came__is_broken(logs: list[dict[str, Any]]) -> None:
    with pytest.raises(Broken, match=r"expected \+0\.0+11 shares of vault .* found that they did not"):
        await treasury.deposit_in_kind(Answers(logs), ALICE, PAIR, 11, MOST)


async def test_redeem__shares_that_never_went__is_broken() -> None:
    with pytest.raises(Broken, match=r"expected -0\.0+11 shares"):
        await treasury.redeem(Answers([]), ALICE, PAIR, 11, MOST)


async def test_redeem__fee_shares_for_the_holder_on_the_way__is_well() -> None:
    logs = [transfer(VAULT, NOBODY, ALICE, 4), transfer(VAULT, ALICE, NOBODY, 11)]
    assert (await treasury.redeem(Answers(logs), ALICE, PAIR, 11, MOST)).shares == -7


async def test_claim__nothing_came__is_broken() -> None:
    with pytest.raises(Broken, match=r"expected at least 0\.000001 USDC"):
        await treasury.claim(Answers([]), ALICE, PAIR, USDC)
    logs = [transfer(USDC.address, VAULT, ALICE, 1)]
    assert (await treasury.claim(Answers(logs), ALICE, PAIR, USDC)).amounts[0].raw == 1


DEPOSIT = ZapDeposit(MOST[0], (), 11, ())
WITHDRAWAL = ZapWithdrawal(11, (), Amount(USDC, Raw(60)), Raw(50))


async def test_zap__of_this_vault__does_it() -> None:
    moved = await treasury.deposit_zap(Answers([MINTED]), ALICE, PAIR, BOB, DEPOSIT)
    assert moved.shares == 11
    logs = [transfer(VAULT, ALICE, BOB, 11), transfer(USDC.address, BOB, ALICE, 50)]
    moved = await treasury.redeem_zap(Answers(logs), ALICE, PAIR, BOB, WITHDRAWAL)
    assert moved.shares == -11


@pytest.mark.parametrize(
    ("code", "of", "said"),
    [
        ("0x", VAULT, f"expected the zap of vault {VAULT}, found no contract at {BOB}"),
        ("0x60", BOB, f"found at {BOB} that of vault {BOB}"),
        ("0x60", None, f"found another contract at {BOB}"),
    ],
    ids=["nothing there", "another vault's", "something else"],
)
async def test_zap__not_this_vaults__is_refused_before_anything_is_sent(code: str, of: str | None, said: str) -> None:
    node = Answers([MINTED])
    node.code, node.vault_of_zap = code, of
    with pytest.raises(ConfigError, match=said):
        await treasury.deposit_zap(node, ALICE, PAIR, BOB, DEPOSIT)
    with pytest.raises(ConfigError, match=said):
        await treasury.redeem_zap(node, ALICE, PAIR, BOB, WITHDRAWAL)
    assert node.sent == []


async def test_redeem_zap__less_than_the_least_came__is_broken() -> None:
    logs = [transfer(VAULT, ALICE, BOB, 11), transfer(USDC.address, BOB, ALICE, 49)]
    with pytest.raises(Broken, match=r"expected at least 0\.000050 USDC"):
        await treasury.redeem_zap(Answers(logs), ALICE, PAIR, BOB, WITHDRAWAL)


# ------------------------------------------------------------------ deployment


async def test_send__never_mined__says_to_look_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "WAIT_S", 0)
    node = Answers([])
    node.silent = True
    with pytest.raises(ChainError, match="look it up"):
        await treasury.deploy_lens(node, ALICE)


@pytest.mark.parametrize("nonce", [0, 7])
async def test_deploy_vault__both_contracts__are_sent_with_the_nonces_promised(
    nonce: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, sent = Answers([]), []

    async def deployed(rpc: object, sender: object, name: str, arguments: bytes, at: int) -> str:
        sent.append((name, at, arguments))
        return contract_address(ALICE, at)

    monkeypatch.setattr(treasury, "_deploy", deployed)
    node.nonce = nonce
    vault = await treasury.deploy_vault(node, ALICE, SETUP)
    assert vault == contract_address(ALICE, nonce)
    assert [(name, at) for name, at, _ in sent] == [("Vault", nonce), ("Charter", nonce + 1)]
    (*_, charter, sequencer) = decode(VAULT_TYPES, sent[0][2])
    (named, owner, *_) = decode(CHARTER_TYPES, sent[1][2])
    assert (charter, sequencer) == (contract_address(ALICE, nonce + 1).lower(), NOBODY)
    assert (named, owner) == (vault.lower(), ALICE.lower())


async def test_deploy_vault__charter_at_another_address__is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def deployed(rpc: object, sender: object, name: str, arguments: bytes, at: int) -> str:
        return VAULT

    monkeypatch.setattr(treasury, "_deploy", deployed)
    with pytest.raises(Broken, match="do not use either"):
        await treasury.deploy_vault(Answers([]), ALICE, SETUP)


def test_encoded_charter__bounds_of_a_feed__stand_before_the_corridor() -> None:
    tokens = decode(CHARTER_TYPES, SETUP.encoded_charter(VAULT))[5]
    feed = SETUP.feeds[0]
    assert tokens == (
        (USDC.address.lower(), feed.address.lower(), feed.max_age_s, 95_000_000, 105_000_000, 100, 9_000),
    )


async def test_deploy__no_code_afterwards__is_broken() -> None:
    node = Answers([])
    node.code = "0x"
    with pytest.raises(Broken, match="found no code"):
        await treasury.deploy_lens(node, ALICE)
    node.code = "0x60"
    assert await treasury.deploy_lens(node, ALICE) == VAULT


def test_cushioned__bps__are_taken_off_rounded_down() -> None:
    found = treasury.cushioned((Amount(USDC, Raw(10_001)), Amount(WETH, Raw(0))), 10)
    assert found == (Amount(USDC, Raw(9_990)), Amount(WETH, Raw(0)))
