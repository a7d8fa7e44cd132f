"""`evenkeel vault`: deploy one, look at it, put money in and take it out, and stop it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import rule
from bot.cli.options import AsJson, Files, Yes, settings
from bot.cli.words import vault_address
from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from bot.config import Config

Cushion = Annotated[
    int,
    typer.Option("--cushion-bps", help="How much worse than seen now is still accepted (bps).", min=0, max=500),
]

SetAside = Annotated[
    list[str] | None,
    typer.Option(
        "--set-aside", help="Symbol of a token that cannot move now: its part is kept for you to claim. Again for more."
    ),
]

app = typer.Typer(help="The vault: deploy, look, deposit, redeem, claim, and stop it.", no_args_is_help=True)


@app.command()
def deploy(
    files: Files = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write the addresses there, as an overlay.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Deploy a vault, its charter, a zap and a lens as the section `vault` says. The key in `key` pays and is owner."""
    import asyncio

    from bot.cli.deploy import deploy_all
    from bot.cli.show import emit, lines

    if write is not None and write.exists():
        said = "name another, or remove it if its chain is no more; nothing was deployed"
        raise ConfigError(f"expected no file at {write}, found one; {said}")
    account = asyncio.run(deploy_all(settings(files), yes))
    overlay = "account:\n" + "".join(f'  {name}: "{address}"\n' for name, address in account.items())
    if write is not None:
        write.write_text(overlay, encoding="utf-8")
    said = f"wrote {write}; add it with --config" if write else "put this into the configuration:\n" + overlay
    emit(account, as_json, lines(said))


@app.command()
def info(files: Files = None, as_json: AsJson = False) -> None:
    """Show the vault: roles, changes that wait, limits and what is used of them, corridors, fee, holdings, owed."""
    import asyncio

    asyncio.run(_info(settings(files), as_json))


@app.command()
def deposit(
    amounts: Annotated[list[str] | None, typer.Argument(help="In kind: SYMBOL=UNITS, the most of each token.")] = None,
    zap: Annotated[str | None, typer.Option("--zap", help="In one token instead: SYMBOL=UNITS.")] = None,
    cushion_bps: Cushion = 20,
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Deposit in kind, or in one token through the zap, for shares of the vault."""
    import asyncio

    from bot.cli import money

    if bool(amounts) == bool(zap):
        raise typer.BadParameter("give either amounts in kind (USDC=1000 WETH=0.3) or --zap USDC=1000")
    config = settings(files)
    if zap:
        asyncio.run(money.deposit_zap(config, zap, cushion_bps, yes, as_json))
    else:
        asyncio.run(money.deposit_in_kind(config, amounts or [], cushion_bps, yes, as_json))


@app.command(context_settings={"ignore_unknown_options": True})  # so that -5 is a number, and a wrong one
def redeem(
    shares: Annotated[str, typer.Argument(help="How many shares, or `all`.")],
    zap: Annotated[str | None, typer.Option("--zap", help="Receive this one token instead of a slice of all.")] = None,
    set_aside: SetAside = None,
    cushion_bps: Cushion = 20,
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Redeem shares for a slice of everything, or for one token through the zap. In kind needs no price at all."""
    import asyncio

    from bot.cli import money

    if zap and set_aside:
        raise typer.BadParameter("give either --zap or --set-aside: what is set aside cannot be traded")
    asyncio.run(money.redeem(settings(files), shares, zap, set_aside or [], cushion_bps, yes, as_json))


@app.command()
def claim(
    symbol: Annotated[str, typer.Argument(help="Symbol of a token of which a redemption set something aside for you.")],
    files: Files = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Claim what redemptions set aside of a token that could not move."""
    import asyncio

    from bot.cli import money

    asyncio.run(money.claim(settings(files), symbol, yes, as_json))


async def _info(config: "Config", as_json: bool) -> None:
    from bot.cli.session import node
    from bot.cli.show import emit, lines
    from bot.cli.vault_info import plain, read_info, said

    async with node(config) as rpc:
        found = await read_info(rpc, config, vault_address(config))
    emit(plain(found), as_json, lines(*said(found)))


for verb in rule.VERBS:
    app.command()(verb)
