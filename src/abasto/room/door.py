"""The door of the room: in with a one-time code, out again, and the choice of a language."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from abasto.language import LANGUAGES
from abasto.room.operations import Room
from abasto.room.sessions import SESSION_LASTS
from abasto.room.views import environment
from abasto.room.web import COOKIE, LANGUAGE_COOKIE, language_of, refuse_other_origin, session_of

__all__ = ["DOOR"]

MOST_FIELDS = 10
YEAR = 31_536_000


async def _ask(request: Request) -> Response:
    if session_of(request) is not None:
        return RedirectResponse(_own_path(request.query_params.get("to", "/")), status_code=303)
    return _form(request)


async def _enter(request: Request) -> Response:
    words = language_of(request)
    if refuse_other_origin(request):
        return _form(request, words("This came from another page. Type the code here."), status=403)
    address = request.client.host if request.client is not None else ""
    wait = max(request.app.state.door_buckets.take(address), request.app.state.door_buckets.take("everybody", 0.1))
    if wait:
        said = words.many(
            "Too many tries. Wait for {n} second.", "Too many tries. Wait for {n} seconds.", int(wait) + 1
        )
        return _form(request, said, status=429)
    fields = await request.form(max_files=0, max_fields=MOST_FIELDS)
    room: Room = request.app.state.room
    entered = await run_in_threadpool(room.sessions.enter, str(fields.get("code", "")), now=room.now())
    if entered is None:
        said = words("This code opens nothing: it was used already, is older than 15 minutes, or was typed otherwise.")
        return _form(request, said, status=403)
    token, _ = entered
    answer = RedirectResponse(_own_path(str(fields.get("to", "/"))), status_code=303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.app.state.is_secure,
    )
    return answer


async def _leave(request: Request) -> Response:
    session = session_of(request)
    room: Room = request.app.state.room
    if session is not None and not refuse_other_origin(request):
        room.sessions.end(session.id)
    answer = RedirectResponse("/enter", status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


async def _language(request: Request) -> Response:
    fields = await request.form(max_files=0, max_fields=MOST_FIELDS)
    code = str(fields.get("language", ""))
    answer = RedirectResponse(_own_path(str(fields.get("to", "/"))), status_code=303)
    if code in LANGUAGES and not refuse_other_origin(request):
        answer.set_cookie(LANGUAGE_COOKIE, code, max_age=YEAR, httponly=True, samesite="strict")
    return answer


def _form(request: Request, said: str = "", *, status: int = 200) -> Response:
    text = (
        environment()
        .get_template("enter.html.j2")
        .render(
            _=language_of(request),
            languages=LANGUAGES,
            said=said,
            code=request.query_params.get("code", "")[:20],
            to=_own_path(request.query_params.get("to", "/")),
        )
    )
    return HTMLResponse(text, status_code=status)


def _own_path(path: str) -> str:
    """Return a path of this room, `/` for anything else.

    >>> _own_path("/plan?day=2"), _own_path("//evil.example"), _own_path("https:evil"), _own_path("//[")
    ('/plan?day=2', '/', '/', '/')
    """
    # No `urlsplit`: it raises for what anybody may write after `to=`, such as `//[`.
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"


DOOR = (
    Route("/enter", _ask, methods=["GET"]),
    Route("/enter", _enter, methods=["POST"]),
    Route("/leave", _leave, methods=["POST"]),
    Route("/language", _language, methods=["POST"]),
)
