"""Sets the stage: a chain, a vault on it with the real contracts, and three depositors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.chain import cheats, grades
from bot.chain.grades import Chain
from bot.chain.keys import LocalSigner
from bot.config import Config
from bot.config.wiring import vault_setup
from bot.core.errors import ConfigError
from bot.core.ports import Rpc
from bot.core.types import Amount, Market, Snapshot, Token
from bot.core.units import ETHER_DECIMALS, Money, Raw, to_raw_floor
from bot.demo.options import DemoOptions
from bot.execution import treasury
from bot.execution.treasury import VaultAt
from bot.venues.zap import size_deposit

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's test accounts 0, 2, 3, 4 and 5
GUARDIAN = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
DEPOSITORS = (
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
)
LEAVER = DEPOSITORS[1]
PARTS = (Decimal("0.6"), Decimal("0.3"), Decimal("0.1"))  # of the deposits: founder, second in kind, zap
ZAP_CUSHION_BPS = 30
SHARE = 10**18
ETHER = 10_000 * 10**ETHER_DECIMALS


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays."""

    rpc: Rpc
    market: Market  # the vault's tokens, feeds and pools only
    vault: VaultAt
    zap: str
    keeper: LocalSigner


@asynccontextmanager
async def chain_for(options: DemoOptions) -> AsyncIterator[Chain]:
    """The grade of chain that the options ask for; a fork's feeds are replaced by our own, so that they can be set."""
    if options.fork_url:
        opened = grades.fork(options.fork_url, cheat_feeds=True)
    else:
        opened = grades.state(options.state) if options.state else grades.replica()
    async with opened as chain:
        yield chain


def trimmed(market: Market, config: Config) -> Market:
    """Only what the vault uses: its tokens, their feeds, its pools, in its order. ConfigError without a vault."""
    if config.vault is None:
        raise ConfigError("expected a `vault` section that says how a vault is set up, found none; see mainnet.yaml")
    tokens = tuple(market.token(symbol) for symbol in config.vault.tokens)
    feeds = {feed.token: feed for feed in market.feeds}
    pools = tuple(market.pool(name) for name in config.vault.pools)
    return replace(market, tokens=tokens, feeds=tuple(feeds[token] for token in tokens), pools=pools)


async def deploy(rpc: Rpc, market: Market, config: Config) -> Stage:
    """Deploy vault and zap with the limits of the configuration. `market`: as `trimmed` gives it."""
    keeper = LocalSigner.throwaway()
    for holder in (OWNER, keeper.address, *DEPOSITORS):
        await cheats.set_ether(rpc, holder, ETHER)
    setup = replace(vault_setup(config, OWNER), keeper=keeper.address, guardian=GUARDIAN, feeds=market.feeds)
    vault = VaultAt(await treasury.deploy_vault(rpc, OWNER, setup), market.tokens)
    return Stage(rpc, market, vault, await treasury.deploy_zap(rpc, OWNER, vault.address), keeper)


async def pay_in_kind(
    stage: Stage, deposits: Money, targets: dict[str, float], prices: dict[Token, Money]
) -> tuple[Amount, ...]:
    """The first two deposits, in kind; what was paid, per token.

    All deposits together stand at the targets, so that holding them is a fair comparison; since the third is all in
    one token and the vault takes it in proportion, the vault itself does not, and has something to correct.
    """
    founder, second, _ = DEPOSITORS
    zapped = zap_token(stage, targets)
    wanted = [Decimal(repr(targets[t.symbol])) - (PARTS[2] if t == zapped else 0) for t in stage.vault.tokens]
    weights = [max(weight, Decimal(0)) / (1 - PARTS[2]) for weight in wanted]
    first = _amounts(stage.vault.tokens, weights, Money(deposits * PARTS[0]), prices)
    for amount in first:
        await cheats.deal(stage.rpc, amount.token.address, founder, amount.raw)
    shares = int(deposits * PARTS[0]) * SHARE
    await treasury.deposit_in_kind(stage.rpc, founder, stage.vault, shares, first)
    offered = _amounts(stage.vault.tokens, weights, Money(deposits * PARTS[1]), prices)
    for amount in offered:
        await cheats.deal(stage.rpc, amount.token.address, second, amount.raw)
    shares = await treasury.shares_for(stage.rpc, stage.vault, offered)
    moved = await treasury.deposit_in_kind(stage.rpc, second, stage.vault, shares, offered)
    return tuple(Amount(a.token, Raw(a.raw - m.raw)) for a, m in zip(first, moved.amounts, strict=True))


async def pay_by_zap(stage: Stage, deposits: Money, targets: dict[str, float], seen: Snapshot) -> tuple[Amount, ...]:
    """The third deposit, one token through the zap; what was paid, less what came back, per token."""
    token, third = zap_token(stage, targets), DEPOSITORS[2]
    give = Amount(token, to_raw_floor(deposits * PARTS[2] / seen.price(token), token.decimals))
    await cheats.deal(stage.rpc, token.address, third, give.raw)
    sized = size_deposit(seen, give, ZAP_CUSHION_BPS)
    moved = await treasury.deposit_zap(stage.rpc, third, stage.vault, stage.zap, sized)
    return tuple(Amount(a.token, Raw(-a.raw)) for a in moved.amounts)


async def leave(stage: Stage, part: Decimal) -> tuple[Amount, ...]:
    """The leaver redeems this part of the shares in kind; what was paid out."""
    shares = int(await treasury.shares_of(stage.rpc, stage.vault, LEAVER) * part)
    least = treasury.cushioned(await treasury.preview_redeem(stage.rpc, stage.vault, shares, LEAVER), 1)
    return (await treasury.redeem(stage.rpc, LEAVER, stage.vault, shares, least)).amounts


def zap_token(stage: Stage, targets: dict[str, float]) -> Token:
    """The token that the third depositor pays in: the first of those with the largest target."""
    return max(stage.vault.tokens, key=lambda token: targets[token.symbol])


def _amounts(
    tokens: tuple[Token, ...], weights: list[Decimal], money: Money, prices: dict[Token, Money]
) -> tuple[Amount, ...]:
    return tuple(
        Amount(token, to_raw_floor(money * weight / prices[token], token.decimals))
        for token, weight in zip(tokens, weights, strict=True)
    )
