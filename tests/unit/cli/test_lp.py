"""`evenkeel lp`: its figures against the formulas they stand for, its tables, its JSON and its pictures."""

import json
from dataclasses import replace
from decimal import Decimal
from math import log, sqrt
from pathlib import Path

import pytest

from bot.amm import v2, v3
from bot.amm.loss import concentrated_loss, impermanent_loss
from bot.cli import run
from bot.cli.lp import draw, price, show
from bot.cli.positions import lp
from bot.cli.show import emit
from bot.core.errors import ConfigError, DataError
from bot.core.types import Entry, Memory, Position, Snapshot, V2Pool, V3Pool
from bot.core.units import Liquidity, Money, Raw, Tick, Timestamp
from tests.factories import NOW, PRICES, WBTC, WETH, memory, policy, pools, range_position, snapshot

MAINNET = str(Path(__file__).parents[3] / "config" / "mainnet.yaml")
DAY = 86_400
DAILY = 0.03  # volatility of the factory's history
LIQUIDITY = 2 * 10**16
LATER = {**PRICES, WETH: Decimal(2_850)}
Capture = pytest.CaptureFixture[str]


def held(lower: int = -1_000, upper: int = 1_000, fees: tuple[int, int] = (150_000_000, 5 * 10**16)) -> Position:
    pool = pools()[0]
    assert isinstance(pool, V3Pool)
    middle = pool.tick // 10 * 10
    return range_position(pool, middle + lower, middle + upper, LIQUIDITY, fees)


def entry(position: Position, days: int = 5) -> Entry:
    """Of a position in the pool as it stood at 3,000."""
    pool = pools()[0]
    assert isinstance(pool, V3Pool)
    amounts = v3.amounts(pool.sqrt_price_x96, position.tick_lower, position.tick_upper, position.liquidity)
    return Entry(position.id, position.liquidity, *amounts, Timestamp(NOW - days * DAY))


