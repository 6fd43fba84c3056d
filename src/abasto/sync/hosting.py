"""A home as a peer that others may ask: its journal, its key and its register behind the path of the exchange."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from threading import Event, Lock, Thread
from typing import Protocol

from starlette.applications import Starlette

from abasto.errors import AbastoError
from abasto.journal.home import Home
from abasto.sync.exchange import Answerer, Ask, MayKeep
from abasto.sync.http import peer_app
from abasto.sync.nats import NatsLink
from abasto.sync.nats_stream import NatsStream
from abasto.sync.peer import Host
from abasto.sync.register import Register

__all__ = ["Answering", "host_of", "over_nats", "peers_app", "stream_for"]

Answering = Callable[[str], Ask]
IsCut = Callable[[str], bool]
"""Says of a device's key whether the network has cut the device off."""


class Members(Protocol):
    """What the network's members are to who answers for a journal; see `abasto.membership`."""

    def is_cut(self, key: str) -> bool: ...

    def room(self) -> MayKeep: ...

    def readers(self) -> Collection[str]: ...


EVERY_SECONDS = 5.0
"""Between two looks at the stream of a network."""
LOOKS_UNREAD = 24
"""After so many looks at messages whose senders have not brought their keys it is told."""
UNREAD = (
    "the stream has messages that this device cannot open: those who sent them do not know yet that it may, or "
    "are away; what is missing comes by an exchange with a peer: abasto sync PEER"
)

FAULT = (
    "the stream of the network could not be looked at ({error:.200}); this is a fault in Abasto, please report it. It "
    "is tried again every few seconds; what is missing comes by an exchange with a peer: abasto sync PEER"
)


def _none(key: str) -> bool:
    return False


def host_of(home: Home, answering: Answering | None = None, *, is_cut: IsCut = _none) -> Host:
    """Return the answering side of a home: peers of its register that are not cut off, one question at a time.

    `answering` returns what answers the holder of a key; all of the journal unless it is given. `is_cut` is asked with
    every question.
    """
    journal = home.journal
    device = journal.device
    assert device is not None  # A home always has one.
    register = Register(home.file)
    return Host(
        device,
        network=lambda: journal.network,
        may=lambda key: register.expects(key) and not is_cut(key),
        answering=answering or _in_full(home),
    )


def _in_full(home: Home) -> Answering:
    answerer, lock = Answerer(home.journal), Lock()

    def answer(question: bytes) -> bytes:
        with lock:
            return answerer.answer(question)

    return lambda key: answer


def peers_app(home: Home, answering: Answering | None = None, *, is_cut: IsCut = _none) -> Starlette:
    """Return the application for the path of the exchange; as long as a home has no peers, nothing is there."""
    register = Register(home.file)
    return peer_app(host_of(home, answering, is_cut=is_cut), is_open=lambda: bool(register.all()))


def stream_for(home: Home, link: NatsLink, members: Members) -> NatsStream:
    """Return the stream of a home's network; raises `LinkError` without one."""
    seed = home.file.seed()
    assert seed is not None  # A home always has one.
    return NatsStream(link, home.journal, seed, readers=members.readers, may_keep=members.room())


@contextlib.contextmanager
def over_nats(
    home: Home, servers: str, tell: Callable[[str], None], answering: Answering, members: Members
) -> Iterator[None]:
    """Answer a home's peers over NATS too, and keep its journal and the network's stream alike, while a block runs.

    `tell` hears, once each time, that the stream cannot be reached, and that it can again; and that there are
    messages in it which this device cannot open.
    """
    device = home.journal.device
    assert device is not None  # A home always has one.
    ended = Event()

    with NatsLink(servers) as link:
        link.answer(host_of(home, answering, is_cut=members.is_cut), device.key)

        def keep_alike() -> None:
            stream: NatsStream | None = None
            wrong, unread = "", 0
            while not ended.is_set():
                try:
                    if home.journal.network:
                        stream = stream or stream_for(home, link, members)
                        unread = unread + 1 if stream.exchange().unread else 0
                        if wrong:
                            tell("the stream of the network is reached again.")
                        if unread == LOOKS_UNREAD:
                            tell(UNREAD)
                        wrong = ""
                except Exception as error:  # Whatever it is, the next look may go well, and nobody else would tell it.
                    why = str(error) if isinstance(error, AbastoError) else FAULT.format(error=repr(error))
                    if why != wrong:
                        tell(why)
                    wrong = why
                ended.wait(EVERY_SECONDS)

        thread = Thread(target=keep_alike, name="stream")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
