# pragma version 0.4.3
"""
@title   Integer arithmetic with 512-bit products, and Uniswap V3's tick mathematics
@license Apache-2.0
@notice  Rounds down unless the name says otherwise.
"""

from modules import refuse

Q96: constant(uint256) = 2**96
MAX_TICK: constant(uint256) = 887272


@internal
@pure
def _mul_div(a: uint256, b: uint256, divisor: uint256) -> uint256:
    """
    @notice a * b / divisor, rounded down, exact for any product; reverts when the quotient does not fit
    @dev    Remco Bloemen's algorithm (MIT): 512-bit product, exact division by the modular inverse of the odd part.
    """
    low: uint256 = unsafe_mul(a, b)
    folded: uint256 = uint256_mulmod(a, b, max_value(uint256))
    high: uint256 = unsafe_sub(unsafe_sub(folded, low), convert(folded < low, uint256))
    if high == 0:
        return low // divisor
    if divisor <= high:
        refuse._with(refuse.MATHS_OVERFLOW)

    rest: uint256 = uint256_mulmod(a, b, divisor)
    high = unsafe_sub(high, convert(rest > low, uint256))
    low = unsafe_sub(low, rest)

    twos: uint256 = unsafe_sub(0, divisor) & divisor
    odd: uint256 = unsafe_div(divisor, twos)
    low = unsafe_div(low, twos) | unsafe_mul(high, unsafe_add(unsafe_div(unsafe_sub(0, twos), twos), 1))

    inverse: uint256 = unsafe_mul(3, odd) ^ 2  # right to 4 bits; each step doubles them
    for _: uint256 in range(6):
        inverse = unsafe_mul(inverse, unsafe_sub(2, unsafe_mul(odd, inverse)))
    return unsafe_mul(low, inverse)


@internal
@pure
def _mul_div_up(a: uint256, b: uint256, divisor: uint256) -> uint256:
    """@notice a * b / divisor, rounded up"""
    return self._mul_div(a, b, divisor) + convert(uint256_mulmod(a, b, divisor) != 0, uint256)


@internal
@pure
def _packed(number: uint256, bits: uint256) -> uint256:
    """@notice A number rounded down to `bits` - 8 significant bits << 8 | the place of the last of them"""
    place: uint256 = 0
    for i: uint256 in range(8):
        step: uint256 = 128 >> i
        if number >> unsafe_sub(unsafe_add(place, step), 1) >> unsafe_sub(bits, 8) != 0:
            place = unsafe_add(place, step)
    return number >> place << 8 | place


@internal
@pure
def _unpacked(word: uint256) -> uint256:
    return word >> 8 << (word & 255)


@internal
@pure
def _root(square: uint256) -> uint256:
    """@dev The built-in is copied to wherever it is named: name it once."""
    return isqrt(square)


@internal
@pure
def _sqrt_x96(numerator: uint256, denominator: uint256) -> uint256:
    """@notice sqrt(numerator / denominator) * 2**96, for ratios up to 2**192"""
    if numerator >> 64 < denominator:
        return self._root(self._mul_div(numerator, 2**192, denominator))
    return self._root(self._mul_div(numerator, 2**64, denominator)) << 64


@internal
@pure
def _sqrt_ratio(tick: int256) -> uint256:
    """@notice sqrt(1.0001**tick) * 2**96, bit for bit as Uniswap's TickMath.getSqrtRatioAtTick"""
    distance: uint256 = convert(abs(tick), uint256)
    if distance > MAX_TICK:
        refuse._with(refuse.MATHS_TICK)
    ratio: uint256 = 2**128
    if distance & 1 != 0:
        ratio = unsafe_mul(ratio, 340265354078544963557816517032075149313) >> 128
    if distance & 2 != 0:
        ratio = unsafe_mul(ratio, 340248342086729790484326174814286782778) >> 128
    if distance & 4 != 0:
        ratio = unsafe_mul(ratio, 340214320654664324051920982716015181260) >> 128
    if distance & 8 != 0:
        ratio = unsafe_mul(ratio, 340146287995602323631171512101879684304) >> 128
    if distance & 16 != 0:
        ratio = unsafe_mul(ratio, 340010263488231146823593991679159461444) >> 128
    if distance & 32 != 0:
        ratio = unsafe_mul(ratio, 339738377640345403697157401104375502016) >> 128
    if distance & 64 != 0:
        ratio = unsafe_mul(ratio, 339195258003219555707034227454543997025) >> 128
    if distance & 128 != 0:
        ratio = unsafe_mul(ratio, 338111622100601834656805679988414885971) >> 128
    if distance & 256 != 0:
        ratio = unsafe_mul(ratio, 335954724994790223023589805789778977700) >> 128
    if distance & 512 != 0:
        ratio = unsafe_mul(ratio, 331682121138379247127172139078559817300) >> 128
    if distance & 1024 != 0:
        ratio = unsafe_mul(ratio, 323299236684853023288211250268160618739) >> 128
    if distance & 2048 != 0:
        ratio = unsafe_mul(ratio, 307163716377032989948697243942600083929) >> 128
    if distance & 4096 != 0:
        ratio = unsafe_mul(ratio, 277268403626896220162999269216087595045) >> 128
    if distance & 8192 != 0:
        ratio = unsafe_mul(ratio, 225923453940442621947126027127485391333) >> 128
    if distance & 16384 != 0:
        ratio = unsafe_mul(ratio, 149997214084966997727330242082538205943) >> 128
    if distance & 32768 != 0:
        ratio = unsafe_mul(ratio, 66119101136024775622716233608466517926) >> 128
    if distance & 65536 != 0:
        ratio = unsafe_mul(ratio, 12847376061809297530290974190478138313) >> 128
    if distance & 131072 != 0:
        ratio = unsafe_mul(ratio, 485053260817066172746253684029974020) >> 128
    if distance & 262144 != 0:
        ratio = unsafe_mul(ratio, 691415978906521570653435304214168) >> 128
    if distance & 524288 != 0:
        ratio = unsafe_mul(ratio, 1404880482679654955896180642) >> 128
    if tick > 0:
        ratio = max_value(uint256) // ratio
    return (ratio + 2**32 - 1) >> 32  # rounded up


@internal
@pure
def _amounts(sqrt_price: uint256, lower: int24, upper: int24, liquidity: uint256) -> uint256[2]:
    """@notice What a range holds at a price, rounded down: exactly what the pool's burn pays there"""
    bottom: uint256 = self._sqrt_ratio(convert(lower, int256))
    top: uint256 = self._sqrt_ratio(convert(upper, int256))
    at: uint256 = max(bottom, min(sqrt_price, top))
    return [self._mul_div(liquidity << 96, top - at, top) // at, self._mul_div(liquidity, at - bottom, Q96)]
