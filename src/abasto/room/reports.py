"""What a phone sends, and what it means: one report, one fact; or why it is not taken, or a question back.

Nothing here writes. A report is known again by its reference, `phone/PHONE/ID`: what the phone sends once more, as no
answer came, changes nothing. What is doubtful is asked back, and taken when the phone says that it is sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from abasto.errors import AbastoError, FactError, InputError
from abasto.facts.amounts import amount
from abasto.facts.canonical import canonical
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    NoteWritten,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
    body_of,
)
from abasto.inbox.names import NameIndex, Names
from abasto.language import Language
from abasto.room.report_doubts import doubts_about
from abasto.room.report_needs import need_row
from abasto.room.report_quantities import NotTakenError, quantity_of
from abasto.room.report_words import amount_words, lines_words, named
from abasto.state.network import row_fact
from abasto.state.state import State
from abasto.state.steps import lines_to_load, lines_to_receive
from abasto.state.types import OrderRecord

__all__ = [
    "MOST_REPORTS", "PHONE_ID", "Answer", "Answers", "Batch", "Report", "ReportLine", "Source", "Standing", "Taken",
    "said", "take",
]  # fmt: skip

MOST_REPORTS = 200
MOST_LINES = 100
MOST_EARLIER = 8
LONGEST_NAME = 200
LONGEST_TEXT = 1000
MOST_BYTES = 12_000
"""Of a fact: an entry has at most 16 KiB, and one fact that is too large would keep all others from being written."""

Kind = Literal["count", "received", "handed out", "lost", "need", "problem", "loaded", "arrived"]
Standing = Literal["stored", "known", "doubtful", "refused"]


def _day(text: str) -> str:
    if text and date.fromisoformat(text).isoformat() != text:
        raise ValueError("must be a date such as 2026-11-22")
    return text


Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Quantity = Annotated[str, Field(max_length=40)]
Day = Annotated[str, Field(max_length=10), AfterValidator(_day)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
PHONE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PhoneId = Annotated[str, Field(pattern=f"^{PHONE_ID.pattern}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportLine(_Model):
    """Of an order, a good that was not loaded, or did not arrive, as it should have been."""

    good: Name
    quantity: Quantity
    unit: Name = ""


class Report(_Model):
    """What a phone reports. Quantities are as typed; `unit` is a unit or a pack; days are ISO dates.

    `sent_as` are other phones as which it may have been sent before, when the phone joined anew in between. `made_at`
    is for people only.
    """

    id: Id
    kind: Kind
    site: Name = ""
    good: Name = ""
    quantity: Quantity = ""
    unit: Name = ""
    expires: Day = ""
    order: Name = ""
    lines: tuple[ReportLine, ...] = Field(default=(), max_length=MOST_LINES)
    more_to_come: bool = False
    text: str = Field(default="", max_length=LONGEST_TEXT)
    date: Annotated[Day, Field(min_length=10)]
    made_at: str = Field(default="", max_length=40)
    sure: bool = False
    sent_as: tuple[PhoneId, ...] = Field(default=(), max_length=MOST_EARLIER)


class Batch(_Model):
    """Reports of a phone, in the order in which they were made."""

    reports: tuple[Report, ...] = Field(max_length=MOST_REPORTS)


class Answer(_Model):
    """What became of a report: stored in the journal, known there before, doubtful (nothing is written), or refused."""

    id: str
    status: Standing
    received_at: str
    message: str
    entry: str = ""


class Answers(_Model):
    """What became of each report, in their order."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Source:
    """Where reports come from: the phone's id, or that of a file, and where it may report."""

    id: str
    may_report: Callable[[str], bool]


@dataclass(frozen=True)
class Taken:
    """A report as it was understood. `fact` is there if it is to be stored; `refs` are all it may be known by."""

    report: Report
    status: Standing
    message: str
    fact: Fact | None = None
    refs: tuple[str, ...] = ()


