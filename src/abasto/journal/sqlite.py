"""The store of a network that needs no server: one file, encrypted unless asked otherwise, one writer at a time."""

from __future__ import annotations

import contextlib
import json
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any

import apsw

from abasto.errors import JournalError
from abasto.journal.entry import Entry, Placed, Signed
from abasto.journal.packing import Packer, words_of
from abasto.journal.signing import NOTHING
from abasto.journal.sqlite_file import Key, damaged_pages, make_file, new_key, open_file, told
from abasto.journal.store import Head, Kept, OvertakenError, Place, Snapshot, Verified

__all__ = ["SqliteStore", "plain", "sortable"]

FIRST_ROWS = 64
MOST_ROWS = 4_096
"""So many entries are read at once: few at first, as often the first is all that is asked for."""
REMEMBERED = 20_000
"""Of so many entries just read it is remembered whose they are: what an entry has seen is mostly recent."""

PACKERS = 512
"""Of so many authors the dictionary stays ready."""
LOST = "lost_pages"
"""The setting that remembers that a damaged log was found, which SQLite itself passes over without a word."""
BY_ID = "substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1"
"""As the index has only the beginning of an id."""

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SORTED = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""The letters of URL-safe base64 as they sort; read as these, base64 gives bytes that sort as the text does."""
_TO_STANDARD = bytes.maketrans(_SORTED, _STANDARD)
_TO_SORTED = bytes.maketrans(_STANDARD, _SORTED)


def sortable(id: str) -> bytes:
    """Return an id as 33 bytes that sort as its text does.

    >>> plain(sortable("-" * 42 + "A")) == "-" * 42 + "A"
    True
    """
    return a2b_base64(id.encode().translate(_TO_STANDARD) + b"A")


def plain(raw: bytes) -> str:
    """Return the id that `sortable` made these bytes of."""
    return b2a_base64(raw, newline=False)[:43].translate(_TO_SORTED).decode()


def _bound(id: str) -> bytes:
    """Return what a place's id packs to; one that is no entry stands before all (`""`) or after all (`"~"`)."""
    if len(id) == len(NOTHING):
        return sortable(id)
    return b"\xff" * 34 if id > "z" else b""


