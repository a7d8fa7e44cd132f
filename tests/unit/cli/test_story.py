"""What the bot did and why, in sentences; and the figures of `status`."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.cli.report import status
from bot.cli.show import emit, show_status
from bot.cli.story import DRY, happened, in_short, planned, proposed, tell
from bot.core.rows import Approval, Attempt, Intent, Note, Skip
from bot.core.types import Breach, Fill, Outcome, Proposal, Record, Swap
from bot.core.units import ZERO, Gas, Money, Wei
from bot.decision.gas import wish_gas
from bot.propose import propose
from tests.factories import NOW, USDC, memory, policy, range_position, snapshot, v3_pool, vault_state

DRIFTED = snapshot(units=("600000", "100", "1"))
CALM = snapshot()


def acted() -> Proposal:
    return replace(propose(policy(), memory(), DRIFTED), breaches=())


def record(body: object, kind: str = "cycle", seq: int = 1) -> Record:
    return Record(seq, NOW, 12, kind, body, "00")


def test_proposed__idle__says_why_not() -> None:
    proposal = propose(policy(), memory(), CALM)
    seen, why = proposed(12, CALM, proposal)
    assert (
        seen
        == f"Cycle 12 looked at block 24000000 (2027-01-15 08:00:00 UTC): the portfolio was worth {999_997.90:,.2f}."
    )
    assert why.startswith("It did nothing, because every weight is inside the band")


def test_planned__now__is_told_as_what_would_be_done() -> None:
    seen, why = planned(CALM, propose(policy(), memory(), CALM))
    assert seen == f"At block 24000000 (2027-01-15 08:00:00 UTC): the portfolio is worth {999_997.90:,.2f}."
    assert why.startswith("It would do nothing, because every weight is inside the band")
    told = " ".join(planned(DRIFTED, acted()))
    assert "It would rebalance, because" in told
    assert "That is expected to be worth" in told
    assert " did " not in told
    assert "wanted" not in told


def test_proposed__held_back__says_first_what_holds_it_back() -> None:
    waiting = propose(policy(), replace(memory(), last_bundle=NOW - 60), DRIFTED)
    assert waiting.decision.reasons[-1].rule == "cool-down"
    _, why, else_ = proposed(12, DRIFTED, waiting)
    assert why.startswith("It did nothing, because the last bundle was 60 s ago")
    assert else_.startswith("But for that it would have acted: ")
    assert "outside the band" in else_
    assert "last bundle" not in else_


def test_tell__dry_run__ends_with_nothing_was_sent() -> None:
    done = Outcome(True, None, 9, (), Gas(460_000), Wei(2 * 10**9))
    rows = [record((DRIFTED, acted())), record(done, "rehearsal"), record(Note("as expected"), "note")]
    assert tell(rows)[-1] == DRY
    assert DRY not in tell([rows[0], record(done, "simulation"), rows[2]])


def test_tell__answer_written_before_its_cycle__stands_after_it() -> None:
    settled = Outcome(False, None, 9, (), Gas(0), Wei(1), "too late")
    rows = [
        record(settled, "outcome"),
        record(Approval(12, "ann", True, "said --approve"), "approval"),
        record((DRIFTED, acted())),
    ]
    said = tell(rows)
    assert said[-1] == "ann approved it: said --approve."
    assert "failed: too late" in said[0]
    assert said[1].startswith("Cycle 12 looked")


def test_proposed__act__says_why_worth_cost_and_every_step() -> None:
    proposal = acted()
    said = proposed(12, DRIFTED, proposal)
    assert said[1].startswith("It wanted to rebalance, because ")
    assert "expected to be worth" in said[2]
    steps = said[3 : 3 + len(proposal.plan.steps)]
    assert len(steps) == len(proposal.plan.steps) > 0
    assert all(step.startswith("Swap ") for step in steps)


def test_proposed__no_price_history__does_not_call_it_worthless() -> None:
    proposal = acted()
    blind = replace(proposal, decision=replace(proposal.decision, volatility=0.0, gain=Money(ZERO)))
    said = proposed(12, DRIFTED, blind)
    assert "without price history its worth is unknown" in said[2]
    assert "worth 0.00" not in said[2]


@pytest.mark.parametrize(
    ("severity", "words"),
    [("warn", "It was warned"), ("ask", "A person must approve it"), ("refuse", "A limit refused it")],
)
def test_proposed__breach__is_told(severity: str, words: str) -> None:
    breach = Breach("large", "trades of 9 exceed 5", severity)  # type: ignore[arg-type]
    said = proposed(12, DRIFTED, replace(acted(), breaches=(breach,)))
    assert words in said[-1]
    assert "trades of 9 exceed 5 (rule large)" in said[-1]


def test_tell__whole_cycle__is_in_order() -> None:
    proposal = acted()
    swap = next(step for step in proposal.plan.steps if isinstance(step, Swap))
    assert swap.give.token == USDC
    fills = tuple(Fill(i, -1_000_000, 5 * 10**17) for i in range(len(proposal.plan.steps)))
    done = Outcome(True, "0xabc", 9, fills, Gas(460_000), Wei(2 * 10**9))
    intent = Intent(proposal.plan, "0x1", "0x2", "0x", 4, "0x", "0xabc")
    rows = [
        record((DRIFTED, proposal)),
        record(replace(done, tx=None), "simulation"),
        record(Approval(12, "ann", True, "looks right"), "approval"),
        record(intent, "intent"),
        record(Attempt(4, "0xabc"), "attempt"),
        record(done, "outcome"),
        record(Note("all amounts exactly as expected"), "note"),
    ]
    said = tell(rows)
    order = ["looked at", "wanted to", "The simulation succeeded", "ann approved it: looks right", "nonce 4"]
    order += ["It sent transaction 0xabc", "Transaction 0xabc in block 9 succeeded", "All amounts exactly as expected."]
    text = "\n".join(said)
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "460,000 gas at 2.000 gwei, 2.76 at its price" in text
    assert "gave 1 USDC and got " in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome(False, "0xabc", 9, (), Gas(1), Wei(1), "limits: day loss"),
            "Transaction 0xabc in block 9 failed: limits",
        ),
        (Outcome(False, None, 9, (), Gas(0), Wei(1), "roles: keeper"), "The simulation failed: roles: keeper."),
        (Outcome(False, None, 9, (), Gas(0), Wei(1)), "The simulation failed: no reason was given."),
    ],
)
def test_happened__failed__says_the_reason(outcome: Outcome, words: str) -> None:
    assert words in happened(outcome, DRIFTED, acted().plan)


def test_tell__skipped_cycle__says_why() -> None:
    assert tell([record(Skip("StaleData", "feed of WETH: too old"), "skip")]) == [
        "At 2027-01-15 08:00:00 UTC cycle 12 could not be finished (StaleData): feed of WETH: too old."
    ]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([record((CALM, propose(policy(), memory(), CALM)))], "nothing to do"),
        ([record((DRIFTED, acted()))], "rebalance"),
        ([record(Skip("ChainError", "down"), "skip")], "skipped: ChainError"),
        ([record((DRIFTED, acted())), record(Outcome(True, None, 9, (), Gas(1), Wei(1)), "simulation")], "simulated"),
        ([record(Outcome(True, "0x1", 9, (), Gas(1), Wei(1)), "outcome")], "rebalanced"),
        ([record(Outcome(False, "0x1", 9, (), Gas(1), Wei(1)), "outcome")], "bundle failed"),
    ],
)
def test_in_short__cycle__is_one_line(rows: list[Record], what: str) -> None:
    line = in_short(rows)
    assert line.what == what
    assert line.cycle == 12
    assert line.gas == (1 if line.tx else 0)


# ------------------------------------------------------------------ status


def test_status__calm__is_inside_and_adds_up() -> None:
    now = status(policy(), memory(), CALM)
    assert now.in_band
    assert sum(token.weight for token in now.tokens) == pytest.approx(1)
    assert sum(token.money for token in now.tokens) == now.equity
    assert [token.symbol for token in now.tokens] == ["USDC", "WETH", "WBTC"]
    assert now.vault is not None
    assert now.vault.share_value == now.equity / 10**6


def test_show_status__nothing_gained_or_lost__has_no_sign(capsys: pytest.CaptureFixture[str]) -> None:
    pool = v3_pool()
    position = range_position(pool, pool.tick // 10 * 10 - 100, pool.tick // 10 * 10 + 100, 10**15)
    now = status(policy(), memory(), snapshot(positions=(position,), vault=vault_state()))
    loss = replace(now.positions[0], impermanent_loss=Money(Decimal("-0.001")), net=Money(Decimal("-0.01")))
    token = replace(now.tokens[0], drift=-0.000001)
    shown = replace(now, positions=(loss,), tokens=(token,))
    emit(shown, False, show_status(shown))
    out = capsys.readouterr().out
    assert not re.search(r"[-+]0\.0+\b", out)
    assert "-0.01" in out


def test_status__drifted__is_outside_and_names_the_worst() -> None:
    now = status(policy(), memory(), DRIFTED)
    assert not now.in_band
    assert now.worst_drift == pytest.approx(max(abs(token.drift) for token in now.tokens))


def test_status__little_history__has_no_volatility() -> None:
    assert status(policy(), memory(), snapshot(rows=())).volatility_per_day is None
    assert status(policy(), memory(), CALM).volatility_per_day is not None


def test_status__position__shows_fees_and_whether_it_is_in_range() -> None:
    pool = v3_pool()
    inside = range_position(pool, pool.tick // 10 * 10 - 100, pool.tick // 10 * 10 + 100, 10**15, fees=(5_000_000, 0))
    outside = range_position(pool, pool.tick // 10 * 10 + 100, pool.tick // 10 * 10 + 200, 10**15)
    world = snapshot(positions=(inside, outside), vault=vault_state())
    first, second = status(policy(), memory(), world).positions
    assert (first.in_range, second.in_range) == (True, False)
    assert first.fees == 5
    assert first.impermanent_loss == 0  # seen for the first time
    assert first.net == 5
    assert first.pool == "USDC/WETH-500"
    assert second.principal > 0


def test_status__gas__is_of_a_bundle_with_one_swap() -> None:
    gas = status(policy(), memory(), CALM).gas
    assert gas.base_fee_gwei == 1
    assert gas.swap_bundle == CALM.gas.money(wish_gas(trades=1, leaves=0, enters=0), CALM.ether)
