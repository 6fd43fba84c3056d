"""What may be written in a journal: one frozen type per kind of fact, and how each stands in an entry's body.

Quantities are whole thousandths of the good's unit (batches: of a batch), dates ISO text, lots the lot's last usable
date: `""` is the lot without a date, and None says nothing about lots (then the first to expire leave first). A body
has exactly the fields of its type; those at their default are left out. Kinds that this version does not know are kept
as `UnknownFact`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from abasto.errors import FactError

__all__ = [
    "FACTS",
    "LONGEST_LETTER",
    "LONGEST_MESSAGE",
    "MOST",
    "MOST_SNOOZED_DAYS",
    "ROLES",
    "AlarmAnswered",
    "DeviceAsked",
    "DeviceCut",
    "DeviceEndorsed",
    "EntryReversed",
    "Fact",
    "GoodsHandedOut",
    "GoodsLost",
    "GoodsMade",
    "GoodsTakenIn",
    "JointSaid",
    "LetterHeard",
    "Line",
    "NetworkFounded",
    "NetworkRecognised",
    "NoteWritten",
    "OrderAccepted",
    "OrderCancelled",
    "OrderIssued",
    "OrderLoaded",
    "OrderReceived",
    "ReportPassedOn",
    "RowDropped",
    "RowSet",
    "ShipmentPromised",
    "ShipmentWithdrawn",
    "StockCounted",
    "UnknownFact",
    "body_of",
    "fact_of",
]

MOST = 2**53 - 1
"""Integers go so far: every reader of JSON has them exactly."""
LONGEST_ID = 200
LONGEST_TEXT = 4000
MOST_LINES = 100
MOST_SNOOZED_DAYS = 31
"""So many days an alarm may be put off at once."""
LONGEST_LETTER = 12_000
"""Bytes of another entry that one can hold."""
LONGEST_MESSAGE = 11_000
ANSWERS = ("taken", "settled", "snoozed", "wrong")
_KEY = re.compile("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
ROLES = ("reader", "reporter", "allocator", "steward")
"""What a device may be, from who may say nothing to who decides about the others."""


@dataclass(frozen=True, slots=True)
class Line:
    """So much of a good, of a lot; in `GoodsMade` a negative quantity was used up."""

    good: str
    quantity: int
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class NetworkFounded:
    """The first entry of a network: its name, the keys of its stewards, and how many of them decide together.

    As long as there are fewer stewards than `threshold`, all of them do. In an `open` network everybody's entries
    count, in an `endorsed` one those of members.
    """

    KIND: ClassVar[str] = "network.founded"
    name: str
    stewards: tuple[str, ...]
    threshold: int
    date: str = ""
    admission: str = "open"


@dataclass(frozen=True, slots=True)
class DeviceAsked:
    """The device that signs this asks to join; `name` is that of the device or place, never a person's."""

    KIND: ClassVar[str] = "device.asked"
    name: str
    date: str


@dataclass(frozen=True, slots=True)
class DeviceEndorsed:
    """A steward wants a device (its key) to have a role: a reporter for `sites`, `until` a date if one is given.

    `succeeds` is the key of a device that is lost, whose role this one takes over.
    """

    KIND: ClassVar[str] = "device.endorsed"
    device: str
    role: str
    date: str
    sites: tuple[str, ...] = ()
    until: str = ""
    succeeds: str = ""


@dataclass(frozen=True, slots=True)
class DeviceCut:
    """A device is no longer believed: its entry number `seq`, whose id is `last`, is the last that counts.

    `seq` 0 without `last` is before its first entry. A device that cuts itself names the entry just before.
    """

    KIND: ClassVar[str] = "device.cut"
    device: str
    seq: int
    date: str
    last: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RowSet:
    """A row of a table of FORMAT stands as given: its cells as text, as in a CSV file; blank cells are left out.

    What identifies a row stands in `state.rows`; where rows may repeat, `copy` tells equal ones apart.
    """

    KIND: ClassVar[str] = "row.set"
    table: str
    row: Mapping[str, str]
    date: str
    copy: int = 1
    ref: str = ""


