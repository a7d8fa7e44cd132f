"""The prices to replay: from a file, or made up by a seeded jump diffusion. Relative to the start, one row an hour."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bot.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

HOUR_S = 3_600
WARM_UP_H = 14 * 24
PEGGED = frozenset({"USDC", "USDT", "DAI"})  # stand still in every path
COLUMNS = ("symbol", "time", "open", "high", "low", "close")

# Merton (1976), jumps common to all assets. Measured on the hourly closes of Binance's BTCUSDT and ETHUSDT from
# 2021-04 to 2022-12 (15,256 returns): an hour beyond five bipower deviations in either asset counts as a jump.
MODELLED = ("BTC", "ETH")
VOLATILITY = np.array([0.63, 0.85])  # of the diffusion, per square-root year
CORRELATION = 0.86  # of the diffusion
JUMPS_PER_DAY = 0.16
JUMP_MEAN = np.array([-0.007, -0.013])  # log return
JUMP_DEVIATION = np.array([0.042, 0.055])
JUMP_CORRELATION = 0.93
HOURS_PER_YEAR = 24 * 365


@dataclass(frozen=True, slots=True)
class PricePath:
    """Prices relative to the start, float arrays with columns as `symbols`."""

    symbols: tuple[str, ...]
    before: NDArray[np.float64]  # (W, N) the hours before the start, oldest first
    steps: NDArray[np.float64]  # (T, N) the hours after it
    said: str  # where it comes from, for people
    made_up: bool


def path_for(
    symbols: tuple[str, ...], prices: Path | None, start: datetime | None, end: datetime | None, hours: int, seed: int
) -> PricePath:
    """The path that the options ask for; its warm-up is made up where the file has no earlier rows.

    ConfigError when the file lacks a token or the model does not know it; DataError names the first bad row.
    """
    if prices is None:
        return made_up(symbols, hours, seed)
    path = from_file(prices, symbols, start, end, hours)
    if len(path.before):
        return path
    warm_up = made_up(symbols, 1, seed).before
    return replace(path, before=warm_up, said=f"{path.said}; the hours before it are made up (seed {seed})")


# ------------------------------------------------------------------ made up


def made_up(symbols: tuple[str, ...], hours: int, seed: int) -> PricePath:
    """A correlated jump diffusion with `WARM_UP_H` hours before the start. The same seed gives the same path."""
    unknown = [s for s in symbols if s not in PEGGED and underlying(s) not in MODELLED]
    if unknown:
        known = ", ".join(sorted({*MODELLED, *PEGGED}))
        raise ConfigError(f"expected tokens the made-up path knows ({known}), found {unknown[0]}; give a price file")
    logs = np.cumsum(_log_returns(WARM_UP_H + hours, np.random.default_rng(seed)), axis=0)
    relative = np.exp(logs - logs[WARM_UP_H - 1])
    columns = [np.ones(len(logs)) if s in PEGGED else relative[:, MODELLED.index(underlying(s))] for s in symbols]
    rows = np.column_stack(columns)
    said = f"a made-up path, not a forecast: jump diffusion of BTC and ETH, seed {seed}"
    return PricePath(symbols, rows[:WARM_UP_H], rows[WARM_UP_H:], said, made_up=True)


def _log_returns(hours: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Hourly log returns, shape (hours, 2): diffusion without drift in price, and common jumps."""
    sigma = VOLATILITY / np.sqrt(HOURS_PER_YEAR)
    diffusion = rng.multivariate_normal(-(sigma**2) / 2, _covariance(sigma, CORRELATION), size=hours)
    counts = rng.poisson(JUMPS_PER_DAY / 24, size=hours)
    jumps = rng.multivariate_normal(np.zeros(2), _covariance(JUMP_DEVIATION, JUMP_CORRELATION), size=hours)
    return np.asarray(diffusion + counts[:, None] * JUMP_MEAN + np.sqrt(counts)[:, None] * jumps, dtype=np.float64)


