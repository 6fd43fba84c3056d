"""One picture with the tables that belong to it, as a page of its own: self-contained, without script, for A4 paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from markupsafe import Markup

from abasto.report.page import environment, hash_of, source

__all__ = ["Sheet", "SheetTable", "render_sheet"]


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A table of words: its title, a note, the heads of its columns, its rows, and how many rows were left out.

    The first cell of a row names it; the last is text rather than a number where `wordy_last` says so.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    left_out: int = 0
    wordy_last: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page: its title, the sentences that lead in, the picture with caption and legend, tables above and below it.

    `words` explains what a reader may not know; `footer` says how it came about.
    """

    title: str
    lead: Sequence[str]
    above: Sequence[SheetTable]
    caption: str
    legend: str
    picture: Markup
    below: Sequence[SheetTable]
    words: Sequence[tuple[str, str]]
    footer: str = ""


def render_sheet(sheet: Sheet) -> str:
    """Return the page as HTML that asks for nothing else and allows itself nothing but its own style."""
    style = source("style.css") + source("sheet.css")
    return (
        environment()
        .get_template("sheet.html.j2")
        .render(
            sheet=sheet,
            version=version("abasto"),
            style=Markup(style),
            policy=f"default-src 'none'; style-src {hash_of(style)}; base-uri 'none'; form-action 'none'",
        )
    )
