# pragma version 0.4.3
"""
@title   What pools say of themselves
@license Apache-2.0
@notice  A pool is its charter's word. Each call stands here once: the vault must fit in 24,576 bytes.
"""

from interfaces import IPair
from interfaces import IPool
from modules import layout


@internal
@view
def _slot0(pool: uint256) -> IPool.Slot0:
    return staticcall IPool(layout._address(pool)).slot0(skip_contract_check=True)


@internal
@view
def _observation(pool: uint256, index: uint256) -> IPool.Observation:
    return staticcall IPool(layout._address(pool)).observations(index, skip_contract_check=True)


@internal
@view
def _held(pool: uint256, position: uint256, owner: address) -> IPool.Held:
    """@notice The pool's own record of a range of the owner's"""
    ticks: uint48 = convert(position & (2**48 - 1), uint48)
    key: bytes32 = keccak256(concat(convert(owner, bytes20), convert(ticks, bytes6)))
    return staticcall IPool(layout._address(pool)).positions(key, skip_contract_check=True)


@internal
@view
def _outside(pool: uint256, tick: int24) -> uint256[2]:
    """@notice The fee growth on the other side of a tick"""
    return (staticcall IPool(layout._address(pool)).ticks(tick, skip_contract_check=True)).outside


@internal
@view
def _reserves(pool: uint256) -> uint256[2]:
    return staticcall IPair(layout._address(pool)).getReserves(skip_contract_check=True)
