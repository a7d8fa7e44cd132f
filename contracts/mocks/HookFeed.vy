# pragma version 0.4.3
"""
@title   For tests only: a feed that says what it was told, and calls somebody when asked
@license Apache-2.0
"""

from . import hook

initializes: hook
exports: hook.__interface__

LATEST: constant(uint256) = 1  # a view

decimals: public(constant(uint8)) = 8
answer: public(int256)
updated_at: public(uint256)


@external
def set_answer(answer: int256, updated_at: uint256):
    self.answer = answer
    self.updated_at = updated_at


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    hook._peek(LATEST)
    return 1, self.answer, self.updated_at, self.updated_at, 1
