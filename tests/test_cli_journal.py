"""Founding, changing and keeping a journal: whole or not at all, and nothing doubtful without being said twice."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import abasto
from abasto.facts.kinds import RowSet, StockCounted
from abasto.journal.home import Home
from abasto.state.encode import encode
from abasto.state.known import known
from abasto.state.network import as_kept
from homes import DAY, entries_of, new_home, printed, run, state_of

EXAMPLE = abasto.example_path("neighbourhood")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    made = new_home(tmp_path, monkeypatch)
    capsys.readouterr()
    return made


# init


def test_init_keeps_the_network_it_was_given(home: Path) -> None:
    network = abasto.read(EXAMPLE)
    assert known(state_of(home), network.start).network == as_kept(network)


def test_init_without_tables_makes_a_network_to_be_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ABASTO_HOME", str(tmp_path / "new"))
    assert run("init", tmp_path / "new", "--name", "Valle", "--clear", "--date", DAY) == 0
    assert "NOT encrypted" in capsys.readouterr().out
    assert run("set", "sites", "site=Depot", "--date", DAY) == 0
    assert run("set", "goods", "good=water", "unit=litre", "--date", DAY) == 0
    assert run("count", "depot", "water", "12000", "--date", DAY) == 0
    assert run("export", tmp_path / "out", "--date", DAY) == 0
    network = abasto.read(tmp_path / "out")
    assert (network.name, network.days) == ("Valle", 30)
    assert [(stock.site, stock.good, stock.quantity) for stock in network.stocks] == [("Depot", "water", 12000)]


def test_an_encrypted_journal_opens_with_its_passphrase_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "casa"
    monkeypatch.setenv("ABASTO_PASSPHRASE", "cuatro palabras")
    assert run("init", home, "--from", EXAMPLE, "--json") == 0
    document = printed(capsys)
    assert (document["name"], document["entries"], document["encrypted"]) == ("Neighbourhood", 61, True)
    assert b"Neighbourhood" not in (home / "journal.db").read_bytes()
    assert run("stock", "--home", home) == 0
    monkeypatch.setenv("ABASTO_PASSPHRASE", "otras palabras")
    assert run("stock", "--home", home) == 1
    assert "the passphrase is wrong" in capsys.readouterr().err
    monkeypatch.delenv("ABASTO_PASSPHRASE")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run("stock", "--home", home) == 2
    assert "nobody is at a terminal to ask; give its passphrase in $ABASTO_PASSPHRASE" in capsys.readouterr().err


def typed(arguments: list[str], *lines: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, where these lines are typed; return its exit code and what it showed."""
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ABASTO")}
    with subprocess.Popen(
        [sys.executable, "-m", "abasto", *arguments],
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True, env=environment,
    ) as process:  # fmt: skip
        os.close(follower)
        shown = b""
        left = [line.encode() + b"\n" for line in lines]
        while True:
            try:
                shown += os.read(leader, 4096)
            except OSError:
                break
            if left and shown.endswith(b": "):  # a prompt; the line break after an answer is none
                os.write(leader, left.pop(0))
    os.close(leader)
    return process.returncode, shown.decode()


def test_a_new_passphrase_is_typed_twice_and_does_not_show(tmp_path: Path) -> None:
    asked = ["init", str(tmp_path / "casa"), "--name", "Valle"]
    code, shown = typed(asked, "una", "otra")
    assert code == 2
    assert "these were two different passphrases; nothing was written" in " ".join(shown.split())
    assert not (tmp_path / "casa").exists()
    code, shown = typed(asked, "una larga", "una larga")
    assert code == 0
    assert "una larga" not in shown
    code, shown = typed(["stock", "--home", str(tmp_path / "casa")], "una larga")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("init", "HERE/casa", "--from", "HERE/none", "--clear"), 2, "there is no such folder or workbook"),
        (("init", "HERE/casa", "--clear"), 2, "a network begins with tables or at least a name"),
        (("init", "HERE/full", "--name", "Valle", "--clear"), 2, "there is something already"),
        (("init", "HERE/casa", "--name", " Valle", "--clear"), 1, "network.founded, name"),
        (("init", "HERE/casa", "--from", "HERE/bad", "--clear"), 1, "lanes.csv row 2"),
        (("init", "HERE/full/file/casa", "--name", "Valle", "--clear"), 2, "HERE/full/file"),
        (("init", "HERE/casa", "--name", "Valle", "--clear", "--date", "tomorrow"), 2, '--date "tomorrow"'),
    ],
)
def test_what_cannot_be_founded_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "bad").mkdir()
    for name, text in {"network": "name,start,days\nV,2027-03-01,3\n", "lanes": "from,to\na,b\n"}.items():
        (tmp_path / "bad" / f"{name}.csv").write_text(text, encoding="utf-8")
    assert run(*[argument.replace("HERE", str(tmp_path)) for argument in arguments]) == code
    assert words.replace("HERE", str(tmp_path)) in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "full"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_init_that_is_stopped_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("abasto.journal.journal.Journal.found", stopped)
    assert run("init", tmp_path / "casa", "--from", EXAMPLE, "--clear") == 130
    assert "given up; nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_on_the_disk_by_its_name_when_it_is_said_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, bool]] = []

    def recorded(folder: Path) -> None:
        synced.append((folder, any(one.is_dir() and one.suffix == "" for one in tmp_path.iterdir())))

    for module in ("sqlite_file", "backup"):
        monkeypatch.setattr(f"abasto.journal.{module}.sync_folder", recorded)
    assert run("init", tmp_path / "casa", "--name", "Barrio", "--clear") == 0
    assert synced[-1] == (tmp_path, True)
    assert run("backup", tmp_path / "copy.abasto", "--home", tmp_path / "casa") == 0
    synced.clear()
    assert run("restore", tmp_path / "copy.abasto", tmp_path / "again") == 0
    assert synced[-1] == (tmp_path, True)


