"""The zap against Uniswap's own bytecode and the real vault."""

from typing import Any

import boa
import pytest

from tests.contracts.market import ONE, UNISWAP, Market, load, load_vault, published, token_setup

ALL = 2**256 - 1
V3, WBTC_POOL, V2, GREEDY = range(4)  # the vault's pools
SHARES = 8_900 * ONE  # worth about 9,790 of the 10,000 that go in
NOBODY = "0x0000000000000000000000000000000000000000"


@pytest.fixture
def zap(market: Market) -> Any:
    return load("Zap.vy", market.vault.address)


def trade(market: Market, pool: int, sell: str, amount: int, least: int = 0) -> tuple[int, bool, int, int]:
    return pool, market.token0_is(pool, sell), amount, least


def into_everything(market: Market, pool: int = V3) -> list[tuple[int, bool, int, int]]:
    """10,000 USDC into the vault's mix: 5,500 into WETH, and 0.55 of that into WBTC."""
    return [trade(market, pool, "USDC", 5_500 * 10**6), trade(market, WBTC_POOL, "WETH", 55 * 10**16)]


def deposit(market: Market, zap: Any, trades: list[Any], shares: int = SHARES, **changes: Any) -> list[int]:
    amount = market.give(market.alice, "USDC", "10000", zap.address)
    asked = {"token": market.tokens["USDC"].address, "receiver": market.alice, "deadline": market.deadline()} | changes
    return zap.deposit(
        asked["token"], amount, trades, shares, asked["receiver"], asked["deadline"], sender=market.alice
    )


def holder(market: Market, zap: Any, shares: int = SHARES) -> None:
    """Alice has shares, all of them allowed to the zap."""
    deposit(market, zap, into_everything(market), shares)
    for token in market.listed:
        token.burn(market.alice, token.balanceOf(market.alice))
    market.vault.approve(zap.address, shares, sender=market.alice)


def out_of_everything(market: Market) -> list[tuple[int, bool, int, int]]:
    return [trade(market, WBTC_POOL, "WBTC", ALL), trade(market, V3, "WETH", ALL)]


def withdraw(market: Market, zap: Any, least_out: int = 0, **changes: Any) -> int:
    asked = {
        "shares": SHARES,
        "token": market.tokens["USDC"].address,
        "trades": out_of_everything(market),
        "receiver": market.alice,
        "deadline": market.deadline(),
    } | changes
    return int(
        zap.withdraw(
            asked["shares"],
            asked["token"],
            asked["trades"],
            least_out,
            asked["receiver"],
            asked["deadline"],
            sender=market.alice,
        )
    )


def assert_empty(market: Market, zap: Any) -> None:
    assert market.balances(zap.address) == [0, 0, 0]
    assert market.vault.balanceOf(zap.address) == 0
    assert [token.allowance(zap.address, market.vault.address) for token in market.listed] == [0, 0, 0]


# ------------------------------------------------------------------ deposit


@pytest.mark.parametrize("pool", [V3, V2], ids=["v3", "v2"])
def test_deposit__one_token__mints_exactly_the_shares_and_keeps_nothing(market: Market, zap: Any, pool: int) -> None:
    bob = boa.env.generate_address("bob")
    before = market.vault.totalSupply()
    taken = deposit(market, zap, into_everything(market, pool), receiver=bob)
    assert market.vault.balanceOf(bob) == SHARES
    assert market.vault.balanceOf(market.alice) == 0
    assert market.vault.totalSupply() == before + SHARES
    assert_empty(market, zap)
    assert all(raw > 0 for raw in taken)


def test_deposit__one_token__takes_a_slice_of_everything_and_gives_the_rest_back(market: Market, zap: Any) -> None:
    vault, lens = market.vault.address, load("Lens.vy")
    value = lens.share_value(vault)
    taken = deposit(market, zap, into_everything(market))
    left = market.balances(market.alice)
    assert all(raw > 0 for raw in taken)
    assert left[0] + taken[0] == 4_500 * 10**6
    usdc, weth, wbtc = (raw * price for raw, price in zip(left, (10**12, 3_000, 90_000 * 10**10), strict=True))
    assert 100 * ONE < usdc + weth + wbtc < 250 * ONE  # 10,000 less 8,900 shares of 1.10, less fees
    assert lens.share_value(vault) >= value