@dataclass(frozen=True, slots=True)
class RowDropped:
    """A row of a table holds no longer; `row` has at least the cells that identify it."""

    KIND: ClassVar[str] = "row.dropped"
    table: str
    row: Mapping[str, str]
    date: str
    copy: int = 1


@dataclass(frozen=True, slots=True)
class StockCounted:
    """So much of a good was found at a site: of one lot, or of all together."""

    KIND: ClassVar[str] = "stock.counted"
    site: str
    good: str
    quantity: int
    date: str
    lot: str | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True)
class GoodsTakenIn:
    """Goods came to a site from outside the network."""

    KIND: ClassVar[str] = "goods.taken_in"
    site: str
    good: str
    quantity: int
    date: str
    lot: str | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True)
class GoodsHandedOut:
    """Goods went to the people whom a site serves."""

    KIND: ClassVar[str] = "goods.handed_out"
    site: str
    good: str
    quantity: int
    date: str
    lot: str | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True)
class GoodsMade:
    """A plant carried out a recipe: what was made (positive) and used up (negative), as it was and not as planned."""

    KIND: ClassVar[str] = "goods.made"
    site: str
    recipe: str
    batches: int
    lines: tuple[Line, ...]
    date: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class GoodsLost:
    """Goods at a site are lost: spoiled, damaged, gone."""

    KIND: ClassVar[str] = "goods.lost"
    site: str
    good: str
    quantity: int
    date: str
    lot: str | None = None
    cause: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class OrderIssued:
    """The owner of goods ordered them away: so many trips of a fleet along a lane. The order's id is that of its entry.

    `plan` says which plan it follows: the digest of its tables, or nothing.
    """

    KIND: ClassVar[str] = "order.issued"
    from_site: str
    to_site: str
    fleet: str
    trips: int
    departs: str
    arrives: str
    lines: tuple[Line, ...]
    date: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """Whoever drives took an order on."""

    KIND: ClassVar[str] = "order.accepted"
    order: str
    date: str


