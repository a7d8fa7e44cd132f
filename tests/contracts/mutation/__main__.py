"""Try the vault's mutants; exit 1 when one survives that is not known to be equivalent."""

import argparse
import sys
import time
from collections.abc import Iterable

from tests.contracts.mutation.campaign import FILES, JUDGES, equivalent, mutants, run, sample
from tests.contracts.mutation.judge import Court, Verdict
from tests.contracts.mutation.named import differences


class Loud(Court):
    """Says how it goes: every survivor at once, the rest now and then."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.done, self.start = 0, time.monotonic()

    def told(self, verdict: Verdict) -> None:
        self.done += 1
        if verdict.status == "survived":
            say(f"survived {verdict.tests} tests: {verdict.mutant}\n    {verdict.by}")
        if self.done % 25 == 0:
            say(f"{self.done} of {len(self.mutants)}, {time.monotonic() - self.start:.0f} s")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(lines: Iterable[str]) -> int:
    """Say each, and fail if there is one."""
    shown = [sys.stdout.write(line + "\n") for line in lines]
    return int(bool(shown))


def main(arguments: list[str] | None = None) -> int:
    """Whole by default; known equivalents are left out unless asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutation", description=__doc__)
    parser.add_argument("--file", action="append", choices=FILES, metavar="FILE", help="under contracts/; may repeat")
    parser.add_argument("--place", help="mutants of this function only")
    parser.add_argument("--sample", type=int, metavar="N", help="so many by chance instead of all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--named", action="store_true", help="the few of named.py, each with one test")
    parser.add_argument("--known", action="store_true", help="try those known to be equivalent, and no others")
    parser.add_argument("--list", action="store_true", help="name the mutants and try none")
    parser.add_argument("--killers", action="store_true", help="name each mutant with its verdict at the end")
    parser.add_argument("tests", nargs="*", default=[JUDGES], help=f"judges; {JUDGES} by default")
    options = parser.parse_args(arguments)

    if options.named:
        return show(differences(options.jobs))
    found = mutants(options.file or FILES)
    stale = sorted(set(equivalent()) - {mutant.key for mutant in found}) if not options.file else []
    known = [mutant for mutant in found if mutant.key in equivalent()]
    chosen = known if options.known else [mutant for mutant in found if mutant.key not in equivalent()]
    chosen = [mutant for mutant in chosen if options.place in (None, mutant.place)]
    chosen = sample(chosen, options.sample, options.seed)
    if options.list:
        sys.stdout.write("".join(f"{mutant}\n" for mutant in chosen))
        return 0
    court = Loud(chosen, options.jobs)
    outcome = run(court, len(known), stale, options.tests)
    for verdict in sorted(outcome.verdicts, key=lambda v: (v.mutant.file, v.mutant.lines)):
        if options.killers or (options.known and verdict.status == "killed"):
            sys.stdout.write(f"{verdict.status} {verdict.seconds:.1f} s {verdict.by}: {verdict.mutant}\n")
    for verdict in outcome.survivors:
        sys.stdout.write(f"survived {verdict.tests} tests: {verdict.mutant}\n    {verdict.by}\n")
    for key in outcome.stale:
        sys.stdout.write(f"listed as equivalent and no longer a mutant: {key}\n")
    for test in outcome.broken:
        sys.stdout.write(f"fails without any mutant, and judged none: {test}\n")
    sys.stdout.write(outcome.table() + "\n")
    if options.known:
        return int(any(verdict.status == "killed" for verdict in outcome.verdicts))
    return int(not outcome.good)


if __name__ == "__main__":
    sys.exit(main())
