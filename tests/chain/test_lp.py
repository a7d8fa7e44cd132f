"""`evenkeel lp` on the replica: a range that the bot opened, as the vault now holds it."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.chain.console import KEEPER_KEY, Evenkeel, deposit

pytestmark = pytest.mark.chain

CALM = ["USDC=400000", "WETH=133.3", "WBTC=2.22"]


async def test_lp__before_any_range__says_there_is_none(evenkeel: Evenkeel, vault: str) -> None:
    await deposit(evenkeel, CALM)
    said = await evenkeel("lp")
    assert (said.code, "no liquidity positions" in said.out) == (0, True)
    assert (await evenkeel("lp", "--plot", "loss.svg")).code == 4


async def test_lp__a_range_the_bot_opened__is_measured_from_its_own_entry(
    evenkeel: Evenkeel,
    vault: str,
    tmp_path: Path,
) -> None:
    await deposit(evenkeel, CALM)
    assert (await evenkeel("rebalance", "--yes", key=KEEPER_KEY)).code == 0
    now = (await evenkeel("lp", "--plot", "loss.png", "--json")).json
    assert now["account"] == vault
    (line,) = now["positions"]
    assert line["in_range"] is True
    assert line["entered_known"] is True
    assert line["lower"] < line["price"] < line["upper"]
    assert line["entered_price"] == pytest.approx(line["price"], rel=1e-3)
    assert abs(Decimal(line["impermanent_loss_percent"])) < Decimal("0.001")
    status = (await evenkeel("status", "--json")).json
    (position,) = status["positions"]
    same = ("position", "impermanent_loss", "held", "fees", "net")
    assert {name: line[name] for name in same} == {name: position[name] for name in same}
    assert line["value"] == position["principal"]
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    told = await evenkeel("lp")
    assert f"{Decimal(line['value']):,.2f}" in told.out
