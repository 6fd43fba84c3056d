"""Rows of the format as the cells that a journal keeps: text, dates for days, nothing for what is at its default."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from abasto.facts.amounts import thousandths
from abasto.network import TABLES, Network, Row, Stock, TableSchema
from abasto.state.escalations import ESCALATIONS_SCHEMA
from abasto.state.exports import EXPORTS_SCHEMA
from abasto.state.openings import OPENINGS_SCHEMA
from abasto.state.packs import PACKS_SCHEMA
from abasto.tables.text import value_text

__all__ = ["SCHEMAS", "Lots", "cells_of", "last_use", "lots_of", "on_calendar", "stock_rows"]

SCHEMAS: Mapping[str, TableSchema] = {
    schema.name: schema for schema in (*TABLES, PACKS_SCHEMA, OPENINGS_SCHEMA, ESCALATIONS_SCHEMA, EXPORTS_SCHEMA)
}
THOUSANDTH = Decimal("0.001")
WHOLE_FROM = 1e15
"""Numbers from here on have no decimals that count."""
FIRST_DATE, LAST_DATE = date.min.toordinal(), date.max.toordinal()

Lots = dict[tuple[str, str], dict[str, int]]
"""For each site and good its lots: the last usable date (blank: none) and the quantity in thousandths."""


def cells_of(row: Row, schema: TableSchema, start: date) -> dict[str, str]:
    """Return the cells of a row that are not blank; its days, counted from `start`, must be on the calendar."""
    cells = {}
    for column in schema.columns:
        value = getattr(row, column.attribute)
        if value is None or (not column.required and value == column.default):
            continue
        if column.attribute in ("from_day", "to_day"):
            value = date.fromordinal(start.toordinal() + value - 1)
        cells[column.name] = value_text(value)
    return cells


def on_calendar(row: Row, start: date) -> Row | None:
    """Return a row with days whose days are on the calendar: beyond it they are blank; None if none of them is."""
    first: int | None = row.from_day  # type: ignore[attr-defined]
    last: int | None = row.to_day  # type: ignore[attr-defined]
    first_date, last_date = (None if day is None else start.toordinal() + day - 1 for day in (first, last))
    if (first_date is not None and first_date > LAST_DATE) or (last_date is not None and last_date < FIRST_DATE):
        return None
    if first_date is not None and first_date < FIRST_DATE:
        row = row.model_copy(update={"from_day": None})
    if last_date is not None and last_date > LAST_DATE:
        row = row.model_copy(update={"to_day": None})
    return row


def last_use(came: date, shelf_life_days: float | None) -> str:
    """Return the last date on which a good can be used that came on a date, nothing if that is never over.

    >>> last_use(date(2026, 11, 21), 2.5), last_use(date(2026, 11, 21), None)
    ('2026-11-23', '')
    """
    if shelf_life_days is None or shelf_life_days >= LAST_DATE - came.toordinal():
        return ""
    return date.fromordinal(came.toordinal() + int(shelf_life_days)).isoformat()


def lots_of(network: Network) -> Lots:
    """Return the stocks of a network as lots, to the nearest thousandth, without those that have spoiled.

    A lot without date of a good that spoils came in the day before day 1. Raises `FactError` for more than can be kept.
    """
    shelf_lives = {good.good: good.shelf_life_days for good in network.goods}
    first_day = network.start.isoformat()
    lots: defaultdict[tuple[str, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for stock in network.stocks:
        lot = _lot(stock, shelf_lives.get(stock.good), network.start)
        if not lot or lot >= first_day:
            lots[stock.site, stock.good][lot] += thousandths(_rounded(stock.quantity))
    return {place: held for place, mine in lots.items() if (held := {lot: much for lot, much in mine.items() if much})}


def stock_rows(lots: Lots, network: Network) -> Iterator[Stock]:
    """Yield lots as rows of table stocks, in the order of sites and goods, what expires first before the others."""
    sites = {site.site: place for place, site in enumerate(network.sites)}
    goods = {good.good: place for place, good in enumerate(network.goods)}
    for site, good in sorted(lots, key=lambda place: (sites[place[0]], goods[place[1]])):
        for lot, quantity in sorted(lots[site, good].items(), key=lambda one: (not one[0], one[0])):
            expires = date.fromisoformat(lot) if lot else None
            yield Stock(site=site, good=good, quantity=quantity / 1000, expires=expires)


def _lot(stock: Stock, shelf_life_days: float | None, start: date) -> str:
    if stock.expires is not None:
        return stock.expires.isoformat()
    if start.toordinal() == FIRST_DATE:
        return ""  # There is no day before the first of the calendar.
    return last_use(date.fromordinal(start.toordinal() - 1), shelf_life_days)


def _rounded(quantity: float) -> Decimal:
    exact = Decimal(repr(quantity))
    return exact if quantity >= WHOLE_FROM else exact.quantize(THOUSANDTH, ROUND_HALF_EVEN)
