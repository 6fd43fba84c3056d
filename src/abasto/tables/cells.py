"""From a cell to a value; whatever could be read in two ways, or not at all, is a doubt and never a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from abasto.network import Column
from abasto.tables.kinds import Form, Kind
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, ERROR_TEXTS, Cell, ErrorCell, shown

__all__ = ["BLANK", "Doubt", "Value", "cell_reader", "is_serial_date"]

Value = str | float | int | bool | date


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a cell has no value, and what to write instead."""

    message: str
    remedy: str
    closest: str = ""


class _Blank:
    """The type of `BLANK`: a cell with nothing in it."""


BLANK = _Blank()

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{1,2}:\d{2}.*", re.ASCII)
_PARTED_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})", re.ASCII)
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SERIAL_ORIGIN = date(1899, 12, 30)
_MOST_DIGITS = 1e15
"""Spreadsheets keep 15 digits of a number; what lies beyond is lost before we see it."""

_NOT_NEGATIVE = {
    "stocks": ("a stock cannot be negative", "count again or leave the row out"),
    "needs": ("a need cannot be negative", "write 0 or more, or leave the row out"),
    "supplies": ("a supply cannot be negative", "write 0 or more, or leave the row out"),
    "nutrients": ("a content cannot be negative", "write 0 or more, or leave the row out"),
}


def cell_reader(
    table: str, column: Column, kind: Kind, *, start: date | None
) -> Callable[[Cell], Value | Doubt | _Blank]:
    """Return the function that reads the cells of one column; `start` is the date of day 1, None if it is not known."""

    def number(cell: Cell) -> Value | Doubt:
        value = _number(cell)
        return value if isinstance(value, Doubt) else _within(value, table, column, kind)

    parsers: dict[Form, Callable[[Cell], Value | Doubt | _Blank]] = {
        "id": _text,
        "text": _text,
        "choice": lambda cell: _choice(cell, kind.choices),
        "yes_no": _yes_no,
        "date": _date,
        "day": lambda cell: _day(cell, start),
    }
    parse = parsers.get(kind.form, number)

    def read(cell: Cell) -> Value | Doubt | _Blank:
        if isinstance(cell, str):
            cell = cell.strip(BLANKS)
            if cell == "":
                return BLANK
        if isinstance(cell, ErrorCell) or (isinstance(cell, str) and cell in ERROR_TEXTS):
            return Doubt("the spreadsheet could not compute this cell", "correct its formula or write the value itself")
        return parse(cell)

    return read


def is_serial_date(number: float) -> bool:
    """Whether a number is what a spreadsheet shows for a date of the years 1954 to 2119 whose format was lost."""
    return 20_000 <= number <= 80_000 and number == int(number)


def _text(cell: Cell) -> str | Doubt:
    if isinstance(cell, str):
        return cell
    retype = "format the cell as text and type it again"
    if isinstance(cell, bool):
        return Doubt("the spreadsheet holds a truth value here, not text", retype)
    if isinstance(cell, (int, float)):
        if abs(cell) >= _MOST_DIGITS:
            return Doubt("the spreadsheet keeps only 15 digits of a number", retype)
        return shown(float(cell))
    return Doubt("the spreadsheet has turned this text into a date or time", retype)


def _choice(cell: Cell, choices: tuple[str, ...]) -> str | Doubt:
    if isinstance(cell, str) and cell in choices:
        return cell
    listed = ", ".join(choices[:-1]) + " or " + choices[-1]
    return Doubt("this is not one of the choices", f"write {listed}", closest(shown(cell), choices))


def _yes_no(cell: Cell) -> bool | Doubt:
    answer = _YES_NO.get(shown(cell).lower())
    return Doubt("this is neither yes nor no", "write yes or no") if answer is None else answer


def _number(cell: Cell) -> float | Doubt:
    if isinstance(cell, str):
        if not _NUMBER.fullmatch(cell):
            return _no_number(cell)
        value = float(cell)
    elif isinstance(cell, bool):
        return Doubt("the spreadsheet holds a truth value here, not a number", "write the number")
    elif isinstance(cell, (int, float)):
        value = float(cell)
    else:
        return Doubt(
            "the spreadsheet has turned this number into a date or time",
            "format the cell as a number and type it again, with a point for decimals",
        )
    if not math.isfinite(value):
        return Doubt("this number is not finite", "write it in figures, or leave the cell blank if the column allows")
    return value


def _no_number(text: str) -> Doubt:
    """Say why a text is not a number, and how it would be written, without deciding what is in doubt."""
    bare = text.lower().lstrip("+-")
    if bare in ("inf", "infinity", "nan", "∞"):
        return Doubt("this number is not finite", "write it in figures, or leave the cell blank if the column allows")
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        whole, point = text.replace(",", ""), text.replace(",", ".")
        return Doubt("the comma is in doubt: thousands or decimals", f"write {whole} or {point}")
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        return Doubt("decimals take a point, not a comma", f"write {text.replace(',', '.')}")
    if re.fullmatch(r"[+-]?\d{1,3}([ .,'’\u00a0\u202f])\d{3}(\1\d{3})*([.,]\d+)?", text):
        return Doubt("thousands take no separator", f"write {_without_thousands(text)}")
    if re.fullmatch(r"[+-]?\d+(\.\d+)? ?%", text):
        return Doubt("a percentage is not a number here", f"write {float(text.rstrip('% ')) / 100:.12g}")
    if text[0] in "−–" and _NUMBER.fullmatch(text[1:]):
        return Doubt("the minus sign is a dash", f"write -{text[1:]}")
    if re.fullmatch(r"[+-]?\d[\dOo]*(\.[\dOo]+)?", text):
        return Doubt("the letter O stands among the digits", f"write {text.replace('O', '0').replace('o', '0')}")
    number = re.match(r"[+-]?\d+(\.\d+)?(?=\s*[^\W\d_])", text)
    if number:
        return Doubt("there is more here than a number", f"write {number.group()} alone, in the unit of the column")
    return Doubt("this is not a number", "write a number, with a point for decimals")


