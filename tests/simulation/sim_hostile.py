"""A network that others recognise and whose stewards do it harm: whatever one can sign, it signs.

It hears what the others tell each other, and says in letters what it likes: of shipments, of who decides, of joint
plans, in its own name and in theirs. What it may reach is what it has a part in; `apart_from` is all the rest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random
from typing import Any
from unittest.mock import patch

from abasto.facts.kinds import (
    MOST,
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    Line,
    NetworkFounded,
    NetworkRecognised,
    OrderCancelled,
    OrderLoaded,
    OrderReceived,
    RowSet,
    ShipmentPromised,
    ShipmentWithdrawn,
    StockCounted,
    body_of,
    fact_of,
)
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, Device, make_entry, read_entry
from abasto.journal.store import Verified
from abasto.state.encode import encode
from abasto.state.fold import _Fold, fold_anew
from abasto.state.letters import KEPT_SESSIONS, open_letter, sealed_letter, shipment_of
from abasto.state.state import State

__all__ = ["ATTACKS", "BOUNDS", "Hostile", "Target", "apart_from", "without"]

BOUNDS = {"MOST_HEARD": 120, "MOST_DECIDING": 30, "KEPT_EARLY": 8, "MOST_TOLD": 8, "MOST_SAID": 8}
"""So small that a flood reaches them, and larger than what anybody honest says in one schedule."""
DAYS = ("2027-03-01", "2027-03-02", "2027-02-01", "0001-01-01", "9999-12-31")
ATTACKS = (
    *3 * ("promise", "load", "withdraw", "receive"),
    *2 * ("endorse", "in their name", "plan falsely"),
    *("cut", "found again", "recognise", "flood", "fork", "leap", "break form", "pass on"),
)
"""What it does, as often as it stands here."""
GOODS = ("flour", "flour", "gold")


class Target:
    """What the hostile network knows of another one: its name, its id, its places, and the keys of its devices."""

    def __init__(self, name: str, id: str, market: str, store: str, keys: Callable[[], Sequence[str]]) -> None:
        self.name, self.id, self.market, self.store, self.keys = name, id, market, store, keys


class Hostile:
    """Its steward's key, all that it has signed, and what it has heard of its `targets`."""

    name = "Harbour"
    market = "Market of Harbour"

    def __init__(self, seed: int, stewards: Sequence[str]) -> None:
        self.random = Random(f"hostile {seed}")
        self.device, self._other = Device(b"\xff" * 32), Device(b"\xfe" * 32)
        self.targets: list[Target] = []
        self.letters: list[Signed] = []
        self._promises: list[tuple[str, ShipmentPromised]] = []
        self._seq, self._prev, self._lc = 0, NOTHING, 0
        self.id = self._sign(NetworkFounded(self.name, (self.device.key, *stewards), 1, date=DAYS[0])).entry.id

    @property
    def key(self) -> str:
        """The key of the steward by which it speaks."""
        return self.device.key

    def outbox(self) -> Journal:
        """Return a journal of all that is an entry of its network, to answer or to give from."""
        made = Journal(MemoryStore())
        made.receive(self.letters)
        return made

    def hear(self, letters: Sequence[Signed]) -> None:
        """Learn what another network tells."""
        for signed in letters:
            entry = read_entry(signed).entry
            fact = fact_of(entry.kind, entry.body)
            if isinstance(fact, ShipmentPromised):
                self._promises.append((entry.network, fact))

    def attack(self) -> str:
        """Sign something that does harm; return what it is called."""
        attack = self.random.choice(ATTACKS)
        getattr(self, attack.replace(" ", "_"))()
        return attack

    def brought(self) -> list[Signed]:
        """Return letters as it gives them to somebody: the newest or all, old ones again, in whatever order."""
        latest = self.letters[-self.random.randint(1, 20) :]
        brought = self.random.choice((latest, latest * 2, list(self.letters), [self.letters[0], *latest]))
        if self.random.random() < 0.5:
            self.random.shuffle(brought)
        return brought

    def check_bounds(self, state: State) -> None:
        """Hold to it that so much counts of what it says, and no more, however much that is."""
        letters = state.letters
        early = [told for shipment, told in letters.early.items() if shipment.startswith(self.id)]
        sessions = letters.said.get(self.id, {}).values()
        assert letters.many[self.id] <= BOUNDS["MOST_HEARD"]
        assert len(letters.deciding.get(self.id, ())) <= BOUNDS["MOST_DECIDING"]
        assert len(early) <= BOUNDS["KEPT_EARLY"]
        assert all(len(told) <= BOUNDS["MOST_TOLD"] for told in early)
        assert len(sessions) <= KEPT_SESSIONS
        assert all(len(messages) <= BOUNDS["MOST_SAID"] for messages in sessions)
        for shipment, one in letters.coming.items():
            if one.network == self.id:
                steps = {*state.orders[shipment].history}
                assert len(steps) <= 1 + BOUNDS["MOST_TOLD"], f"{shipment} took {len(steps)} steps"

    # What it does

    def promise(self) -> None:
        """Promise what is not its own, or comes not, anywhere; now and then twice, and not the same."""
        for _ in range(self.random.choice((1, 1, 2))):
            network = self._target().id if self.random.random() < 0.8 else self.random.choice((self.id, "", "x"))
            days = self._day(), self._day()
            self._sign(ShipmentPromised(network, self._order(), self._site(), *days, self._lines(), self._day()))

    def load(self) -> None:
        """Say that something was loaded for an order of its own, or of somebody else; now and then without end."""
        order = self._order()
        for _ in range(self.random.choice((1, 1, 1, 15))):
            self._sign(OrderLoaded(order, self._lines(), self._day()))

    def withdraw(self) -> None:
        """Withdraw a shipment, whoever promised it."""
        self._sign(ShipmentWithdrawn(self._shipment(), self._day(), "a lie"))

    def receive(self) -> None:
        """Receive a shipment that was promised to it, more often than it came, or that of others, or none."""
        is_more = self.random.random() < 0.3
        for _ in range(self.random.choice((1, 1, 2))):
            self._sign(OrderReceived(self._shipment(), self._site(), self._lines(), self._day(), is_more))

    def endorse(self) -> None:
        """Call somebody's device its own."""
        role = self.random.choice(("steward", "steward", "allocator", "reader"))
        heir = self.random.choice(("", "", self._key()))
        device = self.random.choice((self._key(), self._key(), self._other.key))
        if heir != device:
            self._sign(DeviceEndorsed(device, role, self._day(), succeeds=heir))

    def cut(self) -> None:
        """Cut off somebody's device."""
        self._sign(DeviceCut(self._key(), 0, self._day(), "", "a lie"))

    def in_their_name(self) -> None:
        """Sign as if it were of another network, that it endorses, cuts off, promises and withdraws."""
        network, key = self._target().id, self._key()
        lies: Sequence[Fact] = (
            DeviceEndorsed(self.key, "steward", DAYS[0]),
            DeviceCut(key, 0, DAYS[0], "", "a lie"),
            ShipmentPromised(self._target().id, self._order(), self._site(), DAYS[0], DAYS[1], self._lines(), DAYS[0]),
            ShipmentWithdrawn(self._shipment(), DAYS[0], "a lie"),
            OrderReceived(self._shipment(), self._site(), self._lines(), DAYS[0]),
            OrderLoaded(self._order(), self._lines(), DAYS[0]),
            JointSaid(DAYS[0], "a lie", DAYS[0]),
        )
        self._sign(self.random.choice(lies), network=network)

    def found_again(self) -> None:
        """Found a network of another one's name."""
        name = self._target().name
        made = make_entry(
            self.device, network=NOTHING, seq=1, prev=NOTHING, deps=(), lc=1, time=0, kind=NetworkFounded.KIND,
            body=body_of(NetworkFounded(name, (self.key,), 1, date=DAYS[1])),
        )  # fmt: skip
        self.letters.append(made.signed)

    def recognise(self) -> None:
        """Say what is no letter: whom it recognises, what there is, what was counted, what is cancelled."""
        target = self._target()
        facts: Sequence[Fact] = (
            NetworkRecognised(target.id, self.name, DAYS[0]),
            RowSet("sites", {"site": target.store, "network": self.name}, DAYS[0]),
            StockCounted(target.store, "flour", 0, DAYS[1]),
            OrderCancelled(self._order(), DAYS[0], "a lie"),
        )
        self._sign(self.random.choice(facts))

    def plan_falsely(self) -> None:
        """Say things on the way to joint plans, its own and others', that are none."""
        session = self.random.choice((*DAYS, "x", f"2027-03-{self.random.randint(3, 30):02}"))
        message = self.random.choice(
            (
                "no base64",
                base64.b64encode(b"M" + bytes(9)).decode(),
                base64.b64encode(self.random.randbytes(50)).decode(),
                "A" * 7_999,
            )
        )
        self._sign(JointSaid(session, message, self._day(), self.random.choice(("", "", self._target().id))))

    def flood(self) -> None:
        """Do one thing very often."""
        often = (self.promise, self.load, self.withdraw, self.receive, self.endorse, self.plan_falsely)
        again = self.random.choice(often)
        for _ in range(self.random.choice((10, 40, 120))):
            again()

    def fork(self) -> None:
        """Sign two entries with one number."""
        before = self._seq, self._prev, self._lc
        self.promise()
        self._seq, self._prev, self._lc = before
        self.random.choice((self.promise, self.withdraw, self.endorse))()

    def leap(self) -> None:
        """Set its counter to the end of what there is, for one entry."""
        before = self._lc
        self._lc = MOST - 4
        self.random.choice((self.promise, self.withdraw, self.endorse, self.cut))()
        self._lc = before

    def break_form(self) -> None:
        """Send what is no letter of any kind, or fits into none of ours."""
        lines = tuple(Line("g" * 180, number) for number in range(62))
        target = self._target()
        long = ShipmentPromised(target.id, "long", target.market, DAYS[0], DAYS[1], lines, DAYS[0])
        which = self.random.randrange(4)
        if which == 0:
            self._sign(long)
        elif which == 1:
            self._sign_body(self.random.choice(("shipment.promised", "device.cut", "shipment.blessed")), {"date": 7})
        elif which == 2:
            self._sign(ShipmentWithdrawn(self._shipment(), DAYS[0], '"' * 4_000))
        else:
            raw, signature = self.random.choice(self.letters)
            self.letters.append(Signed(raw.replace(b"2027", b"2028"), signature))

    def pass_on(self) -> None:
        """Put another network's letter, or its own, into one of its own."""
        self._sign(sealed_letter(self.letters[0], date=DAYS[0]))

    # Of what

    def _target(self) -> Target:
        return self.random.choice(self.targets)

    def _key(self) -> str:
        return self.random.choice(self._target().keys())

    def _day(self) -> str:
        return self.random.choice(DAYS)

    def _site(self) -> str:
        target = self._target()
        return self.random.choice((target.market, target.store, self.market, self.market, "Nowhere"))

    def _order(self) -> str:
        """Return the id of an order: of its own, of somebody who promised it, or a made-up one."""
        known = [fact.order for _, fact in self._promises[-10:]]
        return self.random.choice((f"order {self.random.randrange(10)}", f"order {self._seq}", *known[-3:]))

    def _shipment(self) -> str:
        """Return the id of a shipment: one that was promised to it, or to somebody else, or its own, or none."""
        mine = [shipment_of(network, fact.order) for network, fact in self._promises if fact.network == self.id]
        theirs = [shipment_of(network, fact.order) for network, fact in self._promises if fact.network != self.id]
        own = shipment_of(self.id, self._order())
        return self.random.choice((*mine[-3:], *mine[-3:], *theirs[-3:], own, "x"))

    def _lines(self) -> tuple[Line, ...]:
        return tuple(
            Line(
                self.random.choice(GOODS),
                self.random.choice((0, 1, self.random.randrange(100) * 1000, 99_000, MOST)),
                self.random.choice((None, None, "", "2027-02-01")),
            )
            for _ in range(self.random.choice((1, 1, 3)))
        )

    # How

    def _sign(self, fact: Fact, *, network: str = "") -> Verified:
        assert not isinstance(fact, LetterHeard) or fact.letter
        return self._sign_body(fact.KIND, body_of(fact), network=network)  # type: ignore[union-attr]

    def _sign_body(self, kind: str, body: dict[str, Any], *, network: str = "") -> Verified:
        """Sign the next entry of its chain; what is in another one's name is in no chain."""
        is_first = kind == NetworkFounded.KIND
        made = make_entry(
            self.device,
            network=NOTHING if is_first else network or self.id,
            seq=self._seq + 1,
            prev=self._prev,
            deps=(),
            lc=self._lc + 1,
            time=0,
            kind=kind,
            body=body,
        )
        if not network:
            self._seq, self._prev, self._lc = self._seq + 1, made.entry.id, self._lc + 1
        self.letters.append(made.signed)
        return made


