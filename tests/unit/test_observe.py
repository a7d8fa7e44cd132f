"""What an observer refuses before it asks anything. The rest is in tests/chain/test_observe.py."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chain.mainnet import MAINNET
from bot.core.errors import ChainError, ConfigError
from bot.observe import ChainObserver
from bot.prices.history import History

WALLET = "0x0000000000000000000000000000000000B0B001"


class Node:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def call(self, method: str, *params: Any) -> Any:
        return self.answer


def test_observer__a_token_without_feed__is_a_config_error() -> None:
    market = replace(MAINNET, feeds=MAINNET.feeds[:2])
    with pytest.raises(ConfigError, match="found none for WBTC"):
        ChainObserver(Node(None), market, WALLET, "wallet", History(MAINNET.tokens[:3], 60, 3))


def test_observer__no_feed_for_the_native_coin__is_a_config_error() -> None:
    market = replace(MAINNET, feeds=MAINNET.feeds[:1])
    with pytest.raises(ConfigError, match="found none for WETH"):
        ChainObserver(Node(None), market, WALLET, "wallet", History(MAINNET.tokens[:1], 60, 3))


@pytest.mark.parametrize("block", [None, {"number": "0x1", "hash": "0x", "timestamp": "0x1"}])
async def test_observe__no_block_with_a_base_fee__is_a_chain_error(block: Any) -> None:
    with pytest.raises(ChainError, match="expected the newest block, with a base fee"):
        await ChainObserver(Node(block), MAINNET, WALLET, "wallet", History(MAINNET.tokens, 60, 3)).observe()
