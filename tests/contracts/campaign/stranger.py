"""Calls that a stranger can make of a vault, and gifts to it, their sizes drawn from a seed.

Sizes go from one unit to far beyond what the world holds.
"""

from dataclasses import dataclass, field
from random import Random

from tests.contracts.campaign.script import Call
from tests.contracts.campaign.world import (
    ALL,
    V2_USD_ETH,
    World,
    claim_data,
    mint_data,
    redeem_data,
    transfer_data,
)

MOST_SHARES = 2**128
MOSTS = ((ALL,) * 3, (ALL, 0, 0), (0, ALL, 0), (0, 0, ALL), (0, 0, 0))  # one token only, or nothing: a first mint's
SKIPS = (0, 0, 0, 0, 1, 2, 4, 7, 2**200)


@dataclass
class Stranger:
    """One of the attackers' contracts, as far as it deals with the vault alone."""

    world: World
    chance: Random
    me: str
    fair: list[int]  # square-root price (X96) of each pool
    ranges: list[tuple[int, tuple[int, int]]]  # the vault's
    shares: int = 0  # held, as far as is known
    supply: int = 0
    reserves: tuple[int, int] = (0, 0)  # of the pair
    own: list[tuple[int, tuple[int, int], int]] = field(default_factory=list)  # pool, ticks, liquidity

    # -------------------------------------------------------------- the vault

    def mint(self, shares: int | None = None, times: int = 1, to_me: bool = False) -> Call:
        shares = self.size() if shares is None else shares
        most = self.chance.choices(MOSTS, (35, 1, 1, 1, 2))[0]
        receiver = self.me if to_me or self.chance.random() < 0.9 else self.somebody()
        if receiver == self.me:
            self.shares += shares * times
        return self._call(f"mint {shares} to {self.world.name(receiver)}", mint_data(shares, receiver, most), times)

    def redeem(self, shares: int | None = None, times: int = 1) -> Call:
        if shares is None and self.shares == 0:
            return self.mint(to_me=True)
        shares = self.part() if shares is None else shares
        self.shares = max(0, self.shares - shares * times)
        skip = self.chance.choice(SKIPS)
        receiver = self.me if self.chance.random() < 0.85 else self.somebody()
        owing = frozenset((token, receiver) for token in range(3) if skip >> token & 1)
        data = redeem_data(shares, receiver, skip)
        return self._call(f"redeem {shares} skip {skip} to {self.world.name(receiver)}", data, times, owing)

    def claim(self) -> Call:
        token = self.chance.randrange(3)
        return self._call(f"claim {token}", claim_data(self.world, token, self.me))

    def pass_on(self) -> Call:
        amount, receiver = self.part(), self.somebody()
        return self._call(f"transfer {amount} to {self.world.name(receiver)}", transfer_data(receiver, amount))

    def _call(self, name: str, data: bytes, times: int = 1, owing: frozenset[tuple[int, str]] = frozenset()) -> Call:
        return Call(name, self.world.vault, data, times, vault=True, owing=owing)

    # -------------------------------------------------------------- gifts

    def give(self) -> Call:
        token, amount = self.chance.randrange(3), self.amount()
        data = transfer_data(self.world.vault, amount)
        return Call(f"give {amount} of {token}", self.world.tokens[token], data, vault=True)

    def give_to_pool(self) -> Call:
        token, pool, amount = self.chance.randrange(3), self.chance.choice(self.world.pools), self.amount()
        return Call(
            f"give {amount} of {token} to {self.world.name(pool)}",
            self.world.tokens[token],
            transfer_data(pool, amount),
        )

    def give_lp(self) -> Call:
        amount = self.chance.choice((1, 10**3, 10**6, 10**9, 10**11))
        data = transfer_data(self.chance.choice((self.world.vault, self.world.pools[V2_USD_ETH])), amount)
        return Call(f"give {amount} LP", self.world.pools[V2_USD_ETH], data)

    # -------------------------------------------------------------- sizes

    def size(self) -> int:
        """Of a mint: dust, anything, or a multiple of all there is."""
        kind = self.chance.random()
        if kind < 0.3:
            return self.chance.randint(1, 2_000)
        if kind < 0.7:
            return self.chance.randint(1, 10 ** self.chance.randint(6, 24))
        times = self.chance.choice((1, 2, 9, 1_000))
        return min(MOST_SHARES, self.supply * times // self.chance.choice((1, 3, 1_000)) + 1)

    def part(self) -> int:
        """Of the shares held: dust, all, all but one, or some."""
        held = self.shares
        some = self.chance.choice((1, 2, 999, held, held, held - 1, held // 2, held // 3, held // 10**6))
        return max(1, min(held, some))

    def amount(self) -> int:
        return self.chance.choice((1, 1, 2, 10**3, 10**6, 10**9, 10**12, 10**18, 10**21))

    def somebody(self) -> str:
        world = self.world
        return self.chance.choice((*world.attackers, *world.honest, world.vault, *world.pools))
