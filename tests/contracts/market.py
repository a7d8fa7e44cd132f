"""A small market in memory with Uniswap's published bytecode, and a vault in it that holds something of everything."""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import boa
from eth_utils.crypto import keccak

from bot.amm import v3
from bot.chain.abi import decode, encode
from bot.chain.abi import load as load_artifact
from bot.chain.toolchain import creation_codes
from bot.core.units import to_raw_floor
from bot.execution.treasury import CHARTER_TYPES, NOBODY, VAULT_TYPES

PRICES = {"USDC": Decimal(1), "WETH": Decimal(3_000), "WBTC": Decimal(90_000)}
DECIMALS = {"USDC": 6, "WETH": 18, "WBTC": 8}
ONE = 10**18  # of money, and of a share
HOUR_S = 3_600
FIRST_TOKEN = 0x70CE << 144  # address
HELD = 34  # place of the vault's word that begins with the sequence
FULL = 887_220  # a full range on spacings 10 and 60
SPACING = {500: 10, 3_000: 60}

CONTRACTS = Path(__file__).parents[2] / "contracts"

POOL_ABI = """
createPool(address,address,uint24) -> address; getPool(address,address,uint24) -> address
createPair(address,address) -> address; getPair(address,address) -> address; factory() -> address
initialize(uint160); token0() -> address; token1() -> address; mint(address) -> uint256
slot0() -> uint160,int24,uint16,uint16,uint16,uint8,bool; liquidity() -> uint128
positions(bytes32) -> uint128,uint256,uint256,uint128,uint128
ticks(int24) -> uint128,int128,uint256,uint256,int56,uint160,uint32,bool
feeGrowthGlobal0X128() -> uint256; feeGrowthGlobal1X128() -> uint256
getReserves() -> uint112,uint112,uint32; totalSupply() -> uint256; balanceOf(address) -> uint256
transfer(address,uint256) -> bool; sync(); setFeeTo(address)
increaseObservationCardinalityNext(uint16); observations(uint256) -> uint32,int56,uint160,bool
"""


def _function(signature: str) -> dict[str, Any]:
    head, _, outputs = signature.strip().partition(" -> ")
    name, inputs = head.rstrip(")").split("(")
    kinds = [[{"name": "", "type": kind} for kind in side.split(",") if kind] for side in (inputs, outputs)]
    moves = name in ("initialize", "mint", "transfer", "sync") or name.startswith(("create", "increase", "set"))
    return {
        "type": "function",
        "name": name,
        "inputs": kinds[0],
        "outputs": kinds[1],
        "stateMutability": "nonpayable" if moves else "view",
    }


UNISWAP = boa.loads_abi(
    json.dumps([_function(line) for part in POOL_ABI.strip().splitlines() for line in part.split(";") if line.strip()])
)


@cache
def _compiled(source: str) -> Any:
    boa.interpret.set_search_paths([str(CONTRACTS)])
    return boa.load_partial(str(CONTRACTS / source))


def load(source: str, *arguments: object) -> Any:
    """Deploy one of our contracts, by its path under contracts/."""
    return _compiled(source).deploy(*arguments)


def artifact(name: str, types: tuple[str, ...], *arguments: object, at: str | None = None) -> Any:
    """Deploy a committed artifact: the bytecode that users get."""
    found = load_artifact(name)
    address, _ = boa.env.deploy_code(bytecode=found.bytecode + encode(types, *arguments), override_address=at)
    return boa.loads_abi(json.dumps(found.abi), name=name).at(address)


def load_vault(*rules: object, sequencer: str = NOBODY) -> tuple[Any, Any]:
    """Deploy a vault and its charter, whose constructor takes `rules` after the vault."""
    at = str(boa.env.generate_address("charter"))
    vault = artifact("Vault", VAULT_TYPES, "Evenkeel", "KEEL", at, sequencer)
    return vault, artifact("Charter", CHARTER_TYPES, vault.address, *rules, at=at)


def token_setup(token: Any, feed: Any) -> tuple[object, ...]:
    """A token with a feed that may be an hour old, without bounds or corridor."""
    return token.address, feed.address, HOUR_S, 0, 2**127, 0, 10_000


