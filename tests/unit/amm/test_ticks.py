"""Ticks and square-root prices at their edges."""

import pytest

from bot.amm.ticks import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)


@pytest.mark.parametrize(("tick", "ratio"), [(MIN_TICK, MIN_SQRT_RATIO), (0, 1 << 96), (MAX_TICK, MAX_SQRT_RATIO)])
def test_sqrt_ratio__ends_and_middle__the_published_constants(tick: int, ratio: int) -> None:
    assert sqrt_ratio_at_tick(tick) == ratio


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_sqrt_ratio__tick_out_of_range__refused(tick: int) -> None:
    with pytest.raises(ValueError, match=r"v3: tick must be in \[-887272, 887272\], found -?887273"):
        sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("ratio", [MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO, 0, -1])
def test_tick__price_out_of_range__refused(ratio: int) -> None:
    with pytest.raises(ValueError, match="v3: sqrt price must be in"):
        tick_at_sqrt_ratio(ratio)


def test_tick__one_unit_below_on_and_above_a_tick__greatest_not_above() -> None:
    for tick in [*range(MIN_TICK, MAX_TICK, 97), -1, 0, 1, MAX_TICK - 1]:
        ratio = sqrt_ratio_at_tick(tick)
        assert tick_at_sqrt_ratio(ratio) == tick
        assert tick_at_sqrt_ratio(sqrt_ratio_at_tick(tick + 1) - 1) == tick
        if tick > MIN_TICK:
            assert tick_at_sqrt_ratio(ratio - 1) == tick - 1
