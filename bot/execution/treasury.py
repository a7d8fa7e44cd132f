"""Money into the vault and out of it, and the vault itself: each function returns what really happened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.chain.abi import checksum, contract_address, decode, encode, encode_call, event_topic, load
from bot.core.errors import Broken, ChainError, ConfigError, DataError, Reverted
from bot.core.ports import Rpc, Signer
from bot.core.types import Amount, Feed, Limits, Market, PoolSpec, Token
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Bps, Gas, Raw, Wei, minus_bps_floor
from bot.execution import submit
from bot.execution.submit import Receipt
from bot.venues import words
from bot.venues.vault import SETTINGS
from bot.venues.zap import ZapDeposit, ZapWithdrawal, encode_deposit, encode_withdraw

Sender = Signer | str  # a signer, or the address of an account that the node itself signs for
DEADLINE_S = 600  # from the latest block
NO_DEADLINE = 2**256 - 1
REDEEM = "redeem(uint256,uint256[],address,uint256,uint256)"
NOBODY = "0x" + "00" * 20
WAIT_S = 120  # for a transaction that the node signed
TRANSFER = event_topic("Transfer(address,address,uint256)")
VAULT_TYPES = ("string", "string", "address", "address")
CHARTER_TYPES = (
    "address",
    "address",
    "address",
    "address",
    "uint256",
    "(address,address,uint256,uint256,uint256,uint256,uint256)[]",
    "(address,uint256,uint256,uint256)[]",
    "(uint256,uint256,uint256,uint256,uint256)",
)


@dataclass(frozen=True, slots=True)
class VaultSetup:
    """What a vault is deployed with; the registries keep this order."""

    name: str
    symbol: str
    owner: str
    keeper: str
    guardian: str
    delay_s: int
    feeds: tuple[Feed, ...]  # one per token
    corridors: tuple[tuple[Bps, Bps], ...]  # (least, most) weight, one per token
    pools: tuple[PoolSpec, ...]
    limits: Limits
    sequencer: str = NOBODY  # feed of an L2's sequencer; none elsewhere

    def encoded_vault(self, charter: str) -> bytes:
        """The arguments of the vault's constructor."""
        return encode(VAULT_TYPES, self.name, self.symbol, charter, self.sequencer)

    def encoded_charter(self, vault: str) -> bytes:
        """The arguments of the charter's constructor."""
        tokens = [
            (feed.token.address, feed.address, feed.max_age_s, feed.least, feed.most, least, most)
            for feed, (least, most) in zip(self.feeds, self.corridors, strict=True)
        ]
        pools = [
            (pool.address, 2 if pool.kind == "v2" else 3, pool.fee if pool.kind == "v2" else 0, pool.twap_window_s)
            for pool in self.pools
        ]
        limits = self.limits
        bounds = (
            limits.bundle_loss_bps,
            limits.day_loss_bps,
            limits.day_turnover_bps,
            limits.deviation_bps,
            limits.cooldown_s,
        )
        who = (vault, self.owner, self.keeper, self.guardian, self.delay_s)
        return encode(CHARTER_TYPES, *who, tokens, pools, bounds)


