"""One network of an exercise, in a process of its own: its journal, what answers its peers, what it does in a day."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from abasto import exercise
from abasto.cycle import propose, read_state
from abasto.examples import federation_path
from abasto.facts.kinds import NetworkRecognised
from abasto.federation.session import Session
from abasto.journal.home import Home
from abasto.letters import answering_for, exchange, hear_bundle, post
from abasto.membership import Membership
from abasto.room.serve import Place, Server
from abasto.state.network import rows_of
from abasto.sync.bundle import open_bundle, write_bundle
from abasto.sync.hosting import peers_app
from abasto.sync.http import HttpCarrier, Patient
from abasto.sync.peer import Asking
from abasto.sync.register import Register
from abasto.tables import read_network

__all__ = ["Card", "ExerciseMember"]

DAYS_AHEAD = 7


class Card(NamedTuple):
    """What others need to know of a network: its name, its id, its device's key, and where it answers."""

    name: str
    network: str
    key: str
    address: str


class ExerciseMember:
    """Does what the conductor of an exercise asks: every public method is a question, what it returns the answer."""

    def __init__(self, name: str, folder: Path, *, rooms: bool) -> None:
        self._network = read_network(federation_path(name))
        self.day = self._network.start
        self._home = Home.create(folder, passphrase=None)
        self._served = Home.open(folder, passphrase=None)
        self._rooms = rooms
        self._cards: Mapping[str, Card] = {}
        self._session: Session | None = None
        self._days: list[exercise.Day] = []
        self._server: Server | None = None
        self._bound = socket.socket()
        self._bound.bind(("127.0.0.1", 0))
        self._bound.listen()

    def __enter__(self) -> ExerciseMember:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bound.close()
        self._served.close()
        self._home.close()

    @property
    def _own(self) -> str:
        assert self._home.journal.device is not None  # A home always has one.
        return self._home.journal.device.key

    def found(self) -> Card:
        """Found the network with its tables; return its card."""
        journal, network = self._home.journal, self._network
        journal.found(network.name, date=self.day.isoformat(), time=0, facts=rows_of(network, date=self.day))
        address = f"http://127.0.0.1:{self._bound.getsockname()[1]}"
        return Card(network.name, journal.network, self._own, address)

    def meet(self, cards: Mapping[str, Card]) -> list[str]:
        """Recognise the others, answer their devices from now on, and return how to enter the room if it is open."""
        self._cards = cards
        day = self.day.isoformat()
        own = self._own
        self._home.journal.append([NetworkRecognised(card.network, card.name, day) for card in cards.values()], time=0)
        for card in cards.values():
            Register(self._home.file).add(card.name, card.address, card.key, own=own)
        members = Membership(self._served.journal)
        app: ASGIApp = peers_app(
            self._served,
            answering_for(self._served.journal, read=lambda _: members.state(), today=lambda: self.day),
        )
        said = []
        if self._rooms:
            self._server = Server(self._served, Place(self._bound.getsockname()[1], ""), day=self.day)
            code = self._server.room.sessions.new_code("steward", now=self._server.room.now())
            app = self._server.app
            address = self._server.address(self._bound.getsockname()[1])
            said.append(f"The room of {self._network.name}: {address}/enter?code={code}")
        server = uvicorn.Server(uvicorn.Config(app, http=Patient, log_level="error", lifespan="off"))
        threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[self._bound])), daemon=True).start()
        return said

    def morning(self, day: str) -> None:
        """Begin a day."""
        self.day, self._session = date.fromisoformat(day), None
        if self._server is not None:
            self._server.room.go_to(self.day)
        exercise.morning(self._home.journal, self.day)

    def begin(self, day: str) -> int:
        """Begin to plan together; return how many steps that has."""
        self._session = Session(read_state(self._home.journal), date.fromisoformat(day), days=DAYS_AHEAD)
        return self._session.steps

    def step(self) -> None:
        """Do the next step of the joint plan."""
        assert self._session is not None
        self._session.hear(read_state(self._home.journal))
        self._home.journal.append(self._session.step(), time=0)

    def order(self, day: str) -> int:
        """Issue the orders of the day, of the joint plan or else of a plan alone; return how many."""
        journal = self._home.journal
        if self._session is None:
            orders = propose(read_state(journal), date.fromisoformat(day), days=DAYS_AHEAD).orders
        else:
            self._session.hear(read_state(journal))
            orders = self._session.orders()
        if orders:
            journal.append(list(orders), time=0)
        return len(orders)

    def drive(self, day: str, waits: bool) -> None:
        """Load, drive and receive, as far as what was ordered is there; vans may wait for what others still bring."""
        exercise.drive(self._home.journal, date.fromisoformat(day), waits=waits)

    def evening(self, day: str) -> float:
        """Call off what could not be loaded, hand out what people need, and return what share of it there was."""
        exercise.call_off(self._home.journal, date.fromisoformat(day))
        self._days.append(exercise.evening(self._home.journal, date.fromisoformat(day)))
        return self._days[-1].coverage

    def total(self) -> float:
        """Return what share of the need was met over all days."""
        return sum(day.coverage for day in self._days) / len(self._days)

    def sync(self, other: str, day: str) -> int:
        """Exchange letters with another network over its line; return how many came."""
        card, journal = self._cards[other], self._home.journal
        assert journal.device is not None
        with HttpCarrier(card.address) as carry:
            ask = Asking(carry, journal.device, key=card.key, network=card.network)
            done = exchange(journal, ask, card.network, date.fromisoformat(day), read=read_state)
        if done.refused:
            raise RuntimeError(done.refused[0])
        return done.came

    def post(self, path: str, other: str, day: str) -> int:
        """Write a bundle for another network; return its size."""
        outbox = post(self._home.journal, date.fromisoformat(day), read=read_state)
        return write_bundle(outbox, Path(path), readers=[self._cards[other].key]).size

    def hear(self, path: str, day: str) -> int:
        """Take in a bundle; return how many letters came."""
        bundle = open_bundle(Path(path), seed=self._home.file.seed())
        done = hear_bundle(self._home.journal, bundle, date.fromisoformat(day), read=read_state)
        if done.refused:
            raise RuntimeError(done.refused[0])
        return done.came
