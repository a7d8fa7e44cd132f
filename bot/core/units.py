"""Units, and the only bridges from one number world to another.

Three number worlds never mix silently:
  int      what the chain holds (Raw, Wei, Tick, ...); exact; anything that ends in a transaction.
  Decimal  money in the numeraire: prices, limits, profit; exact enough, shown to people.
  float    statistics only: returns, volatilities, weights.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import NewType

Raw = NewType("Raw", int)  # token amount in its smallest unit, 10**-decimals
Wei = NewType("Wei", int)  # native coin, 10**-18
Bps = NewType("Bps", int)  # 1/10_000
Pips = NewType("Pips", int)  # 1/1_000_000, Uniswap's fee unit
Tick = NewType("Tick", int)  # log base 1.0001 of the raw price token1/token0
SqrtPriceX96 = NewType("SqrtPriceX96", int)  # sqrt(raw price token1/token0) * 2**96
Liquidity = NewType("Liquidity", int)  # Uniswap V3 L, or V2 LP tokens
Gas = NewType("Gas", int)
Seconds = NewType("Seconds", int)
Timestamp = NewType("Timestamp", int)  # seconds since 1970, UTC
Money = NewType("Money", Decimal)  # value in the numeraire of the policy

ONE_BPS = 10_000
ETHER_DECIMALS = 18
ZERO = Money(Decimal(0))
MONEY = Context(prec=28)  # of all arithmetic with money, whatever a library has set for the process
_EXACT = Context(prec=120)  # a uint256 has 78 digits; the default of 28 would round, half even
NEVER = Timestamp(0)


def to_raw_floor(units: Decimal, decimals: int) -> Raw:
    """Whole units to smallest units, rounded down (what we spend, or ask for at least)."""
    return Raw(int(units.scaleb(decimals, _EXACT).to_integral_value(ROUND_FLOOR)))


def to_raw_ceil(units: Decimal, decimals: int) -> Raw:
    """Whole units to smallest units, rounded up (what we must pay)."""
    return Raw(int(units.scaleb(decimals, _EXACT).to_integral_value(ROUND_CEILING)))


def to_units(raw: int, decimals: int) -> Decimal:
    """Smallest units to whole units; exact."""
    return Decimal(raw).scaleb(-decimals, _EXACT)


def minus_bps_floor(raw: int, cut: int) -> Raw:
    """`raw` less `cut` basis points, rounded down (a floor on what must come back)."""
    return Raw(raw * (ONE_BPS - cut) // ONE_BPS)


def plus_bps_ceil(raw: int, extra: int) -> Raw:
    """`raw` plus `extra` basis points, rounded up (a ceiling on what may be taken)."""
    return Raw(-(-raw * (ONE_BPS + extra) // ONE_BPS))


def share_of_money(money: Money, share: float) -> Money:
    """A float share of an amount of money; the float enters through its shortest decimal form."""
    return Money(money * Decimal(repr(float(share))))
