"""The cells that have to be mended in what was brought: rows that findings or doubts are about, to be typed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from abasto.errors import Finding
from abasto.inbox.exports import Sheet, questions, rows_above
from abasto.inbox.opened import Opened
from abasto.tables.raw import RawTable, shown

__all__ = ["MendCell", "MendRow", "Mending", "mendings"]

MOST_ROWS = 60
MOST_COLUMNS = 60

Part = Sheet | RawTable


@dataclass(frozen=True)
class MendCell:
    """A cell to be typed over; `wrong` is what is wrong with it, `closest` what may be meant."""

    place: int
    text: str
    wrong: str = ""
    closest: str = ""


@dataclass(frozen=True)
class MendRow:
    """A row by its line; `wrong` is what is wrong with the row and no single cell."""

    line: int
    cells: tuple[MendCell, ...]
    wrong: str = ""
    is_header: bool = False


@dataclass(frozen=True)
class Mending:
    """The rows of a table or sheet to be mended; `part` is its place in what was opened, `more` are not shown yet."""

    part: int
    file: str
    header: tuple[str, ...]
    rows: tuple[MendRow, ...]
    more: int = 0


def mendings(opened: Opened, findings: Sequence[Finding], *, doubtful: Collection[str] = ()) -> tuple[Mending, ...]:
    """Return the rows that errors are about, and those at the places that are doubtful, table by table."""
    wrong: defaultdict[tuple[int, int, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        for cell in _places(opened, finding):
            wrong[cell].append(finding)
    found = []
    for number, part in enumerate(opened.parts):
        lines = {line for at, line, _ in wrong if at == number}
        lines.update(line for line, _ in part.rows if f"{part.file} row {line}" in doubtful)
        if lines:
            found.append(_mending(number, part, lines, wrong))
    return tuple(found)


def _places(opened: Opened, finding: Finding) -> Iterator[tuple[int, int, int]]:
    """Yield the cells that an error is about, by table, line and column (-1: the row); none where it is about a file.

    What a row of an export has from the submission that it belongs to is mended there.
    """
    if finding.severity != "error" or not finding.row:
        return
    for number, part in enumerate(opened.parts):
        if part.file != finding.file:
            continue
        if finding.row == part.header_line:
            header = [shown(cell) for cell in part.header]
            yield number, finding.row, header.index(finding.value) if finding.value in header else -1
            return
        place = _column(part, finding.column)
        if place is None and isinstance(part, Sheet):
            row = next((cells for line, cells in part.rows if line == finding.row), ())
            for above, line in rows_above(opened.sheets, part, row):
                at = _column(above, finding.column)
                if at is not None:
                    yield opened.sheets.index(above), line, at
        yield number, finding.row, -1 if place is None else place
        return


def _column(part: Part, name: str) -> int | None:
    header = [shown(cell).strip() for cell in part.header]
    if name in header:
        return header.index(name)
    if isinstance(part, Sheet):
        return next((place for place, one in questions(part.header).items() if one == name), None)
    return None


def _mending(
    number: int, part: Part, lines: set[int], wrong: defaultdict[tuple[int, int, int], list[Finding]]
) -> Mending:
    header = [shown(cell) for cell in part.header][:MOST_COLUMNS]
    all_rows = [(part.header_line, part.header), *part.rows] if part.header_line in lines else part.rows
    chosen = list(islice(((line, cells) for line, cells in all_rows if line in lines), MOST_ROWS))
    rows = []
    for line, cells in chosen:
        texts = [shown(cell) for cell in cells][:MOST_COLUMNS]
        texts += [""] * (len(header) - len(texts))
        mine = [
            MendCell(
                place,
                text,
                "; ".join(f"{one.message}; {one.remedy}" for one in wrong.get((number, line, place), ())),
                next((one.closest for one in wrong.get((number, line, place), ()) if one.closest), ""),
            )
            for place, text in enumerate(texts)
        ]
        said = "; ".join(f"{one.message}; {one.remedy}" for one in wrong.get((number, line, -1), ()))
        rows.append(MendRow(line, tuple(mine), said, is_header=line == part.header_line))
    return Mending(number, part.file, tuple(header), tuple(rows), len(lines) - len(chosen))
