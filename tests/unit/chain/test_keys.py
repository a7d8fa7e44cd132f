"""Keys are read, used and never shown."""

import json
import pickle
from pathlib import Path

import pytest
from eth_account import Account

from bot.chain.keys import LocalSigner, read_password
from bot.core.errors import ConfigError

KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # published by every development node
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TRANSACTION = {
    "chainId": 1,
    "nonce": 3,
    "to": "0x00000000000000000000000000000000000000AA",
    "value": 0,
    "data": b"\1\2",
    "gas": 50_000,
    "maxFeePerGas": 10**10,
    "maxPriorityFeePerGas": 10**9,
}


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keeper.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "correct horse", kdf="scrypt", iterations=2)))
    return path


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> LocalSigner:
    monkeypatch.setenv("KEEPER_KEY", "0x" + KEY)
    return LocalSigner.from_environment("KEEPER_KEY")


def test_sign__a_transaction__recovers_to_the_signers_address(signer: LocalSigner) -> None:
    assert signer.address == ADDRESS
    assert Account.recover_transaction(signer.sign({**TRANSACTION, "from": ADDRESS.lower()})) == ADDRESS


def test_sign__for_another_sender__is_refused(signer: LocalSigner) -> None:
    with pytest.raises(ConfigError, match=f"expected to sign for {ADDRESS}"):
        signer.sign({**TRANSACTION, "from": TRANSACTION["to"]})


def test_signer__shown_or_pickled__never_gives_the_key_away(signer: LocalSigner) -> None:
    assert repr(signer) == str(signer) == f"LocalSigner({ADDRESS})"
    assert KEY not in repr(signer._account)
    with pytest.raises(TypeError, match="must not be pickled"):
        pickle.dumps(signer)


def test_from_keystore__right_password__opens(keystore: Path) -> None:
    assert LocalSigner.from_keystore(keystore, "correct horse").address == ADDRESS


def test_from_keystore__wrong_password__advises_to_check_it(keystore: Path) -> None:
    with pytest.raises(ConfigError, match="check the password") as caught:
        LocalSigner.from_keystore(keystore, "wrong horse")
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        ("no json", "expected JSON"),
        ("[]", "without a crypto section"),
        ('{"address": "f39f"}', "without a crypto section"),
        ('{"version": 3, "crypto": {}}', "a damaged one"),
        ('{"version": 9, "crypto": {}}', "a damaged one"),
    ],
)
def test_from_keystore__not_a_keystore__says_what_was_found(content: str | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=says):
        LocalSigner.from_keystore(path, "any")


@pytest.mark.parametrize("value", [None, "", KEY[:-1], KEY + "0", "z" * 64, "0" * 64, "f" * 64])
def test_from_environment__no_key__is_a_config_error_without_the_value(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEEPER_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("KEEPER_KEY", value)
    with pytest.raises(ConfigError, match="KEEPER_KEY") as caught:
        LocalSigner.from_environment("KEEPER_KEY")
    assert not value or value not in str(caught.value)
    assert caught.value.__cause__ is None


def test_read_password__file_or_variable__gives_its_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "password"
    path.write_bytes(b" two words \r\nsecond line\n")
    monkeypatch.setenv("KEEPER_PASSWORD", "from outside")
    assert read_password(path) == " two words "
    assert read_password(variable="KEEPER_PASSWORD") == "from outside"


@pytest.mark.parametrize("variable", [None, "KEEPER_PASSWORD"])
def test_read_password__nowhere__says_where_it_looked(variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEPER_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match=variable or "found none"):
        read_password(variable=variable)


def test_read_password__file_missing__is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_password(tmp_path / "absent")
