"""The measurement of a run: values per share, and fees and losses that survive the positions they came from."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.amm import v3
from bot.core.types import (
    Amount,
    Breach,
    Decision,
    Entry,
    Fill,
    Memory,
    Outcome,
    Plan,
    Position,
    Proposal,
    Reason,
    RemoveLiquidity,
    Snapshot,
    Swap,
    V3Pool,
)
from bot.core.units import ZERO, Gas, Liquidity, Raw, Timestamp, Wei
from bot.demo.tally import Tally
from bot.ledger.profit import position_results
from tests.factories import PRICES, USDC, WBTC, WETH, policy, pools, range_position, snapshot, vault_state

SHARES = 10**24
POOL = pools()[0]
LIQUIDITY = 10**16
FEES = (5_000_000, 10**15)  # 5 USDC and 0.001 WETH


def lower_upper(pool: V3Pool) -> tuple[int, int]:
    middle = pool.tick // 10 * 10
    return middle - 1_000, middle + 1_000


def entered(pool: V3Pool) -> Memory:
    """A memory of the range's entry at this pool's price."""
    lower, upper = lower_upper(pool)
    amounts = v3.amounts(pool.sqrt_price_x96, lower, upper, LIQUIDITY)
    position = held(pool)
    return Memory(entries=(Entry(position.id, position.liquidity, *amounts, Timestamp(1)),))


def held(pool: V3Pool, part: int = 1, fees: tuple[int, int] = FEES) -> Position:
    return range_position(pool, *lower_upper(pool), LIQUIDITY // part, fees)


def moved(part: int = 1, fees: tuple[int, int] = FEES, shares: int = SHARES, there: bool = True) -> Snapshot:
    """WETH at 2,850 after the entry at 3,000; the range still there or not."""
    assert isinstance(POOL, V3Pool)
    positions = (held(POOL, part, fees),) if there else ()
    prices = {**PRICES, WETH: Decimal(2_850)}
    return snapshot(positions=positions, prices=prices, vault=vault_state(shares=shares))


def tally() -> Tally:
    basket = tuple(Amount(token, Raw(10**token.decimals)) for token in (USDC, WETH, WBTC))
    return Tally(policy(), ("USDC", "WETH", "WBTC"), basket, SHARES)


def proposal(*steps: Swap | RemoveLiquidity, severities: tuple[str, ...] = ()) -> Proposal:
    decision = Decision(
        act=True,
        reasons=(Reason("band", "too heavy"),),
        weights=(0.5, 0.3, 0.2),
        targets=(0.4, 0.4, 0.2),
        aims=(0.4, 0.4, 0.2),
        band=0.02,
        volatility=0.03,
        correcting=True,
        goes_on=False,
        trades=(),
        shifts=(),
        gain=ZERO,
        cost=ZERO,
    )
    breaches = tuple(Breach("rule", f"said {s}", s) for s in severities)  # type: ignore[arg-type]
    return Proposal("hash", decision, Plan(steps, (), 7, Timestamp(10), Gas(0)), breaches)


def removal(part: int = 1) -> RemoveLiquidity:
    position = held(POOL)  # type: ignore[arg-type]
    lower, upper = position.tick_lower, position.tick_upper
    return RemoveLiquidity(
        POOL.address, position.id, lower, upper, Liquidity(LIQUIDITY // part), Raw(0), Raw(0), Raw(0), Raw(0)
    )


def sent(steps: tuple[Swap | RemoveLiquidity, ...], ok: bool = True, fills: tuple[Fill, ...] = ()) -> Outcome:
    return Outcome(ok, "0x01", 1, fills, Gas(100_000), Wei(2 * 10**9), "" if ok else "oracle: spot")


def test_hour__half_the_shares_gone__value_of_the_first_deposits_stays() -> None:
    whole, half = tally(), tally()
    whole.hour(moved(there=False), Memory(), None, 0)
    units = ("200000", "66.66665", "1.1111")
    world = replace(moved(there=False, shares=SHARES // 2), balances=snapshot(units=units).balances)
    half.hour(world, Memory(), None, 0)
    assert half.hours[0].vault == pytest.approx(whole.hours[0].vault, rel=Decimal("0.000001"))
    assert whole.hours[0].hold == 1 + 2_850 + 90_000
    assert whole.hours[0].left == whole.hours[0].vault  # nothing was left alone yet


def test_hour__a_portfolio_left_alone__is_scaled_by_the_shares_it_stands_for() -> None:
    measured = tally()
    alone = replace(moved(there=False), vault=None)
    measured.hour(moved(there=False), Memory(), alone, SHARES // 4)
    equity = sum((alone.value(amount) for amount in alone.balances), ZERO)
    assert measured.hours[0].left == 4 * equity
    assert measured.hours[0].drift_left is not None


def test_hour__an_open_range__fees_and_loss_are_the_ledgers() -> None:
    measured, world = tally(), moved()
    memory = entered(POOL)  # type: ignore[arg-type]
    measured.hour(world, memory, None, 0)
    (result,) = position_results(memory, world)
    assert measured.fees == result.loss.fees == Decimal("5") + Decimal("0.001") * 2_850
    assert measured.impermanent_loss == result.loss.money < 0
    (seen,) = measured.hours[0].ranges
    assert (seen.token, seen.quote) == ("WETH", "USDC")
    assert measured.hours[0].pools_off < 1e-6  # the factory's pools stand at the prices
    assert seen.lower < 2_850 < 3_000 < seen.upper


def test_sent__the_range_was_taken_out__its_fees_and_loss_are_kept() -> None:
    measured, world = tally(), moved()
    memory = entered(POOL)  # type: ignore[arg-type]
    measured.hour(world, memory, None, 0)
    fees, loss = measured.fees, measured.impermanent_loss
    step = removal()
    measured.sent(world, memory, proposal(step), sent((step,), fills=(Fill(0, 0, 0),)), moved(there=False))
    measured.hour(moved(there=False), Memory(), None, 0)
    assert (measured.fees, measured.impermanent_loss) == (fees, loss)


def test_sent__reverted__nothing_is_settled_or_paid_but_gas() -> None:
    measured, world = tally(), moved()
    memory = entered(POOL)  # type: ignore[arg-type]
    measured.hour(world, memory, None, 0)
    fees = measured.fees
    step = removal()
    measured.sent(world, memory, proposal(step), sent((step,), ok=False), world)
    measured.hour(world, memory, None, 0)
    assert measured.fees == fees
    (bundle,) = measured.bundles
    assert (bundle.ok, bundle.traded, bundle.swap_fees, bundle.revert) == (False, 0, 0, "oracle: spot")
    assert bundle.gas_paid == Decimal("0.0002") * world.ether


def test_sent__a_swap__counts_what_was_given_its_fee_and_what_was_off() -> None:
    measured, world = tally(), moved(there=False)
    measured.hour(world, Memory(), None, 0)
    give, expect = Amount(USDC, Raw(1_000 * 10**6)), Amount(WETH, Raw(10**17))
    swap = Swap(POOL.address, give, expect, Raw(0))
    got = Fill(0, -give.raw, expect.raw - 3)
    measured.sent(world, Memory(), proposal(swap), sent((swap,), fills=(got,)), world)
    (bundle,) = measured.bundles
    assert bundle.traded == 1_000
    assert bundle.swap_fees == Decimal("0.5")  # 500 pips
    assert bundle.off_wei == 3
    assert bundle.why == ("too heavy",)


def test_redeemed__half_the_shares__all_fees_claimed_and_half_the_loss_settled() -> None:
    measured, world = tally(), moved()
    memory = entered(POOL)  # type: ignore[arg-type]
    measured.hour(world, memory, None, 0)
    fees, loss = measured.fees, measured.impermanent_loss
    measured.redeemed(world, memory, SHARES // 2)
    measured.hour(moved(part=2, fees=(0, 0), shares=SHARES // 2), memory, None, 0)
    assert measured.fees == fees
    assert measured.impermanent_loss == pytest.approx(loss, rel=Decimal("0.000001"))


def standing_at(price: int, part: int = 1) -> Snapshot:
    assert isinstance(POOL, V3Pool)
    return snapshot(positions=(held(POOL, part),), prices={**PRICES, WETH: Decimal(price)})


def test_hour__price_there_and_back__lost_to_rebalancing_both_ways_and_nothing_to_holding() -> None:
    measured, memory = tally(), entered(POOL)  # type: ignore[arg-type]
    for price in (3_000, 2_850, 3_000):
        measured.hour(standing_at(price), memory, None, 0)
    start, there, back = measured.hours
    assert start.rebalancing_loss == 0
    assert there.rebalancing_loss == pytest.approx(-there.impermanent_loss)
    assert back.rebalancing_loss > Decimal("1.9") * there.rebalancing_loss > 0
    assert abs(back.impermanent_loss) < Decimal("1e-6")
    assert (back.in_range, start.in_range) == (1, 1)
    assert back.liquidity > 0


def test_hour__half_of_the_range_redeemed_between__only_what_stayed_can_lose() -> None:
    whole, half = tally(), tally()
    memory = entered(POOL)  # type: ignore[arg-type]
    for measured, part in ((whole, 1), (half, 2)):
        measured.hour(standing_at(3_000), memory, None, 0)
        measured.hour(standing_at(2_850, part), memory, None, 0)
    assert half.rebalancing_loss == pytest.approx(whole.rebalancing_loss / 2, rel=Decimal("1e-9"))


def test_sent__the_range_moved_by_the_bundle__is_looked_at_anew() -> None:
    measured, memory = tally(), entered(POOL)  # type: ignore[arg-type]
    measured.hour(standing_at(3_000, part=2), memory, None, 0)
    step = removal(2)
    measured.sent(standing_at(3_000), memory, proposal(step), sent((step,), fills=(Fill(0, 0, 0),)), standing_at(3_000))
    measured.hour(standing_at(2_850), memory, None, 0)
    alone = tally()
    alone.hour(standing_at(3_000), memory, None, 0)
    alone.hour(standing_at(2_850), memory, None, 0)
    assert measured.rebalancing_loss == alone.rebalancing_loss > 0


def test_hour__a_range__is_remembered_as_seen_last() -> None:
    measured, memory = tally(), entered(POOL)  # type: ignore[arg-type]
    for price in (3_000, 2_850):
        measured.hour(standing_at(price), memory, None, 0)
    measured.hour(moved(there=False), memory, None, 0)
    (seen,) = measured.positions
    assert seen.place.entered == pytest.approx(3_000, rel=1e-6)
    assert seen.place.price == pytest.approx(2_850)
    assert measured.hours[-1].in_range is None
    assert (measured.hours[-1].liquidity, measured.hours[-1].rebalancing_loss) == (
        0,
        measured.hours[1].rebalancing_loss,
    )


@pytest.mark.parametrize(("severity", "by"), [("refuse", "guard"), ("ask", "person")])
def test_refused__by_a_guard_or_for_want_of_a_person__told_apart(severity: str, by: str) -> None:
    measured = tally()
    measured.refused(snapshot(), proposal(severities=("warn", severity)), None)
    (refusal,) = measured.refusals
    assert (refusal.by, refusal.said) == (by, f"said {severity}")


def test_refused__by_the_simulation__in_the_vaults_words() -> None:
    measured = tally()
    measured.refused(snapshot(), proposal(), sent((), ok=False))
    assert (measured.refusals[0].by, measured.refusals[0].said) == ("simulation", "oracle: spot")