def take(
    state: State,
    report: Report,
    source: Source,
    *,
    names: Names,
    promised: frozenset[tuple[str, str]],
    day: date,
    words: Language,
) -> Taken:
    """Return what a report means on a day, to whoever may report it; nothing is written.

    `names` and `promised` are of the state (`names_of`, `promised_places`): many reports are taken with the same ones.
    """
    refs = tuple(f"phone/{id}/{report.id}" for id in dict.fromkeys((source.id, *report.sent_as)))
    if any(state.knows(ref) for ref in refs):
        return Taken(report, "known", words("This was received before."), refs=refs)
    reading = _Reading(state, report, source, names, words)
    try:
        fact = _with_ref(reading.fact(), refs[0])
        if len(canonical(body_of(fact))) > MOST_BYTES:
            raise NotTakenError(words("This report is too long. Make several of it."))
        if report.sure:
            return Taken(report, "stored", said(fact, names, words), fact, refs)
        found = doubts_about(state, fact, names=names, promised=promised, day=day, words=words)
    except NotTakenError as refusal:
        return Taken(report, "refused", str(refusal), refs=refs)
    except FactError as error:
        return Taken(report, "refused", words.sentence(str(error)), refs=refs)
    if found:
        return Taken(report, "doubtful", " ".join(found), refs=refs)
    return Taken(report, "stored", said(fact, names, words), fact, refs)


def said(fact: Fact, names: Names, words: Language) -> str:
    """Return in a sentence what was stored."""
    match fact:
        case StockCounted():
            return words("Counted at {site}: {amount}.", **_parts(fact, names, words))
        case GoodsTakenIn():
            return words("Came to {site} from outside: {amount}.", **_parts(fact, names, words))
        case GoodsHandedOut():
            return words("Handed out at {site}: {amount}.", **_parts(fact, names, words))
        case GoodsLost():
            return words("Lost at {site}: {amount}.", **_parts(fact, names, words))
        case RowSet():
            site, needed = named(names.site(fact.row["site"]), fact.row["site"], words), fact.row["quantity"]
            good, unit = named(names.good(fact.row["good"]), fact.row["good"], words), names.unit(fact.row["good"])
            return words(
                "Needed at {site}: {quantity} {unit} of {good} a day.", site=site, quantity=needed, unit=unit, good=good
            )
        case OrderLoaded():
            goods = lines_words(names, fact.lines, words)
            return words("Loaded for order {code}: {goods}.", code=code_of(fact.order), goods=goods)
        case OrderReceived():
            goods = lines_words(names, fact.lines, words)
            return words("Arrived by order {code}: {goods}.", code=code_of(fact.order), goods=goods)
        case _:
            return words("The room can read your message now.")


def _parts(
    fact: StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost, names: Names, words: Language
) -> dict[str, str]:
    return {
        "site": named(names.site(fact.site), fact.site, words),
        "amount": amount_words(names, fact.good, fact.quantity, words),
    }


def _with_ref(fact: Fact, ref: str) -> Fact:
    assert isinstance(
        fact,
        StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost | RowSet | NoteWritten | OrderLoaded | OrderReceived,
    )
    return replace(fact, ref=ref)


