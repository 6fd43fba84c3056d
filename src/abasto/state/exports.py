"""Exports: how much of a network others see, and which goods never leave it; a table that only a journal has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from abasto.errors import Finding
from abasto.facts.kinds import RowDropped, RowSet
from abasto.network import Id, Row, TableSchema, column
from abasto.state.rows import EXPORTS, IDENTITY, KeptRow, Rows

__all__ = ["ALL", "EXPORTS_SCHEMA", "SHARES", "Exports", "Share", "chosen", "exports_of"]

Share = Literal["whole", "map", "offers", "nothing"]
"""What a network shows of itself: each of its sites, its coarse map, what it has left over, or nothing."""
SHARES: tuple[Share, ...] = get_args(Share)
ALL = "*"


class Export(Row):
    """What others see of this network, in the row of *; a good with a row of its own never leaves the network."""

    good: Id = column("a good, or * for the network as a whole")
    share: Share = column("what others see: each site, a coarse map, what is left over, or nothing; of a good nothing")

    @model_validator(mode="after")
    def _goods_never_leave(self) -> Export:
        if self.good != ALL and self.share != "nothing":
            raise PydanticCustomError(
                "share", "a good has nothing here, or no row; only * says what is shown of the network"
            )
        return self


EXPORTS_SCHEMA = TableSchema(EXPORTS, Export, IDENTITY[EXPORTS])


@dataclass(frozen=True)
class Exports:
    """What a network has chosen: what it shows of itself in joint plans, and the goods that never leave."""

    share: Share = "map"
    forbidden: frozenset[str] = frozenset()


def exports_of(rows: Rows) -> tuple[Exports, tuple[Finding, ...]]:
    """Return what is chosen, and what is wrong with its rows: whatever cannot be read shows nothing, and keeps a good.

    >>> exports_of(Rows())[0]
    Exports(share='map', forbidden=frozenset())
    """
    share: Share = "map"
    forbidden = set()
    findings = []
    for row in rows.table(EXPORTS):
        good = row.cells["good"]
        if good != ALL:
            forbidden.add(good)
            if rows.standing("goods", good) != "stands":
                findings.append(_finding(row, "good", "there is no such good", "drop the row, or set the good"))
        try:
            read = Export.model_validate({name: row.cells[name] for name in Export.model_fields if name in row.cells})
        except ValidationError as error:
            findings.append(
                _finding(row, "share", error.errors()[0]["msg"], "set the row again; until then it counts as nothing")
            )
            share = "nothing" if good == ALL else share
            continue
        share = read.share if good == ALL else share
    return Exports(share, frozenset(forbidden)), tuple(findings)


def chosen(
    rows: Rows, *, share: Share | None = None, forbid: Iterable[str] = (), allow: Iterable[str] = (), day: date
) -> list[RowSet | RowDropped]:
    """Return the facts by which others see so much from a day on, goods never leave, and others may again; none of
    what is so already.
    """
    facts: list[RowSet | RowDropped] = []
    if share is not None and exports_of(rows)[0].share != share:
        facts.append(RowSet(EXPORTS, {"good": ALL, "share": share}, day.isoformat()))
    for good in forbid:
        if rows.get(EXPORTS, good) is None:
            facts.append(RowSet(EXPORTS, {"good": good, "share": "nothing"}, day.isoformat()))
    for good in allow:
        if rows.get(EXPORTS, good) is not None:
            facts.append(RowDropped(EXPORTS, {"good": good}, day.isoformat()))
    return facts


def _finding(row: KeptRow, name: str, wrong: str, remedy: str) -> Finding:
    return Finding(
        EXPORTS, 0, name, row.cells.get(name, ""), wrong, remedy, severity="warning",
        file=f"exports {row.cells['good']}",
    )  # fmt: skip
