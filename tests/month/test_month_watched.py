"""The simulated month with three planted shortages: each is heard in time by whom it concerns, and quiet is quiet.

Reports are as bad as in any month of the journal: late, forgotten, with a zero too many, from clocks that are years off
and from a copied key. What is watched is asked of the device of whoever hears it, not of somebody who knows everything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytest
from month_devices import Phone
from month_steady import BEGIN, DEPOT, Steady, Trouble, steady_month, street

from abasto.cycle import read_state
from abasto.situation import situation
from abasto.state.known import known
from abasto.watch import Watched, watch

pytestmark = pytest.mark.soak  # A month of nine devices takes a minute and more; tests/watch has a shorter one.

SITES = 9
CUT_OFF, TWICE, SLOW = street(3), street(5), street(8)
TROUBLED = (CUT_OFF, TWICE, SLOW)
FROM_DAY, DAYS = 18, 31
LEARNT = 15
"""From this morning on two weeks are known, so that a course is."""
FORESEEN = ("runs out", "jumped", "collapsed", "silent")
"""Alarms that may be false; the others tell facts."""
AT_MOST_FALSE = 1.25
"""At most so many false alarms a site and month, with reports as bad as these."""


@dataclass
class Month:
    """What each site heard on its own device each morning, what allocators heard at the depot, and what came true."""

    heard: dict[str, dict[int, set[tuple[str, str]]]] = field(default_factory=dict)
    """Kinds and goods ("" for orders that are late), by site and morning."""
    allocators: dict[str, set[int]] = field(default_factory=dict)
    """On which mornings the depot heard something of a shortage at a site as allocator."""
    hearers: set[str] = field(default_factory=set)
    begun: list[tuple[int, str, str, str]] = field(default_factory=list)
    """Alarms that may be false: morning on which they began, kind, site, good."""
    empty_on: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def days_ahead(self, site: str, good: str) -> int:
        """Return for how many mornings on end before the empty day the site has heard of it; 0 if not on the last."""
        day, ahead = self.empty_on[site, good], 0
        while self.heard[site].get(day - ahead - 1, set()) & {
            ("runs out", good),
            ("jumped", good),
            ("not arrived", ""),
        }:
            ahead += 1
        return ahead


def look(phone: Phone, morning: int) -> Watched:
    """Return what a device shows at eight in the morning of a day, counted from 1."""
    today = BEGIN + timedelta(days=morning - 1)
    state = read_state(phone.journal)
    seen = known(state, today)
    return watch(state, seen, situation(state, today, seen=seen), datetime.combine(today, time(8)))


def lived(seed: int, troubles: Sequence[Trouble] = ()) -> Month:
    """Live a month and look every morning from LEARNT on, on the devices of all sites."""
    month = steady_month(SITES, seed, troubles)
    life, told = month.life, Month()
    assert isinstance(life, Steady)
    told.heard = {street(number): {} for number in range(1, SITES + 1)}
    stood: set[tuple[str, str, str]] = set()
    for day in month.days(DAYS):
        if day + 1 < LEARNT:
            continue
        seen_by = {id(phone): (phone, look(phone, day + 1)) for phone in {id(p): p for p in month.phones}.values()}
        for site, mornings in told.heard.items():
            _, watched = seen_by[id(life.device_of[site])]
            mornings[day + 1] = {
                (one.alarm.kind, "" if one.alarm.order else one.alarm.need)
                for one in watched.loud
                if one.alarm.site == site and site in one.heard.hears
            }
        at_depot = seen_by[id(life.device_of[DEPOT])][1]
        for one in at_depot.loud:
            told.hearers.update(one.heard.hears)
            if "allocators" in one.heard.hears and one.alarm.kind in (*FORESEEN, "not arrived"):
                told.allocators.setdefault(one.alarm.site, set()).add(day + 1)
        now = {(one.alarm.kind, one.alarm.site, one.alarm.need) for one in at_depot.alarms}
        told.begun += [(day + 1, *key) for key in sorted(now - stood) if key[0] in FORESEEN and key[1] != DEPOT]
        stood = now
    told.empty_on = life.empty_on
    return told


def planted() -> list[Trouble]:
    return [
        Trouble("cut off", CUT_OFF, FROM_DAY),
        Trouble("twice as many", TWICE, FROM_DAY),
        Trouble("slow", SLOW, FROM_DAY),
    ]


@pytest.fixture(scope="module")
def month() -> Month:
    return lived(2, planted())


def test_all_three_come_to_an_empty_shelf(month: Month) -> None:
    assert {site for site, _ in month.empty_on} == set(TROUBLED)


@pytest.mark.parametrize("site", TROUBLED)
def test_the_site_hears_of_each_shortage_days_before_the_shelf_is_empty(month: Month, site: str) -> None:
    ahead = {good: month.days_ahead(site, good) for where, good in month.empty_on if where == site}
    assert ahead
    assert min(ahead.values()) >= 2, ahead


@pytest.mark.parametrize("site", TROUBLED)
def test_allocators_hear_of_it_before_too_and_nobody_hears_who_is_not_concerned(month: Month, site: str) -> None:
    last = max(day for (where, _), day in month.empty_on.items() if where == site)
    assert any(day < last for day in month.allocators[site])
    assert month.hearers <= {"allocators", "stewards", DEPOT} | {street(number) for number in range(1, SITES + 1)}


def false_alarms(month: Month, sites: Collection[str]) -> list[tuple[int, str, str, str]]:
    """Return the alarms at sites that did not come true within a week."""
    return [
        (day, kind, site, good)
        for day, kind, site, good in month.begun
        if site in sites and not day <= month.empty_on.get((site, good), DAYS + 99) < day + 7
    ]


def test_quiet_weeks_stay_quiet() -> None:
    sites = {street(number) for number in range(1, SITES + 1)}
    false = false_alarms(lived(4), sites)
    assert len(false) <= AT_MOST_FALSE * len(sites) * (DAYS + 2 - LEARNT) / 30, false


def test_in_other_months_most_shortages_are_heard_days_ahead_and_few_alarms_are_false() -> None:
    months = [lived(seed, planted()) for seed in range(20, 26)]
    untroubled = {street(number) for number in range(1, SITES + 1)} - set(TROUBLED)
    false = [one for month in months for one in false_alarms(month, untroubled)]
    site_months = len(months) * len(untroubled) * (DAYS + 2 - LEARNT) / 30
    ahead = {
        trouble: sorted(one.days_ahead(*place) for one in months for place in one.empty_on if place[0] == trouble)
        for trouble in TROUBLED
    }
    print(f"{len(false) / site_months:.2f} false alarms a site and month; days ahead: {ahead}")
    assert len(false) <= AT_MOST_FALSE * site_months
    for trouble, least in ((CUT_OFF, 0.75), (SLOW, 0.75), (TWICE, 0.4)):
        assert sum(days >= 2 for days in ahead[trouble]) >= least * len(ahead[trouble]), ahead
