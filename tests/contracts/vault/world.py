"""Uniswap's published pools, awkward tokens, feeds and a vault among them: what every vault test stands on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

import boa
from eth.exceptions import Revert
from eth_abi import decode
from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic

from bot.amm.ticks import sqrt_ratio_at_tick
from bot.chain.abi import encode
from bot.chain.toolchain import creation_codes
from scripts.build_contracts import compile_contract
from tests.contracts.market import load

Q96 = 2**96
ONE = 10**18  # of a share, of money, of a weight
LOCKED = 10**6
DAY_S, HOUR_S = 86_400, 3_600
MOST = 2**128 - 1
REMOVE, SWAP, ADD = 1, 2, 3
V3_USD_ETH, V3_BTC_ETH, V2_USD_ETH = range(3)  # the vault's pools
USD, ETH, BTC = range(3)  # the vault's tokens: 6 decimals and freezable, 18, 8 and silent
DECIMALS = (6, 18, 8)
GRAIN = (2, 40_000, 2)  # raw: the most that one unit of a position's liquidity is worth in these pools, doubled
MONEY = (1, 3_000, 90_000)  # of a whole token
WINDOW_S = 600
NOBODY = "0x" + "00" * 20
LIMITS = (100, 200, 10_000, 200, 60)  # loss of a bundle, of a day, turnover of a day, deviation (bps), cool-down (s)
VAULT_TYPES = (
    "string",
    "string",
    "address",
    "address",
    "address",
    "uint256",
    "(address,address,uint256,uint256,uint256)[]",
    "(address,uint256,uint256,uint256)[]",
    "(uint256,uint256,uint256,uint256,uint256)",
)

UNISWAP_ABI = {
    "createPool(address,address,uint24)": "address",
    "createPair(address,address)": "address",
    "initialize(uint160)": "",
    "increaseObservationCardinalityNext(uint16)": "",
    "token0()": "address",
    "slot0()": "uint160,int24,uint16,uint16,uint16,uint8,bool",
    "positions(bytes32)": "uint128,uint256,uint256,uint128,uint128",
    "burn(int24,int24,uint128)": "uint256,uint256",
    "collect(address,int24,int24,uint128,uint128)": "uint128,uint128",
    "getReserves()": "uint112,uint112,uint32",
    "totalSupply()": "uint256",
    "balanceOf(address)": "uint256",
    "transfer(address,uint256)": "bool",
    "mint(address)": "uint256",
    "burn(address)": "uint256,uint256",
    "swap(uint256,uint256,address,bytes)": "",
}


def _abi() -> str:
    entries = []
    for signature, outputs in UNISWAP_ABI.items():
        name, inputs = signature.rstrip(")").split("(")
        sides = [[{"name": "", "type": kind} for kind in side.split(",") if kind] for side in (inputs, outputs)]
        entries.append(
            {"type": "function", "name": name, "inputs": sides[0], "outputs": sides[1], "stateMutability": "nonpayable"}
        )
    return json.dumps(entries)


UNISWAP = boa.loads_abi(_abi())


@cache
def vault_source() -> dict[str, Any]:
    """ABI and code of the vault as its source stands: a broken guard must break its test before anything is built."""
    return compile_contract("Vault.vy")


def deploy_vault(*arguments: object) -> Any:
    """A vault with these constructor arguments."""
    source = vault_source()
    code = bytes.fromhex(source["bytecode"].removeprefix("0x"))
    address, _ = boa.env.deploy_code(bytecode=code + encode(VAULT_TYPES, *arguments))
    return boa.loads_abi(json.dumps(source["abi"]), name="Vault").at(address)


def published(name: str, *addresses: str) -> Any:
    """One of Uniswap's contracts, deployed."""
    code = creation_codes()[name] + encode(("address",) * len(addresses), *addresses)
    address, _ = boa.env.deploy_code(bytecode=code)
    return UNISWAP.at(address)


def whole(token: int, units: float) -> int:
    """Raw amount of so many whole units."""
    return int(units * 10 ** DECIMALS[token])