def published(name: str, *addresses: str) -> Any:
    """Deploy a published contract."""
    code = creation_codes()[name] + encode(("address",) * len(addresses), *addresses)
    address, _ = boa.env.deploy_code(bytecode=code)
    return UNISWAP.at(address)


@dataclass
class Market:
    """Everything a contract test needs; made once, rolled back after each test."""

    tokens: dict[str, Any]
    feeds: dict[str, Any]
    pools: tuple[Any, ...]  # the vault's registry: USDC/WETH 0.05 %, WBTC/WETH 0.3 %, USDC/WETH V2, a greedy one
    provider: Any
    vault: Any
    charter: Any
    owner: str
    keeper: str
    alice: str  # has nothing
    rich: str  # holds the first shares

    @property
    def listed(self) -> list[Any]:
        """The vault's tokens in its order."""
        return list(self.tokens.values())

    def deadline(self) -> int:
        return int(boa.env.timestamp) + 600

    def sequence(self) -> int:
        """The one that the next bundle must name."""
        return int(self.vault.setting(HELD)) % 2**26

    def answer(self) -> None:
        """Every feed says its price anew, now."""
        for symbol, feed in self.feeds.items():
            feed.set_answer(int(PRICES[symbol] * 10**8), boa.env.timestamp)

    def balances(self, who: str) -> list[int]:
        return [token.balanceOf(who) for token in self.listed]

    def give(self, who: str, symbol: str, units: str, spender: str) -> int:
        """Whole units of a token for somebody, approved for the spender; raw."""
        raw = to_raw_floor(Decimal(units), DECIMALS[symbol])
        self.tokens[symbol].mint(who, raw)
        self.tokens[symbol].approve(spender, raw, sender=who)
        return int(raw)

    def symbols(self, pool: int) -> list[str]:
        """Of the pool's token0 and token1."""
        by_address = {token.address: symbol for symbol, token in self.tokens.items()}
        return [by_address[self.pools[pool].token0()], by_address[self.pools[pool].token1()]]

    def token0_is(self, pool: int, symbol: str) -> bool:
        return bool(self.pools[pool].token0() == self.tokens[symbol].address)


def sqrt_price_x96(token0: str, token1: str) -> int:
    """Of the fair price, by symbol."""
    raw = PRICES[token0] / PRICES[token1] * Decimal(10) ** (DECIMALS[token1] - DECIMALS[token0])
    return int(raw.sqrt() * 2**96)


def _ordered(tokens: dict[str, Any], a: str, b: str) -> tuple[str, str]:
    first, second = sorted((a, b), key=lambda symbol: int(tokens[symbol].address, 16))
    return first, second


def _v3_pool(factory: Any, tokens: dict[str, Any], provider: Any, pair: tuple[str, str], fee: int, money: int) -> Any:
    """A pool at the fair price with `money` in it over the full range."""
    symbol0, symbol1 = _ordered(tokens, *pair)
    pool = UNISWAP.at(factory.createPool(tokens[symbol0].address, tokens[symbol1].address, fee))
    price = sqrt_price_x96(symbol0, symbol1)
    pool.initialize(price)
    amounts = [to_raw_floor(Decimal(money) / 2 / PRICES[s], DECIMALS[s]) for s in (symbol0, symbol1)]
    edge = FULL // SPACING[fee] * SPACING[fee]
    provider.add(pool.address, -edge, edge, v3.liquidity_for(price, -edge, edge, *amounts))
    return pool


def _v2_pair(factory: Any, tokens: dict[str, Any], pair: tuple[str, str], money: int, to: str) -> Any:
    found = UNISWAP.at(factory.createPair(*(tokens[symbol].address for symbol in pair)))
    for symbol in pair:
        tokens[symbol].mint(found.address, to_raw_floor(Decimal(money) / 2 / PRICES[symbol], DECIMALS[symbol]))
    found.mint(to)
    return found


