"""The command `routes`: the day's orders as routes of real vehicles, printed, or as sheets, calendar and messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Parameter

from abasto.cli import EXIT_OK, UsageError, say
from abasto.cli_home import Flag, open_home, read_state, today
from abasto.cli_order_words import print_json, print_lines
from abasto.cli_plan import run_until_stopped

if TYPE_CHECKING:
    from datetime import date

    from abasto.inbox.names import Names
    from abasto.language import Language
    from abasto.routes import DayRoutes, Load
    from abasto.routes.route import Coming
    from abasto.state.openings import Opening
    from abasto.state.state import State

__all__ = ["routes"]

_PLAIN = {0x202F: " ", 0x2068: None, 0x2069: None}
SHEETS, CALENDAR, MESSAGES = "sheets.html", "routes.ics", "messages.txt"


@Parameter(name="*")
@dataclass(frozen=True)
class Driving:
    """How routes are sought."""

    begins: str = "07:00"
    "When vehicles start at the earliest."
    mixed: Flag = False
    "Vehicles of one base and mode may carry each other's orders."
    seconds: float = 60.0
    "Search so long for each base at most; small ones end long before."
    seed: int = 0
    "Another number searches otherwise; the same finds the same."


def routes(
    *,
    driving: Driving | None = None,
    date: str | None = None,
    out: Path | None = None,
    language: Literal["es", "en", "ar"] = "en",
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Make routes of real vehicles from the orders that leave on a day, and say which orders fit none, and why.

    With --out it also writes sheets to print, a calendar and messages. Nothing is written into the journal.

    Parameters
    ----------
    driving
        How routes are sought.
    date
        The day on which the orders leave; today by default.
    out
        The folder to write sheets.html, routes.ics and messages.txt in.
    language
        The language of sheets, calendar, messages and what is printed.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.inbox.from_state import names_of
    from abasto.language import language as language_of

    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f'--out "{out}": this is a file; give the name of a folder.')
    wanted = driving or Driving()
    begins = _clock(wanted.begins)
    if not wanted.seconds > 0:
        raise UsageError(f"--seconds {wanted.seconds:g}: the search needs some time; give at least 1.")
    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
    found = _find(state, day, wanted, begins)
    words, names = language_of(language), names_of(state)
    if out is not None:
        _write(out, found, words, names, title=state.founded.name if state.founded else "Abasto")
    if json:
        print_json(_document(found, names) | {"written": None if out is None else str(out)})
        return EXIT_OK
    # Narrow blanks and marks of direction are nothing that a terminal shows.
    print_lines(line.translate(_PLAIN) for line in _lines(state, found, words, names))
    if out is not None:
        print_lines([words("{folder} has {files}", folder=out, files=", ".join((SHEETS, CALENDAR, MESSAGES)))])
    return EXIT_OK


def _clock(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise UsageError(f'--begins "{text}": this is no time of day; write it as 07:00.') from None


def _find(state: State, day: date, wanted: Driving, begins: time) -> DayRoutes:
    """Route the orders of the day with the tables as they stand then; Ctrl-C takes what has been found so far."""
    from abasto.routes import plan_routes
    from abasto.state.figures import figures, usable
    from abasto.state.tables import tables_known

    tables = tables_known(state.rows, day).network
    orders, openings, on_hand = list(state.orders.values()), _openings(state), usable(figures(state, day))
    return run_until_stopped(
        lambda stop: plan_routes(
            orders,
            tables,
            day,
            openings=openings,
            on_hand=on_hand,
            seed=wanted.seed,
            time_limit=wanted.seconds,
            begins=begins,
            mixed=wanted.mixed,
            stop=stop,
        ),
        keeps="the best routes so far",
    )


def _openings(state: State) -> dict[str, Opening]:
    """Return the opening hours, and say which rows of them cannot be read."""
    from abasto.state.openings import openings_of

    openings, findings = openings_of(state.rows)
    for finding in findings:
        say(str(finding))
    return dict(openings)


def _write(folder: Path, found: DayRoutes, words: Language, names: Names, *, title: str) -> None:
    """Write the sheets, the calendar and the messages, each whole or not at all."""
    from abasto.report.route_sheets import sheets_html
    from abasto.routes.calendar import calendar
    from abasto.routes.told import messages
    from abasto.tables.whole import write_file_whole

    made = datetime.now(tz=UTC)
    contents = {
        SHEETS: sheets_html(found, words, names=names, title=title).encode(),
        CALENDAR: calendar(found, words, names=names, made=made),
        MESSAGES: messages(found, words, names=names).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_file_whole(folder / name, content)


def _lines(state: State, found: DayRoutes, words: Language, names: Names) -> Iterator[str]:
    """Yield the routes, vehicle by vehicle, and what fits none."""
    from abasto.routes.told import message, unrouted_words

    if not found.routes and not found.unrouted:
        yield words("No order leaves on {day}. Those that are open: abasto orders show", day=words.day(found.day))
    for route in found.routes:
        yield message(route, words, names=names)
        yield ""
    if found.routes:
        number, km = len(found.routes), words.number(found.km, digits=0)
        yield words.many("{n} vehicle drives {km} km.", "{n} vehicles drive {km} km.", number, km=km)
    for fleet, number in sorted(found.away.items()):
        yield words.many(
            "{fleet}: {n} vehicle is not back from an earlier day.",
            "{fleet}: {n} vehicles are not back from earlier days.",
            number,
            fleet=fleet,
        )
    for one in found.unrouted:
        yield unrouted_words(one, words, names=names)
    late = _late(state, found)
    if late:
        codes = ", ".join(late)
        yield words("Should have left before and was not loaded: {codes}. Issue it anew, or cancel it.", codes=codes)


def _late(state: State, found: DayRoutes) -> list[str]:
    """Return the codes of the orders that should have left on earlier days and lie there still."""
    from abasto.facts.codes import code_of

    return [
        code_of(record.id)
        for record in state.orders.open()
        if record.issued is not None and record.status != "loaded" and record.issued.departs < found.day.isoformat()
    ]


def _document(found: DayRoutes, names: Names) -> dict[str, Any]:
    """Return what --json says; quantities are in the goods' units, times those of the place."""
    from dataclasses import asdict

    from abasto.language import language
    from abasto.routes.told import why_words

    english = language("en")
    return {
        "day": found.day.isoformat(),
        "routes": [
            {
                "vehicle": route.label,
                "fleet": route.fleet,
                "base": route.base or None,
                "begins": route.begins.isoformat(),
                "leaves": route.leaves.isoformat(),
                "back": route.back.isoformat(),
                "km": route.km,
                "hours": route.hours,
                "stops": [
                    {
                        "site": stop.site,
                        "arrives": stop.arrives.isoformat(),
                        "leaves": stop.leaves.isoformat(),
                        "pickups": [_load(load) for load in stop.pickups],
                        "deliveries": [_load(load) for load in stop.deliveries],
                        "kg_after": stop.kg_after,
                        "comes_today": [_coming(one) for one in stop.comings],
                    }
                    for stop in route.stops
                ],
            }
            for route in found.routes
        ],
        "unrouted": [
            {
                "order": one.order,
                "code": one.code,
                "from": one.from_site,
                "to": one.to_site,
                "fleet": one.fleet,
                "goods": [_load(load) for load in one.loads],
                "why": asdict(one.why) | {"words": why_words(one, english, names=names)},
            }
            for one in found.unrouted
        ],
        "away": dict(found.away),
    }


def _coming(one: Coming) -> dict[str, Any]:
    at = None if one.at is None else one.at.isoformat()
    return {"order": one.order, "good": one.good, "with_order": one.brought_by, "with_code": one.code, "at": at}


def _load(load: Load) -> dict[str, Any]:
    return {
        "order": load.order,
        "code": load.code,
        "good": load.good,
        "lot": load.lot or None,
        "quantity": load.quantity / 1000,
        "unit": load.unit,
        "kg": load.kg,
    }
