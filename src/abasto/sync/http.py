"""The exchange over HTTP: one path that takes sealed messages, and a client that goes on where it was interrupted.

Both sides prove their keys inside what is carried (`peer.py`), so neither trusts the carrier: not the address, not a
certificate, not a name in a header. What is larger, slower or more than it may be is refused before it is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from abasto.errors import SettingError
from abasto.sync.peer import HEAD, HELLO_SIZE, MOST_WRAPPED, REFUSAL, VERSION, Host
from abasto.sync.refused import BusyError, ForgedError, LinkError, NoSessionError, TooLargeError, UnreachableError

__all__ = ["PATH", "AtPath", "HttpCarrier", "Patient", "peer_app", "url_of"]

PATH = "/peer"
MEDIA = "application/octet-stream"
MOST_READING = 16
"""So many large messages are taken in at once."""
HEAD_SECONDS = 10.0
"""So long a connection may take for the head of a request, and a stranger's message for all of it."""
CHUNK_SECONDS = 20.0
"""So long nothing may come of a message that has begun."""
MESSAGE_SECONDS = 300.0
"""So long a whole message may take: 14 KB/s for the largest."""
TRIES = 3
TIMEOUTS = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=10.0)
PORT = 8300


def url_of(address: str) -> str:
    """Return where a peer's messages are sent to; `SettingError` for what is no address.

    >>> url_of("127.0.0.1"), url_of("https://example.org/")
    ('http://127.0.0.1:8300/peer', 'https://example.org/peer')
    """
    text = address.strip()
    has_scheme = "://" in text
    try:
        parts = urlsplit(text if has_scheme else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or not text.isprintable()
        or " " in text
        or parts.scheme not in ("http", "https")
        or parts.path not in ("", "/", PATH)
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise SettingError(
            f'"{address:.80}": this is no address of a peer; write where it answers, such as 192.168.1.20:8300 or '
            "https://example.org."
        )
    if port is None and not has_scheme:
        port = PORT
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{PATH}"


class HttpCarrier:
    """Carries messages to a peer's address and brings back what it answers; callable, use it in a `with`.

    A message that is lost is sent again as it was, up to `TRIES` times, with a longer pause each time: the other side
    answers it once. Raises `UnreachableError` when nobody answers, or not as a peer does.
    """

    def __init__(self, address: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.url = url_of(address)
        self._pause = pause
        self._client = httpx.Client(
            timeout=TIMEOUTS,
            follow_redirects=False,
            # A certificate proves nothing here that the keys do not: one that a network made itself is as good.
            verify=False,
            # Peers are in the local network or at the end of a tunnel, where no proxy leads.
            trust_env=False,
            # What comes is sealed and does not shrink; whoever says that it did would have us unpack a bomb.
            headers={"accept-encoding": "identity", "content-type": MEDIA},
        )

    def __call__(self, message: bytes) -> bytes:
        """Return what the peer sends back."""
        for left in reversed(range(TRIES)):
            try:
                return self._send(message)
            except (httpx.TransportError, BusyError) as error:
                if not left:
                    if isinstance(error, BusyError):
                        raise
                    raise UnreachableError(
                        f"{self.url} does not answer ({_plainly(error)}); what came before is kept. See whether it "
                        "runs there and whether the address is right, and try again: it goes on where it stopped."
                    ) from error
            self._pause(0.5 * 2 ** (TRIES - 1 - left))
        raise AssertionError

    def _send(self, message: bytes) -> bytes:
        until = time.monotonic() + MESSAGE_SECONDS
        with self._client.stream("POST", self.url, content=message) as response:
            if response.status_code in (408, 503):
                raise BusyError
            if response.status_code != 200 or response.headers.get("content-type") != MEDIA:
                raise UnreachableError(
                    f"what answers at {self.url} is no peer of this program (status {response.status_code}); check the "
                    "address, and whether the other device has added any peer and serves."
                )
            parts, size = [], 0
            for part in response.iter_raw():
                size += len(part)
                if size > MOST_WRAPPED:
                    raise TooLargeError
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("it takes too long")
                parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def __enter__(self) -> HttpCarrier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _plainly(error: BaseException) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "it takes too long"
    return "the connection broke off"


def peer_app(host: Host, *, is_open: Callable[[], bool] = lambda: True) -> Starlette:
    """Return the application that takes a host's messages at `PATH`; while `is_open` is false, nothing is there."""
    reading = asyncio.Semaphore(MOST_READING)

    async def take(request: Request) -> Response:
        if not await run_in_threadpool(is_open):
            return Response("Not Found", 404, media_type="text/plain")
        try:
            message = await _read(request, host, reading)
        except BusyError:
            return Response("Too much to do; try again in a moment.", 503, {"retry-after": "5"}, "text/plain")
        except LinkError as error:
            return _sent(bytes((VERSION, REFUSAL, error.number)), closes=_is_endless(request))
        except (TimeoutError, ClientDisconnect):
            return Response("It took too long.", 408, {"connection": "close"}, "text/plain")
        return _sent(await run_in_threadpool(host.handle, message))

    return Starlette(routes=[Route(PATH, take, methods=["POST"])])


def _sent(message: bytes, *, closes: bool = False) -> Response:
    headers = {"cache-control": "no-store"} | ({"connection": "close"} if closes else {})
    return Response(message, media_type=MEDIA, headers=headers)


def _is_endless(request: Request) -> bool:
    """Return whether more may follow than any message has. Less is taken in and let go: then the refusal is read."""
    declared = request.headers.get("content-length", "")
    return not declared.isdecimal() or int(declared) > MOST_WRAPPED


async def _read(request: Request, host: Host, reading: asyncio.Semaphore) -> bytes:
    """Return a message that comes in time and is not larger than its first bytes allow.

    Only peers in a session can send what takes long, so only they need one of the places there are for that.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    taken = bytearray()
    most = 0
    chunks = request.stream()
    async with contextlib.AsyncExitStack() as place:
        while True:
            late = begun + HEAD_SECONDS
            if most > HELLO_SIZE:
                late = min(begun + MESSAGE_SECONDS, loop.time() + CHUNK_SECONDS)
            async with asyncio.timeout_at(late):
                chunk = await anext(chunks, None)
            if chunk is None:
                return bytes(taken)
            taken += chunk
            if not most and len(taken) >= HEAD:
                most = host.most(bytes(taken[:HEAD]))
                if not most:
                    raise NoSessionError
                if most > HELLO_SIZE:
                    if reading.locked():
                        raise BusyError
                    await place.enter_async_context(reading)
            if len(taken) > (most or HEAD):
                raise TooLargeError if most > HELLO_SIZE else ForgedError


class AtPath:
    """Middleware that hands what is sent to one path to an application of its own, past all that follows."""

    def __init__(self, app: ASGIApp, *, path: str, own: ASGIApp) -> None:
        self.app, self.path, self.own = app, path, own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_own = scope["type"] == "http" and scope["path"] == self.path
        await (self.own if is_own else self.app)(scope, receive, send)


class Patient(H11Protocol):
    """uvicorn's protocol with an end to its patience: a connection whose request does not begin in time is closed."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait(HEAD_SECONDS, None)

    def on_response_complete(self) -> None:
        answered = self.cycle
        super().on_response_complete()
        self._wait(self.timeout_keep_alive + HEAD_SECONDS, answered)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _wait(self, seconds: float, before: object) -> None:
        """Close the connection unless another request than the one before has begun by then."""
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(seconds, self._close_if_none_since, before)

    def _close_if_none_since(self, before: object) -> None:
        if self.cycle is before and not self.transport.is_closing():
            self.transport.close()
