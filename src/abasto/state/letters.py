"""Letters: what was heard of other networks, which of them are recognised, and the shipments between them and us.

A letter is an entry of another network's journal, of a kind that it exports (`EXPORTED`), that one of our devices took
in. It is judged here, in the fold, from its bytes alone: its signature, its network, and whether its author speaks for
that network, which its stewards do: those of its founding entry, and whom they endorsed and did not cut off.
"""

from __future__ import annotations

import base64
import binascii
from bisect import insort
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
    UnknownFact,
    fact_of,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.signing import NOTHING, read_entry
from abasto.journal.store import place_of
from abasto.state.members import NO_CUTS, Cuts, Members

__all__ = ["Coming", "Latest", "Letters", "Promise", "letter_bytes", "open_letter", "sealed_letter"]

KEPT_EARLY = 200
"""Of so many orders of other networks loads are kept that were heard before a promise, or are promised to others."""
KEPT_SESSIONS = 3
"""So many sessions of a network are kept, the last by their names, which begin with a date."""


class Promise(NamedTuple):
    """A shipment that we promised: the id of its entry, and the network that it goes to."""

    id: str
    network: str


class Coming(NamedTuple):
    """A shipment that is promised to us: its network, the id of its order there, and whether it was loaded."""

    network: str
    order: str
    is_sent: bool = False


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


