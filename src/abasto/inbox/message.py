"""Read one line that a person wrote: understood if there is exactly one way to read it, else a question to ask back.

Every way to account for all of the line's words is tried (`marks`), taken apart into goods (`parts`), and worked out
here. Nothing is guessed: what is in doubt, or left over, is asked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 - `date` is what the callers call theirs
from datetime import timedelta
from fractions import Fraction

from abasto.facts.amounts import amount
from abasto.facts.kinds import MOST, Fact, GoodsHandedOut, GoodsLost, GoodsTakenIn, Line, StockCounted
from abasto.inbox.batches import batches_made, goods_made
from abasto.inbox.describe import called, describe, quantity_words
from abasto.inbox.doubtful import number_doubt, site_out_of_place, unknown_doubt
from abasto.inbox.marks import labelings, language_of, marks_of
from abasto.inbox.names import Names
from abasto.inbox.order_steps import far_more_doubts, order_fact
from abasto.inbox.parts import Part, ReadLine, line_of
from abasto.inbox.questions import Doubtful, Unclear, Understood, ask
from abasto.inbox.reading import Reading, example_of, spelled_good, spelled_site
from abasto.inbox.tokens import Token, tokens_of
from abasto.inbox.words import Language, ReportKind

__all__ = ["read_message"]

MOST_SIGNS = 500
MOST_TOKENS = 80
TENFOLD = 10
"""A report of more than so many times what is known of a good at a site is asked back."""


def read_message(
    text: str, *, names: Names, date: Date, site: str | None = None, language: Language = "es"
) -> Understood | Doubtful:
    """Return the facts that one line says, or what to ask back.

    `date` is the day of the message, and `site` the id of the site it came from, where that is known otherwise; a site
    or a date in the line itself goes before them. `language` is that of the answer where the words do not tell.
    """
    text = unicodedata.normalize("NFC", text).strip()
    tokens = tokens_of(text)
    reading = Reading(text, names, date.isoformat(), site, language_of(tokens, default=language))
    try:
        return _read(reading, tokens, date)
    except Unclear as unclear:
        return unclear.doubt


@dataclass(frozen=True, slots=True)
class _Understanding:
    """A reading that accounts for all: its facts, and what has to be asked before they are taken for meant."""

    facts: tuple[Fact, ...]
    doubts: tuple[Unclear, ...]


def _read(reading: Reading, tokens: Sequence[Token], date: Date) -> Understood | Doubtful:
    if not tokens:
        raise ask("empty", reading.language)
    if len(reading.text) > MOST_SIGNS or len(tokens) > MOST_TOKENS:
        raise ask("long", reading.language)
    marks = marks_of(reading.text, tokens, reading.names)
    found: dict[tuple[Fact, ...], _Understanding] = {}
    unclear: list[Unclear] = []
    for labeling in labelings(marks):
        try:
            understanding = _interpreted(reading, line_of(labeling), tokens, date)
        except Unclear as doubt:
            unclear.append(doubt)
        else:
            known = found.get(understanding.facts)
            if known is None or len(understanding.doubts) < len(known.doubts):
                found[understanding.facts] = understanding
    if len(found) > 1:
        raise _ambiguous(reading, list(found))
    if found:
        (understanding,) = found.values()
        if understanding.doubts:
            raise min(understanding.doubts, key=lambda doubt: doubt.rank)
        said = (describe(fact, reading.names, language=reading.language) for fact in understanding.facts)
        return Understood(understanding.facts, tuple(said))
    if unclear:
        raise min(unclear, key=lambda doubt: doubt.rank)
    raise site_out_of_place(reading, tokens, marks) or unknown_doubt(reading, tokens, marks)


def _ambiguous(reading: Reading, found: Sequence[tuple[Fact, ...]]) -> Unclear:
    ways = [
        "; ".join(describe(fact, reading.names, language=reading.language) for fact in facts) for facts in found[:4]
    ]
    return ask("ambiguous", reading.language, choices=" / ".join(ways))


def _interpreted(reading: Reading, line: ReadLine, tokens: Sequence[Token], date: Date) -> _Understanding:
    """Return what a line says; raises `Unclear` if it does not hold together."""
    for part in line.parts:
        for mark in part.doubtful:
            raise number_doubt(reading, tokens[mark.start])
    day = _day_of(reading, line, date)
    site = _site_of(reading, line, tokens)
    parts = _parts_with_verbs(reading, line)
    doubts: list[Unclear] = []
    if line.codes:
        lines = [_line(reading, part, doubts) for part, _ in parts if part.says_something]
        kinds = tuple(dict.fromkeys(kind for _, kind in parts))
        if line.cause_at is not None:
            raise ask("cause", reading.language)
        fact = order_fact(reading, line, kinds, lines, day=day, site=site, says_site=bool(line.sites))
        if not line.is_confirmed:
            doubts.extend(far_more_doubts(reading, fact, _confirmed(reading), is_line=True))
        return _Understanding((fact,), tuple(doubts))
    if line.more_to_come:
        raise ask("more", reading.language)
    if line.cause_at is not None and any(kind not in ("lost", "spoiled") for _, kind in parts):
        raise ask("cause", reading.language)
    cause = "" if line.cause_at is None else reading.text[line.cause_at :].strip()
    facts = tuple(_fact(reading, part, kind, line, day, site, cause, doubts) for part, kind in parts)
    _refuse_second_count(reading, facts)
    return _Understanding(facts, tuple(doubts))


def _refuse_second_count(reading: Reading, facts: Sequence[Fact]) -> None:
    """Ask about two counts of the same goods in one line: one would hide the other."""
    counts: dict[tuple[str, str | None], int] = {}
    for fact in facts:
        if isinstance(fact, StockCounted):
            first = counts.setdefault((fact.good, fact.lot), fact.quantity)
            if first != fact.quantity:
                numbers = f"{amount(first)}, {amount(fact.quantity)}"
                example = example_of(reading, fact.good)
                good = called(reading.names, fact.good)
                raise ask("two numbers", reading.language, good=good, numbers=numbers, example=example)


def _day_of(reading: Reading, line: ReadLine, date: Date) -> str:
    if len(set(line.dates)) > 1:
        raise ask("one date", reading.language)
    if not line.dates:
        return reading.date
    if line.dates[0] == "-1":
        return (date - timedelta(days=1)).isoformat()
    try:
        return Date.fromisoformat(line.dates[0]).isoformat()
    except ValueError:
        raise ask("no date", reading.language, text=line.dates[0]) from None


def _site_of(reading: Reading, line: ReadLine, tokens: Sequence[Token]) -> str | None:
    """Return the site that reports: as the line says, else as is known of the message."""
    if len(line.sites) > 1:
        raise ask("one site", reading.language)
    if not line.sites:
        return reading.site
    (mark,) = line.sites
    if len(mark.ids) > 1:
        before, after = reading.text[: tokens[mark.start].start], reading.text[tokens[mark.end - 1].end :]
        choices = [spelled_site(reading.names, id) for id in mark.ids]
        written = reading.text[tokens[mark.start].start : tokens[mark.end - 1].end]
        lines = [f"{before}{choice}{after}" for choice in choices]
        raise ask("which site", reading.language, *lines, text=written, choices=" / ".join(choices))
    return mark.ids[0]


def _parts_with_verbs(reading: Reading, line: ReadLine) -> list[tuple[Part, ReportKind | None]]:
    """Return each part that says something with what happened; a word for that holds until the next one."""
    parts: list[tuple[Part, ReportKind | None]] = []
    verb: ReportKind | None = None
    fresh = False
    for part in line.parts:
        verbs = set(part.verbs)
        if verbs == {"lost", "spoiled"}:
            verbs = {"spoiled"}
        if len(verbs) > 1:
            raise ask("verbs", reading.language)
        if verbs:
            if parts and parts[-1][1] is None:
                raise ask("verbs", reading.language)
            verb, fresh = verbs.pop(), True
        if part.says_something:
            parts.append((part, verb))
            fresh = False
    if line.codes and not parts:
        return [(Part(), verb)]
    if fresh and parts:
        raise ask("verbs", reading.language)
    if not parts:
        raise ask("no good", reading.language, example=example_of(reading))
    return parts


def _fact(
    reading: Reading,
    part: Part,
    kind: ReportKind | None,
    line: ReadLine,
    day: str,
    site: str | None,
    cause: str,
    doubts: list[Unclear],
) -> Fact:
    """Return the fact that one part of a line says, and add what has to be asked about it."""
    if kind in ("loaded", "accepted"):
        raise ask("which order", reading.language, open=reading.open_orders())
    if kind == "made" and part.batches:
        return batches_made(reading, part, day=day, site=_needed_site(reading, site))
    said = _line(reading, part, doubts)
    where = _needed_site(reading, site)
    if said.quantity == 0 and not part.none:
        if kind not in (None, "count"):
            raise ask("nothing", reading.language, good=called(reading.names, said.good))
        if not line.is_confirmed:
            doubts.append(_zero_doubt(reading, said.good, where))
    elif said.quantity == 0 and kind not in (None, "count"):
        raise ask("nothing", reading.language, good=called(reading.names, said.good))
    if not line.is_confirmed:
        doubts.extend(_tenfold_doubts(reading, said, where))
    match kind:
        case None | "count":
            return StockCounted(where, said.good, said.quantity, day, said.lot)
        case "received":
            return GoodsTakenIn(where, said.good, said.quantity, day, said.lot)
        case "handed out":
            return GoodsHandedOut(where, said.good, said.quantity, day, said.lot)
        case "made":
            return goods_made(reading, said, day=day, site=where)
        case _:
            return GoodsLost(
                where, said.good, said.quantity, day, said.lot, cause or ("spoiled" if kind == "spoiled" else "")
            )


def _needed_site(reading: Reading, site: str | None) -> str:
    if site is not None:
        return site
    places = [spelled_site(reading.names, one.id) for one in reading.names.sites[:3]]
    lines = [f"{place}: {reading.text}" for place in places]
    raise ask("no site", reading.language, *lines, example=lines[0] if lines else f"…: {reading.text}")


def _zero_doubt(reading: Reading, good: str, site: str) -> Unclear:
    words = {"es": "NO QUEDA", "en": "NO"}[reading.language]
    clear = f"{spelled_site(reading.names, site)}: {words} {spelled_good(reading.names, good)}"
    return ask(
        "zero", reading.language, clear, good=called(reading.names, good), site=reading.site_called(site), example=clear
    )


def _tenfold_doubts(reading: Reading, said: Line, site: str) -> list[Unclear]:
    most = reading.names.most.get((site, said.good), 0)
    if not 0 < TENFOLD * most < said.quantity:
        return []
    clear = _confirmed(reading)
    quantity, known = (quantity_words(reading.names, said.good, one) for one in (said.quantity, most))
    return [
        ask(
            "tenfold", reading.language, clear, quantity=quantity, most=known, example=clear,
            good=called(reading.names, said.good), site=reading.site_called(site),
        )
    ]  # fmt: skip


def _confirmed(reading: Reading) -> str:
    return f"{ {'es': 'SI', 'en': 'YES'}[reading.language] } {reading.text}"


def _line(reading: Reading, part: Part, doubts: list[Unclear]) -> Line:
    """Return the good, quantity and lot that a part names."""
    names, language = reading.names, reading.language
    if part.recipes or part.batches:
        raise ask("which recipe", language, choices=reading.recipes_named(), example=reading.batches_example())
    if not part.goods:
        raise ask("no good", language, example=example_of(reading))
    goods = list(dict.fromkeys(mark.ids for mark in part.goods))
    if len(part.goods) > 1:
        named = ", ".join(called(names, mark.ids[0]) for mark in part.goods)
        raise ask("two goods", language, goods=named)
    if len(goods[0]) > 1:
        choices = [spelled_good(names, id) for id in goods[0]]
        raise ask("which good", language, *choices, text=reading.written(part.goods[0]), choices=" / ".join(choices))
    good = goods[0][0]
    if len(part.lots) > 1:
        raise ask("one date", language)
    for lot in filter(None, part.lots):
        try:
            Date.fromisoformat(lot)
        except ValueError:
            raise ask("no date", language, text=lot) from None
    return Line(good, _quantity(reading, part, good, doubts), part.lots[0] if part.lots else None)


def _quantity(reading: Reading, part: Part, good: str, doubts: list[Unclear]) -> int:
    """Return how much a part says, in thousandths of the good's unit."""
    language, name = reading.language, called(reading.names, good)
    example = example_of(reading, good)
    if part.none and not part.numbers and not part.measures:
        return 0
    if part.none or not part.numbers:
        raise ask("no quantity", language, good=name, example=example)
    if len(part.numbers) > 1:
        numbers = ", ".join(str(mark.number) for mark in part.numbers)
        raise ask("two numbers", language, good=name, numbers=numbers, example=example)
    if len(part.measures) > 1:
        measures = ", ".join(mark.written for mark in part.measures)
        raise ask("two measures", language, good=name, measures=measures, example=example)
    number = part.numbers[0].number
    measure = part.measures[0].written if part.measures else reading.names.unit(good)
    quantity = Fraction(number) * _size(reading, part, good, doubts)
    if quantity.denominator != 1:
        raise ask("too fine", language, number=number, measure=measure, good=name)
    if quantity > MOST:
        raise ask("too much", language, number=number, measure=measure, good=name)
    return int(quantity)


def _size(reading: Reading, part: Part, good: str, doubts: list[Unclear]) -> Fraction:
    """Return how many thousandths one of the part's measure is; without one the good's unit, unless it has packs."""
    names, language = reading.names, reading.language
    name, unit = called(names, good), names.unit(good)
    if not part.measures:
        packs = names.packs_of(good)
        mark = part.numbers[0]
        if packs and mark.number:
            choices = [unit, *(pack.name for pack in packs)]
            lines = [reading.after(mark, choice) for choice in choices]
            joined = " / ".join(choices)
            doubts.append(ask("which measure", language, *lines, number=mark.number, good=name, choices=joined))
        return Fraction(1000)
    mark = part.measures[0]
    sizes = names.measures(good, mark.words, mark.written)
    if not sizes:
        others = ", ".join([unit, *(pack.name for pack in names.packs_of(good))])
        raise ask("measure", language, measure=mark.written, good=name, choices=others)
    if len(sizes) > 1:
        others = " / ".join(quantity_words(names, good, int(size)) for size in sorted(sizes))
        raise ask("two packs", language, measure=mark.written, good=name, choices=others)
    return next(iter(sizes))
