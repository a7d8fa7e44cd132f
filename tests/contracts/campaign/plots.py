"""What a thief with the keeper's key may try, as plain data: drawn at random, then changed a little at a time.

A place on a pool is counted in deviations: 1 is where the vault's own limit ends above the fair price, 0 is fair.
"""

from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

COOLDOWN_S, DAY_S = 60, 86_400
POOLS = 3
MOST_DEEDS = 16
PUSH, PLACE, PULL, GIFT = "push", "place", "pull", "gift"
SELL, ADD, REMOVE, RUDE = "sell", "add", "remove", "rude"
INSIDE = ("swap", "mint", "flash", "pair")  # callbacks from within which a bundle may be sent


@dataclass(frozen=True)
class Move:
    """Of the thief on a pool, before or after a bundle."""

    kind: str
    pool: int
    where: float  # push: to there; place: his own range around there
    size: float  # pull: share of his liquidity; place and gift: log10 of money


@dataclass(frozen=True)
class Deed:
    """Of the keeper in a bundle."""

    kind: str
    pool: int
    side: int  # sell: token0 or token1; remove: which position
    share: float  # of what is idle, or of the position
    where: float  # add: the range's middle
    width: int  # add: spacings to either side, beyond one in all
    odd: int  # rude: the words of the action come from here


@dataclass(frozen=True)
class Round:
    """Wait, mint, move the pools, send a bundle, move them on, redeem."""

    wait_s: int
    times: int
    drift: tuple[float, float]  # the market's own move before: factors on the prices of ETH and BTC, feeds and true
    lags: tuple[float, float]  # the true prices of ETH and BTC ahead of the feeds', in oracle errors
    stake: float  # shares minted before, per share there is
    keep: bool  # ... and not redeemed until a later round
    skip: int  # tokens not paid out then
    before: tuple[Move, ...]
    deeds: tuple[Deed, ...]
    after: tuple[Move, ...]
    inside: str
    later: int = 0  # observations by which the means that pools are held against begin later than they should


@dataclass(frozen=True)
class Plot:
    """An episode."""

    founding: float  # > 0: the thief was the vault's first holder, alone, with money of 10 to this, and left again
    rounds: tuple[Round, ...]


@dataclass(frozen=True)
class Draw:
    """Where plots come from: what a search may use."""

    random: Random
    lagging: bool = False  # the feeds lag
    rounds: int = 6

    def plots(self, count: int) -> list[Plot]:
        return [self.plot() for _ in range(count)]

    def plot(self) -> Plot:
        pick = self.random
        founding = pick.uniform(1, 9) if pick.random() < 0.05 else 0.0
        return Plot(founding, tuple(self.round() for _ in range(pick.randint(1, self.rounds))))

    def round(self) -> Round:
        pick = self.random
        return Round(
            wait_s=pick.choice((COOLDOWN_S,) * 6 + (0, 59, 600, 3_600, DAY_S, 3 * DAY_S)),
            times=pick.choice((1, 1, 1, 2, 5, 12)),
            drift=(self.drift(), self.drift()),
            lags=(self.lag(), self.lag()),
            stake=pick.choice((0, 0, 0, 0.01, 1, 10 ** pick.uniform(-3, 6))),
            keep=pick.random() < 0.3,
            skip=pick.choice((0, 0, 0, pick.randrange(8))),
            before=tuple(self.move() for _ in range(pick.randint(0, 4))),
            deeds=tuple(self.deed() for _ in range(pick.choice((1, 1, 1, 2, 3, 5, MOST_DEEDS)))),
            after=tuple(self.move() for _ in range(pick.randint(0, 3))),
            inside=pick.choice(("",) * 16 + INSIDE),
            later=pick.choice((0,) * 12 + (1, -1, -2, -10, -40, pick.randrange(-120, 120))),
        )

    def drift(self) -> float:
        return 1.0 if self.random.random() < 0.95 else 10 ** self.random.uniform(-0.6, 0.6)

    def lag(self) -> float:
        return self.random.choice((-1.0, 1.0, self.random.uniform(-1, 1))) if self.lagging else 0.0

    def move(self) -> Move:
        pick = self.random
        kind = pick.choice((PUSH, PUSH, PUSH, PLACE, PULL, GIFT))
        size = pick.choice((1.0, 1.0, pick.random())) if kind == PULL else pick.uniform(-2, 8)
        return Move(kind, pick.randrange(POOLS), self.place(), size)

    def deed(self) -> Deed:
        pick = self.random
        kind = pick.choice((SELL, SELL, SELL, ADD, ADD, REMOVE))
        return Deed(
            kind if pick.random() > 0.02 else RUDE,
            pool=pick.randrange(POOLS),
            side=pick.randrange(2 if kind == SELL else 8),
            share=pick.choice((1.0, 1.0, 0.5, pick.random(), 10 ** pick.uniform(-25, 0))),
            where=self.place(),
            width=pick.choice((0, 0, 1, 3, pick.randrange(100), pick.randrange(20_000))),
            odd=pick.getrandbits(512),
        )

    def place(self) -> float:
        pick = self.random
        kind = pick.random()
        if kind < 0.5:
            return pick.choice((-0.999, -0.99, -0.5, 0, 0.5, 0.99, 0.999))
        return pick.uniform(-1.2, 1.2) if kind < 0.85 else pick.uniform(-400, 400)

    # -------------------------------------------------------------- changes

    def changed(self, plot: Plot) -> Plot:
        """A neighbour: one round altered, added, doubled or left out."""
        pick, rounds = self.random, list(plot.rounds)
        at, kind = pick.randrange(len(rounds)), pick.random()
        if kind < 0.7:
            rounds[at] = self.altered(rounds[at])
        elif kind < 0.8 and len(rounds) < self.rounds:
            rounds.insert(at, pick.choice((self.round(), rounds[at])))
        elif kind < 0.9 and len(rounds) > 1:
            del rounds[at]
        else:
            rounds[at] = self.round()
        return replace(plot, rounds=tuple(rounds))

    def altered(self, old: Round) -> Round:
        """One part of a round drawn anew, or one number moved a little."""
        pick, fresh = self.random, self.round()
        name = pick.choice([part.name for part in fields(Round)] + ["deeds", "before"] * 3)
        now, new = getattr(old, name), getattr(fresh, name)
        if name in ("deeds", "before", "after") and now and pick.random() < 0.8:
            at, items = pick.randrange(len(now)), list(now)
            kind = pick.random()
            if kind < 0.6:
                items[at] = self._nudged(items[at])
            elif kind < 0.75:
                items[at:at] = new[:1]
            elif len(items) > 1:
                del items[at]
            new = tuple(items[:MOST_DEEDS])
        return replace(old, **{name: new})

    def _nudged(self, item: Move | Deed) -> Move | Deed:
        """One number of it drawn anew, or moved a little."""
        pick = self.random
        fresh = self.move() if isinstance(item, Move) else self.deed()
        name = pick.choice([part.name for part in fields(item)])
        new: Any = getattr(fresh, name)
        if isinstance(new, float) and pick.random() < 0.6:
            new = getattr(item, name) * (1 + pick.gauss(0, 0.1))
        return replace(item, **{name: new})
