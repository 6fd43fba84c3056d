"""The store in one SQLite file, encrypted and clear, against the contract; and what only a file can do wrong."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest
from tests.journal.contract import Opener, Pen, StoreContract, image
from tests.journal.entries import PASSPHRASE, network_of

from abasto.errors import JournalError
from abasto.journal.migrations import APPLICATION, STEPS, migrate
from abasto.journal.sqlite import SqliteStore, plain, sortable
from abasto.journal.sqlite_file import Key, is_clear, told

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


class FileContract(StoreContract):
    key: str | None

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Iterable[Opener]:
        path = tmp_path / "journal.db"
        return lambda: SqliteStore(path, key=self.key, create=not path.exists())


class TestClearStore(FileContract):
    key = None


class TestEncryptedStore(FileContract):
    key = PASSPHRASE


def made(path: Path, *, key: str | None = PASSPHRASE, entries: int = 5) -> Path:
    store = SqliteStore(path, key=key, create=True)
    store.add(network_of(entries))
    store.close()
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Ids as bytes


def test_sortable_ids_sort_as_their_text_and_come_back() -> None:
    ids = [verified.entry.id for verified in network_of(300)]
    assert sorted(ids) == [plain(raw) for raw in sorted(map(sortable, ids))]
    assert sorted(ids) != [id for _, id in sorted((id.swapcase(), id) for id in ids)]  # So the order tells something.
    assert {len(sortable(id)) for id in ids} == {33}


# Keys


@pytest.mark.parametrize(
    ("key", "given", "told"),
    [
        (PASSPHRASE, "cuatro camiones", "the passphrase is wrong, or the file's first page is damaged"),
        (PASSPHRASE, None, "this journal is encrypted; give its passphrase"),
        (PASSPHRASE, "", "the passphrase is empty"),
        (None, PASSPHRASE, "this journal is not encrypted; open it without a passphrase"),
    ],
)
def test_a_passphrase_that_does_not_fit_says_so_and_changes_nothing(
    tmp_path: Path, key: str | None, given: str | None, told: str
) -> None:
    path = made(tmp_path / "journal.db", key=key)
    before = tree(tmp_path)
    with pytest.raises(JournalError, match=re.escape(told)) as caught:
        SqliteStore(path, key=given)
    assert str(path) in str(caught.value) or given == ""
    assert tree(tmp_path) == before


def test_a_passphrase_is_the_same_however_a_keyboard_composes_it(tmp_path: Path) -> None:
    composed, in_parts = "ca\u00f1a", "can\u0303a"
    assert composed != in_parts
    made(tmp_path / "journal.db", key=composed)
    store = SqliteStore(tmp_path / "journal.db", key=in_parts)
    assert store.count() == 5
    store.close()


def test_a_passphrase_that_is_no_text_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no UTF-8") as caught:
        SqliteStore(tmp_path / "journal.db", key="secret\udcf1", create=True)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert not (tmp_path / "journal.db").exists()


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    assert repr(Key(b"k" * 32, b"s" * 16)) == "Key()"


def test_two_files_with_one_passphrase_have_different_keys(tmp_path: Path) -> None:
    one, other = (made(tmp_path / name).read_bytes() for name in ("one.db", "other.db"))
    assert one[:16] != other[:16]
    assert len(one) == len(other)
    same = sum(a == b for a, b in zip(one, other, strict=True))
    assert same < len(one) / 64  # Noise agrees in one byte of 256.


# Files that are no journal


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty and no journal"),
        (b"site,good,quantity\n", "this is no journal of Abasto"),
        (b"SQLite format 3\0" + bytes(4080), "the passphrase is wrong|the file is damaged|database of another program"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_left(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=told):
        SqliteStore(path, key=None if content.startswith(b"SQLite") else PASSPHRASE)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    other = apsw.Connection(str(path))
    other.execute("PRAGMA journal_mode = wal")
    other.execute("CREATE TABLE bookmarks (address)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="a database of another program and no journal of Abasto"):
        SqliteStore(path, key=None)
    assert path.read_bytes() == before


def test_a_path_that_is_not_there_or_not_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no such file or folder"):
        SqliteStore(tmp_path / "no" / "journal.db", key=None)
    with pytest.raises(JournalError, match="no such file or folder"):
        SqliteStore(tmp_path / "no" / "journal.db", key=None, create=True)
    with pytest.raises(JournalError, match="there is something already"):
        SqliteStore(made(tmp_path / "journal.db"), key=None, create=True)


@POSIX
def test_nobody_else_may_read_the_file_or_its_log(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = SqliteStore(tmp_path / "journal.db", key=None, create=True)
        store.add(network_of(3))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(old)
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}


def test_a_closed_journal_is_one_file_and_says_whether_it_is_clear(tmp_path: Path) -> None:
    for key in (None, PASSPHRASE):
        folder = tmp_path / str(key)
        folder.mkdir()
        path = made(folder / "journal.db", key=key)
        assert list(tree(folder)) == ["journal.db"]
        assert is_clear(path) is (key is None)


# Versions and migrations


def raw_file(path: Path, *, version: int, steps: tuple[str, ...] = ()) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    for step in steps:
        connection.execute(step)
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    raw_file(path, version=0).close()
    store = SqliteStore(path, key=None)
    try:
        assert store.add(network_of(5)) == 5
        assert store.structure() == []
    finally:
        store.close()
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(STEPS)
    connection.close()


def test_steps_to_come_keep_what_is_there_and_are_taken_once(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db", key=None, entries=20)
    connection = apsw.Connection(str(path))
    before = connection.execute("SELECT * FROM entry").fetchall()
    longer = (*STEPS, "ALTER TABLE entry ADD COLUMN came TEXT DEFAULT 'by hand'", "CREATE TABLE more (a)")
    assert [migrate(connection, longer), migrate(connection, longer)] == [len(STEPS), len(longer)]
    assert connection.execute("SELECT * FROM entry").fetchall() == [(*row, "by hand") for row in before]
    assert connection.pragma("user_version") == len(longer)
    connection.close()


def test_a_step_that_fails_leaves_the_file_at_its_version(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db", key=None)
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.SQLError, match="no such table: nowhere"):
        migrate(connection, (*STEPS, "CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)"))
    assert not connection.in_transaction
    assert connection.pragma("user_version") == len(STEPS)
    assert not connection.execute("SELECT * FROM sqlite_schema WHERE name = 'half'").fetchall()
    connection.close()


def test_a_file_of_a_newer_version_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    raw_file(path, version=len(STEPS) + 1, steps=STEPS).close()
    before = path.read_bytes()
    told = f"has version {len(STEPS) + 1}, and this Abasto knows versions up to {len(STEPS)}; it was left as it is"
    with pytest.raises(JournalError, match=told):
        SqliteStore(path, key=None)
    assert path.read_bytes() == before


# Several programs


def test_a_writer_waits_for_a_short_write_of_another_program(tmp_path: Path) -> None:
    entries = network_of(6)
    path = made(tmp_path / "journal.db", key=None)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    store = SqliteStore(path, key=None)
    done = threading.Timer(0.3, other.execute, ["COMMIT"])
    done.start()
    try:
        assert store.add(entries) == 1
    finally:
        done.join()
        store.close()
        other.close()


def test_a_second_writer_is_told_that_another_one_is_at_work(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db", key=None)
    store = SqliteStore(path, key=None)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    before = image(store)
    store._connection.set_busy_timeout(50)  # Whoever waits for the tests need not wait as long as a user may.
    with pytest.raises(JournalError, match="another program is writing to this journal; nothing of this was kept"):
        store.add(Pen(3).chain(2))
    assert image(store) == before
    other.execute("ROLLBACK")
    assert store.add(Pen(3).chain(2)) == 2
    store.close()
    other.close()


def test_what_another_program_adds_is_there_at_the_next_reading(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db")
    here = SqliteStore(path, key=PASSPHRASE)
    begun = here.read()
    next(begun)
    program = (
        "import sys; from pathlib import Path; from abasto.journal.sqlite import SqliteStore\n"
        "from tests.journal.contract import Pen\n"
        "store = SqliteStore(Path(sys.argv[1]), key=sys.argv[2]); store.add(Pen(9).chain(3)); store.close()"
    )
    subprocess.run([sys.executable, "-c", program, str(path), PASSPHRASE], check=True, cwd=Path(__file__).parents[2])
    assert len(list(begun)) == 4  # What is added while somebody reads is not part of what they began to read.
    assert here.count() == len(list(here.read())) == 8
    assert here.heads()[Pen(9).key].arrival == 8
    here.close()


def test_whoever_opens_a_journal_that_others_write_in_takes_nothing_for_lost(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db", key=None, entries=1)
    stop = threading.Event()
    entries = network_of(400)

    def write() -> None:
        store = SqliteStore(path, key=None)
        store._connection.execute("PRAGMA wal_autocheckpoint = 5")  # So that the log begins anew again and again.
        for verified in entries:
            if stop.is_set():
                break
            store.add([verified])
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(60):
            store = SqliteStore(path, key=None)
            assert store.lost_pages() == 0
            store.close()
    finally:
        stop.set()
        writer.join()


# Size


def test_an_entry_takes_at_most_600_bytes_on_the_disk(tmp_path: Path) -> None:
    entries = network_of(5_000)
    store = SqliteStore(tmp_path / "journal.db", key=PASSPHRASE, create=True)
    store.add(entries)
    store.close()
    assert (tmp_path / "journal.db").stat().st_size / len(entries) <= 600


@pytest.mark.parametrize(
    ("free", "words"), [(0, "the disk is full, and without some room"), (10**9, "the disk or the file")]
)
def test_a_disk_without_room_for_the_index_of_the_log_is_called_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, words: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(JournalError, match=words), told(tmp_path / "journal.db"):
        raise apsw.IOError("disk I/O error")