# set and drop


def test_days_cannot_be_counted_from_a_start_that_is_no_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "casa"
    assert run("init", folder, "--name", "Barrio", "--clear", "--date", DAY) == 0
    with Home.open(folder, passphrase=None) as home:
        home.journal.append([RowSet("network", {"name": "Barrio", "start": "soon"}, DAY)], time=0)
    set_it = ("set", "needs", "site=Hill", "good=milk", "quantity=1", "from=3", "--home", folder, "--date", DAY)
    assert run(*set_it) == 1
    assert "write a date" in capsys.readouterr().err


def test_a_row_that_is_so_already_is_told_as_json_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setting = ("set", "sites", "site=Hill", "people=851", "--date", DAY, "--json")
    assert run(*setting) == 0
    assert json.loads(capsys.readouterr().out)["entry"]
    assert run(*setting) == 0
    assert json.loads(capsys.readouterr().out)["entry"] is None


def test_set_changes_the_row_that_is_meant_and_leaves_the_other_cells(home: Path) -> None:
    assert run("set", "sites", "site=Hill", "people=850", "--date", DAY) == 0
    assert run("set", "needs", "site=School", "good=bread", "quantity=50", "--date", DAY) == 0
    network = known(state_of(home), abasto.read(EXAMPLE).start).network
    hill = next(site for site in network.sites if site.site == "Hill")
    assert (hill.people, hill.lat) == (850, -33.03)
    [need] = [need for need in network.needs if (need.site, need.good) == ("School", "bread")]
    assert (need.quantity, need.from_day, need.to_day, need.people) == (50, 1, 5, 400)


def test_set_makes_a_row_where_there_is_none_and_blanks_a_cell(home: Path) -> None:
    assert run("set", "sites", "site=Camp", "people=90", "--date", DAY) == 0
    assert run("set", "fleets", "fleet=bicycles", "site=Market", "--date", DAY) == 1  # lanes would be left without one
    assert run("set", "fleets", "fleet=bicycles", "site=Market", "--date", DAY, "--yes") == 0
    assert run("set", "fleets", "fleet=bicycles", "site=", "--date", DAY) == 0
    assert run("set", "needs", "site=Camp", "good=bread", "quantity=9", "from=2", "to=3", "--date", DAY) == 0
    state = state_of(home)
    assert state.rows.cell("sites", "people", "Camp") == "90"
    assert state.rows.cell("fleets", "site", "bicycles") == ""
    assert state.rows.cell("fleets", "vehicles", "bicycles") == "3"
    assert state.rows.get("needs", "Camp", "bread", "2027-03-02", "2027-03-03") is not None


def test_setting_what_is_so_already_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = entries_of(home)
    assert run("set", "sites", "site=Hill", "people=800", "--date", DAY) == 0
    assert "Nothing to write" in capsys.readouterr().out
    assert entries_of(home) == before


