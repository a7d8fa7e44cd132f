"""What the tests of the verbs share: a home on the replica, and a vault deployed from it."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.chain import cheats
from bot.chain.grades import Chain
from bot.cli import run
from bot.core.units import to_raw_floor
from tests.chain.console import CONFIG, KEEPER_KEY, OWNER, OWNER_KEY, UNITS, Evenkeel, Said


@pytest.fixture
def evenkeel(
    replica: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Evenkeel:
    """Run one command line with a home of its own: mainnet's file, local's over it, and what the test writes."""
    local = tmp_path / "test.yaml"
    local.write_text("journal: {url: 'sqlite+aiosqlite:///test.db'}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_CHAIN__RPC", replica.url)
    monkeypatch.delenv("EVENKEEL_PRIVATE_KEY", raising=False)

    async def command(*words: str, key: str | None = None, over: str | None = None) -> Said:
        files = [CONFIG / "mainnet.yaml", CONFIG / "local.yaml", local, tmp_path / "vault.yaml"]
        if over is not None:
            (tmp_path / "over.yaml").write_text(over, encoding="utf-8")
            files.append(tmp_path / "over.yaml")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EVENKEEL_CONFIG", os.pathsep.join(str(file) for file in files if file.exists()))
            if key:
                patch.setenv("EVENKEEL_PRIVATE_KEY", key)
            capsys.readouterr()
            code = await asyncio.to_thread(run, list(words))
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert OWNER_KEY[2:] not in shown.out + shown.err
        assert KEEPER_KEY[2:] not in shown.out + shown.err
        return Said(code, shown.out, shown.err)

    return command


@pytest.fixture
async def vault(evenkeel: Evenkeel, replica: Chain) -> str:
    """A vault without shares, and an owner with tokens."""
    for symbol, units in UNITS.items():
        token = replica.market.token(symbol)
        await cheats.deal(replica.rpc, token.address, OWNER, to_raw_floor(units, token.decimals))
    said = await evenkeel("vault", "deploy", "--yes", "--json", "--write", "vault.yaml", key=OWNER_KEY)
    assert said.code == 0, said.err
    return str(said.json["vault"])
