"""The command line: verbs, one file per group; here they meet, and errors become a line and an exit code."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli import act, chain, demo, doctor, logs, look, lp, setup, vault
from bot.core.errors import EvenkeelError

EVERYWHERE = ("--debug", "--log-json")  # options that may stand before or after the verb

app = typer.Typer(
    name="evenkeel",
    help="Keeps a DeFi portfolio on an even keel.",
    epilog="Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 out of band or a check failed, "
    "5 chain or node, 6 refused by a limit or a person.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich would take three quarters of its time
    pretty_exceptions_enable=False,  # its tracebacks show local variables, and so secrets
)
for group in (setup, doctor, look, lp, act):
    for verb in group.VERBS:
        app.command()(verb)
app.command("demo")(demo.demo)
app.add_typer(setup.config_app, name="config")
app.add_typer(vault.app, name="vault")
app.add_typer(chain.app, name="chain")


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Log more, and show where an error was raised.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, one object a line.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=lambda v: _say_version(v)
        ),
    ] = False,
) -> None:
    context.obj = logs.Logs(debug, log_json)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("evenkeel"))
        raise typer.Exit


def main() -> None:
    """The console script `evenkeel`; never returns."""
    raise SystemExit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command line; the exit code. A traceback only for --debug, or for a defect of ours."""
    words = sorted(words, key=lambda word: word not in EVERYWHERE)  # a stable sort: they come first
    try:
        app(words)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    except EvenkeelError as error:
        if "--debug" in words:
            raise
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        return error.exit_code
    return 0
