"""Escalations: who hears an alarm that stands, and after how long; a table that only a journal has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from abasto.errors import Finding
from abasto.network import Amount, Id, Row, TableSchema, column
from abasto.state.rows import ESCALATIONS, IDENTITY, KeptRow, Rows

__all__ = ["ESCALATIONS_SCHEMA", "GROUPS", "Escalation", "Step", "escalations_of", "steps_for"]


GROUPS = ("allocators", "stewards")
"""Who may hear besides sites and other networks."""
MOST_HOURS = 8760
"""A year: what is heard later is heard by nobody."""


class Escalation(Row):
    """These hear an alarm of a priority once it has stood for so long; without a row, allocators and then stewards."""

    priority: Amount = column("the priority of what is short")
    to: Id = column("who hears it then: allocators, stewards, or another network that has agreed to hear")
    after_hours: Annotated[float, Field(ge=0, le=MOST_HOURS)] = column("how long after the alarm began", unit="hours")


ESCALATIONS_SCHEMA = TableSchema(ESCALATIONS, Escalation, IDENTITY[ESCALATIONS])


@dataclass(frozen=True, slots=True)
class Step:
    """Who hears an alarm once its clock has run for so many hours."""

    to: str
    after_hours: float


_DEFAULTS: tuple[tuple[float, tuple[Step, ...]], ...] = (
    (1.0, (Step("allocators", 24.0), Step("stewards", 48.0))),
    (2.0, (Step("allocators", 72.0), Step("stewards", 144.0))),
    (float("inf"), (Step("allocators", 168.0), Step("stewards", 336.0))),
)
"""Up to each priority, who hears where no row says otherwise; never another network."""


def steps_for(priority: float, steps: Mapping[float, tuple[Step, ...]]) -> tuple[Step, ...]:
    """Return who hears an alarm of a priority and when: as its rows say, else the defaults.

    >>> steps_for(2.0, {1.0: (Step("Vale", 6.0),)})
    (Step(to='allocators', after_hours=72.0), Step(to='stewards', after_hours=144.0))
    """
    if priority in steps:
        return steps[priority]
    return next(default for most, default in _DEFAULTS if priority <= most)


def escalations_of(rows: Rows) -> tuple[Mapping[float, tuple[Step, ...]], tuple[Finding, ...]]:
    """Return the steps of each priority that has rows, the soonest first, and what is wrong with the other rows.

    Where a row cannot be read, the default for the same hearer counts: a slip of the pen must leave nobody unwarned.

    >>> from abasto.facts.kinds import RowSet
    >>> rows = Rows()
    >>> rows.set(RowSet("escalations", {"priority": "1", "to": "Vale", "after_hours": "6"}, "2026-11-22"), "id")
    ''
    >>> escalations_of(rows)[0]
    {1.0: (Step(to='Vale', after_hours=6.0),)}
    """
    hours: dict[float, dict[str, float]] = {}
    findings: list[Finding] = []
    broken: list[tuple[float, str]] = []
    for row in rows.table(ESCALATIONS):
        known = {name: row.cells[name] for name in Escalation.model_fields if name in row.cells}
        try:
            read = Escalation.model_validate(known)
        except ValidationError as error:
            problem = error.errors()[0]
            name = str(problem["loc"][0]) if problem["loc"] else ""
            findings.append(_finding(row, name, problem["msg"], "set the row again; until then it counts as not there"))
            if name == "after_hours":
                broken.append((float(known["priority"]), row.cells["to"]))
            continue
        mine = hours.setdefault(read.priority, {})
        if read.to in mine:
            findings.append(_finding(row, "to", "another row says it of the same", "drop one; the sooner one counts"))
        mine[read.to] = min(read.after_hours, mine.get(read.to, read.after_hours))
    for priority, to in broken:
        if priority in hours:
            for step in steps_for(priority, {}):
                if step.to == to:
                    hours[priority].setdefault(to, step.after_hours)
    steps = {
        priority: tuple(Step(to, after) for to, after in sorted(mine.items(), key=lambda one: (one[1], one[0])))
        for priority, mine in hours.items()
    }
    return steps, tuple(findings)


def _finding(row: KeptRow, name: str, wrong: str, remedy: str) -> Finding:
    cells = row.cells
    return Finding(
        ESCALATIONS, 0, name, cells.get(name, ""), wrong, remedy, severity="warning",
        file=f"escalations {cells['priority']} / {cells['to']}",
    )  # fmt: skip
