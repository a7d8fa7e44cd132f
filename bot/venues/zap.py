"""Deposits and withdrawals in one token: which trades, how many shares, and the calls of the zap contract.

Pure. Everything is played through on the snapshot's pools first, so that each trade has an exact expectation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.amm import pools as amm
from bot.amm import v2, v3
from bot.chain.abi import encode_call
from bot.core.errors import DataError
from bot.core.types import Amount, Pool, Snapshot, Token, V3Pool, VaultState
from bot.core.units import ZERO, Money, Raw, minus_bps_floor, to_raw_ceil, to_raw_floor, to_units

ALL = 2**256 - 1  # as the amount of a trade: all that the caller has of the token
ROUNDS = 12  # of `size_deposit`; the split is settled to far below a basis point after five
DUST = Raw(10)  # of any token: after a pool's rounding and fee something is left of it
TRADES = "(uint256,bool,uint256,uint256)[]"


@dataclass(frozen=True, slots=True)
class ZapTrade:
    """One trade inside the zap: exact in, on pool number `pool` of the vault's registry."""

    pool: int
    token0_in: bool
    amount: int  # or ALL
    least: Raw

    def encoded(self) -> tuple[int, bool, int, int]:
        """The contract's struct Trade."""
        return self.pool, self.token0_in, self.amount, self.least


