"""Watch: what is about to go wrong, worst first, with a small chart each; who hears it, and what people answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from markupsafe import Markup
from starlette.responses import Response

from abasto.facts.codes import code_of
from abasto.facts.kinds import MOST_SNOOZED_DAYS, AlarmAnswered, body_of, fact_of
from abasto.inbox.asked import AskedError, unit_of
from abasto.language import Language
from abasto.room.seen import latest_plan, situation_of
from abasto.room.web import Call, Page
from abasto.situation import alarm_words, cause_words, quantity_words, relief_words, remedy_words
from abasto.watch import Watched, WatchedAlarm, watch
from abasto.watch.picture import svg_of
from abasto.watch.words import (
    answer_words,
    chart_words,
    hearer_words,
    next_words,
    short_code,
    sure_how_words,
    when_words,
)

if TYPE_CHECKING:
    from abasto.room.operations import Room
    from abasto.state.rates import Rate
    from abasto.state.state import State

__all__ = ["PAGES_WATCH"]

MOST_ALARMS = 30
MOST_COURSES = 40
"""So many are shown unless somebody asks for all of them."""
MINUTES = 15
"""What is watched is looked at anew so often although nothing was written: hours go by, and others hear it."""
GROUPS = {"allocator": "allocators", "steward": "stewards"}

_SEEN: WeakKeyDictionary[Room, tuple[tuple[int, datetime, str], Watched]] = WeakKeyDictionary()
_LOCK = Lock()


def watched_of(room: Room) -> Watched:
    """Return what is watched now, computed once for all who look at it in the same quarter of an hour."""
    with room.lock:
        clock = room.now()
        now = datetime.combine(room.day, clock.time().replace(second=0, microsecond=0), tzinfo=clock.tzinfo)
        now = now.replace(minute=now.minute - now.minute % MINUTES)
        latest, state = latest_plan(room), room.state
        key = state.count, now, "" if latest is None else latest[0].id
        with _LOCK:
            kept = _SEEN.get(room)
        if kept is not None and kept[0] == key:
            return kept[1]
        plan = None if latest is None else latest[1]
        found = watch(state, room.known(), situation_of(room), now, plan=plan)
        with _LOCK:
            _SEEN[room] = key, found
        return found


def page(call: Call) -> Response:
    """Show what is watched."""
    return call.show("watch.html.j2", **_parts(call))


def part(call: Call) -> Response:
    """Show what changes of it alone, for a page that is open."""
    return call.show("watch_list.html.j2", **_parts(call))


def _parts(call: Call) -> dict[str, Any]:
    everything = call.asked("all")
    with call.room.lock:
        seen = watched_of(call.room)
        courses = [_course(one, call.room.state, call.words) for one in seen.rates]
    loud = [_view(one, seen, call.words) for one in seen.loud]
    return {
        "all": everything,
        "first_until": (call.room.day + timedelta(days=1)).isoformat(),
        "last_until": (call.room.day + timedelta(days=MOST_SNOOZED_DAYS)).isoformat(),
        "now": seen.now,
        "alarms": loud if everything == "alarms" else loud[:MOST_ALARMS],
        "left": 0 if everything == "alarms" else max(0, len(loud) - MOST_ALARMS),
        "silent": [_view(one, seen, call.words) for one in seen.alarms if one.is_silent],
        "courses": courses if everything == "courses" else courses[:MOST_COURSES],
        "left_courses": 0 if everything == "courses" else max(0, len(courses) - MOST_COURSES),
    }


def _view(one: WatchedAlarm, seen: Watched, words: Language) -> dict[str, Any]:
    """Return an alarm as the page shows it, in words."""
    alarm, chart, day = one.alarm, one.chart, seen.now.date()
    shown = None if chart is None else chart_words(chart, words)
    return {
        "key": one.key,
        "code": short_code(one.key),
        "alarm": alarm,
        "title": alarm_words(alarm.kind, words),
        "chart": "" if chart is None or shown is None else Markup(svg_of(chart, shown)),
        "chart_words": shown,
        "cause": cause_words(alarm, words),
        "remedy": remedy_words(alarm, words),
        "relief": [relief_words(relief, alarm.unit, day, words) for relief in alarm.relieved_by[:3]],
        "since": words.day(one.since),
        "ago": words.ago(one.since, day),
        "when": when_words(one, words),
        "sure": sure_how_words(one, words),
        "hears": [hearer_words(who, one, words) for who in one.heard.hears],
        "next": next_words(one, words),
        "answer": answer_words(one, words),
        "state": one.heard.state,
    }


def _course(one: Rate, state: State, words: Language) -> dict[str, str]:
    """Return what is used somewhere, a day, in words."""
    unit = unit_of(state, one.good)
    return {
        "site": state.rows.name("sites", one.site),
        "good": state.rows.name("goods", one.good),
        "rate": quantity_words(one.per_day, unit, words),
        "low": quantity_words(one.low, unit, words),
        "high": quantity_words(one.high, unit, words),
        "days": words.number(one.known_days),
    }


def answer(call: Call) -> Response:
    """Write what somebody answers to an alarm that stands now."""
    key, said = call.field("alarm"), call.field("answer")
    with call.room.lock:
        if all(one.key != key for one in watched_of(call.room).alarms):
            raise AskedError("this alarm stands no more, so nothing was written.")
        fact = AlarmAnswered(
            key,
            said,
            call.room.day.isoformat(),
            call.field("until"),
            call.field("reason"),
            GROUPS.get(call.session.role, ""),
        )
        fact_of(fact.KIND, body_of(fact))
        [entry] = call.room.write([fact])
    return call.go("/watch", said=call.words("Answered (entry {entry}).", entry=code_of(entry.id)))


PAGES_WATCH: tuple[Page, ...] = (
    Page("/watch", page),
    Page("/watch", answer, "POST", "allocator"),
    Page("/watch/list", part, is_whole=False),
)
"""Every page about what is watched."""
