"""Which mutants are tried, which are known to change nothing, and what is said of the outcome."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.build_contracts import CONTRACTS
from tests.contracts.mutation.build import TARGETS, made_of
from tests.contracts.mutation.judge import Court, Verdict, judged
from tests.contracts.mutation.operators import edits
from tests.contracts.mutation.source import Mutant, Source

APART = {"modules/refuse.vy"}  # the reasons, which test_source.py compares with their text
FILES = (*TARGETS, *sorted(set().union(*map(made_of, TARGETS)) - {*TARGETS} - APART))
JUDGES = "tests/contracts/vault"
NO_JUDGES = ("tests/contracts/vault/test_source.py",)  # reads the text: a mutant must be noticed by what it does
EQUIVALENT = Path(__file__).parent / "equivalent.json"

Key = tuple[str, str, str, str, int]


@dataclass(frozen=True)
class Outcome:
    """What came of a campaign; `stale` are entries of the list of equivalents that no mutant answers to."""

    verdicts: Sequence[Verdict]
    known: int
    stale: Sequence[Key]
    broken: Sequence[str]

    @property
    def survivors(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.status == "survived"]

    @property
    def good(self) -> bool:
        return not (self.survivors or self.stale or self.broken)

    def table(self) -> str:
        """Counts by file."""
        columns = ("killed", "survived", "same", "stillborn")
        counts = Counter((verdict.mutant.file, verdict.status) for verdict in self.verdicts)
        files = [file for file in FILES if any((file, column) in counts for column in columns)]
        rows = [("file", "mutants", *columns)]
        for file in [*files, "all"]:
            found = [sum(n for (f, s), n in counts.items() if s == c and file in (f, "all")) for c in columns]
            rows.append((file, str(sum(found)), *map(str, found)))
        lines = ["".join(cell.ljust(22) if i == 0 else cell.rjust(11) for i, cell in enumerate(row)) for row in rows]
        tried = [verdict for verdict in self.verdicts if verdict.counts]
        seconds = sum(verdict.seconds for verdict in self.verdicts) / max(len(self.verdicts), 1)
        rate = 100 * (1 - len(self.survivors) / max(len(tried), 1))
        lines.append(f"killed {rate:.1f} % of {len(tried)}; {self.known} known to be equivalent; {seconds:.1f} s each")
        return "\n".join(lines)


@cache
def equivalent() -> dict[Key, str]:
    """Mutants that nobody can tell from the vault, each with the reason."""
    entries = json.loads(EQUIVALENT.read_text())
    return {(e["file"], e["in"], e["was"], e["now"], e.get("nth", 0)): e["why"] for e in entries}


def mutants(files: Iterable[str] = FILES) -> list[Mutant]:
    """All of these files."""
    sources = [Source.read(CONTRACTS, file) for file in files]
    return [mutant for source in sources for mutant in source.mutants(edits(source))]


def sample(found: list[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """So many by chance, or all, in an order that spreads the files."""
    chance = random.Random(seed)
    return chance.sample(found, len(found) if size is None else min(size, len(found)))


def run(court: Court, known: int = 0, stale: Sequence[Key] = (), tests: Sequence[str] = (JUDGES,)) -> Outcome:
    """Judge the court's mutants by these tests."""
    return Outcome(judged(court, list(tests), NO_JUDGES), known, stale, court.broken)
