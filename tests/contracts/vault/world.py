"""Uniswap's published pools, awkward tokens, feeds and a vault among them: what every vault test stands on."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

import boa
from eth.exceptions import Revert
from eth_abi import decode
from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic

from bot.amm import v3
from bot.amm.ticks import sqrt_ratio_at_tick
from bot.chain.abi import contract_address, encode
from bot.chain.toolchain import creation_codes
from bot.execution.treasury import CHARTER_TYPES, VAULT_TYPES
from scripts.build_contracts import compile_contract
from tests.contracts.market import load
from tests.contracts.vault.words import (
    MAX_POOLS,
    Pool,
    Position,
    State,
    Words,
    sqrt_x96,
    state_of,
    with_hints,
    words_of,
)

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
ANYTHING = (0, 2**127)  # answers of a feed: no bounds
EVERYTHING = (0, 10_000)  # a corridor, bps
OBSERVATIONS = 60  # that the world's V3 pools remember

UNISWAP_ABI = {
    "createPool(address,address,uint24)": "address",
    "createPair(address,address)": "address",
    "initialize(uint160)": "",
    "increaseObservationCardinalityNext(uint16)": "",
    "token0()": "address",
    "token1()": "address",
    "slot0()": "uint160,int24,uint16,uint16,uint16,uint8,bool",
    "observations(uint256)": "uint32,int56,uint160,bool",
    "feeGrowthGlobal0X128()": "uint256",
    "feeGrowthGlobal1X128()": "uint256",
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


@cache
def charter_source() -> dict[str, Any]:
    """The same of the charter."""
    return compile_contract("Charter.vy")


def deploy_vault(
    name: str,
    symbol: str,
    owner: str,
    keeper: str,
    guardian: str,
    delay_s: int,
    tokens: list[tuple[Any, ...]],
    pools: list[tuple[str, int, int, int]],
    limits: tuple[int, ...],
    sequencer: str = NOBODY,
    source: Callable[[], dict[str, Any]] = vault_source,
) -> Any:
    """A vault, and then its charter at the address that the vault was told; `charter_of` finds it."""
    deployer = boa.env.eoa
    nonce = boa.env.evm.vm.state.get_nonce(deployer.canonical_address)
    charter = contract_address(str(deployer), nonce + 1)
    vault = _deploy(source(), "Vault", encode(VAULT_TYPES, name, symbol, charter, sequencer))
    deploy_charter(vault, owner, keeper, guardian, delay_s, tokens, pools, limits)
    return vault


def deploy_charter(vault: Any, *arguments: object) -> Any:
    """A charter of that vault, at the deployer's next address."""
    return _deploy(charter_source(), "Charter", encode(CHARTER_TYPES, vault.address, *arguments))


def charter_of(vault: Any) -> Any:
    return boa.loads_abi(json.dumps(charter_source()["abi"]), name="Charter").at(vault.charter())


def _deploy(source: dict[str, Any], name: str, arguments: bytes) -> Any:
    code = bytes.fromhex(source["bytecode"].removeprefix("0x"))
    address, _ = boa.env.deploy_code(bytecode=code + arguments)
    return boa.loads_abi(json.dumps(source["abi"]), name=name).at(address)


def token_setup(
    token: Any,
    feed: Any,
    max_age_s: int = HOUR_S,
    answers: tuple[int, int] = ANYTHING,
    corridor: tuple[int, int] = EVERYTHING,
) -> tuple[Any, ...]:
    """A token as the charter reads it."""
    return token.address, feed.address, max_age_s, *answers, *corridor


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


