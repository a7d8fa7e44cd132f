# pragma version 0.4.3
"""
@title   For tests only: a charter's owner who does whatever anybody says, in the middle of anything
@license Apache-2.0
"""

MOST_DATA: constant(uint256) = 1_024


@external
def act(target: address, data: Bytes[MOST_DATA]):
    """@notice Make any call now; why it failed is passed on."""
    raw_call(target, data)
