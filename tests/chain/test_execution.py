"""Bundles on the replica: every amount as expected, one transaction each, and restarts that finish what was begun."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.amm import v2
from bot.chain import cheats
from bot.chain.grades import Chain
from bot.chain.keys import LocalSigner
from bot.chain.mainnet import USDC, WBTC, WETH
from bot.chain.rpc import NodeError
from bot.core.errors import ChainError, Reverted
from bot.core.rows import Note
from bot.core.types import (
    AddLiquidity,
    Amount,
    Limits,
    Outcome,
    Plan,
    Proposal,
    Shift,
    Snapshot,
    Step,
    Swap,
    V2Pool,
    V3Pool,
)
from bot.core.units import Bps, Gas, Money, Raw, Tick, Timestamp, to_raw_floor
from bot.cycle import run_cycle
from bot.execution import submit
from bot.execution.executor import DryRunExecutor, VaultExecutor
from bot.execution.hints import hints
from bot.execution.reconcile import reconcile
from bot.execution.treasury import VaultAt, VaultSetup, deploy_vault, deposit_in_kind
from bot.journal import SqlJournal
from bot.observe import ChainObserver
from bot.planning.desk import Desk
from bot.prices.history import History
from bot.venues.vault import encode_execute
from tests import factories
from tests.unit.execution import bundles

KEYS = (  # anvil's published test keys, worth nothing
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
)
TOKENS = (USDC, WETH, WBTC)
POOLS = ("USDC/WETH-500", "WBTC/USDC-3000", "WBTC/WETH-3000", "USDC/WETH-v2")
SHARES = 10**24
FINAL_BLOCKS = 70  # anvil's finalized block is 64 behind its newest
ANYBODY = "0x00000000000000000000000000000000000A11cE"


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it."""


class DyingRpc:
    """Dies before or after the first request of a method."""

    def __init__(self, inner: Any, method: str, after: bool) -> None:
        self.inner, self.method, self.after = inner, method, after

    async def call(self, method: str, *params: Any) -> Any:
        if method == self.method and not self.after:
            raise Killed
        answer = await self.inner.call(method, *params)
        if method == self.method:
            raise Killed
        return answer


class Refusing:
    """A node that does not offer one method."""

    def __init__(self, inner: Any, method: str) -> None:
        self.inner, self.method = inner, method

    async def call(self, method: str, *params: Any) -> Any:
        if method == self.method:
            raise NodeError(f"{method}: the node said 'method not found'", -32601, "method not found")
        return await self.inner.call(method, *params)


class Bench:
    """A vault with money in it on a chain, and what it takes to run it."""

    def __init__(self, chain: Chain, vault: str, keeper: LocalSigner, url: str) -> None:
        self.chain, self.rpc, self.vault, self.keeper, self.url = chain, chain.rpc, vault, keeper, url
        self.observer = ChainObserver(chain.rpc, chain.market, vault, "vault", History(TOKENS, 3_600, 48))
        self.journal = SqlJournal(url)

    def executor(self, rpc: Any = None, journal: SqlJournal | None = None, timeout_s: float = 5) -> VaultExecutor:
        where = (self.vault, journal or self.journal, self.chain.market.multicall3)
        return VaultExecutor(rpc or self.rpc, self.keeper, *where, timeout_s=timeout_s, poll_s=0.02)

    async def see(self) -> Snapshot:
        return await self.observer.observe()

    async def sequence(self) -> int:
        seen = await self.see()
        assert seen.vault is not None
        return seen.vault.sequence

    async def record(self, cycle: int, seen: Snapshot, plan: Plan) -> Proposal:
        proposal = replace(bundles.proposal(), plan=plan)
        await self.journal.append(cycle, "cycle", (seen, proposal))
        return proposal

    async def run(self, cycle: int, seen: Snapshot, plan: Plan) -> Outcome:
        await self.record(cycle, seen, plan)
        simulated = await self.executor().simulate(plan, seen)
        assert simulated.ok, simulated.revert
        done = await self.executor().submit(plan, seen)
        assert done.fills == simulated.fills
        await self.journal.append(cycle, "outcome", done)
        return done

    def intruder(self, number: int) -> LocalSigner:
        return signer(number)


