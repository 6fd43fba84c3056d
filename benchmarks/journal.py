"""Measure the journal: durable entries a second, receiving, folding a long journal, and what an entry takes on disk."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from nacl.signing import VerifyKey

from abasto.facts.kinds import Fact
from abasto.journal.journal import Journal
from abasto.journal.signing import DOMAIN, bytes_of, read_entry
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Snapshot, Store, Verified
from benchmarks.case import Case
from benchmarks.journal_entries import device, entries, facts
from benchmarks.memory import peak_mib

__all__ = ["BATCHES", "measure"]

KEY = "a passphrase of the benchmark"
BATCHES = (1, 10, 100, 1000)
ROUNDS = 3
PAGE = 5_000
POSTGRES = "host=127.0.0.1 port=5432 user=postgres"
"""Where a server may answer; `ABASTO_BENCHMARK_POSTGRES` names another."""

Thing = TypeVar("Thing")


def measure(case: Case) -> dict[str, Any]:
    """Measure one part of the journal, on as many entries as the case's size says."""
    parts: dict[str, Callable[[int, Path], dict[str, Any]]] = {
        "journal-append": _append,
        "journal-receive": _receive,
        "journal-fold": _fold,
        "journal-postgres": _postgres,
    }
    with tempfile.TemporaryDirectory() as folder:
        return {**parts[case.solver](int(case.size), Path(folder)), "memory_mib": peak_mib()}


def pages(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Yield things in lists of a size."""
    waiting = iter(things)
    while page := list(islice(waiting, size)):
        yield page


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


# Durable entries a second


def _append(count: int, folder: Path) -> dict[str, Any]:
    """Entries a second that are on the disk, batch by batch: signed and kept, kept alone, and kept by plain SQLite."""
    begin = time.perf_counter()
    rows = []
    for batch in [batch for batch in BATCHES if batch <= count]:
        most = min(count, 250 * batch if batch < 100 else 50 * batch)
        ready = list(islice(entries(most), most))
        told = list(facts(most))
        contestants: dict[str, Callable[[Path], float]] = {
            "signed": lambda path, told=told, batch=batch: _signed(path, told, batch, key=KEY),
            "signed_clear": lambda path, told=told, batch=batch: _signed(path, told, batch, key=None),
            "raw": lambda path, ready=ready, batch=batch: _raw(path, ready, batch),
            "plain": lambda path, ready=ready, batch=batch: _plain(path, ready, batch),
        }
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for turn in range(ROUNDS):  # in turns, so that a busy disk is busy for all
            for name, contest in contestants.items():
                rates[name].append(most / contest(folder / f"{name} {batch} {turn}.db"))
        rows.append({"batch": batch, "entries": most} | {name: statistics.median(all) for name, all in rates.items()})
    return {"seconds": time.perf_counter() - begin, "rows": rows}


def _signed(path: Path, told: Sequence[Fact], batch: int, *, key: str | None) -> float:
    store = SqliteStore(path, key=key, create=True)
    seconds = _founded_and_told(store, told, batch)
    store.close()
    return seconds


def _founded_and_told(store: Store, told: Sequence[Fact], batch: int) -> float:
    """Return the seconds that appending takes to a journal that is founded first."""
    journal = Journal(store, device(0))
    journal.found("Benchmark", date="2026-01-01", time=0)
    return timed(lambda: [journal.append(page, time=0) for page in pages(told, batch)])


def _raw(path: Path, ready: Sequence[Verified], batch: int) -> float:
    store = SqliteStore(path, key=KEY, create=True)
    seconds = timed(lambda: [store.add(page) for page in pages(ready, batch)])
    store.close()
    return seconds


def _plain(path: Path, ready: Sequence[Verified], batch: int) -> float:
    """The same bytes in one table of the SQLite that comes with Python, in the clear, as durably."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE entry(id BLOB PRIMARY KEY, raw BLOB, signature BLOB)")

    def keep(page: Sequence[Verified]) -> None:
        database.execute("BEGIN IMMEDIATE")
        rows = ((bytes_of(one.entry.id), one.signed.raw, one.signed.signature) for one in page)
        database.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")

    seconds = timed(lambda: [keep(page) for page in pages(ready, batch)])
    database.close()
    return seconds


# What others sent


