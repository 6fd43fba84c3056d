"""What a hostile device sends, by every carrier: refused by its type, and nothing else is kept away by it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard
from tests.journal.contract import Pen
from tests.sync.nats_here import Servers
from tests.sync.served_peer import served

from abasto.cycle import read_state
from abasto.errors import MessageError, OversizedError
from abasto.facts.canonical import canonical, parse
from abasto.facts.kinds import DeviceEndorsed
from abasto.journal.entry import Signed
from abasto.journal.home import Home
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, text_of
from abasto.letters import answering_for
from abasto.membership import Membership
from abasto.sync.bundle import FIRST_LINE, open_bundle
from abasto.sync.exchange import Ask
from abasto.sync.hosting import host_of, peers_app, stream_for
from abasto.sync.http import HttpCarrier
from abasto.sync.messages import Give, Holds, Page, pack, unpack
from abasto.sync.nats import NatsLink
from abasto.sync.peer import Asking
from abasto.sync.quarantine import PER_AUTHOR
from abasto.sync.refused import NotExpectedError
from abasto.sync.register import Register
from abasto.sync.sealing import seal
from abasto.sync.stream_seal import StreamKey, subject_of

DAY = "2026-11-22"
BOMB = zstandard.ZstdCompressor().compress(bytes(100_000_000))
TORN = zstandard.ZstdCompressor().compress(secrets.token_bytes(500))[:100]
SMALL_ORDER = (bytes(32), bytes([1]) + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f")


@dataclass
class Victim:
    """A home of an endorsed network, a member of it that went bad, and how that one delivers pages of entries.

    `deliver` returns why entries were refused; `throw` brings bytes that are no message, and returns the type of error.
    """

    home: Home
    rogue: Device
    deliver: Callable[[list[Signed]], list[str]]
    throw: Callable[[bytes], str]

    def pen(self, number: int) -> Pen:
        return Pen(number, network=self.home.journal.network)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp("nats"), count=1)
    yield running
    running.stop()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.create(tmp_path / "home", passphrase=None) as made:
        made.journal.found("Barrio Sur", date=DAY, time=0, is_open=False)
        yield made


@pytest.fixture(params=["http", "nats", "stream", "bundle"])
def victim(request: pytest.FixtureRequest, home: Home, tmp_path: Path, servers: Servers) -> Iterator[Victim]:
    rogue = Device(secrets.token_bytes(32))
    own = home.journal.device
    assert own is not None
    home.journal.append([DeviceEndorsed(rogue.key, "reader", DAY, (), "")], time=0)
    Register(home.file).add("rogue", "127.0.0.1", rogue.key, own=own.key)
    network, members = home.journal.network, Membership(home.journal)
    answering = answering_for(home.journal, read=read_state, may_keep=members.room())
    if request.param == "http":
        with served(peers_app(home, answering, is_cut=members.is_cut)) as address, HttpCarrier(address) as carry:
            yield _asked(home, rogue, Asking(carry, rogue, key=own.key, network=network))
    elif request.param == "nats":
        with NatsLink(servers.address) as there, NatsLink(servers.address) as here:
            there.answer(host_of(home, answering, is_cut=members.is_cut), own.key)
            yield _asked(home, rogue, Asking(here.carry(own.key), rogue, key=own.key, network=network))
    elif request.param == "stream":
        with NatsLink(servers.address) as link:
            yield _streamed(home, rogue, link, members)
    else:
        yield _carried(home, rogue, tmp_path / "rogue.abasto", members)


def _asked(home: Home, rogue: Device, ask: Ask) -> Victim:
    network = home.journal.network

    def deliver(entries: list[Signed]) -> list[str]:
        refused = []
        for page in _pages(entries):
            answer, _ = unpack(ask(pack(Give(network=network), page)))
            assert answer.kind == "kept"
            refused += [refusal.why for refusal in answer.refused]
        return refused

    def throw(message: bytes) -> str:
        answer, _ = unpack(ask(message))
        assert answer.kind == "no"
        return answer.cause

    return Victim(home, rogue, deliver, throw)


def _streamed(home: Home, rogue: Device, link: NatsLink, members: Membership) -> Victim:
    own = home.journal.device
    assert own is not None
    network, stream = home.journal.network, stream_for(home, link, members)
    stream.exchange()
    key = StreamKey([own.key, rogue.key])
    subject, context = f"abasto.stream.{subject_of(network)}", link.client.jetstream()
    link.run(context.publish(subject, key.message()))

    def deliver(entries: list[Signed]) -> list[str]:
        for start in range(0, len(entries), 200):
            link.run(context.publish(subject, key.seal(network, entries[start : start + 200])))
        return stream.exchange().refused

    def throw(message: bytes) -> str:
        before = home.journal.store.count()
        link.run(context.publish(subject, b"\1\2" + message))
        link.run(context.publish(subject, b"\1\1" + message))
        assert stream.exchange().refused == []
        assert home.journal.store.count() == before
        return "passed over"

    return Victim(home, rogue, deliver, throw)


def _carried(home: Home, rogue: Device, path: Path, members: Membership) -> Victim:
    own, network = home.journal.device, home.journal.network
    assert own is not None
    key = own.key

    def write(*messages: bytes) -> None:
        parts = [len(message).to_bytes(4, "big") + message for message in messages]
        path.write_bytes(seal(FIRST_LINE + b"".join(parts) + bytes(4), [key], None))

    def deliver(entries: list[Signed]) -> list[str]:
        held = pack(Holds(network=network, writer=rogue.key, hash=text_of(bytes(32)), holds=[]))
        write(held, *(pack(Give(network=network), page) for page in _pages(entries)))
        bundle = open_bundle(path, seed=home.file.seed())
        return list(bundle.read(home.journal, may_keep=members.room()).refused)

    def throw(message: bytes) -> str:
        write(message)
        with pytest.raises(MessageError) as told:
            open_bundle(path, seed=home.file.seed())
        return "oversized" if isinstance(told.value, OversizedError) else "message"

    return Victim(home, rogue, deliver, throw)


def _pages(entries: list[Signed]) -> Iterator[list[Signed]]:
    page = Page()
    for signed in entries:
        if not page.add(signed):
            yield page.entries
            page = Page()
            page.add(signed)
    yield page.entries


def _by_hand(pen: Pen, **fields: object) -> bytes:
    """Return the bytes of an entry with some fields changed, as no signature is over them."""
    return canonical(parse(pen.write().signed.raw) | fields)


def test_each_entry_is_refused_by_what_is_wrong_with_it_and_the_sound_one_beside_it_is_kept(victim: Victim) -> None:
    pen = victim.pen(10)
    sound, forged = pen.write().signed, pen.write().signed
    foreign = Pen(11).write().signed
    other = Journal(MemoryStore(), Device(bytes([12]) * 32))
    other.found("Otra red", date=DAY, time=0)
    wrong = {
        "signature": Signed(forged.raw, bytes(64)),
        "this journal is of": foreign,
        "an entry of network": next(iter(other.store.export())),
        "an entry has at most": Signed(b'{"a":' + bytes(17_000) + b"}", bytes(64)),
        "canonical": Signed(forged.raw.replace(b'"a":', b'"a": ', 1), forged.signature),
    }
    count = victim.home.journal.store.count()
    refused = victim.deliver([sound, *wrong.values()])
    assert len(refused) == len(wrong)
    for words, why in zip(wrong, refused, strict=True):
        assert words in why
    assert victim.home.journal.store.count() == count + 1


def test_a_key_of_small_order_signs_nothing(victim: Victim) -> None:
    pen = victim.pen(10)
    # With such a key this signature is over anything, by the equation alone.
    trivial = bytes([1]) + bytes(63)
    entries = [Signed(_by_hand(pen, a=text_of(key), seq=1, prev=text_of(bytes(32))), trivial) for key in SMALL_ORDER]
    refused = victim.deliver(entries)
    assert len(refused) == len(SMALL_ORDER)
    assert all("signature" in why for why in refused)


def test_what_is_replayed_is_kept_once(victim: Victim) -> None:
    entries = [verified.signed for verified in victim.pen(10).chain(20)]
    count = victim.home.journal.store.count()
    for _ in range(3):
        assert victim.deliver([*entries, *entries]) == []
        assert victim.home.journal.store.count() == count + 20


def test_a_flood_under_made_up_keys_gets_little_room_and_a_member_beside_it_all_it_needs(victim: Victim) -> None:
    pen = Pen(0, network=victim.home.journal.network)
    pen.device, pen.key = victim.rogue, victim.rogue.key
    flood = [one.signed for number in (20, 21) for one in victim.pen(number).chain(PER_AUTHOR + 10)]
    count = victim.home.journal.store.count()
    refused = victim.deliver([*flood, *(verified.signed for verified in pen.chain(PER_AUTHOR + 50))])
    assert len(refused) == 20
    assert all("no room" in why for why in refused)
    assert victim.home.journal.store.count() == count + 3 * PER_AUTHOR + 50


@pytest.mark.parametrize(
    ("message", "cause"),
    [(BOMB, "oversized"), (secrets.token_bytes(1_000), "message"), (TORN, "message"), (b"", "message")],
    ids=["bomb", "noise", "torn", "empty"],
)
def test_what_is_no_message_is_refused_before_it_is_unpacked(victim: Victim, message: bytes, cause: str) -> None:
    count = victim.home.journal.store.count()
    assert victim.throw(message) in (cause, "passed over")
    assert victim.home.journal.store.count() == count
    # Whoever sent it is heard again as if nothing had been.
    assert victim.deliver([victim.pen(10).write().signed]) == []


def test_an_outsider_gets_nothing_in_by_asking(home: Home) -> None:
    own = home.journal.device
    assert own is not None
    Register(home.file).add("member", "127.0.0.1", Device(bytes([7]) * 32).key, own=own.key)
    outsider = Device(secrets.token_bytes(32))
    with served(peers_app(home)) as address, HttpCarrier(address) as carry:
        ask = Asking(carry, outsider, key=own.key, network=home.journal.network)
        with pytest.raises(NotExpectedError):
            ask(pack(Give(network=home.journal.network), [Pen(10).write().signed]))
    assert home.journal.store.count() == 1