def signer(number: int) -> LocalSigner:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("A_PUBLISHED_TEST_KEY", KEYS[number])
        return LocalSigner.from_environment("A_PUBLISHED_TEST_KEY")


def setup(chain: Chain, owner: str, keeper: str) -> VaultSetup:
    feeds = tuple(next(feed for feed in chain.market.feeds if feed.token == token) for token in TOKENS)
    return VaultSetup(
        name="Evenkeel test",
        symbol="KEEL",
        owner=owner,
        keeper=keeper,
        guardian=owner,
        delay_s=86_400,
        feeds=feeds,
        corridors=((Bps(0), Bps(10_000)),) * 3,
        pools=tuple(chain.market.pool(name) for name in POOLS),
        limits=Limits(Bps(100), Bps(200), Bps(30_000), Bps(100), 60),
    )


@pytest.fixture
async def bench(replica: Chain, tmp_path: Path) -> AsyncIterator[Bench]:
    owner, keeper = signer(0), signer(1)
    vault = await deploy_vault(replica.rpc, owner, setup(replica, owner.address, keeper.address))
    most = tuple(
        Amount(token, to_raw_floor(Decimal(units), token.decimals))
        for token, units in zip(TOKENS, ("500000", "100", "2"), strict=True)
    )
    for amount in most:
        await cheats.deal(replica.rpc, amount.token.address, owner.address, amount.raw)
    await deposit_in_kind(replica.rpc, owner, VaultAt(vault, TOKENS), SHARES, most)
    made = Bench(replica, vault, keeper, f"sqlite:///{tmp_path}/journal.db")
    yield made
    await made.journal.close()


