"""Which pools a trade goes through: the direct pool or the two-hop path that returns most."""

from collections.abc import Iterable, Iterator

from bot.amm.pools import other, quote
from bot.core.types import Pool, Token

Path = tuple[Pool, ...]


def best_path(pools: Iterable[Pool], sell: Token, buy: Token, amount_in: int) -> Path | None:
    """The path with the highest exact quote; None when no path joins the tokens or takes the amount."""
    quoted = [(out, path) for path in paths(tuple(pools), sell, buy) if (out := path_quote(path, sell, amount_in))]
    return max(quoted, key=lambda found: (found[0], -len(found[1])))[1] if quoted else None


def paths(pools: tuple[Pool, ...], sell: Token, buy: Token) -> Iterator[Path]:
    """Every direct pool, and every pair of pools that meet in one token."""
    for first in pools:
        if sell not in (first.token0, first.token1):
            continue
        middle = other(first, sell)
        if middle == buy:
            yield (first,)
            continue
        for second in pools:
            if {middle, buy} == {second.token0, second.token1}:
                yield (first, second)


def path_quote(path: Path, sell: Token, amount_in: int) -> int:
    """Exact output of a path; 0 when a pool of it cannot take the amount."""
    token, amount = sell, amount_in
    for pool in path:
        if amount == 0:
            return 0
        try:
            amount = quote(pool, token, amount)
        except ValueError:  # drained, or more than the observed ticks hold
            return 0
        token = other(pool, token)
    return amount
