"""Tables of reports: one row for each good counted, received, handed out, made, lost or loaded."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date  # noqa: N812 - a report has a column of the same name
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from abasto.errors import AbastoError, Finding
from abasto.facts import codes
from abasto.facts.kinds import (
    MOST,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    Line,
    OrderLoaded,
    OrderReceived,
    StockCounted,
)
from abasto.inbox.batches import goods_made
from abasto.inbox.choices import choice_names
from abasto.inbox.describe import called, describe, quantity_words
from abasto.inbox.names import NameIndex, Names
from abasto.inbox.order_steps import arrived_lines, far_more_doubts, loaded_lines
from abasto.inbox.questions import Doubtful, Unclear, ask
from abasto.inbox.reading import Reading
from abasto.inbox.tokens import fold_text, folded_words
from abasto.inbox.words import Language, ReportKind
from abasto.network import Amount, Id, Row, TableSchema, column
from abasto.tables.cells import BLANK
from abasto.tables.columns import read_columns
from abasto.tables.kinds import kind_of
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, RawTable, shown

__all__ = ["ALIASES", "KINDS", "REPORTS", "Gathered", "Item", "canonical_columns", "digest", "never", "read_reports"]

TENFOLD = 10


class Report(Row):
    """What happened to a good at a site on a day."""

    date: Date = column("the day it is about")
    site: Id = column("where, the site's id or name")
    kind: Id = column("count, received, handed out, made, lost, loaded")
    good: Id = column("what, the good's id or name")
    quantity: Amount = column("how much, in the unit or pack named beside it")
    unit: str = column(
        "a unit of the good, or one of its packs", default="", blank="the good's unit, if it has no packs"
    )
    expires: Date | None = column("the lot's last usable date", default=None, blank="of any lot")
    order: str = column("the code of the order that was loaded or received", default="", blank="no order")
    cause: str = column("why it was lost", default="", blank="unknown")
    sure: bool = column("yes for a quantity that is meant although it is far above what is known", default=False)
    ref: str = column("what identifies the row, so that it counts once", default="", blank="made from the row itself")


REPORTS = TableSchema("reports", Report, ())

ALIASES: Mapping[str, tuple[str, ...]] = {
    "date": ("fecha", "dia", "day"),
    "site": ("sitio", "lugar"),
    "kind": ("tipo", "que paso", "what happened"),
    "good": ("bien", "producto"),
    "quantity": ("cantidad", "cuanto", "how much"),
    "unit": ("unidad", "medida", "envase", "pack", "unit or pack", "unidad o envase"),
    "expires": ("vence", "lote", "lot", "vencimiento"),
    "order": ("orden", "order code", "codigo de la orden"),
    "cause": ("causa",),
    "sure": ("seguro", "confirmed"),
    "ref": ("referencia", "reference"),
}
"""What else the columns may be called, folded."""

KINDS: Mapping[str, ReportKind] = {
    **dict.fromkeys(("count", "counted", "recuento", "conteo", "hay"), "count"),
    **dict.fromkeys(("received", "taken in", "recibido", "llego"), "received"),
    **dict.fromkeys(
        ("handed out", "entregado", "repartido", "entregado a la gente", "handed out to people"), "handed out"
    ),
    **dict.fromkeys(("made", "hecho", "producido"), "made"),
    **dict.fromkeys(("lost", "perdido", "perdida", "merma"), "lost"),
    **dict.fromkeys(("spoiled", "vencido"), "spoiled"),
    **dict.fromkeys(("loaded", "cargado", "cargado para una orden", "loaded for an order"), "loaded"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A row or line of what came in: where it stands, what it says, and what to ask back if it is in doubt."""

    place: str
    facts: tuple[Fact, ...] = ()
    said: tuple[str, ...] = ()
    doubt: Doubtful | None = None
    text: str = ""
    """What was written, where it is a line."""
    is_known: bool = False
    """Whether the journal has it already."""


@dataclass(slots=True)
class Gathered:
    """All that came in: its items in their order, and what is wrong with the others."""

    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What was left out on purpose, in words."""


def never(_: str) -> bool:
    """Say of no ref that the journal has it."""
    return False


def canonical_columns(header: Sequence[str], *, known: Mapping[str, Sequence[str]] = ALIASES) -> dict[int, str]:
    """Return for the places of a header the column of the format that stands there, by its name or another for it."""
    meant = {fold_text(name): name for name in known}
    for name, others in known.items():
        for other in others:
            meant.setdefault(other, name)
    found: dict[int, str] = {}
    for place, cell in enumerate(header):
        named = meant.get(" ".join(fold_text(cell).replace("_", " ").split()))
        if named is not None and named not in found.values():
            found[place] = named
    return found


@dataclass(frozen=True, slots=True)
class _Cells:
    """The values of one row, by column, and where it stands."""

    line: int
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a cell as text, blank where there is nothing."""
        value = self.values.get(name, "")
        return value.isoformat() if isinstance(value, Date) else str(value).strip(BLANKS)


