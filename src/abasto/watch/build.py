"""watch: a state, its situation and the time → all alarms, with how sure each is, since when, and who hears it.

What the situation finds by itself (orders that are late, goods that spoil, what a plan leaves short) is taken as it is.
What runs out, and who is silent, is found from each site's own course instead, and what only a course shows is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from abasto.forecast import Forecast, forecast
from abasto.situation.alarms import Basis, relieved
from abasto.situation.coverage import in_force
from abasto.situation.incoming import ordered, planned
from abasto.situation.stands import free_lots
from abasto.situation.types import Alarm, Situation
from abasto.situation.wants import Want, wants
from abasto.state.escalations import escalations_of
from abasto.state.observed import Observed, observed
from abasto.state.rates import LEAST_KNOWN_DAYS, Z_90, Rate, rate_of, used_up
from abasto.watch.changed import BY_CHANCE, Change, changes
from abasto.watch.deliveries import days_to_last
from abasto.watch.doubtful import Doubt, as_foreseen, doubts_of, excess_of
from abasto.watch.hearing import hearing, lessons
from abasto.watch.off_books import OffBooks, off_books
from abasto.watch.replay import stands_since
from abasto.watch.runs_out import AHEAD, LIKELY, Lots, Outlook, RunsOut, runs_out, with_slack
from abasto.watch.silent import Silence, silence
from abasto.watch.slow import RARE, Slow, slow
from abasto.watch.types import Chart, Sureness, Watched, WatchedAlarm

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.known import Known
    from abasto.state.state import State

__all__ = ["key_of", "watch"]

LIKELIER_PER_LESSON = 0.1
MOST_SURE = 0.99
"""What is foreseen is never a fact."""
SOON_SPOILS = 3
"""An alarm about what spoils stands since so many days before its last day."""
_FORESEEN = ("runs out", "silent")
"""Alarms of the situation that the watch finds in another way."""


_FACT = Sureness()


@dataclass(frozen=True)
class _Found:
    """An alarm before it is known who hears it."""

    alarm: Alarm
    since: date
    sureness: Sureness = _FACT
    early: date | None = None
    late: date | None = None


@dataclass(frozen=True)
class _Look:
    """What a look at everything rests on: state, situation, plan, and the courses of all places."""

    state: State
    seen: Known
    situation: Situation
    plan: Plan | None
    day: date
    written: Observed
    doubts: tuple[Doubt, ...]
    observed: Observed
    course: Forecast
    """Both as if on the days that are doubted as much had been used as was foreseen."""

    @cached_property
    def number(self) -> Mapping[tuple[str, str], int]:
        """The row of each place in `observed` and `course`."""
        return {place: number for number, place in enumerate(self.observed.places)}

    @cached_property
    def wanted(self) -> Mapping[tuple[str, str], Want]:
        return wants(self.seen.tables)

    @cached_property
    def basis(self) -> Basis:
        """What the situation's alarms are made from, for names, people and what a quantity is worth."""
        stands = {(stand.site, stand.good): stand for stand in self.situation.stands}
        return Basis(self.state, self.seen, self.plan, self.day, self.wanted, stands, ordered(self.state, self.day))

    @cached_property
    def used(self) -> frozenset[tuple[str, str]]:
        """The places where something is used up by people or needed: what a plant uses, the plan makes room for."""
        made = used_up(self.seen.tables)
        names = self.basis.names
        goods = {good.good for good in self.seen.tables.goods} | set(names)
        return frozenset(
            place
            for place in (*self.wanted, *self.observed.places)
            if place[1] in goods and place[0] in self.basis.people and (place in self.wanted or place not in made)
        )

    @cached_property
    def coming(self) -> Mapping[tuple[str, str], Mapping[int, float]]:
        """What open orders and the plan bring to each of these places, by day counted from today.

        What should be here already counts for today, as in the situation: that it is late is an alarm of its own.
        """
        coming: dict[tuple[str, str], dict[int, float]] = {place: defaultdict(float) for place in self.used}
        sources = [self.basis.incoming]
        if self.plan is not None and self.used:
            names, fleet_of = self.basis.site_names, self.seen.fleet_of
            sources.append(planned(self.plan, self.day, to=self.used, names=names, fleet_of=fleet_of))
        for place, some in (pair for source in sources for pair in source.items()):
            for one in some if place in coming else ():
                if one.arrives is not None:
                    coming[place][(one.arrives - self.day).days + 1] += one.quantity
        return coming

    @cached_property
    def causes(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        """Why the plan leaves a place short, and what would help, where it does."""
        short = [alarm for alarm in self.situation.alarms if alarm.kind == "short"]
        return {(alarm.site, alarm.need): (alarm.cause, alarm.remedy) for alarm in short}

    def lessons(self, key: str) -> int:
        """Return how often the alarm with this key was wrong lately."""
        return lessons(self.state.answers.of(key), self.day)

    def is_course_known(self, place: tuple[str, str]) -> bool:
        """Return whether what is used there has been seen often enough to go by it."""
        number = self.number.get(place)
        return number is not None and int(self.course.known[number]) >= LEAST_KNOWN_DAYS

    def days_to_last(self, place: tuple[str, str]) -> int:
        """Return for how many days what lies at a place has to last, until the next delivery is due."""
        number = self.number.get(place)
        if number is None or not self.is_course_known(place):
            return AHEAD
        closing, use = self.observed.closing[number], self.observed.use[number]
        return days_to_last(closing, use, float(self.course.level[number]), self.coming[place], most=AHEAD)

    def outlook(self, place: tuple[str, str]) -> Outlook | None:
        """Return what will be needed at a place over the coming days; None if nothing is known of it."""
        if self.is_course_known(place):
            number = self.number[place]
            return Outlook(tuple(self.course.total_mean[number].tolist()), tuple(self.course.total_sd[number].tolist()))
        want = self.wanted.get(place)
        return None if want is None else Outlook.stated([want.on(number) for number in range(1, AHEAD + 1)])


def watch(state: State, seen: Known, situation: Situation, now: datetime, *, plan: Plan | None = None) -> Watched:
    """Return all that is watched at `now`, on the day of `situation`, which was made of the same state and plan.

    A pure function: the same entries at the same time give the same alarms to everybody, heard by the same.
    """
    day = situation.day
    plan = in_force(plan, day)
    history = observed(state, day)
    course = forecast(history.use, AHEAD)
    doubts = doubts_of(state, history, course)
    look = _Look(state, seen, situation, plan, day, history, doubts, *as_foreseen(history, course, doubts, AHEAD))
    steps, _ = escalations_of(state.rows)
    watched = []
    for found in _all(look):
        alarm = found.alarm
        key = key_of(alarm)
        heard = hearing(key, alarm.site, found.since, alarm.priority, state.answers, steps, now)
        chart = _chart(look, alarm)
        watched.append(WatchedAlarm(key, alarm, found.since, found.early, found.late, found.sureness, heard, chart))
    watched.sort(key=_worst_first)
    return Watched(situation.network, now, tuple(watched), tuple(_rates(look)))


def key_of(alarm: Alarm) -> str:
    """Return what an alarm is called in answers: the same in every replica, and on every day of its episode."""
    if alarm.kind == "slow":
        return f"{alarm.kind}/{alarm.from_site}/"
    return f"{alarm.kind}/{alarm.site}/{alarm.order or alarm.need}"


def _worst_first(one: WatchedAlarm) -> tuple[bool, int, float, date, str]:
    alarm = one.alarm
    return one.is_silent, alarm.rank, -alarm.people_days * one.sureness.chance, one.since, one.key


def _all(look: _Look) -> Iterator[_Found]:
    for alarm in look.situation.alarms:
        if alarm.kind not in _FORESEEN:
            yield _Found(alarm, _since(look, alarm))
    yield from _running_out(look)
    yield from _changed(look)
    yield from (_doubtful(look, one) for one in look.doubts if one.use > one.foreseen)
    yield from (_off_books(look, one) for one in off_books(look.state, look.day))
    yield from _silent(look)
    yield from (_slow(look, one) for one in slow(look.state, look.day))


def _since(look: _Look, alarm: Alarm) -> date:
    """Return the first day of the episode of an alarm of the situation, today at the latest."""
    day, starts = look.day, alarm.starts
    if alarm.kind == "short":
        return min(day, look.plan.network.start if look.plan is not None else day)
    if alarm.kind in ("not left", "not arrived", "spoiled") and starts is not None:
        return min(day, starts + timedelta(days=1))
    if alarm.kind == "expires" and starts is not None:
        return min(day, starts - timedelta(days=SOON_SPOILS))
    if alarm.kind == "below reserve" and (alarm.site, alarm.need) in look.number:
        stand = look.basis.stands[alarm.site, alarm.need]
        closing = look.observed.closing[look.number[alarm.site, alarm.need]]
        enough = np.flatnonzero(~(closing < stand.reserve))
        return look.observed.first + timedelta(days=int(enough[-1]) + 1 if len(enough) else 0)
    return day


def _running_out(look: _Look) -> Iterator[_Found]:
    """Yield what runs out within the coming days, with what orders and the plan bring taken into account.

    Where nobody has seen what is used, a plan tells what falls short of the stated need better than chances could.
    """
    lots = free_lots(look.seen)
    # Figures that are carried forward have had their use taken off already.
    carried = {(figure.site, figure.good) for figure in look.seen.estimated}
    excess = {place: more for place, more in excess_of(look.written, look.doubts).items() if place not in carried}
    places = sorted(place for place in look.used if look.plan is None or look.is_course_known(place))
    for place in places:
        outlook = look.outlook(place)
        if outlook is None or outlook.mean[-1] <= 0:
            continue
        key = f"runs out/{place[0]}/{place[1]}"
        likely = LIKELY + LIKELIER_PER_LESSON * look.lessons(key)
        days = look.days_to_last(place)
        here = _with(lots.get(place, ()), excess.get(place, 0.0))
        there = with_slack(here, look.coming[place], outlook)
        told = runs_out(there, look.coming[place], outlook, look.day, days=days, likely=likely)
        if told is not None:
            yield _found_running_out(look, place, told, outlook, likely)


def _with(lots: Lots, more: float) -> Lots:
    """Return the lots with so much more that never spoils, or so much less, of what expires first."""
    if more >= 0:
        return [*lots, (None, more)] if more else lots
    left = []
    for last, quantity in lots:
        taken = min(quantity, -more)
        more += taken
        left.append((last, quantity - taken))
    return left


def _found_running_out(look: _Look, place: tuple[str, str], told: RunsOut, outlook: Outlook, likely: float) -> _Found:
    basis = look.basis
    alarm = basis.alarm("runs out", *place)
    days = (look.day + timedelta(days=AHEAD) - told.likely).days
    cause, remedy = look.causes.get(place, ("", ""))
    weight = look.wanted[place].weight if place in look.wanted else alarm.people
    alarm = replace(
        alarm,
        quantity=told.missing,
        people_days=weight * days,
        starts=told.likely,
        ends=look.day + timedelta(days=AHEAD - 1),
        cause=cause,
        remedy=remedy,
    )
    [alarm] = relieved(basis, [alarm])
    since = look.day
    if look.is_course_known(place):
        since = stands_since(look.state, look.observed, look.number[place], likely=likely)
    return _Found(alarm, since, Sureness(chance=min(told.chance, MOST_SURE)), told.early, told.late)


def _changed(look: _Look) -> Iterator[_Found]:
    learned = np.array(
        [
            max(look.lessons(f"jumped/{site}/{good}"), look.lessons(f"collapsed/{site}/{good}"))
            for site, good in look.observed.places
        ],
        dtype=np.int64,
    )
    for number, change in sorted(changes(look.written, learned).items()):
        place = look.observed.places[number]
        if place in look.used:
            yield _found_change(look, place, change)


def _found_change(look: _Look, place: tuple[str, str], change: Change) -> _Found:
    alarm = look.basis.alarm(change.kind, *place)
    share = abs(change.after - change.before) / max(change.before, change.after)
    alarm = replace(
        alarm,
        quantity=change.after,
        before=change.before,
        people_days=alarm.people * share * (look.day - change.since).days,
        starts=change.since,
    )
    goods = sum(one[0] == place[0] and look.is_course_known(one) for one in look.used)
    return _Found(alarm, change.since, Sureness(by_chance=BY_CHANCE * goods))


def _doubtful(look: _Look, one: Doubt) -> _Found:
    site, good = look.observed.places[one.row]
    alarm = replace(
        look.basis.alarm("doubtful", site, good),
        quantity=one.use,
        before=one.foreseen,
        people_days=look.basis.worth(good, one.use - one.foreseen, site),
        starts=one.on,
    )
    return _Found(alarm, min(look.day, one.on + timedelta(days=1)))


def _off_books(look: _Look, one: OffBooks) -> _Found:
    alarm = replace(
        look.basis.alarm("off the books", one.site, one.good),
        quantity=one.books + one.difference,
        before=one.books,
        people_days=look.basis.worth(one.good, abs(one.difference), one.site),
        starts=one.counted_on,
    )
    return _Found(alarm, min(look.day, one.counted_on + timedelta(days=1)))


def _silent(look: _Look) -> Iterator[_Found]:
    concerned = {site for site, _ in look.used}
    for site in sorted(concerned):
        found = silence(look.observed.reported.get(site, ()), look.day, lessons=look.lessons(f"silent/{site}/"))
        if found is not None:
            yield _found_silence(look, site, found)
    # Who has never reported anything is told by the situation.
    for alarm in look.situation.alarms:
        if alarm.kind == "silent" and not look.observed.reported.get(alarm.site):
            founded = look.state.founded
            first = look.day if founded is None or not founded.date else date.fromisoformat(founded.date)
            yield _Found(alarm, min(look.day, first))


def _found_silence(look: _Look, site: str, found: Silence) -> _Found:
    weight = max((want.weight for (one, _), want in look.wanted.items() if one == site), default=0.0)
    alarm = replace(
        look.basis.alarm("silent", site, ""),
        people_days=weight * (look.day - found.last).days,
        starts=found.last,
        known="computed",
        as_of=found.last,
    )
    return _Found(alarm, found.since, Sureness(by_chance=found.by_chance))


def _slow(look: _Look, one: Slow) -> _Found:
    alarm = replace(
        look.basis.alarm("slow", one.site, ""),
        quantity=one.days,
        orders=(one.late, one.orders),
        starts=one.since,
        from_site=one.id,
        from_name=one.id.replace(">", " > ") if one.what == "lane" else one.id,
    )
    return _Found(alarm, min(look.day, one.since), Sureness(by_chance=RARE))


def _chart(look: _Look, alarm: Alarm) -> Chart | None:
    """Return the picture of what lies at the alarm's place; None where it is about no good."""
    number = look.number.get((alarm.site, alarm.need))
    if number is None:
        return None
    past = tuple(None if np.isnan(one) else float(one) for one in look.observed.closing[number])
    last = past[-1]
    outlook = look.outlook((alarm.site, alarm.need))
    if last is None or outlook is None:
        return Chart(look.day, alarm.unit, past)
    coming = look.coming.get((alarm.site, alarm.need), {})
    ahead, low, high = [], [], []
    for day, (mean, sd) in enumerate(zip(outlook.mean, outlook.sd, strict=True), start=1):
        there = last + sum(quantity for when, quantity in coming.items() if when <= day)
        ahead.append(max(0.0, there - mean))
        low.append(max(0.0, there - mean - Z_90 * sd))
        high.append(max(0.0, there - mean + Z_90 * sd))
    return Chart(look.day, alarm.unit, past, tuple(ahead), tuple(low), tuple(high))


def _rates(look: _Look) -> Iterator[Rate]:
    """Yield what each site uses of each good where that is known."""
    for place in sorted(look.used):
        if look.is_course_known(place):
            yield rate_of(*place, look.course, look.number[place])
