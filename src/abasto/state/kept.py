"""What a journal keeps of a network: all of it, but for what is spelt out here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from abasto.errors import Finding, InputError
from abasto.network import TABLES, Labour, Network, Row, TableSchema
from abasto.state.cells import cells_of, lots_of, on_calendar, stock_rows
from abasto.state.tables import clipped, has_days
from abasto.tables.check import check_network
from abasto.tables.columns import is_hxl
from abasto.tables.findings import worst_first
from abasto.tables.raw import RawTable
from abasto.tables.rows import read_rows
from abasto.tables.target import Targets

__all__ = ["as_kept", "raw_table", "refuse_errors"]


def as_kept(network: Network) -> Network:
    """Return a network as a journal gives it back on its first day.

    Rows whose last day lies before day 1 are gone (but a site without any other labour keeps none), and with them the
    costs and disruptions of what they gave; first days before day 1 are day 1, and days beyond the calendar are blank.
    Stocks are one row for each site, good and lot, in thousandths, in the order of sites and goods, the first to expire
    first; the last date of goods that spoil is written out, and what has spoiled is gone.
    """
    tables: dict[str, Any] = {schema.name: network.rows(schema.name) for schema in TABLES[1:]}
    for schema in TABLES[1:]:
        if has_days(schema):
            tables[schema.name] = tuple(_left(tables[schema.name], network.start))
    working = {row.site for row in tables["labour"]}
    idle = dict.fromkeys(row.site for row in network.labour if row.site not in working)
    tables["labour"] += tuple(Labour(site=site, hours=0.0) for site in idle)
    tables["stocks"] = tuple(stock_rows(lots_of(network), network))
    kept = Network(network.name, network.start, network.days, **tables)
    targets = Targets(kept)
    costs = tuple(row for row in kept.costs if targets.resolve(row.kind, row.target))
    disruptions = tuple(row for row in kept.disruptions if targets.resolve(row.kind, row.target))
    return replace(kept, costs=costs, disruptions=disruptions)


def _left(rows: tuple[Row, ...], start: date) -> Iterator[Row]:
    """Yield what is left of rows with days from day 1 on."""
    for row in rows:
        dated = on_calendar(row, start)
        cut = None if dated is None else clipped(dated)
        if cut is not None:
            yield cut


def refuse_errors(network: Network) -> None:
    """Raise `InputError` if a network has errors, or holds what a table cannot say."""
    errors = [finding for finding in check_network(network) if finding.severity == "error"]
    errors += [finding for schema in TABLES for finding in _what_is_lost(network, schema)]
    if errors:
        raise InputError(worst_first(errors))


def _what_is_lost(network: Network, schema: TableSchema) -> Iterator[Finding]:
    """Yield a finding for every row of a table that its cells do not give back: texts that mean something else."""
    if schema.name == "stocks":
        return
    rows: list[Row] = []
    for row in network.rows(schema.name):
        dated = on_calendar(row, network.start) if has_days(schema) else row
        if dated is not None:
            rows.append(dated)
    names = [column.name for column in schema.columns]
    cells = [cells_of(row, schema, network.start) for row in rows]
    raw = raw_table(schema.name, names, [[mine.get(name, "") for name in names] for mine in cells])
    read = read_rows(raw, schema, start=network.start)
    yield from read.findings
    given = dict(zip(read.lines, read.rows, strict=True))
    for line, row in enumerate(rows, start=2):
        back = given.get(line, row)
        for column in schema.columns:
            value = getattr(row, column.attribute)
            if getattr(back, column.attribute) != value:
                message, remedy = "this would not be read as it is written", "choose another text"
                yield Finding(schema.name, line, column.name, str(value), message, remedy)


def raw_table(table: str, header: list[str], cells: list[list[str]]) -> RawTable:
    """Return a raw table of cells, numbered as if it stood in a file."""
    rows = list(enumerate(cells, start=2))
    if cells and is_hxl(cells[0]):
        # A first row that reads as hashtags would be skipped; real hashtags before it are skipped in its place.
        rows.insert(0, (1, [f"#{name}" for name in header]))
    return RawTable(table, table, 1, header, rows)
