"""Entries through real NATS servers: nothing acknowledged is lost when one is killed, and nothing there is trusted."""

from __future__ import annotations

import base64
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from nacl.secret import Aead
from tests.sync.nats_here import PROGRAM, Servers, free_ports
from tests.sync.peers_here import NETWORK, Pair

from abasto.errors import JournalError, SettingError
from abasto.facts.kinds import DeviceCut, DeviceEndorsed, NoteWritten
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, bytes_of, text_of
from abasto.membership import Membership
from abasto.sync import nats as over_nats
from abasto.sync import nats_stream
from abasto.sync.exchange import Answerer, sync
from abasto.sync.messages import Get, pack
from abasto.sync.nats import NatsLink, servers_of
from abasto.sync.nats_stream import REPLICAS, NatsStream, stream_of
from abasto.sync.peer import Asking
from abasto.sync.quarantine import PER_AUTHOR
from abasto.sync.refused import LinkError, NotExpectedError, UnreachableError, WrongKeyError
from abasto.sync.stream_seal import MOST_KEYS, Ring, StreamKey, subject_of

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


class Member:
    """A device with its journal, and the stream as it sees it."""

    def __init__(self) -> None:
        self.seed = secrets.token_bytes(32)
        self.device = Device(self.seed)
        self.key = self.device.key
        self.journal = Journal(MemoryStore(), self.device)

    @classmethod
    def founding(cls, *, is_open: bool = True, **options: Any) -> Member:
        """Return the first device of a network that no server has heard of."""
        member = cls()
        member.journal.found("Barrio Sur", date=DAY, time=0, is_open=is_open, **options)
        return member

    @classmethod
    def beside(cls, other: Member) -> Member:
        """Return another device that holds the same."""
        member = cls()
        member.journal.receive(other.journal.store.export())
        return member

    def stream(self, link: NatsLink, *readers: Member) -> NatsStream:
        """Return the stream, into which this device seals to some others."""
        keys = [reader.key for reader in readers]
        return NatsStream(link, self.journal, self.seed, readers=lambda: keys)

    def belonging(self, link: NatsLink) -> NatsStream:
        """Return the stream as the commands see it: by who is a member."""
        members = Membership(self.journal)
        return NatsStream(link, self.journal, self.seed, readers=members.readers, may_keep=members.room())

    def note(self, count: int, *, words: str = "the road is open") -> None:
        self.journal.append([NoteWritten(f"{words} {number}", DAY) for number in range(count)], time=0)

    def endorse(self, key: str, role: str = "allocator") -> None:
        self.journal.append([DeviceEndorsed(key, role, DAY, (), "")], time=0)

    @property
    def ids(self) -> set[str]:
        return {placed.entry.id for placed in self.journal.read()}


# The stream


def test_what_one_device_adds_all_others_take_once(one: Servers) -> None:
    sur = Member.founding()
    norte, puerto = Member.beside(sur), Member.beside(sur)
    sur.note(700)
    norte.note(30)
    with NatsLink(one.address) as link:
        streams = [member.stream(link, sur, norte, puerto) for member in (sur, norte, puerto)]
        first = [stream.exchange() for stream in streams]
        assert [done.added for done in first] == [701, 30, 0]
        assert [done.new for done in first] == [0, 700, 730]
        assert streams[0].exchange().new == 30
        assert sur.ids == norte.ids == puerto.ids
        again = [stream.exchange() for stream in streams]
        assert [(done.new, done.added, done.unread) for done in again] == [(0, 0, 0)] * 3
        puerto.note(1)
        assert streams[2].exchange().added == 1
        assert streams[0].exchange().new == 1
        # A program that begins anew sees what is there, and adds nothing twice.
        anew = sur.stream(link, norte, puerto).exchange()
        assert (anew.new, anew.added, anew.known) == (0, 0, 732)