class _Broken(Exception):  # noqa: N818 - a finding on its way to the list of them
    def __init__(self, column: str, value: str, message: str, remedy: str, closest: str = "") -> None:
        self.parts = (column, value, message, remedy, closest)
        super().__init__(message)


class _SecondRefError(_Broken):
    """A row whose ref stands in an earlier row: whatever the journal has of them, one of the two would be lost."""


def read_reports(
    raw: RawTable,
    *,
    names: Names,
    language: Language,
    site: str | None = None,
    is_known: Callable[[str], bool] = never,
) -> Gathered:
    """Return what a table of reports says, row by row, with every finding; `site` is where rows without one are from.

    Rows of one order, date and site are one step of it. `is_known` says whether a ref is in the journal already.
    """
    header = [shown(cell).strip(BLANKS) for cell in raw.header]
    canonical = canonical_columns(header)
    renamed = replace(raw, header=[canonical.get(place, cell) for place, cell in enumerate(header)])
    columns = tuple(
        replace(one, required=False) if one.name == "site" and site is not None else one for one in REPORTS.columns
    )
    kinds = {one.name: kind_of(Report, one.attribute) for one in columns}
    read = read_columns(renamed, columns, kinds, start=None)
    as_written = {name: header[place] for place, name in canonical.items()}
    gathered = Gathered()
    gathered.findings = [replace(one, column=as_written.get(one.column, one.column)) for one in read.findings]
    if read.has_required_columns and read.values:
        rows = [
            _Cells(read.lines[at], {n: v for n, v in zip(read.values, cells, strict=True) if v is not BLANK})
            for at, cells in enumerate(zip(*read.values.values(), strict=True))
            if at not in read.broken
        ]
        _read_rows(rows, raw.file, as_written, _Resolver(names, language, site, is_known), gathered)
    return gathered


def _read_rows(
    rows: Sequence[_Cells], file: str, as_written: Mapping[str, str], resolver: _Resolver, gathered: Gathered
) -> None:
    refs = _refs(rows)
    counted: dict[tuple[object, ...], int] = {}
    named: dict[str, tuple[int, tuple[object, ...]]] = {}
    steps: dict[tuple[str, ...], list[tuple[_Cells, Line]]] = {}
    for cells in rows:
        place = f"{file} row {cells.line}"
        is_known = resolver.is_known(refs[cells.line])
        try:
            kind = resolver.kind(cells)
            if cells.text("order") or kind == "loaded":
                key = resolver.step(cells, kind)
                _refuse_second_ref(cells, key, named)
                steps.setdefault(key, []).append((cells, resolver.line(cells, kind, "")))
                continue
            _refuse_second_ref(cells, (cells.line,), named)
            fact = resolver.fact(cells, kind, refs[cells.line])
            if isinstance(fact, StockCounted) and not is_known:
                _refuse_second_count(fact, cells, counted)
        except (_Broken, Unclear) as trouble:
            if is_known and not isinstance(trouble, _SecondRefError):
                gathered.items.append(Item(place, is_known=True))
            elif isinstance(trouble, Unclear):
                gathered.items.append(Item(place, doubt=trouble.doubt))
            else:
                gathered.findings.append(_finding(trouble, cells.line, file, as_written))
        else:
            said = describe(fact, resolver.names, language=resolver.language)
            gathered.items.append(Item(place, (fact,), (said,), is_known=is_known))
    for (step, order, day, where), lines in steps.items():
        first = lines[0][0]
        # The journal has the ref of the row that was first then; a file that was sorted otherwise since is the same.
        known = next((ref for cells, _ in lines if resolver.is_known(ref := refs[cells.line])), "")
        ref, place = known or refs[first.line], f"{file} row {first.line}"
        try:
            fact = resolver.step_fact(step, order, day, where, [line for _, line in lines], ref)
            if not known and not any(cells.values.get("sure") for cells, _ in lines):
                resolver.refuse_far_more(fact)
        except Unclear as unclear:
            gathered.items.append(Item(place, is_known=True) if known else Item(place, doubt=unclear.doubt))
        else:
            told = describe(fact, resolver.names, language=resolver.language)
            gathered.items.append(Item(place, (fact,), (told,), is_known=bool(known)))


