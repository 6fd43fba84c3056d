"""The tables of a journal's file, as steps from one version of them to the next.

`user_version` of a file says how many steps it has taken; a file of a newer version than this program knows is refused
and left as it is. Steps are never changed once a version of Abasto with them is out: a change is a step more.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from abasto.errors import JournalError

__all__ = ["APPLICATION", "STEPS", "migrate"]

APPLICATION = 0x4142_5354
"""`application_id` of our files ("ABST"); others are not opened."""

STEPS: tuple[str, ...] = (
    # 1. Ids and signatures as bytes, authors by number, entries packed with what their author always says (`packing`):
    # an entry costs about as much as it says that is new. Ids are 33 bytes that sort as their text does
    # (`sqlite.sortable`), as the fold reads in that order. The row number is the order of arrival. Ids are found by
    # their first six bytes: the one index without any locality stays small. What `author` says of chains is computed
    # from the entries; `verify` computes it again.
    """
    CREATE TABLE author (
        n INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        words BLOB NOT NULL,
        head_seq INTEGER NOT NULL DEFAULT 0,
        head_id BLOB,
        head_lc INTEGER NOT NULL DEFAULT 0,
        head_arrival INTEGER NOT NULL DEFAULT 0,
        fork INTEGER
    ) STRICT;
    CREATE TABLE entry (
        n INTEGER PRIMARY KEY,
        author INTEGER NOT NULL REFERENCES author,
        seq INTEGER NOT NULL,
        lc INTEGER NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 33),
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        packed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX entry_by_id ON entry (substr(id, 1, 6));
    CREATE INDEX entry_by_author ON entry (author, seq);
    CREATE INDEX entry_by_place ON entry (lc, id);
    CREATE TABLE snapshot (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL,
        count INTEGER NOT NULL,
        lc INTEGER NOT NULL,
        id TEXT NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        content BLOB NOT NULL
    ) STRICT;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE device (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seed BLOB NOT NULL CHECK (length(seed) = 32),
        digest BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT;
    """,
)


def migrate(connection: apsw.Connection, steps: Sequence[str] = STEPS) -> int:
    """Bring a file to the version of `steps`, in one transaction, and return from which version it came.

    Raises `JournalError` for a file that is not ours or of a newer version; it is left as it is.
    """
    found = _version(connection, steps)
    if found == len(steps):
        return found
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Again under the lock: another program may have done it meanwhile.
        for step in steps[_version(connection, steps) :]:
            connection.execute(step)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return found


def _version(connection: apsw.Connection, steps: Sequence[str]) -> int:
    if connection.pragma("application_id") != APPLICATION:
        raise JournalError(
            f'"{connection.filename}": this is a database of another program and no journal of Abasto; it was left as '
            "it is. Check the path."
        )
    version = int(connection.pragma("user_version"))
    if version > len(steps):
        raise JournalError(
            f'"{connection.filename}": this journal has version {version}, and this Abasto knows versions up to '
            f"{len(steps)}; it was left as it is. Open it with a newer Abasto."
        )
    return version