def test_the_servers_see_neither_entries_nor_who_writes_or_reads_them(one: Servers) -> None:
    sur = Member.founding()
    norte = Member.beside(sur)
    sur.note(40, words="flour is at the mill")
    seen: list[bytes] = []

    async def see(msg: Any) -> None:
        seen.append(b" ".join((msg.subject.encode(), msg.reply.encode(), repr(msg.headers).encode(), msg.data)))

    with NatsLink(one.address) as spy, NatsLink(one.address) as link:
        spy.run(spy.client.subscribe(">", cb=see))
        spy.run(spy.client.flush())
        sur.stream(link, norte).exchange()
        assert norte.stream(link, sur).exchange().new == 40
        pair = Pair(asking=norte.device, answering=sur.device, network=sur.journal.network)
        link.answer(pair.host, sur.key)
        assert pair.ask(link.carry(sur.key), network=sur.journal.network)(b"what is at the mill")
        spy.run(spy.client.flush())
        raw = [spy.run(spy.client.jetstream().get_msg(stream_of(sur.journal.network), n)).data or b"" for n in (1, 2)]
    assert len(seen) > 8
    told = b"\n".join((*seen, *map(base64.b64decode, _long_texts(seen)), *raw))
    for secret in (sur.key, norte.key, sur.journal.network, "mill", "Barrio", "note.written"):
        assert secret.encode() not in told
    for key in (sur.key, norte.key, sur.journal.network):
        assert bytes_of(key) not in told


def _long_texts(seen: list[bytes]) -> list[bytes]:
    """Return what servers answered in base64."""
    found = [text for one in seen for text in re.findall(rb'"data":"([A-Za-z0-9+/=]+)"', one)]
    assert found
    return found


def test_who_was_cut_off_opens_nothing_that_is_added_after(one: Servers) -> None:
    sur = Member.founding(is_open=False)
    thief, norte = Member(), Member()
    for other in (thief, norte):
        sur.endorse(other.key)
    for other in (thief, norte):
        other.journal.receive(sur.journal.store.export())
    with NatsLink(one.address) as link:
        stream, theirs = sur.belonging(link), thief.belonging(link)
        sur.note(3)
        stream.exchange()
        assert theirs.exchange().new == 3
        sur.journal.append([DeviceCut(thief.key, 0, DAY)], time=0)
        sur.note(5)
        assert stream.exchange().added == 6
        left = theirs.exchange()
        assert (left.new, left.unread) == (0, 1)
        assert norte.belonging(link).exchange().new == 9


def test_who_is_endorsed_later_reads_what_is_added_after_and_gets_in_what_it_wrote_before(one: Servers) -> None:
    sur = Member.founding(is_open=False)
    late = Member.beside(sur)
    late.note(PER_AUTHOR + 40)
    with NatsLink(one.address) as link:
        stream, theirs = sur.belonging(link), late.belonging(link)
        sur.note(3)
        stream.exchange()
        assert theirs.exchange().unread == 1
        done = stream.exchange()
        assert (done.new, len(done.refused)) == (PER_AUTHOR, 40)
        assert stream.exchange().new == 0
        sur.endorse(late.key)
        done = stream.exchange()
        assert (done.new, done.refused) == (40, [])
        # What was sealed before it could read comes too, as its sender hands on older keys.
        done = theirs.exchange()
        assert (done.new, done.unread) == (4, 0)
        assert late.ids == sur.ids
        # Also if its sender has begun anew, and has nothing to add.
        third = Member()
        sur.endorse(third.key)
        third.journal.receive([next(iter(sur.journal.store.export()))])
        sur.belonging(link).exchange()
        theirs.exchange()
        assert third.belonging(link).exchange().unread == 0
    assert third.ids == sur.ids


def test_a_key_to_which_nothing_can_be_sealed_keeps_nobody_from_reading(one: Servers) -> None:
    sur = Member.founding(is_open=False)
    small_order = text_of(bytes([1]) + bytes(31))
    sur.endorse(small_order)
    norte = Member()
    sur.endorse(norte.key)
    norte.journal.receive(sur.journal.store.export())
    sur.note(3)
    with NatsLink(one.address) as link:
        assert small_order in Membership(sur.journal).readers()
        sur.belonging(link).exchange()
        assert norte.belonging(link).exchange().new == 3


