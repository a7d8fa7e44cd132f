"""Tokens as they come: any decimals, no answer, block lists, fees on transfer, balances that move on their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import boa
import pytest

from bot.amm import v2
from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.vault import small_vault
from tests.contracts.vault.small_market import COIN, ETHER, FEE, PAIR, POOL, SHARES, SmallMarket, open_market
from tests.contracts.vault.world import ONE, REMOVE, World, action, reverts

EVERY_DECIMALS = (0, 2, 6, 8, 18, 24)
PART = SHARES // 7  # a holder's, that does not go up evenly


@pytest.fixture(scope="module", params=EVERY_DECIMALS)
def _market(_world: World, request: pytest.FixtureRequest) -> Iterator[SmallMarket]:
    with boa.env.anchor():
        yield open_market(_world, load("mocks/Token.vy", "Coin", "COIN", request.param))


@pytest.fixture
def market(_market: SmallMarket) -> Iterator[SmallMarket]:
    with boa.env.anchor():
        yield _market


def with_positions(market: SmallMarket) -> None:
    market.execute(market.add_range(100_000), market.add_pair(50_000))


# ------------------------------------------------------------------ decimals


def test_mint_and_redeem__idle_tokens_of_any_decimals__to_the_last_unit(market: SmallMarket) -> None:
    held, bob = market.balances(market.vault.address), market.world.bob
    paid = market.mint(bob, PART)
    assert paid == [ceil(Fraction(amount * PART, SHARES)) for amount in held]
    supply = SHARES + PART
    got = market.redeem(bob, PART)
    assert got == [(amount + cost) * PART // supply for amount, cost in zip(held, paid, strict=True)]
    assert market.balances(bob) == got


def test_mint_and_redeem__positions_in_a_token_of_any_decimals__cost_the_others_nothing(market: SmallMarket) -> None:
    with_positions(market)
    before, bob = market.claims(), market.world.bob
    paid = market.mint(bob, PART)
    middle = market.claims()
    assert all(a * SHARES >= b * (SHARES + PART) for a, b in zip(middle, before, strict=True))
    got = market.redeem(bob, PART)
    assert all(least < given for least, given in zip((0, 0), got, strict=True))
    assert all(back <= given for back, given in zip(got, paid, strict=True))
    assert all(a >= b for a, b in zip(market.claims(), before, strict=True))


@pytest.mark.parametrize("token", [COIN, ETHER])
def test_swap__through_a_pair_and_a_pool__fills_to_the_unit_in_any_decimals(market: SmallMarket, token: int) -> None:
    amount, other = market.raw(token, 5_000), 1 - token
    reserves = market.balances(market.pair.address)
    in_vault = market.balances(market.vault.address)
    fills = market.execute(market.swap(PAIR, token, amount), market.swap(POOL, token, amount))
    filled = [(fill[market.side(token)], fill[market.side(other)]) for fill in fills]
    assert filled[0] == (-amount, v2.amount_out(amount, reserves[token], reserves[other], FEE))
    assert filled[1][0] == -amount
    fair = market.raw(other, 5_000)
    assert fair * 99 // 100 <= filled[1][1] <= fair
    moved = [now - was for now, was in zip(market.balances(market.vault.address), in_vault, strict=True)]
    assert (moved[token], moved[other]) == (-2 * amount, filled[0][1] + filled[1][1])


def test_bundle__in_and_out_of_a_pool_and_a_pair__costs_two_units_of_the_coarser_token(market: SmallMarket) -> None:
    """Each add and each burn rounds against the vault once: a unit of a token without decimals is a whole one."""
    before, liquidity = market.balances(market.vault.address), market.liquidity(100_000)
    with_positions(market)
    lp = market.pair.balanceOf(market.vault.address)
    market.execute(action(REMOVE, POOL, liquidity, 0, market.ticks()), action(REMOVE, PAIR, lp))
    assert small_vault.positions(market.vault) == []
    reserves = market.balances(market.pair.address)
    after, lp_supply = market.balances(market.vault.address), market.pair.totalSupply()
    for token, (was, now) in enumerate(zip(before, after, strict=True)):
        of_the_other = Fraction(reserves[token], reserves[1 - token])
        assert was - 2 - 2 * of_the_other - Fraction(reserves[token], lp_supply) <= now <= was


def test_nav__token_of_any_decimals__is_its_amount_at_its_price(market: SmallMarket) -> None:
    coin, ether = market.balances(market.vault.address)
    scale = 10**market.decimals
    assert small_vault.nav(market.vault) == coin * ONE // scale + ether * 3_000
    market.coin.mint(market.vault.address, 1)
    assert small_vault.nav(market.vault) == (coin + 1) * ONE // scale + ether * 3_000
    with_positions(market)
    assert small_vault.nav(market.vault) == pytest.approx(10**6 * ONE, rel=1e-5)


# ------------------------------------------------------------------ no return value


def test_silent_token__every_way_in_and_out__works(world: World) -> None:
    market = open_market(world, load("mocks/SilentToken.vy", "Coin", "COIN", 8))
    with_positions(market)
    amount = market.raw(COIN, 1_000)
    market.execute(*(market.swap(pool, COIN, amount) for pool in (PAIR, POOL)))
    paid = market.mint(world.bob, PART)
    got = market.redeem(world.bob, PART // 2)
    owed = market.redeem(world.bob, PART // 2, skip=1 << COIN)[COIN]
    assert market.vault.claim(COIN, world.bob, sender=world.bob) == owed
    assert market.coin.balanceOf(world.bob) == got[COIN] + owed <= paid[COIN]
    assert paid[COIN] - got[COIN] - owed > 0  # the other half's LP tokens, handed over as they are


# ------------------------------------------------------------------ block lists


def test_block_list__vault_on_it__every_other_token_is_paid_and_the_rest_waits(world: World) -> None:
    market = open_market(world, load("mocks/FreezableToken.vy", "Coin", "COIN", 6))
    coin, alice = market.coin, market.holder
    coin.freeze(market.vault.address, True)
    with reverts("token: frozen"):
        market.redeem(alice, PART)
    idle = market.balances(market.vault.address)
    had = market.balances(alice)
    got = market.redeem(alice, PART, skip=1 << COIN)
    assert got == [amount * PART // SHARES for amount in idle]
    assert market.balances(alice) == [had[COIN], had[ETHER] + got[ETHER]]
    assert market.vault.owed(COIN, alice) == got[COIN]
    with reverts("token: frozen"):
        market.vault.claim(COIN, alice, sender=alice)
    coin.freeze(market.vault.address, False)
    market.vault.claim(COIN, alice, sender=alice)
    assert market.balances(alice) == [had[COIN] + got[COIN], had[ETHER] + got[ETHER]]


def test_block_list__holder_on_it__is_paid_elsewhere_or_waits(world: World) -> None:
    market = open_market(world, load("mocks/FreezableToken.vy", "Coin", "COIN", 6))
    coin, alice = market.coin, market.holder
    coin.freeze(alice, True)
    with reverts("token: frozen"):
        market.redeem(alice, PART)
    owed = market.redeem(alice, PART, skip=1 << COIN)[COIN]
    assert market.vault.claim(COIN, world.stranger, sender=alice) == owed
    assert coin.balanceOf(world.stranger) == owed
    before = coin.balanceOf(world.bob)
    paid = market.vault.redeem(PART, [0, 0], world.bob, world.deadline, sender=alice)
    assert coin.balanceOf(world.bob) - before == paid[COIN] > 0


# ------------------------------------------------------------------ a fee on transfer


@pytest.fixture
def taxed(world: World) -> SmallMarket:
    """A token that began to take 1 % of every transfer after it was listed, and is in a range and a pair."""
    market = open_market(world, load("mocks/FeeToken.vy", "Coin", "COIN", 18))
    with_positions(market)
    market.coin.set_fee(100)
    return market


def test_fee_on_transfer__mint__is_refused(taxed: SmallMarket) -> None:
    with reverts("vault: fee on transfer"):
        taxed.mint(taxed.world.bob, PART)


def test_fee_on_transfer__redeem_of_idle_tokens__falls_on_the_one_who_leaves(world: World) -> None:
    market = open_market(world, load("mocks/FeeToken.vy", "Coin", "COIN", 18))
    market.coin.set_fee(100)
    held = market.balances(market.vault.address)[COIN]
    before = market.coin.balanceOf(market.holder)
    paid = market.redeem(market.holder, PART)[COIN]
    assert paid == held * PART // SHARES
    assert market.coin.balanceOf(market.holder) - before == paid - paid // 100
    assert market.coin.balanceOf(market.vault.address) == held - paid


def test_fee_on_transfer__redeem_from_positions__takes_no_more_from_the_others_than_that_fee(
    taxed: SmallMarket,
) -> None:
    """What a pool says it paid is taken as having come: the fee on it is everybody's."""
    before, idle = taxed.claims(), taxed.balances(taxed.vault.address)[COIN]
    taxed.redeem(taxed.holder, PART)
    after = taxed.claims()
    lost = before[COIN] * (SHARES - PART) / SHARES - after[COIN]
    from_positions = (before[COIN] - idle) * PART / SHARES
    assert lost <= from_positions / 100 * (SHARES - PART) / SHARES + 2
    assert after[ETHER] * SHARES >= before[ETHER] * (SHARES - PART)


