"""Sealed messages over a real server on loopback: broken links, strangers, and whoever sends too much or too slowly."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.sync.peers_here import NETWORK, Pair
from tests.sync.served_peer import Link, served

from abasto.errors import SettingError
from abasto.journal.signing import Device
from abasto.sync import http, peer
from abasto.sync.http import MEDIA, PATH, HttpCarrier, peer_app, url_of
from abasto.sync.peer import Asking
from abasto.sync.refused import (
    ForgedError,
    NotExpectedError,
    TooLargeError,
    UnreachableError,
    VersionError,
    WrongKeyError,
)


@dataclass
class Served:
    """A pair whose answering device is served at `address`."""

    pair: Pair
    address: str

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def send(self, message: bytes) -> httpx.Response:
        return httpx.post(
            self.address + PATH, content=message, headers={"content-type": MEDIA}, trust_env=False, timeout=60
        )

    def refusal(self, message: bytes) -> int:
        """Return the number of the error that a message is met with."""
        answer = self.send(message).content
        assert answer[:2] == bytes((peer.VERSION, peer.REFUSAL))
        return answer[2]


@pytest.fixture
def here() -> Iterator[Served]:
    pair = Pair()
    app = peer_app(pair.host)
    with served(app) as address:
        yield Served(pair, address)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no one longer than a moment."""
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(http, "CHUNK_SECONDS", 0.3)
    monkeypatch.setattr(http, "MESSAGE_SECONDS", 1.0)


def carrier(address: str) -> HttpCarrier:
    return HttpCarrier(address, pause=lambda seconds: None)


def test_questions_are_answered_over_a_real_server(here: Served) -> None:
    with carrier(here.address) as carry:
        ask = here.pair.ask(carry)
        for question in (b"first", b"", os.urandom(3_000_000)):
            assert ask(question) == here.pair.echo.answer(question)


@pytest.mark.parametrize("cut", [(40, 1 << 60), (200_000, 1 << 60), (1 << 60, 10), (1 << 60, 100_000)])
def test_a_link_that_breaks_in_a_message_is_gone_over_again_and_the_question_is_heard_once(
    here: Served, cut: tuple[int, int]
) -> None:
    link = Link(here.port)
    with carrier(link.address) as carry:
        ask = here.pair.ask(carry)
        assert ask(b"first")
        carry._client.close()  # The next question opens a connection of its own, which breaks.
        carry._client = HttpCarrier(link.address)._client
        link.cuts = [cut]
        large = os.urandom(1_000_000)
        assert ask(large).endswith(large)
    link.close()
    assert link.passed == 3
    assert here.pair.echo.heard == [b"first", large]


def test_a_link_that_stays_broken_is_told_and_the_next_question_goes_on(here: Served) -> None:
    link = Link(here.port)
    with carrier(link.address) as carry:
        ask = here.pair.ask(carry)
        link.cuts = [(10, 10)] * http.TRIES
        with pytest.raises(UnreachableError, match="goes on where it stopped"):
            ask(b"first")
        assert ask(b"second")
    link.close()
    assert here.pair.echo.heard == [b"second"]


def test_nobody_there_is_told_with_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with carrier(address) as carry, pytest.raises(UnreachableError, match=address):
            Pair().ask(carry)(b"question")


def test_a_restarted_server_is_met_with_a_new_session(here: Served) -> None:
    with carrier(here.address) as carry:
        ask = here.pair.ask(carry)
        ask(b"first")
        here.pair.host._sessions.clear()
        large = os.urandom(2_000_000)
        assert ask(large).endswith(large)


def test_strangers_wrong_keys_and_replays_are_refused_by_type(here: Served) -> None:
    pair = here.pair
    with carrier(here.address) as carry:
        stranger = Asking(carry, Device(b"\7" * 32), key=pair.answering.key, network=NETWORK)
        with pytest.raises(NotExpectedError):
            stranger(b"let me in")
        with pytest.raises(WrongKeyError):
            Asking(carry, pair.asking, key=Device(b"\6" * 32).key, network=NETWORK)(b"who are you?")
        sent: list[bytes] = []

        def record(message: bytes) -> bytes:
            sent.append(message)
            return carry(message)

        ask = pair.ask(record)
        ask(b"first")
        ask(b"second")
    assert here.refusal(sent[1]) == ForgedError.number
    assert pair.echo.heard == [b"first", b"second"]


def test_a_body_that_is_too_large_is_refused_before_it_has_been_taken_in(here: Served) -> None:
    with carrier(here.address) as carry:
        ask = here.pair.ask(carry)
        ask(b"first")
        session = ask._session
    head = bytes((peer.VERSION, peer.QUESTION)) + session + (2).to_bytes(8, "big")
    assert here.refusal(head + bytes(peer.MOST_WRAPPED - len(head) + 1)) == TooLargeError.number
    hello = bytes((peer.VERSION, peer.HELLO))
    assert _taken_of_endless(here.port, hello) < 2_000_000
    assert _taken_of_endless(here.port, head[:2] + bytes(16) + head[18:]) < 2_000_000
    assert here.pair.echo.heard == [b"first"]


