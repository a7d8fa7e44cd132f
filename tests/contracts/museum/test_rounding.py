"""Boundaries, dust and batches: what a house gives away a unit at a time."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from bot.amm.ticks import sqrt_ratio_at_tick
from bot.chain.abi import encode_call
from tests.contracts.museum.purse import Thief, fund, thief_at, twin
from tests.contracts.vault import small_vault
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.world import (
    ETH,
    LOCKED,
    USD,
    V2_USD_ETH,
    World,
    whole,
    worth,
    worth_in_money,
)

LATER = 2**255
ANY = [10**30] * 3
MINT = "mint(uint256,uint256[],address,uint256)"
REDEEM = "redeem(uint256,uint256[],address,uint256)"


# ------------------------------------------------------------------ KyberSwap, November 2023: at a tick's boundary


def over_the_edge(up: Callable[[], object], there: Callable[[], object], down: Callable[[], object]) -> None:
    """Trade up to the boundary of a range, to the very unit, do business there, and trade back."""
    up()
    there()
    down()


def kyber_twin(world: World) -> tuple[Any, Thief]:
    """A million of token1 would buy the whole range; there is as much again of others to be had."""
    pool = twin("BoundaryPool", world.tokens[ETH].address, world.tokens[USD].address, 10**12)
    for token, amount in ((USD, whole(USD, 10**6)), (ETH, 10**12)):
        world.tokens[token].mint(pool.address, amount)
    return pool, thief_at(world, pool)


def test_over_the_edge__twin_one_unit_short__loses_a_third_of_what_passes(world: World) -> None:
    pool, thief = kyber_twin(world)
    amount, bought = whole(USD, 10**6) - 1, 5 * 10**11
    stolen = thief.gain(
        lambda: over_the_edge(
            lambda: pool.buy(amount, sender=thief.address),
            lambda: None,
            lambda: pool.sell(bought, sender=thief.address),
        )
    )
    assert stolen == worth_in_money(USD, whole(USD, 333_332) + 1)


def test_over_the_edge__twin_across_it__loses_nothing(world: World) -> None:
    """So that it is the unit that matters: the boundary crossed as it should be, there is nothing to gain."""
    pool, thief = kyber_twin(world)
    pool.buy(whole(USD, 10**6), sender=thief.address)
    pool.sell(5 * 10**11, sender=thief.address)
    assert world.tokens[USD].balanceOf(pool.address) >= whole(USD, 10**6)


EDGES = [(0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]  # lower or upper tick; units of price beside it


@pytest.mark.parametrize(("end", "beside"), EDGES)
@pytest.mark.parametrize("from_beyond", [False, True])
def test_over_the_edge__vault__gives_nothing_away(world: World, end: int, beside: int, from_beyond: bool) -> None:
    """A range of the vault's ends where the price stands, reached from either side, and its fees are due."""
    with_positions(world)
    pool, ticks = next((world.pools[index], ticks) for index, ticks in world.ranges() if index == 0)
    burglar = twin("Burglar")
    thief = thief_at(world, world.vault, burglar.address)
    for token in range(3):
        world.tokens[token].mint(burglar.address, worth(token, 10**8))
    start, edge = pool.slot0()[0], sqrt_ratio_at_tick(ticks[end]) + beside
    stops = [sqrt_ratio_at_tick(ticks[end] + (60 if end else -60)), edge] if from_beyond else [edge]

    def walk(to: int) -> None:
        burglar.trade(pool.address, to < pool.slot0()[0], 2**200, to)
        assert pool.slot0()[0] == to

    def business() -> None:
        for shares in (1, 10**6, world.vault.totalSupply() * 9):
            paid = world.vault.mint(shares, ANY, thief.address, LATER, sender=thief.address)
            got = world.vault.redeem(shares, [0, 0, 0], thief.address, LATER, sender=thief.address)
            assert all(back <= given for back, given in zip(got, paid, strict=True))

    gain = thief.gain(lambda: over_the_edge(lambda: [walk(stop) for stop in stops], business, lambda: walk(start)))
    assert gain < 0


# ------------------------------------------------------------------ Bunni, September 2025: forty-four times dust

TIMES = 44


def dust_by_dust(thief: Thief, house: Any, shares: int, tokens: int = 1) -> None:
    """Buy a few shares at once, and leave with one grain at a time."""
    house.mint(TIMES * shares, ANY[:tokens], thief.address, LATER, sender=thief.address)
    for _ in range(TIMES):
        house.redeem(shares, [0] * tokens, thief.address, LATER, sender=thief.address)


