"""The command line as a person at a chain uses it: what is typed, by whose key, and what is said."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.chain.grades import Chain

CONFIG = Path(__file__).parents[2] / "config"
OWNER, KEEPER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OWNER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # anvil's test account 0
KEEPER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"  # and 1
UNITS = {"USDC": Decimal(1_000_000), "WETH": Decimal(300), "WBTC": Decimal(10)}
DRIFTED = ["USDC=400000", "WETH=150", "WBTC=1"]  # 43 / 48 / 10 per cent at the replica's prices, for 40 / 40 / 20
CALM = ["USDC=400000", "WETH=133.3", "WBTC=2.22"]


@dataclass(frozen=True)
class Said:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Evenkeel = Callable[..., Awaitable[Said]]
NOBODY = "0x000000000000000000000000000000000000dEaD"


async def deposit(evenkeel: Evenkeel, amounts: list[str]) -> Said:
    said = await evenkeel("vault", "deposit", *amounts, "--yes", "--json", key=OWNER_KEY)
    assert said.code == 0, said.err
    return said


def policy(more: str, name: str = "policy.yaml", targets: str = "{USDC: 0.4, WETH: 0.4, WBTC: 0.2}") -> str:
    """Write a policy into the test's home; the overlay that names it."""
    Path(name).write_text(f"targets: {targets}\n{more}\n", encoding="utf-8")
    return f"policy: {name}"


async def nonce(replica: Chain, who: str = KEEPER) -> int:
    return int(await replica.rpc.call("eth_getTransactionCount", who, "latest"), 16)
