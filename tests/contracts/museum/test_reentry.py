"""What can be seen and done in the middle of a withdrawal."""

from dataclasses import dataclass
from typing import Any

import pytest

from bot.chain.abi import encode_call
from tests.contracts.market import load
from tests.contracts.museum.purse import twin
from tests.contracts.vault import small_vault
from tests.contracts.vault.world import World

LATER = 2**255
ALL = 10**24  # shares, and tokens, of the thief; alice has as many
MINT = "mint(uint256,uint256[],address,uint256)"
REDEEM = "redeem(uint256,uint256[],address,uint256)"
BEFORE_TRANSFER, AFTER_TRANSFER = 1, 2  # places of the token


@dataclass(frozen=True)
class Scene:
    """A house of one token that calls back; alice and the thief have put in the same."""

    token: Any
    house: Any
    burglar: Any
    thief: str

    def money(self) -> int:
        return int(self.token.balanceOf(self.thief) + self.token.balanceOf(self.burglar.address))


def scene(world: World, kind: str) -> Scene:
    token, burglar = load("mocks/HookToken.vy", "Hook", "HOOK", 18), twin("Burglar")
    house = small_vault.deploy(world, [token], world.feeds[:1]) if kind == "vault" else twin(kind, token.address)
    for who in (world.alice, world.stranger):
        token.mint(who, ALL)
        token.approve(house.address, 2**256 - 1, sender=who)
        house.mint(ALL, [ALL], who, LATER, sender=who)
    token.mint(burglar.address, ALL)
    burglar.act(token.address, encode_call("approve(address,uint256)", house.address, 2**256 - 1))
    return Scene(token, house, burglar, world.stranger)


# ------------------------------------------------------------------ dForce, Sturdy, Conic, 2023: read-only

POSTED = ALL // 10


def borrow_in_the_middle(scene: Scene, lender: Any) -> int:
    """Post a few shares, redeem the others, and borrow while shares are burned and their tokens not yet gone."""
    scene.house.approve(lender.address, POSTED, sender=scene.thief)
    lender.post(POSTED, sender=scene.thief)
    borrow = encode_call("borrow(address)", scene.thief)
    scene.token.program(lender.address, [borrow], BEFORE_TRANSFER, 10**6)
    left = scene.house.balanceOf(scene.thief)
    before = scene.money()
    scene.house.redeem(left, [0], scene.thief, LATER, sender=scene.thief)
    return scene.money() - before - left  # the others' fair price was one token each


def lender_to(scene: Scene) -> Any:
    lender = twin("LendsByBalance", scene.token.address, scene.house.address)
    scene.token.mint(lender.address, ALL)
    return lender


def test_borrow_in_the_middle__twin__gets_half_as_much_again_as_he_posted(world: World) -> None:
    here = scene(world, "OpenViews")
    lender = lender_to(here)
    lent = borrow_in_the_middle(here, lender)
    assert lent == 2 * ALL * POSTED // (ALL + POSTED) * 4 // 5
    assert lent - POSTED > POSTED * 45 // 100  # richer by this: what he posted is worth less than what he got


def test_borrow_in_the_middle__vault__the_lender_cannot_look(world: World) -> None:
    here = scene(world, "vault")
    lender = lender_to(here)
    assert borrow_in_the_middle(here, lender) <= 0
    assert here.token.succeeded() == 0
    assert here.token.reason() == b""  # the lock says nothing
    before = here.money()
    lender.borrow(here.thief)
    assert here.money() - before < POSTED  # and afterwards a loan is worth less than what is posted for it


# ------------------------------------------------------------------ Curve, July 2023: one lock for each function


def mint_in_the_middle(scene: Scene) -> tuple[int, bool]:
    """Redeem, and while the tokens are gone and the shares still count, buy as many at half their price.

    The gain, and whether he got in.
    """
    mint = encode_call(MINT, ALL, [ALL], scene.burglar.address, LATER)
    act = encode_call("act(address,bytes)", scene.house.address, mint)
    scene.token.program(scene.burglar.address, [act], AFTER_TRANSFER, 10**6)
    shares, before = scene.house.balanceOf(scene.thief), scene.money()
    scene.house.redeem(shares, [0], scene.thief, LATER, sender=scene.thief)
    got_in = bool(scene.token.succeeded())
    scene.token.program(scene.burglar.address, [], 0, 0)
    if bought := scene.house.balanceOf(scene.burglar.address):
        redeem = encode_call(REDEEM, bought, [0], scene.thief, LATER)
        scene.burglar.act(scene.house.address, redeem)
    return scene.money() - before - ALL, got_in


def test_mint_in_the_middle__twin__loses_a_quarter_of_what_alice_has(world: World) -> None:
    assert mint_in_the_middle(scene(world, "TwoLocks")) == (ALL // 4, True)


def test_mint_in_the_middle__vault__is_locked_out(world: World) -> None:
    here = scene(world, "vault")
    gain, got_in = mint_in_the_middle(here)
    assert not got_in
    assert gain <= 0
    assert here.house.balanceOf(here.burglar.address) == 0


@pytest.mark.parametrize("kind", ["OpenViews", "TwoLocks", "vault"])
def test_scene__redeemed_without_a_hook__gives_what_was_put_in(world: World, kind: str) -> None:
    """So that what the hooks change is all that is measured."""
    here = scene(world, kind)
    shares, before = here.house.balanceOf(here.thief), here.money()
    here.house.redeem(shares, [0], here.thief, LATER, sender=here.thief)
    assert ALL - ALL // 10**15 <= here.money() - before <= ALL
