"""Routes of a day: which vehicle drives where and when, as sheets, calendar and messages; and the sheets come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from abasto.facts.codes import code_of
from abasto.facts.kinds import Fact, OrderLoaded, OrderReceived
from abasto.inbox.asked import AskedError
from abasto.inbox.from_state import names_of
from abasto.language import Language
from abasto.report.page import hash_of, source
from abasto.report.route_sheets import sheets_html
from abasto.room.desk import Named, Quantity, goods_of, new_token, path_to, seal_of, site_named, status_words
from abasto.room.lines_read import LineRead, fact_doubts
from abasto.room.pages.reporting import book_lines, understood
from abasto.room.routing import RoutesAsked, Sought, routing_of
from abasto.room.web import Call, Page
from abasto.routes import BEGINS, DayRoutes, orders_of_day
from abasto.routes.calendar import calendar
from abasto.routes.told import coming_words, comings_of, messages, unrouted_words, vehicle_words
from abasto.state.foresee import foresee
from abasto.state.state import State
from abasto.state.steps import lines_to_load, lines_to_receive

__all__ = ["PAGES_ROUTES"]


@dataclass(frozen=True, slots=True)
class RouteView:
    """A vehicle's day in a line of the page."""

    vehicle: str
    leaves: str
    back: str
    km: float
    hours: float
    stops: tuple[tuple[str, tuple[str, ...]], ...]
    """Each with what only comes there that day."""
    orders: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetLine:
    """An order of the day as the sheet lists it, with the steps that can still be booked as planned."""

    id: str
    code: str
    path: str
    start: Named
    end: Named
    status: str
    goods: tuple[Quantity, ...]
    can_load: bool
    can_receive: bool


def routes(call: Call) -> Response:
    """Show the routes of a day, or that they are being sought."""
    return call.show("routes.html.j2", **_found(call))


def routes_part(call: Call) -> Response:
    """Show the routes alone, for a page that waits for them."""
    return call.show("routes_found.html.j2", **_found(call))


def _found(call: Call) -> dict[str, Any]:
    asked = _asked(call)
    sought = routing_of(call.room).ask(call.room, asked)
    query = urlencode(
        {"day": asked.day.isoformat(), "begins": f"{asked.begins:%H:%M}", **({"mixed": "1"} if asked.mixed else {})}
    )
    views, unrouted, text = _views(call, sought.found) if sought.found is not None else ([], [], "")
    return {
        "asked": asked,
        "sought": sought,
        "query": query,
        "routes": views,
        "unrouted": unrouted,
        "text": text,
        "error": call.words.sentence(sought.error),
        "km": sought.found.km if sought.found else 0.0,
    }


def _asked(call: Call) -> RoutesAsked:
    day, begins = call.asked("day"), call.asked("begins")
    try:
        return RoutesAsked(
            date.fromisoformat(day) if day else call.room.day,
            time.fromisoformat(begins) if begins else BEGINS,
            call.asked("mixed") == "1",
        )
    except ValueError:
        raise AskedError(
            f'"{day[:20]}", "{begins[:20]}": these are no day and time; write them as 2026-11-22 and 07:00.'
        ) from None


def _views(call: Call, found: DayRoutes) -> tuple[list[RouteView], list[str], str]:
    words = call.words
    with call.room.lock:
        names = names_of(call.room.state)
        views = [
            RouteView(
                vehicle=vehicle_words(route, words),
                leaves=words.time(route.leaves),
                back=words.time(route.back) if not route.is_long else words.moment(route.back),
                km=route.km,
                hours=route.hours,
                stops=tuple(
                    (
                        f"{words.time(stop.arrives)} {_site(call, stop.site)}",
                        tuple(coming_words(one, stop, words, names) for one in comings_of(stop)),
                    )
                    for stop in route.stops
                ),
                orders=tuple((path_to("order", one), code_of(one)) for one in route.orders),
            )
            for route in found.routes
        ]
    unrouted = [unrouted_words(one, words, names=names) for one in found.unrouted]
    return views, unrouted, messages(found, words, names=names) if found.routes else ""


def _site(call: Call, site: str) -> str:
    return site_named(call.room.state, site).name


def _finished(call: Call) -> DayRoutes:
    sought: Sought = routing_of(call.room).ask(call.room, _asked(call))
    if sought.error:
        raise AskedError(sought.error)
    if sought.found is None:
        raise AskedError("these routes are still being sought; wait a moment and open this again.")
    return sought.found


def sheets(call: Call) -> Response:
    """Show the sheets to be printed on A4, a page for each vehicle."""
    found = _finished(call)
    with call.room.lock:
        names = names_of(call.room.state)
        founded = call.room.state.founded
    text = sheets_html(found, call.words, names=names, title=founded.name if founded else "Abasto")
    style = hash_of(source("route_sheets.css"))
    policy = f"default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return HTMLResponse(text, headers={"content-security-policy": policy})


