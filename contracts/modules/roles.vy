# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   Owner, guardian, and changes that must be asked for twice
@license Apache-2.0
@notice  A change that widens what the keeper can do is known by keccak256 of its calldata. The owner's first call only
         asks; the same call between `delay_s` and `delay_s` + 14 days later acts. Owner or guardian may revoke it.
"""

from modules import refuse

# ------------------------------------------------------------------ events

event OwnershipOffered:
    owner: indexed(address)
    pending_owner: indexed(address)


event OwnershipTaken:
    owner: indexed(address)


event GuardianSet:
    guardian: indexed(address)


event Asked:
    change: indexed(bytes32)
    ready_at: uint256


event Revoked:
    change: indexed(bytes32)


# ------------------------------------------------------------------ storage

LEAST_DELAY_S: constant(uint256) = 3_600
MOST_DELAY_S: constant(uint256) = 2_592_000  # 30 days: a delay nobody could wait out would freeze the settings
OPEN_S: constant(uint256) = 1_209_600  # 14 days

delay_s: public(immutable(uint256))
owner: public(address)
pending_owner: public(address)
guardian: public(address)
ready_at: public(HashMap[bytes32, uint256])  # of a change that was asked for; 0: none


@deploy
def __init__(owner: address, guardian: address, delay: uint256):
    if owner == empty(address):
        refuse._with(refuse.ROLES_OWNER)
    if LEAST_DELAY_S > delay or delay > MOST_DELAY_S:
        refuse._with(refuse.ROLES_DELAY)
    delay_s = delay
    self.owner = owner
    self.guardian = guardian
    log OwnershipTaken(owner=owner)
    log GuardianSet(guardian=guardian)


# ------------------------------------------------------------------ owner

@external
def transfer_ownership(pending_owner: address):
    """@notice Offer the ownership; nothing changes until the other accepts. Zero takes the offer back."""
    self._only_owner()
    self.pending_owner = pending_owner
    log OwnershipOffered(owner=msg.sender, pending_owner=pending_owner)


@external
def accept_ownership():
    """@notice Take an ownership that was offered."""
    if msg.sender != self.pending_owner:
        refuse._with(refuse.ROLES_PENDING_OWNER)
    self.owner = msg.sender
    self.pending_owner = empty(address)
    log OwnershipTaken(owner=msg.sender)


@external
def set_guardian(guardian: address):
    """@notice Name the guardian; asked twice, so that the old one can revoke it."""
    if self._waits(keccak256(slice(msg.data, 0, 36))):
        return
    self.guardian = guardian
    log GuardianSet(guardian=guardian)


# ------------------------------------------------------------------ owner or guardian

@external
def revoke(change: bytes32):
    """@notice Forget a change that was asked for."""
    self._only_watch()
    if self.ready_at[change] == 0:
        refuse._with(refuse.ROLES_NOT_ASKED)
    self.ready_at[change] = 0
    log Revoked(change=change)


# ------------------------------------------------------------------ for the charter

@internal
@view
def _only_owner():
    if msg.sender != self.owner:
        refuse._with(refuse.ROLES_OWNER)


@internal
@view
def _only_watch():
    if msg.sender != self.guardian and msg.sender != self.owner:
        refuse._with(refuse.ROLES_GUARDIAN)


@internal
def _waits(change: bytes32) -> bool:
    """@notice Whether the owner's change was only asked for now; False when its time has come, which uses it up"""
    self._only_owner()
    ready: uint256 = self.ready_at[change]
    if ready == 0 or block.timestamp > ready + OPEN_S:
        ready = block.timestamp + delay_s
        self.ready_at[change] = ready
        log Asked(change=change, ready_at=ready)
        return True
    if block.timestamp < ready:
        refuse._with(refuse.ROLES_WAIT)
    self.ready_at[change] = 0
    return False
