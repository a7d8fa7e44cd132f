"""Any token beside the world's ETH: a V3 pool and a V2 pair of the two, and a vault that lists them."""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import boa
from eth_utils import keccak

from bot.amm import v3
from bot.amm.ticks import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.contracts.market import load
from tests.contracts.vault import small_vault
from tests.contracts.vault.world import (
    ADD,
    ETH,
    LIMITS,
    LOCKED,
    MONEY,
    NOBODY,
    ONE,
    Q96,
    SWAP,
    UNISWAP,
    World,
    action,
    both,
    published,
)

COIN, ETHER = 0, 1  # the vault's tokens: the one tried, worth 1 of money, and the world's ETH
POOL, PAIR = 0, 1  # the vault's pools
FEE = 3_000
FULL = 887_220  # full range
DEPTH = 10_000_000  # money on each side of the pool and of the pair
FIRST = 500_000  # money of each token in the vault
SHARES = 10**6 * ONE  # the locked ones among them


@dataclass(frozen=True)
class SmallMarket:
    """A vault of a million, all idle; its holder has all shares but the locked ones."""

    world: World
    vault: Any
    tokens: tuple[Any, Any]
    feeds: tuple[Any, Any]
    pool: Any
    pair: Any
    decimals: int

    @property
    def coin(self) -> Any:
        return self.tokens[COIN]

    @property
    def holder(self) -> str:
        return self.world.alice

    def raw(self, token: int, money: float) -> int:
        """Raw amount that is worth so much."""
        return raw(token, self.decimals, money)

    def side(self, token: int) -> int:
        """Whether the token is token0 (0) or token1 (1) of both pools."""
        return int(self.pool.token0() != self.tokens[token].address)

    def ordered(self, coin: Any, ether: Any) -> tuple[Any, Any]:
        """The two in the pools' order."""
        return (coin, ether) if self.side(COIN) == 0 else (ether, coin)

    def balances(self, who: str) -> list[int]:
        return [token.balanceOf(who) for token in self.tokens]

    def claims(self) -> list[Fraction]:
        """What the vault's holdings of each token are, to the last fraction of a wei; its ranges must have no fees."""
        held = [Fraction(balance) for balance in self.balances(self.vault.address)]
        part = Fraction(self.pair.balanceOf(self.vault.address), self.pair.totalSupply())
        for token, reserve in enumerate(self.balances(self.pair.address)):
            held[token] += reserve * part
        lower, upper = (tick.to_bytes(3, signed=True) for tick in self.ticks())
        key = keccak(bytes.fromhex(self.vault.address[2:]) + lower + upper)
        liquidity = self.pool.positions(key)[0]
        bottom, top = (sqrt_ratio_at_tick(tick) for tick in self.ticks())
        at = max(bottom, min(self.pool.slot0()[0], top))
        principal = Fraction(liquidity * Q96 * (top - at), at * top), Fraction(liquidity * (at - bottom), Q96)
        for token, amount in zip((COIN, ETHER), self.ordered(*principal), strict=True):
            held[token] += amount
        return held

    def execute(self, *actions: tuple[int, int]) -> list[tuple[int, int]]:
        boa.env.time_travel(seconds=LIMITS[-1])
        return small_vault.execute(self.vault, self.world.keeper, *actions)

    def swap(self, pool: int, token: int, amount: int, least: int = 0) -> tuple[int, int]:
        return action(SWAP, pool, amount, least, (1 - self.side(token), 0))

    def ticks(self) -> tuple[int, int]:
        tick = self.pool.slot0()[1] // 60 * 60
        return tick - 1_200, tick + 1_200

    def liquidity(self, money: float) -> int:
        amounts = self.ordered(self.raw(COIN, money / 2), self.raw(ETHER, money / 2))
        return v3.liquidity_for(self.pool.slot0()[0], *self.ticks(), *amounts)

    def add_range(self, money: float) -> tuple[int, int]:
        most = both(*self.ordered(self.raw(COIN, money), self.raw(ETHER, money)))
        return action(ADD, POOL, self.liquidity(money), most, self.ticks())

    def add_pair(self, money: float) -> tuple[int, int]:
        return action(ADD, PAIR, 0, both(*self.ordered(self.raw(COIN, money / 2), self.raw(ETHER, money / 2))))

    def mint(self, who: str, shares: int) -> list[int]:
        return small_vault.mint(self.vault, self.tokens, who, shares, small_vault.cost(self.vault, shares))

    def redeem(self, who: str, shares: int, skip: int = 0) -> list[int]:
        return small_vault.redeem(self.vault, who, shares, skip)


def raw(token: int, decimals: int, money: float) -> int:
    price, places = ((1, decimals), (MONEY[ETH], 18))[token]
    return int(money * 10**places) // price


def open_market(world: World, coin: Any) -> SmallMarket:
    decimals = coin.decimals()
    tokens = (coin, world.tokens[ETH])
    feed = load("mocks/Feed.vy", 8, "COIN / USD")
    feed.set_answer(10**8, world.now)
    world.refresh()
    feeds = (feed, world.feeds[ETH])
    pool = UNISWAP.at(published("UniswapV3Factory").createPool(*(token.address for token in tokens), FEE))
    pair = UNISWAP.at(published("UniswapV2Factory", NOBODY).createPair(*(token.address for token in tokens)))
    listed = [(pool.address, 3, 0, 0), (pair.address, 2, FEE, 0)]
    vault = small_vault.deploy(world, tokens, feeds, listed)
    market = SmallMarket(world, vault, tokens, feeds, pool, pair, decimals)
    depth = market.ordered(raw(COIN, decimals, DEPTH), raw(ETHER, decimals, DEPTH))
    price = Fraction(depth[1], depth[0])
    pool.initialize(isqrt(price.numerator * 2**192 // price.denominator))
    world.provider.add(pool.address, -FULL, FULL, v3.liquidity_for(pool.slot0()[0], -FULL, FULL, *depth))
    for token, amount in zip(market.ordered(*tokens), depth, strict=True):
        token.mint(pair.address, amount)
    pair.mint(world.provider.address)
    first = [market.raw(token, FIRST) for token in (COIN, ETHER)]
    small_vault.mint(vault, tokens, world.alice, SHARES - LOCKED, first)
    assert tick_at_sqrt_ratio(pool.slot0()[0]) == pool.slot0()[1]
    return market
