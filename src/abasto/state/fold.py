"""The fold: entries in, state out; the same set of entries gives the same state to the byte.

Entries come in order of (`lc`, `id`), as every store reads them. One is applied if it continues its author's chain;
what cannot be applied is counted and listed, and the fold goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from abasto.errors import FactError
from abasto.facts.amounts import thousandths
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
    LetterHeard,
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
    body_of,
    fact_of,
)
from abasto.journal.entry import Entry, Placed
from abasto.journal.store import Place
from abasto.state.accounts import CONSUMED, LOST, MADE, OUTSIDE, Movement
from abasto.state.answers import answer_of
from abasto.state.authors import Author
from abasto.state.books import Counter
from abasto.state.effects import Effect
from abasto.state.holding import days_after
from abasto.state.letters import Coming, Promise, open_letter, open_passed_on, shipment_of
from abasto.state.members import NO_CUTS, CutBackError, Cuts
from abasto.state.orders import Before, OrderFact
from abasto.state.permits import is_allowed
from abasto.state.state import State
from abasto.tables.collector import collector_paused

__all__ = ["Listener", "Told", "fold", "fold_anew"]


class Told(NamedTuple):
    """What the fold made of an entry: its fact (None if there is none), the date it was booked on, and its movements.

    `outcome` is blank if it was applied, and else says why not in a word or two. `state` is the state just after it.
    """

    entry: Entry
    fact: Fact | None
    date: str
    outcome: str
    movements: tuple[Movement, ...]
    state: State


Listener = Callable[[Told], None]


def fold(entries: Iterable[Placed], state: State | None = None, *, listen: Listener | None = None) -> State:
    """Return what entries come to, in their order; goes on from `state` (and changes it) where one is given.

    `listen` is told of each entry as it is taken. Where entries that were folded turn out not to count, it begins anew
    if it can: without `state` and `listen`, from entries that can be gone through twice. Else it raises `CutBackError`,
    and `state` is of no use any more.
    """
    if state is None and listen is None and not isinstance(entries, Iterator):
        return fold_anew(lambda: entries)
    return _folded(entries, State() if state is None else state, listen)


def _folded(entries: Iterable[Placed], state: State, listen: Listener | None) -> State:
    step = _Fold(state)
    with collector_paused():
        for placed in entries:
            told = step.take(placed)
            if listen is not None:
                listen(step.tell(placed.entry, *told))
    return step.state


def fold_anew(read: Callable[[], Iterable[Placed]], cuts: Cuts = NO_CUTS) -> State:
    """Return what all entries come to, from the first one; `read` yields them, again for every cut that reaches back.

    `cuts` are those that an earlier fold of the same first entries met.
    """
    while True:
        try:
            return _folded(read(), State(cuts), None)
        except CutBackError as error:
            cuts = error.cuts


class _Fold:
    """One run of the fold over a state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.listed: set[tuple[str, str]] = set()
        """Sites and goods whose rows are known to stand; what saves looking them up for every fact."""
        self.handlers: Mapping[type[Any], Callable[[Any, Entry, Author, str], str]] = {
            NetworkFounded: self.founded,
            RowSet: self.row,
            RowDropped: self.row,
            StockCounted: self.counted,
            GoodsTakenIn: self.taken_in,
            GoodsHandedOut: self.handed_out,
            GoodsMade: self.made,
            GoodsLost: self.lost,
            OrderIssued: self.order,
            OrderAccepted: self.order,
            OrderLoaded: self.order,
            OrderReceived: self.order,
            OrderCancelled: self.order,
            NoteWritten: self.noted,
            AlarmAnswered: self.answered,
            EntryReversed: self.reversed,
            NetworkRecognised: self.recognised,
            LetterHeard: self.heard,
            JointSaid: self.said,
            ShipmentPromised: self.promised,
            ShipmentWithdrawn: self.withdrawn,
            ReportPassedOn: self.passed_on,
            DeviceAsked: self.asked,
            DeviceEndorsed: self.endorsed,
            DeviceCut: self.cut,
        }

    def take(self, placed: Placed) -> tuple[Fact | None, str, str]:
        """Take the next entry; return its fact, the date it is booked on, and why it was not applied, or blank."""
        state, entry = self.state, placed.entry
        state.count += 1
        state.place = Place(entry.lc, entry.id)
        state.members.reach(state.place)
        books = state.books
        books.booked = []
        author = state.authors.of(entry.author)
        refusal = author.refusal(entry, is_frozen=placed.is_frozen)
        if refusal is not None:
            author.refuse(entry, refusal)
            return None, "", refusal
        state.authors.advance(author, entry, placed.seen)
        if state.members.is_cut(entry):
            author.refuse(entry, "cut")
            return None, "", "cut"
        try:
            fact = fact_of(entry.kind, entry.body)
        except FactError as error:
            state.note("malformed", author.key, date="", entry=entry.id, detail=[str(error)])
            return None, "", "malformed"
        if isinstance(fact, UnknownFact):
            state.note("later version", author.key, date="", entry=entry.id, detail=[fact.kind])
            return fact, "", "later version"
        day = state.dates.believed(fact.date) if fact.date else ""
        if not is_allowed(state, fact, entry, day):
            state.note("not allowed", author.key, date=day, entry=entry.id, detail=[entry.kind])
            return fact, day, "not allowed"
        if self.is_repeated(fact):
            return fact, fact.date, "repeated"
        self.believe(fact.date, day, entry, author)
        outcome = self.handlers[type(fact)](fact, entry, author, day)
        if books.booked and entry.id not in self.state.effects:
            state.effects.add(entry.id, Effect(state.count, books.booked))
        if books.too_late:
            for site, good in dict.fromkeys(books.too_late):
                state.note("late", site, good, date=day, entry=entry.id)
            books.too_late = []
        return fact, day, outcome

    def tell(self, entry: Entry, fact: Fact | None, day: str, outcome: str) -> Told:
        """Return what a listener is told of the entry that was just taken."""
        moves = tuple(Movement(entry.id, *move) for move in self.state.books.booked)
        return Told(entry, fact, day, outcome, moves, self.state)

    def is_repeated(self, fact: Fact) -> bool:
        """Say whether a fact with the same reference was applied before; remember it if not."""
        ref = getattr(fact, "ref", "")
        if not ref:
            return False
        if self.state.knows(ref):
            return True
        self.state.remember(ref)
        return False

    def believe(self, claimed: str, day: str, entry: Entry, author: Author) -> None:
        """Note the date that an applied fact claims, and list it if it is booked on another day."""
        if not claimed:
            return
        if day != claimed:
            self.state.note("wild clock", author.key, date=day, entry=entry.id, detail=[claimed, day])
        self.state.dates.add(claimed, author.number)
        author.day = max(author.day, day)

    def place(self, site: str, good: str, entry: Entry, day: str) -> None:
        """List a site or good that a report names and no row stands for; it is booked all the same."""
        if (site, good) in self.listed:
            return
        has_site = self.state.rows.standing("sites", site) == "stands"
        has_good = self.state.rows.standing("goods", good) == "stands"
        if not has_site:
            self.state.note("site", site, date=day, entry=entry.id)
        if not has_good:
            self.state.note("good", good, date=day, entry=entry.id)
        if has_site and has_good:
            self.listed.add((site, good))

    # One function per kind of fact; each returns why it could not be applied, or nothing.

    def founded(self, fact: NetworkFounded, entry: Entry, author: Author, day: str) -> str:
        if self.state.founded is not None:
            self.state.note("founded again", author.key, date=day, entry=entry.id, detail=[fact.name])
            return "founded already"
        self.state.founded, self.state.network = fact, entry.id
        self.state.members.found(fact, entry)
        return ""

    def asked(self, fact: DeviceAsked, entry: Entry, author: Author, day: str) -> str:
        self.state.members.ask(fact, entry)
        return ""

    def endorsed(self, fact: DeviceEndorsed, entry: Entry, author: Author, day: str) -> str:
        return self.state.members.endorse(fact, entry, day)

    def cut(self, fact: DeviceCut, entry: Entry, author: Author, day: str) -> str:
        members = self.state.members
        before = members.cuts.get(fact.device)
        outcome = members.cut(fact, entry, day)
        cut, device = members.cuts.get(fact.device), self.state.authors.get(fact.device)
        if cut is not None and cut != before and device is not None and not cut.spares(device.seq, device.id):
            raise CutBackError(members.cuts)
        return outcome

    def row(self, fact: RowSet | RowDropped, entry: Entry, author: Author, day: str) -> str:
        if fact.table in ("sites", "goods"):
            self.listed.clear()
        rows = self.state.rows
        if isinstance(fact, RowSet):
            odd = rows.set(fact, entry.id, author=author.key)
        else:
            odd = rows.drop(fact, entry.id, author=author.key)
        if odd:
            self.state.note("row", author.key, fact.table, date=day, entry=entry.id, detail=[odd])
            return "no such row"
        if fact.table == "stocks":
            self.opening(fact, entry, author, day)
        undo = ("row", entry.kind, dict(entry.body))
        self.state.effects.add(entry.id, Effect(self.state.count, self.state.books.booked, undo))
        return ""

    def opening(self, fact: RowSet | RowDropped, entry: Entry, author: Author, day: str) -> None:
        """Book a row of stocks as the count of its lot; where equal rows stand for one lot, as their sum."""
        site, good, expires = (fact.row.get(name, "").strip() for name in ("site", "good", "expires"))
        found = 0
        try:
            lot = expires or self.state.books.fresh_lot(good, days_after(day, -1) or day)
            if not _is_lot(lot):
                raise FactError(f"{lot!r:.40} is no date such as 2026-11-22")
            for kept in self.state.rows.table("stocks") if fact.copy > 1 else ():
                cells = kept.cells
                is_same = (cells["site"], cells["good"], cells.get("expires", "")) == (site, good, expires)
                if is_same and kept.date == fact.date and kept.copy != fact.copy:
                    found += thousandths(cells.get("quantity", ""))
            if isinstance(fact, RowSet):
                found += thousandths(fact.row.get("quantity", ""))
        except FactError as error:
            self.state.note("row", author.key, "stocks", date=day, entry=entry.id, detail=[str(error)])
            return
        self.place(site, good, entry, day)
        by = Counter(entry.id, self.state.count, author.number, author.seq)
        self.state.books.open_lot(day, site, good, lot, max(found, 0), by, is_more=fact.copy > 1)

    def counted(self, fact: StockCounted, entry: Entry, author: Author, day: str) -> str:
        self.place(fact.site, fact.good, entry, day)
        by = Counter(entry.id, self.state.count, author.number, author.seq)
        other = self.state.books.count(day, fact.site, fact.good, fact.lot, fact.quantity, by)
        key = ("two counts", fact.site, fact.good)
        if other is not None and other.found != fact.quantity and not author.had_seen(other.author, other.seq):
            both = [str(other.found), str(fact.quantity), self.state.authors.key(other.author), author.key]
            self.state.note(*key, date=day, entry=entry.id, detail=both)
        elif key in self.state.noted and fact.lot is None and day >= self.state.noted[key].last:
            del self.state.noted[key]
        undo = ("count", fact.site, fact.good)
        self.state.effects.add(entry.id, Effect(self.state.count, self.state.books.booked, undo))
        return ""

    def taken_in(self, fact: GoodsTakenIn, entry: Entry, author: Author, day: str) -> str:
        self.place(fact.site, fact.good, entry, day)
        self.state.books.put_in(day, fact.good, fact.lot, fact.quantity, fact.site, OUTSIDE, "taken in")
        return ""

    def handed_out(self, fact: GoodsHandedOut, entry: Entry, author: Author, day: str) -> str:
        self.place(fact.site, fact.good, entry, day)
        self.state.books.take_out(day, fact.good, fact.lot, fact.quantity, fact.site, CONSUMED, "handed out")
        return ""

    def lost(self, fact: GoodsLost, entry: Entry, author: Author, day: str) -> str:
        self.place(fact.site, fact.good, entry, day)
        why = "spoiled" if fact.cause == "spoiled" or (fact.lot and fact.lot < day) else "lost"
        self.state.books.take_out(day, fact.good, fact.lot, fact.quantity, fact.site, LOST, why)
        return ""

    def made(self, fact: GoodsMade, entry: Entry, author: Author, day: str) -> str:
        books = self.state.books
        for line in fact.lines:
            self.place(fact.site, line.good, entry, day)
            if line.quantity < 0:
                books.take_out(day, line.good, line.lot, -line.quantity, fact.site, MADE, "used")
        for line in fact.lines:
            if line.quantity > 0:
                books.put_in(day, line.good, line.lot, line.quantity, fact.site, MADE, "made")
        return ""

    def order(self, fact: OrderFact, entry: Entry, author: Author, day: str) -> str:
        order = entry.id if isinstance(fact, OrderIssued) else fact.order
        if isinstance(fact, OrderReceived):
            for line in fact.lines:
                self.place(fact.site, line.good, entry, day)
        elif isinstance(fact, OrderIssued):
            for line in fact.lines:
                self.place(fact.from_site, line.good, entry, day)
                self.place(fact.to_site, line.good, entry, day)
        if isinstance(fact, OrderCancelled) and order in self.state.letters.coming:
            self.state.note("order step", order, date=day, entry=entry.id, detail=["cancelled"])
            return "another network's order"
        self.hold_back(order, fact, entry, day)
        odd, before = self.state.orders.take(order, fact, entry, day=day)
        if odd:
            self.state.note("order step", order, date=day, entry=entry.id, detail=[odd])
        undo = ("order", order, before)
        self.state.effects.add(entry.id, Effect(self.state.count, self.state.books.booked, undo))
        return ""

    # Between networks

    def hold_back(self, order: str, fact: OrderFact, entry: Entry, day: str) -> None:
        """Remember what a device that is no steward's says of an order that may be another network's affair too."""
        if not isinstance(fact, OrderLoaded | OrderReceived):
            return
        grant = self.state.members.role(entry.author, day)
        if grant is not None and grant.role == "steward":
            return
        letters, known = self.state.letters, self.state.orders.get(order)
        way = None if known is None else known.issued
        is_abroad = (
            order in letters.going
            or way is None
            or (order not in letters.coming and bool(self.state.rows.cell("sites", "network", way.to_site)))
        )
        if isinstance(fact, OrderReceived):
            is_abroad = way is None or (order in letters.coming and way.to_site == fact.site)
        if is_abroad:
            letters.untold[entry.id] = order

    def passed_on(self, fact: ReportPassedOn, entry: Entry, author: Author, day: str) -> str:
        try:
            report, _ = open_passed_on(fact, self.state.network)
        except FactError as error:
            self.state.note("malformed", author.key, date=day, entry=entry.id, detail=[str(error)])
            return "malformed"
        self.state.letters.untold.pop(report.id, None)
        return ""

    def recognised(self, fact: NetworkRecognised, entry: Entry, author: Author, day: str) -> str:
        if fact.network == self.state.network:
            return "this network itself"
        self.state.letters.recognised[fact.network] = fact.name
        return ""

    def said(self, fact: JointSaid, entry: Entry, author: Author, day: str) -> str:
        self.state.letters.say(self.state.network, fact)
        return ""

    def promised(self, fact: ShipmentPromised, entry: Entry, author: Author, day: str) -> str:
        letters = self.state.letters
        if fact.order in letters.going:
            return "promised already"
        promise = Promise(shipment_of(self.state.network, fact.order), fact.network, fact.site)
        letters.promise(fact.order, promise)
        for kind, body, believed in letters.take_early(fact.network, promise.id):
            early = fact_of(kind, body)
            if isinstance(early, OrderReceived):  # Whoever is promised goods may say that it withdraws them, in vain.
                self.told_of_shipment(early, fact.network, entry, believed)
        return ""

    def withdrawn(self, fact: ShipmentWithdrawn, entry: Entry, author: Author, day: str) -> str:
        self.state.letters.withdrawn.add(fact.shipment)
        return ""

    def heard(self, fact: LetterHeard, entry: Entry, author: Author, day: str) -> str:
        try:
            letter, inner = open_letter(fact)
        except FactError as error:
            self.state.note("malformed", author.key, date=day, entry=entry.id, detail=[str(error)])
            return "malformed"
        odd = self.state.letters.take(letter, inner, own=self.state.network, day=day)
        if odd:
            return odd
        if isinstance(inner, ShipmentPromised) and inner.network == self.state.network:
            return self.announced(inner, letter, entry)
        if isinstance(inner, ReportPassedOn):
            return self.heard_passed_on(inner, letter, entry, author, day)
        if isinstance(inner, OrderLoaded | ShipmentWithdrawn | OrderReceived):
            return self.told_of_shipment(inner, letter.network, entry, self.state.dates.believed(inner.date))
        return ""

    def heard_passed_on(self, fact: ReportPassedOn, letter: Entry, entry: Entry, author: Author, day: str) -> str:
        """Another network's steward passed on what a device of its network loaded or received; it counts once."""
        letters = self.state.letters
        try:
            report, inner = open_passed_on(fact, letter.network)
        except FactError as error:
            self.state.note("malformed", author.key, date=day, entry=entry.id, detail=[str(error)])
            return "malformed"
        if report.id in letters.heard:
            return "heard already"
        letters.heard[report.id] = letter.network
        self.told_of_shipment(inner, letter.network, entry, self.state.dates.believed(inner.date))
        return ""

    def announced(self, fact: ShipmentPromised, letter: Entry, entry: Entry) -> str:
        """Another network promised us an order of its own; promised again it is the same one, and counts once."""
        letters = self.state.letters
        shipment, name = shipment_of(letter.network, fact.order), letters.recognised[letter.network]
        if shipment in letters.coming:
            return "promised already"
        letters.coming[shipment] = Coming(letter.network, fact.order)
        issued = OrderIssued(
            name, fact.site, name, 1, fact.departs, fact.arrives, fact.lines, fact.date, plan="promised"
        )
        self.state.orders.announce(shipment, issued, author=letter.author, entry=entry.id)
        for kind, body, believed in letters.take_early(letter.network, shipment):
            early = fact_of(kind, body)
            assert isinstance(early, OrderLoaded | ShipmentWithdrawn | OrderReceived)
            self.told_of_shipment(early, letter.network, entry, believed)
        return ""

    def told_of_shipment(
        self, fact: OrderLoaded | ShipmentWithdrawn | OrderReceived, network: str, entry: Entry, day: str
    ) -> str:
        """Another network loaded or withdrew what it promised us, or received what we promised it; return why that
        counts for nothing, or nothing.

        It may be heard, or stand in the fold, before the promise; then it counts once that is known.
        """
        letters = self.state.letters
        if isinstance(fact, OrderReceived):
            shipment = fact.order
            order = letters.order_of.get(shipment)
            is_known = order is not None and letters.going[order].network == network
        else:
            shipment = shipment_of(network, fact.order) if isinstance(fact, OrderLoaded) else fact.shipment
            is_known = shipment in letters.coming and letters.coming[shipment].network == network
        if not is_known:
            letters.keep_early(network, shipment, [fact.KIND, body_of(fact), day])
        elif not letters.has_room(shipment):
            return "told too often"
        elif isinstance(fact, OrderReceived):
            return self.handed_over(fact, entry, day)
        elif isinstance(fact, OrderLoaded):
            coming = letters.coming[shipment]
            self.state.orders.sent(shipment, fact.lines, entry=entry.id, day=day, is_more=coming.is_sent)
            letters.coming[shipment] = coming._replace(is_sent=True)
        else:
            self.state.orders.withdraw(shipment, entry=entry.id, day=day)
        return ""

    def handed_over(self, fact: OrderReceived, entry: Entry, day: str) -> str:
        """Another network received what we promised it: our order is done, and the goods are theirs.

        A receipt for any other place than was promised counts for nothing: it would move lots there, also of ours.
        """
        order = self.state.letters.order_of[fact.order]
        if self.state.letters.going[order].site != fact.site:
            return "received at another place"
        receipt = OrderReceived(order, fact.site, fact.lines, fact.date, fact.more_to_come)
        self.state.orders.take(order, receipt, entry, day=day)
        for line in fact.lines:
            self.state.books.take_out(day, line.good, line.lot, line.quantity, fact.site, OUTSIDE, "handed over")
        return ""

    def noted(self, fact: NoteWritten, entry: Entry, author: Author, day: str) -> str:
        for id in fact.settles:
            self.state.settled[id] = entry.id
        if fact.settles:
            self.state.effects.add(entry.id, Effect(self.state.count, (), ("note", list(fact.settles))))
        return ""

    def answered(self, fact: AlarmAnswered, entry: Entry, author: Author, day: str) -> str:
        self.state.answers.add(fact.alarm, answer_of(fact, entry.id, author.key, day))
        undo = ("answer", fact.alarm)
        self.state.effects.add(entry.id, Effect(self.state.count, (), undo))
        return ""

    def reversed(self, fact: EntryReversed, entry: Entry, author: Author, day: str) -> str:
        effect = self.state.effects.get(fact.entry)
        if effect is not None and effect.is_undone:
            return "undone already"
        odd = "nothing that can be undone is known of it" if effect is None else self._undo(effect, fact, entry)
        if effect is None or odd:
            self.state.note("undo", fact.entry, date=day, entry=entry.id, detail=[odd])
            return "not undone"
        counted = self._counted(effect)
        self.state.books.reverse(effect.moves, day, number=effect.number, counted=counted)
        self.state.effects.mark_undone(fact.entry)
        undo = ("undo",) if effect.undo else ()
        self.state.effects.add(entry.id, Effect(self.state.count, self.state.books.booked, undo))
        return ""

    def _counted(self, effect: Effect) -> tuple[str, str] | None:
        """Return the site and good that an entry counted, by itself or as a row of stocks; None if it did not."""
        if effect.undo and effect.undo[0] == "count":
            return effect.undo[1], effect.undo[2]
        if effect.undo and effect.undo[0] == "row" and effect.undo[2]["table"] == "stocks":
            row = effect.undo[2]["row"]
            return row.get("site", "").strip(), row.get("good", "").strip()
        return None

    def _undo(self, effect: Effect, fact: EntryReversed, entry: Entry) -> str:
        """Undo what an entry did apart from its movements; return why that could not be done, or nothing."""
        if not effect.undo:
            return ""
        what, *rest = effect.undo
        if what == "row":
            row = fact_of(*rest)
            assert isinstance(row, RowSet | RowDropped)
            self.listed.clear()
            return self.state.rows.undo(row, fact.entry)
        if what == "order":
            order, before = rest
            is_done = self.state.orders.undo(order, Before(*before), entry=fact.entry, by=entry.id)
            if is_done:
                self.state.letters.untold.pop(fact.entry, None)
            return "" if is_done else "it is not the last step of its order; undo the later ones first"
        if what == "count":
            return ""
        if what == "note":
            for id in rest[0]:
                if self.state.settled.get(id) == fact.entry:
                    del self.state.settled[id]
            return ""
        if what == "answer":
            self.state.answers.remove(rest[0], fact.entry)
            return ""
        return "an undo of a count, a row, an order, a note or an answer is not undone itself; write what should stand"


def _is_lot(text: str) -> bool:
    """Return whether a text names a lot: a date in full, or nothing; books have no other names for one."""
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
