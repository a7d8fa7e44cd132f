"""Charts: what a curve, a gap and a range become on paper."""

import re
from xml.etree import ElementTree

import pytest

from bot.demo.plot import Area, Chart, Line, Mark, svg, ticks

DAY = 86_400
TIMES = [n * DAY for n in range(4)]


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(svg(chart))  # also: it is well-formed


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([\d.]+)", path)]


def curve(chart: Chart, style: str) -> list[tuple[float, float]]:
    (path,) = [e for e in drawn(chart).iter("path") if e.get("class") == style]
    return points(path.get("d") or "")


def test_svg__rising_values__curve_rises_from_left_to_right() -> None:
    xy = curve(Chart("t", TIMES, [Line("l", [1.0, 2.0, 3.0, 4.0], "c")]), "c")
    assert [x for x, _ in xy] == sorted(x for x, _ in xy)
    assert [y for _, y in xy] == sorted((y for _, y in xy), reverse=True)  # paper counts downwards


def test_svg__gap__lifts_the_pen() -> None:
    (path,) = [e.get("d") or "" for e in drawn(Chart("t", TIMES, [Line("l", [1.0, None, 3.0, 4.0], "c")])).iter("path")]
    assert path.count("M") == 2
    assert len(points(path)) == 3


def test_svg__area_with_a_gap__two_closed_shapes() -> None:
    area = Area("a", [1.0, None, 1.0, 1.0], [2.0, None, 2.0, 2.0], "band")
    chart = Chart("t", TIMES, [Line("l", [1.0, 1.0, 2.0, 2.0], "c")], [area])
    (path,) = [e.get("d") or "" for e in drawn(chart).iter("path") if e.get("class") == "band"]
    assert path.count("Z") == 2


def test_svg__words_with_markup__are_escaped() -> None:
    mark = Mark(DAY, "<b>sold & bought</b>", "mark")
    chart = Chart("t", TIMES, [Line("<l>", [1.0, 2.0, 3.0, 4.0], "c")], marks=[mark])
    assert [e.text for e in drawn(chart).iter("title")] == ["<b>sold & bought</b>", "<l>"]


def test_svg__constant_curve__still_has_an_axis() -> None:
    xy = curve(Chart("t", TIMES, [Line("l", [5.0] * 4, "c")]), "c")
    assert len({y for _, y in xy}) == 1


def test_svg__nothing_to_draw__refused() -> None:
    with pytest.raises(ValueError, match="found none"):
        svg(Chart("t", TIMES, [Line("l", [None] * 4, "c")]))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 10.0, [0, 2, 4, 6, 8, 10]), (0.381, 0.423, [0.39, 0.40, 0.41, 0.42]), (-3.0, 3.0, [-2, 0, 2])],
)
def test_ticks__any_span__are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
