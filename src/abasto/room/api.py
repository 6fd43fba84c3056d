"""The room for programs: operations under /api with JSON in and out, each listed in the OpenAPI document.

A phone shows its token (`Authorization: Bearer …`); a desk is known by its session, and where it changes something it
shows the session's sign in `X-CSRF` as its forms do.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abasto.errors import AbastoError, JournalError
from abasto.language import Language
from abasto.room.operations import Room
from abasto.room.phones import Phone
from abasto.room.sessions import Session
from abasto.room.web import language_of, may, refuse_other_origin, session_of, too_often

__all__ = ["ApiCall", "Operation", "Problem", "Refused", "api_routes"]

Method = Literal["GET", "POST"]
Who = Literal["anybody", "phone", "reader", "allocator"]
"""Who may call: anybody; a phone that joined, or a desk; a desk of at least that role."""


class Problem(BaseModel):
    """Why a call was not answered."""

    model_config = ConfigDict(extra="forbid")
    error: str


class Refused(AbastoError):  # noqa: N818 - an answer on its way
    """A call that is refused, with the HTTP status that says how."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class ApiCall:
    """A call as an operation sees it: the room, who calls, in which language, and the body as its model."""

    request: Request
    room: Room
    phone: Phone | None
    session: Session | None
    words: Language
    body: Any = None

    def asked(self, name: str, default: str = "") -> str:
        """Return what the address says after its question mark."""
        return self.request.query_params.get(name, default)


@dataclass(frozen=True)
class Operation:
    """An operation: where, what it does, who may call it, and the models of what goes in and comes out."""

    path: str
    summary: str
    handler: Callable[[ApiCall], BaseModel | dict[str, Any]]
    answer: type[BaseModel] | None = None
    method: Method = "GET"
    who: Who = "reader"
    body: type[BaseModel] | None = None
    query: tuple[tuple[str, str], ...] = ()
    """Names that may stand after the question mark, each with what it means."""


def api_routes() -> list[Route]:
    """Return the routes of all operations, and of the document that lists them."""
    from abasto.room.openapi import document
    from abasto.room.operations_api import OPERATIONS

    async def openapi(request: Request) -> Response:
        return JSONResponse(document(OPERATIONS))

    return [*map(_route_of, OPERATIONS), Route("/api/openapi.json", openapi)]


def _route_of(operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            call = _call_of(request, operation)
            wait = too_often(request, _name_of(request, call))
            if wait is not None:
                return wait
            if operation.body is not None:
                call = ApiCall(*_parts(call), body=await _body_of(request, operation.body))
            answer = await run_in_threadpool(operation.handler, call)
        except Refused as error:
            return _problem(str(error), error.status)
        except ValidationError as error:
            return _problem(_first_of(error), 422)
        except JournalError as error:
            return _problem(str(error), 503)
        except AbastoError as error:
            return _problem(str(error), 400)
        except ClientDisconnect:
            return _problem("nobody waits for the answer any more", 400)
        return JSONResponse(answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer)

    return Route(operation.path, endpoint, methods=[operation.method])


def _call_of(request: Request, operation: Operation) -> ApiCall:
    """Return the call once it is sure that whoever calls may; raises `Refused`."""
    room: Room = request.app.state.room
    words = language_of(request)
    if operation.who == "anybody":
        address = request.client.host if request.client is not None else ""
        buckets = request.app.state.door_buckets
        wait = max(buckets.take(address), buckets.take("everybody", 0.1)) if operation.method == "POST" else 0.0
        if wait:
            raise Refused(words("Too many tries. Wait for a minute."), status=429)
        return ApiCall(request, room, None, None, words)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        phone = room.phones.of(token.strip())
        if phone is None:
            raise Refused(words("This phone is not known here. Join again with a code from the room."), status=401)
        words = language_of(request, default=phone.language)
        _refuse_phone(phone, room, operation, words)
        return ApiCall(request, room, phone, None, words)
    session = session_of(request)
    if session is None:
        raise Refused(words("Enter the room, or show a phone's token, first."), status=401)
    if operation.who != "phone" and not may(session, operation.who):
        raise Refused(words("Your role does not allow this."), status=403)
    if operation.method == "POST":
        sign = request.headers.get("x-csrf", "")
        if refuse_other_origin(request) or not hmac.compare_digest(sign.encode(), session.csrf.encode()):
            raise Refused(words("This was sent by another page, or without the session's sign in X-CSRF."), status=403)
    return ApiCall(request, room, None, session, words)


def _refuse_phone(phone: Phone, room: Room, operation: Operation, words: Language) -> None:
    """Raise `Refused` where a phone may not call (any more)."""
    standing = phone.state_on(room.now())
    if standing == "cut off":
        raise Refused(words("This phone was cut off. Ask at the room; what is saved here stays here."), status=403)
    if standing == "ended":
        raise Refused(words("This phone's time is over. Join again with a code from the room."), status=403)
    if operation.who not in ("anybody", "phone"):
        raise Refused(words("A phone may not do this."), status=403)


def _name_of(request: Request, call: ApiCall) -> str:
    """Return by which name calls are counted, so that nobody calls too often."""
    if call.phone is not None:
        return f"phone {call.phone.id}"
    if call.session is not None:
        return call.session.id
    return request.client.host if request.client is not None else ""


def _parts(call: ApiCall) -> tuple[Request, Room, Phone | None, Session | None, Language]:
    return call.request, call.room, call.phone, call.session, call.words


async def _body_of(request: Request, model: type[BaseModel]) -> BaseModel:
    return model.model_validate_json(await request.body())


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def _problem(message: str, status: int) -> Response:
    return JSONResponse(Problem(error=message).model_dump(), status_code=status)