def pair() -> tuple[Position, Entry]:
    pool = pools()[3]
    assert isinstance(pool, V2Pool)
    liquidity = Liquidity(pool.supply // 1_000)
    position = Position(pool.address, pool.address, Tick(0), Tick(0), liquidity, Raw(0), Raw(0))
    return position, Entry(position.id, liquidity, *v2.amounts(pool, liquidity), Timestamp(NOW - 30 * DAY))


def world(*positions: Position, **changes: object) -> Snapshot:
    return snapshot(positions=positions, prices=LATER, **changes)  # type: ignore[arg-type]


def both() -> tuple[Memory, Snapshot]:
    position, (other, other_entry) = held(), pair()
    return memory(entries=(entry(position), other_entry)), world(position, other)


# ------------------------------------------------------------------ figures


def test_lp__a_range_in_range__what_it_is_and_has_lost() -> None:
    position = held()
    known, seen = entry(position), world(position)
    (line,) = lp(policy(), memory(entries=(known,)), seen, 7.0).positions
    exact = impermanent_loss(seen.pool(position.pool), position, known, Money(Decimal(1)), Money(Decimal(2_850)))
    assert (line.value, line.held, line.impermanent_loss) == (exact.principal, exact.held, exact.money)
    assert line.fees == Decimal(150) + Decimal("0.05") * 2_850
    assert line.net == line.impermanent_loss + line.fees
    assert line.fees_to_even == -line.net > 0
    assert (line.token, line.quote, line.in_range, line.entered_known, line.days) == ("WETH", "USDC", True, True, 5)
    assert line.price == pytest.approx(2_850)
    assert line.entered_price == pytest.approx(3_000)
    closed = concentrated_loss(3_000, 2_850, line.lower, line.upper)
    assert float(line.impermanent_loss_percent) / 100 == pytest.approx(float(closed), rel=1e-6)


def test_lp__a_range_in_range__what_it_must_expect() -> None:
    position = held()
    (line,) = lp(policy(), memory(entries=(entry(position),)), world(position), 7.0).positions
    ahead = line.ahead
    assert ahead is not None
    assert line.lower is not None
    assert line.upper is not None
    assert ahead.volatility_per_day == pytest.approx(DAILY, rel=1e-6)
    value = 2 * sqrt(2_850) - 2_850 / sqrt(line.upper) - sqrt(line.lower)
    assert ahead.lvr_per_day == pytest.approx(DAILY**2 * sqrt(2_850) / 4 / value, rel=1e-6)
    assert float(ahead.lvr_money_per_day) == pytest.approx(float(line.value) * ahead.lvr_per_day)
    assert (
        0 < ahead.break_even_per_day < ahead.lvr_per_day
    )  # part of the week it is out of range, where it loses nothing
    assert float(ahead.break_even_money_per_day) == pytest.approx(float(line.value) * ahead.break_even_per_day)
    assert ahead.expected_loss == pytest.approx(-7 * ahead.break_even_per_day, rel=0.02)
    assert float(ahead.expected_loss_money) == pytest.approx(float(line.value) * ahead.expected_loss)
    away = min(log(line.upper / 2_850), log(2_850 / line.lower)) / DAILY / sqrt(7)
    assert 0.5 < ahead.time_in_range < 1
    assert away < 1  # an end within one deviation of the week, so the share must be well below 1


def test_lp__longer_horizon__more_to_lose_and_less_time_in_range() -> None:
    position = held()
    week, year = (lp(policy(), memory(), world(position), days).positions[0].ahead for days in (7.0, 365.0))
    assert week is not None
    assert year is not None
    assert year.expected_loss < week.expected_loss
    assert year.time_in_range < week.time_in_range
    assert year.lvr_per_day == week.lvr_per_day


def test_lp__a_pair__is_a_full_range_that_loses_an_eighth_of_variance() -> None:
    position, known = pair()
    (line,) = lp(policy(), memory(entries=(known,)), world(position), 7.0).positions
    assert (line.lower, line.upper, line.in_range, line.name) == (None, None, True, "pair")
    assert line.ahead is not None
    assert line.ahead.lvr_per_day == pytest.approx(DAILY**2 / 8, rel=1e-6)
    assert line.ahead.break_even_per_day == pytest.approx(DAILY**2 / 8, rel=1e-6)
    assert line.ahead.time_in_range == pytest.approx(1)


def test_lp__out_of_range__loses_nothing_now_but_may_come_back() -> None:
    position = held(-1_000, 100)
    (line,) = lp(policy(), memory(entries=(entry(position),)), world(position), 7.0).positions
    assert line.in_range is False
    assert line.ahead is not None
    assert line.ahead.lvr_per_day == 0
    assert line.ahead.break_even_per_day > 0


def test_lp__entry_not_remembered__is_measured_from_now() -> None:
    (line,) = lp(policy(), memory(), world(held()), 7.0).positions
    assert (line.entered_known, line.days, line.impermanent_loss) == (False, 0, 0)
    assert line.entered_price == pytest.approx(2_850)


def test_lp__too_little_price_history__nothing_is_expected() -> None:
    (line,) = lp(policy(), memory(), world(held(), rows=((1.0, 2_850.0, 90_000.0),)), 7.0).positions
    assert line.ahead is None


def test_lp__pair_of_two_that_move_together__no_volatility_to_speak_of() -> None:
    pool = pools(LATER)[2]
    assert isinstance(pool, V3Pool)
    middle = pool.tick // 60 * 60
    rows = tuple((1.0, 2_850.0 * (1 + i % 2), 90_000.0 * (1 + i % 2)) for i in range(50))
    (line,) = lp(policy(), memory(), world(range_position(pool, middle, middle + 60, 10**14), rows=rows), 7.0).positions
    assert line.ahead is None or line.ahead.break_even_per_day < 1e-12
    assert (line.token, line.quote) == (WBTC.symbol, WETH.symbol)


def test_lp__no_positions__an_empty_list() -> None:
    assert lp(policy(), memory(), snapshot(), 7.0).positions == ()


# ------------------------------------------------------------------ words


def test_show__two_positions__tables_with_every_figure_whole(capsys: Capture) -> None:
    now = lp(policy(), *both(), 7.0)
    emit(now, False, show(now))
    said = capsys.readouterr().out
    for line in now.positions:
        assert f"{line.value:,.2f}" in said
        assert f"{line.impermanent_loss:+,.2f}" in said
        assert line.ahead is not None
        assert f"{line.ahead.lvr_money_per_day:,.2f}" in said
        assert f"{line.ahead.break_even_per_day * 100:.4f} %" in said
    assert "2,716.25 to 3,317.60" in said
    assert "the next 7 days at the measured volatility, without a trend" in said
    assert f"entered 2027-01-10 08:00:00 UTC at 3,000.00; {now.positions[0].fees_to_even:,.2f} more in fees" in said
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= 140


def test_show__unknown_entry_and_volatility__are_said(capsys: Capture) -> None:
    now = lp(policy(), memory(), world(held(fees=(0, 0)), rows=()), 7.0)
    emit(now, False, show(now))
    said = capsys.readouterr().out
    assert "its entry is not in the journal, so it is measured from now" in said
    assert "unknown" in said


def test_show__ahead_of_holding__asks_for_no_more_fees(capsys: Capture) -> None:
    position = held(fees=(10**10, 0))
    now = lp(policy(), memory(entries=(entry(position),)), world(position), 7.0)
    emit(now, False, show(now))
    assert now.positions[0].fees_to_even == 0
    assert "even with holding, or better" in capsys.readouterr().out


def test_show__no_positions__says_so(capsys: Capture) -> None:
    now = lp(policy(), memory(), snapshot(), 7.0)
    emit(now, False, show(now))
    assert "no liquidity positions" in capsys.readouterr().out


def test_emit__as_json__money_is_text_and_a_full_range_has_no_ends(capsys: Capture) -> None:
    now = lp(policy(), *both(), 7.0)
    emit(now, True, show(now))
    range_line, pair_line = json.loads(capsys.readouterr().out)["positions"]
    assert Decimal(range_line["impermanent_loss"]) == now.positions[0].impermanent_loss
    assert (pair_line["lower"], pair_line["upper"]) == (None, None)
    assert range_line["ahead"]["time_in_range"] == now.positions[0].ahead.time_in_range  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("number", "said"), [(None, "-"), (2_850.456, "2,850.46"), (30.87719, "30.877"), (0.00012345678, "0.00012346")]
)
def test_price__any__as_people_read_it(number, said) -> None:
    assert price(number) == said


