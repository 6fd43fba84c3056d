"""Rows: the last word stands, undoing brings back what was before, and all of it goes through plain values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abasto.facts.kinds import RowDropped, RowSet
from abasto.network import TABLES
from abasto.state.rows import IDENTITY, KEPT, Rows, identity_of

DAY = "2026-11-22"


def good(quantity: str, **cells: str) -> RowSet:
    return RowSet("goods", {"good": "bread", "kg_per_unit": quantity, **cells}, DAY)


def test_every_table_of_the_format_has_an_identity_of_its_own_columns() -> None:
    for schema in TABLES:
        names = {column.name for column in schema.columns}
        assert set(IDENTITY[schema.name]) <= names
        assert set(schema.key) <= set(IDENTITY[schema.name])


def test_last_set_stands_in_its_first_place() -> None:
    rows = Rows()
    assert rows.set(good("1"), "a") == ""
    assert rows.set(RowSet("goods", {"good": "milk"}, DAY), "b") == ""
    assert rows.set(good("2", name=" Bread ", unit=" "), "c", author="key") == ""
    bread, milk = rows.table("goods")
    assert bread.cells == {"good": "bread", "kg_per_unit": "2", "name": "Bread"}
    assert (bread.entry, bread.author, milk.entry) == ("c", "key", "b")
    assert (rows.name("goods", "bread"), rows.name("goods", "milk")) == ("Bread", "milk")


def test_dropped_row_is_remembered() -> None:
    rows = Rows()
    rows.set(good("1"), "a")
    assert rows.standing("goods", "bread") == "stands"
    assert rows.drop(RowDropped("goods", {"good": "bread"}, DAY), "b") == ""
    assert rows.standing("goods", "bread") == "dropped"
    assert rows.standing("goods", "cake") == "unknown"
    assert list(rows.table("goods")) == []
    assert "there is no such row" in rows.drop(RowDropped("goods", {"good": "cake"}, DAY), "c")
    assert rows.standing("goods", "cake") == "unknown"


def test_undoing_brings_back_what_was_before() -> None:
    rows = Rows()
    facts = [good("1"), good("2"), RowDropped("goods", {"good": "bread"}, DAY)]
    rows.set(facts[0], "a")  # type: ignore[arg-type]
    rows.set(facts[1], "b")  # type: ignore[arg-type]
    rows.drop(facts[2], "c")  # type: ignore[arg-type]
    assert "was set again on 2026-11-22" in rows.undo(facts[1], "b")
    assert rows.undo(facts[2], "c") == ""
    assert rows.cell("goods", "kg_per_unit", "bread") == "2"
    assert rows.undo(facts[1], "b") == ""
    assert rows.cell("goods", "kg_per_unit", "bread") == "1"
    assert rows.undo(facts[0], "a") == ""
    assert rows.standing("goods", "bread") == "unknown"
    assert "not as this entry left it" in rows.undo(facts[0], "a")
    assert rows.plain() == Rows().plain()


def test_only_so_many_versions_are_kept_and_undoing_says_where_it_ends() -> None:
    rows = Rows()
    facts = [good(str(number)) for number in range(KEPT + 1)]
    for number, fact in enumerate(facts):
        rows.set(fact, f"e{number}")
    for number in reversed(range(2, KEPT + 1)):
        assert rows.undo(facts[number], f"e{number}") == ""
    assert "only the last 5 versions" in rows.undo(facts[1], "e1")
    assert rows.cell("goods", "kg_per_unit", "bread") == "1"


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("loans", {"x": "y"}, "no table loans is known here"),
        ("needs", {"site": "School", "quantity": "4"}, "a row of needs without its good cannot be told from others"),
        ("lanes", {"from": "Mill"}, "a row of lanes without its to cannot be told from others"),
        ("sites", {"site": " \n"}, "a row of sites without its site cannot be told from others"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused_in_words(table: str, row: Mapping[str, str], said: str) -> None:
    rows = Rows()
    assert said in rows.set(RowSet(table, row, DAY), "a")
    assert rows.plain() == []


def test_copies_are_rows_of_their_own() -> None:
    rows = Rows()
    need = {"site": "School", "good": "bread", "quantity": "40"}
    rows.set(RowSet("needs", need, DAY), "a")
    rows.set(RowSet("needs", need, DAY, copy=2), "b")
    rows.set(RowSet("needs", {**need, "quantity": "50"}, DAY, copy=2), "c")
    assert [row.cells["quantity"] for row in rows.table("needs")] == ["40", "50"]
    assert identity_of("needs", need, copy=2) == ("School", "bread", "", "", "2")


@pytest.mark.parametrize(
    ("cell", "days"),
    [("3", 3), ("2.5", 2), ("0", 0), ("", None), ("1e300", None), ("many", None), ("-1", None), ("nan", None)],
)
def test_shelf_life_is_whole_days_or_none(cell: str, days: int | None) -> None:
    rows = Rows()
    assert rows.shelf_life("bread") is None
    rows.set(good("1", shelf_life_days=cell), "a")
    assert rows.shelf_life("bread") == days


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "undo"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 2),
        st.sampled_from(["", "1", "2"]),
        st.integers(0, 30),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 40))
def test_rows_agree_with_a_list_of_what_was_said(steps: list[tuple[str, str, int, str, int]], cut: int) -> None:
    """The obvious rows: all versions of everything in lists, read from the end; and from plain values at any point."""
    rows = Rows()
    said: dict[tuple[str, int], list[tuple[str, str | None]]] = {}
    done: list[tuple[RowSet | RowDropped, str, tuple[str, int]]] = []
    for number, (what, site, copy, people, which) in enumerate(steps):
        if number == cut:
            rows = Rows.from_plain(json.loads(json.dumps(rows.plain())))
        entry, key = f"e{number}", (site, copy)
        if what == "undo":
            if not done:
                continue
            fact, entry, key = done[which % len(done)]
            is_last = key in said and said[key][-1][0] == entry
            is_kept = is_last and not (len(said[key]) > 1 and _forgotten(rows, key))
            assert (rows.undo(fact, entry) == "") == is_kept
            if is_kept:
                said[key].pop()
                if not said[key]:
                    del said[key]
            continue
        if what == "set":
            row = RowSet("sites", {"site": site, "people": people}, DAY, copy)
            assert rows.set(row, entry) == ""
            said.setdefault(key, []).append((entry, people))
            done.append((row, entry, key))
        else:
            drop = RowDropped("sites", {"site": site}, DAY, copy)
            assert (rows.drop(drop, entry) == "") == (key in said)
            if key in said:
                said[key].append((entry, None))
                done.append((drop, entry, key))
    present = {(key, versions[-1]) for key, versions in said.items() if versions[-1][1] is not None}
    assert {
        ((row.cells["site"], row.copy), (row.entry, row.cells.get("people", ""))) for row in rows.table("sites")
    } == (present)


def _forgotten(rows: Rows, key: tuple[str, int]) -> bool:
    """Whether only one version of a row is left of the many there were."""
    ((_, kept),) = rows.plain()
    return any(len(versions) == 1 and (versions[0][3]["site"], copy) == key for copy, _, versions in kept)
