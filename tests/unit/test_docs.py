"""Documentation that cannot rot: generated tables are current, links lead somewhere, worked examples recompute."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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
