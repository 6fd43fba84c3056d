"""Who hears an alarm when: its site at once, others as time passes, nobody while an answer silences it.

An alarm has a clock, which starts with the day since which it stands. Answers count from the start of their day:

- "taken" starts the clock anew, the first time in an episode: nobody holds an alarm silent by taking it every day;
- "snoozed" stops the clock and silences, until its date; then the clock goes on from where it stopped;
- "settled" silences for `SETTLED_DAYS`, while the clock runs: if it still stands then, it was not settled;
- "wrong" silences for the episode.

A later answer replaces an earlier one; the hours that a snooze had stopped the clock by then stay out of the count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from abasto.state.answers import Answer, Answers
from abasto.state.escalations import Step, steps_for

__all__ = ["SETTLED_DAYS", "Heard", "HeardState", "hearing", "lessons"]

SETTLED_DAYS = 3
LESSON_DAYS = 90
MOST_LESSONS = 3

HeardState = Literal["open", "taken", "snoozed", "settled", "wrong"]


@dataclass(frozen=True, slots=True)
class Heard:
    """How an alarm stands with people.

    `hears` has the site first, then those whose time has come, the soonest first; nobody while it is silent. Unless
    somebody answers, `next_to` is the next who does not hear it now and will, at `next_at`; blank and None if nobody
    is. `answer` is the last that counts.
    """

    state: HeardState
    hears: tuple[str, ...]
    next_to: str
    next_at: datetime | None
    answer: Answer | None


def hearing(
    key: str,
    site: str,
    since: date,
    priority: float,
    answers: Answers,
    steps: Mapping[float, tuple[Step, ...]],
    now: datetime,
) -> Heard:
    """Return who hears at `now` the alarm with this key, which stands since a day; `steps` as of `escalations_of`.

    Answers of before the episode, or dated after today, do not count. Days start at midnight of the clock of `now`.
    """
    first, today = since.isoformat(), now.date().isoformat()
    counted = [one for one in answers.of(key) if first <= one.date <= today]
    answer = counted[-1] if counted else None
    if answer is not None and answer.answer == "wrong":
        return Heard("wrong", (), "", None, answer)
    start = _midnight(since, now)
    silent_until = max(_silent_until(answer, now), start)
    state = _state(answer, is_silent=now < silent_until)
    taken = next((one for one in counted if one.answer == "taken"), None)
    began = start if taken is None else _midnight(taken.date, now)
    stops = _stops(counted, began, now)
    times = {site: silent_until} if site else {}
    for step in sorted(steps_for(priority, steps), key=lambda one: one.after_hours):
        times.setdefault(step.to, max(_due(began, step.after_hours, stops), silent_until))
    hears = tuple(who for who, when in times.items() if when <= now)
    later = [(when, who) for who, when in times.items() if when > now]
    if not later:
        return Heard(state, hears, "", None, answer)
    # Of several at one time, the first in the order of hearing.
    next_at, next_to = min(later, key=lambda one: one[0])
    return Heard(state, hears, next_to, next_at, answer)


def lessons(answers: Iterable[Answer], day: date) -> int:
    """Return how many answers of the `LESSON_DAYS` days up to `day` call the alarm wrong, at most `MOST_LESSONS`."""
    first = date.fromordinal(max(day.toordinal() - LESSON_DAYS + 1, 1)).isoformat()
    wrong = sum(one.answer == "wrong" and first <= one.date <= day.isoformat() for one in answers)
    return min(wrong, MOST_LESSONS)


def _midnight(day: date | str, now: datetime) -> datetime:
    """Return the start of a day in the time zone of `now`."""
    on = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime.combine(on, time.min, tzinfo=now.tzinfo)


def _silent_until(answer: Answer | None, now: datetime) -> datetime:
    """Return when the silence of the last answer ends; some time that is over if it silences nothing."""
    if answer is not None and answer.answer == "snoozed":
        return _midnight(answer.until, now)
    if answer is not None and answer.answer == "settled":
        return _midnight(answer.date, now) + timedelta(days=SETTLED_DAYS)
    return _midnight(date.min, now)


def _state(answer: Answer | None, *, is_silent: bool) -> HeardState:
    if answer is not None and answer.answer == "taken":
        return "taken"
    if answer is None or not is_silent:
        return "open"
    return "snoozed" if answer.answer == "snoozed" else "settled"


def _stops(counted: Sequence[Answer], began: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when to when snoozes stop a clock that began at a time: each until its date, or the next answer."""
    stops = []
    for one, after in pairwise([*counted, None]):
        if one is None or one.answer != "snoozed":
            continue
        end = _midnight(one.until, now)
        if after is not None:
            end = min(end, _midnight(after.date, now))
        start = max(_midnight(one.date, now), began)
        if start < end:
            stops.append((start, end))
    return stops


def _due(began: datetime, hours: float, stops: Sequence[tuple[datetime, datetime]]) -> datetime:
    """Return when a clock that began at a time has run for so many hours, with the stops left out."""
    due = began + timedelta(hours=hours)
    for start, end in stops:
        if start < due:
            due += end - start
    return due
