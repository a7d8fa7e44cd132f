"""The picture of a loss against the price: what is on it and where, as SVG and as PNG."""

import re
import struct
import zlib
from math import inf, sqrt
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bot.amm.loss import concentrated_loss
from bot.demo.loss_plot import WIDTH, Panel, loss_picture, panel, seen, written
from bot.demo.picture import PENS, SCALE, Box, Dot, Picture, Stroke, Words, png, svg, svg_file
from bot.demo.strokes import BASE, CAP, glyph, lay_out, width
from bot.ledger.place import Place
from tests.factories import USDC, WETH

SVG = "{http://www.w3.org/2000/svg}"
PAGE = Path(__file__).parents[3] / "bot" / "demo" / "report.html.j2"


def place(price: float = 2_850.0, entered: float = 3_000.0, lower: float = 2_700.0, upper: float = 3_300.0) -> Place:
    top = 0.0 if upper == inf else 1 / sqrt(upper)
    return Place(WETH, USDC, lower, upper, price, 1 / sqrt(entered) - top, sqrt(entered) - sqrt(lower))


def drawn(here: Place) -> Picture:
    return loss_picture([panel("USDC/WETH-500, position 1:2", here)])


def words(picture: Picture) -> list[str]:
    return [shape.text for shape in picture.shapes if isinstance(shape, Words)]


def strokes(picture: Picture, style: str) -> list[Stroke]:
    return [shape for shape in picture.shapes if isinstance(shape, Stroke) and shape.style == style]


