"""Which entries other networks may see, what is due to them, and which of theirs are taken in.

What is exported is chosen by kind: the founding entry, what is said on the way to joint plans, promises to other
networks and what became of them, and receipts of what they promised. No site is named but those that both know, because
goods arrive there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from abasto.errors import EntryError, FactError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    NetworkFounded,
    OrderCancelled,
    OrderLoaded,
    OrderReceived,
    ShipmentPromised,
    ShipmentWithdrawn,
    fact_of,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, id_of, read_entry
from abasto.journal.store import Verified
from abasto.state.letters import letter_bytes, sealed_letter
from abasto.state.state import State

__all__ = ["EXPORTED", "due", "exported", "heard", "letters_of", "tell_due"]

EXPORTED = (
    NetworkFounded.KIND,
    JointSaid.KIND,
    ShipmentPromised.KIND,
    ShipmentWithdrawn.KIND,
    OrderLoaded.KIND,
    OrderReceived.KIND,
    DeviceEndorsed.KIND,
    DeviceCut.KIND,
)
"""Kinds of which others may see entries: of orders only what was loaded of those that were promised to them, and what
was received of those that they promised; of joint plans the latest sessions; of members who is a steward."""


_ORDER = {NetworkFounded.KIND: 0, DeviceEndorsed.KIND: 1, DeviceCut.KIND: 1}
"""Who speaks for a network is heard before what they say."""


NO_CAUSES: Mapping[str, str] = MappingProxyType({})


def tell_due(journal: Journal, state: State, day: date, *, time: int, after: Sequence[Fact] = ()) -> bool:
    """Sign what is `due` to other networks, and return whether anything was; `after` are the facts just written.

    Only a device that speaks for its network does: the word of others, stewards they are not, would count for nothing
    there, and keep the stewards from saying it.
    """
    device = journal.device
    if device is None or not state.letters.recognised or device.key not in state.members.stewards(day.isoformat()):
        return False
    causes = {fact.order: fact.cause for fact in after if isinstance(fact, OrderCancelled)}
    facts = due(state, day, causes=causes)
    if facts:
        journal.append(facts, time=time)
    return bool(facts)


def due(state: State, day: date, *, causes: Mapping[str, str] = NO_CAUSES) -> list[Fact]:
    """Return what is to be told to other networks and was not yet: promises for open orders to sites of theirs, and
    withdrawals of promises whose order was cancelled; `causes` says why, by order.

    An order goes to another network if column `network` of the site it goes to has the name of a recognised one.
    """
    letters, today = state.letters, day.isoformat()
    belongs = {row.cells["site"]: row.cells.get("network", "") for row in state.rows.table("sites")}
    facts: list[Fact] = []
    for order in state.orders.open():
        way = order.issued
        if way is None or order.id in letters.going or order.id in letters.coming:
            continue
        network = letters.network_named(belongs.get(way.to_site, ""))
        if network:
            facts.append(ShipmentPromised(network, order.id, way.to_site, way.departs, way.arrives, way.lines, today))
    for id, promise in letters.going.items():
        if state.orders[id].status == "cancelled" and promise.id not in letters.withdrawn:
            facts.append(ShipmentWithdrawn(promise.id, today, causes.get(id, "")))
    return facts


def exported(journal: Journal, state: State) -> Journal:
    """Return a journal in memory of the entries that other networks may see, with the device's key to seal bundles."""
    stewards = _ever_stewards(journal, state)
    outbox = _in_memory(
        Verified(placed.entry, signed)
        for placed in journal.read()
        if placed.entry.kind in EXPORTED and _may_be_seen(placed.entry, state, stewards)
        if (signed := journal.store.get(placed.entry.id)) is not None
    )
    outbox.device = journal.device
    return outbox


def _ever_stewards(journal: Journal, state: State) -> set[str]:
    """Return the keys of all devices that were ever said to be stewards, by a steward or by the founding entry."""
    found = set() if state.founded is None else set(state.founded.stewards)
    for placed in journal.read():
        if placed.entry.kind == DeviceEndorsed.KIND and placed.entry.body.get("role") == "steward":
            found.add(str(placed.entry.body.get("device", "")))
    return found


def _in_memory(entries: Iterable[Verified]) -> Journal:
    """Return a journal of entries that were checked before."""
    made = Journal(MemoryStore())
    made.store.add(list(entries))
    return made


def _may_be_seen(entry: Entry, state: State, stewards: Collection[str]) -> bool:
    letters = state.letters
    try:
        fact = fact_of(entry.kind, entry.body)
    except FactError:
        return False
    if isinstance(fact, JointSaid):
        return fact.session in letters.said.get(state.network, {})
    if isinstance(fact, DeviceEndorsed | DeviceCut):
        return fact.device in stewards and entry.author in stewards
    if isinstance(fact, OrderLoaded):
        return fact.order in letters.going
    if isinstance(fact, OrderReceived):
        way = state.orders[fact.order].issued if fact.order in letters.coming else None
        return way is not None and way.to_site == fact.site
    return True


def letters_of(journal: Journal, state: State, network: str) -> Journal:
    """Return a journal in memory of what was heard of another network, to which an exchange adds more."""
    found = []
    for placed in journal.read():
        signed = _letter_in(placed.entry) if placed.entry.kind == LetterHeard.KIND else None
        if signed is not None and state.letters.heard.get(id_of(signed.raw)) == network:
            found.append(read_entry(signed))
    return _in_memory(found)


def _letter_in(entry: Entry) -> Signed | None:
    try:
        fact = fact_of(entry.kind, entry.body)
        return letter_bytes(fact) if isinstance(fact, LetterHeard) else None
    except FactError:
        return None


def heard(state: State, arrived: Iterable[Signed], day: date) -> tuple[list[Fact], list[str]]:
    """Return the facts that take in what arrived of recognised networks and was not heard before, founding entries
    first, and why the rest is left out.
    """
    facts: list[tuple[int, int, Fact]] = []
    refused = []
    for signed in arrived:
        if id_of(signed.raw) in state.letters.heard:
            continue
        try:
            entry = read_entry(signed).entry
        except EntryError as error:
            refused.append(str(error))
            continue
        network = entry.id if entry.network == NOTHING else entry.network
        if network not in state.letters.recognised:
            refused.append(f"network {code_of(network)} is not recognised here; recognise it first")
        elif entry.kind not in EXPORTED:
            refused.append(f"entry {code_of(entry.id)}: {entry.kind} is no letter to another network")
        else:
            facts.append((_ORDER.get(entry.kind, 2), entry.lc, sealed_letter(signed, date=day.isoformat())))
    facts.sort(key=lambda one: one[:2])
    return [fact for *_, fact in facts], refused
