"""Rows of a table typed over in a grid: which facts they come to, and everything that is wrong or doubtful first.

A row that is there is known by the entry that set it. If somebody else has set it meanwhile it is not overwritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from abasto.errors import AbastoError, Finding, InputError
from abasto.facts.kinds import RowDropped, RowSet, body_of
from abasto.inbox.asked import refuse_unit
from abasto.state.cells import SCHEMAS
from abasto.state.foresee import rows_doubts
from abasto.state.network import row_fact
from abasto.state.rows import IDENTITY, PACKS, KeptRow, identity_of
from abasto.state.state import State
from abasto.tables.names import Suggestions
from abasto.tables.raw import BLANKS
from abasto.tables.rows import ID_COLUMNS

__all__ = ["Change", "Checked", "Typed", "check_typed"]


@dataclass(frozen=True)
class Typed:
    """A row as it was typed: its line in the grid, its cells, and the entry that set the row it was, blank if new."""

    line: int
    cells: Mapping[str, str]
    entry: str = ""
    is_dropped: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing is typed in it."""
        return not any(cell.strip(BLANKS) for cell in self.cells.values())


@dataclass(frozen=True)
class Change:
    """What a row comes to: a fact, and the cells that the row has now (None: there is no such row)."""

    line: int
    fact: RowSet | RowDropped
    before: Mapping[str, str] | None

    @property
    def cells(self) -> tuple[tuple[str, str, str], ...]:
        """The columns that change, with the cell before and after."""
        before = self.before or {}
        after = {} if isinstance(self.fact, RowDropped) else self.fact.row
        names = dict.fromkeys([*after, *before])
        return tuple((n, before.get(n, ""), after.get(n, "")) for n in names if before.get(n, "") != after.get(n, ""))


@dataclass(frozen=True)
class Checked:
    """What typed rows come to. `errors` have the line of the grid as their row, 0 where they are about other tables."""

    changes: tuple[Change, ...] = ()
    errors: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[RowSet | RowDropped, ...]:
        """What would be written: first what is dropped, so that a row may take another's place."""
        facts = [change.fact for change in self.changes]
        return tuple(sorted(facts, key=lambda fact: not isinstance(fact, RowDropped)))

    @property
    def sign(self) -> str:
        """What stands for these facts: who confirms them confirms these and no others."""
        bodies = json.dumps([[fact.KIND, body_of(fact)] for fact in self.facts], sort_keys=True)
        return hashlib.blake2b(bodies.encode(), digest_size=16).hexdigest()


def check_typed(state: State, table: str, typed: Sequence[Typed], *, day: date) -> Checked:
    """Return what rows of a table come to that were typed, all together, and what is wrong or doubtful about them."""
    kept = {row.entry: row for row in state.rows.table(table)}
    errors: list[Finding] = []
    changes: list[Change] = []
    for row in typed:
        if not row.entry and (row.is_dropped or row.is_blank):
            continue
        was = kept.get(row.entry)
        if row.entry and was is None:
            message, remedy = "somebody has changed or dropped this row meanwhile", "load the table anew and repeat"
            errors.append(Finding(table, row.line, "", "", message, remedy))
            continue
        try:
            changes.extend(_changes(state, table, row, was, day))
        except InputError as error:
            errors.extend(replace(one, row=row.line, file="") for one in error.findings)
    errors.extend(_unknown(state, table, changes))
    errors.extend(_doubles(state, table, changes))
    if errors:
        return Checked(tuple(changes), tuple(errors))
    numbered = tuple(_numbered(state, table, changes))
    checked = Checked(numbered)
    try:
        return replace(checked, doubts=rows_doubts(state, checked.facts, day=day) if numbered else ())
    except InputError as error:
        return replace(checked, errors=error.findings)


def _changes(state: State, table: str, row: Typed, was: KeptRow | None, day: date) -> Iterator[Change]:
    """Yield what one row comes to: nothing, one change, or a row dropped and another set in its place."""
    if was is not None and row.is_dropped:
        yield Change(row.line, _dropped(table, was, day), was.cells)
        return
    filled = {column: cell for column, text in row.cells.items() if (cell := text.strip(BLANKS))}
    if was is not None and filled == dict(was.cells):
        return
    fact = row_fact(table, filled, date=day, copy=was.copy if was else 1)
    if table == PACKS:
        try:
            refuse_unit(state, fact.row["good"], fact.row["pack"])
        except AbastoError as error:
            finding = Finding(table, row.line, "pack", fact.row["pack"], str(error).rstrip("."), "call it otherwise")
            raise InputError([finding]) from None
    if was is None or dict(fact.row) != dict(was.cells):
        if was is not None and identity_of(table, fact.row) != identity_of(table, was.cells):
            yield Change(row.line, _dropped(table, was, day), was.cells)
            was = None
        yield Change(row.line, fact, None if was is None else was.cells)


def _dropped(table: str, row: KeptRow, day: date) -> RowDropped:
    identity = {column: row.cells[column] for column in IDENTITY[table] if column in row.cells}
    return RowDropped(table, identity or row.cells, day.isoformat(), row.copy)


def _unknown(state: State, table: str, changes: Sequence[Change]) -> Iterator[Finding]:
    """Yield the cells that name what no table has: such a row would be left out of every plan."""
    for column in SCHEMAS[table].columns:
        if not column.refers:
            continue
        id_column = ID_COLUMNS[column.refers]
        ids = {row.cells.get(id_column, "") for row in state.rows.table(column.refers)}
        guess = Suggestions(ids)
        for one in changes:
            value = "" if isinstance(one.fact, RowDropped) else one.fact.row.get(column.name, "")
            if value and value not in ids:
                message = f"table {column.refers} has no such {id_column}"
                remedy = f"correct it, or set the {id_column} first"
                yield Finding(table, one.line, column.name, value, message, remedy, guess(value))


def _doubles(state: State, table: str, changes: Sequence[Change]) -> Iterator[Finding]:
    """Yield the new rows that say of themselves what another row does, where no two rows of a table may."""
    columns = SCHEMAS[table].key
    if not columns and table != "network":
        return
    gone = {identity_of(table, one.fact.row) for one in changes if isinstance(one.fact, RowDropped)}
    there = {identity_of(table, row.cells) for row in state.rows.table(table)} - gone
    for one in changes:
        if isinstance(one.fact, RowDropped) or one.before is not None:
            continue
        key = identity_of(table, one.fact.row)
        if key in there:
            column = columns[0] if columns else "name"
            value = " / ".join(one.fact.row.get(name, "") for name in columns)
            message, remedy = "there is another row for the same", "change that one, or leave this one out"
            yield Finding(table, one.line, column, value, message, remedy)
        there.add(key)


def _numbered(state: State, table: str, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield the changes with numbers that tell new rows from others which are alike in what identifies them."""
    there = {identity_of(table, row.cells, copy=row.copy) for row in state.rows.table(table)}
    there -= {identity_of(table, o.fact.row, copy=o.fact.copy) for o in changes if isinstance(o.fact, RowDropped)}
    for one in changes:
        if isinstance(one.fact, RowSet) and one.before is None:
            copy = 1
            while identity_of(table, one.fact.row, copy=copy) in there:
                copy += 1
            there.add(identity_of(table, one.fact.row, copy=copy))
            one = replace(one, fact=replace(one.fact, copy=copy))
        yield one
