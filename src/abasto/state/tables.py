"""From the rows of the journal to the tables of the format on a day: read, cut to the days that are left, complete.

Cells are read by what reads CSV files, so that messages are the same; findings name a row by its identity and its
entry. Rows about what is not there (any more) are left out and told. Stocks are no part of it: the books have them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from abasto.errors import Finding, InputError
from abasto.facts.codes import code_of
from abasto.network import TABLES, Cost, Disruption, Labour, Network, NetworkRow, Row, TableSchema
from abasto.state.rows import IDENTITY, KeptRow, Rows
from abasto.tables.check import check_rows
from abasto.tables.columns import is_hxl
from abasto.tables.findings import Origin, worst_first
from abasto.tables.raw import RawTable
from abasto.tables.rows import ID_COLUMNS, read_rows
from abasto.tables.target import Targets

__all__ = ["InForce", "TablesKnown", "clipped", "has_days", "in_force", "place_of", "tables_known"]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ROW_NUMBER = re.compile(r"\brow (\d+)\b")
_FIRST_LINE = 2

Placed = list[tuple[Row, KeptRow]]


@dataclass(frozen=True)
class TablesKnown:
    """A network without stocks, the kept row of each of its rows, and findings: what was left out, and doubts."""

    network: Network
    kept: Mapping[str, tuple[KeptRow, ...]]
    problems: tuple[Finding, ...]


@dataclass
class TableRead:
    """The rows of a table that could be read, with the kept row of each, those that could not, and findings."""

    placed: Placed = field(default_factory=list)
    broken: list[KeptRow] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)


@dataclass
class InForce:
    """The rows of all tables that hold from a day on; `past` are those whose days are over, `left_out` are about what
    is not there, and `broken` cannot be read.
    """

    rows: dict[str, Placed] = field(default_factory=dict)
    past: dict[str, Placed] = field(default_factory=dict)
    left_out: defaultdict[str, Placed] = field(default_factory=lambda: defaultdict(list))
    broken: dict[str, list[KeptRow]] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)


def tables_known(rows: Rows, day: date, *, days: int | None = None) -> TablesKnown:
    """Return the tables as they stand on a day, which becomes day 1; raises `InputError` if they cannot be planned.

    `days` is the length of the horizon, that of table network unless given.
    """
    found = in_force(rows, day)
    horizon = _horizon(found, day, days)
    if found.errors:
        raise InputError(worst_first(found.errors))
    tables: dict[str, Any] = {name: tuple(row for row, _ in placed) for name, placed in found.rows.items()}
    del tables["network"]
    network = Network(horizon.name, horizon.start, horizon.days, **tables)
    kept = {name: tuple(one for _, one in placed) for name, placed in found.rows.items()}
    findings = _checked(network, kept)
    if any(finding.severity == "error" for finding in findings):
        raise InputError(worst_first([*findings, *found.doubts]))
    return TablesKnown(network, kept, (*found.doubts, *findings))


def has_days(schema: TableSchema) -> bool:
    """Whether the rows of a table hold from one day to another."""
    return "from_day" in schema.row.model_fields


def clipped(row: Row) -> Row | None:
    """Return what is left of a row with days from day 1 on, None if they are over."""
    first: int | None = row.from_day  # type: ignore[attr-defined]
    last: int | None = row.to_day  # type: ignore[attr-defined]
    if last is not None and last < 1:
        return None
    return row.model_copy(update={"from_day": 1}) if first is not None and first < 1 else row


def place_of(table: str, row: KeptRow) -> str:
    """Return a row as findings name it: its table, what identifies it, its entry and who signed that."""
    named = " / ".join(filter(None, (row.cells.get(name, "") for name in IDENTITY[table])))
    copy = f" ({row.copy})" if row.copy > 1 else ""
    author = f" by {code_of(row.author)}" if row.author else ""
    return f"{table} {named}{copy} [entry {code_of(row.entry)}{author}, {row.date}]".replace("  ", " ")


def read_table(rows: Rows, schema: TableSchema, day: date) -> TableRead:
    """Return what can be read of a table, with days counted from `day`, and what is wrong with the rest."""
    names = [column.name for column in schema.columns]
    known = frozenset(names)
    lines: list[tuple[int, tuple[str, ...]]] = []
    kept: dict[int, KeptRow] = {}
    result = TableRead()
    for line, row in enumerate(rows.table(schema.name), start=_FIRST_LINE):
        kept[line] = row
        result.doubts.extend(_strange(schema.name, row, known))
        without_date = list(_without_date(schema, row))
        result.errors.extend(without_date)
        if not without_date:
            lines.append((line, tuple(row.cells.get(name, "") for name in names)))
    if lines and is_hxl(lines[0][1]):
        # A first row that reads as hashtags would be skipped; real hashtags before it are skipped in its place.
        lines.insert(0, (1, tuple(f"#{name}" for name in names)))
    read = read_rows(RawTable(schema.name, schema.name, 1, names, lines), schema, start=day)
    result.errors.extend(_placed(finding, {schema.name: kept}) for finding in read.findings)
    result.placed = [(row, kept.pop(line)) for row, line in zip(read.rows, read.lines, strict=True)]
    result.broken = list(kept.values())
    return result


def in_force(rows: Rows, day: date) -> InForce:
    """Return the rows of every table but stocks that hold from a day on, and what is wrong with the others."""
    found = InForce()
    for schema in TABLES:
        if schema.name == "stocks":
            continue
        read = read_table(rows, schema, day)
        found.errors.extend(read.errors)
        found.doubts.extend(read.doubts)
        found.broken[schema.name] = read.broken
        found.rows[schema.name] = read.placed
        if has_days(schema):
            left = [(clipped(row), kept) for row, kept in read.placed]
            found.past[schema.name] = [one for one, (row, _) in zip(read.placed, left, strict=True) if row is None]
            found.rows[schema.name] = [(row, kept) for row, kept in left if row is not None]
    # Without rows a site's labour would be unlimited; where the days of all its rows are over there is none.
    labour = found.rows["labour"]
    working = {row.site for row, _ in labour if isinstance(row, Labour)}
    idle = {row.site: kept for row, kept in found.past["labour"] if isinstance(row, Labour)}
    labour.extend((Labour(site=site, hours=0.0), kept) for site, kept in idle.items() if site not in working)
    _leave_out(found, rows)
    return found


def _horizon(found: InForce, day: date, days: int | None) -> NetworkRow:
    """Return the network's name and horizon, from `day` on."""
    row = next((row for row, _ in found.rows["network"] if isinstance(row, NetworkRow)), None)
    if row is None:
        if not found.errors:
            remedy = "set it with name, start and days"
            found.errors.append(Finding("network", 0, "", "", "table network has no row", remedy))
        return NetworkRow(name="unknown", start=day, days=days or 1)
    return NetworkRow(name=row.name, start=day, days=row.days if days is None else days)


