"""What a thief has before and after: exact integers at the fair price, over all his accounts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.amm import v2
from tests.contracts.market import load
from tests.contracts.vault.world import V2_USD_ETH, World, worth, worth_in_money

PLENTY = 50_000_000  # money of each token that a thief may borrow for a moment


def twin(name: str, *arguments: object) -> Any:
    """A contract with the hole."""
    return load(f"mocks/museum/{name}.vy", *arguments)


@dataclass(frozen=True)
class Thief:
    """Comes with plenty of everything, and lets the house take it."""

    world: World
    accounts: tuple[str, ...]

    @property
    def address(self) -> str:
        return self.accounts[0]

    def money(self) -> int:
        """18 decimals."""
        return sum(
            worth_in_money(token, raw) for who in self.accounts for token, raw in enumerate(self.world.balances(who))
        )

    def gain(self, attack: Callable[[], object]) -> int:
        before = self.money()
        attack()
        return self.money() - before

    def sell(self, token: int, amount: int) -> int:
        """On the world's pair; what came."""
        pair, sides = self.world.pools[V2_USD_ETH], self.world.sides[V2_USD_ETH]
        side = sides.index(token)
        reserves = pair.getReserves()
        out = v2.amount_out(amount, reserves[side], reserves[1 - side], 3_000)
        self.world.tokens[token].transfer(pair.address, amount, sender=self.address)
        pair.swap(*((0, out) if side == 0 else (out, 0)), self.address, b"", sender=self.address)
        return out


def thief_at(world: World, house: Any, *more: str) -> Thief:
    thief = Thief(world, (world.stranger, *more))
    for token in range(len(world.tokens)):
        fund(world, house, thief.address, token, worth(token, PLENTY))
    return thief


def fund(world: World, house: Any, who: str, token: int, amount: int) -> None:
    """Give somebody tokens and let a house take them."""
    contract = world.tokens[token]
    contract.mint(who, amount)
    if contract.allowance(who, house.address) == 0:
        contract.approve(house.address, 2**256 - 1, sender=who)