@dataclass(frozen=True, slots=True)
class VaultAt:
    """A deployed vault and its registry of tokens, in its order."""

    address: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a deposit or withdrawal did, counted from the Transfer events of its transaction.

    Positive came to the account (or the receiver it named), negative went away. `gas_used` and `fee` include the
    approvals around it.
    """

    tx: str
    block: int
    shares: int
    amounts: tuple[Amount, ...]  # of every token of the vault
    gas_used: Gas
    fee: Wei


# ------------------------------------------------------------------ deployment


async def deploy_vault(rpc: Rpc, sender: Sender, setup: VaultSetup) -> str:
    """Deploy a vault and its charter; the vault's address. Reverted when the charter refuses the setup.

    The vault names its charter before that is there, by the nonce that both are promised here: if the account sends
    anything else meanwhile, the node refuses the charter's, and the vault is nobody's.
    """
    nonce = await submit.next_nonce(rpc, _address(sender))
    charter = contract_address(_address(sender), nonce + 1)
    vault = await _deploy(rpc, sender, "Vault", setup.encoded_vault(charter), nonce)
    found = await _deploy(rpc, sender, "Charter", setup.encoded_charter(vault), nonce + 1)
    if found != charter:
        raise Broken(f"expected the charter of {vault} at {charter}, found it at {found}; do not use either")
    return vault


async def deploy_zap(rpc: Rpc, sender: Sender, vault: str) -> str:
    """Deploy a zap bound to the vault; its address."""
    return await _deploy(rpc, sender, "Zap", encode(("address",), vault))


async def deploy_lens(rpc: Rpc, sender: Sender) -> str:
    """Deploy a lens, which serves every vault; its address."""
    return await _deploy(rpc, sender, "Lens", b"")


async def _deploy(rpc: Rpc, sender: Sender, name: str, arguments: bytes, nonce: int | None = None) -> str:
    receipt = await _send(rpc, sender, None, load(name).bytecode + arguments, nonce)
    address = checksum(receipt["contractAddress"])
    if await rpc.call("eth_getCode", address, "latest") in ("0x", None):
        raise Broken(f"expected {name} at {address} after {receipt['transactionHash']}, found no code; do not use it")
    return address


# ------------------------------------------------------------------ what a vault says


async def vault_at(rpc: Rpc, market: Market, address: str) -> VaultAt:
    """The vault with its tokens as the market knows them. ConfigError when it lists another, or is no vault."""
    known = {token.address: token for token in market.tokens}
    try:
        (said,) = await _read(rpc, address, encode_call("settings()"), *SETTINGS)
        listed = [checksum(each.token) for each in words.settings(said).tokens]
    except (Reverted, DataError):
        raise _strange(address) from None
    if strange := [token for token in listed if token not in known]:
        raise ConfigError(f"vault {address}: found token {', '.join(strange)}, not among market.tokens; list it there")
    return VaultAt(address, tuple(known[token] for token in listed))


async def keeper_of(rpc: Rpc, vault: str) -> str:
    """Who may rebalance the vault, checksummed. ConfigError when it is no vault."""
    try:
        (rules,) = await _read(rpc, vault, encode_call("setting(uint256)", words.RULES), "uint256")
    except (Reverted, DataError):
        raise _strange(vault) from None
    return checksum(words.keeper(rules))


async def charter_of(rpc: Rpc, vault: str) -> str:
    """The contract by which the owner rules the vault, checksummed."""
    (charter,) = await _read(rpc, vault, encode_call("charter()"), "address")
    return checksum(charter)


async def shares_of(rpc: Rpc, vault: VaultAt, holder: str) -> int:
    """A holder's balance of shares."""
    (shares,) = await _read(rpc, vault.address, encode_call("balanceOf(address)", holder), "uint256")
    return int(shares)


async def owed_to(rpc: Rpc, vault: VaultAt, holder: str) -> tuple[Amount, ...]:
    """What redemptions set aside for a holder, of every token in the vault's order."""
    asked = [encode_call("owed(uint256,address)", i, holder) for i in range(len(vault.tokens))]
    found = [(await _read(rpc, vault.address, data, "uint256"))[0] for data in asked]
    return tuple(Amount(token, Raw(raw)) for token, raw in zip(vault.tokens, found, strict=True))


