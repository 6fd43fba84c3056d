"""The commands that found a network and change it: its tables row by row, notes, and taking back what was written."""

from __future__ import annotations

import json as json_format
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, say, unknown_name
from abasto.cli_home import (
    Code,
    Flag,
    find_site,
    find_thing,
    new_home,
    open_home,
    passphrase,
    read_state,
    refuse_unit,
    to_the_end,
    today,
    write,
)
from abasto.cli_plan import read_for_planning

if TYPE_CHECKING:
    from datetime import date

    from abasto.facts.kinds import Fact, RowDropped, RowSet
    from abasto.journal.home import Home
    from abasto.network import Network
    from abasto.state.rows import KeptRow
    from abasto.state.state import State

__all__ = ["drop_row", "init", "note", "set_row", "undo"]

FROM_DAY_1 = 30
"""A new network without tables is planned for so many days."""


def init(
    home: Path,
    /,
    *,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    name: str | None = None,
    open: Flag = False,
    threshold: int = 2,
    clear: Flag = False,
    store: str | None = None,
    date: str | None = None,
    json: Flag = False,
) -> int:
    """Found a network: a new journal in the folder HOME, with the tables at PATH as its first facts.

    With --store alone, HOME joins the network that the database holds already, with a device key of its own.

    Only what members say counts: this device, its first steward, and whom stewards endorse (`abasto members`).

    The journal is one encrypted file. Its passphrase is asked for twice, or taken from $ABASTO_PASSPHRASE; whoever
    loses it loses the journal.

    Parameters
    ----------
    home
        The folder to make; it must not exist yet, or be empty.
    from_
        A folder of CSV files or one workbook to begin with; its stocks are the opening counts.
    name
        The network's name; by default that of the tables.
    open
        Let everybody's entries count who has the network's id, for good; then nobody needs to be endorsed.
    threshold
        So many stewards decide together about stewards, cuts and lost devices; all of them while they are fewer.
    clear
        Do not encrypt the file: whoever gets hold of it can read everything.
    store
        Keep the entries in this PostgreSQL database (a connection string); the device's key stays in HOME.
    date
        The day on which the stocks were as the tables say; today by default.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.network import rows_of

    day = today(date)
    if threshold < 1:
        raise UsageError(f"--threshold {threshold}: at least one steward decides; 2 of three is usual.")
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f'"{home}": there is something already; name a folder that does not exist yet.')
    if from_ is None and name is None:
        if store is None:
            raise UsageError("a network begins with tables or at least a name; give --from PATH, or --name NAME.")
        return _join(home, store, clear=clear, json=json)
    network = None if from_ is None else read_for_planning(existing(from_))
    if from_ is not None and network is None:
        return EXIT_INPUT
    facts = _named(name or "", day) if network is None else rows_of(network, date=day)
    called = name or (network.name if network else "")
    secret = None if clear else passphrase("passphrase of the new journal", twice=True)
    with new_home(home, passphrase=secret, store=store) as opened:
        founded = opened.journal.found(
            called, date=day.isoformat(), time=int(time.time()), facts=facts, threshold=threshold, is_open=open
        )
        entries = opened.journal.store.count()
    if json:
        document = {"network": founded.id, "name": called, "entries": entries, "encrypted": not clear, "open": open}
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _founded(home, called, network, entries, day, is_clear=clear, is_open=open):
        print(printable(line))
    return EXIT_OK


def _join(home: Path, store: str, *, clear: bool, json: bool) -> int:
    """Make a home of the network that a database holds."""
    secret = None if clear else passphrase("passphrase of the new home", twice=True)
    with new_home(home, passphrase=secret, store=store) as opened:
        journal = opened.journal
        if not journal.network:
            raise UsageError("the database holds no network yet; found one with --from PATH, or --name NAME.")
        founded = read_state(opened).founded
        entries = journal.store.count()
    called = founded.name if founded else ""
    if json:
        document = {"network": journal.network, "name": called, "entries": entries, "encrypted": not clear}
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    print(printable(f'Joined the network "{called}" from {home}: {entries} entries are in the database.'))
    if founded is not None and founded.admission == "endorsed":
        print(
            printable(f"What this device says counts once a steward endorsed it: abasto members ask NAME --home {home}")
        )
    print(printable(f"Every command finds it with --home {home}, or once for all: export ABASTO_HOME={home.resolve()}"))
    return EXIT_OK


def _named(name: str, day: date) -> Sequence[Fact]:
    """Return the facts of a network that has nothing but a name."""
    from abasto.facts.kinds import RowSet

    return [RowSet("network", {"name": name, "start": day.isoformat(), "days": str(FROM_DAY_1)}, day.isoformat())]


def _founded(
    home: Path, name: str, network: Network | None, entries: int, day: date, *, is_clear: bool, is_open: bool
) -> Iterator[str]:
    yield f'Founded the network "{name}" in {home}: {entries} entries, {"NOT encrypted" if is_clear else "encrypted"}.'
    if not is_open:
        yield "Only members count, and this device is its one steward; endorse two more soon: abasto members invite"
    if network is None:
        yield "It has no sites and goods yet: abasto set sites site=NAME people=NUMBER, or abasto import PATH"
    else:
        yield f"Its {len(network.stocks)} stocks are opening counts of {day}."
        if network.start != day:
            yield f"The tables begin on {network.start}; the journal plans from whatever day it is (--date to choose)."
    yield f"Every command finds it with --home {home}, or once for all: export ABASTO_HOME={home.resolve()}"


def set_row(
    table: str,
    /,
    *cells: str,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Set a row of a table of the format, COLUMN=VALUE each; what is not named stays as it is.

    Which row is meant, the columns say that identify one: site=Mill people=40 changes the site Mill, or makes it.

    Parameters
    ----------
    table
        The table, as `abasto tables` lists them, or packs, openings, escalations or exports.
    cells
        Columns and their values, such as people=40; an empty value (people=) makes the cell blank.
    date
        The day from which it is so; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import RowSet
    from abasto.state.network import row_fact

    day = today(date)
    given = _cells(table, cells)
    with open_home(home) as opened:
        state = read_state(opened)
        given = _with_dates(state, given)
        if table == "openings" and given.get("site"):
            given["site"] = find_site(state, given["site"])
        row = _meant(state, table, given)
        merged = {**(row.cells if row else {}), **given}
        filled = {column: value for column, value in merged.items() if value}
        if table == "packs" and filled.get("good") and filled.get("pack"):
            refuse_unit(state, filled["good"], filled["pack"])
        fact = row_fact(table, filled, date=day, copy=row.copy if row else 1)
        if row is not None and dict(row.cells) == dict(fact.row) and table != "stocks":
            if json:
                print(json_format.dumps({"entry": None, "code": None, "body": None, "doubts": []}, indent=1))
            else:
                print(printable(f"Nothing to write: the row of {table} is so already."))
            return EXIT_OK
        assert isinstance(fact, RowSet)
        return _write_row(opened, state, fact, row, day=day, yes=yes, json=json)


def drop_row(
    table: str,
    /,
    *cells: str,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Drop the row of a table that COLUMN=VALUE identify; what refers to it is left out of plans.

    Parameters
    ----------
    table
        The table, as `abasto tables` lists them, or packs, openings, escalations or exports.
    cells
        The columns that identify the row, such as site=Mill.
    date
        The day from which it is so; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import RowDropped
    from abasto.state.rows import IDENTITY

    day = today(date)
    given = _cells(table, cells)
    with open_home(home) as opened:
        state = read_state(opened)
        row = _meant(state, table, _with_dates(state, given))
        if row is None:
            raise UsageError(f"{table}: no row has {' '.join(cells)}; see the rows with: abasto export FOLDER")
        identity = {column: row.cells[column] for column in IDENTITY[table] if column in row.cells}
        fact = RowDropped(table, identity or row.cells, day.isoformat(), row.copy)
        return _write_row(opened, state, fact, row, day=day, yes=yes, json=json)


def _cells(table: str, texts: Sequence[str]) -> dict[str, str]:
    """Return COLUMN=VALUE texts as cells; a `UsageError` names a table or column that the format does not have."""
    from abasto.state.cells import SCHEMAS

    if table not in SCHEMAS:
        raise UsageError(unknown_name("table", table, tuple(SCHEMAS)))
    columns = [column.name for column in SCHEMAS[table].columns]
    cells: dict[str, str] = {}
    for text in texts:
        column, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f'"{text}": write the column, an equals sign and the value, as in {columns[0]}=…')
        if column not in columns:
            raise UsageError(unknown_name(f"column of {table}", column, columns))
        if column in cells:
            raise UsageError(f"{column} is given twice; give it once.")
        cells[column] = value.strip()
    if not cells:
        raise UsageError(f"say which row of {table}, COLUMN=VALUE; its columns: abasto tables {table}")
    return cells


def _with_dates(state: State, cells: Mapping[str, str]) -> dict[str, str]:
    """Return cells whose day numbers are dates: a journal outlasts the days that are counted from one start."""
    from datetime import date, timedelta

    start = state.rows.get("network")
    try:
        first = date.fromisoformat(start.cells["start"]) if start and start.cells.get("start") else None
    except ValueError:
        first = None  # No day is counted from there, and whoever counts one is asked for a date.
    return {
        column: (first + timedelta(days=int(value) - 1)).isoformat()
        if first and column in ("from", "to") and value.isascii() and value.isdecimal() and int(value) <= 3660
        else value
        for column, value in cells.items()
    }


def _meant(state: State, table: str, given: Mapping[str, str]) -> KeptRow | None:
    """Return the row that the given cells identify, None if there is none; a `UsageError` if there are several."""
    from abasto.state.rows import IDENTITY

    asked = {column: value for column, value in given.items() if column in IDENTITY[table]}
    found = [
        row
        for row in state.rows.table(table)
        if all(row.cells.get(column, "") == value for column, value in asked.items())
    ]
    if len(found) <= 1:
        return found[0] if found else None
    rows = "; ".join(_row_words(table, row.cells) for row in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    raise UsageError(f"{len(found)} rows of {table} have that: {rows}{more}. Say which by its other columns.")


def _row_words(table: str, cells: Mapping[str, str]) -> str:
    """Return what identifies a row, as it would be typed."""
    from abasto.state.rows import IDENTITY

    return " ".join(f"{column}={cells[column]}" for column in IDENTITY[table] if column in cells) or table


def _write_row(
    opened: Home, state: State, fact: RowSet | RowDropped, row: KeptRow | None, *, day: date, yes: bool, json: bool
) -> int:
    """Look at what the tables would be, refuse what is doubtful without --yes, write the fact, and say what changed."""
    from abasto.facts.codes import code_of
    from abasto.state.foresee import row_doubts

    found = row_doubts(state, fact, day=day)
    if found and not yes:
        for doubt in found:
            say(f"doubtful: {doubt}")
        say("nothing was written; if it is meant so, say so with --yes.")
        return EXIT_INPUT
    with to_the_end():
        [entry] = write(opened, [fact])
        if json:
            document = {"entry": entry.id, "code": code_of(entry.id), "body": dict(entry.body), "doubts": found}
            print(json_format.dumps(document, ensure_ascii=False, indent=1))
            return EXIT_OK
        for line in _row_change(fact, row):
            print(printable(line))
        print(f"Entry {code_of(entry.id)}; to take it back: abasto undo {code_of(entry.id)}")
        for doubt in found:
            say(f"written although doubtful: {doubt}")
    return EXIT_OK


def _row_change(fact: RowSet | RowDropped, row: KeptRow | None) -> Iterator[str]:
    """Yield the row and its cells before and after."""
    from abasto.facts.kinds import RowDropped

    named = f"{fact.table}: {_row_words(fact.table, fact.row)}"
    if isinstance(fact, RowDropped):
        yield f"Dropped from {named}"
        return
    yield f"{'New in' if row is None else 'Changed in'} {named}"
    before = {} if row is None else row.cells
    for column in dict.fromkeys([*fact.row, *before]):
        was, now = before.get(column, ""), fact.row.get(column, "")
        if was != now:
            yield f"  {column}: {now or 'blank'}" + (f" (before: {was or 'blank'})" if row is not None else "")


def undo(
    entry: Code,
    /,
    *,
    cause: str = "",
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Show what taking back ENTRY would do, and with --yes do it, by an entry that does the opposite; both stay.

    Parameters
    ----------
    entry
        The entry's code, as every command shows it.
    cause
        Why, in a few words.
    date
        The day on which it is taken back; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import code_of, find
    from abasto.facts.kinds import EntryReversed
    from abasto.state.foresee import reversal_doubts
    from abasto.state.story import history

    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        id = find(entry, (placed.entry.id for placed in opened.journal.read()))
        fact = EntryReversed(id, day.isoformat(), cause)
        refused, found = reversal_doubts(state, fact)
        if not json:
            print("To be taken back:")
            for line in history(opened.journal.read(), entry=id, cuts=state.members.cuts):
                print(printable(f"  {line.date or 'undated'}  {line.words}"))
        if refused:
            for why in refused:
                say(f"this cannot be taken back: {why}")
            return EXIT_INPUT
        for doubt in found:
            say(f"once it is taken back: {doubt}")
        if not yes:
            say("nothing was written; to take it back, add --yes.")
            return EXIT_OK
        with to_the_end():
            [written] = write(opened, [fact])
            document = {"entry": written.id, "code": code_of(written.id), "reverses": id}
            print(json_format.dumps(document, indent=1) if json else f"Taken back by entry {code_of(written.id)}.")
    return EXIT_OK


def note(
    text: str,
    /,
    *,
    about: Code = "",
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Write words for others into the journal; `abasto history` shows them with the thing they are about.

    Parameters
    ----------
    text
        The words, in quotes. Names of people are nowhere needed, and whoever has the journal reads them for good.
    about
        What they are about: a site, a good, or the code of an order or entry.
    date
        The day they are of; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import code_of
    from abasto.facts.kinds import NoteWritten

    day = today(date)
    if not text.strip():
        raise UsageError("the note has no words; write some.")
    with open_home(home) as opened:
        thing = find_thing(opened, read_state(opened), about)[1] if about else ""
        [entry] = write(opened, [NoteWritten(text, day.isoformat(), thing)])
    if json:
        print(json_format.dumps({"entry": entry.id, "code": code_of(entry.id), "about": thing}, indent=1))
        return EXIT_OK
    print(printable(f"Noted{f' about {about}' if about else ''}. Entry {code_of(entry.id)}."))
    return EXIT_OK
