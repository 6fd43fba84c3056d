"""The file of a journal as SQLite keeps it: made whole or not at all, locked with a passphrase, read page by page."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import apsw
from nacl import pwhash

from abasto.errors import JournalError
from abasto.journal.migrations import APPLICATION, migrate
from abasto.journal.wal import Log, read_log

__all__ = [
    "Key",
    "Opened",
    "damaged_pages",
    "is_clear",
    "make_file",
    "new_key",
    "open_file",
    "passed",
    "sync_folder",
    "told",
]

CLEAR = b"SQLite format 3\0"
PAGE = 4096
PLAIN = bytes.fromhex("1000020220402020")
"""Bytes 16 to 23 of an encrypted file: page size, WAL, 32 bytes kept per page, SQLite's fixed fractions."""
SALT = 16
MEMORY = 64 * 1024 * 1024
PASSES = 3
"""Argon2id with 64 MiB and three passes: about 0.1 s on a laptop, and as much for each guess of whoever stole it."""
WAIT_MS = 5_000
"""A short write of another program is waited for so long."""
INDEX = 32 * 1024
"""So many bytes the index of a log needs beside it, also for reading."""
LOOKS = 4
PAUSE_S = 0.05
"""So often, and after such a while, a log that seems damaged is looked at again."""
WAL_PAGES = 4_000
WAL_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Key:
    """What unlocks a file: 32 bytes made of the passphrase and of the salt, the file's first 16 bytes. Never shown."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)


def new_key(passphrase: str | None) -> Key | None:
    """Return a key for a new file; None for one that is not encrypted."""
    return None if passphrase is None else _key(passphrase, secrets.token_bytes(SALT))


def is_clear(path: Path) -> bool:
    """Return whether a file is a database that is not encrypted."""
    with told(path), path.open("rb") as file:
        return file.read(len(CLEAR)) == CLEAR


@contextlib.contextmanager
def passed(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to, for nobody else to read; what is there at the end becomes `path` at once.

    Whatever fails leaves nothing there. Refuses what is there already.
    """
    if path.exists():
        raise JournalError(f'"{path}": there is something already; choose another name, nothing was written.')
    with told(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
        os.close(handle)
    new = Path(name)
    try:
        yield new
        with told(path):
            with new.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(new, path)
            sync_folder(path.parent)
    finally:
        for left in path.parent.glob(f"{new.name}*"):
            left.unlink()


def make_file(path: Path, key: Key | None) -> None:
    """Make an empty journal; it is there whole or not at all."""
    with passed(path) as new, told(path):
        connection = _connect(new, key, vfs=None)
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            migrate(connection)
        finally:
            connection.close()


class Opened(NamedTuple):
    """An open journal's file, the key it was opened with, and how many pages written last can no longer be read."""

    connection: apsw.Connection
    key: Key | None
    lost_pages: int


def open_file(path: Path, passphrase: str | Key | None, *, vfs: str | None) -> Opened:
    """Open a journal and bring its tables to this version.

    `vfs` names how SQLite reaches the disk, for tests. Raises `JournalError` if there is no such file, it is no
    journal, or the passphrase is missing, wrong or not asked for.
    """
    key = _key_of(path, passphrase)
    with told(path):
        log = read_log(path)
        connection = _connect(path, key, vfs=vfs)
        try:
            lost = _lost_pages(connection, path, log)
            migrate(connection)
        except BaseException:
            connection.close()
            raise
    return Opened(connection, key, lost)


def _lost_pages(connection: apsw.Connection, path: Path, before: Log) -> int:
    """Return how many pages of whole transactions stood in the log before it was opened and are passed over now."""
    if not before.committed:
        return 0
    lost = 0
    # Another program may just be about to begin the log anew, and has done so a moment later: damage stays.
    for moment in range(LOOKS):
        if moment:
            time.sleep(PAUSE_S)
        ((is_busy, found, _),) = connection.execute("PRAGMA wal_checkpoint(passive)").fetchall()
        lost = before.committed - max(int(str(found)), 0)
        if is_busy or lost <= 0 or read_log(path).header != before.header:
            return 0
    return lost


def _key_of(path: Path, passphrase: str | Key | None) -> Key | None:
    """Return the key of a file; raises `JournalError` where file and passphrase cannot belong together."""
    with told(path), path.open("rb") as file:
        start = file.read(SALT + len(PLAIN))
    if not start:
        raise JournalError(f'"{path}": the file is empty and no journal; restore a backup, or check the path.')
    if start.startswith(CLEAR):
        if passphrase is not None:
            raise JournalError(f'"{path}": this journal is not encrypted; open it without a passphrase.')
        return None
    if start[SALT:] != PLAIN:
        raise JournalError(
            f'"{path}": this is no journal of Abasto, or its first page is damaged; check the path or restore a backup.'
        )
    if passphrase is None:
        raise JournalError(f'"{path}": this journal is encrypted; give its passphrase.')
    return passphrase if isinstance(passphrase, Key) else _key(passphrase, start[:SALT])


def _key(passphrase: str, salt: bytes) -> Key:
    # Two keyboards may write one letter in two ways; composed, both give the same key.
    try:
        secret = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError:
        raise JournalError(
            "the passphrase has bytes that are no UTF-8; type it at a terminal, or set it in one that writes UTF-8."
        ) from None
    if not secret:
        raise JournalError("the passphrase is empty; give one that others cannot guess.")
    return Key(pwhash.argon2id.kdf(32, secret, salt, opslimit=PASSES, memlimit=MEMORY), salt)


def _connect(path: Path, key: Key | None, *, vfs: str | None) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    try:
        if key is not None:
            # ChaCha20-Poly1305 puts a tag on every page, free ones too, and counts the page's number and the header
            # in: whatever is changed is noticed, not only unreadable. The AES-CBC of this library has no tag.
            connection.execute("PRAGMA cipher = 'chacha20'")
            connection.execute(f"PRAGMA key = 'raw:{key.key.hex()}{key.salt.hex()}'")
        connection.set_busy_timeout(WAIT_MS)
        connection.execute("PRAGMA temp_store = memory")
        connection.execute("PRAGMA secure_delete = on")
        connection.execute("PRAGMA cell_size_check = on")
        connection.execute("PRAGMA trusted_schema = off")
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = full")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        connection.execute("PRAGMA cache_size = -32768")
    except BaseException:
        connection.close()
        raise
    return connection


def _failed(path: Path, error: apsw.Error) -> str:
    return (
        f'"{path}": the disk or the file failed ({error}); nothing of this was kept. Check the disk, then run '
        "`abasto verify`."
    )


def _has_room(path: Path) -> bool:
    """Return whether the disk has room for the index of a log; also where it cannot be told."""
    try:
        return shutil.disk_usage(path.parent).free >= INDEX
    except OSError:
        return True


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into a `JournalError` that says what to do."""
    try:
        yield
    except apsw.NotADBError as error:
        why = "the passphrase is wrong, or the file's first page is damaged; try again, or restore a backup."
        raise JournalError(f'"{path}": {why}') from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise JournalError(
            f'"{path}": another program is writing to this journal; nothing of this was kept. Wait until it has '
            "finished or close it, and do this again."
        ) from error
    except apsw.FullError as error:
        why = "the disk is full; nothing of this was kept. Make room and do it again."
        raise JournalError(f'"{path}": {why}') from error
    except apsw.CorruptError as error:
        why = "the file is damaged; `abasto verify` says what is still whole, a backup brings back the rest."
        raise JournalError(f'"{path}": {why}') from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError) as error:
        raise JournalError(f'"{path}": cannot be opened for writing; check the path and its permissions.') from error
    except apsw.IOError as error:
        # Where there is no room for the index of its log, SQLite does not say that the disk is full.
        if not _has_room(path):
            why = "the disk is full, and without some room a journal cannot even be read; make room and do it again."
            raise JournalError(f'"{path}": {why}') from error
        raise JournalError(_failed(path, error)) from error
    except apsw.Error as error:
        raise JournalError(_failed(path, error)) from error
    except FileNotFoundError as error:
        raise JournalError(f'"{path}": there is no such file or folder; check the path.') from error
    except OSError as error:
        raise JournalError(f'"{path}": {error.strerror or error}; nothing of this was kept.') from error


def damaged_pages(connection: apsw.Connection, key: Key | None) -> tuple[int, list[int]]:
    """Return how many pages the file has and the numbers of those that cannot be read as they were written.

    Of an encrypted file these are all pages with a changed bit; a clear one has nothing to compare a page with.
    """
    ((is_busy, *_),) = connection.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
    path = Path(connection.filename)
    size = path.stat().st_size
    pages = size // PAGE
    count = int(connection.pragma("page_count"))
    # A connection that has read one damaged page in this way reads nothing after it, so this takes one of its own.
    reader = _connect(path, key, vfs=connection.open_vfs)
    try:
        # Another program may be writing a page just now: only what stays unreadable is damaged.
        damaged = [page + 1 for page in range(pages) if not any(_is_whole(reader, page) for _ in range(3))]
    finally:
        reader.close()
    if not is_busy and size != count * PAGE:
        damaged.append(pages + 1)
    return pages, damaged


def _is_whole(connection: apsw.Connection, page: int) -> bool:
    try:
        return connection.read("main", 0, page * PAGE, PAGE)[0]
    except apsw.Error:
        return False


def sync_folder(folder: Path) -> None:
    """Have the folder's list of names on the disk, where the system can be told to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
