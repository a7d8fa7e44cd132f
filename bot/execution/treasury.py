"""Money into the vault and out of it, and the vault itself: each function returns what really happened."""

from dataclasses import dataclass

from bot.chain.abi import checksum, contract_address, encode, encode_call, load
from bot.core.errors import Broken, ConfigError, DataError, Reverted
from bot.core.ports import Rpc
from bot.core.types import Amount, Feed, Limits, Market, PoolSpec, Token
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Bps, Gas, Raw, Wei, minus_bps_floor, to_units
from bot.execution import submit
from bot.execution.calls import NOBODY, Sender, address_of, allowed, came, deadline, gained, read, send
from bot.venues import words
from bot.venues.vault import SETTINGS
from bot.venues.zap import ZapDeposit, ZapWithdrawal, encode_deposit, encode_withdraw

NO_DEADLINE = 2**256 - 1
SHARE_DECIMALS = 18
LOOK = "it was mined: look at its transfers before anything else is sent"
REDEEM = "redeem(uint256,uint256[],address,uint256,uint256)"
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
    nonce = await submit.next_nonce(rpc, address_of(sender))
    charter = contract_address(address_of(sender), nonce + 1)
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
    receipt = await send(rpc, sender, None, load(name).bytecode + arguments, nonce)
    address = checksum(receipt["contractAddress"])
    if await rpc.call("eth_getCode", address, "latest") in ("0x", None):
        raise Broken(f"expected {name} at {address} after {receipt['transactionHash']}, found no code; do not use it")
    return address


# ------------------------------------------------------------------ what a vault says


async def vault_at(rpc: Rpc, market: Market, address: str) -> VaultAt:
    """The vault with its tokens as the market knows them. ConfigError when it lists another, or is no vault."""
    known = {token.address: token for token in market.tokens}
    try:
        (said,) = await read(rpc, address, encode_call("settings()"), *SETTINGS)
        listed = [checksum(each.token) for each in words.settings(said).tokens]
    except (Reverted, DataError):
        raise await _strange(rpc, address) from None
    if strange := [token for token in listed if token not in known]:
        raise ConfigError(f"vault {address}: found token {', '.join(strange)}, not among market.tokens; list it there")
    return VaultAt(address, tuple(known[token] for token in listed))


async def keeper_of(rpc: Rpc, vault: str) -> str:
    """Who may rebalance the vault, checksummed. ConfigError when it is no vault."""
    try:
        (rules,) = await read(rpc, vault, encode_call("setting(uint256)", words.RULES), "uint256")
    except (Reverted, DataError):
        raise await _strange(rpc, vault) from None
    return checksum(words.keeper(rules))


async def charter_of(rpc: Rpc, vault: str) -> str:
    """The contract by which the owner rules the vault, checksummed."""
    (charter,) = await read(rpc, vault, encode_call("charter()"), "address")
    return checksum(charter)


async def shares_of(rpc: Rpc, vault: VaultAt, holder: str) -> int:
    """A holder's balance of shares."""
    (shares,) = await read(rpc, vault.address, encode_call("balanceOf(address)", holder), "uint256")
    return int(shares)


async def supply_of(rpc: Rpc, vault: VaultAt) -> int:
    """All shares, as the next mint or redemption will count them: locked ones and the fee that is due included."""
    asked = (encode_call("totalSupply()"), encode_call("fee_due()"))
    return sum([(await read(rpc, vault.address, data, "uint256"))[0] for data in asked])


async def cost_of(rpc: Rpc, vault: VaultAt, shares: int) -> tuple[Amount, ...]:
    """What minting `shares` takes of each token at the latest block, in the vault's order."""
    found = await _uints(rpc, vault.address, encode_call("preview_mint(uint256)", shares))
    return tuple(Amount(token, Raw(raw)) for token, raw in zip(vault.tokens, found, strict=True))


async def expect_balance(rpc: Rpc, holder: str, amounts: tuple[Amount, ...]) -> None:
    """DataError when the holder has less than one of the amounts."""
    for amount in amounts:
        (raw,) = await read(rpc, amount.token.address, encode_call("balanceOf(address)", holder), "uint256")
        if raw < amount.raw:
            found = Amount(amount.token, raw).units
            wanted = f"at least {amount.units:,f} {amount.token.symbol} at {holder}"
            raise DataError(f"expected {wanted}, found {found:,f}; give less, or fund it; nothing was sent")


async def owed_to(rpc: Rpc, vault: VaultAt, holder: str) -> tuple[Amount, ...]:
    """What redemptions set aside for a holder, of every token in the vault's order."""
    asked = [encode_call("owed(uint256,address)", i, holder) for i in range(len(vault.tokens))]
    found = [(await read(rpc, vault.address, data, "uint256"))[0] for data in asked]
    return tuple(Amount(token, Raw(raw)) for token, raw in zip(vault.tokens, found, strict=True))


async def shares_for(rpc: Rpc, vault: VaultAt, amounts: tuple[Amount, ...]) -> int:
    """The most shares that amounts of the vault's tokens, in its order, can mint at the latest block, rounded down.

    ValueError when nothing is minted yet: the first mint takes whole amounts and names its own shares.
    """
    (supply,) = await read(rpc, vault.address, encode_call("totalSupply()"), "uint256")
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
    account = address_of(sender)
    data = encode_call(
        "mint(uint256,uint256[],address,uint256)",
        shares,
        [amount.raw for amount in most],
        receiver or account,
        await deadline(rpc),
    )
    asked = tuple((amount.token.address, amount.raw) for amount in most)
    return await _move(rpc, sender, vault, vault.address, data, asked, receiver, shares)


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
    account = address_of(sender)
    minima = [amount.raw for amount in least]
    data = encode_call(REDEEM, shares, minima, receiver or account, await deadline(rpc), skip)
    return await _move(rpc, sender, vault, vault.address, data, (), receiver, -shares)


