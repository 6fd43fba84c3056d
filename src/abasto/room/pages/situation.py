"""The first page: where people go without and why, what lies where and for how long, on a map and as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from abasto.errors import SettingError
from abasto.language import Language
from abasto.report.heat import level
from abasto.room.decisions import entries_since
from abasto.room.seen import latest_plan, situation_of
from abasto.room.web import Call, Page
from abasto.situation import (
    Alarm,
    CoverageRow,
    MapSite,
    alarm_words,
    cause_words,
    days_words,
    known_words,
    quantity_words,
    relief_words,
    remedy_words,
)

__all__ = ["PAGES_SITUATION", "level_words"]

MOST_ALARMS = 12
MOST_ROWS = 40
"""So many rows of a table are shown unless somebody asks for all of them."""
MOST_BYTES_BOUNDARIES = 8_388_608
UNKNOWN = -1
"""The level of a place of which no plan says how it is served."""


def situation(call: Call) -> Response:
    """Show the situation."""
    return call.show("situation.html.j2", **_parts(call))


def part(call: Call) -> Response:
    """Show what changes of the situation alone, for a page that is open."""
    return call.show("situation_part.html.j2", **_parts(call))


def _parts(call: Call) -> dict[str, Any]:
    seen, words = situation_of(call.room), call.words
    needs = _needs(seen.coverage)
    need = call.asked("need") if call.asked("need") in needs else next(iter(needs), "")
    everything = call.asked("all")
    rows = [row for row in seen.coverage if row.need == need]
    latest = latest_plan(call.room)
    return {
        "seen": seen,
        "job": None if latest is None else latest[0],
        "is_old": latest is not None and not seen.days,
        "since": _since(call),
        "here": _address({"need": call.asked("need"), "all": everything}),
        "whole": {name: _address({"need": call.asked("need"), "all": name}) for name in ("alarms", "places", "stands")},
        "needs": [
            {"need": one, "name": name, "coverage": coverage, "address": _address({"need": one, "all": everything})}
            for one, (name, coverage) in needs.items()
        ],
        "need": need,
        "rows": rows if everything == "places" else rows[:MOST_ROWS],
        "left_rows": 0 if everything == "places" else max(0, len(rows) - MOST_ROWS),
        "alarms": [
            _alarm(one, seen.day, words)
            for one in (seen.alarms if everything == "alarms" else seen.alarms[:MOST_ALARMS])
        ],
        "left_alarms": 0 if everything == "alarms" else max(0, len(seen.alarms) - MOST_ALARMS),
        "stands": seen.stands if everything == "stands" else seen.stands[:MOST_ROWS],
        "left_stands": 0 if everything == "stands" else max(0, len(seen.stands) - MOST_ROWS),
        "level": level,
        "level_of_site": _level_of,
        "levels": level_words(words),
        "SHAPES": SHAPES,
        "days": lambda days: days_words(days, words),
        "quantity": lambda quantity, unit: quantity_words(quantity, unit, words),
        "known": lambda known: known_words(known, words),
        "has_boundaries": call.room.boundaries is not None,
    }


def _since(call: Call) -> int:
    """Return how many entries have come since the latest plan was made, its own orders not counted."""
    latest = latest_plan(call.room)
    with call.room.lock:
        return 0 if latest is None else entries_since(call.room.state, latest[0])


def _address(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def _needs(rows: Sequence[CoverageRow]) -> dict[str, tuple[str, float]]:
    """Return every need with its name and the share of it that is met everywhere, the least met first."""
    sums: dict[str, tuple[str, float, float]] = {}
    for row in rows:
        _, needed, met = sums.get(row.need, ("", 0.0, 0.0))
        sums[row.need] = row.need_name, needed + row.needed, met + row.met
    shares = {need: (name, met / needed if needed else 1.0) for need, (name, needed, met) in sums.items()}
    return dict(sorted(shares.items(), key=lambda one: (round(one[1][1], 9), one[0])))


def _alarm(alarm: Alarm, day: date, words: Language) -> dict[str, Any]:
    return {
        "alarm": alarm,
        "title": alarm_words(alarm.kind, words),
        "cause": cause_words(alarm, words),
        "remedy": remedy_words(alarm, words),
        "known": known_words(alarm.known, words),
        "relief": [
            {"order": one.order, "text": relief_words(one, alarm.unit, day, words)} for one in alarm.relieved_by
        ],
    }


SHAPES = {0: "▲", 1: "◆", 2: "■", 3: "⬢", 4: "●", UNKNOWN: "○"}
"""The sign of each level of coverage, in tables as on the map: no level is told by its colour alone."""


def level_words(words: Language) -> dict[int, str]:
    """Return what each level of coverage is called."""
    return {
        0: words("less than a quarter is met"),
        1: words("a quarter to a half is met"),
        2: words("a half to three quarters are met"),
        3: words("three quarters to nearly all is met"),
        4: words("at least 95 % is met"),
        UNKNOWN: words("not planned, or nothing is needed"),
    }


def map_data(call: Call) -> Response:
    """Return sites and lanes for the map, with what is told of each, so that the map needs no words of its own."""
    seen, words = situation_of(call.room), call.words
    sites = [_mapped(site, words) for site in seen.sites if site.lat is not None and site.lon is not None]
    there = {site["site"] for site in sites}
    lanes = [
        [lane.from_site, lane.to_site, round(lane.tonnes, 1)]
        for lane in seen.lanes
        if lane.from_site in there and lane.to_site in there
    ]
    return JSONResponse({"sites": sites, "lanes": lanes, "nowhere": len(seen.sites) - len(sites)})


def _mapped(site: MapSite, words: Language) -> dict[str, Any]:
    lines = [words("people: {number}", number=words.number(site.people, digits=0))]
    if site.coverage is not None:
        share = words.percent(site.coverage)
        lines.append(words("worst served: {need}, {share}", need=site.worst_need_name, share=share))
    if not math.isinf(site.days_of_supply):
        days = days_words(site.days_of_supply, words)
        lines.append(words("lasts least: {good}, {days} days", good=site.scarcest_good_name, days=days))
    if site.alarms:
        lines.append(words("alarms: {number}", number=words.number(site.alarms)))
    return {
        "site": site.site,
        "name": site.name,
        "at": [site.lat, site.lon],
        "people": site.people,
        "level": _level_of(site),
        "alarms": site.alarms,
        "lines": lines,
    }


def _level_of(site: MapSite) -> int:
    return UNKNOWN if site.coverage is None else level(site.coverage)


def boundaries(call: Call) -> Response:
    """Return the boundaries to draw on the map; refuses a file that is too large or no GeoJSON."""
    path = call.room.boundaries
    if path is None:
        return JSONResponse({"type": "FeatureCollection", "features": []})
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES_BOUNDARIES else b""
    except OSError as error:
        raise SettingError(f'boundaries "{path.name}": {error.strerror}; check the file and its rights.') from None
    if size > MOST_BYTES_BOUNDARIES:
        most = MOST_BYTES_BOUNDARIES // 1_048_576
        raise SettingError(f'boundaries "{path.name}": {size:,} bytes are more than {most} MiB; simplify the outlines.')
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise SettingError(f'boundaries "{path.name}": this is no JSON; give a GeoJSON file.') from None
    if not isinstance(document, dict) or document.get("type") not in GEOJSON:
        raise SettingError(f'boundaries "{path.name}": this is no GeoJSON; its "type" has to be one of GeoJSON\'s.')
    return Response(content, media_type="application/geo+json", headers={"cache-control": "private, max-age=3600"})


GEOJSON = ("FeatureCollection", "Feature", "GeometryCollection", "Polygon", "MultiPolygon", "LineString",
           "MultiLineString")  # fmt: skip


PAGES_SITUATION: tuple[Page, ...] = (
    Page("/", situation),
    Page("/situation", part, is_whole=False),
    Page("/map.json", map_data, is_whole=False),
    Page("/map/boundaries.json", boundaries, is_whole=False),
)
"""Every page about the situation."""
