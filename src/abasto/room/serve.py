"""A room that listens: where, with which names, and until it is told to end."""

from __future__ import annotations

import contextlib
import signal
import socket
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from abasto.errors import SettingError
from abasto.journal.home import Home
from abasto.room.app import LOOPBACK, build_app
from abasto.room.operations import Room
from abasto.sync.http import Patient

__all__ = ["Place", "Server", "listen", "run"]

GOODBYE_SECONDS = 2
"""So long a closing room waits for answers that are under way; streams of events never end by themselves."""
MOST_CONNECTIONS = 400
IDLE_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """Where a room answers: on a port of this machine alone, or also under an address in the local network (`lan`)."""

    port: int
    lan: str = ""
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if self.lan:
            try:
                ip_address(self.lan)
            except ValueError:
                raise SettingError(
                    f'--lan "{self.lan}": this is no address; give the one of this machine in the local network, such '
                    "as 192.168.1.20."
                ) from None

    @property
    def address(self) -> str:
        """The address that is listened on. With `lan` all of them: the desk on this machine still uses loopback."""
        if not self.lan:
            return "127.0.0.1"
        return "::" if ":" in self.lan else "0.0.0.0"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which the room may be asked; others could be a page elsewhere that points its name here."""
        if not self.lan:
            return LOOPBACK
        return (*LOOPBACK, f"[{self.lan}]" if ":" in self.lan else self.lan)

    def url(self, port: int) -> str:
        """Return the address that others type: in the local network if it is answered there."""
        host = self.lan or "127.0.0.1"
        return f"{'http' if self.certificate is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"


class Server:
    """The room of a home, listening at a place."""

    def __init__(
        self,
        home: Home,
        place: Place,
        *,
        language: str = "en",
        day: date | None = None,
        boundaries: Path | None = None,
    ) -> None:
        self.place = place
        self.room = Room(home, now=lambda: datetime.now().astimezone(), day=day, boundaries=boundaries)
        self.is_secure = place.certificate is not None
        self.app = build_app(self.room, hosts=place.hosts, is_secure=self.is_secure, language=language)

    def listen(self) -> socket.socket:
        """Return the socket that the room listens on; raises `OSError` if it cannot be had."""
        bound = listen(self.place)
        self.room.address = self.address(bound.getsockname()[1])
        return bound

    def address(self, port: int) -> str:
        """Return the address that others type: in the local network if the room answers there."""
        return self.place.url(port)

    def run(self, bound: socket.socket) -> None:
        """Answer until the process is told to end (Ctrl-C, SIGTERM)."""
        run(self.app, bound, self.place)


def listen(place: Place) -> socket.socket:
    """Return the socket of a place; raises `OSError` if it cannot be had."""
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((place.address, place.port))
        bound.listen()  # From here on whoever is told the address can knock, and no second room takes the port.
    except BaseException:
        bound.close()
        raise
    return bound


def run(app: ASGIApp, bound: socket.socket, place: Place) -> None:
    """Answer with an application until the process is told to end (Ctrl-C, SIGTERM)."""
    config = uvicorn.Config(
        app,
        http=Patient,
        log_level="warning",
        access_log=False,  # Who asked for what is nobody's business, and no log should hold it.
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # uvicorn raises the signal that ended it once more; what is open is still to be closed after that.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])
