"""`evenkeel chain`: a chain on this machine, with the whole market at its mainnet addresses, until Ctrl-C."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import AsJson

if TYPE_CHECKING:
    import asyncio

    from bot.chain.grades import Chain

ACCOUNTS = 5  # of anvil's test accounts get tokens
FRESH_S = 1_800  # twice within the age that the market's shortest feed allows
STOCK = {"USDC": Decimal(1_000_000), "WETH": Decimal(300), "WBTC": Decimal(10)}

Fresh = Annotated[
    bool, typer.Option("--fresh-feeds", help="Renew the feeds' answers every half hour: they stand, and stay fresh.")
]

app = typer.Typer(help="Run a chain on this machine, in the foreground.", no_args_is_help=True)


@app.command()
def replica(fresh: Fresh = False, as_json: AsJson = False) -> None:
    """Mainnet's contracts and pools, rebuilt offline from published bytecode."""
    from bot.chain.grades import replica

    _serve(replica(), "replica", as_json, fresh)


@app.command()
def state(
    file: Annotated[Path, typer.Argument(help="Dump of anvil, plain or gzip.")],
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """A recorded state of mainnet."""
    from bot.chain.grades import state

    _serve(state(file), "state", as_json, fresh)


@app.command()
def fork(
    url: Annotated[str, typer.Option("--url", help="JSON-RPC address of an Ethereum mainnet node.")],
    block: Annotated[int | None, typer.Option("--block", help="Block to pin; by default the newest.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """A live fork of a mainnet node."""
    from bot.chain.grades import fork

    _serve(fork(url, block), "fork", as_json)


def _serve(chain: "AbstractAsyncContextManager[Chain]", grade: str, as_json: bool, fresh: bool = False) -> None:
    import asyncio

    asyncio.run(_until_stopped(chain, grade, as_json, fresh))


async def _until_stopped(grade: "AbstractAsyncContextManager[Chain]", name: str, as_json: bool, fresh: bool) -> None:
    import asyncio
    import signal
    import sys

    from bot.cli.show import emit, say

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say(f"starting the {name} ...")
    async with grade as chain:
        market = chain.market
        addresses = {pool.name: pool.address for pool in market.pools} | {t.symbol: t.address for t in market.tokens}
        accounts = await _stock(chain)
        result = {"grade": name, "url": chain.url, "addresses": addresses, "accounts": accounts}
        emit(result, as_json, lambda console: console.print(_told(chain.url, addresses, accounts), markup=False))
        sys.stdout.flush()
        say("Ctrl-C stops it.")
        await (keep_fresh(chain, stop) if fresh else stop.wait())
    say("stopped")


async def keep_fresh(chain: "Chain", stop: "asyncio.Event", every_s: float = FRESH_S) -> None:
    """Renew the feeds' answers until it is stopped: the prices stand, but do not grow old."""
    import asyncio

    from bot.chain.grades import renew_feeds

    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            await renew_feeds(chain.rpc)


async def _stock(chain: "Chain") -> list[str]:
    """Give anvil's test accounts tokens to deposit, and name them."""
    from bot.chain.abi import checksum
    from bot.chain.cheats import deal
    from bot.core.units import to_raw_floor

    accounts = [checksum(account) for account in (await chain.rpc.call("eth_accounts"))[:ACCOUNTS]]
    for account in accounts:
        for symbol, units in STOCK.items():
            token = chain.market.token(symbol)
            await deal(chain.rpc, token.address, account, to_raw_floor(units, token.decimals))
    return accounts


def _told(url: str, addresses: dict[str, str], accounts: list[str]) -> str:
    """What a person needs to use the chain: the address first, ready to paste."""
    rows = [f"  {name:<16} {address}" for name, address in addresses.items()]
    funded = [f"  {account}" for account in accounts]
    stock = ", ".join(f"{units} {symbol}" for symbol, units in STOCK.items())
    test = f"anvil's test accounts, each with ether, {stock}; their keys are public: never send them real money"
    return "\n".join([f"export EVENKEEL_CHAIN__RPC={url}", "", "market", *rows, "", test, *funded])
