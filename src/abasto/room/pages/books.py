"""The books: stock figures with their age and kind, every movement of a good at a site, and the story of anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from abasto.facts import codes
from abasto.facts.codes import code_of
from abasto.facts.kinds import EntryReversed
from abasto.inbox.asked import AskedError, find_good, find_site, find_thing, lot_of, unit_of
from abasto.language import Language
from abasto.room.desk import Named, ask_back, good_named, is_confirmed, path_to, pickers, site_named
from abasto.room.web import Call, Page
from abasto.state.accounts import Account
from abasto.state.figures import figures, spoiled
from abasto.state.foresee import reversal_doubts
from abasto.state.permits import is_of_exports
from abasto.state.state import State
from abasto.state.story import LedgerLine, StoryLine, history
from abasto.state.story import ledger as movements
from abasto.state.types import Figure

__all__ = ["PAGES_BOOKS"]

MOST_SHOWN = 500
"""Lines of one table; of more, only these are shown, and the page says so."""
WHOLE_ID = re.compile("[A-Za-z0-9_-]{43}", re.ASCII)
THINGS = ("site", "good", "order", "entry")


@dataclass(frozen=True, slots=True)
class FigureView:
    """A stock figure: how much, how it is known, and how old it is."""

    site: Named
    good: Named
    path: str
    number: float
    unit: str
    kind: str
    kind_words: str
    reported: str
    counted: str
    use_per_day: float
    is_negative: bool


@dataclass(frozen=True, slots=True)
class MovementView:
    """A movement of a good at a site as the ledger shows it."""

    date: str
    change: str
    balance: float
    why: str
    other: str
    other_path: str
    lot: str
    entry: str
    code: str


def ledger(call: Call) -> Response:
    """Show the stock figures, oldest first; or, of a site and a good, every movement with what was there after it."""
    asked_site, asked_good = call.asked("site").strip(), call.asked("good").strip()
    with call.room.lock:
        state, day = call.room.state, call.room.day
        site = find_site(state, asked_site) if asked_site else ""
        good = find_good(state, asked_good) if asked_good else ""
        found = [
            one for one in figures(state, day) if (not site or one.site == site) and (not good or one.good == good)
        ]
        found.sort(key=lambda one: (one.as_of, one.site, one.good))
        shown = [_figure(state, one, day, call.words) for one in found[:MOST_SHOWN]]
        gone = [one for one in spoiled(state, day) if (one.site, one.good) == (site, good)]
        parts: dict[str, Any] = dict(pickers(state))
        of: dict[str, Any] = {
            "site": site_named(state, site) if site else None,
            "good": good_named(state, good) if good else None,
        }
        unit = unit_of(state, good) if good else ""
    # A long journal takes seconds to tell: nobody else in the room waits for that, so the lock is let go.
    lines = movements(call.room.home.journal.read(), site, good, cuts=call.room.cuts) if site and good else ()
    with call.room.lock:
        rows = [_movement(call.room.state, line, call.words) for line in reversed(lines[-MOST_SHOWN:])]
    return call.show(
        "ledger.html.j2",
        figures=shown,
        number=len(found),
        rows=rows,
        total=len(lines),
        unit=unit,
        spoiled=[(one.lot, one.quantity / 1000) for one in gone],
        **of,
        **parts,
    )


def _figure(state: State, figure: Figure, day: date, words: Language) -> FigureView:
    return FigureView(
        site=site_named(state, figure.site),
        good=good_named(state, figure.good),
        path=f"/ledger?{urlencode({'site': figure.site, 'good': figure.good})}",
        number=figure.quantity / 1000,
        unit=unit_of(state, figure.good),
        kind=figure.kind,
        kind_words={"counted": words("counted"), "computed": words("computed"), "estimated": words("estimated")}[
            figure.kind
        ],
        reported=words.ago(_day(figure.as_of), day),
        counted=words.ago(_day(figure.counted_on), day),
        use_per_day=figure.use_per_day / 1000,
        is_negative=figure.quantity < 0,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _movement(state: State, line: LedgerLine, words: Language) -> MovementView:
    other, path = _other(state, line.other, words)
    return MovementView(
        date=line.date,
        change=f"{'+' if line.change > 0 else ''}{words.number(line.change / 1000)}",
        balance=line.balance / 1000,
        why=_why_words(words).get(line.why, line.why),
        other=other,
        other_path=path,
        lot=line.lot,
        entry=line.entry,
        code=code_of(line.entry),
    )


def _other(state: State, account: Account, words: Language) -> tuple[str, str]:
    """Return where goods came from or went, as people say it, and its page."""
    match account.kind:
        case "order":
            return words("order {code}", code=code_of(account.id)), path_to("order", account.id)
        case "site":
            return site_named(state, account.id).name, path_to("site", account.id)
        case "outside":
            return words("outside"), ""
        case "consumed":
            return words("people"), ""
        case "made":
            return words("a recipe"), ""
        case "lost":
            return words("lost"), ""
        case _:
            return words("unexplained"), ""


def _why_words(words: Language) -> dict[str, str]:
    return {
        "opening": words("opening"),
        "taken in": words("taken in"),
        "handed out": words("handed out"),
        "made": words("made"),
        "used": words("used"),
        "lost": words("lost"),
        "spoiled": words("spoiled"),
        "loaded": words("loaded"),
        "received": words("received"),
        "lost on the way": words("lost on the way"),
        "brought back": words("brought back"),
        "counted more": words("counted more"),
        "counted less": words("counted less"),
        "count explained": words("count explained"),
        "reversed": words("reversed"),
    }


def find_story(call: Call) -> Response:
    """Send whoever names a thing to its story; without a name, show where to write one, and what happened last."""
    asked = call.asked("of").strip()
    if not asked:
        return call.show("history.html.j2", thing=None, kind="", id="", story=(), code_of=code_of, lot="", good="")
    with call.room.lock:
        state = call.room.state
        kind, id = find_thing(state, asked, (placed.entry.id for placed in call.room.home.journal.read()))
    return call.go(f"/entries/{id}" if kind == "entry" else path_to(kind, id))


def story(call: Call) -> Response:
    """Show what happened to a site, a good, a good at a site, one of its lots, an order or an entry."""
    kind, id = call.path("kind"), call.path("id")
    if kind not in THINGS:
        raise AskedError(f'"{kind[:80]}": stories are told of a site, a good, an order or an entry.')
    if kind == "entry":
        return call.go(f"/entries/{id}")
    asked: dict[str, str] = {kind: id}
    with call.room.lock:
        state = call.room.state
        if kind == "order":
            asked[kind] = state.orders.find(id)
        else:
            asked[kind] = (find_site if kind == "site" else find_good)(state, id)
        good = find_good(state, call.asked("good")) if kind == "site" and call.asked("good") else ""
        if good:
            asked["good"] = good
        lot = lot_of(call.asked("lot") or None) if "good" in asked else None
        thing = _named(state, kind, asked[kind])
    lines: tuple[StoryLine, ...] = history(call.room.home.journal.read(), lot=lot, cuts=call.room.cuts, **asked)
    return call.show(
        "history.html.j2",
        thing=thing,
        kind=kind,
        id=asked[kind],
        story=lines[::-1],
        code_of=code_of,
        lot=call.asked("lot"),
        good=good,
    )


def _named(state: State, kind: str, id: str) -> Named:
    match kind:
        case "site":
            return site_named(state, id)
        case "good":
            return good_named(state, id)
        case _:
            return Named(id, code_of(id))


def entry(call: Call) -> Response:
    """Show an entry, and what taking it back would come to."""
    id = _find_entry(call)
    lines = history(call.room.home.journal.read(), entry=id, cuts=call.room.cuts)
    with call.room.lock:
        state = call.room.state
        fact = EntryReversed(id, call.room.day.isoformat())
        refused, found = reversal_doubts(state, fact) if call.may("allocator") else ((), ())
    return call.show(
        "entry.html.j2",
        id=id,
        code=code_of(id),
        story=lines,
        code_of=code_of,
        refused=[call.words.sentence(text) for text in refused],
        doubts=[call.words.sentence(text) for text in found],
    )


def undo(call: Call) -> Response:
    """Take an entry back by one that does the opposite; both stay."""
    with call.room.lock:
        id = _find_entry(call)
        fact = EntryReversed(id, call.room.day.isoformat(), call.field("cause"))
        if is_of_exports(call.room.state, fact) and not call.may("steward"):
            return call.refuse(call.words("Your role does not allow this."), status=403)
        refused, found = reversal_doubts(call.room.state, fact)
        if refused:
            return call.refuse(
                call.words("This cannot be taken back."), more=tuple(call.words.sentence(text) for text in refused)
            )
        if not is_confirmed(call, found):
            title = call.words("Take back entry {code}", code=code_of(id))
            return ask_back(call, found, title=title, back=f"/entries/{id}")
        [written] = call.room.write([fact])
    return call.go(f"/entries/{id}", said=call.words("Taken back by entry {code}.", code=code_of(written.id)))


def _find_entry(call: Call) -> str:
    asked = call.path("code")
    if WHOLE_ID.fullmatch(asked) and call.room.home.journal.store.get(asked) is not None:
        return asked  # As pages link to it; only for a code all ids have to be read.
    ids: Sequence[str] = [placed.entry.id for placed in call.room.home.journal.read()]
    return codes.find(asked, ids)


PAGES_BOOKS: tuple[Page, ...] = (
    Page("/ledger", ledger),
    Page("/history", find_story),
    Page("/history/{kind}/{id:path}", story),
    Page("/entries/{code}", entry),
    Page("/entries/{code}", undo, "POST", "allocator"),
)
"""Every page of the books."""
