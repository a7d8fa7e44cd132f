"""Write the generated tables of the documentation from the code they describe; --check only compares."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[1]


def policy_keys() -> str:
    """Every key of the policy file."""
    from bot.policy.rules import Policy

    return _table(("key", "default", "effect"), _keys(Policy, ""))


def config_keys() -> str:
    """Every key of the configuration file."""
    from bot.config.models import Config

    return _table(("key", "default", "effect"), _keys(Config, ""))


def verbs() -> str:
    """Every verb of the command line."""
    import typer

    from bot.cli import app

    return _table(("verb", "what it does"), _verbs(typer.main.get_command(app), "evenkeel"))


def exit_codes() -> str:
    """What the command line returns."""
    from bot.core import errors

    rows = [("0", "all is well"), ("1", "failure")]
    kinds = (errors.UsageError, errors.ConfigError, errors.DataError, errors.ChainError, errors.Refused)
    rows += [(str(kind.exit_code), (kind.__doc__ or "").rstrip(".").lower()) for kind in kinds]
    return _table(("code", "meaning"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "policy keys": policy_keys,
    "config keys": config_keys,
    "verbs": verbs,
    "exit codes": exit_codes,
}


def render(text: str) -> str:
    """The same page with every generated section written anew."""
    for name, build in SECTIONS.items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        if start in text:
            head, rest = text.split(start, 1)
            text = head + start + build() + end + rest.split(end, 1)[1]
    return text


def main() -> int:
    """Rewrite, or with --check say which pages are stale."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    stale = [page for page in pages if render(page.read_text()) != page.read_text()]
    if "--check" in sys.argv:
        for page in stale:
            print(f"{page.relative_to(ROOT)} is stale: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for page in stale:
        page.write_text(render(page.read_text()))
    return 0


def _keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        nested = _models(field.annotation)
        if nested:
            for inner, suffix in nested:
                yield from _keys(inner, f"{prefix}{name}{suffix}.")
        else:
            yield f"`{prefix}{name}`", _default(field), field.description or ""


def _models(annotation: object) -> list[tuple[type[BaseModel], str]]:
    """Models inside an annotation, with how a path goes on: a list item, a name of the owner's, or nothing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, "")]
    origin = getattr(annotation, "__origin__", None)
    suffix = {tuple: "[]", list: "[]", dict: ".NAME"}.get(origin, "")  # type: ignore[arg-type]
    inner = [m for arg in getattr(annotation, "__args__", ()) for m, _ in _models(arg)]
    return [(model, suffix) for model in inner]


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)}`"


def _verbs(command: object, name: str) -> Iterator[tuple[str, str]]:
    for sub, child in sorted(getattr(command, "commands", {}).items()):
        if getattr(child, "commands", None):
            yield from _verbs(child, f"{name} {sub}")
        else:
            yield f"`{name} {sub}`", (child.help or "").split("\n")[0]


def _table(head: tuple[str, ...], rows: object) -> str:
    lines = [head, ("---",) * len(head), *rows]  # type: ignore[misc]
    return "".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
