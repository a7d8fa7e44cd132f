# pragma version 0.4.3
"""
@title   Museum: Lixir, June 2026. A permit that asks whether anybody signed, not whether the owner did.
@license Apache-2.0
"""

from . import pot

initializes: pot
exports: pot.__interface__

nonces: public(HashMap[address, uint256])


@deploy
def __init__(token: address):
    pot.__init__(token)


@external
def mint(shares: uint256, max_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    pot._take(pot._cost(shares, max_amounts[0]))
    pot._issue(receiver, shares)


@external
def redeem(shares: uint256, min_amounts: DynArray[uint256, 8], receiver: address, deadline: uint256):
    amount: uint256 = pot._part(shares)
    pot._cancel(shares)
    pot._pay(receiver, amount)


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    assert block.timestamp <= deadline, "twin: deadline"
    nonce: uint256 = self.nonces[owner]
    digest: bytes32 = keccak256(abi_encode(chain.id, self, owner, spender, amount, nonce, deadline))
    assert ecrecover(digest, v, r, s) != empty(address), "twin: signature"
    self.nonces[owner] = nonce + 1
    pot.erc20._allow(owner, spender, amount)
