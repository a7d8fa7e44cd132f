"""The demo from end to end: set the stage, replay the market hour by hour, let the bot live in it, sum up."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bot.config import Config, load, load_policy
from bot.config.starter import starter_file
from bot.config.wiring import market as market_of
from bot.core.errors import Broken, ChainError, DataError
from bot.core.types import Memory, Outcome, Proposal, Snapshot, Token
from bot.core.units import ZERO, Money, Timestamp, Wei, share_of_money
from bot.cycle import run_cycle
from bot.demo import stage as staging
from bot.demo.accounts import account
from bot.demo.blocks import Blocks, MiningRpc
from bot.demo.market import Crowd
from bot.demo.options import DemoOptions
from bot.demo.paths import HOUR_S, PricePath, path_for
from bot.demo.result import DemoResult, Refusal
from bot.demo.stage import DEPOSITORS, LEAVER, Stage
from bot.demo.tally import Tally
from bot.demo.twin import Twin, copy
from bot.execution import treasury
from bot.execution.executor import VaultExecutor
from bot.journal import SqlJournal
from bot.observe import ChainObserver
from bot.policy.rules import Policy
from bot.prices.history import Closes, History

GWEI = 10**9
FOLLOW_S, TRADE_S, SETTLE_S = 300, 600, 900  # into the hour: new prices, ordinary flow, arbitrage after it
CYCLE_S = 3_000  # the bot's turn: half an hour's TWAP has seen nothing but this hour's prices
LEAVE_S = 3_300  # the depositor who leaves
PART_THAT_LEAVES = Decimal("0.6")  # of that depositor's shares
HOLDERS = tuple(zip(("founder", "second", "zapper"), DEPOSITORS, strict=True))


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress bar shows after each hour."""

    hour: int
    of: int
    drift: float
    band: float
    bundles: int


async def run_demo(options: DemoOptions, tell: Callable[[Progress], None] = lambda _: None) -> DemoResult:
    """Run the whole demo and sum it up; `tell` is called after each hour.

    ConfigError, DataError when a file is wrong; ChainError when no chain could be had; Broken when the demo itself is.
    """
    began = time.monotonic()
    config = load([options.config or starter_file("mainnet.yaml")])
    policy = load_policy(config)
    market = staging.trimmed(market_of(config), config)
    symbols = tuple(token.symbol for token in market.tokens)
    path = path_for(symbols, options.prices, options.start, options.end, options.hours, options.seed)
    async with (
        staging.chain_for(options) as chain,
        Blocks(chain.rpc, Wei(int(options.gas_price_gwei * GWEI))) as blocks,
        _journal(blocks) as journal,
    ):
        rpc = MiningRpc(chain.rpc, blocks)
        crowd = Crowd(chain.rpc, blocks, market, options.seed)
        stage = await staging.deploy(rpc, market, config)
        demo = Demo(stage, blocks, crowd, policy, config, path, journal)
        await demo.open(options.deposits)
        await demo.play(tell)
        return await demo.sum_up(options, began)


