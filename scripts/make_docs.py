"""Renew the generated parts of the documentation: the tables of the format, from the schema that the code runs on.

usage: uv run scripts/make_docs.py            write them
       uv run scripts/make_docs.py --check    write nothing; exit 1 if they are out of date
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from abasto.network import TABLES, Column
from abasto.planner.plan import PLAN_TABLES, PlanColumn

FORMAT_PAGE = Path(__file__).resolve().parent.parent / "docs" / "format.md"


def network_tables() -> str:
    """Return a section per table of a network, a row per column; required columns are bold."""
    return "\n\n".join(
        f"### {table.name}\n\n{table.help}{_key(table.key)}\n\n"
        + _markdown(("column", "means", "unit", "blank"), [_network_row(column) for column in table.columns])
        for table in TABLES
    )


def plan_tables() -> str:
    """Return a section per table of a plan, a row per column."""
    return "\n\n".join(
        f"### {table.name}\n\n{table.help}\n\n"
        + _markdown(("column", "means", "unit"), [_plan_row(column) for column in table.columns])
        for table in PLAN_TABLES
    )


def _key(columns: Sequence[str]) -> str:
    names = " and ".join(f"`{name}`" for name in columns)
    return f" No two rows have the same {names}." if columns else ""


def _network_row(column: Column) -> tuple[str, ...]:
    name = f"**`{column.name}`**" if column.required else f"`{column.name}`"
    refers = f" (an id in [{column.refers}](#{column.refers}))" if column.refers else ""
    return name, column.help + refers, column.unit, "**required**" if column.required else column.default_text


def _plan_row(column: PlanColumn) -> tuple[str, ...]:
    return f"`{column.name}`", column.help, column.unit


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(cell.replace('|', '∣') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def replaced(page: str, name: str, content: str) -> str:
    """Return the page with everything between the markers of `name` replaced.

    >>> print(replaced("a <!-- x:begin -->old<!-- x:end --> b", "x", "new").replace(chr(10), "¶"))
    a <!-- x:begin -->¶¶new¶¶<!-- x:end --> b
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"the page needs {begin} and {end} once each; put them back where the part belongs")
    before, rest = page.split(begin)
    return f"{before}{begin}\n\n{content}\n\n{end}{rest.split(end)[1]}"


def format_page(page: str) -> str:
    """Return docs/format.md with its generated parts renewed."""
    return replaced(replaced(page, "tables", network_tables()), "plan", plan_tables())


def main() -> int:
    """Write the page, or with `--check` compare it."""
    before = FORMAT_PAGE.read_text(encoding="utf-8")
    after = format_page(before)
    if "--check" in sys.argv[1:]:
        if before != after:
            print("docs/format.md is out of date; renew it with: uv run scripts/make_docs.py")
        return int(before != after)
    FORMAT_PAGE.write_text(after, encoding="utf-8")
    print(f"docs/format.md: {len(TABLES)} tables in, {len(PLAN_TABLES)} out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
