"""What goes on around an attack: honest holders, a keeper, prices, frozen tokens and time."""

from collections.abc import Callable
from fractions import Fraction
from random import Random

from tests.contracts.campaign.books import LP_BALANCES, mapping_slot
from tests.contracts.campaign.calldata import calldata, word
from tests.contracts.campaign.engine import Reverted
from tests.contracts.campaign.watch import LOCKED, Loss, Watch
from tests.contracts.campaign.world import (
    MONEY,
    NOBODY,
    USD,
    V2_USD_ETH,
    WINDOW_S,
    World,
    claim_data,
    liquidity_worth,
    mint_data,
    paid,
    redeem_data,
    transfer_data,
    worth,
)

SKIPS = (0, 0, 0, 1, 2, 4, 7)


class Life:
    """Draws what happens next; every call of honest holders is watched as closely as the attackers'."""

    def __init__(self, world: World, watch: Watch, chance: Random, story: list[str]) -> None:
        self.world, self.watch, self.chance, self.story = world, watch, chance, story
        self.money: tuple[Fraction, ...] = MONEY
        self.frozen = False
        self.bundles = 0

    def go_on(self) -> None:
        (happens,) = self.chance.choices(HAPPENS, WEIGHTS)
        if self.frozen:  # not for long
            happens = Life.freeze
        happens(self)

    # -------------------------------------------------------------- honest holders

    def shrink(self) -> None:
        """All but a few shares leave, so that a unit of them weighs."""
        for who in self.world.honest:
            self.redeem_exactly(who, self.world.shares(who) - 10 ** self.chance.randint(0, 12), 0)

    def mint(self) -> None:
        """A mint that must succeed at the rule's own price."""
        who, before = self.chance.choice(self.world.honest), self.watch.books
        some = (1, self.chance.randint(1, 10**24), before.supply // self.chance.randint(2, 10**6) + 1)
        shares = self.chance.choice(some)
        self.story.append(f"{self.world.name(who)}: mint {shares}")
        most = self.watch.cost(shares)
        for token, amount in enumerate(most):
            self.world.give(token, who, amount)
        try:
            self.world.act(who, self.world.vault, mint_data(shares, who, most))
        except Reverted as error:
            if self.watch.strict and not self.frozen and before.supply > LOCKED:
                raise Loss(f"an honest mint failed: {error}") from None
            return
        self.watch.check()
        self.watch.check_still(before)

    def redeem(self) -> None:
        who = self.chance.choice(self.world.honest)
        held = self.world.shares(who)
        shares = min(held, self.chance.choice((1, 1_000, held // 100, held // 3, held)))
        if shares:
            self.redeem_exactly(who, shares, self.chance.choice(SKIPS))

    def redeem_exactly(self, who: str, shares: int, skip: int) -> None:
        """A redemption that must succeed and give the whole slice."""
        world, before = self.world, self.watch.books
        self.story.append(f"{self.world.name(who)}: redeem {shares} skip {skip}")
        self.watch.reader.owing |= {(token, who) for token in range(3) if skip >> token & 1}
        lp, slot = world.pools[V2_USD_ETH], mapping_slot(word(who), LP_BALANCES)
        had = world.chain.storage(lp, slot)
        try:
            given = paid(world.act(who, world.vault, redeem_data(shares, who, skip)))
        except Reverted as error:
            if not self.watch.strict or (self.frozen and not skip & 1 << USD):
                return
            raise Loss(f"an honest redemption failed: {error}") from None
        self.watch.check()
        self.watch.check_still(before)
        self.watch.check_redemption(before, shares, skip, given, world.chain.storage(lp, slot) - had)

    def transfer(self) -> None:
        giver, taker = self.chance.choice(self.world.honest), self.chance.choice(self.world.honest)
        self.story.append(f"{self.world.name(giver)}: transfer")
        self.world.act(giver, self.world.vault, transfer_data(taker, self.world.shares(giver) // 2))
        self.watch.check()

    def leave(self) -> None:
        """Every honest holder gets everything, and what was set aside, as things stand; then it is undone."""
        self.story.append("everybody leaves")
        if self.frozen:
            self.freeze()
        with self.world.chain.undone():
            for who in self.world.honest:
                if held := self.world.shares(who):
                    self.redeem_exactly(who, held, self.chance.choice((0, 7)))
                self.claim_all(who)
            self.watch.check()

    def claim_all(self, who: str) -> None:
        for token in range(3):
            if owed := self.world.owed(token, who):
                try:
                    self.world.act(who, self.world.vault, claim_data(self.world, token, who))
                except Reverted as error:
                    raise Loss(f"a claim to {owed} of token {token} failed: {error}") from None

    # -------------------------------------------------------------- everybody else

    def wait(self) -> None:
        seconds = self.chance.choice((12, 12, 600, 86_400))
        self.story.append(f"{seconds} s pass")
        self.world.chain.warp(seconds)

    def drift(self) -> None:
        """Fair prices move, and arbitrageurs follow."""
        self.money = (MONEY[0], *(price * self.chance.randint(950, 1_050) / 1_000 for price in self.money[1:]))
        self.align()
        self.watch.check()

    def align(self) -> None:
        self.story.append(f"pools go to {[float(price) for price in self.money]}")
        if not self.frozen:
            self.world.align(self.money)

    def freeze(self) -> None:
        """The first token freezes, or thaws."""
        self.frozen = not self.frozen
        self.story.append("USD freezes" if self.frozen else "USD thaws")
        self.world.chain.call(NOBODY, self.world.tokens[USD], calldata("freeze_all(bool)", int(self.frozen)))

    def keep(self) -> None:
        """The keeper waits until pools and means are near the feeds, and sends a bundle that may be refused."""
        self.align()
        self.watch.check()
        self.world.chain.warp(WINDOW_S + 100)
        self.world.refresh(self.money)
        actions = self.bundle()
        self.story.append(f"keeper: {actions}")
        try:
            self.world.execute(actions)
        except Reverted as error:
            self.story[-1] += f" - {error}"
            return
        self.bundles += 1
        self.watch.start_again()

    def bundle(self) -> list[tuple[int, int]]:
        world, chance, books = self.world, self.chance, self.watch.books
        actions = []
        if books.ranges and chance.random() < 0.6:
            number = chance.randrange(len(books.ranges))
            pool, lower, upper = books.ranges[number]
            actions.append(world.remove(pool, (lower, upper), books.liquidity[number] // chance.choice((1, 2, 10))))
        pool = chance.randrange(3)
        side = chance.choice(world.sides[pool])
        if chance.random() < 0.4:
            actions.append(world.sell(pool, side, worth(side, chance.randint(1, 2_000), self.money)))
        if pool == V2_USD_ETH:
            actions.append(world.add_pair(chance.randint(100, 20_000)))
        elif len(books.ranges) < 5:
            ticks = world.ticks_around(pool, world.fair(pool, self.money), chance.choice((60, 600, 3_000)))
            liquidity = liquidity_worth(world, pool, ticks, chance.randint(100, 20_000))
            actions.append(world.add_range(pool, ticks, liquidity))
        return actions or [world.add_pair(1_000)]


HAPPENS: tuple[Callable[[Life], None], ...] = (
    Life.mint,
    Life.redeem,
    Life.transfer,
    Life.wait,
    Life.drift,
    Life.freeze,
    Life.keep,
)
WEIGHTS = (6, 6, 1, 3, 3, 1, 3)
