"""Redeeming: in kind, rounded down, at any price, with nobody's help."""

from typing import Any

import boa
import pytest

from tests.contracts.vault.model import books, payment
from tests.contracts.vault.test_mint import with_positions
from tests.contracts.vault.world import (
    BTC,
    ETH,
    GRAIN,
    LOCKED,
    NOBODY,
    ONE,
    USD,
    V2_USD_ETH,
    V3_USD_ETH,
    World,
    reverts,
    worth,
)

FLASH = """
# pragma version 0.4.3
# Mints in the middle of a flash swap, while the pair has lent out most of one token.
interface Vault:
    def mint(
        shares: uint256, most: DynArray[uint256, 8], receiver: address, deadline: uint256
    ) -> DynArray[uint256, 8]: nonpayable
interface Pair:
    def swap(out0: uint256, out1: uint256, to: address, data: Bytes[1]): nonpayable
interface Token:
    def approve(to: address, amount: uint256): nonpayable
    def transfer(to: address, amount: uint256): nonpayable
struct Loan:
    pair: address
    out0: uint256
    out1: uint256
    token: address
    back: uint256
vault: address
tokens: DynArray[address, 8]
shares: uint256
loan: Loan
paid: public(DynArray[uint256, 8])
@external
def run(vault: address, tokens: DynArray[address, 8], shares: uint256, loan: Loan):
    self.vault = vault
    self.tokens = tokens
    self.shares = shares
    self.loan = loan
    extcall Pair(loan.pair).swap(loan.out0, loan.out1, self, b"x")
@external
def uniswapV2Call(sender: address, amount0: uint256, amount1: uint256, data: Bytes[1]):
    most: DynArray[uint256, 8] = []
    for token: address in self.tokens:
        extcall Token(token).approve(self.vault, max_value(uint256))
        most.append(max_value(uint256))
    self.paid = extcall Vault(self.vault).mint(self.shares, most, self, block.timestamp)
    extcall Token(self.loan.token).transfer(msg.sender, self.loan.back)
"""