def test_a_row_that_several_fit_is_not_guessed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("set", "needs", "site=School", "quantity=50") == 2
    assert "2 rows of needs have that: site=School good=bread from=2027-03-01" in capsys.readouterr().err
    assert run("drop", "lanes", "from=Mill") == 2
    assert "from=Mill to=North bakery; from=Mill to=South bakery" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "site", "site=Hill"), 2, 'unknown table "site"'),
        (("set", "sites", "site=Hill", "peeple=3"), 2, 'unknown column of sites "peeple"'),
        (("set", "sites", "Hill"), 2, '"Hill": write the column, an equals sign and the value'),
        (("set", "sites", "site=Hill", "site=Park"), 2, "site is given twice"),
        (("set", "sites"), 2, "say which row of sites"),
        (("set", "sites", "site=Hill", "people=8,5"), 1, "decimals take a point, not a comma"),
        (("set", "lanes", "from=Mill", "km=3", "to=Nowhere"), 1, 'there is no site "Nowhere"'),
        (("drop", "sites", "site=Mill"), 1, "the books still have 1400 kg of flour at Mill"),
        (("drop", "sites", "site=Mil"), 2, "no row has site=Mil"),
    ],
)
def test_what_cannot_be_set_or_is_doubtful_writes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = entries_of(home)
    assert run(*arguments) == code
    assert words in capsys.readouterr().err
    assert entries_of(home) == before


def test_a_site_that_is_undone_is_told_with_all_that_hangs_on_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("count", "Hill", "milk", "20", "--date", DAY) == 0
    [id] = [row.entry for row in state_of(home).rows.table("sites") if row.cells["site"] == "Hill"]
    capsys.readouterr()
    assert run("undo", id, "--date", DAY) == 0
    told = capsys.readouterr().err
    assert "once it is taken back: the books still have 20 litre of milk at Hill; book first where it went" in told
    assert 'once it is taken back: lanes Market / Hill — to: there is no site "Hill"' in told
    assert run("undo", id, "--yes", "--date", DAY) == 0


def test_a_dropped_site_is_gone_from_plans_with_all_that_refers_to_it(home: Path) -> None:
    assert run("drop", "sites", "site=Park", "--yes", "--date", DAY) == 0
    network = known(state_of(home), abasto.read(EXAMPLE).start).network
    assert "Park" not in {site.site for site in network.sites}
    assert "Park" not in {lane.to_site for lane in network.lanes}