def worth(token: int, money: float) -> int:
    """Raw amount that is worth so much."""
    return int(money * 10 ** DECIMALS[token] / MONEY[token])


def worth_in_money(token: int, raw: int) -> int:
    """Money (18 decimals) that a raw amount is worth at the first prices."""
    return raw * MONEY[token] * ONE // 10 ** DECIMALS[token]


def sqrt_price(token0: int, token1: int, factor: Fraction = Fraction(1)) -> int:
    """Square-root price (X96) of the fair price times `factor`."""
    price = Fraction(MONEY[token0], MONEY[token1]) * Fraction(10) ** (DECIMALS[token1] - DECIMALS[token0]) * factor
    return isqrt(price.numerator * 2**192 // price.denominator)


def action(kind: int, pool: int, amount: int = 0, bounds: int = 0, ticks: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """One action, as `execute` reads it."""
    lower, upper = (tick & 0xFFFFFF for tick in ticks)
    return kind << 248 | pool << 240 | lower << 216 | upper << 192 | amount << 64, bounds


def both(first: int, second: int) -> int:
    """Two bounds in one word."""
    return first << 128 | second


@contextmanager
def reverts(reason: str | None) -> Iterator[None]:
    """The call inside must revert with exactly this reason (None: without one)."""
    try:
        yield
    except boa.BoaError as error:
        found = error.call_trace.output
    except Revert as error:  # of a constructor
        (found,) = error.args
    else:
        raise AssertionError(f"expected a revert with {reason!r}, found success")
    said = decode_reason(found[4:]) if found else None
    assert said == reason, f"expected {reason!r}, found {said!r}"


def decode_reason(body: bytes) -> str:
    """The text of Solidity's Error(string), without its selector."""
    size = int.from_bytes(body[32:64])
    return body[64 : 64 + size].decode()


@dataclass(frozen=True)
class World:
    """Made once; rolled back after each test."""

    vault: Any
    tokens: tuple[Any, ...]
    feeds: tuple[Any, ...]
    pools: tuple[Any, ...]
    sides: tuple[tuple[int, int], ...]  # of each pool: the vault's indices of token0 and token1
    provider: Any  # trades on V3 pools for anybody
    owner: str
    keeper: str
    guardian: str
    alice: str
    bob: str
    stranger: str

    def event(self, name: str) -> dict[str, Any]:
        """The one event of this name in the vault's last call, by the names of its parts."""
        (entry,) = (entry for entry in vault_source()["abi"] if (entry["type"], entry.get("name")) == ("event", name))
        topic = int.from_bytes(event_abi_to_log_topic(entry))
        ((_, _, topics, data),) = (log for log in self.vault._computation.get_raw_log_entries() if log[2][0] == topic)
        plain = [part for part in entry["inputs"] if not part["indexed"]]
        values = decode([collapse_if_tuple(part) for part in plain], data)
        found = {part["name"]: value for part, value in zip(plain, values, strict=True)}
        marked = [part for part in entry["inputs"] if part["indexed"]]
        for part, word in zip(marked, topics[1:], strict=True):
            (found[part["name"]],) = decode([part["type"]], word.to_bytes(32))
        return found

    @property
    def now(self) -> int:
        return int(boa.env.timestamp)

    @property
    def deadline(self) -> int:
        return self.now + 600

    def balances(self, who: str) -> list[int]:
        return [token.balanceOf(who) for token in self.tokens]

    def fund(self, who: str, amounts: list[int]) -> None:
        """Give somebody tokens and let the vault take them."""
        for token, amount in zip(self.tokens, amounts, strict=True):
            token.mint(who, amount)
            if token.allowance(who, self.vault.address) == 0:
                token.approve(self.vault.address, 2**256 - 1, sender=who)

    def mint(self, who: str, shares: int, **changes: Any) -> list[int]:
        """Mint at the present cost, plus nothing."""
        cost = changes.pop("cost", None) or self.vault.preview_mint(shares)
        self.fund(who, cost)
        asked = {"most": cost, "receiver": who, "deadline": self.deadline} | changes
        return list(self.vault.mint(shares, asked["most"], asked["receiver"], asked["deadline"], sender=who))

    def redeem(self, who: str, shares: int, skip: int = 0, **changes: Any) -> list[int]:
        asked = {"least": [0] * len(self.tokens), "receiver": who, "deadline": self.deadline} | changes
        return list(self.vault.redeem(shares, asked["least"], asked["receiver"], asked["deadline"], skip, sender=who))

    def execute(self, *actions: tuple[int, int], **changes: Any) -> list[tuple[int, int]]:
        """As the keeper, after the cool-down, on the present sequence."""
        if changes.pop("wait", True):
            boa.env.time_travel(seconds=LIMITS[-1])
        asked = {
            "floors": [],
            "sequence": self.vault.state()[0],
            "deadline": self.deadline,
            "sender": self.keeper,
        } | changes
        sender = asked.pop("sender")
        return list(self.vault.execute(list(actions), *asked.values(), sender=sender))

    def swap(self, pool: int, token: int, amount: int, least: int = 0) -> tuple[int, int]:
        """The action of selling so much of a token."""
        token0_in = int(self.sides[pool][0] == token)
        return action(SWAP, pool, amount, least, (token0_in, 0))

    def ticks_around(self, pool: int, width: int = 1_000, spacing: int = 60) -> tuple[int, int]:
        tick = self.pools[pool].slot0()[1]
        return (tick - width) // spacing * spacing, (tick + width) // spacing * spacing

    def add_range(self, pool: int, ticks: tuple[int, int], liquidity: int) -> tuple[int, int]:
        return action(ADD, pool, liquidity, both(MOST, MOST), ticks)

    def add_pair(self, money: float, least: int = 0) -> tuple[int, int]:
        amounts = [worth(token, money / 2) for token in self.sides[V2_USD_ETH]]
        return action(ADD, V2_USD_ETH, least, both(*amounts))

    def held(self, pool: int, ticks: tuple[int, int], of: str | None = None) -> Any:
        """The pool's record of a range."""
        lower, upper = (tick.to_bytes(3, signed=True) for tick in ticks)
        owner = bytes.fromhex((of or self.vault.address)[2:])
        return self.pools[pool].positions(keccak(owner + lower + upper))

    def ranges(self) -> list[tuple[int, tuple[int, int]]]:
        """Pool and ticks of every V3 range listed."""
        found = []
        for word in self.vault.positions():
            if word >> 48 != V2_USD_ETH:
                lower, upper = (
                    int.from_bytes(((word >> shift) & 0xFFFFFF).to_bytes(3), signed=True) for shift in (24, 0)
                )
                found.append((word >> 48, (lower, upper)))
        return found

    def refresh(self, factor: Callable[[int], Fraction] = lambda _: Fraction(1)) -> None:
        """Every feed answers anew; `factor(token)` on the price it had at first."""
        for index, feed in enumerate(self.feeds):
            feed.set_answer(int(MONEY[index] * 10**8 * factor(index)), self.now)

    def settle(self) -> None:
        """Credit every range's fees now, as anybody with the vault's address could."""
        for pool, ticks in self.ranges():
            self.pools[pool].burn(*ticks, 0, sender=self.vault.address)

    def exact(self) -> list[Fraction]:
        """What the vault's holdings of each token are, to the last fraction of a wei; fees must be settled."""
        amounts = [Fraction(balance) for balance in self.balances(self.vault.address)]
        for pool, ticks in self.ranges():
            liquidity, _, _, *owed = self.held(pool, ticks)
            for token, part, due in zip(self.sides[pool], self._principal(pool, ticks, liquidity), owed, strict=True):
                amounts[token] += part + due
        pair = self.pools[V2_USD_ETH]
        share = Fraction(pair.balanceOf(self.vault.address), pair.totalSupply())
        if V2_USD_ETH << 48 in self.vault.positions():
            for token in self.sides[V2_USD_ETH]:
                amounts[token] += self.tokens[token].balanceOf(pair.address) * share
        return amounts

    def _principal(self, pool: int, ticks: tuple[int, int], liquidity: int) -> tuple[Fraction, Fraction]:
        bottom, top = (sqrt_ratio_at_tick(tick) for tick in ticks)
        at = max(bottom, min(self.pools[pool].slot0()[0], top))
        return Fraction(liquidity * Q96 * (top - at), at * top), Fraction(liquidity * (at - bottom), Q96)


def other_vault(world: World, pools: list[tuple[str, int, int, int]]) -> Any:
    """A second vault on the world's tokens and other pools: a million idle of each token, no shares."""
    setups = [
        (token.address, feed.address, HOUR_S, 0, 10_000) for token, feed in zip(world.tokens, world.feeds, strict=True)
    ]
    vault = deploy_vault("Other", "OTHER", world.owner, world.keeper, world.guardian, DAY_S, setups, pools, LIMITS)
    for index, token in enumerate(world.tokens):
        token.mint(vault.address, worth(index, 1_000_000))
    return vault


def _v3_pool(factory: Any, tokens: list[Any], sides: tuple[int, int], fee: int, provider: Any) -> Any:
    """At the fair price, with some 40 million in it over a wide range."""
    pool = UNISWAP.at(factory.createPool(*(tokens[side].address for side in sides), fee))
    pool.initialize(sqrt_price(*sides))
    pool.increaseObservationCardinalityNext(20)
    tick = pool.slot0()[1] // 60 * 60
    at, top = pool.slot0()[0], sqrt_ratio_at_tick(tick + 6_000)
    liquidity = worth(sides[0], 20_000_000) * at * top // (top - at) // Q96
    provider.add(pool.address, tick - 6_000, tick + 6_000, liquidity)
    return pool


def build() -> World:
    """The whole world, with a first mint of a million: 500,000 USD, 100 ETH, 20,000 in BTC short of it."""
    names = ("owner", "keeper", "guardian", "alice", "bob", "stranger")
    people = {name: str(boa.env.generate_address(name)) for name in names}
    tokens = [
        load(f"mocks/{kind}.vy", kind, kind, decimals)
        for kind, decimals in zip(("FreezableToken", "Token", "SilentToken"), DECIMALS, strict=True)
    ]
    feeds = tuple(load("mocks/Feed.vy", 8, f"{index} / USD") for index in range(3))
    provider = load("mocks/Provider.vy")
    v3, v2 = published("UniswapV3Factory"), published("UniswapV2Factory", NOBODY)
    sides = tuple(
        tuple(sorted(pair, key=lambda index: int(tokens[index].address, 16)))
        for pair in ((USD, ETH), (BTC, ETH), (USD, ETH))
    )
    pools = [_v3_pool(v3, tokens, sides[index], fee, provider) for index, fee in enumerate((500, 3_000))]
    pair = UNISWAP.at(v2.createPair(tokens[USD].address, tokens[ETH].address))
    for token in (USD, ETH):
        tokens[token].mint(pair.address, worth(token, 10_000_000))
    pair.mint(provider.address)
    pools.append(pair)
    vault = deploy_vault(
        "Evenkeel",
        "KEEL",
        *(people[name] for name in ("owner", "keeper", "guardian")),
        DAY_S,
        [(token.address, feed.address, HOUR_S, 0, 10_000) for token, feed in zip(tokens, feeds, strict=True)],
        [
            (pools[0].address, 3, 0, WINDOW_S),
            (pools[1].address, 3, 0, 0),
            (pools[2].address, 2, 3_000, 0),
        ],
        LIMITS,
    )
    world = World(vault, tuple(tokens), feeds, tuple(pools), sides, provider, **people)
    boa.env.time_travel(seconds=2 * WINDOW_S)
    world.refresh()
    first = [worth(USD, 500_000), worth(ETH, 300_000), worth(BTC, 200_000)]
    world.mint(world.alice, 1_000_000 * ONE, cost=first)
    return world