def test_deposit__done__logs_who_and_how_much(market: Market, zap: Any) -> None:
    deposit(market, zap, into_everything(market))
    (log,) = zap.get_logs(include_child_logs=False)
    assert (log.caller, log.receiver, log.token) == (market.alice, market.alice, market.tokens["USDC"].address)
    assert (log.amount, log.shares) == (10_000 * 10**6, SHARES)


def test_deposit__amount_of_all__trades_what_is_left(market: Market, zap: Any) -> None:
    trades = [trade(market, V3, "USDC", 5_500 * 10**6), trade(market, WBTC_POOL, "WETH", ALL)]
    with boa.reverts("vault: above most"):  # no WETH is left for the vault
        deposit(market, zap, trades)
    trades.append(trade(market, V2, "USDC", ALL))  # now no USDC
    with boa.reverts("vault: above most"):
        deposit(market, zap, trades)
    trades = [trade(market, V3, "USDC", 5_500 * 10**6), trade(market, WBTC_POOL, "WETH", 55 * 10**16)]
    trades.append(trade(market, WBTC_POOL, "USDC", ALL))
    trades[2] = (WBTC_POOL, market.token0_is(WBTC_POOL, "WBTC"), 0, 0)  # nothing of a token: no trade
    assert deposit(market, zap, trades)


@pytest.mark.parametrize("pool", [V3, V2], ids=["v3", "v2"])
def test_deposit__least_of_a_trade__is_enforced_to_the_unit(market: Market, zap: Any, pool: int) -> None:
    trades = [trade(market, pool, "USDC", 5_500 * 10**6, 10**18), trade(market, WBTC_POOL, "WETH", 55 * 10**16)]
    with boa.env.anchor():
        taken = deposit(market, zap, trades)
        got = taken[1] + market.balances(market.alice)[1] + 55 * 10**16
    trades[0] = trade(market, pool, "USDC", 5_500 * 10**6, got)
    with boa.env.anchor():
        deposit(market, zap, trades)
    trades[0] = trade(market, pool, "USDC", 5_500 * 10**6, got + 1)
    with boa.reverts("zap: least of a trade"):
        deposit(market, zap, trades)


def test_deposit__more_than_the_caller_has__reverts(market: Market, zap: Any) -> None:
    with boa.reverts("zap: more than there is"):
        deposit(market, zap, [trade(market, V3, "USDC", 10_000 * 10**6 + 1)])


def test_deposit__shares_too_dear__reverts_and_takes_nothing(market: Market, zap: Any) -> None:
    with boa.reverts("vault: above most"):
        deposit(market, zap, into_everything(market), shares=9_200 * ONE)
    assert market.balances(market.alice) == [10_000 * 10**6, 0, 0]


def test_deposit__dust_left_by_somebody__buys_nothing_and_goes_to_the_caller(market: Market, zap: Any) -> None:
    usdc, weth, _ = market.listed
    usdc.mint(zap.address, 10_000 * 10**6)
    weth.mint(zap.address, 5 * ONE)
    market.listed[2].mint(zap.address, 10**8)
    with boa.reverts("vault: above most"):  # there would be enough, with what lies there
        deposit(market, zap, into_everything(market), shares=9_200 * ONE)
    with boa.reverts("zap: more than there is"):
        deposit(market, zap, [trade(market, V3, "USDC", 10_000 * 10**6 + 1)])
    with boa.reverts("zap: more than there is"):
        deposit(market, zap, [trade(market, V3, "WETH", 1)])
    for token in market.listed:
        token.burn(market.alice, token.balanceOf(market.alice))
    taken = deposit(market, zap, into_everything(market))
    assert_empty(market, zap)
    assert market.balances(market.alice)[0] == 14_500 * 10**6 - taken[0]
    assert market.balances(market.alice)[2] > 10**8


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deadline": 1}, "zap: deadline"),
        ({"receiver": NOBODY}, "zap: receiver"),
        ({"token": NOBODY}, "zap: not a token of the vault"),
    ],
)
def test_deposit__wrong_argument__is_refused(market: Market, zap: Any, changes: dict[str, Any], reason: str) -> None:
    with boa.reverts(reason):
        deposit(market, zap, into_everything(market), **changes)


