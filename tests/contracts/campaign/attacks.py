"""Classic attacks and random scripts, drawn from a seed."""

from collections.abc import Callable

from tests.contracts.campaign.script import Call, Script
from tests.contracts.campaign.trader import Trader

BURST = 44  # calls alike in a row: as many as drained Bunni in 2025


def script(trader: Trader) -> Script:
    """What to send next, as one transaction."""
    kind = trader.chance.random()
    if kind < 0.5:
        return [any_call(trader)]
    if kind < 0.85:
        return trader.chance.choice(ATTACKS)(trader)
    return [any_call(trader) for _ in range(trader.chance.randint(2, 7))]


def any_call(trader: Trader) -> Call:
    (make,) = trader.chance.choices(CALLS, WEIGHTS)
    return make(trader)


def sandwich_mint(trader: Trader) -> Script:
    """Push, mint, push back, redeem: what emptied vaults that price their shares at spot."""
    pool, shares = trader.chance.randrange(3), trader.size()
    script = [trader.push(pool), trader.mint(shares, to_me=True), trader.back(pool)]
    return [*script, trader.redeem(shares)] if trader.chance.random() < 0.7 else script


def sandwich_redeem(trader: Trader) -> Script:
    """Push, redeem, push back."""
    pool = trader.chance.randrange(3)
    return [trader.push(pool), trader.redeem(), trader.back(pool)]


def dust(trader: Trader) -> Script:
    """44 small mints and redemptions, at an extreme price or where the price is."""
    one, two = trader.chance.randint(1, 3_000), trader.chance.randint(1, 3_000)
    bursts = [trader.mint(one, BURST, to_me=True), trader.redeem(two, BURST)]
    trader.chance.shuffle(bursts)
    if trader.chance.random() < 0.5:
        return bursts
    pool = trader.chance.randrange(3)
    return [trader.push(pool), *bursts, trader.back(pool)]


def round_trips(trader: Trader) -> Script:
    """Mint and redeem the same, in one piece or several, again and again."""
    shares, pieces = trader.size(), trader.chance.choice((1, 1, 2, 3))
    script = []
    for _ in range(trader.chance.randint(1, 3)):
        script.append(trader.mint(shares, to_me=True))
        script += [trader.redeem(shares // pieces or 1) for _ in range(pieces)]
    return script


def inflate(trader: Trader) -> Script:
    """Mint, give, redeem: what robs a first depositor."""
    shares = trader.size()
    gift = trader.chance.choice((trader.give, trader.give_lp, trader.give_liquidity))()
    return [trader.mint(shares, to_me=True), gift, trader.redeem(shares)]


def farm(trader: Trader) -> Script:
    """Liquidity beside the vault's for the moment of a trade, with shares bought before it or after."""
    pool, shares = trader.chance.randrange(2), trader.size()
    trade = [trader.push(pool), trader.back(pool)] * trader.chance.randint(1, 2)
    script = [trader.provide(), trader.mint(shares, to_me=True), *trade]
    if trader.chance.random() < 0.5:
        script = [trader.provide(), *trade, trader.mint(shares, to_me=True)]
    return [*script, trader.redeem(shares), *trader.withdraw()]


def in_callback(trader: Trader) -> Script:
    """Something while a pool waits to be paid."""
    chance, calls = trader.chance, (Trader.mint, Trader.mint, Trader.redeem, Trader.redeem, Trader.give)
    inside = [chance.choice(calls)(trader) for _ in range(chance.randint(1, 3))]
    make = chance.choice(
        (trader.flash, trader.flash_swap, trader.flash_swap, lambda script: trader.push(inside=script))
    )
    return [make(inside), *([trader.redeem()] if trader.chance.random() < 0.5 else [])]


def set_aside(trader: Trader) -> Script:
    """Redeem around a token, and claim it."""
    return [trader.mint(to_me=True), trader.redeem(), trader.redeem(), trader.claim(), trader.claim()]


ATTACKS: tuple[Callable[[Trader], Script], ...] = (
    sandwich_mint,
    sandwich_mint,
    sandwich_redeem,
    dust,
    dust,
    round_trips,
    round_trips,
    inflate,
    farm,
    in_callback,
    in_callback,
    in_callback,
    set_aside,
    Trader.withdraw,
)
CALLS: tuple[Callable[[Trader], Call], ...] = (
    Trader.mint,
    Trader.redeem,
    Trader.claim,
    Trader.pass_on,
    Trader.give,
    Trader.give_to_pool,
    Trader.give_lp,
    Trader.give_liquidity,
    Trader.push,
    Trader.settle_pair,
    Trader.grow_pair,
    Trader.provide,
)
WEIGHTS = (6, 7, 2, 1, 1, 1, 1, 2, 7, 1, 1, 2)
