"""Opening hours in the journal: set, read, and told where they say nothing."""

from __future__ import annotations

import json

import pytest
from tests.routes.days import DAY

from abasto.errors import InputError
from abasto.facts.kinds import RowSet
from abasto.state.network import row_fact
from abasto.state.openings import Opening, openings_of
from abasto.state.rows import Rows


def rows_with(*cells: dict[str, str]) -> Rows:
    rows = Rows()
    for number, one in enumerate(cells):
        assert rows.set(RowSet("openings", one, DAY.isoformat()), f"e{number}") == ""
    return rows


def test_hours_are_read_in_minutes_and_what_is_blank_is_open() -> None:
    openings, wrong = openings_of(
        rows_with(
            {"site": "School", "opens": "08:00", "closes": "14:30"},
            {"site": "Hill", "opens": "09:15"},
            {"site": "Vale", "opens": "10:00", "closes": "10:00"},
        )
    )
    assert wrong == ()
    assert {site: (one.first_minute, one.last_minute) for site, one in openings.items()} == {
        "School": (480, 870),
        "Hill": (555, 1440),
        "Vale": (600, 600),
    }
    assert [site for site, one in openings.items() if one.is_closed] == ["Vale"]
    assert not Opening(site="School").is_closed


def test_hours_that_say_nothing_are_told_and_count_as_open() -> None:
    openings, wrong = openings_of(
        rows_with(
            {"site": "School", "opens": "8:00"},
            {"site": "Hill", "opens": "15:00", "closes": "09:00"},
            {"site": "Vale", "closes": "25:00"},
        )
    )
    assert openings == {}
    assert [(one.file, one.column, one.value) for one in wrong] == [
        ("openings School", "opens", "8:00"),
        ("openings Hill", "", ""),
        ("openings Vale", "closes", "25:00"),
    ]
    assert "hours do not go over midnight" in str(wrong[1])
    assert all("until then it counts as always open" in str(one) for one in wrong)


@pytest.mark.parametrize("cell", ["8:00", "08.00", "24:01", "noon", "08:60"])
def test_a_row_by_hand_with_no_time_of_day_is_refused(cell: str) -> None:
    with pytest.raises(InputError, match="no time of day from 00:00 to 24:00, such as 08:00"):
        row_fact("openings", {"site": "School", "opens": cell}, date=DAY)


def test_hours_are_kept_like_any_row() -> None:
    fact = row_fact("openings", {"site": "School", "opens": "08:00", "closes": "24:00"}, date=DAY)
    assert dict(fact.row) == {"site": "School", "opens": "08:00"}, "what is at its default is not written"
    rows = rows_with(dict(fact.row))
    again = Rows.from_plain(json.loads(json.dumps(rows.plain())))
    assert openings_of(again) == openings_of(rows)