def _refuse_second_count(fact: StockCounted, cells: _Cells, counted: dict[tuple[object, ...], int]) -> None:
    """Refuse two counts of the same goods in one file, or one submission of a form: one would hide the other."""
    form = fact.ref.rpartition("/")[0] if fact.ref.startswith("form:") else ""
    first = counted.setdefault((form, fact.site, fact.good, fact.lot, fact.date), cells.line)
    if first != cells.line:
        remedy = "keep one of them, write their sum, or name the lots"
        raise _Broken("good", cells.text("good"), f"row {first} counts the same there on that day", remedy)


def _refuse_second_ref(
    cells: _Cells, what: tuple[object, ...], named: dict[str, tuple[int, tuple[object, ...]]]
) -> None:
    """Refuse a row with the ref of an earlier one, unless both are of one step of an order: it would not count."""
    ref = cells.text("ref")
    if not ref:
        return
    first, known = named.setdefault(ref, (cells.line, what))
    if known != what:
        remedy = "give each row a ref of its own, or leave the cell blank"
        raise _SecondRefError("ref", ref, f"row {first} has the same ref, and only one of them would count", remedy)


def _finding(broken: _Broken, line: int, file: str, as_written: Mapping[str, str]) -> Finding:
    name, value, message, remedy, guess = broken.parts
    return Finding("reports", line, as_written.get(name, name), value, message, remedy, guess, file=file)


def _refs(rows: Iterable[_Cells]) -> dict[int, str]:
    """Return for each row what identifies it: its `ref`, or what it says and the how-manieth such row it is."""
    seen: Counter[str] = Counter()
    refs: dict[int, str] = {}
    for cells in rows:
        own = cells.text("ref")
        said = json.dumps({name: cells.text(name) for name in sorted(cells.values)}, ensure_ascii=False)
        seen[said] += 1
        refs[cells.line] = own or f"row:{digest(said, seen[said])}"
    return refs


def digest(said: str, copy: int) -> str:
    """Return a short text that stands for what was said, and for nothing else."""
    raw = hashlib.blake2b(f"{copy}\0{said}".encode(), digest_size=15).digest()
    return base64.urlsafe_b64encode(raw).decode()


