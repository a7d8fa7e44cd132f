"""Amounts and tokens as people write them, and the addresses that a verb cannot do without."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bot.core.errors import ConfigError, DataError, UsageError
from bot.core.types import Amount, Token
from bot.core.units import Raw

if TYPE_CHECKING:
    from bot.config import Config

SHARE_DECIMALS = 18


def amount_of(tokens: Sequence[Token], word: str) -> Amount:
    """`USDC=1000` as an amount of one of the tokens. UsageError when it is none."""
    symbol, equals, units = word.partition("=")
    if not equals:
        raise UsageError(f"expected SYMBOL=UNITS such as USDC=1000, found {word!r}")
    token = token_of(tokens, symbol)
    return Amount(token, Raw(raw_of(units, token.decimals)))


def token_of(tokens: Sequence[Token], symbol: str) -> Token:
    """One of a vault's tokens by symbol. UsageError, naming them, when it is none."""
    for token in tokens:
        if token.symbol == symbol:
            return token
    known = ", ".join(token.symbol for token in tokens)
    raise UsageError(f"expected a token of the vault ({known}), found {symbol!r}")


def raw_of(units: str, decimals: int) -> int:
    """Whole units in the smallest unit; exact, above 0. UsageError otherwise."""
    try:
        raw = Decimal(units).scaleb(decimals)
    except InvalidOperation:
        raise UsageError(f"expected a number such as 0.25, found {units!r}") from None
    if not raw.is_finite() or raw <= 0 or raw != raw.to_integral_value():
        raise UsageError(f"expected a number above 0 with at most {decimals} decimals, found {units!r}")
    return int(raw)


def shares_of(words: str, held: int, holder: str, vault: str) -> int:
    """`all`, or so many shares. UsageError when it is no number of shares, DataError when `holder` has not so many."""
    shares = held if words == "all" else raw_of(words, SHARE_DECIMALS)
    if shares > held or not held:
        most = f"{Decimal(held).scaleb(-SHARE_DECIMALS):,f} shares" if held else "none"
        wanted = "shares" if words == "all" else f"{words} shares"
        raise DataError(f"expected {wanted} of vault {vault} at {holder}, found {most}; is it the right key?")
    return shares


def digits(value: Decimal) -> str:
    """All digits of a decimal, for programs: no zeros at the end, no power of ten."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def vault_address(config: "Config") -> str:
    """The vault's address. ConfigError when there is none."""
    if config.account.vault is None:
        raise ConfigError(
            "account.vault: expected the vault, found none; add the file that names it with --config, "
            "or make one with `evenkeel vault deploy`"
        )
    return config.account.vault


def zap_address(config: "Config") -> str:
    """The zap's address. ConfigError when there is none."""
    if config.account.zap is None:
        raise ConfigError("account.zap: expected the zap of the vault, found none; deposit or redeem in kind instead")
    return config.account.zap
