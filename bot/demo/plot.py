"""Line charts as inline SVG, without scripts: numbers in, one `<svg>` out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 74, 22, 12, 26
DAY_S = 86_400
Series = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; None is a gap. `style`: a CSS class of the page."""

    label: str
    values: Series
    style: str


@dataclass(frozen=True, slots=True)
class Area:
    """What lies between two curves."""

    label: str
    lower: Series
    upper: Series
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at one moment, with what a pointer resting on it reads."""

    at: int
    said: str
    style: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over time, seconds since 1970; all series are as long as `times`."""

    title: str
    times: Sequence[int]
    lines: Sequence[Line]
    areas: Sequence[Area] = ()
    marks: Sequence[Mark] = ()
    height: int = 250
    write: Callable[[float], str] = "{:,.0f}".format  # a value on the axis


class _Frame:
    """Where a moment and a value lie on the paper."""

    def __init__(self, chart: Chart) -> None:
        values = [v for line in chart.lines for v in line.values if v is not None]
        values += [v for area in chart.areas for side in (area.lower, area.upper) for v in side if v is not None]
        low, high = min(values), max(values)
        pad = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
        self.low, self.high = low - pad, high + pad
        self.start, self.end = chart.times[0], max(chart.times[-1], chart.times[0] + 1)
        self.bottom = chart.height - BOTTOM

    def x(self, at: float) -> float:
        return LEFT + (at - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - TOP)


def svg(chart: Chart) -> str:
    """The chart as an SVG element that scales to the width it is given. ValueError when there is nothing to draw."""
    if not chart.times or not any(v is not None for line in chart.lines for v in line.values):
        raise ValueError(f"expected at least one value to draw in {chart.title!r}, found none")
    frame = _Frame(chart)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {chart.height}" role="img" aria-label="{escape(chart.title)}">',
        *_grid(chart, frame),
        *(_area(chart.times, area, frame) for area in chart.areas),
        *(_mark(mark, frame) for mark in chart.marks),
        *(_line(chart.times, line, frame) for line in chart.lines),
        "</svg>",
    ]
    return "".join(parts)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) between `low` and `high`, about so many."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _grid(chart: Chart, frame: _Frame) -> list[str]:
    parts = []
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="y" x="{LEFT - 8}" y="{y + 4:.1f}">{escape(chart.write(value))}</text>')
    for at, label in _moments(frame.start, frame.end):
        x = frame.x(at)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{frame.bottom}"/>')
        parts.append(f'<text class="x" x="{x:.1f}" y="{chart.height - 8}">{label}</text>')
    return parts


def _moments(start: int, end: int) -> list[tuple[int, str]]:
    """Whole days since the start, or hours when that is less than two days."""
    unit, name = (DAY_S, "day") if end - start >= 2 * DAY_S else (DAY_S // 24, "hour")
    count = (end - start) // unit
    stride = max(1, -(-count // 12))
    return [(start + n * unit, f"{name} {n}") for n in range(0, count + 1, stride)]


def _line(times: Sequence[int], line: Line, frame: _Frame) -> str:
    path, pen = [], "M"
    for at, value in zip(times, line.values, strict=True):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{frame.x(at):.1f} {frame.y(value):.1f}")
        pen = "L"
    return f'<path class="{line.style}" d="{"".join(path)}"><title>{escape(line.label)}</title></path>'


def _area(times: Sequence[int], area: Area, frame: _Frame) -> str:
    """One closed shape for each stretch without a gap."""
    shapes = []
    for stretch in _stretches(times, area):
        if len(stretch) == 1:  # seen once: drawn half an hour wide, else it would not show
            at, low, high = stretch[0]
            stretch = [(at - 900, low, high), (at + 900, low, high)]
        top = [f"{frame.x(at):.1f} {frame.y(high):.1f}" for at, _, high in stretch]
        back = [f"{frame.x(at):.1f} {frame.y(low):.1f}" for at, low, _ in reversed(stretch)]
        shapes.append(f"M{'L'.join(top + back)}Z")
    return f'<path class="{area.style}" d="{"".join(shapes)}"><title>{escape(area.label)}</title></path>'


def _stretches(times: Sequence[int], area: Area) -> list[list[tuple[int, float, float]]]:
    stretches: list[list[tuple[int, float, float]]] = [[]]
    for at, low, high in zip(times, area.lower, area.upper, strict=True):
        if low is None or high is None:
            stretches.append([])
        else:
            stretches[-1].append((at, low, high))
    return [stretch for stretch in stretches if stretch]


def _mark(mark: Mark, frame: _Frame) -> str:
    x = frame.x(mark.at)
    return (
        f'<g class="{mark.style}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{frame.bottom}"/>'
        f'<path d="M{x - 4:.1f} {TOP}h8l-4 7z"/><title>{escape(mark.said)}</title></g>'
    )