def _covariance(deviations: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    both = np.array([[1.0, correlation], [correlation, 1.0]])
    return np.asarray(np.outer(deviations, deviations) * both, dtype=np.float64)


# ------------------------------------------------------------------ from a file


def from_file(
    source: Path, symbols: tuple[str, ...], start: datetime | None, end: datetime | None, hours: int
) -> PricePath:
    """Hourly closes of `source` from `start` up to `end`, over the first open; the rows before are the warm-up."""
    table = read_klines(source)
    columns, first, last = [], start, end
    for symbol in symbols:
        if symbol in PEGGED:
            continue
        rows = _rows_of(table, symbol, source)
        first = first or rows["time"].iloc[0].to_pydatetime()
        last = last or first + timedelta(hours=hours)
        columns.append((symbol, _closes(rows, first, last, source)))
    if not columns or first is None or last is None:
        raise ConfigError(f"expected a token whose price moves, found only {', '.join(symbols)}")
    warm = min(len(before) for _, (before, _) in columns)
    moving = {s: (before[len(before) - warm :], steps) for s, (before, steps) in columns}
    length = len(columns[0][1][1])
    still = (np.ones(warm), np.ones(length))
    before, steps = (np.column_stack([moving.get(s, still)[i] for s in symbols]) for i in (0, 1))
    said = f"returns of {source.name}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    return PricePath(symbols, before, steps, said, made_up=False)


def read_klines(source: Path) -> "pd.DataFrame":
    """Rows of a CSV or Parquet file with their number in the file as index. ConfigError when it cannot be read."""
    import pandas as pd

    try:
        table = pd.read_parquet(source) if source.suffix == ".parquet" else pd.read_csv(source)
    except FileNotFoundError:
        raise ConfigError(f"expected a price file at {source}, found none; correct --prices") from None
    except (ValueError, OSError) as error:
        raise ConfigError(f"expected a CSV or Parquet file at {source}, found something else: {error}") from None
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise ConfigError(f"{source}: expected columns {', '.join(COLUMNS)}, found no {', '.join(missing)}")
    table.index = pd.RangeIndex(1, len(table) + 1)  # rows as a person counts them, without the header
    table["symbol"] = table["symbol"].astype(str)
    try:
        table["time"] = pd.to_datetime(table["time"], utc=True)
    except ValueError as error:
        raise DataError(f"{source}: expected times such as 2022-11-05 13:00 in every row: {error}") from None
    return table


def _rows_of(table: "pd.DataFrame", symbol: str, source: Path) -> "pd.DataFrame":
    import pandas as pd

    names = set(table["symbol"])
    name = next((n for n in spellings(symbol) if n in names), None)
    if name is None:
        listed = ", ".join(sorted(names)[:8])
        raise ConfigError(f"{source}: expected a symbol such as {spellings(symbol)[0]}, found {listed}; add its rows")
    rows = table[table["symbol"] == name]
    prices = rows[list(COLUMNS[2:])].apply(pd.to_numeric, errors="coerce")
    bad = rows[~(np.isfinite(prices) & (prices > 0)).all(axis=1)]
    if len(bad):
        raise DataError(f"{source} row {bad.index[0]}: expected positive prices for {name}; correct or remove the row")
    return rows.assign(**prices)


def _closes(
    rows: "pd.DataFrame", start: datetime, end: datetime, source: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Closes before the start and from it to the end, over the first open: a row's time is when its hour begins."""
    window = rows[(rows["time"] >= start - timedelta(hours=WARM_UP_H)) & (rows["time"] < end)]
    _check_hourly(window, source)
    replayed = window[window["time"] >= start]
    if len(replayed) != (end - start) // timedelta(hours=1) or replayed["time"].iloc[0] != start:
        found = f"{rows['time'].iloc[0]:%Y-%m-%d %H:%M} to {rows['time'].iloc[-1]:%Y-%m-%d %H:%M}"
        asked = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} (not included)"
        raise DataError(f"{source}: expected hourly rows from {asked}, found {found}; correct --from, --to or --hours")
    closes = window["close"].to_numpy(dtype=np.float64) / float(replayed["open"].iloc[0])
    before = len(window) - len(replayed)
    return closes[:before], closes[before:]


def _check_hourly(window: "pd.DataFrame", source: Path) -> None:
    """DataError names the first row that is not exactly one hour after the row before."""
    steps = np.diff(window["time"].to_numpy(dtype="datetime64[s]")).astype(np.int64)
    wrong = np.flatnonzero(steps != HOUR_S)
    if not len(wrong):
        return
    row, step = window.index[wrong[0] + 1], steps[wrong[0]]
    time = window["time"].iloc[wrong[0] + 1]
    what = "a duplicate" if step == 0 else "an earlier time (unsorted)" if step < 0 else f"a gap of {step} s"
    raise DataError(f"{source} row {row}: expected one hour after the row before, found {what} at {time}; correct it")


# ------------------------------------------------------------------ names


def underlying(symbol: str) -> str:
    """The asset that a token stands for: WETH is ETH, WBTC is BTC."""
    return symbol[1:] if symbol in ("WETH", "WBTC") else symbol


def spellings(symbol: str) -> tuple[str, ...]:
    """How price files call a token, most usual first."""
    asset = underlying(symbol)
    return (f"{asset}USDT", asset, f"{asset}USD", f"{asset}USDC", f"{asset}/USDT", f"{asset}-USD", symbol)


def utc(timestamp: int) -> str:
    """A moment of the chain's clock, for people."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M")
