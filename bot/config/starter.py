"""The files a newcomer starts from: those of the repository's config/, which the wheel carries beside this module."""

from pathlib import Path

from bot.core.errors import Broken

PLACES = (Path(__file__).parent / "files", Path(__file__).parents[2] / "config")  # wheel, repository


def starter(name: str) -> str:
    """Text of one file. Broken when the installation lacks it."""
    for place in PLACES:
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8")
    raise Broken(f"expected {name} in {PLACES[0]}, found none; install evenkeel again")
