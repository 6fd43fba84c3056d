"""Report goods from the desk: in a form, or as messages that came by phone; doubtful ones are asked back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from abasto.errors import AbastoError, InputError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    StockCounted,
)
from abasto.inbox.asked import AskedError, find_good, find_recipe, find_site, lot_of, quantity_of, unit_of
from abasto.inbox.from_state import names_of
from abasto.journal.entry import Entry
from abasto.language import Language
from abasto.room.desk import (
    Named,
    ask_back,
    day_of,
    good_named,
    is_confirmed,
    new_token,
    pickers,
    seal_of,
    site_named,
)
from abasto.room.lines_read import LineRead, read_lines, with_ref
from abasto.room.reports import said
from abasto.room.web import Call, Page
from abasto.state.foresee import Reported, doubts, places_of, recipe_lines
from abasto.state.state import State

__all__ = ["PAGES_REPORTING", "book_lines", "understood"]

FIELDS = ("kind", "site", "good", "recipe", "quantity", "date", "lot", "cause")
KINDS = ("count", "received", "handed out", "made", "lost")
MOST_TOKEN = 40


@dataclass(frozen=True, slots=True)
class BooksView:
    """What a report changed in the books: what was there before and is there now."""

    site: Named
    good: Named
    before: float
    after: float
    unit: str


def form(call: Call) -> Response:
    """Show the form, with the site and good that the address names."""
    return _show(call)


def _show(call: Call, **parts: Any) -> Response:
    filled = {name: call.asked(name) for name in FIELDS} | {"date": call.room.day.isoformat()}
    with call.room.lock:
        state = call.room.state
        known: dict[str, Any] = dict(pickers(state))
        recipes = sorted({row.cells["recipe"] for row in state.rows.table("recipes")})
    usual: dict[str, Any] = {
        "done": (),
        "books": (),
        "read": (),
        "text": "",
        "filled": filled,
        "seal": "",
        "refused": "",
    }
    return call.show(
        "report_goods.html.j2",
        **known,
        recipes=recipes,
        kinds=_kind_words(call.words),
        token=new_token(),
        **{**usual, **parts},
    )


def _kind_words(words: Language) -> dict[str, str]:
    return {
        "count": words("counted: so much is there"),
        "received": words("came from outside"),
        "handed out": words("handed out"),
        "made": words("made by a recipe"),
        "lost": words("lost or spoiled"),
    }


def report(call: Call) -> Response:
    """Book what the form says, once it is plain or confirmed, and show the books before and after; where that cannot
    be, show the form again as it was filled in.
    """
    try:
        return _book(call)
    except InputError:
        raise
    except AbastoError as error:
        filled = {name: call.field(name) for name in FIELDS}
        return _show(call, filled=filled, refused=call.words.sentence(str(error)), status=400)


def _book(call: Call) -> Response:
    with call.room.lock:
        state = call.room.state
        ref = ref_of(call)
        if state.knows(ref):
            return call.go("/report", said=call.words("This was booked already, so nothing was booked again."))
        fact = with_ref(_reported(call, state), ref)
        assert isinstance(fact, Reported)
        found = doubts(state, fact)
        if not is_confirmed(call, found):
            return ask_back(call, found, title=call.words("Report goods"), back="/report")
        before = _balances(state, [fact])
        entries = call.room.write([fact])
        books = _books(call.room.state, before)
    return _show(call, done=_done(call, entries, [_said(fact, state, call.words)]), books=books)


def ref_of(call: Call) -> str:
    """Return the reference of what a form books; it is the form's own."""
    token = call.field("token")
    if not token or len(token) > MOST_TOKEN:
        raise AskedError("this form is incomplete; load the page anew and repeat.")
    return f"desk/{token}"