def test_deposit__at_the_deadline__passes(market: Market, zap: Any) -> None:
    assert deposit(market, zap, into_everything(market), deadline=boa.env.timestamp)
    with boa.reverts("zap: deadline"):
        deposit(market, zap, into_everything(market), deadline=boa.env.timestamp - 1)


def test_deposit__to_the_zap_itself__is_refused(market: Market, zap: Any) -> None:
    with boa.reverts("zap: receiver"):
        deposit(market, zap, into_everything(market), receiver=zap.address)


@pytest.mark.parametrize("pool", [4, 15, 16, ALL])
def test_deposit__pool_outside_the_registry__is_refused(market: Market, zap: Any, pool: int) -> None:
    with boa.reverts("registry: no pool"):
        deposit(market, zap, [(pool, True, 1, 0)])


def test_deposit__without_approval__is_refused(market: Market, zap: Any) -> None:
    usdc = market.tokens["USDC"]
    usdc.mint(market.alice, 10**6)
    with boa.reverts("token: allowance"):
        zap.deposit(usdc.address, 10**6, [], ONE, market.alice, market.deadline(), sender=market.alice)


# ------------------------------------------------------------------ withdrawal


def test_withdraw__one_token__pays_the_receiver_and_keeps_nothing(market: Market, zap: Any) -> None:
    holder(market, zap)
    bob = boa.env.generate_address("bob")
    out = withdraw(market, zap, receiver=bob)
    assert market.balances(bob) == [out, 0, 0]
    assert 9_700 * 10**6 < out < 9_800 * 10**6  # 8,900 shares of 1.10 less the pools' fees
    assert market.vault.balanceOf(market.alice) == 0
    assert market.balances(market.alice) == [0, 0, 0]
    assert_empty(market, zap)


def test_withdraw__done__logs_who_and_how_much(market: Market, zap: Any) -> None:
    holder(market, zap)
    out = withdraw(market, zap)
    (log,) = zap.get_logs(include_child_logs=False)
    assert (log.caller, log.receiver, log.token) == (market.alice, market.alice, market.tokens["USDC"].address)
    assert (log.amount, log.shares) == (out, SHARES)


def test_withdraw__least_out__is_enforced_to_the_unit(market: Market, zap: Any) -> None:
    holder(market, zap)
    with boa.env.anchor():
        out = withdraw(market, zap)
    with boa.env.anchor():
        assert withdraw(market, zap, least_out=out) == out
    with boa.reverts("zap: least out"):
        withdraw(market, zap, least_out=out + 1)


def test_withdraw__dust_left_by_somebody__does_not_help_to_meet_the_least(market: Market, zap: Any) -> None:
    holder(market, zap)
    with boa.env.anchor():
        out = withdraw(market, zap)
    market.tokens["USDC"].mint(zap.address, 10**6)
    market.tokens["WBTC"].mint(zap.address, 10**8)  # is not traded either
    with boa.reverts("zap: least out"):
        withdraw(market, zap, least_out=out + 1)
    assert withdraw(market, zap, least_out=out) == out
    assert market.balances(market.alice) == [out + 10**6, 0, 10**8]
    assert_empty(market, zap)


def test_withdraw__without_trades__pays_in_kind(market: Market, zap: Any) -> None:
    holder(market, zap)
    expected = load("Lens.vy").preview_redeem(market.vault.address, SHARES)
    out = withdraw(market, zap, trades=[])
    assert market.balances(market.alice) == expected
    assert out == market.balances(market.alice)[0]


def test_withdraw__lp_tokens_too_few_to_burn__go_to_the_receiver(market: Market, zap: Any) -> None:
    holder(market, zap)
    pair, few = market.pools[V2], 10**10
    expected = pair.balanceOf(market.vault.address) * few // market.vault.totalSupply()
    withdraw(market, zap, shares=few, trades=[])
    assert pair.balanceOf(market.alice) == expected > 0
    assert pair.balanceOf(zap.address) == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deadline": 1}, "zap: deadline"),
        ({"receiver": NOBODY}, "zap: receiver"),
        ({"token": NOBODY}, "zap: not a token of the vault"),
        ({"shares": SHARES + 1}, "shares: allowance"),
    ],
)
def test_withdraw__wrong_argument__is_refused(market: Market, zap: Any, changes: dict[str, Any], reason: str) -> None:
    holder(market, zap)
    with boa.reverts(reason):
        withdraw(market, zap, **changes)


