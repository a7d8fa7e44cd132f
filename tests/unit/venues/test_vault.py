"""The vault's registry, its bundles word by word, and what it answers."""

from dataclasses import replace

import pytest

from bot.chain.abi import decode, encode, selector
from bot.chain.mainnet import MAINNET
from bot.core.errors import ConfigError, DataError
from bot.core.types import (
    AddLiquidity,
    Amount,
    Fill,
    Limits,
    Plan,
    RemoveLiquidity,
    Snapshot,
    Step,
    Swap,
    VaultState,
)
from bot.core.units import Gas, Raw, Timestamp
from bot.venues.erc20 import ETHER
from bot.venues.vault import EXECUTE, Vault, decode_fills, encode_action, encode_execute, idle, vault
from tests import factories
from tests.factories import USDC, WBTC, WETH
from tests.unit.venues.reading import read

VAULT = "0x00000000000000000000000000000000000000AA"
USDC_WETH, WBTC_USDC, WBTC_WETH, PAIR = (pool.address for pool in factories.pools())
UINT128_MAX = 2**128 - 1


@pytest.fixture
def world() -> Snapshot:
    return factories.snapshot(vault=factories.vault_state())


def swap(token: object = USDC, raw: int = 500, least: int = 490, pool: str = USDC_WETH) -> Swap:
    return Swap(pool, Amount(token, raw), Amount(WETH, 495), least)  # type: ignore[arg-type]


def remove(pool: str = WBTC_USDC, lower: int = -60, upper: int = 120, liquidity: int = 7) -> RemoveLiquidity:
    return RemoveLiquidity(pool, "id", lower, upper, liquidity, 30, 40, 3, 4)  # type: ignore[arg-type]


def add(pool: str = WBTC_WETH, lower: int = -120, upper: int = -60, liquidity: int = 9) -> AddLiquidity:
    return AddLiquidity(pool, lower, upper, liquidity, 50, 60, 55, 66)  # type: ignore[arg-type]


def plan(*steps: Step, floors: tuple[Amount, ...] = ()) -> Plan:
    return Plan(steps, floors, sequence=7, deadline=Timestamp(1_800_000_600), gas=Gas(500_000))


def fields(head: int) -> tuple[int, ...]:
    """kind, pool, lower, upper, amount, and the hint."""
    return (
        head >> 248,
        head >> 240 & 0xFF,
        head >> 216 & 0xFFFFFF,
        head >> 192 & 0xFFFFFF,
        head >> 64 & UINT128_MAX,
        head % 2**64,
    )


@pytest.mark.parametrize(
    ("step", "head", "bounds"),
    [
        (remove(), (1, 1, 2**24 - 60, 120, 7, 0), 3 << 128 | 4),
        (remove(PAIR, 0, 0), (1, 3, 0, 0, 7, 0), 3 << 128 | 4),
        (swap(), (2, 0, 1, 0, 500, 0), 490),
        (swap(WETH), (2, 0, 0, 0, 500, 0), 490),
        (swap(pool=PAIR), (2, 3, 1, 0, 500, 0), 490),
        (add(), (3, 2, 2**24 - 120, 2**24 - 60, 9, 0), 55 << 128 | 66),
        (add(PAIR, 0, 0), (3, 3, 0, 0, 9, 0), 55 << 128 | 66),
    ],
)
def test_encode_action__every_kind__has_the_vaults_words(
    step: Step, head: tuple[int, ...], bounds: int, world: Snapshot
) -> None:
    found_head, found_bounds = encode_action(step, world)
    assert (fields(found_head), found_bounds) == (head, bounds)


@pytest.mark.parametrize(("liquidity", "amount"), [(7, 2**128 - 1), (8, 7)])
def test_encode_action__whole_position__names_whatever_is_there(liquidity: int, amount: int, world: Snapshot) -> None:
    pool = world.pool(WBTC_USDC)
    held = replace(factories.range_position(pool, -60, 120, liquidity), id="id")  # type: ignore[arg-type]
    head, _ = encode_action(remove(), replace(world, positions=(held,)))
    assert fields(head)[4] == amount


