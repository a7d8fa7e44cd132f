"""`evenkeel lp`: what every liquidity position is, has lost to holding, and must earn to be worth it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson, Files, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from bot.cli.positions import Lp, LpLine
    from bot.config import Config
    from bot.core.types import Memory, Snapshot

WEEK = 7.0
FORMATS = (".svg", ".png")


def lp(
    days: Annotated[float, typer.Option("--days", help="Look so many days ahead.", min=0.01, max=3_650)] = WEEK,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw loss against price into this file, .svg or .png.")
    ] = None,
    files: Files = None,
    as_json: AsJson = False,
) -> None:
    """Show each liquidity position: range, value, impermanent loss, fees, LVR, and the fees it needs to break even."""
    import asyncio

    from bot.core.errors import UsageError

    if plot is not None and plot.suffix.lower() not in FORMATS:
        raise UsageError(f"expected a file that ends in {' or '.join(FORMATS)}, found {plot}")
    asyncio.run(_lp(settings(files), days, plot, as_json))


async def _lp(config: "Config", days: float, plot: Path | None, as_json: bool) -> None:
    from bot.cli.positions import lp as measured
    from bot.cli.show import emit, say
    from bot.config.wiring import build

    async with build(config) as parts:
        snapshot = await parts.observer.observe()
        memory = await parts.journal.memory()
    now = measured(parts.policy, memory, snapshot, days)
    if plot is not None:
        draw(memory, snapshot, plot)
    emit(now, as_json, show(now))
    if plot is not None:
        say(f"picture: {plot}")


def draw(memory: "Memory", snapshot: "Snapshot", file: Path) -> None:
    """Write the picture. DataError when there is no position; ConfigError when the file cannot be written."""
    from bot.cli.positions import panels
    from bot.core.errors import ConfigError, DataError
    from bot.demo.loss_plot import loss_picture
    from bot.demo.picture import png, svg_file

    found = panels(memory, snapshot)
    if not found:
        raise DataError(f"expected a liquidity position to draw, found none at {snapshot.account}; leave out --plot")
    picture = loss_picture(found)
    try:
        file.write_bytes(png(picture) if file.suffix.lower() == ".png" else svg_file(picture).encode())
    except OSError as error:
        raise ConfigError(f"{file}: expected a file that can be written, found: {error.strerror}") from None


def show(now: "Lp") -> "Callable[[Console], None]":
    """Two tables: what each position is and has lost; what it is expected to lose and must earn."""
    from rich.text import Text

    from bot.cli.show import grid

    def tell(console: "Console") -> None:
        console.print(Text(f"{now.account}  block {now.block}  {now.at}"))
        if not now.positions:
            console.print(Text("no liquidity positions"))
            return
        heads = ("pool", "position", "price", "range", "", "value", "against holding", "", "fees", "after fees")
        console.print(grid(heads, [_standing(line) for line in now.positions], left=5))
        console.print(Text(f"\nthe next {now.horizon_days:g} days at the measured volatility, without a trend"))
        heads = (
            "pool",
            "position",
            "volatility",
            "LVR a day",
            "",
            "fees needed a day",
            "",
            "expected loss",
            "",
            "in range",
        )
        console.print(grid(heads, [_ahead(line) for line in now.positions], left=2))
        console.print(Text("\n".join(["", *map(_note, now.positions)])))

    return tell


def _standing(line: "LpLine") -> tuple[str, ...]:
    ends = "full" if line.lower is None else f"{price(line.lower)} to {price(line.upper)}"
    return (
        line.pool,
        line.name,
        price(line.price),
        ends,
        "in range" if line.in_range else "OUT",
        f"{line.value:,.2f}",
        f"{line.impermanent_loss:+,.2f}",
        f"{line.impermanent_loss_percent:+.3f} %",
        f"{line.fees:,.2f}",
        f"{line.net:+,.2f}",
    )


def _ahead(line: "LpLine") -> tuple[str, ...]:
    ahead = line.ahead
    if ahead is None:
        return (line.pool, line.name, "unknown", *["-"] * 7)
    return (
        line.pool,
        line.name,
        f"{ahead.volatility_per_day:.2%}",
        f"{ahead.lvr_money_per_day:,.2f}",
        f"{ahead.lvr_per_day * 100:.4f} %",
        f"{ahead.break_even_money_per_day:,.2f}",
        f"{ahead.break_even_per_day * 100:.4f} %",
        f"{ahead.expected_loss_money:+,.2f}",
        f"{ahead.expected_loss * 100:+.3f} %",
        f"{ahead.time_in_range:.1%}",
    )


def _note(line: "LpLine") -> str:
    name = f"{line.pool} {line.name}, prices of {line.token} in {line.quote}"
    if not line.entered_known:
        return f"{name}: its entry is not in the journal, so it is measured from now"
    since = f"{name}: entered {line.entered_at}"
    if line.entered_price is not None:
        since += f" at {price(line.entered_price)}"
    missing = line.fees_to_even
    return f"{since}; " + (f"{missing:,.2f} more in fees makes it even" if missing else "even with holding, or better")


def price(number: float | None) -> str:
    """A price as people read it."""
    if number is None:
        return "-"
    return f"{number:,.2f}" if number >= 100 else f"{number:.5g}"


VERBS = (lp,)
