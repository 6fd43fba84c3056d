"""What the room answers to phones: they join, fetch their sheet, and send reports; and the page itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from abasto.errors import SettingError
from abasto.room import phone_page
from abasto.room.api import ApiCall, Operation, Refused
from abasto.room.intake import answer_all
from abasto.room.reports import Answers, Batch, Source
from abasto.room.returned import received_by_file
from abasto.room.sheet import Sheet, site_sheet
from abasto.room.web import Call, Page, language_of, may

__all__ = ["OPERATIONS_PHONE", "PAGES_PHONE", "ROUTES_PHONE", "Join", "Joined"]

KEPT_SECONDS = 604_800
"""A phone's browser may open the page for a week without asking: over plain HTTP there is no other way offline."""


class Join(BaseModel):
    """The code with which a phone joins, as it was typed or scanned."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=40)]


class Joined(BaseModel):
    """What a phone is from now on; it shows the token with each call."""

    model_config = ConfigDict(extra="forbid")
    token: str
    phone: str
    label: str
    role: str
    sites: tuple[str, ...]
    language: str
    ends: str


def join(call: ApiCall) -> Joined:
    """Let the phone in that shows a code which is open."""
    body: Join = call.body
    joined = call.room.phones.join(body.code, now=call.room.now())
    if joined is None:
        raise Refused(
            call.words("This code opens nothing (any more). Look at it again, or ask the room for a new one."),
            status=403,
        )
    token, phone = joined
    return Joined(
        token=token,
        phone=phone.id,
        label=phone.label,
        role=phone.role,
        sites=phone.sites,
        language=phone.language,
        ends=phone.ends,
    )


def sheet(call: ApiCall) -> Sheet:
    """Return what a phone has to know; a desk gets the sheet of all sites."""
    room = call.room
    sites = call.phone.sites if call.phone is not None else ()
    with room.lock:
        return site_sheet(room.state, sites, room.day, made_at=room.now().isoformat(timespec="seconds"))


def reports(call: ApiCall) -> Answers:
    """Take reports and answer each once it is on the disk."""
    body: Batch = call.body
    if call.phone is not None:
        source = Source(call.phone.id, call.phone.may_report)
    elif call.session is not None and may(call.session, "allocator"):
        source = Source("desk", lambda site: True)
    else:
        raise Refused(call.words("Your role does not allow this."), status=403)
    return Answers(answers=answer_all(call.room, body.reports, source, words=call.words))


OPERATIONS_PHONE: tuple[Operation, ...] = (
    Operation("/api/join", "Join as a phone, with a code from the room.", join, Joined, "POST", "anybody", Join),
    Operation("/api/sheet", "What a phone keeps of the network.", sheet, Sheet, who="phone"),
    Operation("/api/reports", "Report, up to 200 at once.", reports, Answers, "POST", "phone", Batch),
)


def file(call: Call) -> Response:
    """Return the page as a single file of the sites that are asked for, to be carried by any means."""
    asked = call.request.query_params.getlist("site")
    room = call.room
    with room.lock:
        known = {row.cells.get("site", "") for row in room.state.rows.table("sites")}
        unknown = [site for site in asked if site not in known]
        if unknown:
            raise SettingError(f'site "{unknown[0][:80]}": there is no such site in table sites; choose from the list.')
        made_at = room.now().isoformat(timespec="seconds")
        content = site_sheet(room.state, asked, room.day, made_at=made_at)
    content = content.model_copy(update={"received": received_by_file(room)})
    headers = {"content-disposition": f'attachment; filename="abasto-{content.network}-{content.day}.html"'}
    return HTMLResponse(phone_page.file_html(content, call.words.code), headers=headers)


async def page(request: Request) -> Response:
    code = language_of(request).code
    sign = f'"{phone_page.page_version()}-{code}"'
    headers = {"cache-control": f"private, max-age={KEPT_SECONDS}", "etag": sign}
    if request.headers.get("if-none-match", "").removeprefix("W/") == sign:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(phone_page.page_html(code), headers=headers)


async def script(request: Request) -> Response:
    keep = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    return Response(phone_page.script(), media_type="text/javascript; charset=utf-8", headers={"cache-control": keep})


async def worker(request: Request) -> Response:
    # The page stands one level above the worker's own folder.
    headers = {"service-worker-allowed": "/phone", "cache-control": "no-cache"}
    return Response(phone_page.worker(), media_type="text/javascript; charset=utf-8", headers=headers)


async def manifest(request: Request) -> Response:
    return JSONResponse(phone_page.manifest(), media_type="application/manifest+json")


PAGES_PHONE: tuple[Page, ...] = (Page("/phone/file", file, is_whole=False),)
"""For the desk: the page as a file."""

ROUTES_PHONE: tuple[Route, ...] = (
    Route("/phone", page),
    Route("/phone/app.js", script),
    Route("/phone/sw.js", worker),
    Route("/phone/manifest.webmanifest", manifest),
)
"""For anybody: the page holds nothing of the network before its phone has joined."""
