"""Uniswap's published pools, tokens, feeds and a vault with open positions: the world that campaigns attack.

The one module here that knows how a vault and its charter are made, how its calls and views are encoded, where it keeps
its words, and what its keeper may say.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt

from eth_utils.crypto import keccak

from bot.amm.ticks import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from bot.chain.abi import contract_address, encode
from bot.execution.treasury import CHARTER_TYPES, VAULT_TYPES
from scripts.build_contracts import compile_contract
from tests.contracts.campaign.calldata import calldata, listed, word, words
from tests.contracts.campaign.engine import DEPLOYER, Chain
from tests.contracts.vault.words import HELD, RECORD, Words

Q96 = 2**96
ONE = 10**18
DAY_S, HOUR_S = 86_400, 3_600
NEVER = 2**64  # a deadline
MOST = 2**128 - 1
ALL = 2**255
NOBODY = "0x" + "00" * 20
REMOVE, SWAP, ADD = 1, 2, 3
V3_USD_ETH, V3_BTC_ETH, V2_USD_ETH = range(3)  # pools
USD, ETH, BTC = range(3)  # tokens: 6 decimals and freezable, 18, 8 and silent
DECIMALS = (6, 18, 8)
MONEY = (Fraction(1), Fraction(3_000), Fraction(90_000))  # of a whole token
FEES, SPACING = (3_000, 3_000), (60, 60)  # of the V3 pools; wide spacing makes journeys to extremes cheap
WINDOW_S = 600
WINDOWS = (WINDOW_S, 0, 0)  # of each pool
HINT = 0xFFFF  # bits of an action's head
CARDINALITY = 120
LIMITS = (100, 200, 10_000, 200, 60)  # loss of a bundle, of a day, turnover of a day, deviation (bps), cool-down (s)
ANYTHING = (0, 2**127)  # answers of a feed: no bounds
WORDS, OWED = 4, 42  # slots of the vault: its words, and what is set aside; a test holds them against its views
OBSERVATIONS = 8  # slot of UniswapV3Pool
CAPITAL = 2**100  # of each token that an attacker starts with: more than there is, less than what overflows a pair


@dataclass(frozen=True)
class World:
    """Made once; a campaign goes back to a snapshot of it after each episode."""

    chain: Chain
    vault: str
    provider: str
    tokens: tuple[str, ...]
    feeds: tuple[str, ...]
    pools: tuple[str, ...]
    sides: tuple[tuple[int, int], ...]  # of each pool: the vault's indices of token0 and token1
    attackers: tuple[str, ...]  # contracts, each with CAPITAL of every token and LP tokens
    arbitrageur: str
    honest: tuple[str, ...] = ("0x" + "a1" * 20, "0x" + "a2" * 20)
    keeper: str = "0x" + "4e" * 20
    owner: str = "0x" + "03" * 20
    guardian: str = "0x" + "04" * 20

    # -------------------------------------------------------------- the vault

    def execute(self, actions: list[tuple[int, int]], sender: str | None = None, floors: Sequence[int] = ()) -> None:
        """Send a bundle on the present sequence."""
        self.chain.call(sender or self.keeper, self.vault, self.execute_data(actions, floors))

    def execute_data(self, actions: list[tuple[int, int]], floors: Sequence[int] = ()) -> bytes:
        """A bundle on the present sequence; a pool's first action gets its hint unless it has one."""
        hinted, seen = [], set()
        for head, bounds in actions:
            pool = head >> 240 & 255
            named = head & HINT or pool in seen or pool >= len(self.pools) or WINDOWS[pool] == 0
            hinted.append((head if named else head | self.hint(pool), bounds))
            seen.add(pool)
        signature = "execute((uint256,uint256)[],uint256[],uint256,uint256)"
        return calldata(signature, hinted, list(floors), self.sequence(), NEVER)

    def hint(self, pool: int, later: int = 0) -> int:
        """1 + the place of the newest observation that is at least a window old, or of one so much later or earlier."""
        packed = self.chain.storage(self.pools[pool], 0)
        newest, size = packed >> 184 & 0xFFFF, packed >> 200 & 0xFFFF

        def age(back: int) -> int:
            return self.chain.time - self.chain.storage(self.pools[pool], OBSERVATIONS + (newest - back) % size) % 2**32

        back = bisect_left(range(size), WINDOWS[pool], key=age)
        return (newest - back + later) % size + 1

    def settings(self) -> Words:
        """The vault's words; of the twin that has none, zeros."""
        return Words(tuple(self.chain.storage(self.vault, WORDS + place) for place in range(RECORD + 1)))

    def sequence(self) -> int:
        return self.chain.storage(self.vault, WORDS + HELD) % 2**26

    def used(self) -> tuple[int, int]:
        """Loss and turnover in the buckets, leaked to now."""
        loss, turnover = self.settings().used(self.chain.time)
        return loss, turnover

    def positions(self) -> list[tuple[int, int, int]]:
        """Pool's index and ticks of every position; a V2 holding has ticks 0."""
        return [(position.pool, *position.ticks) for position in self.settings().positions()]

    def set_keeper(self, who: str) -> None:
        """As the owner."""
        (charter,) = words(self.chain.view(self.vault, calldata("charter()")))
        self.chain.call(self.owner, f"0x{charter:040x}", calldata("set_keeper(address)", who))

    def supply(self) -> int:
        return words(self.chain.view(self.vault, calldata("totalSupply()")))[0]

    def shares(self, who: str) -> int:
        return words(self.chain.view(self.vault, calldata("balanceOf(address)", who)))[0]

    def owed(self, token: int, who: str) -> int:
        """Set aside by redemptions with `skip`."""
        slot = keccak(keccak(word(OWED) + word(token)) + word(who))
        return self.chain.storage(self.vault, int.from_bytes(slot))

    def action(
        self, kind: int, pool: int, amount: int = 0, bounds: int = 0, ticks: tuple[int, int] = (0, 0)
    ) -> tuple[int, int]:
        """One action, as `execute` reads it."""
        lower, upper = (tick & 0xFFFFFF for tick in ticks)
        return kind << 248 | pool << 240 | lower << 216 | upper << 192 | amount << 64, bounds

    def sell(self, pool: int, token: int, amount: int, least: int = 0) -> tuple[int, int]:
        """The action of selling so much of a token."""
        return self.action(SWAP, pool, amount, least, (int(self.sides[pool][0] == token), 0))

    def add_range(self, pool: int, ticks: tuple[int, int], liquidity: int) -> tuple[int, int]:
        return self.action(ADD, pool, liquidity, MOST << 128 | MOST, ticks)

    def add_pair(self, money: int) -> tuple[int, int]:
        first, second = (worth(token, money // 2) for token in self.sides[V2_USD_ETH])
        return self.action(ADD, V2_USD_ETH, 0, first << 128 | second)

    def remove(self, pool: int, ticks: tuple[int, int], amount: int) -> tuple[int, int]:
        """The action of taking out liquidity or LP tokens."""
        return self.action(REMOVE, pool, amount, 0, ticks)

    # -------------------------------------------------------------- markets

    def name(self, who: str) -> str:
        """How stories call an address."""
        names = {self.vault: "vault", self.arbitrageur: "arbitrageur"}
        for role, people in (("attacker", self.attackers), ("honest", self.honest), ("pool", self.pools)):
            names |= {address: f"{role} {number}" for number, address in enumerate(people)}
        return names.get(who, who)

    def act(self, who: str, to: str, data: bytes) -> bytes:
        """Call in somebody's name; a contract's cannot be had but through it."""
        if who in self.honest:
            return self.chain.call(who, to, data)
        answer = self.chain.call(NOBODY, who, calldata("act(address,bytes)", to, data))
        return answer[64 : 64 + int.from_bytes(answer[32:64])]

    def spot(self, pool: int) -> int:
        """Square-root price (X96)."""
        if pool == V2_USD_ETH:
            first, second, _ = words(self.chain.view(self.pools[pool], calldata("getReserves()")))
            return isqrt((second << 192) // first)
        return words(self.chain.view(self.pools[pool], calldata("slot0()")))[0]

    def fair(self, pool: int, money: Sequence[Fraction] = MONEY) -> int:
        """Square-root price (X96) at these prices of whole tokens."""
        first, second = self.sides[pool]
        price = money[first] / money[second] * Fraction(10) ** (DECIMALS[second] - DECIMALS[first])
        return isqrt(price.numerator * 2**192 // price.denominator)

    def ticks_around(self, pool: int, at: int, width: int) -> tuple[int, int]:
        """The least range of whole spacings that reaches so many ticks to either side of a price."""
        tick, spacing = tick_at_sqrt_ratio(at), SPACING[pool]
        return (tick - width) // spacing * spacing, -(-(tick + width) // spacing) * spacing

    def align(self, money: Sequence[Fraction] = MONEY) -> None:
        """Arbitrageurs, who always have enough, bring every pool to these prices."""
        for token in range(len(self.tokens)):
            self.give(token, self.arbitrageur, CAPITAL)
        for pool in (V3_USD_ETH, V3_BTC_ETH):
            at, target = self.spot(pool), self.fair(pool, money)
            if at != target:
                self.act(self.arbitrageur, self.pools[pool], swap_data(self.arbitrageur, at > target, target))
        pair, target = self.pools[V2_USD_ETH], self.fair(V2_USD_ETH, money)
        self.chain.call(NOBODY, self.arbitrageur, push_pair_data(pair, target))

    def refresh(self, money: Sequence[Fraction] = MONEY) -> None:
        """Every feed answers anew."""
        for feed, price in zip(self.feeds, money, strict=True):
            self.chain.call(
                self.owner, feed, calldata("set_answer(int256,uint256)", int(price * 10**8), self.chain.time)
            )

    def give(self, token: int, who: str, amount: int) -> None:
        self.chain.call(NOBODY, self.tokens[token], calldata("mint(address,uint256)", who, amount))


# ------------------------------------------------------------------ calls


def mint_data(shares: int, receiver: str, most: Sequence[int] = (ALL,) * 3) -> bytes:
    return calldata("mint(uint256,uint256[],address,uint256)", shares, list(most), receiver, NEVER)


def redeem_data(shares: int, receiver: str, skip: int = 0) -> bytes:
    return calldata(
        "redeem(uint256,uint256[],address,uint256,uint256)", shares, [0] * len(DECIMALS), receiver, NEVER, skip
    )


def claim_data(world: World, token: int, receiver: str) -> bytes:
    return calldata("claim(uint256,address)", token, receiver)


def transfer_data(to: str, amount: int) -> bytes:
    """Of the vault's shares, a token or LP tokens."""
    return calldata("transfer(address,uint256)", to, amount)


def swap_data(recipient: str, zero_for_one: bool, limit: int, amount: int = CAPITAL, data: bytes = bytes(32)) -> bytes:
    """On a V3 pool, towards a square-root price."""
    return calldata("swap(address,bool,int256,uint160,bytes)", recipient, int(zero_for_one), amount, limit, data)


def push_pair_data(pair: str, sqrt_price: int, most: int = CAPITAL) -> bytes:
    """To an attacker's contract."""
    return calldata("push_pair(address,uint256,uint256)", pair, sqrt_price, most)


def paid(answer: bytes) -> list[int]:
    """What `mint` took or `redeem` paid or set aside, per token."""
    return listed(answer)


# ------------------------------------------------------------------ amounts


def worth(token: int, money: float, at: Sequence[Fraction] = MONEY) -> int:
    """Raw amount that is worth so much."""
    return int(Fraction(money) * 10 ** DECIMALS[token] / at[token])


def liquidity_worth(world: World, pool: int, ticks: tuple[int, int], money: float) -> int:
    """Liquidity whose amount of token0 or token1, whichever is more, is worth so much at the first prices."""
    at = world.fair(pool)
    bottom, top = (sqrt_ratio_at_tick(tick) for tick in ticks)
    inner = max(bottom, min(at, top))
    parts = (Fraction(Q96 * (top - inner), inner * top), Fraction(inner - bottom, Q96))  # of one unit, raw
    values = [part * MONEY[side] / 10 ** DECIMALS[side] for part, side in zip(parts, world.sides[pool], strict=True)]
    return int(Fraction(money) / max(values))


# ------------------------------------------------------------------ building


@cache
def code_of(source: str) -> bytes:
    """Creation code of a file under contracts/, as its source stands."""
    return bytes.fromhex(str(compile_contract(source)["bytecode"]).removeprefix("0x"))


def deploy(chain: Chain, source: str, types: tuple[str, ...] = (), *arguments: object) -> str:
    return chain.deploy(code_of(source) + encode(types, *arguments))


def deploy_vault(world: World, code: bytes | None = None) -> str:
    """The vault on the world's tokens and pools; `code` instead of its own."""
    chain = world.chain
    charter = contract_address(DEPLOYER, chain.nonce(DEPLOYER) + 1)
    vault = chain.deploy((code or code_of("Vault.vy")) + encode(VAULT_TYPES, "Evenkeel", "KEEL", charter, NOBODY))
    tokens = [
        (token, feed, HOUR_S, *ANYTHING, 0, 10_000) for token, feed in zip(world.tokens, world.feeds, strict=True)
    ]
    kinds = ((3, 0), (3, 0), (2, 3_000))
    pools = [(pool, *kind, window) for pool, kind, window in zip(world.pools, kinds, WINDOWS, strict=True)]
    who = vault, world.owner, world.keeper, world.guardian
    deploy(chain, "Charter.vy", CHARTER_TYPES, *who, DAY_S, tokens, pools, LIMITS)
    return vault


def deploy_weak_vault(world: World) -> str:
    """The twin that prices its shares at spot."""
    types = ("address[3]", "address", "address")
    return deploy(world.chain, "mocks/WeakSpotVault.vy", types, world.tokens, *world.pools[:V2_USD_ETH])
