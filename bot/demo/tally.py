"""Measures a run while it happens: one hour after another, one bundle after another."""

from dataclasses import dataclass, field, replace

from bot.amm.loss import rebalancing_loss
from bot.amm.pools import spot
from bot.core.types import (
    Amount,
    Entry,
    Memory,
    Outcome,
    Plan,
    Pool,
    Position,
    Proposal,
    RemoveLiquidity,
    Snapshot,
    Step,
    Swap,
)
from bot.core.units import ETHER_DECIMALS, ZERO, Liquidity, Money, Raw, to_units
from bot.decision.standing import Standing, stand
from bot.demo.arbitrage import MILLION
from bot.demo.paths import PEGGED
from bot.demo.result import Bundle, Hour, PositionSeen, RangeSeen, Refusal
from bot.execution.reconcile import reconcile
from bot.ledger.place import name_of, place
from bot.ledger.profit import PositionResult, entry_of, position_results
from bot.policy.rules import Policy


@dataclass
class Tally:
    """What has been seen so far. Money values are of the first deposits: of a share, times the first supply."""

    policy: Policy
    symbols: tuple[str, ...]  # in the order of `Snapshot.prices`
    basket: tuple[Amount, ...]  # what the depositors paid in
    supply: int  # shares when all had paid in
    hours: list[Hour] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    cycles: int = 0
    out_of_band: int = 0
    _claimed: Money = ZERO  # fees that have left their positions
    _settled: Money = ZERO  # impermanent loss of liquidity that is no longer there
    _open_fees: Money = ZERO
    _open_loss: Money = ZERO
    _rebalancing_loss: Money = ZERO
    _last: tuple[Entry, ...] = ()  # what each range held at the last look
    _positions: dict[str, PositionSeen] = field(default_factory=dict)

    @property
    def fees(self) -> Money:
        """Fees earned so far, claimed and not; each at the price when it was last seen."""
        return Money(self._claimed + self._open_fees)

    @property
    def impermanent_loss(self) -> Money:
        """Of all ranges so far, against holding what went in; negative is a loss."""
        return Money(self._settled + self._open_loss)

    @property
    def rebalancing_loss(self) -> Money:
        """Of all ranges so far, against holding from each look to the next; above 0 is a loss."""
        return self._rebalancing_loss

    @property
    def positions(self) -> tuple[PositionSeen, ...]:
        """Every range there was, as it was seen last."""
        return tuple(self._positions.values())

    def parts(self) -> tuple[float, ...]:
        """How much of the deposits each token was, in money at the first hour's prices."""
        first = self.hours[0]
        paid = {amount.token.symbol: amount for amount in self.basket}
        return tuple(float(paid[s].units * p / first.hold) for s, p in zip(self.symbols, first.prices, strict=True))

    def deposited(self, seen: Snapshot) -> Money:
        """What the depositors' tokens are worth at these prices."""
        return Money(sum((seen.value(amount) for amount in self.basket), ZERO))

    def hour(self, seen: Snapshot, memory: Memory, left: Snapshot | None, left_supply: int) -> Standing:
        """Take an observation. `left`: the portfolio left alone, and how many shares it stood for."""
        standing = stand(self.policy, seen)
        shares = seen.vault.shares if seen.vault else 0
        vault = Money(standing.equity * self.supply / shares)
        alone = stand(self.policy, left) if left else None
        results = position_results(memory, seen)
        self._measure(seen, memory, results)
        principal = sum((r.loss.principal for r in results), ZERO)
        inside = sum((r.loss.principal for r in results if r.in_range), ZERO)
        self.hours.append(
            Hour(
                at=seen.block.timestamp,
                prices=tuple(price.money for price in seen.prices),
                vault=vault,
                hold=self.deposited(seen),
                left=Money(alone.equity * self.supply / left_supply) if alone else vault,
                weights=tuple(standing.weights.tolist()),
                drift=standing.worst,
                drift_left=alone.worst if alone else None,
                band=standing.band,
                pools_off=max(_off(pool, seen) for pool in seen.pools),
                ranges=tuple(_range(seen.pool(p.pool), p) for p in seen.positions if p.tick_lower < p.tick_upper),
                liquidity=Money(principal),
                in_range=float(inside / principal) if principal else None,
                fees_earned=self.fees,
                impermanent_loss=self.impermanent_loss,
                rebalancing_loss=self.rebalancing_loss,
            )
        )
        return standing

    def _measure(self, seen: Snapshot, memory: Memory, results: tuple[PositionResult, ...]) -> None:
        """Bring fees and losses up to now, and note what the ranges hold."""
        self._open_fees = Money(sum((r.loss.fees for r in results), ZERO))
        self._open_loss = Money(sum((r.loss.money for r in results), ZERO))
        known = {entry.position: entry for entry in self._last}
        for position in seen.positions:
            pool, last = seen.pool(position.pool), known.get(position.id)
            if last is not None and last.liquidity >= position.liquidity:  # else something was added unseen
                prices = seen.price(pool.token0), seen.price(pool.token1)
                lost = rebalancing_loss(pool, position, last.scaled(position.liquidity), *prices)
                self._rebalancing_loss = Money(self._rebalancing_loss + lost)
            here = place(seen, position, entry_of(memory, seen, position))
            name = f"{pool.name}, ticks {name_of(position)}"
            self._positions[position.id] = PositionSeen(name, seen.block.timestamp, here)
        self._look(seen)

    def _look(self, seen: Snapshot) -> None:
        self._last = tuple(entry_of(Memory(), seen, position) for position in seen.positions)

    def cycle(self, standing: Standing) -> None:
        """Count a cycle of the bot and whether it found the portfolio out of band."""
        self.cycles += 1
        self.out_of_band += standing.worst > standing.band

    def refused(self, at: Snapshot, proposal: Proposal, outcome: Outcome | None) -> None:
        """A proposal that came to nothing: a guard, a person who was not there, or the simulation."""
        if outcome is not None:
            self.refusals.append(Refusal(at.block.timestamp, "simulation", outcome.revert))
            return
        severity = "refuse" if proposal.verdict == "refuse" else "ask"
        said = "; ".join(breach.said for breach in proposal.breaches if breach.severity == severity)
        self.refusals.append(Refusal(at.block.timestamp, "guard" if severity == "refuse" else "person", said))

    def sent(self, at: Snapshot, memory: Memory, proposal: Proposal, outcome: Outcome, after: Snapshot) -> None:
        """A bundle that reached the chain, seen before and after; `memory` as it was before."""
        decision, plan = proposal.decision, proposal.plan
        swaps = [step for step in plan.steps if isinstance(step, Swap)] if outcome.ok else []
        gas = to_units(outcome.gas_used * outcome.gas_price, ETHER_DECIMALS) * at.ether
        self.bundles.append(
            Bundle(
                at=at.block.timestamp,
                tx=outcome.tx or "",
                ok=outcome.ok,
                revert=outcome.revert,
                why=tuple(reason.said for reason in decision.reasons),
                did=tuple(_told(step, at) for step in plan.steps),
                drift_before=self.hours[-1].drift,
                drift_after=stand(self.policy, after).worst,
                band=decision.band,
                traded=Money(sum((at.value(step.give) for step in swaps), ZERO)),
                swap_fees=Money(sum((at.value(_fee(step, at)) for step in swaps), ZERO)),
                gas_expected=plan.gas,
                gas_used=outcome.gas_used,
                gas_paid=Money(gas),
                off_wei=reconcile(plan, at, outcome).worst,
            )
        )
        if outcome.ok:
            self._removed(at, memory, _removals(plan))
            self._look(after)

    def redeemed(self, at: Snapshot, memory: Memory, shares: int) -> None:
        """Shares were redeemed out of what `at` shows: all fees were claimed, and a slice of every range is gone."""
        supply = at.vault.shares if at.vault else shares
        self._removed(at, memory, {p.id: Liquidity(p.liquidity * shares // supply) for p in at.positions})

    def _removed(self, at: Snapshot, memory: Memory, liquidity: dict[str, Liquidity]) -> None:
        """Settle what left the positions: all their fees, and the loss in proportion to the liquidity."""
        held = {position.id: position.liquidity for position in at.positions}
        for result in position_results(memory, at):
            if result.position in liquidity:
                gone, all_of_it = liquidity[result.position], held[result.position]
                self._claimed = Money(self._claimed + result.loss.fees)
                if all_of_it:
                    self._settled = Money(self._settled + result.loss.money * gone / all_of_it)


def _removals(plan: Plan) -> dict[str, Liquidity]:
    return {step.position: step.liquidity for step in plan.steps if isinstance(step, RemoveLiquidity)}


def _fee(swap: Swap, seen: Snapshot) -> Amount:
    return replace(swap.give, raw=Raw(-(-swap.give.raw * seen.pool(swap.pool).fee // MILLION)))


def _off(pool: Pool, seen: Snapshot) -> float:
    return abs(float(spot(pool) * seen.price(pool.token1) / seen.price(pool.token0)) - 1)


def _range(pool: Pool, position: Position) -> RangeSeen:
    """The range's ends as prices of the token that moves in the one that does not (or in token1)."""
    scale = 10.0 ** (pool.token0.decimals - pool.token1.decimals)
    low, high = (1.0001**tick * scale for tick in (position.tick_lower, position.tick_upper))
    name = f"{pool.token0.symbol}/{pool.token1.symbol}-{pool.fee}"
    if pool.token0.symbol in PEGGED:
        return RangeSeen(name, pool.token1.symbol, pool.token0.symbol, 1 / high, 1 / low)
    return RangeSeen(name, pool.token0.symbol, pool.token1.symbol, low, high)


def _told(step: Step, seen: Snapshot) -> str:
    """One step, for people."""
    pool = seen.pool(step.pool)
    name = f"{pool.token0.symbol}/{pool.token1.symbol} {pool.kind} {pool.fee / 10_000:g} %"
    if isinstance(step, Swap):
        return f"swap {_units(step.give)} for {_units(step.expect)} in {name}"
    pair = " and ".join(
        _units(Amount(token, raw)) for token, raw in ((pool.token0, step.expect0), (pool.token1, step.expect1))
    )
    if isinstance(step, RemoveLiquidity):
        return f"{'take' if step.liquidity else 'collect'} {pair} out of {name}"
    return f"put {pair} into {name}, ticks {step.tick_lower} to {step.tick_upper}"


def _units(amount: Amount) -> str:
    return (
        f"{amount.units:,.2f} {amount.token.symbol}"
        if amount.units >= 100
        else f"{amount.units:.4f} {amount.token.symbol}"
    )
