"""Markets in a stranger's hands: prices pushed anywhere, liquidity for a moment, calls inside pools' callbacks."""

from dataclasses import dataclass

from bot.amm.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.contracts.campaign.calldata import calldata, word
from tests.contracts.campaign.script import Call, Script, beside, count, owing, packed
from tests.contracts.campaign.stranger import Stranger
from tests.contracts.campaign.world import CAPITAL, SPACING, V2_USD_ETH

MOST = 2**128 - 1
LITTLE = (9_999, 10_001, 9_900, 10_100, 8_000, 12_500, 3_000, 40_000)  # of 10,000
AWAY = (0, 0, 60, -60, 6_000, -6_000, 200_000)  # ticks


@dataclass
class Trader(Stranger):
    """A stranger with more capital than there is."""

    def push(self, pool: int | None = None, target: int | None = None, inside: Script | None = None) -> Call:
        """A price, where to: the fair price, a range's edge, a little off, anywhere, or an end of all prices."""
        pool = self.chance.choice((0, 0, 1, 1, 2)) if pool is None else pool
        target = self.target(pool) if target is None else target
        address = self.world.pools[pool]
        if pool == V2_USD_ETH:
            data = calldata("push_pair(address,uint256,uint256)", address, target, CAPITAL)
            return Call(f"push pair to {target}", self.me, data)
        data = calldata(
            "push_pool(address,uint256,uint256,bytes)", address, target, CAPITAL, self._inside((0, 0), inside)
        )
        return Call(
            f"push {pool} to {target}{beside(inside)}", self.me, data, inside=count(inside), owing=owing(inside)
        )

    def back(self, pool: int) -> Call:
        return self.push(pool, self.fair[pool])

    def settle_pair(self) -> Call:
        pair = self.world.pools[V2_USD_ETH]
        if self.chance.random() < 0.5:
            return Call("sync", pair, calldata("sync()"))
        return Call("skim", pair, calldata("skim(address)", self.chance.choice((self.me, self.world.vault))))

    def grow_pair(self) -> Call:
        """LP tokens for what lies in the pair unsynced, or tokens for LP tokens that lie there."""
        make = self.chance.choice(("mint(address)", "burn(address)"))
        return Call(f"pair {make}", self.world.pools[V2_USD_ETH], calldata(make, self.me))

    def provide(self) -> Call:
        """Liquidity of one's own: on the ticks of the vault, or a sliver just where the price is."""
        pool = self.chance.randrange(2)
        ticks = [ticks for at, ticks in self.ranges if at == pool]
        if ticks and self.chance.random() < 0.7:
            chosen = self.chance.choice(ticks)
        else:
            spacing = SPACING[pool]
            lower = (tick_at_sqrt_ratio(self.fair[pool]) + self.chance.choice(AWAY)) // spacing * spacing
            chosen = (lower, lower + spacing * self.chance.choice((1, 2, 50)))
        amount = 10 ** self.chance.randint(0, 20)
        self.own.append((pool, chosen, amount))
        return self._pool_mint(f"provide {amount} to {pool} {chosen}", pool, self.me, chosen, amount)

    def withdraw(self) -> Script:
        """Take out what was provided last, fees too."""
        if not self.own:
            return [self.settle_pair()]
        pool, (lower, upper), amount = self.own.pop()
        address = self.world.pools[pool]
        burn = calldata("burn(int24,int24,uint128)", lower, upper, amount)
        collect = calldata("collect(address,int24,int24,uint128,uint128)", self.me, lower, upper, MOST, MOST)
        return [
            Call(f"withdraw {amount} of {pool} {lower, upper}", address, burn),
            Call("collect", address, collect),
        ]

    # -------------------------------------------------------------- callbacks

    def flash(self, inside: Script) -> Call:
        """Borrow of a V3 pool, and pay more than is asked for now and then."""
        pool = self.chance.randrange(2)
        lent = [10 ** self.chance.randint(0, 12) for _ in range(2)]
        back = [amount + self.chance.choice((0, 0, 1, 10**9, 10**20)) for amount in lent]
        data = calldata(
            "flash(address,uint256,uint256,bytes)", self.me, *lent, self._inside((back[0], back[1]), inside)
        )
        return Call(
            f"flash {pool} {lent}{beside(inside)}",
            self.world.pools[pool],
            data,
            inside=count(inside),
            owing=owing(inside),
        )

    def flash_swap(self, inside: Script) -> Call:
        """Take most of a V2 pair's token, and pay it back with the fee."""
        lent = [0, 0]
        side = self.chance.randrange(2)
        lent[side] = self.reserves[side] // self.chance.choice((2, 2, 10, 10**6)) + 1
        back = [amount + amount // 300 + 1 if amount else 0 for amount in lent]
        data = calldata("swap(uint256,uint256,address,bytes)", *lent, self.me, self._inside((back[0], back[1]), inside))
        return Call(
            f"flash swap {lent}{beside(inside)}",
            self.world.pools[V2_USD_ETH],
            data,
            inside=count(inside),
            owing=owing(inside),
        )

    def give_liquidity(self) -> Call:
        """Into a range of the vault's, in its name."""
        if not self.ranges:
            return self.give()
        pool, ticks = self.chance.choice(self.ranges)
        amount = 10 ** self.chance.choice((0, 3, 6, 9, 12, 15, 17, 20, 26, 32))
        return self._pool_mint(f"give {amount} to range {pool} {ticks}", pool, self.world.vault, ticks, amount)

    # -------------------------------------------------------------- for these

    def target(self, pool: int) -> int:
        """A square-root price (X96) to push to."""
        kind, fair = self.chance.random(), self.fair[pool]
        if kind < 0.25:
            return fair
        if kind < 0.5:
            return fair * self.chance.choice(LITTLE) // 10_000
        edges = [tick for at, ticks in self.ranges if at == pool for tick in ticks]
        if kind < 0.8 and edges:
            return sqrt_ratio_at_tick(self.chance.choice(edges)) + self.chance.choice((-1, 0, 0, 1))
        if pool == V2_USD_ETH:
            return fair * self.chance.choice((1, 10, 10**4)) // self.chance.choice((1, 10, 10**4)) + 1
        if kind < 0.9:
            return sqrt_ratio_at_tick(self.chance.randint(MIN_TICK + 1, MAX_TICK - 1))
        return self.chance.choice((MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1))

    def _pool_mint(self, name: str, pool: int, owner: str, ticks: tuple[int, int], amount: int) -> Call:
        data = calldata("mint(address,int24,int24,uint128,bytes)", owner, *ticks, amount, self._inside((0, 0), None))
        return Call(name, self.world.pools[pool], data)

    def _inside(self, amounts: tuple[int, int], script: Script | None) -> bytes:
        """What a callback is told: amounts to pay beside those it is asked for, and what to do first."""
        return word(amounts[0] << 128 | amounts[1]) + packed(script or [])
