"""The world made afresh with any code for vault and charter, at the same addresses each time, and a session on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import boa
import pytest
from boa import Env

from tests.contracts.modes.drive import Drive
from tests.contracts.modes.tape import Tape
from tests.contracts.vault import world as vault_world
from tests.contracts.vault.world import World, charter_source, vault_source

CODE_LIMIT = 2**17  # code that is not optimised is longer than EIP-170 allows
NOW = 1_800_000_000


@contextmanager
def opened(creation: bytes, charter: bytes = b"") -> Iterator[World]:
    """On a chain of its own; without code for the charter, it is the one that is shipped."""
    source = with_code(vault_source(), creation)
    rules = with_code(charter_source(), charter)
    env = Env()
    env.set_random_seed("modes")
    env.eoa = env.generate_address("eoa")
    with boa.swap_env(env), env.anchor(), pytest.MonkeyPatch.context() as patch:
        env.evm.patch.timestamp = NOW
        env.evm.patch.code_size_limit = CODE_LIMIT  # of the process, but for the anchor
        patch.setattr(vault_world, "deploy_vault", partial(vault_world.deploy_vault, source=lambda: source))
        patch.setattr(vault_world, "charter_source", lambda: rules)
        yield vault_world.build()


def with_code(source: dict[str, Any], creation: bytes) -> dict[str, Any]:
    return source | {"bytecode": "0x" + creation.hex()} if creation else source


def deployed(creation: bytes, charter: bytes = b"") -> dict[str, bytes]:
    """The code with immutables that the world's vault and charter have then, by address."""
    with opened(creation, charter) as world:
        return {str(at.address): bytes(boa.env.get_code(at.address)) for at in (world.vault, world.charter)}


@cache
def recorded(creation: bytes, seed: int, steps: int, charter: bytes = b"") -> Tape:
    """A session of so many steps."""
    tape = Tape()
    with opened(creation, charter) as world, tape.recording(world):
        Drive(world, seed).run(steps)
    return tape
