"""A thief with the keeper's key, capital without end and liquidity of his own, who plays a plot on a world."""

from dataclasses import dataclass, replace
from fractions import Fraction

from tests.contracts.campaign.fair import claim
from tests.contracts.campaign.founding import FIRST, SHARES
from tests.contracts.campaign.hand import Prices, Stage
from tests.contracts.campaign.key import Key
from tests.contracts.campaign.plots import Plot, Round
from tests.contracts.campaign.world import BTC, DECIMALS, World, mint_data, redeem_data, transfer_data, worth
from tests.contracts.vault.words import RECORD_AGE_S

FRESH_S = 1_800  # feeds answer anew when their last answer is older
FEED_ONE = 10**8


@dataclass(frozen=True)
class Step:
    """What a round did, at the true prices of its time."""

    time: int
    prices: Prices
    error: Fraction  # how far the feeds' price of any token in another is off, at most
    before: int  # the honest holders' claim
    after: int
    lost: int  # of NAV (1e18 = 100 %), as the vault has charged it
    sold: int
    wide: Fraction = Fraction(1)  # NAV as the vault stated it for the bundle, over what it was: at most


class Thief:
    """Plays plots against feeds that are off the true prices by `error` at most."""

    def __init__(self, world: World, error: Fraction = Fraction(0)) -> None:
        self.world, self.error, self.key = world, error, Key()
        self.stage, self.refreshed = Stage(world), 0
        self.seen: list[tuple[int, Prices]] = []  # the feeds' prices at each round so far, and before the first

    def play(self, plot: Plot) -> list[Step]:
        """Every round's step; the world is then as it was."""
        self.stage, self.refreshed = Stage(self.world), 0
        self.seen = [(self.world.chain.time, self.stage.money)]
        steps: list[Step] = []
        with self.world.chain.undone():
            if plot.founding:
                self._come_first(plot)
            for plan in plot.rounds:
                for turn in range(plan.times):
                    sent, step = self._round(plan if turn == 0 else replace(plan, drift=(1.0, 1.0)), steps[-1:])
                    steps.append(step)
                    if not sent:  # nor would it be again
                        break
        return steps

    def _come_first(self, plot: Plot) -> None:
        """The honest leave; the thief is first and alone, sends a bundle and leaves; they come back."""
        world = self.world
        for who in world.honest:
            world.act(who, world.vault, redeem_data(world.shares(who), who))
        most = [worth(token, 10**plot.founding) for token in range(len(DECIMALS))]
        if self.stage.tried(self.stage.holder, world.vault, mint_data(10**9, self.stage.holder, most)):
            self._refresh()
            self.key.send(self.stage, plot.rounds[0])
        self._leave(0)
        first, second = world.honest
        most = [worth(token, money) for token, money in enumerate(FIRST)]
        world.act(first, world.vault, mint_data(SHARES, first, most))
        world.act(first, world.vault, transfer_data(second, SHARES // 5))

    def _round(self, plan: Round, last: list[Step]) -> tuple[bool, Step]:
        """Whether its bundle was sent, and what it did."""
        world, stage = self.world, self.stage
        world.chain.warp(plan.wait_s)
        self._drift(plan)
        prices, error = self._true(plan)
        before = last[0].after if last and last[0].prices == prices else claim(stage.reader, prices)
        if plan.stake:
            shares = int(plan.stake * world.supply()) + 1
            stage.tried(stage.holder, world.vault, mint_data(shares, stage.holder))
        for move in plan.before:
            stage.move(move)
        stated = self._stated()
        lost, sold = world.used()
        sent = self.key.send(stage, plan)
        lost_now, sold_now = world.used()
        for move in plan.after:
            stage.move(move)
        if not plan.keep:
            self._leave(plan.skip)
        after = claim(stage.reader, prices)
        wide = Fraction(1) if world.settings().recorded_at == world.chain.time else stated
        return sent, Step(world.chain.time, prices, error, before, after, lost_now - lost, sold_now - sold, wide)

    def _stated(self) -> Fraction:
        """By how much NAV is overstated at most if the bundle goes by the record of a token that it does not touch.

        Every pool trades ETH, and USD stays where it is: the token is BTC, at a price of the last day.
        """
        now, money = self.world.chain.time, self.stage.money
        self.seen.append((now, money))
        highest = max(at[BTC] for time, at in self.seen if time >= now - RECORD_AGE_S)
        if highest == money[BTC]:
            return Fraction(1)
        then = (*money[:BTC], highest)
        return Fraction(claim(self.stage.reader, then), claim(self.stage.reader, money))

    def _leave(self, skip: int) -> None:
        who = self.stage.holder
        if shares := self.world.shares(who):
            self.stage.tried(who, self.world.vault, redeem_data(shares, who, skip))
            self.stage.reader.owing |= {(token, who) for token in range(len(DECIMALS)) if skip >> token & 1}

    # -------------------------------------------------------------- prices and buckets

    def _drift(self, plan: Round) -> None:
        if plan.drift != (1.0, 1.0):
            moved = zip(self.stage.money, (1.0, *plan.drift), strict=True)
            self.stage.money = tuple(Fraction(int(price * Fraction(by) * FEED_ONE), FEED_ONE) for price, by in moved)
            self._refresh()
        elif self.world.chain.time > self.refreshed + FRESH_S:
            self._refresh()

    def _refresh(self) -> None:
        self.world.refresh(self.stage.money)
        self.refreshed = self.world.chain.time

    def _true(self, plan: Round) -> tuple[Prices, Fraction]:
        """Prices, each ahead of its feed's or behind it; and by how much two of these differ."""
        ahead = [Fraction(1)]
        for lag in plan.lags:
            off = 1 + self.error * Fraction(abs(lag)).limit_denominator(1_000)
            ahead.append(off if lag > 0 else 1 / off)
        return (
            tuple(price * off for price, off in zip(self.stage.money, ahead, strict=True)),
            max(ahead) / min(ahead) - 1,
        )
