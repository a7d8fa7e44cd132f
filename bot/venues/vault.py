"""Our vault: what it holds and allows, bundles as it takes them, and what it answers. Words as in docs/vault.md."""

from dataclasses import dataclass
from typing import Any

from bot.amm.pools import holdings
from bot.chain.abi import checksum, decode, encode_call
from bot.chain.multicall import Call, Reading, together
from bot.core.errors import ConfigError, DataError
from bot.core.types import (
    Amount,
    Fill,
    Limits,
    Market,
    Plan,
    Pool,
    PoolSpec,
    Position,
    RemoveLiquidity,
    Snapshot,
    Step,
    Swap,
    Token,
    VaultState,
)
from bot.core.units import ONE_BPS, Bps, Raw, Timestamp
from bot.venues.uniswap_v2 import holding
from bot.venues.uniswap_v3 import own_ranges

EXECUTE = "execute((uint256,uint256)[],uint256[],uint256,uint256)"
MOST_TOKENS = 8
MOST_ACTIONS = 16
REMOVE, SWAP, ADD = 1, 2, 3  # kinds of action

_STATE = ("uint256", "uint256", "uint256", "uint256", "bool", "uint256")
_LIMITS = ("uint256",) * 5
_TOKEN_SETUP = ("address", "address", "uint256", "uint256", "uint256")
_WHOLE = 10**18  # the vault's 100 % of its NAV
_INT24 = (1 << 24) - 1
_UINT128 = (1 << 128) - 1

# ------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Vault:
    """What was read of a vault."""

    state: VaultState
    positions: tuple[Position, ...]
    holdings: tuple[int, ...]  # of every token, idle and in positions, in the vault's order


def vault(address: str, market: Market, tokens: tuple[Token, ...]) -> Reading[Vault]:
    """Read the vault's state and its positions with exact fees. Two rounds. `tokens`: the portfolio's order.

    ConfigError when the vault's registry and the portfolio or the market do not agree.
    """
    state, limits, (listed,), (pools,), (packed,), (whole,), *setups = yield [
        Call.of(address, "state()", returns=_STATE),
        Call.of(address, "limits()", returns=_LIMITS),
        Call.of(address, "tokens()", returns=("address[]",)),
        Call.of(address, "pools()", returns=("address[]",)),
        Call.of(address, "positions()", returns=("uint256[]",)),
        Call.of(address, "holdings()", returns=("uint256[]",)),
        *(Call.of(address, "token_info(uint256)", i, returns=_TOKEN_SETUP, optional=True) for i in range(MOST_TOKENS)),
    ]
    registry = _registry(address, listed, tokens)
    specs = _specs(address, pools, market)
    ranges, *pairs = yield from together(_positions(address, [_unpacked(word, specs) for word in packed]))
    sequence, last_bundle, loss_used, turnover_used, paused, shares = state
    found = VaultState(
        shares,
        sequence,
        paused,
        Timestamp(last_bundle),
        loss_used * ONE_BPS / _WHOLE,
        turnover_used * ONE_BPS / _WHOLE,
        Limits(*limits),
        _corridors(address, registry, setups, tokens),
        registry,
        tuple(spec.address for spec in specs),
    )
    return Vault(found, (*ranges, *(held for each in pairs for held in each)), whole)


def idle(found: Vault, balances: tuple[Amount, ...], pools: tuple[Pool, ...]) -> tuple[Amount, ...]:
    """Balances without what redemptions set aside, which the keeper cannot spend.

    The vault counts that out of its holdings, so it is what its balances and positions sum to more than they do. Exact,
    unless a stranger's gift lies in a pair: then too high by the vault's part of the gift, never above the balance.
    """
    held = dict(zip(found.state.tokens, found.holdings, strict=True))
    by_address = {pool.address: pool for pool in pools}
    for position in found.positions:
        pool = by_address[position.pool]
        amount0, amount1 = holdings(pool, position)
        held[pool.token0] -= amount0 + position.fees0
        held[pool.token1] -= amount1 + position.fees1
    return tuple(Amount(each.token, Raw(min(each.raw, held.get(each.token, each.raw)))) for each in balances)


def _positions(address: str, places: list[tuple[PoolSpec, int, int]]) -> list[Reading[tuple[Position, ...]]]:
    """The ranges, and each listed pair: LP tokens that are not listed are a gift the vault does not count."""
    ranges = [place for place in places if place[0].kind == "v3"]
    return [own_ranges(ranges, address), *(holding(spec, address) for spec, *_ in places if spec.kind == "v2")]


