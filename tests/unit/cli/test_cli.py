"""The command line without a chain: words in, lines and exit codes out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bot import cli
from bot.cli import run
from bot.cli.logs import Logs
from bot.cli.options import confirm
from bot.config import json_schema
from bot.core.errors import Broken, ChainError, ConfigError, DataError, EvenkeelError, Refused, Reverted, StaleData

CONFIG = Path(__file__).parents[3] / "config"
MAINNET = str(CONFIG / "mainnet.yaml")
SECRET = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVENKEEL_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def overlay(tmp_path: Path, text: str) -> str:
    path = tmp_path / "over.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


# ------------------------------------------------------------------ start-up


HEAVY = {"web3", "eth_account", "eth_utils", "sqlalchemy", "numpy", "pandas", "pydantic", "structlog", "apscheduler"}


def test_import__of_the_command_line__brings_nothing_heavy() -> None:
    code = "import bot.cli, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_help__names_every_verb(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    verbs = ["run", "init", "config", "doctor", "status", "plan", "rebalance", "explain", "history"]
    for verb in [*verbs, "vault", "chain", "demo"]:
        assert f" {verb} " in shown
    assert "Exit codes" in shown


@pytest.mark.parametrize("words", [["vault", "--help"], ["config", "--help"], ["chain", "--help"], ["--version"]])
def test_group__help__exits_with_0(words: list[str]) -> None:
    assert run(words) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["sail"],
        ["status", "--colour"],
        ["explain", "0"],
        ["explain", "last"],
        ["history", "-n", "0"],
        ["chain", "fork"],
        ["vault", "redeem"],
        ["vault", "deposit"],
        ["vault", "deposit", "USDC=1", "--zap", "USDC=1"],
        ["vault", "deposit", "USDC=1", "--cushion-bps", "501"],
        ["vault", "redeem", "1", "--zap", "USDC", "--set-aside", "WETH"],
        ["vault", "claim"],
        ["vault", "keeper"],
        ["vault", "revoke"],
        ["vault", "redeem", "1", "--colour"],
    ],
)
def test_usage__wrong__exits_with_2_and_no_traceback(words: list[str], capsys: Capture) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Usage" in said.err
    assert "Traceback" not in said.err


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a"), 3),
        (DataError("b"), 4),
        (StaleData("c"), 4),
        (ChainError("d"), 5),
        (Reverted("e"), 5),
        (Refused("f"), 6),
        (Broken("g"), 1),
    ],
)
@pytest.mark.parametrize("place", [["--debug"], []])
def test_error__of_ours__is_one_line_and_its_code_or_raised_with_debug(
    error: EvenkeelError, code: int, place: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    app = typer.Typer()

    @app.callback()
    def _options(debug: bool = False) -> None: ...

    @app.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)
    if place:
        with pytest.raises(type(error)):
            run(["fail", *place])
        return
    assert run(["fail"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: {error}\n"


def test_confirm__no__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    with pytest.raises(Refused, match="nothing was sent"):
        confirm("Send?", yes=False)


def test_confirm__nobody_there__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> bool:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", nobody)
    with pytest.raises(Refused, match="--yes"):
        confirm("Send?", yes=False)


def test_confirm__yes__does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(typer, "confirm")
    confirm("Send?", yes=True)


# ------------------------------------------------------------------ bad files: one clear line, code 3, nothing else

BAD = [
    ("market: {tokens: {USDC: {decimals: six}}}", "market.tokens.USDC.decimals: expected a valid integer, found 'six'"),
    ("market: {tokens: {USDC: {decimal: 6}}}", "found 'decimal'; did you mean 'decimals'?"),
    ("policy: policy.yaml", "expected a readable YAML file, found: No such file"),
    ("market: {wrapped: WTH}", "did you mean 'WETH'?"),
    ("account: {vault: '0x12'}", "account.vault: expected an address"),
    ("chain: {rpc: ['ws://x']}", "chain.rpc.0: expected an address that begins with http:// or https://"),
    ("journal: {url: 'file.db'}", "journal.url: expected text matching"),
    ("schedule: {cron: noon}", "schedule.cron: expected a crontab line"),
    ("key: {environment: 'MY-KEY'}", "key.environment: expected text matching"),
    ("vault: {limits: {bundle_loss_bps: 300}}", "vault.limits.bundle_loss_bps: expected less than or equal to 200"),
    ("chain: [", "expected valid YAML"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[row[0][:50] for row in BAD])
@pytest.mark.parametrize("verb", [["config", "check"], ["run"], ["status"], ["rebalance"], ["vault", "deploy"]])
def test_bad_file__any_verb__is_one_line_and_3(
    verb: list[str], text: str, said: str, tmp_path: Path, capsys: Capture
) -> None:
    assert run([*verb, "-c", MAINNET, "-c", overlay(tmp_path, text)]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("error: ")
    if verb == ["config", "check"]:
        assert said in shown.err


POLICIES = [
    ("targets: {USDC: 0.5, WETH: 0.4}", "weights must sum to 1, they sum to 0.9"),
    ("targets: {USDC: 0.5, WHET: 0.5}", "found 'WHET'; did you mean 'WETH'?"),
    (
        "targets: {USDC: 1.0}\nranges: [{pool: USDC/WETH-501, share: 0.2}]",
        "found 'USDC/WETH-501'; did you mean 'USDC/WETH-500'?",
    ),
]


@pytest.mark.parametrize(("text", "said"), POLICIES, ids=["sum", "token", "pool"])
def test_bad_policy__is_one_line_and_3(text: str, said: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    assert run(["config", "check", "-c", MAINNET, "-c", overlay(tmp_path, "policy: policy.yaml")]) == 3
    shown = capsys.readouterr()
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1


def test_no_file__points_to_init(capsys: Capture) -> None:
    assert run(["status"]) == 3
    assert "evenkeel init" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "status", "plan", "rebalance"])
def test_no_account__is_said_before_any_node_is_asked(verb: str, capsys: Capture) -> None:
    assert run([verb, "-c", MAINNET]) == 3  # the network is closed: asking a node would be another error
    assert "account.vault: expected the vault" in capsys.readouterr().err


def test_vault_deploy__without_key__is_said_before_any_node_is_asked(capsys: Capture) -> None:
    assert run(["vault", "deploy", "-c", MAINNET]) == 3
    assert "key: expected" in capsys.readouterr().err


def test_vault_deploy__file_to_write_is_there__deploys_nothing(tmp_path: Path, capsys: Capture) -> None:
    there = tmp_path / "vault.yaml"
    there.write_text("account: {}", encoding="utf-8")
    assert run(["vault", "deploy", "-c", MAINNET, "--write", str(there)]) == 3
    assert "nothing was deployed" in capsys.readouterr().err
    assert there.read_text(encoding="utf-8") == "account: {}"


@pytest.mark.parametrize("verb", [["explain"], ["history"]])
def test_journal__empty__explains_nothing_and_lists_nothing(verb: list[str], tmp_path: Path, capsys: Capture) -> None:
    over = overlay(tmp_path, "journal: {url: 'sqlite+aiosqlite:///new.db'}")
    assert run([*verb, "-c", MAINNET, "-c", over]) == (4 if verb == ["explain"] else 0)
    if verb == ["explain"]:
        assert "evenkeel run" in capsys.readouterr().err


# ------------------------------------------------------------------ init and config


def test_init__new_directory__is_a_configuration_that_checks(tmp_path: Path, capsys: Capture) -> None:
    home = tmp_path / "bot"
    assert run(["init", str(home)]) == 0
    assert "config check" in capsys.readouterr().out
    assert run(["config", "check", "-c", str(home / "evenkeel.yaml"), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["ok"] is True
    assert sum(checked["targets"].values()) == pytest.approx(1)


def test_init__again__overwrites_nothing(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "policy.yaml").write_text("mine", encoding="utf-8")
    assert run(["init", str(tmp_path)]) == 3
    assert "policy.yaml" in capsys.readouterr().err
    assert (tmp_path / "policy.yaml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "evenkeel.yaml").exists()


def test_init__then_check__finds_the_file_by_itself(capsys: Capture) -> None:
    assert run(["init"]) == 0
    assert run(["config", "check"]) == 0


def test_config__from_the_environment__is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENKEEL_CONFIG", f"{MAINNET}:{CONFIG / 'local.yaml'}")
    assert run(["config", "check"]) == 0


def test_config_schema__is_the_schema(capsys: Capture) -> None:
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert run(["config", "schema", "--policy"]) == 0
    assert "targets" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize("as_json", [["--json"], []])
def test_config_show__addresses_with_credentials__hides_them(
    as_json: list[str], tmp_path: Path, capsys: Capture
) -> None:
    text = "chain: {rpc: ['https://me:hunter2@node.example/v3/APIKEY?k=APIKEY']}\n"
    text += "journal: {url: 'postgresql+psycopg://bot:hunter2@db/evenkeel'}"
    assert run(["config", "show", "-c", MAINNET, "-c", overlay(tmp_path, text), *as_json]) == 0
    shown = capsys.readouterr().out
    assert "node.example" in shown
    assert "db/evenkeel" in shown
    assert "hunter2" not in shown
    assert "APIKEY" not in shown


# ------------------------------------------------------------------ the log


@pytest.mark.parametrize("as_json", [True, False])
def test_log__goes_to_standard_error_and_shows_no_local_variable(as_json: bool, capsys: Capture) -> None:
    import structlog

    private_key = SECRET
    try:
        Logs(debug=True, as_json=as_json).start()
        try:
            raise ValueError("a defect")
        except ValueError:
            structlog.get_logger().exception("cycle failed", length=len(private_key))
        structlog.get_logger().debug("small")
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr()
    assert said.out == ""
    assert "a defect" in said.err
    assert "small" in said.err
    assert SECRET not in said.err
    if as_json:
        assert all(json.loads(line)["timestamp"] for line in said.err.splitlines())


def test_log__quiet__says_only_what_went_wrong(capsys: Capture) -> None:
    import structlog

    try:
        Logs().start(quiet=True)
        structlog.get_logger().info("all well")
        structlog.get_logger().warning("not so")
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr().err
    assert "all well" not in said
    assert "not so" in said
