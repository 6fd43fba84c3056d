"""The exchange, on real journals in memory: what comes, what goes, in what order, and at what cost."""

from __future__ import annotations

from abasto.facts.kinds import NoteWritten
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.sync.exchange import Answerer, pull, push, sync

DAY = "2026-11-22"


def a_journal(number: int) -> Journal:
    return Journal(MemoryStore(), Device(bytes([number]) * 32))


def noted(journal: Journal, count: int) -> None:
    journal.append([NoteWritten(f"all well {number}", DAY) for number in range(count)], time=0)


def ids_of(journal: Journal) -> set[str]:
    return {placed.entry.id for placed in journal.read()}


def test_an_empty_journal_joins_whoever_it_asks() -> None:
    one, other = a_journal(1), a_journal(2)
    one.found("Barrio Sur", date=DAY, time=0)
    noted(one, 20)
    synced = pull(other, Answerer(one).answer)
    assert ids_of(other) == ids_of(one)
    assert (synced.came, synced.went, synced.refused) == (21, 0, [])
    assert synced.code
    noted(other, 3)
    synced = sync(one, Answerer(other).answer)
    assert ids_of(other) == ids_of(one)
    assert (synced.came, synced.went) == (3, 0)
    noted(other, 3)
    noted(one, 4)
    assert push(one, Answerer(other).answer).code == ""
    synced = sync(one, Answerer(other).answer)
    assert (synced.came, synced.went) == (3, 0)
    assert ids_of(other) == ids_of(one)
