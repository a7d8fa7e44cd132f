"""Holds the books after each transaction against those before it, and says exactly what somebody lost."""

from collections.abc import Sequence
from fractions import Fraction

from bot.amm.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from tests.contracts.campaign.books import LP_BALANCES, Books, Reader, balance_slot, mapping_slot
from tests.contracts.campaign.calldata import word
from tests.contracts.campaign.claims import amounts, cost, fell, owned, per_share, scale
from tests.contracts.campaign.world import V2_USD_ETH, World

LOCKED = 10**6  # shares that nobody holds; with no others, the next mint is a first mint and what lies there nobody's
NEAR = ((103, 100), (1, 2), (7, 3))  # of both fair square-root prices


class Loss(Exception):
    """Somebody has a claim to less than before; says to how much less."""


class Watch:
    """The books as they stand, and the scales of one episode: fair prices, some off them and the ends of all prices."""

    def __init__(self, world: World, strict: bool = True) -> None:
        self.world, self.strict = world, strict  # not strict: only reads the books
        self.reader = Reader(world)
        self.fair = (world.fair(0), world.fair(1))
        factors = [*NEAR, *((second, first) for first, second in NEAR)]
        self.prices = [
            self.fair,
            *((self.fair[0] * up // by, self.fair[1] * by // up) for up, by in factors),
            (MIN_SQRT_RATIO + 1, self.fair[1]),
            (MAX_SQRT_RATIO - 1, MIN_SQRT_RATIO + 1),
        ]
        self._people = {who: balance_slot(who) for who in world.attackers}
        pair = world.pools[V2_USD_ETH]
        self._lps = [mapping_slot(word(who), LP_BALANCES) for who in (*world.attackers, pair)]
        self.start_again()

    def start_again(self) -> None:
        """Forget the books: what the keeper did is held to other limits."""
        self.reader.look_again()
        self.scales = [scale(prices, self.reader.ranges, self.world.sides) for prices in self.prices]
        self.books = self.reader.books()

    def value(self) -> Fraction:
        """Of a share at the fair prices of the beginning, in raw units of the first token."""
        return self.scales[0].money(self.scales[0].value(self.books, up=False), 0)

    def check(self) -> None:
        """Read the books anew. Loss when a share is worth less than before at any test price."""
        before, self.books = self.books, self.reader.books()
        if min(self.books.idle) < 0:
            raise Loss(f"more was set aside than there is: {self.books.idle}")
        if self.strict and before.supply > LOCKED:
            for prices, at in zip(self.prices, self.scales, strict=True):
                was, now = at.value(before, up=False), at.value(self.books, up=True)
                if fell(was, now):
                    raise Loss(f"value of a share at {prices}: {_lost(at.money(was, 0), at.money(now, 0), before)}")

    def check_still(self, before: Books) -> None:
        """After a call that moved no pool: each token by itself. Loss when a share's part of it is less than before."""
        if not self.strict or before.supply <= LOCKED:
            return
        both = zip(amounts(before, self.world.sides), amounts(self.books, self.world.sides), strict=True)
        for token, (was, now) in enumerate(both):
            was, now = per_share(was, before), per_share(now, self.books)
            if fell(was, now):
                raise Loss(f"token {token} of a share: {_lost(Fraction(*was), Fraction(*now), before)}")

    def wealth(self) -> list[Fraction]:
        """Of all attackers, per token, with their shares and LP tokens at the pools' present prices.

        LP tokens that lie in the pair count as theirs: who burns next gets what those pay, and it may be they.
        """
        storage, world, books = self.world.chain.storage, self.world, self.books
        found = [Fraction(sum(storage(token, slot) for slot in self._people.values())) for token in world.tokens]
        for token, who in self.reader.owing:
            if who in self._people:
                found[token] += world.owed(token, who)
        shares = sum(world.shares(who) for who in self._people)
        lp = sum(storage(world.pools[V2_USD_ETH], slot) for slot in self._lps)
        for token, (amount, whole) in enumerate(amounts(books, world.sides)):
            found[token] += Fraction(amount * shares, whole * books.supply)
        for token, balance in zip(world.sides[V2_USD_ETH], books.balances, strict=True):
            found[token] += Fraction(lp * balance, books.lp_supply)
        return found

    def cost(self, shares: int) -> list[int]:
        """The most that a mint may take now."""
        return cost(self.books, shares, self.world.sides)

    def check_redemption(self, before: Books, shares: int, skip: int, given: Sequence[int], lp: int) -> None:
        """Loss when a redemption gave less than its slice."""
        if not self.strict:
            return
        least, least_lp = owned(before, shares, self.world.sides, skip)
        if lp < least_lp or any(amount < limit for amount, limit in zip(given, least, strict=True)):
            raise Loss(f"a redemption of {shares} gave {list(given)} and {lp} LP, due were {least} and {least_lp}")


def _lost(was: Fraction, now: Fraction, before: Books) -> str:
    """In raw units, of all shares there were."""
    return f"all holders lost {float((was - now) * before.supply):.6g} of {float(was * before.supply):.6g} raw units"
