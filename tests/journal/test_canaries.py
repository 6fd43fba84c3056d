"""Words planted in bodies, names and states: nobody reads them in what lies on the disk, or in what errors say."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from tests.journal.entries import DAY, PASSPHRASE, note

from abasto.errors import AbastoError
from abasto.journal.backup import backup, restore
from abasto.journal.home import FILE, Home
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Place, Snapshot

ROOT = Path(__file__).parents[2]
CANARY = "QuebrantahuesosAmarillo"
SEED = b"the seed of the canary's device."


def forms(word: bytes) -> Iterator[bytes]:
    """Yield how a word may stand in a file: as it is, in UTF-16, hex, or base64 at each of its three positions."""
    yield word
    yield word.decode("latin-1").encode("utf-16-le")
    yield word.hex().encode()
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + word)[4:-4]


def readable(folder: Path, *words: bytes) -> set[str]:
    """Return the files below a folder in which one of the words can be read in some form."""
    looked_for = [form for word in (CANARY.encode(), PASSPHRASE.encode(), SEED, *words) for form in forms(word)]
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {str(path.relative_to(folder)) for form in looked_for if form in content}
    return found


def fill(home: Home) -> list[bytes]:
    """Plant canaries in all that a journal keeps; return what else must not be seen: ids, signatures and keys."""
    home.journal.found(CANARY, date=DAY, time=0)
    home.journal.append([note(f"{CANARY} {number}") for number in range(50)], time=1)
    home.file.keep_snapshot(Snapshot(1, Place(1, home.journal.network), 1, CANARY.encode() * 500))
    home.file.set_setting("canary", CANARY)
    return [*(signed.signature for signed in home.journal.store.export()), home.journal.network.encode()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which temporary files are made too, so that all that is written is below it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def store_with_seed(folder: Path, key: str | None) -> Home:
    folder.mkdir()
    store = SqliteStore(folder / FILE, key=key, create=True)
    store.keep_seed(SEED)
    return Home(folder, store)


def test_nothing_can_be_read_in_the_file_its_log_or_a_backup(folder: Path) -> None:
    home = store_with_seed(folder / "home", PASSPHRASE)
    secrets = fill(home)
    assert {path.name for path in (folder / "home").iterdir()} == {FILE, f"{FILE}-wal", f"{FILE}-shm"}
    assert readable(folder, *secrets) == set()
    backup(home, folder / "b.abasto")
    assert readable(folder, *secrets) == set()
    home.close()
    assert readable(folder, *secrets) == set()
    restore(folder / "b.abasto", folder / "again", passphrase=PASSPHRASE)
    assert readable(folder, *secrets) == set()


def test_the_same_search_finds_them_in_a_clear_file(folder: Path) -> None:
    """Were it not so, the search would prove nothing."""
    home = store_with_seed(folder / "home", None)
    secrets = fill(home)
    assert f"home/{FILE}-wal" in readable(folder)
    home.close()
    assert readable(folder) == {f"home/{FILE}"}
    content = (folder / "home" / FILE).read_bytes()
    assert all(secret in content for secret in (CANARY.encode(), SEED, secrets[0]))


def test_an_encrypted_file_is_noise(folder: Path) -> None:
    home = store_with_seed(folder / "home", PASSPHRASE)
    fill(home)
    home.close()
    content = (folder / "home" / FILE).read_bytes()
    assert len(zlib.compress(content, 9)) > len(content) * 0.999
    assert content[16:24] == bytes.fromhex("1000020220402020")  # All that is plain: what every such file says.


def test_pages_that_do_not_fit_into_memory_are_written_encrypted(folder: Path) -> None:
    home = store_with_seed(folder / "home", PASSPHRASE)
    secrets = fill(home)
    connection = home.file._connection
    connection.execute("PRAGMA cache_size = 5")
    before = (folder / "home" / f"{FILE}-wal").stat().st_size
    connection.execute("BEGIN IMMEDIATE")
    for number in range(300):
        connection.execute("INSERT INTO setting VALUES (?, ?)", (f"{number}", CANARY * 100))
    rows = connection.execute("SELECT value || random() FROM setting ORDER BY 1").fetchall()  # A sort, in memory.
    assert len(rows) > 300
    assert (folder / "home" / f"{FILE}-wal").stat().st_size > before + 300_000  # Written before it is committed.
    assert readable(folder, *secrets) == set()
    connection.execute("ROLLBACK")
    home.close()
    assert readable(folder, *secrets) == set()


CRASHING = """
import os, signal, sys
from pathlib import Path
from abasto.journal.backup import backup
from abasto.journal.home import Home
from tests.journal import test_canaries
folder = Path(sys.argv[1])
home = test_canaries.store_with_seed(folder / "home", sys.argv[2])
test_canaries.fill(home)
home.file._connection.execute("PRAGMA cache_size = 5")
home.file._connection.execute("BEGIN IMMEDIATE")
for number in range(300):
    home.file._connection.execute("INSERT INTO setting VALUES (?, ?)", (f"{number}", test_canaries.CANARY * 100))
copy = home.file.make_alike(folder / "half-a-backup.new")
copy.set_setting("canary", test_canaries.CANARY)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_crash_leaves_nothing_to_be_read(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CRASHING, str(folder), PASSPHRASE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {FILE, f"{FILE}-wal", "half-a-backup.new", "half-a-backup.new-wal"} <= left
    assert readable(folder) == set()
    assert CANARY not in run.stdout + run.stderr
    with Home.open(folder / "home", passphrase=PASSPHRASE) as home:
        assert home.journal.store.count() == 51
    assert readable(folder) == set()


def test_no_error_says_what_an_entry_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = store_with_seed(folder / "home", PASSPHRASE)
    fill(home)
    attempts = [
        lambda: Home.open(folder / "home", passphrase=f"{PASSPHRASE}!"),
        lambda: Home.open(folder / "home", passphrase=None),
        lambda: Home.create(folder / "home", passphrase=PASSPHRASE),
        lambda: home.file.keep_seed(SEED),
        lambda: home.journal.append([note(f"{CANARY} in vain")], time=1),
        lambda: backup(home, folder / "home" / FILE),
        lambda: list(home.journal.read()),
        lambda: home.journal.store.count(),
    ]
    told = []
    for number, attempt in enumerate(attempts):
        if number == 4:
            home.file._connection.execute("PRAGMA query_only = on")  # As on a disk that became read-only.
        if number == 6:
            home.file._connection.execute("PRAGMA query_only = off")
            home.file._connection.execute("UPDATE entry SET packed = x'00'")
        if number == 7:
            home.close()
        with pytest.raises((AbastoError, apsw.Error)) as caught:
            attempt()
        told.append("".join(traceback.format_exception(caught.value)))
    assert all("Error" in text for text in told)
    for text in told:
        assert not any(form.decode("latin-1") in text for word in (CANARY, PASSPHRASE) for form in forms(word.encode()))
        assert SEED.decode() not in text
        assert SEED.hex() not in text