def test_what_others_put_into_the_stream_is_refused_and_stops_nothing(one: Servers) -> None:
    sur, foreign = Member.founding(), Member.founding()
    norte = Member.beside(sur)
    sur.note(3)
    first = list(sur.journal.store.export())[1]
    forged = Signed(first.raw, bytes(64))
    strange = next(iter(foreign.journal.store.export()))
    known = StreamKey([norte.key, sur.key])
    sealed = known.seal(sur.journal.network, [forged, strange, Signed(b"no entry", bytes(64)), first])
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    with NatsLink(one.address) as link:
        stream = sur.stream(link, norte)
        stream.exchange()
        context = link.client.jetstream()
        subject = f"abasto.stream.{subject_of(sur.journal.network)}"
        broken = sealed[:-1] + bytes((sealed[-1] ^ 1,))
        other = known.seal(foreign.journal.network, [strange])
        noise = [b"", b"x", os.urandom(3_000), b"\1\1" + os.urandom(500), b"\1\2" + os.urandom(500), b"\1\1" + bomb]
        for data in (*noise, known.message(), sealed, sealed, broken, other, known.message(), sealed[:50]):
            link.run(context.publish(subject, data))
        with pytest.raises(Exception, match="size"):  # What no message can be is not even kept there.
            link.run(context.publish(subject, bytes(500_000)))
        done = norte.stream(link, sur).exchange()
        assert (done.new, len(done.refused), done.unread) == (3, 6, 1)
        assert norte.ids == sur.ids
        assert stream.exchange().added == 0
        sur.note(1)
        assert stream.exchange().added == 1


def put_by_hand(link: NatsLink, member: Member, *messages: bytes) -> None:
    """Put messages into a member's stream, as anybody can who reaches the servers."""
    context = link.client.jetstream()
    for data in messages:
        link.run(context.publish(f"abasto.stream.{subject_of(member.journal.network)}", data))


def test_an_entry_of_mine_that_another_put_there_keeps_none_before_it_from_being_added(one: Servers) -> None:
    sur = Member.founding()
    norte, reader = Member.beside(sur), Member.beside(sur)
    sur.note(5)
    norte.journal.receive(sur.journal.store.export())
    key = StreamKey([sur.key, norte.key])
    last = list(sur.journal.store.export())[-1]
    with NatsLink(one.address) as link:
        norte.stream(link, sur, reader).exchange()  # Made anew by norte, as the one before was lost.
        put_by_hand(link, sur, key.message(), key.seal(sur.journal.network, [last]))
        stream = sur.stream(link, norte, reader)
        assert stream.exchange().added == 5
        assert stream.exchange().added == 0
        assert sur.stream(link, norte, reader).exchange().added == 0
        reader.stream(link, sur).exchange()
        assert reader.ids == sur.ids


def test_who_puts_my_entries_there_again_under_made_up_keys_makes_no_older_key_of_mine_forgotten(
    one: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_stream, "MOST_OLDER", 3)
    sur = Member.founding()
    norte, late = Member.beside(sur), Member.beside(sur)
    sur.note(5)
    with NatsLink(one.address) as link:
        stream = sur.stream(link, norte)
        stream.exchange()
        last = list(sur.journal.store.export())[-1]
        for _ in range(10):
            key = StreamKey([sur.key])
            put_by_hand(link, sur, key.message(), key.seal(sur.journal.network, [last]))
        for program in (stream, sur.stream(link, norte, late)):
            program.exchange()
            assert len(program._own_keys) <= 3
        assert late.stream(link, sur).exchange().new == 5


