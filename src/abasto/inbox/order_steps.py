"""What a line says about an order: accepted, loaded or received, as it was ordered or with what differed."""

from __future__ import annotations

from collections.abc import Sequence

from abasto.facts.codes import code_of
from abasto.facts.kinds import Line, OrderAccepted, OrderLoaded, OrderReceived
from abasto.inbox.describe import called, quantity_words
from abasto.inbox.parts import ReadLine
from abasto.inbox.questions import Unclear, ask
from abasto.inbox.reading import Reading, example_of, spelled_good, spelled_site
from abasto.inbox.words import Language, ReportKind
from abasto.state.carried import far_more
from abasto.state.types import OrderRecord

__all__ = ["arrived_lines", "far_more_doubts", "loaded_lines", "order_fact", "still_on_the_way"]

OrderFact = OrderAccepted | OrderLoaded | OrderReceived

_STATES: dict[str, dict[Language, str]] = {
    "accepted": {"es": "aceptada", "en": "accepted"},
    "loaded": {"es": "cargada", "en": "loaded"},
    "received": {"es": "recibida", "en": "received"},
    "cancelled": {"es": "anulada", "en": "cancelled"},
}


def order_fact(
    reading: Reading,
    line: ReadLine,
    kinds: Sequence[ReportKind | None],
    lines: Sequence[Line],
    *,
    day: str,
    site: str | None,
    says_site: bool,
) -> OrderFact:
    """Return the step of an order that a line says; without goods it went as ordered or loaded."""
    unknown = next((mark for mark in line.codes if mark.kind == "unknown code"), None)
    if unknown is not None:
        raise ask("order", reading.language, text=unknown.written, open=reading.open_orders())
    if len({mark.ids for mark in line.codes}) > 1:
        raise ask("one order", reading.language)
    order = reading.names.orders[line.codes[0].ids[0]]
    code = code_of(order.id)
    if line.more_to_come and kinds != ("received",):
        raise ask("more", reading.language)
    match kinds:
        case ("accepted",) if not lines:
            if order.status != "issued":
                raise _state_doubt(reading, order)
            return OrderAccepted(order.id, day)
        case ("loaded",):
            return OrderLoaded(order.id, loaded_lines(reading, order, lines), day)
        case ("received",):
            where = _receiver(reading, order, site, says_site=says_site)
            arrived = arrived_lines(reading, order, lines, more_to_come=line.more_to_come)
            return OrderReceived(order.id, where, arrived, day, line.more_to_come)
        case _:
            raise ask("order what", reading.language, code=code)


def far_more_doubts(reading: Reading, fact: OrderFact, clear: str, *, is_line: bool) -> list[Unclear]:
    """Return the questions about goods of which far more came than the order has; `clear` says that they are meant."""
    names = reading.names
    return [
        ask(
            "order much", reading.language, *([clear] if is_line else []), quantity=quantity_words(names, good, total),
            good=called(names, good), code=code_of(fact.order), most=quantity_words(names, good, has), example=clear,
        )
        for good, total, has in far_more(names.orders.get(fact.order), fact)
    ]  # fmt: skip


def _state_doubt(reading: Reading, order: OrderRecord) -> Unclear:
    state = _STATES.get(order.status, {"es": order.status, "en": order.status})[reading.language]
    return ask("order state", reading.language, code=code_of(order.id), state=state)


def loaded_lines(reading: Reading, order: OrderRecord, lines: Sequence[Line]) -> tuple[Line, ...]:
    if order.status in ("received", "cancelled") or (order.loaded and not lines):
        raise _state_doubt(reading, order)
    if any(line.quantity == 0 for line in lines):
        raise ask("nothing", reading.language, good=called(reading.names, lines[0].good))
    if lines:
        return tuple(lines)
    if order.issued is None:
        example = f"CARGUE ORDEN {code_of(order.id)} {example_of(reading)}"
        raise ask("order goods", reading.language, code=code_of(order.id), example=example)
    return order.issued.lines


def _receiver(reading: Reading, order: OrderRecord, site: str | None, *, says_site: bool) -> str:
    """Return where an order arrived: where it goes, unless the line itself names another site."""
    target = order.issued.to_site if order.issued else None
    if site is None and target is None:
        line = f"…: {reading.text}"
        raise ask("no site", reading.language, example=line)
    if site is None or target is None or site == target or says_site:
        return site or target or ""
    clear = f"{spelled_site(reading.names, site)}: {reading.text}"
    raise ask(
        "order site", reading.language, clear, code=code_of(order.id), target=reading.site_called(target),
        site=reading.site_called(site), line=clear,
    )  # fmt: skip


def still_on_the_way(order: OrderRecord) -> tuple[Line, ...]:
    """Return what is to arrive of an order: what was loaded, or else ordered, less what has arrived."""
    sent = order.loaded or (order.issued.lines if order.issued else ())
    arrived: dict[tuple[str, str | None], int] = {}
    for line in order.received:
        arrived[line.good, line.lot] = arrived.get((line.good, line.lot), 0) + line.quantity
    rest = []
    for line in sent:
        taken = min(line.quantity, arrived.get((line.good, line.lot), 0))
        arrived[line.good, line.lot] = arrived.get((line.good, line.lot), 0) - taken
        if line.quantity > taken:
            rest.append(Line(line.good, line.quantity - taken, line.lot))
    return tuple(rest)


def arrived_lines(
    reading: Reading, order: OrderRecord, lines: Sequence[Line], *, more_to_come: bool
) -> tuple[Line, ...]:
    """Return what arrived. If one good is named all have to be: what is missing counts as lost on the way."""
    if order.status in ("received", "cancelled"):
        raise _state_doubt(reading, order)
    due = still_on_the_way(order)
    code = code_of(order.id)
    if not lines:
        if not due or more_to_come:
            raise ask("order goods", reading.language, code=code, example=example_of(reading))
        return due
    named = {line.good for line in lines}
    rest = [line for line in due if line.good not in named]
    if rest and not more_to_come:
        goods = ", ".join(f"{called(reading.names, one.good)} {quantity_words(reading.names, one.good, one.quantity)}"
                          for one in rest)  # fmt: skip
        raise ask("order rest", reading.language, code=code, rest=goods,
                  first=spelled_good(reading.names, rest[0].good))  # fmt: skip
    return tuple(lines)
