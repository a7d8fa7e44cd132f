"""`evenkeel init` and `evenkeel config`: a first configuration, and what the one at hand says."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import AsJson, Files, settings

if TYPE_CHECKING:
    from bot.config import Config

STARTER = {
    "evenkeel.yaml": "mainnet.yaml",
    "local.yaml": "local.yaml",
    "policy.yaml": "policy.yaml",
    "config.schema.json": "config.schema.json",
}  # file written -> file of ours

config_app = typer.Typer(help="Check or show the configuration.", no_args_is_help=True)


def init(
    directory: Annotated[Path, typer.Argument(help="Where to write; made when it is not there.")] = Path("."),
    as_json: AsJson = False,
) -> None:
    """Write a first configuration and policy. Never overwrites."""
    from bot.cli.show import emit, lines
    from bot.config.starter import starter_file
    from bot.core.errors import ConfigError

    files = {directory / name: starter_file(source).read_text(encoding="utf-8") for name, source in STARTER.items()}
    if there := [str(path) for path in files if path.exists()]:
        raise ConfigError(f"expected a place without {', '.join(there)}, found them there; nothing was written")
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    said = [f"wrote {path}" for path in files]
    where = f"cd {directory} && " if directory != Path(".") else ""
    following = f"next: {where}evenkeel config check, then evenkeel doctor"
    emit({"wrote": [str(path) for path in files]}, as_json, lines(*said, following))


@config_app.command()
def check(files: Files = None, as_json: AsJson = False) -> None:
    """Check the configuration and the policy without asking a node."""
    from bot.cli.show import emit, lines
    from bot.config import load_policy

    config = settings(files)
    policy = load_policy(config)
    targets = ", ".join(f"{symbol} {weight:.1%}" for symbol, weight in policy.targets.items())
    result = {"ok": True, "policy": policy.version, "name": policy.name, "targets": policy.targets}
    emit(result, as_json, lines("configuration ok", f"policy {policy.name!r} ok (version {policy.version}): {targets}"))


@config_app.command()
def show(files: Files = None, as_json: AsJson = False) -> None:
    """Show what all files and the environment together say; secrets are hidden."""
    from bot.cli.show import emit

    shown = without_secrets(settings(files))

    def draw(_: object) -> None:
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 120
        yaml.dump(shown, sys.stdout)

    emit(shown, as_json, draw)


@config_app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file: every key, its unit and its bounds."""
    import json

    from bot.config import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")


def without_secrets(config: "Config") -> dict[str, Any]:
    """The configuration as plain values; of addresses with credentials in them only what is public."""
    from sqlalchemy import make_url

    from bot.chain.rpc import without_credentials

    shown = config.model_dump(mode="json", exclude_none=True)
    shown["chain"]["rpc"] = [without_credentials(url) for url in config.chain.rpc]
    shown["journal"]["url"] = make_url(config.journal.url).render_as_string(hide_password=True)
    return shown


VERBS = (init,)
