"""What `verify` finds and what it rightly leaves alone: damage of every kind, and single bits anywhere in the file."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from tests.journal.contract import Pen, image
from tests.journal.entries import DAY, PASSPHRASE, counted, network_of, note

from abasto.errors import AbastoError, JournalError
from abasto.journal.home import FILE, Home
from abasto.journal.journal import Journal
from abasto.journal.sqlite import SqliteStore
from abasto.journal.sqlite_file import Key
from abasto.journal.store import Place, Snapshot
from abasto.journal.verify import Check, Verdict, verify, verify_store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.create(tmp_path / "home", passphrase=None) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.append([counted(number) for number in range(50)], time=1)
        yield home


def wrong(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    return {check.name: check.wrong for check in verdict.checks if check.wrong}


def test_a_whole_home_is_fine_and_says_how_much_was_checked(home: Home) -> None:
    verdict = verify(home)
    assert verdict.is_fine
    assert wrong(verdict) == {}
    checked = {check.name: check.checked for check in verdict.checks}
    assert checked["signatures"] == checked["columns beside the entries"] == 51
    assert checked["chains"] == 1
    assert checked["pages of the file"] >= 8
    assert not any(check.noted for check in verdict.checks)


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("UPDATE entry SET signature = zeroblob(64) WHERE n = 7", {"signatures"}),
        ("UPDATE entry SET lc = 9000 WHERE n = 7", {"columns beside the entries"}),
        (
            "UPDATE entry SET seq = 9000 WHERE n = 7",
            {"columns beside the entries", "chains", "this device's key"},
        ),
        ("UPDATE entry SET n = 9000 WHERE n = 51", {"columns beside the entries", "signatures"}),
        ("DELETE FROM entry WHERE n = 7", {"columns beside the entries", "signatures", "chains"}),
        ("UPDATE author SET head_lc = 50", {"chains"}),
        ("UPDATE author SET head_arrival = 50", {"columns beside the entries"}),
        ("UPDATE author SET head_seq = 50", {"columns beside the entries", "chains", "this device's key"}),
        ("UPDATE author SET fork = 3", {"chains"}),
        ("UPDATE author SET key = 'somebody else'", {"columns beside the entries", "chains"}),
        ("INSERT INTO author (key, words, head_seq, head_id) VALUES ('ghost', '', 4, zeroblob(33))", {"chains"}),
        ("UPDATE snapshot SET content = x'00'", {"snapshot"}),
    ],
)
def test_damage_is_found_where_it_is_and_nowhere_else(home: Home, statement: str, names: set[str]) -> None:
    home.journal.store.keep_snapshot(Snapshot(1, Place(1, home.journal.network), 1, b"a state"))
    home.file._connection.execute(statement.replace("''", "x''"))
    found = wrong(verify(home))
    assert set(found) == names


def test_a_fork_and_a_gap_are_told_but_are_no_damage(home: Home) -> None:
    journal = home.journal
    forker, gapped = Pen(5, network=journal.network), Pen(6, network=journal.network)
    chain = forker.chain(3)
    forker.last = chain[0]
    twin = forker.write(body={"text": "another second one", "date": DAY})
    late = gapped.chain(4)
    journal.store.add([*chain, twin, late[0], late[3]])
    verdict = verify(home)
    assert verdict.is_fine
    (noted,) = [check.noted for check in verdict.checks if check.noted]
    assert len(noted) == 2
    assert any("signed two entries 2; nothing from there on is applied" in one for one in noted)
    assert any("entries up to 4 are here, 1 follow one another" in one for one in noted)


def test_a_copied_home_that_signed_elsewhere_is_noticed(home: Home, tmp_path: Path) -> None:
    home.close()
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    with Home.open(tmp_path / "home", passphrase=None) as one, Home.open(tmp_path / "copy", passphrase=None) as other:
        one.journal.append([note("from here")], time=2)
        other.journal.append([note("from there")], time=2)
        one.journal.receive(other.journal.store.export())
        verdict = verify(one)
        assert set(wrong(verdict)) == {"this device's key"}
        assert "gets a key of its own" in wrong(verdict)["this device's key"][0]
        with pytest.raises(JournalError, match="its key was used elsewhere"):
            one.journal.append([note("again")], time=3)


def test_entries_of_another_network_are_told(home: Home) -> None:
    home.journal.store.add(Pen(5).chain(1))
    assert set(wrong(verify(home))) == {"signatures"}


def test_what_stands_above_may_add_its_own_checks(home: Home) -> None:
    def count(journal: Journal) -> Check:
        return Check("balances", journal.store.count(), ("flour: 3 kg too many",))

    def fail(journal: Journal) -> Check:
        raise JournalError("the fold stopped")

    verdict = verify(home, also=[count, fail])
    assert not verdict.is_fine
    assert verdict.checks[-2:] == (
        Check("balances", 51, ("flour: 3 kg too many",)),
        Check("what the entries come to", 0, ("could not be checked: the fold stopped",)),
    )


def test_what_the_journal_keeps_beside_its_file_is_checked_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", key=None, create=True)
    store.add(network_of(9))
    assert verify_store(store).is_fine
    store.close()


def test_the_page_about_the_journal_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "journal.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "docs/journal.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown
    assert all(line.endswith(" fine") for line in shown)
    with Home.open(tmp_path / "barrio-again", passphrase="six words that nobody else knows") as home:
        named = {check.name for check in verify(home).checks}
    explained = set(re.findall(r"^\| ([a-z][^|]*?) \| ", page, re.MULTILINE)) - {"what"}
    assert named | {"balances"} == explained


# Single bits


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Key]:
    """Return an encrypted journal with free pages and a snapshot, closed, and its key, so that none need be derived."""
    store = SqliteStore(tmp_path / FILE, key=PASSPHRASE, create=True)
    store.keep_seed(bytes(range(32)))
    entries = network_of(60)
    store.add(entries)
    place = Place(entries[-1].entry.lc, entries[-1].entry.id)
    store.keep_snapshot(Snapshot(60, place, 1, b"a large state " * 2000))
    store.keep_snapshot(Snapshot(60, place, 1, b"a small state"))
    assert store._one("PRAGMA freelist_count") >= 5
    key = store._key
    store.close()
    assert key is not None
    return tmp_path / FILE, key


def is_noticed(path: Path, key: Key | None) -> bool:
    """Return whether opening a file, or verifying it then, tells of damage."""
    try:
        store = SqliteStore(path, key=key)
        try:
            return not verify(Home(path.parent, store)).is_fine
        finally:
            store.close()
    except AbastoError:
        return True


def flips_unnoticed(path: Path, key: Key | None, *, flips: int, seed: int) -> list[int]:
    """Change one bit at a time, in the header and anywhere, and return the places where nobody noticed."""
    content = bytearray(path.read_bytes())
    random = Random(seed)
    header = range(8 * 100)
    places = [*random.sample(header, min(len(header), flips // 4)), *random.sample(range(8 * len(content)), flips)]
    flipped = path.with_name("flipped.db")
    unnoticed = []
    for place in places[:flips]:
        content[place // 8] ^= 1 << place % 8
        flipped.write_bytes(content)
        content[place // 8] ^= 1 << place % 8
        if not is_noticed(flipped, key):
            unnoticed.append(place)
    flipped.write_bytes(content)
    assert not is_noticed(flipped, key)
    return unnoticed


def test_a_changed_bit_in_an_encrypted_file_is_noticed(small: tuple[Path, Key]) -> None:
    path, key = small
    assert flips_unnoticed(path, key, flips=150, seed=1) == []


def test_of_damaged_pages_verify_tells_which_and_checks_the_rest(small: tuple[Path, Key]) -> None:
    path, key = small
    content = bytearray(path.read_bytes())
    last = len(content) // 4096
    for page in (last - 2, last):
        content[page * 4096 - 100] ^= 1
    path.write_bytes(content)
    store = SqliteStore(path, key=key)
    try:
        verdict = verify(Home(path.parent, store))
    finally:
        store.close()
    checks = {check.name: check for check in verdict.checks}
    assert checks["pages of the file"].wrong == tuple(
        f"page {page} cannot be read as it was written" for page in (last - 2, last)
    )
    assert checks["pages of the file"].checked == last
    assert any(check.checked and check.is_fine for check in verdict.checks)


@pytest.mark.soak
def test_3_000_changed_bits_in_an_encrypted_file_are_all_noticed(small: tuple[Path, Key]) -> None:
    path, key = small
    assert flips_unnoticed(path, key, flips=3_000, seed=2) == []


def clear_flips(folder: Path, *, flips: int, seed: int) -> float:
    """Change one bit of a clear file at a time; what nobody notices must change nothing that is kept.

    Return the share that was noticed: the rest lies where nothing is kept.
    """
    store = SqliteStore(folder / FILE, key=None, create=True)
    store.keep_seed(bytes(range(32)))
    store.add(network_of(60))
    before = kept(store)
    store.close()
    content = bytearray((folder / FILE).read_bytes())
    noticed = 0
    for place in Random(seed).sample(range(8 * len(content)), flips):
        content[place // 8] ^= 1 << place % 8
        path = folder / "flipped.db"
        path.write_bytes(content)
        content[place // 8] ^= 1 << place % 8
        if is_noticed(path, None):
            noticed += 1
            continue
        store = SqliteStore(path, key=None)
        assert kept(store) == before, place
        store.close()
    return noticed / flips


def kept(store: SqliteStore) -> tuple[object, ...]:
    """Return everything that a store gives out."""
    return image(store), list(store.columns()), store.seed(), store.setting("store"), store.snapshot(1)


def test_a_changed_bit_of_a_clear_file_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    assert clear_flips(tmp_path, flips=150, seed=3) > 0.2


@pytest.mark.soak
def test_3_000_changed_bits_of_a_clear_file_are_noticed_or_change_nothing(tmp_path: Path) -> None:
    assert clear_flips(tmp_path, flips=3_000, seed=4) > 0.2


def test_every_bit_of_the_header_that_is_not_encrypted_is_noticed(small: tuple[Path, Key]) -> None:
    path, key = small
    content = bytearray(path.read_bytes())
    for place in range(8 * 16, 8 * 24):
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        assert is_noticed(path, key), place
        content[place // 8] ^= 1 << place % 8


@pytest.mark.parametrize("change", ["cut", "longer", "swapped"])
def test_pages_that_are_missing_added_or_exchanged_are_noticed(small: tuple[Path, Key], change: str) -> None:
    path, key = small
    content = path.read_bytes()
    changed = {
        "cut": content[:-4096],
        "longer": content + bytes(4096),
        "swapped": content[:8192] + content[12288:16384] + content[8192:12288] + content[16384:],
    }[change]
    assert changed != content
    path.write_bytes(changed)
    assert is_noticed(path, key)


def test_a_changed_bit_in_an_entry_of_a_clear_file_is_noticed(home: Home, tmp_path: Path) -> None:
    """A clear file has nothing to compare its pages with; what is signed, and what is beside it, is held together."""
    home.close()
    path = tmp_path / "home" / FILE
    content = bytearray(path.read_bytes())
    store = SqliteStore(path, key=None)
    blobs = store._all("SELECT packed, signature, id FROM entry")
    store.close()
    random = Random(1)
    for blob in (random.choice(row)[:] for row in blobs):
        at = content.index(blob)
        place = 8 * at + random.randrange(8 * len(blob))
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        assert is_noticed(path, None), place
        content[place // 8] ^= 1 << place % 8
    path.write_bytes(content)
    assert not is_noticed(path, None)


# The log after a crash

CRASHING = """
import os, signal, sys
from pathlib import Path
from abasto.journal.sqlite import SqliteStore
from tests.journal.entries import network_of
store = SqliteStore(Path(sys.argv[1]), key=sys.argv[2] or None, create=True)
store.keep_seed(bytes(range(32)))
entries = network_of(100)
for start in range(0, 100, 4):
    store.add(entries[start:start + 4])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["", PASSPHRASE], ids=["clear", "encrypted"])
