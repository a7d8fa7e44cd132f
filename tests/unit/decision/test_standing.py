"""Weights with positions looked through, and the band."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.amm import v3
from bot.core.errors import DataError
from bot.core.types import Position
from bot.core.types.world import LOCKED_SHARES
from bot.core.units import Tick
from bot.decision.standing import stand, unit_value
from tests.factories import WETH, at_price, history, policy, range_position, snapshot, v2_pool, v3_pool, vault_state


def test_weights__idle_only__by_hand():
    standing = stand(policy(), snapshot(("200000", "200", "2.22222222")))
    assert standing.weights == pytest.approx([0.2, 0.6, 0.2], abs=1e-6)
    assert standing.drift == pytest.approx([-0.2, 0.2, 0.0], abs=1e-6)
    assert standing.worst == pytest.approx(0.2, abs=1e-6)


def test_weights__range__looked_through_to_its_tokens_and_fees():
    pool = v3_pool()
    lower, upper, liquidity = pool.tick // 10 * 10 - 1000, pool.tick // 10 * 10 + 1000, 10**16
    amount0, amount1 = v3.amounts(pool.sqrt_price_x96, lower, upper, liquidity)
    held = snapshot(("0", "0", "0"), (range_position(pool, lower, upper, liquidity, (10**6, 10**18)),))
    standing = stand(policy(), held)
    usdc, weth = Decimal(amount0 + 10**6) / 10**6, Decimal(amount1 + 10**18) / 10**18 * 3000
    assert standing.equity == pytest.approx(usdc + weth)
    assert standing.weights[1] == pytest.approx(float(weth / (usdc + weth)))
    assert standing.idle == (0, 0, 0)


@pytest.mark.parametrize(("daily", "band"), [(0.0001, 0.015), (0.05, 0.03), (0.5, 0.1)])
def test_band__widens_with_volatility__between_floor_and_cap(daily, band):
    standing = stand(policy(), snapshot(rows=history(daily=daily)))  # 60 % of the portfolio moves
    assert standing.band == pytest.approx(band, rel=1e-3)


def test_band__too_little_history__stands_at_its_cap():
    standing = stand(policy(), snapshot(rows=history(5)))
    assert standing.covariance is None
    assert standing.band == 0.1


def test_stand__target_without_price__names_it():
    with pytest.raises(DataError, match="none for DAI"):
        stand(policy(targets={"DAI": 0.5, "WETH": 0.5}), snapshot())


def test_stand__everybody_has_left_the_vault__refused_and_dust_is_worth_nothing():
    left = snapshot(("0.000001", "0", "0"), vault=vault_state(shares=LOCKED_SHARES))
    with pytest.raises(DataError, match="deposit first"):
        stand(policy(), left)
    assert unit_value(left) == 0


def test_locked_shares__as_the_contract_has_them():
    source = (Path(__file__).parents[3] / "contracts" / "modules" / "share.vy").read_text()
    assert f"LOCKED: constant(uint256) = 10**{len(str(LOCKED_SHARES)) - 1}\n" in source
    assert str(LOCKED_SHARES).strip("0") == "1"


def test_stand__empty_account__refused():
    with pytest.raises(DataError, match="deposit first"):
        stand(policy(), snapshot(("0", "0", "0")))


def test_unit_value__half_redeemed__unchanged():
    whole = snapshot(("400000", "0", "0"), vault=vault_state(shares=400_000 * 10**18))
    half = snapshot(("200000", "0", "0"), vault=vault_state(shares=200_000 * 10**18))
    assert unit_value(whole) == unit_value(half) == 1
    assert whole.price(WETH) == 3000


@pytest.mark.parametrize("ticks", [-40_000, -2_500, 300, 40_000])
def test_weights__pool_pushed_for_a_block__neither_weights_nor_share_value_move(ticks):
    fair, pair = v3_pool(), v2_pool()
    held = (
        range_position(fair, 194_000, 198_000, 10**17),
        Position(pair.address, pair.address, Tick(0), Tick(0), pair.supply // 20, 0, 0),
    )
    calm = snapshot(("100000", "50", "2.2"), held)
    factor = Decimal("1.0001") ** ticks
    pushed_pair = replace(
        pair, reserve0=int(pair.reserve0 / factor.sqrt()), reserve1=int(pair.reserve1 * factor.sqrt())
    )
    pushed = replace(calm, pools=(at_price(fair.tick + ticks, fair), *calm.pools[1:3], pushed_pair))
    assert stand(policy(), pushed).weights == pytest.approx(stand(policy(), calm).weights, abs=1e-9)
    assert unit_value(pushed) == pytest.approx(unit_value(calm), rel=Decimal("1e-9"))
