"""A peer's application behind a real server on loopback, and a link to it that breaks where a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from abasto.sync.http import Patient


@contextlib.contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application as the commands do, on a free port; yields its address."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", http=Patient, lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        bound.close()
        assert not thread.is_alive()


@dataclass
class Link:
    """A link to an address that may break: `cuts` has, for each connection to come, how many bytes pass there and back.

    A connection for which `cuts` has nothing passes everything. `passed` counts connections.
    """

    port: int
    cuts: list[tuple[int, int]] = field(default_factory=list)
    passed: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.passed += 1
            there, back = self.cuts.pop(0) if self.cuts else (1 << 60, 1 << 60)
            far = socket.create_connection(("127.0.0.1", self.port))
            for source, target, most in ((near, far, there), (far, near, back)):
                threading.Thread(target=_pass, args=(source, target, most), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, most: int) -> None:
    """Pass bytes on until so many have passed, then break both ends."""
    left = most
    with contextlib.suppress(OSError):
        while left > 0 and (data := source.recv(min(left, 65_536))):
            target.sendall(data)
            left -= len(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