def action(
    kind: int, pool: int, amount: int = 0, bounds: int = 0, ticks: tuple[int, int] = (0, 0), hint: int = 0
) -> tuple[int, int]:
    """One action, as `execute` reads it."""
    lower, upper = (tick & 0xFFFFFF for tick in ticks)
    return kind << 248 | pool << 240 | lower << 216 | upper << 192 | amount << 64 | hint, bounds


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
    """Made once; rolled back after each test. `dataclasses.replace` makes it speak of another vault."""

    vault: Any
    charter: Any
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
        """The one event of this name in the last call of the vault, or of its charter, by the names of its parts."""
        ((contract, entry),) = (
            (contract, entry)
            for contract, source in ((self.vault, vault_source()), (self.charter, charter_source()))
            for entry in source["abi"]
            if (entry["type"], entry.get("name")) == ("event", name)
        )
        topic = int.from_bytes(event_abi_to_log_topic(entry))
        emitter = contract.address.canonical_address
        logs = contract._computation.get_raw_log_entries()
        ((_, _, topics, data),) = (log for log in logs if (log[1], log[2][0]) == (emitter, topic))
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

    def preview_redeem(self, shares: int, who: str | None = None) -> list[int]:
        """What a holder (Alice) would be paid: the redemption, undone."""
        with boa.env.anchor():
            return self.redeem(who or self.alice, shares)

    def execute(self, *actions: tuple[int, int], **changes: Any) -> list[tuple[int, int]]:
        """As the keeper, after the cool-down, on the present sequence; pools with a window get their hints."""
        if changes.pop("wait", True):
            boa.env.time_travel(seconds=LIMITS[-1])
        asked = {
            "floors": [],
            "sequence": self.state().sequence,
            "deadline": self.deadline,
            "sender": self.keeper,
        } | changes
        sender = asked.pop("sender")
        return list(self.vault.execute(self.hinted(actions), *asked.values(), sender=sender))

    def hinted(self, actions: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """The actions with the observations that they must name now."""
        return with_hints(self.words(), actions, UNISWAP.at, self.now)

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

    # -------------------------------------------------------------- what the vault says and holds, in Python

    def words(self) -> Words:
        return words_of(self.vault)

    def state(self) -> State:
        return state_of(self.vault, self.now)

    def positions(self) -> list[int]:
        """pool's index << 48 | lower tick << 24 | upper tick."""
        return self.words().position_words()

    def ranges(self) -> list[tuple[int, tuple[int, int]]]:
        """Pool and ticks of every V3 range listed."""
        found = self.words()
        return [tuple(position) for position in found.positions() if found.pool(position.pool).kind == 3]

    def owed_total(self, token: int) -> int:
        return int(self.vault.owed_total(token))

    def holdings(self) -> list[int]:
        """What is held of each token at spot, unclaimed fees included, each position rounded down; owed amounts not."""
        found = self.words()
        with boa.env.anchor():
            self.settle()
            held = [balance - self.owed_total(token) for token, balance in enumerate(self.balances(self.vault.address))]
            for position in found.positions():
                pool = found.pool(position.pool)
                amounts = self._at_spot(pool, position)
                for token, amount in zip(pool.sides, amounts, strict=True):
                    held[token] += amount
        return held

    def prices(self) -> list[int]:
        """Of each token, as the vault reads its feed: money of one smallest unit, times 1e36; of a dead feed 0."""
        found = self.words()
        return [max(feed.latestAnswer(), 0) * 10 ** found.exponent(token) for token, feed in enumerate(self.feeds)]

    def idle(self) -> list[int]:
        """The balances, less what is owed of them."""
        return [max(balance - self.owed_total(i), 0) for i, balance in enumerate(self.balances(self.vault.address))]

    def shares(self) -> int:
        """The supply, with the fee that the next mint or redemption counts."""
        return int(self.vault.totalSupply() + self.vault.fee_due())

    def placed(self) -> list[int]:
        """Of each token, what positions hold at the fair price, with what pools owe them; none without a price."""
        found, prices = self.words(), self.prices()
        amounts = [0] * len(self.tokens)
        for position in found.positions():
            pool = found.pool(position.pool)
            if 0 in (prices[token] for token in pool.sides):
                continue
            fair = sqrt_x96(*(prices[token] for token in pool.sides))
            for token, amount in zip(pool.sides, self._at_fair(pool, position, fair), strict=True):
                amounts[token] += amount
        return amounts

    def money(self, amounts: Iterable[int]) -> list[int]:
        """What amounts of every token are worth now."""
        return [amount * price // 10**36 for amount, price in zip(amounts, self.prices(), strict=True)]

    def nav(self) -> int:
        """As a bundle counts it: idle, and positions at the fair price without fees not yet credited."""
        return sum(self.money(map(sum, zip(self.idle(), self.placed(), strict=True))))

    def _at_spot(self, pool: Pool, position: Position) -> tuple[int, ...]:
        at = UNISWAP.at(pool.address)
        if pool.kind == 3:
            liquidity, _, _, *due = self.held(position.pool, position.ticks)
            amounts = v3.amounts(at.slot0()[0], *position.ticks, liquidity)
            return tuple(amount + fee for amount, fee in zip(amounts, due, strict=True))
        lp, supply = at.balanceOf(self.vault.address), at.totalSupply()
        return tuple(self.tokens[token].balanceOf(pool.address) * lp // supply for token in pool.sides)

    def _at_fair(self, pool: Pool, position: Position, fair: int) -> tuple[int, ...]:
        if pool.kind == 3:
            liquidity, _, _, *credited = self.held(position.pool, position.ticks)
            amounts = v3.amounts(fair, *position.ticks, liquidity)
            return tuple(amount + due for amount, due in zip(amounts, credited, strict=True))
        at = UNISWAP.at(pool.address)
        lp, supply, (reserve0, reserve1, _) = at.balanceOf(self.vault.address), at.totalSupply(), at.getReserves()
        root = isqrt(reserve0 * reserve1)
        return (root * Q96 // fair) * lp // supply, (root * fair // Q96) * lp // supply

    # -------------------------------------------------------------- the world around it

    def refresh(self, factor: Callable[[int], Fraction] = lambda _: Fraction(1)) -> None:
        """Every feed answers anew; `factor(token)` on the price it had at first."""
        for index, feed in enumerate(self.feeds):
            feed.set_answer(int(MONEY[index] * 10**8 * factor(index)), self.now)

    def settle(self) -> None:
        """Credit every range's fees now, as anybody with the vault's address could."""
        for pool, ticks in self.ranges():
            self.pools[pool].burn(*ticks, 0, sender=self.vault.address)

    def due(self) -> list[list[int]]:
        """What every range is credited with and has not paid out; fees since its last touch are in no record."""
        return [list(self.held(pool, ticks)[3:]) for pool, ticks in self.ranges()]

    def exact(self) -> list[Fraction]:
        """What the vault's holdings of each token are, to the last fraction of a wei; fees must be settled."""
        amounts = [Fraction(balance) for balance in self.balances(self.vault.address)]
        for pool, ticks in self.ranges():
            liquidity, _, _, *owed = self.held(pool, ticks)
            for token, part, due in zip(self.sides[pool], self._principal(pool, ticks, liquidity), owed, strict=True):
                amounts[token] += part + due
        pair = self.pools[V2_USD_ETH]
        share = Fraction(pair.balanceOf(self.vault.address), pair.totalSupply())
        if V2_USD_ETH << 48 in self.positions():
            for token in self.sides[V2_USD_ETH]:
                amounts[token] += self.tokens[token].balanceOf(pair.address) * share
        return amounts

    def _principal(self, pool: int, ticks: tuple[int, int], liquidity: int) -> tuple[Fraction, Fraction]:
        bottom, top = (sqrt_ratio_at_tick(tick) for tick in ticks)
        at = max(bottom, min(self.pools[pool].slot0()[0], top))
        return Fraction(liquidity * Q96 * (top - at), at * top), Fraction(liquidity * (at - bottom), Q96)


def other_vault(world: World, pools: list[tuple[str, int, int, int]], **changes: Any) -> Any:
    """A second vault on the world's tokens and other pools: a million idle of each token, no shares."""
    setups = [token_setup(token, feed) for token, feed in zip(world.tokens, world.feeds, strict=True)]
    people = {"owner": world.owner, "keeper": world.keeper, "guardian": world.guardian} | changes
    vault = deploy_vault("Other", "OTHER", *people.values(), DAY_S, setups, pools, LIMITS)
    for index, token in enumerate(world.tokens):
        token.mint(vault.address, worth(index, 1_000_000))
    return vault


def world_of(world: World, vault: Any, pools: Iterable[Any] | None = None) -> World:
    """The same world around another vault with the world's tokens, and its pools."""
    listed = [pool for pool in map(words_of(vault).pool, range(MAX_POOLS)) if pool is not None]
    return replace(
        world,
        vault=vault,
        charter=charter_of(vault),
        pools=tuple(pools or (UNISWAP.at(pool.address) for pool in listed)),
        sides=tuple(pool.sides for pool in listed),
    )


def _v3_pool(factory: Any, tokens: list[Any], sides: tuple[int, int], fee: int, provider: Any) -> Any:
    """At the fair price, with some 40 million in it over a wide range."""
    pool = UNISWAP.at(factory.createPool(*(tokens[side].address for side in sides), fee))
    pool.initialize(sqrt_price(*sides))
    pool.increaseObservationCardinalityNext(OBSERVATIONS)
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
        [token_setup(token, feed) for token, feed in zip(tokens, feeds, strict=True)],
        [
            (pools[0].address, 3, 0, WINDOW_S),
            (pools[1].address, 3, 0, 0),
            (pools[2].address, 2, 3_000, 0),
        ],
        LIMITS,
    )
    world = World(vault, charter_of(vault), tuple(tokens), feeds, tuple(pools), sides, provider, **people)
    boa.env.time_travel(seconds=2 * WINDOW_S)
    world.refresh()
    first = [worth(USD, 500_000), worth(ETH, 300_000), worth(BTC, 200_000)]
    world.mint(world.alice, 1_000_000 * ONE, cost=first)
    return world
