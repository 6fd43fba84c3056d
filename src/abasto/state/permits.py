"""What a role may say: a reader nothing, a reporter what its sites do, an allocator all of it, a steward who is who."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from abasto.errors import AbastoError
from abasto.facts.kinds import (
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
    NetworkFounded,
    NetworkRecognised,
    NoteWritten,
    OrderAccepted,
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
from abasto.state.rows import EXPORTS
from abasto.state.words import NOBODY, device_named

if TYPE_CHECKING:
    from abasto.journal.entry import Entry
    from abasto.state.state import State

__all__ = ["NotAllowedError", "is_allowed", "is_of_exports", "may_say", "refuse_forbidden"]


OF_STEWARDS = (
    DeviceEndorsed,
    DeviceCut,
    NetworkRecognised,
    JointSaid,
    ShipmentPromised,
    ShipmentWithdrawn,
    ReportPassedOn,
)
"""What only stewards say, in open networks too: who is who, and what others hear, who listen to none but stewards; with
it the rows of table `exports`, which say how much that is.
"""


class NotAllowedError(AbastoError):
    """A device is about to say what its role does not let it say."""


def refuse_forbidden(state: State, facts: Sequence[Fact], key: str) -> None:
    """Raise `NotAllowedError` if a fact would not count if this device said it now: better told before it is signed."""
    for fact in facts:
        assert not isinstance(fact, UnknownFact)  # Nobody writes such a one.
        day = state.dates.believed(fact.date) if fact.date else ""
        is_of_itself = isinstance(fact, DeviceCut) and fact.device == key
        if key in state.members.cuts or not (is_of_itself or may_say(state, fact, key, day)):
            grant = state.members.role(key, day)
            whose = f"which has the role {grant.role}" if grant is not None else "which is no member"
            raise NotAllowedError(
                f"{device_named(key)}, {whose}: it may not write that, so nothing was written; a steward can endorse it"
            )


def is_allowed(state: State, fact: Fact, entry: Entry, day: str) -> bool:
    """Return whether the author of an entry may say what it says, on the day that is believed of it."""
    if type(fact) is DeviceCut and fact.device == entry.author:
        is_one_of_us = state.members.admission == "open" or state.members.role(entry.author, day) is not None
        return is_one_of_us and (fact.seq, fact.last or entry.prev) == (entry.seq - 1, entry.prev)
    return may_say(state, fact, entry.author, day)


def may_say(state: State, fact: Fact, key: str, day: str) -> bool:
    """Return whether a device may say something that is about others or about goods, with the role it has on a day."""
    kind, members = type(fact), state.members
    if kind is NetworkFounded or key == NOBODY:
        return True
    if not members.admission:
        return False  # Nobody is anything before the network is founded.
    grant = members.role(key, day)
    role = "" if grant is None else grant.role
    if role == "steward":
        return True
    if kind in OF_STEWARDS or is_of_exports(state, fact):
        return False
    if members.admission == "open" or kind is DeviceAsked:
        return True
    if role == "reporter" and grant is not None:
        return _is_within(state, fact, grant.sites)
    return role == "allocator"


def is_of_exports(state: State, fact: Fact) -> bool:
    """Return whether a fact sets, drops or brings back a row that says what other networks see."""
    if isinstance(fact, EntryReversed):
        effect = state.effects.get(fact.entry)
        return effect is not None and list(effect.undo[:1]) == ["row"] and effect.undo[2]["table"] == EXPORTS
    return isinstance(fact, RowSet | RowDropped) and fact.table == EXPORTS


def _is_within(state: State, fact: Fact, sites: Sequence[str]) -> bool:
    """Return whether a fact is a report about no other than these sites."""
    if isinstance(fact, StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsMade | GoodsLost | OrderReceived):
        return fact.site in sites
    if isinstance(fact, OrderAccepted | OrderLoaded):
        ends = _ends(state, fact.order)
        return bool(set(ends[:1] if isinstance(fact, OrderLoaded) else ends) & set(sites))
    if isinstance(fact, AlarmAnswered):
        return _is_alarm_at(fact.alarm, sites)
    if isinstance(fact, NoteWritten):
        return not fact.settles
    return isinstance(fact, EntryReversed) and _undoes_only_at(state, fact.entry, sites)


def _ends(state: State, order: str) -> tuple[str, ...]:
    """Return where an order comes from and goes, nothing if it is not known."""
    issued, _ = state.orders.brief(order)
    return () if issued is None else (issued.from_site, issued.to_site)


def _is_alarm_at(alarm: str, sites: Sequence[str]) -> bool:
    return any(alarm.partition("/")[2].startswith(f"{site}/") for site in sites)


def _undoes_only_at(state: State, entry: str, sites: Sequence[str]) -> bool:
    """Return whether an entry is a report about no other than these sites, so that they may take it back."""
    effect = state.effects.get(entry)
    if effect is None:
        return False
    touched = {account.id for move in effect.moves for account in (move.source, move.target) if account.kind == "site"}
    what, *rest = effect.undo or ("",)
    if what == "count":
        touched.add(rest[0])
    elif what == "answer":
        return _is_alarm_at(rest[0], sites)
    elif what == "order":
        if rest[0] == entry or rest[0] not in state.orders or state.orders.brief(rest[0])[1] == "cancelled":
            return False
        touched = touched or set(_ends(state, rest[0])) & set(sites)
    elif what:
        return False
    return bool(touched) and touched <= set(sites)