def _taken_of_endless(port: int, begin: bytes) -> int:
    """Return how many bytes a server takes of a body that says it is of 4 GB, until it breaks the connection off."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        line.sendall(b"POST /peer HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000000\r\n\r\n" + begin)
        taken = 0
        try:
            while taken < 64_000_000:
                taken += line.send(bytes(65_536))
        except (ConnectionError, TimeoutError):
            pass
        return taken


@pytest.mark.usefixtures("impatient")
def test_whoever_sends_slowly_is_cut_off_and_others_are_answered_meanwhile(here: Served) -> None:
    whole = b"POST /peer HTTP/1.1\r\nhost: x\r\ncontent-length: 130\r\n\r\n" + bytes((1, 1)) + bytes(128)
    cut_off: list[int] = []

    def drip(begin: int) -> None:
        """Send the first bytes at once and then one every tenth of a second, as long as the server listens."""
        with socket.create_connection(("127.0.0.1", here.port), timeout=20) as line:
            line.sendall(whole[:begin])
            line.settimeout(0.1)
            for number in range(begin, len(whole)):
                try:
                    if line.recv(1_000) == b"":
                        cut_off.append(begin)
                        return
                except TimeoutError:
                    pass
                except ConnectionError:
                    cut_off.append(begin)
                    return
                try:
                    line.send(whole[number : number + 1])
                except ConnectionError:
                    cut_off.append(begin)
                    return

    # Nothing at all, a head that does not end, a body that does not get to its first 26 bytes, one that does.
    begins = [0, 20, len(whole) - 125, len(whole) - 100] * 5
    threads = [threading.Thread(target=drip, args=(begin,)) for begin in begins]
    for thread in threads:
        thread.start()
    with carrier(here.address) as carry:
        assert here.pair.ask(carry)(b"question")
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(cut_off) == sorted(begins)


def _answers(response: Response) -> Starlette:
    async def answer(request: Request) -> Response:
        return response

    return Starlette(routes=[Route(PATH, answer, methods=["POST"])])


def test_a_bomb_and_an_endless_answer_are_refused() -> None:
    pair = Pair()
    packed = gzip.compress(bytes(200_000_000), compresslevel=9)
    bomb = Response(packed, media_type=MEDIA, headers={"content-encoding": "gzip"})
    with served(_answers(bomb)) as address, carrier(address) as carry:
        assert carry(b"hello") == packed  # As it came: nothing is unpacked here.
        with pytest.raises(VersionError):
            pair.ask(carry)(b"question")
    endless = Response(bytes(peer.MOST_WRAPPED + 1), media_type=MEDIA)
    with served(_answers(endless)) as address, carrier(address) as carry, pytest.raises(TooLargeError):
        pair.ask(carry)(b"question")


@pytest.mark.parametrize(
    "response",
    [
        Response("a page", media_type="text/html"),
        Response("no", 404),
        Response(status_code=307, headers={"location": "http://127.0.0.1:9/peer"}),
    ],
    ids=["page", "nothing", "elsewhere"],
)
def test_what_is_no_peer_is_said_to_be_none(response: Response) -> None:
    with served(_answers(response)) as address, carrier(address) as carry:
        ask = Pair().ask(carry)
        with pytest.raises(UnreachableError, match="no peer of this program"):
            ask(b"question")


def test_a_device_without_peers_answers_as_if_nothing_were_there() -> None:
    pair = Pair()
    with served(peer_app(pair.host, is_open=lambda: False)) as address, carrier(address) as carry:
        ask = pair.ask(carry)
        with pytest.raises(UnreachableError, match="404"):
            ask(b"question")


@pytest.mark.parametrize(
    "address",
    ["", "http://", "ftp://example.org", "http://example.org/other", "http://a:b@example.org", "example.org:99999",
     "http://example.org?x", "exa mple.org", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="no address of a peer"):
        url_of(address)


def test_an_address_of_the_newer_kind_gets_its_brackets_and_the_usual_port() -> None:
    assert url_of("[fe80::1]").endswith("//[fe80::1]:8300/peer")


def test_strangers_who_wait_take_no_place_from_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_READING", 1)
    pair = Pair()

    def no_pause(seconds: float) -> None:
        raise AssertionError("the peer was told to come back later")

    with served(peer_app(pair.host)) as address, contextlib.ExitStack() as held:
        port = urlsplit(address).port
        for _ in range(5):
            line = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(b"POST /peer HTTP/1.1\r\nhost: x\r\ncontent-length: 130\r\n\r\n" + bytes((1, 1)) + bytes(40))
        with HttpCarrier(address, pause=no_pause) as carry:
            large = os.urandom(1_000_000)
            assert pair.ask(carry)(large).endswith(large)
