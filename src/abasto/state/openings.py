"""Opening hours: when vehicles may load and unload at a site; a table that only a journal has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from abasto.errors import Finding
from abasto.network import Id, Row, TableSchema, column
from abasto.state.rows import IDENTITY, OPENINGS, Rows

__all__ = ["MINUTES_A_DAY", "OPENINGS_SCHEMA", "Opening", "openings_of"]

MINUTES_A_DAY = 24 * 60
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


def _is_clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise PydanticCustomError("clock", "this is no time of day from 00:00 to 24:00, such as 08:00")
    return text


Clock = Annotated[str, AfterValidator(_is_clock)]
"""A time of day as four digits and a colon, 24:00 for the end of the day."""


class Opening(Row):
    """Vehicles load and unload at a site between these times; a site without a row is always open."""

    site: Id = column("which site", refers="sites")
    opens: Clock = column("when it opens, such as 08:00", default="00:00")
    closes: Clock = column("when it closes, such as 14:30; as when it opens: closed all day", default="24:00")

    @model_validator(mode="after")
    def _closes_later(self) -> Opening:
        if self.closes < self.opens:
            raise PydanticCustomError("hours", "it closes before it opens; hours do not go over midnight")
        return self

    @property
    def first_minute(self) -> int:
        """When it opens, in minutes after midnight."""
        return _minutes(self.opens)

    @property
    def last_minute(self) -> int:
        """When it closes, in minutes after midnight."""
        return _minutes(self.closes)

    @property
    def is_closed(self) -> bool:
        """Whether it is closed all day."""
        return self.opens == self.closes


OPENINGS_SCHEMA = TableSchema(OPENINGS, Opening, IDENTITY[OPENINGS])


def openings_of(rows: Rows) -> tuple[Mapping[str, Opening], tuple[Finding, ...]]:
    """Return the opening hours of each site that has some, and what is wrong with the other rows.

    >>> from abasto.facts.kinds import RowSet
    >>> rows = Rows()
    >>> rows.set(RowSet("openings", {"site": "School", "opens": "08:00", "closes": "14:30"}, "2026-11-22"), "id")
    ''
    >>> openings_of(rows)[0]["School"].last_minute
    870
    """
    openings: dict[str, Opening] = {}
    findings = []
    for row in rows.table(OPENINGS):
        known = {name: row.cells[name] for name in Opening.model_fields if name in row.cells}
        try:
            openings[row.cells["site"]] = Opening.model_validate(known)
        except ValidationError as error:
            problem = error.errors()[0]
            name = str(problem["loc"][0]) if problem["loc"] else ""
            findings.append(
                Finding(
                    OPENINGS, 0, name, known.get(name, ""), problem["msg"], "set the hours again; until then it counts "
                    "as always open", severity="warning", file=f"openings {row.cells['site']}",
                )
            )  # fmt: skip
    return openings, tuple(findings)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return 60 * int(hours) + int(minutes)
