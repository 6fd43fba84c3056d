"""The store on a shared server, against the contract and a real server, and what only a server can do wrong."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.journal.contract import Opener, Pen, StoreContract, ids, image, read_ids

from abasto.errors import JournalError
from abasto.facts.kinds import NoteWritten
from abasto.journal import postgres
from abasto.journal.entry import Entry
from abasto.journal.journal import Journal
from abasto.journal.postgres import MIGRATIONS, PostgresStore
from abasto.journal.signing import Device
from abasto.journal.store import Place, Snapshot

DSN = os.environ.get("ABASTO_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
HOW = (
    f"no PostgreSQL answers at {DSN}; start one, as with `docker run -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust "
    "postgres`, or name one in $ABASTO_TEST_POSTGRES"
)


@pytest.fixture
def schema() -> Iterator[str]:
    """Give a name that no schema has, and remove the schema afterwards."""
    name = f"abasto_test_{uuid.uuid4().hex}"
    try:
        connection = psycopg.connect(DSN, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        pytest.skip(HOW)
    with connection:
        yield name
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


@pytest.fixture
def store(schema: str) -> Iterator[PostgresStore]:
    store = PostgresStore(DSN, schema)
    yield store
    store.close()


def ask(query: str, *, schema: str, dsn: str = DSN) -> list[tuple[object, ...]]:
    """Return what another connection than the store's sees."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def notes(count: int, *, of: str) -> list[NoteWritten]:
    return [NoteWritten(f"{of} {number}", "2026-11-22") for number in range(count)]


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path, schema: str) -> Iterable[Opener]:
        return lambda: PostgresStore(DSN, schema)


def test_many_homes_write_at_once_and_every_chain_and_number_is_whole(schema: str) -> None:
    homes, rounds = 6, 8
    founder = Journal(PostgresStore(DSN, schema), Device(b"f" * 32))
    founder.found("Cordón", date="2026-11-22", time=0)
    begin = Barrier(homes)

    def live(number: int) -> list[Entry]:
        journal = Journal(PostgresStore(DSN, schema), Device(bytes([number]) * 32))
        begin.wait()
        made = [journal.append(notes(1 + turn % 3, of=f"{number}.{turn}"), time=0) for turn in range(rounds)]
        journal.store.close()
        return [entry for batch in made for entry in batch]

    with ThreadPoolExecutor(homes) as threads:
        acknowledged = [entry for made in threads.map(live, range(homes)) for entry in made]
    store = founder.store
    kept = [placed.entry for placed in store.read()]
    assert {entry.id for entry in acknowledged} <= {entry.id for entry in kept}
    assert len(kept) == len(acknowledged) + 1
    assert store.forks() == {}
    assert sum(head.seq for head in store.heads().values()) == len(kept)
    assert ask("SELECT n FROM entry ORDER BY n", schema=schema) == [(n,) for n in range(1, len(kept) + 1)]
    store.close()


def test_one_key_in_two_processes_does_not_fork(schema: str) -> None:
    founder = Journal(PostgresStore(DSN, schema), Device(b"f" * 32))
    founder.found("Cordón", date="2026-11-22", time=0)
    begin = Barrier(2)

    def live(number: int) -> int:
        journal = Journal(PostgresStore(DSN, schema), founder.device)
        begin.wait()
        written = 0
        for turn in range(20):
            try:
                written += len(journal.append(notes(2, of=f"{number}.{turn}"), time=0))
            except JournalError as error:
                assert "another process" in str(error)  # noqa: PT017 – being overtaken five times in a row is allowed
        journal.store.close()
        return written

    with ThreadPoolExecutor(2) as threads:
        written = sum(threads.map(live, range(2)))
    assert founder.store.forks() == {}
    assert founder.store.count() == written + 1
    assert [head.seq for head in founder.store.heads().values()] == [written + 1]
    founder.store.close()


def test_homes_see_at_once_what_others_added(store: PostgresStore, schema: str) -> None:
    other = PostgresStore(DSN, schema)
    chain = Pen(1).chain(3)
    store.add(chain)
    assert image(other) == image(store)
    other.close()


