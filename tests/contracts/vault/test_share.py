"""Shares as an ERC-20."""

from tests.contracts.vault.world import LOCKED, NOBODY, ONE, World, reverts

ENDLESS = 2**256 - 1


def test_share__names_and_decimals(world: World) -> None:
    assert (world.vault.name(), world.vault.symbol(), world.vault.decimals()) == ("Evenkeel", "KEEL", 18)


def test_balances__locked_shares_included__sum_to_the_supply(world: World) -> None:
    vault = world.vault
    vault.transfer(world.bob, 3 * ONE, sender=world.alice)
    vault.redeem(ONE, [0, 0, 0], world.bob, world.deadline, sender=world.bob)
    holders = (NOBODY, world.alice, world.bob)
    assert sum(vault.balanceOf(who) for who in holders) == vault.totalSupply() == 999_999 * ONE + LOCKED


def test_transfer__moves_shares_and_says_so(world: World) -> None:
    assert world.vault.transfer(world.bob, 5, sender=world.alice) is True
    assert world.event("Transfer") == {"sender": world.alice.lower(), "receiver": world.bob.lower(), "value": 5}
    assert world.vault.balanceOf(world.bob) == 5


def test_transfer__to_the_zero_address__reverts(world: World) -> None:
    world.vault.approve(world.bob, 1, sender=world.alice)
    for move in (
        lambda: world.vault.transfer(NOBODY, 1, sender=world.alice),
        lambda: world.vault.transferFrom(world.alice, NOBODY, 1, sender=world.bob),
    ):
        with reverts("shares: zero address"):
            move()


def test_transfer__more_than_held__reverts(world: World) -> None:
    held = world.vault.balanceOf(world.alice)
    with reverts("shares: balance"):
        world.vault.transfer(world.bob, held + 1, sender=world.alice)
    world.vault.transfer(world.bob, held, sender=world.alice)


def test_transfer__to_oneself__changes_nothing(world: World) -> None:
    held = world.vault.balanceOf(world.alice)
    world.vault.transfer(world.alice, held, sender=world.alice)
    assert world.vault.balanceOf(world.alice) == held


def test_transfer_from__uses_up_the_allowance(world: World) -> None:
    vault = world.vault
    vault.approve(world.bob, 10, sender=world.alice)
    assert world.event("Approval") == {"owner": world.alice.lower(), "spender": world.bob.lower(), "value": 10}
    vault.transferFrom(world.alice, world.stranger, 6, sender=world.bob)
    assert (vault.allowance(world.alice, world.bob), vault.balanceOf(world.stranger)) == (4, 6)
    with reverts("shares: allowance"):
        vault.transferFrom(world.alice, world.stranger, 5, sender=world.bob)
    with reverts("shares: allowance"):
        vault.transferFrom(world.alice, world.stranger, 1, sender=world.stranger)


def test_transfer_from__endless_allowance__stays(world: World) -> None:
    world.vault.approve(world.bob, ENDLESS, sender=world.alice)
    world.vault.transferFrom(world.alice, world.bob, ONE, sender=world.bob)
    assert world.vault.allowance(world.alice, world.bob) == ENDLESS


def test_transfer__between_fees_and_redemption__takes_the_fees_along_once(world: World) -> None:
    """Shares that change hands carry their part of the fees, and leave none behind to be claimed again."""
    half = world.vault.balanceOf(world.alice) // 2
    first = world.redeem(world.alice, ONE)
    world.vault.transfer(world.bob, half, sender=world.alice)
    second = world.redeem(world.bob, ONE)
    assert all(0 <= now - was <= 1 for now, was in zip(second, first, strict=True))
