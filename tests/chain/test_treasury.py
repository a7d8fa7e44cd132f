"""Money in and out on the replica: what is told is what happened, and no allowance is left behind."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from bot.amm import v3
from bot.chain import cheats, seeds
from bot.chain.abi import contract_address, decode, encode_call
from bot.chain.grades import Chain
from bot.chain.keys import LocalSigner
from bot.chain.mainnet import MAINNET, USDC, USDT, WBTC, WETH
from bot.chain.multicall import read_together
from bot.core.errors import ConfigError, Reverted
from bot.core.ports import Rpc
from bot.core.types import Amount, Limits, Snapshot, Token, V3Pool
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Bps, Raw, to_raw_floor
from bot.execution import treasury
from bot.execution.treasury import Moved, Sender, VaultAt, VaultSetup
from bot.observe import ChainObserver
from bot.prices.history import History
from bot.venues.observations import hint
from bot.venues.zap import size_deposit, size_withdrawal

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's accounts 0 and 1: the node signs for them
ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ALICE_KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"  # published with anvil
BOB = "0x0000000000000000000000000000000000000B0b"
POOLS = ("USDC/WETH-500", "WBTC/WETH-3000", "USDC/WETH-v2")
FIRST = ("400000", "133", "2")
SHARES = 10**24


@dataclass(frozen=True)
class House:
    """A vault with a zap, and nothing in it yet."""

    rpc: Rpc
    vault: VaultAt
    zap: str


def setup(tokens: tuple[Token, ...], pools: tuple[str, ...] = ()) -> VaultSetup:
    feeds = tuple(next(feed for feed in MAINNET.feeds if feed.token == token) for token in tokens)
    corridors = ((Bps(0), Bps(10_000)),) * len(tokens)
    limits = Limits(Bps(50), Bps(200), Bps(50_000), Bps(100), 0)
    places = tuple(MAINNET.pool(name) for name in pools)
    return VaultSetup("Keel", "KEEL", OWNER, OWNER, OWNER, 86_400, feeds, corridors, places, limits)


async def build(rpc: Rpc, tokens: tuple[Token, ...], pools: tuple[str, ...] = ()) -> House:
    vault = await treasury.deploy_vault(rpc, OWNER, setup(tokens, pools))
    return House(rpc, VaultAt(vault, tokens), await treasury.deploy_zap(rpc, OWNER, vault))


@pytest.fixture
async def house(replica: Chain) -> House:
    """USDC, WETH and WBTC; the owner holds the first shares."""
    made = await build(replica.rpc, (USDC, WETH, WBTC), POOLS)
    await treasury.deposit_in_kind(made.rpc, OWNER, made.vault, SHARES, await dealt(made, OWNER, *FIRST))
    return made


@pytest.fixture(params=["node's account", "own key"])
def alice(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sender:
    if request.param == "node's account":
        return ALICE
    monkeypatch.setenv("ALICE_KEY", ALICE_KEY)
    return LocalSigner.from_environment("ALICE_KEY")


def amounts(tokens: tuple[Token, ...], *units: str) -> tuple[Amount, ...]:
    pairs = zip(tokens, units, strict=True)
    return tuple(Amount(token, to_raw_floor(Decimal(each), token.decimals)) for token, each in pairs)


async def dealt(house: House, who: str, *units: str) -> tuple[Amount, ...]:
    wanted = amounts(house.vault.tokens, *units)
    for amount in wanted:
        await cheats.deal(house.rpc, amount.token.address, who, amount.raw)
    return wanted


async def ask(rpc: Rpc, to: str, signature: str, *args: Any) -> int:
    answer = await rpc.call("eth_call", {"to": to, "data": "0x" + encode_call(signature, *args).hex()}, "latest")
    return int(decode(("uint256",), bytes.fromhex(answer[2:]))[0])


async def holdings(house: House, who: str) -> list[int]:
    """Of every token, and of shares."""
    contracts = (*(token.address for token in house.vault.tokens), house.vault.address)
    return [await ask(house.rpc, contract, "balanceOf(address)", who) for contract in contracts]


async def allowances(house: House, who: str) -> list[int]:
    contracts = (*(token.address for token in house.vault.tokens), house.vault.address)
    spenders = (house.vault.address, house.zap)
    signature = "allowance(address,address)"
    return [await ask(house.rpc, each, signature, who, spender) for each in contracts for spender in spenders]


async def observe(house: House) -> Snapshot:
    history = History(house.vault.tokens, 3_600, 100)
    return await ChainObserver(house.rpc, MAINNET, house.vault.address, "vault", history).observe()


async def ether(house: House, who: str) -> int:
    return int(await house.rpc.call("eth_getBalance", who, "latest"), 16)


def told(moved: Moved) -> list[int]:
    return [*(int(amount.raw) for amount in moved.amounts), moved.shares]


async def test_deploy__three_contracts__are_bound_and_set_up(replica: Chain) -> None:
    rpc = replica.rpc
    house = await build(rpc, (USDC, WETH, WBTC), POOLS)
    lens = await treasury.deploy_lens(rpc, OWNER)
    assert await ask(rpc, house.zap, "vault()") == int(house.vault.address, 16)
    assert await ask(rpc, lens, "share_value(address)", house.vault.address) == 0
    charter = await treasury.charter_of(rpc, house.vault.address)
    assert await ask(rpc, charter, "vault()") == int(house.vault.address, 16)
    call = {"to": charter, "data": "0x" + encode_call("pool_info(uint256)", 2).hex()}
    info = decode(
        ("address", "uint256", "uint256", "uint256"), bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:])
    )
    pair = MAINNET.pool("USDC/WETH-v2")
    assert info == (pair.address.lower(), 2, 3_000, 0)
    assert await ask(rpc, house.vault.address, "totalSupply()") == LOCKED_SHARES
    assert await treasury.vault_at(rpc, MAINNET, house.vault.address) == house.vault
    assert await treasury.keeper_of(rpc, house.vault.address) == OWNER


async def test_deploy__of_our_own_key__promises_both_their_nonces(replica: Chain, alice: Sender) -> None:
    before = int(await replica.rpc.call("eth_getTransactionCount", ALICE, "latest"), 16)
    vault = await treasury.deploy_vault(replica.rpc, alice, setup((USDC, WETH)))
    assert vault == contract_address(ALICE, before)
    assert await treasury.charter_of(replica.rpc, vault) == contract_address(ALICE, before + 1)
    assert int(await replica.rpc.call("eth_getTransactionCount", ALICE, "latest"), 16) == before + 2


async def test_vault_at__another_contract_or_none__is_a_config_error(replica: Chain) -> None:
    for address in (USDC.address, MAINNET.pool("USDC/WETH-500").address, BOB):
        with pytest.raises(ConfigError, match=f"{address}: expected an Evenkeel vault"):
            await treasury.vault_at(replica.rpc, MAINNET, address)
        with pytest.raises(ConfigError, match=f"{address}: expected an Evenkeel vault"):
            await treasury.keeper_of(replica.rpc, address)


async def test_vault_at__token_that_the_market_lacks__is_a_config_error(house: House) -> None:
    market = replace(MAINNET, tokens=tuple(token for token in MAINNET.tokens if token != WBTC))
    with pytest.raises(ConfigError, match=f"found token {WBTC.address}, not among market.tokens"):
        await treasury.vault_at(house.rpc, market, house.vault.address)


async def test_deploy__setup_that_the_vault_refuses__says_why(replica: Chain) -> None:
    wrong = replace(setup((USDC,)), corridors=((Bps(9_000), Bps(1_000)),))
    with pytest.raises(Reverted, match="registry: corridor"):
        await treasury.deploy_vault(replica.rpc, OWNER, wrong)


async def test_deposit_in_kind__first__takes_all_and_tells_it(replica: Chain, alice: Sender) -> None:
    house = await build(replica.rpc, (USDC, WETH, WBTC), POOLS)
    most = await dealt(house, ALICE, "1000", "1", "0.1")
    before = await ether(house, ALICE)
    moved = await treasury.deposit_in_kind(house.rpc, alice, house.vault, SHARES, most)
    assert told(moved)[:3] == [-amount.raw for amount in most]
    assert await holdings(house, ALICE) == [0, 0, 0, SHARES]
    assert moved.shares == SHARES
    assert await ether(house, ALICE) == before - moved.fee
    assert moved.gas_used > 200_000
    assert await allowances(house, ALICE) == [0] * 8


async def test_deposit_in_kind__more_allowed_than_it_costs__takes_the_slice_and_clears_the_rest(
    house: House, alice: Sender
) -> None:
    most = await dealt(house, ALICE, "5000", "1.5", "0.03")
    shares = await treasury.shares_for(house.rpc, house.vault, most)
    moved = await treasury.deposit_in_kind(house.rpc, alice, house.vault, shares * 99 // 100, most)
    left = await holdings(house, ALICE)
    assert [amount.raw + change for amount, change in zip(most, told(moved), strict=False)] == left[:3]
    assert left[3] == moved.shares == shares * 99 // 100
    assert all(raw > 0 for raw in left[:3])
    assert await allowances(house, ALICE) == [0] * 8


async def test_shares_for__scarcest_token__sets_the_number(house: House) -> None:
    rpc, vault = house.rpc, house.vault
    supply = SHARES + LOCKED_SHARES
    assert await treasury.shares_for(rpc, vault, amounts(vault.tokens, "4000", "133", "2")) == supply // 100
    assert await treasury.shares_for(rpc, vault, amounts(vault.tokens, "400000", "1.33", "2")) == supply // 100
    empty = await build(rpc, (USDC,))
    with pytest.raises(ValueError, match="no shares yet"):
        await treasury.shares_for(rpc, empty.vault, amounts((USDC,), "1"))


async def test_deposit_in_kind__shares_too_dear__says_why_and_leaves_no_allowance(house: House, alice: Sender) -> None:
    most = await dealt(house, ALICE, "5000", "1.5", "0.03")
    shares = await treasury.shares_for(house.rpc, house.vault, most)
    with pytest.raises(Reverted, match="vault: above most"):
        await treasury.deposit_in_kind(house.rpc, alice, house.vault, shares * 101 // 100, most)
    assert await holdings(house, ALICE) == [*(amount.raw for amount in most), 0]
    assert await allowances(house, ALICE) == [0] * 8


async def test_deposit_in_kind__old_allowance_of_another_size__is_replaced_by_way_of_zero(replica: Chain) -> None:
    """As USDT demands; the recorded or forked one reverts otherwise."""
    house = await build(replica.rpc, (USDT,))
    most = await dealt(house, ALICE, "1000")
    await cheats.call_as(house.rpc, ALICE, USDT.address, "approve(address,uint256)", house.vault.address, 7)
    moved = await treasury.deposit_in_kind(house.rpc, ALICE, house.vault, SHARES, most)
    assert told(moved)[0] == -most[0].raw
    assert await allowances(house, ALICE) == [0] * 4


async def test_redeem__in_kind__pays_what_was_previewed(house: House) -> None:
    shares = SHARES // 10
    expect = await treasury.preview_redeem(house.rpc, house.vault, shares, OWNER)
    before = await holdings(house, OWNER)
    moved = await treasury.redeem(house.rpc, OWNER, house.vault, shares, treasury.cushioned(expect, 0))
    assert moved.amounts == expect
    assert await holdings(house, OWNER) == [was + change for was, change in zip(before, told(moved), strict=True)]
    assert moved.shares == -shares


async def test_redeem__to_another_receiver__tells_what_both_gained(house: House) -> None:
    least = treasury.cushioned(await treasury.preview_redeem(house.rpc, house.vault, SHARES // 10, OWNER), 10)
    moved = await treasury.redeem(house.rpc, OWNER, house.vault, SHARES // 10, least, BOB)
    assert (await holdings(house, BOB))[:3] == [amount.raw for amount in moved.amounts]
    assert all(amount.raw > 0 for amount in moved.amounts)


async def test_redeem__below_the_least__says_why(house: House) -> None:
    expect = await treasury.preview_redeem(house.rpc, house.vault, SHARES // 10, OWNER)
    least = (replace(expect[0], raw=Raw(expect[0].raw + 1)), *expect[1:])
    with pytest.raises(Reverted, match="vault: below least"):
        await treasury.redeem(house.rpc, OWNER, house.vault, SHARES // 10, least)


async def test_redeem__setting_a_token_aside__pays_the_others_and_the_claim_pays_that(
    house: House, alice: Sender
) -> None:
    expect = await treasury.preview_redeem(house.rpc, house.vault, SHARES // 10, OWNER, skip=0b001)
    moved = await treasury.redeem(house.rpc, OWNER, house.vault, SHARES // 10, expect, ALICE, skip=0b001)
    assert told(moved)[:3] == [0, expect[1].raw, expect[2].raw]
    owed = await treasury.owed_to(house.rpc, house.vault, ALICE)
    assert [amount.raw for amount in owed] == [expect[0].raw, 0, 0]
    claimed = await treasury.claim(house.rpc, alice, house.vault, USDC)
    assert claimed.amounts == owed
    assert (await holdings(house, ALICE))[0] == expect[0].raw
    with pytest.raises(Reverted, match="vault: nothing owed"):
        await treasury.claim(house.rpc, alice, house.vault, USDC)


async def test_preview_redeem__more_than_the_holder_has__says_why(house: House) -> None:
    with pytest.raises(Reverted, match="shares: balance"):
        await treasury.preview_redeem(house.rpc, house.vault, 1, ALICE)


async def test_fee__due_at_the_next_mint__is_in_what_is_observed_and_in_what_shares_cost(house: House) -> None:
    rpc, vault = house.rpc, house.vault
    charter = await treasury.charter_of(rpc, vault.address)
    ask_for_it = ("set_fee(address,uint256)", BOB, 100)
    await cheats.call_as(rpc, OWNER, charter, *ask_for_it)
    await cheats.mine(rpc, seconds=86_400)
    await cheats.call_as(rpc, OWNER, charter, *ask_for_it)
    await cheats.mine(rpc, seconds=30 * 86_400)
    await seeds.set_feeds(rpc, seeds.PRICES)
    state = (await observe(house)).vault
    assert state is not None
    due = state.shares - SHARES - LOCKED_SHARES
    assert due == pytest.approx(SHARES * 0.01 * 30 / 365, rel=1e-4)
    most = await dealt(house, ALICE, "4000", "1.33", "0.02")
    shares = await treasury.shares_for(rpc, vault, most)
    assert shares == pytest.approx((SHARES + due) // 100, rel=1e-6)
    await treasury.deposit_in_kind(rpc, ALICE, vault, shares * 999_999 // 10**6, most)
    assert await ask(rpc, vault.address, "balanceOf(address)", BOB) == pytest.approx(due, rel=1e-4)


@pytest.mark.parametrize("symbol", ["USDC", "WETH", "WBTC"])
async def test_zap__in_and_out_of_one_token__does_what_was_sized(house: House, alice: Sender, symbol: str) -> None:
    token = next(token for token in house.vault.tokens if token.symbol == symbol)
    units = {"USDC": "30000", "WETH": "10", "WBTC": "0.4"}[symbol]
    give = amounts((token,), units)[0]
    await cheats.deal(house.rpc, token.address, ALICE, give.raw)
    sized = size_deposit(await observe(house), give, cushion_bps=10)
    moved = await treasury.deposit_zap(house.rpc, alice, house.vault, house.zap, sized)
    assert moved.shares == sized.shares
    left = {amount.token: amount.raw for amount in sized.left}
    for amount in moved.amounts:
        came_back = amount.raw + (give.raw if amount.token == token else 0)
        assert came_back == pytest.approx(left[amount.token], rel=1e-6, abs=100)
    assert await allowances(house, ALICE) == [0] * 8

    world = await observe(house)
    out = size_withdrawal(world, sized.shares, token, cushion_bps=10)
    back = await treasury.redeem_zap(house.rpc, alice, house.vault, house.zap, out)
    assert back.shares == -sized.shares
    (got,) = (amount for amount in back.amounts if amount.token == token)
    assert got.raw == pytest.approx(out.expect.raw, abs=2)  # the vault's floors
    assert sum(amount.raw for amount in back.amounts if amount.token != token) == 0
    assert world.value(got) >= world.value(give) * Decimal("0.98")
    assert await allowances(house, ALICE) == [0] * 8
    assert await holdings(house, house.zap) == [0, 0, 0, 0]


async def test_zap__vault_that_is_in_the_pools_it_trades_on__does_what_was_sized(house: House) -> None:
    """The trades move the price of the vault's own range, so its mix is another when the shares are minted."""
    world = await observe(house)
    pool = world.pool(MAINNET.pool("USDC/WETH-500").address)
    assert isinstance(pool, V3Pool)
    lower, upper = (pool.tick - 300) // 10 * 10, (pool.tick + 300) // 10 * 10
    liquidity = v3.liquidity_for(pool.sqrt_price_x96, lower, upper, 150_000 * 10**6, 50 * 10**18)
    reading = hint(pool.address, MAINNET.pool("USDC/WETH-500").twap_window_s, MAINNET.multicall3)
    (begin,) = await read_together(house.rpc, MAINNET.multicall3, [reading], "pending")
    head = 3 << 248 | (lower & 0xFFFFFF) << 216 | (upper & 0xFFFFFF) << 192 | liquidity << 64 | begin
    execute = "execute((uint256,uint256)[],uint256[],uint256,uint256)"
    await cheats.call_as(house.rpc, OWNER, house.vault.address, execute, [(head, 2**256 - 1)], [], 0, 2**64)
    give = amounts((USDC,), "100000")[0]
    await cheats.deal(house.rpc, USDC.address, ALICE, give.raw)
    world = await observe(house)
    assert world.positions
    sized = size_deposit(world, give, cushion_bps=10)
    moved = await treasury.deposit_zap(house.rpc, ALICE, house.vault, house.zap, sized)
    assert moved.shares == sized.shares
    spent = sum(-world.value(amount) for amount in moved.amounts)
    assert spent >= world.value(give) * Decimal("0.998")  # ten of cushion: hardly anything comes back
    out = size_withdrawal(await observe(house), sized.shares, USDC, cushion_bps=10)
    back = await treasury.redeem_zap(house.rpc, ALICE, house.vault, house.zap, out)
    got = back.amounts[0].raw
    assert got == pytest.approx(out.expect.raw, abs=2)


async def test_zap__pool_moved_beyond_the_cushion__is_refused_and_costs_only_gas(house: House) -> None:
    give = amounts((USDC,), "30000")[0]
    await cheats.deal(house.rpc, USDC.address, ALICE, give.raw)
    sized = size_deposit(await observe(house), give, cushion_bps=10)
    await cheats.deal(house.rpc, USDC.address, OWNER, 10**13)
    mover = size_deposit(await observe(house), Amount(USDC, Raw(4 * 10**12)), cushion_bps=300)
    await treasury.deposit_zap(house.rpc, OWNER, house.vault, house.zap, mover)
    with pytest.raises(Reverted, match="zap: least of a trade"):
        await treasury.deposit_zap(house.rpc, ALICE, house.vault, house.zap, sized)
    assert await holdings(house, ALICE) == [give.raw, 0, 0, 0]
    assert await allowances(house, ALICE) == [0] * 8
