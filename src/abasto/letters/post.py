"""Which entries other networks may see, what is due to them, and which of theirs are taken in.

What is exported is chosen by kind: the founding entry, what is said on the way to joint plans, promises to other
networks and what became of them, and receipts of what they promised. No site is named but those that both know, because
goods arrive there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from abasto.errors import EntryError, FactError
from abasto.facts.canonical import canonical
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    NetworkFounded,
    OrderLoaded,
    OrderReceived,
    ShipmentPromised,
    ShipmentWithdrawn,
    body_of,
    fact_of,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import id_of, read_entry
from abasto.journal.store import Verified
from abasto.state.letters import Deciding, Letters, letter_bytes, open_letter, sealed_letter, speakers_of
from abasto.state.state import State

__all__ = ["EXPORTED", "due", "exported", "heard", "letters_of"]

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


LONGEST_BODY = 15_000
"""So many bytes of a letter, as text within text, fit into an entry beside all else that stands there."""
_ORDER = {NetworkFounded.KIND: 0, DeviceEndorsed.KIND: 1, DeviceCut.KIND: 1}
"""Who speaks for a network is heard before what they say."""


def due(state: State, day: date) -> list[Fact]:
    """Return what is to be told to other networks and was not yet: promises for open orders to sites of theirs, and
    withdrawals of promises whose order was cancelled.

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
        promised = state.orders.get(id)  # None: it has not come here yet, or its author was cut off.
        if promised is not None and promised.status == "cancelled" and promise.id not in letters.withdrawn:
            facts.append(ShipmentWithdrawn(promise.id, today))
    return facts


def exported(journal: Journal, state: State) -> Journal:
    """Return a journal in memory of the entries that other networks may see, with the device's key to seal bundles.

    Entries are left out that would count for nothing there, as their author was no steward, or its key forked.
    """
    placed = [one.entry for one in journal.read() if one.entry.kind in EXPORTED and not one.is_frozen]
    speakers = speakers_of([Deciding.of(entry) for entry in placed if entry.kind in _ORDER and _is_whole(entry)])
    ever = {key for stewards in speakers.stewards for key in stewards}
    outbox = _in_memory(
        Verified(entry, signed)
        for entry in placed
        if (entry.kind == NetworkFounded.KIND or speakers.said(entry)) and _may_be_seen(entry, state, ever)
        if (signed := journal.store.get(entry.id)) is not None
    )
    outbox.device = journal.device
    return outbox


def _is_whole(entry: Entry) -> bool:
    """Return whether an entry says what its kind does."""
    try:
        fact_of(entry.kind, entry.body)
    except FactError:
        return False
    return True


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
        return fact.device in stewards
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
    first, and why the rest is left out: nothing is taken in that would count for nothing.
    """
    letters = []
    refused = []
    for signed in arrived:
        if id_of(signed.raw) in state.letters.heard:
            continue
        try:
            entry = read_entry(signed).entry
            fact = sealed_letter(signed, date=day.isoformat())
            _, inner = open_letter(fact)
        except (EntryError, FactError) as error:
            refused.append(str(error))
            continue
        if len(canonical(body_of(fact))) > LONGEST_BODY:
            refused.append(f"entry {code_of(entry.id)} is too long for one of ours to hold")
        elif entry.kind not in EXPORTED:
            refused.append(f"entry {code_of(entry.id)}: {entry.kind} is no letter to another network")
        else:
            letters.append((_ORDER.get(entry.kind, 2), entry.lc, entry, inner, fact))
    facts: list[Fact] = []
    if not letters:
        return facts, refused
    known = Letters.from_plain(state.letters.plain())
    for _, _, entry, inner, fact in sorted(letters, key=lambda one: one[:2]):
        odd = known.take(entry, inner, own=state.network)
        if not odd:
            facts.append(fact)
        elif entry.id not in known.heard:
            refused.append(f"entry {code_of(entry.id)}: {odd}")
    return facts, refused
