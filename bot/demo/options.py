"""What a newcomer may choose about the demo."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from bot.core.errors import UsageError
from bot.core.units import Money

WEEK_H = 168
SEED = 7
GAS_GWEI = Money(Decimal(2))
DEPOSITS = Money(Decimal(1_000_000))


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """All figures of a run follow from these; UsageError at once when two of them contradict each other."""

    config: Path | None = None  # market, limits and policy of the vault; None: the ones a newcomer starts from
    prices: Path | None = None  # hourly klines, CSV or Parquet; None: a made-up path
    start: datetime | None = None  # first hour of `prices` to replay, UTC; None: the file's first
    end: datetime | None = None  # where the replay of `prices` ends, UTC; None: `hours` after the start
    hours: int = WEEK_H  # length of the replay
    seed: int = SEED  # of the made-up path and of the ordinary flow
    state: Path | None = None  # recorded chain state (anvil's dump, plain or gzip); None: the replica
    fork_url: str | None = None  # fork this node instead
    gas_price_gwei: Money = GAS_GWEI  # base fee of every block
    deposits: Money = DEPOSITS  # of the three depositors together
    report: Path = Path("demo.html")

    def __post_init__(self) -> None:
        if self.state and self.fork_url:
            raise UsageError("expected a recorded state or a node to fork, found both; leave one out")
        if self.hours < 1:
            raise UsageError(f"expected at least one hour to replay, found {self.hours}")
        if self.prices is None and (self.start or self.end):
            raise UsageError("expected a price file with the dates to replay, found none; give it, or leave the dates")
        if self.start and self.end and self.start >= self.end:
            raise UsageError(f"expected an end after {self.start:%Y-%m-%d %H:%M}, found {self.end:%Y-%m-%d %H:%M}")
        if not self.report.absolute().parent.is_dir():
            raise UsageError(f"expected a directory for the report {self.report}, found none; create it")
        if self.deposits <= 0:
            raise UsageError(f"expected deposits worth something, found {self.deposits}")

    @property
    def grade(self) -> str:
        """Which chain the demo runs on, in words."""
        if self.fork_url:
            return "fork of a live node"
        return "recorded mainnet state" if self.state else "replica of mainnet"


def moment(text: str) -> datetime:
    """A date or a time of day, UTC unless it names a zone. UsageError when it is neither."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"expected a date such as 2022-11-05 or 2022-11-05T13:00, found {text!r}") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
