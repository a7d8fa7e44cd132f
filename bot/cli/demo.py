"""`evenkeel demo`: the whole loop on a chain of its own, with a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson
from bot.demo.options import SEED, WEEK_H

if TYPE_CHECKING:
    from bot.demo.options import DemoOptions
    from bot.demo.result import DemoResult


def demo(
    prices: Annotated[
        Path | None, typer.Option("--prices", help="Hourly prices, CSV or Parquet; none: a made-up path.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="First date or hour of the prices, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Where the replay of the prices ends, UTC.")] = None,
    hours: Annotated[int, typer.Option("--hours", help="Length, when --to does not say it.", min=1)] = WEEK_H,
    seed: Annotated[int, typer.Option("--seed", help="Of the made-up path and of the ordinary flow.")] = SEED,
    state: Annotated[Path | None, typer.Option("--state", help="Recorded mainnet state to run on.")] = None,
    fork_url: Annotated[str | None, typer.Option("--fork-url", help="Mainnet node to fork and run on.")] = None,
    report: Annotated[Path, typer.Option("--report", help="Where the report is written.")] = Path("demo.html"),
    as_json: AsJson = False,
) -> None:
    """Show the closed loop on a local chain: deposits, a market that moves, rebalances, withdrawals."""
    import asyncio

    from bot.cli.show import emit_text, say
    from bot.core.errors import DataError
    from bot.demo.options import DemoOptions, moment
    from bot.demo.report import render_html, render_json, render_table

    if prices and not prices.is_file():
        raise DataError(f"--prices: expected a file of prices at {prices}, found none; correct the path")
    options = DemoOptions(
        prices=prices,
        start=moment(start) if start else None,
        end=moment(end) if end else None,
        hours=hours,
        seed=seed,
        state=state,
        fork_url=fork_url,
        report=report,
    )
    result = asyncio.run(_watched(options))
    report.write_text(render_html(result), encoding="utf-8")
    emit_text(render_json(result), as_json, lambda console: console.print(render_table(result)))
    say(f"report: {report}")


async def _watched(options: "DemoOptions") -> "DemoResult":
    """Run it, with a bar on standard error."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    from bot.demo.run import Progress, run_demo

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"starting: {options.grade}", total=None)

        def tell(now: Progress) -> None:
            said = f"drift {now.drift:.1%} of ±{now.band:.1%}, {now.bundles} bundles"
            bar.update(task, description=said, completed=now.hour, total=now.of)

        return await run_demo(options, tell)