def test_far_more_than_a_recipe_makes_is_doubtful(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("make", "North bakery", "baking", "1", "--line", "bread=9900", "--date", DAY) == 1
    assert "baking would have 100 kg of bread, and this is 9900 kg of bread; check the unit" in capsys.readouterr().err
    assert run("make", "North bakery", "baking", "1", "--line", "bread=99", "--date", DAY) == 0


def test_a_slip_in_the_year_is_of_this_device(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("count", "Mill", "flour", "1380", "--date", "2028-06-01") == 1
    assert "report of this device with a date far from all others (2028-06-01)" in capsys.readouterr().err


# undo and note


def test_undo_shows_first_and_takes_back_when_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = state_of(home).books.balance("Mill", "flour")
    assert run("handout", "Mill", "flour", "30", "--date", DAY, "--json") == 0
    code = printed(capsys)["code"]
    assert run("undo", code, "--date", DAY) == 0
    said = capsys.readouterr()
    assert "handed out 30 kg of flour at Mill" in said.out
    assert "nothing was written; to take it back, add --yes" in said.err
    assert state_of(home).books.balance("Mill", "flour") != books
    assert run("undo", code.lower().replace("-", ""), "--date", DAY, "--yes") == 0
    assert state_of(home).books.balance("Mill", "flour") == books
    capsys.readouterr()
    assert run("undo", code, "--date", DAY, "--yes") == 1
    assert "this cannot be taken back: undone already" in capsys.readouterr().err


def test_undo_of_a_row_brings_back_the_one_before(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("set", "sites", "site=Hill", "people=850", "--date", DAY, "--json") == 0
    code = printed(capsys)["code"]
    assert run("undo", code, "--yes", "--date", DAY) == 0
    assert state_of(home).rows.cell("sites", "people", "Hill") == "800"


def test_a_note_stands_with_what_it_is_about(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("note", "the van is in repair", "--about", "mill", "--date", DAY) == 0
    capsys.readouterr()
    assert run("history", "Mill") == 0
    assert "noted about Mill: the van is in repair" in capsys.readouterr().out
    assert run("note", "x", "--about", "Mil") == 2
    assert '"Mil": no site or good is called so' in capsys.readouterr().err


# plan and export


def test_a_plan_from_the_journal_is_that_of_its_exported_tables(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("count", "Mill", "flour", "700", "--date", DAY) == 0
    assert run("export", tmp_path / "tables", "--date", "2027-03-02", "--days", "5") == 0
    capsys.readouterr()
    assert run("plan", "--date", "2027-03-02", "--days", "5", "--json") == 0
    document = printed(capsys)
    plan = abasto.plan(abasto.read(tmp_path / "tables"))
    assert document["summary"]["objective"] == pytest.approx(plan.objective, rel=1e-6)
    assert document["known"]["day"] == "2027-03-02"
    figures = {(figure["site"], figure["good"]): figure for figure in document["known"]["figures"]}
    assert figures["Mill", "flour"]["quantity"] == 700
    assert figures["Mill", "flour"]["kind"] == "counted"


def test_every_command_that_plans_takes_a_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", home, "--days", "2") == 0
    assert "What the journal knows on" in capsys.readouterr().out
    assert run("why", home, "Hill", "bread", "1") == 0
    assert "What the journal knows on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", EXAMPLE, "--date", DAY), "--date: only plans from a journal have it"),
        (("plan", EXAMPLE, "--days", "3"), "--days: only plans from a journal have it"),
        (("plan", "--from", EXAMPLE, "--day", "2"), "--from: a plan from the journal knows what was ordered"),
        (("plan", "HOME", "--home", "HOME"), "name a journal each; give one"),
        (("plan", "--days", "0"), "days is 0"),
        (("plan", "--out", "HOME"), "the tables that are read lie there"),
        (("export", "HOME"), "this folder is not empty"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], words: str
) -> None:
    assert run(*[home if argument == "HOME" else argument for argument in arguments]) == 2
    assert words in capsys.readouterr().err


# backup, restore, verify


def test_a_restored_backup_holds_the_same_and_signs_with_a_key_of_its_own(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", tmp_path / "file") == 0
    assert run("restore", tmp_path / "file", tmp_path / "again") == 0
    assert encode(state_of(home)) == encode(state_of(tmp_path / "again"))
    with Home.open(home, passphrase=None) as one, Home.open(tmp_path / "again", passphrase=None) as other:
        assert one.journal.device is not None
        assert other.journal.device is not None
        assert one.journal.device.key != other.journal.device.key
        key = other.journal.device.key
    assert run("count", "Mill", "flour", "1390", "--date", DAY, "--home", tmp_path / "again") == 1
    assert run("members", "endorse", key, "allocator", "--date", DAY, "--yes") == 0
    with Home.open(home, passphrase=None) as one, Home.open(tmp_path / "again", passphrase=None) as other:
        other.journal.receive(one.journal.store.export())
    assert run("count", "Mill", "flour", "1390", "--date", DAY, "--home", tmp_path / "again") == 0
    capsys.readouterr()
    assert run("verify", "--home", tmp_path / "again") == 0
    assert capsys.readouterr().out.endswith("Nothing is wrong.\n")
    assert run("backup", tmp_path / "file") == 1
    assert run("restore", tmp_path / "file", tmp_path / "again") == 1
    assert run("restore", tmp_path / "nothing", tmp_path / "third") == 2
    assert not (tmp_path / "third").exists()


def test_verify_says_what_is_wrong_and_exits_with_1(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--json") == 0
    assert printed(capsys)["fine"] is True
    with Home.open(home, passphrase=None) as opened:
        signed = next(opened.journal.store.export())
    content = (home / "journal.db").read_bytes()
    place = content.find(signed.signature)
    assert place > 0
    (home / "journal.db").write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert run("verify") == 1
    said = capsys.readouterr()
    assert "WRONG" in said.out
    assert "fine" in said.out
    assert "restore a backup" in said.err


def test_an_id_that_begins_with_a_hyphen_is_no_option(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Home.open(home, passphrase=None) as opened:
        counts = [StockCounted("Hill", "milk", 1000 * number, DAY) for number in range(1, 1001)]
        written = opened.journal.append(counts, time=0)
    id = next(entry.id for entry in written if entry.id.startswith("-"))
    for arguments in (
        ("undo", id, "--date", DAY),
        ("history", id),
        ("note", "Who counted?", "--about", id, "--date", DAY),
    ):
        assert run(*arguments) == 0, capsys.readouterr().err
    for arguments in (
        ("exceptions", "--settle", id, "--note", "x"),
        ("orders", "show", id),
        ("orders", "accept", id),
        ("orders", "load", id),
        ("orders", "receive", id),
        ("orders", "cancel", id),
    ):
        run(*arguments)
        told = "".join(capsys.readouterr())
        assert told
        assert "option" not in told, told