def test_dust_by_dust__twin__loses_forty_three_hundredths(world: World) -> None:
    house = twin("RoundsForLeaver", world.tokens[USD].address)
    fund(world, house, world.alice, USD, 100)
    house.mint(10**6, [100], world.alice, LATER, sender=world.alice)
    thief = thief_at(world, house)
    stolen = thief.gain(lambda: dust_by_dust(thief, house, 1))
    assert stolen == worth_in_money(USD, 43)  # of 100


def test_dust_by_dust__vault_with_a_pot_of_a_hundred_units__gives_nothing_away(world: World) -> None:
    house = small_vault.deploy(world, world.tokens[:1], world.feeds[:1])
    fund(world, house, world.alice, USD, 100)
    house.mint(2 * LOCKED, [100], world.alice, LATER, sender=world.alice)
    thief = thief_at(world, house)
    assert thief.gain(lambda: dust_by_dust(thief, house, 1)) <= 0
    assert world.tokens[USD].balanceOf(house.address) >= 100


@pytest.mark.parametrize("shares", [1, 10**6, 10**12, 10**15])
def test_dust_by_dust__vault_with_positions__gives_nothing_away(world: World, shares: int) -> None:
    """LP tokens too few for their pair to burn are handed over as they are: they count as the thief's."""
    with_positions(world)
    thief, pair = thief_at(world, world.vault), world.pools[V2_USD_ETH]
    before = world.balances(thief.address)
    dust_by_dust(thief, world.vault, shares, tokens=3)
    handed = Fraction(pair.balanceOf(thief.address), pair.totalSupply())
    for token, (was, now) in enumerate(zip(before, world.balances(thief.address), strict=True)):
        lp = world.tokens[token].balanceOf(pair.address) * handed
        assert now + lp <= was, token


# ------------------------------------------------------------------ Balancer, November 2025: rounding in a batch

STEPS = 60
STEP = worth(ETH, 10**-6) - 1  # just less ETH than the smallest unit of USD buys
DUST_POT = STEPS * STEP


def batch_of_crumbs(burglar: Any, house: Any, step: list[bytes]) -> None:
    """The same small step many times over in one transaction, each too small for its price to be a whole unit."""
    burglar.batch([(house.address, data) for data in step * STEPS])


def burglar_at(world: World, house: Any) -> tuple[Thief, Any]:
    burglar = twin("Burglar")
    for token in (USD, ETH):
        fund(world, house, burglar.address, token, worth(token, 1_000))
    return thief_at(world, house, burglar.address), burglar


def test_batch_of_crumbs__twin__loses_everything_for_nothing(world: World) -> None:
    rate = worth(USD, 3_000)  # for a whole ETH
    house = twin("BatchRounds", world.tokens[USD].address, world.tokens[ETH].address, rate)
    world.tokens[ETH].mint(house.address, DUST_POT)
    thief, burglar = burglar_at(world, house)
    swap = encode_call("swap_exact_out(uint256)", STEP)
    assert thief.gain(lambda: batch_of_crumbs(burglar, house, [swap])) == worth_in_money(ETH, DUST_POT)


@pytest.mark.parametrize("in_and_out", [(1, 1), (3, 1), (7, 7), (LOCKED, LOCKED), (LOCKED + 1, LOCKED)])
def test_batch_of_crumbs__vault_of_crumbs__gives_nothing_away(world: World, in_and_out: tuple[int, int]) -> None:
    house = small_vault.deploy(world, world.tokens[:2], world.feeds[:2])
    first = [STEPS, DUST_POT]
    for token, amount in zip((USD, ETH), first, strict=True):
        fund(world, house, world.alice, token, amount)
    house.mint(STEPS * LOCKED, first, world.alice, LATER, sender=world.alice)
    thief, burglar = burglar_at(world, house)
    before = world.balances(burglar.address)
    shares_in, shares_out = in_and_out
    step = [
        encode_call(MINT, shares_in, ANY[:2], burglar.address, LATER),
        encode_call(REDEEM, shares_out, [0, 0], burglar.address, LATER),
    ]
    batch_of_crumbs(burglar, house, step)
    if left := house.balanceOf(burglar.address):
        burglar.act(house.address, encode_call(REDEEM, left, [0, 0], burglar.address, LATER))
    assert all(now <= was for now, was in zip(world.balances(burglar.address), before, strict=True))
    assert house.balanceOf(thief.address) == 0
