"""Any sequence of holders, traders, gifts, bundles and time against a small model of the vault, in exact integers."""

from collections import Counter
from fractions import Fraction
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.contracts.vault.model import Books, Bundle, Record, books, cost, left, opened, payment, turnover
from tests.contracts.vault.words import BPS, NAV_ONE
from tests.contracts.vault.world import (
    BTC,
    DAY_S,
    LIMITS,
    LOCKED,
    NOBODY,
    REMOVE,
    V2_USD_ETH,
    V3_BTC_ETH,
    V3_USD_ETH,
    World,
    action,
    decode_reason,
    worth,
)

YEAR_S = 365 * DAY_S
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


class Model:
    """Who has and is owed what, and how far the buckets are filled."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shares = Counter({world.alice: world.vault.balanceOf(world.alice), NOBODY: LOCKED})
        self.owed: Counter[tuple[str, int]] = Counter()  # (who, token)
        self.used = [0, 0]  # loss, turnover
        self.last_bundle = 0
        self.record = Record()
        self.fee_bps = 0
        self.fee_counted = 0  # up to when

    @property
    def supply(self) -> int:
        return sum(self.shares.values())

    def accrue(self) -> None:
        """Count the fee, as every mint and redemption does."""
        passed = self.world.now - self.fee_counted
        self.shares[self.world.guardian] += (self.supply - LOCKED) * self.fee_bps * passed // (10_000 * YEAR_S)
        self.fee_counted = self.world.now

    def owed_of(self, token: int) -> int:
        return sum(amount for (_, index), amount in self.owed.items() if index == token)

    def books(self) -> Books:
        return books(self.world, self.supply, tuple(map(self.owed_of, range(3))))

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
        self.dead = False
        self.model = Model(world)
        world.execute(world.add_pair(50_000))
        self.model.used[1] = world.state().turnover_used
        self.model.last_bundle = world.now
        found = world.words()
        self.model.record = Record(found.recorded_at, tuple(map(found.recorded, range(3))))
        self.bundle([world.add_range(V3_USD_ETH, world.ticks_around(V3_USD_ETH), 2 * 10**15)])
        assert self.model.last_bundle == world.now

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    # -------------------------------------------------------------- holders

    @rule(name=PEOPLE, shares=SHARES)
    def mint(self, name: str, shares: int) -> None:
        world, who = self.world, getattr(self.world, name)
        self.model.accrue()
        before = self.model.books()
        expected = cost(world, before, shares)
        assert list(world.vault.preview_mint(shares)) == expected
        everybody_left = before.supply == LOCKED  # then it is a first mint again, and nobody is there to lose
        shares += LOCKED * everybody_left
        due = world.due()
        assert world.mint(who, shares, cost=expected) == expected
        self.model.shares[who] += shares
        assert world.due() == due  # what ranges owe stays there
        if everybody_left:
            self.model.record = Record()
        else:
            self.assert_no_less(before)

    @rule(name=PEOPLE, part=st.fractions(0, 1), dust=st.booleans(), skip=st.sampled_from((0, 0, 0, 1, 2, 4, 7)))
    def redeem(self, name: str, part: Fraction, dust: bool, skip: int) -> None:
        world, who = self.world, getattr(self.world, name)
        held = self.model.shares[who]
        shares = min(held, 1 + int(part * 1_000)) if dust else int(held * part)
        if shares == 0:
            return
        self.model.accrue()
        before = self.model.books()
        paid, lp = payment(world, before, shares, skip)
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
            assert world.vault.claim(token, who, sender=who) == owed
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

    @rule(bps=st.integers(0, 200))
    def charge(self, bps: int) -> None:
        """The owner sets the fee; one that rises is asked for twice."""
        world, model = self.world, self.model
        rises = bps > model.fee_bps
        for _ in range(1 + rises):
            world.charter.set_fee(world.guardian, bps, sender=world.owner)
            boa.env.time_travel(seconds=DAY_S * rises)
        boa.env.time_travel(seconds=-DAY_S * rises)  # the last wait
        model.accrue()
        model.fee_bps, model.fee_counted = bps, world.now
        world.refresh()

    @rule(dead=st.booleans())
    def silence(self, dead: bool) -> None:
        """The feed of BTC dies, or answers again."""
        self.dead = dead

    @rule(seconds=st.one_of(st.integers(1, 300), st.integers(3_600, DAY_S)))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)
        self.world.refresh()

    # -------------------------------------------------------------- the keeper

    @rule(pool=st.sampled_from(range(3)), side=st.integers(0, 1), money=st.integers(1, 20_000))
    def sell(self, pool: int, side: int, money: int) -> None:
        token = self.world.sides[pool][side]
        self.bundle([self.world.swap(pool, token, worth(token, money))])

    @rule(
        pool=st.sampled_from((V3_USD_ETH, V3_BTC_ETH)), width=st.integers(2, 60), liquidity=st.integers(10**8, 10**13)
    )
    def widen(self, pool: int, width: int, liquidity: int) -> None:
        if len(self.world.positions()) < 4:
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
        self.bundle(actions)

    def bundle(self, actions: list[tuple[int, int]]) -> None:
        world, model, sequence = self.world, self.model, self.world.state().sequence
        boa.env.time_travel(seconds=LIMITS[-1])
        world.refresh()
        touched = {token for head, _ in actions for token in world.sides[head >> 240 & 255]}
        priced = model.record.priced(world, touched)
        if self.dead:
            world.feeds[BTC].set_answer(-1, world.now)
            expected = {"oracle: answer"} if BTC in priced else EXPECTED
        else:
            expected = EXPECTED
        try:
            start = opened(world, actions)
            fills = world.execute(*actions, wait=False)
        except boa.BoaError as error:
            reason = decode_reason(error.call_trace.output[4:])
            assert reason in expected, reason
            return
        assert not (self.dead and BTC in priced)
        found = world.event("Executed")
        after = self.assert_measured(found, start, actions, priced)
        assert found["turnover"] == turnover(world, actions, fills)
        model.record = model.record.renewed(world.now, priced, after, world.shares())
        lost = max(found["nav_before"] - found["nav_after"], 0)
        spent = [-(-amount * NAV_ONE // found["nav_before"]) for amount in (lost, found["turnover"])]
        assert spent[0] <= LIMITS[0] * BPS
        model.used = [used + new for used, new in zip(model.leaked(), spent, strict=True)]
        model.last_bundle = world.now
        assert all(used <= day * BPS for used, day in zip(model.used, LIMITS[1:3], strict=True))
        assert found["sequence"] == sequence == world.state().sequence - 1

    def assert_measured(
        self, found: dict[str, Any], start: Bundle, actions: list[tuple[int, int]], priced: set[int]
    ) -> list[int]:
        """NAV before and after are the model's, the recorded tokens' values included; the parts after."""
        world, supply = self.world, self.world.shares()
        navs = []
        for amounts in (start.before, left(world, start, actions)):
            parts = [
                part if token in priced else self.model.record.value(token, supply)
                for token, part in enumerate(world.money(amounts))
            ]
            navs.append(sum(parts))
        assert [found["nav_before"], found["nav_after"]] == navs
        return parts

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
        assert list(self.world.state()[2:4]) == self.model.leaked()

    @invariant()
    def record_is_the_models(self) -> None:
        found = self.world.words()
        assert (found.recorded_at, tuple(map(found.recorded, range(3)))) == (
            self.model.record.at,
            self.model.record.parts,
        )

    @invariant()
    def owed_is_the_models(self) -> None:
        world = self.world
        for (who, token), amount in self.model.owed.items():
            assert world.vault.owed(token, who) == amount
        flags = world.words().owes
        assert [flags >> token & 1 for token in range(3)] == [self.model.owed_of(token) > 0 for token in range(3)]


def campaign(world: World, steps: int) -> None:
    """A tenth of the profile's examples: ten by default, two hundred in a deep campaign."""
    few = settings(
        max_examples=max(settings().max_examples // 10, 1),
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Machine(world), settings=few)


def test_vault__any_sequence__does_what_the_model_does(world: World) -> None:
    campaign(world, 14)


@pytest.mark.deep
def test_vault__any_long_sequence__does_what_the_model_does(world: World) -> None:
    campaign(world, 40)
