"""What the thief does on the pools with capital and liquidity of his own, and where prices stand for him."""

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from eth_utils.crypto import keccak

from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, tick_at_sqrt_ratio
from tests.contracts.campaign.books import Reader, balance_slot
from tests.contracts.campaign.calldata import calldata, words
from tests.contracts.campaign.engine import Reverted
from tests.contracts.campaign.plots import GIFT, PLACE, PULL, PUSH, Move
from tests.contracts.campaign.world import (
    LIMITS,
    MONEY,
    NOBODY,
    SPACING,
    V2_USD_ETH,
    World,
    liquidity_worth,
    push_pair_data,
    swap_data,
    transfer_data,
    worth,
)

DEVIATION = 1 + Fraction(LIMITS[3], 10_000)
Prices = tuple[Fraction, ...]
Ticks = tuple[int, int]
slot_of = cache(balance_slot)


class _Reader(Reader):
    """Meets the same ranges again and again."""

    _range_slots = cache(Reader._range_slots)


@dataclass
class Stage:
    """The world as an episode finds it: the feeds' prices, and where the thief has liquidity."""

    world: World
    money: Prices = MONEY
    placed: set[tuple[int, Ticks]] = field(default_factory=set)  # pool, ticks

    def __post_init__(self) -> None:
        self.reader = _Reader(self.world)
        self.hand, self.holder = self.world.attackers

    def price(self, pool: int, where: float) -> int:
        """Square-root price so many deviations from the feeds', within what pools know."""
        factor = Fraction(float(DEVIATION) ** (where / 2))
        return max(MIN_SQRT_RATIO + 1, min(MAX_SQRT_RATIO - 1, int(self.world.fair(pool, self.money) * factor)))

    def ticks(self, pool: int, where: float, width: int) -> Ticks:
        """The range of one spacing around a place, and so many more to either side."""
        spacing = SPACING[pool]
        edge = MAX_TICK // spacing
        middle = tick_at_sqrt_ratio(self.price(pool, where)) // spacing
        lower = max(-edge, min(edge - 1, middle - width))
        return lower * spacing, max(lower + 1, min(edge, middle + width + 1)) * spacing

    def balance(self, token: int) -> int:
        """The vault's."""
        return self.world.chain.storage(self.world.tokens[token], slot_of(self.world.vault))

    def tried(self, who: str, to: str, data: bytes) -> bool:
        """Make a call of the thief's that may fail; whether it did not."""
        with suppress(Reverted):
            self.world.act(who, to, data)
            return True
        return False

    # -------------------------------------------------------------- moves

    def move(self, move: Move) -> None:
        world, pool = self.world, move.pool
        if move.kind == PUSH:
            self._push(pool, self.price(pool, move.where))
        elif move.kind == PULL:
            self._pull(pool, move.size)
        elif move.kind == GIFT:
            token = world.sides[pool][int(move.where > 0)]
            self.tried(self.hand, world.tokens[token], transfer_data(world.vault, worth(token, 10**move.size)))
        elif move.kind == PLACE and pool != V2_USD_ETH:
            ticks = self.ticks(pool, move.where, 0)
            liquidity = liquidity_worth(world, pool, ticks, 10**move.size)
            data = calldata("mint(address,int24,int24,uint128,bytes)", self.hand, *ticks, liquidity, bytes(32))
            if self.tried(self.hand, world.pools[pool], data):
                self.placed.add((pool, ticks))

    def _push(self, pool: int, target: int) -> None:
        world, address = self.world, self.world.pools[pool]
        if pool == V2_USD_ETH:
            with suppress(Reverted):
                world.chain.call(NOBODY, self.hand, push_pair_data(address, target))
        elif (at := world.spot(pool)) != target:
            self.tried(self.hand, address, swap_data(self.hand, at > target, target))

    def _pull(self, pool: int, share: float) -> None:
        """Take his liquidity out again; all that the pair began with is his."""
        world, address = self.world, self.world.pools[pool]
        if pool == V2_USD_ETH:
            held = words(world.chain.view(address, calldata("balanceOf(address)", world.owner)))[0]
            with suppress(Reverted):
                world.chain.call(world.owner, address, transfer_data(address, int(held * share)))
                world.chain.call(world.owner, address, calldata("burn(address)", self.hand))
        for ticks in [ticks for where, ticks in sorted(self.placed) if where == pool]:
            data = calldata("burn(int24,int24,uint128)", *ticks, int(self._liquidity(address, ticks) * share))
            self.tried(self.hand, address, data)

    def _liquidity(self, pool: str, ticks: Ticks) -> int:
        key = keccak(bytes.fromhex(self.hand[2:]) + b"".join(tick.to_bytes(3, signed=True) for tick in ticks))
        return words(self.world.chain.view(pool, calldata("positions(bytes32)", int.from_bytes(key))))[0]
