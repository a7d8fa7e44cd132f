"""Any sequence of holders, traders, gifts, bundles and time against a small model of the vault, in exact integers."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.amm import v3
from tests.contracts.vault.world import (
    DAY_S,
    LIMITS,
    LOCKED,
    NOBODY,
    ONE,
    REMOVE,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    action,
    decode_reason,
    worth,
)

BPS = 10**14  # of ONE
EXPECTED = {  # reasons for which an honest bundle may be refused here
    "oracle: spot",
    "oracle: twap",
    "limits: bundle loss",
    "limits: day loss",
    "limits: day turnover",
    "token: balance",
    "venue: beyond opened",
}
TOKENS = st.sampled_from(range(3))
PEOPLE = st.sampled_from(("alice", "bob", "stranger"))
SHARES = st.one_of(st.integers(1, 10**7), st.integers(10**12, 10**24), st.integers(10**24, 10**26))


@dataclass(frozen=True)
class Books:
    """What the vault holds, read from its pools and tokens with all fees settled."""

    supply: int
    idle: tuple[int, ...]  # fees due included, what is owed left out
    ranges: tuple[tuple[int, int, int, int, int], ...]  # pool, square-root price, lower, upper, liquidity
    pair: tuple[int, int, tuple[int, int]] | None  # LP tokens held, of how many, the pair's balances
    exact: tuple[Fraction, ...]  # of each token, what is owed left out


class Model:
    """What the vault should do with the books it has; no line of this is the vault's own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shares = Counter({world.alice: world.vault.balanceOf(world.alice), NOBODY: LOCKED})
        self.owed: Counter[tuple[str, int]] = Counter()  # (who, token)
        self.used = [0, 0]  # loss, turnover
        self.last_bundle = 0

    def owed_of(self, token: int) -> int:
        return sum(amount for (_, index), amount in self.owed.items() if index == token)

    def books(self) -> Books:
        world = self.world
        with boa.env.anchor():
            world.settle()
            idle = [balance - self.owed_of(token) for token, balance in enumerate(world.balances(world.vault.address))]
            ranges = []
            for pool, ticks in world.ranges():
                liquidity, _, _, *due = world.held(pool, ticks)
                ranges.append((pool, world.pools[pool].slot0()[0], *ticks, liquidity))
                for token, amount in zip(world.sides[pool], due, strict=True):
                    idle[token] += amount
            exact = [amount - self.owed_of(token) for token, amount in enumerate(world.exact())]
            pair = None
            if V2_USD_ETH << 48 in world.vault.positions():
                lp = world.pools[V2_USD_ETH]
                held = tuple(world.tokens[token].balanceOf(lp.address) for token in world.sides[V2_USD_ETH])
                pair = (lp.balanceOf(world.vault.address), lp.totalSupply(), held)
        return Books(sum(self.shares.values()), tuple(idle), tuple(ranges), pair, tuple(exact))

    def cost(self, books: Books, shares: int) -> list[int]:
        held = list(books.idle)
        for pool, price, lower, upper, liquidity in books.ranges:
            for token, amount in zip(self.world.sides[pool], v3.amounts(price, lower, upper, liquidity), strict=True):
                held[token] += amount + 1
        if books.pair:
            lp, supply, balances = books.pair
            for token, balance in zip(self.world.sides[V2_USD_ETH], balances, strict=True):
                held[token] += lp * balance // supply + 1
        return [-(-amount * shares // books.supply) for amount in held]

    def payment(self, books: Books, shares: int, skip: int) -> tuple[list[int], int]:
        """Amounts paid or set aside, and LP tokens handed over as they are."""
        paid = [amount * shares // books.supply for amount in books.idle]
        for pool, price, lower, upper, liquidity in books.ranges:
            part = v3.amounts(price, lower, upper, liquidity * shares // books.supply)
            for token, amount in zip(self.world.sides[pool], part, strict=True):
                paid[token] += amount
        if books.pair is None:
            return paid, 0
        lp, supply, balances = books.pair
        part = lp * shares // books.supply
        burned = [part * balance // supply for balance in balances]
        sides = self.world.sides[V2_USD_ETH]
        if 0 in burned or any(skip >> token & 1 for token in sides):
            return paid, part
        for token, amount in zip(sides, burned, strict=True):
            paid[token] += amount
        return paid, 0

    def leaked(self) -> list[int]:
        passed = self.world.now - self.last_bundle
        return [
            used - min(used, day_bps * BPS * passed // DAY_S)
            for used, day_bps in zip(self.used, LIMITS[1:3], strict=True)
        ]


class Machine(RuleBasedStateMachine):
    """Strangers, holders and the keeper take turns."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.world = world
        self.model = Model(world)
        self.bundle([world.add_range(V3_USD_ETH, world.ticks_around(V3_USD_ETH), 2 * 10**15), world.add_pair(50_000)])
        assert self.model.last_bundle == world.now

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    # -------------------------------------------------------------- holders

    @rule(name=PEOPLE, shares=SHARES)
    def mint(self, name: str, shares: int) -> None:
        world, who, before = self.world, getattr(self.world, name), self.model.books()
        cost = self.model.cost(before, shares)
        assert list(world.vault.preview_mint(shares)) == cost
        everybody_left = before.supply == LOCKED  # then it is a first mint again, and nobody is there to lose
        shares += LOCKED * everybody_left
        assert world.mint(who, shares, cost=cost) == cost
        self.model.shares[who] += shares
        if not everybody_left:
            self.assert_no_less(before)

    @rule(name=PEOPLE, part=st.fractions(0, 1), dust=st.booleans(), skip=st.sampled_from((0, 0, 0, 1, 2, 4, 7)))
    def redeem(self, name: str, part: Fraction, dust: bool, skip: int) -> None:
        world, who, before = self.world, getattr(self.world, name), self.model.books()
        held = self.model.shares[who]
        shares = min(held, 1 + int(part * 1_000)) if dust else int(held * part)
        if shares == 0:
            return
        paid, lp = self.model.payment(before, shares, skip)
        had, had_lp = world.balances(who), world.pools[V2_USD_ETH].balanceOf(who)
        assert world.redeem(who, shares, skip, least=paid) == paid
        self.model.shares[who] -= shares
        for token, amount in enumerate(paid):
            if skip >> token & 1:
                self.model.owed[who, token] += amount
        got = [now - was for now, was in zip(world.balances(who), had, strict=True)]
        assert got == [0 if skip >> token & 1 else amount for token, amount in enumerate(paid)]
        assert world.pools[V2_USD_ETH].balanceOf(who) - had_lp == lp
        self.assert_no_less(before)

    @rule(name=PEOPLE, token=TOKENS)
    def claim(self, name: str, token: int) -> None:
        world, who, before = self.world, getattr(self.world, name), self.model.books()
        owed = self.model.owed.pop((who, token), 0)
        if owed:
            assert world.vault.claim(world.tokens[token].address, who, sender=who) == owed
            self.assert_no_less(before)

    @rule(giver=PEOPLE, taker=PEOPLE, part=st.fractions(0, 1))
    def transfer(self, giver: str, taker: str, part: Fraction) -> None:
        before, source, target = self.model.books(), getattr(self.world, giver), getattr(self.world, taker)
        amount = int(self.model.shares[source] * part)
        self.world.vault.transfer(target, amount, sender=source)
        self.model.shares[source] -= amount
        self.model.shares[target] += amount
        self.assert_no_less(before)

    # -------------------------------------------------------------- strangers

    @rule(token=TOKENS, amount=st.one_of(st.integers(1, 1_000), st.integers(10**6, 10**11)), pair=st.booleans())
    def give(self, token: int, amount: int, pair: bool) -> None:
        before = self.model.books()
        self.world.tokens[token].mint((self.world.pools[V2_USD_ETH] if pair else self.world.vault).address, amount)
        self.assert_no_less(before)

    @rule(pool=st.sampled_from((V3_USD_ETH, V3_BTC_ETH)), zero_for_one=st.booleans(), money=st.integers(1, 3_000_000))
    def trade(self, pool: int, zero_for_one: bool, money: int) -> None:
        amount = worth(self.world.sides[pool][not zero_for_one], money)
        self.world.provider.swap(self.world.pools[pool].address, zero_for_one, amount)

    @rule(seconds=st.one_of(st.integers(1, 300), st.integers(3_600, DAY_S)))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)
        self.world.refresh()

    # -------------------------------------------------------------- the keeper

    @rule(pool=st.sampled_from(range(3)), side=st.integers(0, 1), money=st.integers(1, 20_000))
    def sell(self, pool: int, side: int, money: int) -> None:
        token = self.world.sides[pool][side]
        self.bundle([self.world.swap(pool, token, worth(token, money))], money)

    @rule(
        pool=st.sampled_from((V3_USD_ETH, V3_BTC_ETH)), width=st.integers(2, 60), liquidity=st.integers(10**8, 10**13)
    )
    def widen(self, pool: int, width: int, liquidity: int) -> None:
        if len(self.world.vault.positions()) < 4:
            self.bundle([self.world.add_range(pool, self.world.ticks_around(pool, 60 * width), liquidity)])

    @precondition(lambda self: self.world.ranges())
    @rule(data=st.data(), part=st.fractions(0, 1), again=st.booleans())
    def shift(self, data: Any, part: Fraction, again: bool) -> None:
        """Take a part of a range out, and perhaps put it into another and sell a little on the way."""
        pool, ticks = data.draw(st.sampled_from(self.world.ranges()))
        liquidity = int(self.world.held(pool, ticks)[0] * part)
        actions = [action(REMOVE, pool, liquidity, 0, ticks)]
        if again and liquidity:
            token = self.world.sides[pool][0]
            actions.append(self.world.swap(pool, token, worth(token, 10)))
            actions.append(self.world.add_range(pool, self.world.ticks_around(pool, 600), liquidity // 4 + 1))
        self.bundle(actions, 10 * (len(actions) > 1))

    def bundle(self, actions: list[tuple[int, int]], sold: int = 0) -> None:
        world, sequence = self.world, self.world.vault.state()[0]
        boa.env.time_travel(seconds=LIMITS[-1])
        world.refresh()
        try:
            world.execute(*actions, wait=False)
        except boa.BoaError as error:
            reason = decode_reason(error.call_trace.output[4:])
            assert reason in EXPECTED, reason
            return
        found = world.event("Executed")
        lost = max(found["nav_before"] - found["nav_after"], 0)
        spent = [-(-amount * ONE // found["nav_before"]) for amount in (lost, found["turnover"])]
        assert spent[0] <= LIMITS[0] * BPS
        self.model.used = [used + new for used, new in zip(self.model.leaked(), spent, strict=True)]
        self.model.last_bundle = world.now
        assert all(used <= day * BPS for used, day in zip(self.model.used, LIMITS[1:3], strict=True))
        assert abs(found["turnover"] - sold * ONE) <= ONE // 100
        assert found["sequence"] == sequence == world.vault.state()[0] - 1

    # -------------------------------------------------------------- what always holds

    def assert_no_less(self, before: Books) -> None:
        """Nobody's share of anything fell by the least part of a wei."""
        after = self.model.books()
        for token in range(3):
            assert after.exact[token] * before.supply >= before.exact[token] * after.supply, token

    @invariant()
    def shares_are_the_models(self) -> None:
        vault = self.world.vault
        assert all(vault.balanceOf(who) == held for who, held in self.model.shares.items())
        assert vault.totalSupply() == sum(self.model.shares.values())

    @invariant()
    def buckets_are_the_models(self) -> None:
        assert list(self.world.vault.state()[2:4]) == self.model.leaked()

    @invariant()
    def owed_is_the_models(self) -> None:
        world = self.world
        for (who, token), amount in self.model.owed.items():
            assert world.vault.owed(world.tokens[token].address, who) == amount


def test_vault__any_sequence__does_what_the_model_does(world: World) -> None:
    """A tenth of the profile's examples: ten by default, two hundred in a deep campaign."""
    few = settings(
        max_examples=max(settings().max_examples // 10, 1),
        stateful_step_count=14,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Machine(world), settings=few)
