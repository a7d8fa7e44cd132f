"""The vault's words, bit by bit: the places and fields of contracts/modules/layout.vy, and what they say."""

import re
from pathlib import Path

import pytest

from bot.core.errors import DataError
from bot.core.types import Limits
from bot.core.units import Bps
from bot.venues import words
from bot.venues.words import PoolWord, TokenWords, leaked, settings

MODULES = Path(__file__).parents[3] / "contracts" / "modules"
CONSTANT = re.compile(r"^([A-Z_0-9]+): constant\(uint256\) = (.+?)(?:  #.*)?$", re.MULTILINE)
A, B, C = (bytes([byte] * 20) for byte in (0xA1, 0xB2, 0xC3))
UINT24, UINT40 = 2**24 - 1, 2**40 - 1


def hexed(address: bytes) -> str:
    return "0x" + address.hex()


def number(address: bytes) -> int:
    return int.from_bytes(address, "big")


def empty() -> list[int]:
    return [0] * words.PLACES


def constants(module: str) -> dict[str, int]:
    found = CONSTANT.findall((MODULES / f"{module}.vy").read_text(encoding="utf-8"))
    return {name: eval(value, {"__builtins__": {}}) for name, value in found if re.fullmatch(r"[\d_ *<]+", value)}


def test_places_and_fields__are_the_contracts() -> None:
    layout = constants("layout")
    assert len(layout) >= 27
    assert {name: getattr(words, name, None) for name in layout} == layout
    assert constants("registry")["POSITION_BITS"] == words.POSITION_BITS


def test_settings__rules_and_fee__every_field_at_its_most() -> None:
    said = empty()
    limits = 2**8 - 1 | (2**16 - 1) << 8 | UINT24 << 24 | (2**16 - 1) << 48 | (2**24 - 1) << 64
    said[words.RULES] = number(A) | limits << 160
    said[words.FEE] = number(B) | 200 << 160
    found = settings(said)
    assert found.keeper == hexed(A)
    assert found.limits == Limits(Bps(255), Bps(65_535), Bps(UINT24), Bps(65_535), UINT24)
    assert (found.fee_receiver, found.fee_bps) == (hexed(B), 200)
    assert words.keeper(said[words.RULES]) == hexed(A)


def test_settings__tokens_and_pools__only_those_listed() -> None:
    said = empty()
    said[words.TOKENS + 1] = number(A) | 86_400 << 160 | 28 << 184 | 500 << 192 | 9_000 << 208
    said[words.FEEDS + 1] = number(B) | (95 << 8 | 20) << 160 | (2**40 - 1 << 8 | 3) << 208
    said[words.POOLS] = number(C) | 1 << 160 | 0 << 168 | 3 << 176 | 500 << 184 | 1_800 << 208
    said[words.HELD] = 2 << words.TOKEN_COUNT
    found = settings(said)
    nobody = TokenWords("0x" + "00" * 20, "0x" + "00" * 20, 0, 0, 0, (Bps(0), Bps(0)))
    assert found.tokens == (
        nobody,
        TokenWords(hexed(A), hexed(B), 86_400, 95 << 20, UINT40 << 3, (Bps(500), Bps(9_000))),
    )
    assert found.pools == (PoolWord(hexed(C), 3, 500, 1_800),)


def test_settings__eight_positions__across_three_words_with_their_signs() -> None:
    said, wanted = empty(), [(i, -887_270 + i, 887_270 - i) for i in range(8)]
    for i, (pool, lower, upper) in enumerate(wanted):
        word = pool << 48 | (lower & UINT24) << 24 | upper & UINT24
        said[words.HELD + (i + 2) // 4] |= word << (i + 2) % 4 * 56
    for count in (0, 3, 8):
        head = [*said]
        head[words.HELD] |= count << words.POSITION_COUNT | 3 << words.TOKEN_COUNT | 0b101 << words.OWES
        found = settings(head)
        assert found.positions == tuple(wanted[:count])
        assert not found.paused
    said[words.HELD] |= words.PAUSED
    assert settings(said).paused


def test_settings__run__every_field_at_its_most() -> None:
    said = empty()
    said[words.HELD] = 2**26 - 1 | (2**32 - 1) << 26 | (2**23 - 1) << 58 | (2**31 - 1) << 81
    found = settings(said)
    assert (found.sequence, found.last_bundle) == (2**26 - 1, 2**32 - 1)
    assert (found.loss_used, found.turnover_used) == (2**23 - 1, 2**31 - 1)


@pytest.mark.parametrize("field", [words.TOKEN_COUNT, words.POSITION_COUNT])
def test_settings__more_than_a_vault_can_list__is_a_data_error(field: int) -> None:
    said = empty()
    said[words.HELD] = 9 << field
    with pytest.raises(DataError, match="is it our vault"):
        settings(said)


@pytest.mark.parametrize(
    ("used", "passed", "left"),
    [(10**6, 0, 10**6), (10**6, 43_200, 0), (2 * 10**6, 43_200, 10**6), (10**6, 1, 10**6 - 23)],
)
def test_leaked__evenly_over_a_day__never_below_zero(used: int, passed: int, left: int) -> None:
    assert leaked(used, 200, passed) == left
