"""Plans written by hand: rows in, `Plan` out, so that the checker can be tested without any solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from abasto.network import Network
from abasto.planner.plan import PLAN_TABLES, Plan, Table

Cell = str | float | int | date | None


def table(name: str, rows: Sequence[Sequence[Cell]]) -> Table:
    """Return one of the plan's tables from rows in the format's column order."""
    schema = next(schema for schema in PLAN_TABLES if schema.name == name)
    types = {"text": object, "day": np.int64, "date": "datetime64[D]", "number": np.float64}
    columns = {}
    for position, column in enumerate(schema.columns):
        cells = [row[position] for row in rows]
        if column.kind == "date":
            cells = [np.datetime64("NaT") if cell is None else np.datetime64(cell) for cell in cells]
        columns[column.name] = np.array(cells, dtype=types[column.kind])
    return Table(columns)


def hand_plan(
    network: Network, summary: Mapping[str, Cell], *, bound: float, full_value: float, fairness: float, **rows: Any
) -> Plan:
    """Return a plan with these rows in its tables; the tables that are not given are empty."""
    tables = {schema.name: table(schema.name, rows.get(schema.name, ())) for schema in PLAN_TABLES}
    return Plan(
        network=network,
        scenario=None,
        fairness=fairness,
        solver=str(summary["solver"]),
        status="planned",
        objective=float(summary["objective"]),  # type: ignore[arg-type]
        bound=bound,
        full_value=full_value,
        seconds=float(summary["seconds"]),  # type: ignore[arg-type]
        summary=Table({name: np.array([value]) for name, value in summary.items()}),
        **tables,
    )


def numbers_of(plan: Plan) -> list[tuple[str, str, int]]:
    """Return (table, column, row) of every number and day in a plan's tables."""
    places = []
    for name in [*(schema.name for schema in PLAN_TABLES), "summary"]:
        for column, values in plan.table(name).items():
            if values.dtype.kind in "iuf":
                places += [(name, column, row) for row in range(len(values))]
    return places


def changed(plan: Plan, name: str, column: str, row: int, value: Cell) -> Plan:
    """Return the plan with one cell of a table changed."""
    old = plan.table(name)
    columns = {key: np.array(values) for key, values in old.items()}
    if columns[column].dtype.kind in "iu" and isinstance(value, float):
        columns[column] = columns[column].astype(float)
    columns[column][row] = value
    return replace(plan, **{name: Table(columns)})


def without_row(plan: Plan, name: str, row: int) -> Plan:
    """Return the plan without one row of a table."""
    old = plan.table(name)
    return replace(plan, **{name: old.where(np.arange(old.n_rows) != row)})
