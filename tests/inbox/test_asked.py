"""What people name and type at a desk: the one thing that is meant, or a refusal that says what to write."""

from __future__ import annotations

import pytest

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.facts.kinds import GoodsTakenIn, RowDropped, RowSet
from abasto.inbox.asked import (
    AskedError,
    UnknownNameError,
    find_good,
    find_site,
    find_thing,
    lot_of,
    quantity_of,
    unit_of,
)
from abasto.state.foresee import foresee
from abasto.state.state import State

DAY = "2027-03-01"


@pytest.fixture(scope="module")
def state() -> State:
    """A mill and a bakery, of which two are called alike, and flour that comes in sacks of 50 kg."""
    rows = [
        ("sites", {"site": "s1", "name": "Molino Ñandú"}),
        ("sites", {"site": "s2", "name": "Bakery"}),
        ("sites", {"site": "s3", "name": "bakery"}),
        ("goods", {"good": "flour", "name": "Harina", "unit": "kg"}),
        ("packs", {"good": "flour", "pack": "sack", "quantity": "50"}),
    ]
    facts = [RowSet(table, row, DAY) for table, row in rows]
    return foresee(State(), facts)


def test_names_are_found_in_any_case_and_without_accents(state: State) -> None:
    assert find_site(state, "molino nandu") == find_site(state, "s1") == "s1"
    assert find_good(state, "HARINA") == "flour"


def test_what_may_be_two_things_is_refused_with_both(state: State) -> None:
    with pytest.raises(AskedError, match='"Bakery" may be s2, s3; give one of these ids'):
        find_site(state, "Bakery")


def test_unknown_name_is_refused_with_the_closest_that_there_is(state: State) -> None:
    with pytest.raises(UnknownNameError, match=r'there is no good "harinna"\. Did you mean "Harina"'):
        find_good(state, "harinna")


def test_quantities_are_read_in_units_and_packs_and_never_guessed(state: State) -> None:
    assert unit_of(state, "flour") == "kg"
    assert quantity_of(state, "flour", "2.5 t") == 2_500_000
    assert quantity_of(state, "flour", "2 sacks") == quantity_of(state, "flour", "2", "sack") == 100_000
    for text, why in (("3,5", "comma"), ("two", "no quantity"), ("0", "above 0"), ("2 boxes", "no such unit or pack")):
        with pytest.raises(AskedError, match=why):
            quantity_of(state, "flour", text)
    assert quantity_of(state, "flour", "0", may_be_zero=True) == 0


def test_lot_is_a_date_or_none(state: State) -> None:
    assert [lot_of(one) for one in (None, "none", "2027-04-01")] == [None, "", "2027-04-01"]
    with pytest.raises(AskedError, match=r'^lot "soon": this is no date'):
        lot_of("soon")


def test_thing_is_a_site_a_good_or_an_entry_by_its_code(state: State) -> None:
    entry = "Ab3" + "x" * 40
    assert find_thing(state, "Harina", [entry]) == ("good", "flour")
    assert find_thing(state, code_of(entry), [entry]) == ("entry", entry)
    with pytest.raises(AbastoError, match="nothing here has this code"):
        find_thing(state, "ZZZZ-ZZZZ", [entry])


def test_what_lies_at_a_site_that_was_dropped_can_still_be_named(state: State) -> None:
    later = foresee(state, [GoodsTakenIn("s2", "flour", 1000, DAY), RowDropped("sites", {"site": "s2"}, DAY)])
    assert find_site(later, "s2") == "s2"
