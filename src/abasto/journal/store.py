"""What every store of entries does; `tests/journal/contract.py` holds all of them to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from abasto.errors import JournalError
from abasto.journal.entry import Entry, Placed, Signed

__all__ = ["Head", "Kept", "OvertakenError", "Place", "Snapshot", "Store", "Verified", "place_of"]


class OvertakenError(JournalError):
    """Another process has added entries of the same author since its head was read; nothing was added."""

    def __init__(self, author: str, seq: int) -> None:
        super().__init__(
            f"entry {seq} of device {author} is not the next one any more, another process has written with the same "
            "key; nothing was written, so try again."
        )


class Place(NamedTuple):
    """Where an entry stands in the order of the fold: by `lc`, then by `id` as text, not as the bytes it stands for."""

    lc: int
    id: str


def place_of(entry: Entry) -> Place:
    """Return where an entry stands."""
    return Place(entry.lc, entry.id)


class Head(NamedTuple):
    """The last entry of an author's unbroken chain: its sequence number, id and Lamport counter.

    `arrival` is the largest arrival number in that chain: when the author got so far.
    """

    seq: int
    id: str
    lc: int
    arrival: int


class Verified(NamedTuple):
    """An entry whose bytes and signature have been checked, ready to be kept."""

    entry: Entry
    signed: Signed


class Kept(NamedTuple):
    """An entry as it is kept: its author's number for it, its id, and the exact bytes and signature."""

    seq: int
    id: str
    signed: Signed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A fold that was kept: of the first `count` entries that arrived, up to `place` in the order of the fold."""

    count: int
    place: Place
    version: int
    content: bytes


class Store(Protocol):
    """Keeps entries. One writer at a time; what `add` returned for is on the disk."""

    def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
        """Keep those that are not here yet, all in one transaction, durably; return how many were new.

        `continues` says that they are the next ones of one author. Raises `OvertakenError` if the author's latest
        entry is then not the one just before them, so that two processes with one key do not fork it, and
        `JournalError` if they cannot be kept; in both cases none of them is.
        """
        ...

    def read(self, after: Place | None = None) -> Iterator[Placed]:
        """Yield entries in order of (lc, id), those after a place."""
        ...

    def get(self, id: str) -> Signed | None:
        """Return the bytes of an entry."""
        ...

    def export(self) -> Iterator[Signed]:
        """Yield the bytes of all entries, by author and sequence number."""
        ...

    def follow(self, author: str, after: int = 0) -> Iterator[Kept]:
        """Yield an author's entries of larger sequence numbers than `after`, by number and id."""
        ...

    def loose(self) -> dict[str, list[str]]:
        """Return, of authors with entries beyond their head, the ids of these, by number and id; all, if there is none.

        What stands up to a head is one unbroken chain, so head and loose entries together are all of an author.
        """
        ...

    def count(self) -> int:
        """Return how many entries are kept; the n-th that arrived has arrival number n, without holes."""
        ...

    def heads(self) -> dict[str, Head]:
        """Return each author's head: where seq 1, 2, … without a gap or fork, each with the `prev` and a larger `lc`
        than the one before, end. Authors without such a beginning have none.
        """
        ...

    def latest(self, author: str) -> int:
        """Return the largest sequence number kept of an author, also after a gap or fork; 0 if there is none."""
        ...

    def clock(self) -> int:
        """Return the largest Lamport counter of all entries, 0 if there are none."""
        ...

    def forks(self) -> dict[str, int]:
        """Return for each author that signed two entries with one sequence number the smallest such number."""
        ...

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot of the fold; older ones may go."""
        ...

    def snapshot(self, version: int) -> Snapshot | None:
        """Return the latest snapshot of that version that all entries since leave valid: none of them stands before
        its place, or freezes an entry that does.
        """
        ...

    def close(self) -> None:
        """Write what is open and let go of the file or connection."""
        ...
