"""Past prices at even steps: from a file at the start, and from every observation after."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.errors import ConfigError
from bot.core.types import Price, Snapshot, Token
from bot.core.units import Timestamp

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("symbol", "time", "close")
QUOTES = ("", "USDT", "USDC", "USD", "BUSD")  # a file says BTC or BTCUSDT
UNWRAPPED = {"WETH": "ETH", "WBTC": "BTC"}
DOLLARS = frozenset({"USDC", "USDT", "DAI"})  # taken as 1, since exchanges quote in them
MILLISECONDS_FROM = 100_000_000_000  # an integer time this large counts milliseconds (as seconds: the year 5138)


@dataclass(frozen=True, slots=True)
class Closes:
    """Closes at even steps, shape (T, N): rows oldest first, columns as the tokens asked for."""

    first: Timestamp  # when the first row's step begins
    step_s: int
    rows: tuple[tuple[float, ...], ...]


class History:
    """The last `capacity` steps: the last price seen in each, the step under way included.

    A step in which nothing was observed repeats the price before it, so that the sum of squared returns still measures
    what the price moved; after a silence longer than the whole table it starts anew.
    """

    def __init__(self, tokens: tuple[Token, ...], step_s: int, capacity: int) -> None:
        self.tokens = tokens
        self.step_s = step_s
        self._rows: deque[tuple[float, ...]] = deque(maxlen=capacity)
        self._last = 0  # number of the newest row's step, counted from 1970

    @property
    def rows(self) -> tuple[tuple[float, ...], ...]:
        """Closes, shape (T, N), oldest first, columns as `tokens`."""
        return tuple(self._rows)

    def take(self, prices: tuple[Price, ...], now: Timestamp) -> None:
        """Record what was observed at `now`. ValueError when the prices are not of our tokens, in their order."""
        if tuple(price.token for price in prices) != self.tokens:
            expected, found = ([token.symbol for token in each] for each in (self.tokens, [p.token for p in prices]))
            raise ValueError(f"history: expected prices of {expected}, found {found}")
        self._put(now // self.step_s, tuple(float(price.money) for price in prices))

    def preload(self, closes: Closes) -> None:
        """Take what a file says of the time after our newest row. ValueError when its step is not ours."""
        if closes.step_s != self.step_s:
            raise ValueError(f"history: expected a step of {self.step_s} s, found {closes.step_s} s")
        self._put_all(closes.first // self.step_s, closes.rows)

    def restore(self, snapshots: Iterable[Snapshot]) -> None:
        """Take what earlier cycles knew, oldest first: the last one alone suffices.

        Those of another portfolio are passed over; of those with another step only their own prices count.
        """
        for snapshot in snapshots:
            if tuple(price.token for price in snapshot.prices) != self.tokens:
                continue
            now = snapshot.block.timestamp // self.step_s
            if snapshot.history_step_s == self.step_s:
                self._put_all(now - len(snapshot.history) + 1, snapshot.history)
            self.take(snapshot.prices, snapshot.block.timestamp)

    def _put_all(self, first: int, rows: tuple[tuple[float, ...], ...]) -> None:
        for step, row in enumerate(rows, first):
            self._put(step, row)

    def _put(self, step: int, row: tuple[float, ...]) -> None:
        missed = step - self._last - 1
        if self._rows and missed < -1:
            return  # older than what we have
        if self._rows and missed == -1:
            self._rows.pop()
        elif missed >= (self._rows.maxlen or 0):
            self._rows.clear()
        elif self._rows:
            self._rows.extend([self._rows[-1]] * missed)
        self._rows.append(row)
        self._last = step


def read_closes(path: Path, tokens: tuple[Token, ...], step_s: int, rows: int | None = None) -> Closes:
    """Read klines (CSV, or Parquet by its suffix) with columns symbol, time (of opening, UTC), close.

    A step's close is its last kline's. Only the time that all tokens share counts, and of it the last `rows` steps.
    ConfigError names the row where a close is not positive, comes twice, or leaves a step without any.
    """
    frame = _frame(path)
    columns = {token: _closes(path, frame, token, step_s) for token in tokens if token.symbol not in DOLLARS}
    if not columns:
        raise ConfigError(f"{path}: expected a token whose price moves, found only {[t.symbol for t in tokens]}")
    first = max(min(closes) for closes in columns.values())
    last = min(max(closes) for closes in columns.values())
    if last < first:
        raise ConfigError(f"{path}: expected some time that all tokens share, found none; use one file for one period")
    steps = range(max(first, last + 1 - rows) if rows else first, last + 1)
    for token, closes in columns.items():
        _refuse_gaps(path, token, closes, steps, step_s)
    table = tuple(tuple(columns[t][step][1] if t in columns else 1.0 for t in tokens) for step in steps)
    return Closes(Timestamp(steps.start * step_s), step_s, table)


def _frame(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise ConfigError(f"{path}: expected a file of prices, found {error.strerror or error}") from None
    except ValueError as error:  # of pandas and pyarrow alike
        raise ConfigError(f"{path}: expected CSV or Parquet, found something else ({error})") from None
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ConfigError(f"{path}: expected columns {', '.join(COLUMNS)}, found none called {', '.join(missing)}")
    frame = frame[list(COLUMNS)].reset_index(drop=True)
    try:
        frame["time"] = _seconds(frame["time"])
        frame["close"] = frame["close"].astype("float64")
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: expected times and numbers, found something else ({error})") from None
    return frame


def _seconds(times: "pd.Series[int]") -> "pd.Series[int]":
    import pandas as pd

    if pd.api.types.is_integer_dtype(times):
        return times.where(times < MILLISECONDS_FROM, times // 1_000)
    return pd.to_datetime(times, utc=True).dt.tz_localize(None).astype("datetime64[s]").astype("int64")


def _closes(path: Path, frame: "pd.DataFrame", token: Token, step_s: int) -> dict[int, tuple[int, float]]:
    """Step -> (row of the file, close), of one token, ascending."""
    symbols = set(frame["symbol"].unique())
    bases = dict.fromkeys((token.symbol, UNWRAPPED.get(token.symbol, token.symbol)))
    name = next((base + quote for base in bases for quote in QUOTES if base + quote in symbols), None)
    if name is None:
        raise ConfigError(f"{path}: expected prices of {token.symbol}, found only {', '.join(sorted(symbols))}")
    own = frame[frame["symbol"] == name].sort_values("time", kind="stable")
    twice = own[own["time"].duplicated()]
    if len(twice):
        raise ConfigError(
            f"{path}: row {twice.index[0] + 1} repeats {name} at {_utc(twice['time'].iloc[0])}; remove it"
        )
    absurd = own[~((own["close"] > 0) & (own["close"] < float("inf")))]
    if len(absurd):
        raise ConfigError(
            f"{path}: row {absurd.index[0] + 1}: expected a positive close, found {absurd['close'].iloc[0]}"
        )
    steps = (own["time"] // step_s).tolist()
    return dict(zip(steps, zip(own.index.tolist(), own["close"].tolist(), strict=True), strict=True))


def _refuse_gaps(path: Path, token: Token, closes: dict[int, tuple[int, float]], steps: range, step_s: int) -> None:
    before = None
    for step in steps:
        if step not in closes:
            row = f"row {closes[before][0] + 1}" if before is not None else "the first row"
            begins = _utc(step * step_s)
            raise ConfigError(
                f"{path}: after {row}, expected a close of {token.symbol} in the {step_s} s from {begins}, found none; "
                "fill the gap, use a longer step, or fewer rows"
            )
        before = step


def _utc(time: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(int(time), UTC):%Y-%m-%d %H:%M:%S} UTC"