@pytest.mark.parametrize("step", [remove(), swap(), add()])
def test_encode_action__hint__stands_in_the_lowest_bits_and_nowhere_else(step: Step, world: Snapshot) -> None:
    plain, bounds = encode_action(step, world)
    assert encode_action(step, world, 65_535) == (plain | 65_535, bounds)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (swap(raw=2**128), "must fit uint128"),
        (swap(least=-1), "must fit uint128"),
        (add(liquidity=2**128), "must fit uint128"),
        (swap(pool="0x00000000000000000000000000000000000000cc"), "is not registered"),
    ],
)
def test_encode_action__what_does_not_fit__is_refused(step: Step, says: str, world: Snapshot) -> None:
    with pytest.raises(ValueError, match=says):
        encode_action(step, world)


def test_encode_execute__a_plan__names_floors_in_the_vaults_order_sequence_and_deadline(world: Snapshot) -> None:
    data = encode_execute(plan(swap(), floors=(Amount(WBTC, 3), Amount(USDC, 1))), world)  # type: ignore[arg-type]
    actions, floors, sequence, deadline = decode(("(uint256,uint256)[]", "uint256[]", "uint256", "uint256"), data[4:])
    assert data[:4] == selector(EXECUTE)
    assert actions == (encode_action(swap(), world),)
    assert floors == (1, 0, 3)
    assert (sequence, deadline) == (7, 1_800_000_600)


def test_encode_execute__hints__go_to_every_action_on_their_pool(world: Snapshot) -> None:
    steps = (remove(), swap(), swap(pool=PAIR), add())
    data = encode_execute(plan(*steps), world, {USDC_WETH: 7, WBTC_WETH: 9})
    actions, *_ = decode(("(uint256,uint256)[]", "uint256[]", "uint256", "uint256"), data[4:])
    assert [head % 2**64 for head, _ in actions] == [0, 7, 0, 9]


def test_encode_execute__no_floors__sends_none(world: Snapshot) -> None:
    data = encode_execute(plan(swap()), world)
    assert decode(("(uint256,uint256)[]", "uint256[]", "uint256", "uint256"), data[4:])[1] == ()


def test_encode_execute__what_the_vault_cannot_take__is_refused(world: Snapshot) -> None:
    with pytest.raises(ValueError, match="at most 16 actions, found 17"):
        encode_execute(plan(*[swap()] * 17), world)
    with pytest.raises(ValueError, match="floors must be of the vault's tokens, found LINK"):
        encode_execute(plan(swap(), floors=(Amount(MAINNET.token("LINK"), 1),)), world)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the snapshot is of a plain wallet"):
        encode_execute(plan(swap()), replace(world, vault=None))


def test_decode_fills__an_answer_for_each_action__keeps_the_signs(world: Snapshot) -> None:
    returned = encode(("int256[2][]",), [(30, 40), (-500, 495)])
    assert decode_fills(plan(remove(), swap()), world, returned) == (Fill(0, 30, 40), Fill(1, -500, 495))


def test_decode_fills__another_number_of_answers__is_a_data_error(world: Snapshot) -> None:
    with pytest.raises(DataError, match="each of 2 actions, found 1"):
        decode_fills(plan(remove(), swap()), world, encode(("int256[2][]",), [(30, 40)]))


# ------------------------------------------------------------------ reading

SETUPS = {WETH: (1_000, 6_000), USDC: (0, 9_000), WBTC: (500, 4_000)}
LAST = 1_700_000_000
DAY_S = 86_400


def said(registry: tuple[object, ...], pools: tuple[str, ...]) -> list[int]:
    """The words of a vault with two ranges and a pair."""
    words = [0] * 38
    limits = 50 | 200 << 8 | 5_000 << 24 | 100 << 48 | 60 << 64
    words[0] = int(VAULT, 16) | limits << 160
    for i, token in enumerate(registry):
        least, most = SETUPS.get(token, (0, 0))  # type: ignore[call-overload]
        words[2 + i] = int(token.address, 16) | 3_600 << 160 | least << 192 | most << 208  # type: ignore[attr-defined]
    for i, pool in enumerate(pools):
        words[18 + i] = int(pool, 16) | (2 if pool == PAIR else 3) << 176 | (0 if pool == PAIR else 1_800) << 208
    ranges = (0, 1 << 48 | (2**24 - 120) << 24 | 2**24 - 60, 1 << 48 | 60 << 24 | 120)
    words[34] = 7 | LAST << 26 | 10**5 << 58 | 25 * 10**6 << 81  # 10 and 2,500 bps used
    words[34] |= ranges[0] << 112 | ranges[1] << 168 | len(registry) << 224 | 3 << 232 | 1 << 248
    words[35] = ranges[2]
    return words