def _reported(call: Call, state: State) -> Reported:
    kind = call.field("kind")
    if kind not in KINDS:
        raise AskedError(f'"{kind[:80]}": say what happened: {", ".join(KINDS)}.')
    site, day = find_site(state, call.field("site")), day_of(call).isoformat()
    if kind == "made":
        recipe = find_recipe(state, call.field("recipe"))
        batches = quantity_of(state, "", call.field("quantity"))
        lines = tuple(line for line in recipe_lines(state.rows, recipe, batches) if line.quantity)
        return GoodsMade(site, recipe, batches, lines, day)
    good, lot = find_good(state, call.field("good")), lot_of(call.field("lot") or None)
    quantity = quantity_of(state, good, call.field("quantity"), may_be_zero=kind == "count")
    match kind:
        case "count":
            return StockCounted(site, good, quantity, day, lot)
        case "received":
            return GoodsTakenIn(site, good, quantity, day, lot)
        case "handed out":
            return GoodsHandedOut(site, good, quantity, day, lot)
        case _:
            return GoodsLost(site, good, quantity, day, lot, call.field("cause"))


def _said(fact: Fact, state: State, words: Language) -> str:
    if isinstance(fact, GoodsMade):
        number = words.number(fact.batches / 1000)
        site = site_named(state, fact.site).name
        return words("Made at {site}: {number} batches of {recipe}.", site=site, number=number, recipe=fact.recipe)
    return said(fact, names_of(state), words)


def _balances(state: State, facts: Sequence[Fact]) -> dict[tuple[str, str], int]:
    """Return what the books have where facts touch them, in thousandths."""
    places: dict[tuple[str, str], None] = {}
    for fact in facts:
        if isinstance(fact, Reported):
            places |= dict.fromkeys(places_of(fact))
    return {place: sum(state.books.balance(*place).values()) for place in places}


def _books(state: State, before: Mapping[tuple[str, str], int]) -> tuple[BooksView, ...]:
    return tuple(
        BooksView(
            site_named(state, site),
            good_named(state, good),
            was / 1000,
            sum(state.books.balance(site, good).values()) / 1000,
            unit_of(state, good),
        )
        for (site, good), was in before.items()
    )


def _done(call: Call, entries: Sequence[Entry], said: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return what was booked: each entry's words, id and code."""
    return [(text, entry.id, code_of(entry.id)) for text, entry in zip(said, entries, strict=True)]


def messages(call: Call) -> Response:
    """Read messages as they came, show what they say, and book them once that is confirmed."""
    shown, books, done = book_lines(call)
    text = "\n".join(line.text for line in shown)
    return _show(call, read=shown, text=text, seal=understood(shown), books=books, done=done)


def understood(read: Sequence[LineRead]) -> str:
    """Return the seal of what is about to be booked, blank if nothing is."""
    told = [text for line in read if line.facts for text in (line.text, *line.said, *line.doubts)]
    return seal_of(told) if told else ""


def book_lines(call: Call) -> tuple[tuple[LineRead, ...], tuple[BooksView, ...], list[tuple[str, str, str]]]:
    """Read the lines of a form, and book those that are understood if they were confirmed just so.

    Returns the lines that are still to be confirmed or mended, the books before and after, and what was booked.
    """
    text, words = call.field("text"), call.words
    if not text:
        raise AskedError("no line is written; write one, such as: Mill: 30 kg flour.")
    with call.room.lock:
        state = call.room.state
        ref = ref_of(call)
        if state.knows(f"{ref}/0"):
            raise AskedError("this was booked already, so nothing was booked again.")
        site = find_site(state, call.field("site")) if call.field("site") else None
        read = read_lines(state, text, day=day_of(call), words=words, site=site)
        plain = [line for line in read if line.facts]
        if not plain or call.field("sure") != understood(read):
            return read, (), []
        facts = [fact for line in plain for fact in line.facts]
        before = _balances(state, facts)
        told = [text for line in plain for text in line.said]
        entries = call.room.write([with_ref(fact, f"{ref}/{number}") for number, fact in enumerate(facts)])
        books = _books(call.room.state, before)
    return tuple(line for line in read if not line.facts), books, _done(call, entries, told)


PAGES_REPORTING: tuple[Page, ...] = (
    Page("/report", form),
    Page("/report", report, "POST", "allocator"),
    Page("/report/messages", form, is_whole=False),  # For whoever chooses another language where messages are shown.
    Page("/report/messages", messages, "POST", "allocator"),
)
"""Every page on which goods are reported."""
