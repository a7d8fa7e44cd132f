"""Markets for the tests of the optimiser: pairs in money, drawn at random or written down, and recorded pools."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bot.amm.ticks import MAX_TICK, MIN_TICK
from bot.core.types import Token, V3Pool
from bot.core.units import Liquidity, Pips, SqrtPriceX96, Tick
from bot.planning.optimal.curves import constant_product
from bot.planning.optimal.problem import Exchange, Problem

RECORDED = "pools/mainnet_pool_snapshots.json.gz"


@dataclass(frozen=True)
class Pair:
    """A constant product between tokens a and b, reserves in raw units."""

    a: int
    b: int
    reserve_a: float
    reserve_b: float
    fee: int  # pips


@dataclass(frozen=True)
class Market:
    """What somebody holds, wants, and can trade with."""

    prices: list[float]
    holdings: list[float]
    weights: list[float]
    pairs: list[Pair]

    @property
    def money(self) -> float:
        return sum(held * price for held, price in zip(self.holdings, self.prices, strict=True))

    @property
    def notional(self) -> float:
        money = self.money
        return sum(abs(h * p - w * money) for h, p, w in zip(self.holdings, self.prices, self.weights, strict=True)) / 2

    def problem(self, gas: float = 0.0, only: Sequence[int] | None = None, **constraints: Any) -> Problem:
        """As asked of the optimiser, trading with all pairs or these only."""
        pairs = range(len(self.pairs)) if only is None else only
        return Problem(
            self.prices,
            self.holdings,
            self.weights,
            [exchange(self.pairs[k], str(k), gas) for k in pairs],
            **constraints,
        )


def exchange(pair: Pair, key: str = "pair", gas: float = 0.0) -> Exchange:
    forward = constant_product(pair.reserve_a, pair.reserve_b, pair.fee)
    return Exchange(key, pair.a, pair.b, forward, constant_product(pair.reserve_b, pair.reserve_a, pair.fee), gas)


SHAPES = {3: (3, 1), 10: (5, 2), 50: (13, 3)}  # pools: tokens, and pools of each token with the first
FEES = {1: (3_000,), 2: (500, 3_000), 3: (500, 3_000, 10_000)}


def market(pools: int, size: float, seed: int = 0) -> Market:
    """Draw a hub with pools of each token, and pools across; trades of about `size` of a pool's depth are due.

    Pools are off the oracle by up to half their fee, so nothing can be had for nothing.
    """
    rng = np.random.default_rng([pools, seed])
    tokens, hubs = SHAPES[pools]
    prices = np.exp(rng.normal(2, 1.5, tokens))
    prices[0] = 1.0
    depth = 1e7 * np.exp(rng.normal(0, 0.7, tokens))
    drawn = [
        (0, token, depth[token] * part * np.exp(rng.normal(0, 0.3)), fee)
        for token in range(1, tokens)
        for part, fee in zip((1.0, 0.35, 0.12), FEES[hubs], strict=False)
    ]
    while len(drawn) < pools:
        a, b = sorted(rng.choice(np.arange(1, tokens), 2, replace=False))
        drawn.append((int(a), int(b), 0.3 * np.sqrt(depth[a] * depth[b]) * np.exp(rng.normal(0, 0.3)), 3_000))
    pairs = []
    for a, b, money, fee in drawn:
        off = float(np.exp(rng.uniform(-0.5, 0.5) * fee / 1e6))
        pairs.append(Pair(a, b, float(money / prices[a] * np.sqrt(off)), float(money / prices[b] / np.sqrt(off)), fee))
    return _drifted(rng, prices, pairs, size * float(np.median(depth[1:])))


def _drifted(rng: np.random.Generator, prices: np.ndarray, pairs: list[Pair], size: float) -> Market:
    """Holdings off their weights by about `size` money a token but the first, as much over as under."""
    tokens = len(prices)
    shift = np.zeros(tokens)
    shift[1:] = rng.permutation(np.resize([1.0, -1.0], tokens - 1)) * size * np.exp(rng.normal(0, 0.3, tokens - 1))
    over, under = shift[shift > 0].sum(), -shift[shift < 0].sum()
    shift = np.where(shift > 0, shift * (over + under) / 2 / over, shift * (over + under) / 2 / under)
    money = 8 * np.abs(shift).sum()
    weights = np.maximum(rng.dirichlet(np.full(tokens, 20.0)), 1.2 * np.abs(shift) / money + 0.01)
    weights /= weights.sum()
    return Market(prices.tolist(), ((weights * money + shift) / prices).tolist(), weights.tolist(), pairs)


def recorded_pools(path: Path) -> list[V3Pool]:
    """The recorded mainnet pools of Uniswap V3, one of each address."""
    found = {}
    for each in json.loads(gzip.decompress(path.read_bytes())):
        if each["protocol"] != "uniswap_v3" or each["address"] in found:
            continue
        token0, token1 = (Token(t["address"], t["symbol"], t["decimals"]) for t in (each["token0"], each["token1"]))
        found[each["address"]] = V3Pool(
            each["address"],
            token0,
            token1,
            Pips(each["fee"]),
            each["tickSpacing"],
            SqrtPriceX96(int(each["sqrtPriceX96"])),
            Tick(each["tick"]),
            Liquidity(int(each["liquidity"])),
            tuple((Tick(tick), int(net)) for tick, _, net in each["ticks"]),
            Tick(MIN_TICK),
            Tick(MAX_TICK),
        )
    return list(found.values())


def money_of(pools: Sequence[V3Pool]) -> tuple[list[Token], list[float]]:
    """Tokens of the recorded pools and money for a raw unit of each, by the deepest pools."""
    by_name = {pool.name: (pool.sqrt_price_x96 / 2**96) ** 2 for pool in pools}
    tokens = sorted({token for pool in pools for token in (pool.token0, pool.token1)}, key=lambda token: token.symbol)
    weth = 1e-6 / by_name["USDC/WETH-500"]
    wbtc = by_name["WBTC/WETH-3000"] * weth
    raw = {
        "USDC": 1e-6,
        "USDT": 1e-6,
        "WETH": weth,
        "WBTC": wbtc,
        "cbBTC": wbtc,
        "LINK": by_name["LINK/WETH-3000"] * weth,
    }
    return tokens, [raw[token.symbol] for token in tokens]


def between(pool: V3Pool, token0: Token, token1: Token, address: str) -> V3Pool:
    """The same pool of other tokens."""
    return replace(pool, token0=token0, token1=token1, address=address)
