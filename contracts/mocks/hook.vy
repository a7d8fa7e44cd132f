# pragma version 0.4.3
"""
@title   For tests only: the part of a mock that calls somebody in the middle of whatever it was called for
@license Apache-2.0
@notice  A place is one moment of one function of the mock, as a bit. From a place that may write, what came of the
         calls is kept in `succeeded` and `reason`; from a place inside a view nothing can be kept: read the trace.
"""

MOST_CALLS: constant(uint256) = 96
MOST_DATA: constant(uint256) = 1_024
DEPTH: constant(uint256) = 5  # a call has a fifth of what it takes to make another

target: public(address)
places: public(uint256)
gas_each: uint256
calls: DynArray[Bytes[MOST_DATA], MOST_CALLS]
succeeded: public(uint256)  # bit i: call i succeeded, at least once
reason: public(Bytes[256])  # what the last call answered, or why it reverted
firing: transient(bool)


@external
def program(target: address, calls: DynArray[Bytes[MOST_DATA], MOST_CALLS], places: uint256, gas_each: uint256):
    """@notice Make these calls to `target` at these places from now on, each with at most so much gas."""
    self.target = target
    self.calls = calls
    self.places = places
    self.gas_each = gas_each
    self.succeeded = 0
    self.reason = b""


@external
def act(target: address, data: Bytes[MOST_DATA]):
    """@notice Make any call now, such as an approval."""
    raw_call(target, data)


@internal
def _fire(place: uint256):
    """@dev Calls made from here set off no further ones."""
    if self.places & place == 0 or self.firing:
        return
    self.firing = True
    index: uint256 = 0
    for data: Bytes[MOST_DATA] in self.calls:
        done: bool = False
        said: Bytes[256] = b""
        done, said = raw_call(self.target, data, gas=self.gas_each, max_outsize=256, revert_on_failure=False)
        self.succeeded |= convert(done, uint256) << index
        self.reason = said
        index += 1
    self.firing = False


@internal
@view
def _peek(place: uint256):
    """@dev From inside a view no call can write; with little gas left none is made, so that views in views end."""
    if self.places & place == 0 or self.firing or msg.gas < DEPTH * self.gas_each:
        return
    for data: Bytes[MOST_DATA] in self.calls:
        done: bool = False
        said: Bytes[32] = b""
        done, said = raw_call(
            self.target, data, gas=self.gas_each, max_outsize=32, is_static_call=True, revert_on_failure=False
        )
