"""Which entries other networks may see, what is due to them, and which of theirs are taken in.

What is exported is chosen by kind: the founding entry, what is said on the way to joint plans, promises to other
networks and what became of them, and receipts of what they promised. No site is named but those that both know, because
goods arrive there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

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
    OrderCancelled,
    OrderLoaded,
    OrderReceived,
    ReportPassedOn,
    ShipmentPromised,
    ShipmentWithdrawn,
    body_of,
    fact_of,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, id_of, read_entry
from abasto.journal.store import Place, Verified, place_of
from abasto.state.letters import (
    MOST_HEARD,
    Deciding,
    Letters,
    letter_bytes,
    open_letter,
    passed_on,
    sealed_letter,
    speakers_of,
)
from abasto.state.state import State

__all__ = ["EXPORTED", "Picked", "Room", "due", "exported", "heard", "letters_of", "tell_due"]

MOST_BYTES = 256 * 2**20
"""So many bytes of one network's letters are held while they are looked at, in memory."""
EXPORTED = (
    NetworkFounded.KIND,
    JointSaid.KIND,
    ShipmentPromised.KIND,
    ShipmentWithdrawn.KIND,
    OrderLoaded.KIND,
    OrderReceived.KIND,
    ReportPassedOn.KIND,
    DeviceEndorsed.KIND,
    DeviceCut.KIND,
)
"""Kinds of which others may see entries: of orders only what was loaded of those that were promised to them, and what
was received of those that they promised; of joint plans the latest sessions; of members who is a steward."""


LONGEST_BODY = 15_000
"""So many bytes of a letter, as text within text, fit into an entry beside all else that stands there."""
LONGEST_QUOTED = 10_000
"""So many bytes of an entry that is passed on, as text within text: it is quoted once more where it is heard."""
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
    facts = [*due(state, day, causes=causes), *to_pass_on(journal, state, day)]
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
        promised = state.orders.get(id)  # None: it has not come here yet, or its author was cut off.
        if promised is not None and promised.status == "cancelled" and promise.id not in letters.withdrawn:
            facts.append(ShipmentWithdrawn(promise.id, today, causes.get(id, "")))
    return facts


def to_pass_on(journal: Journal, state: State, day: date) -> list[Fact]:
    """Return the facts that tell others what devices that are no stewards' loaded or received of shipments."""
    return [passed_on(signed, date=day.isoformat()) for signed in _untold(journal, state)]


def _untold(journal: Journal, state: State) -> Iterator[Signed]:
    """Yield the entries in question; of those that are too long to be quoted none."""
    for id in state.letters.waiting():
        signed = journal.store.get(id)
        if signed is None:
            continue
        entry = read_entry(signed).entry
        is_short = len(canonical(body_of(passed_on(signed, date="2026-11-22")))) <= LONGEST_QUOTED
        if is_short and _may_be_seen(fact_of(entry.kind, entry.body), state, ()):
            yield signed


class Picked:
    """What of a journal may be a letter: its entries of kinds that are exported, and those of others that it heard.

    They are few among many, so they are picked out once, and after that only from what came since. Which of them others
    may see, and which count, the state says each time anew.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._place: Place | None = None
        self.own: list[tuple[Entry, Fact]] = []
        self.heard: list[Verified] = []

    def look(self) -> Picked:
        """Look at what came since; begin anew if some of it belongs before what was seen already."""
        count = self.journal.store.count()
        if self._count != count:
            self._take()
        if self._count < count:
            self._begin()
            self._take()
        return self

    def _take(self) -> None:
        for placed in self.journal.read(self._place):
            entry = placed.entry
            self._count, self._place = self._count + 1, place_of(entry)
            if entry.kind in EXPORTED or entry.kind == LetterHeard.KIND:
                self._pick(entry)

    def _pick(self, entry: Entry) -> None:
        try:
            fact = fact_of(entry.kind, entry.body)
            if isinstance(fact, LetterHeard):
                self.heard.append(read_entry(letter_bytes(fact)))
                return
        except (EntryError, FactError):
            return
        self.own.append((entry, fact))


def exported(journal: Journal, state: State, *, picked: Picked | None = None) -> Journal:
    """Return a journal in memory of the entries that other networks may see, with the device's key to seal bundles.

    Entries are left out that would count for nothing there, as their author was no steward, or its key forked.
    """
    picked = (picked or Picked(journal)).look()
    forks = journal.store.forks()
    own = [(entry, fact) for entry, fact in picked.own if entry.seq < forks.get(entry.author, entry.seq + 1)]
    speakers = speakers_of([Deciding.of(entry) for entry, _ in own if entry.kind in _ORDER])
    ever = {key for stewards in speakers.stewards for key in stewards}
    outbox = _in_memory(
        Verified(entry, signed)
        for entry, fact in own
        if (isinstance(fact, NetworkFounded) or speakers.said(entry, fact)) and _may_be_seen(fact, state, ever)
        if (signed := journal.store.get(entry.id)) is not None
    )
    outbox.device = journal.device
    return outbox


def _in_memory(entries: Iterable[Verified]) -> Journal:
    """Return a journal of entries that were checked before."""
    made = Journal(MemoryStore())
    made.store.add(list(entries))
    return made


def _may_be_seen(fact: Fact, state: State, stewards: Collection[str]) -> bool:
    letters = state.letters
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


def letters_of(journal: Journal, state: State, network: str, *, picked: Picked | None = None) -> Journal:
    """Return a journal in memory of what was heard of another network, to which an exchange adds more."""
    heard = (picked or Picked(journal)).look().heard
    return _in_memory(one for one in heard if state.letters.heard.get(one.entry.id) == network)


class Room:
    """Says of each letter that comes to a journal of `letters_of` whether there is room for it beside the others there
    (`may_keep` of an exchange): whoever signs letters without end fills no more memory than that.
    """

    def __init__(self, theirs: Journal) -> None:
        self._store = theirs.store
        self._count = theirs.store.count()
        self._bytes = sum(len(signed.raw) for signed in theirs.store.export())

    def __call__(self, entry: Entry) -> bool:
        """Return whether a letter may be kept, and count it then."""
        if self._store.get(entry.id) is not None:
            return True
        size = self._bytes + len(canonical(entry.body))
        if self._count >= MOST_HEARD or size > MOST_BYTES:
            return False
        self._count, self._bytes = self._count + 1, size
        return True


def heard(state: State, arrived: Iterable[Signed], day: date) -> tuple[list[Fact], list[str]]:
    """Return the facts that take in what arrived of recognised networks and was not heard before, founding entries
    first, and why the rest is left out.

    What would count for nothing is left out too, or whoever is asked could fill the journal: it comes again, and is
    taken in once the network has said that its author speaks for it.
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
        network = entry.id if entry.network == NOTHING else entry.network
        if network not in state.letters.recognised:
            refused.append(f"network {code_of(network)} is not recognised here; recognise it first")
        elif not _fits(fact):
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
        why = known.take(entry, inner, own=state.network, day=day.isoformat())
        if not why:
            facts.append(fact)
        elif entry.id not in known.heard:
            refused.append(f"entry {code_of(entry.id)}: {why}")
    return facts, refused


def _fits(fact: LetterHeard) -> bool:
    """Return whether an entry of ours can hold a letter, with room for all else that stands in one."""
    try:
        return len(canonical(body_of(fact))) <= LONGEST_BODY
    except FactError:
        return False
