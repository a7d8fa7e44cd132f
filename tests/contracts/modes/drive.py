"""A seeded session with a vault and its charter: everybody, right and wrong, in any order."""

import random
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import boa

from tests.contracts.vault.test_permit import OWNER, signed
from tests.contracts.vault.world import (
    ANYTHING,
    DAY_S,
    DECIMALS,
    EVERYTHING,
    HOUR_S,
    LIMITS,
    MOST,
    NOBODY,
    ONE,
    REMOVE,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    action,
    both,
    worth,
)

V3 = (V3_USD_ETH, V3_BTC_ETH)
TOKENS = range(len(DECIMALS))
PEOPLE = ("alice", "bob", "stranger")
EVERYBODY = (*PEOPLE, "owner", "keeper", "guardian")


class Drive:
    """Draws a step, takes it, and minds no refusal: that is an answer like others."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.asked: list[Callable[[], Any]] = []

    def run(self, steps: int) -> None:
        chosen = self.chance.choices(list(STEPS), list(STEPS.values()), k=steps)
        for step in [*chosen, Drive.look]:
            with suppress(boa.BoaError):
                step(self)

    # -------------------------------------------------------------- draws

    def rarely(self) -> bool:
        return self.chance.random() < 0.06

    def some(self, least: float, most: float) -> int:
        """Of any size between two powers of ten."""
        return int(10 ** self.chance.uniform(least, most))

    def who(self, *right: str) -> str:
        """One of these, now and then anybody."""
        return str(getattr(self.world, self.chance.choice(EVERYBODY if self.rarely() else right or PEOPLE)))

    def anybody(self) -> str:
        return NOBODY if self.rarely() else self.who()

    def deadline(self) -> int:
        return self.world.now - 1 if self.rarely() else self.world.deadline

    def token(self) -> Any:
        return self.world.tokens[self.chance.choice(TOKENS)]

    # -------------------------------------------------------------- holders

    def mint(self) -> None:
        shares = 0 if self.rarely() else self.some(0, 40 if self.rarely() else 24)
        cost = list(self.world.vault.preview_mint(shares))
        self.world.fund(who := self.who(), cost)
        most = [amount - self.rarely() for amount in cost][: 2 if self.rarely() else 3]
        self.world.vault.mint(shares, [max(m, 0) for m in most], self.anybody(), self.deadline(), sender=who)

    def redeem(self) -> None:
        who = self.who()
        held = self.world.vault.balanceOf(who)
        shares = self.chance.choice([held // 3, held, min(held, self.some(0, 9)), held + self.rarely(), 0])
        skip = self.chance.choice([0, 0, 0, *range(8)])
        least = [self.some(0, 9) if self.rarely() else 0 for _ in TOKENS][: 2 if self.rarely() else 3]
        self.world.vault.redeem(shares, least, self.anybody(), self.deadline(), skip, sender=who)

    def claim(self) -> None:
        token = self.chance.choice([3, 8, 2**255]) if self.rarely() else self.chance.choice(TOKENS)
        self.world.vault.claim(token, self.anybody(), sender=self.who())

    def move(self) -> None:
        vault, who, spender = self.world.vault, self.who(), self.who()
        amount = self.some(0, 24)
        if self.chance.random() < 0.2:
            self.permit(spender, amount)
        elif self.chance.random() < 0.5:
            vault.transfer(self.anybody(), amount, sender=who)
        else:
            vault.approve(spender, self.chance.choice([amount, amount - 1, 2**256 - 1]), sender=who)
            vault.transferFrom(who, self.anybody(), amount, sender=spender)

    def permit(self, spender: str, amount: int) -> None:
        """Signed by somebody who holds nothing, now and then for another amount."""
        nonce, deadline = self.world.vault.nonces(OWNER.address) + self.rarely(), self.deadline()
        said = {"spender": spender, "value": amount, "nonce": nonce, "deadline": deadline}
        signature = signed(self.world, **said)
        self.world.vault.permit(OWNER.address, spender, amount + self.rarely(), deadline, *signature)

    # -------------------------------------------------------------- keeper

    def sell(self) -> tuple[int, int]:
        pool = self.chance.choice((*V3, V2_USD_ETH))
        token = self.chance.choice(self.world.sides[pool])
        return self.world.swap(pool, token, worth(token, self.some(0, 4.5)), 10**30 if self.rarely() else 0)

    def put(self) -> tuple[int, int]:
        if self.chance.random() < 0.3:
            return self.world.add_pair(self.some(1, 4), 10**30 if self.rarely() else 0)
        pool = self.chance.choice(V3)
        ticks = self.world.ticks_around(pool, 60 * self.chance.choice([2, 5, 20]))
        if self.rarely():
            return action(3, pool, 10**13, both(1, 1), ticks)
        return self.world.add_range(pool, ticks, self.some(8, 13))

    def take(self) -> tuple[int, int]:
        part = self.chance.choice([0, 1, 2, 4])
        least = both(MOST, 0) if self.rarely() else 0
        ranges = self.world.ranges()
        if not ranges or self.chance.random() < 0.25:
            held = self.world.pools[V2_USD_ETH].balanceOf(self.world.vault.address)
            return action(REMOVE, V2_USD_ETH, held * part // 4, least)
        pool, ticks = self.chance.choice(ranges)
        liquidity = self.world.held(pool, ticks)[0]
        return action(REMOVE, pool, liquidity * part // 4 + self.rarely(), least, ticks)

    def strange(self) -> tuple[int, int]:
        return action(self.chance.choice([0, 1, 2, 3, 4, 255]), self.chance.choice([0, 2, 3, 200]), self.some(0, 12))

    def bundle(self) -> None:
        world = self.world
        kinds = [self.take, self.sell, self.put]
        actions = [kind() for kind in kinds if self.chance.random() < 0.6]
        if self.rarely():
            actions = [self.strange(), *actions][:: self.chance.choice([1, -1])]
        if self.chance.random() < 0.9:
            boa.env.time_travel(seconds=LIMITS[-1])
        if self.chance.random() < 0.7:
            world.refresh()
        sequence = world.state().sequence + self.rarely()
        floors = [[]] * 8 + [[0, 0, 0], [10**30, 0, 0], [0, 0]]
        keeper = self.who() if self.rarely() else world.charter.keeper()
        if self.rarely():
            actions = [(head | self.chance.choice([1, 2, 60, 65_535]), bounds) for head, bounds in actions]
        world.vault.execute(world.hinted(actions), self.chance.choice(floors), sequence, self.deadline(), sender=keeper)

    # -------------------------------------------------------------- owner and guardian

    def settle(self) -> None:
        """Change a setting: at once, asked for, or too far."""
        charter, owner, draw = self.world.charter, self.who("owner"), self.chance.choice
        token, feed = draw(TOKENS), self.world.feeds[draw(TOKENS)].address
        limits = tuple(draw([now, now, now // 2, now + 1, 10 * now]) for now in LIMITS)
        corridor = draw([0, 0, 1_000, 4_900]), draw([10_000, 10_000, 9_000, 5_100, 400])
        answers = draw([ANYTHING, ANYTHING, (1, 2**100), (10**8, 10**8), (10**9, 10**13)])
        setups = self.setups(feed)
        fee = draw([0, 100, 200, 201])
        calls: list[Callable[[], Any]] = [
            lambda: charter.set_limits(limits, sender=owner),
            lambda: charter.set_corridor(token, *corridor, sender=owner),
            lambda: charter.set_feed(token, feed, draw([HOUR_S, 60, 2 * DAY_S + 1]), *answers, sender=owner),
            lambda: charter.set_guardian(self.who("guardian"), sender=owner),
            lambda: charter.set_fee(self.anybody(), fee, sender=owner),
            lambda: charter.add_token(setups[0], sender=owner),
            lambda: charter.add_pool(setups[1], sender=owner),
        ]
        self.asked.append(call := draw(calls))
        call()

    def setups(self, feed: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """A token and a pool to list: most are listed already."""
        listed = self.chance.choice([self.token(), self.world.pools[V2_USD_ETH]]).address
        pool = self.world.feeds[0].address, self.chance.choice([2, 4]), 3_000, 0
        return (listed, feed, HOUR_S, *ANYTHING, *EVERYTHING), pool

    def insist(self) -> None:
        """The same call once more, after the delay."""
        if self.asked:
            boa.env.time_travel(seconds=self.chance.choice([0, DAY_S, DAY_S, 16 * DAY_S]))
            self.world.refresh()
            self.chance.choice(self.asked)()

    def rule(self) -> None:
        world, charter = self.world, self.world.charter
        guardian, owner = self.who("guardian"), self.who("owner")
        calls: list[Callable[[], Any]] = [
            lambda: charter.pause(sender=guardian),
            lambda: charter.unpause(sender=owner),
            lambda: charter.set_keeper(self.who("keeper"), sender=owner),
            lambda: charter.revoke(self.chance.randbytes(32), sender=guardian),
            lambda: charter.transfer_ownership(world.owner, sender=owner),
            lambda: charter.accept_ownership(sender=owner),
        ]
        self.chance.choice(calls)()
        if charter.paused():
            charter.unpause(sender=world.owner)

    # -------------------------------------------------------------- everybody else

    def trade(self) -> None:
        pool, zero_for_one = self.chance.choice(V3), self.chance.random() < 0.5
        amount = worth(self.world.sides[pool][not zero_for_one], self.some(0, 5.5))
        self.world.provider.swap(self.world.pools[pool].address, zero_for_one, amount)

    def give(self) -> None:
        to = self.chance.choice([self.world.vault, self.world.pools[V2_USD_ETH]])
        self.token().mint(to.address, self.some(0, 9))

    def freeze(self) -> None:
        usd = self.world.tokens[0]
        usd.freeze_all(not usd.all_frozen() and self.chance.random() < 0.5)

    def wait(self) -> None:
        boa.env.time_travel(seconds=self.some(0, 5))
        factor = self.chance.choice([Fraction(1), Fraction(101, 100), Fraction(104, 100), Fraction(0)])
        self.world.refresh(lambda token: factor if token == 1 else Fraction(1))

    def intrude(self) -> None:
        self.world.vault.uniswapV3MintCallback(self.some(0, 9), 0, b"", sender=self.who())

    def look(self) -> None:
        """Ask every view."""
        vault, charter = self.world.vault, self.world.charter
        people = [getattr(self.world, name) for name in EVERYBODY]
        for view in (charter.keeper, charter.paused, charter.limits, charter.fee, charter.tokens, charter.pools):
            view()
        for view in (vault.settings, vault.totalSupply, vault.fee_due, vault.DOMAIN_SEPARATOR):
            view()
        for i in TOKENS:
            charter.token_info(i)
            charter.pool_info(i)
            vault.owed_total(i)
        for who in people:
            vault.balanceOf(who)
            vault.allowance(who, people[0])
            for i in TOKENS:
                vault.owed(i, who)
        vault.preview_mint(ONE)


STEPS: dict[Callable[[Drive], None], int] = {  # and how often
    Drive.mint: 8,
    Drive.redeem: 8,
    Drive.claim: 4,
    Drive.move: 4,
    Drive.bundle: 24,
    Drive.settle: 5,
    Drive.insist: 4,
    Drive.rule: 3,
    Drive.trade: 6,
    Drive.give: 2,
    Drive.freeze: 2,
    Drive.wait: 3,
    Drive.intrude: 1,
    Drive.look: 1,
}
