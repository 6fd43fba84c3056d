"""How values are written in CSV: canonical, so that equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from abasto.tables.cells import Value

__all__ = ["csv_bytes", "csv_cell", "number_text", "value_text"]

_QUOTED = ('"', ",", "\n", "\r")


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number, whole numbers without a point.

    >>> number_text(3.0), number_text(0.1), number_text(1e300)
    ('3', '0.1', '1e+300')
    """
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def value_text(value: Value | None) -> str:
    """Return a value as the format writes it; nothing is blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number_text(value)
    return value.isoformat() if isinstance(value, date) else value


def csv_cell(text: str) -> str:
    """Return a text as a CSV cell, in quotes where it needs them.

    The standard writer leaves a lone carriage return bare, which the standard reader then takes for a line end.
    """
    if any(sign in text for sign in _QUOTED):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_bytes(header: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Return a CSV file: UTF-8 without byte order mark, one line feed per row."""
    lines = [",".join(map(csv_cell, header)), *(",".join(map(csv_cell, row)) for row in rows), ""]
    return "\n".join(lines).encode("utf-8")
