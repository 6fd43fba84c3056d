"""A town of ten sites lives a month on its journal: planted shortages are heard in time, and a quiet town is quiet."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import pytest
from tests.watch.town import BEGIN, GOODS, Town, Trouble, look_at

from abasto.watch import Watched
from abasto.watch.changed import BY_CHANCE

CUT_OFF, TWICE, SLOW, SILENT = "Street 3", "Street 5", "Street 9", "Street 7"
TROUBLES = [
    Trouble("cut off", CUT_OFF, 17),
    Trouble("twice as many", TWICE, 19),
    Trouble("slow", SLOW, 15),
    Trouble("silent", SILENT, 20),
]
DAYS = 30
TIME_TO_SEE = 6
"""A trouble that empties a shelf in fewer days leaves no time: two days ahead, after reports of four."""


def lived(folder: Path, seed: int, sites: int, troubles: list[Trouble]) -> tuple[Town, dict[int, Watched]]:
    """Live a month; what is watched each morning, with the reports of the day before, by day."""
    town = Town.founded(folder / "home", seed, sites, troubles)
    mornings = {}
    for day in range(1, DAYS + 1):
        town.live(day)
        mornings[day + 1] = look_at(town.state(), day + 1)
    return town, mornings


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, dict[int, Watched]]:
    """A month with three planted shortages and a site that falls silent, lived once for all tests."""
    return lived(tmp_path_factory.mktemp("month"), 1, 10, TROUBLES)


def first_heard(mornings: dict[int, Watched], site: str, hearer: str, good: str = "") -> int | None:
    """The first morning on which `hearer` hears something of a shortage at a site."""
    for day, watched in mornings.items():
        for one in watched.alarms:
            tells = one.alarm.kind in ("runs out", "jumped") and one.alarm.need == good
            if one.alarm.site == site and (tells or one.alarm.kind == "not arrived") and hearer in one.heard.hears:
                return day
    return None


def test_each_shortage_is_heard_by_its_site_two_days_before_where_there_is_time(
    month: tuple[Town, dict[int, Watched]],
) -> None:
    town, mornings = month
    began = {one.site: one.from_day for one in TROUBLES}
    in_time = []
    for (site, good), empty in town.empty_on.items():
        if site in (CUT_OFF, TWICE, SLOW) and empty - began[site] >= TIME_TO_SEE:
            heard = first_heard(mornings, site, site, good)
            assert heard is not None
            in_time.append((site, good, empty - heard))
    assert {site for site, _, _ in in_time} >= {CUT_OFF}
    cut_off = [lead for site, _, lead in in_time if site == CUT_OFF]
    assert len(cut_off) == len(GOODS)
    assert min(cut_off) >= 2, in_time


def test_the_site_hears_it_first_then_allocators_then_stewards_and_nobody_else(
    month: tuple[Town, dict[int, Watched]],
) -> None:
    _, mornings = month
    since = {one.since for watched in mornings.values() for one in watched.alarms if one.key.endswith("Street 3/flour")}
    assert len(since) >= 1
    begun = (min(since) - BEGIN).days + 1
    for hearer, days in ((CUT_OFF, 0), ("allocators", 1), ("stewards", 2)):
        assert first_heard(mornings, CUT_OFF, hearer, "flour") == begun + days
    hearers = {who for watched in mornings.values() for one in watched.alarms for who in one.heard.hears}
    assert hearers <= {"allocators", "stewards"} | {site for site, _ in _places(mornings)}


def _places(mornings: dict[int, Watched]) -> set[tuple[str, str]]:
    return {(one.alarm.site, one.alarm.need) for watched in mornings.values() for one in watched.alarms}


def test_the_silent_site_is_missed_within_a_few_days(month: tuple[Town, dict[int, Watched]]) -> None:
    _, mornings = month
    silent = [day for day, watched in mornings.items() if f"silent/{SILENT}/" in {one.key for one in watched.alarms}]
    assert 20 < min(silent) <= 26
    assert max(silent) == DAYS + 1
    others = {one.key for watched in mornings.values() for one in watched.alarms if one.alarm.kind == "silent"}
    assert others == {f"silent/{SILENT}/"}


def test_since_stays_as_long_as_an_alarm_stands(month: tuple[Town, dict[int, Watched]]) -> None:
    _, mornings = month
    for day in range(3, DAYS + 2):
        before = {one.key: one.since for one in mornings[day - 1].alarms if one.alarm.kind == "runs out"}
        for one in mornings[day].alarms:
            if one.key in before:
                assert one.since == before[one.key], (one.key, BEGIN + timedelta(days=day - 1))


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12])
def test_a_quiet_town_raises_no_more_than_the_stated_rates_allow(tmp_path: Path, seed: int) -> None:
    _, mornings = lived(tmp_path, seed, 8, [])
    begun, false, known = 0, 0.0, {}
    for watched in mornings.values():
        now = {one.key: one for one in watched.alarms}
        for key in now.keys() - known.keys():
            begun += 1
            false += 1 - now[key].sureness.chance
        known = now
    # By chance, at most so many of 24 goods and 8 sites in a month: jumped or collapsed, and silent.
    mean = 24 * BY_CHANCE + 8 * 0.1 + false
    assert begun <= mean + 3 * math.sqrt(mean), begun
