"""Disks that are full, write by halves or fail: nothing acknowledged is lost, nothing is there by halves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.journal.entries import PASSPHRASE, network_of
from tests.journal.faulty import Fault, FaultyDisk

from abasto.errors import JournalError
from abasto.journal.sqlite import SqliteStore
from abasto.journal.sqlite_file import Key
from abasto.journal.store import Verified
from abasto.journal.verify import verify_store

FAULTS: tuple[Fault, ...] = ("full", "short", "io")
FURTHEST = {"full": 60, "short": 60, "io": 120}
"""A round writes and reads about so often; a fault may come at any of these."""
BATCH = 3


@pytest.fixture(scope="session")
def only_disk() -> FaultyDisk:
    return FaultyDisk("faulty")


@pytest.fixture
def disk(only_disk: FaultyDisk) -> Iterator[FaultyDisk]:
    yield only_disk
    only_disk.disarm()


class Rounds:
    """Rounds of writing on a disk that fails at some moment, each gone on with on a whole one, as after a reboot."""

    def __init__(self, folder: Path, disk: FaultyDisk, fault: Fault, *, seed: int) -> None:
        self.disk, self.fault = disk, fault
        self.folder = folder
        self.random = Random(seed)
        self.entries: list[Verified] = network_of(1 + 40 * BATCH, devices=1)
        self.begin(0)

    def begin(self, number: int) -> None:
        self.path = self.folder / f"{number}.db"
        store = SqliteStore(self.path, key=PASSPHRASE, create=True)
        store.add(self.entries[:1])
        assert store._key is not None
        self.key: Key = store._key
        store.close()

    def run(self, number: int) -> bool:
        """Write until the disk fails; return whether it did. Raises if anything acknowledged is gone or by halves."""
        store = SqliteStore(self.path, key=self.key)
        acknowledged = store.count()
        store.close()
        if acknowledged + 6 * BATCH > len(self.entries):
            self.begin(number)
            acknowledged = 1
        failures = self.disk.failed
        self.disk.arm(self.fault, after=self.random.randrange(FURTHEST[self.fault]))
        with contextlib.suppress(JournalError):
            acknowledged = self.write(acknowledged)
        self.disk.disarm()
        self.check(acknowledged, every=number % 25 == 0)
        return self.disk.failed > failures

    def write(self, here: int) -> int:
        """Write a few batches, and one over again after a failure; return how many entries were acknowledged."""
        store = SqliteStore(self.path, key=self.key, vfs=self.disk.name)
        try:
            for _ in range(5):
                batch = self.entries[here : here + BATCH]
                try:
                    assert store.add(batch, continues=True) == BATCH
                except JournalError:
                    self.disk.disarm()
                    break
                here += BATCH
            return here
        finally:
            with contextlib.suppress(JournalError):
                store.close()

    def check(self, acknowledged: int, *, every: bool) -> None:
        store = SqliteStore(self.path, key=self.key)
        try:
            count = store.count()
            # A batch that failed may have reached the disk before it did: then it is there whole, and known as such.
            assert count in (acknowledged, acknowledged + BATCH)
            kept = [placed.entry for placed in store.read()]
            assert kept == [verified.entry for verified in self.entries[:count]]
            (head,) = store.heads().values()
            assert head.seq == count
            assert store.lost_pages() == 0
            assert store.structure() == []
            if every:
                assert verify_store(store).is_fine
        finally:
            store.close()


def faults(folder: Path, disk: FaultyDisk, fault: Fault, *, times: int, seed: int) -> None:
    rounds = Rounds(folder, disk, fault, seed=seed)
    failed = number = 0
    while failed < times:
        number += 1
        failed += rounds.run(number)
        assert number < 5 * times + 50, "the disk hardly ever failed; what is tested here then?"


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_acknowledged_is_lost_on_a_failing_disk(tmp_path: Path, disk: FaultyDisk, fault: Fault) -> None:
    faults(tmp_path, disk, fault, times=15, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_1_000_failures_of_the_disk_lose_nothing(tmp_path: Path, disk: FaultyDisk, fault: Fault) -> None:
    faults(tmp_path, disk, fault, times=1_000 // len(FAULTS) + 1, seed=2)


@pytest.mark.parametrize(
    ("fault", "told"), [("full", "the disk is full; nothing of this was kept"), ("io", "the disk or the file failed")]
)
def test_a_failing_disk_is_told_and_the_store_goes_on_when_it_works_again(
    tmp_path: Path, disk: FaultyDisk, fault: Fault, told: str
) -> None:
    entries = network_of(7)
    SqliteStore(tmp_path / "journal.db", key=PASSPHRASE, create=True).close()
    store = SqliteStore(tmp_path / "journal.db", key=PASSPHRASE, vfs=disk.name)
    store.add(entries[:4])
    disk.arm(fault, after=0)
    with pytest.raises(JournalError, match=told):
        store.add(entries[4:])
    disk.disarm()
    assert store.count() == 4
    assert store.add(entries[4:]) == 3
    assert [placed.entry for placed in store.read()] == [verified.entry for verified in entries]
    store.close()


def test_the_disk_sees_only_what_is_encrypted(tmp_path: Path, disk: FaultyDisk) -> None:
    """If the cipher stood below the failing disk and not above it, these tests would tell little."""
    SqliteStore(tmp_path / "journal.db", key=PASSPHRASE, create=True).close()
    store = SqliteStore(tmp_path / "journal.db", key=PASSPHRASE, vfs=disk.name)
    store.add(network_of(20))
    store.keep_seed(b"the seed of this device is this.")
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"CREATE TABLE" not in written
    assert b"the seed of this" not in written
    store.close()
