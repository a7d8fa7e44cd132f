"""A few mutants of every kind, each with the test that is to notice it: the harness in little."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.contracts.mutation.campaign import JUDGES, mutants
from tests.contracts.mutation.judge import Court, judged
from tests.contracts.mutation.source import Mutant


@dataclass(frozen=True, slots=True)
class Named:
    """Found by its place, its operator and a part of what the line said and says then."""

    file: str
    place: str
    operator: str
    text: str  # of `was => now`
    test: str  # a part of its name
    status: str = "killed"

    def mutant(self) -> Mutant:
        """LookupError when it is not there any more, or not alone."""
        wanted = (self.place, self.operator)
        found = [
            m for m in mutants([self.file]) if (m.place, m.operator) == wanted and self.text in f"{m.was} => {m.now}"
        ]
        if len(found) != 1:
            raise LookupError(f"expected one mutant like {self}, found {len(found)}; name another")
        return found[0]


NAMED = (
    Named("Vault.vy", "mint", "comparison", "shares < share.LOCKED", "no_more_than_the_locked_shares"),
    Named("Charter.vy", "_set_token", "comparison", "max_age >= MOST", "test_token__at_every_bound"),
    Named("modules/share.vy", "_take", "deletion", "held - amount => pass", "test_balances__locked"),
    Named("modules/roles.vy", "_waits", "comparison", "if block.timestamp <= ready:", "test_widening__waits_out"),
    Named(
        "modules/budget.vy", "_spend", "arithmetic", "before.turnover_used - self", "test_execute__event_and_sequence"
    ),
    Named(
        "modules/oracle.vy",
        "_price",
        "comparison",
        "answer >= layout._most_answer(feed): => if answer < ",
        "test_price__",
    ),
    Named("modules/bundle.vy", "_settle", "connective", "or len(floors)", "test_floors__"),
    Named("modules/venues.vy", "_pay", "connective", "and amounts[1] > most[1]", "test_add__range_takes_more"),
    Named("Vault.vy", "_cost", "name", "_mul_div(book", "test_share__names_and_decimals", "survived"),
    Named("modules/portfolio.vy", "_book", "order", "_fees(pool, position, held", "test_share__names", "stillborn"),
)


def differences(jobs: int) -> Iterator[str]:
    """Those whose end is not the one expected."""
    found = {each.mutant(): each for each in NAMED}
    court = Court(list(found), jobs, {mutant: each.test for mutant, each in found.items()})
    for verdict in judged(court, [JUDGES]):
        each = found[verdict.mutant]
        if verdict.status != each.status:
            yield f"expected {each.status} by {each.test}, found {verdict.status}: {verdict.mutant}"
