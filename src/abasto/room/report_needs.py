"""The need of a good at a site on a day: the row of table needs that a phone may change, and what rations add to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from abasto.facts.kinds import MOST
from abasto.language import Language
from abasto.room.report_quantities import NotTakenError
from abasto.state.rows import KeptRow
from abasto.state.state import State

__all__ = ["NeedRow", "need_row", "needs_on", "rationed", "rows_on"]


@dataclass(frozen=True)
class NeedRow:
    """The row that a report of a need sets: its cells so far (of a new one only what identifies it), and its copy."""

    cells: Mapping[str, str]
    copy: int = 1


def rows_on(state: State, site: str, good: str, day: date) -> tuple[KeptRow, ...]:
    """Return the rows of table needs that hold for a good at a site on a day."""
    place = site, good
    return tuple(row for row in _holding(state, day) if (row.cells.get("site"), row.cells.get("good")) == place)


def needs_on(state: State, day: date) -> dict[tuple[str, str], int]:
    """Return what the rows of table needs come to on a day, by site and good, in thousandths."""
    needs: dict[tuple[str, str], int] = {}
    for row in _holding(state, day):
        place = row.cells.get("site", ""), row.cells.get("good", "")
        needs[place] = needs.get(place, 0) + _quantity(row.cells.get("quantity", ""))
    return needs


def _holding(state: State, day: date) -> Iterator[KeptRow]:
    today = day.isoformat()
    for row in state.rows.table("needs"):
        if row.cells.get("from", "") <= today <= row.cells.get("to", "9999-12-31"):
            yield row


def need_row(state: State, site: str, good: str, day: date, *, words: Language) -> NeedRow:
    """Return the row of a need to be set; a new one, from that day on, where none holds. Several: not taken."""
    rows = rows_on(state, site, good, day)
    if len(rows) > 1:
        raise NotTakenError(words("This need has several rows in the tables. Ask the room to change it."))
    if rows:
        return NeedRow(rows[0].cells, rows[0].copy)
    return NeedRow({"site": site, "good": good, "from": day.isoformat()})


def rationed(state: State, site: str, good: str) -> int:
    """Return what the ration of a good comes to at a site, in thousandths a day."""
    people = _number(state.rows.cell("sites", "people", site))
    return int(_number(state.rows.cell("rations", "quantity", good)) * people * 1000)


def _quantity(cell: str) -> int:
    return int(_number(cell) * 1000)


def _number(cell: str) -> Decimal:
    """Return what a cell says, 0 where it says no number."""
    try:
        number = Decimal(cell)
    except InvalidOperation:
        return Decimal(0)
    return max(Decimal(0), min(number, Decimal(MOST))) if number.is_finite() else Decimal(0)
