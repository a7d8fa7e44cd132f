"""The loss of a position against the price, with its range, its entry and the price now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.amm.loss import constant_product_loss, held_loss
from bot.demo.picture import Box, Dot, Picture, Shape, Stroke, Words, letter_unit
from bot.demo.plot import ticks
from bot.demo.strokes import width
from bot.ledger.place import Place

Floats = NDArray[np.float64]
WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 960, 350, 74, 22, 70, 54
POINTS = 241  # of each curve
FURTHEST = 4.0  # no further than so many times the price, up or down, however wide the range
MARGIN = 0.6  # beside what must be seen, as a power of its own span
ROOM = 150  # that the note beside the price now takes
WIDER = 1.12  # letters of a page's font than our own, at most
LEAST_LOSS = 1e-3  # on the axis
LEAST_SPAN = 1.08  # highest over lowest price of what must be seen


@dataclass(frozen=True, slots=True)
class Panel:
    """One position. Prices are of `token` in `quote`; losses fractions of holding, as functions of prices."""

    title: str
    token: str
    quote: str
    lower: float  # 0 to inf: the full range
    upper: float
    now: float
    entered: float | None  # price at entry; None where the entry does not tell
    loss: Callable[[Floats], Floats]
    full: Callable[[Floats], Floats] | None  # of the full range, for comparison


class _Frame:
    """Where a price and a loss lie on the paper."""

    def __init__(self, panel: Panel, top: int) -> None:
        self.start, self.end = seen(panel)
        self.prices = np.linspace(self.start, self.end, POINTS)
        self.loss = np.asarray(panel.loss(self.prices))
        self.low = min(float(self.loss.min()), -LEAST_LOSS) * 1.06
        self.high = -self.low * 0.05
        self.top, self.bottom = top + TOP, top + PANEL - BOTTOM

    def x(self, price: float) -> float:
        return LEFT + (price - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        return self.bottom - (loss - self.low) / (self.high - self.low) * (self.bottom - self.top)


def panel(title: str, here: Place) -> Panel:
    """The panel of a position, beside a full range where the entry tells its price. ValueError when it was empty."""
    entered = here.entered

    def loss(prices: Floats) -> Floats:
        return held_loss(prices, here.lower, here.upper, here.held_token, here.held_quote)

    def full(prices: Floats) -> Floats:
        return constant_product_loss(prices / (entered or here.price))

    return Panel(
        title=title,
        token=here.token.symbol,
        quote=here.quote.symbol,
        lower=here.lower,
        upper=here.upper,
        now=here.price,
        entered=entered,
        loss=loss,
        full=None if here.full or entered is None else full,
    )


def loss_picture(panels: Sequence[Panel]) -> Picture:
    """One panel under another. ValueError when there is none."""
    if not panels:
        raise ValueError("expected at least one position to draw, found none")
    shapes = [shape for i, panel in enumerate(panels) for shape in _panel(panel, i * PANEL)]
    title = "; ".join(panel.title for panel in panels)
    return Picture(title, WIDTH, PANEL * len(panels), tuple(shapes))


def seen(panel: Panel) -> tuple[float, float]:
    """Lowest and highest price on the axis: the range, the entry and now, with a margin."""
    marks = [panel.now, panel.entered or panel.now]
    nearest = min(max(panel.now, panel.lower), panel.upper)  # of a range that the price has left, always to be seen
    ends = [
        end
        for end in (panel.lower, panel.upper)
        if panel.now / FURTHEST <= end <= panel.now * FURTHEST or end == nearest
    ]
    low, high = min(marks + ends), max(marks + ends)
    if not ends:
        return min(low / LEAST_SPAN, panel.now / 2), max(high * LEAST_SPAN, panel.now * 2)
    wide = max(high / low, LEAST_SPAN) ** MARGIN
    return low / wide, high * wide


def _panel(panel: Panel, top: int) -> list[Shape]:
    frame = _Frame(panel, top)
    shapes = [*_band(panel, frame), *_grid(panel, frame), *_ends(panel, frame)]
    shapes.append(Words(LEFT, top + 18, panel.title, "heading"))
    if panel.full is not None:
        shapes.append(_curve(frame, np.asarray(panel.full(frame.prices)), "left"))
    shapes.append(_curve(frame, frame.loss, "vault"))
    return [*shapes, *_marks(panel, frame), *_legend(panel, frame)]


def _band(panel: Panel, frame: _Frame) -> list[Shape]:
    """The range, shaded."""
    if not _bounded(panel, frame):
        return []
    low, high = max(panel.lower, frame.start), min(panel.upper, frame.end)
    return [Box(frame.x(low), frame.top, frame.x(high), frame.bottom, "range")]


def _ends(panel: Panel, frame: _Frame) -> list[Shape]:
    """The ends of the range that are in sight, with their prices."""
    shapes: list[Shape] = []
    for end in (panel.lower, panel.upper):
        if frame.start <= end <= frame.end:
            x = frame.x(end)
            shapes.append(Stroke(((x, frame.top), (x, frame.bottom)), "edge"))
            shapes.append(Words(x, frame.top - 6, written(end), "words", "middle"))
    return shapes


def _grid(panel: Panel, frame: _Frame) -> list[Shape]:
    shapes: list[Shape] = []
    for loss in ticks(frame.low * 100, frame.high * 100, 6):
        y = frame.y(loss / 100)
        style = "zero" if loss == 0 else "grid"
        shapes.append(Stroke(((LEFT, y), (WIDTH - RIGHT, y)), style))
        shapes.append(Words(LEFT - 8, y + 4, f"{loss:g} %".replace("-", "\N{MINUS SIGN}"), "words", "end"))
    for price in ticks(frame.start, frame.end, 8):
        x = frame.x(price)
        shapes.append(Stroke(((x, frame.bottom), (x, frame.bottom + 5)), "zero"))
        shapes.append(Words(x, frame.bottom + 18, written(price), "words", "middle"))
    across = f"price of {panel.token} in {panel.quote}"
    shapes.append(Words((LEFT + WIDTH - RIGHT) / 2, frame.bottom + 36, across, "words", "middle"))
    shapes.append(Words(8, frame.top - 6, "loss, % of holding"))
    return shapes


def _curve(frame: _Frame, losses: Floats, style: str) -> Stroke:
    pairs = zip(frame.prices, losses, strict=True)
    return Stroke(tuple((frame.x(p), frame.y(v)) for p, v in pairs if v >= frame.low), style)


def _marks(panel: Panel, frame: _Frame) -> list[Shape]:
    """Vertical lines for the entry and now, and a dot on the curve."""
    shapes: list[Shape] = []
    if panel.entered is not None and frame.start <= panel.entered <= frame.end:
        x = frame.x(panel.entered)
        shapes.append(Stroke(((x, frame.top), (x, frame.bottom)), "entry"))
    x, loss = frame.x(panel.now), float(panel.loss(np.array([panel.now]))[0])
    shapes.append(Stroke(((x, frame.top), (x, frame.bottom)), "now"))
    shapes.append(Dot(x, frame.y(loss), 5, "now"))
    said = f"now {written(panel.now)}: {round(loss * 100, 2) + 0.0:+.2f} %".replace("-", "\N{MINUS SIGN}")
    leftwards = panel.now < (panel.entered or 0)  # away from the entry, where there is room
    if not LEFT + ROOM < x < WIDTH - RIGHT - ROOM:
        leftwards = x > WIDTH / 2
    return [*shapes, *_note(x - 9 if leftwards else x + 9, frame.bottom - 10, said, leftwards)]


def _note(x: float, y: float, said: str, leftwards: bool) -> list[Shape]:
    """Words on a plate, so that lines behind them do not cross them out."""
    wide = WIDER * width(said) * letter_unit("note")
    left = x - wide if leftwards else x
    plate = Box(left - 3, y - 12, left + wide + 3, y + 4, "plate")
    return [plate, Words(x, y, said, "note", "end" if leftwards else "start")]


def _legend(panel: Panel, frame: _Frame) -> list[Shape]:
    """What is what, on one line under the title."""
    entries = [("vault", "this position against holding")]
    if panel.full is not None:
        entries.append(("left", "a full range entered at the same price"))
    if _bounded(panel, frame):
        entries.append(("edge", "the range"))
    if panel.entered is not None:
        entries.append(("entry", f"entered at {written(panel.entered)}"))
    shapes: list[Shape] = []
    x, y = float(LEFT), frame.top - 30.0
    for style, said in entries:
        shapes.append(Stroke(((x, y - 4), (x + 20, y - 4)), style))
        shapes.append(Words(x + 27, y, said))
        x += 27 + WIDER * width(said) * letter_unit("words") + 22
    return shapes


def _bounded(panel: Panel, frame: _Frame) -> bool:
    """Whether an end of the range is in sight."""
    return any(frame.start <= end <= frame.end for end in (panel.lower, panel.upper))


def written(price: float) -> str:
    """A price for an axis: as many digits as tell it apart."""
    return f"{price:,.0f}" if price >= 1_000 else f"{price:.5g}"
