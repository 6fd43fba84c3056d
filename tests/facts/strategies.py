"""Strategies for facts of every kind, for the tests of all rooms: `from tests.facts.strategies import facts`."""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType

from hypothesis import strategies as st

from abasto.facts.kinds import (
    MOST,
    MOST_SNOOZED_DAYS,
    AlarmAnswered,
    DeviceAsked,
    DeviceCut,
    DeviceEndorsed,
    EntryReversed,
    Fact,
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
)

CHARACTERS = st.characters(exclude_categories=["Cs"])
texts = st.text(CHARACTERS, max_size=60)
ids = st.one_of(
    st.sampled_from(["store-1", "store-2", "bakery", "flour", "bread", "ñandú 7"]),
    st.text(CHARACTERS, min_size=1, max_size=20).filter(lambda text: text == text.strip()),
)
entry_ids = st.text("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789-_", min_size=42, max_size=42).map(
    lambda text: text + "A"
)
dates = st.dates().map(lambda day: day.isoformat())
lots = st.one_of(st.none(), st.just(""), dates)
quantities = st.one_of(st.integers(0, 100_000), st.integers(0, MOST))
signed = st.one_of(st.integers(-100_000, 100_000), st.integers(-MOST, MOST))
counts = st.one_of(st.integers(1, 9), st.integers(1, MOST))
cells = st.dictionaries(ids, texts, min_size=1, max_size=6).map(MappingProxyType)


def lines(quantity: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[Line, ...]]:
    return st.lists(st.builds(Line, ids, quantity, lots), min_size=1, max_size=5).map(tuple)


plainly = st.sampled_from(["taken", "settled"])
reasons = texts.filter(str.strip)
alarms = st.builds(lambda *parts: "/".join(parts), st.sampled_from(["runs out", "jumped"]), ids, st.just("") | ids)


def snoozed(alarm: str, day: date, days: int, reason: str, by: str, ref: str) -> AlarmAnswered:
    until = day + timedelta(days=days)
    return AlarmAnswered(alarm, "snoozed", day.isoformat(), until=until.isoformat(), reason=reason, by=by, ref=ref)


long_texts = st.text(CHARACTERS, min_size=1, max_size=200)
untils = st.just("") | dates


def endorsed(device: str, role: str, date: str, sites: list[str], until: str) -> DeviceEndorsed:
    return DeviceEndorsed(device, role, date, tuple(sites), until, succeeds="" if until else "Z" * 42 + "A")


KINDS: dict[type, st.SearchStrategy[Fact]] = {
    NetworkFounded: st.builds(
        NetworkFounded,
        ids,
        st.lists(entry_ids, max_size=3).map(tuple),
        counts,
        date=st.one_of(st.just(""), dates),
        admission=st.sampled_from(["open", "endorsed"]),
    ),
    RowSet: st.builds(RowSet, ids, cells, dates, copy=counts, ref=texts),
    RowDropped: st.builds(RowDropped, ids, cells, dates, copy=counts),
    StockCounted: st.builds(StockCounted, ids, ids, quantities, dates, lot=lots, ref=texts),
    GoodsTakenIn: st.builds(GoodsTakenIn, ids, ids, quantities, dates, lot=lots, ref=texts),
    GoodsHandedOut: st.builds(GoodsHandedOut, ids, ids, quantities, dates, lot=lots, ref=texts),
    GoodsMade: st.builds(GoodsMade, ids, ids, quantities, lines(signed), dates, ref=texts),
    GoodsLost: st.builds(GoodsLost, ids, ids, quantities, dates, lot=lots, cause=texts, ref=texts),
    OrderIssued: st.builds(OrderIssued, ids, ids, ids, counts, dates, dates, lines(quantities), dates, plan=texts),
    OrderAccepted: st.builds(OrderAccepted, entry_ids, dates),
    OrderLoaded: st.builds(OrderLoaded, entry_ids, lines(quantities), dates, ref=texts),
    OrderReceived: st.builds(
        OrderReceived, entry_ids, ids, lines(quantities), dates, more_to_come=st.booleans(), ref=texts
    ),
    OrderCancelled: st.builds(OrderCancelled, entry_ids, dates, cause=texts),
    NoteWritten: st.builds(
        NoteWritten, texts, dates, about=texts, settles=st.lists(entry_ids, max_size=3).map(tuple), ref=texts
    ),
    AlarmAnswered: st.one_of(
        st.builds(AlarmAnswered, alarms, plainly, dates, reason=texts, by=texts, ref=texts),
        st.builds(AlarmAnswered, alarms, st.just("wrong"), dates, reason=reasons, by=texts, ref=texts),
        st.builds(
            snoozed,
            alarms,
            st.dates(max_value=date(9999, 11, 1)),
            st.integers(1, MOST_SNOOZED_DAYS),
            reasons,
            texts,
            texts,
        ),
    ),
    EntryReversed: st.builds(EntryReversed, entry_ids, dates, cause=texts),
    NetworkRecognised: st.builds(NetworkRecognised, entry_ids, ids, dates),
    LetterHeard: st.builds(LetterHeard, long_texts, ids, dates),
    JointSaid: st.builds(JointSaid, ids, long_texts, dates, network=texts),
    ShipmentPromised: st.builds(ShipmentPromised, entry_ids, entry_ids, ids, dates, dates, lines(quantities), dates),
    ShipmentWithdrawn: st.builds(ShipmentWithdrawn, entry_ids, dates, cause=texts),
    ReportPassedOn: st.builds(ReportPassedOn, long_texts, ids, dates),
    DeviceAsked: st.builds(DeviceAsked, ids, dates),
    DeviceEndorsed: st.one_of(
        st.builds(endorsed, entry_ids, st.sampled_from(["reader", "allocator", "steward"]), dates, st.just(()), untils),
        st.builds(endorsed, entry_ids, st.just("reporter"), dates, st.lists(ids, min_size=1, max_size=3), untils),
    ),
    DeviceCut: st.one_of(
        st.builds(DeviceCut, entry_ids, st.just(0), dates, reason=texts),
        st.builds(DeviceCut, entry_ids, counts, dates, last=entry_ids, reason=texts),
    ),
}
"""Facts of one kind, as wild as their bodies may be."""

facts = st.one_of(*KINDS.values())
"""Facts of any kind."""

values = st.recursive(
    st.one_of(st.none(), st.booleans(), signed, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
"""Whatever may stand in a body."""

bodies = st.dictionaries(texts, values, max_size=5)
