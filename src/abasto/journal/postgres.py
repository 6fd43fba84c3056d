"""The store of a network that shares one server: PostgreSQL, in a schema of its own."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator, Sequence
from threading import RLock
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from abasto.errors import JournalError
from abasto.journal.entry import Entry, Placed, Signed
from abasto.journal.signing import NOTHING
from abasto.journal.store import Head, Kept, OvertakenError, Place, Snapshot, Verified

__all__ = ["PostgresStore"]

PAGE = 2_000
"""So many entries are fetched at once."""
PATIENCE_S = 30
"""So long another's writing is waited for."""

# Each step takes the tables one version further; what has been released is never changed. Ids are text that sorts by
# its bytes, because the order of the fold is that of the ids as text.
MIGRATIONS = (
    """
    CREATE TABLE author (
        author integer PRIMARY KEY,
        key text COLLATE "C" NOT NULL UNIQUE,
        latest bigint NOT NULL DEFAULT 0,
        head_seq bigint NOT NULL DEFAULT 0,
        head_id text COLLATE "C" NOT NULL DEFAULT '',
        head_lc bigint NOT NULL DEFAULT 0,
        head_arrival bigint NOT NULL DEFAULT 0,
        fork bigint,
        fork_arrival bigint
    );
    CREATE TABLE entry (
        n bigint PRIMARY KEY,
        id text COLLATE "C" NOT NULL UNIQUE,
        author integer NOT NULL REFERENCES author,
        seq bigint NOT NULL,
        lc bigint NOT NULL,
        raw bytea NOT NULL,
        signature bytea NOT NULL
    );
    CREATE INDEX entry_place ON entry (lc, id);
    CREATE INDEX entry_chain ON entry (author, seq);
    CREATE TABLE snapshot (
        version integer PRIMARY KEY,
        count bigint NOT NULL,
        lc bigint NOT NULL,
        id text COLLATE "C" NOT NULL,
        content bytea NOT NULL
    );
    """,
)

_INSERT = """
    INSERT INTO entry (n, id, author, seq, lc, raw, signature)
    SELECT %s + row_number() OVER (ORDER BY new.o), new.id, new.author, new.seq, new.lc, new.raw, new.signature
    FROM unnest(%b::text[], %b::integer[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[])
        WITH ORDINALITY AS new (id, author, seq, lc, raw, signature, o)
    ON CONFLICT DO NOTHING
"""
_SETTLE = """
    UPDATE author SET latest = %s, head_seq = %s, head_id = %s, head_lc = %s, head_arrival = %s, fork = %s,
        fork_arrival = %s
    WHERE author = %s
"""
_READ = """
    SELECT entry.id, entry.raw, entry.seq >= author.fork
    FROM entry JOIN author USING (author)
    WHERE (entry.lc, entry.id) > (%s, %s)
    ORDER BY entry.lc, entry.id
"""
_SEEN = """
    SELECT entry.id, author.key, entry.seq, entry.lc FROM entry JOIN author USING (author) WHERE entry.id = ANY(%s)
"""
_EXPORT = """
    SELECT entry.raw, entry.signature FROM entry JOIN author USING (author)
    ORDER BY author.key, entry.seq, entry.id
"""
_FOLLOW = """
    SELECT entry.seq, entry.id, entry.raw, entry.signature FROM entry JOIN author USING (author)
    WHERE author.key = %s AND entry.seq > %s
    ORDER BY entry.seq, entry.id
"""
_LOOSE = """
    SELECT author.key, entry.id FROM author JOIN entry ON entry.author = author.author AND entry.seq > author.head_seq
    ORDER BY author.key, entry.seq, entry.id
"""
_OUTDATED = """
    SELECT EXISTS (SELECT FROM entry WHERE n > %(count)s AND (lc, id) <= (%(lc)s, %(id)s))
        OR EXISTS (
            SELECT FROM author JOIN entry USING (author)
            WHERE fork_arrival > %(count)s AND seq >= fork AND (lc, id) <= (%(lc)s, %(id)s)
        )
"""