def _registry(address: str, listed: list[str], tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    known = {token.address.lower(): token for token in tokens}
    if set(listed) != set(known):
        raise ConfigError(
            f"vault {address}: expected exactly the portfolio's tokens {sorted(map(checksum, known))}, "
            f"found {sorted(map(checksum, listed))}; let the policy name every token of the vault"
        )
    return tuple(known[each] for each in listed)


def _specs(address: str, pools: list[str], market: Market) -> tuple[PoolSpec, ...]:
    known = {spec.address.lower(): spec for spec in market.pools}
    for pool in pools:
        if pool not in known:
            raise ConfigError(f"vault {address}: found pool {checksum(pool)}, not among market.pools; list it there")
    return tuple(known[pool] for pool in pools)


def _corridors(
    address: str, registry: tuple[Token, ...], setups: list[Any], tokens: tuple[Token, ...]
) -> tuple[tuple[Bps, Bps], ...]:
    found = {}
    for token, setup in zip(registry, setups, strict=False):
        if setup is None or setup[0] != token.address.lower():
            raise DataError(f"vault {address}: expected token_info of {token.symbol}, found {setup}; is it our vault?")
        found[token] = (Bps(setup[3]), Bps(setup[4]))
    return tuple(found[token] for token in tokens)


def _unpacked(word: int, specs: tuple[PoolSpec, ...]) -> tuple[PoolSpec, int, int]:
    return specs[word >> 48], _signed24(word >> 24 & _INT24), _signed24(word & _INT24)


def _signed24(bits: int) -> int:
    return bits - (1 << 24) if bits >> 23 else bits


# ------------------------------------------------------------------ bundles


def encode_execute(plan: Plan, snapshot: Snapshot) -> bytes:
    """Calldata of `execute`. ValueError when the plan does not fit the vault that was observed."""
    state = _state(snapshot)
    if len(plan.steps) > MOST_ACTIONS:
        raise ValueError(f"vault: a bundle takes at most {MOST_ACTIONS} actions, found {len(plan.steps)}")
    actions = [encode_action(step, snapshot) for step in plan.steps]
    floors = {floor.token: floor.raw for floor in plan.floors}
    unknown = sorted(token.symbol for token in floors.keys() - set(state.tokens))
    if unknown:
        raise ValueError(f"vault: floors must be of the vault's tokens, found {', '.join(unknown)}")
    floor_words = [floors.get(token, 0) for token in state.tokens] if floors else []
    return encode_call(EXECUTE, actions, floor_words, plan.sequence, plan.deadline)


def encode_action(step: Step, snapshot: Snapshot) -> tuple[int, int]:
    """Head and bounds of one action. ValueError when a number does not fit, or the vault lacks the pool."""
    pools = _state(snapshot).pools
    if step.pool not in pools:
        raise ValueError(f"vault: pool {step.pool} is not registered")
    index = pools.index(step.pool)
    if isinstance(step, Swap):
        zero_for_one = step.give.token == snapshot.pool(step.pool).token0
        return _head(SWAP, index, int(zero_for_one), 0, step.give.raw), _fits(step.least)
    if isinstance(step, RemoveLiquidity):
        bounds = _pair(step.least0, step.least1)
        return _head(REMOVE, index, step.tick_lower, step.tick_upper, step.liquidity), bounds
    return _head(ADD, index, step.tick_lower, step.tick_upper, step.liquidity), _pair(step.most0, step.most1)


def decode_fills(plan: Plan, snapshot: Snapshot, returned: bytes) -> tuple[Fill, ...]:
    """What each step moved, from the answer of `execute`. DataError when it does not answer every step."""
    _state(snapshot)
    (moved,) = decode(("int256[2][]",), returned)
    if len(moved) != len(plan.steps):
        raise DataError(f"vault: expected an answer for each of {len(plan.steps)} actions, found {len(moved)}")
    return tuple(Fill(i, amount0, amount1) for i, (amount0, amount1) in enumerate(moved))


def _state(snapshot: Snapshot) -> VaultState:
    if snapshot.vault is None:
        raise ValueError("vault: a bundle needs a vault, the snapshot is of a plain wallet")
    return snapshot.vault


def _head(kind: int, index: int, lower: int, upper: int, amount: int) -> int:
    return kind << 248 | index << 240 | (lower & _INT24) << 216 | (upper & _INT24) << 192 | _fits(amount) << 64


def _pair(first: int, second: int) -> int:
    return _fits(first) << 128 | _fits(second)


def _fits(amount: int) -> int:
    if not 0 <= amount <= _UINT128:
        raise ValueError(f"vault: amounts must fit uint128, found {amount}")
    return amount
