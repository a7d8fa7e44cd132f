# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title   For measurements only: does the vault's pool calls and nothing else, for anybody who asks
@license Apache-2.0
@notice  The floor of every comparison: no roles, feeds, limits, bounds, registry, events or checks of an answer. Addresses
         are immutable, each job is a function of its own, and a range is one word:
         lower tick << 216 | upper tick << 192 | liquidity << 64. Never keep money in it.
"""

interface Pool:
    def mint(to: address, lower: int24, upper: int24, liquidity: uint128, data: Bytes[1]): nonpayable
    def burn(lower: int24, upper: int24, liquidity: uint128): nonpayable
    def collect(to: address, lower: int24, upper: int24, most0: uint128, most1: uint128): nonpayable
    def swap(to: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]): nonpayable


interface Pair:
    def mint(to: address): nonpayable
    def burn(to: address): nonpayable
    def swap(amount0_out: uint256, amount1_out: uint256, to: address, data: Bytes[1]): nonpayable


interface Token:
    def transfer(to: address, amount: uint256): nonpayable
    def transferFrom(owner: address, to: address, amount: uint256): nonpayable


LEAST_SQRT_PRICE: constant(uint160) = 4295128740

POOL: immutable(Pool)
PAIR: immutable(Pair)
TOKEN0: immutable(Token)
TOKEN1: immutable(Token)

balanceOf: HashMap[address, uint256]
totalSupply: uint256


@deploy
def __init__(pool: address, pair: address, token0: address, token1: address):
    POOL = Pool(pool)
    PAIR = Pair(pair)
    TOKEN0 = Token(token0)
    TOKEN1 = Token(token1)


# ------------------------------------------------------------------ callbacks

@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[1]):
    extcall TOKEN0.transfer(POOL.address, amount0, skip_contract_check=True)
    extcall TOKEN1.transfer(POOL.address, amount1, skip_contract_check=True)


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    extcall TOKEN0.transfer(POOL.address, convert(amount0, uint256), skip_contract_check=True)


# ------------------------------------------------------------------ ranges

@external
def move(old: uint256, new: uint256):
    self._remove(old)
    self._add(new)


@external
def move_and_swap(old: uint256, amount: uint256, new: uint256):
    self._remove(old)
    self._swap(amount)
    self._add(new)


@external
def move_two(old: uint256[2], new: uint256[2]):
    self._remove(old[0])
    self._remove(old[1])
    self._add(new[0])
    self._add(new[1])


@external
def move_two_and_swap(old: uint256[2], amount: uint256, new: uint256[2]):
    self._remove(old[0])
    self._remove(old[1])
    self._swap(amount)
    self._add(new[0])
    self._add(new[1])


@external
def add(new: uint256):
    self._add(new)


@external
def swap(amount: uint256):
    """@notice Sell token0."""
    self._swap(amount)


# ------------------------------------------------------------------ the pair

@external
def swap_pair(amount0: uint256, out1: uint256):
    extcall TOKEN0.transfer(PAIR.address, amount0, skip_contract_check=True)
    extcall PAIR.swap(0, out1, self, b"", skip_contract_check=True)


@external
def add_pair(amount0: uint256, amount1: uint256):
    extcall TOKEN0.transfer(PAIR.address, amount0, skip_contract_check=True)
    extcall TOKEN1.transfer(PAIR.address, amount1, skip_contract_check=True)
    extcall PAIR.mint(self, skip_contract_check=True)


@external
def remove_pair(liquidity: uint256):
    extcall Token(PAIR.address).transfer(PAIR.address, liquidity, skip_contract_check=True)
    extcall PAIR.burn(self, skip_contract_check=True)


# ------------------------------------------------------------------ holders

@external
def mint(shares: uint256, amount0: uint256, amount1: uint256):
    extcall TOKEN0.transferFrom(msg.sender, self, amount0, skip_contract_check=True)
    extcall TOKEN1.transferFrom(msg.sender, self, amount1, skip_contract_check=True)
    self.balanceOf[msg.sender] = unsafe_add(self.balanceOf[msg.sender], shares)
    self.totalSupply = unsafe_add(self.totalSupply, shares)


@external
def redeem(shares: uint256, part: uint256, amount0: uint256, amount1: uint256, receiver: address):
    """@param part The range with the liquidity to take out of it."""
    self.balanceOf[msg.sender] = unsafe_sub(self.balanceOf[msg.sender], shares)
    self.totalSupply = unsafe_sub(self.totalSupply, shares)
    self._remove(part)
    extcall TOKEN0.transfer(receiver, amount0, skip_contract_check=True)
    extcall TOKEN1.transfer(receiver, amount1, skip_contract_check=True)


# ------------------------------------------------------------------ calls

@internal
def _remove(part: uint256):
    lower: int24 = convert(convert(part, int256) << 16 >> 232, int24)
    upper: int24 = convert(convert(part, int256) << 40 >> 232, int24)
    liquidity: uint128 = convert(part >> 64 & (2**128 - 1), uint128)
    extcall POOL.burn(lower, upper, liquidity, skip_contract_check=True)
    extcall POOL.collect(self, lower, upper, max_value(uint128), max_value(uint128), skip_contract_check=True)


@internal
def _add(part: uint256):
    lower: int24 = convert(convert(part, int256) << 16 >> 232, int24)
    upper: int24 = convert(convert(part, int256) << 40 >> 232, int24)
    liquidity: uint128 = convert(part >> 64 & (2**128 - 1), uint128)
    extcall POOL.mint(self, lower, upper, liquidity, b"", skip_contract_check=True)


@internal
def _swap(amount: uint256):
    extcall POOL.swap(self, True, convert(amount, int256), LEAST_SQRT_PRICE, b"", skip_contract_check=True)
