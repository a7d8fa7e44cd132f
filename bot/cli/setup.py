"""`evenkeel init` and `evenkeel config`: a first configuration, and what the one at hand says."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import AsJson, Files, settings

if TYPE_CHECKING:
    from bot.config import Config
    from bot.policy.rules import Policy

STARTER = {
    "evenkeel.yaml": "mainnet.yaml",
    "local.yaml": "local.yaml",
    "policy.yaml": "policy.yaml",
    "config.schema.json": "config.schema.json",
    "policy.schema.json": "policy.schema.json",
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
    following = f"next: {where}evenkeel config check; evenkeel doctor; evenkeel vault deploy"
    emit({"wrote": [str(path) for path in files]}, as_json, lines(*said, following))


@config_app.command()
def check(files: Files = None, as_json: AsJson = False) -> None:
    """Check the configuration and the policy without asking a node."""
    from bot.cli.show import emit, lines
    from bot.config import load_policy

    config = settings(files)
    policy = load_policy(config)
    targets = ", ".join(f"{symbol} {weight:.1%}" for symbol, weight in policy.targets.items())
    notes = list(_outside_corridors(config, policy))
    result = {"ok": True, "policy": policy.version, "name": policy.name, "targets": policy.targets, "notes": notes}
    said = ["configuration ok", f"policy {policy.name!r} ok (version {policy.version}): {targets}"]
    emit(result, as_json, lines(*said, *(f"note: {note}" for note in notes)))


def _outside_corridors(config: "Config", policy: "Policy") -> Iterator[str]:
    """Targets that a vault deployed as the section `vault` says would not let a bundle reach."""
    from bot.core.units import ONE_BPS

    section = config.vault
    for symbol, weight in policy.targets.items() if section else ():
        if section and symbol not in section.tokens:
            yield f"the policy names {symbol}, vault.tokens do not"
        elif section and not section.corridors[symbol][0] <= weight * ONE_BPS <= section.corridors[symbol][1]:
            least, most = section.corridors[symbol]
            yield f"target of {symbol}, {weight:.2%}, is outside vault.corridors, {least / 100:g}% to {most / 100:g}%"


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
def schema(
    policy: Annotated[bool, typer.Option("--policy", help="Of the policy file instead.")] = False,
) -> None:
    """Print the JSON Schema of the configuration file, or of the policy: every key, its unit and its bounds."""
    import json

    from bot.config import json_schema, policy_schema

    sys.stdout.write(json.dumps(policy_schema() if policy else json_schema(), indent=2) + "\n")


def without_secrets(config: "Config") -> dict[str, Any]:
    """The configuration as plain values; of addresses with credentials in them only what is public."""
    from sqlalchemy import make_url

    from bot.chain.rpc import without_credentials

    shown = config.model_dump(mode="json", exclude_none=True)
    shown["chain"]["rpc"] = [without_credentials(url) for url in config.chain.rpc]
    shown["journal"]["url"] = make_url(config.journal.url).render_as_string(hide_password=True)
    return shown


VERBS = (init,)
