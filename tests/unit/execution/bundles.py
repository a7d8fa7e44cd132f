"""One bundle of every kind of step, the proposal around it, and what it did."""

from dataclasses import replace

from bot.core.rows import Intent
from bot.core.types import (
    AddLiquidity,
    Amount,
    Breach,
    Decision,
    Fill,
    Outcome,
    Plan,
    Proposal,
    Reason,
    RemoveLiquidity,
    Swap,
    Trade,
)
from bot.core.units import Gas, Liquidity, Money, Raw, Tick, Timestamp, Wei, to_units
from tests.factories import NOW, USDC, VAULT, WETH, v2_pool, v3_pool

POOL = v3_pool().address
KEEPER = "0x00000000000000000000000000000000000000bb"
STEPS = (
    RemoveLiquidity(POOL, f"{POOL}:-10:10", Tick(-10), Tick(10), Liquidity(9), Raw(50), Raw(60), Raw(49), Raw(59)),
    Swap(v2_pool().address, Amount(USDC, Raw(3_000)), Amount(WETH, Raw(1_000)), Raw(990)),
    Swap(v2_pool().address, Amount(WETH, Raw(1_000)), Amount(USDC, Raw(2_990)), Raw(2_900)),
    AddLiquidity(POOL, Tick(-20), Tick(20), Liquidity(7), Raw(40), Raw(30), Raw(41), Raw(31)),
)
FILLS = (Fill(0, 50, 60), Fill(1, -3_000, 1_000), Fill(2, 2_990, -1_000), Fill(3, -40, -30))


def plan(**changes: object) -> Plan:
    whole = Plan(STEPS, (Amount(USDC, Raw(5)),), sequence=7, deadline=Timestamp(NOW + 600), gas=Gas(500_000))
    return replace(whole, **changes)  # type: ignore[arg-type]


def proposal(act: bool = True, breaches: tuple[Breach, ...] = ()) -> Proposal:
    trade = Trade(USDC, WETH, Money(to_units(3_000, USDC.decimals)))
    decision = Decision(
        act=act,
        reasons=(Reason("drift", "WETH is 3 % under its target", (("drift", -0.03), ("odds", float("inf")))),),
        weights=(0.43, 0.37, 0.2),
        targets=(0.4, 0.4, 0.2),
        aims=(0.4, 0.4, 0.2),
        band=0.02,
        volatility=0.03,
        correcting=act,
        goes_on=False,
        trades=(trade,),
        shifts=(),
        gain=Money(to_units(12, 0)),
        cost=Money(to_units(3, 0)),
    )
    return Proposal("0123abcd", decision, plan(), breaches)


def outcome(**changes: object) -> Outcome:
    done = Outcome(True, "0x" + "cd" * 32, 24_000_001, FILLS, Gas(480_000), Wei(1_100_000_000))
    return replace(done, **changes)  # type: ignore[arg-type]


def intent(nonce: int = 5) -> Intent:
    return Intent(plan(), KEEPER, VAULT, "0xfeed", nonce, "0x02beef", "0x" + "cd" * 32)
