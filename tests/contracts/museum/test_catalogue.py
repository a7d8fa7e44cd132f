"""The catalogue names every exhibit, and every exhibit is run against its twin and against the vault."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.contracts.market import CONTRACTS
from tests.contracts.museum import EXHIBITS, table

ROOMS = sorted(Path(__file__).parent.glob("test_*.py"))
NO_TWINS = {"Burglar"}  # the thief's own
CONTROLS = {"scene"}  # tests of the exhibits' own ground


def hung() -> dict[str, set[str]]:
    """Of each attack, the houses it is run against: twin, vault."""
    found = defaultdict(set)
    for room in ROOMS:
        for node in ast.parse(room.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and room.name != Path(__file__).name:
                attack, house, *_ = node.name.removeprefix("test_").split("__")
                found[f"{room.name}: {attack}"].add(house.split("_")[0])
    return {name: houses for name, houses in found.items() if name.split(": ")[1] not in CONTROLS}


def test_catalogue__names_every_attack_and_no_other() -> None:
    assert set(hung()) == {exhibit.test for exhibit in EXHIBITS}
    assert len(EXHIBITS) == 19


def test_catalogue__every_attack_is_run_against_a_twin_and_the_vault() -> None:
    assert {name: houses for name, houses in hung().items() if houses != {"twin", "vault"}} == {}


def test_catalogue__names_every_twin_and_every_twin_says_which_incident_it_copies() -> None:
    twins = {path.stem: path for path in (CONTRACTS / "mocks" / "museum").glob("[A-Z]*.vy")}
    assert {name for exhibit in EXHIBITS for name in exhibit.twins} == set(twins) - NO_TWINS
    for exhibit in EXHIBITS:
        title = twins[exhibit.twins[-1]].read_text()
        assert exhibit.incident.split(",")[0].split(" ")[0] in title
        assert exhibit.year[:4] in title


def test_table__has_a_row_for_each_exhibit() -> None:
    lines = table().splitlines()
    assert len(lines) == 2 + len(EXHIBITS)
    assert all(line.count("|") == lines[0].count("|") for line in lines)
