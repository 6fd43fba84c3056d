"""Letters: what was heard of other networks, which of them are recognised, and the shipments between them and us.

A letter is an entry of another network's journal, of a kind that it exports (`EXPORTED`), that one of our devices took
in. It is judged here, in the fold, from its bytes alone: its signature, its network, and whether its author speaks for
that network, which its stewards do: those of its founding entry, and whom they endorsed and did not cut off.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from abasto.errors import EntryError, FactError
from abasto.facts.kinds import (
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    NetworkFounded,
    OrderLoaded,
    OrderReceived,
    ReportPassedOn,
    UnknownFact,
    fact_of,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.signing import NOTHING, read_entry
from abasto.journal.store import Place, place_of
from abasto.state.members import NO_CUTS, Cuts, Grant, Members

__all__ = [
    "Coming",
    "Deciding",
    "Latest",
    "Letters",
    "Promise",
    "Speakers",
    "letter_bytes",
    "open_letter",
    "open_passed_on",
    "passed_on",
    "sealed_letter",
    "shipment_of",
    "speakers_of",
]

MOST_HEARD = 100_000
"""So many letters of one network count, whichever of our devices took them in."""
KEPT_EARLY = 200
"""Of so many shipments it is kept what each network said of them before their promise is known, or that are others'
affair."""
MOST_DECIDING = 500
"""So many letters of a network that say who decides in it count: each is judged with all others anew, so that the time
this takes grows with the third power of their number (500 take three seconds, 2,000 two minutes).
"""
MOST_TOLD = 50
"""So many letters of a network about one shipment count: each may bring a hundred lots more, and with each all are
added up anew.
"""
MOST_SAID = 500
"""So many messages of a network in one session are kept; thirty networks that plan together say about 130 each."""
KEPT_SESSIONS = 3
"""So many sessions of a network are kept, the last by their names, which begin with a date."""


class Promise(NamedTuple):
    """A shipment that we promised: its id, the network and the place there that it goes to, and how many letters told
    of it since.
    """

    id: str
    network: str
    site: str
    told: int = 0


class Coming(NamedTuple):
    """A shipment that is promised to us: its network, the id of its order there, whether it was loaded, and how many
    letters told of it since.
    """

    network: str
    order: str
    is_sent: bool = False
    told: int = 0


class Latest(NamedTuple):
    """The letter of a network that was taken in last: on which day, and of which kind it is."""

    day: str
    kind: str


class Deciding(NamedTuple):
    """A letter that says who decides in its network: what `Members` needs of its entry."""

    lc: int
    id: str
    author: str
    seq: int
    prev: str
    kind: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> Deciding:
        """Return what is kept of an entry."""
        return cls(entry.lc, entry.id, entry.author, entry.seq, entry.prev, entry.kind, dict(entry.body))

    def entry(self) -> Entry:
        """Return the entry as far as it is needed."""
        return Entry(self.id, "", self.author, self.seq, self.prev, (), self.lc, 0, self.kind, self.body)


class Speakers(NamedTuple):
    """Who speaks for a network: its stewards after each place in its fold that says who they are, with the role of each
    by key, and its cuts.
    """

    places: tuple[Place, ...] = ()
    stewards: tuple[Mapping[str, Grant], ...] = ()
    cuts: Cuts = NO_CUTS

    def on(self, day: str = "") -> tuple[str, ...]:
        """Return the keys of the stewards in the end, on a day; without one, also of those whose roles have ended."""
        return tuple(key for key, grant in self.stewards[-1].items() if grant.holds(day)) if self.stewards else ()

    def said(self, entry: Entry, fact: Fact) -> bool:
        """Return whether an entry is by one who was a steward where it stands, on the day that its fact claims, and
        comes before the cut of that one.
        """
        before = bisect_left(self.places, place_of(entry))
        cut = self.cuts.get(entry.author)
        if before == 0 or (cut is not None and not cut.spares(entry.seq, entry.id)):
            return False
        grant = self.stewards[before - 1].get(entry.author)
        return grant is not None and grant.holds(getattr(fact, "date", ""))


class Letters:
    """What is known of other networks; changed by the fold alone.

    `recognised` has what each is called here, by the id of its founding entry; `heard` the ids of all letters, and
    `latest` the last one that was taken in of each network; `deciding` the letters that say who decides in a network,
    and `speakers` who by them does; `said` what each network, this one too, said in its latest sessions of planning
    together, by network and session. `coming` has the shipments that were promised to us, by their ids, which are ids
    of orders here too; `going` has, for each of our orders that was promised, that promise, and `order_of` the order by
    its id; `withdrawn` are the ids of those that were taken back. `untold` has, by entry, the order of which a device
    that is no steward's loaded or received something: others hear of it once a steward's device passes it on.
    """

    def __init__(self) -> None:
        self.recognised: dict[str, str] = {}
        self.heard: dict[str, str] = {}
        """The network of each letter, by its id."""
        self.many: Counter[str] = Counter()
        """How many letters there are of each network."""
        self.latest: dict[str, Latest] = {}
        self.deciding: dict[str, list[Deciding]] = {}
        self.speakers: dict[str, Speakers] = {}
        self.said: dict[str, dict[str, dict[str, None]]] = {}
        """Messages in order, each once."""
        self.coming: dict[str, Coming] = {}
        self.early: dict[str, dict[str, list[Any]]] = {}
        """What became of shipments before their promise is known, by the network that said so and the shipment."""
        self.going: dict[str, Promise] = {}
        self.order_of: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.untold: dict[str, str] = {}

    def network_named(self, name: str) -> str:
        """Return the id of the recognised network of that name, blank if there is none; of several the first by id."""
        return min((network for network, known in self.recognised.items() if known == name), default="")

    def stewards(self, network: str) -> tuple[str, ...]:
        """Return the keys of another network's stewards, as far as we heard, whether their roles end or not."""
        return self.speakers.get(network, _NOBODY).on()

    def speaks(self, network: str, author: str) -> bool:
        """Return whether a device speaks for a network: it is one of its stewards."""
        return author in self.stewards(network)

    def take(self, entry: Entry, fact: Fact, *, own: str, day: str) -> str:
        """Take a letter's entry and fact, heard on a day, into the network `own`; return why it counts for nothing, or
        nothing.
        """
        network = entry.id if entry.network == NOTHING else entry.network
        if network not in self.recognised:
            return "its network is not recognised here"
        if entry.id in self.heard:
            return "heard already"
        if not isinstance(fact, NetworkFounded) and not self.speakers.get(network, _NOBODY).said(entry, fact):
            return "who signed it does not speak for that network"
        if self.many[network] >= MOST_HEARD:
            return "so many letters of its network are here that there is no room for more"
        decides = isinstance(fact, NetworkFounded | DeviceEndorsed | DeviceCut)
        if decides and len(self.deciding.get(network, ())) >= MOST_DECIDING:
            return "so much is here of who decides in its network that there is no room for more"
        self.heard[entry.id] = network
        self.many[network] += 1
        self.latest[network] = Latest(day, entry.kind)
        if decides:
            insort(self.deciding.setdefault(network, []), Deciding.of(entry), key=lambda one: (one.lc, one.id))
            self.speakers[network] = speakers_of(self.deciding[network])
        if isinstance(fact, JointSaid) and fact.network in ("", own):
            self.say(network, fact, most=MOST_SAID)
        return ""

    def waiting(self) -> list[str]:
        """Return the entries that others are to hear of, and do once a steward's device passes them on."""
        return sorted(id for id, order in self.untold.items() if order in self.going or order in self.coming)

    def say(self, network: str, fact: JointSaid, *, most: int | None = None) -> None:
        """Remember what a network said on the way to a joint plan, at most so much in a session; of each network the
        latest sessions are kept.
        """
        mine = self.said.setdefault(network, {})
        messages = mine.setdefault(fact.session, {})
        if most is None or len(messages) < most:
            messages[fact.message] = None
        for session in sorted(mine)[:-KEPT_SESSIONS]:
            del mine[session]

    def promise(self, order: str, promise: Promise) -> None:
        """Remember that we promised an order."""
        self.going[order] = promise
        self.order_of[promise.id] = order

    def has_room(self, shipment: str) -> bool:
        """Count a letter about a shipment that is promised, and return whether those before it left room for it."""
        order = self.order_of.get(shipment)
        known = self.coming[shipment] if order is None else self.going[order]
        counted = known._replace(told=known.told + 1)
        if isinstance(counted, Coming):
            self.coming[shipment] = counted
        elif order is not None:
            self.going[order] = counted
        return known.told < MOST_TOLD

    def keep_early(self, network: str, shipment: str, letter: list[Any]) -> None:
        """Remember what a network said of a shipment before the promise of it is known; of many of its shipments the
        latest, so that none that says much makes forgotten what others said.

        `letter` is what the fold needs of it once the promise is known.
        """
        of_network = self.early.setdefault(network, {})
        early = of_network.setdefault(shipment, [])
        if len(early) < MOST_TOLD:
            early.append(letter)
        if len(of_network) > KEPT_EARLY:
            del of_network[next(iter(of_network))]

    def take_early(self, network: str, shipment: str) -> list[Any]:
        """Return what a network said of a shipment before the promise of it was known, and forget it."""
        return self.early.get(network, {}).pop(shipment, [])

    def plain(self) -> dict[str, Any]:
        """Return all of it as lists and texts, from which `from_plain` makes equal letters."""
        return {
            "recognised": self.recognised,
            "heard": self.heard,
            "latest": {network: list(one) for network, one in self.latest.items()},
            "deciding": {network: [list(one) for one in letters] for network, letters in self.deciding.items()},
            "said": {
                network: {session: list(messages) for session, messages in mine.items()}
                for network, mine in self.said.items()
            },
            "coming": {shipment: list(one) for shipment, one in self.coming.items()},
            "early": {network: list(shipments.items()) for network, shipments in self.early.items() if shipments},
            "going": {order: list(one) for order, one in self.going.items()},
            "withdrawn": sorted(self.withdrawn),
            "untold": self.untold,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Letters:
        """Return the letters that `plain` came from."""
        made = cls()
        made.recognised, made.heard = dict(plain["recognised"]), dict(plain["heard"])
        made.many = Counter(made.heard.values())
        made.latest = {network: Latest(*one) for network, one in plain["latest"].items()}
        made.deciding = {network: [Deciding(*one) for one in letters] for network, letters in plain["deciding"].items()}
        made.speakers = {network: speakers_of(letters) for network, letters in made.deciding.items()}
        made.said = {
            network: {session: dict.fromkeys(messages) for session, messages in mine.items()}
            for network, mine in plain["said"].items()
        }
        made.coming = {shipment: Coming(*one) for shipment, one in plain["coming"].items()}
        made.early = {
            network: {shipment: list(letters) for shipment, letters in shipments}
            for network, shipments in plain["early"].items()
        }
        for order, one in plain["going"].items():
            made.promise(order, Promise(*one))
        made.withdrawn = set(plain["withdrawn"])
        made.untold = dict(plain["untold"])
        return made


def shipment_of(network: str, order: str) -> str:
    """Return the id of the shipment that carries out an order of a network: whoever promises it, and however often."""
    digest = hashlib.blake2b(f"abasto/shipment/1\0{network}/{order}".encode(), digest_size=32).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


_NOBODY = Speakers()


def speakers_of(deciding: Sequence[Deciding]) -> Speakers:
    """Return who speaks for a network by what is known of it, in the order of its fold, judged as it judges itself.

    But for one thing: the date that an entry claims is taken for its day, as nothing here tells whether it is far off.
    """
    cuts: Cuts = NO_CUTS
    while True:
        members = Members(cuts)
        places, stewards = [], []
        for one in deciding:
            entry = one.entry()
            members.reach(place_of(entry))
            fact = fact_of(one.kind, one.body)
            if isinstance(fact, NetworkFounded):
                members.found(fact, entry)
            elif not members.is_cut(entry) and _decides(members, one.author, fact):
                if isinstance(fact, DeviceEndorsed):
                    members.endorse(fact, entry, fact.date)
                elif isinstance(fact, DeviceCut):
                    members.cut(fact, entry, fact.date)
            places.append(place_of(entry))
            stewards.append({key: grant for key, grant in sorted(members.grants.items()) if grant.role == "steward"})
        if members.cuts == cuts:
            return Speakers(tuple(places), tuple(stewards), members.cuts)
        cuts = members.cuts


def _decides(members: Members, author: str, fact: Fact) -> bool:
    """Return whether a device is a steward on the day that it claims, or cuts off itself."""
    if not isinstance(fact, DeviceEndorsed | DeviceCut):
        return False
    grant = members.role(author, fact.date)
    return (grant is not None and grant.role == "steward") or (isinstance(fact, DeviceCut) and fact.device == author)


def letter_bytes(fact: LetterHeard | ReportPassedOn) -> Signed:
    """Return the entry in a letter as it was sent, unchecked. Raises `FactError` if its signature is no base64."""
    try:
        signature = base64.b64decode(fact.signature + "==", altchars=b"-_", validate=True)
        return Signed(fact.letter.encode(), signature)
    except (binascii.Error, ValueError) as error:
        raise FactError(f"{fact.KIND}, signature: {fact.signature!r:.40} — {error}") from None


def open_letter(fact: LetterHeard | ReportPassedOn) -> tuple[Entry, Fact]:
    """Return the entry and fact in a letter. Raises `FactError` for what is no entry with a valid signature, or says
    nothing that this version knows.
    """
    try:
        entry = read_entry(letter_bytes(fact)).entry
    except EntryError as error:
        raise FactError(f"{fact.KIND}, letter: {fact.letter!r:.40} — is no entry of a network: {error}") from None
    inner = fact_of(entry.kind, entry.body)
    if isinstance(inner, UnknownFact):
        raise FactError(f"{fact.KIND}, letter: this version knows no {entry.kind}")
    return entry, inner


def sealed_letter(signed: Signed, *, date: str) -> LetterHeard:
    """Return the fact that takes in another network's entry, heard on a date."""
    return LetterHeard(signed.raw.decode(), _signature_text(signed), date)


def passed_on(signed: Signed, *, date: str) -> ReportPassedOn:
    """Return the fact that passes an entry of this network on to others, on a date."""
    return ReportPassedOn(signed.raw.decode(), _signature_text(signed), date)


def open_passed_on(fact: ReportPassedOn, network: str) -> tuple[Entry, OrderLoaded | OrderReceived]:
    """Return the entry and fact that a network passes on; raises `FactError` for what is no report of its own."""
    entry, inner = open_letter(fact)
    if entry.network != network or not isinstance(inner, OrderLoaded | OrderReceived):
        raise FactError(f"{fact.KIND}, letter: {entry.kind} — is no load or receipt of this network")
    return entry, inner


def _signature_text(signed: Signed) -> str:
    return base64.urlsafe_b64encode(signed.signature).rstrip(b"=").decode()
