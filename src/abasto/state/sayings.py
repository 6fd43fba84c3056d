"""What an entry said and did, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from abasto.errors import FactError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    AlarmAnswered,
    DeviceAsked,
    DeviceCut,
    DeviceEndorsed,
    EntryReversed,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    JointSaid,
    LetterHeard,
    Line,
    NetworkFounded,
    NetworkRecognised,
    NoteWritten,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    ReportPassedOn,
    RowDropped,
    RowSet,
    ShipmentPromised,
    ShipmentWithdrawn,
    StockCounted,
    UnknownFact,
)
from abasto.state.fold import Told
from abasto.state.letters import open_letter, open_passed_on
from abasto.state.rows import Rows
from abasto.state.words import device_named, measured, order_named, times_more

__all__ = ["lot_named", "said"]


def said(told: Told) -> str:
    """Return in words what an entry said, with quantities, and what the fold made of it."""
    words = _fact(told)
    extras = [_difference(told), _counters(told)]
    words += "".join(extra for extra in extras if extra)
    return words if not told.outcome else f"{words} [not applied: {told.outcome}]"


def lot_named(lot: str) -> str:
    """Return a lot as people call it: by its last usable day."""
    return f"lot {lot}" if lot else "lot without date"


def _fact(told: Told) -> str:
    fact, rows = told.fact, told.state.rows
    if fact is None or isinstance(fact, UnknownFact):
        return f"wrote an entry of kind {told.entry.kind}"
    if isinstance(fact, NetworkFounded):
        return f"founded the network {fact.name}"
    if isinstance(fact, RowSet | RowDropped):
        cells = ", ".join(f"{name} {cell}" for name, cell in sorted(fact.row.items()))
        return f"{'set' if isinstance(fact, RowSet) else 'dropped'} in {fact.table}: {cells}"
    if isinstance(fact, StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost):
        verb = {StockCounted: "counted", GoodsTakenIn: "took in", GoodsHandedOut: "handed out", GoodsLost: "lost"}
        words = f"{verb[type(fact)]} {_line(rows, Line(fact.good, fact.quantity, fact.lot))} at {fact.site}"
        return f"{words} ({fact.cause})" if isinstance(fact, GoodsLost) and fact.cause else words
    if isinstance(fact, GoodsMade):
        made = _lines(rows, [line for line in fact.lines if line.quantity >= 0])
        used = _lines(rows, [Line(line.good, -line.quantity, line.lot) for line in fact.lines if line.quantity < 0])
        return f"made {made or 'nothing'} at {fact.site}, by {fact.recipe}" + (f", from {used}" if used else "")
    if isinstance(fact, NoteWritten):
        settles = f" (settles {', '.join(code_of(id) for id in fact.settles)})" if fact.settles else ""
        return f"noted{f' about {_thing(told, fact.about)}' if fact.about else ''}: {fact.text}{settles}"
    if isinstance(fact, AlarmAnswered):
        return _answer(fact)
    if isinstance(fact, DeviceAsked):
        return f"asked to join as {fact.name}"
    if isinstance(fact, DeviceEndorsed):
        return _endorsement(fact)
    if isinstance(fact, DeviceCut):
        words = f"cut off {device_named(fact.device)} after its entry {fact.seq:,}"
        return f"{words} ({fact.reason})" if fact.reason else words
    if isinstance(fact, EntryReversed):
        return f"undid entry {code_of(fact.entry)}" + (f" ({fact.cause})" if fact.cause else "")
    if isinstance(fact, ReportPassedOn):
        return _passed_on(told, fact)
    if isinstance(fact, NetworkRecognised | LetterHeard | JointSaid | ShipmentPromised | ShipmentWithdrawn):
        return _between_networks(told, fact)
    return _order(told, fact)


def _between_networks(
    told: Told, fact: NetworkRecognised | LetterHeard | JointSaid | ShipmentPromised | ShipmentWithdrawn
) -> str:
    names = told.state.letters.recognised
    if isinstance(fact, NetworkRecognised):
        return f"recognised network {code_of(fact.network)} as {fact.name}"
    if isinstance(fact, LetterHeard):
        return _letter(told, fact)
    if isinstance(fact, JointSaid):
        return f"said something on the way to joint plan {fact.session}"
    if isinstance(fact, ShipmentPromised):
        return (
            f"promised {_lines(told.state.rows, fact.lines)} to {names.get(fact.network, code_of(fact.network))}, at "
            f"{fact.site}, with {order_named(fact.order)}, leaving {fact.departs}, arriving {fact.arrives}"
        )
    return f"withdrew shipment {code_of(fact.shipment)}" + (f" ({fact.cause})" if fact.cause else "")


def _passed_on(told: Told, fact: ReportPassedOn) -> str:
    try:
        report, _ = open_passed_on(fact, told.state.network)
    except FactError:
        return "passed on something that cannot be read"
    return f"passed on entry {code_of(report.id)} of {device_named(report.author)} to other networks"


def _letter(told: Told, fact: LetterHeard) -> str:
    try:
        entry, inner = open_letter(fact)
    except FactError:
        return "heard a letter that cannot be read"
    names = told.state.letters.recognised
    name = names.get(entry.network) or names.get(entry.id) or code_of(entry.network)
    if isinstance(inner, ShipmentPromised) and inner.network == told.state.network:
        lines = _lines(told.state.rows, inner.lines)
        return f"heard from {name} that {lines} come to {inner.site}, leaving {inner.departs}, arriving {inner.arrives}"
    if isinstance(inner, ShipmentWithdrawn) and inner.shipment in told.state.letters.coming:
        why = f" ({inner.cause})" if inner.cause else ""
        return f"heard from {name} that shipment {code_of(inner.shipment)} does not come{why}"
    return f"heard a letter of {name}"


def _endorsement(fact: DeviceEndorsed) -> str:
    sites = f" of {', '.join(fact.sites)}" if fact.sites else ""
    until = f" until {fact.until}" if fact.until else ""
    heir = f", in place of {device_named(fact.succeeds)}" if fact.succeeds else ""
    return f"endorsed {device_named(fact.device)} as {fact.role}{sites}{until}{heir}"


def _answer(fact: AlarmAnswered) -> str:
    verb = {
        "taken": "took on the alarm",
        "settled": "settled the alarm",
        "snoozed": "put off the alarm",
        "wrong": "called wrong the alarm",
    }
    until = f" until {fact.until}" if fact.until else ""
    by = f", for {fact.by}" if fact.by else ""
    return f"{verb[fact.answer]} {fact.alarm}{until}{by}" + (f" ({fact.reason})" if fact.reason else "")


def _order(told: Told, fact: OrderIssued | OrderAccepted | OrderLoaded | OrderReceived | OrderCancelled) -> str:
    rows = told.state.rows
    if isinstance(fact, OrderIssued):
        return (
            f"issued {order_named(told.entry.id)}: {_lines(rows, fact.lines)} from {fact.from_site} to {fact.to_site}, "
            f"{times_more(fact.trips, 'trip')} of {fact.fleet}, leaving {fact.departs}, arriving {fact.arrives}"
        )
    order = order_named(fact.order)
    if isinstance(fact, OrderAccepted):
        return f"accepted {order}"
    if isinstance(fact, OrderLoaded):
        return f"loaded {_lines(rows, fact.lines)} for {order}"
    if isinstance(fact, OrderReceived):
        more = ", more to come" if fact.more_to_come else ""
        return f"received {_lines(rows, fact.lines)} at {fact.site} by {order}{more}"
    return f"cancelled {order}" + (f" ({fact.cause})" if fact.cause else "")


def _thing(told: Told, about: str) -> str:
    """Return what a note is about as people call it: ids of orders and entries by their code."""
    if about in told.state.orders:
        return order_named(about)
    is_id = len(about) == len(told.entry.id) and told.state.rows.standing("sites", about) == "unknown"
    return f"entry {code_of(about)}" if is_id and code_of(about) else about


def _difference(told: Told) -> str:
    """Say what a count changed and what was lost on the way."""
    rows = told.state.rows
    words = []
    for why, how in (("counted more", "more than the books had"), ("counted less", "less than the books had")):
        moved = [move for move in told.movements if move.why == why]
        if moved:
            words.append(f"{measured(rows, moved[0].good, sum(move.quantity for move in moved))} {how}")
    lost: dict[str, int] = {}
    for move in told.movements:
        if move.why == "lost on the way":
            lost[move.good] = lost.get(move.good, 0) + (
                move.quantity if move.source.kind == "order" else -move.quantity
            )
    words += [f"{measured(rows, good, quantity)} lost on the way" for good, quantity in lost.items() if quantity > 0]
    words += [f"{measured(rows, good, -quantity)} more than loaded" for good, quantity in lost.items() if quantity < 0]
    return f": {', '.join(words)}" if words else ""


def _counters(told: Told) -> str:
    days = sorted({move.date for move in told.movements if move.why == "count explained"})
    return f"; known late, so it explains the count of {', '.join(days)}" if days else ""


def _lines(rows: Rows, lines: Iterable[Line]) -> str:
    return ", ".join(_line(rows, line) for line in lines)


def _line(rows: Rows, line: Line) -> str:
    words = measured(rows, line.good, line.quantity)
    return words if line.lot is None else f"{words} ({lot_named(line.lot)})"
