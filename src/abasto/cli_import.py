"""Reports that come in from outside: files, forms and text messages; and the packs that people count in."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator, Sequence
from datetime import date as Day  # noqa: N812 - the commands call theirs `date`
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_home import (
    Flag,
    find_good,
    find_site,
    open_home,
    quantity_of,
    quantity_words,
    read_state,
    refuse_unit,
    to_the_end,
    today,
    unit_of,
    write,
)
from abasto.cli_tables import finding_lines

if TYPE_CHECKING:
    from abasto.facts.kinds import Fact
    from abasto.inbox.names import Names
    from abasto.inbox.reports import Gathered, Item
    from abasto.inbox.taking import Foreseen
    from abasto.journal.entry import Entry
    from abasto.journal.home import Home
    from abasto.state.state import State

__all__ = ["import_reports", "message", "pack"]

Language = Literal["es", "en"]
MOST_SHOWN = 40
"""So many lines of a kind are shown one by one."""


def import_reports(
    path: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    site: str | None = None,
    language: Language = "en",
    date: str | None = None,
    yes: Flag = False,
    skip_doubtful: Flag = False,
    form: Path | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Take in the reports at PATH: first a dry run that shows what they would change; with --yes all of it or nothing.

    PATH is a file of text messages (.txt, one a line; `-` reads them from standard input), a table of reports (.csv or
    .xlsx), an export of KoboToolbox or ODK (.csv, .xlsx, .zip), or tables in the network format (a folder or a
    workbook), whose rows then become the journal's. What is in the journal already is not written again.

    Parameters
    ----------
    path
        What to take in.
    site
        The site that rows and messages without one are from: an id or a name.
    language
        The language of answers where a message does not tell it.
    date
        The day of the messages, and of changed tables; today by default.
    yes
        Write it.
    skip_doubtful
        Leave out what is in doubt, instead of writing nothing; it is listed.
    form
        Write an XLSForm for KoboToolbox or ODK to this file (.xlsx), with this network's sites, goods and packs.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    if (path is None) == (form is None):
        raise UsageError("say what to take in (abasto import PATH), or where to write a form (--form FILE.xlsx).")
    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        if form is not None:
            return _write_form(state, form)
        assert path is not None
        if _is_tables(path):
            return _import_tables(opened, state, path, day=day, yes=yes, json=json)
        where = None if site is None else find_site(state, site)
        gathered, names = _gathered(state, path, site=where, language=language, day=day)
        return _take_in(opened, state, gathered, names, yes=yes, skip_doubtful=skip_doubtful, json=json, path=path)


def _is_tables(path: Path) -> bool:
    """Whether a path holds tables of the network format, and no reports."""
    if str(path) == "-":
        return False
    if not path.exists():
        raise UsageError(f'"{path}": there is no such file or folder; check the name and where it lies.')
    if path.is_dir():
        return True
    if path.suffix.lower() not in (".xlsx", ".xlsm", ".ods"):
        return False
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            return "network" in workbook.sheet_names
    except CalamineError:
        return False  # What is wrong with it is said by whoever reads its reports.


def _gathered(state: State, path: Path, *, site: str | None, language: Language, day: Day) -> tuple[Gathered, Names]:
    """Return what came in, read against what the journal knows."""
    from abasto.inbox.from_state import names_of
    from abasto.inbox.gather import SUFFIXES, gather_file, gather_lines

    names = names_of(state)
    is_known = state.knows
    if str(path) == "-":
        text = sys.stdin.read()
        return gather_lines(text, names=names, date=day, language=language, site=site, is_known=is_known), names
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f'"{path}": reports come in files that end in {", ".join(SUFFIXES)}, or as tables in a folder.'
        )
    return gather_file(path, names=names, date=day, language=language, site=site, is_known=is_known), names


def _take_in(
    opened: Home,
    state: State,
    gathered: Gathered,
    names: Names,
    *,
    yes: bool,
    skip_doubtful: bool,
    json: bool,
    path: Path,
) -> int:
    """Show what came in and what it changes, and write it if it may be."""
    from abasto.inbox.taking import Foreseen, changed_since, foreseen

    changed = changed_since(opened.journal, gathered)
    doubtful = [item for item in gathered.items if item.doubt]
    errors = [finding for finding in gathered.findings if finding.severity == "error"]
    facts = [fact for item in gathered.items if not item.is_known for fact in item.facts]
    is_stopped = bool(errors) or (bool(doubtful) and not skip_doubtful)
    is_written = yes and not is_stopped and bool(facts)
    seen = Foreseen() if errors else foreseen(state, facts)
    with to_the_end():
        entries = write(opened, facts) if is_written else []
        if json:
            document = _document(gathered, facts, entries, seen.doubts) | {
                "changed_since": changed,
                "books": _books(state, seen),
            }
            print(json_format.dumps(document, ensure_ascii=False, indent=1))
        else:
            for line in _lines(gathered, state, seen, names):
                print(printable(line))
            for line in (*seen.doubts, *changed):
                say(f"doubtful: {line}")
            for line in _closing(facts, entries, errors=len(errors), doubtful=doubtful, path=path, skip=skip_doubtful):
                print(printable(line))
    return EXIT_INPUT if is_stopped else EXIT_OK


def _lines(
    gathered: Gathered,
    state: State,
    seen: Foreseen,
    names: Names,
) -> Iterator[str]:
    """Yield what was understood, what is in doubt, what is wrong, and the balances that change."""
    understood = [item for item in gathered.items if item.facts and not item.is_known]
    yield from _some([f"  {item.place}: {words}" for item in understood for words in item.said])
    known = [item.place for item in gathered.items if item.is_known]
    if known:
        places = ", ".join(known[:6]) + (f" and {len(known) - 6} more" if len(known) > 6 else "")
        yield f"In the journal already, so not written again: {places}"
    yield from _some([f"Left out: {words}" for words in gathered.left_out])
    for item in gathered.items:
        if item.doubt is not None:
            yield from _doubt_lines(item)
    yield from finding_lines(gathered.findings)
    yield from _some(list(_balance_lines(state, seen)))


def _doubt_lines(item: Item) -> Iterator[str]:
    assert item.doubt is not None
    written = f' "{item.text}"' if item.text else ""
    yield f"In doubt: {item.place}{written}"
    yield f"  {item.doubt.question}"
    yield from (f"  → {line}" for line in item.doubt.suggestions[:5])


def _balance_lines(state: State, seen: Foreseen) -> Iterator[str]:
    for (site, good), held in sorted(seen.after.items()):
        yield _balance_line(state, site, good, seen.before.get((site, good)), held)


def _balance_line(state: State, site: str, good: str, was: int | None, held: int) -> str:
    unit = unit_of(state, good)
    said = "nothing known" if was is None else quantity_words(was, unit)
    below = ", BELOW ZERO" if held < 0 else ""
    return f"  {good} at {site}: {said} before, {quantity_words(held, unit)} after{below}"


def _books(state: State, seen: Foreseen) -> list[dict[str, object]]:
    """Return the balances that change as JSON holds them, in the goods' units; None where nothing was known."""
    return [
        {
            "site": site,
            "good": good,
            "unit": unit_of(state, good),
            "before": seen.before[site, good] / 1000 if (site, good) in seen.before else None,
            "after": held / 1000,
        }
        for (site, good), held in sorted(seen.after.items())
    ]


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_SHOWN]
    if len(lines) > MOST_SHOWN:
        yield f"  … and {len(lines) - MOST_SHOWN:,} more (--json shows all)"