def plan_of(desk: Desk, *steps: Step) -> Plan:
    seen = desk.snapshot
    assert seen.vault is not None
    floors = tuple(Amount(token, Raw(desk.idle[token] * 99 // 100)) for token in seen.vault.tokens)
    return Plan(steps, floors, seen.vault.sequence, Timestamp(seen.block.timestamp + 600), Gas(0))


def pool_named(seen: Snapshot, name: str) -> Any:
    return next(pool for pool in seen.pools if pool.name == name)


def enter(desk: Desk, name: str, below: int, above: int, money: int) -> AddLiquidity:
    """A range of so many tick spacings around the price."""
    pool = pool_named(desk.snapshot, name)
    assert isinstance(pool, V3Pool)
    middle = pool.tick // pool.tick_spacing
    lower, upper = (Tick((middle + offset) * pool.tick_spacing) for offset in (-below, above))
    step = desk.enter(Shift(None, pool.address, lower, upper, Money(Decimal(money))))
    assert step is not None
    return step


def add_v2(desk: Desk, usdc: int) -> AddLiquidity:
    """Both tokens of the pair in its own proportion."""
    pool = desk.pools[pool_named(desk.snapshot, "USDC/WETH-v2").address]
    assert isinstance(pool, V2Pool)
    weth = usdc * pool.reserve1 // pool.reserve0
    desk.pools[pool.address], liquidity = v2.add(pool, usdc, weth)
    desk.idle[USDC] -= usdc
    desk.idle[WETH] -= weth
    return AddLiquidity(pool.address, Tick(0), Tick(0), liquidity, Raw(usdc), Raw(weth), Raw(usdc), Raw(weth))


def swap(desk: Desk, name: str, sell: Any, units: str) -> Swap:
    return desk.swap(pool_named(desk.snapshot, name), sell, to_raw_floor(Decimal(units), sell.decimals))


async def first_bundle(bench: Bench) -> tuple[Snapshot, Plan]:
    """Two swaps, two ranges and a share of the V2 pair."""
    seen = await bench.see()
    desk = Desk(seen, 30)
    steps = (
        swap(desk, "USDC/WETH-500", USDC, "30000"),
        swap(desk, "USDC/WETH-v2", USDC, "20000"),
        enter(desk, "USDC/WETH-500", 50, 70, 90_000),
        enter(desk, "WBTC/USDC-3000", 30, 20, 60_000),
        add_v2(desk, 25_000 * 10**6),
    )
    return seen, plan_of(desk, *steps)


async def trade_by_others(bench: Bench) -> None:
    """Fees for every pool we stand in, both ways."""
    rpc, router = bench.rpc, bench.chain.market.swap_router
    single = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    pair = "swapExactTokensForTokens(uint256,uint256,address[],address)"
    await cheats.set_ether(rpc, ANYBODY, 10**20)
    for token, raw in ((USDC, 200_000 * 10**6), (WETH, 60 * 10**18), (WBTC, 10**8)):
        await cheats.deal(rpc, token.address, ANYBODY, raw)
        await cheats.call_as(rpc, ANYBODY, token.address, "approve(address,uint256)", router, raw)
    for give, take, fee, raw in (
        (USDC, WETH, 500, 90_000 * 10**6),
        (WETH, USDC, 500, 29 * 10**18),
        (USDC, WBTC, 3_000, 40_000 * 10**6),
        (WBTC, USDC, 3_000, 45 * 10**6),
    ):
        arguments = (give.address, take.address, fee, ANYBODY, raw, 0, 0)
        await cheats.call_as(rpc, ANYBODY, router, single, arguments)
    await cheats.call_as(rpc, ANYBODY, router, pair, 10**18, 0, [WETH.address, USDC.address], ANYBODY)
    await cheats.mine(rpc, seconds=120)


async def poke(bench: Bench) -> None:
    """Enough to each of two pools to move its tick, so that it writes an observation."""
    router, raw = bench.chain.market.swap_router, 30_000 * 10**6
    single = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    await cheats.set_ether(bench.rpc, ANYBODY, 10**20)
    await cheats.deal(bench.rpc, USDC.address, ANYBODY, 2 * raw)
    await cheats.call_as(bench.rpc, ANYBODY, USDC.address, "approve(address,uint256)", router, 2 * raw)
    for take, fee in ((WETH, 500), (WBTC, 3_000)):
        order = (USDC.address, take.address, fee, ANYBODY, raw, 0, 0)
        await cheats.call_as(bench.rpc, ANYBODY, router, single, order)


def as_keeper(bench: Bench, data: bytes) -> dict[str, str]:
    return {"from": bench.keeper.address, "to": bench.vault, "data": "0x" + data.hex()}


async def test_bundle__removes_collects_swaps_and_adds__every_amount_is_within_a_wei(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    done = await bench.run(1, seen, plan)
    assert reconcile(plan, seen, done).worst <= 1, reconcile(plan, seen, done).said

    await trade_by_others(bench)
    seen = await bench.see()
    desk = Desk(seen, 30)
    ours = {pool.name: position for pool in seen.pools for position in seen.positions if position.pool == pool.address}
    left, kept, pair = (ours[name] for name in ("USDC/WETH-500", "WBTC/USDC-3000", "USDC/WETH-v2"))
    assert 0 not in (left.fees0, left.fees1, kept.fees0, kept.fees1)
    plan = plan_of(
        desk,
        desk.remove(left),
        desk.remove(replace(kept, liquidity=0)),
        desk.remove(pair),
        swap(desk, "USDC/WETH-500", WETH, "4"),
        swap(desk, "WBTC/WETH-3000", WBTC, "0.1"),
        enter(desk, "USDC/WETH-500", 80, 40, 70_000),
    )
    done = await bench.run(2, seen, plan)
    found = reconcile(plan, seen, done)
    assert found.worst <= 1, found.said
    assert len([each for each in found.differences if each.got]) == 12

    after = await bench.see()
    idle = {amount.token: amount.raw for amount in seen.balances}
    for each in found.differences:
        idle[each.token] += each.got
    assert {amount.token: amount.raw for amount in after.balances} == idle  # the fills are all that moved
    assert [record.kind for record in await bench.journal.records()] == ["cycle", "intent", "attempt", "outcome"] * 2
    assert await bench.journal.verify() is None


async def test_bundle__with_the_nodes_access_list__takes_less_gas_than_without(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    before = await cheats.snapshot(bench.rpc)
    listed = await bench.run(1, seen, plan)
    sent = await bench.rpc.call("eth_getTransactionByHash", listed.tx)
    assert (sent["type"], len(sent["accessList"]) > 5) == ("0x2", True)
    await cheats.revert(bench.rpc, before)
    plain = await bench.executor(Refusing(bench.rpc, "eth_createAccessList")).submit(plan, seen)
    sent = await bench.rpc.call("eth_getTransactionByHash", plain.tx)
    assert (plain.ok, sent["accessList"]) == (True, [])
    assert plain.fills == listed.fills
    assert 1_000 < plain.gas_used - listed.gas_used < 50_000


async def test_bundle__without_a_hint__is_refused_by_the_vault(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    with pytest.raises(Reverted, match="oracle: hint"):
        await bench.rpc.call("eth_call", as_keeper(bench, encode_execute(plan, seen)), "pending")


async def test_bundle__pools_that_wrote_often__is_hinted_past_what_is_too_young(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    for seconds in (600, 600, 600, 600, 60, 12):
        await poke(bench)
        await cheats.mine(bench.rpc, seconds=seconds)
    seen, plan = await first_bundle(bench)
    found = await hints(bench.rpc, bench.chain.market.multicall3, plan, seen)
    assert found == {pool_named(seen, name).address: 2 for name in ("USDC/WETH-500", "WBTC/USDC-3000")}
    assert (await bench.executor().simulate(plan, seen)).ok
    for wrong in (1, 4, 7):  # too old, too young, the newest
        data = encode_execute(plan, seen, dict.fromkeys(found, wrong))
        with pytest.raises(Reverted, match="oracle: hint"):
            await bench.rpc.call("eth_call", as_keeper(bench, data), "pending")


async def test_bundle__sent_twice__runs_once(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    await bench.run(1, seen, plan)
    await cheats.mine(bench.rpc, seconds=120)
    again = await bench.executor().simulate(plan, seen)
    assert (again.ok, "sequence" in again.revert) == (False, True)
    await bench.record(2, seen, plan)
    assert "sequence" in (await bench.executor().submit(plan, seen)).revert
    assert await bench.sequence() == plan.sequence + 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt"])
async def test_crash__between_intent_and_outcome__resolves_to_exactly_one_bundle(
    bench: Bench, method: str, after: bool
) -> None:
    seen, plan = await first_bundle(bench)
    await bench.record(1, seen, plan)
    with pytest.raises(Killed):
        await bench.executor(DyingRpc(bench.rpc, method, after)).submit(plan, seen)
    await bench.journal.close()

    journal = SqlJournal(bench.url)  # a new process: nothing but the database and the chain
    done = await bench.executor(journal=journal).settle()
    assert done is not None
    await journal.append(2, "outcome", done)
    assert (done.ok, reconcile(plan, seen, done).worst <= 1) == (True, True)
    assert await bench.executor(journal=journal).settle() is None
    assert await bench.sequence() == plan.sequence + 1
    assert int(await bench.rpc.call("eth_getTransactionCount", bench.keeper.address, "latest"), 16) == 1
    await journal.close()


async def test_crash__bundle_waits_in_the_pool__is_unknown_until_it_is_mined(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    await bench.record(1, seen, plan)
    await bench.rpc.call("evm_setAutomine", False)
    with pytest.raises(ChainError, match="waiting to be mined"):
        await bench.executor(timeout_s=0.1).submit(plan, seen)
    with pytest.raises(ChainError, match="already imported"):
        await bench.executor(timeout_s=0.1).settle()
    assert (await bench.journal.memory()).open_intent == 2
    await cheats.mine(bench.rpc)
    done = await bench.executor().settle()
    assert done is not None
    assert done.ok
    assert len(await bench.journal.records("intent")) == 1


async def test_settle__nonce_used_elsewhere_and_deadline_final__has_failed_for_certain(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    await bench.record(1, seen, plan)
    with pytest.raises(Killed):
        await bench.executor(DyingRpc(bench.rpc, "eth_sendRawTransaction", False)).submit(plan, seen)
    await submit.send(bench.rpc, bench.keeper, ANYBODY, b"", value=1)
    with pytest.raises(ChainError, match="nonce too low"):
        await bench.executor().settle()
    await cheats.mine(bench.rpc, seconds=700)
    with pytest.raises(ChainError, match="nonce too low"):  # past the deadline, but a reorganisation could undo that
        await bench.executor().settle()
    await cheats.mine(bench.rpc, FINAL_BLOCKS)
    done = await bench.executor().settle()
    assert done is not None
    assert (done.ok, done.revert) == (False, "never mined, and its deadline has passed for good")
    assert await bench.sequence() == plan.sequence


async def test_submit__mined_after_its_deadline__fails_with_the_vaults_reason(bench: Bench) -> None:
    seen, plan = await first_bundle(bench)
    await bench.record(1, seen, plan)
    await bench.rpc.call("evm_setAutomine", False)
    sending = asyncio.create_task(bench.executor().submit(plan, seen))
    for _ in range(100):
        await asyncio.sleep(0.02)
        if len(await bench.journal.records("attempt")) == 1:
            break
    await asyncio.sleep(0.2)  # from the row to the node
    await cheats.mine(bench.rpc, seconds=700)
    done = await sending
    assert (done.ok, "deadline" in done.revert, done.fills) == (False, True, ())
    assert done.gas_used > 21_000
    assert await bench.sequence() == plan.sequence


async def test_send__contract_refuses__carries_its_words(bench: Bench) -> None:
    nothing = bytes.fromhex("00" * 4)
    with pytest.raises(Reverted):
        await submit.send(bench.rpc, bench.keeper, bench.vault, nothing)
    with pytest.raises(Reverted):
        await submit.send(bench.rpc, bench.keeper, bench.vault, nothing, gas=100_000)


class Deaf:
    async def tell(self, proposal: Proposal, outcome: Outcome | None) -> None:
        return None


async def test_cycle__vault_off_its_targets__is_rebalanced_once_and_then_at_rest(bench: Bench) -> None:
    policy = factories.policy(cost={"cooldown_s": 60})  # 40 / 40 / 20, the vault holds about 51 / 31 / 18
    proposal, outcome = await run_cycle(policy, bench.observer, bench.executor(), bench.journal, Deaf(), cycle=1)
    assert outcome is not None
    assert (proposal.verdict, outcome.ok) == ("go", True), (proposal.breaches, outcome.revert)
    notes = [record.body for record in await bench.journal.records("note")]
    assert notes == [Note(reconcile(proposal.plan, (await bench.journal.records("cycle"))[0].body[0], outcome).said)]  # type: ignore[index]
    assert "exactly as expected" in notes[0].said
    await cheats.mine(bench.rpc, seconds=120)
    proposal, outcome = await run_cycle(policy, bench.observer, bench.executor(), bench.journal, Deaf(), cycle=2)
    assert (proposal.verdict, outcome) == ("idle", None)
    assert max(abs(a - b) for a, b in zip(proposal.decision.weights, proposal.decision.targets, strict=True)) < 0.005


async def test_cycle__dry_run_without_a_key__shows_the_same_fills_and_sends_nothing(bench: Bench) -> None:
    policy, keyless = (
        factories.policy(cost={"cooldown_s": 60}),
        DryRunExecutor(bench.rpc, bench.keeper.address, bench.vault, bench.chain.market.multicall3),
    )
    block = await bench.rpc.call("eth_blockNumber")
    proposal, outcome = await run_cycle(policy, bench.observer, keyless, bench.journal, Deaf(), cycle=1, dry_run=True)
    assert outcome is not None
    assert (proposal.verdict, outcome.ok, outcome.tx) == ("go", True, None)
    assert await bench.rpc.call("eth_blockNumber") == block
    _, done = await run_cycle(policy, bench.observer, bench.executor(), bench.journal, Deaf(), cycle=2)
    assert done is not None
    assert done.fills == outcome.fills