def test_keys_without_end_make_none_forgotten_of_who_is_read() -> None:
    sur = Member.founding()
    honest = StreamKey([sur.key])
    ring = Ring(sur.seed, sur.journal.network)
    ring.open(honest.message())
    sealed = honest.seal(sur.journal.network, list(sur.journal.store.export()))
    assert len(ring.open(sealed)) == 1
    for _ in range(12):
        ring.open(StreamKey([sur.key]).message([secrets.token_bytes(32) for _ in range(12_000)]))
    assert len(ring.open(sealed)) == 1
    assert len(ring._fresh) + len(ring._used) <= MOST_KEYS + 1


def test_a_bomb_under_a_members_own_key_is_not_unpacked(one: Servers) -> None:
    sur = Member.founding()
    key = StreamKey([sur.key])
    ring = Ring(sur.seed, sur.journal.network)
    assert ring.open(key.message()) == []
    sealed = key.seal(sur.journal.network, [])
    assert ring.open(sealed) == []
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    for packed in (bomb, os.urandom(100), b"", pack(Get(network=sur.journal.network, ids=[]))):
        head, nonce = sealed[:18], os.urandom(24)
        plain = len(packed).to_bytes(4, "big") + packed
        assert ring.open(head + nonce + Aead(key.key).encrypt(plain, head, nonce).ciphertext) == []


