"""The room as a web application: its pages, its API, and what stands in front of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from abasto.errors import AbastoError, JournalError
from abasto.letters import answering_for
from abasto.membership import Membership
from abasto.room.api import api_routes
from abasto.room.door import DOOR
from abasto.room.operations import Room
from abasto.room.pages import PAGES
from abasto.room.phone_api import ROUTES_PHONE
from abasto.room.safety import MOST_BYTES_UPLOADED, BodyLimit, Buckets, SafeHeaders
from abasto.room.seen import situation_of
from abasto.room.views import static_file
from abasto.room.web import Call, language_of, route_of, session_of
from abasto.sync.hosting import peers_app
from abasto.sync.http import PATH, AtPath

__all__ = ["LOOPBACK", "build_app"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LOOKS_EVERY = 2.0
"""Seconds between looks at whether another program has written into the journal."""
UPLOADS = ("/import/read", "/networks/hear")


def build_app(
    room: Room, *, hosts: Sequence[str] = LOOPBACK, is_secure: bool = False, language: str = "en"
) -> Starlette:
    """Return the application of a room that answers under these host names; `language` is for whoever wants none."""

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(_watch(room))
        warming = asyncio.create_task(run_in_threadpool(_warm, room))
        try:
            yield
        finally:
            watching.cancel()
            warming.cancel()
            room.close()

    app = Starlette(
        routes=[
            Route("/static/{name:path}", static_file),
            Route("/events", _events),
            *DOOR,
            *api_routes(),
            *ROUTES_PHONE,
            *(route_of(page) for page in PAGES),
        ],
        middleware=[
            # Peers prove their keys in what they send, so the names and sizes of pages are nothing to them.
            Middleware(AtPath, path=PATH, own=_peers(room)),
            Middleware(SafeHeaders, is_secure=is_secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(BodyLimit, larger=dict.fromkeys(UPLOADS, MOST_BYTES_UPLOADED)),
            Middleware(GZipMiddleware, minimum_size=600),
        ],
        exception_handlers={JournalError: _journal_error, 404: _nowhere},
        lifespan=life,
    )
    app.state.room = room
    app.state.is_secure = is_secure
    app.state.language = language
    app.state.buckets = Buckets(burst=300, each_second=20)
    app.state.door_buckets = Buckets(burst=6, each_second=0.1)
    return app


def _peers(room: Room) -> Starlette:
    members = Membership(room.home.journal)
    answering = answering_for(room.home.journal, read=lambda _: members.state(), may_keep=members.room())
    return peers_app(room.home, answering, is_cut=lambda key: key in room.cuts)


def _warm(room: Room) -> None:
    """See the situation once before anybody asks: the first time takes seconds, since much has to be loaded for it."""
    with contextlib.suppress(AbastoError):  # Whoever asks for the page is told.
        situation_of(room)


async def _watch(room: Room) -> None:
    while True:
        await asyncio.sleep(LOOKS_EVERY)
        with contextlib.suppress(JournalError):  # A server that is away for a while; who asks for a page is told.
            await run_in_threadpool(room.look)


async def _events(request: Request) -> Response:
    if session_of(request) is None:
        return PlainTextResponse("Enter the room first.", status_code=403)
    room: Room = request.app.state.room
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    stream = room.events.stream(lambda: session_of(request) is not None)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _nowhere(request: Request, error: Exception) -> Response:
    """Tell somebody who reads pages that there is none, with the way back; programs get the bare answer."""
    session = session_of(request)
    if session is None or "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("Not Found", status_code=404)
    words = language_of(request)
    call = Call(request, request.app.state.room, session, words)
    return await run_in_threadpool(call.refuse, words("There is no such page here."), status=404)


async def _journal_error(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"The journal could not be read or written: {error}", status_code=503)
