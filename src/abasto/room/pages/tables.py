"""The network's tables: looked at, typed over in a grid, checked, and written all at once or not at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from abasto.errors import AbastoError, Finding, InputError
from abasto.inbox.grid import Checked, Typed, check_typed
from abasto.network import Column, TableSchema
from abasto.room.web import MOST_FIELDS, Call, Page
from abasto.state.cells import SCHEMAS
from abasto.state.escalations import escalations_of
from abasto.state.exports import exports_of
from abasto.state.openings import openings_of
from abasto.state.packs import packs_of
from abasto.state.rows import EXPORTS, KeptRow, Rows
from abasto.state.tables import tables_known
from abasto.tables.kinds import kind_of
from abasto.tables.rows import ID_COLUMNS
from abasto.tables.write import network_files, network_workbook

__all__ = ["PAGES_TABLES"]

AT_ONCE = 100
"""Rows on a page."""
BLANK_ROWS = 3
"""Rows at the end of a grid for new ones; a browser with scripts adds more."""
MOST_CHOICES = 2_000
STOCKS = "stocks"
OF_JOURNAL = (packs_of, openings_of, escalations_of, exports_of)
"""What reads the tables that only a journal has, and says what is wrong with their rows."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def tables(call: Call) -> Response:
    """List the tables with how many rows they have, and what is wrong or left out of plans."""
    with call.room.lock:
        rows, day = call.room.state.rows, call.room.day
        counts = {name: sum(1 for _ in rows.table(name)) for name in SCHEMAS}
        try:
            problems: Sequence[Finding] = tables_known(rows, day).problems
        except InputError as error:
            problems = error.findings
        problems = [*problems, *(found for of in OF_JOURNAL for found in of(rows)[1])]
    listed = [
        (schema, counts[schema.name], _help(call, schema)) for schema in SCHEMAS.values() if schema.name != STOCKS
    ]
    return call.show("tables.html.j2", tables=listed, problems=problems)


def table(call: Call) -> Response:
    """Show the rows of a table, those that a filter finds."""
    schema = _schema(call)
    asked, first = call.asked("q").strip(), call.asked("first", "0")
    at = int(first) if first.isascii() and first.isdecimal() and len(first) < 9 else 0
    with call.room.lock:
        found = [row for row in call.room.state.rows.table(schema.name) if _finds(row, asked)]
        shown = [Typed(line, row.cells, row.entry) for line, row in enumerate(found[at : at + AT_ONCE], start=1)]
    blank = [Typed(len(shown) + number, {}) for number in range(1, BLANK_ROWS + 1)]
    return _show(call, schema, [*shown, *blank], total=len(found), q=asked, at=at)


def check(call: Call) -> Response:
    """Show what the typed rows would change and what is wrong with them; nothing is written."""
    schema, typed = _schema(call), _typed(call)
    if not _may_write(call, schema):
        return call.refuse(call.words("Your role does not allow this."), status=403)
    with call.room.lock:
        checked = check_typed(call.room.state, schema.name, typed, day=call.room.day)
    return _show(call, schema, typed, checked=checked)


def save(call: Call) -> Response:
    """Write the typed rows if they are those that were checked, and nothing is wrong with them."""
    schema, typed, words = _schema(call), _typed(call), call.words
    if not _may_write(call, schema):
        return call.refuse(words("Your role does not allow this."), status=403)
    with call.room.lock:
        checked = check_typed(call.room.state, schema.name, typed, day=call.room.day)
        said = ""
        if checked.errors:
            said = words("Nothing was written: mend what is marked first.")
        elif checked.sign != call.field("sign"):
            said = words("Nothing was written: this is not what was checked last. Look at it again.")
        elif checked.doubts and not call.field("sure"):
            said = words("Nothing was written: say that it is meant so, or change it.")
        if said:
            return _show(call, schema, typed, checked=checked, said=said)
        call.room.write(checked.facts)
    number = len(checked.changes)
    told = words.many("Wrote {n} change, all in one.", "Wrote {n} changes, all in one.", number)
    return call.go(f"/tables/{schema.name}", said=told)


def export(call: Call) -> Response:
    """Return the network as it is known today, as a workbook or an archive of CSV files."""
    network = call.room.known().network
    name = f"abasto-{call.room.day.isoformat()}"
    if call.path("kind") == "xlsx":
        return _download(network_workbook(network), WORKBOOK, f"{name}.xlsx")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in network_files(network).items():
            archive.writestr(file, content)
    return _download(buffer.getvalue(), "application/zip", f"{name}.zip")


