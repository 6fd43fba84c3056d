"""A home as a peer that others may ask: its journal, its key and its register behind the path of the exchange."""

from __future__ import annotations

from threading import Lock

from starlette.applications import Starlette

from abasto.journal.home import Home
from abasto.sync.exchange import Answerer
from abasto.sync.http import peer_app
from abasto.sync.peer import Host
from abasto.sync.register import Register

__all__ = ["host_of", "peers_app"]


def host_of(home: Home) -> Host:
    """Return the answering side of a home: peers of its register may ask, one question at a time."""
    journal = home.journal
    device = journal.device
    assert device is not None  # A home always has one.
    answerer = Answerer(journal)
    lock = Lock()

    def answer(question: bytes) -> bytes:
        with lock:
            return answerer.answer(question)

    return Host(device, network=lambda: journal.network, may=Register(home.file).expects, answering=lambda key: answer)


def peers_app(home: Home) -> Starlette:
    """Return the application for the path of the exchange; as long as a home has no peers, nothing is there."""
    register = Register(home.file)
    return peer_app(host_of(home), is_open=lambda: bool(register.all()))
