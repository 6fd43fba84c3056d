"""Any order of delivery gives the same state to the byte: shuffled, doubled, in parts, with snapshots on the way.

Two deliberately naive stores stand beside the real one. They must be caught by the same schedules, or the test would
prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from month_run import Month

import abasto
from abasto.journal.entry import Placed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import read_entry
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Place, Snapshot, Store, Verified
from abasto.state.encode import VERSION, decode, encode
from abasto.state.fold import fold
from abasto.state.network import rows_of

REPLICAS = 3


class StoreInOrderOfArrival(MemoryStore):
    """A mutant: reads entries as they came, as a store does that nobody told about the order of the fold."""

    def read(self, after: Place | None = None) -> Iterator[Placed]:
        placed = {one.entry.id: one for one in super().read()}
        late = [placed[verified.entry.id] for verified in self._arrived]
        return iter(late if after is None else [one for one in late if Place(one.entry.lc, one.entry.id) > after])


class StoreThatTrustsSnapshots(MemoryStore):
    """A mutant: takes the latest snapshot for good, whatever has come since."""

    latest_kept: Snapshot | None = None

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        self.latest_kept = snapshot

    def snapshot(self, version: int) -> Snapshot | None:
        return self.latest_kept


@cache
def entries(seed: int, days: int, devices: int) -> tuple[Verified, ...]:
    """Return the entries of some days of the neighbourhood, with a fork, a body of no sense and a wild clock."""
    network = abasto.read(abasto.example_path("neighbourhood"))
    month = Month(network, facts=rows_of(network, date=date(2027, 3, 1)), devices=devices, seed=seed)
    for _ in month.days(days):
        pass
    for day in (11, 13):
        month.befall(day)
    month.fork(month.phones[2])
    for _ in range(2):
        month.life.day += 1
        month.life.live()
    month.phones.append(month.archive)
    month.heal()
    return tuple(read_entry(one) for one in month.archive.holds().values())


def folded(store: Store, *, keep: bool) -> bytes:
    """Return the state's bytes as a device comes to them: from its latest snapshot, keeping a new one."""
    snapshot = store.snapshot(VERSION)
    state = None if snapshot is None else decode(snapshot.content)
    state = fold(store.read(None if snapshot is None else snapshot.place), state)
    content = encode(state)
    if keep and state.place is not None:
        store.keep_snapshot(Snapshot(store.count(), state.place, VERSION, content))
    return content


def reference(all_entries: Sequence[Verified]) -> bytes:
    """Return the bytes of a state folded once, from everything, in one go."""
    store = MemoryStore()
    store.add(all_entries)
    return folded(store, keep=False)


def deliver(all_entries: Sequence[Verified], make: Callable[[int], Store], rng: random.Random) -> list[bytes]:
    """Deliver entries to replicas, each in an order of its own, in parts, some twice, cut off from each other at times.

    Every replica folds now and then, and keeps a snapshot of it. Returns the bytes each has in the end.
    """
    found = []
    for number in range(REPLICAS):
        store = make(number)
        waiting = list(all_entries)
        if rng.random() < 0.8:
            rng.shuffle(waiting)
        else:  # what one author wrote while cut off comes at last, in one piece
            away = rng.choice(waiting).entry.author
            waiting.sort(key=lambda one: (one.entry.author == away, one.entry.lc, one.entry.id))
        waiting += rng.sample(waiting, len(waiting) // 10)
        while waiting:
            size = rng.choice((1, 7, 40, len(waiting)))
            store.add(waiting[:size])
            del waiting[:size]
            if rng.random() < 0.3:
                folded(store, keep=True)
        found.append(folded(store, keep=False))
        store.close()
    return found


def caught(all_entries: Sequence[Verified], make: Callable[[int], Store], *, schedules: int, seed: int) -> int:
    """Return how many replicas ended in other bytes than everybody should."""
    expected, rng = reference(all_entries), random.Random(seed)
    return sum(content != expected for _ in range(schedules) for content in deliver(all_entries, make, rng))


def test_any_order_of_delivery_gives_the_same_state_to_the_byte() -> None:
    assert caught(entries(1, 4, 4), lambda number: MemoryStore(), schedules=67, seed=1) == 0


@pytest.mark.parametrize("mutant", [StoreInOrderOfArrival, StoreThatTrustsSnapshots])
def test_a_naive_store_is_caught_by_the_same_schedules(mutant: type[MemoryStore]) -> None:
    assert caught(entries(1, 4, 4), lambda number: mutant(), schedules=5, seed=1) > 0


def test_an_encrypted_file_gives_the_same_bytes_as_memory(tmp_path: Path) -> None:
    rng, expected = random.Random(3), reference(entries(1, 4, 4))
    for turn in range(2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        stores = lambda number, folder=folder: SqliteStore(folder / f"{number}.db", key="secret", create=True)  # noqa: E731
        assert set(deliver(entries(1, 4, 4), stores, rng)) == {expected}


def test_an_analyst_with_a_journal_in_memory_reads_what_a_device_reads() -> None:
    """Through `receive`, with every check, instead of `add`."""
    journal = Journal(MemoryStore())
    assert not journal.receive([one.signed for one in reversed(entries(1, 4, 4))]).refused
    assert encode(fold(journal.read())) == reference(entries(1, 4, 4))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_four_thousand_orders_of_delivery_give_the_same_state_to_the_byte(seed: int) -> None:
    assert caught(entries(seed, 4, 4), lambda number: MemoryStore(), schedules=1_000 // REPLICAS + 1, seed=seed) == 0