# ------------------------------------------------------------------ pictures


@pytest.mark.parametrize(("name", "start"), [("loss.svg", b"<svg "), ("loss.PNG", b"\x89PNG")])
def test_draw__a_file__is_what_its_name_says(name: str, start: bytes, tmp_path: Path) -> None:
    draw(*both(), tmp_path / name)
    drawn = (tmp_path / name).read_bytes()
    assert drawn.startswith(start)
    if name.endswith("svg"):
        assert b"price of WETH in USDC" in drawn
        assert "now 2,850: \N{MINUS SIGN}0.67 %".encode() in drawn


def test_draw__no_position_or_no_such_directory__is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a liquidity position to draw, found none"):
        draw(memory(), snapshot(), tmp_path / "loss.svg")
    with pytest.raises(ConfigError, match="expected a file that can be written"):
        draw(*both(), tmp_path / "none" / "loss.svg")


def test_draw__entered_with_nothing__is_left_out(tmp_path: Path) -> None:
    position = held()
    nothing = replace(entry(position), amount0=Raw(0), amount1=Raw(0))
    with pytest.raises(DataError, match="found none"):
        draw(memory(entries=(nothing,)), world(position), tmp_path / "loss.svg")


# ------------------------------------------------------------------ the verb


@pytest.mark.parametrize("words", [["--plot", "loss.gif"], ["--plot", "loss"], ["--days", "0"], ["--days", "soon"]])
def test_lp_verb__used_wrongly__exits_with_2(words: list[str], capsys: Capture) -> None:
    assert run(["lp", "-c", MAINNET, *words]) == 2
    assert capsys.readouterr().out == ""


def test_lp_verb__no_account__is_said_before_any_node_is_asked(capsys: Capture) -> None:
    assert run(["lp", "-c", MAINNET]) == 3
    assert "account.vault: expected the vault" in capsys.readouterr().err


def test_lp_verb__help__names_it(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    assert " lp " in capsys.readouterr().out
