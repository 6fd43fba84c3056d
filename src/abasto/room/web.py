"""Between a request and a page: who asks, in which language, with which fields, and whether they may.

A page is a plain function from a `Call` to an answer. It runs in a thread, after everything here has been checked.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from abasto.errors import AbastoError, InputError
from abasto.language import LANGUAGES, Language, best_language, language
from abasto.room.operations import Room
from abasto.room.safety import MOST_BYTES_UPLOADED
from abasto.room.sessions import Role, Session
from abasto.room.views import environment

__all__ = ["COOKIE", "Call", "Page", "language_of", "may", "refuse_other_origin", "route_of", "session_of", "too_often"]

COOKIE = "abasto"
LANGUAGE_COOKIE = "language"
RANK: Mapping[Role, int] = {"reporter": 0, "reader": 1, "allocator": 2, "steward": 3}
MOST_FIELDS = 5_000
MOST_PART = 4_194_304
MultiPartParser.spool_max_size = 2 * MOST_BYTES_UPLOADED
"""What is uploaded stays in memory: by default larger files would lie on the disk for a while, in clear."""

Method = Literal["GET", "POST"]


@dataclass(frozen=True)
class Call:
    """A request as a page sees it: the room, who asks, their language, and the fields that they filled in."""

    request: Request
    room: Room
    session: Session
    words: Language
    fields: FormData = field(default_factory=FormData)

    @property
    def is_part(self) -> bool:
        """Whether only a part of the page is asked for, to be put into one that is shown already."""
        return self.request.headers.get("hx-request") == "true"

    def asked(self, name: str, default: str = "") -> str:
        """Return what the address says after its question mark."""
        return self.request.query_params.get(name, default)

    def field(self, name: str, default: str = "") -> str:
        """Return a field of the form as text without blanks at its ends."""
        value = self.fields.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def file(self, name: str) -> UploadFile | None:
        """Return a file of the form, None if none was chosen."""
        value = self.fields.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[name])

    def may(self, role: Role) -> bool:
        """Return whether whoever asks has at least this role."""
        return may(self.session, role)

    def show(self, template: str, *, status: int = 200, **parts: Any) -> Response:
        """Return a page from its template; the template knows `_` (the language), `call`, `session` and `room`."""
        return HTMLResponse(self.text(template, **parts), status_code=status)

    def text(self, template: str, **parts: Any) -> str:
        """Return the text that a template comes to."""
        known = {
            "_": self.words,
            "call": self,
            "session": self.session,
            "room": self.room,
            "languages": LANGUAGES,
            "network_name": self._network_name,
            "notices": [] if self.is_part else self.room.notices.pop(self.session.id, []),
        }
        return environment().get_template(template).render(**known, **parts)

    def go(self, path: str, *, said: str = "") -> Response:
        """Send the browser to another page, which tells what was done."""
        if said:
            self.room.notices.setdefault(self.session.id, []).append(said)
        if self.is_part:
            # As `RedirectResponse` does it: a header has no letters but Latin ones.
            return Response(status_code=204, headers={"hx-redirect": quote(path, safe=":/%#?=@[]!$&'()*+,;")})
        return RedirectResponse(path, status_code=303)

    def refuse(self, message: str, *, status: int = 400, more: tuple[str, ...] = ()) -> Response:
        """Return a page that says what is wrong; where only a part was asked for, it is shown above what is there."""
        if self.is_part:
            text = self.text("refusal_part.html.j2", message=message, more=more)
            return HTMLResponse(text, status_code=status, headers={"hx-retarget": "#notices", "hx-reswap": "innerHTML"})
        return self.show("refusal.html.j2", status=status, message=message, more=more)

    @cached_property
    def _network_name(self) -> str:
        with self.room.lock:
            founded = self.room.state.founded
            return founded.name if founded is not None else ""


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Page:
    """A page: its address, the function that makes it, and the least role that may ask for it."""

    path: str
    handler: Handler
    method: Method = "GET"
    role: Role = "reader"
    is_whole: bool = True
    """Whether it is a page to be looked at, and not a part of one, a download, or data."""


def route_of(page: Page) -> Route:
    """Return the route of a page, with all that is checked before it."""

    async def endpoint(request: Request) -> Response:
        room: Room = request.app.state.room
        words = language_of(request)
        session = session_of(request)
        if session is None:
            return _to_enter(request, words)
        wait = too_often(request, session.id)
        if wait is not None:
            return wait
        call = Call(request, room, session, words)
        if not may(session, page.role):
            return await run_in_threadpool(call.refuse, words("Your role does not allow this."), status=403)
        if page.method == "POST":
            fields = await request.form(max_files=20, max_fields=MOST_FIELDS, max_part_size=MOST_PART)
            call = Call(request, room, session, words, fields)
            if refuse_other_origin(request) or not _has_csrf(request, session, fields):
                text = words(
                    "This form is too old, or was sent by another page. Go back, load the page anew and repeat."
                )
                return await run_in_threadpool(call.refuse, text, status=403)
        return await run_in_threadpool(_answer, page.handler, call)

    return Route(page.path, endpoint, methods=[page.method])


def _answer(handler: Handler, call: Call) -> Response:
    try:
        return handler(call)
    except InputError as error:
        lines = tuple(call.words.sentence(str(finding)) for finding in error.findings)
        return call.refuse(call.words("This cannot be taken as it is."), more=lines)
    except AbastoError as error:
        return call.refuse(call.words.sentence(str(error)))


def session_of(request: Request) -> Session | None:
    """Return the session that a request belongs to."""
    room: Room = request.app.state.room
    return room.sessions.of(request.cookies.get(COOKIE, ""), now=room.now())


def language_of(request: Request, *, default: str = "") -> Language:
    """Return the language somebody chose, else the first of the browser's that there is, else the default or the room's
    own.
    """
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return language(chosen)
    wanted = [part.partition(";")[0] for part in request.headers.get("accept-language", "").split(",")]
    return language(best_language(wanted, default=default or request.app.state.language))


def may(session: Session, role: Role) -> bool:
    """Return whether a session has at least a role."""
    return RANK[session.role] >= RANK[role]


def too_often(request: Request, who: str) -> Response | None:
    """Return the answer to somebody who asks too often, else None."""
    wait = request.app.state.buckets.take(who)
    if not wait:
        return None
    return Response("Too many requests; wait a moment.", 429, {"retry-after": f"{int(wait) + 1}"}, "text/plain")


def refuse_other_origin(request: Request) -> bool:
    """Return whether a request that changes something comes from a page of another site."""
    origin, site = request.headers.get("origin", ""), request.headers.get("sec-fetch-site", "")
    if site in ("cross-site", "same-site"):
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:  # `http://[`: what no browser sends comes from no page of ours.
        return True
    return bool(origin) and (origin == "null" or host != request.headers.get("host", ""))


def _has_csrf(request: Request, session: Session, fields: FormData) -> bool:
    given = request.headers.get("x-csrf") or fields.get("csrf")
    return isinstance(given, str) and hmac.compare_digest(given.encode(), session.csrf.encode())


def _to_enter(request: Request, words: Language) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-redirect": "/enter"})
    if request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/enter?to={quote(wanted)}" if wanted != "/" else "/enter", status_code=303)
    text = words("You have been away for long, so the room has closed its door. Enter with a new code and repeat.")
    return Response(text, status_code=403, media_type="text/plain; charset=utf-8")
