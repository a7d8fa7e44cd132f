"""A chain in memory, some hundred times faster than titanoboa's: every call is a transaction of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyrevm import EVM, BlockEnv, CfgEnv, Env, JournalCheckpoint

from bot.chain.revert import reason

BLOCK_S = 12
GENESIS_S = 1_800_000_000
GAS = 10**9  # of one call; nothing here may fail for want of it
FREE = 2**63 - 1
MOST_OPEN = 900  # snapshots; the frames left are for calls
DEPLOYER = "0x" + "d0" * 20
OUTPUT = "output: 0x"


class Reverted(Exception):
    """A call that undid itself; says why: the contract's own words, a panic, the bytes in hex, or the EVM's halt."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """State, time and number of a block to come back to."""

    checkpoint: JournalCheckpoint
    time: int
    block: int


class Chain:
    """Contracts without limits of size, gas price or balance. Addresses are lower-case hex."""

    def __init__(self) -> None:
        self.time, self.block = GENESIS_S, 1
        self._open: list[Snapshot] = []
        config = CfgEnv(chain_id=1, limit_contract_code_size=FREE)
        self._evm = EVM(env=Env(cfg=config, block=self._block_env()), gas_limit=FREE, spec_id="CANCUN")

    def deploy(self, code: bytes, sender: str = DEPLOYER) -> str:
        """Run creation code, arguments included; where the contract is."""
        self._evm.reset_transient_storage()
        try:
            return str(self._evm.deploy(sender, code, gas=GAS)).lower()
        except RuntimeError as error:
            raise Reverted(_words(str(error))) from None

    def nonce(self, who: str) -> int:
        """Of the next transaction or contract of somebody's."""
        return int(self._evm.basic(who).nonce)

    def call(self, sender: str, to: str, data: bytes) -> bytes:
        """Send a transaction within the present block. Reverted when it fails; then nothing has changed."""
        self._evm.reset_transient_storage()
        try:
            return self._evm.message_call(sender, to, data, gas=GAS)
        except RuntimeError as error:
            raise Reverted(_words(str(error))) from None

    def view(self, to: str, data: bytes, sender: str = DEPLOYER) -> bytes:
        """Ask without the right to change anything."""
        self._evm.reset_transient_storage()
        try:
            return self._evm.message_call(sender, to, data, gas=GAS, is_static=True)
        except RuntimeError as error:
            raise Reverted(_words(str(error))) from None

    def storage(self, address: str, slot: int) -> int:
        """One word of a contract's storage, ten times faster than a view."""
        return int(self._evm.storage(address, slot))

    @property
    def gas_used(self) -> int:
        """By the last call that succeeded or reverted; slots touched before by any call count as warm."""
        result = self._evm.result
        return result.gas_used if result else 0

    def warp(self, seconds: int, blocks: int | None = None) -> None:
        """Go on to a later block; one takes 12 seconds unless told."""
        self.time += seconds
        self.block += max(1, seconds // BLOCK_S) if blocks is None else blocks
        self._evm.set_block_env(self._block_env())

    def snapshot(self) -> Snapshot:
        """A state to come back to; one left open counts as a frame of every later call, of which 1,024 are allowed."""
        if len(self._open) >= MOST_OPEN:
            raise ValueError(f"expected at most {MOST_OPEN} snapshots open: revert to one, or to one before them")
        self._open.append(Snapshot(self._evm.snapshot(), self.time, self.block))
        return self._open[-1]

    def revert(self, to: Snapshot) -> None:
        """Undo all since a snapshot and use it up, and all taken after it. ValueError when it was used up before."""
        if to not in self._open:
            raise ValueError("this snapshot was used up; the EVM would undo something else")
        last = None
        while last is not to:  # one by one: the EVM takes one frame off its depth for each
            last = self._open.pop()
            self._evm.revert(last.checkpoint)
        self.time, self.block = to.time, to.block
        self._evm.set_block_env(self._block_env())

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end whatever is done inside."""
        start = self.snapshot()
        try:
            yield
        finally:
            self.revert(start)

    def _block_env(self) -> BlockEnv:
        return BlockEnv(number=self.block, timestamp=self.time, basefee=0, gas_limit=FREE)


def _words(error: str) -> str:
    """Of revm's `Revert { gas_used: 1, output: 0x... }` the reason; of a halt its own words."""
    _, found, data = error.partition(OUTPUT)
    return reason(bytes.fromhex(data.rstrip(" }"))) if found else error