def test_withdraw__paused_vault_and_dead_feeds__still_pays(market: Market, zap: Any) -> None:
    holder(market, zap)
    market.charter.pause(sender=market.owner)
    for feed in market.feeds.values():
        feed.set_answer(0, 0)
    assert withdraw(market, zap) > 9_700 * 10**6


# ------------------------------------------------------------------ hostile pools and strangers


def ask(market: Market, amount: int, times: int) -> None:
    asks = (amount, 0) if market.token0_is(GREEDY, "USDC") else (0, amount)
    market.pools[GREEDY].set_ask(*asks, times)


def test_callback__from_a_stranger__is_refused(market: Market, zap: Any) -> None:
    market.tokens["USDC"].mint(zap.address, 10**6)
    for sender in (market.alice, market.vault.address, zap.address, market.pools[V3].address):
        with boa.reverts("zap: stranger's callback"):
            zap.uniswapV3SwapCallback(1, 0, b"", sender=sender)


def test_callback__from_a_listed_pool_that_was_not_called__is_refused(market: Market, zap: Any) -> None:
    market.tokens["USDC"].mint(zap.address, 10**6)
    ask(market, 1, 1)
    with boa.reverts("zap: stranger's callback"):
        market.pools[GREEDY].ask_out_of_turn(zap.address)


def test_callback__from_another_pool_while_one_is_open__is_refused(market: Market, zap: Any) -> None:
    tokens = market.tokens["USDC"].address, market.tokens["WETH"].address
    other = load("mocks/GreedyPool.vy", *tokens)
    other.set_ask(1, 1, 1)
    ask(market, 0, 0)
    given = trade(market, GREEDY, "USDC", 100 * 10**6)
    market.pools[GREEDY].set_reentry(other.address, other.ask_out_of_turn.prepare_calldata(zap.address))
    with boa.reverts("zap: stranger's callback"):
        deposit(market, zap, [given, *into_everything(market)], shares=ONE)


def test_callback__for_what_was_opened__is_paid_once(market: Market, zap: Any) -> None:
    given = trade(market, GREEDY, "USDC", 100 * 10**6)
    ask(market, 100 * 10**6, 1)
    deposit(market, zap, [given, *into_everything(market)], shares=ONE)
    assert market.tokens["USDC"].balanceOf(market.pools[GREEDY].address) == 100 * 10**6


def test_callback__for_more_than_was_opened__is_refused(market: Market, zap: Any) -> None:
    given = trade(market, GREEDY, "USDC", 100 * 10**6)
    ask(market, 100 * 10**6 + 1, 1)
    with boa.reverts("zap: more than opened"):
        deposit(market, zap, [given, *into_everything(market)], shares=ONE)


def test_callback__a_second_time__is_refused(market: Market, zap: Any) -> None:
    given = trade(market, GREEDY, "USDC", 100 * 10**6)
    ask(market, 10**6, 2)
    with boa.reverts("zap: stranger's callback"):
        deposit(market, zap, [given, *into_everything(market)], shares=ONE)


def test_trade__pool_that_never_asks__is_refused(market: Market, zap: Any) -> None:
    """It would keep its right to ask until somebody else's transfer hands it control."""
    given = trade(market, GREEDY, "USDC", 100 * 10**6)
    ask(market, 0, 0)
    with boa.reverts("zap: pool did not ask"):
        deposit(market, zap, [given, *into_everything(market)], shares=ONE)


def test_trade__pool_that_takes_and_gives_nothing__fails_its_least(market: Market, zap: Any) -> None:
    ask(market, 100 * 10**6, 1)
    with boa.reverts("zap: least of a trade"):
        deposit(market, zap, [trade(market, GREEDY, "USDC", 100 * 10**6, 1)], shares=ONE)