@dataclass(frozen=True, slots=True)
class ZapDeposit:
    """Pay `give`, receive exactly `shares`; `left` is expected to come back."""

    give: Amount
    trades: tuple[ZapTrade, ...]
    shares: int
    left: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class ZapWithdrawal:
    """Give `shares`, expect `expect`, accept no less than `least`."""

    shares: int
    trades: tuple[ZapTrade, ...]
    expect: Amount
    least: Raw


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the tree of routes: from `source`, one step nearer to its root, to `target`."""

    pool: str
    source: Token
    target: Token


# ------------------------------------------------------------------ deposit


def size_deposit(snapshot: Snapshot, give: Amount, cushion_bps: int) -> ZapDeposit:
    """Split `give` over the vault's tokens so that all run out together, and count the shares they buy.

    The cushion is taken off the shares, off the least of every trade and off what a second hop passes on: room for
    pools that move before the transaction lands, and for the fees that the trades pay to the vault's own positions.
    DataError when the vault has no shares yet, a token cannot be reached, or the amount is too small.
    """
    vault = _vault(snapshot)
    worth = _worth(snapshot, vault)
    hops = _routes(snapshot, vault, give, set(worth))
    split = _split(snapshot, vault, give, worth)
    best: ZapDeposit | None = None
    for _ in range(ROUNDS):
        trades, have, pools = _play_deposit(snapshot, vault, hops, give, split, cushion_bps)
        need = _holdings(snapshot, vault, pools)
        buys = {token: have[token] * vault.shares // raw for token, raw in need.items() if raw}
        shares = minus_bps_floor(min(buys.values()), cushion_bps)
        if best is None or shares > best.shares:
            left = tuple(Amount(t, Raw(have[t] - -(-need[t] * shares // vault.shares))) for t in vault.tokens)
            best = ZapDeposit(give, tuple(trades), shares, left)
        if 0 in buys.values():
            break
        # What runs out first gets more: a share's cost through each token, at this round's prices.
        split = _split(snapshot, vault, give, {token: Decimal(split[token]) / bought for token, bought in buys.items()})
    if best is None or best.shares == 0:
        raise DataError(f"expected enough {give.token.symbol} for a share of every token, found {give.raw}; give more")
    return best


def _split(snapshot: Snapshot, vault: VaultState, give: Amount, parts: Mapping[Token, Decimal]) -> dict[Token, int]:
    """Divide `give` in proportion to `parts`; a token of which the vault holds mere dust gets enough to buy dust."""
    total = sum(parts.values())
    split = dict.fromkeys(vault.tokens, 0)
    for token, part in parts.items():
        if token != give.token:
            dust = snapshot.value(Amount(token, DUST)) / snapshot.price(give.token)
            split[token] = max(int(give.raw * part / total), to_raw_ceil(dust, give.token.decimals) + DUST)
    split[give.token] = give.raw - sum(split.values())
    if split[give.token] < 0:
        raise DataError(f"expected enough {give.token.symbol} for a share of every token, found {give.raw}; give more")
    return split


def _play_deposit(
    snapshot: Snapshot, vault: VaultState, hops: list[Hop], give: Amount, split: dict[Token, int], cushion_bps: int
) -> tuple[list[ZapTrade], dict[Token, int], dict[str, Pool]]:
    """The trades of a split (in the given token), what is held after them, and the pools after them."""
    flow = dict(split)  # of the given token, for this token and those behind it
    for hop in reversed(hops):
        flow[hop.source] += flow[hop.target]
    pools = _pools(snapshot, vault)
    have = dict.fromkeys(vault.tokens, 0) | {give.token: give.raw}
    got = dict(have)
    trades = []
    for hop in hops:
        if flow[hop.target] == 0 or got[hop.source] == 0:
            continue
        if hop.source == give.token:
            amount = flow[hop.target]
        else:
            amount = minus_bps_floor(got[hop.source] * flow[hop.target] // flow[hop.source], cushion_bps)
        out = _swap(pools, hop.pool, hop.source, amount)
        if out == 0:
            continue
        got[hop.target] = out
        have[hop.source] -= amount
        have[hop.target] += out
        trades.append(_trade(vault, pools, hop.pool, hop.source, amount, minus_bps_floor(out, cushion_bps)))
    return trades, have, pools


# ------------------------------------------------------------------ withdrawal


def size_withdrawal(snapshot: Snapshot, shares: int, token: Token, cushion_bps: int) -> ZapWithdrawal:
    """What redeeming `shares` and trading everything into `token` brings.

    The cushion is taken off the least of every trade and of the whole. DataError when there are not so many shares.
    """
    vault = _vault(snapshot)
    if not 0 < shares <= vault.shares:
        raise DataError(f"expected between 1 and {vault.shares} shares, found {shares}")
    pools, have = _redeemed(snapshot, vault, shares)
    worth = _worth(snapshot, vault)
    money = sum(worth.values(), ZERO) * shares / vault.shares
    probe = Amount(token, to_raw_floor(money / snapshot.price(token), token.decimals))
    trades = []
    for hop in reversed(_routes(snapshot, vault, probe, set(worth))):
        amount = have[hop.target]
        out = _swap(pools, hop.pool, hop.target, amount) if amount else 0
        if out == 0:
            continue
        have[hop.target] = 0
        have[hop.source] += out
        trades.append(_trade(vault, pools, hop.pool, hop.target, ALL, minus_bps_floor(out, cushion_bps)))
    expect = Amount(token, Raw(have[token]))
    return ZapWithdrawal(shares, tuple(trades), expect, minus_bps_floor(expect.raw, cushion_bps))


def _redeemed(snapshot: Snapshot, vault: VaultState, shares: int) -> tuple[dict[str, Pool], dict[Token, int]]:
    """The pools after the vault burnt its slice, and what the slice pays of each token."""
    pools = _pools(snapshot, vault)
    idle = _idle(snapshot, vault)
    principal = dict.fromkeys(vault.tokens, 0)
    for position in snapshot.positions:
        pool = pools[position.pool]
        liquidity = position.liquidity * shares // vault.shares
        if isinstance(pool, V3Pool):
            after, out0, out1 = v3.burn(pool, position.tick_lower, position.tick_upper, liquidity)
            pools[position.pool] = after
        elif liquidity:
            pools[position.pool], out0, out1 = v2.remove(pool, liquidity)
        else:
            continue
        principal[pool.token0] += out0
        principal[pool.token1] += out1
    return pools, {token: principal[token] + idle[token] * shares // vault.shares for token in vault.tokens}


# ------------------------------------------------------------------ calls


def encode_deposit(deposit: ZapDeposit, receiver: str, deadline: int) -> bytes:
    """Zap.deposit; the zap must be allowed to take `give` from the caller."""
    return encode_call(
        f"deposit(address,uint256,{TRADES},uint256,address,uint256)",
        deposit.give.token.address,
        deposit.give.raw,
        [trade.encoded() for trade in deposit.trades],
        deposit.shares,
        receiver,
        deadline,
    )


def encode_withdraw(withdrawal: ZapWithdrawal, receiver: str, deadline: int) -> bytes:
    """Zap.withdraw; the zap must be allowed to take the shares from the caller."""
    return encode_call(
        f"withdraw(uint256,address,{TRADES},uint256,address,uint256)",
        withdrawal.shares,
        withdrawal.expect.token.address,
        [trade.encoded() for trade in withdrawal.trades],
        withdrawal.least,
        receiver,
        deadline,
    )


# ------------------------------------------------------------------ the vault's tokens, and the ways between them


def _routes(snapshot: Snapshot, vault: VaultState, probe: Amount, held: set[Token]) -> list[Hop]:
    """A tree of pools rooted at the probe's token, parents first: each token by the way that keeps the most value.

    The ways are compared with the probe divided by the number of tokens. DataError when a held token is out of reach.
    """
    root, pools = probe.token, _pools(snapshot, vault)
    if root not in vault.tokens:
        raise DataError(f"expected a token of the vault, found {root.symbol} {root.address}")
    reached = {root: max(1, probe.raw // len(vault.tokens))}
    hops: list[Hop] = []
    while ways := list(_ways(snapshot, vault, pools, reached)):
        _, out, hop = max(ways, key=lambda way: way[0])
        reached[hop.target] = out
        hops.append(hop)
    if lost := [token.symbol for token in vault.tokens if token in held and token not in reached]:
        said = f"expected a pool of the vault that leads from {root.symbol} to {', '.join(lost)} and takes {probe.raw}"
        raise DataError(f"{said} between them, found none; go in kind, or with less")
    return hops


def _ways(
    snapshot: Snapshot, vault: VaultState, pools: Mapping[str, Pool], reached: Mapping[Token, int]
) -> Iterator[tuple[Money, int, Hop]]:
    """Every step to a token not yet reached: what arrives there, in money and raw."""
    for pool in pools.values():
        for source, target in ((pool.token0, pool.token1), (pool.token1, pool.token0)):
            if source in reached and target in vault.tokens and target not in reached:
                try:
                    out = amm.quote(pool, source, reached[source])
                except ValueError:  # an empty pool, or one too small for the probe
                    continue
                yield snapshot.value(Amount(target, out)), out, Hop(pool.address, source, target)


def _swap(pools: dict[str, Pool], address: str, token: Token, amount: int) -> Raw:
    """Trade on the working copy of a pool; 0, and no trade, when the amount is dust to it."""
    try:
        if amm.quote(pools[address], token, amount) == 0:
            return Raw(0)
        pools[address], out = amm.swap(pools[address], token, amount)
    except ValueError as error:
        units = to_units(amount, token.decimals)
        said = f"{pools[address].name} is too small to take {units:,.6f} {token.symbol} ({error})"
        raise DataError(f"expected pools that take the amount, found that {said}; go with less, or in kind") from error
    return out


def _trade(
    vault: VaultState, pools: Mapping[str, Pool], address: str, source: Token, amount: int, least: Raw
) -> ZapTrade:
    return ZapTrade(vault.pools.index(address), pools[address].token0 == source, amount, least)


def _vault(snapshot: Snapshot) -> VaultState:
    if snapshot.vault is None or snapshot.vault.empty:
        raise DataError("expected a vault with shares, found none; the first deposit is in kind")
    return snapshot.vault


def _pools(snapshot: Snapshot, vault: VaultState) -> dict[str, Pool]:
    """The observed pools of the vault's registry."""
    return {pool.address: pool for pool in snapshot.pools if pool.address in vault.pools}


