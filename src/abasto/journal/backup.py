"""A backup of a journal in one file, and a new home made of it.

A backup is a journal's file without a device's key, its entries written anew, and a trailer: what it is, and a digest
of every byte before. It is encrypted as the home is, with the same passphrase.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from abasto.errors import EntryError, JournalError
from abasto.facts.codes import code_of
from abasto.journal.entry import Signed
from abasto.journal.home import FILE, Home
from abasto.journal.signing import id_of, read_entry
from abasto.journal.sqlite import SqliteStore
from abasto.journal.sqlite_file import passed, sync_folder, told
from abasto.journal.store import Verified
from abasto.journal.verify import verify_store

__all__ = ["backup", "restore"]

MARK = b"abasto backup 1\n"
DIGEST = 32
TRAILER = len(MARK) + DIGEST
PAGE = 5_000
BLOCK = 1024 * 1024


def backup(home: Home, path: Path) -> int:
    """Write all entries of a home to a new file and return how many; the file is there whole or not at all.

    What is added meanwhile is not part of it. Raises `JournalError` if an entry is damaged, something is there already,
    or the disk fails.
    """
    entries = 0
    with passed(path) as new, told(path):
        # SQLite makes the file itself; the name was only taken so that nobody else takes it.
        new.unlink()
        copy = home.file.make_alike(new)
        try:
            for page in _pages(_checked(home.journal.store.export())):
                entries += copy.add(page)
        finally:
            copy.close()
        with new.open("r+b") as file:
            digest = _digest(file, _size(file))
            file.write(MARK + digest)
    return entries


def restore(path: Path, folder: Path, *, passphrase: str | None) -> int:
    """Make a new home of a backup, with a key of its own, and return how many entries it has.

    Everything is checked before anything stands there: every byte, signature and chain. Raises `JournalError` if
    something is wrong, or the folder has something in it; then the folder is as it was.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise JournalError(f'"{folder}": is not empty; name a new folder, so that nothing is overwritten.')
    is_new = not folder.exists()
    with told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        entries = _restored(path, folder / FILE, passphrase)
        with told(folder):
            sync_folder(folder.parent)
        return entries
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _restored(path: Path, target: Path, passphrase: str | None) -> int:
    with passed(target) as new:
        with told(path), path.open("rb") as source:
            size = _content_size(source, path)
            source.seek(0)
            with new.open("r+b") as file:
                shutil.copyfileobj(source, file, BLOCK)
                file.truncate(size)
        try:
            store = SqliteStore(new, key=passphrase)
        except JournalError as error:
            # The new file is gone by the time anybody reads this.
            raise JournalError(str(error).replace(f'"{new}"', f'"{path}"')) from error
        try:
            wrong = [wrong for check in verify_store(store).checks for wrong in check.wrong]
            if wrong:
                raise JournalError(f'"{path}": the backup is damaged ({"; ".join(wrong[:3])}); nothing was restored.')
            store.keep_seed(secrets.token_bytes(32))
            return store.count()
        finally:
            store.close()


def _content_size(source: BinaryIO, path: Path) -> int:
    """Return how many bytes stand before the trailer, if every one of them is as it was written."""
    size = _size(source) - TRAILER
    if size > 0:
        source.seek(size)
        trailer = source.read(TRAILER)
        if trailer.startswith(MARK):
            if trailer[len(MARK) :] != _digest(source, size):
                raise JournalError(
                    f'"{path}": the backup is not as it was written, so nothing was restored; take another copy.'
                )
            return size
    raise JournalError(
        f'"{path}": this is no backup of Abasto, or its end is missing or damaged; nothing was restored.'
    )


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _digest(file: BinaryIO, size: int) -> bytes:
    """Return the digest of the first bytes of a file and of the mark that follows them; leaves it after these bytes."""
    digest = blake2b(digest_size=DIGEST)
    file.seek(0)
    left = size
    while left:
        block = file.read(min(left, BLOCK))
        digest.update(block)
        left -= len(block)
    digest.update(MARK)
    return digest.digest()


def _checked(entries: Iterable[Signed]) -> Iterator[Verified]:
    for signed in entries:
        try:
            yield read_entry(signed)
        except EntryError as error:
            raise JournalError(
                f"entry {code_of(id_of(signed.raw))} is damaged ({error}); of a damaged journal no backup is made. "
                "Run `abasto verify`, and restore an earlier backup."
            ) from error


def _pages(entries: Iterator[Verified]) -> Iterator[list[Verified]]:
    while page := list(islice(entries, PAGE)):
        yield page