def open_market() -> Market:
    """Tokens, feeds, pools with 50, 60 and 20 million in them, and a vault of a million: idle, a range, LP tokens."""
    owner, keeper, alice, rich = (boa.env.generate_address(who) for who in ("owner", "keeper", "alice", "rich"))
    tokens = {
        s: _compiled("mocks/Token.vy").deploy(s, s, decimals, override_address=f"0x{i:040x}")
        for i, (s, decimals) in enumerate(DECIMALS.items(), FIRST_TOKEN)  # their order says which is a pool's token0
    }
    feeds = {s: load("mocks/Feed.vy", 8, f"{s} / USD") for s in tokens}
    provider = load("mocks/Provider.vy")
    v3_factory, v2_factory = published("UniswapV3Factory"), published("UniswapV2Factory", owner)
    pools = (
        _v3_pool(v3_factory, tokens, provider, ("USDC", "WETH"), 500, 50_000_000),
        _v3_pool(v3_factory, tokens, provider, ("WBTC", "WETH"), 3_000, 60_000_000),
        _v2_pair(v2_factory, tokens, ("USDC", "WETH"), 20_000_000, rich),
        load("mocks/GreedyPool.vy", tokens["USDC"].address, tokens["WETH"].address),
    )
    vault, charter = load_vault(
        owner,
        keeper,
        owner,
        86_400,
        [token_setup(tokens[s], feeds[s]) for s in tokens],
        [(pool.address, kind, 3_000 if kind == 2 else 0, 0) for pool, kind in zip(pools, (3, 3, 2, 3), strict=True)],
        (100, 500, 50_000, 500, 0),
    )
    market = Market(tokens, feeds, pools, provider, vault, charter, owner, keeper, alice, rich)
    market.answer()
    first = [
        market.give(rich, s, units, vault.address) for s, units in zip(tokens, ("500000", "140", "2"), strict=True)
    ]
    vault.mint(10**24, first, rich, market.deadline(), sender=rich)
    _place(market)
    return market


def action(kind: int, pool: int, lower: int, upper: int, amount: int, bounds: int, hint: int = 0) -> tuple[int, int]:
    """A vault action; see `head` in contracts/Vault.vy."""
    head = kind << 248 | pool << 240 | (lower & 0xFFFFFF) << 216 | (upper & 0xFFFFFF) << 192 | amount << 64 | hint
    return head, bounds


def executed(vault: Any) -> tuple[int, int, int]:
    """NAV before and after, and turnover, as the vault's last call logged them."""
    topic = int.from_bytes(keccak(text="Executed(uint256,uint256,uint256,uint256)"))
    ((_, _, _, data),) = (log for log in vault._computation.get_raw_log_entries() if log[2][0] == topic)
    return decode(("uint256",) * 3, data)


def _place(market: Market) -> None:
    """Two ranges, one with ticks below zero and one above, and LP tokens; then trades, so that fees are due."""
    pair = market.pools[2]
    money = {0: Decimal(200_000), 1: Decimal(60_000)}
    ranges = {index: _range(market, index, part) for index, part in money.items()}
    symbols = market.symbols(2)
    give = [to_raw_floor(Decimal(50_000) / PRICES[s], DECIMALS[s]) for s in symbols]
    reserves = zip(give, pair.getReserves()[:2], strict=True)
    least = min(raw * pair.totalSupply() // reserve for raw, reserve in reserves) * 999 // 1_000
    actions = [action(3, index, *place, 2**256 - 1) for index, place in ranges.items()]
    actions.append(action(3, 2, 0, 0, least, give[0] << 128 | give[1]))
    market.vault.execute(actions, [], market.sequence(), market.deadline(), sender=market.keeper)
    for index in ranges:
        for zero_for_one, symbol in zip((True, False), market.symbols(index), strict=True):
            amount = to_raw_floor(Decimal(500_000) / PRICES[symbol], DECIMALS[symbol])
            market.provider.swap(market.pools[index].address, zero_for_one, amount)
    assert ranges[0][1] < 0 < ranges[1][0] or ranges[1][1] < 0 < ranges[0][0]


def _range(market: Market, index: int, money: Decimal) -> tuple[int, int, int]:
    """Ticks around the price, and the liquidity that the money buys there."""
    price, tick, *_ = market.pools[index].slot0()
    spacing = (10, 60)[index]
    lower, upper = (tick - 1_000) // spacing * spacing, (tick + 1_000) // spacing * spacing
    amounts = [to_raw_floor(money / 2 / PRICES[s], DECIMALS[s]) for s in market.symbols(index)]
    return lower, upper, v3.liquidity_for(price, lower, upper, *amounts)
