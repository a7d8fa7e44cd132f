"""Price paths: made up, and from files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bot.core.errors import ConfigError, DataError, UsageError
from bot.demo.options import DemoOptions, moment
from bot.demo.paths import HOURS_PER_YEAR, VOLATILITY, WARM_UP_H, made_up, path_for

TOKENS = ("USDC", "WETH", "WBTC")
START = datetime(2022, 11, 5, tzinfo=UTC)


def klines(hours: int = 48, begin: datetime = START - timedelta(hours=24)) -> pd.DataFrame:
    """ETH climbs by 1 an hour from 1,000, BTC by 10 from 20,000; rows of both, hour by hour."""
    rows = []
    for n in range(hours):
        for symbol, base, step in (("ETHUSDT", 1_000.0, 1.0), ("BTCUSDT", 20_000.0, 10.0)):
            was, now = base + step * n, base + step * (n + 1)
            rows.append((symbol, begin + timedelta(hours=n), was, now, was, now))
    return pd.DataFrame(rows, columns=["symbol", "time", "open", "high", "low", "close"])


def saved(table: pd.DataFrame, folder: Path) -> Path:
    file = folder / "prices.csv"
    table.to_csv(file, index=False)
    return file


def test_made_up__same_seed__same_path() -> None:
    one, two, other = made_up(TOKENS, 50, 3), made_up(TOKENS, 50, 3), made_up(TOKENS, 50, 4)
    assert np.array_equal(one.steps, two.steps)
    assert np.array_equal(one.before, two.before)
    assert not np.array_equal(one.steps, other.steps)
    assert one.made_up
    assert "seed 3" in one.said


def test_made_up__any_seed__starts_at_one_and_pegs_stand_still() -> None:
    path = made_up(TOKENS, 50, 3)
    assert path.before.shape == (WARM_UP_H, 3)
    assert path.steps.shape == (50, 3)
    assert path.before[-1] == pytest.approx([1, 1, 1])
    assert (path.steps[:, 0] == 1).all()


def test_made_up__long_path__has_the_volatility_and_correlation_it_was_measured_with() -> None:
    path = made_up(("WBTC", "WETH"), 100_000, 1)
    returns = np.diff(np.log(path.steps), axis=0)
    total = returns.std(axis=0) * np.sqrt(HOURS_PER_YEAR)
    assert (total > VOLATILITY).all()  # jumps add to the diffusion
    assert total == pytest.approx([0.705, 0.944], rel=0.05)  # of the hourly closes the constants come from
    assert np.corrcoef(returns.T)[0, 1] == pytest.approx(0.876, abs=0.03)


def test_made_up__token_without_a_model__refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"LINK.*price file"):
        made_up(("USDC", "LINK"), 5, 1)


def test_from_file__window_inside_the_file__returns_of_that_window(tmp_path: Path) -> None:
    path = path_for(TOKENS, saved(klines(), tmp_path), START, START + timedelta(hours=24), 168, 1)
    assert path.before.shape == (24, 3)
    assert path.before[-1] == pytest.approx([1, 1, 1])
    assert path.steps.shape == (24, 3)
    assert path.steps[-1] == pytest.approx([1, 1_048 / 1_024, 20_480 / 20_240])
    assert not path.made_up
    assert "2022-11-05 00:00" in path.said


def test_from_file__parquet_with_spelled_categories__read_alike(tmp_path: Path) -> None:
    table = klines()
    table["symbol"] = table["symbol"].astype("category")
    table["time"] = table["time"].dt.tz_localize(None)
    file = tmp_path / "prices.parquet"
    table.to_parquet(file)
    parquet = path_for(TOKENS, file, START, None, 24, 1)
    csv = path_for(TOKENS, saved(klines(), tmp_path), START, None, 24, 1)
    assert np.array_equal(parquet.steps, csv.steps)


def test_from_file__no_rows_before_the_start__warm_up_is_made_up_and_said(tmp_path: Path) -> None:
    path = path_for(TOKENS, saved(klines(), tmp_path), None, None, 48, 9)
    assert path.before.shape == (WARM_UP_H, 3)
    assert path.steps[-1] == pytest.approx([1, 1_048 / 1_000, 20_480 / 20_000])
    assert "made up (seed 9)" in path.said


def test_from_file__gap__refused_with_the_row_after_it(tmp_path: Path) -> None:
    table = klines().drop(index=[60])  # ETH of hour 30; the row after it is number 62 of the old file, 61 of this one
    table = table.drop(index=[61])
    with pytest.raises(DataError, match=r"prices\.csv row 61: .*gap of 7200 s"):
        path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)


def test_from_file__gap_before_the_warm_up__does_not_matter(tmp_path: Path) -> None:
    table = klines(hours=WARM_UP_H + 72, begin=START - timedelta(hours=WARM_UP_H + 48)).drop(index=[10, 11])
    path = path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)
    assert len(path.before) == WARM_UP_H


def test_from_file__duplicate__refused_with_its_row(tmp_path: Path) -> None:
    table = klines()
    table = pd.concat([table.iloc[:61], table.iloc[60:]])
    with pytest.raises(DataError, match=r"row 62: .*duplicate"):
        path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)


def test_from_file__unsorted__refused_with_its_row(tmp_path: Path) -> None:
    table = klines()
    table = pd.concat([table.iloc[:60], table.iloc[50:52], table.iloc[60:]])
    with pytest.raises(DataError, match=r"row 61: .*an earlier time \(unsorted\) at 2022-11-05 01:00"):
        path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_from_file__price_that_is_none__refused_with_its_row(tmp_path: Path, bad: float) -> None:
    table = klines()
    table.loc[60, "close"] = bad
    with pytest.raises(DataError, match=r"row 61: expected positive prices for ETHUSDT"):
        path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)


def test_from_file__dates_beyond_the_file__refused_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found 2022-11-04 00:00 to 2022-11-05 23:00"):
        path_for(TOKENS, saved(klines(), tmp_path), START, START + timedelta(hours=30), 168, 1)


def test_from_file__text_for_a_price__refused_with_its_row(tmp_path: Path) -> None:
    table = klines().astype({"close": object})
    table.loc[60, "close"] = "n/a?"
    with pytest.raises(DataError, match=r"row 61: expected positive prices for ETHUSDT"):
        path_for(TOKENS, saved(table, tmp_path), START, None, 24, 1)


def test_from_file__dates_outside_the_file__refused_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found 2022-11-04 00:00 to 2022-11-05 23:00; correct --from"):
        path_for(TOKENS, saved(klines(), tmp_path), START - timedelta(days=99), None, 24, 1)


def test_from_file__token_missing__refused_with_what_is_there(tmp_path: Path) -> None:
    table = klines()
    with pytest.raises(ConfigError, match="BTCUSDT"):
        path_for(TOKENS, saved(table[table["symbol"] == "ETHUSDT"], tmp_path), START, None, 24, 1)


def test_from_file__not_there_or_no_table__refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found none"):
        path_for(TOKENS, tmp_path / "absent.csv", None, None, 24, 1)
    with pytest.raises(ConfigError, match="no close"):
        path_for(TOKENS, saved(klines().drop(columns="close"), tmp_path), None, None, 24, 1)


def test_options__contradiction__refused() -> None:
    with pytest.raises(UsageError, match="both"):
        DemoOptions(state=Path("s"), fork_url="http://127.0.0.1:1")
    with pytest.raises(UsageError, match="price file"):
        DemoOptions(start=START)
    with pytest.raises(UsageError, match="end after"):
        DemoOptions(prices=Path("p"), start=START, end=START)


def test_options__report_that_could_not_be_written__refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory for the report"):
        DemoOptions(report=tmp_path / "absent" / "demo.html")


def test_moment__date_or_time__is_utc() -> None:
    assert moment("2022-11-05") == START
    assert moment("2022-11-05T02:00+02:00") == START
    with pytest.raises(UsageError, match="such as"):
        moment("November")
