"""What the toolchain accepts, refuses and says; a fake npm on PATH serves tarballs made here."""

import base64
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest
from eth_utils import keccak

from bot.chain import toolchain
from bot.chain.toolchain import Package, Published
from bot.core.errors import ConfigError

GENUINE = toolchain.find_anvil()
CODE = "60016000f3"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty environment: nothing installed, nothing on PATH but what a test puts into `path/`."""
    for name in ("bin", "path", "foundry/bin", "registry"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(toolchain, "BIN", tmp_path / "bin")
    monkeypatch.setattr(toolchain, "CONTRACTS", tmp_path / "share" / "uniswap.json")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("FOUNDRY_DIR", str(tmp_path / "foundry"))
    return tmp_path


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o755)
    return path


def anvil(path: Path, said: str) -> Path:
    return program(path, f"print({said!r})")


def serve(room: Path, content: bytes, name: str = "pack", path: str = "a.json") -> Package:
    """Put a package with one file on the fake registry, and the fake npm on PATH."""
    tarball = room / "registry" / f"{name}-1.0.0.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        member = tarfile.TarInfo(f"package/{path}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    program(
        room / "path" / "npm",
        "import shutil, sys, pathlib\n"
        f"room = pathlib.Path({str(room)!r})\n"
        "(room / 'calls').open('a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "for spec in sys.argv[1:]:\n"
        "    for file in (room / 'registry').glob(spec.replace('@1.0.0', '-1.0.0') + '.tgz'):\n"
        "        shutil.copy(file, '.')\n",
    )
    program(room / "path" / "node", "")
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    return Package(name, "1.0.0", base64.b64encode(digest).decode())


def publish(monkeypatch: pytest.MonkeyPatch, package: Package, code: str = CODE) -> None:
    sha256 = hashlib.sha256(bytes.fromhex(code)).hexdigest()
    monkeypatch.setattr(toolchain, "PUBLISHED", {"Thing": Published(package, "a.json", sha256)})


def npm_calls(room: Path) -> list[str]:
    calls = room / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


# ------------------------------------------------------------------ anvil


@pytest.mark.parametrize("said", ["anvil 1.7.1-stable (abc)", "anvil Version: 1.7.1-stable", "anvil 1.10.0"])
def test_find_anvil__foundrys_of_this_major__found(room, said):
    path = anvil(room / "bin" / "anvil", said)
    assert toolchain.find_anvil() == path


@pytest.mark.parametrize("said", ["anvil 1.7.0", "anvil 0.3.0 (old)", "anvil 2.0.0", "Anvil, a text editor 9.9.9", ""])
def test_find_anvil__another_version_or_program__not_taken(room, said):
    anvil(room / "bin" / "anvil", said)
    with pytest.raises(ConfigError, match=r"expected anvil 1\.7\.1 or newer beside .*; run `make setup`"):
        toolchain.find_anvil()


def test_find_anvil__several__beside_python_then_path_then_foundry(room):
    places = [room / "bin" / "anvil", room / "path" / "anvil", room / "foundry" / "bin" / "anvil"]
    for place in places:
        anvil(place, "anvil 1.7.1")
    for place in places:
        assert toolchain.find_anvil() == place
        place.unlink()


def test_find_anvil__file_that_cannot_run__not_taken(room):
    (room / "bin" / "anvil").write_bytes(b"\x7fELF nonsense")
    (room / "bin" / "anvil").chmod(0o755)
    assert toolchain.anvil_version(room / "bin" / "anvil") is None


def test_install__anvil_on_path__is_linked_and_nothing_fetched(room, monkeypatch):
    publish(monkeypatch, serve(room, json.dumps({"bytecode": "0x" + CODE}).encode()))
    elsewhere = anvil(room / "path" / "anvil", "anvil 1.7.1")
    first, _ = toolchain.install()
    assert "link to" in first
    assert (room / "bin" / "anvil").resolve() == elsewhere
    assert [call for call in npm_calls(room) if "anvil" in call] == []


def test_install__old_anvil_beside_python__is_replaced_by_the_pinned_one(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.0.0")
    fresh = f"#!{sys.executable}\nprint('anvil 1.7.1')\n".encode()
    monkeypatch.setattr(toolchain, "ANVIL_PACKAGES", {toolchain._platform(): serve(room, fresh, path="bin/anvil")})
    assert next(toolchain.install()).endswith("(npm)")
    assert toolchain.anvil_version(room / "bin" / "anvil") == (1, 7, 1)


def test_install__anvil_that_does_not_run_here__is_not_left_behind(room, monkeypatch):
    monkeypatch.setattr(toolchain, "ANVIL_PACKAGES", {toolchain._platform(): serve(room, b"bad", path="bin/anvil")})
    with pytest.raises(ConfigError, match=r"does not run here .*glibc"):
        next(toolchain.install())
    assert list((room / "bin").iterdir()) == []


def test_install__platform_without_a_pin__says_what_to_do(room, monkeypatch):
    monkeypatch.setattr(toolchain, "ANVIL_PACKAGES", {"plan9-vax": Package("x", "1.0.0", "")})
    with pytest.raises(ConfigError, match=r"no anvil with a pinned hash for .* install Foundry 1\.7\.1 or newer"):
        next(toolchain.install())


# ------------------------------------------------------------------ contracts


@pytest.mark.parametrize("artifact", [{"bytecode": "0x" + CODE}, {"evm": {"bytecode": {"object": CODE}}}])
def test_install__contracts__are_kept_and_the_second_run_only_looks(room, monkeypatch, artifact):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    publish(monkeypatch, serve(room, json.dumps(artifact).encode()))
    assert list(toolchain.install())[1].endswith("(npm)")
    assert toolchain.creation_codes() == {"Thing": bytes.fromhex(CODE)}
    (call,) = npm_calls(room)
    assert "--ignore-scripts" in call.split()
    assert not any("(npm)" in line for line in toolchain.install())
    assert len(npm_calls(room)) == 1


def test_install__tarball_not_as_pinned__is_refused(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    package = serve(room, json.dumps({"bytecode": CODE}).encode())
    publish(monkeypatch, package)
    with (room / "registry" / package.tarball).open("ab") as tarball:
        tarball.write(b"\0")
    with pytest.raises(ConfigError, match=r"expected pack-1\.0\.0\.tgz with sha512-.*do not use it"):
        list(toolchain.install())
    assert not toolchain.CONTRACTS.exists()


def test_install__code_not_as_pinned__is_refused(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    publish(monkeypatch, serve(room, json.dumps({"bytecode": CODE + "00"}).encode()))
    with pytest.raises(ConfigError, match=r"expected creation code of Thing with SHA-256 .*, found .* in pack"):
        list(toolchain.install())
    assert not toolchain.CONTRACTS.exists()


def test_install__package_unknown_to_the_registry__says_what_to_do(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    publish(monkeypatch, serve(room, b"{}"))
    (room / "registry" / "pack-1.0.0.tgz").unlink()
    with pytest.raises(ConfigError, match=r"npm could not fetch pack@1\.0\.0: .*check the network .*then run again"):
        list(toolchain.install())


def test_install__environment_of_somebody_else__says_so(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    publish(monkeypatch, serve(room, json.dumps({"bytecode": CODE}).encode()))
    (room / "share").write_text("a file where a directory should be")
    with pytest.raises(ConfigError, match=r"cannot write .*uniswap\.json: .*use a virtual environment you own"):
        list(toolchain.install())


def test_install__neither_npm_nor_its_wheel__says_what_to_do(room, monkeypatch):
    anvil(room / "bin" / "anvil", "anvil 1.7.1")
    monkeypatch.setattr(sys, "executable", str(program(room / "python", "import sys; sys.exit('pip: no network')")))
    with pytest.raises(
        ConfigError, match=r"no npm here, and pip could not fetch .*: pip: no network; install Node\.js"
    ):
        list(toolchain.install())


def test_creation_codes__missing__says_what_to_do(room):
    with pytest.raises(ConfigError, match=r"expected Uniswap's published contracts in .*; run `make setup`"):
        toolchain.creation_codes()


@pytest.mark.parametrize("text", ["{", '{"Thing": "zz"}', "[]"])
def test_creation_codes__damaged__says_what_to_do(room, monkeypatch, text):
    publish(monkeypatch, Package("pack", "1.0.0", ""))
    toolchain.CONTRACTS.parent.mkdir()
    toolchain.CONTRACTS.write_text(text)
    with pytest.raises(ConfigError, match="damaged; delete it and run `make setup`"):
        toolchain.creation_codes()


@pytest.mark.parametrize("text", ["{}", '{"Thing": "60016000f4"}'])
def test_creation_codes__not_what_was_pinned__is_refused(room, monkeypatch, text):
    publish(monkeypatch, Package("pack", "1.0.0", ""))
    toolchain.CONTRACTS.parent.mkdir()
    toolchain.CONTRACTS.write_text(text)
    with pytest.raises(ConfigError, match="expected creation code of Thing"):
        toolchain.creation_codes()


def test_creation_codes__installed_here__include_mainnets_pool():
    """The factory derives pool addresses from it; Uniswap's periphery has this hash built in."""
    assert keccak(toolchain.creation_codes()["UniswapV3Pool"]).hex() == (
        "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
    )


def test_main__all_in_place__is_quick_and_exits_0(capsys):
    assert toolchain.main() == 0
    assert str(GENUINE) in capsys.readouterr().out


def test_main__failure__one_line_and_the_exit_code_of_a_configuration_error(room, monkeypatch, capsys):
    monkeypatch.setattr(toolchain, "ANVIL_PACKAGES", {})
    assert toolchain.main() == ConfigError.exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("[toolchain] no anvil with a pinned hash")
    assert os.listdir(room / "bin") == []
