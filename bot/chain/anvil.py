"""A local node: one anvil process on a free port of this machine, for as long as a `with` lasts."""

import asyncio
import gzip
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from bot.chain import toolchain
from bot.chain.rpc import HttpRpc
from bot.core.errors import ChainError, DataError

CHAIN_ID = 1
SNIFFED = 64  # bytes
START_S = 30  # a fork asks its upstream before it listens
STOP_S = 5
LISTENING = re.compile(r"Listening on (127\.0\.0\.1:\d+)")


class Anvil:
    """`async with Anvil(...) as node:` a fresh chain with id 1, reachable at `node.url`.

    `state`: a file of `anvil --dump-state` (.gz too); `fork_url` and `fork_block`: another node, and where to pin it;
    `timestamp`: seconds of the first block; `options`: further arguments of anvil. ChainError when it does not start,
    ConfigError when there is no anvil. The process gets no environment of ours, so no secret of ours.
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        fork_url: str | None = None,
        fork_block: int | None = None,
        timestamp: int | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self._arguments = [*_origin(fork_url, fork_block), *options]
        if timestamp is not None:
            self._arguments += ["--timestamp", str(timestamp)]
        self._state = state
        self._forks = fork_url is not None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.url = ""  # once it runs

    async def __aenter__(self) -> "Anvil":
        binary = toolchain.find_anvil()
        self._folder = Path(tempfile.mkdtemp(prefix="evenkeel-anvil-"))
        try:
            self._launch(binary, self._folder)
            self.url = await self._wait_until_it_listens()
            async with HttpRpc(self.url) as rpc:
                await rpc.call("anvil_setLoggingEnabled", False)  # else a line of output per request, for ever
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def _launch(self, binary: Path, folder: Path) -> None:
        arguments = [*self._arguments, "--host", "127.0.0.1", "--port", "0", "--color", "never"]
        if self._state is not None:
            arguments += ["--load-state", str(_plain(self._state, folder))]
        with (folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [binary, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"HOME": str(folder), "PATH": os.defpath},
                start_new_session=True,  # Ctrl-C reaches us first, and we stop it in order
            )

    async def _wait_until_it_listens(self) -> str:
        assert self._folder is not None
        output = self._folder / "output"
        for _ in range(START_S * 100):
            if found := LISTENING.search(output.read_text(errors="replace")):
                return f"http://{found[1]}"
            if not self.running:
                mend = "; is the address of the node to fork right, and the node there?" if self._forks else ""
                raise ChainError(f"anvil did not start: {_last_words(output)}{mend}")
            await asyncio.sleep(0.01)
        raise ChainError(f"anvil did not listen within {START_S} s; is the node it forks reachable, the disk fast?")

    def _stop(self) -> None:
        """Does not await, so that a cancelled task cannot leave the process behind; takes about a millisecond."""
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _origin(fork_url: str | None, fork_block: int | None) -> list[str]:
    if fork_url is None:
        return ["--chain-id", str(CHAIN_ID)]
    pinned = [] if fork_block is None else ["--fork-block-number", str(fork_block)]
    return ["--fork-url", fork_url, *pinned]


def _plain(state: Path, folder: Path) -> Path:
    """The state as anvil reads it: unpacked. DataError when there is no such file, or it is no state."""
    if not state.is_file():
        raise DataError(f"expected a recorded state at {state}, found no file; correct the path")
    plain = state.resolve()
    try:
        if state.suffix == ".gz":
            plain = folder / "state.json"
            with gzip.open(state) as packed, plain.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
    except (OSError, EOFError) as error:
        raise DataError(f"expected a recorded state in {state}, found {error}; correct the path") from error
    with plain.open("rb") as file:
        start = file.read(SNIFFED).lstrip()
    if not start.startswith(b"{"):
        raise DataError(f"expected a recorded state (JSON of `anvil --dump-state`) in {state}, found another file")
    return plain


def _last_words(output: Path) -> str:
    lines = [line.strip() for line in output.read_text(errors="replace").splitlines() if line.strip()]
    return " ".join(lines[-3:]) or "it said nothing"
