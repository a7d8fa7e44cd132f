"""Tokens: balances and what they say of themselves."""

from bot.chain.multicall import Call, Reading
from bot.core.types import Amount, Token
from bot.core.units import ETHER_DECIMALS, Raw

ETHER = Token("0x0000000000000000000000000000000000000000", "ETH", ETHER_DECIMALS)


def balance_of(token: str, holder: str) -> Call:
    """Ask for a balance in the token's smallest unit."""
    return Call.of(token, "balanceOf(address)", holder, returns=("uint256",))


def decimals(token: str) -> Call:
    """Ask for the token's decimals."""
    return Call.of(token, "decimals()", returns=("uint8",))


def balances(tokens: tuple[Token, ...], holder: str, multicall3: str) -> Reading[tuple[Amount, ...]]:
    """Read a holder's tokens, in their order, and last the native coin where it holds any."""
    ether_of = Call.of(multicall3, "getEthBalance(address)", holder, returns=("uint256",))
    *found, (ether,) = yield [*(balance_of(token.address, holder) for token in tokens), ether_of]
    held = tuple(Amount(token, Raw(raw)) for token, (raw,) in zip(tokens, found, strict=True))
    return (*held, Amount(ETHER, Raw(ether))) if ether else held
