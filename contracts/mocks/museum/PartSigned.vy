# pragma version 0.4.3
"""
@title   Museum: GiddyVault, April 2026. The signature covers a part of what is done in its name.
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
    signer: address = ecrecover(self._digest(owner, self.nonces[owner], deadline), v, r, s)
    assert signer == owner and owner != empty(address), "twin: signature"
    self.nonces[owner] += 1
    pot.erc20._allow(owner, spender, amount)


@external
@view
def digest(owner: address, deadline: uint256) -> bytes32:
    """@notice What a wallet is asked to sign."""
    return self._digest(owner, self.nonces[owner], deadline)


@internal
@view
def _digest(owner: address, nonce: uint256, deadline: uint256) -> bytes32:
    return keccak256(abi_encode(chain.id, self, owner, nonce, deadline))  # neither spender nor amount
