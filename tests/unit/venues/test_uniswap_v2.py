"""Pairs, LP tokens and balances."""

import pytest

from bot.chain.mainnet import MAINNET
from bot.core.errors import DataError
from bot.core.types import Amount, Position, V2Pool
from bot.core.units import Raw
from bot.venues import erc20, uniswap_v2
from tests.unit.venues.reading import read

SPEC = MAINNET.pool("USDC/WETH-v2")
HOLDER = "0x00000000000000000000000000000000000000aA"


def test_pair__reserves_and_supply__become_a_pool() -> None:
    found, _ = read(uniswap_v2.pair(SPEC), [(10, 20, 1_700_000_000), (14,)])
    assert found == V2Pool(SPEC.address, SPEC.token0, SPEC.token1, SPEC.fee, 10, 20, 14)  # type: ignore[arg-type]


@pytest.mark.parametrize("answers", [[(0, 20, 0), (14,)], [(10, 0, 0), (14,)], [(10, 20, 0), (0,)]])
def test_pair__empty__is_a_data_error(answers: list[tuple[int, ...]]) -> None:
    with pytest.raises(DataError, match="USDC/WETH-v2: expected a pair with reserves"):
        read(uniswap_v2.pair(SPEC), answers)


@pytest.mark.parametrize(
    ("tokens", "positions"),
    [(0, ()), (9, (Position(SPEC.address, SPEC.address, 0, 0, 9, 0, 0),))],  # type: ignore[arg-type]
)
def test_holding__lp_tokens__become_a_position(tokens: int, positions: tuple[Position, ...]) -> None:
    found, _ = read(uniswap_v2.holding(SPEC, HOLDER), [(tokens,)])
    assert found == positions


@pytest.mark.parametrize("ether", [0, 7])
def test_balances__tokens_in_order__native_coin_last_where_held(ether: int) -> None:
    found, _ = read(erc20.balances((SPEC.token1, SPEC.token0), HOLDER, MAINNET.multicall3), [(5,), (6,), (ether,)])
    tokens = (Amount(SPEC.token1, Raw(5)), Amount(SPEC.token0, Raw(6)))
    assert found == (tokens if not ether else (*tokens, Amount(erc20.ETHER, Raw(7))))
