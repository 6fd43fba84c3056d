"""A home: the folder of a journal, its device's key, and entries that may be in PostgreSQL."""

from __future__ import annotations

import json
import os
import stat
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.journal.entries import DAY, PASSPHRASE, counted, note

from abasto.cli import main
from abasto.errors import JournalError
from abasto.examples import example_path
from abasto.journal.backup import backup, restore
from abasto.journal.home import FILE, Home
from abasto.journal.verify import verify

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_home_goes_on_with_its_key_and_entries(tmp_path: Path, passphrase: str | None) -> None:
    folder = tmp_path / "a" / "home"
    with Home.create(folder, passphrase=passphrase) as home:
        founding = home.journal.found("Barrio Sur", date=DAY, time=1)
        first = home.journal.append([counted(1), counted(2)], time=2)
        device = home.journal.device
    with Home.open(folder, passphrase=passphrase) as home:
        assert home.journal.device is not None
        assert device is not None
        assert home.journal.device.key == device.key
        assert home.journal.network == founding.id
        then = home.journal.append([note("all well")], time=3)
        assert [placed.entry for placed in home.journal.read()] == [founding, *first, *then]
        assert [entry.seq for entry in then] == [4]
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_every_home_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two", "three"):
        with Home.create(tmp_path / name, passphrase=None) as home:
            assert home.journal.device is not None
            keys.add(home.journal.device.key)
    assert len(keys) == 3


@POSIX
def test_a_home_is_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Home.create(tmp_path / "home", passphrase=None).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / FILE).stat().st_mode) == 0o600


def test_a_second_home_is_not_made_over_the_first(tmp_path: Path) -> None:
    Home.create(tmp_path, passphrase=PASSPHRASE).close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(JournalError, match="a journal is there already"):
        Home.create(tmp_path, passphrase=None)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_folder_without_a_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal is there"):
        Home.open(tmp_path, passphrase=None)


def test_a_wrong_passphrase_leaves_the_home_closed_and_whole(tmp_path: Path) -> None:
    Home.create(tmp_path, passphrase=PASSPHRASE).close()
    with pytest.raises(JournalError, match="the passphrase is wrong"):
        Home.open(tmp_path, passphrase="tres camiones")
    Home.open(tmp_path, passphrase=PASSPHRASE).close()


def test_a_damaged_key_signs_nothing(tmp_path: Path) -> None:
    with Home.create(tmp_path, passphrase=None) as home:
        home.file._connection.execute("UPDATE device SET seed = zeroblob(32)")
    with pytest.raises(JournalError, match="the key of this device is damaged; restore a backup"):
        Home.open(tmp_path, passphrase=None)


def test_two_programs_of_one_home_never_sign_one_number_twice(tmp_path: Path) -> None:
    with Home.create(tmp_path, passphrase=None) as one, Home.open(tmp_path, passphrase=None) as other:
        one.journal.found("Barrio Sur", date=DAY, time=0)
        for number in range(20):
            (one, other)[number % 2].journal.append([counted(number)], time=number)
        assert one.journal.store.forks() == {}
        (head,) = one.journal.store.heads().values()
        assert head.seq == other.journal.store.count() == 21


@pytest.fixture
def database() -> Iterator[str]:
    """Make a database of its own on the server that the tests of PostgreSQL use, and remove it afterwards."""
    from tests.journal.test_postgres import DSN, HOW

    name = f"abasto_test_{uuid.uuid4().hex}"
    try:
        connection = psycopg.connect(DSN, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        pytest.skip(HOW)
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_conninfo(DSN, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_entries_in_postgresql_are_backed_up_and_verified_like_others(tmp_path: Path, database: str) -> None:
    with Home.create(tmp_path / "home", passphrase=PASSPHRASE, store=database) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.append([counted(number) for number in range(20)], time=1)
    with Home.open(tmp_path / "home", passphrase=PASSPHRASE) as home:
        assert home.address == database
        assert home.file.count() == 0
        assert home.journal.store.count() == 21
        verdict = verify(home)
        assert verdict.is_fine
        assert {check.name: check.checked for check in verdict.checks}["signatures"] == 21
        assert backup(home, tmp_path / "b.abasto") == 21
        exported = list(home.journal.store.export())
        (home_id,) = home.journal.store.heads()
    assert restore(tmp_path / "b.abasto", tmp_path / "again", passphrase=PASSPHRASE) == 21
    with Home.open(tmp_path / "again", passphrase=PASSPHRASE) as again:
        assert again.address == ""
        assert list(again.journal.store.export()) == exported
        assert again.journal.device is not None
        assert again.journal.device.key != home_id


def test_homes_join_the_network_that_a_database_holds(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    monkeypatch.setenv("ABASTO_PASSPHRASE", PASSPHRASE)
    one, other = tmp_path / "one", tmp_path / "other"
    code, said = run("init", one, "--store", database)
    assert (code, one.exists()) == (2, False)
    assert "the database holds no network yet" in said
    tables = example_path("neighbourhood")
    assert run("init", one, "--from", tables, "--store", database, "--date", DAY)[0] == 0
    code, said = run("init", other, "--from", tables, "--store", database, "--date", DAY)
    assert (code, other.exists()) == (1, False)
    assert "join this one" in said
    code, said = run("init", other, "--store", database)
    assert (code, 'Joined the network "Neighbourhood"' in said) == (0, True)
    assert "members ask NAME" in said
    code, said = run("members", "ask", "Other", "--home", other, "--date", DAY, "--json")
    key = json.loads(said)["device"]
    assert run("members", "endorse", key, "reporter", "--sites", "Mill", "--home", one, "--date", DAY, "--yes")[0] == 0
    assert run("count", "Mill", "flour", 1380, "--home", other, "--date", DAY)[0] == 0
    assert "1,380" in run("stock", "Mill", "--home", one, "--date", DAY)[1]
    with Home.open(one, passphrase=PASSPHRASE) as home:
        assert len(home.journal.store.heads()) == 2


def test_a_server_that_does_not_answer_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"127\.0\.0\.1"):
        Home.create(tmp_path / "home", passphrase=None, store="postgresql://127.0.0.1:1/nowhere?connect_timeout=2")
    assert not (tmp_path / "home").exists()


def test_without_the_driver_a_home_in_postgresql_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "abasto.journal.postgres", raising=False)
    with pytest.raises(JournalError, match=r'pip install "abasto\[postgres\]"'):
        Home.create(tmp_path / "home", passphrase=None, store="postgresql://127.0.0.1/postgres")
    assert not (tmp_path / "home").exists()
