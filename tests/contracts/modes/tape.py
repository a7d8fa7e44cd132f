"""Every call of a session written down, and run again on another engine with other code at some addresses."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boa
from boa.util.abi import Address
from eth_utils.abi import function_abi_to_4byte_selector as selector
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env

from tests.contracts.vault.world import World, charter_source, decode_reason, vault_source

GAS = 10**9
FREE = 2**63 - 1
OUTPUT = "output: 0x"

Log = tuple[str, tuple[bytes, ...], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a call lets its caller see, and the events of everybody it called."""

    fails: bool
    output: bytes
    logs: tuple[Log, ...] = ()

    @property
    def reason(self) -> str:
        """Of a refusal in words; else ""."""
        return decode_reason(self.output[4:]) if self.fails and len(self.output) >= 68 else ""


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction or question, and when."""

    timestamp: int
    block: int
    sender: str
    to: str
    data: bytes
    asks: bool
    answer: Answer


@dataclass(frozen=True, slots=True)
class Account:
    """Code, and every slot that was ever written."""

    code: bytes
    storage: dict[int, int]


@dataclass
class Tape:
    """The accounts before, the calls in their order, the storage of vault and charter after."""

    vault: str = ""
    charter: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    storage: dict[str, dict[int, int]] = field(default_factory=dict)

    @contextmanager
    def recording(self, world: World) -> Iterator[None]:
        env, execute = boa.env, boa.env.execute_code
        self.vault, self.charter = str(world.vault.address), str(world.charter.address)
        addresses = {*map(str, env.sstore_trace), *(str(Address(raw)) for raw in env._contracts)}
        self.accounts = {address: account(address) for address in sorted(addresses)}

        def heard(**asked: Any) -> Any:
            computation = execute(**asked)
            sender, to = str(env._get_sender(asked["sender"])), str(asked["to_address"])
            logs = tuple(
                (str(Address(raw)), tuple(topic.to_bytes(32) for topic in topics), bytes(data))
                for raw, topics, data in computation.get_log_entries()
            )
            answer = Answer(computation.is_error, bytes(computation.output), logs)
            block, asks = env.evm.patch.block_number, not asked["is_modifying"]
            self.calls.append(Call(env.timestamp, block, sender, to, bytes(asked["data"]), asks, answer))
            return computation

        env.execute_code = heard
        try:
            yield
        finally:
            del env.execute_code
            self.storage = {address: account(address).storage for address in (self.vault, self.charter)}

    def differences(self, codes: Mapping[str, bytes], most: int = 3) -> list[str]:
        """The first answers that are others with this code at some addresses, and whether what is stored is."""
        evm = EVM(env=Env(cfg=CfgEnv(limit_contract_code_size=FREE)), gas_limit=FREE, spec_id="CANCUN")
        for address, before in self.accounts.items():
            evm.insert_account_info(address, AccountInfo(nonce=1, code=codes.get(address, before.code)))
            for slot, value in before.storage.items():
                evm.insert_account_storage(address, slot, value)
        found: list[str] = []
        for number, call in enumerate(self.calls):
            if (answer := answered(evm, call)) != call.answer:
                found.append(f"call {number}, {call.data.hex()[:72]}: {call.answer}, then {answer}")
            if len(found) == most:
                return found
        for address, stored in self.storage.items():
            slots = {slot: int(evm.storage(address, slot)) for slot in stored}
            if slots != stored:
                found.append(f"storage of {address}: {set(slots.items()) ^ set(stored.items())}")
        return found

    def reasons(self) -> Counter[str]:
        """How often each was given."""
        return Counter(call.answer.reason for call in self.calls if call.answer.reason)

    def done(self) -> Counter[str]:
        """How often vault and charter did what each of their functions was asked."""
        names = {
            (address, selector(entry)): entry["name"]
            for address, source in ((self.vault, vault_source()), (self.charter, charter_source()))
            for entry in source["abi"]
            if entry["type"] == "function"
        }
        asked = ((call.to, call.data[:4]) for call in self.calls if not call.answer.fails)
        return Counter(names[call] for call in asked if call in names)


def account(address: str) -> Account:
    """As it is now."""
    slots = boa.env.sstore_trace.get(Address(address), ())
    return Account(
        boa.env.get_code(Address(address)), {slot: boa.env.get_storage(Address(address), slot) for slot in slots}
    )


def answered(evm: EVM, call: Call) -> Answer:
    """What this engine says."""
    evm.reset_transient_storage()
    evm.set_block_env(BlockEnv(number=call.block, timestamp=call.timestamp, basefee=0, gas_limit=FREE))
    try:
        output = evm.message_call(call.sender, call.to, call.data, gas=GAS, is_static=call.asks)
    except RuntimeError as error:
        _, _, data = str(error).partition(OUTPUT)
        return Answer(True, bytes.fromhex(data.rstrip(" }")))
    logs = evm.result.logs if evm.result else []
    return Answer(False, bytes(output), tuple(_log(log) for log in logs))


def _log(log: Any) -> Log:
    topics, data = log.data
    return str(Address(log.address)), tuple(bytes(topic) for topic in topics), bytes(data)
