"""Results on standard output: JSON for programs, tables and sentences for people."""

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bot.cli.report import Status, VaultLine

LEAST_WIDTH = 140  # columns: a figure is never cut off


def emit(result: object, as_json: bool, people: Callable[[Console], None]) -> None:
    """One result: as one JSON document, or as `people` draws it."""
    if as_json:
        from pydantic_core import to_json

        emit_text(to_json(result, indent=2, inf_nan_mode="null").decode(), True, people)
    else:
        emit_text("", False, people)


def emit_text(json: str, as_json: bool, people: Callable[[Console], None]) -> None:
    """One result that is JSON already."""
    if as_json:
        sys.stdout.write(json.rstrip("\n") + "\n")
    else:
        width = max(get_terminal_size().columns, LEAST_WIDTH)
        people(Console(file=sys.stdout, highlight=False, soft_wrap=True, width=width))


def say(text: str) -> None:
    """Progress, on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True, style="dim").print(Text(text))


def lines(*sentences: str) -> Callable[[Console], None]:
    """Plain sentences; what looks like markup is text."""
    return lambda console: console.print(Text("\n".join(sentences)))


def grid(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: int = 1) -> Table:
    """A table whose first `left` columns hold words and the others figures. Cells are text, never markup."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < left else "right", header_style="dim", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def show_status(now: "Status") -> Callable[[Console], None]:
    """Weights, drift, band, positions and gas as tables."""

    def draw(console: Console) -> None:
        where = "inside" if now.in_band else "OUTSIDE"
        drift = f"{where} the band: worst drift {now.worst_drift:.2%}, band ±{now.band:.2%}"
        console.print(Text(f"{now.account}  block {now.block}  {now.at}  policy {now.policy}"))
        console.print(Text(f"{now.equity:,.2f} {now.numeraire}; {drift}; {_volatility(now)}"))
        console.print(grid(("token", "price", "amount", "money", "weight", "target", "drift"), _token_rows(now)))
        if now.positions:
            heads = ("position", "pool", "", "principal", "fees", "against holding", "", "after fees")
            console.print(grid(heads, _position_rows(now), left=3))
        gwei, swap = now.gas.base_fee_gwei + now.gas.tip_gwei, now.gas.swap_bundle
        console.print(Text(f"gas {gwei:.3f} gwei; a bundle of one swap costs {swap:,.2f}"))
        if now.vault:
            console.print(Text(_vault_line(now.vault)))

    return draw


def _volatility(now: "Status") -> str:
    vol = now.volatility_per_day
    return "too little price history for a volatility" if vol is None else f"volatility {vol:.2%} a day"


def _vault_line(vault: "VaultLine") -> str:
    used = f"loss {vault.loss_used_bps:.2f} bps, turnover {vault.turnover_used_bps:.0f} bps"
    shares = f"{vault.shares:,.4f} shares of {vault.share_value:,.4f}"
    return f"vault: {shares}; sequence {vault.sequence}; used today: {used}{'; PAUSED' if vault.paused else ''}"


def _token_rows(now: "Status") -> list[tuple[str, ...]]:
    return [
        (
            t.symbol,
            f"{t.price:,.2f}",
            f"{t.units:,.6f}",
            f"{t.money:,.2f}",
            f"{t.weight:.2%}",
            f"{t.target:.2%}",
            f"{_signed(Decimal(repr(t.drift)) * 100, 2)}%",
        )
        for t in now.tokens
    ]


def _position_rows(now: "Status") -> list[tuple[str, ...]]:
    return [
        (
            _short(p.position),
            p.pool,
            "in range" if p.in_range else "OUT",
            f"{p.principal:,.2f}",
            f"{p.fees:,.2f}",
            _signed(p.impermanent_loss, 2),
            f"{_signed(p.impermanent_loss_percent, 3)} %",
            _signed(p.net, 2),
        )
        for p in now.positions
    ]


def _short(position: str) -> str:
    """An address inside a position's name is long, and the pool's name stands beside it."""
    return f"{position[:8]}..{position[42:]}" if position.startswith("0x") and len(position) > 42 else position


def _signed(value: Decimal, places: int) -> str:
    """With its sign, but nothing has none."""
    text = f"{value:+,.{places}f}"
    return text if any(digit in "123456789" for digit in text) else text[1:]
