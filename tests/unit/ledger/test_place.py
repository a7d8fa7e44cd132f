"""Where a position lies among prices, whichever token comes first and however many decimals it has."""

from dataclasses import replace
from math import inf

import pytest

from bot.amm import v2, v3
from bot.amm.loss import range_amounts
from bot.core.types import Entry, Position, V3Pool
from bot.core.units import Liquidity, Raw, Tick, Timestamp
from bot.ledger.place import name_of, place
from tests.factories import pools, range_position, snapshot

USDC_WETH, _, WBTC_WETH, PAIR = pools()
LIQUIDITY = 10**16


def entered(pool, lower: int, upper: int) -> tuple[Position, Entry]:
    """A range of ticks around the pool's, entered at its price."""
    middle = pool.tick // pool.tick_spacing * pool.tick_spacing
    position = range_position(pool, middle + lower, middle + upper, LIQUIDITY)
    held = v3.amounts(pool.sqrt_price_x96, middle + lower, middle + upper, LIQUIDITY)
    return position, Entry(position.id, Liquidity(LIQUIDITY), *held, Timestamp(1))


def test_place__dear_token_second__is_turned_round() -> None:
    position, entry = entered(USDC_WETH, -1_000, 2_000)
    here = place(snapshot(positions=(position,)), position, entry)
    assert (here.token.symbol, here.quote.symbol) == ("WETH", "USDC")
    assert here.price == pytest.approx(3_000)
    assert here.lower == pytest.approx(3_000 / 1.0001**2_000, rel=1e-3)  # ticks count USDC in WETH
    assert here.upper == pytest.approx(3_000 * 1.0001**1_000, rel=1e-3)


def test_place__dear_token_first__stays() -> None:
    position, entry = entered(WBTC_WETH, -600, 1_200)
    here = place(snapshot(positions=(position,)), position, entry)
    assert (here.token.symbol, here.quote.symbol) == ("WBTC", "WETH")
    assert here.price == pytest.approx(30)
    assert here.lower < 30 / 1.0001**590 < 30 * 1.0001**1_150 < here.upper


@pytest.mark.parametrize("pool", [USDC_WETH, WBTC_WETH], ids=["turned", "as it is"])
def test_place__entered_at_one_price__its_amounts_are_those_of_a_unit_of_liquidity(pool: V3Pool) -> None:
    position, entry = entered(pool, -1_200, 1_800)
    here = place(snapshot(positions=(position,)), position, entry)
    amount, other = range_amounts(here.price, here.lower, here.upper)
    assert (here.held_token, here.held_quote) == pytest.approx((float(amount), float(other)), rel=1e-7)
    assert here.entered == pytest.approx(here.price, rel=1e-7)


def test_place__entered_in_two_parts_or_on_one_side__no_one_price() -> None:
    position, entry = entered(WBTC_WETH, -600, 1_200)
    world = snapshot(positions=(position,))
    parts = replace(entry, amount0=Raw(entry.amount0 * 11 // 10))
    assert place(world, position, parts).entered is None
    assert place(world, position, replace(entry, amount0=Raw(0))).entered is None


def test_place__pair__is_a_full_range_and_its_entry_tells_the_price_whatever_its_fees() -> None:
    position = Position(PAIR.address, PAIR.address, Tick(0), Tick(0), Liquidity(PAIR.supply // 100), Raw(0), Raw(0))
    amounts = v2.amounts(PAIR, position.liquidity)
    entry = Entry(position.id, position.liquidity, *amounts, Timestamp(1))
    here = place(snapshot(positions=(position,)), position, entry)
    assert (here.lower, here.upper, here.full) == (0, inf, True)
    assert here.entered == pytest.approx(3_000)
    grown = replace(PAIR, reserve0=Raw(PAIR.reserve0 * 2), reserve1=Raw(PAIR.reserve1 * 2))
    world = snapshot(positions=(position,), pools=(grown,))
    assert place(world, position, entry).entered == pytest.approx(3_000)
    assert place(world, position, entry).held_token == pytest.approx(here.held_token / 2)


def test_name_of__range_nft_and_pair__tells_them_apart() -> None:
    position, _ = entered(USDC_WETH, -10, 10)
    assert name_of(position) == f"{position.tick_lower}:{position.tick_upper}"
    assert name_of(replace(position, id="nft:12")) == "nft:12"
    assert name_of(replace(position, id=position.pool)) == "pair"