@pytest.mark.parametrize(("pool", "reason"), [(PAIR, "UniswapV2: K"), (POOL, "IIA")])
def test_fee_on_transfer__swap__is_refused_by_the_pool(taxed: SmallMarket, pool: int, reason: str) -> None:
    with reverts(reason):
        taxed.execute(taxed.swap(pool, COIN, taxed.raw(COIN, 1_000)))


def test_fee_on_transfer__add__is_refused_by_the_pool_or_by_the_least(taxed: SmallMarket) -> None:
    with reverts(f"M{taxed.side(COIN)}"):
        taxed.execute(taxed.add_range(1_000))
    head, bounds = taxed.add_pair(1_000)
    coins = taxed.raw(COIN, 500)
    fair = coins * taxed.pair.totalSupply() // taxed.coin.balanceOf(taxed.pair.address)
    with reverts("venue: least"):
        taxed.execute((head | fair * 999 // 1_000 << 64, bounds))
    taxed.execute((head | fair * 989 // 1_000 << 64, bounds))


# ------------------------------------------------------------------ balances that change on their own


@pytest.fixture
def elastic(world: World) -> SmallMarket:
    """A rebasing token, idle; two holders, of two thirds and one third."""
    market = open_market(world, load("mocks/RebasingToken.vy", "Coin", "COIN", 18))
    market.vault.transfer(world.bob, SHARES // 3, sender=market.holder)
    return market


@pytest.mark.parametrize("factor", [Fraction(3, 2), Fraction(10, 9), Fraction(9, 10), Fraction(1, 2), Fraction(1, 97)])
def test_rebase__of_an_idle_token__is_everybodys_pro_rata_whoever_leaves_first(
    elastic: SmallMarket, factor: Fraction
) -> None:
    vault, bob, alice = elastic.vault, elastic.world.bob, elastic.holder
    before = elastic.coin.balanceOf(vault.address)
    elastic.coin.rebase(factor.numerator, factor.denominator)
    held = elastic.coin.balanceOf(vault.address)
    assert held == pytest.approx(int(before * factor), rel=1e-15)
    for first, second in ((alice, bob), (bob, alice)):
        with boa.env.anchor():
            for who in (first, second):
                shares, supply = vault.balanceOf(who), vault.totalSupply()
                left = elastic.coin.balanceOf(vault.address)
                assert elastic.redeem(who, shares)[COIN] == left * shares // supply
                fair = Fraction(held * shares, SHARES)
                assert fair - 1 <= left * shares // supply <= fair + 1
    assert elastic.mint(elastic.world.stranger, PART)[COIN] == ceil(Fraction(held * PART, SHARES))


def test_rebase__growth_between_mint_and_redeem__comes_from_the_token_and_not_from_the_others(
    elastic: SmallMarket,
) -> None:
    stranger = elastic.world.stranger
    paid = elastic.mint(stranger, PART)[COIN]
    others = Fraction(elastic.coin.balanceOf(elastic.vault.address) * SHARES, SHARES + PART)
    elastic.coin.rebase(2, 1)
    assert elastic.redeem(stranger, PART)[COIN] <= 2 * paid
    assert elastic.coin.balanceOf(elastic.vault.address) >= 2 * others


def test_rebase__shrink_in_a_pool_and_a_pair__leaves_a_way_out(elastic: SmallMarket) -> None:
    """A V3 pool that has fewer tokens than it owes cannot pay the last ones: they skip the token and lose no other."""
    with_positions(elastic)
    elastic.coin.rebase(1, 10**6)
    world, pool = elastic.world, elastic.pool
    elastic.coin.rebase(1, 10**9)  # practically nothing is left anywhere
    with reverts("TF"):
        elastic.redeem(elastic.holder, PART)
    ether = elastic.tokens[ETHER].balanceOf(elastic.holder)
    got = elastic.redeem(elastic.holder, PART, skip=1 << COIN)
    assert elastic.tokens[ETHER].balanceOf(elastic.holder) - ether == got[ETHER] > 0
    assert elastic.pair.balanceOf(elastic.holder) > 0
    elastic.coin.mint(pool.address, 10**30)
    elastic.redeem(world.bob, PART)


def test_rebase__growth_in_a_pair__is_the_vaults_until_somebody_skims_it(elastic: SmallMarket) -> None:
    with_positions(elastic)
    elastic.coin.rebase(2, 1)
    grown = small_vault.holdings(elastic.vault)[COIN]
    boa.env.raw_call(elastic.pair.address, data=encode_call("skim(address)", elastic.world.stranger))
    assert grown - small_vault.holdings(elastic.vault)[COIN] == pytest.approx(elastic.raw(COIN, 25_000), rel=1e-4)


def test_rebase__shrink_while_something_is_owed__falls_on_those_still_in(elastic: SmallMarket) -> None:
    """What was set aside is a debt of so many units, paid before the others: who skips a token escapes its shrink."""
    vault, coin, bob = elastic.vault, elastic.coin, elastic.world.bob
    held = coin.balanceOf(vault.address)
    owed = elastic.redeem(bob, vault.balanceOf(bob), skip=1 << COIN)[COIN]
    assert owed == held * (SHARES // 3) // SHARES
    coin.rebase(1, 2)
    left, supply = held // 2 - owed, vault.totalSupply()
    assert elastic.redeem(elastic.holder, PART)[COIN] == left * PART // supply
    assert vault.claim(COIN, bob, sender=bob) == owed


@dataclass(frozen=True)
class Short:
    """A vault whose issuer destroyed all it held but a part of what it owes, to alice and half as much to bob."""

    market: SmallMarket
    owed: tuple[int, int]
    left: int


@pytest.fixture
def short(world: World) -> Short:
    """The issuer may destroy what a listed account holds, as USDT's can."""
    market = open_market(world, load("mocks/FreezableToken.vy", "Coin", "COIN", 6))
    market.vault.transfer(world.bob, PART // 2, sender=market.holder)
    owed = tuple(
        market.redeem(who, part, skip=1 << COIN)[COIN] for who, part in ((market.holder, PART), (world.bob, PART // 2))
    )
    left = sum(owed) - market.raw(COIN, 1_000)
    market.coin.burn(market.vault.address, market.coin.balanceOf(market.vault.address) - left)
    return Short(market, (owed[0], owed[1]), left)


@pytest.mark.parametrize("first", [0, 1])
def test_shrink__below_what_is_owed__is_shared_by_those_it_is_owed_whoever_comes_first(
    short: Short, first: int
) -> None:
    market, coin = short.market, short.market.coin
    people = market.holder, market.world.bob
    for each in (first, 1 - first):
        who, owed, before = people[each], short.owed[each], coin.balanceOf(people[each])
        paid = market.vault.claim(COIN, who, sender=who)
        assert coin.balanceOf(who) - before == paid
        assert abs(Fraction(owed * short.left, sum(short.owed)) - paid) < 1
    assert coin.balanceOf(market.vault.address) == 0
    assert market.vault.owed_total(COIN) == 0


def test_shrink__below_what_is_owed__leaves_the_others_every_other_token(short: Short) -> None:
    market, ether = short.market, short.market.tokens[ETHER]
    in_vault, supply = ether.balanceOf(market.vault.address), market.vault.totalSupply()
    assert market.redeem(market.holder, PART) == [0, in_vault * PART // supply]
    assert market.mint(market.world.stranger, PART)[COIN] == 0


def test_shrink__below_what_is_owed__stops_the_keeper_until_it_is_filled_up_or_claimed(short: Short) -> None:
    """He may also buy what is missing."""
    market, coin = short.market, short.market.coin
    trade = market.swap(PAIR, ETHER, market.raw(ETHER, 100))
    with reverts("vault: floor"):
        market.execute(trade)
    with boa.env.anchor():
        market.execute(market.swap(PAIR, ETHER, market.raw(ETHER, 1_010)))
    with boa.env.anchor():
        coin.mint(market.vault.address, sum(short.owed) - short.left)
        market.execute(trade)
    for who in (market.holder, market.world.bob):
        market.vault.claim(COIN, who, sender=who)
    market.execute(trade)


SHORT_BY_ONE = """
# pragma version 0.4.3
# Every transfer arrives short of one unit, as stETH's may: it moves shares, rounded down.
decimals: public(constant(uint256)) = 18
balanceOf: public(HashMap[address, uint256])
@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount
@external
def approve(spender: address, amount: uint256) -> bool:
    return True
@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)
@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    return self._move(owner, to, amount)
@internal
def _move(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - 1
    return True
"""


def test_rebase__token_that_arrives_short_of_a_unit__cannot_be_minted_with(world: World) -> None:
    coin = boa.loads(SHORT_BY_ONE)
    vault = small_vault.deploy(world, [coin], world.feeds[:1])
    with reverts("vault: fee on transfer"):
        small_vault.mint(vault, [coin], world.alice, SHARES, [10**18])