async def shares_for(rpc: Rpc, vault: VaultAt, amounts: tuple[Amount, ...]) -> int:
    """The most shares that amounts of the vault's tokens, in its order, can mint at the latest block, rounded down.

    ValueError when nothing is minted yet: the first mint takes whole amounts and names its own shares.
    """
    (supply,) = await _read(rpc, vault.address, encode_call("totalSupply()"), "uint256")
    if supply <= LOCKED_SHARES:
        raise ValueError("vault: no shares yet; the first mint takes whole amounts, so name its shares")
    many = supply << 64  # far more than anybody mints: their cost, rounded up, is exact for each of them
    costs = await _uints(rpc, vault.address, encode_call("preview_mint(uint256)", many))
    return min(int(amount.raw * many // cost) for amount, cost in zip(amounts, costs, strict=True) if cost)


async def preview_redeem(
    rpc: Rpc, vault: VaultAt, shares: int, holder: str, skip: int = 0, receiver: str | None = None
) -> tuple[Amount, ...]:
    """What redeeming `shares` of the holder's would pay, or set aside, of each token at the latest block.

    Without the LP tokens that are handed over as they are. Reverted with the vault's reason when it would refuse.
    """
    arguments = (shares, [0] * len(vault.tokens), receiver or holder, NO_DEADLINE, skip)
    found = await _uints(rpc, vault.address, encode_call(REDEEM, *arguments), holder)
    return tuple(Amount(token, Raw(raw)) for token, raw in zip(vault.tokens, found, strict=True))


# ------------------------------------------------------------------ in kind


async def deposit_in_kind(
    rpc: Rpc, sender: Sender, vault: VaultAt, shares: int, most: tuple[Amount, ...], receiver: str | None = None
) -> Moved:
    """Mint exactly `shares` for at most `most` of each token, in the vault's order; no allowance is left behind.

    The first mint of a vault takes `most` whole. Reverted when the shares cost more.
    """
    account = _address(sender)
    data = encode_call(
        "mint(uint256,uint256[],address,uint256)",
        shares,
        [amount.raw for amount in most],
        receiver or account,
        await _deadline(rpc),
    )
    asked = tuple((amount.token.address, amount.raw) for amount in most)
    return await _move(rpc, sender, vault, vault.address, data, asked, receiver)


async def redeem(
    rpc: Rpc,
    sender: Sender,
    vault: VaultAt,
    shares: int,
    least: tuple[Amount, ...],
    receiver: str | None = None,
    skip: int = 0,
) -> Moved:
    """Burn `shares` for at least `least` of each token, in the vault's order.

    `skip`: bit i sets token i's part aside for the receiver to `claim`, for a token that cannot move now.
    """
    account = _address(sender)
    minima = [amount.raw for amount in least]
    data = encode_call(REDEEM, shares, minima, receiver or account, await _deadline(rpc), skip)
    return await _move(rpc, sender, vault, vault.address, data, (), receiver)


async def claim(rpc: Rpc, sender: Sender, vault: VaultAt, token: Token, receiver: str | None = None) -> Moved:
    """Take all that redemptions set aside for the sender of one token. Reverted when that is nothing."""
    data = encode_call("claim(uint256,address)", vault.tokens.index(token), receiver or _address(sender))
    return await _move(rpc, sender, vault, vault.address, data, (), receiver)


def cushioned(amounts: tuple[Amount, ...], cushion_bps: int) -> tuple[Amount, ...]:
    """The least to accept when `amounts` are expected."""
    return tuple(Amount(amount.token, minus_bps_floor(amount.raw, cushion_bps)) for amount in amounts)


# ------------------------------------------------------------------ in one token


async def deposit_zap(
    rpc: Rpc, sender: Sender, vault: VaultAt, zap: str, deposit: ZapDeposit, receiver: str | None = None
) -> Moved:
    """Pay one token, receive exactly the deposit's shares; what is left of every token comes back."""
    data = encode_deposit(deposit, receiver or _address(sender), await _deadline(rpc))
    asked = ((deposit.give.token.address, int(deposit.give.raw)),)
    return await _move(rpc, sender, vault, zap, data, asked, receiver)


async def redeem_zap(
    rpc: Rpc, sender: Sender, vault: VaultAt, zap: str, withdrawal: ZapWithdrawal, receiver: str | None = None
) -> Moved:
    """Burn shares for one token, at least the withdrawal's least of it."""
    data = encode_withdraw(withdrawal, receiver or _address(sender), await _deadline(rpc))
    return await _move(rpc, sender, vault, zap, data, ((vault.address, withdrawal.shares),), receiver)


# ------------------------------------------------------------------ parts


async def _move(
    rpc: Rpc,
    sender: Sender,
    vault: VaultAt,
    to: str,
    data: bytes,
    asked: tuple[tuple[str, int], ...],
    receiver: str | None,
) -> Moved:
    """Send one call that moves tokens, with exactly the allowances (token, raw) it asks for around it."""
    async with _allowed(rpc, sender, to, asked) as receipts:
        receipt = await _send(rpc, sender, to, data)
        receipts.append(receipt)
    ours = {checksum(_address(sender)), checksum(receiver or _address(sender))}
    gained = _gained(receipt, ours)
    return Moved(
        tx=receipt["transactionHash"],
        block=int(receipt["blockNumber"], 16),
        shares=gained.get(vault.address, 0),
        amounts=tuple(Amount(token, Raw(gained.get(token.address, 0))) for token in vault.tokens),
        gas_used=Gas(sum(int(each["gasUsed"], 16) for each in receipts)),
        fee=Wei(sum(int(each["gasUsed"], 16) * int(each["effectiveGasPrice"], 16) for each in receipts)),
    )


@asynccontextmanager
async def _allowed(
    rpc: Rpc, sender: Sender, spender: str, asked: tuple[tuple[str, int], ...]
) -> AsyncIterator[list[Receipt]]:
    """Allow exactly what is asked, and nothing afterwards, also when the call in between fails; the receipts."""
    receipts: list[Receipt] = []
    try:
        for token, raw in asked:
            receipts += await _allow(rpc, sender, token, spender, raw)
        yield receipts
    finally:
        for token, _ in asked:
            receipts += await _allow(rpc, sender, token, spender, 0)


async def _allow(rpc: Rpc, sender: Sender, token: str, spender: str, raw: int) -> list[Receipt]:
    """Make the allowance exactly `raw`; by way of 0, which is the only way that USDT accepts."""
    owner = _address(sender)
    (now,) = await _read(rpc, token, encode_call("allowance(address,address)", owner, spender), "uint256")
    steps = [] if now == raw else [raw] if 0 in (now, raw) else [0, raw]
    return [await _send(rpc, sender, token, encode_call("approve(address,uint256)", spender, step)) for step in steps]


def _gained(receipt: Receipt, ours: set[str]) -> dict[str, int]:
    """Net amounts by token that came to our addresses, from the receipt's Transfer events."""
    gained: dict[str, int] = {}
    for log in receipt["logs"]:
        if len(log["topics"]) != 3 or log["topics"][0] != TRANSFER:
            continue
        source, target = (checksum("0x" + topic[-40:]) for topic in log["topics"][1:])
        token, raw = checksum(log["address"]), int(log["data"], 16)
        gained[token] = gained.get(token, 0) + raw * ((target in ours) - (source in ours))
    return gained


async def _deadline(rpc: Rpc) -> int:
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    return int(block["timestamp"], 16) + DEADLINE_S


async def _read(rpc: Rpc, to: str, data: bytes, *returns: str, sender: str = NOBODY) -> tuple[Any, ...]:
    answer = await rpc.call("eth_call", {"from": sender, "to": to, "data": "0x" + data.hex()}, "latest")
    return decode(returns, bytes.fromhex(answer[2:]))


async def _uints(rpc: Rpc, to: str, data: bytes, sender: str = NOBODY) -> tuple[int, ...]:
    (found,) = await _read(rpc, to, data, "uint256[]", sender=sender)
    return tuple(found)


def _strange(address: str) -> ConfigError:
    return ConfigError(
        f"account.vault {address}: expected an Evenkeel vault, found something else; correct the address"
    )


def _address(sender: Sender) -> str:
    return sender if isinstance(sender, str) else sender.address


async def _send(rpc: Rpc, sender: Sender, to: str | None, data: bytes, nonce: int | None = None) -> Receipt:
    """Send, wait, and return the receipt. Reverted with the contract's words when it fails."""
    if not isinstance(sender, str):
        return await submit.send(rpc, sender, to, data, nonce=nonce)
    transaction = {"from": sender, "data": "0x" + data.hex()} | ({"to": to} if to else {})
    if nonce is not None:
        transaction["nonce"] = hex(nonce)
    transaction["gas"] = hex(submit.gas_limit(int(await rpc.call("eth_estimateGas", transaction), 16)))
    tx = await rpc.call("eth_sendTransaction", transaction)
    for _ in range(WAIT_S * 10):
        found = await submit.find_receipt(rpc, tx)
        if found is not None:
            break
        await asyncio.sleep(0.1)
    else:
        raise ChainError(f"expected {tx} to be mined within {WAIT_S} s, found it waiting; look it up before retrying")
    if not submit.succeeded(found):
        raise Reverted(await submit.why(rpc, found))
    return found