@dataclass(frozen=True)
class _Resolver:
    """Finds what the cells of a row name, and makes the fact of it."""

    names: Names
    language: Language
    default_site: str | None
    is_known: Callable[[str], bool]

    def kind(self, cells: _Cells) -> ReportKind:
        text = cells.text("kind")
        # A form's label explains its kind after a colon or in brackets.
        kind = KINDS.get(re.split("[:(]", fold_text(text).replace("_", " "))[0].strip())
        if kind is None:
            choices = ("count", "received", "handed out", "made", "lost", "loaded")
            remedy = f"write one of {', '.join(choices)}"
            raise _Broken("kind", text, "this is no kind of report", remedy, closest(text, KINDS))
        return kind

    def site(self, cells: _Cells) -> str:
        text = cells.text("site")
        if not text and self.default_site is not None:
            return self.default_site
        return self._one("site", text, self.names.site_index, "sites")

    def good(self, cells: _Cells) -> str:
        return self._one("good", cells.text("good"), self.names.good_index, "goods")

    def _one(self, name: str, text: str, index: NameIndex, table: str) -> str:
        found = index.find_cell(text)
        if len(found) > 1:
            raise _Broken(name, text, f"this may be {', '.join(found)}", "write the id")
        if not found:
            guess = closest(text, index.all_names())
            raise _Broken(
                name, text, f"table {table} has no such {name}", f"correct it, or set the {name} first", guess
            )
        return found[0]

    def line(self, cells: _Cells, kind: ReportKind, site: str) -> Line:
        """Return the good, quantity and lot of a row; `site` is blank where goods are on their way."""
        good = self.good(cells)
        quantity = self._quantity(cells, good)
        if quantity == 0 and not (kind == "count" or (kind == "received" and cells.text("order"))):
            raise _Broken("quantity", "0", f"zero of {good} is no report", "correct it or leave the row out")
        most = self.names.most.get((site, good), 0)
        if 0 < TENFOLD * most < quantity and not cells.values.get("sure"):
            said, known = (quantity_words(self.names, good, one) for one in (quantity, most))
            example = {"es": "seguro = yes", "en": "sure = yes"}[self.language]
            raise ask("tenfold", self.language, quantity=said, most=known, example=example,
                      good=called(self.names, good), site=site)  # fmt: skip
        return Line(good, quantity, cells.text("expires") or None)

    def _quantity(self, cells: _Cells, good: str) -> int:
        number, unit = cells.values["quantity"], cells.text("unit")
        packs = [pack.name for pack in self.names.packs_of(good)]
        choices = ", ".join([self.names.unit(good), *packs])
        if not unit and packs and number:
            raise _Broken("unit", "", f"{good} is counted in {choices}", "write which one is meant")
        sizes = self._sizes(good, unit) if unit else frozenset({Fraction(1000)})
        if len(sizes) != 1:
            message = f"this is no unit or pack of {good}" if not sizes else f"{good} has two packs of this name"
            remedy = f"write one of {choices}" + ("" if sizes else f", or set it with: abasto pack {good} {unit} …")
            raise _Broken("unit", unit, message, remedy, closest(unit, [self.names.unit(good), *packs]))
        quantity = Fraction(Decimal(repr(number))) * next(iter(sizes))
        if quantity.denominator != 1:
            raise _Broken("quantity", shown(number), "this is finer than a thousandth of the unit", "round it")
        if quantity > MOST:
            raise _Broken("quantity", shown(number), "this is more than can be kept", "check it")
        return int(quantity)

    def _sizes(self, good: str, unit: str) -> frozenset[Fraction]:
        for written in (unit, re.sub(r" \([^()]*\)$", "", unit)):  # a form's label tells the size of a pack in brackets
            sizes = self.names.measures(good, folded_words(written), written)
            if sizes:
                return sizes
        meant = self._form_units.get((good, unit))
        return self.names.measures(good, folded_words(meant), meant) if meant else sizes

    @cached_property
    def _form_units(self) -> dict[tuple[str, str], str]:
        """What a form calls the unit and the packs of each good."""
        goods = choice_names(good.id for good in self.names.goods)
        return {
            (good, f"{goods[good]}.{form}"): unit
            for good in goods
            for unit, form in choice_names(self.names.units_of(good)).items()
        }

    def fact(self, cells: _Cells, kind: ReportKind, ref: str) -> Fact:
        """Return the fact of a row that is about no order."""
        site, day = self.site(cells), cells.text("date")
        line = self.line(cells, kind, site)
        if cells.text("cause") and kind not in ("lost", "spoiled"):
            raise _Broken("cause", cells.text("cause"), "only a loss has a cause", "clear the cell")
        match kind:
            case "count":
                return StockCounted(site, line.good, line.quantity, day, line.lot, ref)
            case "received":
                return GoodsTakenIn(site, line.good, line.quantity, day, line.lot, ref)
            case "handed out":
                return GoodsHandedOut(site, line.good, line.quantity, day, line.lot, ref)
            case "made":
                reading = Reading("", self.names, day, site, self.language)
                return replace(goods_made(reading, line, day=day, site=site), ref=ref)
            case _:
                cause = cells.text("cause") or ("spoiled" if kind == "spoiled" else "")
                return GoodsLost(site, line.good, line.quantity, day, line.lot, cause, ref)

    def step(self, cells: _Cells, kind: ReportKind) -> tuple[str, str, str, str]:
        """Return which step of which order a row is about: kind, order, date and, for a receipt, the site."""
        if kind not in ("loaded", "received"):
            raise _Broken("order", cells.text("order"), f"an order is loaded or received, not {kind}", "clear the cell")
        try:
            order = codes.find(cells.text("order"), self.names.orders)
        except AbastoError as error:
            message = str(error).partition(": ")[2] or str(error)
            raise _Broken("order", cells.text("order"), message.rstrip("."), "see abasto orders show") from None
        return kind, order, cells.text("date"), self.site(cells) if kind == "received" else ""

    def step_fact(
        self, kind: str, order: str, day: str, site: str, lines: Sequence[Line], ref: str
    ) -> OrderLoaded | OrderReceived:
        """Return the step of an order that some rows say together."""
        reading, record = Reading("", self.names, day, None, self.language), self.names.orders[order]
        if kind == "loaded":
            return OrderLoaded(order, loaded_lines(reading, record, lines), day, ref)
        return OrderReceived(order, site, arrived_lines(reading, record, lines, more_to_come=False), day, ref=ref)

    def refuse_far_more(self, fact: OrderLoaded | OrderReceived) -> None:
        """Raise `Unclear` where far more of a good came than the order has."""
        reading = Reading("", self.names, fact.date, None, self.language)
        clear = {"es": "seguro = yes", "en": "sure = yes"}[self.language]
        for doubt in far_more_doubts(reading, fact, clear, is_line=False):
            raise doubt