def _receive(count: int, folder: Path) -> dict[str, Any]:
    """Entries a second that are received: checked and kept, checked alone, and their signatures verified alone."""
    ready = list(entries(count))
    sent = [one.signed for one in ready]
    keys = [VerifyKey(bytes_of(one.entry.author)) for one in ready]
    store = SqliteStore(folder / "received.db", key=KEY, create=True)
    journal = Journal(store)
    seconds = timed(lambda: journal.receive(sent))
    store.close()
    alone = timed(lambda: [read_entry(one) for one in sent])
    sodium = timed(lambda: [key.verify(DOMAIN + one.raw, one.signature) for key, one in zip(keys, sent, strict=True)])
    return {
        "seconds": seconds,
        "received": count / seconds,
        "checked": count / alone,
        "verified": count / sodium,
    }


# A long journal


def _fold(count: int, folder: Path) -> dict[str, Any]:
    """A long journal opened: read, folded from nothing and from a snapshot, and its size on disk."""
    from abasto.state.encode import VERSION, decode, encode
    from abasto.state.fold import fold

    for name, key, length in (("journal.db", KEY, count), ("clear.db", None, max(1, count // 10))):
        child = get_context("spawn").Process(target=build, args=(folder / name, key, length))
        child.start()  # memory is that of whoever reads: a process of its own writes
        child.join()
        if child.exitcode != 0:
            raise RuntimeError(f"the journal of {length:,} entries could not be written; its process says why above")
    path = folder / "journal.db"
    opening = time.perf_counter()
    store = SqliteStore(path, key=KEY)
    opening = time.perf_counter() - opening
    reading = timed(lambda: sum(1 for _ in store.read()))
    begin = time.perf_counter()
    state = fold(Journal(store).read())
    cold = time.perf_counter() - begin
    memory = peak_mib()
    begin = time.perf_counter()
    content = encode(state)
    encoding = time.perf_counter() - begin
    last = state.place
    assert last is not None
    store.keep_snapshot(Snapshot(store.count(), last, VERSION, content))
    store.close()
    begin = time.perf_counter()
    store = SqliteStore(path, key=KEY)
    kept = store.snapshot(VERSION)
    assert kept is not None
    again = fold(Journal(store).read(kept.place), decode(kept.content))
    warm = time.perf_counter() - begin
    store.close()
    if encode(again) != content:
        raise RuntimeError("the state from the snapshot is another than that from the journal; a fault of the fold")
    return {
        "seconds": cold,
        "entries": count,
        "opening_seconds": opening,
        "reading_seconds": reading,
        "encoding_seconds": encoding,
        "warm_seconds": warm,
        "snapshot_mib": len(content) / 2**20,
        "bytes_per_entry": _size(path, less=len(content)) / count,
        "clear_bytes_per_entry": _size(folder / "clear.db") / max(1, count // 10),
        "fold_memory_mib": memory,
    }


def _size(path: Path, *, less: int = 0) -> int:
    """Return the bytes of a journal's file and whatever stands beside it, less those of a snapshot."""
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*")) - less


def build(path: Path, key: str | None, count: int) -> None:
    """Write a journal of so many entries."""
    store = SqliteStore(path, key=key, create=True)
    for page in pages(entries(count), PAGE):
        store.add(page)
    store.close()


# A shared server


def _postgres(count: int, folder: Path) -> dict[str, Any]:
    """Durable entries a second in PostgreSQL, where a server answers."""
    import psycopg

    from abasto.journal.postgres import PostgresStore

    dsn = os.environ.get("ABASTO_BENCHMARK_POSTGRES", POSTGRES)
    begin = time.perf_counter()
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return {"seconds": time.perf_counter() - begin, "rows": [], "status": "no server answers"}
    rows = []
    for batch in BATCHES:
        most = min(count, 50 * batch)
        told = list(facts(most))
        schema = f"abasto_benchmark_{os.getpid()}_{batch}"
        store: Store = PostgresStore(dsn, schema=schema)
        try:
            seconds = _founded_and_told(store, told, batch)
            rows.append({"batch": batch, "entries": most, "signed": most / seconds})
        finally:
            store.close()
            _drop(dsn, schema)
    return {"seconds": time.perf_counter() - begin, "rows": rows}


def _drop(dsn: str, schema: str) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
