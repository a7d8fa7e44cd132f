"""What a signature covers, and whose it is."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from bot.chain.abi import encode
from tests.contracts.museum.purse import Thief, fund, thief_at, twin
from tests.contracts.vault import small_vault
from tests.contracts.vault.world import LOCKED, NOBODY, ONE, USD, World, reverts, worth

LATER = 2**255
SHARES = 100_000 * ONE
NO_SIGNATURE = "shares: signature"  # the vault's word for any permit that the owner did not sign as it stands
PERMIT = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
Signature = tuple[int, bytes, bytes]


@pytest.fixture
def owner() -> LocalAccount:
    """A holder with a key."""
    account: LocalAccount = Account.from_key(keccak(text="holder"))
    return account


def sign(owner: LocalAccount, digest: bytes) -> Signature:
    signed = owner.unsafe_sign_hash(digest)
    return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)


def permit_digest(house: Any, owner: str, spender: str, amount: int, deadline: int) -> bytes:
    """EIP-2612, over EIP-712."""
    types = ("bytes32", "address", "address", "uint256", "uint256", "uint256")
    fields = encode(types, keccak(text=PERMIT), owner, spender, amount, house.nonces(owner), deadline)
    return bytes(keccak(b"\x19\x01" + house.DOMAIN_SEPARATOR() + keccak(fields)))


def give(world: World, house: Any, holder: str) -> None:
    """A holder of a tenth of a pot of a million; in a twin, alice begins it."""
    if house is not world.vault:
        fund(world, house, world.alice, USD, worth(USD, 10**6))
        house.mint(10 * SHARES, [worth(USD, 10**6)], world.alice, LATER, sender=world.alice)
    house.transfer(holder, SHARES, sender=world.alice)


def take(thief: Thief, house: Any, victim: str) -> None:
    """With the allowance, move the shares and redeem them."""
    house.transferFrom(victim, thief.address, SHARES, sender=thief.address)
    house.redeem(SHARES, [0], thief.address, LATER, sender=thief.address)


# ------------------------------------------------------------------ GiddyVault, April 2026: a part of the struct

Change = Callable[[str, str], tuple[str, int, int]]  # by (thief, spender): the spender, amount and deadline presented
SIGNED_DEADLINE = 2**40
CHANGES: dict[str, Change] = {
    "spender": lambda thief, _: (thief, 1, SIGNED_DEADLINE),
    "amount": lambda _, spender: (spender, SHARES, SIGNED_DEADLINE),
    "deadline": lambda _, spender: (spender, 1, SIGNED_DEADLINE + 1),
    "all": lambda thief, _: (thief, SHARES, LATER),
}


def rebound(house: Any, owner: str, presented: tuple[str, int, int], signature: Signature) -> None:
    """The owner signed one thing: one share for bob. The thief presents the signature with another."""
    house.permit(owner, *presented, *signature)


def test_rebound__twin__loses_the_owners_shares(world: World, owner: LocalAccount) -> None:
    house = twin("PartSigned", world.tokens[USD].address)
    give(world, house, owner.address)
    thief = thief_at(world, house)
    signature = sign(owner, house.digest(owner.address, SIGNED_DEADLINE))
    rebound(house, owner.address, (thief.address, SHARES, SIGNED_DEADLINE), signature)
    assert thief.gain(lambda: take(thief, house, owner.address)) == 10**5 * ONE


@pytest.mark.parametrize("change", CHANGES)
def test_rebound__vault__is_not_signed(world: World, owner: LocalAccount, change: str) -> None:
    house, thief, bob = world.vault, thief_at(world, world.vault), world.bob
    give(world, house, owner.address)
    signature = sign(owner, permit_digest(house, owner.address, bob, 1, SIGNED_DEADLINE))
    with reverts(NO_SIGNATURE):
        rebound(house, owner.address, CHANGES[change](thief.address, bob), signature)
    with reverts("shares: allowance"):
        take(thief, house, owner.address)
    rebound(house, owner.address, (bob, 1, SIGNED_DEADLINE), signature)  # what was signed, from whomever
    assert house.allowance(owner.address, bob) == 1


def test_rebound__vault_elsewhere_or_again__is_not_signed(world: World, owner: LocalAccount) -> None:
    """The signature names the chain, the vault and the nonce."""
    house, bob = world.vault, world.bob
    other = small_vault.deploy(world, world.tokens, world.feeds)
    presented = (bob, 1, SIGNED_DEADLINE)
    signature = sign(owner, permit_digest(house, owner.address, *presented))
    with reverts(NO_SIGNATURE):
        rebound(other, owner.address, presented, signature)
    with boa.env.anchor():
        boa.env.evm.patch.chain_id = 5
        with reverts(NO_SIGNATURE):
            rebound(house, owner.address, presented, signature)
    rebound(house, owner.address, presented, signature)
    with reverts(NO_SIGNATURE):
        rebound(house, owner.address, presented, signature)


# ------------------------------------------------------------------ Lixir, June 2026: anybody's signature

FORGED: dict[str, Signature] = {
    "of nobody in particular": (27, (1).to_bytes(32), (1).to_bytes(32)),
    "that recovers nobody": (0, bytes(32), bytes(32)),
}


def forged(house: Any, thief: Thief, victim: str, amount: int, signature: Signature) -> None:
    """Any numbers will do for a signature: some key or other has signed, or none."""
    house.permit(victim, thief.address, amount, LATER, *signature)


def test_forged__twin__loses_the_owners_shares(world: World, owner: LocalAccount) -> None:
    house = twin("AnyRecovery", world.tokens[USD].address)
    give(world, house, owner.address)
    thief = thief_at(world, house)
    forged(house, thief, owner.address, SHARES, FORGED["of nobody in particular"])
    assert thief.gain(lambda: take(thief, house, owner.address)) == 10**5 * ONE


@pytest.mark.parametrize("kind", FORGED)
def test_forged__vault__is_not_signed(world: World, owner: LocalAccount, kind: str) -> None:
    house, thief = world.vault, thief_at(world, world.vault)
    give(world, house, owner.address)
    with reverts(NO_SIGNATURE):
        forged(house, thief, owner.address, SHARES, FORGED[kind])
    with reverts("shares: allowance"):
        take(thief, house, owner.address)


@pytest.mark.parametrize("kind", FORGED)
def test_forged__vault_in_the_name_of_the_locked_shares__is_not_signed(world: World, kind: str) -> None:
    """What recovers nobody recovers the zero address, and the zero address holds the shares locked for ever."""
    house, thief = world.vault, thief_at(world, world.vault)
    assert house.balanceOf(NOBODY) == LOCKED
    with reverts(NO_SIGNATURE):
        forged(house, thief, NOBODY, LOCKED, FORGED[kind])
    assert house.allowance(NOBODY, thief.address) == 0
