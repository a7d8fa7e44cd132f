"""Sizing of zaps: every claim is checked by playing the trades and the vault's own rule on the pools again."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amm import pools as amm
from bot.amm import v2, v3
from bot.chain.abi import decode, selector
from bot.core.errors import DataError
from bot.core.types import Amount, Pool, Position, Snapshot, Token, V3Pool
from bot.core.units import Liquidity, Raw, Tick, to_raw_floor
from bot.venues.zap import ALL, ZapTrade, encode_deposit, encode_withdraw, size_deposit, size_withdrawal
from tests.factories import USDC, VAULT, WBTC, WETH, pools, range_position, snapshot, v2_pool, v3_pool, vault_state

RECEIVER = "0x00000000000000000000000000000000000000bb"
NEAR = (195_000, 197_400)  # ticks around USDC/WETH at 3,000


def units(token: Token, amount: str) -> Amount:
    return Amount(token, to_raw_floor(Decimal(amount), token.decimals))


def ranged(fees: tuple[int, int] = (0, 0)) -> Snapshot:
    """A vault with most of its USDC and WETH in a range that is a tenth of the pool it would zap through."""
    pool = v3_pool()
    position = range_position(pool, *NEAR, pool.liquidity // 10, fees)
    minted, _, _ = v3.mint(pool, *NEAR, position.liquidity)
    return snapshot(("1000", "1", "2.2222"), (position,), pools=(minted, *pools()[1:]))


def lp_holder() -> Snapshot:
    pool = v2_pool()
    position = Position(pool.address, pool.address, Tick(0), Tick(0), Liquidity(pool.supply // 50), Raw(0), Raw(0))
    return snapshot(("1000", "1", "2.2222"), (position,))


def only_via_weth() -> Snapshot:
    usdc_weth, _, wbtc_weth, _ = pools()
    return snapshot(pools=(usdc_weth, wbtc_weth))


WORLDS = {"idle": snapshot(), "range": ranged((10**9, 10**17)), "v2": lp_holder(), "two hops": only_via_weth()}


# ------------------------------------------------------------------ the contract and the vault, played again


def play(world: Snapshot, have: dict[Token, int], trades: tuple[ZapTrade, ...]) -> dict[str, Pool]:
    """What the zap contract does, trade by trade; the pools afterwards."""
    after = {pool.address: pool for pool in world.pools}
    for trade in trades:
        pool = after[world.vault.pools[trade.pool]]
        source = pool.token0 if trade.token0_in else pool.token1
        amount = have[source] if trade.amount == ALL else trade.amount
        assert amount <= have[source], "zap: more than there is"
        after[pool.address], out = amm.swap(pool, source, amount)
        assert out >= trade.least, "zap: least of a trade"
        have[source] -= amount
        have[amm.other(pool, source)] += out
    return after


def cost(world: Snapshot, after: dict[str, Pool], shares: int) -> dict[Token, int]:
    """What the vault takes for shares: the ceiling of every idle token, fee and range."""
    supply = world.vault.shares
    held = {amount.token: int(amount.raw) for amount in world.balances}
    principal = dict.fromkeys(held, 0)
    for position in world.positions:
        pool = after[position.pool]
        held[pool.token0] += position.fees0
        held[pool.token1] += position.fees1
        if isinstance(pool, V3Pool):
            liquidity = -(-position.liquidity * shares // supply)
            _, take0, take1 = v3.mint(pool, position.tick_lower, position.tick_upper, liquidity)
        else:
            take0, take1 = (-(-part * shares // supply) for part in v2.amounts(pool, position.liquidity))
        principal[pool.token0] += take0
        principal[pool.token1] += take1
    return {token: -(-raw * shares // supply) + principal[token] for token, raw in held.items()}


def worth(world: Snapshot, amounts: dict[Token, int]) -> Decimal:
    return sum((world.value(Amount(token, Raw(raw))) for token, raw in amounts.items()), Decimal(0))


# ------------------------------------------------------------------ deposit


@pytest.mark.parametrize(
    "give", [units(USDC, "10000"), units(WETH, "3"), units(WBTC, "0.1")], ids=lambda a: a.token.symbol
)
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_size_deposit__any_token__what_was_bought_pays_for_the_shares(world: Snapshot, give: Amount) -> None:
    deposit = size_deposit(world, give, cushion_bps=10)
    have = dict.fromkeys(world.vault.tokens, 0) | {give.token: int(give.raw)}
    after = play(world, have, deposit.trades)
    need = cost(world, after, deposit.shares)
    assert all(need[token] <= have[token] for token in need)
    left = {token: have[token] - need[token] for token in need}
    # Ten of cushion on the shares, ten on a second hop, and the pools' fees of at most 0.3 % a hop.
    assert worth(world, left) <= world.value(give) * Decimal("0.0025")
    assert worth(world, need) >= world.value(give) * Decimal("0.991")
    for amount in deposit.left:
        assert amount.raw == pytest.approx(left[amount.token], rel=1e-6, abs=1_000)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_size_deposit__no_cushion__a_thousandth_more_shares_would_not_be_paid_for(world: Snapshot) -> None:
    give = units(USDC, "10000")
    deposit = size_deposit(world, give, cushion_bps=0)
    have = dict.fromkeys(world.vault.tokens, 0) | {USDC: int(give.raw)}
    after = play(world, have, deposit.trades)
    need = cost(world, after, deposit.shares * 1_001 // 1_000)
    assert any(need[token] > have[token] for token in need)


def test_size_deposit__token_held_only_as_dust__still_buys_shares() -> None:
    world = snapshot(("500000", "166.6666", "0.00000003"))
    give = units(USDC, "10000")
    deposit = size_deposit(world, give, cushion_bps=10)
    have = dict.fromkeys(world.vault.tokens, 0) | {USDC: int(give.raw)}
    after = play(world, have, deposit.trades)
    need = cost(world, after, deposit.shares)
    assert need[WBTC] == 1
    assert all(need[token] <= have[token] for token in need)


def test_size_deposit__token_not_held__is_not_bought() -> None:
    world = snapshot(("500000", "166.6666", "0"))
    deposit = size_deposit(world, units(USDC, "10000"), cushion_bps=10)
    assert [world.vault.pools[trade.pool] for trade in deposit.trades] == [v3_pool().address]


@given(cents=st.integers(10_000, 500_000_000), cushion_bps=st.integers(1, 300))
def test_size_deposit__any_amount__never_promises_shares_it_cannot_pay_for(cents: int, cushion_bps: int) -> None:
    world = WORLDS["two hops"]
    deposit = size_deposit(world, Amount(USDC, Raw(cents * 10_000)), cushion_bps)
    have = dict.fromkeys(world.vault.tokens, 0) | {USDC: cents * 10_000}
    after = play(world, have, deposit.trades)
    assert all(raw <= have[token] for token, raw in cost(world, after, deposit.shares).items())


def test_size_deposit__one_unit__says_give_more() -> None:
    with pytest.raises(DataError, match="give more"):
        size_deposit(snapshot(), Amount(USDC, Raw(1)), 10)


def test_size_deposit__empty_vault__says_deposit_in_kind() -> None:
    with pytest.raises(DataError, match="in kind"):
        size_deposit(snapshot(vault=vault_state(shares=0)), units(USDC, "100"), 10)
    with pytest.raises(DataError, match="in kind"):
        size_deposit(snapshot(("0", "0", "0")), units(USDC, "100"), 10)


def test_size_deposit__token_without_pool__names_it() -> None:
    with pytest.raises(DataError, match="from USDC to WBTC"):
        size_deposit(snapshot(pools=(v3_pool(),)), units(USDC, "100"), 10)


def test_size_deposit__foreign_token__is_refused() -> None:
    dai = Token("0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI", 18)
    with pytest.raises(DataError, match="expected a token of the vault, found DAI"):
        size_deposit(snapshot(), Amount(dai, Raw(10**20)), 10)


def test_size_deposit__pool_outside_the_registry__is_not_used() -> None:
    world = snapshot()
    listed = tuple(address for address in world.vault.pools if address != v3_pool().address)
    world = replace(world, vault=vault_state(pools=listed))
    deposit = size_deposit(world, units(USDC, "10000"), 10)
    assert {listed[trade.pool] for trade in deposit.trades} <= set(listed)


def test_size_deposit__pools_too_small_for_the_probe__says_go_with_less() -> None:
    small = tuple(replace(p, seen_lower=p.tick - 10, seen_upper=p.tick + 10) for p in pools()[:3])  # type: ignore[call-arg]
    with pytest.raises(DataError, match="with less"):
        size_deposit(snapshot(pools=small), units(USDC, "1000000"), 10)


def test_size_deposit__pool_too_small_for_its_part__names_the_pool() -> None:
    pool = v3_pool()
    narrow = replace(pool, seen_lower=Tick(pool.tick - 210), seen_upper=Tick(pool.tick + 210))  # one per cent: 250,000
    world = snapshot(("0", "300", "0"), pools=(narrow,))
    with pytest.raises(DataError, match=r"USDC/WETH-500 is too small to take [\d,.]+ USDC .*go with less"):
        size_deposit(world, units(USDC, "600000"), 10)


def test_size_deposit__token_out_of_reach_but_not_held__does_not_matter() -> None:
    world = snapshot(("500000", "166.6666", "0"), pools=(v3_pool(),))
    assert size_deposit(world, units(USDC, "100"), 10).shares > 0


# ------------------------------------------------------------------ withdrawal


@pytest.mark.parametrize("token", [USDC, WETH, WBTC], ids=lambda t: t.symbol)
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_size_withdrawal__any_token__expects_exactly_what_the_pools_pay(world: Snapshot, token: Token) -> None:
    shares = world.vault.shares // 20
    withdrawal = size_withdrawal(world, shares, token, cushion_bps=10)
    burnt, have = redeemed(world, shares)
    slice_worth = worth(world, have)
    play(burnt, have, withdrawal.trades)
    assert have[token] == withdrawal.expect.raw
    assert withdrawal.least == withdrawal.expect.raw * 9_990 // 10_000
    assert worth(world, have) >= slice_worth * Decimal("0.992")
    assert world.value(withdrawal.expect) >= worth(world, have) * Decimal("0.9999")


def redeemed(world: Snapshot, shares: int) -> tuple[Snapshot, dict[Token, int]]:
    """What the vault pays for shares, floors everywhere, and the world after it."""
    supply = world.vault.shares
    have = {amount.token: int(amount.raw) for amount in world.balances}
    principal = dict.fromkeys(have, 0)
    after = {pool.address: pool for pool in world.pools}
    for position in world.positions:
        pool = after[position.pool]
        have[pool.token0] += position.fees0
        have[pool.token1] += position.fees1
        liquidity = position.liquidity * shares // supply
        if isinstance(pool, V3Pool):
            after[pool.address], out0, out1 = v3.burn(pool, position.tick_lower, position.tick_upper, liquidity)
        else:
            after[pool.address], out0, out1 = v2.remove(pool, liquidity)
        principal[pool.token0] += out0
        principal[pool.token1] += out1
    paid = {token: raw * shares // supply + principal[token] for token, raw in have.items()}
    return replace(world, pools=tuple(after.values())), paid


@pytest.mark.parametrize("shares", [0, -1, 10**24 + 1])
def test_size_withdrawal__shares_that_do_not_exist__are_refused(shares: int) -> None:
    with pytest.raises(DataError, match=f"found {shares}"):
        size_withdrawal(snapshot(), shares, USDC, 10)


# ------------------------------------------------------------------ calls


def test_encode__deposit_and_withdrawal__carry_every_field_in_the_contracts_order() -> None:
    deposit = size_deposit(snapshot(), units(USDC, "10000"), 10)
    data = encode_deposit(deposit, RECEIVER, 123)
    assert data[:4] == selector("deposit(address,uint256,(uint256,bool,uint256,uint256)[],uint256,address,uint256)")
    types = ("address", "uint256", "(uint256,bool,uint256,uint256)[]", "uint256", "address", "uint256")
    trades = tuple((t.pool, t.token0_in, t.amount, t.least) for t in deposit.trades)
    expected = (USDC.address.lower(), 10_000_000_000, trades, deposit.shares, RECEIVER, 123)
    assert decode(types, data[4:]) == expected

    withdrawal = size_withdrawal(snapshot(), 10**22, WETH, 10)
    data = encode_withdraw(withdrawal, VAULT, 456)
    assert data[:4] == selector("withdraw(uint256,address,(uint256,bool,uint256,uint256)[],uint256,address,uint256)")
    types = ("uint256", "address", "(uint256,bool,uint256,uint256)[]", "uint256", "address", "uint256")
    trades = tuple((t.pool, t.token0_in, t.amount, t.least) for t in withdrawal.trades)
    expected = (10**22, WETH.address.lower(), trades, withdrawal.least, VAULT.lower(), 456)
    assert decode(types, data[4:]) == expected
