"""Renew the generated part of the documentation: the tables of the format, from the schema that the code runs on.

usage: uv run scripts/make_docs.py            write it
       uv run scripts/make_docs.py --check    write nothing; exit 1 if it is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path

from abasto.network import TABLES
from abasto.planner.plan import PLAN_TABLES
from abasto.tables import format_reference

FORMAT_PAGE = Path(__file__).resolve().parent.parent / "docs" / "format.md"
BEGIN, END = "<!-- tables:begin -->", "<!-- tables:end -->"


def replaced(page: str, content: str) -> str:
    """Return the page with everything between its markers replaced.

    >>> print(replaced("a <!-- tables:begin -->old<!-- tables:end --> b", "new").replace(chr(10), "¶"))
    a <!-- tables:begin -->¶¶new¶¶<!-- tables:end --> b
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise SystemExit(f"the page needs {BEGIN} and {END} once each; put them back around the tables")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{content.strip()}\n\n{END}{rest.split(END)[1]}"


def format_page(page: str) -> str:
    """Return docs/format.md with its generated part renewed."""
    return replaced(page, format_reference(PLAN_TABLES))


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
