"""Signing keys: read from a keystore or the environment, used here, shown nowhere."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

PRIVATE_KEY_DIGITS = 64


class LocalSigner:
    """A key held in this process's memory."""

    __slots__ = ("_account",)

    def __init__(self, account: "LocalAccount") -> None:
        self._account = account

    @classmethod
    def from_keystore(cls, path: Path, password: str) -> "LocalSigner":
        """Decrypt a JSON keystore, version 3 (geth, cast, ape). Takes about a second, by design of scrypt.

        ConfigError when the file is absent or no keystore, or the password is wrong.
        """
        from eth_account import Account

        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"keystore {path}: expected a readable file, found {error.strerror}") from None
        except ValueError:
            raise ConfigError(f"keystore {path}: expected JSON, found something else") from None
        if not isinstance(stored, dict) or "crypto" not in {key.lower() for key in stored}:
            raise ConfigError(f"keystore {path}: expected a version 3 keystore, found JSON without a crypto section")
        try:
            return cls(Account.from_key(Account.decrypt(stored, password)))
        except ValueError as error:
            advice = "check the password" if "MAC" in str(error) else f"the file is damaged ({error})"
            raise ConfigError(f"keystore {path}: expected the password to open it, it does not; {advice}") from None
        except (KeyError, TypeError, NotImplementedError) as error:
            raise ConfigError(
                f"keystore {path}: expected a version 3 keystore, found a damaged one ({error!r})"
            ) from None

    @classmethod
    def from_environment(cls, variable: str) -> "LocalSigner":
        """Read 64 hexadecimal digits from an environment variable. ConfigError when unset or malformed."""
        from eth_account import Account

        found = os.environ.get(variable, "").strip()
        digits = found.removeprefix("0x")
        if len(digits) != PRIVATE_KEY_DIGITS or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            what = f"{len(digits)} characters" if found else "nothing"
            raise ConfigError(
                f"environment variable {variable}: expected a private key of {PRIVATE_KEY_DIGITS} hexadecimal digits, "
                f"found {what}; set it, or use a keystore"
            )
        try:
            return cls(Account.from_key(digits))
        except ValueError:  # zero, or not below the order of the curve
            raise ConfigError(f"environment variable {variable}: its number is no valid private key") from None

    @classmethod
    def throwaway(cls) -> "LocalSigner":
        """A fresh random key that nobody else will ever know: for chains that end with this process."""
        from eth_account import Account

        return cls(Account.create())

    @property
    def address(self) -> str:
        """Checksummed."""
        return str(self._account.address)

    def sign(self, transaction: dict[str, Any]) -> bytes:
        """The signed raw transaction. ConfigError when `transaction` names another sender."""
        fields = dict(transaction)
        sender = fields.pop("from", self.address)
        if sender.lower() != self.address.lower():
            raise ConfigError(
                f"expected to sign for {self.address}, found a transaction from {sender}; set the right key"
            )
        return bytes(self._account.sign_transaction(fields).raw_transaction)

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer must not be pickled: its key would leave the process")


def read_password(path: Path | None = None, variable: str | None = None) -> str:
    """A keystore's password: the first line of a file, or an environment variable. ConfigError when absent."""
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except OSError as error:
            raise ConfigError(f"password file {path}: expected a readable file, found {error.strerror}") from None
    if variable is not None and variable in os.environ:
        return os.environ[variable]
    where = (
        f"in the environment variable {variable}, found it unset" if variable else "in a file or variable, found none"
    )
    raise ConfigError(f"expected the keystore's password {where}; name a password file")
