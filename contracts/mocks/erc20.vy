# pragma version 0.4.3
"""
@title   For tests only: the common part of every mock ERC-20
@license Apache-2.0
@notice  Anyone may mint and burn. Name, symbol and decimals are immutables and storage starts empty, so the deployed
         runtime code can be copied to any address (anvil_setCode) and works there.
"""

from ethereum.ercs import IERC20

implements: IERC20

name: public(immutable(String[64]))
symbol: public(immutable(String[32]))
decimals: public(immutable(uint8))

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)


@deploy
def __init__(name_: String[64], symbol_: String[32], decimals_: uint8):
    name = name_
    symbol = symbol_
    decimals = decimals_


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._spend(owner, amount)
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self._allow(msg.sender, spender, amount)
    return True


@external
def mint(to: address, amount: uint256):
    """@notice Create `amount` for anybody; a mock has no owner."""
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def burn(owner: address, amount: uint256):
    """@notice Destroy `amount` of anybody's balance; a mock has no owner."""
    self._destroy(owner, amount)


@internal
def _move(owner: address, to: address, amount: uint256):
    assert self.balanceOf[owner] >= amount, "token: balance"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)


@internal
def _destroy(owner: address, amount: uint256):
    assert self.balanceOf[owner] >= amount, "token: balance"
    self.balanceOf[owner] -= amount
    self.totalSupply -= amount
    log IERC20.Transfer(sender=owner, receiver=empty(address), value=amount)


@internal
def _spend(owner: address, amount: uint256):
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert allowed >= amount, "token: allowance"
    if allowed < max_value(uint256):
        self.allowance[owner][msg.sender] = allowed - amount


@internal
def _allow(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log IERC20.Approval(owner=owner, spender=spender, value=amount)