class SqliteStore:
    """Keeps entries, and beside them this device's seed and a home's settings, in a file of SQLite.

    Opening and every method raise `JournalError`, which says what to do. What `add` returned for has been synced.
    `key` is the passphrase, or the key of another file like this one; None is for a file that is not encrypted.
    `vfs` names the way in which SQLite reaches the disk; tests let it fail.
    """

    def __init__(self, path: Path, *, key: str | Key | None, create: bool = False, vfs: str | None = None) -> None:
        self.path = path
        self._lock = RLock()
        self._packers: dict[int, Packer] = {}
        if create:
            key = key if isinstance(key, Key) else new_key(key)
            make_file(path, key)
        self._connection, self._key, lost_pages = open_file(path, key, vfs=vfs)
        self._is_open = True
        if lost_pages:
            self.set_setting(LOST, f"{lost_pages}")
        self._has_lost = self.lost_pages() > 0

    def make_alike(self, path: Path) -> SqliteStore:
        """Return a new, empty store in a file that opens with the same passphrase."""
        make_file(path, self._key)
        return SqliteStore(path, key=self._key)

    def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
        if not entries:
            return 0
        if continues and self._has_lost:
            raise JournalError(
                f'"{self.path}": after a crash the last of what was written could not be read, and acknowledged '
                "entries may be gone with it. If others have them, this device would sign their numbers again and be "
                "frozen. Make a backup and restore it into a new home, which gets its own key; nothing was written."
            )
        with self._writing():
            if continues:
                first = entries[0].entry
                if self.latest(first.author) != first.seq - 1:
                    raise OvertakenError(first.author, first.seq)
            return self._add(entries)

    def _add(self, entries: Sequence[Verified]) -> int:
        new = self._unknown(entries)
        first = self.count() + 1
        samples = {kept.entry.author: kept.signed.raw for kept in new.values()}
        authors = {author: self._author(author, raw) for author, raw in samples.items()}
        tops = {author: self.latest(author) for author in authors}
        self._connection.executemany(
            "INSERT INTO entry (n, author, seq, lc, id, signature, packed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (n, author, entry.seq, entry.lc, id, signed.signature, self._packer(author).pack(signed.raw))
                for n, (id, (entry, signed)) in enumerate(new.items(), first)
                for author in (authors[entry.author],)
            ),
        )
        arrived: dict[str, dict[int, tuple[int, Entry]]] = {author: {} for author in authors}
        twice: dict[str, set[int]] = {author: set() for author in authors}
        for n, kept in enumerate(new.values(), first):
            entry = kept.entry
            if entry.seq in arrived[entry.author] or entry.seq <= tops[entry.author]:
                twice[entry.author].add(entry.seq)
            arrived[entry.author][entry.seq] = n, entry
        for author, n in authors.items():
            self._settle(n, arrived[author], twice[author])
        return len(new)

    def _unknown(self, entries: Sequence[Verified]) -> dict[bytes, Verified]:
        """Return those that are not kept yet, each once, by packed id."""
        new = {}
        for kept in entries:
            id = sortable(kept.entry.id)
            if id not in new and not self._has(id):
                new[id] = kept
        return new

    def _has(self, id: bytes) -> bool:
        return self._row(f"SELECT 1 FROM entry WHERE {BY_ID}", id) is not None

    def _author(self, key: str, raw: bytes) -> int:
        """Return an author's number; one that is new gets it, and the dictionary that this entry of it gives."""
        self._connection.execute(
            "INSERT INTO author (key, words) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, words_of(raw))
        )
        number: int = self._one("SELECT n FROM author WHERE key = ?", key)
        return number

    def _packer(self, author: int) -> Packer:
        packer = self._packers.get(author)
        if packer is None:
            if len(self._packers) >= PACKERS:
                self._packers.clear()
            packer = self._packers[author] = Packer(self._one("SELECT words FROM author WHERE n = ?", author))
        return packer

    def _raw(self, author: int, packed: bytes) -> bytes:
        return self._packer(author).unpack(packed)

    def _entry(self, author: int, packed: bytes, id: bytes) -> Entry:
        return entry_of(self._raw(author, packed), plain(id))

    def _settle(self, author: int, arrived: dict[int, tuple[int, Entry]], perhaps_twice: set[int]) -> None:
        """Write down where an author's chain ends now and where it forks, given what has just arrived of it."""
        seq, id, lc, arrival, fork = self._all(
            "SELECT head_seq, head_id, head_lc, head_arrival, fork FROM author WHERE n = ?", author
        )[0]
        forks = [fork] if fork is not None else []
        for number in perhaps_twice:
            if self._one("SELECT count(*) FROM entry WHERE author = ? AND seq = ?", author, number) > 1:
                forks.append(number)
        new_fork = min(forks, default=None)
        head = Head(seq, plain(id) if id else NOTHING, lc, arrival)
        if new_fork is not None and new_fork <= seq:
            head, arrived = Head(0, NOTHING, 0, 0), {}
        head = self._followed(author, head, new_fork, arrived)
        self._connection.execute(
            "UPDATE author SET head_seq = ?, head_id = ?, head_lc = ?, head_arrival = ?, fork = ? WHERE n = ?",
            (head.seq, sortable(head.id), head.lc, head.arrival, new_fork, author),
        )

    def _followed(self, author: int, head: Head, fork: int | None, arrived: dict[int, tuple[int, Entry]]) -> Head:
        """Return how far a chain goes on from a head, through what has just arrived and what waited for it."""
        while head.seq + 1 != fork:
            following = arrived.get(head.seq + 1) or self._waiting(author, head.seq + 1)
            if following is None:
                break
            n, entry = following
            if entry.prev != head.id or entry.lc <= head.lc:
                break
            head = Head(entry.seq, entry.id, entry.lc, max(head.arrival, n))
        return head

    def _waiting(self, author: int, seq: int) -> tuple[int, Entry] | None:
        row = self._row("SELECT n, packed, id FROM entry WHERE author = ? AND seq = ?", author, seq)
        with self._reading():
            return None if row is None else (row[0], self._entry(author, row[1], row[2]))

    def read(self, after: Place | None = None) -> Iterator[Placed]:
        with self._reading():
            # One statement, so that both are of one moment: what is added later is not part of this reading.
            (_, count), *forked = self._all(
                "SELECT '', coalesce(max(n), 0) FROM entry UNION ALL SELECT key, fork FROM author WHERE fork NOT NULL"
            )
        forks: dict[str, int] = dict(forked)
        owners = _Owners()
        lc, id = (0, b"") if after is None else (after.lc, _bound(after.id))
        rows = FIRST_ROWS
        while True:
            with self._reading():
                chunk = self._all(
                    "SELECT lc, id, author, packed FROM entry INDEXED BY entry_by_place "
                    "WHERE (lc, id) > (?, ?) AND n <= ? ORDER BY lc, id LIMIT ?",
                    lc, id, count, rows,
                )  # fmt: skip
                entries = [self._entry(author, packed, key) for _, key, author, packed in chunk]
                for entry in entries:
                    owners.remember(entry)
                placed = [self._placed(entry, forks, owners, count) for entry in entries]
            yield from placed
            if len(chunk) < rows:
                return
            lc, id, *_ = chunk[-1]
            rows = min(2 * rows, MOST_ROWS)

    def _placed(self, entry: Entry, forks: dict[str, int], owners: _Owners, count: int) -> Placed:
        seen = []
        for dep in entry.deps:
            owner = owners.of(dep) or self._owner(dep, count)
            if owner is not None and (owner[2], dep) < (entry.lc, entry.id):
                seen.append((owner[0], owner[1]))
        fork = forks.get(entry.author)
        return Placed(entry, tuple(seen), fork is not None and entry.seq >= fork)

    def _owner(self, id: str, count: int) -> tuple[str, int, int] | None:
        row = self._row(
            "SELECT author.key, seq, lc FROM entry JOIN author ON author.n = entry.author "
            f"WHERE {BY_ID} AND entry.n <= ?2",
            sortable(id), count,
        )  # fmt: skip
        return None if row is None else (row[0], row[1], row[2])

    def get(self, id: str) -> Signed | None:
        with self._reading():
            row = self._row(f"SELECT author, packed, signature FROM entry WHERE {BY_ID}", sortable(id))
            return None if row is None else Signed(self._raw(row[0], row[1]), row[2])

    def export(self) -> Iterator[Signed]:
        with self._reading():
            count = self.count()
            authors = self._all("SELECT n FROM author ORDER BY key")
        for (author,) in authors:
            for kept in self._follow(author, 0, count, MOST_ROWS):
                yield kept.signed

    def follow(self, author: str, after: int = 0) -> Iterator[Kept]:
        with self._reading():
            count, number = self.count(), self._one("SELECT n FROM author WHERE key = ?", author)
        return iter(()) if number is None else self._follow(number, after, count, FIRST_ROWS)

    def _follow(self, author: int, after: int, count: int, rows: int) -> Iterator[Kept]:
        """Yield an author's entries after a sequence number, of the first `count` that arrived, `rows` at first."""
        seq, id = after + 1, b""
        while True:
            with self._reading():
                chunk = self._all(
                    "SELECT seq, id, packed, signature FROM entry INDEXED BY entry_by_author "
                    "WHERE author = ? AND (seq, id) > (?, ?) AND n <= ? ORDER BY seq, id LIMIT ?",
                    author, seq, id, count, rows,
                )  # fmt: skip
                page = [
                    Kept(seq, plain(id), Signed(self._raw(author, packed), signature))
                    for seq, id, packed, signature in chunk
                ]
            yield from page
            if len(chunk) < rows:
                return
            seq, id, *_ = chunk[-1]
            rows = min(2 * rows, MOST_ROWS)

    def loose(self) -> dict[str, list[str]]:
        loose: dict[str, list[str]] = {}
        with self._reading():
            for key, id in self._all(
                "SELECT key, id FROM author CROSS JOIN entry INDEXED BY entry_by_author "
                "ON entry.author = author.n AND entry.seq > author.head_seq ORDER BY key, seq, id"
            ):
                loose.setdefault(key, []).append(plain(id))
        return loose

    def count(self) -> int:
        with self._reading():
            return int(self._one("SELECT max(n) FROM entry") or 0)

    def heads(self) -> dict[str, Head]:
        with self._reading():
            rows = self._all(
                "SELECT key, head_seq, head_id, head_lc, head_arrival FROM author WHERE head_seq > 0 ORDER BY key"
            )
            return {key: Head(seq, plain(id), lc, arrival) for key, seq, id, lc, arrival in rows}

    def latest(self, author: str) -> int:
        with self._reading():
            latest = self._one("SELECT max(seq) FROM entry WHERE author = (SELECT n FROM author WHERE key = ?)", author)
        return int(latest or 0)

    def clock(self) -> int:
        with self._reading():
            return int(self._one("SELECT max(lc) FROM entry") or 0)

    def forks(self) -> dict[str, int]:
        with self._reading():
            return dict(self._all("SELECT key, fork FROM author WHERE fork NOT NULL ORDER BY key"))

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        with self._writing():
            self._connection.execute(
                "INSERT OR REPLACE INTO snapshot (one, version, count, lc, id, digest, content) "
                "VALUES (1, ?, ?, ?, ?, ?, ?)",
                (snapshot.version, snapshot.count, *snapshot.place, _digest(snapshot), snapshot.content),
            )

    def snapshot(self, version: int) -> Snapshot | None:
        with self._reading():
            kept = self.kept_snapshot()
            if kept is None or kept[0].version != version or not kept[1] or not self._is_valid(kept[0]):
                return None
            return kept[0]

    def kept_snapshot(self) -> tuple[Snapshot, bool] | None:
        """Return the snapshot that is kept, valid or not, and whether it is as it was kept."""
        with self._reading():
            row = self._row("SELECT version, count, lc, id, digest, content FROM snapshot")
            if row is None:
                return None
            version, count, lc, id, digest, content = row
            snapshot = Snapshot(count, Place(lc, id), version, content)
            return snapshot, digest == _digest(snapshot)

    def _is_valid(self, snapshot: Snapshot) -> bool:
        """Return whether what arrived after a snapshot stands after its place and freezes nothing up to it."""
        count, lc, id = snapshot.count, snapshot.place.lc, _bound(snapshot.place.id)
        if self._one("SELECT 1 FROM entry WHERE n > ? AND (lc, id) <= (?, ?) LIMIT 1", count, lc, id):
            return False
        late = self._all(
            "SELECT n, fork FROM author WHERE fork NOT NULL AND n IN (SELECT author FROM entry WHERE n > ?)", count
        )
        for author, fork in late:
            before = self._one(
                "SELECT min(seq) FROM (SELECT seq FROM entry WHERE author = ? AND n <= ? GROUP BY seq "
                "HAVING count(*) > 1)",
                author, count,
            )  # fmt: skip
            if self._one(
                "SELECT 1 FROM entry WHERE author = ? AND seq >= ? AND seq < coalesce(?, seq + 1) "
                "AND (lc, id) <= (?, ?) LIMIT 1",
                author, fork, before, lc, id,
            ):  # fmt: skip
                return False
        return True

    def setting(self, name: str) -> str:
        """Return a setting of the home, `""` if it was never set."""
        with self._reading():
            return str(self._one("SELECT value FROM setting WHERE name = ?", name) or "")

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting of the home."""
        with self._writing():
            self._connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def change_setting(self, name: str, change: Callable[[str], str]) -> None:
        """Put what `change` makes of a setting in its place; nobody writes in between, and what it raises keeps it."""
        with self._writing():
            before = str(self._one("SELECT value FROM setting WHERE name = ?", name) or "")
            after = change(before)
            self._connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, after))

    def seed(self) -> bytes | None:
        """Return the seed of this device's key (32 bytes), None in a file without one, as a backup is."""
        with self._reading():
            row = self._row("SELECT seed, digest FROM device")
            if row is None:
                return None
            seed, digest = row
            is_whole = blake2b(seed, digest_size=32).digest() == digest
        if not is_whole:
            raise JournalError(
                f'"{self.path}": the key of this device is damaged; restore a backup into a new home, which gets a key '
                "of its own."
            )
        return bytes(seed)

    def keep_seed(self, seed: bytes) -> None:
        """Keep the seed of this device's key; a file has one, and keeps it."""
        with self._writing():
            digest = blake2b(seed, digest_size=32).digest()
            self._connection.execute("INSERT INTO device (one, seed, digest) VALUES (1, ?, ?)", (seed, digest))

    def columns(self) -> Iterator[tuple[int, str, int, int, str, bytes]]:
        """Yield arrival number, author, seq, lc, id and bytes of every entry as they stand in the columns.

        For `verify`, which trusts none of them.
        """
        n = 0
        while True:
            with self._reading():
                chunk = self._all(
                    "SELECT entry.n, author, key, seq, lc, id, packed FROM entry LEFT JOIN author "
                    "ON author.n = entry.author WHERE entry.n > ? ORDER BY entry.n LIMIT ?",
                    n, MOST_ROWS,
                )  # fmt: skip
                told = [
                    (n, key or "", seq, lc, plain(id), self._raw(author, packed))
                    for n, author, key, seq, lc, id, packed in chunk
                ]
            yield from told
            if len(chunk) < MOST_ROWS:
                return
            n = chunk[-1][0]

    def damaged_pages(self) -> tuple[int, list[int]]:
        """Return how many pages the file has and which cannot be read as they were written."""
        with self._reading():
            return damaged_pages(self._connection, self._key)

    def lost_pages(self) -> int:
        """Return how many pages, written last before a crash, could no longer be read when the file was opened."""
        with self._reading():
            return int(self.setting(LOST) or 0)

    def structure(self) -> list[str]:
        """Return what SQLite itself finds wrong with its tables and indices."""
        with self._reading():
            found = [row[0] for row in self._all("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        with self._lock:
            self._is_open = False
            with told(self.path):
                self._connection.close()

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock, told(self.path):
            if not self._is_open:
                raise JournalError(f'"{self.path}": the store is closed; open it again to read or write.')
            yield

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Tell of what SQLite does not notice in a file that is not encrypted: a changed byte in what is kept."""
        with self._working():
            try:
                yield
            except (zlib.error, ValueError, KeyError, TypeError) as error:
                raise JournalError(
                    f'"{self.path}": what is kept there is damaged; `abasto verify` says what is whole, a backup '
                    "has the rest."
                ) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing, on the disk at the end, and nobody else writes meanwhile."""
        with self._working():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._packers.clear()  # An author's number may be another's next time.
                if self._connection.in_transaction:
                    with contextlib.suppress(apsw.Error):
                        self._connection.execute("ROLLBACK")
                raise

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def _row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        return next(iter(self._all(statement, *values)), None)

    def _one(self, statement: str, *values: Any) -> Any:
        """Return the first value of the first row, None if there is no row."""
        row = self._row(statement, *values)
        return None if row is None else row[0]


class _Owners:
    """Whose the last entries read are: author, seq and lc by id, in two generations so that few are kept."""

    def __init__(self) -> None:
        self._young: dict[str, tuple[str, int, int]] = {}
        self._old: dict[str, tuple[str, int, int]] = {}

    def remember(self, entry: Entry) -> None:
        if len(self._young) >= REMEMBERED:
            self._young, self._old = {}, self._young
        self._young[entry.id] = entry.author, entry.seq, entry.lc

    def of(self, id: str) -> tuple[str, int, int] | None:
        return self._young.get(id) or self._old.get(id)


def entry_of(raw: bytes, id: str) -> Entry:
    """Return the entry of bytes that were checked before they were kept."""
    fields = json.loads(raw)
    return Entry(
        id,
        fields["c"],
        fields["a"],
        fields["seq"],
        fields["prev"],
        tuple(fields["deps"]),
        fields["lc"],
        fields["t"],
        fields["k"],
        fields["body"],
    )


def _digest(snapshot: Snapshot) -> bytes:
    head = f"{snapshot.version} {snapshot.count} {snapshot.place.lc} {snapshot.place.id} "
    digest = blake2b(head.encode(), digest_size=32)
    digest.update(snapshot.content)
    return digest.digest()
