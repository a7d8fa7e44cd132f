"""The options that verbs share, and from them the configuration."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from bot.config import Config

DEFAULT = Path("evenkeel.yaml")

Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        "-c",
        help=f"Configuration file; again for one that overlays it. Default: $EVENKEEL_CONFIG ({os.pathsep} between "
        f"files), else ./{DEFAULT}.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show; send nothing, even with a key.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; do it.")]


def settings(files: list[Path] | None) -> "Config":
    """The checked configuration. ConfigError with every fault."""
    from bot.config import load

    return load(_paths(files))


def _paths(files: list[Path] | None) -> list[Path]:
    named = files or [Path(part) for part in os.environ.get("EVENKEEL_CONFIG", "").split(os.pathsep) if part]
    if named:
        return named
    if not DEFAULT.exists():
        raise ConfigError(f"expected ./{DEFAULT} or --config FILE, found neither; `evenkeel init` writes a first one")
    return [DEFAULT]


def confirm(question: str, yes: bool, answer: str = "--yes") -> None:
    """Ask a person, unless `yes`. Refused when the answer is no, or when nobody is there.

    `answer`: the option that answers this question.
    """
    from bot.core.errors import Refused

    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise Refused(f"nobody answered; say {answer} to do it without a question; nothing was sent") from None
    if not agreed:
        raise Refused("you said no; nothing was sent")


def logging(context: typer.Context, quiet: bool = False) -> None:
    """Start the log as the options before the verb ask for it; `quiet`: of what is well, the result tells."""
    context.find_root().obj.start(quiet)
