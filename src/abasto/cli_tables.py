"""Commands on tables: check, template, convert, and what the format's tables are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, unknown_name
from abasto.errors import Finding
from abasto.network import TABLES, Network

__all__ = ["check", "convert", "finding_lines", "read_words", "refuse_to_overwrite", "tables", "template"]

GROUP_FROM = 11
"""From this many alike findings in a column on, the first few stand for all."""
GROUP_SHOWN = 3


def check(
    path: Path,
    /,
    *,
    all: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Show every problem in the tables at PATH, worst first; writes nothing.

    Exits with 1 if something must be mended before planning, with 0 if all is well or there are only warnings.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    all
        Show every finding, also where the same mistake repeats.
    json
        Print one JSON object {network, errors, warnings, findings} instead of text.

    """
    from abasto.tables import check_path

    network, findings = check_path(existing(path))
    errors = sum(finding.severity == "error" for finding in findings)
    if json:
        print(_findings_document(network, findings))
    else:
        for line in finding_lines(findings, everything=all):
            print(printable(line))
        print(_closing_line(network, errors, len(findings) - errors))
    return EXIT_INPUT if errors else EXIT_OK


def finding_lines(findings: Sequence[Finding], *, everything: bool = False, shown_by: str = "--all") -> Iterator[str]:
    """Yield the findings as lines, in their order; one mistake that fills a column is shown three times and counted.

    `shown_by` is what to type to see the rest.
    """
    for group in _alike(findings):
        shown = group if everything or len(group) < GROUP_FROM else group[:GROUP_SHOWN]
        for finding in shown:
            yield f"{finding.severity}: {finding}"
        if len(shown) < len(group):
            yield f"  … and {len(group) - len(shown):,} more like it ({shown_by} shows them)"


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Return the findings in groups of one mistake in one column; groups stand where their first finding stood."""
    groups: dict[tuple[str, str, str, str, str], list[Finding]] = {}
    for finding in findings:
        kind = (finding.severity, finding.file, finding.table, finding.column, _without_values(finding))
        groups.setdefault(kind, []).append(finding)
    return list(groups.values())


def _without_values(finding: Finding) -> str:
    """Return a finding's message without what differs from row to row: its value, numbers and quoted words."""
    words = finding.message.replace(finding.value, "…") if finding.value else finding.message
    unquoted = "".join(part for index, part in enumerate(words.split('"')) if index % 2 == 0)
    return "".join("0" if is_number else "".join(part) for is_number, part in groupby(unquoted, str.isdigit))


def _closing_line(network: Network | None, errors: int, warnings: int) -> str:
    counts = f"{_count(errors, 'error', 'errors')}, {_count(warnings, 'warning', 'warnings')}"
    if errors:
        return f"{counts}; mend the errors before planning."
    if network is None:
        return f"{counts}; nothing was read."
    said = f"{read_words(network)} — ready to plan"
    return f"{said}." if not warnings else f"{said} ({_count(warnings, 'warning', 'warnings')})."


def read_words(network: Network) -> str:
    """Return what a network holds, in one line."""
    counted = [
        (len(network.sites), "site", "sites"),
        (len(network.goods), "good", "goods"),
        (len(network.lanes), "lane", "lanes"),
        (len(network.fleets), "fleet", "fleets"),
        (len(network.plants), "plant", "plants"),
        (len(network.scenarios), "scenario", "scenarios"),
    ]
    parts = [_count(*entry) for entry in counted if entry[0]]
    held = ", ".join(parts)
    return f"{printable(network.name)}: {held}, {network.people:,.0f} people, {network.days} days from {network.start}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _findings_document(network: Network | None, findings: Sequence[Finding]) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    document = {
        "network": None if network is None else network.name,
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def template(file: Path, /, *, force: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Write an empty workbook with every table and a line of help per column.

    Parameters
    ----------
    file
        The workbook to write; its name ends in .xlsx.
    force
        Replace the file if it exists.

    """
    from abasto.tables import write_template

    if file.suffix.lower() != ".xlsx":
        raise UsageError(f'"{file}": a template is a workbook; give it a name that ends in .xlsx.')
    refuse_to_overwrite(file, force=force)
    write_template(file)
    print(f"Wrote {file}: {len(TABLES)} tables to fill in. When done: abasto check {file}")
    return EXIT_OK


def convert(source: Path, target: Path, /, *, force: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Rewrite tables: a folder of CSV files as a workbook, or the reverse.

    Parameters
    ----------
    source
        A folder of CSV files or one workbook.
    target
        A name that ends in .xlsx for a workbook, any other for a folder.
    force
        Replace the target if it exists.

    """
    from abasto.tables import read_network, write_network

    network = read_network(existing(source))
    if target.exists() and target.resolve() == source.resolve():
        raise UsageError(f'"{target}": source and target are the same; give the target another name.')
    refuse_to_overwrite(target, force=force)
    write_network(network, target)
    print(f"Wrote {target}. {read_words(network)}.")
    return EXIT_OK


def refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """Refuse to write where something is already, unless it may be replaced."""
    occupied = any(path.iterdir()) if path.is_dir() else path.exists()
    if occupied and not force:
        what = "this folder is not empty" if path.is_dir() else "this file exists"
        raise UsageError(f'"{path}": {what}; choose another name, or replace it with --force.')


def tables(table: str | None = None, /) -> int:
    """List the tables of the format, or explain the columns of one.

    Parameters
    ----------
    table
        The table to explain, say `sites`; without it, all are listed.

    """
    schemas = {schema.name: schema for schema in TABLES}
    if table is None:
        for schema in TABLES:
            print(f"{schema.name:14}{schema.help}")
        return EXIT_OK
    if table not in schemas:
        raise UsageError(unknown_name("table", table, tuple(schemas)))
    print(schemas[table].help)
    for column in schemas[table].columns:
        unit = f" [{column.unit}]" if column.unit else ""
        blank = "required" if column.required else f"blank: {column.default_text or 'empty'}"
        print(f"  {column.name:18}{column.help}{unit} ({blank})")
    return EXIT_OK
