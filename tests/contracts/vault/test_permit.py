"""EIP-2612: an approval by signature, of this owner, for this vault and chain, once and in time."""

from typing import Any

import boa
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.constants import SECPK1_N
from eth_utils.crypto import keccak

from bot.chain.abi import encode
from tests.contracts.vault.test_mint import empty_vault
from tests.contracts.vault.world import NOBODY, ONE, World, reverts

OWNER = Account.from_key("0x" + "42" * 32)
OTHER = Account.from_key("0x" + "43" * 32)
TYPES = {
    "Permit": [
        {"name": name, "type": kind}
        for name, kind in (
            ("owner", "address"),
            ("spender", "address"),
            ("value", "uint256"),
            ("nonce", "uint256"),
            ("deadline", "uint256"),
        )
    ]
}


def domain(world: World, **changes: Any) -> dict[str, Any]:
    said = {
        "name": "Evenkeel",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": world.vault.address,
    }
    return said | changes


def signed(
    world: World, signer: Any = OWNER, in_domain: dict[str, Any] | None = None, **changes: Any
) -> tuple[int, bytes, bytes]:
    """v, r, s over a permit of OWNER's for bob, as a wallet signs it."""
    message = {"owner": OWNER.address, "spender": world.bob, "value": 7, "nonce": 0, "deadline": world.now} | changes
    text = encode_typed_data(in_domain or domain(world), TYPES, message)
    found = signer.sign_message(text)
    return found.v, found.r.to_bytes(32), found.s.to_bytes(32)


def permit(world: World, signature: tuple[int, bytes, bytes], **changes: Any) -> None:
    said = {"owner": OWNER.address, "spender": world.bob, "value": 7, "deadline": world.now} | changes
    world.vault.permit(*said.values(), *signature, sender=world.stranger)


def test_permit__signed_by_the_owner__approves_and_says_so(world: World) -> None:
    permit(world, signed(world))
    event = world.event("Approval")
    assert event == {"owner": OWNER.address.lower(), "spender": world.bob.lower(), "value": 7}
    assert world.vault.allowance(OWNER.address, world.bob) == 7
    assert world.vault.nonces(OWNER.address) == 1
    world.vault.transfer(OWNER.address, ONE, sender=world.alice)
    world.vault.transferFrom(OWNER.address, world.bob, 7, sender=world.bob)
    assert world.vault.balanceOf(world.bob) == 7


def test_permit__twice__takes_the_next_nonce(world: World) -> None:
    first = signed(world)
    permit(world, first)
    with reverts("shares: signature"):
        permit(world, first)
    permit(world, signed(world, nonce=1, value=9), value=9)
    assert world.vault.allowance(OWNER.address, world.bob) == 9
    assert world.vault.nonces(OWNER.address) == 2


def test_permit__signed_by_another__is_refused(world: World) -> None:
    with reverts("shares: signature"):
        permit(world, signed(world, OTHER))
    assert world.vault.nonces(OWNER.address) == 0


@pytest.mark.parametrize(
    "changes",
    [{"owner": OTHER.address}, {"spender": OTHER.address}, {"value": 8}, {"deadline": 2**255}],
    ids=lambda changes: next(iter(changes)),
)
def test_permit__one_word_is_not_what_was_signed__is_refused(world: World, changes: dict[str, Any]) -> None:
    with reverts("shares: signature"):
        permit(world, signed(world), **changes)


def test_permit__nonce_of_later__is_refused_until_then(world: World) -> None:
    later = signed(world, nonce=1)
    with reverts("shares: signature"):
        permit(world, later)
    permit(world, signed(world))
    permit(world, later)


def test_permit__past_its_deadline__is_refused(world: World) -> None:
    last = world.now
    signature = signed(world, deadline=last)
    with boa.env.anchor():
        permit(world, signature, deadline=last)
    boa.env.time_travel(seconds=1)
    with reverts("vault: deadline"):
        permit(world, signature, deadline=last)


@pytest.mark.parametrize(
    "changes",
    [{"chainId": 10**6}, {"verifyingContract": OTHER.address}, {"name": "Other"}, {"version": "2"}],
    ids=lambda changes: next(iter(changes)),
)
def test_permit__signed_for_elsewhere__is_refused(world: World, changes: dict[str, Any]) -> None:
    with reverts("shares: signature"):
        permit(world, signed(world, in_domain=domain(world, **changes)))


def test_permit__for_another_vault_of_the_same_name__is_refused_here(world: World) -> None:
    twin = empty_vault(world)
    elsewhere = domain(world, name="New", verifyingContract=twin.address)
    signature = signed(world, in_domain=elsewhere)
    with reverts("shares: signature"):
        permit(world, signature)
    twin.permit(OWNER.address, world.bob, 7, world.now, *signature)
    assert twin.allowance(OWNER.address, world.bob) == 7


def test_permit__chain_splits__yesterdays_signature_holds_on_one_side_only(world: World) -> None:
    signature = signed(world)
    with boa.env.anchor():
        boa.env.evm.patch.chain_id += 1
        try:
            with reverts("shares: signature"):
                permit(world, signature)
            permit(world, signed(world))
        finally:
            boa.env.evm.patch.chain_id -= 1
    permit(world, signature)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_permit__for_nobody_with_a_signature_that_recovers_nobody__is_refused(world: World, v: int) -> None:
    """The zero address holds the locked shares, and is what a bad signature recovers to."""
    for owner in (NOBODY, OWNER.address):
        with reverts("shares: signature"):
            permit(world, (v, b"\x01" * 32, b"\x01" * 32), owner=owner)
    assert world.vault.allowance(NOBODY, world.bob) == 0


def test_permit__mirrored_signature__does_not_spend_the_nonce_twice(world: World) -> None:
    v, r, s = signed(world)
    mirrored = (55 - v, r, (SECPK1_N - int.from_bytes(s)).to_bytes(32))
    permit(world, mirrored)  # the same consent in its other form
    for signature in (mirrored, (v, r, s)):
        with reverts("shares: signature"):
            permit(world, signature)


def test_domain_separator__is_eip_712s(world: World) -> None:
    kind = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    words = (keccak(kind), keccak(b"Evenkeel"), keccak(b"1"), domain(world)["chainId"], world.vault.address)
    assert world.vault.DOMAIN_SEPARATOR() == keccak(encode(("bytes32",) * 3 + ("uint256", "address"), *words))
