"""docs/security.md names tests that exist, and has the museum's catalogue."""

import re
from pathlib import Path

from tests.contracts.museum import table

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_page__every_test_it_names__is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert len(named) > 12
    assert all((ROOT / name).is_file() for name in named), sorted(n for n in named if not (ROOT / n).is_file())
    assert all(re.search(r"^ *def test_", (ROOT / name).read_text(), re.MULTILINE) for name in named)


def test_page__has_the_catalogue_of_the_museum() -> None:
    assert table() in PAGE
