# pragma version 0.4.3
"""
@title   For tests only: calls itself a Uniswap V3 pool and asks its callers for whatever it was told to ask
@license Apache-2.0
"""

interface Payer:
    def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]): nonpayable


token0: public(immutable(address))
token1: public(immutable(address))
fee: public(constant(uint256)) = 3_000

MOST_DATA: constant(uint256) = 1_024

ask0: public(int256)
ask1: public(int256)
times: public(uint256)
reentry: Bytes[MOST_DATA]
target: address


@deploy
def __init__(token0_: address, token1_: address):
    token0 = token0_
    token1 = token1_


@external
def set_ask(ask0: int256, ask1: int256, times: uint256):
    """@notice What every swap from now on asks for, and how often."""
    self.ask0 = ask0
    self.ask1 = ask1
    self.times = times


@external
def set_reentry(target: address, data: Bytes[MOST_DATA]):
    """@notice A call to make inside every `swap` from now on, before asking."""
    self.target = target
    self.reentry = data


@external
def act(target: address, data: Bytes[MOST_DATA]):
    """@notice Make any call, such as an approval."""
    raw_call(target, data)


@external
def swap(recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]) -> (int256, int256):
    """@notice Ask the caller, and give nothing."""
    if len(self.reentry) > 0:
        raw_call(self.target, self.reentry)
    self._ask(msg.sender)
    return self.ask0, self.ask1


@external
def ask_out_of_turn(payer: address):
    """@notice Ask somebody who did not call."""
    self._ask(payer)


@internal
def _ask(payer: address):
    for _: uint256 in range(self.times, bound=8):
        extcall Payer(payer).uniswapV3SwapCallback(self.ask0, self.ask1, b"")