def diary(call: Call) -> Response:
    """Hand out the routes as a calendar file."""
    found = _finished(call)
    with call.room.lock:
        names = names_of(call.room.state)
    content = calendar(found, call.words, names=names, made=datetime.fromtimestamp(call.room.now().timestamp(), UTC))
    name = f"routes-{found.day.isoformat()}.ics"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def actuals(call: Call) -> Response:
    """Show where a sheet that came back is typed or scanned in."""
    return _show_actuals(call)


def _show_actuals(call: Call, **parts: Any) -> Response:
    day = call.room.day
    with call.room.lock:
        state = call.room.state
        lines = [_sheet_line(state, call, id) for id in _on_sheets(state, day)]
    usual: dict[str, Any] = {"read": (), "books": (), "done": (), "text": "", "seal": "", "steps": (), "doubts": ()}
    return call.show("actuals.html.j2", lines=lines, token=new_token(), day=day, **{**usual, **parts})


def _on_sheets(state: State, day: date) -> list[str]:
    """Return the orders that leave on a day or are still to arrive."""
    todays = [one.id for one in orders_of_day(state.orders.values(), day)]
    return list(dict.fromkeys([*todays, *(one.id for one in state.orders.open() if one.issued is not None)]))


def _sheet_line(state: State, call: Call, id: str) -> SheetLine:
    record = state.orders[id]
    assert record.issued is not None
    return SheetLine(
        id=id,
        code=code_of(id),
        path=path_to("order", id),
        start=site_named(state, record.issued.from_site),
        end=site_named(state, record.issued.to_site),
        status=status_words(call.words)[record.status],
        goods=goods_of(state, record.loaded or record.issued.lines),
        can_load=record.status in ("issued", "accepted"),
        can_receive=record.status in ("issued", "accepted", "loaded"),
    )


def take_actuals(call: Call) -> Response:
    """Show what a sheet that came back says, and book it once that is confirmed."""
    if call.field("text"):
        shown, books, done = book_lines(call)
        text = "\n".join(line.text for line in shown)
        return _show_actuals(call, read=shown, text=text, seal=understood(shown), books=books, done=done)
    steps = tuple(str(one) for one in call.fields.getlist("step"))
    if not steps:
        raise AskedError("nothing is typed and no line is ticked; do one of them.")
    with call.room.lock:
        read = _as_planned(call.room.state, steps, call.room.day, call.words)
        seal = seal_of([text for line in read for text in (line.text, *line.doubts)])
        if call.field("sure") != seal:
            return _show_actuals(call, read=read, seal=seal, steps=steps)
        facts = [fact for line in read for fact in line.facts]
        entries = call.room.write(facts)
        done = [(line.text, entry.id, code_of(entry.id)) for line, entry in zip(read, entries, strict=True)]
    return _show_actuals(call, done=done)


def _as_planned(state: State, steps: Sequence[str], day: date, words: Language) -> tuple[LineRead, ...]:
    """Return the steps that were ticked, each after those before it: `load:ID`, `receive:ID`."""
    found = []
    for step in sorted(steps, key=lambda one: one.startswith("receive:")):
        verb, _, id = step.partition(":")
        record = state.orders.get(id)
        if record is None or record.issued is None or verb not in ("load", "receive"):
            raise AskedError(f'"{step[:60]}": there is no such line; load the page anew.')
        code = code_of(id)
        fact: Fact
        if verb == "load":
            if record.status not in ("issued", "accepted"):
                raise AskedError(f"order {code} is {record.status} already; load the page anew.")
            said = words("Order {code}: loaded as ordered", code=code)
            fact = OrderLoaded(id, lines_to_load(state, record, {}), day.isoformat())
        else:
            if record.status in ("received", "cancelled"):
                raise AskedError(f"order {code} is {record.status} already; load the page anew.")
            said = words("Order {code}: received as loaded", code=code)
            fact = OrderReceived(id, record.issued.to_site, lines_to_receive(record, {}), day.isoformat())
        found.append(LineRead(said, (fact,), doubts=fact_doubts(state, fact)))
        state = foresee(state, [fact])
    return tuple(found)


PAGES_ROUTES: tuple[Page, ...] = (
    Page("/routes", routes),
    Page("/routes/found", routes_part, is_whole=False),
    Page("/routes/sheets", sheets, is_whole=False),
    Page("/routes/calendar.ics", diary, is_whole=False),
    Page("/routes/actuals", actuals),
    Page("/routes/actuals", take_actuals, "POST", "allocator"),
)
"""Every page about routes."""
