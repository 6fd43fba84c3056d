"""Letters: what was heard of other networks, which of them are recognised, and the shipments between them and us.

A letter is an entry of another network's journal, of a kind that it exports (`EXPORTED`), that one of our devices took
in. It is judged here, in the fold, from its bytes alone: its signature, its network, and whether its author speaks for
that network, which stewards of its founding entry do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from abasto.errors import EntryError, FactError
from abasto.facts.kinds import Fact, JointSaid, LetterHeard, NetworkFounded, UnknownFact, fact_of
from abasto.journal.entry import Entry, Signed
from abasto.journal.signing import NOTHING, read_entry

__all__ = ["Coming", "Letters", "Promise", "letter_bytes", "open_letter", "sealed_letter"]

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


class Letters:
    """What is known of other networks; changed by the fold alone.

    `recognised` has what each is called here, by the id of its founding entry; `heard` the ids of all letters;
    `stewards` the keys that its founding entry names; `said` what each network, this one too, said in its latest
    sessions of planning together, by network and session. `coming` has the
    shipments that were promised to us, by their ids, which are ids of orders here too; `going` has, for each of our
    orders that was promised, that promise; `withdrawn` are the ids of those that were taken back.
    """

    def __init__(self) -> None:
        self.recognised: dict[str, str] = {}
        self.heard: dict[str, str] = {}
        """The network of each letter, by its id."""
        self.stewards: dict[str, tuple[str, ...]] = {}
        self.said: dict[str, dict[str, list[str]]] = {}
        self.coming: dict[str, Coming] = {}
        self.early: dict[str, list[Any]] = {}
        """What was loaded of orders of other networks that nobody has promised yet, by network and order."""
        self.going: dict[str, Promise] = {}
        self.withdrawn: set[str] = set()

    def network_named(self, name: str) -> str:
        """Return the id of the recognised network of that name, blank if there is none."""
        return next((network for network, known in self.recognised.items() if known == name), "")

    def speaks(self, network: str, author: str) -> bool:
        """Return whether a device speaks for a network: it is one of its stewards."""
        return author in self.stewards.get(network, ())

    def take(self, entry: Entry, fact: Fact, *, own: str) -> str:
        """Take a letter's entry and fact into the network `own`; return why it counts for nothing, or nothing."""
        network = entry.id if entry.network == NOTHING else entry.network
        if network not in self.recognised:
            return "its network is not recognised here"
        if entry.id in self.heard:
            return "heard already"
        if isinstance(fact, NetworkFounded):
            self.stewards[network] = fact.stewards
        elif not self.speaks(network, entry.author):
            return "who signed it does not speak for that network"
        self.heard[entry.id] = network
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
            "stewards": {network: list(keys) for network, keys in self.stewards.items()},
            "said": self.said,
            "coming": {shipment: list(one) for shipment, one in self.coming.items()},
            "early": self.early,
            "going": {order: list(one) for order, one in self.going.items()},
            "withdrawn": sorted(self.withdrawn),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Letters:
        """Return the letters that `plain` came from."""
        made = cls()
        made.recognised, made.heard = dict(plain["recognised"]), dict(plain["heard"])
        made.stewards = {network: tuple(keys) for network, keys in plain["stewards"].items()}
        made.said = {
            network: {session: list(messages) for session, messages in mine.items()}
            for network, mine in plain["said"].items()
        }
        made.coming = {shipment: Coming(*one) for shipment, one in plain["coming"].items()}
        made.early = {order: list(loads) for order, loads in plain["early"].items()}
        made.going = {order: Promise(*one) for order, one in plain["going"].items()}
        made.withdrawn = set(plain["withdrawn"])
        return made


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
