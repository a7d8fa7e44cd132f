# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   The vault's shares: an ERC-20 with 18 decimals and EIP-2612 permits
@license Apache-2.0
@notice  LOCKED shares exist from the start and belong to the zero address for ever: no gift makes a share too dear to
         buy, and the first to mint pays for no more than a balance of their own.
"""

from ethereum.ercs import IERC20
from modules import refuse

implements: IERC20

# ------------------------------------------------------------------ storage

LOCKED: constant(uint256) = 10**6
MOST: constant(uint256) = 2**128 - 1

DOMAIN: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PERMIT: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
VERSION: constant(bytes32) = keccak256("1")

name: public(immutable(String[32]))
symbol: public(immutable(String[32]))
decimals: public(constant(uint8)) = 18
supply_word: uint256  # supply, and from bit 128 what `fee` keeps there: both are read by every mint and redemption
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])


@deploy
def __init__(name_: String[32], symbol_: String[32]):
    name = name_
    symbol = symbol_
    self._mint(empty(address), LOCKED)


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
    self._approve(msg.sender, spender, amount)
    return True


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """@notice Approve by the owner's signature over all of it: this chain, this vault, and a nonce used once."""
    if block.timestamp > deadline:
        refuse._with(refuse.VAULT_DEADLINE)
    nonce: uint256 = self.nonces[owner]
    self.nonces[owner] = nonce + 1
    said: bytes32 = keccak256(abi_encode(PERMIT, owner, spender, amount, nonce, deadline))
    signer: address = ecrecover(keccak256(concat(b"\x19\x01", self._domain(), said)), v, r, s)
    if owner == empty(address) or signer != owner:
        refuse._with(refuse.SHARES_SIGNATURE)
    self._approve(owner, spender, amount)


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """@notice What EIP-712 signatures for these shares begin with."""
    return self._domain()


@external
@view
def totalSupply() -> uint256:
    """@notice All shares, the locked ones included."""
    return self._supply()


@internal
@view
def _supply() -> uint256:
    return self.supply_word & MOST


@internal
@view
def _domain() -> bytes32:
    return keccak256(abi_encode(DOMAIN, keccak256(name), VERSION, chain.id, self))


@internal
def _approve(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log IERC20.Approval(owner=owner, spender=spender, value=amount)


@internal
def _move(owner: address, to: address, amount: uint256):
    if to == empty(address):
        refuse._with(refuse.SHARES_ZERO_ADDRESS)
    self._take(owner, amount)
    self._credit(owner, to, amount)


@internal
def _mint(to: address, amount: uint256):
    """@dev The caller keeps the supply within MOST, and refuses the zero address, which holds the locked shares."""
    self.supply_word += amount
    self._credit(empty(address), to, amount)


@internal
def _burn(owner: address, amount: uint256):
    self._take(owner, amount)
    self.supply_word -= amount
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