@dataclass(frozen=True)
class _Reading:
    """One report on its way to a fact; every refusal is a `NotTakenError` with its sentence."""

    state: State
    report: Report
    source: Source
    names: Names
    words: Language

    def fact(self) -> Fact:
        report, words = self.report, self.words
        match report.kind:
            case "problem":
                return self.note()
            case "loaded" | "arrived":
                return self.order_step()
            case "need":
                return self.need()
        site, good = self.site(), self.good(report.good)
        quantity = quantity_of(self.names, good, report.quantity, report.unit, words)
        if quantity == 0 and report.kind != "count":
            raise NotTakenError(words("Zero is nothing to report. How much is it?"))
        lot = report.expires or None
        if report.kind == "count":
            return StockCounted(site, good, quantity, report.date, lot)
        if report.kind == "received":
            return GoodsTakenIn(site, good, quantity, report.date, lot)
        if report.kind == "handed out":
            return GoodsHandedOut(site, good, quantity, report.date, lot)
        return GoodsLost(site, good, quantity, report.date, lot, self.text())

    def site(self) -> str:
        site = self._one(self.report.site, self.names.site_index)
        if site is None:
            text = self.report.site
            raise NotTakenError(self.words('No site is called "{name}" here. Choose the site again.', name=text))
        return self.allowed(site)

    def allowed(self, site: str) -> str:
        if not self.source.may_report(site):
            called = named(self.names.site(site), site, self.words)
            raise NotTakenError(self.words("This phone may not report about {site}. Ask the room.", site=called))
        return site

    def good(self, text: str) -> str:
        good = self._one(text, self.names.good_index)
        if good is None:
            raise NotTakenError(self.words('No good is called "{name}" here. Choose it again.', name=text))
        return good

    def _one(self, text: str, index: NameIndex) -> str | None:
        found = index.find_cell(text) if text else ()
        return found[0] if len(found) == 1 else None

    def text(self) -> str:
        return " ".join(self.report.text.split())

    def note(self) -> NoteWritten:
        if not self.text():
            raise NotTakenError(self.words("There is no word in it. What is the problem?"))
        about = self.site() if self.report.site or not self.report.order else ""
        if self.report.order:
            order = self.order()
            ends = (order.issued.from_site, order.issued.to_site) if order.issued else ()
            if not about and not any(map(self.source.may_report, ends)):
                raise NotTakenError(self.words("Order {code} is of other sites.", code=code_of(order.id)))
            about = order.id
        return NoteWritten(self.report.text.strip(), self.report.date, about)

    def need(self) -> RowSet:
        report = self.report
        site, good = self.site(), self.good(report.good)
        quantity = quantity_of(self.names, good, report.quantity, report.unit, self.words)
        row = need_row(self.state, site, good, date.fromisoformat(report.date), words=self.words)
        cells = {**row.cells, "quantity": amount(quantity)}
        try:
            return row_fact("needs", cells, date=date.fromisoformat(report.date), copy=row.copy)
        except InputError as error:
            raise NotTakenError(self.words.sentence(str(error.findings[0]))) from None

    def order(self) -> OrderRecord:
        try:
            return self.state.orders[self.state.orders.find(self.report.order)]
        except AbastoError:
            text = self.words("No order {code} is known here. Look at its sheet again.", code=self.report.order[:20])
            raise NotTakenError(text) from None

    def order_step(self) -> OrderLoaded | OrderReceived:
        record, report, words = self.order(), self.report, self.words
        code, changed = code_of(record.id), self.changed()
        if record.issued is None:
            raise NotTakenError(words("Only reports are known of order {code}, not the order itself.", code=code))
        if report.kind == "loaded":
            self.allowed(record.issued.from_site)
            lines = lines_to_load(self.state, record, changed)
            if record.status == "received" or not lines:
                raise NotTakenError(words("Of order {code} nothing is left to be loaded.", code=code))
            return OrderLoaded(record.id, lines, report.date)
        site = self.site() if report.site else self.allowed(record.issued.to_site)
        if record.status == "received" and not changed:
            raise NotTakenError(words("Order {code} was received already.", code=code))
        if report.more_to_come and not changed:
            raise NotTakenError(words("Say what of order {code} has arrived so far.", code=code))
        lines = lines_to_receive(record, changed, more_to_come=report.more_to_come)
        return OrderReceived(record.id, site, lines, report.date, report.more_to_come)

    def changed(self) -> dict[str, int]:
        """Return the quantities that are not as they should have been, by good."""
        changed: dict[str, int] = {}
        for line in self.report.lines:
            good = self.good(line.good)
            if good in changed:
                called = named(self.names.good(good), good, self.words)
                raise NotTakenError(self.words("{good} is there twice. Write it once.", good=called))
            changed[good] = quantity_of(self.names, good, line.quantity, line.unit, self.words)
        return changed
