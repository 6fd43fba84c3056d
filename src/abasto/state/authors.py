"""Authors: how far each device's chain of entries has been applied, and whose entries it had seen by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from abasto.journal.entry import Entry

__all__ = ["Author", "Authors", "Refusal"]

Refusal = Literal["fork", "gap", "out of order", "cut"]
MOST_PROOFS = 2
"""Two entries with one number prove a fork."""
FIRST = "A" * 43
"""Zeros: what the first entry of a chain gives as the one before it."""


class Author:
    """A device: its number here, the last entry of its chain that was applied, and what it had seen of the others.

    `refused` has, for each reason, how many of its entries were not applied, and of the first ones the sequence number
    and the ids: two of a fork. `day` is the latest date of what was applied.
    """

    __slots__ = ("day", "id", "key", "lc", "number", "refused", "seen", "seq")

    def __init__(self, key: str, number: int) -> None:
        self.key, self.number = key, number
        self.seq, self.id, self.lc = 0, FIRST, 0
        self.day = ""
        self.seen: dict[int, int] = {}
        self.refused: dict[str, list[Any]] = {}

    def refusal(self, entry: Entry, *, is_frozen: bool) -> Refusal | None:
        """Return why an entry does not continue the chain, None if it does."""
        if is_frozen:
            return "fork"
        if entry.seq > self.seq + 1:
            return "gap"
        if entry.seq != self.seq + 1 or entry.prev != self.id or entry.lc <= self.lc:
            return "out of order"
        return None

    def refuse(self, entry: Entry, why: Refusal) -> None:
        """Remember that an entry was not applied."""
        known = self.refused.setdefault(why, [0, entry.seq])
        known[0] += 1
        if entry.seq < known[1]:
            known[1:] = [entry.seq]
        if entry.seq == known[1]:
            known[2:] = sorted([*known[2:], entry.id])[:MOST_PROOFS]

    def had_seen(self, author: int, seq: int) -> bool:
        """Say whether the entry applied last was written knowing that entry of another author (or of its own)."""
        return author == self.number or self.seen.get(author, 0) >= seq


class Authors:
    """All authors by key, numbered in the order in which the fold meets them."""

    def __init__(self) -> None:
        self._by_key: dict[str, Author] = {}
        self._keys: list[str] = []

    def of(self, key: str) -> Author:
        """Return an author, from now on known."""
        author = self._by_key.get(key)
        if author is None:
            author = self._by_key[key] = Author(key, len(self._keys))
            self._keys.append(key)
        return author

    def get(self, key: str) -> Author | None:
        """Return an author that is known."""
        return self._by_key.get(key)

    def all(self) -> list[Author]:
        """Return all authors in the order of their numbers."""
        return list(self._by_key.values())

    def key(self, number: int) -> str:
        """Return the key of an author by its number."""
        return self._keys[number]

    def advance(self, author: Author, entry: Entry, seen: Sequence[tuple[str, int]]) -> None:
        """Let an entry be the last one applied of its author."""
        author.seq, author.id, author.lc = entry.seq, entry.id, entry.lc
        for key, seq in seen:
            other = self.of(key).number
            if seq > author.seen.get(other, 0):
                author.seen[other] = seq

    def plain(self) -> list[Any]:
        """Return all authors as lists and objects of plain JSON, by number."""
        return [
            [one.key, one.seq, one.id, one.lc, one.day, [list(pair) for pair in sorted(one.seen.items())], one.refused]
            for one in self.all()
        ]

    def restore(self, plain: Sequence[Any]) -> None:
        """Take over what `plain` gave."""
        for key, seq, id, lc, day, seen, refused in plain:
            author = self.of(key)
            author.seq, author.id, author.lc, author.day = seq, id, lc, day
            author.seen = dict(seen)
            author.refused = _copied(refused)


def _copied(refused: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    return {why: list(what) for why, what in refused.items()}
