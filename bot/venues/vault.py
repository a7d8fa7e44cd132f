"""Our vault: what it holds and allows, bundles as it takes them, and what it answers. Words as in docs/vault.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.chain.abi import checksum, decode, encode_call
from bot.chain.multicall import Call, Reading, together
from bot.core.errors import ConfigError, DataError
from bot.core.types import (
    Amount,
    Fill,
    Market,
    Plan,
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
from bot.venues import words
from bot.venues.uniswap_v2 import holding
from bot.venues.uniswap_v3 import own_ranges
from bot.venues.words import Settings, TokenWords

EXECUTE = "execute((uint256,uint256)[],uint256[],uint256,uint256)"
SETTINGS = (f"uint256[{words.PLACES}]",)
MOST_ACTIONS = 16
REMOVE, SWAP, ADD = 1, 2, 3  # kinds of action
ALL = 2**128 - 1  # amount of a removal: whatever is there then
NO_HINTS: Mapping[str, int] = {}

_INT24 = (1 << 24) - 1
_UINT128 = (1 << 128) - 1

# ------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Vault:
    """What was read of a vault."""

    state: VaultState
    positions: tuple[Position, ...]
    owed: tuple[int, ...]  # set aside by redemptions, of every token, in the vault's order


def vault(address: str, market: Market, tokens: tuple[Token, ...], now: Timestamp) -> Reading[Vault]:
    """Read the vault's state at the block's time `now`, and its positions with exact fees. Two rounds.

    `tokens`: the portfolio's order. ConfigError when the vault's registry and the portfolio or the market do not agree.
    """
    (said,), (supply,), (due,), *owed = yield [
        settings_of(address),
        Call.of(address, "totalSupply()", returns=("uint256",)),
        Call.of(address, "fee_due()", returns=("uint256",)),
        *owed_totals(address),
    ]
    found = words.settings(said)
    registry = _registry(address, found.tokens, tokens, market)
    specs = _specs(address, found, market)
    places = [(specs[pool], lower, upper) for pool, lower, upper in found.positions]
    ranges, *pairs = yield from together(_positions(address, places))
    state = VaultState(
        shares=supply + due,  # as the next mint or redemption will count them
        sequence=found.sequence,
        paused=found.paused,
        last_bundle=Timestamp(found.last_bundle),
        loss_used_bps=_used(found.loss_used, found.limits.day_loss_bps, now - found.last_bundle),
        turnover_used_bps=_used(found.turnover_used, found.limits.day_turnover_bps, now - found.last_bundle),
        limits=found.limits,
        corridors=_corridors(found, tokens),
        tokens=registry,
        pools=tuple(spec.address for spec in specs),
        windows=tuple(pool.window_s for pool in found.pools),
    )
    positions = (*ranges, *(held for each in pairs for held in each))
    return Vault(state, positions, tuple(total for (total,) in owed[: len(registry)]))


def settings_of(address: str) -> Call:
    """Ask for all words; `words.settings` reads them."""
    return Call.of(address, "settings()", returns=SETTINGS)


def owed_totals(address: str) -> list[Call]:
    """Ask what redemptions have set aside, of as many tokens as a vault may list."""
    return [Call.of(address, "owed_total(uint256)", i, returns=("uint256",)) for i in range(words.MAX_TOKENS)]


def idle(found: Vault, balances: tuple[Amount, ...]) -> tuple[Amount, ...]:
    """Balances without what redemptions set aside, which is nobody else's; so with fees they sum to what is held.

    Below zero while a range still keeps part of what is owed, of a token that could not move: of its fees and
    principal, that much is not the vault's.
    """
    owed = dict(zip(found.state.tokens, found.owed, strict=True))
    return tuple(Amount(each.token, Raw(each.raw - owed.get(each.token, 0))) for each in balances)


def _used(used: int, day_bps: int, passed_s: int) -> float:
    return words.leaked(used, day_bps, passed_s) * ONE_BPS / words.ONE


def _positions(address: str, places: list[tuple[PoolSpec, int, int]]) -> list[Reading[tuple[Position, ...]]]:
    """The ranges, and each listed pair: LP tokens that are not listed are a gift the vault does not count."""
    ranges = [place for place in places if place[0].kind == "v3"]
    return [own_ranges(ranges, address), *(holding(spec, address) for spec, *_ in places if spec.kind == "v2")]


def _registry(
    address: str, listed: tuple[TokenWords, ...], tokens: tuple[Token, ...], market: Market
) -> tuple[Token, ...]:
    known = {token.address.lower(): token for token in tokens}
    found = [each.token for each in listed]
    if set(found) != set(known):
        symbols = {token.address.lower(): token.symbol for token in market.tokens}
        has = ", ".join(symbols.get(each, checksum(each)) for each in found)
        named = ", ".join(token.symbol for token in tokens)
        raise ConfigError(
            f"vault {address}: expected the policy to name the vault's tokens ({has}), found that it names {named}; "
            "let the policy name every token of the vault, and no other"
        )
    return tuple(known[each] for each in found)


def _specs(address: str, found: Settings, market: Market) -> tuple[PoolSpec, ...]:
    known = {spec.address.lower(): spec for spec in market.pools}
    for each in found.pools:
        if each.pool not in known:
            raise ConfigError(
                f"vault {address}: found pool {checksum(each.pool)}, not among market.pools; list it there"
            )
    return tuple(known[each.pool] for each in found.pools)


def _corridors(found: Settings, tokens: tuple[Token, ...]) -> tuple[tuple[Bps, Bps], ...]:
    corridor = {each.token: each.corridor for each in found.tokens}
    return tuple(corridor[token.address.lower()] for token in tokens)


# ------------------------------------------------------------------ bundles


def encode_execute(plan: Plan, snapshot: Snapshot, hints: Mapping[str, int] = NO_HINTS) -> bytes:
    """Calldata of `execute`. ValueError when the plan does not fit the vault that was observed.

    `hints`: by pool, where its mean over time begins (bot.venues.observations); the vault wants one for each pool with
    a window.
    """
    state = _state(snapshot)
    if len(plan.steps) > MOST_ACTIONS:
        raise ValueError(f"vault: a bundle takes at most {MOST_ACTIONS} actions, found {len(plan.steps)}")
    actions = [encode_action(step, snapshot, hints.get(step.pool, 0)) for step in plan.steps]
    floors = {floor.token: floor.raw for floor in plan.floors}
    unknown = sorted(token.symbol for token in floors.keys() - set(state.tokens))
    if unknown:
        raise ValueError(f"vault: floors must be of the vault's tokens, found {', '.join(unknown)}")
    floor_words = [floors.get(token, 0) for token in state.tokens] if floors else []
    return encode_call(EXECUTE, actions, floor_words, plan.sequence, plan.deadline)


def encode_action(step: Step, snapshot: Snapshot, hint: int = 0) -> tuple[int, int]:
    """Head and bounds of one action. ValueError when a number does not fit, or the vault lacks the pool."""
    pools = _state(snapshot).pools
    if step.pool not in pools:
        raise ValueError(f"vault: pool {step.pool} is not registered")
    index = pools.index(step.pool)
    if isinstance(step, Swap):
        zero_for_one = step.give.token == snapshot.pool(step.pool).token0
        return _head(SWAP, index, int(zero_for_one), 0, step.give.raw, hint), _fits(step.least)
    if isinstance(step, RemoveLiquidity):
        amount = ALL if _whole(step, snapshot) else step.liquidity
        head = _head(REMOVE, index, step.tick_lower, step.tick_upper, amount, hint)
        return head, _pair(step.least0, step.least1)
    head = _head(ADD, index, step.tick_lower, step.tick_upper, step.liquidity, hint)
    return head, _pair(step.most0, step.most1)


def _whole(step: RemoveLiquidity, snapshot: Snapshot) -> bool:
    """Whether the step leaves its position: then nothing given to it in between keeps it listed."""
    return any((held.id, held.liquidity) == (step.position, step.liquidity) for held in snapshot.positions)


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


def _head(kind: int, index: int, lower: int, upper: int, amount: int, hint: int) -> int:
    ticks = (lower & _INT24) << 216 | (upper & _INT24) << 192
    return kind << 248 | index << 240 | ticks | _fits(amount) << 64 | hint


def _pair(first: int, second: int) -> int:
    return _fits(first) << 128 | _fits(second)


def _fits(amount: int) -> int:
    if not 0 <= amount <= _UINT128:
        raise ValueError(f"vault: amounts must fit uint128, found {amount}")
    return amount
