"""Write the form (XLSForm) with which KoboToolbox and ODK collect this network's reports."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from abasto.inbox.choices import choice_names
from abasto.inbox.names import Names
from abasto.tables.workbook import new_workbook

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["form_bytes", "form_sheets"]

Table = list[tuple[str, ...]]

_SURVEY_HEADER = (
    "type", "name", "label::Español (es)", "label::English (en)", "hint::Español (es)", "hint::English (en)",
    "required", "relevant", "constraint", "constraint_message::Español (es)", "constraint_message::English (en)",
    "choice_filter", "default",
)  # fmt: skip

_KINDS = (
    ("count", "Recuento: lo que hay", "Count: what is there"),
    ("received", "Recibido", "Received"),
    ("handed_out", "Entregado a la gente", "Handed out to people"),
    ("made", "Hecho (pan, comidas …)", "Made (bread, meals …)"),
    ("lost", "Perdido", "Lost"),
    ("loaded", "Cargado para una orden", "Loaded for an order"),
)


def form_sheets(names: Names, *, title: str) -> dict[str, Table]:
    """Return the sheets of the form: survey, choices, settings; choices have names that the reader knows again."""
    survey: Table = [_SURVEY_HEADER, *_survey()]
    choices: Table = [("list_name", "name", "label::Español (es)", "label::English (en)", "good"), *_choices(names)]
    version = hashlib.blake2b(repr((survey, choices)).encode(), digest_size=6).hexdigest()
    settings: Table = [
        ("form_title", "form_id", "version", "default_language"),
        (title, "abasto_reports", version, "Español (es)"),
    ]
    return {"survey": survey, "choices": choices, "settings": settings}


def _survey() -> Iterator[tuple[str, ...]]:
    def row(
        type: str,
        name: str,
        label: tuple[str, str] = ("", ""),
        *,
        hint: tuple[str, str] = ("", ""),
        required: str = "",
        relevant: str = "",
        constraint: str = "",
        message: tuple[str, str] = ("", ""),
        choice_filter: str = "",
        default: str = "",
    ) -> tuple[str, ...]:
        return (type, name, *label, *hint, required, relevant, constraint, *message, choice_filter, default)

    yield row("start", "start")
    yield row("end", "end")
    yield row(
        "date", "date", ("Fecha", "Date"), required="yes", default="today()", constraint=". <= today()",
        message=("Todavía no es ese día", "That day is still to come"),
    )  # fmt: skip
    yield row("select_one site", "site", ("Sitio", "Site"), required="yes")
    yield row("select_one kind", "kind", ("Qué pasó", "What happened"), required="yes")
    yield row(
        "text", "order", ("Código de la orden", "Order code"),
        hint=("Como en la hoja: K7Q2-M4XP. En blanco si no es de una orden.",
              "As on the sheet: K7Q2-M4XP. Blank if it is about no order."),
        relevant="${kind} = 'received' or ${kind} = 'loaded'",
    )  # fmt: skip
    yield row("text", "cause", ("Causa", "Cause"), relevant="${kind} = 'lost'")
    yield row("begin_repeat", "items", ("Bien", "Good"))
    yield row("select_one good", "good", ("Bien", "Good"), required="yes")
    yield row(
        "select_one unit", "unit", ("Unidad o envase", "Unit or pack"), required="yes",
        choice_filter="good = ${good}",
    )  # fmt: skip
    yield row(
        "decimal", "quantity", ("Cantidad", "Quantity"), required="yes", constraint=". >= 0",
        message=("No puede ser menos que nada", "It cannot be less than nothing"),
    )  # fmt: skip
    yield row(
        "date", "expires", ("Vence", "Expires"), hint=("En blanco si no se sabe", "Blank if it is not known")
    )  # fmt: skip
    yield row("end_repeat", "items")


def _choices(names: Names) -> Iterator[tuple[str, ...]]:
    sites = choice_names(site.id for site in names.sites)
    for site in names.sites:
        yield ("site", sites[site.id], *_labels(site.name or site.id), "")
    for name, spanish, english in _KINDS:
        yield ("kind", name, spanish, english, "")
    goods = choice_names(good.id for good in names.goods)
    for good in names.goods:
        yield ("good", goods[good.id], *_labels(good.name or good.id), "")
    for good in names.goods:
        units = names.units_of(good.id)
        forms = choice_names(units)
        for unit in units:
            pack = next((one for one in names.packs_of(good.id) if one.name == unit), None)
            label = f"{unit} ({pack.quantity / 1000:g} {good.unit})" if pack else unit
            yield ("unit", f"{goods[good.id]}.{forms[unit]}", *_labels(label), goods[good.id])


def _labels(label: str) -> tuple[str, str]:
    return (label, label)


def form_bytes(names: Names, *, title: str) -> bytes:
    """Return the form as a workbook; equal networks give equal bytes."""
    buffer = io.BytesIO()
    workbook = new_workbook(buffer)
    text = workbook.add_format({"num_format": "@"})
    bold = workbook.add_format({"bold": True})
    for name, table in form_sheets(names, title=title).items():
        sheet = workbook.add_worksheet(name)
        for line, row in enumerate(table):
            _write_row(sheet, line, row, bold if line == 0 else text)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(table[0]) - 1, 22)
    workbook.close()
    return buffer.getvalue()


def _write_row(sheet: Worksheet, line: int, row: Sequence[str], style: Format) -> None:
    for place, cell in enumerate(row):
        if cell:
            sheet.write_string(line, place, cell, style)
