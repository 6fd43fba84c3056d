"""Render the reference of the format as Markdown: every input table and every table of a plan, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from abasto.network import TABLES, Column
from abasto.tables.kinds import Kind, kind_of

__all__ = ["format_reference"]


class _PlanColumn(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def unit(self) -> str: ...


class _PlanTable(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def columns(self) -> Sequence[_PlanColumn]: ...


def format_reference(plan_tables: Iterable[_PlanTable] = ()) -> str:
    """Return the reference; the tables of a plan are passed in, as the planner stands above this room."""
    lines = ["## What you write", ""]
    for schema in TABLES:
        lines += [f"### {schema.name}", "", schema.help, ""]
        if schema.key:
            lines += [f"One row per {' and '.join(f'`{name}`' for name in schema.key)}.", ""]
        lines += ["| column | meaning | unit | holds | blank |", "| --- | --- | --- | --- | --- |"]
        for column in schema.columns:
            name = f"**{column.name}**" if column.required else column.name
            holds = _holds(column, kind_of(schema.row, column.attribute))
            blank = "required" if column.required else column.default_text
            lines.append(_row(name, column.help, column.unit, holds, blank))
        lines.append("")
    plan_lines = ["## What a plan writes", ""]
    for table in (present := list(plan_tables)):
        plan_lines += [f"### {table.name}", "", table.help, "", "| column | meaning | unit | holds |"]
        plan_lines.append("| --- | --- | --- | --- |")
        plan_lines += [_row(column.name, column.help, column.unit, column.kind) for column in table.columns]
        plan_lines.append("")
    return "\n".join(lines + plan_lines if present else lines).rstrip() + "\n"


def _holds(column: Column, kind: Kind) -> str:
    """Return in words what a column may hold."""
    if column.refers:
        return f"id from `{column.refers}`"
    if kind.form == "choice":
        return " or ".join(f"`{choice}`" for choice in kind.choices)
    words = {
        "id": "id",
        "text": "text",
        "number": "number",
        "whole": "whole number",
        "day": "day number or date",
        "date": "date",
        "yes_no": "yes or no",
    }[kind.form]
    if kind.least is not None and kind.most is not None:
        return f"{words}, {kind.least:g} to {kind.most:g}"
    if kind.above is not None:
        return f"{words} above {kind.above:g}"
    return f"{words}, {kind.least:g} or more" if kind.least is not None else words


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
