"""The commands that read a journal: what is in stock, how that came about, and what people have to settle."""

from __future__ import annotations

import json as json_format
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_OK, UsageError, printable
from abasto.cli_home import (
    Code,
    Flag,
    age_words,
    figure_document,
    find_good,
    find_site,
    find_thing,
    lot_of,
    open_home,
    quantity_words,
    read_state,
    to_the_end,
    today,
    unit_of,
    write,
)
from abasto.facts.amounts import amount
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    from abasto.journal.home import Home
    from abasto.state.accounts import Account
    from abasto.state.state import State
    from abasto.state.story import LedgerLine
    from abasto.state.types import Figure, Problematic

__all__ = ["history", "ledger", "list_exceptions", "stock"]

MOST_LISTED = 100
"""So many exceptions are listed one by one; whoever has more of them begins with these."""


def stock(
    site: str | None = None,
    /,
    *,
    soon: int = 3,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Show what is in stock, everywhere or at SITE: how much, how old the figure is, and how it is known; oldest first.

    Parameters
    ----------
    site
        Only this site: an id or a name.
    soon
        Also list what expires within so many days.
    date
        As seen on this day; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.figures import figures, spoiled

    day = today(date)
    if soon < 0:
        raise UsageError(f"--soon {soon}: give a number of days from 0 up.")
    with open_home(home) as opened:
        state = read_state(opened)
    only = None if site is None else find_site(state, site)
    shown = [figure for figure in figures(state, day) if only in (None, figure.site)]
    shown.sort(key=lambda figure: (figure.as_of, figure.site, figure.good))
    gone = [one for one in spoiled(state, day) if only in (None, one.site)]
    expiring = _expiring(shown, day + timedelta(days=soon))
    if json:
        document = {
            "day": day.isoformat(),
            "figures": [figure_document(figure) | {"unit": unit_of(state, figure.good)} for figure in shown],
            "expiring": [
                {"site": one, "good": good, "lot": lot, "quantity": held / 1000} for lot, one, good, held in expiring
            ],
            "spoiled": [
                {"site": one.site, "good": one.good, "lot": one.lot, "quantity": one.quantity / 1000} for one in gone
            ],
        }
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _stock_lines(state, shown, day):
        print(printable(line))
    for lot, one, good, held in expiring:
        held_words = quantity_words(held, unit_of(state, good))
        print(printable(f"  expires {_days_to(lot, day)}: {held_words} {good} at {one}, {lot}"))
    for spoilt in gone:
        held_words = quantity_words(spoilt.quantity, unit_of(state, spoilt.good))
        place = shlex.join([spoilt.site, spoilt.good, amount(spoilt.quantity)])
        command = f"abasto lose {place} --lot {spoilt.lot} --cause spoiled"
        print(
            printable(f"  spoiled after {spoilt.lot}: {held_words} {spoilt.good} at {spoilt.site}; book it: {command}")
        )
    return EXIT_OK


def _expiring(figures: Sequence[Figure], until: date) -> list[tuple[str, str, str, int]]:
    """Return the lots that expire by a day, the first to expire first: lot, site, good, thousandths."""
    return sorted(
        (lot, figure.site, figure.good, held)
        for figure in figures
        for lot, held in figure.lots
        if lot and lot <= until.isoformat() and held > 0
    )


def _days_to(lot: str, day: date) -> str:
    left = (date.fromisoformat(lot) - day).days
    return "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"


def _stock_lines(state: State, figures: Sequence[Figure], day: date) -> Iterator[str]:
    from abasto.summary import aligned

    called = state.founded.name if state.founded else "this network"
    if not figures:
        yield f"Nothing is known of any stock here on {day}. Report some: abasto count SITE GOOD QUANTITY"
        return
    yield f"{called} on {day}: {len(figures):,} {'figure' if len(figures) == 1 else 'figures'}, the oldest first"
    header = ("site", "good", "quantity", "", "known", "last report", "last count")
    rows = [
        (
            figure.site,
            figure.good,
            quantity_words(figure.quantity),
            unit_of(state, figure.good),
            figure.kind,
            age_words(figure.as_of, day),
            age_words(figure.counted_on, day),
        )
        for figure in figures
    ]
    yield from aligned([header, *rows], right=(2,))
    for figure in figures:
        if figure.kind == "estimated" and figure.use_per_day:
            use = quantity_words(figure.use_per_day, unit_of(state, figure.good))
            yield f"  estimated: {figure.good} at {figure.site}, as {use} a day were used before the last report"


def ledger(
    site: str,
    good: str,
    /,
    *,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Show every movement of GOOD at SITE by date: what changed, why, where it came from or went, what is there then.

    Counts that differ from the books stand there as counted more or counted less; reports that came late explain them.

    Parameters
    ----------
    site
        An id or a name.
    good
        An id or a name.
    date
        The day from which ages are counted; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.figures import figures
    from abasto.state.story import ledger as movements

    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        place = find_site(state, site), find_good(state, good)
        lines = movements(opened.journal.read(), *place, cuts=state.members.cuts)
    now = [one for one in figures(state, day) if (one.site, one.good) == place]
    if json:
        document = {
            "site": place[0],
            "good": place[1],
            "unit": unit_of(state, place[1]),
            "movements": [_movement_document(line) for line in lines],
            "figure": figure_document(now[0]) if now else None,
        }
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for text in _ledger_lines(state, place, lines, now, day):
        print(printable(text))
    return EXIT_OK


def _movement_document(line: LedgerLine) -> dict[str, object]:
    return {
        "date": line.date,
        "entry": line.entry,
        "author": line.author,
        "lot": line.lot or None,
        "change": line.change / 1000,
        "why": line.why,
        "other": {"account": line.other.kind, "id": line.other.id or None},
        "balance": line.balance / 1000,
        "lots": [{"lot": lot or None, "quantity": held / 1000} for lot, held in line.lots],
    }


def _ledger_lines(
    state: State, place: tuple[str, str], lines: Sequence[LedgerLine], now: Sequence[Figure], day: date
) -> Iterator[str]:
    from abasto.summary import aligned

    site, good = place
    unit = unit_of(state, good)
    if not lines:
        yield f"The books know nothing of {good} at {site}. Report some: abasto count {shlex.join(place)} QUANTITY"
        return
    yield f"{good} at {site}, in {unit}"
    header = ("date", "change", "there", "why", "from or to", "lot", "entry")
    rows = [
        (
            line.date,
            f"{'+' if line.change > 0 else ''}{quantity_words(line.change)}",
            quantity_words(line.balance),
            line.why,
            _other_words(line.other),
            line.lot or "undated",
            code_of(line.entry),
        )
        for line in lines
    ]
    yield from aligned([header, *rows], right=(1, 2))
    for figure in now:
        spoilt = lines[-1].balance - figure.quantity if figure.kind != "estimated" else 0
        yield (
            f"Now {quantity_words(figure.quantity, unit)}, {figure.kind}; last report {age_words(figure.as_of, day)}, "
            f"last count {age_words(figure.counted_on, day)}"
            + (f"; {quantity_words(spoilt, unit)} can no longer be used" if spoilt else "")
        )


def _other_words(account: Account) -> str:
    """Return where goods came from or went, as people say it."""
    if account.kind == "order":
        return f"order {code_of(account.id)}"
    return account.id or account.kind


def history(
    thing: Code,
    good: str | None = None,
    /,
    *,
    lot: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Tell the story of THING: a site, a good, a good at a site (SITE GOOD), one of its lots, an order, or an entry.

    Parameters
    ----------
    thing
        A site or good, by id or name, or the code of an order or entry.
    good
        Only this good at the site.
    lot
        Only this lot of the good: its last usable date, or `none`.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.story import history as story

    with open_home(home) as opened:
        state = read_state(opened)
        kind, id = find_thing(opened, state, thing)
        asked: dict[str, str] = {kind: id}
        if good is not None:
            if kind != "site":
                raise UsageError(f'"{thing}" is no site; a second name is the good there that is asked for.')
            asked["good"] = find_good(state, good)
        chosen = lot_of(lot)
        if chosen is not None and "good" not in asked:
            raise UsageError(f"--lot {lot}: name the good whose lot this is: abasto history SITE GOOD --lot {lot}")
        lines = story(opened.journal.read(), lot=chosen, cuts=state.members.cuts, **asked)
    if json:
        print(json_format.dumps({kind: id, "story": [asdict(line) for line in lines]}, ensure_ascii=False, indent=1))
        return EXIT_OK
    if not lines:
        print(printable(f"Nothing has been reported about {f'{good} at {thing}' if good else thing} yet."))
    for line in lines:
        print(printable(f"{line.date or 'undated':10}  {line.words}  [entry {code_of(line.entry)}]"))
        if line.balance:
            print(printable(f"            then {line.balance}"))
    return EXIT_OK


def list_exceptions(
    *,
    settle: Annotated[tuple[Code, ...], Parameter(negative="", allow_leading_hyphen=True)] = (),
    note: str | None = None,
    settled: Flag = False,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """List what people have to settle, latest first: what is wrong, what settles it, and who can.

    Most go by themselves once what they name is mended; the others are settled with --settle and a note.

    Parameters
    ----------
    settle
        The code of an exception that is settled; may be given several times.
    note
        How it was settled, for others to read.
    settled
        List those that were settled and are otherwise as they were.
    date
        As seen on this day; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.exceptions import exceptions

    day = today(date)
    if bool(settle) != (note is not None):
        raise UsageError("settling takes both: --settle CODE, and --note TEXT that says how it was settled.")
    with open_home(home) as opened:
        state = read_state(opened)
        found = exceptions(state, day, settled=settled)
        if settle and note is not None:
            return _settle(opened, found, settle, note, day=day, json=json)
    if json:
        document = {"day": day.isoformat(), "exceptions": [asdict(one) | {"code": code_of(one.id)} for one in found]}
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _exception_lines(found, settled=settled):
        print(printable(line))
    return EXIT_OK


def _settle(
    opened: Home, found: Sequence[Problematic], codes: Sequence[str], text: str, *, day: date, json: bool
) -> int:
    """Write a note that settles the exceptions of these codes."""
    from abasto.facts.codes import find
    from abasto.facts.kinds import NoteWritten

    by_id = {one.id: one for one in found}
    ids = tuple(dict.fromkeys(find(code, by_id) for code in codes))
    about = {by_id[id].about for id in ids}
    fact = NoteWritten(text, day.isoformat(), about.pop() if len(about) == 1 else "", settles=ids)
    with to_the_end():
        [entry] = write(opened, [fact])
        if json:
            print(json_format.dumps({"entry": entry.id, "code": code_of(entry.id), "settles": ids}, indent=1))
            return EXIT_OK
        for id in ids:
            print(printable(f"Settled {code_of(id)}: {by_id[id].message}"))
        print(f"Entry {code_of(entry.id)}; to take it back: abasto undo {code_of(entry.id)}")
    return EXIT_OK


def _exception_lines(found: Sequence[Problematic], *, settled: bool) -> Iterator[str]:
    if not found:
        yield "Nothing that was settled still stands." if settled else "Nothing is to be settled."
        return
    what = "settled" if settled else "to be settled, latest first"
    yield f"{len(found):,} {'exception' if len(found) == 1 else 'exceptions'} {what}"
    for one in found[:MOST_LISTED]:
        dated = f", {one.date}" if one.date else ""
        yield f"{code_of(one.id)}  {one.kind}{dated}"
        yield f"  {one.message}"
        if not settled:
            yield f"  to settle it ({one.who}): {one.remedy}"
    if len(found) > MOST_LISTED:
        yield f"… and {len(found) - MOST_LISTED:,} more, earlier ones; --json lists them all."
    if not settled:
        yield "What cannot be mended is settled with a note: abasto exceptions --settle CODE --note TEXT"