def test_what_was_not_kept_here_is_read_again(one: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    sur = Member.founding()
    norte = Member.beside(sur)
    sur.note(5)
    with NatsLink(one.address) as link:
        sur.stream(link, norte).exchange()
        stream = norte.stream(link, sur)

        def full_disk(*_: object, **__: object) -> int:
            raise JournalError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(norte.journal.store, "add", full_disk)
            with pytest.raises(JournalError):
                stream.exchange()
        assert stream.exchange().new == 5


def test_a_stream_that_was_lost_is_filled_again(one: Servers) -> None:
    sur = Member.founding()
    norte = Member.beside(sur)
    sur.note(5)
    with NatsLink(one.address) as link:
        streams = [member.stream(link, sur, norte) for member in (sur, norte)]
        assert [stream.exchange().added for stream in streams] == [6, 0]
        link.run(link.client.jetstream().delete_stream(stream_of(sur.journal.network)))
        norte.note(2)
        assert [stream.exchange().added for stream in streams] == [6, 2]
        assert streams[0].exchange().new == 2


@pytest.mark.soak
def test_a_killed_server_of_three_loses_nothing_that_was_acknowledged(
    three: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_stream, "BATCH", 5)
    sur = Member.founding()
    norte, puerto = Member.beside(sur), Member.beside(sur)
    sur.note(MANY)
    with NatsLink(three.address) as link, NatsLink(three.address) as other:
        stream = sur.stream(link, norte, puerto)
        info = link.run(stream._info())
        assert info.config.num_replicas == REPLICAS
        assert info.cluster is not None
        leader = int((info.cluster.leader or "").removeprefix("abasto-"))

        added: list[int] = []
        adding = threading.Thread(target=lambda: added.append(stream.exchange().added))
        adding.start()
        while _held(other, sur) < 100:
            time.sleep(0.01)
        three.kill(leader)
        assert adding.is_alive()  # It was in the middle.
        early = norte.stream(other, sur, puerto)
        taken = early.exchange().new
        adding.join(timeout=120)
        assert added == [MANY + 1]
        assert taken + early.exchange().new == MANY
        assert norte.ids == sur.ids
        # Who was not there until now gets all of it from the two that are left.
        assert puerto.stream(other, sur, norte).exchange().new == MANY
        assert puerto.ids == sur.ids

        three.start_again(leader)
        norte.note(10)
        assert early.exchange().added == 10
        assert stream.exchange().new == 10


def _held(link: NatsLink, member: Member) -> int:
    """Return how many messages a network's stream holds."""
    return link.run(link.client.jetstream().stream_info(stream_of(member.journal.network))).state.messages


@pytest.mark.soak
def test_two_servers_that_are_gone_acknowledge_nothing_and_it_is_added_when_they_are_back(
    three: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sur = Member.founding()
    norte = Member.beside(sur)
    with NatsLink(three.address) as link:
        stream = sur.stream(link, norte)
        stream.exchange()
        three.kill(0)
        three.kill(1)
        sur.note(3)
        monkeypatch.setattr(nats_stream, "PATIENCE", 6.0)
        with pytest.raises(UnreachableError, match="most of them run"):
            stream.exchange()
        monkeypatch.undo()
        three.start_again(0)
        assert stream.exchange().added == 3
        assert norte.stream(link, sur).exchange().new == 3
        assert norte.ids == sur.ids


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
        subject = over_nats.subject_of(pair.answering.key)
        for number in range(3 * over_nats.MOST_OPEN):
            for noise in (os.urandom(number), bytes(16) + b"\0\1\0\0", os.urandom(16) + b"\0\1\0\3" + bytes(50_000)):
                here.run(here.client.publish(subject, noise, reply="nobody"))
        assert pair.ask(here.carry(pair.answering.key))(b"question")
        assert len(there._open) <= over_nats.MOST_OPEN
    monkeypatch.setattr(over_nats, "CONNECT_SECONDS", 2.0)
    with pytest.raises(UnreachableError, match="no NATS server answers"):
        NatsLink(f"nats://127.0.0.1:{free_ports(1)[0]}")


def test_what_the_stream_never_had_comes_by_the_exchange_between_peers(one: Servers) -> None:
    sur = Member.founding()
    norte = Member.beside(sur)
    by_stick = Member.beside(sur)
    by_stick.note(20)
    norte.journal.receive(by_stick.journal.store.export())  # Of a device that reaches no server.
    with NatsLink(one.address) as here, NatsLink(one.address) as there:
        norte.stream(there, sur).exchange()
        assert sur.stream(here, norte).exchange().new == 0
        pair = Pair(answering=norte.device, network=norte.journal.network)
        pair.echo.answer = Answerer(norte.journal).answer  # type: ignore[method-assign]
        there.answer(pair.host, norte.key)
        synced = sync(sur.journal, pair.ask(here.carry(norte.key), network=sur.journal.network))
    assert synced.came == 20
    assert synced.is_identical


def test_the_running_server_of_this_machine_carries_entries_too() -> None:
    try:
        socket.create_connection(("127.0.0.1", USUAL), timeout=2).close()
    except OSError:
        pytest.skip(f"no server on 127.0.0.1:{USUAL}; start one with: nats-server -js -a 127.0.0.1")
    sur = Member.founding()
    norte = Member.beside(sur)
    sur.note(50)
    with NatsLink(f"nats://127.0.0.1:{USUAL}") as link:
        context = link.client.jetstream()
        try:
            link.run(context.account_info())
        except Exception:
            pytest.skip(f"the server on 127.0.0.1:{USUAL} has no JetStream; start it with: nats-server -js")
        try:
            sur.stream(link, norte).exchange()
            assert norte.stream(link, sur).exchange().new == 50
        finally:
            link.run(context.delete_stream(stream_of(sur.journal.network)))


# What can be wrong before anything is carried


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(LinkError, match=r'pip install "abasto\[nats\]"'):
        NatsLink("nats://127.0.0.1")


def test_a_device_without_a_network_and_a_server_without_streams_are_told(
    one: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NatsLink(one.address) as link, pytest.raises(LinkError, match="no network yet"):
        Member().stream(link)
    monkeypatch.setattr(nats_stream, "PATIENCE", 1.0)
    (port,) = free_ports(1)
    with subprocess.Popen([PROGRAM, "-a", "127.0.0.1", "-p", str(port), "-l", tmp_path / "log"]) as bare:
        try:
            with NatsLink(f"nats://127.0.0.1:{port}") as link, pytest.raises(UnreachableError, match="JetStream"):
                Member.founding().stream(link).exchange()
        finally:
            bare.kill()


@pytest.mark.parametrize(
    "address", ["", "nats://", "http://127.0.0.1", "nats://127.0.0.1,", "nats://x b", "nats://x/y"]
)
def test_what_names_no_servers_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="no NATS servers"):
        servers_of(address)