def without(journal: Journal, network: str) -> State:
    """Return what a journal comes to for whoever does not recognise a network, and so hears nothing of it."""
    recognised = _Fold.recognised

    def but_for(self: _Fold, fact: NetworkRecognised, *others: Any) -> str:
        return "not in this world" if fact.network == network else recognised(self, fact, *others)

    with patch.object(_Fold, "recognised", but_for):
        return fold_anew(journal.read)


def apart_from(journal: Journal, state: State, network: str, market: str, shared: Collection[str]) -> dict[str, Any]:
    """Return what a state says, but for what a network has a part in: its letters, the orders that are `shared` with
    it, what lies at its `market`, and what is outside or was lost on the way.
    """
    head, *rest = encode(state).split(b"\n")
    plain = json.loads(head)
    letters = plain["letters"]
    for name in ("recognised", "latest", "deciding", "said", "early"):
        letters[name].pop(network, None)
    letters["heard"] = {id: of for id, of in letters["heard"].items() if of != network}
    letters["coming"] = {id: one for id, one in letters["coming"].items() if id not in shared}
    letters["going"] = {order: one[:3] if order in shared else one for order, one in letters["going"].items()}
    letters["untold"] = {id: order for id, order in letters["untold"].items() if order not in shared}
    books, steps = plain["books"], plain["steps"]
    books["orders"] = {order: one for order, one in books["orders"].items() if order not in shared}
    books["others"] = {kind: one for kind, one in books["others"].items() if kind not in ("outside", "lost")}
    plain["steps"] = {name: [id for id in ids if id not in shared] for name, ids in steps.items()}
    plain["noted"] = [one for one in plain["noted"] if one[1] not in shared]
    texts = [line.decode() for line in rest[: len(plain["places"]) + len(plain["orders"]) + plain["effects"]]]
    places, orders = plain.pop("places"), plain.pop("orders")
    plain["holdings"] = [(place, text) for place, text in zip(places, texts, strict=False) if place[0] != market]
    told = texts[len(places) :]
    plain["order texts"] = [(id, text) for id, text in zip(orders, told, strict=False) if id not in shared]
    heard = set(_heard_of(journal, network))
    effects = [effect for chunk in told[len(orders) :] for effect in json.loads(chunk)]
    theirs = {*shared, market}
    plain["effects"] = [
        (entry, *others)
        for entry, number, moves, undo, is_undone in effects
        for others in [(number, [move for move in moves if not theirs & {*move[4:8]}], undo, is_undone)]
        if entry not in heard and not theirs & {*map(str, undo)} and (others[1] or undo)
    ]
    return plain


def _heard_of(journal: Journal, network: str) -> Iterator[str]:
    """Yield the ids of the entries by which a network's letters were taken in."""
    for placed in journal.read():
        fact = fact_of(placed.entry.kind, placed.entry.body)
        if isinstance(fact, LetterHeard) and network in (letter := open_letter(fact)[0]).network + letter.id:
            yield placed.entry.id
