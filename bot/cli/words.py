"""Amounts and tokens as people write them, and the addresses that a verb cannot do without."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bot.core.errors import ConfigError, UsageError
from bot.core.types import Amount, Market, Token
from bot.core.units import Raw

if TYPE_CHECKING:
    from bot.config import Config

SHARE_DECIMALS = 18


def amount_of(market: Market, word: str) -> Amount:
    """`USDC=1000` as an amount. UsageError when it is none."""
    symbol, equals, units = word.partition("=")
    if not equals:
        raise UsageError(f"expected SYMBOL=UNITS such as USDC=1000, found {word!r}")
    token = token_of(market, symbol)
    return Amount(token, Raw(raw_of(units, token.decimals)))


def token_of(market: Market, symbol: str) -> Token:
    """A token by symbol. UsageError when the market does not list it."""
    try:
        return market.token(symbol)
    except KeyError:
        known = ", ".join(token.symbol for token in market.tokens)
        raise UsageError(f"expected a symbol of market.tokens ({known}), found {symbol!r}") from None


def raw_of(units: str, decimals: int) -> int:
    """Whole units in the smallest unit; exact, above 0. UsageError otherwise."""
    try:
        raw = Decimal(units).scaleb(decimals)
    except InvalidOperation:
        raise UsageError(f"expected a number such as 0.25, found {units!r}") from None
    if not raw.is_finite() or raw <= 0 or raw != raw.to_integral_value():
        raise UsageError(f"expected a number above 0 with at most {decimals} decimals, found {units!r}")
    return int(raw)


def shares_of(words: str, owned: int) -> int:
    """`all`, or so many shares. UsageError when it is more than `owned`."""
    shares = owned if words == "all" else raw_of(words, SHARE_DECIMALS)
    if not 0 < shares <= owned:
        most = Decimal(owned).scaleb(-SHARE_DECIMALS)
        raise UsageError(f"expected above 0 and at most the {most:,f} shares held, found {words}")
    return shares


def vault_address(config: "Config") -> str:
    """The vault's address. ConfigError when there is none."""
    if config.account.vault is None:
        raise ConfigError("account.vault: expected the vault, found none; `evenkeel vault deploy` makes one")
    return config.account.vault


def zap_address(config: "Config") -> str:
    """The zap's address. ConfigError when there is none."""
    if config.account.zap is None:
        raise ConfigError("account.zap: expected the zap of the vault, found none; deposit or redeem in kind instead")
    return config.account.zap