class PostgresStore:
    """Keeps entries in a schema of a PostgreSQL database, which several homes may share.

    Opening and every method raise `JournalError`, which says what to do. Whoever writes holds the schema's lock until
    it has committed, so that arrival numbers have no holes. Each reading has a connection of its own, and sees what was
    there when it began.
    """

    def __init__(self, dsn: str, schema: str = "abasto") -> None:
        self._dsn = dsn
        self._schema = schema
        self._lock = RLock()
        self._lock_number = zlib.crc32(schema.encode())
        self._is_open = True
        with _failures_told("open the journal's database"):
            self._connection = self._connect()
            try:
                self._migrate()
            except BaseException:
                self._connection.close()
                raise

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(self._dsn, autocommit=True, application_name="abasto")
        try:
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self._schema)))
            # A server may acknowledge before its disk has written; what is acknowledged here must have been.
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        """Make the tables, or take them to this version; who may not do that may still use them as they are."""
        if self._version() == len(MIGRATIONS):
            return
        with self._writing():
            version = self._version()  # Another home may have been faster.
            if version > len(MIGRATIONS):
                raise JournalError(
                    f"schema {self._schema} has version {version}, and this Abasto knows up to {len(MIGRATIONS)}; "
                    "nothing was changed. Open it with the newer Abasto that wrote it."
                )
            if version == 0:
                self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._schema)))
                self._connection.execute("CREATE TABLE version (version integer NOT NULL)")
                self._connection.execute("INSERT INTO version VALUES (0)")
            for step in MIGRATIONS[version:]:
                self._connection.execute(step)
            self._connection.execute("UPDATE version SET version = %s", [len(MIGRATIONS)])

    def _version(self) -> int:
        """Return the version of the tables, 0 if there are none."""
        if self._number("SELECT count(to_regclass('version'))") == 0:
            return 0
        return self._number("SELECT version FROM version")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, in which nobody else writes to the schema."""
        with self._using("write to"), self._connection.transaction():
            self._connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._lock_number])
            yield

    @contextlib.contextmanager
    def _using(self, what: str = "read") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with self._lock, _failures_told(f"{what} the journal's database"):
            if not self._is_open:
                raise JournalError("the store is closed; open it again to read or write.")
            if self._connection.closed:
                self._connection = self._connect()  # The server, or the way to it, was gone for a while.
            yield self._connection

    def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
        with self._writing():
            if continues and entries:
                first = entries[0].entry
                if self.latest(first.author) != first.seq - 1:
                    raise OvertakenError(first.author, first.seq)
            new = self._unknown(entries)
            if new:
                self._insert(new)
            return len(new)

    def _unknown(self, entries: Sequence[Verified]) -> list[Verified]:
        """Return those that are not kept yet, each once."""
        by_id = {verified.entry.id: verified for verified in entries}
        known = self._connection.execute("SELECT id FROM entry WHERE id = ANY(%s)", [list(by_id)])
        for (id,) in known:
            del by_id[id]
        return list(by_id.values())

    def _insert(self, new: list[Verified]) -> None:
        before = self.count()
        numbers = self._author_numbers({verified.entry.author for verified in new})
        kept = self._connection.execute(
            _INSERT,
            [
                before,
                [verified.entry.id for verified in new],
                [numbers[verified.entry.author] for verified in new],
                [verified.entry.seq for verified in new],
                [verified.entry.lc for verified in new],
                [verified.signed.raw for verified in new],
                [verified.signed.signature for verified in new],
            ],
        )
        if kept.rowcount != len(new):
            raise JournalError(
                f"{len(new) - kept.rowcount} entries were written by somebody who does not hold the lock; nothing was "
                "kept. Only Abasto may write into this schema."
            )
        arrived: dict[str, list[tuple[int, Entry]]] = {author: [] for author in numbers}
        for n, verified in enumerate(new, start=before + 1):
            arrived[verified.entry.author].append((n, verified.entry))
        for author, entries in arrived.items():
            self._settle(numbers[author], entries)

    def _author_numbers(self, keys: set[str]) -> dict[str, int]:
        sorted_keys = sorted(keys)
        self._connection.execute(
            "INSERT INTO author (author, key) "
            "SELECT (SELECT coalesce(max(author), 0) FROM author) + row_number() OVER (), key FROM unnest(%s::text[]) "
            "AS new (key) WHERE NOT EXISTS (SELECT FROM author WHERE author.key = new.key)",
            [sorted_keys],
        )
        return dict(self._connection.execute("SELECT key, author FROM author WHERE key = ANY(%s)", [sorted_keys]))

    def _settle(self, author: int, arrived: list[tuple[int, Entry]]) -> None:
        """Write down an author's latest entry, first fork and head, now that some more of its entries are here."""
        row = self._connection.execute(
            "SELECT latest, fork, fork_arrival, head_seq, head_id, head_lc, head_arrival FROM author WHERE author = %s",
            [author],
        ).fetchone()
        assert row is not None
        latest, fork, fork_arrival = row[:3]
        found = self._first_fork(author, [entry.seq for _, entry in arrived], latest)
        if found is not None and (fork is None or found < fork):
            fork, fork_arrival = found, arrived[-1][0]
        latest = max(latest, *(entry.seq for _, entry in arrived))
        head = Head(*row[3:])
        if fork is not None and fork <= head.seq:
            head = self._head_before(author, fork)
        head = self._followed(author, head, {entry.seq: (n, entry) for n, entry in arrived}, fork or latest + 1)
        self._connection.execute(_SETTLE, [latest, *head, fork, fork_arrival, author])

    def _first_fork(self, author: int, seqs: list[int], latest: int) -> int | None:
        """Return the smallest of the numbers that more than one entry of the author has."""
        if min(seqs) > latest and len(set(seqs)) == len(seqs):
            return None
        row = self._connection.execute(
            "SELECT seq FROM entry WHERE author = %s AND seq = ANY(%s) GROUP BY seq HAVING count(*) > 1 "
            "ORDER BY seq LIMIT 1",
            [author, seqs],
        ).fetchone()
        return None if row is None else row[0]

    def _head_before(self, author: int, fork: int) -> Head:
        """Return the head of an author who forked within what was its chain."""
        row = self._connection.execute(
            "SELECT seq, id, lc, (SELECT max(n) FROM entry WHERE author = %(author)s AND seq < %(fork)s) FROM entry "
            "WHERE author = %(author)s AND seq = %(fork)s - 1",
            {"author": author, "fork": fork},
        ).fetchone()
        return _NO_HEAD if row is None else Head(*row)

    def _followed(self, author: int, head: Head, arrived: dict[int, tuple[int, Entry]], end: int) -> Head:
        """Return the head after all entries that go on from it, up to before number `end`."""
        known = dict(arrived)
        while head.seq + 1 < end:
            if head.seq + 1 not in known:
                known = self._chain(author, head.seq + 1)
            following = known.get(head.seq + 1)
            if following is None:
                break
            n, entry = following
            if entry.prev != (head.id or NOTHING) or entry.lc <= head.lc:
                break
            head = Head(entry.seq, entry.id, entry.lc, max(head.arrival, n))
        return head

    def _chain(self, author: int, seq: int) -> dict[int, tuple[int, Entry]]:
        """Return a page of an author's entries from a sequence number on, with their arrival numbers."""
        rows = self._connection.execute(
            "SELECT n, id, raw FROM entry WHERE author = %s AND seq >= %s AND seq < %s", [author, seq, seq + PAGE]
        )
        entries = ((n, _entry(id, raw)) for n, id, raw in rows)
        return {entry.seq: (n, entry) for n, entry in entries}

    def read(self, after: Place | None = None) -> Iterator[Placed]:
        place = Place(0, "") if after is None else after
        with self._reading() as connection, connection.cursor("entries", binary=True) as cursor:
            cursor.execute(_READ, place)
            while rows := cursor.fetchmany(PAGE):
                page = [(_entry(id, raw), bool(is_frozen)) for id, raw, is_frozen in rows]
                deps = list({dep for entry, _ in page for dep in entry.deps})
                here = {row[0]: row[1:] for row in connection.execute(_SEEN, [deps])} if deps else {}
                for entry, is_frozen in page:
                    yield Placed(entry, _seen(entry, here), is_frozen)

    def export(self) -> Iterator[Signed]:
        with self._reading() as connection, connection.cursor("entries", binary=True) as cursor:
            cursor.execute(_EXPORT)
            while rows := cursor.fetchmany(PAGE):
                yield from (Signed(raw, signature) for raw, signature in rows)

    def follow(self, author: str, after: int = 0) -> Iterator[Kept]:
        with self._reading() as connection, connection.cursor("entries", binary=True) as cursor:
            cursor.execute(_FOLLOW, [author, after])
            while rows := cursor.fetchmany(PAGE):
                yield from (Kept(seq, id, Signed(raw, signature)) for seq, id, raw, signature in rows)

    def loose(self) -> dict[str, list[str]]:
        loose: dict[str, list[str]] = {}
        with self._using() as connection:
            for author, id in connection.execute(_LOOSE):
                loose.setdefault(author, []).append(id)
        return loose

    @contextlib.contextmanager
    def _reading(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection that sees what is there now until it is closed, whatever is added meanwhile."""
        with self._using():
            connection = self._connect()
        with _failures_told("read the journal's database"), contextlib.closing(connection):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def get(self, id: str) -> Signed | None:
        with self._using() as connection:
            row = connection.execute("SELECT raw, signature FROM entry WHERE id = %s", [id]).fetchone()
            return None if row is None else Signed(*row)

    def count(self) -> int:
        return self._number("SELECT coalesce(max(n), 0) FROM entry")

    def clock(self) -> int:
        return self._number("SELECT coalesce(max(lc), 0) FROM entry")

    def latest(self, author: str) -> int:
        return self._number("SELECT coalesce(max(latest), 0) FROM author WHERE key = %s", author)

    def _number(self, query: LiteralString, *values: str) -> int:
        with self._using() as connection:
            row = connection.execute(query, values).fetchone()
            return 0 if row is None else int(row[0])

    def heads(self) -> dict[str, Head]:
        with self._using() as connection:
            rows = connection.execute(
                "SELECT key, head_seq, head_id, head_lc, head_arrival FROM author WHERE head_seq > 0"
            )
            return {key: Head(*head) for key, *head in rows}

    def forks(self) -> dict[str, int]:
        with self._using() as connection:
            return dict(connection.execute("SELECT key, fork FROM author WHERE fork IS NOT NULL").fetchall())

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        with self._writing():
            self._connection.execute(
                "INSERT INTO snapshot (version, count, lc, id, content) VALUES (%s, %s, %s, %s, %b) "
                "ON CONFLICT (version) DO UPDATE SET count = EXCLUDED.count, lc = EXCLUDED.lc, id = EXCLUDED.id, "
                "content = EXCLUDED.content",
                [snapshot.version, snapshot.count, snapshot.place.lc, snapshot.place.id, snapshot.content],
            )

    def snapshot(self, version: int) -> Snapshot | None:
        with self._using() as connection:
            row = connection.execute(
                "SELECT count, lc, id, content FROM snapshot WHERE version = %s", [version]
            ).fetchone()
            if row is None:
                return None
            count, lc, id, content = row
            outdated = connection.execute(_OUTDATED, {"count": count, "lc": lc, "id": id}).fetchone()
            return Snapshot(count, Place(lc, id), version, content) if outdated == (False,) else None

    def close(self) -> None:
        with self._lock:
            self._is_open = False
            self._connection.close()


_NO_HEAD = Head(0, "", 0, 0)
"""Where a chain begins; in the table as in here, it has no id."""


def _entry(id: str, raw: bytes) -> Entry:
    """Return the entry of bytes that were checked before they were kept."""
    fields = json.loads(raw)
    return Entry(
        id=id,
        network=fields["c"],
        author=fields["a"],
        seq=fields["seq"],
        prev=fields["prev"],
        deps=tuple(fields["deps"]),
        lc=fields["lc"],
        time=fields["t"],
        kind=fields["k"],
        body=fields["body"],
    )


def _seen(entry: Entry, here: dict[str, tuple[str, int, int]]) -> tuple[tuple[str, int], ...]:
    """Return the authors and numbers of those of an entry's deps that are here and stand before it."""
    seen = []
    for dep in entry.deps:
        if dep in here:
            author, seq, lc = here[dep]
            if (lc, dep) < (entry.lc, entry.id):
                seen.append((author, seq))
    return tuple(seen)


@contextlib.contextmanager
def _failures_told(what: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise JournalError(
            f"could not {what}: somebody else has been writing for {PATIENCE_S} s; nothing was written, so try again."
        ) from error
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise JournalError(
            f"could not {what} ({reason or type(error).__name__}); nothing was written. Check that the server answers, "
            "has space, and lets you in, then try again."
        ) from error