def _closing(
    facts: Sequence[Fact], entries: Sequence[Entry], *, errors: int, doubtful: Sequence[Item], path: Path, skip: bool
) -> Iterator[str]:
    """Yield what became of it all and what to do next."""
    reports = f"{len(facts):,} {'report' if len(facts) == 1 else 'reports'}"
    waiting = f"{len(doubtful):,} in doubt"
    if entries:
        left = f"; {waiting} left out" if doubtful else ""
        yield f"Wrote {reports}, all in one{left}. To take one back: abasto undo {_code(entries[0])} and so on"
    elif errors:
        yield f"Nothing was written: {errors:,} {'error' if errors == 1 else 'errors'}; mend them and import again."
    elif doubtful and not skip:
        yield f"Nothing was written: {waiting}; answer them, or leave them out with --skip-doubtful."
    elif not facts:
        yield "There is nothing new to write."
    else:
        yield f"Dry run: {reports} would be written. To write them, the same again with --yes."


def _code(entry: Entry) -> str:
    from abasto.facts.codes import code_of

    return code_of(entry.id)


def _document(
    gathered: Gathered, facts: Sequence[Fact], entries: Sequence[Entry], warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what --json says."""
    from dataclasses import asdict

    from abasto.facts.kinds import UnknownFact, body_of

    return {
        "written": len(entries),
        "entries": [entry.id for entry in entries],
        "facts": [{"kind": fact.KIND, **body_of(fact)} for fact in facts if not isinstance(fact, UnknownFact)],
        "known": [item.place for item in gathered.items if item.is_known],
        "doubtful": [
            {
                "place": item.place,
                "text": item.text,
                "question": item.doubt.question,
                "suggestions": item.doubt.suggestions,
            }
            for item in gathered.items
            if item.doubt
        ],
        "left_out": gathered.left_out,
        "warnings": list(warnings),
        "findings": [asdict(finding) for finding in gathered.findings],
    }


def _import_tables(opened: Home, state: State, path: Path, *, day: Day, yes: bool, json: bool) -> int:
    """Show what tables of the network format change of the journal's, and write that if it may be."""
    from abasto.facts.kinds import UnknownFact, body_of
    from abasto.inbox.taking import change_words, foreseen
    from abasto.state.network import changes_of
    from abasto.tables import read_network

    facts = changes_of(state, read_network(path), date=day)
    seen = foreseen(state, facts)
    with to_the_end():
        entries = write(opened, facts) if yes and facts else []
        if json:
            bodies = [{"kind": fact.KIND, **body_of(fact)} for fact in facts if not isinstance(fact, UnknownFact)]
            document = {
                "written": len(entries),
                "entries": [entry.id for entry in entries],
                "facts": bodies,
                "warnings": seen.doubts,
                "books": _books(state, seen),
            }
            print(json_format.dumps(document, ensure_ascii=False, indent=1))
            return EXIT_OK
        for line in _some([f"  {words}" for words in map(change_words, facts)]):
            print(printable(line))
        for line in _some(list(_balance_lines(state, seen))):
            print(printable(line))
        for line in seen.doubts:
            say(f"doubtful: {line}")
        changes = f"{len(facts):,} {'change' if len(facts) == 1 else 'changes'}"
        if entries:
            print(f"Wrote {changes}, all in one.")
        elif facts:
            print(f"Dry run: {changes} would be written. To write them, the same again with --yes.")
        else:
            print("There is nothing new to write: the journal's tables are so already.")
    return EXIT_OK


def _write_form(state: State, path: Path) -> int:
    """Write the form of this network."""
    from abasto.inbox.form import form_bytes
    from abasto.inbox.from_state import names_of
    from abasto.tables.whole import write_file_whole

    if path.suffix.lower() != ".xlsx":
        raise UsageError(f'--form "{path}": a form is a workbook; give it a name that ends in .xlsx.')
    if path.exists():
        raise UsageError(f'--form "{path}": this file exists; choose another name.')
    names = names_of(state)
    if not names.sites or not names.goods:
        raise UsageError("a form lists the network's sites and goods, and there are none yet; set them first.")
    title = f"{state.founded.name}: abasto" if state.founded else "Abasto"
    write_file_whole(path, form_bytes(names, title=title))
    print(f"Wrote {path}: {len(names.sites)} sites, {len(names.goods)} goods with {len(names.packs)} packs.")
    print("Upload it to KoboToolbox or ODK; what comes in, export as .xlsx or .csv, and: abasto import FILE")
    return EXIT_OK


def message(
    text: str,
    /,
    *,
    site: str | None = None,
    language: Language = "en",
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Report what one text message says: it is written if it can be read in exactly one way, else asked back.

    Parameters
    ----------
    text
        The message, such as "HARINA 30 SACOS" or "RECEIVED FLOUR 30 SACKS", in quotes.
    site
        The site it is from, where the message does not say: an id or a name.
    language
        The language of the answer where the message does not tell it.
    date
        The day of the message; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.inbox.from_state import names_of
    from abasto.inbox.message import read_message
    from abasto.inbox.questions import Doubtful
    from abasto.inbox.reports import Gathered, Item

    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        where = None if site is None else find_site(state, site)
        names = names_of(state)
        answer = read_message(text, names=names, date=day, site=where, language=language)
        if isinstance(answer, Doubtful):
            item = Item("message", doubt=answer, text=text)
        else:
            item = Item("message", answer.facts, answer.said, text=text)
        return _answer(opened, state, Gathered([item]), names, json=json)


def _answer(opened: Home, state: State, gathered: Gathered, names: Names, *, json: bool) -> int:
    """Write what one message says, or ask back."""
    from abasto.inbox.taking import foreseen

    (item,) = gathered.items
    seen = foreseen(state, item.facts)
    with to_the_end():
        entries = write(opened, item.facts) if item.facts else []
        if json:
            document = _document(gathered, item.facts, entries, seen.doubts) | {"books": _books(state, seen)}
            print(json_format.dumps(document, ensure_ascii=False, indent=1))
        elif item.doubt is not None:
            print(printable(item.doubt.question))
            for line in item.doubt.suggestions[:5]:
                print(printable(f"  → {line}"))
        else:
            for words in item.said:
                print(printable(words))
            for line in _balance_lines(state, seen):
                print(printable(line))
            print(f"Entry {', '.join(map(_code, entries))}; to take it back: abasto undo {_code(entries[0])}")
            for line in seen.doubts:
                say(f"written although doubtful: {line}")
    return EXIT_OK if entries else EXIT_INPUT


def pack(
    good: str,
    pack: str,
    quantity: str,
    /,
    *,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Say how much one PACK of GOOD holds, so that people can count in it: abasto pack flour saco 50

    Parameters
    ----------
    good
        What is packed: an id or a name.
    pack
        What people call the pack, in the singular: saco, sack, caja, box.
    quantity
        How much one pack holds, in the good's unit.
    date
        The day from which it is so; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.amounts import amount
    from abasto.state.network import row_fact

    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        meant = find_good(state, good)
        held = quantity_of(state, meant, quantity)
        called = " ".join(pack.split())
        if not called:
            raise UsageError("the pack has no name; say what people call it, such as saco.")
        refuse_unit(state, meant, called)
        cells = {"good": meant, "pack": called, "quantity": amount(held)}
        before = state.rows.cell("packs", "quantity", meant, called)
        unit = unit_of(state, meant)
        if before == cells["quantity"]:
            print(printable(f"Nothing to write: one {called} of {meant} is {before} {unit} already."))
            return EXIT_OK
        with to_the_end():
            [entry] = write(opened, [row_fact("packs", cells, date=day)])
            if json:
                document = {"entry": entry.id, "code": _code(entry), "body": dict(entry.body)}
                print(json_format.dumps(document, ensure_ascii=False, indent=1))
                return EXIT_OK
            was = f" (before: {before})" if before else ""
            print(printable(f"One {called} of {meant} is {quantity_words(held, unit)}{was}."))
            print(f"Entry {_code(entry)}; to take it back: abasto undo {_code(entry)}")
    return EXIT_OK
