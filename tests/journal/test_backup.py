"""Backup and restore: whole or not at all, the same entries, never the same key, and no damage goes unnoticed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.journal.contract import Pen, image, tangle
from tests.journal.entries import DAY, PASSPHRASE, counted, note

from abasto.errors import JournalError
from abasto.journal.backup import backup, restore
from abasto.journal.home import FILE, Home
from abasto.journal.sqlite import SqliteStore


@pytest.fixture(params=[None, PASSPHRASE], ids=["clear", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    secret: str | None = request.param
    return secret


@pytest.fixture
def home(tmp_path: Path, passphrase: str | None) -> Iterator[Home]:
    with Home.create(tmp_path / "home", passphrase=passphrase) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.append([counted(number) for number in range(30)], time=1)
        yield home


def entries_of(home: Home) -> list[tuple[bytes, bytes]]:
    return [tuple(signed) for signed in home.journal.store.export()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_restored_home_has_the_same_entries_and_signs_with_a_key_of_its_own(
    home: Home, tmp_path: Path, passphrase: str | None
) -> None:
    assert backup(home, tmp_path / "b.abasto") == 31
    assert restore(tmp_path / "b.abasto", tmp_path / "again", passphrase=passphrase) == 31
    with Home.open(tmp_path / "again", passphrase=passphrase) as again:
        assert entries_of(again) == entries_of(home)
        assert list(again.journal.read()) == list(home.journal.read())
        assert again.journal.device is not None
        assert home.journal.device is not None
        assert again.journal.device.key != home.journal.device.key
        # Both go on, as when a laptop thought lost turns up: nobody forks.
        again.journal.append([note("from the backup")], time=2)
        home.journal.append([note("from the old laptop")], time=2)
        again.journal.receive(home.journal.store.export())
        assert again.journal.store.forks() == {}
        assert again.journal.store.count() == 33


def test_every_restored_home_has_another_key(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    backup(home, tmp_path / "b.abasto")
    keys = set()
    for name in ("one", "two"):
        restore(tmp_path / "b.abasto", tmp_path / name, passphrase=passphrase)
        with Home.open(tmp_path / name, passphrase=passphrase) as again:
            assert again.journal.device is not None
            keys.add(again.journal.device.key)
    assert len(keys) == 2


def test_the_key_of_the_device_is_not_in_a_backup(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "b.abasto")
    with (tmp_path / "b.abasto").open("rb") as file:
        content = file.read()
    if home.file._key is None:
        assert home.file.seed() is not None
        assert (home.file.seed() or b"") not in content
    # An encrypted one shows nothing, so ask the store in it.
    (tmp_path / "inner.db").write_bytes(content[:-48])
    inner = SqliteStore(tmp_path / "inner.db", key=home.file._key)
    assert inner.seed() is None
    assert inner.count() == 31
    inner.close()


def test_forks_gaps_and_strangers_are_kept_as_they_are(tmp_path: Path) -> None:
    entries = tangle(Random(7))
    with Home.create(tmp_path / "home", passphrase=None) as home:
        home.journal.store.add(entries)
        backup(home, tmp_path / "b.abasto")
        # Of several networks at once, which no journal receives; the check says so, and the entries are the same.
        inner = SqliteStore(_inner(tmp_path / "b.abasto"), key=None)
        kept, copied = image(home.journal.store), image(inner)
        inner.close()
    for either in (kept, copied):
        either["heads"] = {key: head[:3] for key, head in either["heads"].items()}  # Arrivals are new in a copy.
    assert copied == kept
    assert kept["forks"]


def _inner(path: Path) -> Path:
    inner = path.with_suffix(".db")
    inner.write_bytes(path.read_bytes()[:-48])
    return inner


def test_a_backup_can_be_made_while_somebody_writes(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    stop = threading.Event()

    def write() -> None:
        with Home.open(tmp_path / "home", passphrase=passphrase) as other:
            number = 1000
            while not stop.is_set():
                other.journal.append([counted(number), counted(number + 1)], time=number)
                number += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = [backup(home, tmp_path / f"{number}.abasto") for number in range(5)]
    finally:
        stop.set()
        writer.join()
    for number, size in enumerate(sizes):
        assert restore(tmp_path / f"{number}.abasto", tmp_path / f"h{number}", passphrase=passphrase) == size
        with Home.open(tmp_path / f"h{number}", passphrase=passphrase) as again:
            assert all(head.seq == size for head in again.journal.store.heads().values())  # No half of a batch.
            assert size % 2 == 1


def test_nothing_is_overwritten(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    (tmp_path / "b.abasto").write_text("the cat's photographs")
    with pytest.raises(JournalError, match="there is something already"):
        backup(home, tmp_path / "b.abasto")
    assert (tmp_path / "b.abasto").read_text() == "the cat's photographs"
    backup(home, tmp_path / "c.abasto")
    with pytest.raises(JournalError, match="is not empty; name a new folder"):
        restore(tmp_path / "c.abasto", tmp_path / "home", passphrase=passphrase)
    assert names(tmp_path) == {"home", "b.abasto", "c.abasto"}


def test_an_empty_folder_may_be_restored_into(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    backup(home, tmp_path / "b.abasto")
    (tmp_path / "new").mkdir()
    assert restore(tmp_path / "b.abasto", tmp_path / "new", passphrase=passphrase) == 31


def test_a_disk_that_cannot_be_written_leaves_nothing(home: Home, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no such file or folder"):
        backup(home, tmp_path / "no" / "b.abasto")
    assert names(tmp_path) == {"home"}


def test_what_is_no_backup_is_refused_and_leaves_nothing(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    for number, content in enumerate((b"", b"site,good\n", (tmp_path / "home" / FILE).read_bytes())):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content)
        with pytest.raises(JournalError, match="this is no backup of Abasto, or its end is missing"):
            restore(path, tmp_path / "new", passphrase=passphrase)
        assert not (tmp_path / "new").exists()
    with pytest.raises(JournalError, match="no such file"):
        restore(tmp_path / "none", tmp_path / "new", passphrase=passphrase)
    assert not (tmp_path / "new").exists()


def test_another_passphrase_restores_nothing(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    backup(home, tmp_path / "b.abasto")
    other, told = ("guess", "is not encrypted") if passphrase is None else ("guess", "the passphrase is wrong")
    with pytest.raises(JournalError, match=rf"b\.abasto.*{told}"):
        restore(tmp_path / "b.abasto", tmp_path / "new", passphrase=other)
    assert not (tmp_path / "new").exists()


def test_of_a_damaged_journal_no_backup_is_made(tmp_path: Path) -> None:
    with Home.create(tmp_path / "home", passphrase=None) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.file._connection.execute("UPDATE entry SET signature = zeroblob(64)")
        with pytest.raises(JournalError, match=r"is damaged .*no backup is made"):
            backup(home, tmp_path / "b.abasto")
    assert names(tmp_path) == {"home"}


def test_a_backup_cut_short_anywhere_is_refused(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    backup(home, tmp_path / "b.abasto")
    content = (tmp_path / "b.abasto").read_bytes()
    for size in (len(content) - 1, len(content) - 48, len(content) // 2, 1):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(JournalError, match="nothing was restored"):
            restore(tmp_path / "cut", tmp_path / "new", passphrase=passphrase)
    (tmp_path / "longer").write_bytes(content + b"\0")
    with pytest.raises(JournalError, match="nothing was restored"):
        restore(tmp_path / "longer", tmp_path / "new", passphrase=passphrase)
    assert not (tmp_path / "new").exists()


def flips_noticed(home: Home, tmp_path: Path, passphrase: str | None, *, flips: int, seed: int) -> None:
    """Change one bit at a time, and see that a backup so changed is refused and leaves nothing."""
    backup(home, tmp_path / "b.abasto")
    content = bytearray((tmp_path / "b.abasto").read_bytes())
    random = Random(seed)
    last = range(8 * (len(content) - 48), 8 * len(content))  # The trailer is small: all of it, and places anywhere.
    places = [*random.sample(last, min(len(last), flips // 4)), *random.sample(range(8 * len(content)), flips)][:flips]
    for place in places:
        content[place // 8] ^= 1 << place % 8
        (tmp_path / "flipped").write_bytes(content)
        content[place // 8] ^= 1 << place % 8
        with pytest.raises(JournalError, match=re.escape(str(tmp_path / "flipped"))):
            restore(tmp_path / "flipped", tmp_path / "new", passphrase=passphrase)
        assert not (tmp_path / "new").exists(), place
    (tmp_path / "flipped").write_bytes(content)
    assert restore(tmp_path / "flipped", tmp_path / "new", passphrase=passphrase) == 31


def test_a_changed_bit_in_a_backup_is_noticed(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    flips_noticed(home, tmp_path, passphrase, flips=100, seed=1)


@pytest.mark.soak
def test_5_000_changed_bits_in_a_backup_are_all_noticed(home: Home, tmp_path: Path, passphrase: str | None) -> None:
    flips_noticed(home, tmp_path, passphrase, flips=5_000, seed=2)


def test_a_pen_is_no_member_of_a_backup(tmp_path: Path) -> None:
    """What was signed for another network is refused when a home is made of it, not only when it arrives."""
    with Home.create(tmp_path / "home", passphrase=None) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.store.add(Pen(4).chain(1))
        backup(home, tmp_path / "b.abasto")
    with pytest.raises(JournalError, match="is of another network"):
        restore(tmp_path / "b.abasto", tmp_path / "new", passphrase=None)
