# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   The vault's shares: an ERC-20 with 18 decimals
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from modules import refuse

implements: IERC20

# ------------------------------------------------------------------ storage

name: public(immutable(String[32]))
symbol: public(immutable(String[32]))
decimals: public(constant(uint8)) = 18
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(name_: String[32], symbol_: String[32]):
    name = name_
    symbol = symbol_


@external
def transfer(to: address, amount: uint256) -> bool:
    """@notice Move the caller's shares; the zero address is refused."""
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """@notice Move shares the owner has approved; the greatest uint256 is an approval without end."""
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        if amount > allowed:
            refuse._with(refuse.SHARES_ALLOWANCE)
        self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """@notice Allow `spender` to move so many of the caller's shares."""
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    if to == empty(address):
        refuse._with(refuse.SHARES_ZERO_ADDRESS)
    self._take(owner, amount)
    self._credit(owner, to, amount)


@internal
def _mint(to: address, amount: uint256):
    """@dev The caller refuses the zero address, which holds the shares locked for ever."""
    self.totalSupply += amount
    self._credit(empty(address), to, amount)


@internal
def _burn(owner: address, amount: uint256):
    self._take(owner, amount)
    self.totalSupply -= amount
    log IERC20.Transfer(sender=owner, receiver=empty(address), value=amount)


@internal
def _take(owner: address, amount: uint256):
    held: uint256 = self.balanceOf[owner]
    if amount > held:
        refuse._with(refuse.SHARES_BALANCE)
    self.balanceOf[owner] = held - amount


@internal
def _credit(owner: address, to: address, amount: uint256):
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
