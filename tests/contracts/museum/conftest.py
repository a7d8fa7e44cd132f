"""The vault tests' world, for the museum too."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.vault.world import World, build


@pytest.fixture(scope="session")
def _world() -> World:
    return build()


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    with boa.env.anchor():
        yield _world
