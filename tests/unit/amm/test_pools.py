"""One face over both curves."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.amm import pools, v2, v3
from bot.core.types import Position, Token
from tests.unit.amm.build import TOKEN0, TOKEN1, at_tick, v2_pool, v3_pool

E18 = 10**18
STRANGER = Token("0x0000000000000000000000000000000000000Cc2", "CCC", 18)
PAIR = v2_pool(5 * E18, 10 * E18, 7 * E18)
RANGES = v3_pool((-887220, 887220, 10 * E18), (-60, 60, E18))


@pytest.mark.parametrize("token", [TOKEN0, TOKEN1])
@pytest.mark.parametrize("pool", [PAIR, RANGES])
def test_quote_and_swap__either_curve__agree_with_the_curve(pool, token) -> None:
    after, out = pools.swap(pool, token, E18)
    assert pools.quote(pool, token, E18) == out > 0
    if pool is PAIR:
        assert (after, out) == v2.swap(PAIR, token == TOKEN0, E18)
    else:
        result = v3.swap_exact_in(RANGES, token == TOKEN0, E18)
        assert (after, out) == (result.pool, result.amount_out)


@pytest.mark.parametrize("pool", [PAIR, RANGES])
def test_other__each_token__its_counterpart(pool) -> None:
    assert pools.other(pool, TOKEN0) == TOKEN1
    assert pools.other(pool, TOKEN1) == TOKEN0


@pytest.mark.parametrize("pool", [PAIR, RANGES])
def test_any__token_the_pool_does_not_trade__refused(pool) -> None:
    for ask in (lambda: pools.quote(pool, STRANGER, 1), lambda: pools.swap(pool, STRANGER, 1)):
        with pytest.raises(ValueError, match="trades AAA and BBB, found CCC"):
            ask()
    with pytest.raises(ValueError, match="trades AAA and BBB, found CCC"):
        pools.other(pool, STRANGER)


def test_quote_and_swap__more_than_the_pool_can_take__refused_not_partial() -> None:
    narrow = v3_pool((-60, 60, E18))
    most = v3.swap_exact_in(narrow, True, E18).amount_in
    assert pools.quote(narrow, TOKEN0, most) > 0
    for ask in (pools.quote, pools.swap):
        with pytest.raises(ValueError, match=rf"v3: pool .* can take only {most} of {most + 1}"):
            ask(narrow, TOKEN0, most + 1)


def test_holdings__range_and_lp_tokens__principal_without_fees() -> None:
    position = Position("p", RANGES.address, -60, 60, E18, 11, 12)
    assert pools.holdings(RANGES, position) == v3.burn(RANGES, -60, 60, E18)[1:]
    assert pools.holdings(PAIR, Position("q", PAIR.address, 0, 0, E18, 0, 0)) == (5 * E18 // 7, 10 * E18 // 7)


def test_spot__decimals_differ__price_of_whole_units() -> None:
    usdc, weth = Token("0x1", "USDC", 6), Token("0x2", "WETH", 18)
    pair = replace(v2_pool(3_000 * 10**6, E18, E18), token0=usdc, token1=weth)
    assert pools.spot(pair) * 3_000 == pytest.approx(Decimal(1), abs=Decimal("1e-40"))
    pool = replace(v3_pool(sqrt_price_x96=1 << 96), token0=weth, token1=usdc)
    assert pools.spot(pool) == Decimal(10) ** 12


def test_spot__price_at_a_tick__the_power_of_the_base() -> None:
    found = pools.spot(v3_pool(sqrt_price_x96=at_tick(200_000)))
    assert found == pytest.approx(Decimal("1.0001") ** 200_000, rel=Decimal("1e-20"))


@pytest.mark.parametrize(
    "pool", [v2_pool(0, 5, 1), v2_pool(5, 0, 1), replace(RANGES, sqrt_price_x96=0)], ids=["no0", "no1", "v3"]
)
def test_spot__empty_pool__refused(pool) -> None:
    with pytest.raises(ValueError, match="has no price yet"):
        pools.spot(pool)