def test_redeem__pays_the_floor_of_everything_held(world: World) -> None:
    with_positions(world)
    supply, shares = world.vault.totalSupply(), 54_321 * ONE + 7
    world.settle()
    most = [amount * shares // supply for amount in world.exact()]
    paid = world.redeem(world.alice, shares, receiver=world.bob)
    assert world.balances(world.bob) == paid
    for token in (USD, ETH, BTC):
        assert most[token] - 3 * GRAIN[token] <= paid[token] <= most[token]
    assert world.vault.totalSupply() == supply - shares


@pytest.mark.parametrize("skip", range(8))
def test_redeem__any_tokens_skipped__pays_and_sets_aside_what_the_model_says(world: World, skip: int) -> None:
    with_positions(world)
    expected, lp = payment(world, books(world), 12_345 * ONE + 1, skip)
    assert world.redeem(world.alice, 12_345 * ONE + 1, skip, receiver=world.bob, least=expected) == expected
    assert world.balances(world.bob) == [0 if skip >> token & 1 else amount for token, amount in enumerate(expected)]
    assert [world.vault.owed(token, world.bob) for token in range(3)] == [
        amount if skip >> token & 1 else 0 for token, amount in enumerate(expected)
    ]
    assert world.pools[V2_USD_ETH].balanceOf(world.bob) == lp


def test_redeem__everybody_leaves__only_the_locked_part_and_dust_stay(world: World) -> None:
    with_positions(world)
    world.mint(world.bob, 250_000 * ONE + 3)
    world.settle()
    supply, before = world.vault.totalSupply(), world.exact()
    paid = [0, 0, 0]
    for who in (world.bob, world.alice):
        paid = [a + b for a, b in zip(paid, world.redeem(who, world.vault.balanceOf(who)), strict=True)]
    assert world.vault.totalSupply() == LOCKED
    left = world.exact()
    for token in range(3):
        assert before[token] >= left[token] + paid[token]  # nothing was made
        assert before[token] - left[token] - paid[token] < 8  # nothing went anywhere else but dust, to the pools
        assert left[token] < before[token] * LOCKED / supply + 6 * GRAIN[token]


@pytest.mark.parametrize("shares", [1, 2, 999, ONE // 3, ONE, 10**5 * ONE + 1, 10**9 * ONE])
def test_round_trip__never_gains(world: World, shares: int) -> None:
    with_positions(world)
    paid = world.mint(world.bob, shares)
    back = world.redeem(world.bob, shares)
    assert all(got <= given for got, given in zip(back, paid, strict=True))
    if world.pools[V2_USD_ETH].balanceOf(world.bob) == 0:  # no LP tokens were handed over as they are
        assert all(given - got <= 3 * grain for got, given, grain in zip(back, paid, GRAIN, strict=True))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deadline": 1}, "vault: deadline"),
        ({"receiver": NOBODY}, "vault: receiver"),
        ({"least": [0, 0]}, "vault: amounts"),
        ({"least": [0, 0, 0, 0]}, "vault: amounts"),
    ],
)
def test_redeem__bad_argument__reverts(world: World, changes: dict[str, Any], reason: str) -> None:
    with reverts(reason):
        world.redeem(world.alice, ONE, **changes)
    assert world.redeem(world.alice, ONE)[USD] > 0


def test_redeem__no_shares__reverts(world: World) -> None:
    with reverts("vault: no shares"):
        world.redeem(world.alice, 0)


def test_redeem__more_than_the_caller_has__reverts(world: World) -> None:
    with reverts("shares: balance"):
        world.redeem(world.bob, 1)
    world.vault.approve(world.bob, ONE, sender=world.alice)
    with reverts("shares: balance"):  # an allowance is not enough: own shares only
        world.redeem(world.bob, ONE)


def test_redeem__below_least__reverts(world: World) -> None:
    said = world.preview_redeem(ONE)
    for token in range(3):
        least = [amount + (index == token) for index, amount in enumerate(said)]
        with reverts("vault: below least"):
            world.redeem(world.alice, ONE, least=least)
    assert world.redeem(world.alice, ONE, least=said) == said


def test_redeem__says_that_shares_went_from_the_caller_to_nobody(world: World) -> None:
    world.redeem(world.alice, ONE, receiver=world.stranger)
    assert world.event("Transfer") == {"sender": world.alice.lower(), "receiver": NOBODY, "value": ONE}


def test_redeem__token_skipped__says_what_was_set_aside_for_whom(world: World) -> None:
    paid = world.redeem(world.alice, ONE, 1 << BTC, receiver=world.stranger)
    assert world.event("SetAside") == {"index": BTC, "owner": world.stranger.lower(), "amount": paid[BTC]}


def test_redeem__paused_feeds_dead_and_roles_gone__still_pays(world: World) -> None:
    with_positions(world)
    said = world.preview_redeem(ONE)
    world.charter.pause(sender=world.guardian)
    world.charter.set_keeper(NOBODY, sender=world.owner)
    for feed in world.feeds:
        feed.set_answer(0, 0)
    assert world.redeem(world.alice, ONE) == said


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_redeem__pools_pushed_to_the_end__still_pays_what_is_there(world: World, zero_for_one: bool) -> None:
    with_positions(world)
    for pool in (0, 1):
        world.provider.swap(world.pools[pool].address, zero_for_one, 10**27)
    _drain_pair(world, int(zero_for_one), 10**6)
    said, _ = payment(world, books(world), 400_000 * ONE)
    assert world.redeem(world.alice, 400_000 * ONE) == said
    assert world.pools[V2_USD_ETH].balanceOf(world.alice) == 0


def test_redeem__pair_emptied_of_one_side__pays_the_rest_and_hands_over_lp_tokens(world: World) -> None:
    with_positions(world)
    pair = world.pools[V2_USD_ETH]
    side = world.sides[V2_USD_ETH].index(ETH)
    _drain_pair(world, side, 2**112)
    lp = pair.balanceOf(world.vault.address) * 4 // 10
    assert world.redeem(world.alice, 400_000 * ONE)[USD] > 0
    assert pair.balanceOf(world.alice) == pytest.approx(lp, rel=1e-12)


def _drain_pair(world: World, side: int, times: int) -> None:
    """Trade `times` the pair's reserve of one side into it."""
    pair, out = world.pools[V2_USD_ETH], [0, 0]
    reserves = pair.getReserves()[:2]
    given = reserves[side] * min(times, 2**112 // reserves[side] - 2)
    world.tokens[world.sides[V2_USD_ETH][side]].mint(pair.address, given)
    out[1 - side] = given * 997 * reserves[1 - side] // (reserves[side] * 1_000 + given * 997)
    pair.swap(*out, world.stranger, b"")


def test_redeem__pair_would_burn_one_side_to_nothing__hands_over_lp_tokens(world: World) -> None:
    with_positions(world)
    pair = world.pools[V2_USD_ETH]
    shares = 10**12  # a millionth of a share: the pair would pay less than the smallest unit of USD
    lp = pair.balanceOf(world.vault.address) * shares // world.vault.totalSupply()
    assert lp > 0
    world.redeem(world.alice, shares, receiver=world.bob)
    assert pair.balanceOf(world.bob) == lp


@pytest.mark.parametrize(("units", "handed_over"), [(0, True), (1, True), (2, False)])
def test_redeem__pair_would_burn_so_few_units_of_one_side__hands_over_lp_tokens_up_to_one(
    world: World, units: int, handed_over: bool
) -> None:
    """A pair that pays a protocol fee gives one less than it seems to, and refuses to give nothing."""
    with_positions(world)
    pair, supply = world.pools[V2_USD_ETH], world.vault.totalSupply()
    lp, usd = pair.balanceOf(world.vault.address), world.tokens[USD].balanceOf(pair.address)
    part = -(-units * pair.totalSupply() // usd) or 1  # the fewest LP tokens that stand for so many units of USD
    shares = -(-part * supply // lp)
    assert (lp * shares // supply) * usd // pair.totalSupply() == units
    expected, handed = payment(world, books(world), shares)
    assert (handed > 0) == handed_over
    assert world.redeem(world.alice, shares, receiver=world.bob) == expected
    assert pair.balanceOf(world.bob) == handed


def test_redeem__lp_tokens_given_to_the_vault__belong_to_all(world: World) -> None:
    with_positions(world)
    pair = world.pools[V2_USD_ETH]
    before = world.preview_redeem(ONE)
    pair.transfer(world.vault.address, pair.balanceOf(world.provider.address) // 100, sender=world.provider.address)
    after = world.redeem(world.alice, ONE)
    assert all(now > was for now, was in zip(after[:2], before[:2], strict=True))


def test_mint__inside_a_flash_swap_of_the_pair__pays_for_the_lent_tokens_too(world: World) -> None:
    with_positions(world)
    pair, shares = world.pools[V2_USD_ETH], 10_000 * ONE
    fair = list(world.vault.preview_mint(shares))
    attacker = boa.loads(FLASH)
    for token in world.tokens:
        token.mint(attacker.address, 10**27)
    side = world.sides[V2_USD_ETH].index(ETH)
    out = [0, 0]
    out[side] = pair.getReserves()[side] * 99 // 100
    back = out[side] * 1_004 // 1_000
    tokens = [token.address for token in world.tokens]
    attacker.run(world.vault.address, tokens, shares, (pair.address, *out, world.tokens[ETH].address, back))
    assert [attacker.paid(token) for token in range(3)] == fair


def test_redeem__gas__is_bounded_with_every_place_taken(world: World) -> None:
    ticks = world.ticks_around(V3_USD_ETH)
    ranges = [world.add_range(V3_USD_ETH, (ticks[0] - 60 * i, ticks[1] + 60 * i), 10**14) for i in range(7)]
    world.execute(*ranges, world.add_pair(10_000))
    assert len(world.positions()) == 8
    for zero_for_one in (True, False):
        world.provider.swap(
            world.pools[V3_USD_ETH].address, zero_for_one, worth(world.sides[0][not zero_for_one], 10**5)
        )
    world.redeem(world.alice, ONE)
    assert world.vault._computation.get_gas_used() < 3_000_000
