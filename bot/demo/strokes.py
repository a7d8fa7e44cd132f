"""Letters as strokes, so that a picture can be written without a font."""

from functools import lru_cache
from itertools import pairwise

BASE, CAP = 2, 9  # heights of the baseline and of a capital, in units of the glyphs' grid
GAP, SPACE = 1.6, 3.0  # between two letters, and between two words
BEND = 6  # straight pieces of each bend

Point = tuple[float, float]
Line = tuple[Point, ...]

# Points x y of a grid 4 wide: baseline 2, small letters to 7, capitals to 9. `~`: bends instead of corners.
_GLYPHS = {
    "0": "~290902424929",
    "1": "072922",
    "2": "~0709494602 0242",
    "3": "~0809494626 ~2646420203",
    "4": "32390444",
    "5": "490906 ~061747420203",
    "6": "~4849090242460604",
    "7": "094912",
    "8": "~290906464929 ~260602424626",
    "9": "~0302424909054547",
    "A": "022942 1434",
    "B": "0209 ~09494606 ~06464202",
    "C": "~474909024244",
    "D": "0209 ~09494202",
    "E": "49090242 0636",
    "F": "490902 0636",
    "G": "~474909024245 4525",
    "H": "0209 4249 0646",
    "I": "0209",
    "J": "3934 ~34320204",
    "K": "0209 4905 1642",
    "L": "090242",
    "M": "0209254942",
    "N": "02094249",
    "O": "~290902424929",
    "P": "0209 ~09494505",
    "Q": "~290902424929 2442",
    "R": "0209 ~09494505 2542",
    "S": "~4849090645420203",
    "T": "0949 2922",
    "U": "0904 ~04024244 4449",
    "V": "092249",
    "W": "0912375269",
    "X": "0942 0249",
    "Y": "092549 2522",
    "Z": "09490242",
    "a": "~464707024243 4742",
    "b": "0902 ~060747420203",
    "c": "~464707024243",
    "d": "~464707024243 4942",
    "e": "0545 ~454707024243",
    "f": "~391917 1712 0737",
    "g": "~464707024243 4741 ~41400001",
    "h": "0902 ~05074745 4542",
    "i": "0702 0909",
    "j": "2721 ~212000 2929",
    "k": "0902 3704 1542",
    "l": "0902",
    "m": "0702 ~05073735 3532 ~35376765 6562",
    "n": "0702 ~05074745 4542",
    "o": "~270702424727",
    "p": "0700 ~060747420203",
    "q": "4740 ~464707024243",
    "r": "0702 ~050737",
    "s": "~4647070544420203",
    "t": "1914 ~141232 0737",
    "u": "0704 ~04024244 4742",
    "v": "072247",
    "w": "0712365267",
    "x": "0742 0247",
    "y": "0722 4710",
    "z": "07470242",
    ".": "0212130302",
    ",": "02121303021201",
    ":": "0212130302 0616170706",
    ";": "02121303021201 0616170706",
    "%": "~190907272919 1249 ~443432525444",
    "/": "0139",
    "(": "~29080321",
    ")": "~09282301",
    "-": "0525",
    "\N{MINUS SIGN}": "0545",
    "+": "0545 2723",
    "=": "0646 0444",
    "±": "0646 2824 0242",
    "·": "0505",
    "<": "470543",
    ">": "074503",
    "_": "0141",
    "'": "0907",
}
_UNKNOWN = "0209494202"


@lru_cache(maxsize=512)
def glyph(letter: str) -> tuple[float, tuple[Line, ...]]:
    """Give a letter's width and its strokes on the grid; an empty box for what has none."""
    if letter == " ":
        return SPACE, ()
    lines = tuple(_line(stroke) for stroke in _GLYPHS.get(letter, _UNKNOWN).split())
    return max(x for line in lines for x, _ in line), lines


def width(text: str) -> float:
    """How wide a text is, in units of the grid."""
    return sum(glyph(letter)[0] for letter in text) + GAP * max(0, len(text) - 1)


def lay_out(text: str) -> list[Line]:
    """Give a text's strokes, from x = 0 to its width; y is 0 on the baseline and `CAP - BASE` on top of a capital."""
    found, at = [], 0.0
    for letter in text:
        wide, lines = glyph(letter)
        found += [tuple((x + at, y - BASE) for x, y in line) for line in lines]
        at += wide + GAP
    return found


def _line(stroke: str) -> Line:
    digits = stroke.lstrip("~")
    points = tuple((float(x), float(y)) for x, y in zip(digits[::2], digits[1::2], strict=True))
    return _bent(points) if stroke.startswith("~") else points


def _bent(points: Line) -> Line:
    """The quadratic B-spline of the points, as straight pieces: it starts and ends on the first and the last."""
    middles = [((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in pairwise(points)]
    knots = [points[0], *middles[1:-1], points[-1]]
    line = [points[0]]
    for (start, end), (cx, cy) in zip(pairwise(knots), points[1:-1], strict=True):
        for n in range(1, BEND + 1):
            t = n / BEND
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            line.append((a * start[0] + b * cx + c * end[0], a * start[1] + b * cy + c * end[1]))
    return tuple(line)
