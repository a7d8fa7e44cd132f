"""A picture made of lines, boxes, dots and words: as SVG for a page or a file, and as PNG."""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.demo.strokes import BASE, CAP, lay_out, width

SCALE = 2  # pixels of a PNG for one unit of the picture
CAP_HEIGHT = 0.73  # of a capital letter, in parts of the font size
LETTER_WEIGHT = 0.1  # of a letter's strokes, likewise
PAPER = "#ffffff"
Point = tuple[float, float]
Piece = tuple[Point, Point]
FONT = 'system-ui, "Segoe UI", Roboto, sans-serif'


@dataclass(frozen=True, slots=True)
class Pen:
    """How a style looks. `dash`: drawn and left out, in turn; of words, `width` is the size of the letters."""

    colour: str
    width: float
    dash: tuple[float, float] | None = None
    opacity: float = 1.0


# The colours of the report's page, by day.
PENS = {
    "grid": Pen("#e3e8ed", 1),
    "zero": Pen("#66727f", 1),
    "vault": Pen("#0b6e99", 2.6),
    "left": Pen("#8a94a0", 2, (6, 4)),
    "range": Pen("#2f7d5b", 1, None, 0.13),
    "edge": Pen("#2f7d5b", 1.2),
    "plate": Pen(PAPER, 0, None, 0.85),
    "entry": Pen("#c2701c", 1.2, (4, 3)),
    "now": Pen("#17212b", 1.4),
    "words": Pen("#66727f", 11.5),
    "note": Pen("#17212b", 11.5),
    "heading": Pen("#17212b", 13.5),
}


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, y downwards."""

    points: tuple[Point, ...]
    style: str


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    left: float
    top: float
    right: float
    bottom: float
    style: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    style: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text whose baseline begins, has its middle or ends at a point."""

    x: float
    y: float
    text: str
    style: str = "words"
    anchor: Literal["start", "middle", "end"] = "start"


Shape = Stroke | Box | Dot | Words


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes in the order in which they are drawn."""

    title: str
    width: int
    height: int
    shapes: tuple[Shape, ...]


# ------------------------------------------------------------------ SVG


def svg(picture: Picture) -> str:
    """The picture as an SVG element for a page that has the styles of `PENS` as CSS classes."""
    head = f'<svg viewBox="0 0 {picture.width} {picture.height}" role="img" aria-label="{escape(picture.title)}">'
    return "".join((head, *map(_element, picture.shapes), "</svg>"))


def svg_file(picture: Picture) -> str:
    """The picture as an SVG document that needs nothing else."""
    size = f'width="{picture.width}" height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(picture.title)}</title>",
            f"<style>text{{font-family:{FONT};stroke:none}}path,line{{fill:none;stroke-linejoin:round;"
            f"stroke-linecap:round}}{''.join(_rule(name, pen) for name, pen in PENS.items())}</style>",
            f'<rect width="100%" height="100%" style="fill:{PAPER}"/>',
            *map(_element, picture.shapes),
            "</svg>\n",
        )
    )


def _rule(name: str, pen: Pen) -> str:
    dash = f";stroke-dasharray:{pen.dash[0]:g} {pen.dash[1]:g}" if pen.dash else ""
    return (
        f"path.{name}{{stroke:{pen.colour};stroke-width:{pen.width:g}{dash}}}"
        f"rect.{name},circle.{name}{{fill:{pen.colour};fill-opacity:{pen.opacity:g}}}"
        f"text.{name}{{fill:{pen.colour};font-size:{pen.width:g}px}}"
    )


def _element(shape: Shape) -> str:
    match shape:
        case Stroke(points=points, style=style):
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            return f'<path class="{style}" d="M{path}"/>'
        case Box(style=style):
            size = f'width="{shape.right - shape.left:.1f}" height="{shape.bottom - shape.top:.1f}"'
            return f'<rect class="{style}" x="{shape.left:.1f}" y="{shape.top:.1f}" {size}/>'
        case Dot(style=style):
            return f'<circle class="{style}" cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}"/>'
        case Words(style=style):
            place = f'x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.anchor}"'
            return f'<text class="{style}" {place}>{escape(shape.text)}</text>'


# ------------------------------------------------------------------ PNG


def png(picture: Picture) -> bytes:
    """The picture as a PNG file, `SCALE` pixels for one unit, drawn without any library of pictures."""
    paper = np.empty((picture.height * SCALE, picture.width * SCALE, 3))
    paper[:] = _rgb(PAPER)
    for shape in picture.shapes:
        _draw(paper, shape)
    rows = np.round(paper).astype(np.uint8)
    raw = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows.reshape(len(rows), -1)], axis=1)  # no filter
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _draw(paper: NDArray[np.float64], shape: Shape) -> None:
    pen = PENS[shape.style]
    match shape:
        case Stroke(points=points):
            _ink(paper, _dashed(points, pen.dash), pen.width, pen)
        case Box():
            _fill(paper, shape, pen)
        case Dot(x=x, y=y):
            _ink(paper, [((x, y), (x, y))], 2 * shape.radius, pen)
        case Words(x=x, y=y):
            unit = letter_unit(shape.style)
            left = x - width(shape.text) * unit * {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
            lines = [tuple((left + px * unit, y - py * unit) for px, py in line) for line in lay_out(shape.text)]
            _ink(paper, [piece for line in lines for piece in pairwise(line)], pen.width * LETTER_WEIGHT, pen)


def letter_unit(style: str) -> float:
    """A step of the letters' grid, in units of the picture."""
    return PENS[style].width * CAP_HEIGHT / (CAP - BASE)