def _idle(snapshot: Snapshot, vault: VaultState) -> dict[Token, int]:
    """Idle balances and all unclaimed fees, which the vault harvests before shares change."""
    idle = dict.fromkeys(vault.tokens, 0)
    for amount in snapshot.balances:
        if amount.token in idle:
            idle[amount.token] += amount.raw
    for position in snapshot.positions:
        pool = snapshot.pool(position.pool)
        idle[pool.token0] += position.fees0
        idle[pool.token1] += position.fees1
    return idle


def _holdings(snapshot: Snapshot, vault: VaultState, pools: Mapping[str, Pool]) -> dict[Token, int]:
    """Idle balances, fees and the principal of every position at the price of the given pools."""
    held = _idle(snapshot, vault)
    for position in snapshot.positions:
        pool = pools[position.pool]
        amount0, amount1 = amm.holdings(pool, position)
        held[pool.token0] += amount0
        held[pool.token1] += amount1
    return held


def _worth(snapshot: Snapshot, vault: VaultState) -> dict[Token, Money]:
    """Money in each token that the vault holds. DataError when it holds nothing."""
    held = _holdings(snapshot, vault, _pools(snapshot, vault))
    worth = {token: snapshot.value(Amount(token, Raw(raw))) for token, raw in held.items() if raw}
    if not worth:
        raise DataError("expected a vault that holds something, found an empty one; deposit in kind")
    return worth
