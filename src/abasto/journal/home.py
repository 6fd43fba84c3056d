"""The home of a journal: a folder with its file, in which stand this device's key and where the entries are kept."""

from __future__ import annotations

import secrets
from pathlib import Path
from types import TracebackType

from abasto.errors import JournalError
from abasto.journal.journal import Journal
from abasto.journal.signing import Device
from abasto.journal.sqlite import SqliteStore
from abasto.journal.sqlite_file import told
from abasto.journal.store import Store

__all__ = ["FILE", "Home"]

FILE = "journal.db"
STORE = "store"
"""The setting that says where the entries are: `""` in the file itself, else a PostgreSQL address."""


class Home:
    """A folder that holds one device's journal; use it in a `with`, or `close` it.

    `file` is the folder's encrypted file: it has the device's key and settings, and the entries too unless these are in
    PostgreSQL. A home must not be copied, as two devices would then sign with one key: `backup` and `restore` do it.
    """

    def __init__(self, folder: Path, file: SqliteStore) -> None:
        self.folder = folder
        self.file = file
        try:
            seed = file.seed()
            if seed is None:
                seed = secrets.token_bytes(32)
                file.keep_seed(seed)
            self.address = file.setting(STORE)
            self.journal = Journal(_postgres(self.address) if self.address else file, Device(seed))
        except BaseException:
            file.close()
            raise

    @classmethod
    def create(cls, folder: Path, *, passphrase: str | None, store: str | None = None) -> Home:
        """Make a home with a fresh device key; without a passphrase its file is not encrypted.

        `store` is the address of a PostgreSQL database for the entries, such as `dbname=abasto`. Raises `JournalError`
        if there is a journal already; then nothing is changed.
        """
        path = folder / FILE
        if path.exists():
            raise JournalError(f'"{folder}": a journal is there already; choose another folder.')
        if store:
            _postgres(store).close()  # Before anything is made: the address may be wrong.
        with told(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = SqliteStore(path, key=passphrase, create=True)
        if store:
            file.set_setting(STORE, store)
        return cls(folder, file)

    @classmethod
    def open(cls, folder: Path, *, passphrase: str | None) -> Home:
        """Open a home; raises `JournalError` if there is none or the passphrase is missing or wrong."""
        path = folder / FILE
        if not path.is_file():
            raise JournalError(f'"{folder}": no journal is there; check the folder, or found a network in it.')
        return cls(folder, SqliteStore(path, key=passphrase))

    def close(self) -> None:
        """Write what is open and let go of the file."""
        self.journal.store.close()
        self.file.close()

    def __enter__(self) -> Home:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _postgres(address: str) -> Store:
    """Return the store at an address, which needs what the extra `postgres` installs."""
    try:
        from abasto.journal.postgres import PostgresStore
    except ImportError as error:
        raise JournalError(
            "the entries of this journal are in PostgreSQL, and its driver is not installed; install it with: "
            'pip install "abasto[postgres]"'
        ) from error
    return PostgresStore(address)
