"""Net trades as an ordered list of exact swaps, each of what is there at that moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.amm.pools import quote, swap
from bot.core.types import Pool, Token
from bot.core.units import Raw, minus_bps_floor
from bot.planning.optimal.problem import Flow

_ROUNDED = 1e-6  # of what is sold of a token: so near to its old balance, or to nothing, the plan means just that


@dataclass(frozen=True, slots=True)
class Order:
    """Give exactly `amount_in` of `sell` to a pool; `amount_out` is the exact quote at that moment."""

    pool: str
    sell: Token
    buy: Token
    amount_in: Raw
    amount_out: Raw


@dataclass(frozen=True, slots=True)
class Route:
    """Swaps in order, and what they leave behind."""

    orders: tuple[Order, ...]
    idle: Mapping[Token, int]
    pools: Mapping[str, Pool]  # by address


def route(
    tokens: Sequence[Token],
    pools: Mapping[str, Pool],
    idle: Mapping[Token, int],
    flows: Sequence[Flow],
    slippage_bps: int = 0,
) -> Route:
    """Carry net trades out on exact copies of the pools, so that no swap gives more than is there.

    `tokens` are the problem's, `idle` is what may be given away. A token is sold once all that brings it has been
    done, and its last swap takes what then is there beyond the plan: what is left over is rounding. Where trades go
    round in a circle, the token that has most of what it needs begins; a swap that it cannot pay for at once is done in
    two. With slippage a swap counts on no more than the ones before it must bring. ValueError as `pools.swap`.
    """
    desk = _Desk(dict(pools), dict(idle), dict(idle), slippage_bps)
    parts = [_Part(flow.key, tokens[flow.sell], tokens[flow.buy], round(flow.amount_in)) for flow in flows]
    parts.sort(key=lambda part: part.amount)  # the largest last: what differs from the plan is least there
    final = _finals(tokens, idle, flows)
    while parts:
        bought = {part.buy for part in parts}
        ready = next((part.sell for part in parts if part.sell not in bought), None)
        token = desk.readiest(parts) if ready is None else ready
        selling = [part for part in parts if part.sell == token]
        for part in selling:
            last = ready is not None and part is selling[-1]
            wanted = desk.idle.get(token, 0) - max(final[token], 0) if last else part.amount
            amount = max(min(wanted, desk.sure.get(token, 0)), 0)
            desk.swap(part, amount)
            part.amount -= amount
        parts = [part for part in parts if part.sell != token or (ready is None and part.again())]
    return Route(tuple(desk.orders), desk.idle, desk.pools)


@dataclass(slots=True)
class _Part:
    """What is still to be given to one pool."""

    pool: str
    sell: Token
    buy: Token
    amount: int
    cut: bool = False

    def again(self) -> bool:
        """Whether to come back for the rest: once at most."""
        once, self.cut = not self.cut, True
        return once and self.amount > 0


@dataclass(slots=True)
class _Desk:
    pools: dict[str, Pool]
    idle: dict[Token, int]  # expected
    sure: dict[Token, int]  # with each swap bringing the least it may
    slippage_bps: int
    orders: list[Order] = field(default_factory=list)

    def swap(self, part: _Part, amount: int) -> None:
        """Give so much, unless it is too little to bring anything."""
        if amount <= 0 or not quote(self.pools[part.pool], part.sell, amount):
            return
        self.pools[part.pool], out = swap(self.pools[part.pool], part.sell, amount)
        self.orders.append(Order(part.pool, part.sell, part.buy, Raw(amount), out))
        for balances, got in ((self.idle, out), (self.sure, minus_bps_floor(out, self.slippage_bps))):
            balances[part.sell] = balances.get(part.sell, 0) - amount
            balances[part.buy] = balances.get(part.buy, 0) + got

    def readiest(self, parts: Sequence[_Part]) -> Token:
        """The token of which the greatest part of what is to be sold is there."""
        wanted: dict[Token, int] = {}
        for part in parts:
            wanted[part.sell] = wanted.get(part.sell, 0) + part.amount
        return max(wanted, key=lambda token: (self.sure.get(token, 0) / max(wanted[token], 1), token))


def _finals(tokens: Sequence[Token], idle: Mapping[Token, int], flows: Sequence[Flow]) -> dict[Token, int]:
    """Give what the plan leaves idle of each token."""
    change, passed = [0.0] * len(tokens), [0.0] * len(tokens)
    for flow in flows:
        change[flow.sell] -= flow.amount_in
        change[flow.buy] += flow.amount_out
        passed[flow.sell] += flow.amount_in
    finals = {}
    for token, one, most in zip(tokens, change, passed, strict=True):
        held, little = idle.get(token, 0), _ROUNDED * most
        near = next((whole for whole in (held, 0) if abs(held + one - whole) <= little), None)
        finals[token] = held + round(one) if near is None else near
    return finals
