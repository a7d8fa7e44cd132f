"""One market for all contract tests of a process, rolled back after each."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.market import Market, open_market


@pytest.fixture(scope="session")
def _opened_market() -> Market:
    return open_market()


@pytest.fixture
def market(_opened_market: Market) -> Iterator[Market]:
    with boa.env.anchor():
        yield _opened_market