def _download(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _show(
    call: Call,
    schema: TableSchema,
    typed: Sequence[Typed],
    *,
    checked: Checked | None = None,
    said: str = "",
    total: int = 0,
    q: str = "",
    at: int = 0,
) -> Response:
    columns = schema.columns
    with call.room.lock:
        choices = {column.name: _choices(call.room.state.rows, schema, column) for column in columns}
        now = {row.entry: row.cells for row in call.room.state.rows.table(schema.name)}
    errors = () if checked is None else checked.errors
    return call.show(
        "table.html.j2",
        status=400 if said else 200,
        schema=schema,
        help=_help(call, schema),
        columns=[(column, _column_help(call, column), choices[column.name]) for column in columns],
        rows=[(row, now.get(row.entry, {})) for row in typed],
        wrong={(row.line, column.name): _wrong(errors, schema, row, column) for row in typed for column in columns},
        row_wrong={row.line: [one for one in errors if one.row == row.line and not one.column] for row in typed},
        checked=checked,
        said=said,
        total=total,
        q=q,
        at=at,
        at_once=AT_ONCE,
        most_rows=(MOST_FIELDS - 50) // (len(columns) + 2),
        may_write=_may_write(call, schema),
    )


def _may_write(call: Call, schema: TableSchema) -> bool:
    """Return whether whoever asks may change a table: what others see of the network, stewards say."""
    return call.may("steward" if schema.name == EXPORTS else "allocator")


def _wrong(errors: Sequence[Finding], schema: TableSchema, row: Typed, column: Column) -> list[Finding]:
    """Return what is wrong with a cell; what concerns rows among each other is found by the cell's value."""
    cell = row.cells.get(column.name, "").strip()
    return [
        one
        for one in errors
        if one.column == column.name
        and (one.row == row.line or (not one.row and one.table == schema.name and cell and one.value == cell))
    ]


def _choices(rows: Rows, schema: TableSchema, column: Column) -> list[str]:
    """Return what a cell of a column may be, where only some things can stand there."""
    kind = kind_of(schema.row, column.attribute)
    if kind.form == "choice":
        return list(kind.choices)
    if kind.form == "yes_no":
        return ["yes", "no"]
    if column.refers not in ID_COLUMNS and column.refers not in ("nutrients", "recipes"):
        return []
    known = {row.cells.get(ID_COLUMNS[column.refers], ""): None for row in rows.table(column.refers)}
    return list(filter(None, known))[:MOST_CHOICES]


def _finds(row: KeptRow, asked: str) -> bool:
    return not asked or any(asked.casefold() in cell.casefold() for cell in row.cells.values())


def _schema(call: Call) -> TableSchema:
    name = call.path("name")
    schema = SCHEMAS.get(name)
    if schema is None:
        raise AbastoError(call.words("There is no such table: {name}.", name=name[:60]))
    if name == STOCKS:
        raise AbastoError(call.words("What lies at a site is counted there, not typed into a table: report a count."))
    return schema


def _typed(call: Call) -> list[Typed]:
    """Return the rows of the form, in their order."""
    cells: dict[int, dict[str, str]] = {}
    entries: dict[int, str] = {}
    dropped: set[int] = set()
    columns = {column.name for column in _schema(call).columns}
    for name, value in call.fields.items():
        kind, _, rest = name.partition(":")
        number, _, column = rest.partition(":")
        if kind not in ("cell", "entry", "drop") or not (number.isascii() and number.isdecimal() and len(number) < 9):
            continue
        line = int(number)
        cells.setdefault(line, {})
        if kind == "cell" and column in columns:
            cells[line][column] = str(value)
        elif kind == "entry":
            entries[line] = str(value)
        elif kind == "drop":
            dropped.add(line)
    return [Typed(line, cells[line], entries.get(line, ""), line in dropped) for line in sorted(cells)]


def _help(call: Call, schema: TableSchema) -> str:
    return call.words.sentence(schema.help)


def _column_help(call: Call, column: Column) -> Mapping[str, Any]:
    return {"help": call.words.sentence(column.help), "blank": call.words.sentence(column.default_text)}


PAGES_TABLES: tuple[Page, ...] = (
    Page("/tables", tables),
    Page("/tables/export.{kind:str}", export, is_whole=False),
    Page("/tables/{name}", table),
    Page("/tables/{name}/check", check, "POST", "allocator"),
    Page("/tables/{name}/save", save, "POST", "allocator"),
    Page("/tables/{name}/check", table),  # For whoever chooses another language there.
    Page("/tables/{name}/save", table),
)
"""Every page about tables."""
