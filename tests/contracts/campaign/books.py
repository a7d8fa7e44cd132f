"""Reads all that the claims on a vault hang on, straight from the storage of pools and tokens: some 50 µs a reading.

The layouts are those of Uniswap's published code and of the mock tokens; a test holds them against what contracts say.
"""

from dataclasses import dataclass

from eth_utils.crypto import keccak

from tests.contracts.campaign.calldata import word
from tests.contracts.campaign.world import V2_USD_ETH, World

Q128 = 2**128
MASK128 = 2**128 - 1
MASK160 = 2**160 - 1
UINT256 = 2**256
TICKS, POSITIONS = 5, 7  # slots of UniswapV3Pool; slot0 and the two fee growths are 0, 1 and 2
LP_SUPPLY, LP_BALANCES, RESERVES = 0, 1, 8  # slots of UniswapV2Pair


@dataclass(frozen=True, slots=True)
class Books:
    """What the vault holds, and the state of the pools it holds it in. Pairs are token0's and token1's."""

    supply: int  # of shares, the locked ones too
    idle: tuple[int, ...]  # balance and fees due, to the unit, less what redemptions set aside: per token
    spots: tuple[int, ...]  # square-root prices of the V3 pools, X96
    ranges: tuple[tuple[int, int, int], ...]  # pool, ticks
    liquidity: tuple[int, ...]  # of each range
    lp: int  # LP tokens; 0 when the pair is no position
    lp_supply: int
    reserves: tuple[int, int]
    balances: tuple[int, int]  # of the pair


class Reader:
    """Knows where to look. `look_again` after the keeper opened or closed a position."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owing: set[tuple[int, str]] = set()  # (token, who) of whom something may have been set aside
        pair = world.pools[V2_USD_ETH]
        self._held = [(token, balance_slot(world.vault)) for token in world.tokens]
        self._in_pair = [(world.tokens[side], balance_slot(pair)) for side in world.sides[V2_USD_ETH]]
        self._lp = mapping_slot(word(world.vault), LP_BALANCES)
        self.look_again()

    def look_again(self) -> None:
        positions = self.world.positions()
        self.paired = any(pool == V2_USD_ETH for pool, _, _ in positions)
        self.ranges = tuple(position for position in positions if position[0] != V2_USD_ETH)
        self._slots = [self._range_slots(*position) for position in self.ranges]

    def books(self) -> Books:
        """All in one moment; between transactions only."""
        world, storage = self.world, self.world.chain.storage
        idle = [storage(token, slot) for token, slot in self._held]
        for token, who in self.owing:
            idle[token] -= world.owed(token, who)
        heads = [self._head(pool) for pool in world.pools[:V2_USD_ETH]]
        liquidity = []
        for (pool, lower, upper), slots in zip(self.ranges, self._slots, strict=True):
            held, due = self._due(world.pools[pool], heads[pool], (lower, upper), slots)
            liquidity.append(held)
            for token, amount in zip(world.sides[pool], due, strict=True):
                idle[token] += amount
        pair = world.pools[V2_USD_ETH]
        packed = storage(pair, RESERVES)
        return Books(
            supply=world.supply(),
            idle=tuple(idle),
            spots=tuple(head[0] for head in heads),
            ranges=self.ranges,
            liquidity=tuple(liquidity),
            lp=storage(pair, self._lp) if self.paired else 0,
            lp_supply=storage(pair, LP_SUPPLY),
            reserves=(packed % 2**112, (packed >> 112) % 2**112),
            balances=(storage(*self._in_pair[0]), storage(*self._in_pair[1])),
        )

    def _head(self, pool: str) -> tuple[int, int, int, int]:
        """Price, tick and both fee growths."""
        storage = self.world.chain.storage
        packed = storage(pool, 0)
        return packed & MASK160, ((packed >> 160 & 0xFFFFFF) ^ 0x800000) - 0x800000, storage(pool, 1), storage(pool, 2)

    def _range_slots(self, pool: int, lower: int, upper: int) -> tuple[int, int, int]:
        """Of the position's record, and of both ticks' fee growths outside."""
        ticks = (tick.to_bytes(3, signed=True) for tick in (lower, upper))
        key = keccak(bytes.fromhex(self.world.vault[2:]) + b"".join(ticks))
        low, top = (mapping_slot(word(tick), TICKS) + 1 for tick in (lower, upper))
        return mapping_slot(key, POSITIONS), low, top

    def _due(
        self, pool: str, head: tuple[int, int, int, int], ticks: tuple[int, int], slots: tuple[int, int, int]
    ) -> tuple[int, tuple[int, int]]:
        """Liquidity of a range, and its fees just as a burn of 0 would credit them."""
        storage, (record, low, top) = self.world.chain.storage, slots
        liquidity, owed = storage(pool, record) & MASK128, storage(pool, record + 3)
        due = []
        for side, before in enumerate((owed & MASK128, owed >> 128)):
            below, above = storage(pool, low + side), storage(pool, top + side)
            if head[1] < ticks[0]:
                inside = below - above
            elif head[1] < ticks[1]:
                inside = head[2 + side] - below - above
            else:
                inside = above - below
            grown = (inside - storage(pool, record + 1 + side)) % UINT256
            due.append(before + (grown * liquidity // Q128) % Q128)
        return liquidity, (due[0], due[1])


def mapping_slot(key: bytes, slot: int) -> int:
    """Where Solidity keeps a mapping's value."""
    return int.from_bytes(keccak(key + word(slot)))


def balance_slot(who: str) -> int:
    """Where a mock token, in Vyper, keeps a balance."""
    return int.from_bytes(keccak(word(0) + word(who)))
