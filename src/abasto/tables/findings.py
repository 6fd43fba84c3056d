"""Collect findings about the rows of a network, each with the line and file it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from abasto.errors import Finding
from abasto.network import TABLES

__all__ = ["Findings", "Origin", "worst_first"]

_ORDER = {schema.name: place for place, schema in enumerate(TABLES)}


@dataclass(frozen=True)
class Origin:
    """Where the rows of a network came from, and what is missing from it because it could not be read.

    Without `lines` a row's number is its index + 2, as if it stood in a file. `ids` holds ids that a broken row
    declared: what refers to them is not to blame. `partial` names tables with broken rows, `unreadable` tables of
    which nothing could be read.
    """

    lines: Mapping[str, Sequence[int]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()

    def line(self, table: str, index: int) -> int:
        """Return the line of a table's row, given its index in the network."""
        lines = self.lines.get(table)
        return index + 2 if lines is None else lines[index]

    def complete(self, *tables: str) -> bool:
        """Whether every row of these tables could be read, so that what is not there is truly missing."""
        return not (self.partial | self.unreadable).intersection(tables)


class Findings:
    """The findings of one check, in the order in which they were added."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.found: list[Finding] = []

    def add(
        self,
        table: str,
        index: int | None,
        column: str,
        value: object,
        *,
        message: str,
        remedy: str,
        closest: str = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a finding about the row at `index` of `table` (None: about the table)."""
        line = 0 if index is None else self.origin.line(table, index)
        text = f"{value:.12g}" if isinstance(value, float) else str(value)
        file = self.origin.files.get(table, "")
        self.found.append(Finding(table, line, column, text, message, remedy, closest, severity, file))

    def warn(self, table: str, index: int | None, column: str, value: object, *, message: str, remedy: str) -> None:
        """Add a warning: the tables can be planned, but probably not as meant."""
        self.add(table, index, column, value, message=message, remedy=remedy, severity="warning")


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return errors before warnings, each in the order of the format's tables and their rows."""
    return sorted(findings, key=lambda one: (one.severity == "warning", _ORDER.get(one.table, -1), one.row))
