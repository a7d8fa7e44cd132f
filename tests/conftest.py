"""What every test may use: no network, recorded data where it is at hand, local chains rolled back after each test."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from decimal import DefaultContext, localcontext
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from bot.chain import cheats, grades
from bot.chain.rpc import HttpRpc

ROOT = Path(__file__).parents[1]
RECORDED_STATE = "fork_state/mainnet_v3_7pools_2026-01-30.anvil_state.json.gz"
CHAINS = {"replica", "recorded"}  # fixtures that talk to a local node

settings.register_profile("default", deadline=None)
settings.register_profile("deep", deadline=None, max_examples=2_000)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses a chain is a chain test, whether it says so or not."""
    for item in items:
        if CHAINS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.chain)


@pytest.fixture(autouse=True)
def _network(request: pytest.FixtureRequest) -> Iterator[None]:
    """None at all; for chain tests this machine only."""
    if request.node.get_closest_marker("chain"):
        socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)
    yield
    socket_allow_hosts(None)
    enable_socket()


@pytest.fixture(autouse=True)
def _precision(request: pytest.FixtureRequest) -> Iterator[None]:
    """Python's own, as in the bot: the Vyper compiler, loaded by a plugin of pytest, sets 78 digits for the process."""
    if "contracts" in request.path.parts:
        yield
        return
    with localcontext(DefaultContext):
        yield


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """As it is at the start: a verb sets the log up for its process, with a stream that ends with its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The directory of recorded market data: EVENKEEL_DATA, else beside the repository; skips where there is none."""
    named = os.environ.get("EVENKEEL_DATA")
    found = Path(named) if named else ROOT.parent / "shared" / "data"
    if not found.is_dir():
        pytest.skip(f"no recorded market data in {found}; set EVENKEEL_DATA to a directory that has it")
    return found


@pytest.fixture(scope="session")
def data_file(data_dir: Path) -> Callable[[str], Path]:
    """`data_file("prices/x.parquet")`: its path; skips when that file is not at hand."""

    def find(name: str) -> Path:
        path = data_dir / name
        if not path.is_file():
            pytest.skip(f"no {name} in {data_dir}")
        return path

    return find


@contextmanager
def _running(grade: AbstractAsyncContextManager[grades.Chain]) -> Iterator[str]:
    """Keep a chain for the session, on a loop of its own: the tests' loops come and go."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        chain = runner.run(grade.__aenter__())
        try:
            yield chain.url
        finally:
            runner.run(grade.__aexit__(None, None, None))


async def _rolled_back(url: str) -> AsyncIterator[grades.Chain]:
    async with HttpRpc(url, timeout_s=60) as rpc:
        before = await cheats.snapshot(rpc)
        yield grades.Chain(url, rpc)
        await rpc.call("anvil_dropAllTransactions")
        await rpc.call("evm_setAutomine", True)
        await cheats.revert(rpc, before)


@pytest.fixture(scope="session")
def _replica_url() -> Iterator[str]:
    with _running(grades.replica()) as url:
        yield url


@pytest.fixture(scope="session")
def _recorded_url(data_file: Callable[[str], Path]) -> Iterator[str]:
    with _running(grades.state(data_file(RECORDED_STATE))) as url:
        yield url


@pytest.fixture
async def replica(_replica_url: str) -> AsyncIterator[grades.Chain]:
    """A replica of mainnet's market (`.rpc`, `.url`, `.market`); whatever the test does to it is undone."""
    async for chain in _rolled_back(_replica_url):
        yield chain


@pytest.fixture
async def recorded(_recorded_url: str) -> AsyncIterator[grades.Chain]:
    """The recorded mainnet state, in the same way; skips where the recording is not at hand."""
    async for chain in _rolled_back(_recorded_url):
        yield chain
