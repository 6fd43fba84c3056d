"""Entries through real NATS servers: nothing acknowledged is lost when one is killed, and nothing there is trusted."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sync.nats_here import PROGRAM, Servers, free_ports
from tests.sync.peers_here import NETWORK, Pair

from abasto.errors import JournalError, SettingError
from abasto.facts.kinds import NoteWritten
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.sync import nats as over_nats
from abasto.sync.exchange import Answerer, sync
from abasto.sync.nats import NatsLink, servers_of
from abasto.sync.nats_stream import REPLICAS, NatsStream, stream_of
from abasto.sync.peer import Asking
from abasto.sync.refused import LinkError, NotExpectedError, UnreachableError, WrongKeyError

DAY = "2026-11-22"
USUAL = 4222
MANY = 5_000


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A server alone."""
    servers = Servers(tmp_path_factory.mktemp("nats"), count=1)
    yield servers
    servers.stop()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Servers]:
    """Three servers, of which one may be killed."""
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def new_network() -> Journal:
    """Return a journal of a network that no server has heard of."""
    journal = Journal(MemoryStore(), Device(secrets.token_bytes(32)))
    journal.found("Barrio Sur", date=DAY, time=0)
    return journal


def member_of(journal: Journal) -> Journal:
    """Return the journal of another device that holds the same."""
    other = Journal(MemoryStore(), Device(secrets.token_bytes(32)))
    other.receive(journal.store.export())
    return other


def note(journal: Journal, count: int, *, words: str = "the road is open") -> None:
    journal.append([NoteWritten(f"{words} {number}", DAY) for number in range(count)], time=0)


def ids_of(journal: Journal) -> set[str]:
    return {placed.entry.id for placed in journal.read()}


# The stream


def test_what_one_device_adds_all_others_take_once(one: Servers) -> None:
    sur = new_network()
    norte, puerto = member_of(sur), member_of(sur)
    note(sur, 700)
    note(norte, 30)
    with NatsLink(one.address) as link:
        streams = {name: NatsStream(link, journal) for name, journal in (("s", sur), ("n", norte), ("p", puerto))}
        assert [streams[name].add() for name in "snp"] == [701, 30, 0]
        assert [streams[name].take().new for name in "snp"] == [30, 700, 730]
        assert ids_of(sur) == ids_of(norte) == ids_of(puerto)
        assert [streams[name].take().new for name in "snp"] == [0, 0, 0]
        assert [streams[name].add() for name in "snp"] == [0, 0, 0]
        note(puerto, 1)
        assert streams["p"].add() == 1
        assert streams["s"].take()[:2] == (1, 0)


def test_what_others_put_into_the_stream_is_refused_by_entry_and_stops_nothing(one: Servers) -> None:
    sur, foreign = new_network(), new_network()
    norte = member_of(sur)
    note(sur, 3)
    first, second, third = list(sur.store.export())[1:]
    forged = bytes(64) + first.raw
    strange = next(iter(foreign.store.export()))
    with NatsLink(one.address) as link:
        stream = NatsStream(link, sur)
        context = link.client.jetstream()
        subject = f"abasto.entries.{sur.network}.{sur.device.key if sur.device else ''}"
        for data in (b"", b"x", os.urandom(3_000), forged, strange.signature + strange.raw, forged):
            link.run(context.publish(subject, data))
        assert stream.add() == 4  # The last one there is forged, so it tells nothing.
        received = NatsStream(link, norte).take()
        assert (received.new, len(received.refused)) == (3, 6)
        assert ids_of(norte) == ids_of(sur)
        with pytest.raises(Exception, match="size"):  # What no entry can be is not even kept there.
            link.run(context.publish(subject, bytes(20_000)))
    assert [first, second, third] == list(norte.store.export())[1:]


