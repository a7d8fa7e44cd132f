"""Past prices: files, observations, restarts."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import ConfigError
from bot.core.types import Block, Price, Snapshot, Token
from bot.core.units import Money, Timestamp, Wei
from bot.prices.history import Closes, History, read_closes
from tests import factories
from tests.factories import USDC, WBTC, WETH

HOUR = 3_600
START = 1_700_002_800  # a full hour


def observed(money: float, tokens: tuple[Token, ...] = (USDC, WETH)) -> tuple[Price, ...]:
    return tuple(Price(t, Money(Decimal(str(money if t == WETH else 1))), "test", Timestamp(0)) for t in tokens)


def history(*seen: tuple[int, float], capacity: int = 5) -> History:
    found = History((USDC, WETH), HOUR, capacity)
    for at, money in seen:
        found.take(observed(money), Timestamp(START + at))
    return found


def weth(found: History) -> list[float]:
    return [row[1] for row in found.rows]


def test_take__several_in_one_step__the_last_wins() -> None:
    assert weth(history((0, 10), (1_800, 11), (3_599, 12), (3_600, 13))) == [12, 13]


def test_take__more_steps_than_room__keeps_the_newest() -> None:
    assert weth(history(*((i * HOUR, 10 + i) for i in range(9)), capacity=3)) == [16, 17, 18]


def test_take__steps_missed__repeat_the_price_before() -> None:
    assert weth(history((0, 10), (3 * HOUR, 13))) == [10, 10, 10, 13]


@pytest.mark.parametrize(("missed", "rows"), [(4, [10, 10, 10, 10, 13]), (5, [13]), (10_000, [13])])
def test_take__a_silence_as_long_as_the_table__starts_anew(missed: int, rows: list[float]) -> None:
    assert weth(history((0, 10), ((missed + 1) * HOUR, 13))) == rows


def test_take__an_earlier_time__changes_nothing() -> None:
    assert weth(history((2 * HOUR, 12), (HOUR, 11))) == [12]


def test_take__prices_of_other_tokens__are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected prices of \['USDC', 'WETH'\], found \['WETH', 'USDC'\]"):
        history().take(observed(1, (WETH, USDC)), Timestamp(START))


def test_missed_steps__many_random_walks__keep_the_squared_returns() -> None:
    """A repeated price makes one long return of several: the sum of squares is right on average."""
    rng = np.random.default_rng(7)
    steps = rng.normal(0, 0.01, 40_000).cumsum()
    seen = [(i * HOUR, math.exp(steps[i])) for i in range(40_000) if i % 10 < 7]  # three of ten missed
    closes = np.log([row[1] for row in history(*seen, capacity=40_000).rows])
    assert np.sqrt((np.diff(closes) ** 2).mean()) == pytest.approx(0.01, rel=0.02)


def snapshot(at: int, money: float, rows: tuple[tuple[float, ...], ...], step_s: int = HOUR) -> Snapshot:
    block = Block(1, "0x", Timestamp(START + at), Wei(0))
    world = factories.snapshot(rows=rows)
    return replace(world, block=block, prices=observed(money), history=rows, history_step_s=step_s)


@given(
    st.lists(st.tuples(st.integers(1, 3 * HOUR), st.integers(1, 10**6)), min_size=1, max_size=30),
    st.integers(2, 12),
    st.booleans(),
)
def test_restore__from_the_last_snapshot_or_from_all__equals_never_having_stopped(
    steps: list[tuple[int, int]], capacity: int, every: bool
) -> None:
    lived, at, snapshots = History((USDC, WETH), HOUR, capacity), 0, []
    for pause, money in steps:
        at += pause
        lived.take(observed(money), Timestamp(START + at))
        snapshots.append(snapshot(at, money, lived.rows))
    restarted = History((USDC, WETH), HOUR, capacity)
    restarted.restore(snapshots if every else snapshots[-1:])
    assert restarted.rows == lived.rows


def test_restore__snapshot_of_another_step__gives_its_own_prices_only() -> None:
    found = history()
    found.restore([snapshot(0, 10, ((1.0, 8.0), (1.0, 9.0)), step_s=60)])
    assert weth(found) == [10]


def test_restore__snapshot_of_other_tokens__is_passed_over() -> None:
    found = history()
    found.restore([factories.snapshot()])
    assert found.rows == ()


def test_preload__then_observations__go_on_from_the_file() -> None:
    found = history()
    found.preload(Closes(Timestamp(START), HOUR, ((1.0, 8.0), (1.0, 9.0))))
    found.take(observed(11), Timestamp(START + 3 * HOUR))
    assert weth(found) == [8, 9, 9, 11]


def test_preload__another_step__is_refused() -> None:
    with pytest.raises(ValueError, match="expected a step of 3600 s, found 60 s"):
        history().preload(Closes(Timestamp(START), 60, ()))


# ------------------------------------------------------------------ files


def table(symbols: dict[str, list[float]], step_s: int = HOUR) -> pd.DataFrame:
    rows = [
        (symbol, pd.Timestamp(START + i * step_s, unit="s"), close)
        for symbol, closes in symbols.items()
        for i, close in enumerate(closes)
    ]
    return pd.DataFrame(rows, columns=["symbol", "time", "close"])


def csv(path: Path, frame: pd.DataFrame) -> Path:
    file = path / "klines.csv"
    frame.to_csv(file, index=False)
    return file


def test_read_closes__csv_of_exchange_symbols__columns_follow_the_tokens(tmp_path: Path) -> None:
    file = csv(tmp_path, table({"BTCUSDT": [90, 91, 92], "ETH": [30, 31, 32]}))
    found = read_closes(file, (WETH, USDC, WBTC), HOUR)
    assert found == Closes(Timestamp(START), HOUR, ((30.0, 1.0, 90.0), (31.0, 1.0, 91.0), (32.0, 1.0, 92.0)))


def test_read_closes__token_and_its_coin_both_listed__the_token_itself_counts(tmp_path: Path) -> None:
    file = csv(tmp_path, table({"BTCUSDT": [90, 91], "WBTCUSDT": [89, 88]}))
    assert read_closes(file, (WBTC,), HOUR).rows == ((89.0,), (88.0,))


@pytest.mark.parametrize("unit", [1, 1_000])
def test_read_closes__integer_times__are_seconds_or_milliseconds(unit: int, tmp_path: Path) -> None:
    frame = table({"ETH": [30, 31]}).assign(time=[START * unit, (START + HOUR) * unit])
    assert read_closes(csv(tmp_path, frame), (WETH,), HOUR).first == START


def test_read_closes__rows_out_of_order__are_sorted(tmp_path: Path) -> None:
    frame = table({"ETH": [30, 31, 32]}).iloc[[2, 0, 1]]
    assert read_closes(csv(tmp_path, frame), (WETH,), HOUR).rows == ((30.0,), (31.0,), (32.0,))


def test_read_closes__longer_step__takes_each_steps_last_close(tmp_path: Path) -> None:
    start = START // (4 * HOUR) * 4 * HOUR
    frame = table({"ETH": [1, 2, 3, 4, 5, 6]})
    found = read_closes(csv(tmp_path, frame), (WETH,), 4 * HOUR)
    lead = (START - start) // HOUR
    assert found.first == start
    assert found.rows[0] == (4.0 - lead,)


def test_read_closes__tokens_of_different_span__keeps_what_they_share(tmp_path: Path) -> None:
    eth = table({"ETH": [30, 31, 32, 33]})
    btc = table({"BTC": [90, 91, 92, 93]}).iloc[1:3]
    found = read_closes(csv(tmp_path, pd.concat([eth, btc])), (WETH, WBTC), HOUR)
    assert found == Closes(Timestamp(START + HOUR), HOUR, ((31.0, 91.0), (32.0, 92.0)))


def test_read_closes__rows_asked_for__are_the_newest_and_older_gaps_do_not_matter(tmp_path: Path) -> None:
    frame = table({"ETH": [30, 31, 32, 33]}).drop(index=1)
    assert read_closes(csv(tmp_path, frame), (WETH,), HOUR, rows=2).rows == ((32.0,), (33.0,))


GAP = table({"ETH": [30, 31, 32, 33]}).drop(index=2)
TWICE = pd.concat([table({"ETH": [30, 31]}), table({"ETH": [30]})])
APART = pd.concat([table({"ETH": [30, 31]}).iloc[:1], table({"BTC": [90, 91]}).iloc[1:]])


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (GAP, r"after row 2, expected a close of WETH in the 3600 s from 2023-11-15 01:00:00 UTC, found none"),
        (TWICE, r"row 3 repeats ETH at 2023-11-14 23:00:00 UTC"),
        (table({"ETH": [30, 0]}), r"row 2: expected a positive close, found 0\.0"),
        (table({"ETH": [30, float("nan")]}), r"row 2: expected a positive close, found nan"),
        (table({"ETH": [30, float("inf")]}), r"row 2: expected a positive close, found inf"),
        (table({"ETH": [30]}).assign(close="much"), r"expected times and numbers"),
        (table({"ETH": [30]}).assign(time="noon"), r"expected times and numbers"),
        (table({"SOL": [30]}), r"expected prices of WETH, found only SOL"),
        (table({"ETH": [30]}).drop(columns="close"), r"found none called close"),
    ],
)
def test_read_closes__bad_file__names_the_row(frame: pd.DataFrame, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        read_closes(csv(tmp_path, frame), (USDC, WETH), HOUR)


def test_read_closes__no_shared_time__is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected some time that all tokens share"):
        read_closes(csv(tmp_path, APART), (WETH, WBTC), HOUR)


def test_read_closes__only_stablecoins__is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a token whose price moves"):
        read_closes(csv(tmp_path, GAP), (USDC,), HOUR)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet"])
def test_read_closes__no_file__is_a_config_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a file of prices"):
        read_closes(tmp_path / name, (WETH,), HOUR)


def test_read_closes__not_parquet__is_a_config_error(tmp_path: Path) -> None:
    file = tmp_path / "klines.parquet"
    file.write_text("hello")
    with pytest.raises(ConfigError, match="expected CSV or Parquet"):
        read_closes(file, (WETH,), HOUR)


def test_read_closes__five_years_of_daily_klines__are_aligned(data_file: Callable[[str], Path]) -> None:
    found = read_closes(data_file("prices/crypto_1d_2017_2022.parquet"), (USDC, WETH, WBTC), 86_400)
    assert len(found.rows) == 1_963  # 2017-08-17 to 2022-12-31
    assert found.rows[0] == (1.0, 302.0, 4_285.08)
    assert found.first == 1_502_928_000


def test_read_closes__hourly_klines_with_exchange_outages__are_refused(data_file: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match=r"after row \d+, expected a close of WETH"):
        read_closes(data_file("prices/crypto_1h_2021-04_2022-12.parquet"), (USDC, WETH, WBTC), HOUR)
    recent = read_closes(data_file("prices/crypto_1h_2021-04_2022-12.parquet"), (USDC, WETH, WBTC), HOUR, rows=336)
    assert np.array(recent.rows).shape == (336, 3)
