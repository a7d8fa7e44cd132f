"""What the demo found out, three ways: a table for the terminal, JSON, and one HTML file that needs nothing else."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.core.units import Money
from bot.demo.figures import Figures, figures
from bot.demo.loss_plot import loss_picture, panel
from bot.demo.paths import utc
from bot.demo.picture import svg as picture_svg
from bot.demo.plot import Area, Chart, Line, Mark, svg
from bot.demo.result import Bundle, DemoResult, PositionSeen, RangeSeen

if TYPE_CHECKING:
    from rich.table import Table

TONES = ("tone0", "tone1", "tone2", "tone3", "tone4", "tone5", "tone6", "tone7")  # one per token of a vault


def render_json(result: DemoResult) -> str:
    """Every figure of the run and the raw series behind them; money as strings, raw amounts as integers."""
    from pydantic import TypeAdapter

    whole = TypeAdapter(DemoResult).dump_python(result, mode="json")
    summary = TypeAdapter(Figures).dump_python(figures(result), mode="json")
    return json.dumps({"summary": summary, "accounting_exact": result.shares.exact, **whole}, indent=2)


def render_table(result: DemoResult) -> "Table":
    """The figures for a terminal."""
    from rich.table import Table

    table = Table(
        title=f"{result.policy} on a {result.chain}; money in {result.numeraire}",
        title_justify="left",
        show_header=False,
        pad_edge=False,
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for section in sections(result):
        for name, said in section:
            table.add_row(name, said)
        table.add_section()
    return table


def render_html(result: DemoResult) -> str:
    """The report as one page: no script, no font, no picture from anywhere else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("bot.demo", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    found = figures(result)
    return environment.get_template("report.html.j2").render(
        result=result,
        figures=found,
        sections=sections(result),
        basket=_basket(result),
        tiles=_tiles(result, found),
        value=Markup(svg(_value(result))),
        ahead=Markup(svg(_ahead(result))),
        weights=[(s, t, Markup(svg(c))) for s, t, c in _weights(result)],
        prices=[(c.title, Markup(svg(c))) for c in _prices(result)],
        earned=Markup(svg(_earned(result))) if found.in_range is not None else None,
        losses=[Markup(picture_svg(loss_picture([panel(p.name, p.place)]))) for p in _entered(result)],
        utc=utc,
        money=money,
        percent=percent,
    )


# ------------------------------------------------------------------ the figures in words


def sections(result: DemoResult) -> tuple[tuple[tuple[str, str], ...], ...]:
    """(name, what to say) in groups: the run, value, drift, bundles, ranges, shares."""
    f = figures(result)
    run = (
        ("prices", result.path),
        ("market", f"{money(result.flow)} of ordinary flow, and arbitrage to within {f.pools_off:.2%} of the feeds"),
        ("replayed", f"{len(result.hours) - 2} hours, {result.cycles} cycles of the bot, in {result.seconds:.0f} s"),
    )
    worth = (
        ("deposits at the start", f"{money(result.deposited)}: {_basket(result)}"),
        ("worth at the end", f"{money(f.vault)} ({percent(f.vault_return)}), as if nobody had left on the way"),
        ("held untouched", f"{money(f.hold)} ({percent(f.hold_return)}); the vault is {signed(f.vault - f.hold)}"),
        ("never rebalanced", f"{money(f.left)} ({percent(f.left_return)}); the vault is {signed(f.vault - f.left)}"),
    )
    drift = (
        ("time out of band", f"{result.out_of_band} of {result.cycles} cycles ({f.out_of_band:.1%})"),
        ("worst drift", f"{f.worst_drift:.2%}, and {f.last_drift:.2%} at the end (band ±{f.last_band:.2%})"),
        ("worst drift, never rebalanced", f"{f.worst_drift_left:.2%}" if f.worst_drift_left is not None else "unknown"),
    )
    bundles = (
        ("bundles", f"{f.sent} sent ({f.failed} failed), {len(result.refusals)} refused"),
        ("worst drift, each bundle", ", ".join(f"{b.drift_before:.1%} to {b.drift_after:.1%}" for b in result.bundles)),
        ("expected against got", f"at worst {f.off_wei} wei apart in any amount of any bundle"),
        ("traded", f"{money(f.traded)}, swap fees {money(f.swap_fees)}"),
        ("gas", f"{f.gas_used:,} used, {money(f.gas_paid)} paid by the keeper (base fee {result.base_fee_gwei} gwei)"),
    )
    return run, worth, drift, bundles, _ranges(result, f), _shares(result)


def _ranges(result: DemoResult, f: Figures) -> tuple[tuple[str, str], ...]:
    earned = (
        ("LP fees earned", money(result.fees_earned)),
        ("impermanent loss of the ranges", signed(result.impermanent_loss)),
        ("ranges in all", signed(Money(result.fees_earned + result.impermanent_loss))),
    )
    if f.in_range is None:
        return earned
    return (
        *earned,
        ("loss versus rebalancing", f"{money(result.rebalancing_loss)} to arbitrage, measured from hour to hour"),
        ("in ranges, on average", f"{money(f.liquidity)}, {f.in_range:.1%} of it in range"),
        (
            "fees per day",
            f"{f.fee_rate:.4%} of that; {f.holding_rate:.4%} would be even with holding, "
            f"{f.rebalancing_rate:.4%} with rebalancing",
        ),
    )


def _basket(result: DemoResult) -> str:
    return ", ".join(f"{part:.0%} {token}" for part, token in zip(result.basket, result.tokens, strict=True))


def _shares(result: DemoResult) -> tuple[tuple[str, str], ...]:
    holders = len(result.shares.balances) - 1  # the last are the vault's own, locked by the first mint
    whole = sum(shares for _, shares in result.shares.balances) == result.shares.supply
    dust = ", ".join(f"{t.symbol} {t.dust} (bound {t.bound})" for t in result.shares.tokens)
    verdict = "exact" if result.shares.exact else "NOT EXACT"
    return (
        ("shares", f"{holders} depositors and the locked shares, {'all' if whole else 'NOT all'} of the supply"),
        ("everybody redeems", f"{verdict}; dust left by rounding, in smallest units: {dust}"),
        ("paid out on the way", f"{money(result.withdrawn)} to the depositor who left in the middle"),
    )


def money(amount: Decimal) -> str:
    """In the numeraire, with cents below a thousand."""
    return f"{amount:,.0f}" if abs(amount) >= 1_000 else f"{amount:,.2f}"


def signed(amount: Decimal) -> str:
    """As `money`, with its sign in words that a terminal cannot lose."""
    return f"{'+' if amount >= 0 else '−'}{money(abs(amount))}"  # noqa: RUF001 (a real minus sign)


def percent(share: float) -> str:
    """With its sign."""
    return f"{share:+.2%}".replace("-", "−")  # noqa: RUF001


def _tiles(result: DemoResult, f: Figures) -> tuple[tuple[str, str, str], ...]:
    """(what, figure, what it means) for the head of the page."""
    return (
        ("Vault", percent(f.vault_return), f"{signed(f.vault - f.hold)} against holding the deposits"),
        ("Never rebalanced", percent(f.left_return), f"the vault is {signed(f.vault - f.left)}"),
        ("Out of band", f"{f.out_of_band:.1%}", f"of {result.cycles} cycles; worst drift {f.worst_drift:.2%}"),
        ("Bundles", str(f.sent), f"{len(result.refusals)} refused; gas {money(f.gas_paid)}"),
        ("LP fees", money(result.fees_earned), f"impermanent loss {signed(result.impermanent_loss)}"),
        ("Expected against got", f"{f.off_wei} wei", "worst of any amount in any bundle"),
    )


# ------------------------------------------------------------------ the charts


def _times(result: DemoResult) -> list[int]:
    return [hour.at for hour in result.hours]


def _marks(bundles: Sequence[Bundle]) -> list[Mark]:
    return [Mark(b.at, f"{utc(b.at)}: {b.why[0] if b.why else ''}", "mark" if b.ok else "mark failed") for b in bundles]


def _value(result: DemoResult) -> Chart:
    lines = (
        Line("never rebalanced", [float(h.left) for h in result.hours], "left"),
        Line("held untouched", [float(h.hold) for h in result.hours], "hold"),
        Line("the vault", [float(h.vault) for h in result.hours], "vault"),
    )
    return Chart("Value of the first deposits", _times(result), lines, marks=_marks(result.bundles), height=300)


def _ahead(result: DemoResult) -> Chart:
    lines = (
        Line("zero", [0.0] * len(result.hours), "target"),
        Line("against never rebalancing", [float(h.vault - h.left) for h in result.hours], "left"),
        Line("against holding", [float(h.vault - h.hold) for h in result.hours], "hold"),
    )
    return Chart("The vault against the others", _times(result), lines, marks=_marks(result.bundles), height=180)


def _weights(result: DemoResult) -> list[tuple[str, float, Chart]]:
    charts = []
    for i, (symbol, target) in enumerate(zip(result.tokens, result.targets, strict=True)):
        lines = (
            Line("target", [target] * len(result.hours), "target"),
            Line(symbol, [hour.weights[i] for hour in result.hours], TONES[i]),
        )
        band = Area(
            "allowed",
            [target - hour.band for hour in result.hours],
            [target + hour.band for hour in result.hours],
            "band",
        )
        chart = Chart(
            f"Weight of {symbol}", _times(result), lines, (band,), _marks(result.bundles), 180, "{:.0%}".format
        )
        charts.append((symbol, target, chart))
    return charts


def _earned(result: DemoResult) -> Chart:
    """Fees, and both losses below them, as they grew."""
    lines = (
        Line("zero", [0.0] * len(result.hours), "target"),
        Line("loss versus rebalancing", [-float(h.rebalancing_loss) for h in result.hours], "left"),
        Line("impermanent loss", [float(h.impermanent_loss) for h in result.hours], "hold"),
        Line("fees", [float(h.fees_earned) for h in result.hours], "vault"),
    )
    return Chart("Fees and losses of the ranges", _times(result), lines, marks=_marks(result.bundles), height=220)


def _entered(result: DemoResult) -> list[PositionSeen]:
    return [p for p in result.positions if p.place.held_token or p.place.held_quote]


def _prices(result: DemoResult) -> list[Chart]:
    """One chart per range's pair, with the ranges behind it, and one per token that no range quotes."""
    pairs = {(r.token, r.quote) for hour in result.hours for r in hour.ranges}
    drawn = {token for token, _ in pairs}
    charts = [_price(result, token, quote) for token, quote in sorted(pairs)]
    for i, symbol in enumerate(result.tokens):
        moved = {hour.prices[i] for hour in result.hours}
        if symbol not in drawn and len(moved) > 1:
            charts.append(_price(result, symbol, None))
    return charts


def _price(result: DemoResult, token: str, quote: str | None) -> Chart:
    index = result.tokens.index(token)
    series = [h.prices[index] for h in result.hours]
    if quote is not None:
        other = result.tokens.index(quote)
        series = [Money(p / h.prices[other]) for p, h in zip(series, result.hours, strict=True)]
    seen = {r for hour in result.hours for r in hour.ranges if (r.token, r.quote) == (token, quote)}
    areas = [_area(result, r) for r in sorted(seen, key=lambda r: (r.lower, r.upper))]
    line = Line(f"price of {token}", [float(p) for p in series], TONES[index])
    title = f"{token} in {quote}, with the liquidity range" if quote else f"Price of {token}"
    return Chart(title, _times(result), (line,), areas, _marks(result.bundles), 250 if areas else 180, _written(series))


def _written(series: Sequence[Decimal]) -> Any:
    return "{:,.0f}".format if min(series) >= 100 else "{:.4g}".format


def _area(result: DemoResult, seen: RangeSeen) -> Area:
    there = [seen in hour.ranges for hour in result.hours]
    return Area(
        f"range {seen.lower:,.2f} to {seen.upper:,.2f}",
        [seen.lower if t else None for t in there],
        [seen.upper if t else None for t in there],
        "range",
    )
