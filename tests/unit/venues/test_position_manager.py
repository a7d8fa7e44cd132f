"""NFTs of a wallet: which count, and their fees."""

from bot.chain.mainnet import MAINNET
from bot.venues.position_manager import nfts
from tests.unit.venues.reading import read
from tests.unit.venues.test_uniswap_v3 import Q128, growth

WALLET = "0x00000000000000000000000000000000000000aA"
USDC, WETH, LINK = (MAINNET.token(symbol).address.lower() for symbol in ("USDC", "WETH", "LINK"))


def details(token0: str, token1: str, fee: int, liquidity: int, owed: tuple[int, int] = (0, 0)) -> tuple[object, ...]:
    return 0, "0x", token0, token1, fee, -10, 10, liquidity, 1 * Q128, 2 * Q128, *owed


def test_nfts__ours_and_others__keeps_those_of_our_pools_that_hold_something() -> None:
    found, asked = read(
        nfts(MAINNET, WALLET),
        [(5,)],
        [(11,), (12,), (13,), (14,), (15,)],
        [
            details(USDC, WETH, 500, 100),
            details(USDC, WETH, 10_000, 100),  # a pool we do not know
            details(USDC, WETH, 500, 0),  # emptied
            details(USDC, WETH, 3_000, 0, (8, 9)),  # closed, fees not yet collected
            details(USDC, LINK, 500, 100),
        ],
        [*growth(0, 4 * Q128, 4 * Q128, (0, 0), (0, 0)), *growth(0, 4 * Q128, 4 * Q128, (0, 0), (0, 0))],
    )
    assert [(each.id, each.pool, each.fees0, each.fees1) for each in found] == [
        ("nft:11", MAINNET.pool("USDC/WETH-500").address, 300, 200),
        ("nft:14", MAINNET.pool("USDC/WETH-3000").address, 8, 9),
    ]
    assert [len(calls) for calls in asked] == [1, 5, 5, 10]


def test_nfts__empty_wallet__is_no_position() -> None:
    found, _ = read(nfts(MAINNET, WALLET), [(0,)], [], [], [])
    assert found == ()
