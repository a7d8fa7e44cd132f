"""Settings to objects: the one place where the rooms meet."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from bot.chain.keys import LocalSigner, read_password
from bot.chain.rpc import HttpRpc
from bot.config.adapters import LogNotifier, Nodes, Seen, WatchOnly
from bot.config.load import load_policy
from bot.config.models import Config, MarketSection
from bot.config.origin import bind, expect_origin
from bot.core.errors import ChainError, ConfigError, DataError, EvenkeelError
from bot.core.ports import Executor, Notifier, Observer, Rpc, Signer
from bot.core.rows import Skip
from bot.core.types import Feed, Limits, Market, Outcome, PoolSpec, Proposal, Snapshot, Token
from bot.core.units import Bps, Pips
from bot.cycle import run_cycle
from bot.execution.calls import NOBODY
from bot.execution.executor import DryRunExecutor, VaultExecutor
from bot.execution.treasury import VaultSetup, keeper_of
from bot.journal import SqlJournal
from bot.observe import ChainObserver, Kind
from bot.policy.rules import Policy
from bot.prices.history import History, read_closes
from bot.propose import propose
from bot.venues.market import verify_market

log = structlog.get_logger("evenkeel")


@dataclass(frozen=True, slots=True)
class Parts:
    """One bot, put together. `live`: it holds a key and may send."""

    config: Config
    policy: Policy
    market: Market
    rpc: Rpc
    observer: Observer
    executor: Executor
    journal: SqlJournal
    notifier: Notifier
    live: bool

    async def look(self) -> tuple[Snapshot, Proposal]:
        """What is there now, and what would be done about it; nothing is recorded or sent."""
        snapshot = await self.observer.observe()
        return snapshot, propose(self.policy, await self.journal.memory(), snapshot)

    async def turn(
        self, *, cycle: int | None = None, seen: Snapshot | None = None, approved: bool = False
    ) -> tuple[Proposal, Outcome | None]:
        """One cycle, recorded; `seen`: of the world as it was shown to a person, not as it is now."""
        with suppress(ChainError):  # the cycle itself will say so, and the next one tries again
            await bind(self.rpc, self.journal, self.config.chain.id)
        cycle = cycle or await self.journal.last_cycle() + 1
        proposal, outcome = await run_cycle(
            self.policy,
            Seen(seen) if seen else self.observer,
            self.executor,
            self.journal,
            self.notifier,
            cycle=cycle,
            approved=approved,
            dry_run=not self.live,
        )
        decision = proposal.decision
        drift = max(abs(w - t) for w, t in zip(decision.weights, decision.targets, strict=True))
        why = "; ".join(reason.said for reason in decision.reasons)
        seen_so = {"drift": f"{drift:.2%}", "band": f"{decision.band:.2%}", "why": why}
        log.info("cycle", number=cycle, verdict=proposal.verdict, live=self.live, **seen_so)
        return proposal, outcome

    async def record(self, error: Exception) -> None:
        """Write down a turn that failed, unless the turn did so itself."""
        if not isinstance(error, DataError | ChainError):
            said = str(error) if isinstance(error, EvenkeelError) else repr(error)
            await self.journal.append(await self.journal.last_cycle() + 1, "skip", Skip(type(error).__name__, said))


@asynccontextmanager
async def build(config: Config, *, act: bool = False, notifier: Notifier | None = None) -> AsyncIterator[Parts]:
    """Everything of one bot, checked against the chain, closed at the end. `act`: with the key, where one is named.

    `notifier`: by default the log.
    ConfigError when a file, the account or the chain is not as configured; ChainError when no node answers.
    """
    account(config)
    policy, place = load_policy(config), market(config)
    tokens = tuple(place.token(symbol) for symbol in policy.targets)
    history = History(tokens, config.history.step_s, config.history.rows)
    if config.history.file:
        history.preload(read_closes(config.history.file, tokens, config.history.step_s, config.history.rows))
    async with AsyncExitStack() as stack:
        rpc = await connect(config, stack)
        await verify_market(rpc, place)
        journal = SqlJournal(config.journal.url)
        stack.push_async_callback(journal.close)
        await expect_origin(rpc, journal, config.journal.url, config.chain.id)
        for record in await journal.records("cycle", last=1):
            if isinstance(record.body, tuple):
                history.restore([record.body[0]])
        key = signer(config) if act else None
        yield Parts(
            config,
            policy,
            place,
            rpc,
            await _observer(config, rpc, place, history),
            await _executor(config, rpc, key, journal, place.multicall3),
            journal,
            notifier or LogNotifier(),
            live=key is not None,
        )


def account(config: Config) -> tuple[Kind, str]:
    """What is looked after, and its address. ConfigError when nothing is."""
    if config.account.vault:
        return "vault", config.account.vault
    if config.account.wallet:
        return "wallet", config.account.wallet
    raise ConfigError("account.vault: expected the vault to look after, found none; `evenkeel vault deploy` makes one")


def market(config: Config) -> Market:
    """The market section as the rooms know it."""
    section = config.market
    token = {symbol: Token(entry.address, symbol, entry.decimals) for symbol, entry in section.tokens.items()}
    return Market(
        chain_id=config.chain.id,
        tokens=tuple(token.values()),
        feeds=tuple(
            Feed(token[symbol], entry.feed, entry.feed_decimals, entry.max_age_s, *entry.answers())
            for symbol, entry in section.tokens.items()
        ),
        pools=tuple(_pool(section, name, token) for name in section.pools),
        wrapped=token[section.wrapped],
        multicall3=section.multicall3,
        tick_lens=section.tick_lens,
        v3_factory=section.v3_factory,
        position_manager=section.position_manager,
        quoter_v2=section.quoter_v2,
        swap_router=section.swap_router,
        v2_factory=section.v2_factory,
        v2_router=section.v2_router,
    )


def _pool(section: MarketSection, name: str, token: dict[str, Token]) -> PoolSpec:
    entry = section.pools[name]
    token0, token1 = (token[symbol] for symbol in section.sorted_tokens(entry))
    return PoolSpec(
        name, entry.kind, entry.address, token0, token1, Pips(entry.fee), entry.spacing, entry.twap_window_s
    )


def vault_setup(config: Config, owner: str) -> VaultSetup:
    """What a new vault is deployed with; keeper and guardian are the owner where the section names none."""
    section = config.vault
    if section is None:
        raise ConfigError("vault: expected the section that says how a new vault is set up, found none; add it")
    place = market(config)
    feed = {feed.token.symbol: feed for feed in place.feeds}
    limits = section.limits
    return VaultSetup(
        section.name,
        section.symbol,
        owner,
        section.keeper or owner,
        section.guardian or owner,
        section.delay_s,
        tuple(feed[symbol] for symbol in section.tokens),
        tuple((Bps(least), Bps(most)) for least, most in (section.corridors[symbol] for symbol in section.tokens)),
        tuple(place.pool(name) for name in section.pools),
        Limits(
            Bps(limits.bundle_loss_bps),
            Bps(limits.day_loss_bps),
            Bps(limits.day_turnover_bps),
            Bps(limits.deviation_bps),
            limits.cooldown_s,
        ),
        section.sequencer or NOBODY,
    )


def signer(config: Config) -> Signer | None:
    """The key that the configuration names; None when it names none. ConfigError when it cannot be had."""
    key = config.key
    if key is None:
        return None
    if key.environment is not None:
        return LocalSigner.from_environment(key.environment)
    assert key.keystore is not None  # checked with the file
    return LocalSigner.from_keystore(key.keystore, read_password(key.password_file))


async def connect(config: Config, stack: AsyncExitStack) -> Rpc:
    """The first node of the list that answers, and the others behind it; closed with the stack."""
    nodes = Nodes([HttpRpc(url, config.chain.timeout_s) for url in config.chain.rpc])
    stack.push_async_callback(nodes.close)
    for last in reversed(range(len(config.chain.rpc))):
        try:
            await nodes.call("eth_chainId")
            break
        except ChainError:
            if not last:
                raise
    return nodes


async def _observer(config: Config, rpc: Rpc, place: Market, history: History) -> ChainObserver:
    kind, address = account(config)
    if kind == "vault" and await rpc.call("eth_getCode", address, "latest") in ("0x", None):
        raise ConfigError(f"account.vault: expected a vault at {address}, found no contract; correct the address")
    return ChainObserver(
        rpc,
        place,
        address,
        kind,
        history,
        tip_percentile=config.execution.tip_percentile,
        max_block_age_s=config.chain.max_block_age_s,
    )


async def _executor(config: Config, rpc: Rpc, key: Signer | None, journal: SqlJournal, multicall3: str) -> Executor:
    vault, execution = config.account.vault, config.execution
    if vault is None:
        return WatchOnly()
    keeper = await keeper_of(rpc, vault)
    if key is None:
        return DryRunExecutor(rpc, keeper, vault, multicall3)
    if key.address != keeper:
        raise ConfigError(f"key: expected the key of the vault's keeper {keeper}, found that of {key.address}")
    return VaultExecutor(rpc, key, vault, journal, multicall3, timeout_s=execution.timeout_s, poll_s=execution.poll_s)
