"""Documentation that cannot rot: generated tables are current, links lead somewhere, worked examples recompute."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bot.chain.abi import selector
from bot.decision.benefit import gain
from bot.decision.standing import Standing
from tests.factories import policy

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_generated_sections__after_any_change__are_current():
    done = subprocess.run(
        [sys.executable, "scripts/build_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page__its_links_and_files__exist(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
    for name in re.findall(r"`((?:bot|contracts|scripts|tests|config|docs|bench)/[\w/.\-]*)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page__its_make_targets__exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([\w-]+)`|^make ([\w-]+)", page.read_text(), re.M):
        name = next(filter(None, target))
        assert re.search(rf"^{name}:", makefile, re.M), name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page__its_verbs__exist(page):
    import typer

    from bot.cli import app

    text = page.read_text()
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.M | re.S))
    for words in re.findall(r"`evenkeel ([^`]+)`", text) + re.findall(
        r"(?:^|; |&& )evenkeel ([^;&\n#]+)", blocks, re.M
    ):
        command = typer.main.get_command(app)
        for word in words.split():
            if not getattr(command, "commands", None):
                break
            assert word in command.commands, f"{page.name}: evenkeel {words}"
            command = command.commands[word]


def test_readme__rows_of_the_demos_table__are_in_it():
    text = (ROOT / "README.md").read_text()
    table = text[text.index("## What you see") : text.index("The prices are made up")]
    source = (ROOT / "bot" / "demo" / "report.py").read_text()
    rows = [row for line in re.findall(r"^\| (`.*?`) \|", table, re.M) for row in re.findall(r"`([^`]+)`", line)]
    assert len(rows) > 5
    for row in rows:
        assert f'("{row}", ' in source, row
    assert "held untouched" in rows  # the one that may be against us
    assert not re.search(r"\d{3}", table), "a figure that nothing makes anew"


def test_operations_page__calldata__is_what_the_charter_takes():
    text = (ROOT / "docs" / "operations.md").read_text()
    for call in ("pause()", "unpause()"):
        assert f"`{call}` is `0x{selector(call).hex()}`" in text


def test_readme__fits_a_screen_or_three():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


@pytest.mark.parametrize(("daily", "worth"), [(0.03, 540), (0.005, 15)])
def test_policy_page__worked_example__recomputes(daily, worth):
    text = (ROOT / "docs" / "policy.md").read_text()
    assert re.search(rf"\b{worth} dollars", text)
    covariance = np.diag([0.0, daily**2, 0.0])
    weights, targets = np.array([0.3, 0.5, 0.2]), np.array([0.4, 0.4, 0.2])
    standing = Standing(1_000_000, (), (), weights, targets, covariance, 0.0, 0.0)
    assert float(gain(policy(), standing, targets)) == pytest.approx(worth)
