"""A real alarm of a town in its journal: what people answer counts, who else hears, and in any order of entries."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.state.devices import received
from tests.watch.town import Town, Trouble, _date, look_at

from abasto.facts.kinds import AlarmAnswered, RowSet
from abasto.state.fold import fold

DAY = 22
KEY = "runs out/Street 3/flour"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Street 3 is cut off from day 17 on; the morning of day 22 is looked at."""
    made = Town.founded(tmp_path / "home", 1, 10, [Trouble("cut off", "Street 3", 17)])
    for day in range(1, DAY):
        made.live(day)
    return made


def test_answers_and_rows_say_who_hears(town: Town) -> None:
    def heard() -> tuple[str, tuple[str, ...]]:
        (one,) = [one for one in look_at(town.state(), DAY).alarms if one.key == KEY]
        return one.heard.state, one.heard.hears

    state, before = heard()
    assert state == "open"
    assert "Vale" not in before
    town.home.journal.append(
        [RowSet("escalations", {"priority": "1", "to": "Vale", "after_hours": "0"}, _date(1))], time=0
    )
    assert heard() == ("open", ("Street 3", "Vale"))
    for answer, until in (("taken", ""), ("settled", ""), ("snoozed", _date(DAY + 2))):
        town.home.journal.append([AlarmAnswered(KEY, answer, _date(DAY), until, "a truck comes")], time=0)
        assert heard() == (answer, ("Street 3", "Vale") if answer == "taken" else ())


def test_the_order_in_which_entries_come_changes_nothing(town: Town) -> None:
    entries = list(town.home.journal.store.export())
    Random(5).shuffle(entries)
    there = look_at(fold(received(entries).read()), DAY)
    assert there == look_at(town.state(), DAY)
    assert KEY in {one.key for one in there.alarms}