def _fill(paper: NDArray[np.float64], box: Box, pen: Pen) -> None:
    """Fill a rectangle; a pixel on its edge takes as much of it as lies inside."""
    down, across = np.arange(paper.shape[0])[:, None], np.arange(paper.shape[1])
    wide = np.minimum(across + 1, box.right * SCALE) - np.maximum(across, box.left * SCALE)
    tall = np.minimum(down + 1, box.bottom * SCALE) - np.maximum(down, box.top * SCALE)
    _blend(paper, np.clip(wide, 0, 1) * np.clip(tall, 0, 1), pen)


def _dashed(points: Sequence[Point], dash: tuple[float, float] | None) -> list[Piece]:
    """The pieces of a line that are drawn."""
    if dash is None:
        return list(pairwise(points))
    found, travelled = [], 0.0
    for (ax, ay), (bx, by) in pairwise(points):
        length = math.hypot(bx - ax, by - ay)
        for start, end in _drawn(travelled, length, dash):
            a, b = start / length, end / length
            found.append(((ax + (bx - ax) * a, ay + (by - ay) * a), (ax + (bx - ax) * b, ay + (by - ay) * b)))
        travelled += length
    return found


def _drawn(travelled: float, length: float, dash: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Where the dashes lie on a piece of line, which begins so far into the whole."""
    period = sum(dash)
    at = -(travelled % period)
    while at < length:
        start, end = max(at, 0.0), min(at + dash[0], length)
        if end > start:
            yield start, end
        at += period


def _ink(paper: NDArray[np.float64], pieces: Sequence[Piece], wide: float, pen: Pen) -> None:
    """Draw straight pieces with round ends; where they overlap there is no more ink than once."""
    if not pieces:
        return
    ends = np.array(pieces) * SCALE
    half = wide * SCALE / 2
    left, top = np.maximum(0, ends.min(axis=(0, 1)) - half - 1).astype(int)
    right, bottom = (ends.max(axis=(0, 1)) + half + 2).astype(int)
    part = paper[top:bottom, left:right]
    cover = np.zeros(part.shape[:2])
    for (ax, ay), (bx, by) in ends - (left, top):
        low, high = max(0, int(min(ay, by) - half - 1)), int(max(ay, by) + half + 2)
        first, last = max(0, int(min(ax, bx) - half - 1)), int(max(ax, bx) + half + 2)
        near = cover[low:high, first:last]
        x = np.arange(near.shape[1]) + first + 0.5 - ax
        y = np.arange(near.shape[0])[:, None] + low + 0.5 - ay
        squared = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip((x * (bx - ax) + y * (by - ay)) / squared, 0, 1) if squared else 0.0
        away = np.hypot(x - along * (bx - ax), y - along * (by - ay))
        np.maximum(near, np.clip(half + 0.5 - away, 0, 1), out=near)
    _blend(part, cover, pen)


def _blend(paper: NDArray[np.float64], cover: NDArray[np.float64], pen: Pen) -> None:
    share = (cover * pen.opacity)[:, :, None]
    paper *= 1 - share
    paper += share * _rgb(pen.colour)


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