@asynccontextmanager
async def _journal(blocks: Blocks) -> AsyncIterator[SqlJournal]:
    """The daemon's own journal, in a folder that goes with the demo, on the chain's clock."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-demo-") as folder:
        journal = SqlJournal(f"sqlite+aiosqlite:///{Path(folder) / 'demo.db'}", clock=lambda: blocks.now)
        try:
            yield journal
        finally:
            await journal.close()


class Demo:
    """One run: `open` it, `play` it, `sum_up`."""

    def __init__(
        self,
        stage: Stage,
        blocks: Blocks,
        crowd: Crowd,
        policy: Policy,
        config: Config,
        path: PricePath,
        journal: SqlJournal,
    ) -> None:
        self._stage, self._blocks, self._crowd, self._policy, self._path = stage, blocks, crowd, policy, path
        self._journal = journal
        self._executor = VaultExecutor(
            stage.rpc, stage.keeper, stage.vault.address, journal, stage.market.multicall3, poll_s=0.01
        )
        tokens = tuple(stage.market.token(symbol) for symbol in policy.targets)
        self._history = History(tokens, HOUR_S, config.history.rows)
        self._observer = ChainObserver(stage.rpc, stage.market, stage.vault.address, "vault", self._history)
        self._start = 0  # when the first hour begins
        self._first: dict[Token, Money] = {}  # prices then
        self._twin: Twin | None = None
        self._left: Snapshot | None = None  # the twin as last seen
        self._withdrawn = ZERO
        self._tally = Tally(policy, (), (), 0)

    async def open(self, deposits: Money) -> None:
        """Hour 0: everybody sets out, and the three depositors pay in."""
        stage, blocks = self._stage, self._blocks
        self._start = (blocks.now // HOUR_S + 1) * HOUR_S
        self._first = await self._crowd.answers()
        self._preload()
        await blocks.mine(self._start)
        await self._crowd.set_out()
        await self._crowd.follow(self._start + 60, self._first)
        paid = await staging.pay_in_kind(stage, deposits, self._policy.targets, self._first)
        zapped = await staging.pay_by_zap(stage, deposits, self._policy.targets, await self._observer.observe())
        basket = tuple(a + b for a, b in zip(paid, zapped, strict=True))
        seen = await self._observer.observe()
        symbols = tuple(price.token.symbol for price in seen.prices)
        self._tally = Tally(self._policy, symbols, basket, seen.vault.shares if seen.vault else 0)

    async def play(self, tell: Callable[[Progress], None]) -> None:
        """Hour 0's cycle and then the path, hour by hour; one depositor leaves half-way."""
        hours = len(self._path.steps)
        for hour in range(hours + 1):
            if hour:
                await self._market(hour)
            await self._blocks.mine(self._start + hour * HOUR_S + CYCLE_S)
            await self._cycle(hour)
            if hour == (hours + 1) // 2:
                await self._leave(hour)
            last = self._tally.hours[-1]
            tell(Progress(hour, hours, last.drift, last.band, len(self._tally.bundles)))

    async def sum_up(self, options: DemoOptions, began: float) -> DemoResult:
        """Look once more, check every share, and put it all together."""
        seen = await self._see()
        shares = await account(self._stage.rpc, self._stage.vault, HOLDERS, seen)
        tally = self._tally
        return DemoResult(
            chain=options.grade,
            path=self._path.said,
            made_up=self._path.made_up,
            policy=f"{self._policy.name} ({self._policy.version})",
            numeraire=self._policy.numeraire,
            base_fee_gwei=options.gas_price_gwei,
            tokens=tally.symbols,
            targets=tuple(self._policy.targets[symbol] for symbol in tally.symbols),
            deposited=tally.hours[0].hold,
            basket=tally.parts(),
            hours=tuple(tally.hours),
            bundles=tuple(tally.bundles),
            refusals=tuple(tally.refusals),
            cycles=tally.cycles,
            out_of_band=tally.out_of_band,
            fees_earned=tally.fees,
            impermanent_loss=tally.impermanent_loss,
            rebalancing_loss=tally.rebalancing_loss,
            positions=tally.positions,
            flow=Money(sum(self._crowd.traded.values(), ZERO)),
            withdrawn=self._withdrawn,
            shares=shares,
            seconds=time.monotonic() - began,
        )

    # ------------------------------------------------------------------ one hour

    async def _market(self, hour: int) -> None:
        begin, prices = self._start + hour * HOUR_S, self._prices(hour)
        await self._crowd.follow(begin + FOLLOW_S, prices)
        await self._crowd.trade(begin + TRADE_S, prices)
        await self._crowd.settle(begin + SETTLE_S, prices)

    async def _cycle(self, hour: int) -> None:
        """The daemon's own turn. What it cannot do is told, as the daemon would, and the demo goes on."""
        memory = await self._journal.memory()
        witness = Witness(self._observer)
        try:
            proposal, outcome = await run_cycle(
                self._policy, witness, self._executor, self._journal, Silence(), cycle=hour + 1
            )
        except (DataError, ChainError) as error:
            self._tally.refusals.append(Refusal(self._blocks.now, "skipped", str(error)))
            return
        seen = witness.last()
        await self._look_at_twin(seen)
        self._tally.cycle(self._tally.hour(seen, memory, self._left, self._left_shares))
        if outcome is not None and outcome.tx is not None:
            await self._sent(seen, memory, proposal, outcome)
        elif proposal.verdict != "idle":
            self._tally.refused(seen, proposal, outcome)

    async def _sent(self, seen: Snapshot, memory: Memory, proposal: Proposal, outcome: Outcome) -> None:
        after = await self._observer.observe()
        self._tally.sent(seen, memory, proposal, outcome, after)
        if outcome.ok and self._twin is None:
            self._twin = await copy(self._stage.rpc, self._blocks, self._stage.market, after)

    async def _leave(self, hour: int) -> None:
        await self._blocks.mine(self._start + hour * HOUR_S + LEAVE_S)
        seen, memory = await self._observer.observe(), await self._journal.memory()
        before = await treasury.shares_of(self._stage.rpc, self._stage.vault, LEAVER)
        paid = await staging.leave(self._stage, PART_THAT_LEAVES)
        self._withdrawn = Money(sum((seen.value(amount) for amount in paid), ZERO))
        left = await treasury.shares_of(self._stage.rpc, self._stage.vault, LEAVER)
        self._tally.redeemed(seen, memory, before - left)

    async def _see(self) -> Snapshot:
        """An observation of the vault that the tally takes, outside a cycle."""
        seen = await self._observer.observe()
        await self._look_at_twin(seen)
        self._tally.hour(seen, await self._journal.memory(), self._left, self._left_shares)
        return seen

    async def _look_at_twin(self, seen: Snapshot) -> None:
        if self._twin is not None:
            self._left = await self._twin.seen(seen)

    @property
    def _left_shares(self) -> int:
        return self._twin.shares if self._twin else 0

    # ------------------------------------------------------------------ prices

    def _prices(self, hour: int) -> dict[Token, Money]:
        """Of every token in an hour of the path, to the last decimal that its feed can say."""
        relative = dict(zip(self._path.symbols, self._path.steps[hour - 1].tolist(), strict=True))
        return {
            feed.token: Money(
                round(share_of_money(self._first[feed.token], relative[feed.token.symbol]), feed.decimals)
            )
            for feed in self._stage.market.feeds
        }

    def _preload(self) -> None:
        """Give the bot the hours before the start, as a price file would."""
        relative = self._path.before
        columns = [self._path.symbols.index(token.symbol) for token in self._history.tokens]
        first = [float(self._first[token]) for token in self._history.tokens]
        rows = tuple(tuple((row[columns] * first).tolist()) for row in relative)
        self._history.preload(Closes(Timestamp(self._start - len(rows) * HOUR_S), HOUR_S, rows))


class Witness:
    """An Observer that remembers what it last saw."""

    def __init__(self, observer: ChainObserver) -> None:
        self._observer = observer
        self._seen: Snapshot | None = None

    async def observe(self) -> Snapshot:
        """See `ChainObserver`."""
        self._seen = await self._observer.observe()
        return self._seen

    def last(self) -> Snapshot:
        """What it saw. Broken when it was never asked."""
        if self._seen is None:
            raise Broken("expected the cycle to observe, it did not")
        return self._seen


class Silence:
    """A Notifier: the demo's report tells everything."""

    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None:
        """Say nothing."""
