"""A zero too many, and a hand-out that nobody wrote down: what lies there is reckoned as if neither had happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from abasto.facts.kinds import Fact, GoodsHandedOut, GoodsTakenIn, RowSet, StockCounted
from abasto.forecast import forecast
from abasto.journal.home import Home
from abasto.situation import situation
from abasto.state.fold import fold
from abasto.state.known import known
from abasto.state.observed import observed
from abasto.state.state import State
from abasto.watch import Watched, watch
from abasto.watch.doubtful import DOUBTED_DAYS, as_foreseen, doubts_of, excess_of

BEGIN = date(2027, 3, 1)
KNOWN = 20
USUAL = 50_000
PLACE = ("School", "flour")


def on(day: int) -> str:
    return (BEGIN + timedelta(days=day - 1)).isoformat()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "home", passphrase=None)


def told(home: Home, last: Mapping[int, int], *, counts: Mapping[int, int] = {}, until: int = 0) -> State:
    """Hand out 50 kg of flour on each of 20 days, then what `last` says of later days, and milk on all; count."""
    until = until or max(last)
    facts: list[Fact] = [
        RowSet("network", {"name": "Town", "start": on(1), "days": "30"}, on(1)),
        RowSet("sites", {"site": "School", "people": "100"}, on(1)),
        RowSet("goods", {"good": "flour"}, on(1)),
        RowSet("goods", {"good": "milk"}, on(1)),
        GoodsTakenIn("School", "flour", 1_600_000, on(1)),
        GoodsTakenIn("School", "milk", 1_600_000, on(1)),
    ]
    for day in range(1, until + 1):
        wobble = 3_000 * (day % 3 - 1)
        flour = USUAL + wobble if day <= KNOWN else last.get(day, USUAL)
        if flour:
            facts.append(GoodsHandedOut("School", "flour", flour, on(day)))
        facts.append(GoodsHandedOut("School", "milk", 20_000 + wobble, on(day)))
    facts += [StockCounted("School", "flour", quantity, on(day)) for day, quantity in counts.items()]
    home.journal.found("Town", date=on(1), time=0)
    home.journal.append(facts, time=1)
    return fold(home.journal.read())


def doubted(state: State, morning: int) -> dict[str, float]:
    """Return what is written of the days of flour that are doubted on a morning, by date."""
    seen = observed(state, BEGIN + timedelta(days=morning - 1))
    found = doubts_of(state, seen, forecast(seen.use, 7))
    return {one.on.isoformat(): one.use for one in found if seen.places[one.row] == PLACE}


def looked(state: State, morning: int) -> Watched:
    today = BEGIN + timedelta(days=morning - 1)
    seen = known(state, today)
    return watch(state, seen, situation(state, today, seen=seen), datetime.combine(today, time(8)))


def kinds(watched: Watched) -> set[str]:
    return {one.alarm.kind for one in watched.alarms if one.alarm.need == "flour"}


def test_ten_times_the_usual_is_doubted_and_a_double_is_not(home: Home) -> None:
    assert doubted(told(home, {21: 500_000, 22: 100_000}), 23) == {on(21): 500.0}


def test_a_day_without_any_is_doubted_where_it_is_handed_out_every_day(home: Home) -> None:
    assert doubted(told(home, {21: 0}), 22) == {on(21): 0.0}


def test_after_three_days_it_is_believed(home: Home) -> None:
    state = told(home, {21: 500_000}, until=25)
    assert doubted(state, 21 + DOUBTED_DAYS) == {on(21): 500.0}
    assert doubted(state, 22 + DOUBTED_DAYS) == {}


def test_a_count_settles_it(home: Home) -> None:
    assert doubted(told(home, {21: 500_000}, counts={21: 100_000}), 22) == {}


def test_what_a_count_finds_again_was_not_used(home: Home) -> None:
    state = told(home, {21: 500_000}, counts={20: 600_000, 21: 550_000})
    seen = observed(state, BEGIN + timedelta(days=21))
    use = seen.use[seen.places.index(PLACE)]
    assert np.isnan(use[-1])
    assert use[-2] > 0


def test_a_forgotten_day_does_not_count_the_flour_twice(home: Home) -> None:
    state = told(home, {21: 500_000, 22: 0}, until=22)
    seen = observed(state, BEGIN + timedelta(days=22))
    course = forecast(seen.use, 7)
    doubts = doubts_of(state, seen, course)
    sober, _ = as_foreseen(seen, course, doubts, 7)
    row = seen.places.index(PLACE)
    # 1600 kg came, 20 days of 50 kg went, and two more days of 50 kg are reckoned with.
    assert sober.closing[row, -1] == pytest.approx(1600 - 22 * 50, rel=0.03)
    assert seen.closing[row, -1] == pytest.approx(1600 - 20 * 50 - 500, rel=0.03)
    assert excess_of(seen, doubts)[PLACE] == pytest.approx(500 - 2 * 50, rel=0.1)


def test_excess_leaves_out_what_books_below_zero_lack(home: Home) -> None:
    state = told(home, {21: 1_000_000})
    seen = observed(state, BEGIN + timedelta(days=21))
    doubts = doubts_of(state, seen, forecast(seen.use, 7))
    row = seen.places.index(PLACE)
    assert seen.closing[row, -1] == pytest.approx(-400, abs=5)
    assert excess_of(seen, doubts)[PLACE] == pytest.approx(1600 - 20 * 50 - 50, rel=0.02)


def test_a_zero_too_many_is_told_as_such_and_nothing_runs_out(home: Home) -> None:
    state = told(home, {21: 500_000})
    assert kinds(looked(state, 22)) == {"doubtful"}
    [alarm] = [one.alarm for one in looked(state, 22).alarms if one.alarm.kind == "doubtful"]
    assert (alarm.site, alarm.quantity, alarm.starts) == ("School", 500.0, date.fromisoformat(on(21)))
    assert alarm.before == pytest.approx(50, rel=0.1)


def test_once_believed_it_runs_out(home: Home) -> None:
    assert "runs out" in kinds(looked(told(home, {21: 500_000}, until=22, counts={22: 60_000}), 23))


def test_what_is_not_written_down_brings_the_end_nearer(home: Home) -> None:
    state = told(home, {24: 0, 25: 0, 26: 0})
    written = 1600 - 23 * 50
    assert written > 7 * 55, "by what is written it lasts for more than the seven days that are looked ahead"
    assert "runs out" in kinds(looked(state, 27))


def test_what_is_carried_forward_is_not_taken_off_twice(home: Home) -> None:
    state = told(home, {21: USUAL})
    morning = 27
    today = BEGIN + timedelta(days=morning - 1)
    [figure] = [one for one in known(state, today).estimated if one.good == "flour"]
    left = figure.quantity / 1000
    assert left == pytest.approx(1600 - 26 * 50, rel=0.05), "five silent days are taken off by the figure itself"
    [alarm] = [
        one.alarm for one in looked(state, morning).alarms if one.alarm.kind == "runs out" and one.alarm.need == "flour"
    ]
    assert alarm.quantity == pytest.approx(7 * 50 - left, abs=20)
