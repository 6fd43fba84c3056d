"""Dispatch: which orders are on their way, and the steps of each: accepted, loaded, received, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response

from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import Fact, Line, OrderAccepted, OrderCancelled, OrderLoaded, OrderReceived
from abasto.inbox.asked import AskedError, find_good, find_site, quantity_of, unit_of
from abasto.language import Language
from abasto.room.desk import (
    Named,
    Quantity,
    ask_back,
    day_of,
    good_named,
    goods_of,
    is_confirmed,
    path_to,
    pickers,
    site_named,
    status_words,
)
from abasto.room.web import Call, Page
from abasto.state.abroad import destination, is_told_loaded, only_promised
from abasto.state.carried import step_doubts
from abasto.state.exceptions import exceptions
from abasto.state.state import State
from abasto.state.steps import less, lines_to_load, lines_to_receive
from abasto.state.story import history
from abasto.state.types import OrderRecord

__all__ = ["PAGES_DISPATCH"]

OPEN = ("issued", "accepted", "promised", "loaded")
DONE = ("received", "cancelled")
MOST_SHOWN = 300
"""Orders in one table of the page; whoever has more of them looks for one by its code."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as a list shows it; `late` says what is overdue, and since when."""

    code: str
    path: str
    status: str
    start: Named
    end: Named
    fleet: str
    trips: int
    departs: date
    arrives: date
    goods: tuple[Quantity, ...]
    late: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a form: the good, what is expected as it would be typed, and its unit."""

    good: Named
    expected: str
    unit: str


def dispatch(call: Call) -> Response:
    """Show the orders: overdue ones, then by how far they are; those that are over on request."""
    return call.show("dispatch.html.j2", **_lists(call))


def orders(call: Call) -> Response:
    """Show the lists of orders alone, for a page that waits for something to happen."""
    return call.show("dispatch_orders.html.j2", **_lists(call))


def _lists(call: Call) -> dict[str, Any]:
    shown = call.asked("show") if call.asked("show") in DONE else ""
    with call.room.lock:
        state = call.room.state
        late = {one.about: one.message for one in exceptions(state, call.room.day) if one.kind == "order overdue"}
        records = [one for one in state.orders.values() if one.status == shown] if shown else state.orders.open()
        views = [_view(state, one, call.words.sentence(late.get(one.id, ""))) for one in records if one.issued]
        total = len(state.orders)
    views.sort(key=lambda one: (one.departs, one.start.name, one.end.name), reverse=bool(shown))
    groups = [("late", [one for one in views if one.late])] if not shown else []
    groups += [(kind, [one for one in views if one.status == kind and not one.late]) for kind in (shown,) if shown]
    groups += [(kind, [one for one in views if one.status == kind and not one.late]) for kind in OPEN if not shown]
    return {
        "groups": [(kind, found[:MOST_SHOWN], len(found)) for kind, found in groups if found],
        "heads": {"late": call.words("overdue"), "promised": call.words("promised"), **status_words(call.words)},
        "shown": shown,
        "total": total,
    }


def _view(state: State, record: OrderRecord, late: str) -> OrderView:
    issued = record.issued
    assert issued is not None  # What nobody here has issued stands among the exceptions.
    return OrderView(
        code=code_of(record.id),
        path=path_to("order", record.id),
        status="promised" if only_promised(state, record) else record.status,
        start=site_named(state, issued.from_site),
        end=site_named(state, issued.to_site),
        fleet=issued.fleet,
        trips=issued.trips,
        departs=date.fromisoformat(issued.departs),
        arrives=date.fromisoformat(issued.arrives),
        goods=goods_of(state, _by_good(record.loaded or issued.lines)),
        late=late,
    )


def order(call: Call) -> Response:
    """Show one order: what is ordered, loaded, received and missing, its story, and the steps that may come next."""
    with call.room.lock:
        state = call.room.state
        record = state.orders[state.orders.find(call.path("code"))]
        late = [one.message for one in exceptions(state, call.room.day) if one.about == record.id]
        view = _view(state, record, "") if record.issued else None
        to_network, told = destination(state, record)
        promised = only_promised(state, record)
        parts: dict[str, Any] = {
            "ordered": goods_of(state, record.issued.lines if record.issued else ()),
            "loaded": goods_of(state, record.loaded) if is_told_loaded(state, record) else (),
            "received": goods_of(state, record.received),
            "difference": goods_of(state, record.difference),
            "to_load": _line_views(state, _left_to_load(record)),
            "to_receive": _line_views(state, _left_to_receive(record)),
            **pickers(state),
        }
    return call.show(
        "order.html.j2",
        record=record,
        code=code_of(record.id),
        view=view,
        standing=call.words("promised") if promised else status_words(call.words)[record.status],
        troubles=[call.words.sentence(text) for text in late],
        story=history(call.room.home.journal.read(), order=record.id, cuts=call.room.cuts),
        code_of=code_of,
        to_network=to_network,
        told_them=told,
        **parts,
    )


def _left_to_load(record: OrderRecord) -> tuple[Line, ...]:
    return _by_good(less(record.issued.lines if record.issued else (), record.loaded))


def _left_to_receive(record: OrderRecord) -> tuple[Line, ...]:
    if record.status == "received":
        return ()
    return _by_good(less(record.loaded or (record.issued.lines if record.issued else ()), record.received))


def _by_good(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return one line for each good, of whatever lots."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.good] = sums.get(line.good, 0) + line.quantity
    return tuple(Line(good, quantity) for good, quantity in sums.items())


def _line_views(state: State, lines: Sequence[Line]) -> list[LineView]:
    return [LineView(good_named(state, line.good), amount(line.quantity), unit_of(state, line.good)) for line in lines]


def step(call: Call) -> Response:
    """Take a step of an order, once it is plain or confirmed."""
    words = call.words
    with call.room.lock:
        state = call.room.state
        record = state.orders[state.orders.find(call.path("code"))]
        path = path_to("order", record.id)
        if call.field("seen") != str(len(record.history)):
            text = words(
                "Something was reported about this order meanwhile. Look at it again, then repeat what is left."
            )
            return call.refuse(text, status=409)
        fact = _fact(call, state, record)
        found = step_doubts(state, [fact])
        if not is_confirmed(call, found):
            return ask_back(call, found, title=words("Order {code}", code=code_of(record.id)), back=path)
        [entry] = call.room.write([fact])
    return call.go(path, said=_said(fact, code_of(record.id), code_of(entry.id), words))


def _fact(call: Call, state: State, record: OrderRecord) -> Fact:
    day, code = day_of(call).isoformat(), code_of(record.id)
    match call.field("step"):
        case "accept":
            if record.status != "issued":
                raise AskedError(f"order {code} is {record.status} already.")
            return OrderAccepted(record.id, day)
        case "load":
            left = {line.good: line.quantity for line in _left_to_load(record)}
            what = lines_to_load(state, record, _changed(call, state, left))
            if not what:
                raise AskedError(f"order {code} is loaded already; if more was loaded, say what.")
            return OrderLoaded(record.id, what, day)
        case "receive":
            return _receipt(call, state, record, day)
        case "cancel":
            if record.status in DONE:
                raise AskedError(f"order {code} is {record.status} already.")
            return OrderCancelled(record.id, day, call.field("cause"))
    raise AskedError("say which step of the order this is: accept, load, receive or cancel.")


def _receipt(call: Call, state: State, record: OrderRecord, day: str) -> OrderReceived:
    code, is_more = code_of(record.id), call.field("more_to_come") == "1"
    left = {line.good: line.quantity for line in _left_to_receive(record)}
    typed = _changed(call, state, {} if is_more else left)
    if is_more:
        typed = {good: quantity for good, quantity in typed.items() if quantity}
    if not typed and (is_more or record.status == "received"):
        raise AskedError(f"order {code}: say how much of what has arrived.")
    what = lines_to_receive(record, typed, more_to_come=is_more)
    if not what:
        raise AskedError(f"order {code} is not known here yet; say what arrived.")
    asked = call.field("site")
    if not asked and record.issued is None:
        raise AskedError(f"order {code} is not known here yet; say where it arrived.")
    site = find_site(state, asked) if asked or record.issued is None else record.issued.to_site
    return OrderReceived(record.id, site, what, day, is_more)


def _changed(call: Call, state: State, expected: Mapping[str, int]) -> dict[str, int]:
    """Return what was typed, by good, where it is not what is expected; a blank line says nothing."""
    goods, quantities = (call.fields.getlist(name) for name in ("good", "quantity"))
    changed: dict[str, int] = {}
    for name, text in zip(goods, quantities, strict=False):
        if not isinstance(name, str) or not isinstance(text, str) or not (name.strip() or text.strip()):
            continue
        good = find_good(state, name.strip())
        if good in changed:
            raise AskedError(f'good "{name}": it stands here twice; write it once.')
        changed[good] = quantity_of(state, good, text, may_be_zero=True)
    return {good: quantity for good, quantity in changed.items() if expected.get(good) != quantity}


def _said(fact: Fact, code: str, entry: str, words: Language) -> str:
    match fact:
        case OrderAccepted():
            return words("Order {code} is accepted (entry {entry}).", code=code, entry=entry)
        case OrderLoaded():
            return words("Order {code} is loaded (entry {entry}).", code=code, entry=entry)
        case OrderReceived():
            return words("Order {code} is received (entry {entry}).", code=code, entry=entry)
        case _:
            return words("Order {code} is cancelled (entry {entry}).", code=code, entry=entry)


PAGES_DISPATCH: tuple[Page, ...] = (
    Page("/dispatch", dispatch),
    Page("/dispatch/orders", orders, is_whole=False),
    Page("/orders/{code}", order),
    Page("/orders/{code}", step, "POST", "allocator"),
)
"""Every page about orders on their way."""