@dataclass(frozen=True, slots=True)
class OrderLoaded:
    """What was loaded for an order and left its site."""

    KIND: ClassVar[str] = "order.loaded"
    order: str
    lines: tuple[Line, ...]
    date: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class OrderReceived:
    """What arrived of an order at a site; unless more is to come, what is missing then is a loss on the way."""

    KIND: ClassVar[str] = "order.received"
    order: str
    site: str
    lines: tuple[Line, ...]
    date: str
    more_to_come: bool = False
    ref: str = ""


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order is not carried out; what was loaded for it goes back to where it was loaded."""

    KIND: ClassVar[str] = "order.cancelled"
    order: str
    date: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """Words for others: about a thing (a site, an order, an entry), and which exceptions they settle."""

    KIND: ClassVar[str] = "note.written"
    text: str
    date: str
    about: str = ""
    settles: tuple[str, ...] = ()
    ref: str = ""


@dataclass(frozen=True, slots=True)
class AlarmAnswered:
    """What people say about an alarm: they take it on, it is settled, it can wait `until` a date, or it is wrong.

    `alarm` is its key, `KIND/SITE/GOOD`; `by` the site or group that answers, never a person's name.
    """

    KIND: ClassVar[str] = "alarm.answered"
    alarm: str
    answer: str
    date: str
    until: str = ""
    reason: str = ""
    by: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class EntryReversed:
    """What an earlier entry did is undone by its opposite; both stay to be read."""

    KIND: ClassVar[str] = "entry.reversed"
    entry: str
    date: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class NetworkRecognised:
    """Another network, by the id of its founding entry: what its stewards and their devices say is heard here.

    `name` is what it is called here: sites that belong to it have it in their column `network`.
    """

    KIND: ClassVar[str] = "network.recognised"
    network: str
    name: str
    date: str


@dataclass(frozen=True, slots=True)
class LetterHeard:
    """An entry of another network came here: its very bytes, and the signature over them in URL-safe base64."""

    KIND: ClassVar[str] = "letter.heard"
    letter: str
    signature: str
    date: str


@dataclass(frozen=True, slots=True)
class JointSaid:
    """What this network says on the way to a joint plan: a message of `abasto.federation` in base64, to all or to one.

    `session` names the planning that it belongs to; it begins with the first day that is planned.
    """

    KIND: ClassVar[str] = "joint.said"
    session: str
    message: str
    date: str
    network: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentPromised:
    """So much goes to another network on a day, with an order of this one; `site` is the place of theirs it goes to.

    The shipment's id comes from this network and the order (`state.letters.shipment_of`). It names nothing else of this
    network: neither site nor fleet.
    """

    KIND: ClassVar[str] = "shipment.promised"
    network: str
    order: str
    site: str
    departs: str
    arrives: str
    lines: tuple[Line, ...]
    date: str


@dataclass(frozen=True, slots=True)
class ShipmentWithdrawn:
    """A shipment that was promised does not come."""

    KIND: ClassVar[str] = "shipment.withdrawn"
    shipment: str
    date: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ReportPassedOn:
    """A steward's device tells other networks what another device of its network loaded or received of a shipment: the
    very bytes of that entry, and the signature over them in URL-safe base64.
    """

    KIND: ClassVar[str] = "report.passed_on"
    letter: str
    signature: str
    date: str


@dataclass(frozen=True, slots=True)
class UnknownFact:
    """A fact of a later version: kept, carried and shown, not applied."""

    kind: str
    body: Mapping[str, Any]


Fact = (
    NetworkFounded
    | RowSet
    | RowDropped
    | StockCounted
    | GoodsTakenIn
    | GoodsHandedOut
    | GoodsMade
    | GoodsLost
    | OrderIssued
    | OrderAccepted
    | OrderLoaded
    | OrderReceived
    | OrderCancelled
    | NoteWritten
    | AlarmAnswered
    | EntryReversed
    | NetworkRecognised
    | LetterHeard
    | JointSaid
    | ShipmentPromised
    | ShipmentWithdrawn
    | ReportPassedOn
    | DeviceAsked
    | DeviceEndorsed
    | DeviceCut
    | UnknownFact
)


def _id(value: Any) -> str:
    if type(value) is not str or not 0 < len(value) <= LONGEST_ID or value != value.strip():
        raise ValueError(f"must be text of 1 to {LONGEST_ID} characters without blanks at its ends")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_TEXT:
        raise ValueError(f"must be text of at most {LONGEST_TEXT} characters")
    return value


def _letter(value: Any) -> str:
    return _of_bytes(value, LONGEST_LETTER)


def _message(value: Any) -> str:
    return _of_bytes(value, LONGEST_MESSAGE)


def _of_bytes(value: Any, most: int) -> str:
    if type(value) is not str or not 0 < len(value.encode(errors="replace")) <= most:
        raise ValueError(f"must be text of 1 to {most} bytes")
    return value


def _date(value: Any) -> str:
    try:
        # Compared, because a week as in 2026-W47-7 is read as a date too, and would sort as none.
        if type(value) is str and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-11-22")


def _until(value: Any) -> str:
    return "" if value == "" and type(value) is str else _date(value)


def _lot(value: Any) -> str:
    return "" if value == "" and type(value) is str else _date(value)


def _quantity(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"must be a whole number of thousandths from 0 to {MOST}")
    return value


def _signed(value: Any) -> int:
    if type(value) is not int or not -MOST <= value <= MOST:
        raise ValueError(f"must be a whole number of thousandths from -{MOST} to {MOST}")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST:
        raise ValueError("must be a whole number from 1 up")
    return value


def _seq(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError("must be a whole number from 0 up")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("must be true or false")
    return value


def _ids(value: Any) -> tuple[str, ...]:
    if type(value) is not list or len(value) > MOST_LINES:
        raise ValueError(f"must be a list of at most {MOST_LINES} ids")
    return tuple(_id(one) for one in value)


def _alarm(value: Any) -> str:
    # A key holds two ids, which may have slashes of their own.
    if type(value) is not str or len(value) > 3 * LONGEST_ID or value.count("/") < 2 or value[:1] in ("/", " "):
        raise ValueError(f"must be an alarm's key as in runs out/School/bread, of at most {3 * LONGEST_ID} characters")
    return value


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if type(value) is not str or value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return read


def _key(value: Any) -> str:
    # One key has one text, else a device could be cut under one name and go on under another.
    if type(value) is not str or not _KEY.fullmatch(value):
        raise ValueError("must be a device's key or an entry's id: 43 letters of URL-safe base64")
    return value


def _key_or_blank(value: Any) -> str:
    return "" if value == "" and type(value) is str else _key(value)


def _cells(value: Any) -> Mapping[str, str]:
    if type(value) is not dict or not 0 < len(value) <= MOST_LINES:
        raise ValueError("must be an object of cells by column")
    return MappingProxyType({_id(name): _text(cell) for name, cell in value.items()})


def _lines_of(quantity: Callable[[Any], int]) -> Callable[[Any], tuple[Line, ...]]:
    def read(value: Any) -> tuple[Line, ...]:
        if type(value) is not list or not 0 < len(value) <= MOST_LINES:
            raise ValueError(f"must be a list of 1 to {MOST_LINES} lines")
        lines = []
        for one in value:
            if type(one) is not dict or not {"good", "quantity"} <= set(one) <= {"good", "quantity", "lot"}:
                raise ValueError("must have lines of good, quantity and perhaps lot")
            lot = _lot(one["lot"]) if "lot" in one else None
            lines.append(Line(_id(one["good"]), quantity(one["quantity"]), lot))
        return tuple(lines)

    return read


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "about": _text,
    "admission": _one_of("open", "endorsed"),
    "alarm": _alarm,
    "answer": _one_of(*ANSWERS),
    "arrives": _date,
    "batches": _quantity,
    "by": _text,
    "cause": _text,
    "copy": _count,
    "date": _date,
    "departs": _date,
    "device": _key,
    "entry": _id,
    "fleet": _id,
    "from": _id,
    "good": _id,
    "letter": _letter,
    "last": _key_or_blank,
    "lines": _lines_of(_quantity),
    "lot": _lot,
    "message": _message,
    "more_to_come": _flag,
    "name": _id,
    "network": _text,
    "order": _id,
    "plan": _text,
    "quantity": _quantity,
    "reason": _text,
    "recipe": _id,
    "ref": _text,
    "role": _one_of(*ROLES),
    "row": _cells,
    "session": _id,
    "seq": _seq,
    "settles": _ids,
    "shipment": _id,
    "signature": _id,
    "site": _id,
    "sites": _ids,
    "stewards": _ids,
    "succeeds": _key_or_blank,
    "table": _id,
    "text": _text,
    "threshold": _count,
    "to": _id,
    "trips": _count,
    "until": _until,
}
"""How each field of a body is read, by its name: a name means the same in every kind."""

FACTS: Mapping[str, type[Any]] = {
    kind.KIND: kind
    for kind in (
        NetworkFounded,
        RowSet,
        RowDropped,
        StockCounted,
        GoodsTakenIn,
        GoodsHandedOut,
        GoodsMade,
        GoodsLost,
        OrderIssued,
        OrderAccepted,
        OrderLoaded,
        OrderReceived,
        OrderCancelled,
        NoteWritten,
        AlarmAnswered,
        EntryReversed,
        NetworkRecognised,
        LetterHeard,
        JointSaid,
        ShipmentPromised,
        ShipmentWithdrawn,
        ReportPassedOn,
        DeviceAsked,
        DeviceEndorsed,
        DeviceCut,
    )
}
"""The type of each kind that this version knows."""

_NAMES = {"from_site": "from", "to_site": "to"}


def _layout(kind: type[Any]) -> tuple[tuple[str, str, Callable[[Any], Any], Any], ...]:
    """Return for each field of a kind its name in the body, its attribute, its reader, and its default (or MISSING)."""
    readers = {**_READERS, "lines": _lines_of(_signed)} if kind is GoodsMade else _READERS
    return tuple(
        (_NAMES.get(field.name, field.name), field.name, readers[_NAMES.get(field.name, field.name)], field.default)
        for field in fields(kind)
    )


_LAYOUTS = {name: _layout(kind) for name, kind in FACTS.items()}


def fact_of(kind: str, body: Mapping[str, Any]) -> Fact:
    """Return the fact that a body says; raises `FactError` if the kind is known and the body is not one of it."""
    layout = _LAYOUTS.get(kind)
    if layout is None:
        return UnknownFact(kind, body)
    values = []
    found = 0
    for name, _, read, default in layout:
        if name in body:
            found += 1
            try:
                values.append(read(body[name]))
            except ValueError as error:
                raise FactError(f"{kind}, {name}: {body[name]!r:.80} — {error}") from None
        elif default is MISSING:
            raise FactError(f"{kind}: {name} is missing; it must be there in every fact of this kind")
        else:
            values.append(default)
    if found != len(body):
        strange = sorted(set(body) - {name for name, *_ in layout})
        raise FactError(f"{kind}: this version knows no {', '.join(strange)[:80]} in a fact of this kind")
    fact: Fact = FACTS[kind](*values)
    if isinstance(fact, AlarmAnswered):
        _refuse_odd_answer(fact)
    elif isinstance(fact, DeviceEndorsed | DeviceCut):
        _refuse_odd_membership(fact)
    return fact


def _refuse_odd_answer(fact: AlarmAnswered) -> None:
    """Raise `FactError` unless an answer that silences an alarm says why, and one that puts it off until when."""
    kind, answer = fact.KIND, fact.answer
    if answer in ("snoozed", "wrong") and not fact.reason.strip():
        raise FactError(f"{kind}, reason: {fact.reason!r:.80} — who answers {answer!r} must say why")
    if answer != "snoozed":
        if fact.until:
            raise FactError(f"{kind}, until: {fact.until!r} — must be left out of {answer!r}; only 'snoozed' has it")
        return
    if not fact.until:
        raise FactError(f"{kind}, until: '' — who answers 'snoozed' must say until which date, such as 2026-11-22")
    days = (date.fromisoformat(fact.until) - date.fromisoformat(fact.date)) // timedelta(days=1)
    if not 1 <= days <= MOST_SNOOZED_DAYS:
        raise FactError(
            f"{kind}, until: {fact.until!r} — must be after the date {fact.date} and at most {MOST_SNOOZED_DAYS} days "
            "later"
        )


def _refuse_odd_membership(fact: DeviceEndorsed | DeviceCut) -> None:
    """Raise `FactError` for an heir of itself, sites where there may be none, and a cut without its last entry."""
    if isinstance(fact, DeviceCut):
        if (fact.seq == 0) != (not fact.last):
            raise FactError(f"{fact.KIND}, last: {fact.last!r} — must be the id of entry {fact.seq}, and blank for 0")
    elif fact.succeeds == fact.device:
        raise FactError(f"{fact.KIND}, succeeds: {fact.succeeds!r} — a device cannot succeed itself")
    elif (fact.role == "reporter") != bool(fact.sites):
        raise FactError(f"{fact.KIND}, sites: {list(fact.sites)!r:.80} — a reporter has some, and nobody else has")


def body_of(fact: Fact) -> dict[str, Any]:
    """Return the body of a fact as it stands in an entry; raises `FactError` for values that no body may have."""
    if isinstance(fact, UnknownFact):
        raise FactError(f"{fact.kind}: this version does not know the kind and must not write it")
    body: dict[str, Any] = {}
    for name, attribute, _, default in _LAYOUTS[fact.KIND]:
        value = getattr(fact, attribute)
        if default is MISSING or value != default:
            body[name] = _plain(value)
    fact_of(fact.KIND, body)
    return body


def _plain(value: Any) -> Any:
    if isinstance(value, Line):
        plain = {"good": value.good, "quantity": value.quantity}
        return plain if value.lot is None else {**plain, "lot": value.lot}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value
