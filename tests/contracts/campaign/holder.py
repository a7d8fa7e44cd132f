"""The adversarial holder: strangers with more capital than there is try to take from honest holders, step by step.

An episode is drawn from its seed alone: it starts from the same world, the keeper opens a few positions, and then two
attackers send transactions (`stranger`, `trader`, `attacks`) while honest holders mint, redeem and pass shares on,
prices move, pools are brought back, the keeper rebalances, tokens freeze and time passes.

After **every** transaction but the keeper's, exactly and with no allowance for rounding (`claims`):

1. the value of a share at nine sets of test prices - the first fair ones, six off them, two at the ends of prices - has
   not fallen, whatever the transaction did to spot prices on its way;
2. after calls of the vault and gifts to it alone, which move no pool: each token's amount per share, at the pools'
   present prices, has not fallen; and what attackers own of each token, shares and LP tokens counted in, has not grown;
3. a mint of an honest holder took no more and a redemption gave no less than the rule says, to the unit, and neither
   failed but for a frozen token; nothing is set aside that is not there;
4. at the end of the episode every honest holder can redeem everything, and claim it, at the prices as they then stand.

`python -m tests.contracts.campaign.holder SEED` tells an episode again, every transaction of it.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from tests.contracts.campaign.attacks import script
from tests.contracts.campaign.calldata import calldata, words
from tests.contracts.campaign.engine import Reverted
from tests.contracts.campaign.founding import found, open_positions
from tests.contracts.campaign.life import Life
from tests.contracts.campaign.script import Call, Script, packed, told
from tests.contracts.campaign.trader import Trader
from tests.contracts.campaign.watch import LOCKED, Loss, Watch
from tests.contracts.campaign.world import NOBODY, World

ACTIONS = 1_000  # of attackers, in an episode


class Finding(AssertionError):
    """A loss: what, the seed, and every transaction up to it."""


@dataclass
class Tally:
    """What a campaign did."""

    episodes: int = 0
    actions: int = 0  # of attackers, bursts counted singly
    transactions: int = 0
    done: int = 0  # calls of scripts that succeeded
    failed: int = 0
    succeeded: Counter[str] = field(default_factory=Counter)  # single calls of attackers, by kind
    bundles: int = 0
    kept: list[float] = field(default_factory=list)  # of a share's first worth, through attackers alone, per episode


def campaign(world: World, seed: str, actions: int, strict: bool = True) -> Tally:
    """Run episodes until so many actions are done. Finding where `strict` and somebody loses."""
    tally = Tally()
    while tally.actions < actions:
        start = world.chain.snapshot()
        try:
            Episode(world, f"{seed}/{tally.episodes}", tally, strict).run()
        finally:
            world.chain.revert(start)
        tally.episodes += 1
    return tally


class Episode:
    """One seed's story."""

    def __init__(self, world: World, seed: str, tally: Tally, strict: bool = True) -> None:
        self.world, self.seed, self.tally, self.strict = world, seed, tally, strict
        self.chance = Random(seed)
        self.story: list[str] = []
        self.kept = 1.0
        if strict:
            open_positions(world, self.chance)
        self.watch = Watch(world, strict)
        self.life = Life(world, self.watch, self.chance, self.story)
        self.traders = [Trader(world, self.chance, who, [], []) for who in world.attackers]

    def run(self) -> None:
        done = self.tally.actions
        try:
            if self.strict and self.chance.random() < 0.3:
                self.life.shrink()
            while self.tally.actions - done < ACTIONS:
                if self.chance.random() < 0.85:
                    self.attack()
                else:
                    self.life.go_on()
            self.life.leave()
        except Loss as loss:
            lines = "\n".join(f"{number:4} {line}" for number, line in enumerate(self.story))
            raise Finding(f"{loss}\nseed {self.seed}, {self.tally.actions} actions\n{lines}") from None
        self.tally.kept.append(self.kept)
        self.tally.bundles += self.life.bundles
        self.tally.done += self.count("done()")
        self.tally.failed += self.count("failed()")

    def count(self, what: str) -> int:
        return sum(words(self.world.chain.view(who, calldata(what)))[0] for who in self.world.attackers)

    # -------------------------------------------------------------- attackers

    def attack(self) -> None:
        trader = self.chance.choice(self.traders)
        self.brief(trader)
        calls = script(trader)
        self.story.append(f"{self.world.name(trader.me)}: {told(calls)}")
        self.tally.actions += sum(call.actions for call in calls)
        self.tally.transactions += 1
        self.watch.reader.owing |= frozenset().union(*(call.owing for call in calls))
        if self.strict:
            self.send_watched(trader, calls)
        else:
            self.send_if_it_pays(trader, calls)

    def send_watched(self, trader: Trader, calls: Script) -> None:
        """Hold the books and purses after it against those before. Loss when anybody lost."""
        before, still = self.watch.books, all(call.vault for call in calls)
        owned = self.watch.wealth() if still else []
        if self.send(trader, calls):
            self.watch.check()
            if still:
                self.watch.check_still(before)
                self.assert_no_gain(owned)

    def send_if_it_pays(self, trader: Trader, calls: Script) -> None:
        """Try first, as anybody can: what would leave something to the holders is not sent."""
        start, before, was = self.world.chain.snapshot(), self.watch.books, self.watch.value()
        if self.send(trader, calls) and before.supply > LOCKED:
            self.watch.check()
            if (now := self.watch.value()) <= was:
                self.kept *= float(now / was)
                return
        self.world.chain.revert(start)
        self.watch.books = before

    def send(self, trader: Trader, calls: Script) -> bool:
        """Whether it did not fail; a script of several never does."""
        if len(calls) == 1 and calls[0].times == 1:
            return self.alone(trader, calls[0])
        self.world.chain.call(NOBODY, trader.me, calldata("run(bytes)", packed(calls)))
        return True

    def brief(self, trader: Trader) -> None:
        """What an attacker can look up before it sends."""
        world = self.world
        trader.fair = [world.fair(pool, self.life.money) for pool in range(3)]
        trader.ranges = [(pool, (lower, upper)) for pool, lower, upper in self.watch.books.ranges]
        trader.shares, trader.supply = world.shares(trader.me), self.watch.books.supply
        trader.reserves = self.watch.books.reserves

    def alone(self, trader: Trader, call: Call) -> bool:
        """One call that may fail with its transaction; whether it did not."""
        try:
            if call.target == trader.me:
                self.world.chain.call(NOBODY, trader.me, call.data)
            else:
                self.world.act(trader.me, call.target, call.data)
        except Reverted as error:
            self.story[-1] += f" - {error}"
            return False
        self.tally.succeeded[call.name.split()[0]] += 1
        return True

    def assert_no_gain(self, owned: list[Fraction]) -> None:
        """Attackers as one: who gives to the other is no richer."""
        for token, (was, now) in enumerate(zip(owned, self.watch.wealth(), strict=True)):
            if now > was:
                raise Loss(
                    f"attackers gained {float(now - was):.6g} raw units of token {token} from calls of the vault"
                )


def main(arguments: list[str]) -> int:
    """Tell the episode of a seed again."""
    world = found()
    episode = Episode(world, arguments[0], Tally())
    episode.run()
    sys.stdout.write("\n".join([*episode.story, "nobody lost anything", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
