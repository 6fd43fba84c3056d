"""Networks that recognise each other and send each other goods, told by letters that any carrier may lose or mix up.

In each a few devices, all of them stewards, write orders to places of the others, promise, load, receive and cancel;
devices are parted, wiped, and come back from old backups with fresh keys. In a third of the schedules one more network
is recognised, whose steward is hostile (`sim_hostile`). What must hold in the end is in `check`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import combinations, permutations
from random import Random
from unittest.mock import patch

from sim_carrier import Carrier, CrashingStore, Faults, Lost
from sim_hostile import BOUNDS, Hostile, Target, apart_from, without

from abasto.cycle import go_on
from abasto.errors import AbastoError, JournalError, SyncError
from abasto.facts.kinds import (
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    Line,
    NetworkRecognised,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    ShipmentPromised,
    ShipmentWithdrawn,
    StockCounted,
    fact_of,
)
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, read_entry
from abasto.journal.store import Verified, place_of
from abasto.letters import answering_for, exchange, exported, heard, post
from abasto.state.abroad import others, shipments
from abasto.state.deciding import cut_of
from abasto.state.encode import encode
from abasto.state.exceptions import exceptions
from abasto.state.figures import figures
from abasto.state.fold import Told, fold, fold_anew
from abasto.state.letters import open_letter, shipment_of
from abasto.state.permits import refuse_forbidden
from abasto.state.state import State
from abasto.sync.exchange import Answerer, pull, push, sync

__all__ = ["Desk", "Span", "Town", "Towns", "live_towns"]

TODAY = date(2027, 3, 1)
DAY, TOMORROW = TODAY.isoformat(), (TODAY + timedelta(days=1)).isoformat()
STOCK = 900_000
FLOUR = "flour"


@dataclass(frozen=True, slots=True)
class Span:
    """How many networks there are, how many devices each has, and how many steps they live: fewest and most."""

    towns: tuple[int, int] = (2, 3)
    desks: tuple[int, int] = (2, 3)
    steps: tuple[int, int] = (30, 70)


@dataclass(eq=False, slots=True)
class Desk:
    """A device of a network, its disk, and one backup of it, which may be old."""

    store: CrashingStore
    journal: Journal
    backup: list[Verified] = field(default_factory=list)

    @property
    def key(self) -> str:
        assert self.journal.device is not None
        return self.journal.device.key

    @property
    def is_steward(self) -> bool:
        """Whether it may speak for its network, as far as it knows."""
        grant = read(self.journal).members.role(self.key, DAY)
        return grant is not None and grant.role == "steward"


@dataclass(eq=False, slots=True)
class Town:
    """A network: its name, which is also part of the names of its places, and its devices."""

    name: str
    desks: list[Desk]
    lost: set[str] = field(default_factory=set)
    """Keys of devices that are gone."""

    @property
    def id(self) -> str:
        return self.desks[0].journal.network

    @property
    def store(self) -> str:
        """The place from which its goods leave."""
        return f"Store of {self.name}"

    @property
    def market(self) -> str:
        """The place to which others send."""
        return f"Market of {self.name}"

    def keys(self) -> list[str]:
        """Return the keys of its devices."""
        return [desk.key for desk in self.desks]


_READ: dict[int, tuple[CrashingStore, int, State]] = {}


def read(journal: Journal) -> State:
    """Return what a journal comes to; goes on from what was read before where what came since stands after that."""
    store = journal.store
    known = _READ.get(id(store))
    if known is None or known[0] is not store:
        state = fold_anew(journal.read)
    elif known[1] == store.count():
        return known[2]
    elif known[2].place is not None and all(place_of(one.entry) > known[2].place for one in store.arrived[known[1] :]):
        state = go_on(journal, known[2])
    else:
        state = fold_anew(journal.read)
    _READ[id(store)] = (store, store.count(), state)
    return state


class Towns:
    """All networks, and the carriers between them and within them."""

    def __init__(self, seed: int, span: Span, *, has_hostile: bool) -> None:
        self.random = Random(seed)
        self.seen: Counter[str] = Counter()
        self._carrier = Carrier(self.random, Faults.drawn(self.random))
        self._keys = 0
        self._depth = 0
        self._apart: set[int] = set()
        self._sticks: list[list[Signed]] = []
        self._ordered: dict[str, tuple[str, str]] = {}
        """Of each order the network, and the device that wrote it."""
        self._left: dict[str, int] = {}
        """What was put on a vehicle, by order: once, whatever becomes of the report about it."""
        self._left_by: dict[str, str] = {}
        """Which device reported that an order left, or does not leave."""
        self._arrived: dict[str, str] = {}
        """Which device reported that an order arrived."""
        threshold = self.random.choice((1, 1, 2))
        self.towns = [
            self._founded(name, threshold, self.random.randint(*span.desks))
            for name in _names(self.random.randint(*span.towns))
        ]
        self.hostile = self._hostile(seed) if has_hostile else None
        for town in self.towns:
            others = self._others(town)
            facts: list[Fact] = [RowSet("goods", {"good": FLOUR}, DAY), RowSet("sites", {"site": town.store}, DAY)]
            facts += [RowSet("sites", {"site": town.market}, DAY), StockCounted(town.store, FLOUR, STOCK, DAY)]
            facts += [RowSet("sites", {"site": one.market, "network": one.name}, DAY) for one in others]
            facts += [NetworkRecognised(one.id, one.name, DAY) for one in others]
            town.desks[0].journal.append(facts, time=0)
            self._meet_at_home(town)
        self._steps = self.random.randint(*span.steps)
        if self.hostile is not None:
            self._steps += self._steps // 2  # So many of them are its own.

    def live(self) -> None:
        """Let everything happen."""
        for _ in range(self._steps):
            self._step()

    def heal(self) -> None:
        """Take all faults away and let everybody exchange until nothing new comes."""
        self._apart = set()
        for town in self.towns:
            for desk in town.desks * 2:
                self._meet_at_home(town)
                self._let_in(town, desk)
            self._meet_at_home(town)
        for _ in range(8):
            before = [desk.store.count() for town in self.towns for desk in town.desks]
            for town, other in combinations(self.towns, 2):
                one, peer = town.desks[0], self.random.choice(other.desks)
                exchange(one.journal, _answer(one, peer), other.id, TODAY, read=read)
            for town in self.towns:
                self._meet_at_home(town)
            if before == [desk.store.count() for town in self.towns for desk in town.desks]:
                return
        raise AssertionError("they still had something new for each other after all of these rounds")

    def bring_all(self) -> None:
        """Let all vehicles arrive that have left, and most others leave and arrive."""
        for town in self.towns:
            for _ in self._open(town, town.desks[0]):
                self._load(town, town.desks[0])
        self.heal()
        for town in self.towns:
            while self._receive(town, town.desks[0]):
                pass

    def check(self) -> None:
        """Hold to what must be: at home all hold the same, and what one network promised another one expects once."""
        for town in self.towns:
            digests = {encode(read(desk.journal)) for desk in town.desks}
            digests.add(encode(fold_anew(town.desks[0].journal.read)))
            assert len(digests) == 1, f"the devices of {town.name} differ"
            state = read(town.desks[0].journal)
            assert state.books.unbalanced() == {}
        for town in self.towns:
            for other in self.towns:
                if other is not town:
                    self._check_between(town, other)
            self._check_stock(town)
            if self.hostile is not None:
                self._check_apart_from(self.hostile, town)

    def _check_between(self, town: Town, other: Town) -> None:
        """Hold what `town` promised against what `other` expects of it."""
        here, there = read(town.desks[0].journal), read(other.desks[0].journal)
        expected = Counter(one.order for one in there.letters.coming.values() if one.network == town.id)
        double = [order for order, times in expected.items() if times > 1]
        assert not double, f"{other.name} expects {double} of {town.name} twice"
        promised = {order for order, one in here.letters.going.items() if one.network == other.id}
        missing = promised - set(expected)
        assert not missing, f"{other.name} never heard of {missing}, which {town.name} promised"
        self.seen["promised"] += len(promised)
        for id, one in there.letters.coming.items():
            if one.network != town.id:
                continue
            order = here.orders.get(one.order)
            if one.order not in promised or order is None or order.issued is None:
                # A lie, or the order or the promise was on one disk only, and that is gone.
                network, by = self._by(one.order)
                is_lost = by in town.lost or there.orders[id].author in town.lost
                assert network != town.id or is_lost, f"{town.name} knows nothing of {one.order}"
                self.seen["lie" if network != town.id else "orphan"] += 1
                continue
            self._check_shipment(here, there, id, one.order, lost=town.lost | other.lost)

    def _check_shipment(self, here: State, there: State, shipment: str, order: str, *, lost: set[str]) -> None:
        """Hold an order against the shipment that it is in the other network."""
        sent, got = here.orders[order], there.orders[shipment]
        loaded = sum(line.quantity for line in sent.loaded)
        received = sum(line.quantity for line in got.received)
        assert sent.issued is not None
        promised = sum(line.quantity for line in sent.issued.lines)
        way = sum(there.books.on_the_way(shipment).values())
        self.seen[f"{got.status}"] += 1
        if got.status == "received":
            assert (way, sent.status) == (0, "received"), f"{shipment} came, and {order} is {sent.status}, {way} left"
            assert sum(line.quantity for line in sent.received) == received
        elif sent.status == "received":
            # Told abroad, and then the only device that knew of it was lost; so too below.
            assert self._arrived[order] in lost
            self.seen["lost report"] += 1
        elif sent.status == "issued" and self._left_by.get(order) in lost:
            self.seen["lost report"] += 1
        elif sent.status == "cancelled":
            assert (got.status, way) == ("cancelled", 0), f"{order} was cancelled, and {shipment} is {got.status}"
        else:
            assert way == (loaded or promised) - received, f"of {shipment} {way} is on the way"
            assert sent.status in ("issued", "loaded"), sent.status

    def _check_apart_from(self, hostile: Hostile, town: Town) -> None:
        """Hold to it that a hostile network changed nothing but what it has a part in, and cost no more than it may."""
        journal = town.desks[0].journal
        state = read(journal)
        letters = state.letters
        shared = {id for id, one in letters.coming.items() if one.network == hostile.id}
        shared |= {id for id, one in letters.going.items() if one.network == hostile.id}
        worlds = (state, without(journal, hostile.id))
        with_it, without_it = (apart_from(journal, one, hostile.id, hostile.market, shared) for one in worlds)
        for what, said in without_it.items():
            assert with_it[what] == said, f"{hostile.name} changed {what} of {town.name}"
        for other in self.towns:
            there = read(other.desks[0].journal).letters.said.get(other.id, {}).get(DAY, ())
            assert {*there} <= {*letters.said.get(other.id, {}).get(DAY, ())}, f"{town.name} did not hear {other.name}"
        for one, peer in permutations(town.desks, 2):
            assert _is_answered_in_full(one, peer), f"members of {town.name} are kept apart"
        exceptions(state), figures(state, TODAY), others(state), list(shipments(state))  # None of them fails.
        hostile.check_bounds(state)
        self.seen["shared"] += len(shared)

    def _from(self, town: Town, state: State) -> set[str]:
        """Return the orders from a network's store."""
        return {id for id, one in state.orders.items() if one.issued is not None and one.issued.from_site == town.store}

    def _check_stock(self, town: Town) -> None:
        """Hold the books against plain sums over the reports that count."""
        desk = town.desks[0]
        state = read(desk.journal)
        applied = _applied(desk, state)
        loads = [fact for fact in applied if isinstance(fact, OrderLoaded) and fact.order in self._from(town, state)]
        receipts = [fact for fact in applied if isinstance(fact, OrderReceived) and fact.site == town.market]
        loaded, received = (sum(line.quantity for fact in facts for line in fact.lines) for facts in (loads, receipts))
        assert sum(state.books.balance(town.store, FLOUR).values()) == STOCK - loaded
        assert sum(state.books.balance(town.market, FLOUR).values()) == received
        for other in self._others(town):
            assert sum(state.books.balance(other.market, FLOUR).values()) == 0

    # What happens

    def _step(self) -> None:
        if self.hostile is not None and self.random.random() < 0.3:
            self._suffer(self.hostile)
            return
        happening = self.random.random()
        town = self.random.choice(self.towns)
        desk = self.random.choice(town.desks)
        act: tuple[Callable[[Town, Desk], None], ...]
        if happening < 0.4:
            act = (*3 * (self._order,), *3 * (self._load,), *3 * (self._receive,), self._cancel, self._meddle)
        elif happening < 0.53:
            act = (self._exchange_at_home,)
        elif happening < 0.77:
            act = (self._exchange,)
        elif happening < 0.87:
            act = (self._write_stick, self._read_stick, self._read_stick)
        elif happening < 0.9:
            act = (self._deliver_late,)
        else:
            act = (self._part, self._wipe, self._back_up, self._restore, self._let_in, self._let_in)
        self.random.choice(act)(town, desk)

    def _say(self, desk: Desk, *facts: Fact) -> list[str]:
        """Let a device sign what it may, as its commands do; return the ids of what it signed and kept."""
        before = desk.store.count()
        with contextlib.suppress(AbastoError):  # Who stops before it could acknowledge may have kept it all the same.
            refuse_forbidden(read(desk.journal), facts, desk.key)
            desk.journal.append(facts, time=0)
        return [one.entry.id for one in desk.store.arrived[before:]]

    def _order(self, town: Town, desk: Desk) -> None:
        """Let the first device, which alone orders from the store, send something that is not ordered away yet."""
        desk = town.desks[0]
        state = read(desk.journal)
        free = sum(state.books.balance(town.store, FLOUR).values())
        open_ = [one.issued for one in state.orders.open() if one.issued is not None and not one.loaded]
        free -= sum(line.quantity for one in open_ if one.from_site == town.store for line in one.lines)
        quantity = self.random.randrange(1, 100) * 1000
        other = self.random.choice(self._others(town))
        lines = (Line(FLOUR, quantity),)
        order = OrderIssued(town.store, other.market, "carts", 1, DAY, TOMORROW, lines, DAY)
        if quantity <= free:
            for id in self._say(desk, order):
                self._ordered[id] = (town.id, desk.key)
                self.seen["ordered"] += 1

    def _load(self, town: Town, desk: Desk) -> None:
        """Load an order, or less of it."""
        for one in self._open(town, desk):
            if one.id in self._left or one.issued is None:
                continue
            [line] = one.issued.lines
            quantity = self.random.choice((line.quantity, line.quantity, line.quantity // 2))
            if self._say(desk, OrderLoaded(one.id, (Line(FLOUR, quantity),), DAY)):
                self._left[one.id], self._left_by[one.id] = quantity, desk.key
                self.seen["load"] += 1
            return

    def _cancel(self, town: Town, desk: Desk) -> None:
        for one in self._open(town, desk):
            if one.id not in self._left and self._say(desk, OrderCancelled(one.id, DAY, "the road is closed")):
                self._left[one.id], self._left_by[one.id] = 0, desk.key
                self.seen["cancel"] += 1
                return

    def _open(self, town: Town, desk: Desk) -> Sequence:  # type: ignore[type-arg]
        found = [one for one in read(desk.journal).orders.open() if one.issued and one.issued.from_site == town.store]
        self.random.shuffle(found)
        return found

    def _receive(self, town: Town, desk: Desk) -> bool:
        """Receive one of those shipments that left for here; return whether there was one."""
        state = read(desk.journal)
        for shipment, one in sorted(state.letters.coming.items()):
            left = self._left.get(one.order, 0)
            is_true = self._by(one.order)[0] == one.network
            if not left or not is_true or one.order in self._arrived or state.orders[shipment].status == "cancelled":
                continue
            lines = (Line(FLOUR, left),)
            if self._say(desk, OrderReceived(shipment, town.market, lines, TOMORROW)):
                self._arrived[one.order] = desk.key
                self.seen["receive"] += 1
                return True
        return False

    def _meddle(self, town: Town, desk: Desk) -> None:
        """Let a steward say things about a shipment between two other networks, which are none of its affair."""
        networks = {one.id for one in self.towns}
        found = [open_letter(fact) for fact in _heard_facts(desk)]
        theirs = [
            (entry, fact)
            for entry, fact in found
            if isinstance(fact, ShipmentPromised)
            and fact.network != town.id
            and self._by(fact.order)[0] != town.id
            and entry.network in networks
        ]
        if not theirs:
            return
        entry, fact = self.random.choice(theirs)
        shipment = shipment_of(entry.network, fact.order)
        lie: Fact = self.random.choice(
            (
                ShipmentWithdrawn(shipment, DAY, "a lie"),
                OrderReceived(shipment, "Elsewhere", fact.lines, DAY),
                OrderLoaded(fact.order, (Line(FLOUR, 1),), DAY),
                ShipmentPromised(fact.network, fact.order, fact.site, DAY, TOMORROW, fact.lines, DAY),
            )
        )
        if self._say(desk, lie):
            self.seen["meddle"] += 1

    def _suffer(self, hostile: Hostile) -> None:
        """Let a hostile network learn what somebody tells, do its worst, and bring that to somebody, in some way."""
        told = self.random.choice(self.random.choice(self.towns).desks)
        hostile.hear(list(exported(told.journal, read(told.journal)).store.export()))
        self.seen[f"attack: {hostile.attack()}"] += 1
        self._plan()
        town = self.random.choice(self.towns)
        desk = self.random.choice(town.desks)
        self.random.choice((self._hear_hostile, self._hear_hostile, self._ask_hostile, self._answer_hostile))(
            hostile, town, desk
        )

    def _plan(self) -> None:
        """Let somebody honest say something on the way to a joint plan."""
        town = self.random.choice(self.towns)
        known = read(town.desks[0].journal).letters.said.get(town.id, {}).get(DAY, ())
        if len(known) < BOUNDS["MOST_SAID"] // 2:
            self._say(town.desks[0], JointSaid(DAY, str(len(known)), DAY))

    def _hear_hostile(self, hostile: Hostile, town: Town, desk: Desk) -> None:
        """Read a stick of a hostile network, which may go on to others."""
        letters = hostile.brought()
        self._sticks.append(letters)
        self._hear(desk, letters)

    def _ask_hostile(self, hostile: Hostile, town: Town, desk: Desk) -> None:
        """Exchange letters with a hostile network that answers."""
        answer = Answerer(hostile.outbox()).answer
        self._try(lambda ask: exchange(desk.journal, ask, hostile.id, TODAY, read=read), desk, desk, answer, town, town)

    def _answer_hostile(self, hostile: Hostile, town: Town, desk: Desk) -> None:
        """Answer a hostile network that gives what it has and asks for all there is, also in another one's name."""
        outbox = hostile.outbox()
        if self.random.random() < 0.3:
            outbox = Journal(MemoryStore())
            outbox.receive([one for one in hostile.letters if town.id.encode() in one.raw])
        answer = answering_for(desk.journal, read=read, today=lambda: TODAY, now=lambda: 0.0)(hostile.key)
        self._try(lambda ask: sync(outbox, ask), desk, desk, answer, town, town)

    def _exchange_at_home(self, town: Town, desk: Desk) -> None:
        one, other = self.random.sample(town.desks, 2)
        how = self.random.choice((pull, push, sync))
        self._try(lambda ask: how(one.journal, ask), one, other, Answerer(other.journal).answer, town, town)

    def _exchange(self, town: Town, desk: Desk) -> None:
        """Let a device exchange letters with one of another network."""
        other = self.random.choice([one for one in self.towns if one is not town])
        peer = self.random.choice(other.desks)

        def run(ask: Callable[[bytes], bytes]) -> object:
            return exchange(desk.journal, ask, other.id, TODAY, read=read)

        self._try(run, desk, peer, _answer(desk, peer), town, other)

    def _try(
        self,
        run: Callable[[Callable[[bytes], bytes]], object],
        one: Desk,
        other: Desk,
        answer: Callable[[bytes], bytes],
        town: Town,
        place: Town,
    ) -> None:
        """Let a device exchange with another; whatever breaks off is left at that."""
        apart = [(self.towns.index(where), where.desks.index(desk)) for where, desk in ((town, one), (place, other))]
        if sum(hash(where) % 2 for where in apart) == 1 and self._apart:
            self.seen["unreachable"] += 1
            return

        def ask(request: bytes) -> bytes:
            return self._carrier.ask(answer, request, stores=(one.store, other.store), meanwhile=self._meanwhile)

        try:
            run(ask)
            self.seen["exchange"] += 1
        except (Lost, SyncError, JournalError) as error:
            self.seen[type(error).__name__] += 1
        finally:
            one.store.crash = other.store.crash = None

    def _meanwhile(self) -> None:
        if self._depth < 1:
            self._depth += 1
            try:
                self._step()
            finally:
                self._depth -= 1

    def _write_stick(self, town: Town, desk: Desk) -> None:
        """Put all that others may see on a stick."""
        self._sticks.append(list(post(desk.journal, TODAY, read=read).store.export()))
        self.seen["stick"] += 1

    def _read_stick(self, town: Town, desk: Desk) -> None:
        """Hear a stick, old or new, in any order, with letters missing and letters twice."""
        if not self._sticks:
            return
        letters = list(self.random.choice(self._sticks))
        if self.random.random() < 0.5:
            letters = [one for one in [*letters, *letters[:3]] if self.random.random() < 0.8]
            self.random.shuffle(letters)
        self._hear(desk, letters)
        self.seen["stick read"] += 1

    def _hear(self, desk: Desk, letters: Sequence[Signed]) -> None:
        facts, _ = heard(read(desk.journal), letters, TODAY)
        if facts:
            desk.journal.append(facts, time=0)

    def _deliver_late(self, town: Town, desk: Desk) -> None:
        with contextlib.suppress(AbastoError):
            self._carrier.deliver_late()

    def _part(self, town: Town, desk: Desk) -> None:
        self._apart = set() if self._apart else {1}
        self.seen["partition"] += 1

    def _back_up(self, town: Town, desk: Desk) -> None:
        desk.backup = _everything(desk)
        self.seen["backup"] += 1

    def _wipe(self, town: Town, desk: Desk) -> None:
        """Take all from a device; it joins again from another one's journal, with a fresh key."""
        self._replace(town, desk, [], "wipe")

    def _restore(self, town: Town, desk: Desk) -> None:
        """Put a device back to its last backup, however old; it goes on with a fresh key."""
        self._replace(town, desk, desk.backup, "restore")

    def _replace(self, town: Town, desk: Desk, entries: list[Verified], what: str) -> None:
        others = [one for one in town.desks if one is not desk]
        threshold = read(desk.journal).members.threshold
        if sum(one.is_steward for one in others) < threshold:
            return  # Else nobody could let it in again.
        town.lost.add(desk.key)
        fresh = self._fresh()
        fresh.store.add(entries or _everything(self.random.choice(others)))
        fresh.backup = desk.backup
        town.desks[town.desks.index(desk)] = fresh
        self.seen[what] += 1

    def _let_in(self, town: Town, desk: Desk) -> None:
        """Let a steward endorse devices that came back with fresh keys, and cut off the keys that are gone."""
        if not desk.is_steward:
            return
        state = read(desk.journal)
        facts: list[Fact] = []
        for one in town.desks:
            grant = state.members.grants.get(one.key)
            if grant is None:
                facts.append(DeviceEndorsed(one.key, "steward", DAY))
        for key in sorted(town.lost & set(state.members.grants) - set(state.members.cuts)):
            if self.random.random() < 0.7:
                facts.append(cut_of(desk.journal, state, key, after=None, day=DAY, reason="lost"))
        if facts and self._say(desk, *facts):
            self.seen["let in"] += sum(isinstance(one, DeviceEndorsed) for one in facts)
            self.seen["cut"] += sum(isinstance(one, DeviceCut) for one in facts)

    # Small things

    def _others(self, town: Town) -> list[Town | Hostile]:
        """Return all other networks that a network recognises."""
        others: list[Town | Hostile] = [other for other in self.towns if other is not town]
        return others if self.hostile is None else [*others, self.hostile]

    def _by(self, order: str) -> tuple[str, str]:
        """Return the network and the device that wrote an order; blanks for one that nobody wrote."""
        return self._ordered.get(order, ("", ""))

    def _hostile(self, seed: int) -> Hostile:
        """Return a network that does harm to all others, and calls some of their stewards its own from the first."""
        hostile = Hostile(seed, [town.desks[-1].key for town in self.towns if self.random.random() < 0.3])
        for town in self.towns:
            hostile.targets.append(Target(town.name, town.id, town.market, town.store, town.keys))
        return hostile

    def _founded(self, name: str, threshold: int, size: int) -> Town:
        desks = [self._fresh() for _ in range(size)]
        keys = [desk.key for desk in desks]
        desks[0].journal.found(name, date=DAY, time=0, stewards=keys, threshold=threshold, is_open=False)
        town = Town(name, desks)
        self._meet_at_home(town)
        return town

    def _meet_at_home(self, town: Town) -> None:
        """Give all devices of a network what any of them has; how devices exchange is looked at elsewhere."""
        everything = [one for desk in town.desks for one in _everything(desk)]
        for desk in town.desks:
            desk.store.add(everything)

    def _fresh(self) -> Desk:
        self._keys += 1
        store = CrashingStore()
        return Desk(store, Journal(store, Device(self._keys.to_bytes(32, "big"))))


def live_towns(seed: int, span: Span = Span()) -> Counter[str]:
    """Live one schedule, heal and check; return how often what happened."""
    # Each device looks at each signature; here it is computed once for all of them.
    once = lru_cache(maxsize=None)(read_entry)
    has_hostile = seed % 3 == 1
    with contextlib.ExitStack() as patched:
        for where in ("abasto.state.letters.read_entry", "abasto.letters.post.read_entry"):
            patched.enter_context(patch(where, once))
        for what, most in BOUNDS.items() if has_hostile else ():
            patched.enter_context(patch(f"abasto.state.letters.{what}", most))
        towns = Towns(seed, span, has_hostile=has_hostile)
        towns.live()
        towns.heal()
        towns.check()
        if seed % 3 == 0:
            towns.bring_all()
            towns.heal()
            towns.check()
    _READ.clear()
    return towns.seen


def _names(number: int) -> list[str]:
    return [*("Hills", "Vale", "Coast"), *(f"Town {more}" for more in range(4, number + 1))][:number]


def _applied(desk: Desk, state: State) -> list[Fact]:
    """Return the facts of a network's own devices that count."""
    told: list[Told] = []
    # With the cuts that are known, nothing is taken back on the way.
    fold(iter(list(desk.journal.read())), State(state.members.cuts), listen=told.append)
    return [one.fact for one in told if one.fact is not None and not one.outcome]


def _heard_facts(desk: Desk) -> list[LetterHeard]:
    facts = [fact_of(one.entry.kind, one.entry.body) for one in desk.store.arrived]
    return [fact for fact in facts if isinstance(fact, LetterHeard)]


def _answer(one: Desk, other: Desk) -> Callable[[bytes], bytes]:
    """Return what answers for a device, when another one asks that proved its key."""
    return answering_for(other.journal, read=read, today=lambda: TODAY, now=lambda: 0.0)(one.key)


def _is_answered_in_full(one: Desk, other: Desk) -> bool:
    """Return whether two devices that hold the same find that out from each other."""
    try:
        return sync(one.journal, _answer(one, other)).is_identical
    except SyncError:
        return False


def _everything(desk: Desk) -> list[Verified]:
    return list(desk.store.arrived)
