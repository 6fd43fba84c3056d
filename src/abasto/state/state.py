"""The state: all that the entries of a journal come to, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from abasto.facts.kinds import NetworkFounded
from abasto.journal.store import Place
from abasto.state.answers import Answers
from abasto.state.authors import Authors
from abasto.state.books import Books
from abasto.state.effects import Effects
from abasto.state.letters import Letters
from abasto.state.members import NO_CUTS, Cuts, Members
from abasto.state.orders import Orders
from abasto.state.recent import RecentDates
from abasto.state.rows import Rows

__all__ = ["Noted", "State"]

KEPT_ENTRIES = 3


class Noted(NamedTuple):
    """Something odd that the fold met: how often, the dates of the first and last time, the entries, and what."""

    times: int
    first: str
    last: str
    entries: tuple[str, ...]
    detail: tuple[str, ...]


class State:
    """What is known after a fold: rows, books, orders, answers, and what people have to settle (`state.exceptions`).

    `network` is the network's id and `founded` its founding, blank and None before that. `count` entries are in it, up
    to `place` in the order of the fold. Only `fold` changes a state. `cuts` are those that are known to come.
    """

    def __init__(self, cuts: Cuts = NO_CUTS) -> None:
        self.count = 0
        self.place: Place | None = None
        self.network = ""
        self.founded: NetworkFounded | None = None
        self.rows = Rows()
        # Through the state, since what was kept brings rows of its own.
        self.books = Books(lambda good: self.rows.shelf_life(good))
        self.orders = Orders(self.books)
        self.authors = Authors()
        self.members = Members(cuts)
        self.effects = Effects()
        self.answers = Answers()
        self.letters = Letters()
        self.dates = RecentDates()
        self.refs: set[int] = set()
        """Short hashes of the `ref` of every fact that was applied."""
        self.noted: dict[tuple[str, str, str], Noted] = {}
        """By kind and what it is about: a thing, or a site and a good."""
        self.settled: dict[str, str] = {}
        """Ids of exceptions that somebody settled, and the entry of the note that says so."""

    def knows(self, ref: str) -> bool:
        """Return whether a fact with this `ref` was applied."""
        return _short(ref) in self.refs

    def remember(self, ref: str) -> None:
        """Remember the `ref` of a fact that is applied."""
        self.refs.add(_short(ref))

    def note(self, kind: str, about: str, second: str = "", *, date: str, entry: str, detail: Any = ()) -> None:
        """Remember something odd; what is odd in the same way about the same thing again is counted."""
        known = self.noted.get((kind, about, second))
        if known is None:
            self.noted[kind, about, second] = Noted(1, date, date, (entry,), tuple(detail))
        else:
            self.noted[kind, about, second] = Noted(
                known.times + 1,
                min(known.first, date),
                max(known.last, date),
                (*known.entries, entry)[-KEPT_ENTRIES:],
                tuple(detail),
            )


def _short(ref: str) -> int:
    return int.from_bytes(hashlib.blake2b(ref.encode(), digest_size=8).digest())
