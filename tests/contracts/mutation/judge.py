"""A session of tests that judges mutants: collected once, then forked for each."""

import hashlib
import pickle
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boa
import pytest
from _pytest.runner import runtestprotocol  # what xdist and rerunfailures run a test with
from hypothesis import Phase, settings
from vyper.exceptions import VyperException, VyperInternalException

from scripts.build_contracts import CONTRACTS
from tests.contracts.modes import session as modes
from tests.contracts.modes.session import deployed, recorded
from tests.contracts.mutation import build
from tests.contracts.mutation.forks import TimeLimitError, forked
from tests.contracts.mutation.reach import Line, Map, Reach, Reached, Trace
from tests.contracts.mutation.source import Mutant
from tests.contracts.vault import world

VAULT, CHARTER, LENS = *build.TARGETS, "Lens.vy"  # tests look at positions through the lens
KEPT = CONTRACTS.parent / ".build" / "mutation"
SESSION = 1, 600  # seed and steps
MOST_S = 300.0  # for one mutant: such a test would be stopped by somebody
OPTIONS = [
    *("-q", "-o", "addopts=", "--import-mode=importlib", "--strict-markers", "--strict-config", "-m", "not deep"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of modules that these rooms load first
    *(f"-pno:{plugin}" for plugin in ("ape_test", "cacheprovider", "xdist", "terminalreporter")),
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`killed` by a test, `survived`, `same` code as without it, or `stillborn`: it does not compile.

    `by` is the test that killed it, or how a survivor differs.
    """

    mutant: Mutant
    status: str
    by: str
    tests: int
    seconds: float

    @property
    def counts(self) -> bool:
        return self.status in ("killed", "survived")


class Court:
    """A plugin of pytest: where the tests would run, it judges."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int, named: dict[Mutant, str] | None = None) -> None:
        self.mutants, self.jobs, self.named = mutants, jobs, named
        self.verdicts: list[Verdict] = []
        self.broken: list[str] = []  # tests that fail without a mutant
        self._killers: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """No database, no shrinking: the first failure is enough, and the same one each time."""
        settings.register_profile(
            "mutation",
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            max_examples=30,
        )
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        self.items = {item.nodeid: item for item in session.items}
        self.quick = build.warm()
        self.shipped: build.Codes = {}  # known where mutants are looked for, not where a few are named
        if self.named is None:
            self.shipped = build.creation(CONTRACTS)
            self.tape = self._kept("tape", lambda: recorded(self.quick[VAULT], *SESSION, self.quick[CHARTER]))
            self.reach = self._kept("reach", self._survey)
            self.broken = [test.test for test in self.reach.tests if not test.passes]
        self.verdicts = list(self._judge())
        return True

    # -------------------------------------------------------------- without a mutant

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        """Made once, for as long as neither the contracts nor the tests nor these rooms change."""
        rooms = {item.path.parent for item in self.items.values()}
        rooms |= {Path(modes.__file__).parent, Path(__file__).parent}
        paths = {*CONTRACTS.rglob("*.vy*"), *(path for room in rooms for path in room.glob("*.py"))}
        text = "".join([*self.items, *(path.read_text() for path in sorted(paths))])
        kept = KEPT / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pickle"
        if kept.exists():
            return pickle.loads(kept.read_bytes())
        found = make()
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(found))
        return found

    def _survey(self) -> Reach:
        parts = [part for i in range(self.jobs) if (part := list(self.items)[i :: self.jobs])]
        found: list[Reached] = []
        always: frozenset[Line] = frozenset()
        for _, result, _ in forked(parts, self._survey_part, self.jobs, 4 * MOST_S):
            if isinstance(result, Exception):
                raise result
            always, some = result
            found += some
        return Reach(tuple(found), always)

    def _survey_part(self, tests: list[str]) -> tuple[frozenset[Line], list[Reached]]:
        with build.quietly():
            levels = dict.fromkeys(build.TARGETS, build.QUICK) | {LENS: None}
            trace = Trace([Map.of(build.compiled(CONTRACTS, *each), CONTRACTS) for each in levels.items()])

        def make() -> bool:
            with boa.env.anchor():
                world.build()
            return True

        always = trace.reached("", make).lines
        return always, [
            trace.reached(test, lambda pair=pair: self._passes(*pair))
            for test, pair in zip(tests, self._pairs(tests), strict=True)
        ]

    # -------------------------------------------------------------- with one

    def _judge(self) -> Iterator[Verdict]:
        for mutant, result, took in forked(self.mutants, self._try, self.jobs, MOST_S):
            if isinstance(result, TimeLimitError):
                result = ("killed", "the time limit", 0)
            elif isinstance(result, Exception):
                raise result
            status, by, tests = result
            if status == "killed":
                self._killers[mutant.file, mutant.place][by] += 1
            verdict = Verdict(mutant, status, by, tests, took)
            self.told(verdict)
            yield verdict

    def told(self, verdict: Verdict) -> None:
        """For whoever waits."""

    def _order(self, mutant: Mutant) -> list[str]:
        if self.named is not None:
            return [test for test in self.items if self.named[mutant] in test]
        texts = {path.relative_to(CONTRACTS).as_posix(): path.read_text() for path in CONTRACTS.rglob("*.vy")}
        found = self.reach.order(mutant, texts)
        likely = [test for test, _ in self._killers[mutant.file, mutant.place].most_common(5) if test in found]
        return likely + [test for test in found if test not in likely]

    def _try(self, mutant: Mutant) -> tuple[str, str, int]:
        order = self._order(mutant)
        with tempfile.TemporaryDirectory() as directory:
            contracts = build.copy(Path(directory), mutant.file, mutant.text)
            try:
                codes = self.quick | build.creation(contracts, build.QUICK, targets := build.targets_of(mutant.file))
            except (VyperException, VyperInternalException) as error:
                return "stillborn", type(error).__name__, 0
            if codes == self.quick:
                return "same", "", 0
            build.install(contracts, codes)
            by, tests = self._first_failure(order)
            if by is not None:
                return "killed", by, tests
            if self.shipped and self.shipped | build.creation(contracts, None, targets) == self.shipped:
                return "same", "", tests
            return "survived", self._witness(codes), tests

    def _witness(self, codes: build.Codes) -> str:
        """A call that is answered otherwise than without the mutant: it is no equivalent, and a test is missing."""
        if not self.shipped:
            return ""
        found = self.tape.differences(deployed(codes[VAULT], codes[CHARTER]), most=1)
        return found[0] if found else "no difference in a session"

    def _first_failure(self, tests: list[str]) -> tuple[str | None, int]:
        for done, (item, following) in enumerate(self._pairs(tests), start=1):
            if not self._passes(item, following):
                return item.nodeid, done
        return None, len(tests)

    def _pairs(self, tests: list[str]) -> list[tuple[pytest.Item, pytest.Item]]:
        """Each test with the next; after the last itself, so that what the session made stays until the fork ends."""
        items = [self.items[test] for test in tests]
        return list(zip(items, items[1:] + items[-1:], strict=True))

    def _passes(self, item: pytest.Item, following: pytest.Item) -> bool:
        return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def judged(court: Court, tests: list[str], ignored: Sequence[str] = ()) -> list[Verdict]:
    """The verdicts of these tests. RuntimeError when they do not even start."""
    options = [*OPTIONS, *(f"--ignore={path}" for path in ignored)]
    status = pytest.main([*options, *tests], plugins=[court])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not court.items:
        raise RuntimeError(f"expected the tests to start, found exit code {status}")
    return court.verdicts
