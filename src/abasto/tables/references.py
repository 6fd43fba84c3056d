"""Check what the tables say about each other: ids that are not there, rows that are there twice, targets of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from abasto.network import TABLES, Cost, Disruption, Lane, Network, TableSchema
from abasto.tables.findings import Findings
from abasto.tables.names import Suggestions
from abasto.tables.rows import ID_COLUMNS
from abasto.tables.target import Target, Targets

__all__ = ["check_doubles", "check_references", "check_targets"]


def check_references(network: Network, findings: Findings) -> None:
    """Find ids that refer to nothing."""
    known = {table: _declared(network, table) | findings.origin.ids.get(table, frozenset()) for table in ID_COLUMNS}
    suggestions = {table: Suggestions(ids) for table, ids in known.items()}
    for schema in TABLES:
        rows = network.rows(schema.name) if any(column.refers for column in schema.columns) else ()
        for column in schema.columns if rows else ():
            if not column.refers or column.refers in findings.origin.unreadable:
                continue
            ids = known[column.refers]
            thing = ID_COLUMNS[column.refers]
            for index, value in enumerate(map(attrgetter(column.attribute), rows)):
                if value is not None and value not in ids:
                    findings.add(
                        schema.name, index, column.name, value,
                        message=f"there is no {thing} of this id in table {column.refers}",
                        remedy=f"add it to {column.refers} or correct the id",
                        closest=suggestions[column.refers](value),
                    )  # fmt: skip


def _declared(network: Network, table: str) -> frozenset[str]:
    return frozenset(map(attrgetter(ID_COLUMNS[table]), network.rows(table)))


def check_doubles(network: Network, findings: Findings) -> None:
    """Find rows whose key is there already, and lanes that a two-way lane gives already."""
    for schema in TABLES:
        seen: dict[tuple[object, ...], int] = {}
        for index, key in enumerate(_keys(network, schema)):
            first = seen.setdefault(key, index)
            if first != index:
                where = findings.origin.line(schema.name, first)
                findings.add(
                    schema.name, index, schema.key[-1] if len(schema.key) == 1 else "", _key_text(schema, key),
                    message=f"row {where} is the same {' and '.join(schema.key)}", remedy="keep one of the two rows",
                )  # fmt: skip
    _check_ways_back(network, findings)


def _keys(network: Network, schema: TableSchema) -> Iterator[tuple[object, ...]]:
    if not schema.key:
        return
    attributes = [column.attribute for column in schema.columns if column.name in schema.key]
    for row in network.rows(schema.name):
        yield tuple(getattr(row, attribute) for attribute in attributes)


def _key_text(schema: TableSchema, key: tuple[object, ...]) -> str:
    return (">" if schema.name == "lanes" else " / ").join(map(str, key))


def _check_ways_back(network: Network, findings: Findings) -> None:
    """Find lanes whose direction another, two-way lane gives already."""
    first_of: dict[tuple[str, str], int] = {}
    for index, lane in enumerate(network.lanes):
        first_of.setdefault((lane.from_site, lane.to_site), index)
    for (start, end), index in first_of.items():
        other = first_of.get((end, start))
        if other is None or other >= index or start == end:
            continue
        lane, back = network.lanes[index], network.lanes[other]
        if lane.two_way or back.two_way:
            two_way = other if back.two_way else index
            findings.add(
                "lanes", index, "", f"{start}>{end}",
                message=f"row {findings.origin.line('lanes', other)} joins the same two sites, and "
                f"row {findings.origin.line('lanes', two_way)} already goes both ways",
                remedy="keep one of the two rows, or write two_way no in both",
            )  # fmt: skip


_TABLES_OF_KIND = {
    "site": ("sites",),
    "fleet": ("fleets",),
    "lane": ("lanes",),
    "plant": ("plants",),
    "supply": ("supplies",),
    "buy": ("supplies",),
}


def check_targets(network: Network, findings: Findings) -> None:
    """Find disruptions and costs whose target is nothing, or two things at once."""
    if not network.costs and not network.disruptions:
        return
    targets = Targets(network)
    limited = {pair for lane in network.lanes if lane.tonnes is not None for pair in _directions(lane)}
    suggestions: dict[str, Suggestions] = {}
    tables_of_targets: tuple[tuple[str, Sequence[Cost | Disruption]], ...] = (
        ("costs", network.costs),
        ("disruptions", network.disruptions),
    )
    for table, rows in tables_of_targets:
        for index, row in enumerate(rows):
            tables = _TABLES_OF_KIND[row.kind]
            if not findings.origin.complete(*tables):
                continue
            if not targets.resolve(row.kind, row.target):
                if row.kind not in suggestions:
                    suggestions[row.kind] = Suggestions(targets.names(row.kind))
                findings.add(
                    table, index, "target", row.target,
                    message=f"this names nothing in table {tables[0]}",
                    remedy=f"write {_HOW_TO_NAME[row.kind]}", closest=suggestions[row.kind](row.target),
                )  # fmt: skip
            elif row.kind not in ("site", "fleet") and len(targets.readings(row.kind, row.target)) > 1:
                findings.add(
                    table, index, "target", row.target,
                    message="this can be parted into two ids in more than one way",
                    remedy="rename the ids so that only one reading is left",
                )  # fmt: skip
            if row.kind == "lane" and isinstance(row, Disruption) and 0 < row.left < 1:
                _check_left_of_lanes(targets.resolve("lane", row.target), limited, index, row, findings)


def _directions(lane: Lane) -> set[Target]:
    there = (lane.from_site, lane.to_site)
    return {there, there[::-1]} if lane.two_way else {there}


def _check_left_of_lanes(
    hit: tuple[Target, ...], limited: set[Target], index: int, row: Disruption, findings: Findings
) -> None:
    """Find a share left of lanes of which none has a limit that it could be a share of."""
    if hit and limited.isdisjoint(hit):
        findings.warn(
            "disruptions", index, "left", row.left, message="the lane has no tonnes to keep a share of: nothing is hit",
            remedy="write 0 to close it, or give the lane its tonnes",
        )  # fmt: skip


_HOW_TO_NAME = {
    "site": "the id of a site, or * for all",
    "fleet": "the id of a fleet, or * for all",
    "lane": "a lane as from>to, with * for any",
    "plant": "a plant as site/recipe, with * for any",
    "supply": "a supply as site/good, with * for any",
    "buy": "a supply as site/good, with * for any",
}