def _strange(table: str, row: KeptRow, known: frozenset[str]) -> Iterator[Finding]:
    for name in row.cells:
        if name not in known:
            yield Finding(
                table, 0, name, row.cells[name], "this version knows no such column, so it is not planned with",
                "correct the column, or use the version that wrote it", severity="warning", file=place_of(table, row),
            )  # fmt: skip


def _without_date(schema: TableSchema, row: KeptRow) -> Iterator[Finding]:
    """Yield what is wrong with the days of a row: in a journal only dates say which days are meant."""
    if not has_days(schema):
        return
    for name in ("from", "to"):
        cell = row.cells.get(name, "")
        if cell.isdecimal() and not _ISO_DATE.fullmatch(cell):
            yield Finding(
                schema.name, 0, name, cell, "a day number means nothing in a journal, whose horizon moves",
                "set the row with a date, as 2026-11-22", file=place_of(schema.name, row),
            )  # fmt: skip


def _placed(finding: Finding, kept: Mapping[str, Mapping[int, KeptRow]]) -> Finding:
    """Return a finding about a line of a table as one about the row that the journal keeps there."""
    rows = kept.get(finding.table, {})

    def named(match: re.Match[str]) -> str:
        row = rows.get(int(match[1]))
        return match[0] if row is None else place_of(finding.table, row)

    message = _ROW_NUMBER.sub(named, finding.message)
    row = rows.get(finding.row)
    if row is None:
        return replace(finding, message=message, row=0)
    return replace(finding, message=message, row=0, file=place_of(finding.table, row))