def test_what_was_not_kept_here_is_given_again(one: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    sur = new_network()
    norte = member_of(sur)
    note(sur, 5)
    with NatsLink(one.address) as link:
        NatsStream(link, sur).add()

        def full_disk(*_: object, **__: object) -> int:
            raise JournalError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(norte.store, "add", full_disk)
            with pytest.raises(JournalError):
                NatsStream(link, norte).take()
        _forget_what_was_given(link, norte)
        assert NatsStream(link, norte).take().new == 5


def _forget_what_was_given(link: NatsLink, journal: Journal) -> None:
    """Let the server give again at once what was not acknowledged, which it does by itself after half a minute."""
    assert journal.device is not None
    key = journal.device.key
    context = link.client.jetstream()
    info = link.run(context.consumer_info(stream_of(journal.network), key))
    assert info.num_ack_pending
    link.run(context.delete_consumer(stream_of(journal.network), key))


@pytest.mark.soak
def test_a_killed_server_of_three_loses_nothing_that_was_acknowledged(three: Servers) -> None:
    sur = new_network()
    norte, puerto = member_of(sur), member_of(sur)
    note(sur, MANY)
    with NatsLink(three.address) as link, NatsLink(three.address) as other:
        stream = NatsStream(link, sur)
        info = link.run(link.client.jetstream().stream_info(stream_of(sur.network)))
        assert info.config.num_replicas == REPLICAS
        assert info.cluster is not None
        leader = int((info.cluster.leader or "").removeprefix("abasto-"))

        added: list[int] = []
        adding = threading.Thread(target=lambda: added.append(stream.add()))
        adding.start()
        while _held(other, sur) < 500:
            time.sleep(0.01)
        three.kill(leader)
        assert adding.is_alive()  # It was in the middle.
        early = NatsStream(other, norte)
        taken = early.take().new
        adding.join(timeout=120)
        assert added == [MANY + 1]
        assert taken + early.take().new == MANY
        assert ids_of(norte) == ids_of(sur)
        # Who was not there until now gets all of it from the two that are left.
        assert NatsStream(other, puerto).take().new == MANY
        assert ids_of(puerto) == ids_of(sur)

        three.start_again(leader)
        note(norte, 10)
        assert early.add() == 10
        assert stream.take().new == 10


def _held(link: NatsLink, journal: Journal) -> int:
    """Return how many messages a network's stream holds."""
    return link.run(link.client.jetstream().stream_info(stream_of(journal.network))).state.messages


@pytest.mark.soak
def test_two_servers_that_are_gone_acknowledge_nothing_and_it_is_added_when_they_are_back(
    three: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sur = new_network()
    norte = member_of(sur)
    with NatsLink(three.address) as link:
        stream = NatsStream(link, sur)
        stream.add()
        three.kill(0)
        three.kill(1)
        note(sur, 3)
        monkeypatch.setattr("abasto.sync.nats_stream.PATIENCE", 6.0)
        with pytest.raises(UnreachableError, match="most of them run"):
            stream.add()
        monkeypatch.undo()
        three.start_again(0)
        assert stream.add() == 3
        assert NatsStream(link, norte).take().new == 3
        assert ids_of(norte) == ids_of(sur)


# Request and reply


def test_an_exchange_runs_over_request_and_reply_with_messages_larger_than_a_server_takes_at_once(one: Servers) -> None:
    pair = Pair()
    with NatsLink(one.address) as here, NatsLink(one.address) as there:
        there.answer(pair.host, pair.answering.key)
        ask = pair.ask(here.carry(pair.answering.key))
        for question in (b"first", b"", os.urandom(4_000_000)):
            assert ask(question) == pair.echo.answer(question)
        pair.host._sessions.clear()  # As if that side had begun anew.
        large = os.urandom(1_500_000)
        assert ask(large).endswith(large)

        stranger = Asking(here.carry(pair.answering.key), Device(b"\7" * 32), key=pair.answering.key, network=NETWORK)
        with pytest.raises(NotExpectedError):
            stranger(b"let me in")
        impostor = Device(b"\6" * 32)
        there.answer(pair.host, impostor.key)
        with pytest.raises(WrongKeyError):
            Asking(here.carry(impostor.key), pair.asking, key=impostor.key, network=NETWORK)(b"who are you?")


def test_nobody_there_and_noise_are_told_and_taken_for_what_they_are(
    one: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair()
    with NatsLink(one.address) as here, NatsLink(one.address) as there:
        with pytest.raises(UnreachableError, match="serve --nats"):
            pair.ask(here.carry(pair.answering.key))(b"is anybody there?")
        there.answer(pair.host, pair.answering.key)
        subject = over_nats.SUBJECT + pair.answering.key
        for number in range(3 * over_nats.MOST_OPEN):
            for noise in (os.urandom(number), bytes(16) + b"\0\1\0\0", os.urandom(16) + b"\0\1\0\3" + bytes(50_000)):
                here.run(here.client.publish(subject, noise, reply="nobody"))
        assert pair.ask(here.carry(pair.answering.key))(b"question")
        assert len(there._open) <= over_nats.MOST_OPEN
    monkeypatch.setattr(over_nats, "CONNECT_SECONDS", 2.0)
    with pytest.raises(UnreachableError, match="no NATS server answers"):
        NatsLink(f"nats://127.0.0.1:{free_ports(1)[0]}")


def test_what_the_stream_never_had_comes_by_the_exchange_between_peers(one: Servers) -> None:
    sur = new_network()
    norte = member_of(sur)
    by_stick = member_of(sur)
    note(by_stick, 20)
    norte.receive(by_stick.store.export())  # Of a device that has no network: it adds nothing to the stream.
    assert norte.device is not None
    with NatsLink(one.address) as here, NatsLink(one.address) as there:
        NatsStream(there, norte).add()
        assert NatsStream(here, sur).take().new == 0
        pair = Pair(answering=norte.device, network=norte.network)
        pair.echo.answer = Answerer(norte).answer  # type: ignore[method-assign]
        there.answer(pair.host, norte.device.key)
        synced = sync(sur, pair.ask(here.carry(norte.device.key), network=sur.network))
    assert synced.came == 20
    assert synced.is_identical


def test_the_running_server_of_this_machine_carries_entries_too() -> None:
    try:
        socket.create_connection(("127.0.0.1", USUAL), timeout=2).close()
    except OSError:
        pytest.skip(f"no server on 127.0.0.1:{USUAL}; start one with: nats-server -js -a 127.0.0.1")
    sur = new_network()
    norte = member_of(sur)
    note(sur, 50)
    with NatsLink(f"nats://127.0.0.1:{USUAL}") as link:
        context = link.client.jetstream()
        try:
            link.run(context.account_info())
        except Exception:
            pytest.skip(f"the server on 127.0.0.1:{USUAL} has no JetStream; start it with: nats-server -js")
        try:
            NatsStream(link, sur).add()
            assert NatsStream(link, norte).take().new == 50
        finally:
            link.run(context.delete_stream(stream_of(sur.network)))


# What can be wrong before anything is carried


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(LinkError, match=r'pip install "abasto\[nats\]"'):
        NatsLink("nats://127.0.0.1")


def test_a_device_without_a_network_and_a_server_without_streams_are_told(
    one: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NatsLink(one.address) as link, pytest.raises(LinkError, match="no network yet"):
        NatsStream(link, Journal(MemoryStore(), Device(bytes(32))))
    monkeypatch.setattr("abasto.sync.nats_stream.PATIENCE", 1.0)
    (port,) = free_ports(1)
    with subprocess.Popen([PROGRAM, "-a", "127.0.0.1", "-p", str(port), "-l", tmp_path / "log"]) as bare:
        try:
            with NatsLink(f"nats://127.0.0.1:{port}") as link, pytest.raises(UnreachableError, match="JetStream"):
                NatsStream(link, new_network())
        finally:
            bare.kill()


@pytest.mark.parametrize(
    "address", ["", "nats://", "http://127.0.0.1", "nats://127.0.0.1,", "nats://x b", "nats://x/y"]
)
def test_what_names_no_servers_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="no NATS servers"):
        servers_of(address)
