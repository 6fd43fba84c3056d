"""Exceptions: what people have to settle, by who can; each with what mends it, or settled with a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from abasto.facts import codes
from abasto.facts.codes import code_of
from abasto.facts.kinds import NoteWritten
from abasto.inbox.asked import AskedError
from abasto.language import Language
from abasto.room.desk import link_of
from abasto.room.web import Call, Page
from abasto.state.exceptions import exceptions
from abasto.state.state import State
from abasto.state.types import Problematic

__all__ = ["PAGES_EXCEPTIONS"]

MOST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """An exception as the page shows it: in words, with the page of what it is about and the entries that say it."""

    id: str
    code: str
    kind: str
    date: str
    message: str
    remedy: str
    about: str
    path: str
    entries: tuple[tuple[str, str], ...]


def show(call: Call) -> Response:
    """Show what is to be settled, latest first, by who can settle it; or what was settled and still stands."""
    return call.show("exceptions.html.j2", **_lists(call))


def some(call: Call) -> Response:
    """Show the list alone, for a page that waits for something to happen."""
    return call.show("exceptions_list.html.j2", **_lists(call))


def _lists(call: Call) -> dict[str, Any]:
    is_settled = call.asked("show") == "settled"
    groups: dict[str, list[ExceptionView]] = {}
    with call.room.lock:
        state = call.room.state
        found = exceptions(state, call.room.day, settled=is_settled)
        for one in found[:MOST_SHOWN]:
            groups.setdefault(one.who, []).append(_view(state, one, call.words))
        named = {who: _who(state, who, call.words) for who in groups}
    return {
        "groups": [(named[who], views) for who, views in groups.items()],
        "number": len(found),
        "more": max(0, len(found) - MOST_SHOWN),
        "is_settled": is_settled,
    }


def _view(state: State, one: Problematic, words: Language) -> ExceptionView:
    path, about = link_of(state, one.about)
    return ExceptionView(
        id=one.id,
        code=code_of(one.id),
        kind=words.sentence(one.kind),
        date=one.date,
        message=words.sentence(one.message),
        remedy=words.sentence(one.remedy),
        about=about,
        path=path,
        entries=tuple((id, code_of(id)) for id in one.entries),
    )


def _who(state: State, who: str, words: Language) -> str:
    return state.rows.name("sites", who) if state.rows.standing("sites", who) != "unknown" else words.sentence(who)


def settle(call: Call) -> Response:
    """Settle exceptions by a note that says how."""
    note = call.field("note")
    if not note:
        raise AskedError("the note has no words; say how this was settled.")
    with call.room.lock:
        by_id = {one.id: one for one in exceptions(call.room.state, call.room.day)}
        asked = [str(one) for one in call.fields.getlist("exception")]
        ids = tuple(dict.fromkeys(codes.find(one, by_id) for one in asked))
        if not ids:
            raise AskedError("no exception is chosen; say which one is settled.")
        about = {by_id[id].about for id in ids}
        fact = NoteWritten(note, call.room.day.isoformat(), about.pop() if len(about) == 1 else "", settles=ids)
        [entry] = call.room.write([fact])
    return call.go("/exceptions", said=call.words("Settled (entry {entry}).", entry=code_of(entry.id)))


PAGES_EXCEPTIONS: tuple[Page, ...] = (
    Page("/exceptions", show),
    Page("/exceptions", settle, "POST", "allocator"),
    Page("/exceptions/list", some, is_whole=False),
)
"""Every page about exceptions."""