def crashed(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int | None], tuple[int, bool]]:
    """Return what tells, for a changed bit in the log of a crash, how many entries are left and if it is noticed."""
    (tmp_path / "crashed").mkdir()
    path = tmp_path / "crashed" / FILE
    run = subprocess.run([sys.executable, "-c", CRASHING, str(path), request.param], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL
    log = path.with_name(FILE + "-wal").read_bytes()
    content = path.read_bytes()

    def opened(place: int | None, *, cut: int = 0) -> tuple[int, bool]:
        again = tmp_path / "again"
        again.mkdir(exist_ok=True)
        changed = bytearray(log[: len(log) - cut])
        if place is not None:
            changed[place % len(log)] ^= 1 << place % 7
        (again / FILE).write_bytes(content)
        (again / f"{FILE}-wal").write_bytes(changed)
        try:
            store = SqliteStore(again / FILE, key=request.param or None)
            count = store.count()
            if store.lost_pages():
                with pytest.raises(JournalError, match="restore it into a new home"):
                    store.add(network_of(count + 1)[count:], continues=True)
            store.close()
        except JournalError:
            return 0, True
        return count, is_noticed(again / FILE, request.param or None)

    return opened


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("cut", [1, 100, 4095, 4096, 4097, 4120])
def test_a_log_that_ends_in_the_middle_of_a_frame_has_lost_nothing(
    crashed: Callable[..., tuple[int, bool]], cut: int
) -> None:
    """Whoever is killed between two writes leaves the start of a frame without its page, and acknowledged nothing."""
    count, noticed = crashed(None, cut=cut)
    assert (count, noticed) == (96, False)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_log_that_a_crash_left_is_read_and_one_that_is_damaged_is_noticed(
    crashed: Callable[[int | None], tuple[int, bool]],
) -> None:
    assert crashed(None) == (100, False)
    random = Random(5)
    for place in [*range(0, 32, 5), *(32 + 4120 * n + random.randrange(4120) for n in range(12))]:
        count, noticed = crashed(place)
        assert noticed or count == 100, place