async def claim(rpc: Rpc, sender: Sender, vault: VaultAt, token: Token, receiver: str | None = None) -> Moved:
    """Take all that redemptions set aside for the sender of one token.

    Reverted when that is nothing; Broken when none of it came.
    """
    data = encode_call("claim(uint256,address)", vault.tokens.index(token), receiver or address_of(sender))
    return _with_least(await _move(rpc, sender, vault, vault.address, data, (), receiver, 0), Amount(token, Raw(1)))


def cushioned(amounts: tuple[Amount, ...], cushion_bps: int) -> tuple[Amount, ...]:
    """The least to accept when `amounts` are expected."""
    return tuple(Amount(amount.token, minus_bps_floor(amount.raw, cushion_bps)) for amount in amounts)


# ------------------------------------------------------------------ in one token


async def deposit_zap(
    rpc: Rpc, sender: Sender, vault: VaultAt, zap: str, deposit: ZapDeposit, receiver: str | None = None
) -> Moved:
    """Pay one token, receive exactly the deposit's shares; what is left of every token comes back.

    ConfigError, before anything is signed, when `zap` is not the vault's.
    """
    await expect_zap(rpc, vault, zap)
    data = encode_deposit(deposit, receiver or address_of(sender), await deadline(rpc))
    asked = ((deposit.give.token.address, int(deposit.give.raw)),)
    return await _move(rpc, sender, vault, zap, data, asked, receiver, deposit.shares)


async def redeem_zap(
    rpc: Rpc, sender: Sender, vault: VaultAt, zap: str, withdrawal: ZapWithdrawal, receiver: str | None = None
) -> Moved:
    """Burn shares for one token, at least the withdrawal's least of it.

    ConfigError, before anything is signed, when `zap` is not the vault's.
    """
    await expect_zap(rpc, vault, zap)
    data = encode_withdraw(withdrawal, receiver or address_of(sender), await deadline(rpc))
    asked, least = ((vault.address, withdrawal.shares),), Amount(withdrawal.expect.token, withdrawal.least)
    return _with_least(await _move(rpc, sender, vault, zap, data, asked, receiver, -withdrawal.shares), least)


async def expect_zap(rpc: Rpc, vault: VaultAt, zap: str) -> None:
    """ConfigError when there is no zap at `zap`, or one of another vault: it would be given an allowance."""
    wanted = f"account.zap: expected the zap of vault {vault.address}"
    mend = "correct the address, or leave it out and go in kind"
    if await rpc.call("eth_getCode", zap, "latest") in ("0x", None):
        raise ConfigError(f"{wanted}, found no contract at {zap}; {mend}")
    try:
        (found,) = await read(rpc, zap, encode_call("vault()"), "address")
    except (Reverted, DataError):
        raise ConfigError(f"{wanted}, found another contract at {zap}; {mend}") from None
    if checksum(found) != vault.address:
        raise ConfigError(f"{wanted}, found at {zap} that of vault {checksum(found)}; {mend}")


# ------------------------------------------------------------------ parts


async def _move(
    rpc: Rpc,
    sender: Sender,
    vault: VaultAt,
    to: str,
    data: bytes,
    asked: tuple[tuple[str, int], ...],
    receiver: str | None,
    shares: int,
) -> Moved:
    """Send one call that moves tokens, with exactly the allowances (token, raw) it asks for around it.

    `shares`: how many it mints for the receiver, or below 0 takes from the sender. Broken when it was mined and they
    did not move.
    """
    async with allowed(rpc, sender, to, asked) as receipts:
        receipt = await send(rpc, sender, to, data)
        receipts.append(receipt)
    ours = {checksum(address_of(sender)), checksum(receiver or address_of(sender))}
    if shares and not came(receipt, vault.address, ours, shares):
        units = to_units(shares, SHARE_DECIMALS)
        said = f"expected {units:+,f} shares of vault {vault.address} to move in {receipt['transactionHash']}"
        raise Broken(f"{said}, found that they did not; {LOOK}")
    net = gained(receipt, ours)
    return Moved(
        tx=receipt["transactionHash"],
        block=int(receipt["blockNumber"], 16),
        shares=net.get(vault.address, 0),
        amounts=tuple(Amount(token, Raw(net.get(token.address, 0))) for token in vault.tokens),
        gas_used=Gas(sum(int(each["gasUsed"], 16) for each in receipts)),
        fee=Wei(sum(int(each["gasUsed"], 16) * int(each["effectiveGasPrice"], 16) for each in receipts)),
    )


def _with_least(moved: Moved, least: Amount) -> Moved:
    """The same. Broken when less of the token came."""
    got = next(amount for amount in moved.amounts if amount.token == least.token)
    if got.raw < least.raw:
        symbol = least.token.symbol
        raise Broken(f"expected at least {least.units:,f} {symbol} from {moved.tx}, found {got.units:,f}; {LOOK}")
    return moved


async def _uints(rpc: Rpc, to: str, data: bytes, sender: str = NOBODY) -> tuple[int, ...]:
    (found,) = await read(rpc, to, data, "uint256[]", sender=sender)
    return tuple(found)


async def _strange(rpc: Rpc, address: str) -> ConfigError:
    wanted = f"account.vault {address}: expected an Evenkeel vault"
    if await rpc.call("eth_getCode", address, "latest") in ("0x", None):
        return ConfigError(f"{wanted}, found no contract; correct the address, or name a node of the vault's chain")
    return ConfigError(f"{wanted}, found something else; correct the address")
