"""Ethereum mainnet's addresses: the market that every local chain here reproduces."""

from bot.core.types import Feed, Market, PoolSpec, Token
from bot.core.units import Pips

USDC = Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6)
WETH = Token("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18)
WBTC = Token("0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", "WBTC", 8)
DAI = Token("0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI", 18)
LINK = Token("0x514910771AF9Ca656af840dff83E8264EcF986CA", "LINK", 18)
USDT = Token("0xdAC17F958D2ee523a2206206994597C13D831ec7", "USDT", 6)

SWAP_ROUTER_V1 = "0xE592427A0AEce92De3Edee1F18E0157C05861564"  # the market's `swap_router` is its successor

TWAP_WINDOW_S = 1_800
HOURLY_S = 3_900  # Chainlink's heartbeat of one hour, and five minutes for the transaction to land
DAILY_S = 90_000  # heartbeat of one day, and an hour


def _v3(address: str, token0: Token, token1: Token, fee: int, tick_spacing: int) -> PoolSpec:
    name = f"{token0.symbol}/{token1.symbol}-{fee}"
    return PoolSpec(name, "v3", address, token0, token1, Pips(fee), tick_spacing, TWAP_WINDOW_S)


MAINNET = Market(
    chain_id=1,
    tokens=(USDC, WETH, WBTC, DAI, LINK, USDT),
    feeds=(
        Feed(USDC, "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", 8, DAILY_S),
        Feed(WETH, "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", 8, HOURLY_S),
        Feed(WBTC, "0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c", 8, HOURLY_S),  # bitcoin's: WBTC has none in dollars
        Feed(DAI, "0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9", 8, HOURLY_S),
        Feed(LINK, "0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c", 8, HOURLY_S),
        Feed(USDT, "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D", 8, DAILY_S),
    ),
    pools=(
        _v3("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", USDC, WETH, 500, 10),
        _v3("0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8", USDC, WETH, 3_000, 60),
        _v3("0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35", WBTC, USDC, 3_000, 60),
        _v3("0xCBCdF9626bC03E24f779434178A73a0B4bad62eD", WBTC, WETH, 3_000, 60),
        _v3("0xa6Cc3C2531FdaA6Ae1A3CA84c2855806728693e8", LINK, WETH, 3_000, 60),
        _v3("0xC2e9F25Be6257c210d7Adf0D4Cd6E3E881ba25f8", DAI, WETH, 3_000, 60),
        _v3("0x4e68Ccd3E89f51C3074ca5072bbAC773960dFa36", WETH, USDT, 3_000, 60),
        PoolSpec("USDC/WETH-v2", "v2", "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", USDC, WETH, Pips(3_000), 0, 0),
    ),
    wrapped=WETH,
    multicall3="0xcA11bde05977b3631167028862bE2a173976CA11",
    tick_lens="0xbfd8137f7d1516D3ea5cA83523914859ec47F573",
    v3_factory="0x1F98431c8aD98523631AE4a59f267346ea31F984",
    position_manager="0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
    quoter_v2="0x61fFE014bA17989E743c5F6cB21bF9697530B21e",
    swap_router="0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
    v2_factory="0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
    v2_router="0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D",
)