def answers(
    registry: tuple[object, ...] = (WETH, USDC, WBTC), pools: tuple[str, ...] = (PAIR, WBTC_WETH)
) -> list[object]:
    owed = [(raw,) for raw in (10, 20, 30, 0, 0, 0, 0, 0)]
    return [(said(registry, pools),), (10**24,), (10**20,), *owed]


def ranges() -> list[object]:
    from tests.unit.venues.test_uniswap_v3 import growth

    stored = [(5, 0, 0, 1, 2), (6, 0, 0, 3, 4)]
    return [*stored, *growth(0, 0, 0, (0, 0), (0, 0)), *growth(0, 0, 0, (0, 0), (0, 0)), (77,)]


def seen(now: int = LAST, found: list[object] | None = None) -> tuple[Vault, list[object]]:
    reading = vault(VAULT, MAINNET, (USDC, WETH, WBTC), Timestamp(now))
    return read(reading, found or answers(), ranges())  # type: ignore[return-value]


def test_vault__registry_in_its_own_order__corridors_follow_the_portfolio() -> None:
    found, asked = seen()
    assert found.owed == (10, 20, 30)
    assert found.state == VaultState(
        shares=10**24 + 10**20,
        sequence=7,
        paused=True,
        last_bundle=Timestamp(LAST),
        loss_used_bps=10.0,
        turnover_used_bps=2_500.0,
        limits=Limits(50, 200, 5_000, 100, 60),  # type: ignore[arg-type]
        corridors=((0, 9_000), (1_000, 6_000), (500, 4_000)),  # type: ignore[arg-type]
        tokens=(WETH, USDC, WBTC),
        pools=(PAIR, WBTC_WETH),
        windows=(0, 1_800),
    )
    assert [(each.id, each.liquidity, each.fees0) for each in found.positions] == [
        (f"{WBTC_WETH}:-120:-60", 5, 1),
        (f"{WBTC_WETH}:60:120", 6, 3),
        (PAIR, 77, 0),
    ]
    assert len(asked) == 2


@pytest.mark.parametrize(("passed", "loss", "turnover"), [(DAY_S // 100, 8.0, 2_450.0), (DAY_S, 0.0, 0.0)])
def test_vault__time_since_the_last_bundle__has_leaked_from_the_buckets(
    passed: int, loss: float, turnover: float
) -> None:
    found, _ = seen(LAST + passed)
    assert (found.state.loss_used_bps, found.state.turnover_used_bps) == (loss, turnover)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (answers((WETH, USDC)), r"\(WETH, USDC\), found that it names USDC, WETH, WBTC"),
        (answers((WETH, USDC, WBTC, MAINNET.token("LINK"))), r"\(WETH, USDC, WBTC, LINK\), found that it names USDC"),
        (answers(pools=(PAIR, "0x00000000000000000000000000000000000000cc")), "not among market.pools"),
    ],
)
def test_vault__registry_that_is_not_the_portfolio__is_a_config_error(found: list[object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        seen(found=found)


def test_idle__something_set_aside_for_a_redeemer__is_not_ours_to_spend() -> None:
    state = factories.vault_state(tokens=(WETH, USDC, WBTC))
    balances = tuple(Amount(token, Raw(raw)) for token, raw in ((USDC, 1_000), (WETH, 700), (WBTC, 900), (ETHER, 3)))
    found = idle(Vault(state, (), (0, 200, 50)), balances)
    assert [(each.token, each.raw) for each in found] == [(USDC, 800), (WETH, 700), (WBTC, 850), (ETHER, 3)]


def test_idle__what_is_owed_lies_partly_in_a_range__the_rest_is_below_zero_so_that_with_fees_it_sums_up() -> None:
    found = idle(Vault(factories.vault_state(tokens=(USDC,)), (), (1_050,)), (Amount(USDC, Raw(1_000)),))
    assert found == (Amount(USDC, Raw(-50)),)
