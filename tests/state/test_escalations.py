"""Escalations in the journal: set, read, their defaults, and told where they say nothing."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.state.devices import Crew

from abasto.errors import InputError
from abasto.facts.kinds import NetworkRecognised, RowSet
from abasto.state.escalations import Step, escalations_of, steps_for
from abasto.state.foresee import row_doubts
from abasto.state.network import row_fact
from abasto.state.rows import Rows

DAY = date(2026, 11, 22)


def rows_with(*rows: tuple[str, str, str]) -> Rows:
    made = Rows()
    for number, (priority, to, hours) in enumerate(rows):
        cells = {"priority": priority, "to": to, "after_hours": hours}
        assert made.set(RowSet("escalations", cells, DAY.isoformat()), f"e{number}") == ""
    return made


def test_rows_are_read_the_soonest_first() -> None:
    steps, wrong = escalations_of(rows_with(("1", "Vale", "36"), ("1", "allocators", "2.5"), ("3", "stewards", "0")))
    assert wrong == ()
    assert steps == {1.0: (Step("allocators", 2.5), Step("Vale", 36.0)), 3.0: (Step("stewards", 0.0),)}


@pytest.mark.parametrize(
    ("priority", "hours"),
    [(0.0, (24, 48)), (1.0, (24, 48)), (1.5, (72, 144)), (2.0, (72, 144)), (2.1, (168, 336)), (9.0, (168, 336))],
)
def test_allocators_and_stewards_hear_where_no_row_stands_and_nobody_else(
    priority: float, hours: tuple[float, float]
) -> None:
    other = {5.0: (Step("Vale", 1.0),)}
    assert steps_for(priority, other) == (Step("allocators", hours[0]), Step("stewards", hours[1]))
    assert steps_for(5.0, other) == (Step("Vale", 1.0),)


def test_rows_that_say_nothing_are_told_and_silence_nobody() -> None:
    steps, wrong = escalations_of(
        rows_with(("1", "allocators", "soon"), ("1", "Vale", "-4"), ("1", "stewards", "6"), ("high", "stewards", "1"),
                  ("2", "stewards", "nan"))
    )  # fmt: skip
    assert steps == {1.0: (Step("stewards", 6.0), Step("allocators", 24.0))}
    assert [(one.file, one.column, one.value) for one in wrong] == [
        ("escalations 1 / allocators", "after_hours", "soon"),
        ("escalations 1 / Vale", "after_hours", "-4"),
        ("escalations high / stewards", "priority", "high"),
        ("escalations 2 / stewards", "after_hours", "nan"),
    ]
    assert all("set the row again" in str(one) for one in wrong)


def test_of_two_rows_for_the_same_the_sooner_counts_and_is_told() -> None:
    steps, [wrong] = escalations_of(rows_with(("1", "Vale", "5"), ("1.0", "Vale", "9")))
    assert steps == {1.0: (Step("Vale", 5.0),)}
    assert "another row says it of the same" in str(wrong)


@pytest.mark.parametrize(
    "cells",
    [
        {"priority": "1", "to": "Vale"},
        {"priority": "1", "after_hours": "5"},
        {"to": "Vale", "after_hours": "5"},
        {"priority": "1", "to": "Vale", "after_hours": "-1"},
        {"priority": "1", "to": "Vale", "after_hours": "1e9"},
    ],
)
def test_a_row_by_hand_that_says_nothing_is_refused(cells: dict[str, str]) -> None:
    with pytest.raises(InputError):
        row_fact("escalations", cells, date=DAY)


def test_a_row_without_a_hearer_is_not_kept() -> None:
    assert "without its to" in Rows().set(
        RowSet("escalations", {"priority": "1", "after_hours": "2"}, "2026-11-22"), "e"
    )


def test_escalations_are_kept_like_any_row() -> None:
    fact = row_fact("escalations", {"priority": "1.0", "to": "Vale", "after_hours": "6"}, date=DAY)
    assert dict(fact.row) == {"priority": "1", "to": "Vale", "after_hours": "6"}
    rows = rows_with(("1", "Vale", "6"))
    assert escalations_of(Rows.from_plain(json.loads(json.dumps(rows.plain())))) == escalations_of(rows)


def test_it_is_doubted_that_a_network_hears_which_nobody_recognised() -> None:
    crew = Crew()
    row = RowSet("escalations", {"priority": "1", "to": "Vale", "after_hours": "6"}, DAY.isoformat())
    assert any("Vale" in doubt for doubt in row_doubts(crew.state(), row, day=DAY))
    crew.say(NetworkRecognised("V" * 42 + "A", "Vale", DAY.isoformat()))
    assert row_doubts(crew.state(), row, day=DAY) == ()
    for to in ("allocators", "School"):
        heard = RowSet("escalations", {"priority": "1", "to": to, "after_hours": "6"}, DAY.isoformat())
        assert row_doubts(crew.state(), heard, day=DAY) == ()
