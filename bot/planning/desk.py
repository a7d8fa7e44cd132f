"""A working copy of the account and its pools, on which a plan is played through exactly before it is sent."""

from dataclasses import dataclass, field, replace
from math import isqrt

from bot.amm import v2, v3
from bot.amm.pools import other, swap
from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from bot.core.types import AddLiquidity, Amount, Pool, Position, RemoveLiquidity, Shift, Snapshot, Swap, Token, V3Pool
from bot.core.units import ONE_BPS, Liquidity, Raw, SqrtPriceX96, minus_bps_floor, plus_bps_ceil, to_raw_floor

UNIT = 10**18  # of liquidity, to find what a unit of it is worth


@dataclass(slots=True)
class Desk:
    """Each method plays one step and returns it; later steps see what earlier ones did to the pools."""

    snapshot: Snapshot
    slippage_bps: int
    pools: dict[str, Pool] = field(init=False)
    idle: dict[Token, int] = field(init=False)

    def __post_init__(self) -> None:
        self.pools = {pool.address: pool for pool in self.snapshot.pools}
        self.idle = {price.token: 0 for price in self.snapshot.prices}
        for amount in self.snapshot.balances:
            self.idle[amount.token] = self.idle.get(amount.token, 0) + amount.raw

    def remove(self, position: Position) -> RemoveLiquidity:
        """Leave a position whole, fees included."""
        pool = self.pools[position.pool]
        lower, upper, liquidity = position.tick_lower, position.tick_upper, position.liquidity
        if isinstance(pool, V3Pool):
            self.pools[pool.address], amount0, amount1 = v3.burn(pool, lower, upper, liquidity)
        else:
            self.pools[pool.address], amount0, amount1 = v2.remove(pool, liquidity)
        expect0, expect1 = amount0 + position.fees0, amount1 + position.fees1
        self.idle[pool.token0] += expect0
        self.idle[pool.token1] += expect1
        least0, least1 = self._least(expect0, expect1)
        if isinstance(pool, V3Pool):
            around = [v3.amounts(price, lower, upper, liquidity) for price in self._around(pool)]
            least0 = Raw(min(least0, *(amount0 + position.fees0 for amount0, _ in around)))
            least1 = Raw(min(least1, *(amount1 + position.fees1 for _, amount1 in around)))
        return RemoveLiquidity(
            pool.address,
            position.id,
            lower,
            upper,
            liquidity,
            Raw(expect0),
            Raw(expect1),
            least0,
            least1,
        )

    def swap(self, pool: Pool, sell: Token, amount_in: int) -> Swap:
        """Give exactly `amount_in`."""
        self.pools[pool.address], out = swap(self.pools[pool.address], sell, amount_in)
        buy = other(pool, sell)
        self.idle[sell] -= amount_in
        self.idle[buy] += out
        expect = Amount(buy, Raw(out))
        return Swap(pool.address, Amount(sell, Raw(amount_in)), expect, minus_bps_floor(out, self.slippage_bps))

    def enter(self, shift: Shift) -> AddLiquidity | None:
        """Put `shift.money` into its range at the pool's price, or as much as idle balances allow; None if nothing."""
        pool = self.pools[shift.pool]
        if not isinstance(pool, V3Pool):
            raise ValueError(f"v2: {pool.name} has no ranges")
        idle0, idle1 = (max(0, self.idle[token]) for token in (pool.token0, pool.token1))
        lower, upper = shift.tick_lower, shift.tick_upper
        liquidity = min(v3.liquidity_for(pool.sqrt_price_x96, lower, upper, idle0, idle1), self._worth(pool, shift))
        if liquidity == 0:
            return None
        after, expect0, expect1 = v3.mint(pool, lower, upper, Liquidity(liquidity))
        self.pools[pool.address] = after
        self.idle[pool.token0] -= expect0
        self.idle[pool.token1] -= expect1
        around = [
            v3.mint(replace(pool, sqrt_price_x96=price), lower, upper, liquidity)[1:] for price in self._around(pool)
        ]
        most0 = min(max(plus_bps_ceil(expect0, self.slippage_bps), *(amount0 for amount0, _ in around)), idle0)
        most1 = min(max(plus_bps_ceil(expect1, self.slippage_bps), *(amount1 for _, amount1 in around)), idle1)
        return AddLiquidity(
            pool.address, lower, upper, Liquidity(liquidity), Raw(expect0), Raw(expect1), Raw(most0), Raw(most1)
        )

    def _worth(self, pool: V3Pool, shift: Shift) -> int:
        """Liquidity of the range that is worth `shift.money` at the observed prices, rounded down."""
        amount0, amount1 = v3.amounts(pool.sqrt_price_x96, shift.tick_lower, shift.tick_upper, Liquidity(UNIT))
        snapshot = self.snapshot
        unit = snapshot.value(Amount(pool.token0, Raw(amount0))) + snapshot.value(Amount(pool.token1, Raw(amount1)))
        return to_raw_floor(shift.money / unit, 18) if unit else 0

    def _around(self, pool: V3Pool) -> tuple[SqrtPriceX96, SqrtPriceX96]:
        """The pool's price moved by the slippage either way: a range's two amounts move many times as far."""
        squares = (pool.sqrt_price_x96**2 * (ONE_BPS + sign * self.slippage_bps) // ONE_BPS for sign in (-1, 1))
        below, above = map(isqrt, squares)
        return SqrtPriceX96(max(below, MIN_SQRT_RATIO)), SqrtPriceX96(min(above, MAX_SQRT_RATIO - 1))

    def _least(self, *expected: int) -> tuple[Raw, Raw]:
        first, second = (minus_bps_floor(raw, self.slippage_bps) for raw in expected)
        return first, second