def pixels(file: bytes) -> np.ndarray:
    """Decode a PNG without filters, as `png` writes them; every chunk's sum is checked."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(file):
        (length,) = struct.unpack(">I", file[at : at + 4])
        kind, data = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack(">I", file[at + 8 + length : at + 12 + length])[0]
        parts[kind] = data
        at += 12 + length
    wide, high, *kind = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert kind == [8, 2, 0, 0, 0]
    assert parts[b"IEND"] == b""
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(high, 1 + 3 * wide)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(high, wide, 3)


# ------------------------------------------------------------------ what is on it


def test_loss_picture__a_range__shows_range_entry_now_and_units() -> None:
    picture = drawn(place())
    said = words(picture)
    assert {"2,700", "3,300", "price of WETH in USDC", "loss, % of holding", "entered at 3,000"} <= set(said)
    now = float(concentrated_loss(3_000, 2_850, 2_700, 3_300)) * 100
    assert f"now 2,850: \N{MINUS SIGN}{-now:.2f} %" in said
    assert len(strokes(picture, "edge")) == 2 + 1  # the ends, and in the legend
    assert [shape.style for shape in picture.shapes if isinstance(shape, Box)] == ["range", "plate"]


def test_loss_picture__a_range__marks_stand_where_their_prices_are() -> None:
    here = place()
    picture = drawn(here)
    start, end = seen(panel("", here))
    curve = np.array(strokes(picture, "vault")[0].points)
    (band,) = [shape for shape in picture.shapes if isinstance(shape, Box) and shape.style == "range"]
    (dot,) = [shape for shape in picture.shapes if isinstance(shape, Dot)]

    def price(x: float) -> float:
        return start + (x - curve[0, 0]) / (curve[-1, 0] - curve[0, 0]) * (end - start)

    assert [price(band.left), price(band.right), price(dot.x)] == pytest.approx([2_700, 3_300, 2_850])
    assert np.interp(dot.x, *curve.T) == pytest.approx(dot.y, abs=0.1)
    assert price(curve[curve[:, 1].argmin(), 0]) == pytest.approx(3_000, rel=0.005)  # paper counts downwards
    assert start < 2_700 < 3_300 < end


def test_loss_picture__no_range__neither_band_nor_comparison() -> None:
    picture = drawn(place(lower=0.0, upper=inf))
    assert strokes(picture, "edge") == strokes(picture, "left") == []
    assert seen(panel("", place(lower=0.0, upper=inf))) == (1_425, 5_700)


def test_loss_picture__entered_in_parts__no_entry_and_no_comparison() -> None:
    parts = Place(WETH, USDC, 2_700.0, 3_300.0, 2_850.0, 0.001, 1.0)
    assert parts.entered is None
    picture = drawn(parts)
    assert strokes(picture, "entry") == strokes(picture, "left") == []


def test_loss_picture__price_far_from_the_range__still_shows_its_nearest_end() -> None:
    below = Place(WETH, USDC, 2_700.0, 3_300.0, 400.0, 1 / sqrt(2_700) - 1 / sqrt(3_300), 0.0)  # all WETH at its entry
    start, end = seen(panel("", below))
    assert start < 400 < 2_700 < end


def test_loss_picture__nothing_lost_anywhere__still_has_an_axis() -> None:
    picture = loss_picture([Panel("t", "WETH", "USDC", 2_700.0, 3_300.0, 2_500.0, None, lambda p: 0 * p, None)])
    assert "now 2,500: +0.00 %" in words(picture)
    assert "0 %" in words(picture)


@pytest.mark.parametrize("here", [place(), place(price=2_450.0), place(price=3_650.0), place(entered=2_701.0)])
def test_loss_picture__any_price__everything_lies_on_the_paper(here) -> None:
    picture = drawn(here)
    for shape in picture.shapes:
        if isinstance(shape, Stroke):
            assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in shape.points)
        if isinstance(shape, Words):
            wide = width(shape.text) * PENS[shape.style].width * 0.12
            left = shape.x - wide * {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
            assert left >= 0
            assert left + wide <= picture.width


def test_loss_picture__several_positions__one_under_another() -> None:
    one, two = drawn(place()), loss_picture([panel("a", place()), panel("b", place(price=3_100.0))])
    assert (two.width, two.height) == (WIDTH, 2 * one.height)
    assert [w for w in words(two) if w in ("a", "b")] == ["a", "b"]


def test_loss_picture__no_position__refused() -> None:
    with pytest.raises(ValueError, match="expected at least one position to draw"):
        loss_picture([])


@pytest.mark.parametrize(
    ("price", "said"), [(91_234.5, "91,234"), (1_000, "1,000"), (28.1298, "28.13"), (1.00021, "1.0002")]
)
def test_written__prices__as_many_digits_as_tell_them_apart(price, said) -> None:
    assert written(price) == said


# ------------------------------------------------------------------ SVG


def test_svg_file__a_picture__is_well_formed_and_needs_nothing_else() -> None:
    text = svg_file(drawn(place()))
    root = ElementTree.fromstring(text)
    assert (root.tag, root.findtext(f"{SVG}title")) == (f"{SVG}svg", "USDC/WETH-500, position 1:2")
    assert not re.search(r"url\(|@import|href|<script", text)
    styles = {element.get("class") for element in root.iter() if element.get("class")}
    css = root.findtext(f"{SVG}style") or ""
    assert all(f".{style}{{" in css for style in styles)


def test_svg__for_the_report__every_style_is_on_its_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    styles = {element.get("class") for element in ElementTree.fromstring(svg(drawn(place()))).iter()} - {None, "words"}
    assert [style for style in styles if not re.search(rf"\.{style}\b", page)] == []


def test_svg__words_with_markup__are_escaped() -> None:
    picture = Picture("<t>", 10, 10, (Words(1, 1, "<b> & c"),))
    assert ElementTree.fromstring(svg(picture)).findtext("text") == "<b> & c"
    assert ElementTree.fromstring(svg_file(picture)).findtext(f"{SVG}text") == "<b> & c"


# ------------------------------------------------------------------ PNG


def test_png__a_picture__has_its_size_and_its_colours() -> None:
    picture = drawn(place())
    found = pixels(png(picture))
    assert found.shape == (picture.height * SCALE, picture.width * SCALE, 3)
    colours = {tuple(c) for c in found.reshape(-1, 3)}
    for style in ("vault", "edge", "entry", "now"):
        wanted = tuple(int(PENS[style].colour[i : i + 2], 16) for i in (1, 3, 5))
        assert wanted in colours, style
    assert (255, 255, 255) in colours


def test_png__a_dot_and_a_box__lie_where_they_should() -> None:
    shapes = (Box(2, 3, 5, 4, "plate"), Box(10, 10, 20, 14.5, "edge"), Dot(30.0, 30.0, 4, "now"))
    found = pixels(png(Picture("t", 40, 40, shapes))).astype(int)
    dark = (found != 255).any(axis=2)
    rows, columns = np.nonzero(dark[:32, :48])
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (20, 29, 20, 40)
    round_one = dark[40:, 40:]
    assert round_one.sum() == pytest.approx(np.pi * (4 * SCALE) ** 2, rel=0.12)
    assert round_one[20, 20]


def test_png__a_dashed_line__is_drawn_and_left_out_in_turn() -> None:
    line = Stroke(((0.0, 5.0), (60.0, 5.0)), "left")  # 6 on, 4 off
    row = pixels(png(Picture("t", 60, 10, (line,))))[10, :, 0] < 250
    starts = np.flatnonzero(row[1:] & ~row[:-1])
    assert len(starts) == 5  # the first begins with the paper
    assert np.diff(starts).tolist() == [20] * 4


def test_png__lines_that_leave_the_paper__are_cut() -> None:
    line = Stroke(((-50.0, -50.0), (90.0, 90.0)), "vault")
    found = pixels(png(Picture("t", 40, 40, (line, Stroke(((100.0, 0.0), (120.0, 5.0)), "vault")))))
    assert (found[40, 40] == (0x0B, 0x6E, 0x99)).all()


# ------------------------------------------------------------------ letters


def test_glyph__letters_alike__are_told_apart() -> None:
    seen_before = {}
    for letter in "0123456789ABCDEFGHJKLMNOPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz.,:;%/()-+=<>":
        lines = glyph(letter)
        assert lines not in seen_before.values() or letter in "O", letter  # a nought is an O
        seen_before[letter] = lines


def test_glyph__unknown_letter__is_a_box_and_takes_room() -> None:
    assert glyph("\N{SNOWMAN}") == glyph("\N{CYRILLIC SMALL LETTER ZHE}")
    assert width("a\N{SNOWMAN}b") > width("ab")


def test_lay_out__a_word__runs_from_0_to_its_width_between_the_lines() -> None:
    points = np.array([point for line in lay_out("Hxg1") for point in line])
    assert points[:, 0].min() == 0
    assert points[:, 0].max() <= width("Hxg1")
    assert points[:, 1].max() == CAP - BASE
    assert points[:, 1].min() == -BASE


def test_lay_out__a_bend__begins_and_ends_on_its_points() -> None:
    (line,) = glyph("C")[1]
    assert (line[0], line[-1]) == ((4, 7), (4, 4))
    assert min(x for x, _ in line) == pytest.approx(0, abs=0.05)  # and touches its sides
