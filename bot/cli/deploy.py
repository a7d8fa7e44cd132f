"""`evenkeel vault deploy`: what will stand there and what it costs is said first, then a person is asked."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bot.cli.options import confirm
from bot.cli.session import signer_of

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.ports import Rpc
    from bot.execution.treasury import VaultSetup


async def deploy_all(config: "Config", yes: bool) -> dict[str, str]:
    """The addresses of a new vault, its zap and a lens, as the section `account` names them."""
    from bot.cli.show import say
    from bot.config.wiring import connect, market, vault_setup
    from bot.execution import treasury
    from bot.venues.market import verify_market

    owner = signer_of(config)
    setup = vault_setup(config, owner.address)
    async with AsyncExitStack() as stack:
        rpc = await connect(config, stack)
        await verify_market(rpc, market(config))
        for sentence in [*described(setup, config.chain.id), await cost_words(rpc, setup)]:
            say(sentence)
        confirm("Deploy it, with a zap and a lens?", yes)
        vault = await treasury.deploy_vault(rpc, owner, setup)
        say(f"vault {vault}, charter {await treasury.charter_of(rpc, vault)}")
        zap = await treasury.deploy_zap(rpc, owner, vault)
        lens = await treasury.deploy_lens(rpc, owner)
    return {"vault": vault, "zap": zap, "lens": lens}


def described(setup: "VaultSetup", chain_id: int) -> Iterator[str]:
    """Everything that a new vault is set up with, a line each."""
    tokens = ", ".join(feed.token.symbol for feed in setup.feeds)
    yield f"deploy vault {setup.name!r} ({setup.symbol}) of {tokens} on chain {chain_id}"
    yield f"  owner {setup.owner}, keeper {setup.keeper}, guardian {setup.guardian}"
    yield f"  pools: {', '.join(pool.name for pool in setup.pools) or 'none'}"
    limits = setup.limits
    yield (
        f"  limits: a bundle loses at most {limits.bundle_loss_bps} bps and a day {limits.day_loss_bps} bps of the "
        f"vault's value; a day turns over at most {limits.day_turnover_bps:,} bps"
    )
    yield f"  limits: pools within {limits.deviation_bps} bps of the feeds; {limits.cooldown_s:,} s between two bundles"
    corridors = zip(setup.feeds, setup.corridors, strict=True)
    yield "  corridors: " + ", ".join(
        f"{feed.token.symbol} {least / 100:g}% to {most / 100:g}%" for feed, (least, most) in corridors
    )
    yield (
        f"  delay: {setup.delay_s:,} s; what widens any of this takes so long after it was asked for, "
        "while everybody can leave"
    )


async def cost_words(rpc: "Rpc", setup: "VaultSetup") -> str:
    """What it costs, and what the owner has. DataError when that is not enough."""
    from bot.chain.gas import gas_price
    from bot.core.errors import DataError
    from bot.core.units import to_units
    from bot.execution.deploy_cost import deploy_gas

    gas, price = await deploy_gas(rpc, setup.owner, setup), await gas_price(rpc)
    each = price.base_fee + price.tip
    cost, held = gas * each, int(await rpc.call("eth_getBalance", setup.owner, "latest"), 16)
    has = f"{setup.owner} has {to_units(held, 18):.4f} ether"
    said = f"about {gas:,} gas in four contracts, {to_units(cost, 18):.4f} ether at {to_units(each, 9):.3f} gwei"
    if held < cost:
        raise DataError(f"expected ether for {said}, found that {has}; fund it; nothing was sent")
    return f"  cost: {said}; {has}"
