"""Two homes that exchange from the command line: over the room, over `abasto peers serve`, and refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.room.served import Served
from tests.sync.nats_here import Servers

from abasto.journal.home import Home
from abasto.journal.signing import Device
from abasto.membership import Membership
from abasto.sync.hosting import stream_for
from abasto.sync.nats import NatsLink
from abasto.sync.register import Register
from homes import DAY, entries_of, new_home, printed, run

NOBODY = Device(b"\x09" * 32).key


@pytest.fixture
def sur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that founded the neighbourhood; commands find it by themselves."""
    return new_home(tmp_path, monkeypatch, "--open")


@pytest.fixture
def norte(tmp_path: Path, sur: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A home that holds nothing yet, of a device that the network has taken in."""
    folder = tmp_path / "norte"
    Home.create(folder, passphrase=None).close()
    assert run("members", "endorse", key_of(folder, capsys), "allocator", "--date", DAY, "--yes") == 0
    return folder


def key_of(home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run("peers", "me", "--home", home, "--json") == 0
    return str(printed(capsys)["key"])


@pytest.fixture
def room(sur: Path) -> Iterator[Served]:
    served = Served(sur)
    served.start()
    yield served
    assert served.stop() == 0


def synced(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> dict[str, object]:
    """Return what `abasto sync --json` says of its only peer."""
    capsys.readouterr()
    assert run("sync", *arguments, "--json") == code
    (one,) = printed(capsys)["peers"]
    assert isinstance(one, dict)
    return one


def test_a_new_home_gets_the_network_from_a_room_and_both_become_identical(
    sur: Path, norte: Path, room: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {home: key_of(home, capsys) for home in (sur, norte)}
    assert run("peers", "add", "sur", room.url, keys[sur], "--home", norte) == 0
    refused = synced(capsys, "sur", "--home", norte, code=1)
    assert refused["cause"] == "UnreachableError"  # The room has no peers, so nothing is there.
    assert run("peers", "add", "norte", "192.168.1.7", keys[norte]) == 0

    first = synced(capsys, "sur", "--home", norte)
    assert (first["came"], first["went"], first["identical"]) == (entries_of(sur), 0, True)
    assert entries_of(norte) == entries_of(sur)

    assert run("note", "the road is open", "--date", DAY, "--home", norte) == 0
    capsys.readouterr()
    assert run("sync", "all", "--home", norte) == 0
    said = capsys.readouterr().out
    assert "sur: 0 entries came, 1 entry went" in said
    code = re.search(r"identical, code (\w{4}-\w{4});", said)
    assert code is not None
    assert entries_of(sur) == entries_of(norte)

    again = synced(capsys, room.url, "--home", norte)  # By its address.
    assert (again["came"], again["went"], again["identical_code"]) == (0, 0, code[1])


def test_a_room_tells_its_pages_what_a_peer_brought(
    sur: Path, norte: Path, room: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("peers", "add", "norte", "192.168.1.7", key_of(norte, capsys)) == 0
    assert run("sync", f"{room.url}#{key_of(sur, capsys)}", "--home", norte) == 0
    before = room.state().count
    assert run("note", "the road is open", "--date", DAY, "--home", norte) == 0
    with room.desk().stream("GET", "/events") as events:
        assert run("sync", f"{room.url}#{key_of(sur, capsys)}", "--home", norte) == 0
        # Ends when it is told, and by the desk's patience if not; what came before may be told first.
        assert next(line for line in events.iter_lines() if line == f"data: {json.dumps({'entries': before + 1})}")


def test_who_is_not_expected_or_is_dropped_gets_nothing(
    sur: Path, norte: Path, room: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    own = key_of(sur, capsys)
    assert run("peers", "add", "somebody", "192.168.1.9", NOBODY) == 0
    stranger = synced(capsys, f"{room.url}#{own}", "--home", norte, code=1)
    assert stranger["cause"] == "NotExpectedError"
    mistaken = synced(capsys, f"{room.url}#{NOBODY}", "--home", norte, code=1)
    assert mistaken["cause"] == "WrongKeyError"
    assert run("peers", "add", "norte", "192.168.1.7", key_of(norte, capsys)) == 0
    assert synced(capsys, f"{room.url}#{own}", "--home", norte)["identical"]
    assert run("peers", "drop", "norte") == 0
    assert synced(capsys, f"{room.url}#{own}", "--home", norte, code=1)["cause"] == "NotExpectedError"


def test_a_device_that_the_network_cut_off_gets_nothing_more_though_it_is_still_a_peer(
    sur: Path, norte: Path, room: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {home: key_of(home, capsys) for home in (sur, norte)}
    assert run("peers", "add", "norte", "127.0.0.1:9", keys[norte]) == 0
    assert synced(capsys, f"{room.url}#{keys[sur]}", "--home", norte)["identical"]
    assert run("members", "cut", keys[norte], "--after", "0", "--reason", "lost", "--date", DAY, "--yes") == 0
    refused = synced(capsys, f"{room.url}#{keys[sur]}", "--home", norte, code=1)
    assert refused["cause"] == "NotExpectedError"
    assert entries_of(norte) == entries_of(sur) - 1
    given = synced(capsys, "norte", code=1)  # Nor is it asked.
    assert (given["cause"], "cut off" in str(given["error"])) == ("NotExpectedError", True)


def test_another_network_is_told(sur: Path, room: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "otra"
    with Home.create(other, passphrase=None) as made:
        made.journal.found("Otra red", date=DAY, time=0)
    own = key_of(sur, capsys)
    assert run("peers", "add", "otra", "192.168.1.9", key_of(other, capsys)) == 0
    assert synced(capsys, f"{room.url}#{own}", "--home", other, code=1)["cause"] == "OtherNetworkError"
    assert entries_of(other) == 1


def test_peers_serve_answers_without_a_room_and_all_goes_on_past_one_that_is_away(
    sur: Path, norte: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = key_of(norte, capsys)
    assert run("peers", "add", "norte", "192.168.1.7", own) == 0
    command = [sys.executable, "-m", "abasto", "peers", "serve", "--port", "0", "--home", str(sur)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        line = re.search(r"peers add NAME (\S+) (\S+)$", process.stdout.readline().strip())
        assert line is not None
        assert run("peers", "add", "sur", line[1], line[2], "--home", norte) == 0
        assert run("peers", "add", "away", "127.0.0.1:9", NOBODY, "--home", norte) == 0
        capsys.readouterr()
        assert run("sync", "all", "--home", norte) == 1
        said = capsys.readouterr().out
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert "away: no exchange." in said
    assert "sur: identical, code" in said
    assert entries_of(norte) == entries_of(sur)


def test_peers_are_kept_shown_changed_and_dropped(sur: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("peers") == 0
    assert "No peers yet" in capsys.readouterr().out
    assert run("peers", "add", "norte", "192.168.1.7", NOBODY) == 0
    assert "Compare it" in capsys.readouterr().out
    assert run("peers", "add", "Norte", f"https://example.org#{NOBODY}") == 0
    assert "as changed" in capsys.readouterr().out
    assert run("peers", "list", "--json") == 0
    (peer,) = printed(capsys)["peers"]
    assert (peer["name"], peer["address"], peer["key"]) == ("Norte", "https://example.org", NOBODY)
    assert len(peer["code"].split("-")) == 4
    assert run("peers") == 0
    assert f"Norte  https://example.org  key {peer['code']}" in capsys.readouterr().out
    assert run("peers", "drop", "NORTE") == 0
    assert run("peers", "drop", "norte") == 2
    assert "no peer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "norte", "192.168.1.7"], "key of the other device is missing"),
        (["add", "norte", "192.168.1.7", "AAAA"], "no device's key"),
        (["add", "norte", "192.168.1.7", "A" * 43], "no device's key"),
        (["add", "norte", "not an address", NOBODY], "no address"),
        (["add", "all", "192.168.1.7", NOBODY], 'not "all"'),
        (["add", "x" * 41, "192.168.1.7", NOBODY], "1 to 40"),
        (["add", "twin", "192.168.1.8", Device(b"\x08" * 32).key], "is here already"),
    ],
)
def test_what_can_be_no_peer_is_refused_in_words_and_changes_nothing(
    sur: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run("peers", "add", "first", "192.168.1.8", Device(b"\x08" * 32).key) == 0
    assert run("peers", *arguments) in (1, 2)
    assert said in capsys.readouterr().err
    with Home.open(sur, passphrase=None) as home:
        assert [peer.name for peer in Register(home.file).all()] == ["first"]


def test_this_device_is_no_peer_of_its_own(sur: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("peers", "add", "me", "192.168.1.8", key_of(sur, capsys)) == 2
    assert "this device's own" in capsys.readouterr().err


def test_the_key_is_shown_to_copy_to_read_aloud_and_as_a_picture(sur: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("peers", "me", "--address", "127.0.0.1") == 0
    said = capsys.readouterr().out
    key = key_of(sur, capsys)
    assert f'abasto peers add NAME "http://127.0.0.1:8300#{key}"' in said
    assert re.search(r"Read aloud: +(\w{4}-){3}\w{4}\n", said)
    assert "▀" in said


def test_two_programs_that_add_peers_at_once_lose_none(sur: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from abasto.journal.home import Home; "
        "from abasto.journal.signing import Device; from abasto.sync.register import Register\n"
        "with Home.open(Path(sys.argv[1]), passphrase=None) as home:\n"
        "    for n in range(20):\n"
        "        key = Device(bytes([int(sys.argv[2]), n]) * 16).key\n"
        "        Register(home.file).add(f'{sys.argv[2]} {n}', '192.168.1.7', key, own='')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program, str(sur), str(n)]) for n in (1, 2)]
    assert [one.wait(timeout=60) for one in runs] == [0, 0]
    with Home.open(sur, passphrase=None) as home:
        assert len(Register(home.file).all()) == 40
        assert json.loads(home.file.setting("peers"))


def test_two_homes_exchange_through_a_nats_server(
    sur: Path, norte: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "nats").mkdir()
    servers = Servers(folder, count=1)
    command = [sys.executable, "-m", "abasto", "peers", "serve", "--port", "0", "--home", str(sur)]
    try:
        assert run("peers", "add", "norte", servers.address, key_of(norte, capsys)) == 0
        assert run("peers", "add", "sur", servers.address, key_of(sur, capsys), "--home", norte) == 0
        assert synced(capsys, "sur", "--home", norte, code=1)["cause"] == "UnreachableError"
        with subprocess.Popen([*command, "--nats", servers.address], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            first = synced(capsys, "sur", "--home", norte)
            assert (first["came"], first["identical"]) == (entries_of(sur), True)
            assert run("note", "the road is open", "--date", DAY, "--home", norte) == 0
            with Home.open(norte, passphrase=None) as home, NatsLink(servers.address) as link:
                assert stream_for(home, link, Membership(home.journal)).exchange().added == 1
            until = time.monotonic() + 60
            while entries_of(sur) != entries_of(norte) and time.monotonic() < until:
                time.sleep(0.2)
            assert entries_of(sur) == entries_of(norte)
            process.terminate()
            assert process.wait(timeout=60) == 0
    finally:
        servers.stop()


def test_the_address_of_nats_servers_alone_means_the_peers_behind_them_or_the_stream(
    sur: Path, norte: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "nats").mkdir()
    servers = Servers(folder, count=1)
    try:
        # Who holds no network is told what to do.
        assert run("sync", servers.address, "--home", norte) == 2
        assert "abasto sync ADDRESS#KEY" in capsys.readouterr().err
        with Home.open(sur, passphrase=None) as one, Home.open(norte, passphrase=None) as other:
            other.journal.receive(one.journal.store.export())
        assert run("note", "the road is open", "--date", DAY, "--home", norte) == 0
        capsys.readouterr()
        assert run("sync", servers.address, "--home", norte) == 0
        assert "0 entries came, 1 entry went. No peer behind these servers" in capsys.readouterr().out
        assert run("sync", servers.address, "--json") == 0
        told = printed(capsys)["stream"]
        assert (told["new"], told["added"], told["unread"]) == (1, entries_of(norte) - 1, 0)
        assert entries_of(sur) == entries_of(norte)

        elsewhere = f"{servers.address},nats://127.0.0.1:9"
        for name, key in (("norte", key_of(norte, capsys)), ("nobody", NOBODY)):
            assert run("peers", "add", name, elsewhere, key) == 0
        capsys.readouterr()
        assert run("sync", servers.address, "--json") == 1
        assert [peer["name"] for peer in printed(capsys)["peers"]] == ["nobody", "norte"]
    finally:
        servers.stop()


def test_the_password_of_a_server_is_not_shown(sur: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = "nats://abasto:secret@127.0.0.1:4222,nats://abasto:secret@127.0.0.1:4223"
    assert run("peers", "add", "norte", address, NOBODY) == 0
    assert run("peers") == 0
    said = capsys.readouterr()
    assert "nats://127.0.0.1:4222,nats://127.0.0.1:4223" in said.out
    assert "secret" not in said.out + said.err
