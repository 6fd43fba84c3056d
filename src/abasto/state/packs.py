"""Packs: how much of a good one sack, box or can holds; a table that only a journal has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from abasto.errors import FactError, Finding
from abasto.facts.amounts import thousandths
from abasto.network import Id, Positive, Row, TableSchema, column
from abasto.state.rows import IDENTITY, PACKS, Rows

__all__ = ["PACKS_SCHEMA", "Pack", "packs_of"]


class Pack(Row):
    """So much of a good is in one pack of it."""

    good: Id = column("what is packed", refers="goods")
    pack: Id = column("what people call the pack: sack, box, can")
    quantity: Positive = column("how much one pack holds", unit="the good's unit")


PACKS_SCHEMA = TableSchema(PACKS, Pack, IDENTITY[PACKS])


def packs_of(rows: Rows) -> tuple[Mapping[str, Mapping[str, int]], tuple[Finding, ...]]:
    """Return for each good its packs and how many thousandths one holds, and what is wrong with the others.

    >>> from abasto.facts.kinds import RowSet
    >>> rows = Rows()
    >>> rows.set(RowSet("packs", {"good": "flour", "pack": "saco", "quantity": "50"}, "2026-11-22"), "id")
    ''
    >>> packs_of(rows)[0]["flour"]
    {'saco': 50000}
    """
    packs: defaultdict[str, dict[str, int]] = defaultdict(dict)
    findings = []
    for row in rows.table(PACKS):
        good, pack, cell = row.cells["good"], row.cells["pack"], row.cells.get("quantity", "")
        try:
            quantity = thousandths(cell)
        except FactError as error:
            wrong = str(error).rstrip(".")
        else:
            wrong = "" if quantity > 0 else "a pack holds more than nothing"
        if wrong:
            remedy = "set the pack again"
            findings.append(Finding(PACKS, 0, "quantity", cell, wrong, remedy, file=f"packs {good} / {pack}"))
        else:
            packs[good][pack] = quantity
    return dict(packs), tuple(findings)
