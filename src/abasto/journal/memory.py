"""A store in plain Python, for analysts and tests: what is kept is gone when the program ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import RLock

from abasto.errors import JournalError
from abasto.journal.entry import Entry, Placed, Signed
from abasto.journal.signing import NOTHING
from abasto.journal.store import Head, Kept, OvertakenError, Place, Snapshot, Verified, place_of

__all__ = ["MemoryStore"]

Chains = dict[str, dict[int, list[Entry]]]
"""The entries of each author by sequence number; two with one number are a fork."""


class MemoryStore:
    """Keeps entries in lists and dictionaries; the obvious code, which the other stores are compared with."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._arrived: list[Verified] = []
        self._numbers: dict[str, int] = {}
        self._chains: Chains = {}
        self._heads: dict[str, Head] = {}
        self._forks: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._clock = 0
        self._snapshot: Snapshot | None = None
        self._is_open = True

    def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
        with self._lock:
            self._check_open()
            if continues and entries:
                first = entries[0].entry
                if self.latest(first.author) != first.seq - 1:
                    raise OvertakenError(first.author, first.seq)
            before = len(self._arrived)
            # First, because it fails on what is no entry, and then nothing has been added.
            self._clock = max([self._clock, *(verified.entry.lc for verified in entries)])
            for verified in entries:
                self._add(verified)
            for author in {verified.entry.author for verified in entries}:
                self._settle(author)
            return len(self._arrived) - before

    def _add(self, verified: Verified) -> None:
        entry = verified.entry
        if entry.id in self._numbers:
            return
        self._arrived.append(verified)
        self._numbers[entry.id] = len(self._arrived)
        twins = self._chains.setdefault(entry.author, {}).setdefault(entry.seq, [])
        twins.append(entry)
        if len(twins) > 1:
            self._forks[entry.author] = min(entry.seq, self._forks.get(entry.author, entry.seq))
        self._latest[entry.author] = max(entry.seq, self._latest.get(entry.author, 0))

    def _settle(self, author: str) -> None:
        """Find the author's head anew: from where it was, or from the first entry if a fork came before that."""
        chain, fork = self._chains[author], self._forks.get(author)
        head = self._heads.pop(author, None)
        if head is None or (fork is not None and fork <= head.seq):
            head = Head(0, NOTHING, 0, 0)
        while True:
            following = chain.get(head.seq + 1)
            if following is None or head.seq + 1 == fork:
                break
            entry = following[0]
            if entry.prev != head.id or entry.lc <= head.lc:
                break
            head = Head(entry.seq, entry.id, entry.lc, max(head.arrival, self._numbers[entry.id]))
        if head.seq:
            self._heads[author] = head

    def read(self, after: Place | None = None) -> Iterator[Placed]:
        with self._lock:
            self._check_open()
            entries = [verified.entry for verified in self._arrived]
            entries = sorted((entry for entry in entries if after is None or place_of(entry) > after), key=place_of)
            placed = [self._placed(entry) for entry in entries]
        return iter(placed)

    def _placed(self, entry: Entry) -> Placed:
        seen = (self._arrived[self._numbers[dep] - 1].entry for dep in entry.deps if dep in self._numbers)
        return Placed(
            entry,
            seen=tuple((other.author, other.seq) for other in seen if place_of(other) < place_of(entry)),
            is_frozen=entry.seq >= self._forks.get(entry.author, entry.seq + 1),
        )

    def get(self, id: str) -> Signed | None:
        with self._lock:
            self._check_open()
            number = self._numbers.get(id)
            return None if number is None else self._arrived[number - 1].signed

    def export(self) -> Iterator[Signed]:
        with self._lock:
            self._check_open()
            by_author = sorted(self._arrived, key=lambda kept: (kept.entry.author, kept.entry.seq, kept.entry.id))
        return iter([verified.signed for verified in by_author])

    def follow(self, author: str, after: int = 0) -> Iterator[Kept]:
        with self._lock:
            self._check_open()
            chain = self._chains.get(author, {})
            entries = [entry for seq in sorted(chain) if seq > after for entry in sorted(chain[seq], key=_id_of)]
            kept = [Kept(one.seq, one.id, self._arrived[self._numbers[one.id] - 1].signed) for one in entries]
        return iter(kept)

    def loose(self) -> dict[str, list[str]]:
        with self._lock:
            self._check_open()
            beyond = {author: self._heads[author].seq if author in self._heads else 0 for author in self._chains}
            loose = {author: [kept.id for kept in self.follow(author, seq)] for author, seq in beyond.items()}
        return {author: ids for author, ids in loose.items() if ids}

    def count(self) -> int:
        self._check_open()
        return len(self._arrived)

    def heads(self) -> dict[str, Head]:
        with self._lock:
            self._check_open()
            return dict(self._heads)

    def latest(self, author: str) -> int:
        self._check_open()
        return self._latest.get(author, 0)

    def clock(self) -> int:
        self._check_open()
        return self._clock

    def forks(self) -> dict[str, int]:
        with self._lock:
            self._check_open()
            return dict(self._forks)

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._check_open()
            self._snapshot = snapshot

    def snapshot(self, version: int) -> Snapshot | None:
        with self._lock:
            self._check_open()
            kept = self._snapshot
            return kept if kept is not None and kept.version == version and self._is_valid(kept) else None

    def _is_valid(self, snapshot: Snapshot) -> bool:
        then = [verified.entry for verified in self._arrived[: snapshot.count]]
        now = [verified.entry for verified in self._arrived]
        return _frozen_or_not(then, snapshot.place) == _frozen_or_not(now, snapshot.place)

    def close(self) -> None:
        self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise JournalError("the store is closed; open it again to read or write.")


def _id_of(entry: Entry) -> str:
    return entry.id


def _frozen_or_not(entries: list[Entry], last: Place) -> dict[str, bool]:
    """Return the ids of the entries up to a place, and whether each is frozen: all that a fold up to there reads."""
    signed: dict[tuple[str, int], int] = {}
    forks: dict[str, int] = {}
    for entry in entries:
        key = (entry.author, entry.seq)
        signed[key] = signed.get(key, 0) + 1
        if signed[key] > 1:
            forks[entry.author] = min(entry.seq, forks.get(entry.author, entry.seq))
    return {
        entry.id: entry.seq >= forks.get(entry.author, entry.seq + 1) for entry in entries if place_of(entry) <= last
    }
