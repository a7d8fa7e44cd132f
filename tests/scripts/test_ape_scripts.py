"""The ape scripts as a person runs them, against a running local chain."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from bot.chain import cheats
from bot.chain.abi import decode, encode_call
from bot.chain.grades import Chain
from bot.chain.mainnet import USDC, WBTC, WETH
from bot.core.units import to_raw_floor

ROOT = Path(__file__).parents[2]
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # ape's first test account, and anvil's
GIVEN = {USDC: "4000", WETH: "1.5", WBTC: "0.02"}


def ape(chain: Chain, script: str, *arguments: str) -> str:
    """What `ape run SCRIPT` said."""
    command = [Path(sys.executable).with_name("ape"), "run", script, "--network", "ethereum:local:foundry"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [*command, "--account", "TEST::0", *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "APE_FOUNDRY_HOST": chain.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def balance(chain: Chain, contract: str) -> int:
    data = "0x" + encode_call("balanceOf(address)", OWNER).hex()
    answer = await chain.rpc.call("eth_call", {"to": contract, "data": data}, "latest")
    return int(decode(("uint256",), bytes.fromhex(answer[2:]))[0])


@pytest.mark.chain
async def test_deploy_deposit_redeem__through_ape__do_it_only_with_send(replica: Chain, tmp_path: Path) -> None:
    for token, units in GIVEN.items():
        await cheats.deal(replica.rpc, token.address, OWNER, to_raw_floor(Decimal(units), token.decimals))
    before = [await balance(replica, token.address) for token in GIVEN]
    overlay = tmp_path / "deployed.yaml"
    files = ("-c", str(ROOT / "config" / "mainnet.yaml"), "-c", str(overlay))

    said = ape(replica, "deploy", "--write", str(overlay), "--send")
    vault, zap, lens = re.findall(r"0x[0-9a-fA-F]{40}", overlay.read_text())
    assert vault in said
    for address in (vault, zap, lens):
        assert await replica.rpc.call("eth_getCode", address, "latest") != "0x"

    amounts = [f"{token.symbol}={units}" for token, units in GIVEN.items()]
    said = ape(replica, "deposit", *amounts, *files)
    assert "nothing was sent" in said
    assert await balance(replica, vault) == 0
    ape(replica, "deposit", *amounts, *files, "--send")
    assert [await balance(replica, token.address) for token in GIVEN] == [0, 0, 0]
    # 4,000 + 1.5 x 3,000 + 0.02 x 90,000 in money; a million of the smallest part of a share stay locked
    assert await balance(replica, vault) == 10_300 * 10**18 - 10**6

    said = ape(replica, "redeem", "100", "--zap", "USDC", *files)
    assert f"through zap {zap}" in said
    assert "nothing was sent" in said

    said = ape(replica, "redeem", "all", *files, "--send")
    assert "-10,299.999999999999000000 shares" in said
    assert await balance(replica, vault) == 0
    after = [await balance(replica, token.address) for token in GIVEN]
    assert after == pytest.approx(before, rel=1e-12, abs=1)
