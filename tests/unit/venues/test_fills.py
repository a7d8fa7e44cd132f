"""A receipt's events, step by step."""

import pytest

from bot.chain.abi import encode, event_topic
from bot.core.errors import DataError
from bot.core.types import Fill, Snapshot, Token
from bot.venues.fills import receipt_fills
from tests import factories
from tests.factories import USDC, WETH
from tests.unit.venues.test_vault import PAIR, USDC_WETH, WBTC_USDC, WBTC_WETH, add, plan, remove, swap

VAULT = "0x00000000000000000000000000000000000000AA"
STRANGER = "0x00000000000000000000000000000000000000bb"
V3_SWAP = "Swap(address,address,int256,int256,uint160,uint128,int24)"
V3_MINT = "Mint(address,address,int24,int24,uint128,uint256,uint256)"
V3_BURN = "Burn(address,int24,int24,uint128,uint256,uint256)"
V3_COLLECT = "Collect(address,address,int24,int24,uint128,uint128)"
V2_SWAP = "Swap(address,uint256,uint256,uint256,uint256,address)"
V2_MINT = "Mint(address,uint256,uint256)"
V2_BURN = "Burn(address,uint256,uint256,address)"


@pytest.fixture
def world() -> Snapshot:
    return factories.snapshot(vault=factories.vault_state())


def word(value: str | int) -> str:
    return "0x" + (value[2:].lower().rjust(64, "0") if isinstance(value, str) else f"{value % 2**256:064x}")


def log(
    pool: str, event: str, indexed: list[str | int], types: tuple[str, ...] = (), *values: object
) -> dict[str, object]:
    topics = [event_topic(event), *map(word, indexed)]
    return {"address": pool.lower(), "topics": topics, "data": "0x" + encode(types, *values).hex()}


def collect(pool: str, lower: int, upper: int, amount0: int, amount1: int, owner: str = VAULT) -> dict[str, object]:
    types = ("address", "uint128", "uint128")
    return log(pool, V3_COLLECT, [owner, lower, upper], types, VAULT, amount0, amount1)


def swapped(pool: str, amount0: int, amount1: int, sender: str = VAULT) -> dict[str, object]:
    types = ("int256", "int256", "uint160", "uint128", "int24")
    return log(pool, V3_SWAP, [sender, sender], types, amount0, amount1, 1, 1, 1)


def minted(pool: str, lower: int, upper: int, amount0: int, amount1: int) -> dict[str, object]:
    types = ("address", "uint128", "uint256", "uint256")
    return log(pool, V3_MINT, [VAULT, lower, upper], types, VAULT, 9, amount0, amount1)


def test_receipt_fills__a_bundle_on_v3__signs_follow_the_account(world: Snapshot) -> None:
    logs = [
        log(WBTC_USDC, V3_BURN, [VAULT, -60, 120], ("uint128", "uint256", "uint256"), 7, 1, 2),
        collect(WBTC_USDC, -60, 120, 30, 40),
        swapped(USDC_WETH, 500, -495),
        minted(WBTC_WETH, -120, -60, 50, 60),
    ]
    found = receipt_fills(plan(remove(), swap(), add()), world, {"logs": logs})
    assert found == (Fill(0, 30, 40), Fill(1, -500, 495), Fill(2, -50, -60))


def test_receipt_fills__others_events_between__are_passed_over(world: Snapshot) -> None:
    logs = [
        swapped(USDC_WETH, 1, -1, sender=STRANGER),
        collect(WBTC_USDC, -60, 120, 9, 9, owner=STRANGER),
        collect(WBTC_USDC, -600, 120, 8, 8),  # another range of ours
        collect(WBTC_WETH, -60, 120, 7, 7),  # another pool
        {"address": USDC_WETH, "topics": [], "data": "0x"},  # an anonymous event
        collect(WBTC_USDC, -60, 120, 30, 40),
    ]
    assert receipt_fills(plan(remove()), world, {"logs": logs}) == (Fill(0, 30, 40),)


def test_receipt_fills__two_swaps_on_one_pool__are_told_apart_by_their_order(world: Snapshot) -> None:
    logs = [swapped(USDC_WETH, 500, -495), swapped(USDC_WETH, -480, 500)]
    found = receipt_fills(plan(swap(), swap(WETH)), world, {"logs": logs})
    assert found == (Fill(0, -500, 495), Fill(1, 480, -500))


def given(token: Token, pool: str, raw: int, sender: str = VAULT) -> dict[str, object]:
    return log(token.address, "Transfer(address,address,uint256)", [sender, pool], ("uint256",), raw)


def test_receipt_fills__a_stranger_gave_the_pair_one_more__only_our_gift_counts(world: Snapshot) -> None:
    logs = [
        given(USDC, WBTC_USDC, 3),  # to another pool
        given(USDC, PAIR, 1, STRANGER),
        log(PAIR, V2_BURN, [VAULT, VAULT], ("uint256",) * 2, 30, 40),
        given(USDC, PAIR, 500),
        log(PAIR, V2_SWAP, [VAULT, VAULT], ("uint256",) * 4, 501, 0, 0, 495),
        given(WETH, PAIR, 500),
        log(PAIR, V2_SWAP, [VAULT, VAULT], ("uint256",) * 4, 0, 501, 480, 0),
        given(USDC, PAIR, 50),
        given(WETH, PAIR, 60),
        log(PAIR, V2_MINT, [VAULT], ("uint256",) * 2, 51, 60),
    ]
    steps = (remove(PAIR, 0, 0), swap(pool=PAIR), swap(WETH, pool=PAIR), add(PAIR, 0, 0))
    assert receipt_fills(plan(*steps), world, {"logs": logs}) == (
        Fill(0, 30, 40),
        Fill(1, -500, 495),
        Fill(2, 480, -500),
        Fill(3, -50, -60),
    )


@pytest.mark.parametrize("logs", [[], [swapped(USDC_WETH, 500, -495)], [collect(WBTC_USDC, -60, 120, 1, 1)]])
def test_receipt_fills__a_step_without_event__is_a_data_error(logs: list[dict[str, object]], world: Snapshot) -> None:
    with pytest.raises(DataError, match=r"expected an event of step [01]"):
        receipt_fills(plan(remove(), swap()), world, {"logs": logs})