@pytest.mark.parametrize(("name", "asks"), [("withdraw", 1), ("deposit", 0)])
def test_reentry__from_a_pool_in_a_withdrawal__cannot_sweep_the_caller(
    market: Market, zap: Any, name: str, asks: int
) -> None:
    """Without the lock, the inner call would send all that lies in the zap to its own caller.

    An inner deposit trades, which uses up the outer pool's right to ask: such a thief would not ask.
    """
    pool, usdc = market.pools[GREEDY], market.tokens["USDC"]
    holder(market, zap)
    deposit(market, zap, into_everything(market), receiver=pool.address)
    usdc.mint(pool.address, 10_000 * 10**6)
    for token in (market.vault, usdc):
        pool.act(token.address, market.vault.approve.prepare_calldata(zap.address, ALL))
    inner = {
        "withdraw": (ONE, usdc.address, [], 0, pool.address, market.deadline()),
        "deposit": (usdc.address, 10_000 * 10**6, into_everything(market), ONE, pool.address, market.deadline()),
    }[name]
    with boa.env.anchor():
        getattr(zap, name)(*inner, sender=pool.address)  # works by itself
    ask(market, 0, 1)
    outer = [*out_of_everything(market), trade(market, GREEDY, "USDC", 100 * 10**6)]
    with boa.env.anchor():
        withdraw(market, zap, trades=outer)  # works without the reentry
    ask(market, 0, asks)
    pool.set_reentry(zap.address, getattr(zap, name).prepare_calldata(*inner))
    with boa.reverts():
        withdraw(market, zap, trades=outer)


# ------------------------------------------------------------------ tokens that behave differently


def vault_of(*tokens: Any, pools: tuple[Any, ...] = ()) -> Any:
    feed = load("mocks/Feed.vy", 8, "any")
    owner = boa.env.generate_address("owner")
    setups = [token_setup(token, feed) for token in tokens]
    pairs = [(pool.address, 2, 3_000, 0) for pool in pools]
    vault, _ = load_vault(owner, owner, owner, 86_400, setups, pairs, (100, 500, 50_000, 500, 0))
    return vault


def first_mint(market: Market, vault: Any, token: Any, amount: int, count: int) -> None:
    token.mint(market.owner, amount)
    token.approve(vault.address, amount, sender=market.owner)
    amounts = [amount] + [0] * (count - 1)
    vault.mint(10**24, amounts, market.owner, market.deadline(), sender=market.owner)


def test_deposit__token_that_returns_nothing__leaves_no_allowance(market: Market) -> None:
    token = load("mocks/SilentToken.vy", "Tether", "USDT", 6)
    vault = vault_of(token)
    first_mint(market, vault, token, 10**12, 1)
    zap = load("Zap.vy", vault.address)
    for _ in range(2):  # such a token refuses a second approval over a first
        token.mint(market.alice, 10**9)
        token.approve(zap.address, 10**9, sender=market.alice)
        zap.deposit(token.address, 10**9, [], 9 * 10**20, market.alice, market.deadline(), sender=market.alice)
        assert token.allowance(zap.address, vault.address) == 0
        assert token.balanceOf(zap.address) == 0
    vault.approve(zap.address, 10**20, sender=market.alice)
    out = zap.withdraw(10**20, token.address, [], 1, market.alice, market.deadline(), sender=market.alice)
    assert out == 10**8 - 1  # the locked shares have their part, and the vault rounds down


def test_deposit__token_that_takes_a_fee__counts_what_arrived(market: Market) -> None:
    taxed = load("mocks/FeeToken.vy", "Taxed", "TAX", 18)
    usdc = market.tokens["USDC"]
    factory = published("UniswapV2Factory", market.owner)
    pair = UNISWAP.at(factory.createPair(taxed.address, usdc.address))
    taxed.mint(pair.address, 10**24)
    usdc.mint(pair.address, 10**12)
    pair.mint(market.owner)
    vault = vault_of(usdc, taxed, pools=(pair,))
    first_mint(market, vault, usdc, 10**12, 2)
    zap = load("Zap.vy", vault.address)
    taxed.set_fee(100)
    taxed.mint(market.alice, 10**21)
    taxed.approve(zap.address, 10**21, sender=market.alice)
    all_of_it = [(0, pair.token0() == taxed.address, ALL, 0)]
    zap.deposit(taxed.address, 10**21, all_of_it, 9 * 10**20, market.alice, market.deadline(), sender=market.alice)
    sold = 10**21 * 99 // 100 * 99 // 100  # once on the way to the zap, once to the pair
    after_fee = sold * 997
    bought = after_fee * 10**12 // (10**24 * 1_000 + after_fee)
    assert usdc.balanceOf(market.alice) == bought - 9 * 10**8
    assert (usdc.balanceOf(zap.address), taxed.balanceOf(zap.address)) == (0, 0)