class Letters:
    """What is known of other networks; changed by the fold alone.

    `recognised` has what each is called here, by the id of its founding entry; `heard` the ids of all letters, and
    `latest` the last one that was taken in of each network; `deciding` the letters that say who decides in a network,
    and `stewards` the keys that by them do; `said` what each network, this one too, said in its latest sessions of
    planning together, by network and session. `coming` has the shipments that were promised to us, by their ids, which
    are ids of orders here too; `going` has, for each of our orders that was promised, that promise; `withdrawn` are the
    ids of those that were taken back.
    """

    def __init__(self) -> None:
        self.recognised: dict[str, str] = {}
        self.heard: dict[str, str] = {}
        """The network of each letter, by its id."""
        self.latest: dict[str, Latest] = {}
        self.deciding: dict[str, list[Deciding]] = {}
        self.stewards: dict[str, tuple[str, ...]] = {}
        self.said: dict[str, dict[str, list[str]]] = {}
        self.coming: dict[str, Coming] = {}
        self.early: dict[str, list[Any]] = {}
        """What was loaded of orders of other networks that nobody has promised yet, by network and order."""
        self.going: dict[str, Promise] = {}
        self.withdrawn: set[str] = set()

    def network_named(self, name: str) -> str:
        """Return the id of the recognised network of that name, blank if there is none; of several the first by id."""
        return min((network for network, known in self.recognised.items() if known == name), default="")

    def speaks(self, network: str, author: str) -> bool:
        """Return whether a device speaks for a network: it is one of its stewards."""
        return author in self.stewards.get(network, ())

    def take(self, entry: Entry, fact: Fact, *, own: str, day: str) -> str:
        """Take a letter's entry and fact, heard on a day, into the network `own`; return why it counts for nothing, or
        nothing.
        """
        network = entry.id if entry.network == NOTHING else entry.network
        if network not in self.recognised:
            return "its network is not recognised here"
        if entry.id in self.heard:
            return "heard already"
        if not isinstance(fact, NetworkFounded) and not self.speaks(network, entry.author):
            return "who signed it does not speak for that network"
        self.heard[entry.id] = network
        self.latest[network] = Latest(day, entry.kind)
        if isinstance(fact, NetworkFounded | DeviceEndorsed | DeviceCut):
            insort(self.deciding.setdefault(network, []), Deciding.of(entry), key=lambda one: (one.lc, one.id))
            self.stewards[network] = _stewards(self.deciding[network])
        if isinstance(fact, JointSaid) and fact.network in ("", own):
            self.say(network, fact)
        return ""

    def say(self, network: str, fact: JointSaid) -> None:
        """Remember what a network said on the way to a joint plan; of each network the latest sessions are kept."""
        mine = self.said.setdefault(network, {})
        messages = mine.setdefault(fact.session, [])
        if fact.message not in messages:
            messages.append(fact.message)
        for session in sorted(mine)[:-KEPT_SESSIONS]:
            del mine[session]

    def load_early(self, order: str, load: list[Any]) -> None:
        """Remember what was loaded of an order that nobody has promised us yet; of many the latest."""
        self.early.setdefault(order, []).append(load)
        while len(self.early) > KEPT_EARLY:
            del self.early[next(iter(self.early))]

    def plain(self) -> dict[str, Any]:
        """Return all of it as lists and texts, from which `from_plain` makes equal letters."""
        return {
            "recognised": self.recognised,
            "heard": self.heard,
            "latest": {network: list(one) for network, one in self.latest.items()},
            "deciding": {network: [list(one) for one in letters] for network, letters in self.deciding.items()},
            "said": self.said,
            "coming": {shipment: list(one) for shipment, one in self.coming.items()},
            "early": [[order, loads] for order, loads in self.early.items()],
            "going": {order: list(one) for order, one in self.going.items()},
            "withdrawn": sorted(self.withdrawn),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Letters:
        """Return the letters that `plain` came from."""
        made = cls()
        made.recognised, made.heard = dict(plain["recognised"]), dict(plain["heard"])
        made.latest = {network: Latest(*one) for network, one in plain["latest"].items()}
        made.deciding = {network: [Deciding(*one) for one in letters] for network, letters in plain["deciding"].items()}
        made.stewards = {network: _stewards(letters) for network, letters in made.deciding.items()}
        made.said = {
            network: {session: list(messages) for session, messages in mine.items()}
            for network, mine in plain["said"].items()
        }
        made.coming = {shipment: Coming(*one) for shipment, one in plain["coming"].items()}
        made.early = {order: list(loads) for order, loads in plain["early"]}
        made.going = {order: Promise(*one) for order, one in plain["going"].items()}
        made.withdrawn = set(plain["withdrawn"])
        return made


def _stewards(deciding: Sequence[Deciding]) -> tuple[str, ...]:
    """Return the keys of a network's stewards by what was heard of it, judged as it judges itself.

    The day on which a role ends is not asked: whoever was a steward is one abroad until the network says otherwise.
    """
    cuts: Cuts = NO_CUTS
    while True:
        members = Members(cuts)
        for one in deciding:
            entry = one.entry()
            members.reach(place_of(entry))
            fact = fact_of(one.kind, one.body)
            if isinstance(fact, NetworkFounded):
                members.found(fact, entry)
            elif not members.is_cut(entry) and _decides(members, one.author, fact):
                if isinstance(fact, DeviceEndorsed):
                    members.endorse(fact, entry, "")
                elif isinstance(fact, DeviceCut):
                    members.cut(fact, entry, "")
        if members.cuts == cuts:
            return tuple(members.stewards(""))
        cuts = members.cuts


def _decides(members: Members, author: str, fact: Fact) -> bool:
    """Return whether a device is a steward, or cuts off itself."""
    grant = members.role(author, "")
    return (grant is not None and grant.role == "steward") or (isinstance(fact, DeviceCut) and fact.device == author)


def letter_bytes(fact: LetterHeard) -> Signed:
    """Return the entry in a letter as it was sent, unchecked. Raises `FactError` if its signature is no base64."""
    try:
        signature = base64.b64decode(fact.signature + "==", altchars=b"-_", validate=True)
        return Signed(fact.letter.encode(), signature)
    except (binascii.Error, ValueError) as error:
        raise FactError(f"{fact.KIND}, signature: {fact.signature!r:.40} — {error}") from None


def open_letter(fact: LetterHeard) -> tuple[Entry, Fact]:
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
    signature = base64.urlsafe_b64encode(signed.signature).rstrip(b"=").decode()
    return LetterHeard(signed.raw.decode(), signature, date)
