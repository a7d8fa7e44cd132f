"""The configuration's files: what is read, how it is merged, and every way to get it wrong."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bot.config import Config, json_schema, load, load_policy, policy_schema
from bot.core.errors import ConfigError

CONFIG = Path(__file__).parents[3] / "config"
MAINNET, LOCAL = CONFIG / "mainnet.yaml", CONFIG / "local.yaml"
Write = Callable[[str], Path]


@pytest.fixture
def overlay(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "over.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def fault(*paths: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as raised:
        load(paths, environ or {})
    assert raised.value.exit_code == 3
    return str(raised.value)


# ------------------------------------------------------------------ what is right


def test_mainnet__as_published__loads_without_key_and_account() -> None:
    config = load([MAINNET], {})
    assert config.key is None
    assert config.account.vault is None
    assert config.market.tokens["USDC"].decimals == 6
    assert config.vault is not None
    assert config.vault.tokens == ("USDC", "WETH", "WBTC")


def test_price_bounds__as_yaml_writes_them__are_exact_decimals(overlay: Write) -> None:
    config = load([MAINNET, overlay("market: {tokens: {USDC: {least_price: 0.95, most_price: '1.05'}}}")], {})
    usdc = config.market.tokens["USDC"]
    assert (usdc.least_price, usdc.most_price) == (Decimal("0.95"), Decimal("1.05"))
    assert usdc.answers() == (95_000_000, 105_000_000)


def test_local__over_mainnet__changes_the_node_and_keeps_the_market() -> None:
    config, mainnet = load([MAINNET, LOCAL], {}), load([MAINNET], {})
    assert config.chain.rpc == ("http://127.0.0.1:8545",)
    assert config.chain.timeout_s == mainnet.chain.timeout_s
    assert config.market == mainnet.market


def test_policy__as_published__fits_the_market() -> None:
    policy = load_policy(load([MAINNET], {}))
    assert set(policy.targets) == {"USDC", "WETH", "WBTC"}


def test_schema__in_the_repository__is_current() -> None:
    kept = json.loads((CONFIG / "config.schema.json").read_text(encoding="utf-8"))
    assert kept == json_schema(), "run `evenkeel config schema > config/config.schema.json`"
    kept = json.loads((CONFIG / "policy.schema.json").read_text(encoding="utf-8"))
    assert kept == policy_schema(), "run `evenkeel config schema --policy > config/policy.schema.json`"
    first, second, *_ = (CONFIG / "policy.yaml").read_text(encoding="utf-8").splitlines()
    assert first == "# yaml-language-server: $schema=policy.schema.json"
    assert "evenkeel config schema --policy" in second


def test_schema__every_key__is_described_and_numbers_have_a_unit() -> None:
    schema = json_schema()
    sections = {"Config": schema, **schema["$defs"]}
    for name, section in sections.items():
        for key, said in section.get("properties", {}).items():
            assert said.get("description"), f"{name}.{key} has no description"
            assert said["description"][0] != " "
            number = {said.get("type"), *(part.get("type") for part in said.get("anyOf", ()))} & {"integer", "number"}
            if number and key not in {"id", "decimals", "feed_decimals"}:
                assert "(" in said["description"], f"{name}.{key} does not say its unit"


def test_overlay__later_file__wins_key_by_key(overlay: Write) -> None:
    config = load([MAINNET, overlay("market: {tokens: {USDC: {max_age_s: 99}}}")], {})
    assert config.market.tokens["USDC"].max_age_s == 99
    assert config.market.tokens["USDC"].decimals == 6


def test_overlay__null__unsets_a_section(overlay: Write) -> None:
    assert load([MAINNET, overlay("vault: null")], {}).vault is None


@pytest.mark.parametrize(
    ("name", "text", "look", "expected"),
    [
        ("EVENKEEL_CHAIN__RPC", "http://a:1, http://b:2", lambda c: c.chain.rpc, ("http://a:1", "http://b:2")),
        ("EVENKEEL_CHAIN__RPC", '["http://a:1"]', lambda c: c.chain.rpc, ("http://a:1",)),
        (
            "EVENKEEL_MARKET__TOKENS__USDC__LEAST_PRICE",
            "0.1",
            lambda c: c.market.tokens["USDC"].least_price,
            Decimal("0.1"),
        ),
        ("EVENKEEL_MARKET__TOKENS__USDC__MAX_AGE_S", "99", lambda c: c.market.tokens["USDC"].max_age_s, 99),
        ("EVENKEEL_KEY__ENVIRONMENT", "KEEPER", lambda c: c.key and c.key.environment, "KEEPER"),
        (
            "EVENKEEL_ACCOUNT__VAULT",
            "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
            lambda c: c.account.vault,
            "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
        ),
        ("EVENKEEL_POLICY", "/elsewhere/policy.yaml", lambda c: c.policy, Path("/elsewhere/policy.yaml")),
        ("EVENKEEL_DATA", "not a setting", lambda c: c.chain.id, 1),
        ("EVENKEEL_PRIVATE_KEY", "not a setting", lambda c: c.key, None),
    ],
)
def test_environment__setting__overrides_the_files(
    name: str, text: str, look: Callable[[Config], object], expected: object
) -> None:
    assert look(load([MAINNET], {name: text})) == expected


def test_relative_paths__start_at_the_file_that_says_them(overlay: Write, tmp_path: Path) -> None:
    over = "policy: p.yaml\njournal: {url: 'sqlite+aiosqlite:///j.db'}\nhistory: {file: h.csv}\n"
    config = load([MAINNET, overlay(over)], {})
    assert config.policy == tmp_path / "p.yaml"
    assert config.journal.url == f"sqlite+aiosqlite:///{tmp_path}/j.db"
    assert config.history.file == tmp_path / "h.csv"


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "postgresql+psycopg://me:pw@host/db"])
def test_journal__not_a_relative_file__stays_as_it_is(url: str, overlay: Write) -> None:
    assert load([MAINNET, overlay(f"journal: {{url: '{url}'}}")], {}).journal.url == url


# ------------------------------------------------------------------ what is wrong: overlay -> key, expected, found

WRONG = [
    ("market: {tokens: {USDC: {decimals: six}}}", "market.tokens.USDC.decimals", "a valid integer", "'six'"),
    ("market: {tokens: {USDC: {decimals: 6.0}}}", "market.tokens.USDC.decimals", "a valid integer", "6.0"),
    ("market: {tokens: {USDC: {decimals: true}}}", "market.tokens.USDC.decimals", "a valid integer", "True"),
    ("market: {tokens: {USDC: {decimals: -1}}}", "market.tokens.USDC.decimals", "greater than or equal to 0", "-1"),
    ("market: {tokens: {USDC: {decimal: 6}}}", "market.tokens.USDC.decimal", "a known key", "'decimals'"),
    (
        "market: {tokens: {USDC: {least_price: 1.05, most_price: 0.95}}}",
        "market.tokens.USDC.most_price",
        "more than least_price (1.05)",
        "0.95",
    ),
    ("market: {tokens: {USDC: {most_price: 0}}}", "market.tokens.USDC.most_price", "greater than 0", "0"),
    ("market: {tokens: {USDC: {least_price: .nan}}}", "market.tokens.USDC.least_price", "finite", "nan"),
    ("vault: {sequencer: '0x12'}", "vault.sequencer", "an address", "'0x12'"),
    ("chian: {}", "chian", "a known key", "'chain'"),
    ("execution: {tip_percentil: 5}", "execution.tip_percentil", "a known key", "'tip_percentile'"),
    ("schedule: {every_s: 0}", "schedule.every_s", "greater than or equal to 1", "0"),
    ("schedule: {every_s: '60'}", "schedule.every_s", "a valid integer", "'60'"),
    ("schedule: {cron: '* * * * *'}", "schedule", "either every_s or cron", "both"),
    ("schedule: {every_s: null}", "schedule", "either every_s or cron", "neither"),
    ("schedule: {every_s: null, cron: 'at noon'}", "schedule.cron", "a crontab line", "'at noon'"),
    ("chain: {rpc: []}", "chain.rpc", "expected at least 1 item, found no items", ""),
    ("chain: {rpc: ['wss://node/SECRETKEY']}", "chain.rpc.0", "begins with http:// or https://", "'wss'"),
    ("chain: {timeout_s: .nan}", "chain.timeout_s", "less than or equal to 120", "nan"),
    ("policy: null", "policy", "a valid string", "None"),
    ("market: {wrapped: ETH}", "market.wrapped", "a name of market.tokens", "'WETH'"),
    (
        "market: {pools: {USDC/WETH-500: {tokens: [USDC, WEHT]}}}",
        "market.pools.USDC/WETH-500.tokens.1",
        "a name of market.tokens",
        "did you mean 'WETH'",
    ),
    ("market: {pools: {USDC/WETH-500: {tokens: [USDC]}}}", "tokens.1", "a value", "nothing"),
    ("market: {pools: {USDC/WETH-500: {tokens: [USDC, USDC]}}}", "tokens", "two different symbols", "USDC twice"),
    ("market: {pools: {USDC/WETH-500: {fee: 3000}}}", "pools.USDC/WETH-500", "the name 'USDC/WETH-3000'", ""),
    ("market: {pools: {USDC/WETH-500: {fee: 501}}}", "tick_spacing", "a number", "nothing"),
    ("market: {pools: {USDC/WETH-v2: {twap_window_s: 9}}}", "twap_window_s", "nothing (a v2 pair has none)", "9"),
    ("market: {pools: {USDC/WETH-v2: {kind: v4}}}", "market.pools.USDC/WETH-v2.kind", "'v2' or 'v3'", "'v4'"),
    (
        "market: {tokens: {DAI: {address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'}}}",
        "market.tokens.DAI.address",
        "an address of its own",
        "that of USDC",
    ),
    (
        "market: {tokens: {DAI: {address: '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48'}}}",
        "market.tokens.DAI.address",
        "the checksummed form 0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "0xa0b8",
    ),
    (
        "market: {tokens: {DAI: {address: 0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48}}}",
        "market.tokens.DAI.address",
        "an address in quotes",
        "the number",
    ),
    ("account: {vault: dai.eth}", "account.vault", "an address", "'dai.eth'"),
    (
        "account: {vault: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48',"
        " wallet: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'}",
        "account.wallet",
        "a vault or a wallet",
        "both",
    ),
    ("journal: {url: 'mysql://me:hunter2@host/db'}", "journal.url", "text matching", "not shown"),
    (
        "key: {environment: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478'}",
        "key.environment",
        "text matching",
        "not shown",
    ),
    ("key: {}", "key", "either keystore or environment", "neither"),
    ("key: {keystore: k.json}", "key.password_file", "keystore and password_file together", "one without"),
    ("vault: {corridors: {DAI: [0, 1]}}", "vault.corridors", "one corridor for each", ""),
    ("vault: {corridors: {USDC: [7000, 1000]}}", "vault.corridors.USDC", "least below most", "[7000, 1000]"),
    ("vault: {corridors: {USDC: [5000, 9000], WETH: [5000, 9000]}}", "vault.corridors", "least weights to sum", ""),
    ("vault: {pools: [USDC/WETH]}", "vault.pools.0", "a name of market.pools", "did you mean 'USDC/WETH-"),
    (
        "vault: {tokens: [USDC, WETH], corridors: null}",
        "vault.corridors",
        "an object",
        "None",
    ),
]


@pytest.mark.parametrize(("text", "key", "expected", "found"), WRONG, ids=[row[0][:60] for row in WRONG])
def test_load__wrong_key__names_file_key_expected_and_found(
    text: str, key: str, expected: str, found: str, overlay: Write
) -> None:
    said = fault(MAINNET, overlay(text))
    line = next(line for line in said.splitlines() if f"{key}: expected" in line)
    assert line.startswith(str(overlay(text).parent))
    assert expected in line
    assert found in line.split("expected", 1)[1]
    assert "Commented" not in line
    assert line.count("found") == 1


@pytest.mark.parametrize("secret", ["SECRETKEY", "hunter2", "0xac0974bec"])
def test_load__wrong_value_that_may_be_a_secret__is_not_repeated(secret: str, overlay: Write) -> None:
    text = next(row[0] for row in WRONG if secret in row[0])
    assert secret not in fault(MAINNET, overlay(text))


def test_load__line_of_the_fault__is_named(overlay: Write) -> None:
    said = fault(MAINNET, overlay("chain:\n  id: 1\n\n  timeout_s: soon\n"))
    assert "over.yaml:4: chain.timeout_s: expected" in said


def test_load__several_faults__says_all_of_them(overlay: Write) -> None:
    said = fault(MAINNET, overlay("chain: {timeout_s: soon}\nexecution: {poll_s: 0}\n"))
    assert len(said.splitlines()) == 2


def test_environment__wrong_value__names_the_variable() -> None:
    said = fault(MAINNET, environ={"EVENKEEL_CHAIN__TIMEOUT_S": "soon"})
    assert said.startswith("environment EVENKEEL_CHAIN__TIMEOUT_S: chain.timeout_s: expected")


def test_environment__unknown_setting__is_refused() -> None:
    assert "did you mean 'rpc'" in fault(MAINNET, environ={"EVENKEEL_CHAIN__RCP": "http://a"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chain: {id: 1", "over.yaml:1: expected valid YAML"),
        ("chain: {id: 1}\nchain: {id: 2}", "over.yaml:2: expected valid YAML"),
        ("- 1\n", "expected a mapping of keys to values, found a list"),
        ("just words", "expected a mapping of keys to values, found 'just words' alone"),
        ("name: mine\ntargets: {USDC: 1.0}", "expected a configuration, found a policy; name it under `policy`"),
    ],
)
def test_load__not_a_mapping_of_yaml__is_one_line(text: str, said: str, overlay: Write) -> None:
    found = fault(MAINNET, overlay(text))
    assert said in found
    assert len(found.splitlines()) == 1


def test_load__missing_file__points_to_init(tmp_path: Path) -> None:
    assert "evenkeel init" in fault(tmp_path / "none.yaml")


def test_load__binary_file__is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in fault(tmp_path / "b.yaml")


@pytest.mark.parametrize("text", ["", "# chain:\n#   id: 5\n"], ids=["empty", "comments alone"])
def test_load__nothing_in_an_overlay__changes_nothing(text: str, overlay: Write) -> None:
    assert load([MAINNET, overlay(text)], {}) == load([MAINNET], {})


def test_load__missing_section__is_not_the_environments_fault() -> None:
    said = fault(LOCAL, environ={"EVENKEEL_CHAIN__RPC": "http://127.0.0.1:9"})
    assert "configuration: market: expected a value, found nothing" in said
    assert "environment" not in said


def test_load__only_an_overlay__names_every_missing_section() -> None:
    said = fault(LOCAL)
    assert "market: expected a value, found nothing" in said
    assert "policy: expected a value, found nothing" in said


# ------------------------------------------------------------------ the policy

POLICIES = [
    ("targets: {USDC: 0.5, WETH: 0.6}", "targets", "weights must sum to 1", ""),
    ("targets: {USDC: 0.5, WETH: 0.4, WBTC: 0.05}", "targets", "weights must sum to 1", ""),
    ("targets: {USDC: 1.5, WETH: -0.5}", "targets", "between 0 and 1 (40 % is 0.40), was", ""),
    ("targets: {USDC: 0.5, WETHH: 0.5}", "targets.WETHH", "a name of market.tokens", "did you mean 'WETH'"),
    ("targets: {USDC: half, WETH: 0.5}", "targets.USDC", "a valid number", "'half'"),
    ("targets: {USDC: 1.0}\nband: {floor_bp: 1}", "band.floor_bp", "a known key", "'floor_bps'"),
    ("targets: {USDC: 1.0}\nband: {floor_bps: 900, cap_bps: 100}", "band", "floor_bps must not exceed cap_bps", ""),
    ("targets: {USDC: 1.0}\nsize: {to: moon}", "size.to", "'target', 'edge' or 'fraction'", "'moon'"),
    (
        "targets: {USDC: 1.0}\nranges: [{pool: USDC/WETH-50, share: 0.1}]",
        "ranges.0.pool",
        "a name of market.pools",
        "did you mean 'USDC/WETH-500'",
    ),
    ("targets: {USDC: 1.0}\nranges: [{pool: USDC/WETH-v2, share: 0.1}]", "ranges.0.pool", "a v3 pool", "USDC/WETH-v2"),
    ("name: nothing", "targets", "a value", "nothing"),
]


@pytest.mark.parametrize(("text", "key", "expected", "found"), POLICIES, ids=[row[0][:60] for row in POLICIES])
def test_policy__wrong__names_key_expected_and_found(
    text: str, key: str, expected: str, found: str, overlay: Write, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    config = load([MAINNET, overlay("policy: policy.yaml")], {})
    with pytest.raises(ConfigError) as raised:
        load_policy(config)
    line = next(line for line in str(raised.value).splitlines() if f"{key}: expected" in line)
    assert line.startswith(f"{tmp_path}/policy.yaml:")
    assert expected in line
    assert found in line.split("expected", 1)[1]
