"""Tables of the format to facts: those that found a network, those that change it, and a single row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from abasto.errors import Finding, InputError
from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import Fact, RowDropped, RowSet, StockCounted
from abasto.network import TABLES, Cost, Disruption, Network, NetworkRow, Row, TableSchema
from abasto.state.cells import SCHEMAS, cells_of, lots_of, on_calendar, stock_rows
from abasto.state.figures import figures, usable
from abasto.state.kept import as_kept, raw_table, refuse_errors
from abasto.state.rows import IDENTITY, KeptRow, Rows, identity_of
from abasto.state.tables import InForce, has_days, in_force
from abasto.tables.findings import worst_first
from abasto.tables.names import closest
from abasto.tables.rows import ID_COLUMNS, read_rows
from abasto.tables.target import Targets

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["changes_of", "row_fact", "rows_of"]


class _Present(NamedTuple):
    """A row that holds from day 1 on, and the row that the journal keeps for it; None where that says it without."""

    row: Row
    kept: KeptRow | None


def rows_of(network: Network, *, date: date) -> list[Fact]:
    """Return the facts that make a journal's tables those of `network`; its stocks count as found on `date`.

    Raises `InputError` if the network has errors, or holds what a table cannot say.
    """
    refuse_errors(network)
    facts: list[Fact] = []
    for schema in TABLES:
        copies: Counter[tuple[str, ...]] = Counter()
        for cells in _cells_of_table(network, schema):
            key = identity_of(schema.name, cells)
            copies[key] += 1
            facts.append(RowSet(schema.name, cells, date.isoformat(), copies[key]))
    return facts


def changes_of(state: State, network: Network, *, date: date) -> list[Fact]:
    """Return the facts that turn the rows that hold from `network.start` on into those of `network`; none if they are.

    Rows that differ or are new are set, those that are missing dropped; rows whose days are over, or that are about
    what is not there, stay as they are. Stocks are counts, only of sites and goods that `network` has stock rows for,
    and only of lots that differ both from the books and from the figures of that day (which may be carried forward: an
    estimate that comes back unchanged was not counted). Raises `InputError` if the network has errors, or holds the
    sites that stand for orders on their way.
    """
    refuse_errors(network)
    _refuse_orders(state, network)
    wanted, present = as_kept(network), in_force(state.rows, network.start)
    facts: list[Fact] = list(_horizon(present, network, date))
    for schema in TABLES[1:]:
        if schema.name != "stocks":
            facts.extend(_changes(state.rows, schema, present, wanted, date))
    facts.extend(_counts(state, network, date))
    return facts


def row_fact(table: str, cells: Mapping[str, str], *, date: date, start: date | None = None, copy: int = 1) -> RowSet:
    """Return the fact that sets one row, its cells as the format writes them; `InputError` says what is wrong.

    Days may be numbers where `start`, the date of day 1, is given. What other rows must hold is not asked here.
    """
    schema = SCHEMAS.get(table)
    if schema is None:
        remedy = f"name one of {', '.join(SCHEMAS)}"
        raise InputError([Finding("", 0, "table", table, "there is no such table", remedy, closest(table, SCHEMAS))])
    header = [*cells, *(column.name for column in schema.columns if column.required and column.name not in cells)]
    read = read_rows(raw_table(table, header, [[cells.get(name, "") for name in header]]), schema, start=start or date)
    findings = [replace(finding, row=0, file=table) for finding in read.findings]
    if start is None and has_days(schema):
        numbers = [name for name in ("from", "to") if cells.get(name, "").strip().lstrip("+-").isdecimal()]
        findings += [
            Finding(table, 0, name, cells[name], "a day number means nothing here", "write a date, as 2026-11-22")
            for name in numbers
        ]
    row = read.rows[0] if read.rows and not findings else None
    if row is not None and has_days(schema) and (row := on_calendar(row, start or date)) is None:
        findings = [Finding(table, 0, "to", cells.get("to", ""), "the calendar has no such days", "correct them")]
    if row is None:
        raise InputError(worst_first(findings))
    return RowSet(table, cells_of(row, schema, start or date), date.isoformat(), copy)


def _cells_of_table(network: Network, schema: TableSchema) -> Iterator[dict[str, str]]:
    """Yield the cells of the rows of a table; stocks as lots, in thousandths."""
    if schema.name == "stocks":
        lots = lots_of(network)
        for stock in stock_rows(lots, network):
            lot = stock.expires.isoformat() if stock.expires else ""
            yield {**cells_of(stock, schema, network.start), "quantity": amount(lots[stock.site, stock.good][lot])}
        return
    for row in network.rows(schema.name):
        dated = on_calendar(row, network.start) if has_days(schema) else row
        if dated is not None:
            yield cells_of(dated, schema, network.start)


def _refuse_orders(state: State, network: Network) -> None:
    names = {f"order {code_of(record.id)}" for record in state.orders.open()}
    findings = [
        Finding(
            "sites", line, "site", row.site, "this stands for goods on their way and is no site",
            "change single rows with `abasto set`, or bring tables without what open orders add and take off",
        )
        for line, row in enumerate(network.sites, start=2)
        if row.site in names and state.rows.standing("sites", row.site) != "stands"
    ]  # fmt: skip
    if findings:
        raise InputError(findings)


def _horizon(present: InForce, network: Network, date: date) -> Iterator[Fact]:
    """Yield the row of table network if its name or days differ; its start is no fact but the day that is planned."""
    now = next((row for row, _ in present.rows["network"] if isinstance(row, NetworkRow)), None)
    if now is None or (now.name, now.days) != (network.name, network.days):
        (row,) = network.rows("network")
        yield RowSet("network", cells_of(row, TABLES[0], network.start), date.isoformat())


def _changes(rows: Rows, schema: TableSchema, present: InForce, wanted: Network, date: date) -> Iterator[Fact]:
    """Yield what turns the rows of a table into the wanted ones, row by row where they say the same place and time."""
    day, start = date.isoformat(), wanted.start
    now: defaultdict[tuple[str, ...], list[_Present]] = defaultdict(list)
    back = _back(schema, present, wanted)
    for row, kept in [*present.rows[schema.name], *back]:
        # Where the days of all labour are over a row says that there is none; no entry does.
        is_said = not kept.cells.get("to") or kept.cells["to"] >= start.isoformat()
        now[_place(schema, row, start)].append(_Present(row, kept if is_said else None))
    new: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in wanted.rows(schema.name):
        new[_place(schema, row, start)].append(row)
    taken: set[tuple[str, ...]] = set()
    for place, mine in new.items():
        changed, replaced = _without_equals(mine, now.pop(place, []))
        stored = [one.kept for one in replaced if one.kept is not None]
        for row in changed:
            cells = cells_of(row, schema, start)
            if stored:
                kept = stored.pop(0)
                cells = _begun(cells, kept, start)
                yield RowSet(schema.name, cells, day, kept.copy)
            else:
                copy = _free_copy(rows, schema.name, cells, taken)
                taken.add(identity_of(schema.name, cells, copy=copy))
                yield RowSet(schema.name, cells, day, copy)
        for kept in stored:
            yield _dropped(schema.name, kept, day)
    for left in now.values():
        for one in left:
            if one.kept is not None:
                yield _dropped(schema.name, one.kept, day)
    for kept in present.broken[schema.name]:
        if identity_of(schema.name, kept.cells, copy=kept.copy) not in taken:
            yield _dropped(schema.name, kept, day)


def _back(schema: TableSchema, present: InForce, wanted: Network) -> list[tuple[Row, KeptRow]]:
    """Return the rows that are left out now and would hold again, as the wanted network has what they are about."""
    left_out = present.left_out[schema.name]
    if not left_out:
        return []
    targets = Targets(wanted)
    ids = {table: {getattr(row, column) for row in wanted.rows(table)} for table, column in ID_COLUMNS.items()}
    named = [(column.attribute, column.refers) for column in schema.columns if column.refers]
    found = []
    for row, kept in left_out:
        if isinstance(row, (Cost, Disruption)):
            is_back = bool(targets.resolve(row.kind, row.target))
        else:
            is_back = all(getattr(row, name) is None or getattr(row, name) in ids[table] for name, table in named)
        if is_back:
            found.append((row, kept))
    return found


def _place(schema: TableSchema, row: Row, start: date) -> tuple[str, ...]:
    """Return what tells a row from others of its table, its days cut to those that are left."""
    return identity_of(schema.name, cells_of(row, schema, start))


def _without_equals(mine: list[Row], now: list[_Present]) -> tuple[list[Row], list[_Present]]:
    """Return the rows that differ, wanted and present, after those that are equal are taken out in pairs."""
    rest = list(now)
    changed = []
    for row in mine:
        place = next((place for place, one in enumerate(rest) if one.row == row), None)
        if place is None:
            changed.append(row)
        else:
            del rest[place]
    return changed, rest


def _begun(cells: dict[str, str], kept: KeptRow, start: date) -> dict[str, str]:
    """Return cells with the first day that the kept row has, where both begin on day 1 and that had begun before."""
    first, day_1 = kept.cells.get("from", ""), start.isoformat()
    return {**cells, "from": first} if cells.get("from") == day_1 and "" < first < day_1 else cells


def _free_copy(rows: Rows, table: str, cells: Mapping[str, str], taken: set[tuple[str, ...]]) -> int:
    """Return the smallest number that makes a row one of its own."""
    copy = 1
    while True:
        key = identity_of(table, cells, copy=copy)
        if key not in taken and rows.get(table, *key[:-1], copy=copy) is None:
            return copy
        copy += 1


def _dropped(table: str, kept: KeptRow, day: str) -> RowDropped:
    row = {name: kept.cells[name] for name in IDENTITY[table] if name in kept.cells}
    return RowDropped(table, row, day, kept.copy)


def _counts(state: State, network: Network, date: date) -> Iterator[Fact]:
    """Yield counts of the lots that differ from the books and from what is known of them."""
    wanted, shown = lots_of(network), usable(figures(state, network.start))
    first_day = network.start.isoformat()
    for site, good in dict.fromkeys((row.site, row.good) for row in network.stocks):
        place = (site, good)
        lots, books = wanted.get(place, {}), state.books.balance(site, good)
        if lots == shown.get(place, {}):
            continue
        for lot in sorted({*lots, *(one for one in books if not one or one >= first_day)}):
            quantity = lots.get(lot, 0)
            if quantity != books.get(lot, 0):
                yield StockCounted(site, good, quantity, date.isoformat(), lot)
