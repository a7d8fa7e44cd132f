"""What the verbs report, as plain values: the same for people and for `--json`. Money and units are decimal strings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bot.core.types import Memory, Proposal, Snapshot
from bot.core.units import Money, to_units
from bot.decision.gas import wish_gas
from bot.decision.standing import Standing, look_through, stand, unit_value
from bot.ledger.profit import position_results
from bot.policy.rules import Policy

GWEI_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One token of the portfolio, positions looked through."""

    symbol: str
    price: Money
    units: Decimal
    money: Money
    idle: Money
    weight: float
    target: float
    drift: float


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One position against holding what it was entered with; losses are negative."""

    position: str
    pool: str
    in_range: bool
    principal: Money
    fees: Money
    held: Money
    impermanent_loss: Money
    impermanent_loss_percent: Decimal
    net: Money


@dataclass(frozen=True, slots=True)
class GasLine:
    """What gas costs now, and a bundle of one swap."""

    base_fee_gwei: Decimal
    tip_gwei: Decimal
    swap_bundle: Money


@dataclass(frozen=True, slots=True)
class VaultLine:
    """What only a vault has."""

    shares: Decimal
    share_value: Money
    sequence: int
    paused: bool
    loss_used_bps: float
    turnover_used_bps: float


@dataclass(frozen=True, slots=True)
class Status:
    """Where the portfolio stands at one block."""

    account: str
    block: int
    at: str
    policy: str
    numeraire: str
    equity: Money
    volatility_per_day: float | None  # None: not enough price history
    band: float
    worst_drift: float
    in_band: bool
    tokens: tuple[TokenLine, ...]
    positions: tuple[PositionLine, ...]
    gas: GasLine
    vault: VaultLine | None


def status(policy: Policy, memory: Memory, snapshot: Snapshot) -> Status:
    """Weights, drift, band, positions and gas. DataError when the portfolio is empty."""
    standing = stand(policy, snapshot)
    return Status(
        account=snapshot.account,
        block=snapshot.block.number,
        at=moment(snapshot.block.timestamp),
        policy=policy.version,
        numeraire=policy.numeraire,
        equity=standing.equity,
        volatility_per_day=None if standing.covariance is None else standing.volatility,
        band=standing.band,
        worst_drift=standing.worst,
        in_band=standing.worst <= standing.band,
        tokens=_tokens(snapshot, standing),
        positions=_positions(memory, snapshot),
        gas=_gas(snapshot),
        vault=_vault(snapshot),
    )


def equity(snapshot: Snapshot) -> Money:
    """Value of everything the account holds, positions looked through."""
    return Money(sum(look_through(snapshot)[1], Decimal(0)))


def verdict_line(proposal: Proposal) -> str:
    """What happens with a proposal, in words."""
    return {
        "idle": "nothing to do",
        "go": "rebalance",
        "ask": "rebalance once a person approves",
        "refuse": "refused by a limit",
    }[proposal.verdict]


def moment(timestamp: int) -> str:
    """A chain or journal time as people read it, UTC."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _tokens(snapshot: Snapshot, standing: Standing) -> tuple[TokenLine, ...]:
    rows = zip(snapshot.prices, standing.money, standing.idle, standing.weights, standing.targets, strict=True)
    return tuple(
        TokenLine(
            symbol=price.token.symbol,
            price=price.money,
            units=money / price.money,
            money=money,
            idle=idle,
            weight=float(weight),
            target=float(target),
            drift=float(weight - target),
        )
        for price, money, idle, weight, target in rows
    )


def _positions(memory: Memory, snapshot: Snapshot) -> tuple[PositionLine, ...]:
    return tuple(
        PositionLine(
            position=result.position,
            pool=result.pool,
            in_range=result.in_range,
            principal=result.loss.principal,
            fees=result.loss.fees,
            held=result.loss.held,
            impermanent_loss=result.loss.money,
            impermanent_loss_percent=result.loss.percent,
            net=result.loss.net,
        )
        for result in position_results(memory, snapshot)
    )


def _gas(snapshot: Snapshot) -> GasLine:
    gas = snapshot.gas
    return GasLine(
        base_fee_gwei=to_units(gas.base_fee, GWEI_DECIMALS),
        tip_gwei=to_units(gas.tip, GWEI_DECIMALS),
        swap_bundle=gas.money(wish_gas(trades=1, leaves=0, enters=0), snapshot.ether),
    )


def _vault(snapshot: Snapshot) -> VaultLine | None:
    vault = snapshot.vault
    if vault is None:
        return None
    return VaultLine(
        shares=to_units(vault.shares, 18),
        share_value=unit_value(snapshot),
        sequence=vault.sequence,
        paused=vault.paused,
        loss_used_bps=vault.loss_used_bps,
        turnover_used_bps=vault.turnover_used_bps,
    )
