"""Puts the contracts of the mainnet market at their mainnet addresses, wherever there is no code yet.

A contract's address follows from its deployer and that account's nonce; so the original deployer, impersonated at the
original nonce, brings the published creation code to the original address.
"""

from dataclasses import dataclass
from typing import Any

from bot.chain import cheats
from bot.chain.abi import checksum, decode, encode, encode_call, load
from bot.chain.mainnet import MAINNET, SWAP_ROUTER_V1
from bot.chain.toolchain import creation_codes
from bot.core.errors import Broken
from bot.core.ports import Rpc
from bot.core.types import Feed, Token
from bot.core.units import ETHER_DECIMALS

UNISWAP_V3_DEPLOYER = "0x6C9FC64A53c1b71FB3f9Af64d1ae3A4931A5f4E9"
UNISWAP_V2_DEPLOYER = "0x9C33eaCc2F50E39940D3AfaF2c7B8246B681A374"
WETH_DEPLOYER = "0x4F26FfBe5F04ED43630fdC30A87638d53D0b0876"
NFT_DESCRIPTOR = "0x91ae842A5Ffd8d12023116943e72A606179294f3"  # draws pictures of positions; we leave it without code
DEPLOY_GAS = 8_000_000  # the largest, SwapRouter02, takes 5.4 million
ETHER_FOR_ALL = 10_000_000 * 10**ETHER_DECIMALS  # behind dealt WETH, so that it can be unwrapped


@dataclass(frozen=True, slots=True)
class Deployment:
    """How a contract came to its address."""

    address: str
    name: str  # of the published creation code
    deployer: str
    nonce: int
    arguments: tuple[str, ...] = ()  # addresses, all of them


_M = MAINNET
DEPLOYMENTS = (
    Deployment(_M.wrapped.address, "WETH9", WETH_DEPLOYER, 446),
    Deployment(_M.v3_factory, "UniswapV3Factory", UNISWAP_V3_DEPLOYER, 0),
    Deployment(_M.tick_lens, "TickLens", UNISWAP_V3_DEPLOYER, 2),
    Deployment(SWAP_ROUTER_V1, "SwapRouter", UNISWAP_V3_DEPLOYER, 4, (_M.v3_factory, _M.wrapped.address)),
    Deployment(
        _M.position_manager,
        "NonfungiblePositionManager",
        UNISWAP_V3_DEPLOYER,
        8,
        (_M.v3_factory, _M.wrapped.address, NFT_DESCRIPTOR),
    ),
    Deployment(_M.quoter_v2, "QuoterV2", UNISWAP_V3_DEPLOYER, 13, (_M.v3_factory, _M.wrapped.address)),
    Deployment(
        _M.swap_router,
        "SwapRouter02",
        UNISWAP_V3_DEPLOYER,
        14,
        (_M.v2_factory, _M.v3_factory, _M.position_manager, _M.wrapped.address),
    ),
    Deployment(_M.v2_factory, "UniswapV2Factory", UNISWAP_V2_DEPLOYER, 0, (UNISWAP_V2_DEPLOYER,)),
    Deployment(_M.v2_router, "UniswapV2Router02", UNISWAP_V2_DEPLOYER, 3, (_M.v2_factory, _M.wrapped.address)),
)


async def has_code(rpc: Rpc, address: str) -> bool:
    """Whether a contract stands there now."""
    return bool(await rpc.call("eth_getCode", address, "latest") != "0x")


async def read(rpc: Rpc, address: str, signature: str, returns: tuple[str, ...]) -> tuple[Any, ...]:
    """What a function without arguments answers now; trailing values may be left out of `returns`."""
    call = {"to": address, "data": "0x" + encode_call(signature).hex()}
    return decode(returns, bytes.fromhex((await rpc.call("eth_call", call, "latest"))[2:]))


async def missing_code(rpc: Rpc) -> list[str]:
    """Addresses of the market, pools included, without a contract."""
    wanted = [deployment.address for deployment in DEPLOYMENTS]
    wanted += [_M.multicall3, *(token.address for token in _M.tokens), *(feed.address for feed in _M.feeds)]
    wanted += [pool.address for pool in _M.pools]
    return [address for address in wanted if not await has_code(rpc, address)]


async def ensure_contracts(rpc: Rpc) -> None:
    """Everything of the market but its pools; what is there already stays. Broken when an address comes out wrong."""
    codes = creation_codes()
    for deployment in DEPLOYMENTS:
        if not await has_code(rpc, deployment.address):
            await _deploy(rpc, deployment, codes[deployment.name])
    if not await has_code(rpc, _M.multicall3):
        await cheats.set_code(rpc, _M.multicall3, load("Multicall3").runtime)
    for token in _M.tokens:
        if not await has_code(rpc, token.address):
            await _stand_in_token(rpc, token)
    for feed in _M.feeds:
        if not await has_code(rpc, feed.address):
            await stand_in_feed(rpc, feed)


async def stand_in_feed(rpc: Rpc, feed: Feed) -> None:
    """Put our own settable feed at a feed's address; it has no answer until the first `set_answer`."""
    code = await _constructed(rpc, "Feed", ("uint8", "string"), feed.decimals, f"{feed.token.symbol} / USD")
    await cheats.set_code(rpc, feed.address, code)
    for slot in range(4):  # forget what the former contract kept where ours keeps its rounds
        await cheats.set_storage(rpc, feed.address, slot, 0)


async def _stand_in_token(rpc: Rpc, token: Token) -> None:
    types = ("string", "string", "uint8")
    code = await _constructed(rpc, "Token", types, token.symbol, token.symbol, token.decimals)
    await cheats.set_code(rpc, token.address, code)


async def _constructed(rpc: Rpc, name: str, types: tuple[str, ...], *arguments: object) -> bytes:
    """Runtime code of one of our contracts, immutables filled in: what its constructor returns."""
    creation = load(name).bytecode + encode(types, *arguments)
    return bytes.fromhex((await rpc.call("eth_call", {"data": "0x" + creation.hex()}, "latest"))[2:])


async def _deploy(rpc: Rpc, deployment: Deployment, creation: bytes) -> None:
    deployer = deployment.deployer
    nonce = int(await rpc.call("eth_getTransactionCount", deployer, "latest"), 16)
    await cheats.set_ether(rpc, deployer, ETHER_FOR_ALL)
    await cheats.set_nonce(rpc, deployer, deployment.nonce)
    data = creation + encode(("address",) * len(deployment.arguments), *deployment.arguments)
    receipt = await cheats.send_as(rpc, deployer, None, data, gas=DEPLOY_GAS)
    await cheats.set_nonce(rpc, deployer, max(nonce, deployment.nonce + 1))
    if checksum(receipt["contractAddress"]) != deployment.address:
        raise Broken(f"expected {deployment.name} at {deployment.address}, found it at {receipt['contractAddress']}")
    if deployment.address == _M.wrapped.address:
        await cheats.set_ether(rpc, deployment.address, ETHER_FOR_ALL)