def _without_thousands(text: str) -> str:
    """Return the text with its thousands separators taken out and a decimal comma, after other separators, as a point.

    >>> _without_thousands("1.200.000,5"), _without_thousands("1 200")
    ('1200000.5', '1200')
    """
    separators = re.findall(r"[^\d+-]", text)
    decimals = ""
    if len(set(separators)) > 1:
        text, decimals = text.rsplit(separators[-1], 1)
        decimals = "." + decimals
    return re.sub(r"[^\d+-]", "", text) + decimals


def _within(value: float, table: str, column: Column, kind: Kind) -> float | int | Doubt:
    """Return the number if it keeps the column's bounds, as an int where the column holds whole numbers."""
    if kind.form == "whole" and not value.is_integer():
        return Doubt(f"{column.name} takes whole numbers only", f"write {math.floor(value)} or {math.ceil(value)}")
    if value < 0 and (kind.least == 0 or kind.above == 0):
        default = (
            f"{column.name} cannot be negative",
            "write 0 or more" if kind.above is None else "write more than 0",
        )
        return Doubt(*(_NOT_NEGATIVE.get(table, default) if column.name == "quantity" else default))
    if kind.above is not None and value <= kind.above:
        return Doubt(f"{column.name} must be more than {kind.above:g}", f"write more than {kind.above:g}")
    if kind.least is not None and value < kind.least:
        return Doubt(f"{column.name} is at least {kind.least:g}", f"write {kind.least:g} or more")
    if kind.most is not None and value > kind.most:
        return Doubt(f"{column.name} is at most {kind.most:g}", f"write {kind.most:g} or less")
    return int(value) if kind.form == "whole" else value


def _date(cell: Cell) -> date | Doubt:
    if isinstance(cell, datetime):
        if cell.time() != time():
            return Doubt("a date takes no time of day", f"write {cell.date()}")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        if not _ISO_DATE.fullmatch(cell):
            return _no_date(cell)
        try:
            return date.fromisoformat(cell)
        except ValueError:
            return Doubt("the calendar has no such date", "write a date that exists, as 2026-11-22")
    if isinstance(cell, (bool, time, timedelta, ErrorCell)):
        return Doubt("this is not a date", "write it as year-month-day, such as 2026-11-22")
    return _no_date(shown(cell))


def _no_date(text: str) -> Doubt:
    """Say why a text is not a date, and show every date it could be."""
    if re.fullmatch(r"\d{5}(\.0+)?", text, re.ASCII) and is_serial_date(float(text)):
        meant = _SERIAL_ORIGIN + timedelta(days=int(float(text)))
        return Doubt(
            f"this is a spreadsheet's serial number; it would be {meant}", f"write {meant} if that is the date"
        )
    with_time = _ISO_DATE_TIME.fullmatch(text)
    if with_time:
        return Doubt("a date takes no time of day", f"write {with_time.group(1)}")
    readings = _readings(text)
    if len(readings) > 1:
        return Doubt("day and month are in doubt", f"write {readings[0]} (day first) or {readings[1]} (month first)")
    if readings:
        return Doubt("dates are written year-month-day", f"write {readings[0]} if that is the date")
    return Doubt("this is not a date", "write it as year-month-day, such as 2026-11-22")


def _readings(text: str) -> list[date]:
    """Return the dates a text of three numbers could mean, the day-first reading before the month-first one."""
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    parted = _PARTED_DATE.fullmatch(text)
    if not parted:
        return []
    first, second, third = parted.group(1), parted.group(3), parted.group(4)
    if len(first) > 2:
        orders = [(first, second, third)]
    else:
        year = f"20{third}" if len(third) == 2 else third
        orders = [(year, second, first), (year, first, second)]
    found: list[date] = []
    for year, month, day in orders:
        try:
            reading = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if reading not in found:
            found.append(reading)
    return found


def _day(cell: Cell, start: date | None) -> int | Doubt | _Blank:
    """Return a day number; a date is counted from `start`, and stays blank while that is not known."""
    if isinstance(cell, date) or (isinstance(cell, str) and not _NUMBER.fullmatch(cell)):
        when = _date(cell)
        if isinstance(when, Doubt):
            return when if not isinstance(cell, str) or any(sign in cell for sign in "-/.") else _no_day()
        return BLANK if start is None else (when - start).days + 1
    value = _number(cell)
    if isinstance(value, Doubt):
        return _no_day()
    if is_serial_date(value):
        return _no_date(shown(value))
    if not value.is_integer():
        return Doubt("a day is a whole number", f"write {math.floor(value)} or {math.ceil(value)}, or a date")
    return int(value)


def _no_day() -> Doubt:
    return Doubt(
        "this is neither a day number nor a date", "write a day number (1 is the first) or a date as 2026-11-22"
    )