def test_a_reading_stands_still_while_others_write(
    store: PostgresStore, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE", 3)
    chain = Pen(1).chain(9)
    other = PostgresStore(DSN, schema)
    store.add(chain)
    reading, exporting = store.read(), store.export()
    first = next(reading).entry.id, next(exporting)
    other.add(Pen(2).chain(9))
    assert [first[0], *(placed.entry.id for placed in reading)] == ids(chain)
    assert [first[1], *exporting] == [verified.signed for verified in chain]
    assert store.count() == 18
    other.close()


def test_long_chains_are_followed_over_many_pages(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PAGE", 3)
    pen = Pen(1)
    chain = pen.chain(20)
    store.add(chain[1:])
    assert store.heads() == {}
    store.add(chain[:1])
    assert store.heads()[pen.key].seq == 20
    assert read_ids(store) == ids(chain)


def test_two_schemas_know_nothing_of_each_other(store: PostgresStore, schema: str) -> None:
    store.add(Pen(1).chain(2))
    other = PostgresStore(DSN, f"{schema}_other")
    try:
        assert other.count() == 0
    finally:
        other.close()
        ask(f'DROP SCHEMA "{schema}_other" CASCADE', schema=schema)


def test_a_schema_of_a_newer_version_is_refused_and_left_as_it_is(store: PostgresStore, schema: str) -> None:
    ask("UPDATE version SET version = 99", schema=schema)
    with pytest.raises(JournalError, match=r"version 99.*newer Abasto"):
        PostgresStore(DSN, schema)
    assert ask("SELECT version FROM version", schema=schema) == [(99,)]


def test_an_older_schema_is_taken_to_this_version_or_left_as_it_was(
    store: PostgresStore, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Pen(1).chain(2)
    store.add(chain)
    before = image(store)
    remark = "ALTER TABLE entry ADD COLUMN remark text"
    monkeypatch.setattr(postgres, "MIGRATIONS", (*MIGRATIONS, remark, "ALTER TABLE nowhere ADD COLUMN remark text"))
    with pytest.raises(JournalError, match="nothing was written"):
        PostgresStore(DSN, schema)
    assert ask("SELECT version FROM version", schema=schema) == [(len(MIGRATIONS),)]
    columns = (
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema AND column_name = 'remark'"
    )
    assert ask(columns, schema=schema) == [(0,)]
    monkeypatch.setattr(postgres, "MIGRATIONS", (*MIGRATIONS, remark))
    newer = PostgresStore(DSN, schema)
    assert ask("SELECT version FROM version", schema=schema) == [(len(MIGRATIONS) + 1,)]
    assert ask(columns, schema=schema) == [(1,)]
    assert image(newer) == before
    newer.close()


def test_a_server_that_may_forget_is_told_to_wait_for_its_disk(schema: str) -> None:
    forgetful = make_conninfo(DSN, options="-c synchronous_commit=off")
    assert ask("SHOW synchronous_commit", schema=schema, dsn=forgetful) == [("off",)]
    store = PostgresStore(forgetful, schema)
    assert store._connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    store.close()


def test_a_lost_connection_is_told_and_made_anew(store: PostgresStore, schema: str) -> None:
    chain = Pen(1).chain(2)
    store.add(chain[:1])
    ask(f"SELECT pg_terminate_backend({store._connection.info.backend_pid})", schema=schema)
    with pytest.raises(JournalError, match="nothing was written"):
        store.add(chain)
    assert store.add(chain) == 1
    assert read_ids(store) == ids(chain)


def test_whoever_waits_too_long_for_another_writer_is_told(
    store: PostgresStore, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_S", 1)
    other = PostgresStore(DSN, schema)
    with other._writing(), pytest.raises(JournalError, match="somebody else has been writing"):
        store.add(Pen(1).chain(1))
    assert store.add(Pen(1).chain(1)) == 1
    other.close()


def test_a_snapshot_of_one_version_leaves_that_of_another(store: PostgresStore) -> None:
    store.add(Pen(1).chain(2))
    for version in (1, 2):
        store.keep_snapshot(Snapshot(2, Place(2, "~"), version, b"%d" % version))
    assert [found and found.content for found in map(store.snapshot, (1, 2))] == [b"1", b"2"]


def test_no_server_is_told_without_the_password() -> None:
    with pytest.raises(JournalError, match=r"could not open the journal's database.*Check that the server") as told:
        PostgresStore("postgresql://somebody:s3cret@127.0.0.1:1/nowhere")
    assert "s3cret" not in str(told.value)
