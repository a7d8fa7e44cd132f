"""A vault on any tokens, feeds and pools: the one place of these tests that deploys one or asks what it holds."""

from collections.abc import Callable, Sequence
from typing import Any

import boa

from tests.contracts.market import load
from tests.contracts.vault.words import state_of, with_hints, words_of
from tests.contracts.vault.world import DAY_S, LIMITS, UNISWAP, World, deploy_vault, token_setup, vault_source


def deploy(
    world: World,
    tokens: Sequence[Any],
    feeds: Sequence[Any],
    pools: Sequence[tuple[str, int, int, int]] = (),
    limits: tuple[int, ...] = LIMITS,
    source: Callable[[], dict[str, Any]] = vault_source,
    owner: str | None = None,
) -> Any:
    """A vault and its charter, with the world's people; `pools` are (address, kind, fee, window)."""
    setups = [token_setup(token, feed) for token, feed in zip(tokens, feeds, strict=True)]
    people = (owner or world.owner, world.keeper, world.guardian)
    return deploy_vault("Small", "SMALL", *people, DAY_S, setups, list(pools), limits, source=source)


def mint(vault: Any, tokens: Sequence[Any], who: str, shares: int, most: Sequence[int]) -> list[int]:
    """Give somebody `most` of each token and let him mint with it."""
    for token, amount in zip(tokens, most, strict=True):
        token.mint(who, amount)
        token.approve(vault.address, 0, sender=who)
        token.approve(vault.address, amount, sender=who)
    return list(vault.mint(shares, list(most), who, 2**255, sender=who))


def redeem(vault: Any, who: str, shares: int, skip: int = 0) -> list[int]:
    return list(vault.redeem(shares, [0] * words_of(vault).token_count, who, 2**255, skip, sender=who))


def execute(vault: Any, keeper: str, *actions: tuple[int, int]) -> list[tuple[int, int]]:
    """On the present sequence; pools with a window get their hints."""
    now = int(boa.env.timestamp)
    hinted = with_hints(words_of(vault), actions, UNISWAP.at, now)
    return list(vault.execute(hinted, [], state_of(vault, now).sequence, 2**255, sender=keeper))


def cost(vault: Any, shares: int) -> list[int]:
    """What minting so many shares takes now."""
    return list(vault.preview_mint(shares))


def holdings(vault: Any) -> list[int]:
    return list(load("Lens.vy").holdings(vault.address))


def positions(vault: Any) -> list[int]:
    return words_of(vault).position_words()


def nav(vault: Any) -> int:
    return int(load("Lens.vy").nav(vault.address))
