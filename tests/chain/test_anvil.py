"""The local node starts, stops whatever happens, and says why when it cannot; cheats do what they say."""

import asyncio
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chain import cheats
from bot.chain.abi import encode_call
from bot.chain.anvil import Anvil
from bot.chain.mainnet import MAINNET
from bot.chain.rpc import HttpRpc
from bot.core.errors import ChainError, DataError, Reverted

pytestmark = pytest.mark.chain
ANYBODY = "0x00000000000000000000000000000000000A11cE"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(node: Anvil) -> int:
    assert node._process is not None
    return node._process.pid


async def test_anvil__two_at_once__answer_on_ports_of_their_own_and_stop():
    async with Anvil() as one, Anvil(timestamp=1_800_000_000) as other:
        pids = [pid_of(one), pid_of(other)]
        assert one.url != other.url
        async with HttpRpc(other.url) as rpc:
            assert int(await rpc.call("eth_chainId"), 16) == 1
            assert await cheats.latest_timestamp(rpc) == 1_800_000_000
        folder = one._folder
        assert folder is not None
        assert folder.is_dir()
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()


async def test_anvil__task_cancelled__process_is_gone():
    node, up = Anvil(), asyncio.Event()

    async def run() -> None:
        async with node:
            up.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(run())
    await up.wait()
    pid = pid_of(node)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pid)


async def test_anvil__cancelled_while_starting__process_is_gone():
    node = Anvil()
    task = asyncio.create_task(node.__aenter__())
    await asyncio.sleep(0)  # as far as its first wait: launched, not yet listening
    pid = pid_of(node)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pid)


async def test_anvil__upstream_not_reachable__says_why():
    with pytest.raises(
        ChainError, match=r"anvil did not start: .*(connect|error).*is the address of the node to fork right"
    ):
        await Anvil(fork_url="http://127.0.0.1:9", options=("--retries", "0")).__aenter__()


@pytest.mark.parametrize(
    ("name", "pack", "said"),
    [
        ("state.csv", lambda b: b, r"expected a recorded state .* in .*state\.csv, found another file"),
        ("state.json.gz", gzip.compress, r"expected a recorded state .* in .*state\.json\.gz, found another file"),
        ("state.json.gz", lambda b: b, r"expected a recorded state in .*state\.json\.gz, found Not a gzipped file"),
    ],
    ids=["plain", "packed", "not packed"],
)
async def test_anvil__state_file_that_is_none__says_why(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], said: str
):
    (tmp_path / name).write_bytes(pack(b"no state"))
    with pytest.raises(DataError, match=said):
        await Anvil(state=tmp_path / name).__aenter__()


async def test_anvil__no_state_file__is_the_callers_to_correct(tmp_path: Path):
    with pytest.raises(DataError, match="found no file; correct the path"):
        await Anvil(state=tmp_path / "none.json.gz").__aenter__()


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
async def test_anvil__our_environment__is_not_handed_over(monkeypatch):
    monkeypatch.setenv("EVENKEEL_SECRET_OF_THE_TEST", "hunter2")
    async with Anvil() as node:
        found = environment_of(pid_of(node))
    assert b"PATH=" in found
    assert b"hunter2" not in found


async def test_cheats__failed_call__carries_the_contracts_reason(replica):
    transfer = ("transfer(address,uint256)", ANYBODY, 10**30)
    await cheats.set_ether(replica.rpc, ANYBODY, 10**18)
    for gas in (None, 200_000):
        with pytest.raises(Reverted, match="token: balance"):
            await cheats.call_as(replica.rpc, ANYBODY, MAINNET.token("USDC").address, *transfer, gas=gas)


async def test_cheats__too_little_gas__is_named(replica):
    await cheats.set_ether(replica.rpc, ANYBODY, 10**18)
    approve = ("approve(address,uint256)", ANYBODY, 1)
    with pytest.raises(ChainError, match="OutOfGas"):
        await cheats.call_as(replica.rpc, ANYBODY, MAINNET.token("USDC").address, *approve, gas=30_000)


async def test_cheats__code_storage_nonce_and_ether__are_set(replica):
    code = bytes.fromhex("60005460005260206000f3")  # answers storage slot 0
    await cheats.set_code(replica.rpc, ANYBODY, code)
    await cheats.set_storage(replica.rpc, ANYBODY, 0, 77)
    await cheats.set_nonce(replica.rpc, ANYBODY, 5)
    await cheats.set_ether(replica.rpc, ANYBODY, 12_345)
    assert int(await replica.rpc.call("eth_call", {"to": ANYBODY}, "latest"), 16) == 77
    assert int(await replica.rpc.call("eth_getTransactionCount", ANYBODY, "latest"), 16) == 5
    assert int(await replica.rpc.call("eth_getBalance", ANYBODY, "latest"), 16) == 12_345


async def test_cheats__time__goes_on_from_where_it_was_set(replica):
    start = await cheats.latest_timestamp(replica.rpc)
    await cheats.mine(replica.rpc, 3, seconds=500)
    later = await cheats.latest_timestamp(replica.rpc)
    assert 500 <= later - start <= 510
    await cheats.set_next_timestamp(replica.rpc, later + 100)
    await cheats.mine(replica.rpc)
    assert await cheats.latest_timestamp(replica.rpc) == later + 100
    with pytest.raises(ChainError, match="lower than previous"):
        await cheats.set_next_timestamp(replica.rpc, later)


async def test_cheats__revert__brings_everything_back_once(replica):
    before = await cheats.snapshot(replica.rpc)
    at = await cheats.latest_timestamp(replica.rpc)
    usdc = MAINNET.token("USDC").address
    read = {"to": usdc, "data": "0x" + encode_call("balanceOf(address)", ANYBODY).hex()}
    await cheats.deal(replica.rpc, usdc, ANYBODY, 99)
    await cheats.mine(replica.rpc, seconds=10_000)
    assert int(await replica.rpc.call("eth_call", read, "latest"), 16) == 99
    await cheats.revert(replica.rpc, before)
    assert int(await replica.rpc.call("eth_call", read, "latest"), 16) == 0
    await cheats.mine(replica.rpc)
    assert await cheats.latest_timestamp(replica.rpc) - at < 60
    with pytest.raises(ChainError, match="each can be used once"):
        await cheats.revert(replica.rpc, before)


async def test_cheats__automatic_mining_off__is_named(replica, monkeypatch):
    monkeypatch.setattr(cheats, "MINED_WITHIN_S", 0.1)
    await cheats.set_ether(replica.rpc, ANYBODY, 10**18)
    await replica.rpc.call("evm_setAutomine", False)
    with pytest.raises(ChainError, match="is automatic mining on"):
        await cheats.send_as(replica.rpc, ANYBODY, ANYBODY, gas=21_000)


async def test_cheats__nonce_of_an_account_with_a_waiting_transaction__is_refused(replica, monkeypatch):
    monkeypatch.setattr(cheats, "MINED_WITHIN_S", 0.1)
    await cheats.set_ether(replica.rpc, ANYBODY, 10**18)
    await replica.rpc.call("evm_setAutomine", False)
    with pytest.raises(ChainError, match="is automatic mining on"):
        await cheats.send_as(replica.rpc, ANYBODY, ANYBODY, gas=21_000)
    with pytest.raises(ChainError, match="found transactions waiting"):
        await cheats.set_nonce(replica.rpc, ANYBODY, 40)
