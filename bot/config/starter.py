"""The files a newcomer starts from: those of the repository's config/, linked here so that the package carries them."""

from pathlib import Path

from bot.core.errors import Broken

FILES = Path(__file__).parent / "files"


def starter_file(name: str) -> Path:
    """Where one file lies. Broken when the installation lacks it."""
    if not (FILES / name).is_file():
        raise Broken(f"expected {name} in {FILES}, found none; install evenkeel again")
    return FILES / name