def _leave_out(found: InForce, rows: Rows) -> None:
    """Leave out rows about what is not there, again and again, as what they declare is then not there either."""
    while any(_leave_out_unknown(found, schema, rows) for schema in TABLES if schema.name != "stocks"):
        pass
    _leave_out_targets(found)


def _leave_out_unknown(found: InForce, schema: TableSchema, rows: Rows) -> bool:
    """Leave out the rows of a table that refer to unknown ids; of recipes all lines, as half of one says too much."""
    references = [(column.attribute, column.name, column.refers) for column in schema.columns if column.refers]
    ids = {refers: _declared(found, refers) for _, _, refers in references}
    unknown: dict[int, str] = {}
    placed = found.rows[schema.name]
    for place, (row, _) in enumerate(placed):
        for attribute, name, refers in references:
            value = getattr(row, attribute)
            if value is not None and value not in ids[refers]:
                unknown[place] = f"{name}: {_gone(rows, refers, value)}"
                break
    if not unknown:
        return False
    if schema.name == "recipes":
        broken = {getattr(placed[place][0], "recipe", ""): why for place, why in unknown.items()}
        recipes = enumerate(getattr(row, "recipe", "") for row, _ in placed)
        unknown = {place: broken[recipe] for place, recipe in recipes if recipe in broken}
    for place, why in unknown.items():
        found.doubts.append(_left_out(schema.name, placed[place][1], why))
        found.left_out[schema.name].append(placed[place])
    found.rows[schema.name] = [one for place, one in enumerate(placed) if place not in unknown]
    return True


def _declared(found: InForce, table: str) -> set[str]:
    return {getattr(row, ID_COLUMNS[table]) for row, _ in found.rows[table]}


def _gone(rows: Rows, table: str, id: str) -> str:
    """Say that an id is not there, and whether it ever was."""
    thing = ID_COLUMNS[table]
    if table in ("sites", "goods", "fleets"):
        standing = rows.standing(table, id)
        if standing == "dropped":
            return f'{thing} "{id}" was dropped'
        if standing == "stands":
            return f'{thing} "{id}" is left out itself'
    return f'there is no {thing} "{id}"'


def _left_out(table: str, row: KeptRow, why: str) -> Finding:
    return Finding(
        table, 0, "", "", f"{why}, so this row is left out of the plan",
        "drop the row, or set what it refers to", severity="warning", file=place_of(table, row),
    )  # fmt: skip


def _leave_out_targets(found: InForce) -> None:
    """Leave out costs and disruptions of nothing; silently where the days of what they name are over."""
    if not found.rows["costs"] and not found.rows["disruptions"]:
        return
    present = Targets(_bare(found.rows))
    ever = Targets(_bare({name: [*rows, *found.past.get(name, ())] for name, rows in found.rows.items()}))
    for table in ("costs", "disruptions"):
        left: Placed = []
        for row, kept in found.rows[table]:
            assert isinstance(row, (Cost, Disruption))
            if present.resolve(row.kind, row.target):
                left.append((row, kept))
                continue
            found.left_out[table].append((row, kept))
            if not ever.resolve(row.kind, row.target):
                found.doubts.append(_left_out(table, kept, f'target: there is no {row.kind} "{row.target}"'))
        found.rows[table] = left


def _bare(rows: Mapping[str, Placed]) -> Network:
    """Return a network of the tables that targets name."""
    tables: dict[str, Any] = {
        name: tuple(row for row, _ in rows[name]) for name in ("sites", "fleets", "lanes", "plants", "supplies")
    }
    return Network("", date(2000, 1, 1), 1, **tables)


def _checked(network: Network, kept: Mapping[str, tuple[KeptRow, ...]]) -> list[Finding]:
    """Return what is wrong or doubtful between rows; that some hold only later is as meant where the horizon moves."""
    lines = {name: range(_FIRST_LINE, _FIRST_LINE + len(rows)) for name, rows in kept.items()}
    found = worst_first(check_rows(network, Origin(lines=lines)))
    by_line = {name: dict(zip(lines[name], rows, strict=True)) for name, rows in kept.items()}
    return [
        _placed(finding, by_line)
        for finding in found
        if not (finding.severity == "warning" and finding.message.startswith("the row holds on none of the days"))
    ]
