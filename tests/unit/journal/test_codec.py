"""Every noun goes into the journal's JSON and comes back the same."""

from dataclasses import is_dataclass, replace
from decimal import Decimal
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.errors import Broken
from bot.core.rows import Approval, Attempt, Intent, Note, Origin, Skip
from bot.core.types import Outcome, Pool, Proposal, Snapshot, Step
from bot.core.units import Money
from bot.journal.codec import BODIES, decode, encode
from tests import factories
from tests.unit.execution import bundles

WRITTEN: dict[str, Any] = {
    "chain": Origin,
    "cycle": tuple[Snapshot, Proposal],
    "skip": Skip,
    "simulation": Outcome,
    "rehearsal": Outcome,
    "intent": Intent,
    "attempt": Attempt,
    "outcome": Outcome,
    "approval": Approval,
    "note": Note,
}

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.one_of(st.integers(-9, 9), st.integers(-(2**256), 2**256)),
    float: st.floats(allow_nan=False),
    str: st.text(max_size=8),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a noun's type."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, NewType):
        return values(kind.__supertype__)
    if is_dataclass(kind):
        return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(values(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, parts))
    return st.one_of(*map(values, parts))


quick = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("kind", sorted(WRITTEN))
def test_body__any_values__comes_back_equal(kind: str) -> None:
    @quick
    @given(values(WRITTEN[kind]))
    def check(body: object) -> None:
        assert decode(kind, encode(kind, body)) == body

    check()


def test_kinds__as_written_here__are_all_that_the_journal_knows() -> None:
    assert set(WRITTEN) == set(BODIES)


@pytest.mark.parametrize("noun", get_args(Pool))
def test_pool__of_each_curve__comes_back_as_its_own_class(noun: type) -> None:
    @quick
    @given(values(WRITTEN["cycle"]), values(noun))
    def check(body: tuple[Snapshot, Proposal], pool: Any) -> None:
        text = encode("cycle", (replace(body[0], pools=(pool,)), body[1]))
        (back,) = decode("cycle", text)[0].pools
        assert (type(back), back) == (noun, pool)

    check()


@pytest.mark.parametrize("noun", get_args(Step))
def test_step__of_each_kind__comes_back_as_its_own_class(noun: type) -> None:
    @quick
    @given(values(Intent), values(noun))
    def check(intent: Intent, step: Any) -> None:
        text = encode("intent", replace(intent, plan=replace(intent.plan, steps=(step,))))
        (back,) = decode("intent", text).plan.steps
        assert (type(back), back) == (noun, step)

    check()


@quick
@given(values(Intent), st.integers(2**64, 2**256))
def test_integer__beyond_sixty_four_bits__is_written_as_its_digits(intent: Intent, raw: int) -> None:
    text = encode("intent", replace(intent, nonce=raw))
    assert f'"nonce":{raw},' in text
    assert decode("intent", text).nonce == raw


@quick
@given(st.decimals(allow_nan=False, allow_infinity=False), values(WRITTEN["cycle"]))
def test_money__any_number_of_digits__is_written_as_a_string(money: Decimal, body: tuple[Snapshot, Proposal]) -> None:
    assert f'"ether":"{money}"' in encode("cycle", (replace(body[0], ether=Money(money)), body[1]))


@pytest.mark.parametrize("money", ["Infinity", "NaN"])
def test_money__not_finite__is_broken_before_anything_is_written(money: str) -> None:
    with pytest.raises(Broken, match="finite"):
        encode("cycle", (factories.snapshot(ether=Money(Decimal(money))), bundles.proposal()))


def test_encode__body_of_another_kind__is_broken_and_names_the_kind() -> None:
    with pytest.raises(Broken, match="expected the body of 'outcome'"):
        encode("outcome", Note("not an outcome"))


def test_encode__value_that_is_not_plain__is_broken() -> None:
    with pytest.raises(Broken, match="plain values"):
        encode("note", Note(object()))  # type: ignore[arg-type]


def test_encode__unknown_kind__is_broken_and_lists_the_known_ones() -> None:
    with pytest.raises(Broken, match=r"approval.*simulation.*found 'gossip'"):
        encode("gossip", Note("x"))


def test_decode__text_that_is_cut__is_broken() -> None:
    text = encode("note", Note("a whole sentence"))
    with pytest.raises(Broken, match="expected the body of 'note'"):
        decode("note", text[:-1])
